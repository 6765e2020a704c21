//! Scores of a detector as COCO's own evaluation counts them (Lin et al. 2014, arXiv 1405.0312; `COCOeval` of
//! pycocotools 2.0, boxes). Pure; `golden.rs` holds it to figures of the original.

/// Boxes of a picture and a class beyond the surest so many are not looked at.
const MOST_FOUND: usize = 100;
/// Overlaps, shared over joint area, from which a found box counts as a hit: 0.5, 0.55 ... 0.95.
const OVERLAPS: usize = 10;
/// Where recall is sampled: 0, 0.01 ... 1.
const RECALL_POINTS: usize = 101;

/// Left edge, top edge, width, height in pixels.
pub type XyWh = [f64; 4];

/// A box that somebody drew.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthBox {
    /// Where.
    pub bbox: XyWh,
    /// Square pixels of the vessel, by which its size is told; often less than the box's.
    pub area_px: f64,
    /// A box round many: boxes found in it are neither hits nor false, and it need not be found.
    pub crowd: bool,
    /// Need not be found; a box found there is neither hit nor false.
    pub ignore: bool,
}

/// A box that the detector reported.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBox {
    /// Where.
    pub bbox: XyWh,
    /// 0 to 1.
    pub score: f64,
}

/// The boxes of one class in one picture.
#[derive(Clone, Debug, Default)]
pub struct PictureBoxes {
    /// Those that are there.
    pub truth: Vec<TruthBox>,
    /// Those that were found.
    pub found: Vec<FoundBox>,
}

/// A range of sizes, by area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// All of them.
    All,
    /// Up to 32 x 32 pixels.
    Small,
    /// From there up to 96 x 96 pixels.
    Medium,
    /// From there on.
    Large,
}

impl Size {
    /// In the order in which they are shown.
    pub const EACH: [Self; 4] = [Self::All, Self::Small, Self::Medium, Self::Large];

    /// As shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }

    /// Both ends belong to the range, as in COCO.
    fn holds(self, area_px: f64) -> bool {
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
}

/// What the found boxes come to at an overlap of 0.5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Boxes that should be found.
    pub truth: usize,
    /// Those of them that were.
    pub hits: usize,
    /// Found boxes that hit nothing.
    pub false_boxes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Hit,
    False,
    /// On something that need not be found, or of another size and on nothing.
    Ignored,
}

/// Average precision over pictures, given in the order of their ids (equal scores keep it); `None` when there is nothing
/// to find.
pub fn average_precision(pictures: &[PictureBoxes], size: Size) -> Option<AveragePrecision> {
    let matchings: Vec<Matching> = pictures.iter().map(|picture| Matching::new(picture, size)).collect();
    let truth: usize = matchings.iter().map(|m| m.wanted).sum();
    if truth == 0 {
        return None;
    }
    let each: Vec<f64> = (0..OVERLAPS)
        .map(|i| {
            let overlap = i as f64 * ((0.95 - 0.5) / 9.0) + 0.5;
            let mut verdicts: Vec<_> = matchings.iter().flat_map(|m| m.verdicts(overlap)).collect();
            verdicts.sort_by(|a, b| b.0.total_cmp(&a.0));
            interpolated_precision(&verdicts, truth)
        })
        .collect();
    Some(AveragePrecision { at_50: each[0], at_50_to_95: each.iter().sum::<f64>() / OVERLAPS as f64 })
}

/// Counts hits and false boxes among all that were found.
pub fn counts(pictures: &[PictureBoxes], size: Size) -> Counts {
    let mut counts = Counts::default();
    for matching in pictures.iter().map(|picture| Matching::new(picture, size)) {
        counts.truth += matching.wanted;
        for (_, verdict) in matching.verdicts(0.5) {
            match verdict {
                Verdict::Hit => counts.hits += 1,
                Verdict::False => counts.false_boxes += 1,
                Verdict::Ignored => {}
            }
        }
    }
    counts
}

/// The mean of the best precision at each recall or beyond it.
fn interpolated_precision(verdicts: &[(f64, Verdict)], truth: usize) -> f64 {
    let (mut hits, mut wrong) = (0.0, 0.0);
    let mut curve: Vec<(f64, f64)> = Vec::with_capacity(verdicts.len());
    for (_, verdict) in verdicts {
        match verdict {
            Verdict::Hit => hits += 1.0,
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

/// The boxes of one picture, ready to be matched at any overlap.
#[derive(Debug)]
struct Matching<'a> {
    /// The surest first.
    found: Vec<&'a FoundBox>,
    /// Those that should be found first.
    truth: Vec<&'a TruthBox>,
    /// How many of `truth` should be found.
    wanted: usize,
    /// Overlaps, a row a found box.
    overlaps: Vec<Vec<f64>>,
    size: Size,
}

impl<'a> Matching<'a> {
    fn new(picture: &'a PictureBoxes, size: Size) -> Self {
        let mut found: Vec<_> = picture.found.iter().collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(MOST_FOUND);
        let is_wanted = |t: &TruthBox| !t.crowd && !t.ignore && size.holds(t.area_px);
        let (mut truth, others): (Vec<_>, Vec<_>) = picture.truth.iter().partition(|t| is_wanted(t));
        let wanted = truth.len();
        truth.extend(others);
        let overlaps =
            found.iter().map(|f| truth.iter().map(|t| overlap(f.bbox, t.bbox, t.crowd)).collect()).collect();
        Self { found, truth, wanted, overlaps, size }
    }

    /// Score and verdict of each found box. The surest box chooses first, and takes the box it overlaps most; it takes
    /// one that need not be found only when there is no other.
    fn verdicts(&self, least_overlap: f64) -> Vec<(f64, Verdict)> {
        let mut taken = vec![false; self.truth.len()];
        let judge = |(found, overlaps): (&&FoundBox, &Vec<f64>)| {
            let mut best = least_overlap.min(1.0 - 1e-10);
            let mut matched = None;
            for (at, &overlap) in overlaps.iter().enumerate() {
                if taken[at] && !self.truth[at].crowd {
                    continue;
                }
                if at >= self.wanted && matched.is_some_and(|m| m < self.wanted) {
                    break;
                }
                // Of equal overlaps the later one is taken, as in the original.
                if overlap >= best {
                    (best, matched) = (overlap, Some(at));
                }
            }
            if let Some(at) = matched {
                taken[at] = true;
            }
            let verdict = match matched {
                Some(at) if at < self.wanted => Verdict::Hit,
                None if self.size.holds(found.bbox[2] * found.bbox[3]) => Verdict::False,
                _ => Verdict::Ignored,
            };
            (found.score, verdict)
        };
        self.found.iter().zip(&self.overlaps).map(judge).collect()
    }
}

/// Shared over joint area; with a crowd, over the found box's own area.
fn overlap([fx, fy, fw, fh]: XyWh, [tx, ty, tw, th]: XyWh, crowd: bool) -> f64 {
    let across = (fx + fw).min(tx + tw) - fx.max(tx);
    let down = (fy + fh).min(ty + th) - fy.max(ty);
    if across <= 0.0 || down <= 0.0 {
        return 0.0;
    }
    let shared = across * down;
    shared / if crowd { fw * fh } else { fw * fh + tw * th - shared }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn there(bbox: XyWh) -> TruthBox {
        TruthBox { bbox, area_px: bbox[2] * bbox[3], crowd: false, ignore: false }
    }

    fn any_box() -> impl Strategy<Value = XyWh> {
        (0.0..1000.0f64, 0.0..600.0f64, 4.0..300.0f64, 4.0..200.0f64).prop_map(|(x, y, w, h)| [x, y, w, h])
    }

    #[test]
    fn what_need_not_be_found_is_neither_missed_nor_false() {
        let boat = [100.0, 100.0, 60.0, 30.0];
        let mut picture = PictureBoxes {
            truth: vec![TruthBox { ignore: true, ..there(boat) }],
            found: vec![FoundBox { bbox: boat, score: 0.9 }],
        };
        assert_eq!(counts(std::slice::from_ref(&picture), Size::All), Counts::default());
        assert_eq!(average_precision(std::slice::from_ref(&picture), Size::All), None);
        // A box that is no crowd is there once: the second box on it is a false one.
        picture.found.push(FoundBox { bbox: boat, score: 0.8 });
        assert_eq!(counts(&[picture], Size::All), Counts { false_boxes: 1, ..Counts::default() });
    }

    #[test]
    fn a_found_box_on_nothing_is_false_in_its_own_size_alone() {
        let picture = PictureBoxes {
            truth: vec![],
            found: vec![FoundBox { bbox: [0.0, 0.0, 20.0, 20.0], score: 0.4 }],
        };
        let false_boxes = |size| counts(std::slice::from_ref(&picture), size).false_boxes;
        assert_eq!(Size::EACH.map(false_boxes), [1, 1, 0, 0]);
    }

    proptest! {
        #[test]
        fn a_detector_that_sees_everything_and_nothing_else_scores_one(
            boxes in proptest::collection::vec(proptest::collection::vec((any_box(), 0.01..1.0f64), 0..8), 1..6),
        ) {
            let pictures: Vec<_> = boxes.into_iter().map(|picture| PictureBoxes {
                truth: picture.iter().map(|(bbox, _)| there(*bbox)).collect(),
                found: picture.iter().map(|&(bbox, score)| FoundBox { bbox, score }).collect(),
            }).collect();
            // In a single size, a box of another size may take what belongs to its neighbour.
            let Counts { truth, hits, false_boxes } = counts(&pictures, Size::All);
            prop_assert_eq!((hits, false_boxes), (truth, 0));
            if let Some(ap) = average_precision(&pictures, Size::All) {
                prop_assert!((ap.at_50 - 1.0).abs() < 1e-9 && (ap.at_50_to_95 - 1.0).abs() < 1e-9, "{:?}", ap);
            }
        }

        #[test]
        fn one_more_box_on_nothing_never_helps(
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
                (average_precision(pictures, Size::All).unwrap(), counts(pictures, Size::All))
            };
            let (before, counted) = score_of(&picture);
            picture.found.push(FoundBox { bbox: [5000.0, 5000.0, 40.0, 20.0], score });
            let (after, recounted) = score_of(&picture);
            prop_assert!(after.at_50 <= before.at_50 + 1e-12 && after.at_50_to_95 <= before.at_50_to_95 + 1e-12);
            prop_assert_eq!(recounted, Counts { false_boxes: counted.false_boxes + 1, ..counted });
        }
    }
}
