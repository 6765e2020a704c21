//! A moored vessel is one visit, through whatever happens to its track; and a visit ends when it was seen to.

use super::stage::{CLEAR, Script, Stage, berth, boat, comes_and_goes, goes, named, opened, seconds};
use super::{ResumeState, RuleEvent, VisitEnd, VisitStep};
use crate::config::Condition;

fn visits(told: &[(f64, RuleEvent)]) -> Vec<(f64, VisitStep, bool, Option<VisitEnd>)> {
    let visit = |(second, event): &(f64, RuleEvent)| match event {
        RuleEvent::Visit(event) if event.step != VisitStep::Continues => {
            let end = event.visit.ended.map(|(_, how)| how);
            Some((*second, event.step, event.visit.arrived, end))
        }
        _ => None,
    };
    told.iter().filter_map(visit).collect()
}

#[test]
fn a_stay_is_an_arrival_and_a_departure_when_both_were_seen() {
    let mut stage = Stage::new(vec![], vec![berth(None)], CLEAR, &ResumeState::default());
    let told = visits(&stage.play(|t| comes_and_goes(t, 1.0), 0.0, 300.0));
    let steps: Vec<_> = told.iter().map(|&(_, step, arrived, end)| (step, arrived, end)).collect();
    assert_eq!(steps, [(VisitStep::Began, true, None), (VisitStep::Ended, true, Some(VisitEnd::Departed))]);
}

#[test]
fn a_vessel_that_is_lost_and_found_under_another_number_is_one_visit() {
    let mut stage = Stage::new(vec![], vec![berth(None)], CLEAR, &ResumeState::default());
    // Lies from the first; unseen from second 60 to 400 (it is dark), then under another number.
    let script: Script = |t| match t {
        ..60.0 => vec![boat(1, 70.0, 0.0)],
        60.0..400.0 => Vec::new(),
        _ => vec![boat(2, 70.2, 0.3)],
    };
    let told = visits(&stage.play(script, 0.0, 600.0));
    assert!(matches!(told[..], [(_, VisitStep::Began, false, None)]), "{told:?}");
}

#[test]
fn a_passing_vessel_that_takes_over_the_number_takes_no_visit_along() {
    let mut stage = Stage::new(vec![], vec![berth(None)], CLEAR, &ResumeState::default());
    // Number 1 lies; at second 100 a passing vessel gets its number, and it a new one.
    let script: Script = |t| match t {
        ..100.0 => vec![boat(1, 70.0, 0.0)],
        _ => vec![goes(1, (70.0, 0.0), (0.0, 3.0), t - 100.0), boat(2, 70.0, 0.0)]
            .into_iter()
            .filter(|boat| boat.right < 40.0 && (boat.number == 1 || t > 102.0))
            .collect(),
    };
    let told = visits(&stage.play(script, 0.0, 200.0));
    assert!(matches!(told[..], [(_, VisitStep::Began, false, None)]), "{told:?}");
}

#[test]
fn a_visit_is_resumed_after_a_restart() {
    let mut stage = Stage::new(vec![], vec![berth(None)], CLEAR, &ResumeState::default());
    let told = stage.play(|_| vec![boat(1, 70.0, 0.0)], 0.0, 60.0);
    let last = told.iter().rev().find_map(|(_, event)| match event {
        RuleEvent::Visit(event) => Some(event.visit.clone()),
        _ => None,
    });
    let past = ResumeState { open: vec![last.unwrap()], ended: Vec::new() };
    let overstay = named("rule", Condition::Overstay { zone: berth(None), longer_than: seconds(150) });
    let mut stage = Stage::new(vec![overstay], vec![berth(None)], CLEAR, &past);
    let told = stage.play(|_| vec![boat(9, 70.0, 0.0)], 100.0, 200.0);
    assert!(visits(&told).is_empty(), "it goes on");
    let opened = opened(&told);
    assert_eq!(opened.len(), 1, "its time before the restart counts");
    assert!(opened[0].facts.measured > 150.0);
}
