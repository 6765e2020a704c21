//! Repeatable chance: everything random in a scene comes from a seed.

/// SplitMix64 (Steele, Lea and Flood, 2014): small, fast, and the same on every machine.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// A stream of numbers that depends on `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Uniform between two numbers.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True in so large a share of all cases.
    pub fn odds(&mut self, share: f32) -> bool {
        self.unit() < share
    }

    /// One of several.
    pub fn one_of<T: Copy, const N: usize>(&mut self, all: [T; N]) -> T {
        all[((self.unit() * N as f32) as usize).min(N - 1)]
    }

    /// Puts several in another order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, (self.bits() % (last as u64 + 1)) as usize);
        }
    }
}

/// Smooth value noise in the plane, in -1..1, with features about one unit wide.
#[derive(Debug, Clone, Copy)]
pub struct Field(pub u64);

impl Field {
    fn corner(self, x: i64, y: i64) -> f32 {
        let key =
            (x as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (y as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        Chance::new(key ^ self.0).unit() * 2.0 - 1.0
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
        let field = Field(7);
        assert_eq!(field.at(3.3, 8.1), Field(7).at(3.3, 8.1));
        assert_ne!(field.at(3.3, 8.1), Field(8).at(3.3, 8.1));
        for i in 0..1000 {
            let v = field.at(i as f32 * 0.37, i as f32 * 0.11);
            assert!((-1.0..=1.0).contains(&v));
        }
    }
}
