//! Matches detected boxes with the true ones, as COCO's evaluation does (`COCOeval` of pycocotools 2.0, boxes).

/// Two waterlines are the same when they differ by at most this share of the vessel's true width, ...
const WATERLINE_SHARE: f64 = 0.1;
/// ... or by these pixels: annotations are no more accurate.
const WATERLINE_PX: f64 = 2.0;

/// Left edge, top edge, width, height in pixels.
pub type XyWh = [f64; 4];

/// An annotated box.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthBox {
    /// The box.
    pub bbox: XyWh,
    /// Area of the object in square pixels, by which its size class is chosen; often less than the box's.
    pub area_px: f64,
    /// The box may hold several objects, or more than what is visible. Boxes found in it are neither hits nor false, and
    /// it need not be found.
    pub crowd: bool,
    /// It need not be found. A box found there is neither a hit nor false.
    pub ignore: bool,
}

/// A detected box.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBox {
    /// The box.
    pub bbox: XyWh,
    /// Confidence, 0 to 1.
    pub score: f64,
}

/// The boxes of one class in one picture.
#[derive(Clone, Debug, Default)]
pub struct PictureBoxes {
    /// The annotated ones.
    pub truth: Vec<TruthBox>,
    /// The detected ones.
    pub found: Vec<FoundBox>,
}

/// How alike a detected box and a true one are, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Intersection over union of the boxes.
    Overlap,
    /// Intersection over union of the horizontal extents, if both boxes end at the same waterline; else 0. Masts and sails do not
    /// count. This is what zones and lines need.
    Waterline,
}

/// What a detected box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It finds this true box, by its index.
    Hit(usize),
    /// It lies on nothing, or on something that another box has found.
    False,
    /// It lies on something that need not be found.
    Ignored,
}

/// The boxes of one picture, ready to be matched at any likeness.
#[derive(Debug)]
pub struct Matching<'a> {
    /// Indices and detected boxes, by falling confidence.
    found: Vec<(usize, &'a FoundBox)>,
    /// Indices and true boxes; those that must be found come first.
    truth: Vec<(usize, &'a TruthBox)>,
    /// How many of `truth` must be found.
    wanted: usize,
    /// For each of `found`, how alike it is with each of `truth`.
    likeness: Vec<Vec<f64>>,
}

impl<'a> Matching<'a> {
    /// Prepares a picture. Only the `max_found` most confident boxes are used. True boxes must be found if they are `wanted` and
    /// neither crowd nor ignored.
    pub fn new(
        picture: &'a PictureBoxes,
        max_found: usize,
        measure: Measure,
        wanted: impl Fn(&TruthBox) -> bool,
    ) -> Self {
        let mut found: Vec<_> = picture.found.iter().enumerate().collect();
        found.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        found.truncate(max_found);
        let is_wanted = |(_, t): &(usize, &TruthBox)| !t.crowd && !t.ignore && wanted(t);
        let (mut truth, others): (Vec<_>, Vec<_>) = picture.truth.iter().enumerate().partition(is_wanted);
        let wanted = truth.len();
        truth.extend(others);
        let likeness_of = |f: &FoundBox| truth.iter().map(|(_, t)| measure.of(f.bbox, t)).collect();
        let likeness = found.iter().map(|(_, f)| likeness_of(f)).collect();
        Self { found, truth, wanted, likeness }
    }

    /// Number of true boxes that must be found.
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Index, box and verdict of each detected box, by falling confidence.
    ///
    /// Each box takes the true box that it is most alike, if that is not taken and the likeness is at least `least`. It
    /// takes one that need not be found only when there is no other.
    pub fn verdicts(&self, least: f64) -> Vec<(usize, &'a FoundBox, Verdict)> {
        let mut taken = vec![false; self.truth.len()];
        let verdict = |likeness: &Vec<f64>| {
            let mut best = least.min(1.0 - 1e-10);
            let mut matched = None;
            for (at, &alike) in likeness.iter().enumerate() {
                if taken[at] && !self.truth[at].1.crowd {
                    continue;
                }
                if at >= self.wanted && matched.is_some_and(|m| m < self.wanted) {
                    break;
                }
                // The last of equal ones wins, as in the original.
                if alike >= best {
                    (best, matched) = (alike, Some(at));
                }
            }
            if let Some(at) = matched {
                taken[at] = true;
            }
            match matched {
                Some(at) if at < self.wanted => Verdict::Hit(self.truth[at].0),
                Some(_) => Verdict::Ignored,
                None => Verdict::False,
            }
        };
        let verdicts: Vec<Verdict> = self.likeness.iter().map(verdict).collect();
        self.found.iter().zip(verdicts).map(|(&(index, found), verdict)| (index, found, verdict)).collect()
    }
}

impl Measure {
    /// A crowd has no waterline of its own: with it, boxes always overlap.
    fn of(self, found: XyWh, truth: &TruthBox) -> f64 {
        match self {
            Self::Waterline if !truth.crowd => same_waterline(found, truth.bbox),
            _ => overlap(found, truth.bbox, truth.crowd),
        }
    }
}

fn same_waterline([fx, fy, fw, fh]: XyWh, [tx, ty, tw, th]: XyWh) -> f64 {
    let tolerance = WATERLINE_PX.max(WATERLINE_SHARE * tw);
    if (fy + fh - ty - th).abs() > tolerance {
        return 0.0;
    }
    let shared = ((fx + fw).min(tx + tw) - fx.max(tx)).max(0.0);
    shared / (fw + tw - shared)
}

/// Intersection over union; for a crowd, intersection over the detected box's area.
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
    use super::*;

    fn truth(bbox: XyWh, crowd: bool) -> TruthBox {
        TruthBox { bbox, area_px: bbox[2] * bbox[3], crowd, ignore: false }
    }

    #[test]
    fn a_waterline_match_takes_masts_for_nothing_and_the_lower_edge_for_everything() {
        let sloop = truth([100.0, 50.0, 80.0, 120.0], false);
        let alike = |measure: Measure, found: XyWh| measure.of(found, &sloop);
        let hull = [100.0, 140.0, 80.0, 30.0];
        assert!((alike(Measure::Overlap, hull) - 0.25).abs() < 1e-9);
        assert!((alike(Measure::Waterline, hull) - 1.0).abs() < 1e-9);
        let half = [140.0, 140.0, 40.0, 30.0];
        assert!((alike(Measure::Waterline, half) - 0.5).abs() < 1e-9);
        // A tenth of 80 px.
        assert!(alike(Measure::Waterline, [100.0, 148.0, 80.0, 30.0]) > 0.99);
        assert_eq!(alike(Measure::Waterline, [100.0, 148.5, 80.0, 30.0]), 0.0);
        assert_eq!(alike(Measure::Waterline, [200.0, 140.0, 80.0, 30.0]), 0.0);
    }

    #[test]
    fn tiny_vessels_may_be_two_pixels_off() {
        let dinghy = truth([10.0, 10.0, 8.0, 5.0], false);
        assert!(Measure::Waterline.of([10.0, 12.0, 8.0, 5.0], &dinghy) > 0.99);
        assert_eq!(Measure::Waterline.of([10.0, 12.5, 8.0, 5.0], &dinghy), 0.0);
    }

    #[test]
    fn a_crowd_has_no_waterline() {
        let marina = truth([0.0, 0.0, 400.0, 100.0], true);
        assert_eq!(Measure::Waterline.of([20.0, 20.0, 40.0, 20.0], &marina), 1.0);
    }
}
