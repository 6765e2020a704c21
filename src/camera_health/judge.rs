//! The judgement: from looks to blind spells.

use std::time::Duration;

use super::Cause;
use super::hold::Hold;
use super::known::{Band, Known};
use super::measures::Measures;
use super::pace::Pace;
use super::still::Still;
use super::view::{Features, Shifted};
use crate::clock::{MonoTime, Stamp};
use crate::frame::{Picture, Thumbnail};
use crate::geometry::FrameSize;

/// A sensor in the dark has noise; a harbour at night has lamps, which are above 40.
const BLACK: f32 = 16.0;
/// Half of the picture: the sky alone may be at the sensor's end on a bright day.
const WASHED_OUT: f32 = 0.5;
/// A picture in which nothing stands out is white, not grey, from here on.
const WHITE: f32 = 235.0;
/// Noise of a picture without anything in it is under 1; fog in which a vessel at the quay can be made out has 5 and more.
const FAINT: f32 = 2.5;
/// The same view, hours later, is at least as like as that.
const LIKE: f32 = 0.6;
/// What a shift must explain, and how like nothing is.
const EXPLAINED: f32 = 0.2;
const UNLIKE: f32 = 0.3;
/// Real lenses in focus stay between 0.6 and 1; a blur over a hundredth of the picture's width is at 0.2 to 0.3.
const SOFT: f32 = 0.45;
const SOFTEST: f32 = 0.25;
/// Pictures for each look that is asked for, to be slow and to be so no more.
const SLOW: f32 = 0.4;
const FAST: f32 = 0.6;
/// A search costs a hundred times what a look does.
const SEARCHES_APART: Duration = Duration::from_secs(1);

const fn seconds(begins: u64, ends: u64) -> (Duration, Duration) {
    (Duration::from_secs(begins), Duration::from_secs(ends))
}

/// What can be found in pictures, in the order in which it is told, with the times it must hold and must not. A view that
/// is elsewhere and one that is nowhere have the same cause: a ship may fill the picture for a while.
const FOUND: [(Cause, (Duration, Duration)); 8] = [
    (Cause::Black, seconds(5, 3)),
    (Cause::WashedOut, seconds(10, 5)),
    (Cause::Fog, seconds(15, 10)),
    (Cause::Frozen, seconds(15, 3)),
    (Cause::Moved, seconds(10, 10)),
    (Cause::Moved, seconds(60, 10)),
    (Cause::OutOfFocus, seconds(15, 10)),
    (Cause::Slow, (super::PACE_OVER, Duration::from_secs(5))),
];

/// Places in [`FOUND`].
const FROZEN: usize = 3;
const ELSEWHERE: usize = 4;
const NOWHERE: usize = 5;
const OUT_OF_FOCUS: usize = 6;
const PACE: usize = 7;

/// A blind spell.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    /// Why.
    pub cause: Cause,
    /// The first moment of it.
    pub began: Stamp,
    /// By what it was found, in `unit`; `None` where no picture came.
    pub measured: Option<f64>,
    /// What that is held against, in `unit`.
    pub threshold: Option<f64>,
    /// Of the two.
    pub unit: &'static str,
    /// For people: "the picture has been the same for 15 s".
    pub text: String,
}

/// How a blind spell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The camera sees again.
    Seen,
    /// It is blind for another cause now.
    AnotherCause,
    /// The watch goes off.
    Stop,
}

impl End {
    /// As written in the logbook.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::AnotherCause => "another cause",
            Self::Stop => "stop",
        }
    }
}

/// A blind spell's beginning or end.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It began, a while ago.
    Began(Outage),
    /// It is over since then.
    Ended(Outage, Stamp, End),
}

impl Change {
    /// The spell, when it lasts.
    pub fn lasts(&self) -> Option<&Outage> {
        match self {
            Self::Began(outage) => Some(outage),
            Self::Ended(..) => None,
        }
    }
}

/// What was read off a picture for a cause.
#[derive(Clone, Debug)]
struct Reading {
    measured: f64,
    threshold: f64,
    unit: &'static str,
    text: String,
}

/// What a look says of a cause.
enum Word {
    /// It holds, since then.
    Holds(Stamp, Reading),
    /// It does not.
    No,
    /// That cannot be told from this picture.
    Unknown,
}

/// The sight of one camera.
#[derive(Debug)]
pub struct Sight {
    asked_hz: f32,
    away_after: Duration,
    found: Vec<(Cause, Hold, Option<Reading>)>,
    still: Still,
    pace: Pace,
    known: Known,
    size: Option<FrameSize>,
    /// The last search for the view: when, and what it found.
    searched: Option<(MonoTime, Option<Shifted>)>,
    /// When the wait for a picture began.
    waits: Option<Stamp>,
    outage: Option<Outage>,
    /// When the spell before ended.
    ended: Option<Stamp>,
}

impl Sight {
    /// Of a camera that is to be looked at so often a second, and is away when no picture came for `away_after`.
    pub fn new(asked_hz: f32, away_after: Duration) -> Self {
        let found = FOUND.map(|(cause, (begins, ends))| (cause, Hold::new(begins, ends), None)).into();
        Self {
            asked_hz,
            away_after,
            found,
            still: Still::default(),
            pace: Pace::default(),
            known: Known::default(),
            size: None,
            searched: None,
            waits: None,
            outage: None,
            ended: None,
        }
    }

    /// The blind spell that lasts.
    pub fn outage(&self) -> Option<&Outage> {
        self.outage.as_ref()
    }

    /// Takes in the picture of a look: frame number `seq`, taken `at`.
    pub fn look(&mut self, picture: &Picture, thumbnail: &Thumbnail, seq: u64, at: Stamp) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some((last, between)) = self.pace.between(seq, at)
            && between >= self.away_after
        {
            self.no_picture_since(last, at, &mut changes);
        }
        if self.size.replace(thumbnail.size) != Some(thumbnail.size) {
            (self.known, self.still, self.searched) = Default::default();
        }
        let words = self.words(picture, thumbnail, seq, at);
        for ((_, hold, reading), word) in self.found.iter_mut().zip(words) {
            match word {
                Word::Holds(since, read) => {
                    hold.step(Some(since), at);
                    *reading = Some(read);
                }
                Word::No => hold.step(None, at),
                Word::Unknown => hold.interrupt(),
            }
        }
        self.conclude(at, &mut changes);
        changes
    }

    /// Time passes: `newest` is when the newest picture came, if any has.
    pub fn wait(&mut self, newest: Option<Stamp>, now: Stamp) -> Vec<Change> {
        let mut changes = Vec::new();
        let since = newest.unwrap_or(*self.waits.get_or_insert(now));
        if now.mono.since(since.mono) >= self.away_after {
            self.no_picture_since(since, now, &mut changes);
        }
        changes
    }

    /// The watch goes off.
    pub fn stop(&mut self, at: Stamp) -> Option<Change> {
        self.outage.take().map(|outage| Change::Ended(outage, at, End::Stop))
    }

    fn no_picture_since(&mut self, since: Stamp, now: Stamp, changes: &mut Vec<Change>) {
        if self.outage.as_ref().is_some_and(|outage| outage.cause == Cause::Away) {
            return;
        }
        self.found.iter_mut().for_each(|(_, hold, _)| hold.interrupt());
        self.pace.reset();
        self.still = Still::default();
        // What was told before lasted until now: nobody knew of this one.
        self.end(now, End::AnotherCause, changes);
        let began = self.not_before(since);
        let text = format!("no picture has come for {} s", now.mono.since(since.mono).as_secs());
        let outage = Outage { cause: Cause::Away, began, measured: None, threshold: None, unit: "", text };
        changes.push(Change::Began(outage.clone()));
        self.outage = Some(outage);
    }

    fn end(&mut self, at: Stamp, how: End, changes: &mut Vec<Change>) {
        if let Some(outage) = self.outage.take() {
            changes.push(Change::Ended(outage, at, how));
            self.ended = Some(at);
        }
    }

    /// Spells do not overlap.
    fn not_before(&self, since: Stamp) -> Stamp {
        self.ended.filter(|ended| ended.mono > since.mono).unwrap_or(since)
    }

    fn conclude(&mut self, at: Stamp, changes: &mut Vec<Change>) {
        let is_on =
            |cause: Cause| self.found.iter().any(|(one, hold, _)| *one == cause && hold.on().is_some());
        if self.outage.as_ref().is_some_and(|outage| is_on(outage.cause)) {
            return;
        }
        let next =
            self.found.iter().find_map(|(cause, hold, reading)| Some((*cause, hold.on()?, reading.clone()?)));
        let how = if next.is_some() { End::AnotherCause } else { End::Seen };
        self.end(at, how, changes);
        let Some((cause, since, reading)) = next else { return };
        let Reading { measured, threshold, unit, text } = reading;
        let (measured, threshold) = (Some(measured), Some(threshold));
        let outage = Outage { cause, began: self.not_before(since), measured, threshold, unit, text };
        changes.push(Change::Began(outage.clone()));
        self.outage = Some(outage);
    }

    /// What a look says of each cause, in the order of [`FOUND`].
    fn words(&mut self, picture: &Picture, thumbnail: &Thumbnail, seq: u64, at: Stamp) -> [Word; 8] {
        let measures = Measures::of(picture, thumbnail);
        let [black, washed_out, fog] = light(&measures, at);
        let frozen = self.frozen(thumbnail, at);
        let slow = self.slow(seq, at);
        let shown = [&black, &washed_out, &fog].iter().all(|word| matches!(word, Word::No));
        if !shown {
            return [black, washed_out, fog, frozen, Word::Unknown, Word::Unknown, Word::Unknown, slow];
        }
        let features = Features::of(thumbnail);
        let [elsewhere, nowhere] = self.moved(&features, measures.median, at);
        let soft = soft(&measures, self.known.of(measures.median), self.is_on(OUT_OF_FOCUS), at);
        let good = [&elsewhere, &nowhere, &soft].iter().all(|word| !matches!(word, Word::Holds(..)));
        if good && self.outage.as_ref().is_none_or(|outage| outage.cause == Cause::Slow) {
            self.known.learn(measures.median, &features, measures.sharpness, at.mono);
        }
        [black, washed_out, fog, frozen, elsewhere, nowhere, soft, slow]
    }

    fn is_on(&self, place: usize) -> bool {
        self.found[place].1.on().is_some()
    }

    fn frozen(&mut self, thumbnail: &Thumbnail, at: Stamp) -> Word {
        let Some(since) = self.still.since(thumbnail, at) else { return Word::No };
        let same_s = at.mono.since(since.mono).as_secs_f64();
        let threshold = FOUND[FROZEN].1.0.as_secs_f64();
        // Once frozen, a picture that changes now and then is not the same again at the next look.
        if self.is_on(FROZEN) && same_s < threshold {
            return Word::No;
        }
        let text = format!("the picture has been the same for {same_s:.0} s");
        Word::Holds(since, Reading { measured: same_s, threshold, unit: "s", text })
    }

    fn slow(&mut self, seq: u64, at: Stamp) -> Word {
        let Some((pace_hz, since)) = self.pace.look(seq, at) else { return Word::Unknown };
        let least_hz = self.asked_hz * if self.is_on(PACE) { FAST } else { SLOW };
        if pace_hz >= least_hz {
            return Word::No;
        }
        let asked = self.asked_hz;
        let text = format!("{pace_hz:.1} pictures a second come where {asked:.1} looks are asked for");
        let (measured, threshold) = (f64::from(pace_hz), f64::from(least_hz));
        Word::Holds(since, Reading { measured, threshold, unit: "pictures/s", text })
    }

    /// Whether the view is elsewhere, and whether it is nowhere.
    fn moved(&mut self, features: &Features, median: f32, at: Stamp) -> [Word; 2] {
        let Some(band) = self.known.of(median).filter(|band| band.view.is_telling()) else {
            return [Word::Unknown, Word::Unknown];
        };
        let like = band.view.likeness(features, [0, 0]);
        if like >= LIKE {
            return [Word::No, Word::No];
        }
        let due = |&(when, _): &(MonoTime, _)| at.mono.since(when) >= SEARCHES_APART;
        if self.searched.as_ref().is_none_or(due) {
            self.searched = Some((at.mono, band.view.search(features)));
        }
        let shift = self.searched.and_then(|(_, found)| found);
        let shift = shift.filter(|&(_, there)| there >= LIKE && there - like >= EXPLAINED);
        let percent = |part: f32| f64::from(part.max(0.0)) * 100.0;
        let word = |holds: bool, threshold: f32| {
            let [across, down] = shift.map_or([0, 0], |(shift, _)| shift);
            let text = if shift.is_some() {
                let across = across as f32 * 100.0 / Thumbnail::WIDTH as f32;
                let down = down as f32 * 100.0 / Thumbnail::HEIGHT as f32;
                format!(
                    "what stands still has moved by {:.0} % of the picture's width to the {} and {:.0} % of its height {}",
                    across.abs(),
                    if across < 0.0 { "left" } else { "right" },
                    down.abs(),
                    if down < 0.0 { "up" } else { "down" },
                )
            } else {
                "nothing is where it was: the camera was moved, or something stands before it".to_owned()
            };
            let reading = Reading { measured: percent(like), threshold: percent(threshold), unit: "%", text };
            if holds { Word::Holds(at, reading) } else { Word::No }
        };
        // Once moved, a view is back when it is as like as it was.
        [
            word(shift.is_some() || self.is_on(ELSEWHERE), LIKE),
            word(like < UNLIKE || self.is_on(NOWHERE), UNLIKE),
        ]
    }
}

/// Whether the picture is black, washed out, or without anything in it.
fn light(measures: &Measures, at: Stamp) -> [Word; 3] {
    let &Measures { brightest, median, clipped, contrast, .. } = measures;
    let word = |holds: bool, measured: f32, threshold: f32, unit: &'static str, text: String| {
        let (measured, threshold) = (f64::from(measured), f64::from(threshold));
        if holds { Word::Holds(at, Reading { measured, threshold, unit, text }) } else { Word::No }
    };
    let black = brightest < BLACK;
    let faint = contrast < FAINT && !black;
    let white = faint && median >= WHITE;
    let part = clipped * 100.0;
    let level = "levels of 255";
    [
        word(
            black,
            brightest,
            BLACK,
            level,
            format!("the picture is black: 98 % of it is under level {brightest:.0}"),
        ),
        if white && clipped < WASHED_OUT {
            word(
                true,
                contrast,
                FAINT,
                level,
                format!("the picture is white: nothing stands out by {FAINT} levels"),
            )
        } else {
            let text = format!("{part:.0} % of the picture is as bright as the camera can tell");
            word(clipped >= WASHED_OUT, part, WASHED_OUT * 100.0, "%", text)
        },
        word(
            faint && !white && clipped < WASHED_OUT,
            contrast,
            FAINT,
            level,
            format!(
                "nothing can be made out: what stands out most does by {contrast:.1} levels (fog, dirt, a cover)"
            ),
        ),
    ]
}

/// Whether edges are soft.
fn soft(measures: &Measures, band: Option<&Band>, on: bool, at: Stamp) -> Word {
    let Some(sharpness) = measures.sharpness else { return Word::Unknown };
    let usual = band.and_then(|band| band.sharpness);
    let least = usual.map_or(SOFTEST, |usual| (SOFT * usual).max(SOFTEST));
    if sharpness >= least * if on { 1.1 } else { 1.0 } {
        return Word::No;
    }
    let percent = |part: f32| f64::from(part) * 100.0;
    let usual = usual.map_or(String::new(), |usual| format!(", where {:.0} % are usual", percent(usual)));
    let text = format!("edges are {:.0} % sharp{usual}: out of focus, or wet", percent(sharpness));
    Word::Holds(at, Reading { measured: percent(sharpness), threshold: percent(least), unit: "%", text })
}
