//! Matches detected boxes with the true ones, as COCO's evaluation does (`COCOeval` of pycocotools 2.0, boxes).

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

/// The boxes of one picture, ready to be matched at any overlap.
#[derive(Debug)]
pub struct Matching<'a> {
    /// Indices and detected boxes, by falling confidence.
    found: Vec<(usize, &'a FoundBox)>,
    /// Indices and true boxes; those that must be found come first.
    truth: Vec<(usize, &'a TruthBox)>,
    /// How many of `truth` must be found.
    wanted: usize,
    /// For each of `found`, the overlap with each of `truth`.
    overlaps: Vec<Vec<f64>>,
}

impl<'a> Matching<'a> {
    /// Prepares a picture. Only the `max_found` most confident boxes are used. True boxes must be found if they are `wanted` and
    /// neither crowd nor ignored.
    pub fn new(picture: &'a PictureBoxes, max_found: usize, wanted: impl Fn(&TruthBox) -> bool) -> Self {
        let mut found: Vec<_> = picture.found.iter().enumerate().collect();
        found.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        found.truncate(max_found);
        let is_wanted = |(_, t): &(usize, &TruthBox)| !t.crowd && !t.ignore && wanted(t);
        let (mut truth, others): (Vec<_>, Vec<_>) = picture.truth.iter().enumerate().partition(is_wanted);
        let wanted = truth.len();
        truth.extend(others);
        let overlaps_of =
            |f: &FoundBox| truth.iter().map(|(_, t)| overlap(f.bbox, t.bbox, t.crowd)).collect();
        let overlaps = found.iter().map(|(_, f)| overlaps_of(f)).collect();
        Self { found, truth, wanted, overlaps }
    }

    /// Number of true boxes that must be found.
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Index, box and verdict of each detected box, by falling confidence.
    ///
    /// Each box takes the true box that it overlaps most, if that is not taken and the overlap is at least `min_overlap`. It
    /// takes one that need not be found only when there is no other.
    pub fn verdicts(&self, min_overlap: f64) -> Vec<(usize, &'a FoundBox, Verdict)> {
        let mut taken = vec![false; self.truth.len()];
        let verdict = |overlaps: &Vec<f64>| {
            let mut best = min_overlap.min(1.0 - 1e-10);
            let mut matched = None;
            for (at, &overlap) in overlaps.iter().enumerate() {
                if taken[at] && !self.truth[at].1.crowd {
                    continue;
                }
                if at >= self.wanted && matched.is_some_and(|m| m < self.wanted) {
                    break;
                }
                // The last of equal overlaps wins, as in the original.
                if overlap >= best {
                    (best, matched) = (overlap, Some(at));
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
        let verdicts: Vec<Verdict> = self.overlaps.iter().map(verdict).collect();
        self.found.iter().zip(verdicts).map(|(&(index, found), verdict)| (index, found, verdict)).collect()
    }
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
