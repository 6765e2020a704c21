//! The still part of a variant: sky, land, what stands on it, quay, water.

use image::{Rgb, RgbImage};

use super::Theme;
use super::look::{Hour, Look};
use crate::costume::{glow, streak};
use crate::noise::{Chance, Field};
use crate::picture::Picture;
use crate::scenes::backdrop::{blend, colour, grade, gradient, quay, reflect};

const SODIUM: [f32; 3] = [255.0, 190.0, 96.0];
const LED: [f32; 3] = [244.0, 246.0, 255.0];

/// Draws it all but for the lamps.
pub(super) fn draw(look: &Look, chance: &mut Chance) -> RgbImage {
    let (width, height) = look.canvas.whole();
    let shore = look.canvas.shore as u32;
    let mut on = RgbImage::new(width, height);
    gradient(&mut on, 0, shore, look.sky[0], look.sky[1]);
    clouds(look, &mut on, chance);
    let layers = 1 + (chance.unit() * 2.5) as usize;
    for layer in 0..layers {
        hills(look, &mut on, layer as f32 / layers as f32, chance);
    }
    if chance.odds(0.75) {
        town(look, &mut on, chance);
    }
    if chance.odds(0.4) {
        cranes(look, &mut on, chance);
    }
    foot(look, &mut on, chance);
    gradient(&mut on, shore, height, look.water[0], look.water[1]);
    let (depth, strength) = match look.theme {
        Theme::Reflections => (chance.between(0.5, 0.9), chance.between(0.6, 0.8)),
        _ => (chance.between(0.12, 0.3), chance.between(0.25, 0.5)),
    };
    reflect(&mut on, shore, (depth * shore as f32) as u32, strength);
    if let Some(haze) = look.weather.haze {
        grade(&mut on, 0, height, |_, y, p| haze.over(y as f32, p));
    }
    on
}

/// Noise in four octaves, about -1..1.
fn cloudy(field: Field, x: f32, y: f32) -> f32 {
    let octave = |n: i32| field.at(x * 2f32.powi(n) + 17.0 * n as f32, y * 2f32.powi(n)) * 0.5f32.powi(n);
    (0..4).map(octave).sum::<f32>() / 1.4
}

fn clouds(look: &Look, on: &mut RgbImage, chance: &mut Chance) {
    let field = Field(chance.bits());
    let (size, cover) = (chance.between(120.0, 300.0) * look.canvas.unit, chance.between(-0.35, 0.35));
    let bright = match look.light {
        Hour::Day => [236.0, 238.0, 240.0],
        Hour::Dusk => [216.0, 150.0, 128.0],
        Hour::Night => [34.0, 38.0, 50.0],
    };
    let shore = look.canvas.shore;
    grade(on, 0, shore as u32, |x, y, p| {
        // Clouds lie flatter towards the horizon.
        let flat = 1.6 + 2.4 * y as f32 / shore;
        let thick = cloudy(field, x as f32 / size, y as f32 * flat / size) + cover;
        blend(p, bright, (thick * 1.3).clamp(0.0, 0.8))
    });
}

/// A ridge, the nearer the darker: `near` from 0 to 1.
fn hills(look: &Look, on: &mut RgbImage, near: f32, chance: &mut Chance) {
    let (field, rough) = (Field(chance.bits()), Field(chance.bits()));
    let shore = look.canvas.shore;
    let (base, swing) = (shore * chance.between(0.06, 0.2) * (1.3 - near), shore * chance.between(0.05, 0.2));
    let length = chance.between(180.0, 420.0) * look.canvas.unit;
    let trees = chance.between(1.5, 5.0) * look.canvas.unit * (0.4 + near);
    let land = chance.one_of([[74.0, 92.0, 66.0], [96.0, 98.0, 78.0], [82.0, 86.0, 90.0]]);
    let lit = [0, 1, 2].map(|c| land[c] * look.ambient[c]);
    for x in 0..on.width() {
        let at = x as f32;
        let top = base + swing * cloudy(field, at / length, 3.0) + trees * rough.at(at / 3.5, 1.0);
        let top = (shore - top.max(2.0)) as u32;
        for y in top..shore as u32 {
            let shade = 1.0 + 0.18 * rough.at(at / 5.0, y as f32 / 4.0);
            let seen = blend(lit.map(|c| c * shade), look.sky[1], 0.62 - 0.5 * near);
            on.put_pixel(x, y, colour(seen));
        }
    }
}

fn block(on: &mut RgbImage, [left, top, right, foot]: [f32; 4], paint: impl Fn(u32, u32) -> Rgb<u8>) {
    let edge = |v: f32, end: u32| (v.max(0.0) as u32).min(end);
    for y in edge(top, on.height())..edge(foot, on.height()) {
        for x in edge(left, on.width())..edge(right, on.width()) {
            on.put_pixel(x, y, paint(x, y));
        }
    }
}

/// Houses and sheds along the water, with windows, some of them lit after sunset.
fn town(look: &Look, on: &mut RgbImage, chance: &mut Chance) {
    let unit = look.canvas.unit;
    let (foot, end) = (look.canvas.shore - 12.0 * unit, on.width() as f32);
    let mut x = -20.0 * unit;
    let (gap, sheds) = (chance.between(0.0, 0.5), chance.odds(0.4));
    while x < end {
        let (broad, high) = if sheds && chance.odds(0.5) {
            (chance.between(70.0, 150.0) * unit, chance.between(16.0, 30.0) * unit)
        } else {
            (chance.between(18.0, 44.0) * unit, chance.between(20.0, 58.0) * unit)
        };
        if !chance.odds(gap) {
            house(look, on, [x, foot - high, x + broad, foot], chance);
        }
        x += broad + chance.between(0.0, 6.0) * unit;
    }
}

fn house(look: &Look, on: &mut RgbImage, [left, top, right, foot]: [f32; 4], chance: &mut Chance) {
    let unit = look.canvas.unit;
    let wall = chance.one_of([
        [168.0, 92.0, 74.0],
        [196.0, 186.0, 166.0],
        [142.0, 130.0, 118.0],
        [120.0, 132.0, 144.0],
        [206.0, 196.0, 190.0],
        [150.0, 160.0, 138.0],
    ]);
    let haze = chance.between(0.05, 0.3);
    let lit = |c: [f32; 3]| blend([0, 1, 2].map(|i| c[i] * look.ambient[i]), look.sky[1], haze);
    let (front, glass, roof) = (lit(wall), lit([44.0, 52.0, 60.0]), lit([88.0, 60.0, 52.0]));
    block(on, [left, top, right, foot], |_, _| colour(front));
    let ridge = 7.0 * unit;
    block(on, [left, top - ridge * 0.7, right, top], |x, y| {
        let lean = (top - y as f32) * 0.8;
        let inside = (x as f32) > left + lean && (x as f32) < right - lean;
        if inside { colour(roof) } else { colour(lit(wall).map(|c| c * 0.8)) }
    });
    let step = chance.between(7.0, 11.0) * unit;
    let warm = blend(SODIUM, LED, chance.unit() * 0.6);
    let mut y = top + 4.0 * unit;
    while y + 5.0 * unit < foot {
        let mut x = left + 3.0 * unit;
        while x + 4.0 * unit < right {
            let burning =
                look.light != Hour::Day && chance.odds(if look.light == Hour::Night { 0.22 } else { 0.3 });
            let pane = if burning { warm.map(|c| c * 0.8) } else { glass };
            block(on, [x, y, x + 3.6 * unit, y + 5.0 * unit], |_, _| colour(pane));
            x += step;
        }
        y += step * 1.25;
    }
}

/// Harbour cranes against the sky.
fn cranes(look: &Look, on: &mut RgbImage, chance: &mut Chance) {
    let unit = look.canvas.unit;
    let steel = chance.one_of([[170.0, 60.0, 40.0], [60.0, 90.0, 140.0], [90.0, 94.0, 98.0]]);
    let tone = colour(blend([0, 1, 2].map(|c| steel[c] * look.ambient[c]), look.sky[1], 0.25));
    for _ in 0..1 + (chance.unit() * 3.0) as usize {
        let (x, high) = (chance.unit() * on.width() as f32, chance.between(50.0, 110.0) * unit);
        let (foot, thick) = (look.canvas.shore - 12.0 * unit, 3.0 * unit);
        for leg in [0.0, 22.0 * unit] {
            block(on, [x + leg, foot - high, x + leg + thick, foot], |_, _| tone);
        }
        let reach = if chance.odds(0.5) { 80.0 } else { -60.0 } * unit;
        let beam =
            [(x + reach).min(x), foot - high, (x + reach).max(x + 24.0 * unit), foot - high + thick * 1.5];
        block(on, beam, |_, _| tone);
        block(on, [x, foot - high * 1.25, x + thick, foot - high], |_, _| tone);
    }
}

/// Where the land meets the water: a quay wall, or a mole of stones.
fn foot(look: &Look, on: &mut RgbImage, chance: &mut Chance) {
    let shore = look.canvas.shore as u32;
    let high = (chance.between(12.0, 24.0) * look.canvas.unit) as u32;
    let stone = chance.one_of([[112.0, 106.0, 98.0], [126.0, 124.0, 120.0], [98.0, 88.0, 78.0]]);
    let stone = [0, 1, 2].map(|c| stone[c] * look.ambient[c]);
    if chance.odds(0.6) {
        quay(on, shore - high, shore, stone);
        return;
    }
    let field = Field(chance.bits());
    for x in 0..on.width() {
        let top = high as f32 * (0.7 + 0.3 * field.at(x as f32 / 9.0, 0.5));
        for y in shore - top as u32..shore {
            let shade = 0.85 + 0.4 * field.at(x as f32 / 5.0, y as f32 / 3.5);
            on.put_pixel(x, y, colour(stone.map(|c| c * shade)));
        }
    }
}

/// Lamps along the quay with their long reflections, and lights up the slope.
pub(super) fn lamps(look: &Look, on: &mut Picture, chance: &mut Chance) {
    let (width, unit) = (on.width as f32, look.canvas.unit);
    let shore = look.canvas.shore as i32;
    let tone = if chance.odds(0.6) { SODIUM } else { LED };
    let (step, strength) = (chance.between(150.0, 330.0) * unit, chance.between(0.3, 0.6));
    let thin = look.weather.haze.map_or(1.0, |haze| 1.0 - haze.thick[0]);
    let mut x = chance.unit() * step;
    while x < width {
        let reach = chance.between(24.0, 46.0) * unit;
        streak(9.0 * unit, chance.between(120.0, 300.0) * unit, tone, strength * thin).lay(
            on,
            (x - 4.5 * unit) as i32,
            shore,
        );
        let top = look.canvas.shore - chance.between(40.0, 64.0) * unit;
        glow(reach, tone).lay(on, (x - reach) as i32, (top - reach) as i32);
        x += step * chance.between(0.85, 1.15);
    }
    for _ in 0..(chance.between(8.0, 40.0)) as usize {
        let at = [chance.unit() * width, look.canvas.shore * chance.between(0.72, 0.94)];
        let warm = blend(SODIUM, LED, chance.unit());
        glow((2.0 + chance.unit() * 2.5) * unit, warm).lay(on, at[0] as i32, at[1] as i32);
    }
}
