//! The composition of a variant, from its style and its plan.

use test_support::Rng;

use super::plan::Plan;
use super::scale::Scale;
use super::sprites::{buoy, gull, old_wake, veil};
use super::style::{Style, TimeOfDay};
use super::theme::Theme;
use super::{bridge, shore};
use crate::composition::{Composition, FloatingObject, Foreground};
use crate::picture::Picture;
use crate::scenes::background::blend;

/// The composition of a variant.
pub(super) fn compose(style: &Style, plan: &Plan, rng: &mut Rng) -> Composition {
    let mut background = Picture::from_rgb(&shore::draw(style, rng));
    if style.light == TimeOfDay::Night {
        shore::lamps(style, &mut background, rng);
    }
    let mut foreground = bridge::foreground(style, plan.pier);
    foreground.extend(lens(style, rng));
    Composition {
        background,
        waves: style.waves,
        light: style.hulls,
        rows: plan.rows,
        vessels: plan.vessels.clone(),
        weather: style.weather,
        floating: floating(style, &plan.scale, rng),
        foreground,
    }
}

/// What is on the lens of the camera: drops of rain, or lens flare. None of it hides a vessel.
fn lens(style: &Style, rng: &mut Rng) -> Vec<Foreground> {
    let (width, height) = style.canvas.whole();
    if let Some(glitter) = style.weather.glitter {
        let reach = width as f32 * rng.between(0.3, 0.45);
        let flare = veil(reach, [255.0, 244.0, 214.0], rng.between(60.0, 95.0));
        let at = [(glitter.x - reach) as i32, (style.canvas.shore * rng.between(0.1, 0.6) - reach) as i32];
        return vec![Foreground { sprite: flare, at }];
    }
    if style.weather.rain.is_none() {
        return Vec::new();
    }
    let drops = (rng.between(4.0, 12.0)) as usize;
    let drop = |_| {
        let radius = rng.between(8.0, 26.0) * style.canvas.unit;
        let tone = blend(style.sky[1], [255.0; 3], 0.15);
        let at = [(rng.unit_f32() * width as f32) as i32, (rng.unit_f32() * height as f32) as i32];
        Foreground { sprite: veil(radius, tone, 80.0), at }
    };
    (0..drops).map(drop).collect()
}

/// Buoys, and with theme `wakes` old foam without a vessel, with theme `birds` gulls.
fn floating(style: &Style, scale: &Scale, rng: &mut Rng) -> Vec<FloatingObject> {
    let mut all = Vec::new();
    let (width, unit) = (style.canvas.whole().0 as f32, style.canvas.unit);
    for _ in 0..(rng.unit_f32() * 3.0) as usize {
        let depth = rng.between(0.1, 0.7);
        let side = (8.0 + 10.0 * depth) * unit;
        let colour = rng.one_of([[190.0, 50.0, 40.0], [40.0, 130.0, 70.0], [214.0, 170.0, 40.0]]);
        let row = style.canvas.row(depth);
        let lit = [0, 1, 2].map(|c| colour[c] * style.hulls.sky[c]);
        let visible = style.weather.haze.map_or(lit, |haze| haze.over(row, lit));
        all.push(FloatingObject {
            sprite: buoy(side, visible),
            at: [rng.unit_f32() * width, row - side * 1.5],
            drift: [0.0; 2],
        });
    }
    if style.theme == Theme::Wakes {
        for n in 0..5 {
            let depth = 0.1 + 0.17 * n as f32 + rng.between(0.0, 0.1);
            let size = [(220.0 + 420.0 * depth) * unit, (7.0 + 16.0 * depth) * unit];
            let foam = f32::from(style.hulls.foam) * 0.95;
            all.push(FloatingObject {
                sprite: old_wake(size, foam, rng.next_u64()),
                at: [rng.between(-0.1, 0.9) * width, style.canvas.row(depth)],
                drift: [rng.between(-14.0, 14.0) * unit, rng.between(0.0, 2.0) * unit],
            });
        }
    }
    if style.theme == Theme::Birds {
        all.extend((0..18).map(|n| bird(style, n >= 12, scale, rng)));
    }
    all
}

/// A gull that flies past in the first half minute, or one that sits on the water.
fn bird(style: &Style, sits: bool, scale: &Scale, rng: &mut Rng) -> FloatingObject {
    let (width, unit) = (style.canvas.whole().0 as f32, style.canvas.unit);
    let row = style.canvas.row(rng.between(0.05, 0.9));
    let side = scale.px(if sits { 0.6 } else { 1.3 }, row);
    let towards = rng.one_of([-1.0, 1.0]);
    let speed = scale.px(if sits { rng.between(0.0, 0.3) } else { rng.between(7.0, 14.0) }, row);
    let height = if sits { 0.0 } else { scale.px(rng.between(0.5, 8.0), row) };
    let passes_s = if sits { 0.0 } else { rng.between(0.0, 28.0) };
    FloatingObject {
        sprite: gull(side, sits, [0, 1, 2].map(|c| 226.0 * style.hulls.sky[c])),
        at: [rng.unit_f32() * width - towards * speed * passes_s, row - height - side * 0.5],
        drift: [towards * speed, if sits { 0.0 } else { rng.between(-6.0, 6.0) * unit }],
    }
}
