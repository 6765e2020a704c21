//! `loitering`: a vessel stays within a circle, outside berths.

use std::collections::BTreeMap;
use std::time::Duration;

use super::key::{Key, LONGER_THAN, ZONE, rule_kind};
use super::timer::seconds;
use super::kind::{SubjectType, Kind, KindInfo, RulePlace, UNKNOWN_FOR};
use crate::clock::Stamp;
use crate::geometry::{Metre, Point};
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::observation::ObservedVessel;
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::rules::words::format_duration;
use crate::track::VesselId;

const RADIUS_M: Key<f64> = Key::number("radius_m", "50", (1.0, 10_000.0), "the circle's radius in metres");

rule_kind! {
    /// A vessel stays within a circle in the zone, outside berths.
    pub struct Loitering {
        /// The zone.
        zone: Zone = ZONE,
        /// Radius of the circle.
        radius_m: f64 = RADIUS_M,
        /// Longer than this.
        longer_than: Duration = LONGER_THAN,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "loitering-outer-harbour"
name = "Loitering in the outer harbour"
kind = "loitering"
zone = "outer-harbour"
radius_m = 50
longer_than = "10m"
severity = "warning"
"#;

/// Where a vessel stays, and since when.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) struct Circle {
    centre: Point<Metre>,
    since: Stamp,
    /// When its position was last known to be inside.
    last: Stamp,
    /// It has been inside for too long.
    is_long: bool,
}

impl Kind for Loitering {
    const INFO: KindInfo = KindInfo {
        word: "loitering",
        summary: "a vessel stays near one spot for too long",
        example: EXAMPLE,
        unit: "s",
        about: SubjectType::Vessels,
        is_moment: false,
        needs_calibration: true,
        needs_berth: false,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = BTreeMap<VesselId, Circle>;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let at = context.observation.at;
        for vessel in context.observation.seen() {
            let circle = self.circle(state, vessel, context);
            let state = match circle {
                Some(Circle { since, is_long: true, .. }) => ConditionState::Since { since, entered: false },
                _ => ConditionState::NotMet,
            };
            let measured = circle.map_or(0.0, |circle| seconds(circle.since, at));
            evaluations.push(Evaluation::of_vessel(vessel, state, measured, self.longer_than.as_secs_f64()));
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let Self { zone, radius_m, longer_than } = self;
        let longer_than = format_duration(*longer_than);
        format!("a vessel stays within {radius_m} m in {}, outside berths, for longer than {longer_than}", zone.name)
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let (vessel, time) = (signal.vessel(), signal.measured_time());
        format!("{vessel} has stayed within {} m in {} for {time}", self.radius_m, self.zone.name)
    }
}

impl Loitering {
    /// The vessel's circle after this pass.
    fn circle(
        &self,
        circles: &mut BTreeMap<VesselId, Circle>,
        vessel: &ObservedVessel,
        context: &Context<'_>,
    ) -> Option<Circle> {
        let at = context.observation.at;
        let inside = context.live && vessel.in_berth.is_none() && self.zone.area.contains(vessel.point);
        if let Some(here) = vessel.motion.map(|motion| motion.at).filter(|_| inside) {
            let start = Circle { centre: here, since: at, last: at, is_long: false };
            let circle = circles.entry(vessel.vessel).or_insert(start);
            if f64::from(here.distance(circle.centre)) > self.radius_m {
                *circle = start;
            }
            circle.last = at;
            circle.is_long = at.mono.since(circle.since.mono) > self.longer_than;
            return Some(*circle);
        }
        // After missed passes the position on the ground is unknown for a while: the vessel has neither left nor stayed.
        let allowed = if inside { UNKNOWN_FOR } else { context.grace };
        let over = |circle: &Circle| !context.live || at.mono.since(circle.last.mono) >= allowed;
        if circles.get(&vessel.vessel).is_some_and(over) {
            circles.remove(&vessel.vessel);
        }
        circles.get(&vessel.vessel).copied().filter(|_| inside)
    }
}
