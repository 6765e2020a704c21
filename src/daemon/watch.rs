//! The way through the house behind a frame: look, follow, judge; the logbook entries that come of it.
//!
//! The daemon and replay both walk it, so what a technician tries on a recording is what runs at night.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::alerts::payload;
use crate::clock::Stamp;
use crate::config::{Camera, Site};
use crate::detect::{DetectError, Detection, Detector, Thresholds};
use crate::evidence;
use crate::frame::Frame;
use crate::geometry::{BBox, FrameSize, Norm};
use crate::logbook::{Entry, LookEntry, SignalEntry};
use crate::rules::{Engine, Phase, SignalEvent};
use crate::track::{self, Track, TrackState, Tracker, TrackerConfig, VesselCounter, VesselId};

/// What the watch has done at one camera. Counts since the start.
#[derive(Debug, Default)]
pub struct WatchStats {
    /// Frames looked at.
    pub looks: AtomicU64,
    /// Detector runs.
    pub runs: AtomicU64,
    /// Looks that failed.
    pub failed_looks: AtomicU64,
    /// Boxes that were not finite or had no area.
    pub rejected_boxes: AtomicU64,
    /// Detections.
    pub detections: AtomicU64,
    /// Tracks confirmed.
    pub tracks: AtomicU64,
    /// Signals opened.
    pub signals: AtomicU64,
    /// Signals opened within a cooldown: logged, not told.
    pub suppressed: AtomicU64,
}

/// Detector, trackers and rules of a site. One thread owns it.
pub struct Watch {
    site: Arc<Site>,
    detector: Box<dyn Detector>,
    vessels: VesselCounter,
    posts: Vec<Post>,
}

/// What belongs to one camera.
struct Post {
    camera: Camera,
    regions: Vec<BBox<Norm>>,
    tracker: Tracker,
    engine: Engine,
    size: Option<FrameSize>,
    /// The highest vessel number confirmed here; numbers only rise.
    newest: VesselId,
    stats: Arc<WatchStats>,
}

impl Watch {
    /// A watch over the cameras of `site`; which boxes are believed is the model's to say, and vessels are numbered
    /// from `next_vessel` on.
    pub fn new(site: Arc<Site>, detector: Box<dyn Detector>, believed: Thresholds, next_vessel: u64) -> Self {
        let tracking =
            TrackerConfig { sure: believed.confidence, floor: believed.floor, ..TrackerConfig::default() };
        let post = |camera: &Camera| Post {
            regions: regions(camera),
            tracker: Tracker::new(tracking.clone()),
            engine: Engine::new(&site, &camera.id),
            size: None,
            newest: VesselId(0),
            stats: Arc::default(),
            camera: camera.clone(),
        };
        let posts = site.cameras.iter().map(post).collect();
        let vessels = VesselCounter::after(VesselId(next_vessel.saturating_sub(1)));
        Self { site, detector, vessels, posts }
    }

    /// Counters, one a camera in the order of the site file.
    pub fn stats(&self) -> Vec<Arc<WatchStats>> {
        self.posts.iter().map(|post| post.stats.clone()).collect()
    }

    /// Looks at a frame of camera `index` (order of the site file).
    ///
    /// Entries are in the order in which they must be written: the look before the signals it raised.
    pub fn look(&mut self, index: usize, frame: &Frame) -> Result<Vec<Entry>, DetectError> {
        let Self { site, detector, vessels, posts } = self;
        let post = &mut posts[index];
        let size = frame.picture.size;
        let mut entries = Vec::new();
        if post.size.replace(size).is_some_and(|before| before != size) {
            // Boxes in pixels of another picture mean nothing now.
            entries.extend(post.end(site, frame.stamp, frame.seq));
        }
        let look = detector.look(frame, &post.regions).inspect_err(|_| count(&post.stats.failed_looks, 1))?;
        count(&post.stats.looks, 1);
        count(&post.stats.runs, u64::from(look.runs));
        count(&post.stats.rejected_boxes, u64::from(look.rejected));
        count(&post.stats.detections, look.detections.len() as u64);

        let looked: Vec<_> = post.regions.iter().map(|&region| size.box_to_pixels(region)).collect();
        let seen = track::Look {
            detections: &look.detections,
            size,
            looked: &looked,
            shift: [0.0, 0.0],
            at: frame.stamp.mono,
        };
        let tracks = post.tracker.step(&seen, vessels);
        let events = post.engine.step(&tracks, size, frame.stamp);
        let detections = look.detections.iter().copied().zip(post.tracker.taken().iter().copied()).collect();
        let changed = post.begun_or_ended(tracks);
        entries.push(Entry::Look(post.look_entry(frame.stamp, frame.seq, size, detections, changed)));
        entries.extend(events.into_iter().map(|event| post.signal_entry(site, event, Some(frame))));
        Ok(entries)
    }

    /// Ends every track and closes every signal: the watch goes off.
    pub fn finish(&mut self, at: Stamp) -> Vec<Entry> {
        let site = &self.site;
        self.posts.iter_mut().flat_map(|post| post.end(site, at, 0)).collect()
    }
}

impl Post {
    fn end(&mut self, site: &Site, at: Stamp, frame_seq: u64) -> Vec<Entry> {
        let Some(size) = self.size else { return Vec::new() };
        let ended = self.tracker.end_all();
        if ended.is_empty() {
            return Vec::new();
        }
        let events = self.engine.step(&ended, size, at);
        let mut entries = vec![Entry::Look(self.look_entry(at, frame_seq, size, Vec::new(), ended))];
        entries.extend(events.into_iter().map(|event| self.signal_entry(site, event, None)));
        entries
    }

    /// The tracks of a look that the logbook wants: those it confirmed and those it ended.
    fn begun_or_ended(&mut self, mut tracks: Vec<Track>) -> Vec<Track> {
        let newest = self.newest;
        tracks.retain(|track| track.vessel > newest || track.state == TrackState::Ended);
        let begun = tracks.iter().filter(|track| track.vessel > newest).count();
        count(&self.stats.tracks, begun as u64);
        self.newest = tracks.iter().map(|track| track.vessel).fold(newest, VesselId::max);
        tracks
    }

    fn look_entry(
        &self,
        at: Stamp,
        frame_seq: u64,
        frame_size: FrameSize,
        detections: Vec<(Detection, Option<VesselId>)>,
        tracks: Vec<Track>,
    ) -> LookEntry {
        LookEntry { camera: self.camera.id.clone(), at, frame_seq, frame_size, detections, tracks }
    }

    fn signal_entry(&self, site: &Site, event: SignalEvent, frame: Option<&Frame>) -> Entry {
        if event.phase == Phase::Opened {
            count(&self.stats.signals, 1);
            count(&self.stats.suppressed, u64::from(!event.alert));
        }
        let picture = frame.filter(|_| event.alert && event.phase == Phase::Opened).and_then(|frame| {
            let subject = frame.picture.size.box_to_pixels(event.bbox);
            evidence::draw(&frame.picture, subject, &self.camera.privacy_masks)
                .inspect_err(
                    |cause| tracing::warn!(camera = %self.camera.id, %cause, "no picture for an alert"),
                )
                .ok()
        });
        let alert = event.alert.then(|| payload::alert(&event, site, &self.camera.name, picture));
        Entry::Signal(SignalEntry { event, alert })
    }
}

fn regions(camera: &Camera) -> Vec<BBox<Norm>> {
    let whole = camera.whole_frame.then_some(BBox::new(0.0, 0.0, 1.0, 1.0));
    whole.into_iter().chain(camera.regions.iter().copied()).collect()
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
