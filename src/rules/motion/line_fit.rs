//! Fits a straight line in time to weighted positions.

use std::collections::VecDeque;

use crate::clock::MonoTime;
use crate::geometry::Fix;
use crate::geometry::matrix::{dot, inverse};

/// The expected jitter of a box's edge, in pixels of a picture 1920 wide.
const JITTER_PX: f64 = 2.0;
/// The expectation counts as much as the residuals of this many positions.
const EXPECTED_COUNTS: f64 = 4.0;

/// Positions in the order of their times.
pub(super) type Positions = VecDeque<(MonoTime, Fix)>;

/// The path of a vessel as a straight line in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineFit {
    /// Seconds from the first position to the time at which the parameters hold.
    pub(super) middle: f64,
    /// Metres east and north of the first position, and metres a second.
    pub(super) parameters: [f64; 4],
    /// Their covariance from the jitter of each pass.
    own: [[f64; 4]; 4],
    /// The effect of each of the calibration's independent errors on them.
    shared: [[f64; 8]; 4],
}

impl LineFit {
    /// The line through positions, of which there must be at least one.
    pub(super) fn new(positions: &Positions) -> Option<Self> {
        let first = Self::fit(positions, [JITTER_PX; 2])?;
        // The weights in x and y depend on the residuals, but the residuals hardly on the weights: one iteration is enough.
        let mut line = Self::fit(positions, first.jitter(positions))?;
        let inflation = line.variance_inflation(positions);
        line.own.iter_mut().flatten().for_each(|part| *part *= inflation);
        Some(line)
    }

    /// Covariance of two parameters.
    pub(super) fn covariance(&self, i: usize, j: usize) -> f64 {
        self.own[i][j] + dot(&self.shared[i], &self.shared[j])
    }

    /// The least squares line for boxes with a jitter of `jitter` pixels in x and y.
    fn fit(positions: &Positions, jitter: [f64; 2]) -> Option<Self> {
        let ((first, start), n) = (positions.front()?, positions.len() as f64);
        let seconds = |at: &MonoTime| at.since(*first).as_secs_f64();
        let middle = positions.iter().map(|(at, _)| seconds(at)).sum::<f64>() / n;
        let (mut normal, mut right, mut shared) = ([[0.0; 4]; 4], [0.0; 4], [[0.0; 8]; 4]);
        for (at, fix) in positions {
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

    /// The distance of each position from the line, in pixels of the picture.
    fn residuals(&self, positions: &Positions) -> impl Iterator<Item = [f64; 2]> {
        let start = positions.front().copied();
        positions.iter().filter_map(move |(at, fix)| {
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

    /// Standard deviation of boxes in x and y, in pixels. It includes the expectation, because the spread of few residuals is
    /// itself uncertain (JCGM 101:2008, section 6.4.9).
    fn jitter(&self, positions: &Positions) -> [f64; 2] {
        let squares =
            self.residuals(positions).fold([0.0; 2], |sum, r| [sum[0] + r[0] * r[0], sum[1] + r[1] * r[1]]);
        // Each axis has two parameters, and the variance of a t distribution takes two degrees of freedom more.
        let free = positions.len() as f64 - 2.0 + EXPECTED_COUNTS - 2.0;
        squares.map(|squares| ((squares + EXPECTED_COUNTS * JITTER_PX.powi(2)) / free).sqrt())
    }

    /// The factor by which variances are larger because consecutive errors of a box are correlated. Source: Bayley and
    /// Hammersley, "The Effective Number of Independent Observations in an Autocorrelated Time Series", 1946, for a
    /// first-order autoregressive series.
    fn variance_inflation(&self, positions: &Positions) -> f64 {
        let (mut products, mut squares) = ([0.0; 2], [0.0; 2]);
        let mut before: Option<[f64; 2]> = None;
        for residual in self.residuals(positions) {
            for i in 0..2 {
                squares[i] += residual[i] * residual[i];
                products[i] += before.map_or(0.0, |before| before[i] * residual[i]);
            }
            before = Some(residual);
        }
        let correlation = (0..2).map(|i| products[i] / squares[i].max(1e-9)).sum::<f64>() / 2.0;
        // Fitting a line lowers the correlation of neighbours by about two in n.
        let correlation = (correlation + 2.0 / positions.len() as f64).clamp(0.0, 0.8);
        (1.0 + correlation) / (1.0 - correlation)
    }
}

/// The pixels of a metre eastward and of a metre northward: the inverse of [`Fix::metres_a_px`].
fn pixels_a_metre(fix: &Fix) -> Option<[[f64; 2]; 2]> {
    let [[a, b], [c, d]] = fix.metres_a_px;
    let determinant = a * d - b * c;
    (determinant != 0.0).then(|| [[d, -b], [-c, a]].map(|row| row.map(|part| part / determinant)))
}
