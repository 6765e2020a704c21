//! One vessel, one box: what several regions of a frame saw, put together.
//!
//! A region's border cuts vessels. A cut box is taken for less than a whole one: it gives way to a larger box of another
//! region that holds most of it; two cut boxes that meet at the border between their regions become one.

use super::{Class, Detection};
use crate::geometry::{BBox, FrameSize, Px};

/// A box this near to a region's border, as a share of the region's side, is taken to be cut by it: models place edges
/// no better.
const BORDER: f32 = 0.02;
/// A cut box of which more than this lies in a larger box of another region is a part of that.
const MOSTLY: f32 = 0.6;
/// Two halves share at least this much of the lower of both extents along the border.
const SHARED_SIDE: f32 = 0.6;
/// Halves left and right of a border stand on the same waterline, to within this share of the taller one.
const WATERLINE: f32 = 0.25;

/// A box of which this much lies in a surer one ...
const WITHIN: f32 = 0.9;
/// ... and that ends higher than its waterline by this share of its height is a part of that vessel: its wheelhouse, its
/// sails. A boat before a ship floats, so it ends at the ship's waterline or lower; one behind it sticks out.
const ABOVE_WATER: f32 = 0.2;

/// Of two boxes whose sides are this near to one another, as a share of the wider one, ...
const SAME_ENDS: f32 = 0.08;
/// ... and whose waterlines are, as a share of the taller one, one is the hull and the other the hull with masts and sails: of two
/// vessels as long as one another in the picture the nearer one floats lower.
const SAME_WATERLINE: f32 = 0.06;

/// A box and the region it was seen in, both in pixels of the frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    /// What was seen.
    pub detection: Detection,
    /// Where was looked.
    pub region: BBox<Px>,
}

/// Which of a region's borders cut a box. The frame's own edges cut nothing: beyond them nobody looks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cuts {
    left: bool,
    right: bool,
    top: bool,
    bottom: bool,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    detection: Detection,
    /// The regions it was seen in, joined.
    region: BBox<Px>,
    cuts: Cuts,
    /// Made of several boxes.
    joined: bool,
}

/// What the regions of a frame saw, each vessel once, the surest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// Vessels with their whole boxes.
    pub whole: Vec<Detection>,
    /// Parts: cut by a region's border, and completed by no other region.
    pub cut: Vec<Detection>,
}

impl Merged {
    /// Whole boxes and parts, the surest first.
    pub fn all(self) -> Vec<Detection> {
        let mut all = self.whole;
        all.extend(self.cut);
        all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        all
    }
}

/// Puts together what the regions of a frame saw. `iou` is the overlap from which two boxes are one.
pub fn merge(sightings: Vec<Sighting>, frame: FrameSize, iou: f32) -> Merged {
    let mut parts: Vec<Part> = sightings.into_iter().map(|s| Part::new(s, frame)).collect();
    // Whole boxes settle what they hold first. Then halves are joined, before the larger half can swallow the smaller.
    drop_parts(&mut parts, |other| !other.is_cut());
    join_halves(&mut parts);
    drop_parts(&mut parts, |_| true);
    // Whole before joined before cut, then by confidence: the first of a heap stays.
    parts.sort_by(|a, b| {
        a.rank().cmp(&b.rank()).then(b.detection.confidence.total_cmp(&a.detection.confidence))
    });
    let mut kept: Vec<(Detection, bool)> = Vec::new();
    for part in parts {
        let detection = part.detection;
        let same = |k: &Detection| {
            k.class == detection.class
                && (k.bbox.iou(&detection.bbox) > iou || is_rigged(&k.bbox, &detection.bbox))
        };
        if let Some(at) = kept.iter().position(|(k, _)| same(k)) {
            // Two boxes agree: the surer of both confidences is right about it.
            kept[at].0.confidence = kept[at].0.confidence.max(detection.confidence);
        } else if !kept.iter().any(|(whole, _)| is_part(&detection, whole)) {
            kept.push((detection, part.is_cut()));
        }
    }
    kept.sort_by(|(a, _), (b, _)| b.confidence.total_cmp(&a.confidence));
    let (cut, whole): (Vec<_>, Vec<_>) = kept.into_iter().partition(|(_, cut)| *cut);
    let boxes = |kept: Vec<(Detection, bool)>| kept.into_iter().map(|(detection, _)| detection).collect();
    Merged { whole: boxes(whole), cut: boxes(cut) }
}

/// Whether one box is a hull and the other the same vessel with masts and sails.
fn is_rigged(a: &BBox<Px>, b: &BBox<Px>) -> bool {
    let ends = SAME_ENDS * a.width().max(b.width());
    let water = SAME_WATERLINE * a.height().max(b.height());
    let near = |p: f32, q: f32, by: f32| (p - q).abs() <= by;
    near(a.x0, b.x0, ends) && near(a.x1, b.x1, ends) && near(a.y1, b.y1, water)
}

fn is_part(small: &Detection, whole: &Detection) -> bool {
    let (part, bounds) = (small.bbox, whole.bbox);
    let inside = part.intersection(&bounds).map_or(0.0, |shared| shared.area() / part.area());
    small.class == whole.class && inside >= WITHIN && part.y1 < bounds.y1 - ABOVE_WATER * bounds.height()
}

impl Part {
    fn new(Sighting { detection, region }: Sighting, frame: FrameSize) -> Self {
        let b = detection.bbox;
        let (w, h) = (frame.width as f32, frame.height as f32);
        let (near_x, near_y) = (region.width() * BORDER, region.height() * BORDER);
        let cuts = Cuts {
            left: region.x0 > 0.5 && b.x0 - region.x0 <= near_x,
            right: region.x1 < w - 0.5 && region.x1 - b.x1 <= near_x,
            top: region.y0 > 0.5 && b.y0 - region.y0 <= near_y,
            bottom: region.y1 < h - 0.5 && region.y1 - b.y1 <= near_y,
        };
        Self { detection, region, cuts, joined: false }
    }

    fn is_cut(&self) -> bool {
        self.cuts != Cuts::default()
    }

    fn rank(&self) -> u8 {
        match (self.is_cut(), self.joined) {
            (false, false) => 0,
            (false, true) => 1,
            (true, _) => 2,
        }
    }

    fn class(&self) -> Class {
        self.detection.class
    }
}

/// Drops cut boxes that lie mostly in a larger box from elsewhere, of those that `may_hold` them.
fn drop_parts(parts: &mut Vec<Part>, may_hold: impl Fn(&Part) -> bool) {
    let all = parts.clone();
    parts.retain(|part| {
        let (own, area) = (part.detection.bbox, part.detection.bbox.area());
        !part.is_cut()
            || !all.iter().any(|other| {
                may_hold(other)
                    && other.class() == part.class()
                    && other.region != part.region
                    && other.detection.bbox.area() > area
                    && own
                        .intersection(&other.detection.bbox)
                        .is_some_and(|shared| shared.area() > MOSTLY * area)
            })
    });
}

/// Joins halves until no two are left that meet; of several pairs the first by the order of `parts`.
fn join_halves(parts: &mut Vec<Part>) {
    let mut i = 0;
    while i < parts.len() {
        // No part before `i` meets any other, so after a join the new part alone may meet one of them: looking at the
        // others again would take seconds where a picture has thousands of faint boxes.
        let later = (0..parts.len()).find_map(|j| Some((j, join(&parts[i], &parts[j])?)));
        let Some((j, mut whole)) = later else {
            i += 1;
            continue;
        };
        parts[i] = whole;
        parts.remove(j);
        i -= usize::from(j < i);
        while let Some((before, joined)) = (0..i).find_map(|k| Some((k, join(&parts[k], &whole)?))) {
            whole = joined;
            parts[before] = whole;
            parts.remove(i);
            i = before;
        }
    }
}

/// One part of two, when `b` goes on right of `a` or below it.
fn join(a: &Part, b: &Part) -> Option<Part> {
    if a.region == b.region || a.class() != b.class() {
        return None;
    }
    let cuts = if meet_sideways(a, b) {
        Cuts {
            left: a.cuts.left,
            right: b.cuts.right,
            top: a.cuts.top || b.cuts.top,
            bottom: a.cuts.bottom || b.cuts.bottom,
        }
    } else if meet_upright(a, b) {
        Cuts {
            left: a.cuts.left || b.cuts.left,
            right: a.cuts.right || b.cuts.right,
            top: a.cuts.top,
            bottom: b.cuts.bottom,
        }
    } else {
        return None;
    };
    let surer = if a.detection.confidence >= b.detection.confidence { a.detection } else { b.detection };
    Some(Part {
        detection: Detection { bbox: a.detection.bbox.union(&b.detection.bbox), ..surer },
        region: a.region.union(&b.region),
        cuts,
        joined: true,
    })
}

/// True when `a` is cut on its right where `b`, on its left, goes on.
fn meet_sideways(a: &Part, b: &Part) -> bool {
    let (p, q) = (a.detection.bbox, b.detection.bbox);
    let gap = BORDER * (a.region.width() + b.region.width());
    let waterline = WATERLINE * p.height().max(q.height());
    a.cuts.right
        && b.cuts.left
        && a.region.x0 < b.region.x0
        && q.x0 - p.x1 <= gap
        && p.x0 < q.x0
        && p.x1 < q.x1
        && (p.y1 - q.y1).abs() <= waterline
        && shared_side((p.y0, p.y1), (q.y0, q.y1)) >= SHARED_SIDE
}

/// True when `a` is cut at its bottom where `b`, below, goes on.
fn meet_upright(a: &Part, b: &Part) -> bool {
    let (p, q) = (a.detection.bbox, b.detection.bbox);
    let gap = BORDER * (a.region.height() + b.region.height());
    a.cuts.bottom
        && b.cuts.top
        && a.region.y0 < b.region.y0
        && q.y0 - p.y1 <= gap
        && p.y0 < q.y0
        && p.y1 < q.y1
        && shared_side((p.x0, p.x1), (q.x0, q.x1)) >= SHARED_SIDE
}

/// The common stretch of two intervals over the shorter of them.
fn shared_side((a0, a1): (f32, f32), (b0, b1): (f32, f32)) -> f32 {
    let shorter = (a1 - a0).min(b1 - b0);
    if shorter > 0.0 { (a1.min(b1) - a0.max(b0)) / shorter } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRAME: FrameSize = FrameSize { width: 1920, height: 1080 };
    const WHOLE: [f32; 4] = [0.0, 0.0, 1920.0, 1080.0];
    const LEFT: [f32; 4] = [0.0, 0.0, 960.0, 1080.0];
    const RIGHT: [f32; 4] = [960.0, 0.0, 1920.0, 1080.0];

    fn bbox([x0, y0, x1, y1]: [f32; 4]) -> BBox<Px> {
        BBox::new(x0, y0, x1, y1)
    }

    /// What a region shows of a vessel, edges placed `off` pixels wrong.
    fn seen(vessel: [f32; 4], region: [f32; 4], confidence: f32, off: f32) -> Option<Sighting> {
        let v = vessel;
        let told = bbox([v[0] + off, v[1] - off, v[2] - off, v[3] + off]);
        let bbox = told.intersection(&bbox(region))?;
        Some(Sighting {
            detection: Detection { class: Class::Vessel, confidence, bbox },
            region: self::bbox(region),
        })
    }

    fn looks(vessels: &[[f32; 4]], regions: &[[f32; 4]]) -> Vec<Detection> {
        let mut sightings = Vec::new();
        for (i, region) in regions.iter().enumerate() {
            sightings.extend(
                vessels.iter().filter_map(|v| seen(*v, *region, 0.5 + 0.1 * i as f32, i as f32 * 2.0)),
            );
        }
        merge(sightings, FRAME, 0.5).all()
    }

    fn assert_near(found: BBox<Px>, vessel: [f32; 4]) {
        assert!(found.iou(&bbox(vessel)) > 0.9, "{found:?} for {vessel:?}");
    }

    #[test]
    fn a_wheelhouse_is_no_vessel_but_a_boat_before_a_ship_is() {
        let count = |small: [f32; 4]| {
            let ship = seen([400.0, 500.0, 800.0, 620.0], WHOLE, 0.8, 0.0).unwrap();
            let small = seen(small, WHOLE, 0.4, 0.0).unwrap();
            merge(vec![ship, small], FRAME, 0.5).all().len()
        };
        assert_eq!(count([420.0, 505.0, 720.0, 568.0]), 1, "the upper half of the ship");
        assert_eq!(count([500.0, 600.0, 600.0, 640.0]), 2, "a boat that stands lower");
        assert_eq!(count([300.0, 480.0, 520.0, 560.0]), 2, "a boat that sticks out behind");
    }

    #[test]
    fn a_hull_is_the_vessel_with_its_sails_but_a_boat_before_it_is_not() {
        let yacht = [400.0, 300.0, 570.0, 510.0];
        let looks = |other: [f32; 4], surer: f32| {
            let sightings = [seen(yacht, WHOLE, 0.6, 0.0), seen(other, WHOLE, surer, 0.0)];
            merge(sightings.into_iter().flatten().collect(), FRAME, 0.5).all()
        };
        for surer in [0.4, 0.8] {
            let found = looks([405.0, 460.0, 575.0, 515.0], surer);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].confidence, surer.max(0.6));
            assert_eq!(looks([405.0, 470.0, 575.0, 530.0], surer).len(), 2, "floats lower");
            assert_eq!(looks([450.0, 460.0, 575.0, 515.0], surer).len(), 2, "is shorter");
        }
    }

    #[test]
    fn a_vessel_seen_by_the_whole_frame_and_two_overlapping_regions_is_one() {
        let vessel = [850.0, 500.0, 1150.0, 600.0];
        let found = looks(&[vessel], &[WHOLE, [600.0, 300.0, 1200.0, 900.0], [800.0, 300.0, 1400.0, 900.0]]);
        assert_eq!(found.len(), 1);
        assert_near(found[0].bbox, vessel);
        assert_eq!(found[0].confidence, 0.7);
    }

    #[test]
    fn a_part_gives_way_to_the_whole_however_sure_it_is() {
        let vessel = [850.0, 500.0, 1150.0, 600.0];
        let whole = seen(vessel, WHOLE, 0.4, 3.0).unwrap();
        let part = seen(vessel, LEFT, 0.95, 0.0).unwrap();
        let found = merge(vec![part, whole], FRAME, 0.5).all();
        assert_eq!(found.len(), 1);
        assert_near(found[0].bbox, vessel);
    }

    #[test]
    fn a_vessel_cut_in_halves_by_two_tiles_is_one_with_its_whole_box() {
        let vessel = [700.0, 500.0, 1300.0, 640.0];
        let found = looks(&[vessel], &[LEFT, RIGHT]);
        assert_eq!(found.len(), 1);
        assert_near(found[0].bbox, vessel);
    }

    #[test]
    fn a_long_vessel_across_three_tiles_is_one() {
        let vessel = [300.0, 500.0, 1700.0, 640.0];
        let tiles = [[0.0, 0.0, 700.0, 1080.0], [640.0, 0.0, 1280.0, 1080.0], [1200.0, 0.0, 1920.0, 1080.0]];
        let found = looks(&[vessel], &tiles);
        assert_eq!(found.len(), 1);
        assert_near(found[0].bbox, vessel);
    }

    #[test]
    fn a_mast_cut_from_its_hull_by_the_tile_below_is_put_back() {
        let vessel = [400.0, 300.0, 560.0, 800.0];
        let found = looks(&[vessel], &[[0.0, 0.0, 960.0, 560.0], [0.0, 540.0, 960.0, 1080.0]]);
        assert_eq!(found.len(), 1);
        assert_near(found[0].bbox, vessel);
    }

    #[test]
    fn vessels_moored_side_by_side_stay_two() {
        let vessels = [[600.0, 500.0, 900.0, 600.0], [910.0, 500.0, 1210.0, 600.0]];
        assert_eq!(looks(&vessels, &[WHOLE]).len(), 2);
        assert_eq!(looks(&vessels, &[WHOLE, LEFT, RIGHT]).len(), 2);
        assert_eq!(
            looks(&vessels, &[WHOLE, [600.0, 300.0, 1200.0, 900.0], [700.0, 300.0, 1300.0, 900.0]]).len(),
            2
        );
    }

    #[test]
    fn vessels_on_either_side_of_a_border_are_not_joined_when_their_waterlines_differ() {
        let near = [700.0, 700.0, 965.0, 800.0];
        let far = [955.0, 500.0, 1100.0, 560.0];
        let sightings =
            [seen(near, LEFT, 0.8, 0.0), seen(far, RIGHT, 0.8, 0.0)].into_iter().flatten().collect();
        assert_eq!(merge(sightings, FRAME, 0.5).all().len(), 2);
    }

    #[test]
    fn a_tender_before_a_ship_is_not_swallowed() {
        let ship = [200.0, 300.0, 1700.0, 700.0];
        let tender = [500.0, 620.0, 600.0, 690.0];
        assert_eq!(looks(&[ship, tender], &[WHOLE]).len(), 2);
        // In a region of its own the tender is whole: only cut boxes give way to larger ones.
        let sightings = [seen(ship, WHOLE, 0.8, 0.0), seen(tender, [400.0, 500.0, 800.0, 800.0], 0.8, 0.0)];
        assert_eq!(merge(sightings.into_iter().flatten().collect(), FRAME, 0.5).all().len(), 2);
    }

    #[test]
    fn a_vessel_at_the_edge_of_the_frame_is_not_taken_for_cut() {
        let leaving = [0.0, 500.0, 120.0, 600.0];
        let found = looks(&[leaving], &[WHOLE, [0.0, 300.0, 600.0, 900.0]]);
        assert_eq!(found.len(), 1);
        assert_near(found[0].bbox, leaving);
    }

    #[test]
    fn halves_that_overlap_much_are_joined_rather_than_one_dropped() {
        let vessel = [960.0, 500.0, 1330.0, 560.0];
        let found = looks(&[vessel], &[[0.0, 0.0, 1234.0, 1080.0], [1077.0, 0.0, 1920.0, 1080.0]]);
        assert_eq!(found.len(), 1);
        assert_near(found[0].bbox, vessel);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn a_lone_vessel_is_counted_once_wherever_tiles_cut_it(
            x in 0.0..1500.0f32, y in 0.0..900.0f32, w in 60.0..420.0f32, h in 60.0..180.0f32,
            border in 400.0..1500.0f32, overlap in 0.0..200.0f32,
        ) {
            let vessel = [x, y, (x + w).min(1920.0), (y + h).min(1080.0)];
            let tiles = [[0.0, 0.0, border + overlap, 1080.0], [border, 0.0, 1920.0, 1080.0]];
            // A model does not see a sliver: what shows less than a tenth is not reported.
            let shown = |r: &[f32; 4]| bbox(vessel).intersection(&bbox(*r)).is_some_and(|b| b.area() > 0.1 * bbox(vessel).area());
            let seeing: Vec<_> = tiles.into_iter().filter(shown).collect();
            let found = looks(&[vessel], &seeing);
            prop_assert_eq!(found.len(), 1);
            prop_assert!(found[0].bbox.iou(&bbox(vessel)) > 0.75);
            let found = looks(&[vessel], &[&[WHOLE], &seeing[..]].concat());
            prop_assert_eq!(found.len(), 1);
        }
    }
}
