//! The fixed scenes of the demo and of tests.

pub(crate) mod background;
mod inner_harbour;
mod quay_east;
mod roads;
mod small;

use anyhow::Result;

use crate::composition::Composition;
use crate::encode::Codec;

/// Frames a second of every scene.
pub const FPS: u32 = 25;

/// One scene, drawn as one clip.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// Its name: the id of the camera and the stem of its files.
    pub id: &'static str,
    /// Its codec.
    pub codec: Codec,
    /// Constant rate factor of the encoder: a lower one gives a better and larger clip.
    pub quality: u32,
    /// Its length. Moving vessels are out of view at both ends, so that it can be looped.
    pub seconds: u32,
    /// Its width and height in pixels.
    pub size: (usize, usize),
    /// Makes its composition.
    pub composition: fn() -> Result<Composition>,
}

impl Scene {
    /// The number of frames.
    pub fn frames(&self) -> u32 {
        self.seconds * FPS
    }
}

/// The three scenes of the demo.
pub const SCENES: [Scene; 3] = [
    Scene {
        id: "roads",
        codec: Codec::H265,
        quality: 27,
        seconds: 60,
        size: (1920, 1080),
        composition: roads::composition,
    },
    Scene {
        id: "inner-harbour",
        codec: Codec::H264,
        quality: 27,
        seconds: 60,
        size: (1920, 1080),
        composition: inner_harbour::composition,
    },
    Scene {
        id: "quay-east",
        codec: Codec::H264,
        quality: 27,
        seconds: 60,
        size: (1920, 1080),
        composition: quay_east::composition,
    },
];

/// Two short scenes for tests, from the project's own drawings only.
pub const SMALL: [Scene; 2] = [
    Scene {
        id: "small-h264",
        codec: Codec::H264,
        quality: 25,
        seconds: 6,
        size: (640, 360),
        composition: small::composition,
    },
    Scene {
        id: "small-h265",
        codec: Codec::H265,
        quality: 25,
        seconds: 6,
        size: (640, 360),
        composition: small::composition,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::renderer::Renderer;

    #[test]
    fn a_scene_drawn_twice_gives_the_same_bytes() {
        let scene = &SMALL[0];
        let draw = |frames: [u32; 3]| {
            let composition = (scene.composition)().unwrap();
            let mut renderer = Renderer::new(composition, scene.seconds as f32, FPS as f32).unwrap();
            frames.map(|n| renderer.draw(n))
        };
        let (forth, back) = (draw([0, 40, 90]), draw([90, 40, 0]));
        assert_eq!(forth[0], back[2]);
        assert_eq!(forth[1], back[1]);
        assert_eq!(forth[2], back[0]);
        assert_ne!(forth[0].0, forth[1].0);
    }

    #[test]
    fn moving_vessels_are_out_of_view_at_both_ends() {
        let scene = &SMALL[0];
        let composition = (scene.composition)().unwrap();
        let moored: Vec<u32> =
            composition.vessels.iter().filter(|v| v.route.len() == 1).map(|v| v.id).collect();
        let mut renderer = Renderer::new(composition, scene.seconds as f32, FPS as f32).unwrap();
        for frame in [0, scene.frames() - 1] {
            let boxes: Vec<u32> = renderer.draw(frame).1.iter().map(|s| s.id).collect();
            assert_eq!(boxes, moored);
        }
    }
}
