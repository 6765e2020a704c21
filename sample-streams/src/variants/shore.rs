//! The fixed background of a variant: sky, land, buildings, quay, water.

use image::{Rgb, RgbImage};
use test_support::Rng;

use super::style::{Style, TimeOfDay};
use super::theme::Theme;
use crate::lights::{glow, streak};
use crate::noise::NoiseField;
use crate::picture::Picture;
use crate::scenes::background::{blend, colour, grade, gradient, quay, reflect};

const SODIUM: [f32; 3] = [255.0, 190.0, 96.0];
const LED: [f32; 3] = [244.0, 246.0, 255.0];

/// Draws everything but the lamps.
pub(super) fn draw(style: &Style, rng: &mut Rng) -> RgbImage {
    let (width, height) = style.canvas.whole();
    let shore = style.canvas.shore as u32;
    let mut on = RgbImage::new(width, height);
    gradient(&mut on, 0, shore, style.sky[0], style.sky[1]);
    clouds(style, &mut on, rng);
    let layers = 1 + (rng.unit_f32() * 2.5) as usize;
    for layer in 0..layers {
        hills(style, &mut on, layer as f32 / layers as f32, rng);
    }
    if rng.chance(0.75) {
        town(style, &mut on, rng);
    }
    if rng.chance(0.4) {
        cranes(style, &mut on, rng);
    }
    water_edge(style, &mut on, rng);
    gradient(&mut on, shore, height, style.water[0], style.water[1]);
    let (depth, strength) = match style.theme {
        Theme::Reflections => (rng.between(0.5, 0.9), rng.between(0.6, 0.8)),
        _ => (rng.between(0.12, 0.3), rng.between(0.25, 0.5)),
    };
    reflect(&mut on, shore, (depth * shore as f32) as u32, strength);
    if let Some(haze) = style.weather.haze {
        grade(&mut on, 0, height, |_, y, p| haze.over(y as f32, p));
    }
    on
}

/// Noise in four octaves, about -1 to 1.
fn cloudy(field: NoiseField, x: f32, y: f32) -> f32 {
    let octave = |n: i32| field.at(x * 2f32.powi(n) + 17.0 * n as f32, y * 2f32.powi(n)) * 0.5f32.powi(n);
    (0..4).map(octave).sum::<f32>() / 1.4
}

fn clouds(style: &Style, on: &mut RgbImage, rng: &mut Rng) {
    let field = NoiseField(rng.next_u64());
    let (size, front) = (rng.between(120.0, 300.0) * style.canvas.unit, rng.between(-0.35, 0.35));
    let bright = match style.light {
        TimeOfDay::Day => [236.0, 238.0, 240.0],
        TimeOfDay::Dusk => [216.0, 150.0, 128.0],
        TimeOfDay::Night => [34.0, 38.0, 50.0],
    };
    let shore = style.canvas.shore;
    grade(on, 0, shore as u32, |x, y, p| {
        // Clouds are flatter near the horizon.
        let flat = 1.6 + 2.4 * y as f32 / shore;
        let thick = cloudy(field, x as f32 / size, y as f32 * flat / size) + front;
        blend(p, bright, (thick * 1.3).clamp(0.0, 0.8))
    });
}

/// A ridge of hills, darker when it is nearer: `near` from 0 to 1.
fn hills(style: &Style, on: &mut RgbImage, near: f32, rng: &mut Rng) {
    let (field, rough) = (NoiseField(rng.next_u64()), NoiseField(rng.next_u64()));
    let shore = style.canvas.shore;
    let (base, swing) = (shore * rng.between(0.06, 0.2) * (1.3 - near), shore * rng.between(0.05, 0.2));
    let length = rng.between(180.0, 420.0) * style.canvas.unit;
    let trees = rng.between(1.5, 5.0) * style.canvas.unit * (0.4 + near);
    let land = rng.one_of([[74.0, 92.0, 66.0], [96.0, 98.0, 78.0], [82.0, 86.0, 90.0]]);
    let lit = [0, 1, 2].map(|c| land[c] * style.ambient[c]);
    for x in 0..on.width() {
        let at = x as f32;
        let top = base + swing * cloudy(field, at / length, 3.0) + trees * rough.at(at / 3.5, 1.0);
        let top = (shore - top.max(2.0)) as u32;
        for y in top..shore as u32 {
            let shade = 1.0 + 0.18 * rough.at(at / 5.0, y as f32 / 4.0);
            let visible = blend(lit.map(|c| c * shade), style.sky[1], 0.62 - 0.5 * near);
            on.put_pixel(x, y, colour(visible));
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

/// Houses and sheds along the water; some windows are lit after sunset.
fn town(style: &Style, on: &mut RgbImage, rng: &mut Rng) {
    let unit = style.canvas.unit;
    let (foot, end) = (style.canvas.shore - 12.0 * unit, on.width() as f32);
    let mut x = -20.0 * unit;
    let (gap, sheds) = (rng.between(0.0, 0.5), rng.chance(0.4));
    while x < end {
        let (broad, high) = if sheds && rng.chance(0.5) {
            (rng.between(70.0, 150.0) * unit, rng.between(16.0, 30.0) * unit)
        } else {
            (rng.between(18.0, 44.0) * unit, rng.between(20.0, 58.0) * unit)
        };
        if !rng.chance(gap) {
            house(style, on, [x, foot - high, x + broad, foot], rng);
        }
        x += broad + rng.between(0.0, 6.0) * unit;
    }
}

fn house(style: &Style, on: &mut RgbImage, [left, top, right, foot]: [f32; 4], rng: &mut Rng) {
    let unit = style.canvas.unit;
    let wall = rng.one_of([
        [168.0, 92.0, 74.0],
        [196.0, 186.0, 166.0],
        [142.0, 130.0, 118.0],
        [120.0, 132.0, 144.0],
        [206.0, 196.0, 190.0],
        [150.0, 160.0, 138.0],
    ]);
    let haze = rng.between(0.05, 0.3);
    let lit = |c: [f32; 3]| blend([0, 1, 2].map(|i| c[i] * style.ambient[i]), style.sky[1], haze);
    let (front, glass, roof) = (lit(wall), lit([44.0, 52.0, 60.0]), lit([88.0, 60.0, 52.0]));
    block(on, [left, top, right, foot], |_, _| colour(front));
    let ridge = 7.0 * unit;
    block(on, [left, top - ridge * 0.7, right, top], |x, y| {
        let lean = (top - y as f32) * 0.8;
        let inside = (x as f32) > left + lean && (x as f32) < right - lean;
        if inside { colour(roof) } else { colour(lit(wall).map(|c| c * 0.8)) }
    });
    let step = rng.between(7.0, 11.0) * unit;
    let warm = blend(SODIUM, LED, rng.unit_f32() * 0.6);
    let mut y = top + 4.0 * unit;
    while y + 5.0 * unit < foot {
        let mut x = left + 3.0 * unit;
        while x + 4.0 * unit < right {
            let burning = style.light != TimeOfDay::Day
                && rng.chance(if style.light == TimeOfDay::Night { 0.22 } else { 0.3 });
            let pane = if burning { warm.map(|c| c * 0.8) } else { glass };
            block(on, [x, y, x + 3.6 * unit, y + 5.0 * unit], |_, _| colour(pane));
            x += step;
        }
        y += step * 1.25;
    }
}

/// Harbour cranes against the sky.
fn cranes(style: &Style, on: &mut RgbImage, rng: &mut Rng) {
    let unit = style.canvas.unit;
    let steel = rng.one_of([[170.0, 60.0, 40.0], [60.0, 90.0, 140.0], [90.0, 94.0, 98.0]]);
    let tone = colour(blend([0, 1, 2].map(|c| steel[c] * style.ambient[c]), style.sky[1], 0.25));
    for _ in 0..1 + (rng.unit_f32() * 3.0) as usize {
        let (x, high) = (rng.unit_f32() * on.width() as f32, rng.between(50.0, 110.0) * unit);
        let (foot, thick) = (style.canvas.shore - 12.0 * unit, 3.0 * unit);
        for leg in [0.0, 22.0 * unit] {
            block(on, [x + leg, foot - high, x + leg + thick, foot], |_, _| tone);
        }
        let reach = if rng.chance(0.5) { 80.0 } else { -60.0 } * unit;
        let beam =
            [(x + reach).min(x), foot - high, (x + reach).max(x + 24.0 * unit), foot - high + thick * 1.5];
        block(on, beam, |_, _| tone);
        block(on, [x, foot - high * 1.25, x + thick, foot - high], |_, _| tone);
    }
}

/// The edge of the water: a quay wall, or a breakwater of stones.
fn water_edge(style: &Style, on: &mut RgbImage, rng: &mut Rng) {
    let shore = style.canvas.shore as u32;
    let high = (rng.between(12.0, 24.0) * style.canvas.unit) as u32;
    let stone = rng.one_of([[112.0, 106.0, 98.0], [126.0, 124.0, 120.0], [98.0, 88.0, 78.0]]);
    let stone = [0, 1, 2].map(|c| stone[c] * style.ambient[c]);
    if rng.chance(0.6) {
        quay(on, shore - high, shore, stone);
        return;
    }
    let field = NoiseField(rng.next_u64());
    for x in 0..on.width() {
        let top = high as f32 * (0.7 + 0.3 * field.at(x as f32 / 9.0, 0.5));
        for y in shore - top as u32..shore {
            let shade = 0.85 + 0.4 * field.at(x as f32 / 5.0, y as f32 / 3.5);
            on.put_pixel(x, y, colour(stone.map(|c| c * shade)));
        }
    }
}

/// Lamps along the quay with their reflections, and lights on the hills.
pub(super) fn lamps(style: &Style, on: &mut Picture, rng: &mut Rng) {
    let (width, unit) = (on.width as f32, style.canvas.unit);
    let shore = style.canvas.shore as i32;
    let tone = if rng.chance(0.6) { SODIUM } else { LED };
    let (step, strength) = (rng.between(150.0, 330.0) * unit, rng.between(0.3, 0.6));
    let thin = style.weather.haze.map_or(1.0, |haze| 1.0 - haze.thick[0]);
    let mut x = rng.unit_f32() * step;
    while x < width {
        let reach = rng.between(24.0, 46.0) * unit;
        streak(9.0 * unit, rng.between(120.0, 300.0) * unit, tone, strength * thin).draw_on(
            on,
            (x - 4.5 * unit) as i32,
            shore,
        );
        let top = style.canvas.shore - rng.between(40.0, 64.0) * unit;
        glow(reach, tone).draw_on(on, (x - reach) as i32, (top - reach) as i32);
        x += step * rng.between(0.85, 1.15);
    }
    for _ in 0..(rng.between(8.0, 40.0)) as usize {
        let at = [rng.unit_f32() * width, style.canvas.shore * rng.between(0.72, 0.94)];
        let warm = blend(SODIUM, LED, rng.unit_f32());
        glow((2.0 + rng.unit_f32() * 2.5) * unit, warm).draw_on(on, at[0] as i32, at[1] as i32);
    }
}
