use std::collections::BTreeSet;

use super::*;
use crate::material::Drawing;
use crate::oracle;
use crate::renderer::Renderer;
use crate::site::{Direction, RuleKind, Site};
use crate::truth::TruthBox;

fn variant(theme: Theme, seed: u64) -> Variant {
    Variant { theme, number: 0, seed, seconds: 24, size: (640, 360) }
}

/// Every `step`-th frame of a variant with its boxes.
fn drawn(variant: &Variant, step: usize) -> Vec<(Vec<u8>, Vec<TruthBox>)> {
    let composition = variant.prepare().unwrap().composition;
    let mut renderer = Renderer::new(composition, variant.seconds as f32, variant.fps() as f32).unwrap();
    let draw = |n| {
        let (picture, boxes) = renderer.draw(n);
        assert_eq!((picture.width, picture.height), variant.size);
        (picture.data, boxes)
    };
    (0..variant.frames()).step_by(step).map(draw).collect()
}

/// Mean brightness and mean step between pixels of the water near the horizon, and the share of nearly white pixels in all
/// of the water.
fn water(picture: &[u8], top: usize) -> [f32; 3] {
    let mean = |values: &mut dyn Iterator<Item = f32>| {
        let (sum, n) = values.fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
        sum / n
    };
    let far = &picture[640 * top..640 * (top + 40)];
    [
        mean(&mut far.iter().map(|v| f32::from(*v))),
        mean(&mut far.windows(2).map(|w| f32::from(w[0].abs_diff(w[1])))),
        mean(&mut picture[640 * top..640 * 360].iter().map(|v| f32::from(u8::from(*v > 215)))),
    ]
}

#[test]
fn the_same_seed_gives_the_same_files_and_another_seed_others() {
    let files = |variant: &Variant| {
        let out = tempfile::tempdir().unwrap();
        let folder = VariantFolder { variant, out: out.path(), models: "models".as_ref() };
        assert!(!folder.is_current());
        folder.draw(&|| {}).unwrap();
        assert!(folder.is_current());
        let read = |name| std::fs::read(out.path().join(variant.id()).join(name)).unwrap();
        let clip = read("clip.mp4");
        // After the frames the container stores when it was written.
        let pictures = clip.windows(4).rposition(|word| word == b"moov").unwrap();
        [
            clip[..pictures].to_vec(),
            read("truth.txt"),
            read("site.toml"),
            read("signals.json"),
            read("scene.json"),
        ]
    };
    let small = |seed| Variant { seconds: 16, size: (320, 180), ..variant(Theme::Rain, seed) };
    let (once, again, other) = (files(&small(3)), files(&small(3)), files(&small(4)));
    assert!(once == again);
    assert!(once.iter().zip(&other).all(|(a, b)| a != b));
}

#[test]
fn a_variant_does_not_depend_on_the_others() {
    let all = variants(30, 1, &Theme::ALL, 24, (640, 360));
    let fog = variants(2, 1, &[Theme::Fog], 24, (640, 360));
    assert!(fog.iter().all(|variant| all.contains(variant)));
    let ids: BTreeSet<String> = all.iter().map(Variant::id).collect();
    assert_eq!(ids.len(), 30);
}

#[test]
fn every_theme_shows_its_subject() {
    for seed in [1, 2] {
        let boxes = |theme| {
            let variant = variant(theme, seed);
            let prepared = variant.prepare().unwrap();
            (water(&drawn(&variant, 200)[1].0, prepared.composition.waves.top), prepared)
        };
        let ([day, rough, _], _) = boxes(Theme::Day);
        let ([dusk, ..], _) = boxes(Theme::Dusk);
        let ([night, ..], dark) = boxes(Theme::Night);
        assert!(day > dusk && dusk > night && night < 60.0, "{day} {dusk} {night}");
        assert!(
            dark.composition.light.noise > 0 && dark.composition.vessels.iter().any(|v| !v.lamps.is_empty())
        );
        let ([_, smooth, _], fog) = boxes(Theme::Fog);
        assert!(smooth < 0.6 * rough && fog.composition.weather.haze.is_some(), "{smooth} {rough}");
        let ([_, _, dazzling], glare) = boxes(Theme::Glare);
        let mut overcast = glare.composition;
        overcast.weather.glitter = None;
        let top = overcast.waves.top;
        let [_, _, dull] = water(&Renderer::new(overcast, 24.0, 12.5).unwrap().draw(200).0.data, top);
        assert!(dazzling > dull + 0.001, "{dazzling} {dull}");
        assert!(boxes(Theme::Rain).1.composition.weather.rain.is_some());
        assert!(boxes(Theme::Wakes).1.composition.weather.wake.length > 3.0);
        assert!(boxes(Theme::Reflections).1.composition.weather.reflectivity > 0.5);
        let moored = boxes(Theme::Fleet).1.composition.vessels.iter().filter(|v| v.route.len() == 1).count();
        assert!(moored >= 5, "{moored} moored");
        assert!(boxes(Theme::Ribs).1.composition.vessels.iter().any(|v| v.drawing == Drawing::Rib));
        let sailing =
            boxes(Theme::Crossing).1.composition.vessels.iter().filter(|v| v.route.len() > 1).count();
        assert!(sailing >= 6, "{sailing} sail");
    }
}

#[test]
fn a_shaken_camera_moves_the_boxes_of_moored_vessels() {
    let moored = |theme| {
        let places = |seed| {
            let variant = variant(theme, seed);
            let prepared = variant.prepare().unwrap();
            let still = prepared.composition.vessels.iter().find(|v| v.route.len() == 1)?.id;
            let of = drawn(&variant, 9);
            Some(
                of.iter()
                    .flat_map(|(_, boxes)| boxes)
                    .filter(|s| s.id == still)
                    .map(|s| s.left)
                    .collect::<BTreeSet<_>>(),
            )
        };
        (1..9).find_map(places).unwrap()
    };
    assert!(moored(Theme::Shake).len() > 3);
    // The swell changes the length by one step.
    assert!(moored(Theme::Day).len() <= 2);
}

#[test]
fn a_vessel_behind_the_pier_has_visibility_0() {
    let hides = (0..4).any(|seed| {
        drawn(&variant(Theme::Bridge, seed), 6)
            .iter()
            .any(|(_, boxes)| boxes.iter().any(|s| s.visibility == 0.0))
    });
    assert!(hides);
    assert!(
        drawn(&variant(Theme::Day, 1), 6).iter().flat_map(|(_, boxes)| boxes).all(|s| s.visibility > 0.0)
    );
}

/// The signals that the routes imply: from the planned positions, eight times a second, and the bounding box of each zone.
fn implied(variant: &Variant, prepared: &Prepared, site: &Site) -> BTreeSet<(String, u32)> {
    let wait = |text: &Option<String>| text.as_deref().map_or(0.0, |t| crate::site::seconds(t).unwrap());
    let mut all = BTreeSet::new();
    for (rule, vessel) in
        site.rules.iter().flat_map(|r| prepared.composition.vessels.iter().map(move |v| (r, v)))
    {
        let path: Vec<[f64; 2]> = (0..variant.seconds * 8)
            .map(|n| vessel.position(n as f32 / 8.0))
            .map(|(x, y)| [f64::from(x) / variant.size.0 as f64, f64::from(y) / variant.size.1 as f64])
            .collect();
        let live = rule.schedule.as_ref().is_none_or(|hours| {
            let hour = prepared.start / 3600.0 % 24.0;
            if hours[0].from.as_str() == "07:00" {
                (7.0..19.0).contains(&hour)
            } else {
                !(5.5..21.0).contains(&hour)
            }
        });
        if let Some(line) = site.lines.iter().find(|l| Some(&l.id) == rule.line.as_ref()) {
            let x = (line.from[0] + line.to[0]) / 2.0;
            let rightwards = rule.direction == Some(Direction::LeftToRight);
            let over = path.windows(2).any(|w| {
                let [low, high] = [line.to[1], line.from[1]];
                let crossed =
                    if rightwards { w[0][0] < x && w[1][0] >= x } else { w[0][0] > x && w[1][0] <= x };
                crossed && (low..high).contains(&w[0][1])
            });
            if over && live {
                all.insert((rule.id.clone(), vessel.id));
            }
        }
        if let Some(zone) = site.zones.iter().find(|z| Some(&z.id) == rule.zone.as_ref()) {
            let bound = |i: usize| {
                let of = zone.polygon.iter().map(|p| p[i]);
                of.clone().fold(1.0, f64::min)..of.fold(0.0, f64::max)
            };
            let (columns, rows) = (bound(0), bound(1));
            let inside: Vec<bool> =
                path.iter().map(|p| columns.contains(&p[0]) && rows.contains(&p[1])).collect();
            let longest = inside.split(|i| !i).map(<[bool]>::len).max().unwrap_or(0) as f64 / 8.0;
            let entered = rule.kind != RuleKind::Entry || inside.windows(2).any(|w| !w[0] && w[1]);
            if live && entered && longest > wait(&rule.confirm).max(wait(&rule.longer_than)) {
                all.insert((rule.id.clone(), vessel.id));
            }
        }
    }
    all
}

#[test]
fn the_truth_raises_the_signals_that_the_routes_imply() {
    for theme in [Theme::Day, Theme::Night, Theme::Fleet, Theme::Bridge, Theme::Ribs, Theme::Crossing] {
        let variant = variant(theme, 7);
        let prepared = variant.prepare().unwrap();
        let site: Site = toml::from_str(&prepared.site_rules).unwrap();
        let frames: Vec<Vec<TruthBox>> = drawn(&variant, 5).into_iter().map(|(_, boxes)| boxes).collect();
        let signals =
            oracle::signals(&site, "quay", &frames, variant.size, variant.fps() / 5.0, prepared.start)
                .unwrap();
        let raised: BTreeSet<_> = signals.iter().map(|s| (s.rule.clone(), s.vessel)).collect();
        assert_eq!(raised, implied(&variant, &prepared, &site), "{theme:?}");
        assert_eq!(raised.len(), signals.len(), "{theme:?}: each once");
        assert!(raised.len() >= 2 && !prepared.near_misses.is_empty(), "{theme:?}");
        for miss in &prepared.near_misses {
            assert!(!raised.contains(&(miss.rule.clone(), miss.vessel)), "{theme:?}: {miss:?}");
        }
    }
}

#[test]
fn the_error_for_an_unknown_theme_lists_the_themes() {
    let message = Theme::named("snow").unwrap_err().to_string();
    assert!(message.contains("no theme snow") && message.contains("day, dusk, night, fog"), "{message}");
}
