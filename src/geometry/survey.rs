//! Units and origin of surveyed points.

use super::{Metre, Point};

/// The units of surveyed points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survey {
    /// Metres east and north of any fixed point.
    Metres,
    /// Degrees of latitude and longitude on WGS 84.
    Wgs84,
}

/// The origin of positions on the ground: the first surveyed point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Origin {
    survey: Survey,
    place: [f64; 2],
    /// Metres for one unit of the survey, in the order of `place`.
    scale: [f64; 2],
}

impl Origin {
    /// The origin at `place`, in the survey's units and order.
    pub(super) fn new(survey: Survey, place: [f64; 2]) -> Self {
        let scale = match survey {
            Survey::Metres => [1.0; 2],
            Survey::Wgs84 => metres_a_degree(place[0]),
        };
        Self { survey, place, scale }
    }

    /// Metres east and north of the origin.
    pub(super) fn metres_to(&self, place: [f64; 2]) -> [f64; 2] {
        let [a, b] = [0, 1].map(|i| (place[i] - self.place[i]) * self.scale[i]);
        if self.survey == Survey::Wgs84 { [b, a] } else { [a, b] }
    }

    /// A position in the units of the survey.
    pub fn place_of(&self, at: Point<Metre>) -> [f64; 2] {
        let (x, y) = (f64::from(at.x), f64::from(at.y));
        let metres = if self.survey == Survey::Wgs84 { [y, x] } else { [x, y] };
        [0, 1].map(|i| self.place[i] + metres[i] / self.scale[i])
    }

    /// The units.
    pub fn survey(&self) -> Survey {
        self.survey
    }
}

/// Metres for a degree of latitude and a degree of longitude at `latitude`: the radii of curvature of the WGS 84
/// ellipsoid (Torge and Müller, "Geodesy", 4th edition, section 4.1.3). Over 10 km the flat approximation has an error of 1 in 10,000.
fn metres_a_degree(latitude: f64) -> [f64; 2] {
    const EQUATOR_M: f64 = 6_378_137.0;
    const FLATTENING: f64 = 1.0 / 298.257_223_563;
    const ECCENTRICITY_SQUARED: f64 = FLATTENING * (2.0 - FLATTENING);
    let (sine, cosine) = latitude.to_radians().sin_cos();
    let w = (1.0 - ECCENTRICITY_SQUARED * sine * sine).sqrt();
    let meridian = EQUATOR_M * (1.0 - ECCENTRICITY_SQUARED) / w.powi(3);
    let prime_vertical = EQUATOR_M / w;
    [meridian.to_radians(), (prime_vertical * cosine).to_radians()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_as_long_as_the_tables_say() {
        // A degree of latitude and of longitude on WGS 84, from published tables.
        for (latitude, [north, east]) in
            [(0.0, [110_574.0, 111_320.0]), (45.0, [111_132.0, 78_847.0]), (60.0, [111_412.0, 55_800.0])]
        {
            let [of_latitude, of_longitude] = metres_a_degree(latitude);
            assert!((of_latitude - north).abs() < 1.0, "{of_latitude} at {latitude}");
            assert!((of_longitude - east).abs() < 1.0, "{of_longitude} at {latitude}");
        }
    }

    #[test]
    fn positions_convert_back_to_places() {
        for (survey, place, other) in [
            (Survey::Wgs84, [52.0987, 4.2601], [52.1012, 4.2655]),
            (Survey::Metres, [79_100.0, 457_300.0], [79_350.5, 457_222.25]),
        ] {
            let origin = Origin::new(survey, place);
            let [x, y] = origin.metres_to(other);
            let back = origin.place_of(Point::new(x as f32, y as f32));
            assert!((back[0] - other[0]).abs() < 1e-4 && (back[1] - other[1]).abs() < 1e-4, "{back:?}");
            assert!(x > 200.0 && x < 400.0, "eastward {x}");
        }
    }
}
