//! Average precision of a detector, as in COCO's evaluation (Lin et al. 2014, arXiv 1405.0312; `COCOeval` of pycocotools 2.0,
//! boxes). Pure; `golden.rs` compares it with results of the original.

use super::matching::{FoundBox, Matching, Measure, PictureBoxes, Verdict};

/// At most this many boxes of a picture and a class count: those of highest confidence.
const MAX_FOUND: usize = 100;
/// Number of overlaps at which precision is taken: 0.5, 0.55 ... 0.95.
const OVERLAPS: usize = 10;
/// Number of recalls at which precision is sampled: 0, 0.01 ... 1.
const RECALL_POINTS: usize = 101;

/// A range of sizes, by area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum CocoSize {
    /// All sizes.
    All,
    /// Up to 32 x 32 pixels.
    Small,
    /// From 32 x 32 to 96 x 96 pixels.
    Medium,
    /// From 96 x 96 pixels.
    Large,
}

impl CocoSize {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether an area belongs to the range; as in COCO, both ends do.
    fn contains(self, area_px: f64) -> bool {
        let (least, most) = match self {
            Self::All => (0.0, 1e10),
            Self::Small => (0.0, 1024.0),
            Self::Medium => (1024.0, 9216.0),
            Self::Large => (9216.0, 1e10),
        };
        (least..=most).contains(&area_px)
    }
}

/// Average precision, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AveragePrecision {
    /// At an overlap of 0.5.
    pub at_50: f64,
    /// The mean over overlaps of 0.5, 0.55 ... 0.95.
    pub at_50_to_95: f64,
    /// At an overlap of 0.3: boxes with and without masts match. Not one of COCO's.
    pub at_30: f64,
    /// At a [waterline match](Measure::Waterline) of 0.5. Not one of COCO's.
    pub waterline: f64,
}

/// Hits and false boxes at an overlap of 0.5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HitCounts {
    /// Boxes that must be found.
    pub truth: usize,
    /// Those that were found.
    pub hits: usize,
    /// Detected boxes on nothing.
    pub false_boxes: usize,
}

/// Average precision over pictures, in the order of their ids (boxes of equal score keep that order); `None` when there is nothing to
/// find.
pub fn average_precision(pictures: &[PictureBoxes], size: CocoSize) -> Option<AveragePrecision> {
    let by = |measure| -> Vec<Matching> { pictures.iter().map(|p| matching(p, size, measure)).collect() };
    let (overlap, waterline) = (by(Measure::Overlap), by(Measure::Waterline));
    let truth: usize = overlap.iter().map(Matching::wanted).sum();
    if truth == 0 {
        return None;
    }
    let precision = |matchings: &[Matching], least: f64| {
        let mut verdicts: Vec<_> = matchings.iter().flat_map(|m| verdicts(m, size, least)).collect();
        verdicts.sort_by(|a, b| b.0.total_cmp(&a.0));
        interpolated_precision(&verdicts, truth)
    };
    let each: Vec<f64> =
        (0..OVERLAPS).map(|i| precision(&overlap, i as f64 * ((0.95 - 0.5) / 9.0) + 0.5)).collect();
    Some(AveragePrecision {
        at_50: each[0],
        at_50_to_95: each.iter().sum::<f64>() / OVERLAPS as f64,
        at_30: precision(&overlap, 0.3),
        waterline: precision(&waterline, 0.5),
    })
}

/// Counts hits and false boxes.
pub fn counts(pictures: &[PictureBoxes], size: CocoSize) -> HitCounts {
    let mut counts = HitCounts::default();
    for matching in pictures.iter().map(|picture| matching(picture, size, Measure::Overlap)) {
        counts.truth += matching.wanted();
        for (_, verdict) in verdicts(&matching, size, 0.5) {
            match verdict {
                Verdict::Hit(_) => counts.hits += 1,
                Verdict::False => counts.false_boxes += 1,
                Verdict::Ignored => {}
            }
        }
    }
    counts
}

fn matching(picture: &PictureBoxes, size: CocoSize, measure: Measure) -> Matching<'_> {
    Matching::new(picture, MAX_FOUND, measure, |t| size.contains(t.area_px))
}

/// Score and verdict of each detected box. A box of another size on nothing is ignored.
fn verdicts(matching: &Matching, size: CocoSize, least: f64) -> Vec<(f64, Verdict)> {
    let of_size = |found: &FoundBox| size.contains(found.bbox[2] * found.bbox[3]);
    let verdict = |(_, found, verdict): (usize, &FoundBox, Verdict)| match verdict {
        Verdict::False if !of_size(found) => (found.score, Verdict::Ignored),
        verdict => (found.score, verdict),
    };
    matching.verdicts(least).into_iter().map(verdict).collect()
}

/// The mean over recalls of the best precision at that recall or a higher one.
fn interpolated_precision(verdicts: &[(f64, Verdict)], truth: usize) -> f64 {
    let (mut hits, mut wrong) = (0.0, 0.0);
    let mut curve: Vec<(f64, f64)> = Vec::with_capacity(verdicts.len());
    for (_, verdict) in verdicts {
        match verdict {
            Verdict::Hit(_) => hits += 1.0,
            Verdict::False => wrong += 1.0,
            Verdict::Ignored => {}
        }
        curve.push((hits / truth as f64, hits / (wrong + hits + f64::EPSILON)));
    }
    for i in (1..curve.len()).rev() {
        curve[i - 1].1 = curve[i - 1].1.max(curve[i].1);
    }
    let precision_at = |recall: f64| {
        let at = curve.partition_point(|point| point.0 < recall);
        curve.get(at).map_or(0.0, |point| point.1)
    };
    (0..RECALL_POINTS).map(|i| precision_at(i as f64 * 0.01)).sum::<f64>() / RECALL_POINTS as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use strum::VariantArray as _;

    use super::*;
    use crate::cli::eval::matching::{TruthBox, XyWh};

    fn there(bbox: XyWh) -> TruthBox {
        TruthBox { bbox, area_px: bbox[2] * bbox[3], crowd: false, ignore: false }
    }

    fn any_box() -> impl Strategy<Value = XyWh> {
        (0.0..1000.0f64, 0.0..600.0f64, 4.0..300.0f64, 4.0..200.0f64).prop_map(|(x, y, w, h)| [x, y, w, h])
    }

    #[test]
    fn ignored_truth_is_neither_missed_nor_false() {
        let boat = [100.0, 100.0, 60.0, 30.0];
        let mut picture = PictureBoxes {
            truth: vec![TruthBox { ignore: true, ..there(boat) }],
            found: vec![FoundBox { bbox: boat, score: 0.9 }],
        };
        assert_eq!(counts(std::slice::from_ref(&picture), CocoSize::All), HitCounts::default());
        assert_eq!(average_precision(std::slice::from_ref(&picture), CocoSize::All), None);
        // Only a crowd takes several boxes: the second box on it is false.
        picture.found.push(FoundBox { bbox: boat, score: 0.8 });
        assert_eq!(counts(&[picture], CocoSize::All), HitCounts { false_boxes: 1, ..HitCounts::default() });
    }

    #[test]
    fn a_box_on_nothing_is_false_only_in_its_own_size() {
        let picture = PictureBoxes {
            truth: vec![],
            found: vec![FoundBox { bbox: [0.0, 0.0, 20.0, 20.0], score: 0.4 }],
        };
        let false_boxes = |size| counts(std::slice::from_ref(&picture), size).false_boxes;
        let counts: Vec<_> = CocoSize::VARIANTS.iter().map(|size| false_boxes(*size)).collect();
        assert_eq!(counts, [1, 1, 0, 0]);
    }

    proptest! {
        #[test]
        fn a_perfect_detector_scores_one(
            boxes in proptest::collection::vec(proptest::collection::vec((any_box(), 0.01..1.0f64), 0..8), 1..6),
        ) {
            let pictures: Vec<_> = boxes.into_iter().map(|picture| PictureBoxes {
                truth: picture.iter().map(|(bbox, _)| there(*bbox)).collect(),
                found: picture.iter().map(|&(bbox, score)| FoundBox { bbox, score }).collect(),
            }).collect();
            // Only for all sizes: within one size, a box of another size may take a neighbour's match.
            let HitCounts { truth, hits, false_boxes } = counts(&pictures, CocoSize::All);
            prop_assert_eq!((hits, false_boxes), (truth, 0));
            if let Some(ap) = average_precision(&pictures, CocoSize::All) {
                let each = [ap.at_50, ap.at_50_to_95, ap.at_30, ap.waterline];
                prop_assert!(each.iter().all(|score| (score - 1.0).abs() < 1e-9), "{:?}", ap);
            }
        }

        #[test]
        fn another_false_box_never_helps(
            truth in proptest::collection::vec(any_box(), 1..10),
            found in proptest::collection::vec((any_box(), 0.01..1.0f64), 0..20),
            score in 0.01..1.0f64,
        ) {
            let mut picture = PictureBoxes {
                truth: truth.into_iter().map(there).collect(),
                found: found.into_iter().map(|(bbox, score)| FoundBox { bbox, score }).collect(),
            };
            let score_of = |picture: &PictureBoxes| {
                let pictures = std::slice::from_ref(picture);
                (average_precision(pictures, CocoSize::All).unwrap(), counts(pictures, CocoSize::All))
            };
            let (before, counted) = score_of(&picture);
            picture.found.push(FoundBox { bbox: [5000.0, 5000.0, 40.0, 20.0], score });
            let (after, recounted) = score_of(&picture);
            let scores = |ap: AveragePrecision| [ap.at_50, ap.at_50_to_95, ap.at_30, ap.waterline];
            prop_assert!(scores(after).iter().zip(scores(before)).all(|(after, before)| *after <= before + 1e-12));
            prop_assert_eq!(recounted, HitCounts { false_boxes: counted.false_boxes + 1, ..counted });
        }
    }
}
