//! A straight way through positions of unlike weight.

use std::collections::VecDeque;

use crate::clock::MonoTime;
use crate::geometry::Fix;
use crate::geometry::matrix::{dot, inverse};

/// What a box's edge is expected to jitter before it was seen to, in pixels of a picture of 1920.
const JITTER_PX: f64 = 2.0;
/// How many positions' residuals that expectation counts for.
const EXPECTED_COUNTS: f64 = 4.0;

/// Positions in the order of their times.
pub(super) type Looks = VecDeque<(MonoTime, Fix)>;

/// A vessel's way as a straight line in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Seconds from the first position to the time at which the parameters hold.
    pub(super) middle: f64,
    /// Metres east and north of the first position, and metres a second.
    pub(super) parameters: [f64; 4],
    /// Their covariance from jitter that is new in each look.
    own: [[f64; 4]; 4],
    /// What each of the calibration's independent errors is in them.
    shared: [[f64; 8]; 4],
}

impl Line {
    /// The line through positions, of which there is at least one.
    pub(super) fn through(looks: &Looks) -> Option<Self> {
        let guessed = Self::fit(looks, [JITTER_PX; 2])?;
        // Weights in x and y follow from the residuals, and the residuals hardly from the weights: once is enough.
        let mut line = Self::fit(looks, guessed.jitter(looks))?;
        let memory = line.memory(looks);
        line.own.iter_mut().flatten().for_each(|part| *part *= memory);
        Some(line)
    }

    /// Covariance of two parameters.
    pub(super) fn covariance(&self, i: usize, j: usize) -> f64 {
        self.own[i][j] + dot(&self.shared[i], &self.shared[j])
    }

    /// The line of least squares for boxes with `jitter` pixels in x and y.
    fn fit(looks: &Looks, jitter: [f64; 2]) -> Option<Self> {
        let ((first, start), n) = (looks.front()?, looks.len() as f64);
        let seconds = |at: &MonoTime| at.since(*first).as_secs_f64();
        let middle = looks.iter().map(|(at, _)| seconds(at)).sum::<f64>() / n;
        let (mut normal, mut right, mut shared) = ([[0.0; 4]; 4], [0.0; 4], [[0.0; 8]; 4]);
        for (at, fix) in looks {
            let Some(pixels) = pixels_a_metre(fix) else { continue };
            let time = seconds(at) - middle;
            let place = [f64::from(fix.at.x - start.at.x), f64::from(fix.at.y - start.at.y)];
            for (row, jitter) in pixels.iter().zip(jitter) {
                let row = row.map(|part| part / jitter);
                let model = [row[0], row[1], row[0] * time, row[1] * time];
                let seen = dot(&row, &place);
                let errors: [f64; 8] =
                    std::array::from_fn(|k| row[0] * fix.shared[0][k] + row[1] * fix.shared[1][k]);
                for (i, part) in model.iter().enumerate() {
                    normal[i].iter_mut().zip(&model).for_each(|(sum, other)| *sum += part * other);
                    shared[i].iter_mut().zip(&errors).for_each(|(sum, error)| *sum += part * error);
                    right[i] += part * seen;
                }
            }
        }
        let own = inverse(normal);
        let shared = own.map(|row| std::array::from_fn(|k| (0..4).map(|i| row[i] * shared[i][k]).sum()));
        Some(Self { middle, parameters: own.map(|row| dot(&row, &right)), own, shared })
    }

    /// How far each position lies from the line, in pixels of the picture.
    fn residuals(&self, looks: &Looks) -> impl Iterator<Item = [f64; 2]> {
        let start = looks.front().copied();
        looks.iter().filter_map(move |(at, fix)| {
            let (first, start) = start?;
            let time = at.since(first).as_secs_f64() - self.middle;
            let [x, y, vx, vy] = self.parameters;
            let off = [
                f64::from(fix.at.x - start.at.x) - x - vx * time,
                f64::from(fix.at.y - start.at.y) - y - vy * time,
            ];
            Some(pixels_a_metre(fix)?.map(|row| dot(&row, &off)))
        })
    }

    /// Standard deviation of boxes in x and y, in pixels. With few residuals beside a guess: their own spread is widely
    /// uncertain, and counts for more by that (JCGM 101:2008, section 6.4.9).
    fn jitter(&self, looks: &Looks) -> [f64; 2] {
        let squares =
            self.residuals(looks).fold([0.0; 2], |sum, r| [sum[0] + r[0] * r[0], sum[1] + r[1] * r[1]]);
        // Each axis gave two parameters away, and a t distribution of so many degrees is wider by two more.
        let free = looks.len() as f64 - 2.0 + EXPECTED_COUNTS - 2.0;
        squares.map(|squares| ((squares + EXPECTED_COUNTS * JITTER_PX.powi(2)) / free).sqrt())
    }

    /// By how much variances grow since a box that is too low stays so for a while: positions a look apart are no two
    /// independent ones (of a first-order autoregressive series: Bayley and Hammersley, "The Effective Number of
    /// Independent Observations in an Autocorrelated Time Series", 1946).
    fn memory(&self, looks: &Looks) -> f64 {
        let (mut together, mut squares) = ([0.0; 2], [0.0; 2]);
        let mut before: Option<[f64; 2]> = None;
        for residual in self.residuals(looks) {
            for i in 0..2 {
                squares[i] += residual[i] * residual[i];
                together[i] += before.map_or(0.0, |before| before[i] * residual[i]);
            }
            before = Some(residual);
        }
        let alike = (0..2).map(|i| together[i] / squares[i].max(1e-9)).sum::<f64>() / 2.0;
        // A line through them makes neighbours look less alike than they are, by about two in n.
        let alike = (alike + 2.0 / looks.len() as f64).clamp(0.0, 0.8);
        (1.0 + alike) / (1.0 - alike)
    }
}

/// Pixels that a metre eastward and northward is: the inverse of [`Fix::metres_a_px`].
fn pixels_a_metre(fix: &Fix) -> Option<[[f64; 2]; 2]> {
    let [[a, b], [c, d]] = fix.metres_a_px;
    let determinant = a * d - b * c;
    (determinant != 0.0).then(|| [[d, -b], [-c, a]].map(|row| row.map(|part| part / determinant)))
}
