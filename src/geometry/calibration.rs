//! The calibration of a camera: from the picture to the ground and back, with uncertainties.

use super::homography::Homography;
use super::matrix::dot;
use super::{Metre, Norm, Origin, Point, Survey};

/// Errors in the picture are in pixels of a picture of this size, whatever size the camera sends.
const PICTURE: [f64; 2] = [1920.0, 1080.0];
/// Two points that are nearer than this in the picture count as one point.
const TWINS_PX: f64 = 4.0;
/// The same on the ground.
const TWINS_M: f64 = 0.05;
/// A triangle with a smaller height in the picture counts as a line, because of the error of a mouse click.
const FLAT_PX: f64 = 6.0;
/// The same on the ground, as a fraction of the longest side.
const FLAT: f64 = 0.02;
/// With a larger condition number, small errors of the points move positions far.
const WORST_CONDITION: f64 = 400.0;
/// A point farther from the first is probably mistyped.
const FARTHEST_POINT_M: f64 = 20_000.0;
/// A larger mean error means that the points do not lie in one plane.
const WORST_FIT_PX: f64 = 40.0;
/// A residual this many times as large as the given error is checked for a mistyped point.
const STRAY: f64 = 3.0;
/// The given error counts as this many measurements beside the residuals, because few points say little about errors.
const STATED_COUNTS: f64 = 4.0;
/// A position with a larger uncertainty for one pixel of error is not returned.
const WORST_FIX_M: f64 = 50.0;

/// Maps between a camera's picture and the plane of the water, with errors.
///
/// It assumes a lens without distortion and a constant water level. Where straight quays look bent, or the water is metres
/// lower than surveyed, errors are larger than the uncertainties.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    view: Homography,
    origin: Origin,
    /// Standard error of the points in the picture.
    error_px: f64,
    residuals: Vec<Residual>,
}

/// The deviation of a surveyed point from the calibration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// The point in the picture, as given.
    pub image: Point<Norm>,
    /// The point on the ground, as surveyed.
    pub ground: Point<Metre>,
    /// Distance in the picture, in pixels of a picture of 1920 by 1080.
    pub px: f32,
    /// Distance on the ground.
    pub metres: f32,
}

/// A position on the ground with the sources of its errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    /// Metres east and north of the calibration's first point.
    pub at: Point<Metre>,
    /// Metres (rows: east, north) for one pixel (columns: x, y) of a picture of 1920 by 1080.
    pub metres_a_px: [[f64; 2]; 2],
    /// Metres that it moves for each of the eight independent errors of the calibration, at one standard deviation.
    /// All fixes of a calibration share these errors, so averaging does not reduce them.
    pub shared: [[f64; 8]; 2],
}

impl Fix {
    /// Covariance in square metres, with errors in the picture of these standard deviations in x and y, in pixels of a
    /// picture of 1920 by 1080.
    pub fn covariance(&self, error_px: [f64; 2]) -> [[f64; 2]; 2] {
        let own = self.metres_a_px.map(|row| [row[0] * error_px[0], row[1] * error_px[1]]);
        [0, 1].map(|i| [0, 1].map(|j| dot(&own[i], &own[j]) + dot(&self.shared[i], &self.shared[j])))
    }

    /// Standard uncertainty in metres in the direction in which it is largest, for [`Self::covariance`].
    pub fn uncertainty(&self, error_px: [f64; 2]) -> f64 {
        let [[xx, xy], [_, yy]] = self.covariance(error_px);
        ((xx + yy) / 2.0 + ((xx - yy) / 2.0).hypot(xy)).sqrt()
    }
}

/// Why points give no calibration. Points count from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// Fewer than four.
    #[error("a calibration needs at least 4 points, this has {0}")]
    TooFew(usize),
    /// A point far from the others.
    #[error("points[{0}] is {1:.0} km from points[0]")]
    Apart(usize, f64),
    /// Two points in one place, in the picture or on the ground.
    #[error("points[{0}] and points[{1}] are one place {2}")]
    Twins(usize, usize, &'static str),
    /// Three of four on one line, in the picture or on the ground.
    #[error("points {0:?} lie on one line {1}: with only one more point, the ground is not determined")]
    OnOneLine([usize; 3], &'static str),
    /// No camera can see the points in this arrangement.
    #[error(
        "no camera sees these points so: the order of some of them in the picture is not that on the ground"
    )]
    Folded,
    /// Left and right are swapped.
    #[error("the ground is a mirror image of the picture")]
    Mirrored,
    /// The points nearly lie on a line.
    #[error(
        "the points hardly determine the ground: all but one of them are near one line (condition {0:.0}, at most {WORST_CONDITION:.0})"
    )]
    IllConditioned(f64),
    /// The residuals are too large for points of one plane.
    #[error("the points do not fit a flat ground: they are off by {0:.0} px of a picture of 1920 on average")]
    NoFit(f64),
}

impl Calibration {
    /// Fits surveyed points: each with its position in the picture and its place in the units of `survey`.
    ///
    /// `error_px` is the standard error of a point in the picture, in pixels of a picture of 1920 by 1080. With more
    /// than four points, the residuals count as well.
    pub fn fit(
        survey: Survey,
        points: &[(Point<Norm>, [f64; 2])],
        error_px: f32,
    ) -> Result<Self, CalibrationError> {
        let [(_, first), ..] = points else { return Err(CalibrationError::TooFew(0)) };
        let origin = Origin::new(survey, *first);
        let pairs: Vec<_> =
            points.iter().map(|&(image, place)| (origin.metres_to(place), pixels(image))).collect();
        refuse_degenerate(&pairs)?;
        let view = Homography::fit(&pairs).ok_or(CalibrationError::Folded)?;
        if view.is_mirrored() {
            return Err(CalibrationError::Mirrored);
        }
        if view.condition.is_nan() || view.condition > WORST_CONDITION {
            return Err(CalibrationError::IllConditioned(view.condition));
        }
        let residuals = residuals(&view, &pairs).ok_or(CalibrationError::Folded)?;
        let squares: f64 = residuals.iter().map(|r| f64::from(r.px).powi(2)).sum();
        let mean = (squares / pairs.len() as f64).sqrt();
        if mean > WORST_FIT_PX {
            return Err(CalibrationError::NoFit(mean));
        }
        let free = 2.0 * pairs.len() as f64 - 8.0;
        let stated = f64::from(error_px).powi(2);
        let error_px = ((squares + STATED_COUNTS * stated) / (free + STATED_COUNTS)).sqrt();
        Ok(Self { view, origin, error_px, residuals })
    }

    /// The ground at `image`. `None` at the horizon, above it, and where one pixel is more than 50 m.
    pub fn ground(&self, image: Point<Norm>) -> Option<Fix> {
        let [x, y] = self.view.ground(pixels(image))?;
        let local = self.view.at([x, y])?;
        let metres_a_px = local.by_image()?;
        let errors = local.errors(&self.view.spread);
        let error = |row: &[f64; 2], of: usize| dot(row, &[errors[0][of], errors[1][of]]) * self.error_px;
        let shared = metres_a_px.each_ref().map(|row| std::array::from_fn(|of| error(row, of)));
        let fix = Fix { at: Point::new(x as f32, y as f32), metres_a_px, shared };
        (fix.uncertainty([1.0; 2]) < WORST_FIX_M).then_some(fix)
    }

    /// Width of an object of that many metres that lies across the view at `image`, in widths of the picture. An upright
    /// object there has the same size as its height. `None` as for [`Self::ground`].
    pub fn width_of(&self, metres: f32, image: Point<Norm>) -> Option<f32> {
        let [[east, _], [north, _]] = self.ground(image)?.metres_a_px;
        Some((f64::from(metres) / (east.hypot(north) * PICTURE[0])) as f32)
    }

    /// The place on the ground in the picture, possibly outside its edges; `None` behind the camera.
    pub fn image(&self, ground: Point<Metre>) -> Option<Point<Norm>> {
        let p = point(self.view.at([f64::from(ground.x), f64::from(ground.y)])?.image);
        (p.x.is_finite() && p.y.is_finite()).then_some(p)
    }

    /// The deviation of each point, in the given order.
    pub fn residuals(&self) -> &[Residual] {
        &self.residuals
    }

    /// The point that contradicts the others by more than `error_px` explains, with its deviation from their fit. `None`
    /// with fewer than six points, because the rest of five fits whichever point is left out.
    pub fn stray(&self, error_px: f32) -> Option<(usize, Residual)> {
        let pairs: Vec<_> = self
            .residuals
            .iter()
            .map(|r| ([f64::from(r.ground.x), f64::from(r.ground.y)], pixels(r.image)))
            .collect();
        let free = 2.0 * pairs.len() as f64 - 8.0;
        let squares: f64 = self.residuals.iter().map(|r| f64::from(r.px).powi(2)).sum();
        if pairs.len() < 6 || squares / free < (STRAY * f64::from(error_px)).powi(2) {
            return None;
        }
        // Least squares spreads the mistake of one point over all. The mistyped point is the one without which the
        // rest fits best.
        let without = |index: usize| {
            let mut rest = pairs.clone();
            rest.remove(index);
            let view = Homography::fit(&rest)?;
            let off = residuals(&view, &pairs)?;
            let others = off.iter().enumerate().filter(|(other, _)| *other != index);
            Some((others.map(|(_, r)| f64::from(r.px).powi(2)).sum::<f64>(), index, off[index]))
        };
        let best = (0..pairs.len()).filter_map(without).min_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 < squares / 4.0).then_some((best.1, best.2))
    }

    /// Standard error of the points in the picture, from their residuals and the given error, in pixels of a picture of
    /// 1920 by 1080.
    pub fn error_px(&self) -> f64 {
        self.error_px
    }

    /// The origin of positions.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

fn pixels(image: Point<Norm>) -> [f64; 2] {
    [f64::from(image.x) * PICTURE[0], f64::from(image.y) * PICTURE[1]]
}

fn point([x, y]: [f64; 2]) -> Point<Norm> {
    Point::new((x / PICTURE[0]) as f32, (y / PICTURE[1]) as f32)
}

fn residuals(view: &Homography, pairs: &[([f64; 2], [f64; 2])]) -> Option<Vec<Residual>> {
    let residual = |&(ground, image): &([f64; 2], [f64; 2])| {
        let local = view.at(ground)?;
        let off = [image[0] - local.image[0], image[1] - local.image[1]];
        // Along the ground from the point, because the pixel itself may show the sky.
        let [east, north] = local.by_image()?.map(|row| dot(&row, &off));
        Some(Residual {
            image: point(image),
            ground: Point::new(ground[0] as f32, ground[1] as f32),
            px: off[0].hypot(off[1]) as f32,
            metres: east.hypot(north) as f32,
        })
    };
    pairs.iter().map(residual).collect()
}

fn refuse_degenerate(pairs: &[([f64; 2], [f64; 2])]) -> Result<(), CalibrationError> {
    let n = pairs.len();
    if n < 4 {
        return Err(CalibrationError::TooFew(n));
    }
    let far = |pair: &([f64; 2], [f64; 2])| pair.0[0].hypot(pair.0[1]) > FARTHEST_POINT_M;
    if let Some(index) = pairs.iter().position(far) {
        let [x, y] = pairs[index].0;
        return Err(CalibrationError::Apart(index, x.hypot(y) / 1000.0));
    }
    for (a, b) in (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))) {
        if distance(pairs[a].1, pairs[b].1) < TWINS_PX {
            return Err(CalibrationError::Twins(a, b, "in the picture"));
        }
        if distance(pairs[a].0, pairs[b].0) < TWINS_M {
            return Err(CalibrationError::Twins(a, b, "on the ground"));
        }
    }
    if n == 4 {
        for without in 0..4 {
            let three: [usize; 3] = std::array::from_fn(|i| i + usize::from(i >= without));
            let (height, _) = triangle(three.map(|i| pairs[i].1));
            if height < FLAT_PX {
                return Err(CalibrationError::OnOneLine(three, "in the picture"));
            }
            let (height, side) = triangle(three.map(|i| pairs[i].0));
            if height < side * FLAT {
                return Err(CalibrationError::OnOneLine(three, "on the ground"));
            }
        }
    }
    Ok(())
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Height over the longest side, and the length of that side.
fn triangle([a, b, c]: [[f64; 2]; 3]) -> (f64, f64) {
    let side = distance(a, b).max(distance(b, c)).max(distance(c, a));
    let twice = ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])).abs();
    (twice / side, side)
}

#[cfg(test)]
mod tests;
