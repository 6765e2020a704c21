//! Smooth noise for the texture of water, stone and clouds.

use test_support::Rng;

/// Value noise in the plane, from -1 to 1, with features about one unit wide; the number is its seed.
#[derive(Debug, Clone, Copy)]
pub struct NoiseField(pub u64);

impl NoiseField {
    fn corner(self, x: i64, y: i64) -> f32 {
        let key =
            (x as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (y as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        Rng::new(key ^ self.0).unit_f32() * 2.0 - 1.0
    }

    /// The value at a point.
    pub fn at(self, x: f32, y: f32) -> f32 {
        let (x0, y0) = (x.floor(), y.floor());
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (fx, fy) = (ease(x - x0), ease(y - y0));
        let (ix, iy) = (x0 as i64, y0 as i64);
        let top = self.corner(ix, iy) * (1.0 - fx) + self.corner(ix + 1, iy) * fx;
        let low = self.corner(ix, iy + 1) * (1.0 - fx) + self.corner(ix + 1, iy + 1) * fx;
        top * (1.0 - fy) + low * fy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_noise() {
        let field = NoiseField(7);
        assert_eq!(field.at(3.3, 8.1), NoiseField(7).at(3.3, 8.1));
        assert_ne!(field.at(3.3, 8.1), NoiseField(8).at(3.3, 8.1));
        for i in 0..1000 {
            let v = field.at(i as f32 * 0.37, i as f32 * 0.11);
            assert!((-1.0..=1.0).contains(&v));
        }
    }
}
