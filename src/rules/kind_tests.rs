//! Each kind raises one signal where it must, and none where it must not.

use proptest::prelude::*;

use super::event::RuleEvent;
use super::kind_cases::{KindCase, cases};
use super::kinds::*;
use super::place::Zone;
use super::rule::Rule;
use super::signal::Phase;
use super::simulation::{
    CLEAR, HarbourSimulation, Script, Visibility, basin, berth, boat, goes, named, opened, seconds, signals,
};
use super::suppression::SuppressionReason;
use super::testing::night_rule;

#[test]
fn each_kind_raises_once_where_it_must() {
    let mut kinds = Vec::new();
    for case in cases() {
        let raised = case.raises(case.must, CLEAR);
        assert_eq!(raised.len(), 1, "{} must raise once: {raised:?}", case.kind());
        let raised = case.raises(case.must_not, CLEAR);
        assert!(raised.is_empty(), "{} must not raise: {raised:?}", case.kind());
        kinds.push(case.kind());
    }
    for kind in KINDS {
        assert!(kinds.contains(&kind.info.word), "{} has no script", kind.info.word);
    }
}

#[test]
fn another_threshold_changes_the_decision() {
    for mut case in cases() {
        match case.kind() {
            // Their only threshold is the confirm time.
            "presence" | "entry" => case.rules[0].confirm = seconds(100),
            _ => (case.change)(&mut case.rules.last_mut().unwrap().condition),
        }
        let raised = case.raises(case.must, CLEAR);
        assert!(raised.is_empty(), "{}: {raised:?}", case.kind());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Boxes that jitter by a pixel and a half, boats missed in every fourth pass, and rates from ten passes a second to one
    /// in two seconds give the decisions of a clear view, as long as no boat is missed three times in a row.
    #[test]
    fn visibility_and_rate_do_not_change_the_decision(
        every_s in 0.1..2.0f64, jitter_px in 0.0..1.5f64, missed in 0.0..0.25f64, seed in any::<u64>(),
    ) {
        let visibility = Visibility { every_s, jitter_px, missed, seed };
        for case in cases() {
            let raised = case.raises(case.must, visibility);
            prop_assert!(raised.len() == 1, "{} must raise once: {:?}", case.kind(), raised);
            let raised = case.raises(case.must_not, visibility);
            prop_assert!(raised.is_empty(), "{} must not raise: {:?}", case.kind(), raised);
        }
    }
}

#[test]
fn low_rates_with_misses_decide_the_same() {
    // Found by the property above: two signals, two signals, and a signal about a vessel that moved.
    for (every_s, missed, seed) in [
        (1.908_715_617_353_801_6, 0.167_665_665_306_433_7, 15_933_926_489_164_034_751),
        (1.678_281_345_296_831_7, 0.116_940_777_796_423_21, 15_577_854_482_715_801_814),
        (1.968_683_672_729_391_5, 0.224_452_346_096_649_4, 17_351_241_807_160_166_666),
    ] {
        let visibility = Visibility { every_s, jitter_px: 0.0, missed, seed };
        for case in cases() {
            assert_eq!(case.raises(case.must, visibility).len(), 1, "{}", case.kind());
            assert_eq!(case.raises(case.must_not, visibility).len(), 0, "{}", case.kind());
        }
    }
}

#[test]
fn suppressed_signals_have_a_reason() {
    let reasons =
        |rule: Rule, zones: Vec<Zone>, script: Script, until: f64| -> Vec<(SuppressionReason, u32)> {
            let mut simulation = HarbourSimulation::new(vec![rule], zones);
            let mut events = simulation.play(script, 0.0, until);
            let end = simulation.engine.end_all(super::testing::at(until));
            events.extend(end.into_iter().map(|event| (until, event)));
            let mut counted = std::collections::BTreeMap::new();
            for (_, event) in events {
                if let RuleEvent::Suppressed(event) = event {
                    *counted.entry(event.reason).or_insert(0) += event.times;
                }
            }
            counted.into_iter().collect()
        };
    let there: Script = |_| vec![boat(1, 100.0, 0.0)];
    let presence = || named("rule", Condition::ZonePresence(ZonePresence { zone: basin() }));
    let by_day = Rule { schedule: night_rule("23:30", "05:30").schedule, ..presence() };
    let [(SuppressionReason::OutsideSchedule, passes)] = reasons(by_day, vec![], there, 20.0)[..] else {
        panic!()
    };
    assert!((70..=76).contains(&passes), "every pass after the confirm time: {passes}");
    let short = Rule { confirm: seconds(30), ..presence() };
    let script: Script = |t| if t < 10.0 { vec![boat(1, 100.0, 0.0)] } else { vec![boat(1, 200.0, 0.0)] };
    assert_eq!(reasons(short, vec![], script, 30.0), [(SuppressionReason::NotConfirmed, 1)]);
    let sized = Rule { length_m: Some([20.0, 50.0]), ..presence() };
    assert!(matches!(reasons(sized, vec![], there, 20.0)[..], [(SuppressionReason::Size, _)]));
    let sure = Rule { min_confidence: 0.9, ..presence() };
    assert!(matches!(reasons(sure, vec![], there, 20.0)[..], [(SuppressionReason::LowConfidence, _)]));
    let again: Script = |t| vec![boat(1, if (5.0..9.0).contains(&t) { 200.0 } else { 100.0 }, 0.0)];
    assert_eq!(reasons(presence(), vec![], again, 12.0), [(SuppressionReason::Cooldown, 1)]);
    let moored: Script = |_| vec![boat(1, 70.0, 0.0)];
    let overstay =
        named("rule", Condition::Overstay(Overstay { zone: berth(None), longer_than: seconds(60) }));
    let by_day = Rule { schedule: night_rule("23:30", "05:30").schedule, ..overstay };
    assert!(matches!(
        reasons(by_day, vec![berth(None)], moored, 120.0)[..],
        [(SuppressionReason::OutsideSchedule, _)]
    ));
    let found = reasons(Rule { confirm: seconds(60), ..presence() }, vec![berth(None)], moored, 100.0);
    assert!(
        matches!(
            found[..],
            [(SuppressionReason::AtBerth, _)]
                | [(SuppressionReason::NotConfirmed, _), (SuppressionReason::AtBerth, _)]
        ),
        "{found:?}"
    );
}

#[test]
fn only_signals_not_acknowledged_escalate() {
    let rule = Rule {
        escalate_after: Some(seconds(20)),
        ..named("rule", Condition::ZonePresence(ZonePresence { zone: basin() }))
    };
    for acknowledged in [false, true] {
        let mut simulation = HarbourSimulation::new(vec![rule.clone()], vec![]);
        let script: Script = |_| vec![boat(1, 100.0, 0.0)];
        let signal = opened(&simulation.play(script, 0.0, 10.0))[0].signal;
        if acknowledged {
            simulation.engine.acknowledge(signal);
        }
        let events = simulation.play(script, 10.0, 60.0);
        let phases: Vec<_> = signals(&events).iter().map(|event| (event.phase, event.alert)).collect();
        let expected: &[_] = if acknowledged { &[] } else { &[(Phase::Escalated, true)] };
        assert_eq!(phases, expected);
    }
}

#[test]
fn a_camera_outage_suspends_the_rules() {
    let rule = named("rule", Condition::ZonePresence(ZonePresence { zone: basin() }));
    let mut simulation = HarbourSimulation::new(vec![rule], vec![]);
    simulation.engine.suspend(Some("the camera was moved"));
    let events = simulation.play(|_| vec![boat(1, 100.0, 0.0)], 0.0, 10.0);
    let [(_, RuleEvent::Suppressed(suppression))] = &events[..] else { panic!("{events:?}") };
    assert_eq!(suppression.reason, SuppressionReason::CameraOutage);
    assert!(suppression.text.contains("the camera was moved"), "{}", suppression.text);
    simulation.engine.suspend(None);
    assert_eq!(opened(&simulation.play(|_| vec![boat(1, 100.0, 0.0)], 10.0, 20.0)).len(), 1);
}

#[test]
fn a_closed_signal_keeps_its_last_measurement() {
    let fast =
        Condition::Speeding(Speeding { zone: basin(), limit_knots: 6.0, margin_knots: 0.5, estimates: 2 });
    let mut simulation = HarbourSimulation::new(vec![named("rule", fast)], vec![]);
    let script: Script =
        |t| vec![goes(1, (100.0, -50.0), (0.0, 5.0), t)].into_iter().filter(|b| b.right < 40.0).collect();
    let events = simulation.play(script, 0.0, 60.0);
    let signals = signals(&events);
    let [opened, closed] = signals[..] else { panic!("{signals:?}") };
    assert_eq!((opened.phase, closed.phase), (Phase::Opened, Phase::Closed));
    // 5 m/s are 9.7 knots.
    assert!((closed.facts.measured - 9.7).abs() < 0.2, "{:?}", closed.facts);
    assert_eq!(closed.facts.threshold, 6.0);
}

#[test]
fn a_linked_track_that_reappears_is_two_vessels() {
    let rule = named("rule", Condition::Dwell(Dwell { zone: basin(), longer_than: seconds(40) }));
    let mut simulation = HarbourSimulation::new(vec![rule], vec![]);
    // Number 2 appears where number 1 was hidden; at second 32 both are there, side by side.
    let script: Script = |t| {
        let (one, two) = (boat(1, 100.0, 0.0), boat(2, 100.0, 3.0));
        match t {
            ..30.0 => vec![one],
            30.0..32.0 => vec![two],
            _ => vec![one, two],
        }
    };
    let events = simulation.play(script, 0.0, 60.0);
    let texts: Vec<_> =
        opened(&events).into_iter().map(|event| (event.vessel.map(|v| v.0), event.at)).collect();
    let [(Some(1), at)] = texts[..] else { panic!("only number 1 has been there for 40 s: {texts:?}") };
    assert!(
        at.mono.since(super::testing::at(40.0).mono) < seconds(3),
        "measured from its own beginning: {at:?}"
    );
}

#[test]
fn cameras_do_not_influence_each_other() {
    let alone = |case: &KindCase| case.raises(case.must, CLEAR).len();
    for (a, b) in cases().iter().zip(cases().iter().skip(1)) {
        let simulation = |case: &KindCase| HarbourSimulation::new(case.rules.clone(), case.zones.clone());
        let (mut first, mut second) = (simulation(a), simulation(b));
        let (mut raised_a, mut raised_b) = (0, 0);
        let until = a.seconds.max(b.seconds).ceil() as u32;
        for t in (0..until).map(f64::from) {
            if t < b.seconds {
                raised_b += opened(&second.play(b.must, t, t + 1.0)).len();
            }
            if t < a.seconds {
                raised_a += opened(&first.play(a.must, t, t + 1.0)).len();
            }
        }
        assert_eq!((raised_a, raised_b), (alone(a), alone(b)), "{} beside {}", a.kind(), b.kind());
    }
}

#[test]
fn a_dwell_continues_under_a_new_track_number() {
    let rule = named("rule", Condition::Dwell(Dwell { zone: basin(), longer_than: seconds(40) }));
    let mut simulation = HarbourSimulation::new(vec![rule], vec![]);
    let script: Script = |t| vec![goes(if t < 25.0 { 1 } else { 2 }, (100.0, -20.0), (0.0, 0.5), t)];
    let events = simulation.play(script, 0.0, 60.0);
    let opened = opened(&events);
    assert_eq!(opened.len(), 1, "{events:?}");
    assert!(opened[0].text.contains("vessel 2"), "{}", opened[0].text);
}
