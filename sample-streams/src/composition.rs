//! What a scene is composed of.

use crate::picture::{Picture, Sprite};
use crate::vessel::Vessel;
use crate::water::Waves;
use crate::weather::Weather;

/// The light on the vessels of a scene.
#[derive(Debug, Clone, Copy)]
pub struct Light {
    /// Factors for the colours of what only the sky lights.
    pub sky: [f32; 3],
    /// Brightness that a vessel's own lamps add to the deck near them.
    pub deck: f32,
    /// Brightness of foam, 0 to 255.
    pub foam: u8,
    /// Largest brightness step of the sensor noise.
    pub noise: i8,
}

/// Everything that a scene is composed of.
#[derive(Debug)]
pub struct Composition {
    /// The fixed picture under water and vessels.
    pub background: Picture,
    /// The water over it.
    pub waves: Waves,
    /// The light.
    pub light: Light,
    /// The row of the horizon of the perspective, and the row at which a vessel has its stated length.
    pub rows: [f32; 2],
    /// The vessels.
    pub vessels: Vec<Vessel>,
    /// The weather between scene and camera.
    pub weather: Weather,
    /// Things on or over the water that are not vessels.
    pub floating: Vec<FloatingObject>,
    /// Objects between the vessels and the camera, from far to near.
    pub foreground: Vec<Foreground>,
}

impl Composition {
    /// A scene in fine weather with vessels only.
    pub fn fine(
        background: Picture,
        waves: Waves,
        light: Light,
        rows: [f32; 2],
        vessels: Vec<Vessel>,
    ) -> Self {
        let (weather, floating, foreground) = (Weather::default(), Vec::new(), Vec::new());
        Self { background, waves, light, rows, vessels, weather, floating, foreground }
    }
}

/// Something that is not a vessel. It is drawn under the vessels and is not in the ground truth.
#[derive(Debug)]
pub struct FloatingObject {
    /// Its picture.
    pub sprite: Sprite,
    /// Its top left corner at the start, in pixels.
    pub at: [f32; 2],
    /// Its speed, in pixels a second.
    pub drift: [f32; 2],
}

/// Something in front of the vessels; its opaque parts hide what is behind them.
#[derive(Debug)]
pub struct Foreground {
    /// Its picture.
    pub sprite: Sprite,
    /// Its top left corner, in pixels.
    pub at: [i32; 2],
}
