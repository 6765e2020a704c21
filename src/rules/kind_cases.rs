//! For each kind, a script in which a rule must raise one signal, and one in which it must raise none.

use super::kinds::*;
use super::place::Zone;
use super::rule::Rule;
use super::simulation::{
    HarbourSimulation, Script, ScriptedBoat, Visibility, basin, berth, boat, comes_and_goes, goes, line,
    named, opened, seconds, segment,
};
use super::visits::ResumeState;
use crate::ids::RuleId;
use Condition as C;

/// A rule (and its parts), a script in which it must raise one signal, one in which it must raise none, and a change of its
/// threshold after which the first script must raise none.
pub(super) struct KindCase {
    pub(super) rules: Vec<Rule>,
    pub(super) zones: Vec<Zone>,
    pub(super) seconds: f64,
    pub(super) must: Script,
    pub(super) must_not: Script,
    pub(super) change: fn(&mut Condition),
}

impl KindCase {
    fn new(condition: Condition, seconds: f64, must: Script, must_not: Script) -> Self {
        let zone = if let RulePlace::Zone(zone) = condition.place() { Some(zone.clone()) } else { None };
        let zones = zone.into_iter().collect();
        let rules = vec![named("rule", condition)];
        Self { rules, zones, seconds, must, must_not, change: |_| {} }
    }

    fn unless(self, change: fn(&mut Condition)) -> Self {
        Self { change, ..self }
    }

    pub(super) fn kind(&self) -> &'static str {
        self.rules[self.rules.len() - 1].condition.info().word
    }

    /// The texts of the signals that open.
    pub(super) fn raises(&self, script: Script, visibility: Visibility) -> Vec<String> {
        let (rules, zones) = (self.rules.clone(), self.zones.clone());
        let mut simulation = HarbourSimulation::with(rules, zones, visibility, &ResumeState::default());
        let events = simulation.play(script, 0.0, self.seconds);
        opened(&events).into_iter().map(|event| event.text.clone()).collect()
    }
}

/// A case for every kind.
pub(super) fn cases() -> Vec<KindCase> {
    let groups =
        [movement_cases(), duration_cases(), berth_cases(), place_cases(), zone_cases(), combined_cases()];
    groups.into_iter().flatten().collect()
}

fn movement_cases() -> Vec<KindCase> {
    let lane = segment((100.0, -50.0), (100.0, 50.0));
    vec![
        KindCase::new(
            C::Crossing(Crossing {
                line: line((100.0, -60.0), (100.0, 60.0)),
                direction: CrossingDirection::LeftToRight,
                dead_band: 0.005,
            }),
            40.0,
            |t| vec![goes(1, (150.0, 0.0), (-2.0, 0.0), t)],
            |t| vec![goes(1, (150.0, -30.0), (0.0, 2.0), t)],
        )
        .unless(|condition| {
            if let C::Crossing(Crossing { direction, .. }) = condition {
                *direction = CrossingDirection::RightToLeft;
            }
        }),
        KindCase::new(
            C::WrongWay(WrongWay { zone: basin(), from: lane.from, to: lane.to, lengths: 1.0 }),
            25.0,
            |t| vec![goes(1, (100.0, 35.0), (0.0, -2.5), t)],
            |t| vec![goes(1, (100.0, -35.0), (0.0, 2.5), t)],
        )
        .unless(|condition| {
            if let C::WrongWay(WrongWay { lengths, .. }) = condition {
                *lengths = 10.0;
            }
        }),
        KindCase::new(
            C::Speeding(Speeding { zone: basin(), limit_knots: 6.0, margin_knots: 0.5, estimates: 2 }),
            36.0,
            |t| vec![goes(1, (130.0, -70.0), (0.0, 4.2), t)].into_iter().filter(|b| b.right < 72.0).collect(),
            |t| vec![goes(1, (100.0, -55.0), (0.0, 2.4), t)],
        )
        .unless(|condition| {
            if let C::Speeding(Speeding { limit_knots, .. }) = condition {
                *limit_knots = 12.0;
            }
        }),
        KindCase::new(
            C::Approach(Approach {
                line: line((60.0, -50.0), (60.0, 50.0)),
                limit_knots: 5.0,
                within_m: 120.0,
            }),
            34.0,
            |t| vec![goes(1, (190.0, 0.0), (-4.0, 0.0), t)],
            |t| vec![goes(1, (130.0, -65.0), (0.0, 4.0), t)],
        )
        .unless(|condition| {
            if let C::Approach(Approach { limit_knots, .. }) = condition {
                *limit_knots = 15.0;
            }
        }),
    ]
}

fn duration_cases() -> Vec<KindCase> {
    vec![
        KindCase::new(
            C::Dwell(Dwell { zone: basin(), longer_than: seconds(20) }),
            60.0,
            |t| vec![goes(1, (100.0, -30.0), (0.0, 1.0), t)],
            |t| vec![goes(1, (100.0, -90.0), (0.0, 8.0), t)].into_iter().filter(|b| b.right < 90.0).collect(),
        )
        .unless(|condition| {
            if let C::Dwell(Dwell { longer_than, .. }) = condition {
                *longer_than = seconds(100);
            }
        }),
        KindCase::new(
            C::Loitering(Loitering { zone: basin(), radius_m: 35.0, longer_than: seconds(30) }),
            100.0,
            |t| vec![boat(1, 100.0 + 6.0 * (t / 8.0).sin(), 8.0 * (t / 8.0).cos())],
            |t| vec![goes(1, (100.0, -50.0), (0.0, 1.5), t)].into_iter().filter(|b| b.right < 55.0).collect(),
        )
        .unless(|condition| {
            if let C::Loitering(Loitering { longer_than, .. }) = condition {
                *longer_than = seconds(200);
            }
        }),
        KindCase::new(
            C::Stop(Stop { zone: basin(), longer_than: seconds(30) }),
            100.0,
            |t| vec![goes(1, (100.0, -50.0), (0.0, 2.5), t.min(20.0))],
            |t| vec![goes(1, (100.0, -50.0), (0.0, 1.0), t)],
        )
        .unless(|condition| {
            if let C::Stop(Stop { longer_than, .. }) = condition {
                *longer_than = seconds(200);
            }
        }),
        KindCase::new(
            C::Rendezvous(Rendezvous {
                zone: basin(),
                closer_than_m: 20.0,
                slower_than_knots: 2.0,
                longer_than: seconds(30),
            }),
            90.0,
            |t| vec![goes(1, (100.0, 0.0), (0.0, 0.2), t), goes(2, (100.0, 12.0), (0.0, 0.2), t)],
            |t| vec![goes(1, (100.0, -50.0), (0.0, 1.2), t), goes(2, (110.0, 50.0), (0.0, -1.2), t)],
        )
        .unless(|condition| {
            if let C::Rendezvous(Rendezvous { closer_than_m, .. }) = condition {
                *closer_than_m = 5.0;
            }
        }),
    ]
}

fn berth_cases() -> Vec<KindCase> {
    vec![
        KindCase::new(
            C::Departure(Departure { zone: berth(None) }),
            180.0,
            |t| vec![goes(1, (70.0, 0.0), (0.0, 0.8), (t - 100.0).max(0.0))],
            // A vessel that is not seen has not left.
            |t| if t < 100.0 { vec![boat(1, 70.0, 0.0)] } else { Vec::new() },
        )
        .unless(|condition| {
            if let C::Departure(Departure { zone }) = condition {
                zone.id = crate::ids::PlaceId::new("another").unwrap();
            }
        }),
        KindCase::new(
            C::Overstay(Overstay { zone: berth(None), longer_than: seconds(150) }),
            240.0,
            |_| vec![boat(1, 70.0, 0.0)],
            |t| vec![goes(1, (70.0, 0.0), (0.0, 0.8), (t - 60.0).max(0.0))],
        )
        .unless(|condition| {
            if let C::Overstay(Overstay { longer_than, .. }) = condition {
                *longer_than = seconds(500);
            }
        }),
        KindCase::new(
            C::Unexpected(Unexpected { zone: berth(Some([6.0, 14.0])) }),
            90.0,
            |_| vec![ScriptedBoat { length: 24.0, ..boat(1, 70.0, 0.0) }],
            |_| vec![boat(1, 70.0, 0.0)],
        )
        .unless(|condition| {
            if let C::Unexpected(Unexpected { zone }) = condition {
                *zone = berth(Some([6.0, 40.0]));
            }
        }),
        KindCase::new(
            C::Repeat(Repeat { zone: berth(None), times: 3, within: seconds(86_400) }),
            1000.0,
            |t| comes_and_goes(t, 3.0),
            |t| comes_and_goes(t, 2.0),
        )
        .unless(|condition| {
            if let C::Repeat(Repeat { times, .. }) = condition {
                *times = 4;
            }
        }),
    ]
}

fn place_cases() -> Vec<KindCase> {
    vec![
        KindCase::new(
            C::Crowd(Crowd { zone: basin(), more_than: 2 }),
            30.0,
            |t| (1..=3).map(|n| goes(n, (100.0, -40.0 + 20.0 * n as f64), (0.0, 0.5), t)).collect(),
            |t| (1..=2).map(|n| goes(n, (100.0, -40.0 + 20.0 * n as f64), (0.0, 0.5), t)).collect(),
        )
        .unless(|condition| {
            if let C::Crowd(Crowd { more_than, .. }) = condition {
                *more_than = 3;
            }
        }),
        KindCase::new(
            C::Absent(Absent { zone: berth(None), longer_than: seconds(30) }),
            120.0,
            |t| vec![goes(1, (120.0, -50.0), (0.0, 0.8), t)],
            |_| vec![boat(1, 70.0, 0.0)],
        )
        .unless(|condition| {
            if let C::Absent(Absent { longer_than, .. }) = condition {
                *longer_than = seconds(500);
            }
        }),
        KindCase::new(
            C::Inactivity(Inactivity { zone: basin(), longer_than: seconds(60) }),
            120.0,
            |_| Vec::new(),
            |t| {
                vec![boat(1 + (t / 30.0) as u64, 100.0, -55.0 + 5.0 * (t % 30.0))]
                    .into_iter()
                    .filter(|b| b.right < 60.0)
                    .collect()
            },
        )
        .unless(|condition| {
            if let C::Inactivity(Inactivity { longer_than, .. }) = condition {
                *longer_than = seconds(500);
            }
        }),
    ]
}

fn zone_cases() -> Vec<KindCase> {
    let case = |condition, must_not: Script| {
        KindCase::new(condition, 40.0, |t| vec![goes(1, (180.0, -10.0), (-2.5, 0.5), t)], must_not)
    };
    vec![
        case(C::ZonePresence(ZonePresence { zone: basin() }), |t| {
            vec![goes(1, (180.0, -30.0), (0.0, 1.0), t)]
        }),
        // A vessel that is inside from the beginning has not entered.
        case(C::ZoneEntry(ZoneEntry { zone: basin() }), |t| vec![goes(1, (100.0, -30.0), (0.0, 1.0), t)]),
    ]
}

fn combined_cases() -> Vec<KindCase> {
    vec![all_case(), then_case()]
}

fn all_case() -> KindCase {
    let id = |id: &str| RuleId::new(id).unwrap();
    let presence = named("there", Condition::ZonePresence(ZonePresence { zone: basin() }));
    let fast =
        Condition::Speeding(Speeding { zone: basin(), limit_knots: 6.0, margin_knots: 0.5, estimates: 2 });
    let part = |rule: Rule| Rule { raises: false, ..rule };
    let all = Condition::All(All { of: vec![id("there"), id("fast")], unless: Vec::new() });
    KindCase {
        rules: vec![part(presence), part(named("fast", fast)), named("rule", all)],
        zones: vec![basin()],
        seconds: 36.0,
        must: |t| {
            vec![goes(1, (130.0, -70.0), (0.0, 4.2), t)].into_iter().filter(|b| b.right < 60.0).collect()
        },
        must_not: |t| vec![goes(1, (100.0, -55.0), (0.0, 2.4), t)],
        change: |condition| {
            if let Condition::All(All { unless, of }) = condition {
                unless.push(of[0].clone());
            }
        },
    }
}

fn then_case() -> KindCase {
    let id = |id: &str| RuleId::new(id).unwrap();
    let part = |rule: Rule| Rule { raises: false, ..rule };
    let lay = Condition::Stop(Stop { zone: basin(), longer_than: seconds(20) });
    let leave = Condition::Crossing(Crossing {
        line: line((100.0, 20.0), (60.0, 20.0)),
        direction: CrossingDirection::Either,
        dead_band: 0.005,
    });
    let then = Condition::Then(Then { first: id("lay"), second: id("leaves"), within: seconds(60) });
    KindCase {
        rules: vec![part(named("lay", lay)), part(named("leaves", leave)), named("rule", then)],
        zones: vec![basin()],
        seconds: 100.0,
        must: |t| vec![goes(1, (80.0, 0.0), (0.0, 1.5), (t - 50.0).max(0.0))],
        must_not: |t| vec![goes(1, (80.0, -30.0), (0.0, 1.5), t)],
        change: |condition| {
            if let Condition::Then(Then { within, .. }) = condition {
                *within = seconds(1);
            }
        },
    }
}
