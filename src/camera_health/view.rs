//! Where the camera looks: the place of what stands still in the picture, against a reference that is learnt slowly.

use crate::frame::Thumbnail;

const WIDTH: usize = Thumbnail::WIDTH;
const HEIGHT: usize = Thumbnail::HEIGHT;
/// What stands out is what differs from the mean of so many small pixels either way.
const AROUND: usize = 4;
/// So many small pixels that stand out most and always are landmarks.
const LANDMARKS: usize = 600;
/// With fewer of them, a view tells nothing: open sea.
const FEWEST: usize = 60;
/// What stands out by less of the usual is none.
const STANDS_OUT: f32 = 0.2;
/// A view is searched for so many small pixels away, across and down.
const REACH: [i32; 2] = [24, 13];

/// What stands out in a picture, by how much and to which side, -1 to 1; the light that falls on all of it is taken out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Features(Vec<f32>);

impl Features {
    pub(super) fn of(thumbnail: &Thumbnail) -> Self {
        let luma = &thumbnail.luma;
        // Sums over everything above and to the left.
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
            let (top, bottom) = (y.saturating_sub(AROUND), (y + AROUND + 1).min(HEIGHT));
            for x in 0..WIDTH {
                let (left, right) = (x.saturating_sub(AROUND), (x + AROUND + 1).min(WIDTH));
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

/// Where a view is: shifted so far from the reference, in small pixels across and down, and how like it there.
pub(super) type Shifted = ([i32; 2], f32);

/// The view that a camera has had.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    mean: Vec<f32>,
    landmarks: Vec<(i32, i32, f32)>,
}

impl Reference {
    pub(super) fn new(features: &Features) -> Self {
        let mut reference = Self { mean: features.0.clone(), landmarks: Vec::new() };
        reference.choose();
        reference
    }

    /// Takes in so large a part of what is new.
    pub(super) fn learn(&mut self, features: &Features, part: f32) {
        for (mean, new) in self.mean.iter_mut().zip(&features.0) {
            *mean += part * (new - *mean);
        }
        self.choose();
    }

    fn choose(&mut self) {
        let mut order: Vec<usize> =
            (0..self.mean.len()).filter(|&i| self.mean[i].abs() >= STANDS_OUT).collect();
        if order.len() > LANDMARKS {
            order.select_nth_unstable_by(LANDMARKS, |&a, &b| {
                self.mean[b].abs().total_cmp(&self.mean[a].abs())
            });
            order.truncate(LANDMARKS);
        }
        self.landmarks =
            order.into_iter().map(|i| ((i % WIDTH) as i32, (i / WIDTH) as i32, self.mean[i])).collect();
    }

    /// Whether there is enough to hold on to.
    pub(super) fn is_telling(&self) -> bool {
        self.landmarks.len() >= FEWEST
    }

    /// Likeness of a picture to the reference when it is shifted back by so far, rightward and downward: 1 the same, 0
    /// another.
    pub(super) fn likeness(&self, features: &Features, [dx, dy]: [i32; 2]) -> f32 {
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
        // Few landmarks are like anything.
        if inside < FEWEST || inside * 3 < self.landmarks.len() {
            return 0.0;
        }
        product / (ours * theirs).sqrt().max(1e-6)
    }

    /// Searches for the view where the picture is most like the reference. `None` when that is at the edge of what is
    /// searched: it may be anywhere.
    pub(super) fn search(&self, features: &Features) -> Option<Shifted> {
        let [across, down] = REACH;
        let shifts = (-down..=down).flat_map(|dy| (-across..=across).map(move |dx| [dx, dy]));
        let best = shifts
            .map(|shift| (shift, self.likeness(features, shift)))
            .fold(([0, 0], f32::MIN), |best, tried| if tried.1 > best.1 { tried } else { best });
        let [dx, dy] = best.0;
        (dx.abs() < across && dy.abs() < down).then_some(best)
    }
}
