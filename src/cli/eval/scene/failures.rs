//! The failures of a scene, each with its likely cause and a remedy.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::annotated_scene::AnnotatedScene;
use super::playback::{Playback, PlayedPass};
use super::scores::ScoredScene;
use super::signals::LATE_S;
use super::vessels::{DetectedVessel, TrueVessel};
use crate::cli::eval::matching::Verdict;
use crate::geometry::{BBox, Px};

/// A vessel is reported as missed when it had to be found in at least this many passes and was missed in most of them.
const MIN_PASSES: usize = 6;
/// A false box is reported when it occurred at least this often at about the same place.
const MIN_FALSE: usize = 2;
/// The detector often misses vessels below this size in its input (square root of the area, in pixels).
const SMALL_PX: f32 = 24.0;
/// A place counts as left out of the regions when less than one in this many passes shows it.
const RARELY_SHOWN: usize = 12;
/// The seconds before a signal in which its vessel must be tracked.
const BEFORE_S: f64 = 3.0;

/// Kinds of failures; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FailureKind {
    MissedSignal,
    FalseSignal,
    MissedVessel,
    FalseVessel,
}

/// One failure.
#[derive(Debug, Serialize)]
pub(super) struct SceneFailure {
    pub(super) kind: FailureKind,
    /// Time in seconds from the start of the clip.
    pub(super) at_s: f64,
    /// What happened.
    pub(super) what_happened: String,
    /// The likely cause, and what helps.
    pub(super) likely_cause: String,
    /// Index of the pass that shows it.
    #[serde(skip)]
    pub(super) pass: usize,
    /// The part of the picture that shows it.
    #[serde(skip)]
    pub(super) subject: BBox<Px>,
}

/// The failures of a scene, the worst first.
pub(super) fn failures(scene: &AnnotatedScene, played: &Playback, scored: &ScoredScene) -> Vec<SceneFailure> {
    let diagnosis = Diagnosis { scene, played, scored };
    let mut all: Vec<SceneFailure> = Vec::new();
    all.extend(scored.signals.missed.iter().filter_map(|&n| diagnosis.missed_signal(n)));
    all.extend(scored.signals.extra.iter().filter_map(|&n| diagnosis.false_signal(n)));
    all.extend(diagnosis.missed_vessels());
    all.extend(diagnosis.false_vessels());
    all.sort_by(|a, b| a.kind.cmp(&b.kind).then(a.at_s.total_cmp(&b.at_s)));
    all
}

struct Diagnosis<'a> {
    scene: &'a AnnotatedScene,
    played: &'a Playback,
    scored: &'a ScoredScene,
}

/// A true vessel in one pass: index of the pass, the pass, the true box, and the detection that found it.
type VesselInPass<'a> = (usize, &'a PlayedPass, &'a TrueVessel, Option<&'a DetectedVessel>);

impl<'a> Diagnosis<'a> {
    /// All passes in whose frame a vessel is.
    fn passes_with(&self, vessel: i64) -> Vec<VesselInPass<'a>> {
        let passes = self.played.passes.iter().zip(&self.scored.verdicts).enumerate();
        passes
            .filter_map(|(index, (pass, verdicts))| {
                let (n, truth) = pass.truth.iter().enumerate().find(|(_, t)| t.vessel == vessel)?;
                let hit = verdicts.iter().position(|v| *v == Verdict::Hit(n));
                Some((index, pass, truth, hit.map(|h| &pass.found[h])))
            })
            .collect()
    }

    /// The pass nearest to a time.
    fn pass_at(&self, at_s: f64) -> Option<(usize, &'a PlayedPass)> {
        let off = |m: &PlayedPass| (m.at_s - at_s).abs();
        self.played.passes.iter().enumerate().min_by(|a, b| off(a.1).total_cmp(&off(b.1)))
    }

    /// Width and height of a vessel in the detector's input, in the region that showed it largest; `None` if no region showed
    /// all of it.
    fn in_input(&self, (_, pass, truth, _): &VesselInPass<'_>) -> Option<[f32; 2]> {
        let bbox = &truth.bbox;
        let holds = |r: &&BBox<Px>| r.intersection(bbox).is_some_and(|c| c.area() > 0.9 * bbox.area());
        let shown = |r: &BBox<Px>| {
            let [across, down] = self.played.input;
            [bbox.width() * across / r.width(), bbox.height() * down / r.height()]
        };
        let regions = pass.regions.iter().filter(holds).map(shown);
        regions.max_by(|a, b| (a[0] * a[1]).total_cmp(&(b[0] * b[1])))
    }

    fn missed_signal(&self, listed: usize) -> Option<SceneFailure> {
        let signal = &self.scene.expected[listed];
        let all = self.passes_with(signal.vessel);
        let window = signal.opens_s - BEFORE_S..=signal.opens_s + LATE_S;
        let near: Vec<&VesselInPass<'_>> = all.iter().filter(|s| window.contains(&s.1.at_s)).collect();
        let (index, pass) = self.pass_at(signal.opens_s)?;
        let there = near
            .iter()
            .min_by(|a, b| (a.1.at_s - signal.opens_s).abs().total_cmp(&(b.1.at_s - signal.opens_s).abs()));
        let subject = there.map_or(self.anywhere(), |s| s.2.bbox);
        let to_find: Vec<_> = near.iter().filter(|s| s.2.must_be_found()).collect();
        let found = to_find.iter().filter(|s| s.3.is_some()).count();
        let numbers: BTreeSet<u64> = near.iter().filter_map(|s| s.3?.number).collect();
        let raised = &self.played.raised;
        let late = raised.iter().find(|r| r.rule == signal.rule && numbers.contains(&r.vessel));
        let likely_cause = if to_find.is_empty() {
            "hidden: less than half of the vessel is visible at that time; another camera position would show it"
                .to_owned()
        } else if found * 2 < to_find.len() {
            format!("not detected: {}", self.why_missed(&near.iter().map(|s| **s).collect::<Vec<_>>()))
        } else if let Some(late) = late {
            format!(
                "raised at {:.1} s, too early or too late: the boxes are ahead of or behind the vessel there",
                late.opened_s
            )
        } else if numbers.len() > 1 {
            let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
            format!(
                "its identity was lost: it was tracked as vessels {} in turn, and each had to be confirmed again",
                numbers.join(", ")
            )
        } else if numbers.is_empty() {
            "detected, but never long enough without a gap to be confirmed as a vessel".to_owned()
        } else {
            self.waterline_offset(&near)
        };
        Some(SceneFailure {
            kind: FailureKind::MissedSignal,
            at_s: signal.opens_s,
            what_happened: format!(
                "{} was not raised for vessel {}; expected at {:.1} s",
                signal.rule, signal.vessel, signal.opens_s
            ),
            likely_cause,
            pass: index,
            subject: pass.truth.iter().find(|t| t.vessel == signal.vessel).map_or(subject, |t| t.bbox),
        })
    }

    /// The vessel was detected and tracked, but no signal came: its waterline point was in the wrong place.
    fn waterline_offset(&self, near: &[&VesselInPass<'_>]) -> String {
        let lower: Vec<f32> = near.iter().filter_map(|s| Some(s.3?.bbox.y1 - s.2.bbox.y1)).collect();
        let mean = lower.iter().sum::<f32>() / lower.len().max(1) as f32;
        let way = if mean > 0.0 { "below" } else { "above" };
        format!(
            "detected and tracked, but its detected waterline is {:.0} px {way} the true one: draw the zone or line farther from \
             passing vessels, or shorten the rule's `confirm`",
            mean.abs()
        )
    }

    fn false_signal(&self, index: usize) -> Option<SceneFailure> {
        let signal = &self.played.raised[index];
        let (index, pass) = self.pass_at(signal.opened_s)?;
        let bbox = self.played.size.box_to_pixels(signal.bbox);
        let overlap = |t: &&TrueVessel| t.bbox.iou(&bbox);
        let under = pass.truth.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        let under = under.filter(|t| overlap(t) > 0.2);
        let likely_cause = match under {
            None => format!(
                "no vessel is there: track {} is false; leave this part of the picture out of the regions, or draw the zone \
                 beside it",
                signal.vessel
            ),
            Some(truth) => {
                self.why_raised(signal.rule.as_str(), signal.opened_s, signal.vessel, truth, &bbox)
            }
        };
        Some(SceneFailure {
            kind: FailureKind::FalseSignal,
            at_s: signal.opened_s,
            what_happened: format!(
                "{} was raised at {:.1} s: \"{}\"",
                signal.rule, signal.opened_s, signal.text
            ),
            likely_cause,
            pass: index,
            subject: bbox,
        })
    }

    fn why_raised(
        &self,
        rule: &str,
        opened_s: f64,
        number: u64,
        truth: &TrueVessel,
        bbox: &BBox<Px>,
    ) -> String {
        let vessel = truth.vessel;
        let listed = self.scene.expected.iter().find(|l| l.rule == rule && l.vessel == vessel);
        let raised =
            self.scored.signals.pairs.iter().map(|&(l, r)| (&self.scene.expected[l], &self.played.raised[r]));
        let before =
            raised.clone().find(|(l, r)| l.rule == rule && l.vessel == vessel && r.opened_s <= opened_s);
        let lower = bbox.y1 - truth.bbox.y1;
        if let Some((_, earlier)) = before {
            return if earlier.vessel == number {
                "already raised for this vessel: it seemed to leave and come back; lengthen the rule's `clear`"
                    .to_owned()
            } else {
                format!(
                    "already raised for this vessel: its identity changed from vessel {} to vessel {number}",
                    earlier.vessel
                )
            };
        }
        if let Some(listed) = listed {
            return format!("expected at {:.1} s: too early or too late to count", listed.opens_s);
        }
        let miss = self.scene.description.near_misses.iter().find(|m| m.rule == rule && m.vessel == vessel);
        let why = miss.map_or(String::new(), |m| format!(" ({})", m.why));
        let way = if lower > 0.0 { "below" } else { "above" };
        format!(
            "vessel {vessel} must not raise it{why}; its detected waterline is {:.0} px {way} the true one: draw the zone or \
             line farther from where it passes",
            lower.abs()
        )
    }

    fn missed_vessels(&self) -> Vec<SceneFailure> {
        let vessels: BTreeSet<i64> =
            self.played.passes.iter().flat_map(|m| &m.truth).map(|t| t.vessel).collect();
        let one = |vessel: i64| {
            let all: Vec<_> = self.passes_with(vessel).into_iter().filter(|s| s.2.must_be_found()).collect();
            let missed: Vec<_> = all.iter().filter(|s| s.3.is_none()).copied().collect();
            if all.len() < MIN_PASSES || missed.len() * 2 <= all.len() {
                return None;
            }
            let shown = missed[missed.len() / 2];
            Some(SceneFailure {
                kind: FailureKind::MissedVessel,
                at_s: shown.1.at_s,
                what_happened: format!(
                    "vessel {vessel} was not found in {} of {} passes",
                    missed.len(),
                    all.len()
                ),
                likely_cause: self.why_missed(&missed),
                pass: shown.0,
                subject: shown.2.bbox,
            })
        };
        vessels.into_iter().filter_map(one).collect()
    }

    /// Why a visible vessel was not found.
    fn why_missed(&self, passes: &[VesselInPass<'_>]) -> String {
        let missed: Vec<_> = passes.iter().filter(|s| s.3.is_none()).collect();
        let shown: Vec<[f32; 2]> = missed.iter().filter_map(|s| self.in_input(s)).collect();
        if shown.len() * RARELY_SHOWN < missed.len() {
            return format!(
                "only {} of the {} passes that missed it inspected all of it: draw `water` or `regions` so that they include this \
                 place",
                shown.len(),
                missed.len()
            );
        }
        let mean = |values: &mut dyn Iterator<Item = f32>, n: usize| values.sum::<f32>() / n.max(1) as f32;
        let [across, down] = [0, 1].map(|side| mean(&mut shown.iter().map(|s| s[side]), shown.len()));
        let shows = mean(&mut missed.iter().map(|s| s.2.visibility), missed.len());
        // A box that fits badly, or that contains several vessels.
        let beside = missed.iter().filter(|s| {
            s.1.found
                .iter()
                .any(|f| f.bbox.intersection(&s.2.bbox).is_some_and(|c| c.area() > 0.5 * s.2.bbox.area()))
        });
        if beside.count() * 2 > missed.len() {
            return "there is a box on it, but of another size: the box includes another vessel, the wake or the reflection"
                .to_owned();
        }
        let place = format!(
            "the vessel is {across:.0} x {down:.0} px in the detector's input, in the {} passes that inspected but missed it",
            shown.len()
        );
        if (across * down).sqrt() < SMALL_PX {
            return format!(
                "{place}: draw a smaller region there (`regions`), so that the vessel fills more of it"
            );
        }
        if shows < 0.9 {
            return format!(
                "{:.0} % of it is visible: it is partly hidden or leaves the picture",
                shows * 100.0
            );
        }
        format!(
            "{place}, which should be enough: it hardly differs from the water in this light, or the model does not know this \
             kind of vessel; label some pictures (`havenwacht logbook coco`) and train the model"
        )
    }

    /// False boxes, one failure for each place where they recur.
    fn false_vessels(&self) -> Vec<SceneFailure> {
        let mut places: Vec<Vec<(usize, &DetectedVessel)>> = Vec::new();
        for (index, (pass, verdicts)) in self.played.passes.iter().zip(&self.scored.verdicts).enumerate() {
            for (found, _) in pass.found.iter().zip(verdicts).filter(|(_, v)| **v == Verdict::False) {
                let known = places.iter_mut().find(|place| {
                    place.last().is_some_and(|(last, f)| index - last < 12 && f.bbox.iou(&found.bbox) > 0.2)
                });
                match known {
                    Some(place) => place.push((index, found)),
                    None => places.push(vec![(index, found)]),
                }
            }
        }
        places.retain(|place| place.len() >= MIN_FALSE);
        places.into_iter().map(|place| self.false_vessel(&place)).collect()
    }

    fn false_vessel(&self, place: &[(usize, &DetectedVessel)]) -> SceneFailure {
        let (index, found) = place[place.len() / 2];
        let highest = place.iter().map(|(_, f)| f.confidence).fold(0.0, f32::max);
        let mut near = BTreeMap::<i64, usize>::new();
        for (index, found) in place {
            for truth in &self.played.passes[*index].truth {
                if truth.bbox.intersection(&found.bbox).is_some() {
                    *near.entry(truth.vessel).or_default() += 1;
                }
            }
        }
        let beside =
            near.iter().filter(|(_, times)| **times * 2 >= place.len()).map(|(vessel, _)| vessel.to_string());
        let beside: Vec<String> = beside.collect();
        let span_s = self.played.passes[place[place.len() - 1].0].at_s - self.played.passes[place[0].0].at_s;
        let likely_cause = if !beside.is_empty() {
            format!(
                "it lies on vessel {}: a part of it, a second box, or a box that includes the wake or the reflection",
                beside.join(", ")
            )
        } else if place[0].1.bbox.iou(&place[place.len() - 1].1.bbox) > 0.6 {
            format!(
                "it does not move for {span_s:.0} s and is not a vessel: something on the shore, a buoy or a light; leave that \
                 place out of the regions, or keep zones away from it"
            )
        } else {
            "it moves, or comes and goes, where no vessel is: waves, a wake, glare or a bird".to_owned()
        };
        SceneFailure {
            kind: FailureKind::FalseVessel,
            at_s: self.played.passes[index].at_s,
            what_happened: format!(
                "{} passes detected a vessel where none is, with confidence up to {highest:.2}",
                place.len()
            ),
            likely_cause,
            pass: index,
            subject: found.bbox,
        }
    }

    /// The middle of the picture, when the place is unknown.
    fn anywhere(&self) -> BBox<Px> {
        let (w, h) = (self.played.size.width as f32, self.played.size.height as f32);
        BBox::new(w * 0.4, h * 0.4, w * 0.6, h * 0.6)
    }
}
