//! From inspected pictures to camera outages: measures, checks, debounces, reports one outage at a time.

use std::time::Duration;

use super::Cause;
use super::checks::{self, Check, CheckResult, GOOD_RATE, LOW_RATE, Measurement, SceneMatch};
use super::debounce::Debounce;
use super::frame_rate::FrameRate;
use super::freeze::FreezeDetector;
use super::measures::ImageMeasures;
use super::outage::{Outage, OutageChange, OutageEnd};
use super::reference::References;
use super::scene_change::{Features, PictureShift};
use crate::clock::{MonoTime, Stamp};
use crate::frame::{Picture, Thumbnail};
use crate::geometry::FrameSize;

/// A search for a shifted scene costs a hundred times what the other checks do together.
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);

/// A check and its debounced state.
#[derive(Debug)]
struct CheckState {
    check: Check,
    debounce: Debounce,
    /// What was measured when it last held.
    last: Option<Measurement>,
}

impl CheckState {
    fn new(check: Check) -> Self {
        let (on_after, off_after) = check.times();
        Self { check, debounce: Debounce::new(on_after, off_after), last: None }
    }

    fn is_on(&self) -> bool {
        self.debounce.on().is_some()
    }

    fn update(&mut self, result: CheckResult, at: Stamp) {
        match result {
            CheckResult::Holds(since, measurement) => {
                self.debounce.update(Some(since), at);
                self.last = Some(measurement);
            }
            CheckResult::Passes => self.debounce.update(None, at),
            CheckResult::Unknown => self.debounce.interrupt(),
        }
    }
}

/// Monitors one camera.
#[derive(Debug)]
pub struct HealthMonitor {
    detect_fps: f32,
    signal_loss_after: Duration,
    /// In the order of [`Check`].
    checks: Vec<CheckState>,
    freeze: FreezeDetector,
    frame_rate: FrameRate,
    references: References,
    size: Option<FrameSize>,
    /// The last search for a shifted scene: when, and what it found.
    searched: Option<(MonoTime, Option<PictureShift>)>,
    /// Since when the first picture is awaited.
    awaits_first: Option<Stamp>,
    outage: Option<Outage>,
    /// When the last outage ended.
    last_end: Option<Stamp>,
}

impl HealthMonitor {
    /// For a camera with `detect_fps` detection passes a second, whose signal is lost when no picture arrived for
    /// `signal_loss_after`.
    pub fn new(detect_fps: f32, signal_loss_after: Duration) -> Self {
        Self {
            detect_fps,
            signal_loss_after,
            checks: Check::all().iter().map(|&check| CheckState::new(check)).collect(),
            freeze: FreezeDetector::default(),
            frame_rate: FrameRate::default(),
            references: References::default(),
            size: None,
            searched: None,
            awaits_first: None,
            outage: None,
            last_end: None,
        }
    }

    /// The current outage.
    pub fn outage(&self) -> Option<&Outage> {
        self.outage.as_ref()
    }

    /// Inspects a picture: frame number `seq`, taken `at`.
    pub fn inspect(
        &mut self,
        picture: &Picture,
        thumbnail: &Thumbnail,
        seq: u64,
        at: Stamp,
    ) -> Vec<OutageChange> {
        let mut changes = Vec::new();
        if let Some((last, interval)) = self.frame_rate.interval(seq, at)
            && interval >= self.signal_loss_after
        {
            self.signal_lost(last, at, &mut changes);
        }
        if self.size.replace(thumbnail.size) != Some(thumbnail.size) {
            (self.references, self.freeze, self.searched) = Default::default();
        }
        let results = self.check(picture, thumbnail, seq, at);
        for (state, result) in self.checks.iter_mut().zip(results) {
            state.update(result, at);
        }
        self.conclude(at, &mut changes);
        changes
    }

    /// Time passes without an inspected picture; `newest` is when the newest frame arrived, if any has.
    pub fn tick(&mut self, newest: Option<Stamp>, now: Stamp) -> Vec<OutageChange> {
        let mut changes = Vec::new();
        let since = newest.unwrap_or(*self.awaits_first.get_or_insert(now));
        if now.mono.since(since.mono) >= self.signal_loss_after {
            self.signal_lost(since, now, &mut changes);
        }
        changes
    }

    /// The daemon stops.
    pub fn stop(&mut self, at: Stamp) -> Option<OutageChange> {
        self.outage.take().map(|outage| OutageChange::Ended(outage, at, OutageEnd::Stop))
    }

    fn signal_lost(&mut self, since: Stamp, now: Stamp, changes: &mut Vec<OutageChange>) {
        if self.outage.as_ref().is_some_and(|outage| outage.cause == Cause::SignalLoss) {
            return;
        }
        self.checks.iter_mut().for_each(|state| state.debounce.interrupt());
        self.frame_rate.reset();
        self.freeze = FreezeDetector::default();
        // An outage before this one lasted until now: until now it was not known that the signal was lost.
        self.end(now, OutageEnd::AnotherCause, changes);
        let text = format!("no picture has arrived for {} s", now.mono.since(since.mono).as_secs());
        let began = self.not_before_last_end(since);
        let cause = Cause::SignalLoss;
        self.begin(Outage { cause, began, measured: None, threshold: None, unit: "", text }, changes);
    }

    fn begin(&mut self, outage: Outage, changes: &mut Vec<OutageChange>) {
        changes.push(OutageChange::Began(outage.clone()));
        self.outage = Some(outage);
    }

    fn end(&mut self, at: Stamp, how: OutageEnd, changes: &mut Vec<OutageChange>) {
        if let Some(outage) = self.outage.take() {
            changes.push(OutageChange::Ended(outage, at, how));
            self.last_end = Some(at);
        }
    }

    /// Outages do not overlap.
    fn not_before_last_end(&self, since: Stamp) -> Stamp {
        self.last_end.filter(|ended| ended.mono > since.mono).unwrap_or(since)
    }

    /// Ends the current outage when its cause is over, and begins the next.
    fn conclude(&mut self, at: Stamp, changes: &mut Vec<OutageChange>) {
        let is_on = |cause: Cause| self.checks.iter().any(|s| s.check.cause() == cause && s.is_on());
        if self.outage.as_ref().is_some_and(|outage| is_on(outage.cause)) {
            return;
        }
        let next =
            self.checks.iter().find_map(|s| Some((s.check.cause(), s.debounce.on()?, s.last.clone()?)));
        let how = if next.is_some() { OutageEnd::AnotherCause } else { OutageEnd::Recovered };
        self.end(at, how, changes);
        let Some((cause, since, Measurement { measured, threshold, unit, text })) = next else { return };
        let (measured, threshold) = (Some(measured), Some(threshold));
        let began = self.not_before_last_end(since);
        self.begin(Outage { cause, began, measured, threshold, unit, text }, changes);
    }

    /// The result of each check, in the order of [`Check`].
    fn check(&mut self, picture: &Picture, thumbnail: &Thumbnail, seq: u64, at: Stamp) -> [CheckResult; 8] {
        use CheckResult::Unknown;
        let measures = ImageMeasures::of(picture, thumbnail);
        let [black, overexposed, low_contrast] = checks::exposure(&measures, at);
        let frozen = self.check_frozen(thumbnail, at);
        let low_rate = self.check_frame_rate(seq, at);
        if ![&black, &overexposed, &low_contrast].iter().all(|result| result.passes()) {
            return [black, overexposed, low_contrast, frozen, Unknown, Unknown, Unknown, low_rate];
        }
        let features = Features::of(thumbnail);
        let [shifted, lost] = self.check_scene(&features, measures.median, at);
        let reference = self.references.of(measures.median);
        let defocused = checks::focus(&measures, reference, self.is_on(Check::Defocused), at);
        let good = ![&shifted, &lost, &defocused].iter().any(|result| result.holds());
        if good && self.outage.as_ref().is_none_or(|outage| outage.cause == Cause::LowFrameRate) {
            self.references.learn(measures.median, &features, measures.sharpness, at.mono);
        }
        [black, overexposed, low_contrast, frozen, shifted, lost, defocused, low_rate]
    }

    fn is_on(&self, check: Check) -> bool {
        self.checks[check as usize].is_on()
    }

    fn check_frozen(&mut self, thumbnail: &Thumbnail, at: Stamp) -> CheckResult {
        let Some(since) = self.freeze.frozen_since(thumbnail, at) else { return CheckResult::Passes };
        let same_s = at.mono.since(since.mono).as_secs_f64();
        let threshold = Check::Frozen.times().0.as_secs_f64();
        // While it is on, a picture that changes now and then must not count as frozen again at the next frame.
        if self.is_on(Check::Frozen) && same_s < threshold {
            return CheckResult::Passes;
        }
        let text = format!("the picture has been the same for {same_s:.0} s");
        CheckResult::Holds(since, Measurement { measured: same_s, threshold, unit: "s", text })
    }

    fn check_frame_rate(&mut self, seq: u64, at: Stamp) -> CheckResult {
        let Some((fps, since)) = self.frame_rate.update(seq, at) else { return CheckResult::Unknown };
        let wanted = self.detect_fps;
        let least = wanted * if self.is_on(Check::LowFrameRate) { GOOD_RATE } else { LOW_RATE };
        if fps >= least {
            return CheckResult::Passes;
        }
        let text = format!("{fps:.1} pictures a second arrive, the site file asks for {wanted:.1}");
        let (measured, threshold) = (f64::from(fps), f64::from(least));
        CheckResult::Holds(since, Measurement { measured, threshold, unit: "pictures/s", text })
    }

    fn check_scene(&mut self, features: &Features, median: f32, at: Stamp) -> [CheckResult; 2] {
        let reference = self.references.of(median).filter(|reference| reference.scene.is_comparable());
        let Some(reference) = reference else { return [CheckResult::Unknown, CheckResult::Unknown] };
        let searched = &mut self.searched;
        let search = || {
            if searched.is_none_or(|(when, _)| at.mono.since(when) >= SEARCH_INTERVAL) {
                *searched = Some((at.mono, reference.scene.search(features)));
            }
            searched.and_then(|(_, found)| found)
        };
        let found = SceneMatch::new(&reference.scene, features, search);
        found.results(self.is_on(Check::SceneShifted), self.is_on(Check::SceneLost), at)
    }
}
