//! A vessel of a scene: what it looks like and where it is at any time.

use std::f32::consts::TAU;

use crate::material::Art;

/// A lamp on a vessel, placed in shares of the width and height of its picture.
#[derive(Debug, Clone, Copy)]
pub struct Lamp {
    /// Where: from the stern (0) to the bow (1), and from the top (0) to the keel (1).
    pub at: [f32; 2],
    /// Colour of the light.
    pub colour: [f32; 3],
    /// Radius of the glow as a share of the vessel's length.
    pub glow: f32,
}

/// Where a vessel's waterline point is at a time.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    /// Seconds from the start of the clip.
    pub at: f32,
    /// Middle of the vessel, in pixels.
    pub x: f32,
    /// Waterline, in pixels.
    pub y: f32,
}

/// One vessel and its voyage.
#[derive(Debug, Clone)]
pub struct Vessel {
    /// Its number in the ground truth.
    pub id: u32,
    /// What it looks like.
    pub art: Art,
    /// Its length in pixels when its waterline is at the scene's reference row.
    pub length: f32,
    /// Multiplies its colours.
    pub tint: [f32; 3],
    /// The voyage: at least one mark, in order of time; before the first and after the last it lies still.
    pub voyage: Vec<Mark>,
    /// Its bow points to the right.
    pub to_right: bool,
    /// Its lamps at night.
    pub lamps: Vec<Lamp>,
}

/// Half the time over which a voyage's corners are rounded, in seconds.
const ROUNDING: f32 = 0.8;

impl Vessel {
    /// A vessel that lies still.
    pub fn moored(id: u32, art: Art, length: f32, x: f32, y: f32, to_right: bool) -> Self {
        Self {
            id,
            art,
            length,
            tint: [1.0; 3],
            voyage: vec![Mark { at: 0.0, x, y }],
            to_right,
            lamps: Vec::new(),
        }
    }

    /// A vessel that sails through `marks`, each a time, a middle and a waterline; its bow keeps pointing the way
    /// it starts.
    pub fn sailing(id: u32, art: Art, length: f32, marks: &[(f32, f32, f32)]) -> Self {
        let voyage: Vec<Mark> = marks.iter().map(|&(at, x, y)| Mark { at, x, y }).collect();
        let to_right = voyage.get(1).map(|m| m.x) > voyage.first().map(|m| m.x);
        Self { id, art, length, tint: [1.0; 3], voyage, to_right, lamps: Vec::new() }
    }

    /// The same vessel in other colours.
    pub fn tinted(mut self, tint: [f32; 3]) -> Self {
        self.tint = tint;
        self
    }

    /// The same vessel with lamps lit.
    pub fn lit(mut self, lamps: &[Lamp]) -> Self {
        self.lamps = lamps.to_vec();
        self
    }

    /// Middle and waterline at a time, without the swell.
    pub fn place(&self, seconds: f32) -> (f32, f32) {
        const STEPS: i32 = 8;
        let (mut x, mut y) = (0.0, 0.0);
        for step in -STEPS..=STEPS {
            let (px, py) = self.straight(seconds + ROUNDING * step as f32 / STEPS as f32);
            x += px;
            y += py;
        }
        let n = (2 * STEPS + 1) as f32;
        (x / n, y / n)
    }

    /// Speed over the picture in pixels a second, positive to the right.
    pub fn speed(&self, seconds: f32) -> f32 {
        self.place(seconds + 0.1).0 * 5.0 - self.place(seconds - 0.1).0 * 5.0
    }

    /// How far the swell lifts it, in pixels; a whole number of times per clip, so that a loop does not jump.
    pub fn heave(&self, seconds: f32, clip: f32) -> f32 {
        let cycles = (clip / 3.1).round() + (self.id % 3) as f32;
        1.6 * (TAU * (cycles * seconds / clip + self.id as f32 * 0.37)).sin()
    }

    fn straight(&self, seconds: f32) -> (f32, f32) {
        let after = self.voyage.iter().position(|m| m.at > seconds);
        match after {
            Some(0) => (self.voyage[0].x, self.voyage[0].y),
            Some(i) => {
                let (a, b) = (self.voyage[i - 1], self.voyage[i]);
                let t = (seconds - a.at) / (b.at - a.at);
                (a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t)
            }
            None => self.voyage.last().map_or((0.0, 0.0), |m| (m.x, m.y)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voyage_passes_its_marks_and_lies_still_outside_them() {
        let vessel = Vessel::sailing(
            1,
            Art::Tug,
            200.0,
            &[(0.0, 0.0, 500.0), (10.0, 500.0, 500.0), (20.0, 500.0, 600.0)],
        );
        assert_eq!(vessel.place(-5.0), (0.0, 500.0));
        assert_eq!(vessel.place(30.0), (500.0, 600.0));
        let (x, y) = vessel.place(5.0);
        assert!((x - 250.0).abs() < 0.1 && (y - 500.0).abs() < 0.1);
        assert!((vessel.speed(5.0) - 50.0).abs() < 0.5);
        assert!(vessel.to_right);
    }
}
