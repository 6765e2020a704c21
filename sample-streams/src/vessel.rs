//! A vessel of a scene: its drawing, and its position at any time.

use std::f32::consts::TAU;

use crate::material::Drawing;

/// A lamp on a vessel.
#[derive(Debug, Clone, Copy)]
pub struct Lamp {
    /// Its place, from the stern (0) to the bow (1) and from the top (0) to the keel (1).
    pub at: [f32; 2],
    /// Colour of the light.
    pub colour: [f32; 3],
    /// Radius of the glow as a share of the vessel's length.
    pub glow: f32,
}

/// The position of a vessel at a time.
#[derive(Debug, Clone, Copy)]
pub struct Waypoint {
    /// Seconds from the start of the clip.
    pub at: f32,
    /// Column of its middle, in pixels.
    pub x: f32,
    /// Row of its waterline, in pixels.
    pub y: f32,
}

/// A vessel and its route.
#[derive(Debug, Clone)]
pub struct Vessel {
    /// Its number in the ground truth.
    pub id: u32,
    /// Its drawing.
    pub drawing: Drawing,
    /// Its length in pixels when its waterline is at the reference row of the scene.
    pub length: f32,
    /// Factors for its colours.
    pub tint: [f32; 3],
    /// At least one waypoint, by time; before the first and after the last the vessel does not move.
    pub route: Vec<Waypoint>,
    /// Whether its bow points to the right.
    pub to_right: bool,
    /// Its lit lamps.
    pub lamps: Vec<Lamp>,
}

/// Half the time over which the corners of a route are rounded, in seconds.
const ROUNDING: f32 = 0.8;

impl Vessel {
    /// A vessel that does not move.
    pub fn moored(id: u32, drawing: Drawing, length: f32, x: f32, y: f32, to_right: bool) -> Self {
        Self {
            id,
            drawing,
            length,
            tint: [1.0; 3],
            route: vec![Waypoint { at: 0.0, x, y }],
            to_right,
            lamps: Vec::new(),
        }
    }

    /// A vessel that sails through `waypoints`: time, column of the middle, row of the waterline. Its bow points in the
    /// first direction throughout.
    pub fn sailing(id: u32, drawing: Drawing, length: f32, waypoints: &[(f32, f32, f32)]) -> Self {
        let route: Vec<Waypoint> = waypoints.iter().map(|&(at, x, y)| Waypoint { at, x, y }).collect();
        let to_right = route.get(1).map(|m| m.x) > route.first().map(|m| m.x);
        Self { id, drawing, length, tint: [1.0; 3], route, to_right, lamps: Vec::new() }
    }

    /// The same vessel in other colours.
    pub fn tinted(mut self, tint: [f32; 3]) -> Self {
        self.tint = tint;
        self
    }

    /// The same vessel with these lamps lit.
    pub fn lit(mut self, lamps: &[Lamp]) -> Self {
        self.lamps = lamps.to_vec();
        self
    }

    /// Column of the middle and row of the waterline at a time, without the swell.
    pub fn position(&self, seconds: f32) -> (f32, f32) {
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

    /// Speed in the picture in pixels a second, positive to the right.
    pub fn speed(&self, seconds: f32) -> f32 {
        self.position(seconds + 0.1).0 * 5.0 - self.position(seconds - 0.1).0 * 5.0
    }

    /// How far the swell lifts it, in pixels. A clip has a whole number of swells, so that a loop has no jump.
    pub fn heave(&self, seconds: f32, clip: f32) -> f32 {
        let cycles = (clip / 3.1).round() + (self.id % 3) as f32;
        1.6 * (TAU * (cycles * seconds / clip + self.id as f32 * 0.37)).sin()
    }

    fn straight(&self, seconds: f32) -> (f32, f32) {
        let after = self.route.iter().position(|m| m.at > seconds);
        match after {
            Some(0) => (self.route[0].x, self.route[0].y),
            Some(i) => {
                let (a, b) = (self.route[i - 1], self.route[i]);
                let t = (seconds - a.at) / (b.at - a.at);
                (a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t)
            }
            None => self.route.last().map_or((0.0, 0.0), |m| (m.x, m.y)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_passes_its_waypoints_and_stops_outside_them() {
        let vessel = Vessel::sailing(
            1,
            Drawing::Tug,
            200.0,
            &[(0.0, 0.0, 500.0), (10.0, 500.0, 500.0), (20.0, 500.0, 600.0)],
        );
        assert_eq!(vessel.position(-5.0), (0.0, 500.0));
        assert_eq!(vessel.position(30.0), (500.0, 600.0));
        let (x, y) = vessel.position(5.0);
        assert!((x - 250.0).abs() < 0.1 && (y - 500.0).abs() < 0.1);
        assert!((vessel.speed(5.0) - 50.0).abs() < 0.5);
        assert!(vessel.to_right);
    }
}
