//! Variants: any number of scenes, each drawn at random after one of a few themes, with its own site file, its ground truth
//! and the signals that it must raise.
//!
//! Variants use the project's own drawings only, so they may be passed on. A variant depends on the seed, its theme and its
//! number alone: more variants, or fewer themes, leave the others as they were.

mod bridge;
mod canvas;
mod compose;
mod files;
mod near_miss;
mod plan;
mod prepare;
mod scale;
mod shore;
mod sprites;
mod style;
#[cfg(test)]
mod tests;
mod theme;
mod traffic;
mod variant;
mod vessels;

pub use files::VariantFolder;
pub use near_miss::NearMiss;
pub use prepare::Prepared;
pub use theme::Theme;
pub use variant::{FPS, Variant, variants};
