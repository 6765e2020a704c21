//! Light, weather and colours of a variant.

use test_support::Rng;

use super::canvas::Canvas;
use super::theme::Theme;
use crate::composition::Light;
use crate::oracle::Start;
use crate::water::Waves;
use crate::weather::{Glitter, Haze, Rainfall, Shake, WakeSize, Weather};

/// The time of day, by its light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeOfDay {
    Day,
    Dusk,
    Night,
}

impl TimeOfDay {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Dusk => "dusk",
            Self::Night => "night",
        }
    }
}

/// How a variant looks.
#[derive(Debug)]
pub(super) struct Style {
    pub(super) theme: Theme,
    pub(super) canvas: Canvas,
    pub(super) light: TimeOfDay,
    pub(super) start: Start,
    /// Colours of the sky at its top and at the horizon.
    pub(super) sky: [[f32; 3]; 2],
    /// Colours of the water, far and near.
    pub(super) water: [[f32; 3]; 2],
    /// Factors for the colours of the land.
    pub(super) ambient: [f32; 3],
    pub(super) weather: Weather,
    pub(super) waves: Waves,
    /// The light on the vessels.
    pub(super) hulls: Light,
}

impl Style {
    /// Chooses a style for a theme at random, for pictures of `size`.
    pub(super) fn choose(theme: Theme, size: (usize, usize), rng: &mut Rng) -> Self {
        let light = time_of_day(theme, rng);
        let unit = size.1 as f32 / 720.0;
        let margin = if theme == Theme::Shake { (14.0 * unit) as usize & !1 } else { 0 };
        let shore = (margin as f32 + size.1 as f32 * rng.between(0.27, 0.42)).round();
        let canvas = Canvas { size, margin, shore, unit };
        let hour = match light {
            TimeOfDay::Day => rng.between(8.5, 17.0),
            TimeOfDay::Dusk => rng.between(21.6, 22.2),
            TimeOfDay::Night => rng.between(23.0, 27.5),
        };
        let start = f64::from((rng.next_u64() % 5) as u32) * 86_400.0 + f64::from((hour * 3600.0).round());
        let wet = theme == Theme::Rain;
        let (sky, water, ambient) = colours(light, wet || theme == Theme::Fog, rng);
        let weather = weather(theme, light, &canvas, rng);
        let gain = match light {
            TimeOfDay::Day if theme == Theme::Glare => rng.between(0.42, 0.6),
            TimeOfDay::Day => rng.between(0.85, 1.03),
            TimeOfDay::Dusk => rng.between(0.55, 0.72),
            TimeOfDay::Night => rng.between(0.36, 0.56),
        };
        let chop = match theme {
            Theme::Reflections => rng.between(0.25, 0.5),
            Theme::Rain | Theme::Wakes => rng.between(1.1, 1.5),
            _ => rng.between(0.7, 1.3),
        };
        let thin = weather.haze.map_or([1.0; 2], |h| h.thick.map(|t| 1.0 - t));
        // In the dark, ripples show only where they reflect a lamp.
        let high = if light == TimeOfDay::Night { [9.0, 20.0] } else { [5.0, 14.0] };
        let waves = Waves {
            top: shore as usize,
            strength: [high[0] * chop * thin[0], high[1] * chop * thin[1]],
            size: [8.0 * unit, rng.between(46.0, 80.0) * unit],
            speed: rng.between(16.0, 40.0) * unit,
            seed: rng.next_u64(),
        };
        let hulls = hull_light(light, gain, rng);
        Self { theme, canvas, light, start, sky, water, ambient, weather, waves, hulls }
    }
}

fn time_of_day(theme: Theme, rng: &mut Rng) -> TimeOfDay {
    use TimeOfDay::{Day, Dusk, Night};
    match theme {
        Theme::Day | Theme::Glare => Day,
        Theme::Dusk => Dusk,
        Theme::Night => Night,
        Theme::Fog => rng.one_of([Day, Day, Day, Dusk]),
        _ => rng.one_of([Day, Day, Day, Dusk, Night]),
    }
}

/// The light on the vessels; `gain` is its brightness.
fn hull_light(light: TimeOfDay, gain: f32, rng: &mut Rng) -> Light {
    let (tint, foam, noise): ([f32; 3], _, _) = match light {
        TimeOfDay::Day => ([1.0, 1.0, 1.0], 224, 0),
        TimeOfDay::Dusk => ([1.08, 0.95, 0.92], 150, 2),
        TimeOfDay::Night => ([0.95, 0.99, 1.12], 84, rng.one_of([3, 4, 5])),
    };
    let deck = if light == TimeOfDay::Day { 0.0 } else { 0.4 };
    Light { sky: tint.map(|t| t * gain), deck, foam, noise }
}

fn weather(theme: Theme, light: TimeOfDay, canvas: &Canvas, rng: &mut Rng) -> Weather {
    let mut weather = Weather::default();
    let foot = (canvas.size.1 + canvas.margin) as f32;
    match theme {
        Theme::Fog => {
            let tone =
                if light == TimeOfDay::Day { rng.between(176.0, 212.0) } else { rng.between(104.0, 128.0) };
            weather.haze = Some(Haze {
                colour: [tone - 4.0, tone, tone + 3.0],
                thick: [rng.between(0.72, 0.86), rng.between(0.12, 0.34)],
                rows: [canvas.shore, foot],
            });
        }
        Theme::Rain => {
            let tone = match light {
                TimeOfDay::Day => 158.0,
                TimeOfDay::Dusk => 96.0,
                TimeOfDay::Night => 30.0,
            };
            weather.haze = Some(Haze {
                colour: [tone - 6.0, tone, tone + 4.0],
                thick: [rng.between(0.3, 0.5), 0.06],
                rows: [canvas.shore, foot],
            });
            weather.rain = Some(Rainfall {
                streaks: rng.between(500.0, 1500.0),
                bright: if light == TimeOfDay::Night { 34.0 } else { 46.0 },
                lean: rng.between(-0.35, 0.35),
                seed: rng.next_u64(),
            });
        }
        Theme::Glare => {
            let width = canvas.whole().0 as f32;
            weather.glitter = Some(Glitter {
                x: width * rng.between(0.25, 0.75),
                breadth: [width * rng.between(0.05, 0.1), width * rng.between(0.16, 0.28)],
                strength: rng.between(0.55, 0.95),
            });
        }
        Theme::Wakes => {
            weather.wake = WakeSize { length: rng.between(3.5, 5.5), breadth: rng.between(0.16, 0.26) }
        }
        Theme::Shake => {
            let amplitude = rng.between(4.0, 11.0) * canvas.unit;
            weather.shake = Some(Shake { margin: canvas.margin, amplitude, seed: rng.next_u64() });
        }
        Theme::Reflections => weather.reflectivity = rng.between(0.55, 0.8),
        _ => weather.reflectivity = rng.between(0.18, 0.34),
    }
    weather
}

/// Colours of the sky (top, horizon) and of the water (far, near), and factors for the land.
type Colours = ([[f32; 3]; 2], [[f32; 3]; 2], [f32; 3]);

fn colours(light: TimeOfDay, overcast: bool, rng: &mut Rng) -> Colours {
    let mut vary = |colour: [f32; 3], by: f32| {
        let gain = rng.between(1.0 - by, 1.0 + by);
        colour.map(|c| c * gain)
    };
    match light {
        TimeOfDay::Day if overcast => (
            [vary([150.0, 158.0, 166.0], 0.1), vary([186.0, 192.0, 196.0], 0.06)],
            [vary([150.0, 158.0, 162.0], 0.08), vary([72.0, 86.0, 92.0], 0.15)],
            vary([0.8, 0.82, 0.85], 0.08),
        ),
        TimeOfDay::Day => {
            let sky = [vary([78.0, 122.0, 172.0], 0.2), vary([186.0, 200.0, 210.0], 0.08)];
            let ambient = vary([0.96, 0.96, 0.94], 0.1);
            let water = rng.one_of([
                [[128.0, 141.0, 150.0], [52.0, 74.0, 92.0]],
                [[118.0, 140.0, 132.0], [46.0, 78.0, 72.0]],
                [[116.0, 140.0, 168.0], [34.0, 66.0, 106.0]],
                [[146.0, 142.0, 128.0], [88.0, 84.0, 70.0]],
            ]);
            (sky, water, ambient)
        }
        TimeOfDay::Dusk => (
            [vary([56.0, 62.0, 100.0], 0.15), vary([206.0, 142.0, 104.0], 0.12)],
            [vary([138.0, 108.0, 98.0], 0.12), vary([36.0, 42.0, 60.0], 0.15)],
            vary([0.42, 0.37, 0.38], 0.15),
        ),
        TimeOfDay::Night => (
            [vary([9.0, 13.0, 27.0], 0.3), vary([28.0, 34.0, 52.0], 0.3)],
            [vary([32.0, 37.0, 50.0], 0.25), vary([13.0, 18.0, 28.0], 0.25)],
            vary([0.12, 0.13, 0.16], 0.3),
        ),
    }
}
