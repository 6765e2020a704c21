//! The homography between the ground plane and the picture.

use super::matrix::{dot, eigen};

/// Iterations of least squares. Three or four suffice from the first solution.
const STEPS: usize = 20;

/// A homography for a camera without distortion, fitted to pairs of points, with its uncertainty.
///
/// Both sides are centred and scaled, so that the eight parameters have similar sizes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Homography {
    ground: Scaling,
    image: Scaling,
    h: [f64; 8],
    /// The effect of the pairs' errors (standard deviation: one image unit) on the parameters, as eight independent
    /// errors with a standard deviation of one.
    pub(super) spread: [[f64; 8]; 8],
    /// The condition number of the equations that gave the parameters.
    pub(super) condition: f64,
}

/// Translates points to their centre and scales them to a mean square distance of two (Hartley, "In Defense of the Eight-Point
/// Algorithm", IEEE TPAMI 19(6), 1997).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scaling {
    middle: [f64; 2],
    size: f64,
}

impl Scaling {
    fn of(points: impl ExactSizeIterator<Item = [f64; 2]> + Clone) -> Self {
        let n = points.len() as f64;
        let middle = [0, 1].map(|i| points.clone().map(|p| p[i]).sum::<f64>() / n);
        let square = points.map(|p| (p[0] - middle[0]).powi(2) + (p[1] - middle[1]).powi(2)).sum::<f64>() / n;
        Self { middle, size: (square / 2.0).sqrt() }
    }

    fn to(self, p: [f64; 2]) -> [f64; 2] {
        [0, 1].map(|i| (p[i] - self.middle[i]) / self.size)
    }

    fn from(self, p: [f64; 2]) -> [f64; 2] {
        [0, 1].map(|i| self.middle[i] + p[i] * self.size)
    }
}

/// The linearised view near one ground point.
pub(super) struct Local {
    /// The point in the picture.
    pub(super) image: [f64; 2],
    /// Change in the picture for a move on the ground: rows x and y of the picture.
    pub(super) by_ground: [[f64; 2]; 2],
    /// Change in the picture for a change of each parameter.
    by_parameter: [[f64; 8]; 2],
}

impl Homography {
    /// Fits (ground, image) pairs, at least four, no three of them on a line: the normalised direct linear transform,
    /// then least squares of the distances in the picture with the Gauss-Newton method (Hartley and Zisserman,
    /// "Multiple View Geometry in Computer Vision", 2nd edition, algorithms 4.2 and 4.3; section 5.2 for the covariance).
    ///
    /// `None` when no camera can have all points in front of it.
    pub(super) fn fit(pairs: &[([f64; 2], [f64; 2])]) -> Option<Self> {
        let ground = Scaling::of(pairs.iter().map(|pair| pair.0));
        let image = Scaling::of(pairs.iter().map(|pair| pair.1));
        let pairs: Vec<_> = pairs.iter().map(|&(g, i)| (ground.to(g), image.to(i))).collect();
        let mut h = direct(&pairs)?;
        let mut error = squares(&h, &pairs)?;
        let mut steps = 0;
        let (values, condition) = loop {
            let (normal, slope) = equations(&h, &pairs)?;
            let values = eigen(normal);
            let step = solve(&values, &slope);
            let next: [f64; 8] = std::array::from_fn(|i| h[i] + step[i]);
            steps += 1;
            match squares(&next, &pairs) {
                Some(less) if less < error * (1.0 - 1e-12) && steps < STEPS => (h, error) = (next, less),
                _ => break (values, (values[7].0 / values[0].0.max(f64::MIN_POSITIVE)).sqrt()),
            }
        };
        let spread =
            values.map(|(value, vector)| vector.map(|part| part / (value.max(1e-300).sqrt() * image.size)));
        Some(Self { ground, image, h, spread, condition })
    }

    /// The view near `ground`; `None` behind the camera.
    pub(super) fn at(&self, ground: [f64; 2]) -> Option<Local> {
        let g = self.ground.to(ground);
        let p = project(&self.h, g)?;
        let by_parameter = by_parameter(&self.h, g, p).map(|row| row.map(|part| part * self.image.size));
        let depth = depth(&self.h, g);
        let scale = self.image.size / (self.ground.size * depth);
        let by_ground = [0, 1].map(|i| [0, 1].map(|j| (self.h[3 * i + j] - p[i] * self.h[6 + j]) * scale));
        Some(Local { image: self.image.from(p), by_ground, by_parameter })
    }

    /// The ground point at `image`; `None` at the horizon and above.
    pub(super) fn ground(&self, image: [f64; 2]) -> Option<[f64; 2]> {
        let (p, h) = (self.image.to(image), &self.h);
        let m = [0, 1].map(|i| [0, 1].map(|j| h[3 * i + j] - p[i] * h[6 + j]));
        let right = [p[0] - h[2], p[1] - h[5]];
        let inverse = inverse(m)?;
        let g = inverse.map(|row| dot(&row, &right));
        (depth(h, g) > 0.0).then(|| self.ground.from(g))
    }

    /// True when the picture shows the plane mirrored or from below.
    pub(super) fn is_mirrored(&self) -> bool {
        let [a, b, c, d, e, f, g, h] = self.h;
        // North is up and picture rows count downward, so seen from above the two orientations are opposite.
        a * (e - f * h) - b * (d - f * g) + c * (d * h - e * g) > 0.0
    }
}

impl Local {
    /// Metres on the ground for one image unit: rows x and y of the ground. `None` where the camera lies in the plane.
    pub(super) fn by_image(&self) -> Option<[[f64; 2]; 2]> {
        inverse(self.by_ground)
    }

    /// The effect of the eight independent errors of `spread` in the picture here.
    pub(super) fn errors(&self, spread: &[[f64; 8]; 8]) -> [[f64; 8]; 2] {
        self.by_parameter.map(|row| spread.map(|error| dot(&row, &error)))
    }
}

fn inverse([[a, b], [c, d]]: [[f64; 2]; 2]) -> Option<[[f64; 2]; 2]> {
    let determinant = a * d - b * c;
    let inverse = [[d, -b], [-c, a]].map(|row| row.map(|part| part / determinant));
    inverse.iter().flatten().all(|part| part.is_finite()).then_some(inverse)
}

/// Depth of `g` along the view, where the centre of the points has depth one.
fn depth(h: &[f64; 8], g: [f64; 2]) -> f64 {
    h[6] * g[0] + h[7] * g[1] + 1.0
}

fn project(h: &[f64; 8], g: [f64; 2]) -> Option<[f64; 2]> {
    let depth = depth(h, g);
    (depth > 1e-9).then(|| [0, 1].map(|i| (h[3 * i] * g[0] + h[3 * i + 1] * g[1] + h[3 * i + 2]) / depth))
}

fn by_parameter(h: &[f64; 8], [x, y]: [f64; 2], [u, v]: [f64; 2]) -> [[f64; 8]; 2] {
    let depth = depth(h, [x, y]);
    [[x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y], [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y]]
        .map(|row| row.map(|part| part / depth))
}

/// The direct linear transform: the parameters with the smallest algebraic errors.
fn direct(pairs: &[([f64; 2], [f64; 2])]) -> Option<[f64; 8]> {
    let mut normal = [[0.0; 9]; 9];
    for &([x, y], [u, v]) in pairs {
        for row in
            [[x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, -u], [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, -v]]
        {
            add_square(&mut normal, &row);
        }
    }
    let [(_, least), ..] = eigen(normal);
    // The centre of points in front of a camera is in front of it too, so its depth, the last parameter, can be one.
    let h: [f64; 8] = std::array::from_fn(|i| least[i] / least[8]);
    h.iter().all(|part| part.is_finite()).then_some(h)
}

/// Sum of squared distances in the picture.
fn squares(h: &[f64; 8], pairs: &[([f64; 2], [f64; 2])]) -> Option<f64> {
    pairs.iter().try_fold(0.0, |sum, &(g, [u, v])| {
        let [x, y] = project(h, g)?;
        Some(sum + (u - x).powi(2) + (v - y).powi(2))
    })
}

/// The normal equations of the Gauss-Newton method.
fn equations(h: &[f64; 8], pairs: &[([f64; 2], [f64; 2])]) -> Option<([[f64; 8]; 8], [f64; 8])> {
    let (mut normal, mut slope) = ([[0.0; 8]; 8], [0.0; 8]);
    for &(g, image) in pairs {
        let p = project(h, g)?;
        for (i, row) in by_parameter(h, g, p).iter().enumerate() {
            add_square(&mut normal, row);
            slope.iter_mut().zip(row).for_each(|(sum, part)| *sum += part * (image[i] - p[i]));
        }
    }
    Some((normal, slope))
}

fn solve(values: &[(f64, [f64; 8]); 8], right: &[f64; 8]) -> [f64; 8] {
    let mut solution = [0.0; 8];
    for (value, vector) in values.iter().filter(|(value, _)| *value > f64::EPSILON * values[7].0) {
        let along = dot(vector, right) / value;
        solution.iter_mut().zip(vector).for_each(|(sum, part)| *sum += along * part);
    }
    solution
}

fn add_square<const N: usize>(sum: &mut [[f64; N]; N], row: &[f64; N]) {
    for (sums, a) in sum.iter_mut().zip(row) {
        sums.iter_mut().zip(row).for_each(|(sum, b)| *sum += a * b);
    }
}
