//! Non-maximum suppression: of overlapping boxes of a class, only the one with the highest confidence stays.

use super::heads::Candidate;

/// The most candidates of one inference. A model that gives more is broken, and comparing all pairs would take seconds.
const MAX_CANDIDATES: usize = 2000;

/// Keeps the best of each group of overlapping boxes of a class, by falling confidence. Boxes of equal confidence keep the
/// model's order, so that the same frame gives the same boxes. Returns the number of boxes that were dropped without a
/// comparison: those of lowest confidence, beyond 2000.
pub fn suppress(candidates: &mut Vec<Candidate>, iou: f32) -> usize {
    candidates.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let beyond = candidates.len().saturating_sub(MAX_CANDIDATES);
    candidates.truncate(MAX_CANDIDATES);
    let mut kept = 0;
    for i in 0..candidates.len() {
        let candidate = candidates[i];
        let is_best = candidates[..kept]
            .iter()
            .all(|better| better.class != candidate.class || better.bbox.iou(&candidate.bbox) <= iou);
        if is_best {
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
    fn the_best_of_overlapping_boxes_stays() {
        let best = candidate(Class::Vessel, 0.9, [10.0, 10.0, 100.0, 40.0]);
        let duplicate = candidate(Class::Vessel, 0.6, [14.0, 11.0, 100.0, 40.0]);
        let neighbour = candidate(Class::Vessel, 0.4, [115.0, 10.0, 100.0, 40.0]);
        let mut boxes = vec![duplicate, neighbour, best];
        suppress(&mut boxes, 0.5);
        assert_eq!(boxes, [best, neighbour]);
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
    fn candidates_beyond_the_limit_are_dropped_and_counted() {
        let apart =
            |i: u16| candidate(Class::Vessel, f32::from(i) / 3000.0, [f32::from(i) * 8.0, 0.0, 6.0, 4.0]);
        let mut boxes: Vec<_> = (0..2003).map(apart).collect();
        assert_eq!(suppress(&mut boxes, 0.5), 3);
        assert_eq!((boxes.len(), boxes[0], boxes[1999]), (2000, apart(2002), apart(3)));
    }

    proptest! {
        #[test]
        fn a_box_is_dropped_only_for_a_better_one_that_it_overlaps(
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
