//! Light, weather and colours of a variant, and the setting made of them.

use super::plan::Plan;
use super::scale::Scale;
use super::{Theme, bridge, shore};
use crate::noise::{Chance, Field};
use crate::oracle::Start;
use crate::picture::{Picture, Sprite};
use crate::scenes::backdrop::blend;
use crate::stage::{Cover, Flotsam, Light, Setting};
use crate::water::Waves;
use crate::weather::{Glitter, Haze, Shake, Shower, Wash, Weather};

/// The hour, as it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hour {
    Day,
    Dusk,
    Night,
}

impl Hour {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Dusk => "dusk",
            Self::Night => "night",
        }
    }
}

/// The drawing: what the camera sees, and a margin round it when the camera shakes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canvas {
    /// Width and height of what the camera sees, in pixels.
    pub(super) size: (usize, usize),
    /// Pixels round it on each side.
    pub(super) margin: usize,
    /// First row of water in the drawing.
    pub(super) shore: f32,
    /// Pixels in a 720th of the picture's height.
    pub(super) unit: f32,
}

impl Canvas {
    pub(super) fn whole(&self) -> (u32, u32) {
        ((self.size.0 + 2 * self.margin) as u32, (self.size.1 + 2 * self.margin) as u32)
    }

    /// The row at a share of the way from the horizon to the foot of the picture.
    pub(super) fn row(&self, depth: f32) -> f32 {
        self.shore + depth * ((self.size.1 + self.margin) as f32 - self.shore)
    }

    /// The column at a share of the picture's width.
    pub(super) fn column(&self, share: f32) -> f32 {
        self.margin as f32 + share * self.size.0 as f32
    }

    /// A point of the drawing in shares of the picture, as site files have it.
    pub(super) fn share(&self, x: f32, y: f32) -> [f32; 2] {
        let margin = self.margin as f32;
        [(x - margin) / self.size.0 as f32, (y - margin) / self.size.1 as f32]
    }
}

/// How a variant looks.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) theme: Theme,
    pub(super) canvas: Canvas,
    pub(super) light: Hour,
    pub(super) start: Start,
    /// Colours of the sky at its top and at the horizon.
    pub(super) sky: [[f32; 3]; 2],
    /// Colours of the water far away and near.
    pub(super) water: [[f32; 3]; 2],
    /// Multiplies the colours of the land.
    pub(super) ambient: [f32; 3],
    pub(super) weather: Weather,
    waves: Waves,
    hulls: Light,
}

impl Look {
    pub(super) fn choose(theme: Theme, size: (usize, usize), chance: &mut Chance) -> Self {
        let light = match theme {
            Theme::Day | Theme::Glare => Hour::Day,
            Theme::Dusk => Hour::Dusk,
            Theme::Night => Hour::Night,
            Theme::Fog => chance.one_of([Hour::Day, Hour::Day, Hour::Day, Hour::Dusk]),
            _ => chance.one_of([Hour::Day, Hour::Day, Hour::Day, Hour::Dusk, Hour::Night]),
        };
        let unit = size.1 as f32 / 720.0;
        let margin = if theme == Theme::Shake { (14.0 * unit) as usize & !1 } else { 0 };
        let shore = (margin as f32 + size.1 as f32 * chance.between(0.27, 0.42)).round();
        let canvas = Canvas { size, margin, shore, unit };
        let hour = match light {
            Hour::Day => chance.between(8.5, 17.0),
            Hour::Dusk => chance.between(21.6, 22.2),
            Hour::Night => chance.between(23.0, 27.5),
        };
        let start = f64::from((chance.bits() % 5) as u32) * 86_400.0 + f64::from((hour * 3600.0).round());
        let wet = theme == Theme::Rain;
        let (sky, water, ambient) = colours(light, wet || theme == Theme::Fog, chance);
        let weather = weather(theme, light, &canvas, chance);
        let gain = match light {
            Hour::Day if theme == Theme::Glare => chance.between(0.42, 0.6),
            Hour::Day => chance.between(0.85, 1.03),
            Hour::Dusk => chance.between(0.55, 0.72),
            Hour::Night => chance.between(0.36, 0.56),
        };
        let tint = match light {
            Hour::Day => [1.0, 1.0, 1.0],
            Hour::Dusk => [1.08, 0.95, 0.92],
            Hour::Night => [0.95, 0.99, 1.12],
        };
        let chop = match theme {
            Theme::Reflections => chance.between(0.25, 0.5),
            Theme::Rain | Theme::Wakes => chance.between(1.1, 1.5),
            _ => chance.between(0.7, 1.3),
        };
        let thin = weather.haze.map_or([1.0; 2], |h| h.thick.map(|t| 1.0 - t));
        // The dark hides ripples but for where they mirror a lamp.
        let high = if light == Hour::Night { [9.0, 20.0] } else { [5.0, 14.0] };
        let waves = Waves {
            top: shore as usize,
            strength: [high[0] * chop * thin[0], high[1] * chop * thin[1]],
            size: [8.0 * unit, chance.between(46.0, 80.0) * unit],
            speed: chance.between(16.0, 40.0) * unit,
            seed: chance.bits(),
        };
        let hulls = Light {
            sky: tint.map(|t| t * gain),
            deck: if light == Hour::Day { 0.0 } else { 0.4 },
            foam: match light {
                Hour::Day => 224,
                Hour::Dusk => 150,
                Hour::Night => 84,
            },
            noise: match light {
                Hour::Day => 0,
                Hour::Dusk => 2,
                Hour::Night => chance.one_of([3, 4, 5]),
            },
        };
        Self { theme, canvas, light, start, sky, water, ambient, weather, waves, hulls }
    }

    /// The setting of it all.
    pub(super) fn setting(&self, plan: &Plan, chance: &mut Chance) -> Setting {
        let mut background = Picture::from_rgb(&shore::draw(self, chance));
        if self.light == Hour::Night {
            shore::lamps(self, &mut background, chance);
        }
        let mut covers = bridge::covers(self, plan.pier);
        covers.extend(self.glass(chance));
        Setting {
            background,
            waves: self.waves,
            light: self.hulls,
            rows: plan.rows,
            vessels: plan.vessels.clone(),
            weather: self.weather,
            flotsam: self.flotsam(&plan.scale, chance),
            covers,
        }
    }

    /// What lies on the glass of the camera: drops, or the sun's flare; none of it hides anything.
    fn glass(&self, chance: &mut Chance) -> Vec<Cover> {
        let (width, height) = self.canvas.whole();
        if let Some(glitter) = self.weather.glitter {
            let reach = width as f32 * chance.between(0.3, 0.45);
            let flare = veil(reach, [255.0, 244.0, 214.0], chance.between(60.0, 95.0));
            let at =
                [(glitter.x - reach) as i32, (self.canvas.shore * chance.between(0.1, 0.6) - reach) as i32];
            return vec![Cover { sprite: flare, at }];
        }
        if self.weather.rain.is_none() {
            return Vec::new();
        }
        let drops = (chance.between(4.0, 12.0)) as usize;
        let drop = |_| {
            let radius = chance.between(8.0, 26.0) * self.canvas.unit;
            let tone = blend(self.sky[1], [255.0; 3], 0.15);
            let at = [(chance.unit() * width as f32) as i32, (chance.unit() * height as f32) as i32];
            Cover { sprite: veil(radius, tone, 80.0), at }
        };
        (0..drops).map(drop).collect()
    }

    /// Buoys, and with the wakes old foam that nobody has just made.
    fn flotsam(&self, scale: &Scale, chance: &mut Chance) -> Vec<Flotsam> {
        let mut all = Vec::new();
        let (width, unit) = (self.canvas.whole().0 as f32, self.canvas.unit);
        for _ in 0..(chance.unit() * 3.0) as usize {
            let depth = chance.between(0.1, 0.7);
            let side = (8.0 + 10.0 * depth) * unit;
            let colour = chance.one_of([[190.0, 50.0, 40.0], [40.0, 130.0, 70.0], [214.0, 170.0, 40.0]]);
            let row = self.canvas.row(depth);
            let lit = [0, 1, 2].map(|c| colour[c] * self.hulls.sky[c]);
            let seen = self.weather.haze.map_or(lit, |haze| haze.over(row, lit));
            all.push(Flotsam {
                sprite: buoy(side, seen),
                at: [chance.unit() * width, row - side * 1.5],
                drift: [0.0; 2],
            });
        }
        if self.theme == Theme::Wakes {
            for n in 0..5 {
                let depth = 0.1 + 0.17 * n as f32 + chance.between(0.0, 0.1);
                let size = [(220.0 + 420.0 * depth) * unit, (7.0 + 16.0 * depth) * unit];
                let foam = f32::from(self.hulls.foam) * 0.95;
                all.push(Flotsam {
                    sprite: old_wake(size, foam, chance.bits()),
                    at: [chance.between(-0.1, 0.9) * width, self.canvas.row(depth)],
                    drift: [chance.between(-14.0, 14.0) * unit, chance.between(0.0, 2.0) * unit],
                });
            }
        }
        if self.theme == Theme::Birds {
            all.extend((0..18).map(|n| self.gull(n >= 12, scale, chance)));
        }
        all
    }

    /// A gull that flies past at some moment of the clip's first half minute, or one that sits on the water.
    fn gull(&self, sits: bool, scale: &Scale, chance: &mut Chance) -> Flotsam {
        let (width, unit) = (self.canvas.whole().0 as f32, self.canvas.unit);
        let row = self.canvas.row(chance.between(0.05, 0.9));
        let side = scale.px(if sits { 0.6 } else { 1.3 }, row);
        let towards = chance.one_of([-1.0, 1.0]);
        let speed = scale.px(if sits { chance.between(0.0, 0.3) } else { chance.between(7.0, 14.0) }, row);
        let height = if sits { 0.0 } else { scale.px(chance.between(0.5, 8.0), row) };
        let passes_s = if sits { 0.0 } else { chance.between(0.0, 28.0) };
        Flotsam {
            sprite: gull(side, sits, [0, 1, 2].map(|c| 226.0 * self.hulls.sky[c])),
            at: [chance.unit() * width - towards * speed * passes_s, row - height - side * 0.5],
            drift: [towards * speed, if sits { 0.0 } else { chance.between(-6.0, 6.0) * unit }],
        }
    }
}

fn weather(theme: Theme, light: Hour, canvas: &Canvas, chance: &mut Chance) -> Weather {
    let mut weather = Weather::default();
    let foot = (canvas.size.1 + canvas.margin) as f32;
    match theme {
        Theme::Fog => {
            let tone =
                if light == Hour::Day { chance.between(176.0, 212.0) } else { chance.between(104.0, 128.0) };
            weather.haze = Some(Haze {
                colour: [tone - 4.0, tone, tone + 3.0],
                thick: [chance.between(0.72, 0.86), chance.between(0.12, 0.34)],
                rows: [canvas.shore, foot],
            });
        }
        Theme::Rain => {
            let tone = match light {
                Hour::Day => 158.0,
                Hour::Dusk => 96.0,
                Hour::Night => 30.0,
            };
            weather.haze = Some(Haze {
                colour: [tone - 6.0, tone, tone + 4.0],
                thick: [chance.between(0.3, 0.5), 0.06],
                rows: [canvas.shore, foot],
            });
            weather.rain = Some(Shower {
                streaks: chance.between(500.0, 1500.0),
                bright: if light == Hour::Night { 34.0 } else { 46.0 },
                lean: chance.between(-0.35, 0.35),
                seed: chance.bits(),
            });
        }
        Theme::Glare => {
            let width = canvas.whole().0 as f32;
            weather.glitter = Some(Glitter {
                x: width * chance.between(0.25, 0.75),
                breadth: [width * chance.between(0.05, 0.1), width * chance.between(0.16, 0.28)],
                strength: chance.between(0.55, 0.95),
            });
        }
        Theme::Wakes => {
            weather.wash = Wash { length: chance.between(3.5, 5.5), breadth: chance.between(0.16, 0.26) }
        }
        Theme::Shake => {
            let amplitude = chance.between(4.0, 11.0) * canvas.unit;
            weather.shake = Some(Shake { margin: canvas.margin, amplitude, seed: chance.bits() });
        }
        Theme::Reflections => weather.mirror = chance.between(0.55, 0.8),
        _ => weather.mirror = chance.between(0.18, 0.34),
    }
    weather
}

/// Colours of the sky (top, horizon), of the water (far, near), and what multiplies the land.
type Colours = ([[f32; 3]; 2], [[f32; 3]; 2], [f32; 3]);

fn colours(light: Hour, overcast: bool, chance: &mut Chance) -> Colours {
    let mut vary = |colour: [f32; 3], by: f32| {
        let gain = chance.between(1.0 - by, 1.0 + by);
        colour.map(|c| c * gain)
    };
    match light {
        Hour::Day if overcast => (
            [vary([150.0, 158.0, 166.0], 0.1), vary([186.0, 192.0, 196.0], 0.06)],
            [vary([150.0, 158.0, 162.0], 0.08), vary([72.0, 86.0, 92.0], 0.15)],
            vary([0.8, 0.82, 0.85], 0.08),
        ),
        Hour::Day => {
            let sky = [vary([78.0, 122.0, 172.0], 0.2), vary([186.0, 200.0, 210.0], 0.08)];
            let ambient = vary([0.96, 0.96, 0.94], 0.1);
            let water = chance.one_of([
                [[128.0, 141.0, 150.0], [52.0, 74.0, 92.0]],
                [[118.0, 140.0, 132.0], [46.0, 78.0, 72.0]],
                [[116.0, 140.0, 168.0], [34.0, 66.0, 106.0]],
                [[146.0, 142.0, 128.0], [88.0, 84.0, 70.0]],
            ]);
            (sky, water, ambient)
        }
        Hour::Dusk => (
            [vary([56.0, 62.0, 100.0], 0.15), vary([206.0, 142.0, 104.0], 0.12)],
            [vary([138.0, 108.0, 98.0], 0.12), vary([36.0, 42.0, 60.0], 0.15)],
            vary([0.42, 0.37, 0.38], 0.15),
        ),
        Hour::Night => (
            [vary([9.0, 13.0, 27.0], 0.3), vary([28.0, 34.0, 52.0], 0.3)],
            [vary([32.0, 37.0, 50.0], 0.25), vary([13.0, 18.0, 28.0], 0.25)],
            vary([0.12, 0.13, 0.16], 0.3),
        ),
    }
}

/// A round veil of light, faint enough to hide nothing; `strength` is its opacity in the middle, 0..255.
fn veil(radius: f32, colour: [f32; 3], strength: f32) -> Sprite {
    let side = (radius * 2.0) as u32 + 1;
    Sprite::new(&image::RgbaImage::from_fn(side, side, |x, y| {
        let off = ((x as f32 - radius).powi(2) + (y as f32 - radius).powi(2)).sqrt() / radius;
        let fade = (1.0 - off).clamp(0.0, 1.0);
        let [r, g, b] = colour.map(|c| c as u8);
        image::Rgba([r, g, b, (strength * fade.powf(0.8)) as u8])
    }))
}

/// A buoy: a can with a pole, `side` pixels wide.
fn buoy(side: f32, colour: [f32; 3]) -> Sprite {
    let (width, height) = (side.ceil() as u32, (side * 1.6).ceil() as u32);
    Sprite::new(&image::RgbaImage::from_fn(width, height, |x, y| {
        let (across, down) = (x as f32 / side * 2.0 - 1.0, y as f32 / height as f32);
        let pole = down < 0.45 && across.abs() < 0.18;
        let can = down >= 0.45 && across.abs() < 0.55 + 0.45 * (down - 0.45);
        let shade = 1.0 - 0.35 * (across + 0.3).abs();
        let [r, g, b] = colour.map(|c| (c * shade).clamp(0.0, 255.0) as u8);
        image::Rgba([r, g, b, if pole || can { 255 } else { 0 }])
    }))
}

/// A gull, `side` pixels from wing tip to wing tip, or, where it sits, from bill to tail.
fn gull(side: f32, sits: bool, colour: [f32; 3]) -> Sprite {
    let (width, height) = (side.ceil() as u32, (side * 0.5).ceil() as u32);
    Sprite::new(&image::RgbaImage::from_fn(width, height, |x, y| {
        let (across, down) = (x as f32 / side * 2.0 - 1.0, y as f32 / height as f32 * 2.0 - 1.0);
        let body = (across / if sits { 0.9 } else { 0.3 }).powi(2) + ((down - 0.4) / 0.45).powi(2) < 1.0;
        let wing = !sits && (down - (0.5 - 1.1 * across.abs().sqrt())).abs() < 0.26 * (1.1 - across.abs());
        let head = sits && (across - 0.7).hypot(0.5 * (down + 0.3)) < 0.2;
        let shade = if across.abs() > 0.8 { 0.35 } else { 1.0 - 0.25 * (down + 1.0) / 2.0 };
        let [r, g, b] = colour.map(|c| (c * shade).clamp(0.0, 255.0) as u8);
        image::Rgba([r, g, b, if body || wing || head { 255 } else { 0 }])
    }))
}

/// Foam that a vessel left behind minutes ago.
fn old_wake(size: [f32; 2], foam: f32, seed: u64) -> Sprite {
    let field = Field(seed);
    Sprite::new(&image::RgbaImage::from_fn(size[0] as u32, size[1] as u32, |x, y| {
        let (along, across) = (x as f32 / size[0] * 2.0 - 1.0, y as f32 / size[1] * 2.0 - 1.0);
        let body = (1.0 - along.powi(2)).max(0.0) * (1.0 - across.powi(2)).max(0.0);
        let froth = 0.5 + 0.5 * field.at(x as f32 / 11.0, y as f32 / 2.6);
        image::Rgba([foam as u8, foam as u8, foam as u8, (body * froth * 150.0) as u8])
    }))
}
