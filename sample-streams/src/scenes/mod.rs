//! The scenes: who sails where, and what is behind them.

pub(crate) mod backdrop;
mod inner_harbour;
mod quay_east;
mod roads;
mod small;

use anyhow::Result;

use crate::encode::Codec;
use crate::material::Material;
use crate::stage::Setting;

/// Frames a second of every scene.
pub const FPS: u32 = 25;

/// One clip to be made.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// Its name: the camera's id, and the stem of its files.
    pub id: &'static str,
    /// How it is coded.
    pub codec: Codec,
    /// The coder's constant rate factor: lower is finer and larger.
    pub quality: u32,
    /// Its length. Who moves is out of the picture at both ends, so it can be looped.
    pub seconds: u32,
    /// Its width and height in pixels.
    pub size: (usize, usize),
    /// Builds it.
    pub setting: fn(Option<&Material>) -> Result<Setting>,
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
        setting: roads::setting,
    },
    Scene {
        id: "inner-harbour",
        codec: Codec::H264,
        quality: 27,
        seconds: 60,
        size: (1920, 1080),
        setting: inner_harbour::setting,
    },
    Scene {
        id: "quay-east",
        codec: Codec::H264,
        quality: 27,
        seconds: 60,
        size: (1920, 1080),
        setting: quay_east::setting,
    },
];

/// Two short clips for tests, which need no material from elsewhere.
pub const SMALL: [Scene; 2] = [
    Scene {
        id: "small-h264",
        codec: Codec::H264,
        quality: 25,
        seconds: 6,
        size: (640, 360),
        setting: small::setting,
    },
    Scene {
        id: "small-h265",
        codec: Codec::H265,
        quality: 25,
        seconds: 6,
        size: (640, 360),
        setting: small::setting,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage;

    #[test]
    fn a_scene_drawn_twice_gives_the_same_bytes() {
        let scene = &SMALL[0];
        let draw = |frames: [u32; 3]| {
            let setting = (scene.setting)(None).unwrap();
            let mut stage = Stage::new(setting, None, scene.seconds as f32, FPS as f32).unwrap();
            frames.map(|n| stage.draw(n))
        };
        let (forth, back) = (draw([0, 40, 90]), draw([90, 40, 0]));
        assert_eq!(forth[0], back[2]);
        assert_eq!(forth[1], back[1]);
        assert_eq!(forth[2], back[0]);
        assert_ne!(forth[0].0, forth[1].0);
    }

    #[test]
    fn who_moves_is_out_of_the_picture_at_both_ends() {
        let scene = &SMALL[0];
        let setting = (scene.setting)(None).unwrap();
        let moored: Vec<u32> = setting.vessels.iter().filter(|v| v.voyage.len() == 1).map(|v| v.id).collect();
        let mut stage = Stage::new(setting, None, scene.seconds as f32, FPS as f32).unwrap();
        for frame in [0, scene.frames() - 1] {
            let seen: Vec<u32> = stage.draw(frame).1.iter().map(|s| s.id).collect();
            assert_eq!(seen, moored);
        }
    }
}
