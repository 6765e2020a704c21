//! `crossing`: a vessel crosses a line.

use std::collections::BTreeMap;
use std::time::Duration;

use super::key::{DefaultValue, Key, LINE, rule_kind};
use super::kind::{SubjectType, Kind, KindInfo, RulePlace};
use crate::geometry::{Norm, Point, Side};
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::place::Line;
use crate::rules::signal_text::SignalText;
use crate::track::VesselId;

/// Passes on the far side of a line after which a vessel has crossed it: one wrong box is not a crossing.
const PASSES_ACROSS: u32 = 2;

/// The direction of a crossing, as seen when walking from the line's `from` to its `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum CrossingDirection {
    /// From the walker's left to the right.
    LeftToRight,
    /// From the walker's right to the left.
    RightToLeft,
    /// Both.
    Either,
}

const DIRECTION: Key<CrossingDirection> =
    Key::word("direction", "\"left-to-right\"", &["left-to-right", "right-to-left", "either"])
        .or(DefaultValue::Word("either"));
const DEAD_BAND: Key<f64> =
    Key::number("dead_band", "0.01", (0.0, 0.25), "a fraction of the picture on either side of the line")
        .or(DefaultValue::Number(0.01));

rule_kind! {
    /// A vessel crosses the line.
    pub struct Crossing {
        /// The line.
        line: Line = LINE,
        /// Which way counts.
        direction: CrossingDirection = DIRECTION,
        /// Normalised distance on either side of the line within which nothing counts.
        dead_band: f64 = DEAD_BAND,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "came-in"
name = "Came in"
kind = "crossing"
line = "harbour-mouth"
direction = "left-to-right"
severity = "info"
cooldown = "0s"

[[rule]]
id = "went-out"
name = "Went out"
kind = "crossing"
line = "harbour-mouth"
direction = "right-to-left"
severity = "info"
cooldown = "0s"
"#;

/// A vessel near a line.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) struct LinePath {
    /// The side on which the vessel was last for certain.
    settled: Side,
    /// The passes in a row on the other side.
    across: u32,
    /// The last point, and whether the path since `settled` crossed the segment (an odd number of times).
    last: Point<Norm>,
    through: bool,
}

impl Kind for Crossing {
    const INFO: KindInfo = KindInfo {
        word: "crossing",
        summary: "a vessel crosses the line",
        example: EXAMPLE,
        unit: "crossings",
        about: SubjectType::Vessels,
        is_moment: true,
        needs_calibration: false,
        needs_berth: false,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = BTreeMap<VesselId, LinePath>;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Line(&self.line)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        for vessel in context.observation.seen() {
            if let Some((first, _)) = vessel.first.filter(|_| !state.contains_key(&vessel.vessel)) {
                self.step(state, vessel.vessel, first);
            }
            let to = self.step(state, vessel.vessel, vessel.point);
            let to = to.filter(|to| match self.direction {
                CrossingDirection::Either => true,
                CrossingDirection::LeftToRight => *to == Side::Right,
                CrossingDirection::RightToLeft => *to == Side::Left,
            });
            let is_now = to.is_some() && context.live;
            let crossed = f64::from(u8::from(to.is_some()));
            let state = if is_now { ConditionState::Moment } else { ConditionState::NotMet };
            evaluations.push(Evaluation { to, ..Evaluation::of_vessel(vessel, state, crossed, 1.0) });
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let direction = match self.direction {
            CrossingDirection::Either => "",
            CrossingDirection::LeftToRight => " from left to right",
            CrossingDirection::RightToLeft => " from right to left",
        };
        format!("a vessel crosses {}{direction}", self.line.name)
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let direction = match signal.evaluation.to {
            Some(Side::Right) => " from left to right",
            Some(Side::Left) => " from right to left",
            None => "",
        };
        format!("{} crossed {}{direction}{}", signal.vessel(), self.line.name, signal.after_start())
    }

    fn closed_text(&self, signal: &SignalText<'_>) -> String {
        format!("{} has crossed {}", signal.vessel(), self.line.name)
    }

    #[cfg(test)]
    fn quoted() -> Vec<String> {
        vec![format!("in {PASSES_ACROSS} detection passes in a row")]
    }
}

impl Crossing {
    /// Takes a vessel's position; the side to which it has just crossed.
    fn step(
        &self,
        paths: &mut BTreeMap<VesselId, LinePath>,
        vessel: VesselId,
        point: Point<Norm>,
    ) -> Option<Side> {
        let segment = &self.line.segment;
        let side = segment.side(point, self.dead_band as f32);
        let Some(path) = paths.get_mut(&vessel) else {
            paths.insert(vessel, LinePath { settled: side?, across: 0, last: point, through: false });
            return None;
        };
        path.through ^= segment.is_crossed_by(path.last, point);
        path.last = point;
        // In the dead band it is on neither side.
        if side? == path.settled {
            path.across = 0;
            path.through = false;
            return None;
        }
        path.across += 1;
        if path.across < PASSES_ACROSS {
            return None;
        }
        let went_through = path.through;
        *path = LinePath { settled: side?, across: 0, last: point, through: false };
        went_through.then_some(path.settled)
    }
}
