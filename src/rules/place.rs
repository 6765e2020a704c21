//! Zones, berths and lines: the places that rules name.

use crate::geometry::{Area, Segment};
use crate::ids::PlaceId;

/// A named area of one camera's picture: a zone, or the zones of a group together.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Unique in the site file.
    pub id: PlaceId,
    /// What staff call it.
    pub name: String,
    /// What it covers.
    pub area: Area,
    /// Given where vessels are moored in it.
    pub berth: Option<Berth>,
}

/// A zone in which vessels are moored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Berth {
    /// The least and the largest length, in metres, of the vessels for which it is meant.
    pub expected_length_m: Option<[f64; 2]>,
}

/// A named line in one camera's picture.
#[derive(Clone, Debug)]
pub struct Line {
    /// Unique in the site file.
    pub id: PlaceId,
    /// What staff call it.
    pub name: String,
    /// From, to.
    pub segment: Segment,
}
