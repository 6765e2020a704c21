//! A scene played through the watch, as replay plays a recording.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::boxes::{FoundBox, TrueBox};
use super::material::Scene;
use super::signals::Raised;
use crate::cli::reel::Reel;
use crate::clock::{MonoTime, Stamp, processor_time};
use crate::daemon::{Watch, WatchStats};
use crate::detect::{Class, OnnxDetector};
use crate::evidence;
use crate::frame::Frame;
use crate::geometry::{BBox, FrameSize, Px};
use crate::logbook::Entry;
use crate::regions::FixedPlan;
use crate::rules::Phase;
use crate::rules::ResumeState;
use crate::track::TrackState;

/// One look, and what was there.
#[derive(Debug)]
pub(super) struct Moment {
    /// Seconds from the start of the clip.
    pub(super) at_s: f64,
    pub(super) frame_seq: u64,
    pub(super) found: Vec<FoundBox>,
    pub(super) truth: Vec<TrueBox>,
    /// The regions that were looked at.
    pub(super) looked: Vec<BBox<Px>>,
}

/// What a scene cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) looks: u64,
    pub(super) runs: u64,
    pub(super) recorded_s: f64,
    /// Processor time of the thread that watches ...
    pub(super) watch: Duration,
    /// ... and of the whole process, decoding among it.
    pub(super) all: Duration,
}

impl Cost {
    pub(super) fn add(&mut self, other: &Self) {
        self.looks += other.looks;
        self.runs += other.runs;
        self.recorded_s += other.recorded_s;
        self.watch += other.watch;
        self.all += other.all;
    }
}

/// Boxes that were not believed, by reason.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Rejected {
    /// Not finite, without area, or beyond what one run may give.
    pub(super) malformed: u64,
    /// Cut by a tile's border: looked at again.
    pub(super) cut: u64,
    /// Sure, and not seen again often enough.
    pub(super) unconfirmed: u64,
    /// Sure, and faster than any vessel.
    pub(super) too_fast: u64,
    /// Outside the water.
    pub(super) outside_water: u64,
    /// Smaller than any vessel, by the camera's calibration.
    pub(super) too_small: u64,
}

impl Rejected {
    fn new(stats: &WatchStats) -> Self {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Self {
            malformed: of(&stats.rejected_boxes),
            cut: of(&stats.cut_boxes),
            unconfirmed: of(&stats.unconfirmed_boxes),
            too_fast: of(&stats.too_fast),
            outside_water: of(&stats.outside_water),
            too_small: of(&stats.too_small),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.malformed += other.malformed;
        self.cut += other.cut;
        self.unconfirmed += other.unconfirmed;
        self.too_fast += other.too_fast;
        self.outside_water += other.outside_water;
        self.too_small += other.too_small;
    }
}

/// Everything a scene gave.
#[derive(Debug)]
pub(super) struct Playback {
    pub(super) moments: Vec<Moment>,
    pub(super) raised: Vec<Raised>,
    pub(super) size: FrameSize,
    /// Width and height of the detector's input.
    pub(super) input: [f32; 2],
    pub(super) cost: Cost,
    pub(super) rejected: Rejected,
}

/// Plays the scene with the model of its site file, or with `model`; attention chooses, unless looks are `fixed`. `progress` is
/// told of each look.
pub(super) fn play(
    scene: &Scene,
    model: Option<&Path>,
    fixed: Option<FixedPlan>,
    progress: &dyn Fn(f64),
) -> anyhow::Result<Playback> {
    let start = Stamp { mono: MonoTime::from_boot(Duration::ZERO), wall: scene.about.start };
    let site = Arc::new(scene.site.clone());
    let manifest = model.unwrap_or(&site.model.manifest);
    let detector = OnnxDetector::load(manifest, &site.model.runtime, site.model.threads)?;
    let believed = detector.manifest().thresholds;
    let input = [detector.manifest().input.width as f32, detector.manifest().input.height as f32];
    let mut watch = Watch::new(site.clone(), Box::new(detector), believed, 1, &ResumeState::default());
    if let Some(fixed) = fixed {
        watch.use_fixed_plan(fixed);
    }
    let stats = watch.stats();
    let mut reel = Reel::open(&site.cameras[scene.camera], &scene.clip, start)?;

    let (mut moments, mut raised) = (Vec::new(), Vec::new());
    let mut size = FrameSize { width: 1, height: 1 };
    let mut watching = Duration::ZERO;
    let (_, all_before) = processor_time();
    while let Some(frame) = reel.next_due()? {
        let (before, _) = processor_time();
        let entries = watch.look(scene.camera, &frame)?;
        watching += processor_time().0.saturating_sub(before);
        size = frame.picture.size;
        note(entries, &frame, scene, believed.high, &mut moments, &mut raised);
        if let Some(moment) = moments.last_mut() {
            let last = watch.last_look(scene.camera);
            moment.looked.clone_from(&last.looked);
            // Where a look did not look, the watch holds its vessels to be where it expects them.
            let unwatched = last.followed.iter().filter(|t| t.state == TrackState::NotInspected);
            moment.found.extend(unwatched.map(|track| FoundBox {
                bbox: track.bbox,
                confidence: believed.high,
                followed: Some(track.vessel.0),
            }));
        }
        progress(frame.stamp.mono.since_boot().as_secs_f64());
    }
    // As replay counts: up to the last look.
    let recorded_s = moments.last().map_or(0.0, |m: &Moment| m.at_s);
    let cost = Cost {
        looks: stats[scene.camera].looks.load(Ordering::Relaxed),
        runs: stats[scene.camera].runs.load(Ordering::Relaxed),
        recorded_s,
        watch: watching,
        all: processor_time().1.saturating_sub(all_before),
    };
    let rejected = Rejected::new(&stats[scene.camera]);
    Ok(Playback { moments, raised, size, input, cost, rejected })
}

/// Takes down what a look gave. Faint boxes count where they were taken for a vessel that was followed already: nobody hears of
/// the others.
fn note(
    entries: Vec<Entry>,
    frame: &Frame,
    scene: &Scene,
    sure: f32,
    moments: &mut Vec<Moment>,
    raised: &mut Vec<Raised>,
) {
    let at_s = frame.stamp.mono.since_boot().as_secs_f64();
    for entry in entries {
        match entry {
            Entry::Look(look) => {
                let vessels = look.detections.iter().filter(|(d, _)| d.class == Class::Vessel);
                let counted = vessels.filter(|(d, followed)| d.confidence >= sure || followed.is_some());
                let found = counted.map(|(d, followed)| FoundBox {
                    bbox: d.bbox,
                    confidence: d.confidence,
                    followed: followed.map(|vessel| vessel.0),
                });
                let truth = truth_at(scene, at_s);
                let looked = Vec::new();
                moments.push(Moment { at_s, frame_seq: frame.seq, found: found.collect(), truth, looked });
            }
            Entry::Signal(signal) if signal.event.phase == Phase::Opened => raised.push(Raised {
                rule: signal.event.rule.to_string(),
                place: signal.event.place.to_string(),
                opened_s: at_s,
                followed: signal.event.vessel.map_or(0, |v| v.0),
                bbox: signal.event.bbox,
                text: signal.event.text,
            }),
            _ => {}
        }
    }
}

/// The truth of the frame that was taken at `at_s`.
fn truth_at(scene: &Scene, at_s: f64) -> Vec<TrueBox> {
    let number = (at_s * scene.about.frames_per_second).round() as u32 + 1;
    let rows = scene.truth.get(&number).into_iter().flatten();
    rows.map(|row| {
        let [x, y, w, h] = row.xywh.map(|v| v as f32);
        TrueBox { vessel: row.id, bbox: BBox::from_xywh(x, y, w, h), visibility: row.visibility as f32 }
    })
    .collect()
}

/// A part of a picture as JPEG, and which part it is, in pixels of the frame.
pub(super) type Part = (BBox<Px>, Vec<u8>);

/// Pictures of a scene, masked as its camera is: for each of `wanted` (frame number, what it must show) one, in their order.
pub(super) fn pictures(scene: &Scene, wanted: &[(u64, BBox<Px>)]) -> anyhow::Result<Vec<Part>> {
    let start = Stamp { mono: MonoTime::from_boot(Duration::ZERO), wall: scene.about.start };
    let camera = &scene.site.cameras[scene.camera];
    let numbers: BTreeSet<u64> = wanted.iter().map(|(number, _)| *number).collect();
    let mut reel = Reel::open(camera, &scene.clip, start)?;
    let mut parts = BTreeMap::new();
    while let Some(frame) = reel.next_due()? {
        if !numbers.contains(&frame.seq) {
            continue;
        }
        for (place, (_, subject)) in wanted.iter().enumerate().filter(|(_, (number, _))| *number == frame.seq)
        {
            parts.insert(place, evidence::part(&frame.picture, *subject, &camera.privacy_masks)?);
        }
    }
    Ok(parts.into_values().collect())
}
