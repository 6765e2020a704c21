//! One variant: its theme, number, seed, length and size.

use super::theme::Theme;

/// Frames in this many seconds: 12.5 a second, three for each detection pass at four passes a second.
pub const FPS: [u32; 2] = [25, 2];

/// One variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// Its theme.
    pub theme: Theme,
    /// Its number among the variants of its theme, from 0.
    pub number: u32,
    /// Seed of the whole set.
    pub seed: u64,
    /// Length in seconds.
    pub seconds: u32,
    /// Width and height in pixels, even.
    pub size: (usize, usize),
}

/// `count` variants of these themes, in rotation.
pub fn variants(count: u32, seed: u64, themes: &[Theme], seconds: u32, size: (usize, usize)) -> Vec<Variant> {
    let rotation = themes.len().max(1) as u32;
    let variant = |n: u32| {
        let theme = *themes.get((n % rotation) as usize)?;
        Some(Variant { theme, number: n / rotation, seed, seconds, size })
    };
    (0..count).filter_map(variant).collect()
}

impl Variant {
    /// Its name, also of its folder: theme and number.
    pub fn id(&self) -> String {
        format!("{}-{:02}", self.theme.name(), self.number)
    }

    /// The number of its frames.
    pub fn frames(&self) -> u32 {
        self.seconds * FPS[0] / FPS[1]
    }

    /// Frames a second.
    pub fn fps(&self) -> f64 {
        f64::from(FPS[0]) / f64::from(FPS[1])
    }
}
