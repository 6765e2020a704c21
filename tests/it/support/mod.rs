//! What stands in for the world: cameras.

pub(crate) mod camera;
