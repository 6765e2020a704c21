//! One vessel before one rule: what the condition says of it, look by look.

use std::time::Duration;

use crate::clock::Stamp;
use crate::config::{Condition, Direction, Rule};
use crate::geometry::{Area, Norm, Point, Segment, Side};

/// Looks on the far side of a line before a vessel counts as across: one stray box is no crossing.
const SETTLED_LOOKS: u32 = 2;

/// A condition's verdict on one look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It does not hold.
    No,
    /// It holds, and has since then.
    Holds {
        /// When it began to hold.
        since: Stamp,
        /// Whether the vessel was seen to come from outside.
        entered: bool,
    },
    /// The vessel has just crossed to this side.
    Crossed(Side),
}

/// What a condition remembers of a vessel.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    stay: Option<Stay>,
    /// The vessel was seen outside the zone before this stay.
    was_outside: bool,
    line: Option<LineMemory>,
}

/// Time in a zone. A step outside shorter than the rule's clear time does not end it: boxes jitter at the border.
#[derive(Clone, Copy, Debug)]
struct Stay {
    since: Stamp,
    entered: bool,
    last_inside: Stamp,
}

#[derive(Clone, Copy, Debug)]
struct LineMemory {
    /// The side on which the vessel last settled.
    settled: Side,
    /// The looks in a row on the other side, and when they began.
    across: u32,
    across_since: Stamp,
    /// The last point, and whether the path since `settled` went through the segment (an odd number of times).
    last: Point<Norm>,
    through: bool,
}

impl Memory {
    /// Takes in a vessel's waterline point at `at`. `live`: whether the rule's schedule is in force.
    pub(super) fn observe(&mut self, rule: &Rule, point: Point<Norm>, at: Stamp, live: bool) -> Verdict {
        match &rule.condition {
            Condition::Presence { zone } => self.stay(&zone.area, point, at, live, rule.clear),
            Condition::Entry { zone } => match self.stay(&zone.area, point, at, live, rule.clear) {
                holds @ Verdict::Holds { entered: true, .. } => holds,
                _ => Verdict::No,
            },
            Condition::Dwell { zone, longer_than } => {
                match self.stay(&zone.area, point, at, live, rule.clear) {
                    holds @ Verdict::Holds { since, .. } if at.mono.since(since.mono) > *longer_than => holds,
                    _ => Verdict::No,
                }
            }
            Condition::Crossing { line, direction, dead_band } => {
                self.crossing(&line.segment, *direction, *dead_band, point, at, live)
            }
        }
    }

    /// In the zone while live. An entry is one only when the vessel was outside before: who is inside when the shift
    /// begins, or when the camera first sees it, has not entered.
    fn stay(&mut self, area: &Area, point: Point<Norm>, at: Stamp, live: bool, grace: Duration) -> Verdict {
        let inside = area.contains(point);
        let over = |stay: Stay| !live || at.mono.since(stay.last_inside.mono) >= grace;
        if !inside || !live {
            if self.stay.is_none_or(over) {
                self.stay = None;
                self.was_outside = !inside;
            }
            return Verdict::No;
        }
        let entered = self.was_outside;
        let stay = self.stay.get_or_insert(Stay { since: at, entered, last_inside: at });
        stay.last_inside = at;
        Verdict::Holds { since: stay.since, entered: stay.entered }
    }

    fn crossing(
        &mut self,
        segment: &Segment,
        direction: Direction,
        dead_band: f32,
        point: Point<Norm>,
        at: Stamp,
        live: bool,
    ) -> Verdict {
        let side = segment.side(point, dead_band);
        let Some(memory) = &mut self.line else {
            self.line = side.map(|settled| LineMemory {
                settled,
                across: 0,
                across_since: at,
                last: point,
                through: false,
            });
            return Verdict::No;
        };
        memory.through ^= segment.is_crossed_by(memory.last, point);
        memory.last = point;
        match side {
            // In the dead band: neither here nor there.
            None => return Verdict::No,
            Some(side) if side == memory.settled => {
                memory.across = 0;
                memory.through = false;
                return Verdict::No;
            }
            Some(_) => {
                if memory.across == 0 {
                    memory.across_since = at;
                }
                memory.across += 1;
            }
        }
        if memory.across < SETTLED_LOOKS {
            return Verdict::No;
        }
        let (through, to) = (memory.through, opposite(memory.settled));
        memory.settled = to;
        memory.across = 0;
        memory.through = false;
        let counts = match direction {
            Direction::Either => true,
            Direction::LeftToRight => to == Side::Right,
            Direction::RightToLeft => to == Side::Left,
        };
        if through && counts && live { Verdict::Crossed(to) } else { Verdict::No }
    }
}

fn opposite(side: Side) -> Side {
    match side {
        Side::Left => Side::Right,
        Side::Right => Side::Left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{at, crossing_rule, dwell_rule, entry_rule, presence_rule};

    const NOTHING: [usize; 0] = [];

    /// Feeds one point a second; the seconds at which the verdict was not `No`.
    fn seconds_held(rule: &Rule, path: &[(f32, f32)]) -> Vec<usize> {
        let mut memory = Memory::default();
        let held = |(second, &(x, y)): (usize, &(f32, f32))| {
            let verdict = memory.observe(rule, Point::new(x, y), at(second as f64), true);
            (verdict != Verdict::No).then_some(second)
        };
        path.iter().enumerate().filter_map(held).collect()
    }

    // The line of `crossing_rule` runs up the middle, from (0.5, 0.8) to (0.5, 0.2): left of it is the walker's left.
    const A: (f32, f32) = (0.4, 0.5);
    const B: (f32, f32) = (0.6, 0.5);

    #[test]
    fn a_flicker_across_the_line_counts_nothing() {
        let rule = crossing_rule(Direction::Either);
        assert_eq!(seconds_held(&rule, &[A, A, A, B, A, A]), NOTHING);
        assert_eq!(seconds_held(&rule, &[A, B, A, B, A, B, A]), NOTHING);
    }

    #[test]
    fn a_crossing_counts_once_and_in_its_direction_only() {
        let path = [A, A, B, B, B, A, A, A];
        assert_eq!(seconds_held(&crossing_rule(Direction::Either), &path), [3, 6]);
        assert_eq!(seconds_held(&crossing_rule(Direction::LeftToRight), &path), [3]);
        assert_eq!(seconds_held(&crossing_rule(Direction::RightToLeft), &path), [6]);
    }

    #[test]
    fn going_round_the_end_of_the_line_is_no_crossing() {
        let round = [A, A, (0.4, 0.95), (0.6, 0.95), B, B, B];
        assert_eq!(seconds_held(&crossing_rule(Direction::Either), &round), NOTHING);
    }

    #[test]
    fn points_within_the_dead_band_settle_nothing() {
        let dithering = [A, A, (0.505, 0.5), (0.495, 0.5), (0.505, 0.5), (0.505, 0.5), A];
        assert_eq!(seconds_held(&crossing_rule(Direction::Either), &dithering), NOTHING);
        let slow = [A, (0.495, 0.5), (0.505, 0.5), B, B];
        assert_eq!(seconds_held(&crossing_rule(Direction::Either), &slow), [4]);
    }

    // The zone of the zone rules is the lower half.
    const OUT: (f32, f32) = (0.5, 0.3);
    const IN: (f32, f32) = (0.5, 0.7);

    #[test]
    fn who_is_inside_from_the_first_has_not_entered() {
        assert_eq!(seconds_held(&entry_rule(), &[IN, IN, IN]), NOTHING);
        assert_eq!(seconds_held(&entry_rule(), &[OUT, IN, IN]), [1, 2]);
        assert_eq!(seconds_held(&presence_rule(), &[IN, IN]), [0, 1]);
    }

    #[test]
    fn a_box_that_jitters_over_the_border_neither_enters_nor_restarts_the_dwell() {
        assert_eq!(seconds_held(&entry_rule(), &[IN, OUT, IN, OUT, IN]), NOTHING);
        // `dwell_rule`: longer than 3 s; clear: 2 s.
        assert_eq!(seconds_held(&dwell_rule(), &[IN, IN, OUT, IN, IN, IN]), [4, 5]);
        assert_eq!(seconds_held(&dwell_rule(), &[IN, IN, OUT, OUT, OUT, IN, IN]), NOTHING);
    }

    #[test]
    fn who_is_inside_when_the_shift_begins_holds_from_then() {
        let mut memory = Memory::default();
        let rule = presence_rule();
        assert_eq!(memory.observe(&rule, Point::new(0.5, 0.7), at(0.0), false), Verdict::No);
        let verdict = memory.observe(&rule, Point::new(0.5, 0.7), at(1.0), true);
        assert_eq!(verdict, Verdict::Holds { since: at(1.0), entered: false });
    }
}
