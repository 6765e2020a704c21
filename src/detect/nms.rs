//! Non-maximum suppression: of boxes of a class that lie on one another, the surest stays.

use super::heads::Candidate;

/// The most candidates that are looked at: beyond it the model is broken, and comparing all with all would take seconds.
const MOST_CANDIDATES: usize = 2000;

/// Keeps the surest of each heap of overlapping boxes of a class, the surest first. Equal ones keep the model's order,
/// so that the same frame gives the same boxes. Returns how many were dropped unlooked at: the faintest beyond 2000.
pub fn suppress(candidates: &mut Vec<Candidate>, iou: f32) -> usize {
    candidates.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let beyond = candidates.len().saturating_sub(MOST_CANDIDATES);
    candidates.truncate(MOST_CANDIDATES);
    let mut kept = 0;
    for i in 0..candidates.len() {
        let candidate = candidates[i];
        let stands_alone = candidates[..kept]
            .iter()
            .all(|better| better.class != candidate.class || better.bbox.iou(&candidate.bbox) <= iou);
        if stands_alone {
            candidates[kept] = candidate;
            kept += 1;
        }
    }
    candidates.truncate(kept);
    beyond
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detect::Class;
    use crate::geometry::BBox;

    fn candidate(class: Class, confidence: f32, [x, y, w, h]: [f32; 4]) -> Candidate {
        Candidate { class, confidence, bbox: BBox::from_xywh(x, y, w, h) }
    }

    #[test]
    fn the_surest_of_a_heap_stays_and_a_neighbour_is_left_alone() {
        let sure = candidate(Class::Vessel, 0.9, [10.0, 10.0, 100.0, 40.0]);
        let echo = candidate(Class::Vessel, 0.6, [14.0, 11.0, 100.0, 40.0]);
        let neighbour = candidate(Class::Vessel, 0.4, [115.0, 10.0, 100.0, 40.0]);
        let mut boxes = vec![echo, neighbour, sure];
        suppress(&mut boxes, 0.5);
        assert_eq!(boxes, [sure, neighbour]);
    }

    #[test]
    fn a_person_aboard_does_not_suppress_the_vessel() {
        let mut boxes = vec![
            candidate(Class::Person, 0.9, [10.0, 10.0, 30.0, 40.0]),
            candidate(Class::Vessel, 0.5, [9.0, 9.0, 32.0, 42.0]),
        ];
        suppress(&mut boxes, 0.5);
        assert_eq!(boxes.len(), 2);
    }

    #[test]
    fn of_too_many_candidates_the_faintest_are_dropped_and_counted() {
        let apart =
            |i: u16| candidate(Class::Vessel, f32::from(i) / 3000.0, [f32::from(i) * 8.0, 0.0, 6.0, 4.0]);
        let mut boxes: Vec<_> = (0..2003).map(apart).collect();
        assert_eq!(suppress(&mut boxes, 0.5), 3);
        assert_eq!((boxes.len(), boxes[0], boxes[1999]), (2000, apart(2002), apart(3)));
    }

    proptest! {
        #[test]
        fn what_is_left_hardly_overlaps_and_what_is_gone_overlaps_something_surer(
            raw in proptest::collection::vec((0.0..1.0f32, 0.0..300.0f32, 0.0..300.0f32, 1.0..80.0f32, 1.0..80.0f32), 0..60),
        ) {
            let all: Vec<_> = raw.iter().map(|&(p, x, y, w, h)| candidate(Class::Vessel, p, [x, y, w, h])).collect();
            let mut left = all.clone();
            suppress(&mut left, 0.5);
            for (i, a) in left.iter().enumerate() {
                prop_assert!(left[..i].iter().all(|b| a.bbox.iou(&b.bbox) <= 0.5));
            }
            for gone in all.iter().filter(|c| !left.contains(c)) {
                prop_assert!(left.iter().any(|b| b.confidence >= gone.confidence && b.bbox.iou(&gone.bbox) > 0.5));
            }
        }
    }
}
