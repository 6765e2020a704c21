//! Prepares a variant: everything but its pictures.

use anyhow::Result;
use test_support::Rng;

use super::compose::compose;
use super::near_miss::NearMiss;
use super::plan::plan;
use super::style::Style;
use super::variant::Variant;
use crate::composition::Composition;
use crate::oracle::Start;

/// Everything of a variant but its pictures.
#[derive(Debug)]
pub struct Prepared {
    /// What its pictures show.
    pub composition: Composition,
    /// `day`, `dusk` or `night`.
    pub light: &'static str,
    /// When it starts, as the oracle counts.
    pub start: Start,
    /// Zones, lines and rules of its site file.
    pub site_rules: String,
    /// Where the water begins, as a share of the picture's height.
    pub shore: f32,
    /// The calibration of its site file; every other variant has one.
    pub calibration: Option<String>,
    /// What comes close to a signal and must raise none.
    pub near_misses: Vec<NearMiss>,
}

impl Variant {
    /// Chooses its style and its traffic at random, by its seed.
    pub fn prepare(&self) -> Result<Prepared> {
        let seed = self
            .id()
            .bytes()
            .fold(self.seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let mut rng = Rng::new(seed);
        // Seeds that are close give similar first numbers.
        for _ in 0..4 {
            rng.next_u64();
        }
        let style = Style::choose(self.theme, self.size, &mut rng);
        let plan = plan(self, &style, &mut rng)?;
        let composition = compose(&style, &plan, &mut rng);
        let [_, shore] = style.canvas.share(0.0, style.canvas.shore);
        let surveyed = self.number.is_multiple_of(2);
        Ok(Prepared {
            composition,
            light: style.light.name(),
            start: style.start,
            site_rules: plan.site_rules,
            shore,
            calibration: surveyed.then(|| plan.scale.calibration(&style.canvas)),
            near_misses: plan.near_misses,
        })
    }
}
