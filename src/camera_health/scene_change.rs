//! Finds a camera that points elsewhere: compares the fixed structures in the picture with a slowly learnt reference.

use crate::frame::Thumbnail;

const WIDTH: usize = Thumbnail::WIDTH;
const HEIGHT: usize = Thumbnail::HEIGHT;
/// A feature is the difference from the mean of this many thumbnail pixels to each side.
const NEIGHBOURHOOD: usize = 4;
/// At most this many of the strongest features are landmarks.
const MOST_LANDMARKS: usize = 600;
/// With fewer landmarks than this nothing is compared: open sea.
const FEWEST_LANDMARKS: usize = 60;
/// Weaker features, relative to the usual strength, are not landmarks.
const LEAST_STRENGTH: f32 = 0.2;
/// How far a shifted scene is searched for, in thumbnail pixels across and down.
const SEARCH_RANGE: [i32; 2] = [24, 13];

/// How much each thumbnail pixel differs from its surroundings, -1 to 1. Independent of the light that falls on all of
/// the scene.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Features(Vec<f32>);

impl Features {
    pub(super) fn of(thumbnail: &Thumbnail) -> Self {
        let luma = &thumbnail.luma;
        // Sums over all pixels above and to the left (a summed-area table).
        let stride = WIDTH + 1;
        let mut sums = vec![0.0f32; stride * (HEIGHT + 1)];
        for y in 0..HEIGHT {
            let mut row = 0.0;
            for x in 0..WIDTH {
                row += luma[y * WIDTH + x];
                sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
            }
        }
        let mut features = Vec::with_capacity(luma.len());
        for y in 0..HEIGHT {
            let (top, bottom) = (y.saturating_sub(NEIGHBOURHOOD), (y + NEIGHBOURHOOD + 1).min(HEIGHT));
            for x in 0..WIDTH {
                let (left, right) = (x.saturating_sub(NEIGHBOURHOOD), (x + NEIGHBOURHOOD + 1).min(WIDTH));
                let sum = sums[bottom * stride + right] + sums[top * stride + left]
                    - sums[top * stride + right]
                    - sums[bottom * stride + left];
                features.push(luma[y * WIDTH + x] - sum / ((bottom - top) * (right - left)) as f32);
            }
        }
        let usual = features.iter().map(|f| f.abs()).sum::<f32>() / features.len() as f32;
        let scale = (2.0 * usual).max(1.0);
        features.iter_mut().for_each(|f| *f = (*f / scale).clamp(-1.0, 1.0));
        Self(features)
    }
}

/// A shift of the scene in thumbnail pixels, across and down, and the similarity to the reference at that shift.
pub(super) type PictureShift = ([i32; 2], f32);

/// The scene that a camera usually shows.
#[derive(Clone, Debug)]
pub(super) struct UsualScene {
    mean: Vec<f32>,
    landmarks: Vec<(i32, i32, f32)>,
}

impl UsualScene {
    pub(super) fn new(features: &Features) -> Self {
        let mut scene = Self { mean: features.0.clone(), landmarks: Vec::new() };
        scene.choose_landmarks();
        scene
    }

    /// Moves the mean towards `features` by `weight`, 0 to 1.
    pub(super) fn learn(&mut self, features: &Features, weight: f32) {
        for (mean, new) in self.mean.iter_mut().zip(&features.0) {
            *mean += weight * (new - *mean);
        }
        self.choose_landmarks();
    }

    fn choose_landmarks(&mut self) {
        let mut order: Vec<usize> =
            (0..self.mean.len()).filter(|&i| self.mean[i].abs() >= LEAST_STRENGTH).collect();
        if order.len() > MOST_LANDMARKS {
            order.select_nth_unstable_by(MOST_LANDMARKS, |&a, &b| {
                self.mean[b].abs().total_cmp(&self.mean[a].abs())
            });
            order.truncate(MOST_LANDMARKS);
        }
        self.landmarks =
            order.into_iter().map(|i| ((i % WIDTH) as i32, (i / WIDTH) as i32, self.mean[i])).collect();
    }

    /// Whether it has enough landmarks to compare with.
    pub(super) fn is_comparable(&self) -> bool {
        self.landmarks.len() >= FEWEST_LANDMARKS
    }

    /// Similarity of a picture to the scene when the scene is shifted by that many pixels, to the right and down: the
    /// normalised correlation over the landmarks. 1 is the same, 0 unrelated.
    pub(super) fn similarity(&self, features: &Features, [dx, dy]: [i32; 2]) -> f32 {
        let (mut product, mut ours, mut theirs) = (0.0f32, 0.0f32, 0.0f32);
        let mut inside = 0;
        for &(x, y, mean) in &self.landmarks {
            let (x, y) = (x + dx, y + dy);
            if x < 0 || y < 0 || x >= WIDTH as i32 || y >= HEIGHT as i32 {
                continue;
            }
            let new = features.0[y as usize * WIDTH + x as usize];
            product += mean * new;
            ours += mean * mean;
            theirs += new * new;
            inside += 1;
        }
        // A few landmarks fit anywhere.
        if inside < FEWEST_LANDMARKS || inside * 3 < self.landmarks.len() {
            return 0.0;
        }
        product / (ours * theirs).sqrt().max(1e-6)
    }

    /// The shift at which the picture is most similar to the scene. `None` when that is at the edge of the search range:
    /// the true shift may be anywhere beyond.
    pub(super) fn search(&self, features: &Features) -> Option<PictureShift> {
        let [across, down] = SEARCH_RANGE;
        let shifts = (-down..=down).flat_map(|dy| (-across..=across).map(move |dx| [dx, dy]));
        let best = shifts
            .map(|shift| (shift, self.similarity(features, shift)))
            .fold(([0, 0], f32::MIN), |best, tried| if tried.1 > best.1 { tried } else { best });
        let [dx, dy] = best.0;
        (dx.abs() < across && dy.abs() < down).then_some(best)
    }
}
