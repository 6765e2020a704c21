//! The cost of a detection pass in the rules: `cargo bench --bench rules`.

use std::fmt::Write;
use std::time::Duration;

use divan::{AllocProfiler, Bencher};
use havenwacht::clock::{MonoTime, Stamp};
use havenwacht::config::{self, Site};
use havenwacht::geometry::{BBox, FrameSize};
use havenwacht::rules::{Engine, ResumeState};
use havenwacht::track::{Track, TrackState, VesselId};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const SIZE: FrameSize = FrameSize { width: 1920, height: 1080 };
const VESSELS: u64 = 50;
const RULES: usize = 30;
/// Passes before those that are measured: a minute, in which vessels moor and first signals open.
const PASSES_BEFORE: u32 = 240;

/// A rule of each kind, as keys of the site file. `{n}` is a zone from 0 to 15, and `{b}` a berth from 0 to 3.
const KINDS: &[(&str, &str)] = &[
    ("presence", "zone = 'water-{n}'\nschedule = [{ from = '21:30', to = '05:30' }]"),
    ("entry", "zone = 'water-{n}'"),
    ("crossing", "line = 'mouth'"),
    ("wrong-way", "zone = 'water-{n}'\nfrom = [0.2, 0.6]\nto = [0.8, 0.6]"),
    ("dwell", "zone = 'water-{n}'\nlonger_than = '30s'"),
    ("loitering", "zone = 'water-{n}'\nradius_m = 20\nlonger_than = '30s'"),
    ("stop", "zone = 'water-{n}'\nlonger_than = '30s'"),
    ("speeding", "zone = 'water-{n}'\nlimit_knots = 6"),
    ("approach", "line = 'mouth'\nwithin_m = 40\nlimit_knots = 3"),
    ("rendezvous", "zone = 'water-{n}'\ncloser_than_m = 20\nlonger_than = '30s'"),
    ("crowd", "zone = 'water-{n}'\nmore_than = 3"),
    ("inactivity", "zone = 'water-{n}'\nlonger_than = '1h'"),
    ("absent", "zone = 'berth-{b}'\nlonger_than = '30s'"),
    ("departure", "zone = 'berth-{b}'"),
    ("overstay", "zone = 'berth-{b}'\nlonger_than = '40s'"),
    ("unexpected", "zone = 'berth-{b}'"),
    ("repeat", "zone = 'berth-{b}'\ntimes = 3\nwithin = '7d'"),
    ("all", "of = ['first', 'second']"),
    ("then", "first = 'first'\nsecond = 'second'\nwithin = '10m'"),
];

fn main() {
    divan::main();
}

/// A calibrated camera with 16 zones on the water, four berths along the quay, and thirty rules of the `kinds` in turn.
fn site(kinds: &[&(&str, &str)]) -> Site {
    let mut text = String::from(
        "[site]\nid = 'bench'\ntime_zone = 'Europe/Amsterdam'\n[model]\nmanifest = 'm.toml'\nruntime = 'r.so'\n\
         [broker]\nhost = '127.0.0.1'\n[logbook]\npath = 'l.sqlite'\n\
         [[camera]]\nid = 'quay'\nurl = 'rtsp://127.0.0.1:8554/quay'\ncodec = 'h264'\n[camera.calibration]\npoints = [\n",
    );
    for (x, y) in [(0.1, 0.9), (0.9, 0.9), (0.2, 0.4), (0.8, 0.4), (0.5, 0.7), (0.3, 0.55)] {
        // A camera at a height of eleven metres, with the horizon at a quarter of the picture's height.
        let width_m = 20.0 / (y - 0.25);
        let (east, north) = ((x - 0.5) * width_m, width_m / 1.2);
        writeln!(text, "{{ image = [{x}, {y}], metres = [{east}, {north}] }},").expect("a string takes it");
    }
    text.push_str("]\n[[line]]\nid = 'mouth'\ncamera = 'quay'\nfrom = [0.5, 0.95]\nto = [0.5, 0.45]\n");
    let mut zone = |id: &str, (x0, y0): (f64, f64), (x1, y1): (f64, f64), berth: &str| {
        // Eight corners, like a basin drawn by hand.
        let (x, y) = (f64::midpoint(x0, x1), f64::midpoint(y0, y1));
        writeln!(
            text,
            "[[zone]]\nid = '{id}'\ncamera = 'quay'\n{berth}\npolygon = [[{x0}, {y0}], [{x}, {y0}], [{x1}, {y0}], \
             [{x1}, {y}], [{x1}, {y1}], [{x}, {y1}], [{x0}, {y1}], [{x0}, {y}]]"
        )
        .expect("a string takes it");
    };
    for n in 0..16_u8 {
        let (x0, y0) = (0.25 * f64::from(n % 4), 0.48 + 0.12 * f64::from(n / 4));
        zone(&format!("water-{n}"), (x0, y0), (x0 + 0.25, y0 + 0.12), "");
    }
    for b in 0..4_u8 {
        let x0 = 0.25 * f64::from(b);
        let berth = "berth = { expected_length_m = [8, 14] }";
        zone(&format!("berth-{b}"), (x0, 0.35), (x0 + 0.25, 0.46), berth);
    }
    // The parts of combined rules come first, and count.
    let parts = [KINDS[0], KINDS[1]].map(|(kind, keys)| (kind, keys));
    let combined = kinds.iter().any(|(kind, _)| matches!(*kind, "all" | "then"));
    let parts = parts.iter().zip(["first", "second"]).filter(|_| combined);
    let parts: Vec<_> = parts.map(|(kind, id)| (kind, id.to_owned())).collect();
    let others = kinds.iter().copied().cycle().zip(0..).map(|(kind, n)| (kind, format!("rule-{n}")));
    for (n, ((kind, keys), id)) in parts.into_iter().chain(others).take(RULES).enumerate() {
        let keys = keys.replace("{n}", &(n % 16).to_string()).replace("{b}", &(n % 4).to_string());
        writeln!(text, "[[rule]]\nid = '{id}'\nkind = '{kind}'\n{keys}\nseverity = 'info'")
            .expect("a string takes it");
    }
    let folder = tempfile::tempdir().expect("a folder for the site file");
    let path = folder.path().join("site.toml");
    for (name, text) in [("site.toml", text.as_str()), ("m.toml", ""), ("r.so", "")] {
        std::fs::write(folder.path().join(name), text).expect("the site file and what it names are written");
    }
    config::load(&path).unwrap_or_else(|error| panic!("{error}")).0
}

/// Twenty vessels are moored at the quay, and thirty move to and fro at different speeds; every eighth is not seen.
fn tracks(pass: u32) -> (Vec<Track>, Stamp) {
    let since_s = 0.25 * f64::from(pass);
    let passed = Duration::from_secs_f64(since_s);
    let start: jiff::Timestamp = "2026-06-01T20:13:00Z".parse().expect("a moment");
    let at = Stamp { mono: MonoTime::from_boot(Duration::from_secs(1000)) + passed, wall: start + passed };
    let tracks = (0..VESSELS).map(|vessel| {
        let moored = vessel < 20;
        let jitter = ((vessel * 7 + u64::from(pass) * 13) % 11) as f32 * 0.3;
        let (x, y) = if moored {
            (50.0 + 95.0 * vessel as f32, 430.0)
        } else {
            let speed = 20.0 + 4.0 * (vessel % 10) as f64;
            // Back and forth between the sides of the picture.
            let gone = (since_s * speed + 60.0 * vessel as f64) % 3400.0;
            (60.0 + (1700.0 - (gone - 1700.0).abs()) as f32, 530.0 + 16.0 * (vessel - 20) as f32)
        };
        let bbox = BBox::new(x + jitter, y - 50.0, x + 80.0 + jitter, y);
        let hidden = (vessel + u64::from(pass) / 8).is_multiple_of(8);
        Track {
            vessel: VesselId(vessel + 1),
            state: if hidden { TrackState::Lost } else { TrackState::Confirmed },
            bbox,
            seen_bbox: bbox,
            confidence: 0.8,
            detection: (!hidden).then_some(0),
            first_seen: MonoTime::from_boot(Duration::from_secs(1000)),
            first_bbox: bbox,
            last_seen: at.mono,
            hits: pass + 1,
            velocity: (!moored).then_some([20.0, 0.0]),
        }
    });
    (tracks.collect(), at)
}

fn steps(bencher: Bencher<'_, '_>, kinds: &[&(&str, &str)]) {
    let site = site(kinds);
    assert_eq!(site.rules.len(), RULES);
    assert_eq!(site.cameras[0].zones.len(), 20);
    let mut engine = Engine::new(site.rules_of(&site.cameras[0]), &ResumeState::default());
    for pass in 0..PASSES_BEFORE {
        let (tracks, at) = tracks(pass);
        engine.step(&tracks, SIZE, at);
    }
    let mut pass = PASSES_BEFORE;
    bencher
        .with_inputs(|| {
            pass += 1;
            tracks(pass)
        })
        .bench_local_refs(|(tracks, at)| engine.step(tracks, SIZE, *at));
}

/// Rules of all kinds.
#[divan::bench(sample_count = 2000, sample_size = 1)]
fn mixed(bencher: Bencher<'_, '_>) {
    steps(bencher, &KINDS.iter().collect::<Vec<_>>());
}

/// Thirty rules of one kind.
#[divan::bench(sample_count = 500, sample_size = 1, args = KINDS.iter().map(|(kind, _)| *kind))]
fn thirty_of(bencher: Bencher<'_, '_>, kind: &str) {
    steps(bencher, &KINDS.iter().filter(|(one, _)| *one == kind).collect::<Vec<_>>());
}
