//! A moored vessel is one visit, whatever happens to its track; and a visit ends when the departure was seen.

use super::event::RuleEvent;
use super::kinds::{Condition, Overstay};
use super::simulation::{
    CLEAR, HarbourSimulation, Script, berth, boat, comes_and_goes, goes, named, opened, seconds,
};
use super::visit::{VisitEnd, VisitStep};
use super::visits::ResumeState;

fn visits(events: &[(f64, RuleEvent)]) -> Vec<(f64, VisitStep, bool, Option<VisitEnd>)> {
    let visit = |(second, event): &(f64, RuleEvent)| match event {
        RuleEvent::Visit(event) if event.step != VisitStep::Continues => {
            let end = event.visit.ended.map(|(_, how)| how);
            Some((*second, event.step, event.visit.arrived, end))
        }
        _ => None,
    };
    events.iter().filter_map(visit).collect()
}

#[test]
fn a_visit_has_an_arrival_and_a_departure() {
    let mut simulation = HarbourSimulation::new(vec![], vec![berth(None)]);
    let events = visits(&simulation.play(|t| comes_and_goes(t, 1.0), 0.0, 300.0));
    let steps: Vec<_> = events.iter().map(|&(_, step, arrived, end)| (step, arrived, end)).collect();
    assert_eq!(steps, [(VisitStep::Began, true, None), (VisitStep::Ended, true, Some(VisitEnd::Departed))]);
}

#[test]
fn a_new_track_number_continues_the_visit() {
    let mut simulation = HarbourSimulation::new(vec![], vec![berth(None)]);
    // Moored from the beginning; not seen from second 60 to 400 (it is dark), then under another number.
    let script: Script = |t| match t {
        ..60.0 => vec![boat(1, 70.0, 0.0)],
        60.0..400.0 => Vec::new(),
        _ => vec![boat(2, 70.2, 0.3)],
    };
    let events = visits(&simulation.play(script, 0.0, 600.0));
    assert!(matches!(events[..], [(_, VisitStep::Began, false, None)]), "{events:?}");
}

#[test]
fn a_passing_vessel_does_not_take_over_the_visit() {
    let mut simulation = HarbourSimulation::new(vec![], vec![berth(None)]);
    // Number 1 is moored. At second 100 a passing vessel gets its number, and the moored one a new number.
    let script: Script = |t| match t {
        ..100.0 => vec![boat(1, 70.0, 0.0)],
        _ => vec![goes(1, (70.0, 0.0), (0.0, 3.0), t - 100.0), boat(2, 70.0, 0.0)]
            .into_iter()
            .filter(|boat| boat.right < 40.0 && (boat.number == 1 || t > 102.0))
            .collect(),
    };
    let events = visits(&simulation.play(script, 0.0, 200.0));
    assert!(matches!(events[..], [(_, VisitStep::Began, false, None)]), "{events:?}");
}

#[test]
fn a_visit_resumes_after_a_restart() {
    let mut simulation = HarbourSimulation::new(vec![], vec![berth(None)]);
    let events = simulation.play(|_| vec![boat(1, 70.0, 0.0)], 0.0, 60.0);
    let last = events.iter().rev().find_map(|(_, event)| match event {
        RuleEvent::Visit(event) => Some(event.visit.clone()),
        _ => None,
    });
    let resume = ResumeState { open: vec![last.unwrap()], ended: Vec::new() };
    let overstay =
        named("rule", Condition::Overstay(Overstay { zone: berth(None), longer_than: seconds(150) }));
    let mut simulation = HarbourSimulation::with(vec![overstay], vec![berth(None)], CLEAR, &resume);
    let events = simulation.play(|_| vec![boat(9, 70.0, 0.0)], 100.0, 200.0);
    assert!(visits(&events).is_empty(), "it continues");
    let opened = opened(&events);
    assert_eq!(opened.len(), 1, "the time before the restart counts");
    assert!(opened[0].facts.measured > 150.0);
}
