//! What went wrong in a scene, and a guess at why, in words that say what to change.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::boxes::{FoundBox, TrueBox, Verdict};
use super::material::Scene;
use super::outcome::Outcome;
use super::playback::{Moment, Playback};
use super::signals::LATE_S;
use crate::geometry::{BBox, Px};

/// A vessel that was to be found in so many looks is worth a line when it was found in less than half of them.
const LOOKS_WORTH_A_LINE: usize = 6;
/// A false box is worth a line when it came so often at about the same place.
const FALSE_WORTH_A_LINE: usize = 2;
/// Size in the detector's input (root of the area, in pixels) below which a vessel is likely to be missed.
const FAINT_PX: f32 = 24.0;
/// Attention looks by turns: a place that is shown less often than once in so many looks is left out.
const SELDOM: usize = 12;
/// How long before a signal its vessel must be followed, in seconds.
const BEFORE_S: f64 = 3.0;

/// What kind of failure; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum What {
    MissedSignal,
    FalseSignal,
    MissedVessel,
    FalseVessel,
}

/// One thing that went wrong.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub(super) what: What,
    /// When it is to be seen, in seconds from the start of the clip.
    pub(super) at_s: f64,
    /// What happened.
    pub(super) what_happened: String,
    /// What it is likely to come from, and what helps.
    pub(super) likely_cause: String,
    /// The look that shows it.
    #[serde(skip)]
    pub(super) moment: usize,
    /// What of the picture shows it.
    #[serde(skip)]
    pub(super) subject: BBox<Px>,
}

/// The failures of a scene, the worst first.
pub(super) fn failures(scene: &Scene, played: &Playback, outcome: &Outcome) -> Vec<Failure> {
    let case = Case { scene, played, outcome };
    let mut all: Vec<Failure> = Vec::new();
    all.extend(outcome.answers.missed.iter().filter_map(|&n| case.missed_signal(n)));
    all.extend(outcome.answers.extra.iter().filter_map(|&n| case.false_signal(n)));
    all.extend(case.missed_vessels());
    all.extend(case.false_vessels());
    all.sort_by(|a, b| a.what.cmp(&b.what).then(a.at_s.total_cmp(&b.at_s)));
    all
}

struct Case<'a> {
    scene: &'a Scene,
    played: &'a Playback,
    outcome: &'a Outcome,
}

/// A vessel in one look: its true box, and the detection that found it.
type Sighting<'a> = (usize, &'a Moment, &'a TrueBox, Option<&'a FoundBox>);

impl<'a> Case<'a> {
    /// All looks at which a vessel is in the truth.
    fn sightings(&self, vessel: i64) -> Vec<Sighting<'a>> {
        let looks = self.played.moments.iter().zip(&self.outcome.verdicts).enumerate();
        looks
            .filter_map(|(look, (moment, verdicts))| {
                let (n, truth) = moment.truth.iter().enumerate().find(|(_, t)| t.vessel == vessel)?;
                let hit = verdicts.iter().position(|v| *v == Verdict::Hit(n));
                Some((look, moment, truth, hit.map(|h| &moment.found[h])))
            })
            .collect()
    }

    /// The look nearest to a time.
    fn look_at(&self, at_s: f64) -> Option<(usize, &'a Moment)> {
        let off = |m: &Moment| (m.at_s - at_s).abs();
        self.played.moments.iter().enumerate().min_by(|a, b| off(a.1).total_cmp(&off(b.1)))
    }

    /// Width and height that a vessel had in the detector's input in a look, in the region that showed it largest; `None` if none
    /// showed all of it.
    fn in_input(&self, (_, moment, truth, _): &Sighting<'_>) -> Option<[f32; 2]> {
        let bbox = &truth.bbox;
        let holds = |r: &&BBox<Px>| r.intersection(bbox).is_some_and(|c| c.area() > 0.9 * bbox.area());
        let shown = |r: &BBox<Px>| {
            let [across, down] = self.played.input;
            [bbox.width() * across / r.width(), bbox.height() * down / r.height()]
        };
        let regions = moment.looked.iter().filter(holds).map(shown);
        regions.max_by(|a, b| (a[0] * a[1]).total_cmp(&(b[0] * b[1])))
    }

    fn missed_signal(&self, listed: usize) -> Option<Failure> {
        let signal = &self.scene.listed[listed];
        let all = self.sightings(signal.vessel);
        let window = signal.opens_s - BEFORE_S..=signal.opens_s + LATE_S;
        let near: Vec<&Sighting<'_>> = all.iter().filter(|s| window.contains(&s.1.at_s)).collect();
        let (moment, look) = self.look_at(signal.opens_s)?;
        let there = near
            .iter()
            .min_by(|a, b| (a.1.at_s - signal.opens_s).abs().total_cmp(&(b.1.at_s - signal.opens_s).abs()));
        let subject = there.map_or(self.anywhere(), |s| s.2.bbox);
        let asked: Vec<_> = near.iter().filter(|s| s.2.is_asked_for()).collect();
        let found = asked.iter().filter(|s| s.3.is_some()).count();
        let followed: BTreeSet<u64> = near.iter().filter_map(|s| s.3?.followed).collect();
        let raised = &self.played.raised;
        let late = raised.iter().find(|r| r.rule == signal.rule && followed.contains(&r.followed));
        let likely_cause = if asked.is_empty() {
            "hidden: less than half of the vessel shows at that time; a camera at another place would see it"
                .to_owned()
        } else if found * 2 < asked.len() {
            format!("not detected: {}", self.why_missed(&near.iter().map(|s| **s).collect::<Vec<_>>()))
        } else if let Some(late) = late {
            format!(
                "raised at {:.1} s, too far from the time: the boxes lead or trail the vessel there",
                late.opened_s
            )
        } else if followed.len() > 1 {
            let numbers: Vec<String> = followed.iter().map(u64::to_string).collect();
            format!(
                "its identity was lost: it was followed as vessels {} in turn, and each had to be confirmed anew",
                numbers.join(", ")
            )
        } else if followed.is_empty() {
            "detected, but never long enough at a stretch to be followed as a vessel".to_owned()
        } else {
            self.off_the_place(&near)
        };
        Some(Failure {
            what: What::MissedSignal,
            at_s: signal.opens_s,
            what_happened: format!(
                "{} was not raised for vessel {}; it must open at {:.1} s",
                signal.rule, signal.vessel, signal.opens_s
            ),
            likely_cause,
            moment,
            subject: look.truth.iter().find(|t| t.vessel == signal.vessel).map_or(subject, |t| t.bbox),
        })
    }

    /// Detected and followed, and yet nothing: the waterline point decides.
    fn off_the_place(&self, near: &[&Sighting<'_>]) -> String {
        let lower: Vec<f32> = near.iter().filter_map(|s| Some(s.3?.bbox.y1 - s.2.bbox.y1)).collect();
        let mean = lower.iter().sum::<f32>() / lower.len().max(1) as f32;
        let way = if mean > 0.0 { "below" } else { "above" };
        format!(
            "detected and followed; its waterline is seen {:.0} px {way} where it is: draw the zone or line farther from \
             where vessels pass it, or shorten the rule's confirm",
            mean.abs()
        )
    }

    fn false_signal(&self, index: usize) -> Option<Failure> {
        let signal = &self.played.raised[index];
        let (moment, look) = self.look_at(signal.opened_s)?;
        let bbox = self.played.size.box_to_pixels(signal.bbox);
        let overlap = |t: &&TrueBox| t.bbox.iou(&bbox);
        let under = look.truth.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        let under = under.filter(|t| overlap(t) > 0.2);
        let likely_cause = match under {
            None => format!(
                "nothing is there: what was followed as vessel {} is no vessel; leave this part of the picture out of the \
                 regions, or draw the zone beside it",
                signal.followed
            ),
            Some(truth) => {
                self.why_raised(signal.rule.as_str(), signal.opened_s, signal.followed, truth, &bbox)
            }
        };
        Some(Failure {
            what: What::FalseSignal,
            at_s: signal.opened_s,
            what_happened: format!(
                "{} was raised at {:.1} s: \"{}\"",
                signal.rule, signal.opened_s, signal.text
            ),
            likely_cause,
            moment,
            subject: bbox,
        })
    }

    fn why_raised(
        &self,
        rule: &str,
        opened_s: f64,
        followed: u64,
        truth: &TrueBox,
        bbox: &BBox<Px>,
    ) -> String {
        let vessel = truth.vessel;
        let listed = self.scene.listed.iter().find(|l| l.rule == rule && l.vessel == vessel);
        let raised =
            self.outcome.answers.pairs.iter().map(|&(l, r)| (&self.scene.listed[l], &self.played.raised[r]));
        let before =
            raised.clone().find(|(l, r)| l.rule == rule && l.vessel == vessel && r.opened_s <= opened_s);
        let lower = bbox.y1 - truth.bbox.y1;
        if let Some((_, earlier)) = before {
            return if earlier.followed == followed {
                "raised for this vessel already: it seemed to leave and come back; lengthen the rule's clear"
                    .to_owned()
            } else {
                format!(
                    "raised for this vessel already: its identity was lost, it went from vessel {} to vessel {followed}",
                    earlier.followed
                )
            };
        }
        if let Some(listed) = listed {
            return format!(
                "it must open at {:.1} s: too early or too late to count as the same",
                listed.opens_s
            );
        }
        let miss = self.scene.about.near_misses.iter().find(|m| m.rule == rule && m.vessel == vessel);
        let why = miss.map_or(String::new(), |m| format!(" ({})", m.why));
        let way = if lower > 0.0 { "below" } else { "above" };
        format!(
            "vessel {vessel} must not raise it{why}; its waterline was seen {:.0} px {way} where it is: draw the place \
             farther from where it passes",
            lower.abs()
        )
    }

    fn missed_vessels(&self) -> Vec<Failure> {
        let vessels: BTreeSet<i64> =
            self.played.moments.iter().flat_map(|m| &m.truth).map(|t| t.vessel).collect();
        let one = |vessel: i64| {
            let all: Vec<_> = self.sightings(vessel).into_iter().filter(|s| s.2.is_asked_for()).collect();
            let missed: Vec<_> = all.iter().filter(|s| s.3.is_none()).copied().collect();
            if all.len() < LOOKS_WORTH_A_LINE || missed.len() * 2 <= all.len() {
                return None;
            }
            let shown = missed[missed.len() / 2];
            Some(Failure {
                what: What::MissedVessel,
                at_s: shown.1.at_s,
                what_happened: format!(
                    "vessel {vessel} was not found in {} of {} looks",
                    missed.len(),
                    all.len()
                ),
                likely_cause: self.why_missed(&missed),
                moment: shown.0,
                subject: shown.2.bbox,
            })
        };
        vessels.into_iter().filter_map(one).collect()
    }

    /// Why a vessel is not found where it is to be seen.
    fn why_missed(&self, sightings: &[Sighting<'_>]) -> String {
        let missed: Vec<_> = sightings.iter().filter(|s| s.3.is_none()).collect();
        let shown: Vec<[f32; 2]> = missed.iter().filter_map(|s| self.in_input(s)).collect();
        if shown.len() * SELDOM < missed.len() {
            return format!(
                "only {} of the {} looks that missed it showed all of it to the detector: draw the water (water) or regions so \
                 that they hold this place",
                shown.len(),
                missed.len()
            );
        }
        let mean = |values: &mut dyn Iterator<Item = f32>, n: usize| values.sum::<f32>() / n.max(1) as f32;
        let [across, down] = [0, 1].map(|side| mean(&mut shown.iter().map(|s| s[side]), shown.len()));
        let shows = mean(&mut missed.iter().map(|s| s.2.visibility), missed.len());
        // A box on it that fits too little, or one around several vessels.
        let beside = missed.iter().filter(|s| {
            s.1.found
                .iter()
                .any(|f| f.bbox.intersection(&s.2.bbox).is_some_and(|c| c.area() > 0.5 * s.2.bbox.area()))
        });
        if beside.count() * 2 > missed.len() {
            return "there is a box on it, but not of its size: it is taken together with another vessel, its wake or its \
                    reflection"
                .to_owned();
        }
        let place = format!(
            "the vessel is {across:.0} x {down:.0} px in the detector's input, in the {} looks that showed it in vain",
            shown.len()
        );
        if (across * down).sqrt() < FAINT_PX {
            return format!("{place}: draw a smaller region there (regions), so that it fills more of it");
        }
        if shows < 0.9 {
            return format!("{:.0} % of it shows: it is partly hidden or leaves the picture", shows * 100.0);
        }
        format!(
            "{place}; that should do: it hardly differs from the water in this light, or its kind is new to the model; label \
             some pictures (logbook coco) and teach it"
        )
    }

    /// False boxes, one failure for each place where they come again.
    fn false_vessels(&self) -> Vec<Failure> {
        let mut places: Vec<Vec<(usize, &FoundBox)>> = Vec::new();
        for (look, (moment, verdicts)) in self.played.moments.iter().zip(&self.outcome.verdicts).enumerate() {
            for (found, _) in moment.found.iter().zip(verdicts).filter(|(_, v)| **v == Verdict::False) {
                let known = places.iter_mut().find(|place| {
                    place.last().is_some_and(|(last, f)| look - last < 12 && f.bbox.iou(&found.bbox) > 0.2)
                });
                match known {
                    Some(place) => place.push((look, found)),
                    None => places.push(vec![(look, found)]),
                }
            }
        }
        places.retain(|place| place.len() >= FALSE_WORTH_A_LINE);
        places.into_iter().map(|place| self.false_vessel(&place)).collect()
    }

    fn false_vessel(&self, place: &[(usize, &FoundBox)]) -> Failure {
        let (moment, found) = place[place.len() / 2];
        let surest = place.iter().map(|(_, f)| f.confidence).fold(0.0, f32::max);
        let mut near = BTreeMap::<i64, usize>::new();
        for (look, found) in place {
            for truth in &self.played.moments[*look].truth {
                if truth.bbox.intersection(&found.bbox).is_some() {
                    *near.entry(truth.vessel).or_default() += 1;
                }
            }
        }
        let beside =
            near.iter().filter(|(_, times)| **times * 2 >= place.len()).map(|(vessel, _)| vessel.to_string());
        let beside: Vec<String> = beside.collect();
        let span_s =
            self.played.moments[place[place.len() - 1].0].at_s - self.played.moments[place[0].0].at_s;
        let likely_cause = if !beside.is_empty() {
            format!(
                "it lies on vessel {}: a part of it, a second box on it, or its wake or reflection boxed with it",
                beside.join(", ")
            )
        } else if place[0].1.bbox.iou(&place[place.len() - 1].1.bbox) > 0.6 {
            format!(
                "it stands still for {span_s:.0} s and is no vessel: a thing on the shore, a buoy or a light; leave that \
                 place out of the regions, or keep zones away from it"
            )
        } else {
            "it moves or comes and goes where no vessel is: waves, a wake, glare or a bird".to_owned()
        };
        Failure {
            what: What::FalseVessel,
            at_s: self.played.moments[moment].at_s,
            what_happened: format!(
                "{} looks saw a vessel that is none, with confidence up to {surest:.2}",
                place.len()
            ),
            likely_cause,
            moment,
            subject: found.bbox,
        }
    }

    /// The middle of the picture, where nothing better is known.
    fn anywhere(&self) -> BBox<Px> {
        let (w, h) = (self.played.size.width as f32, self.played.size.height as f32);
        BBox::new(w * 0.4, h * 0.4, w * 0.6, h * 0.6)
    }
}
