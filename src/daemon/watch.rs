//! The way through the house behind a frame: look, follow, judge; the logbook entries that come of it.
//!
//! The daemon and replay both walk it, so what a technician tries on a recording is what runs at night.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::alerts::payload;
use crate::camera_health::{Cause, HealthMonitor, Outage, OutageChange};
use crate::clock::{MonoTime, Stamp};
use crate::config::{Camera, Site};
use crate::detect::motion_cue::MotionCue;
use crate::detect::{Class, DetectError, Detection, DetectionPass, Detector, Thresholds};
use crate::evidence;
use crate::frame::{Frame, Thumbnail};
use crate::geometry::{BBox, FrameSize, Px};
use crate::logbook::{Entry, OutageStep, PassEntry, SignalEntry};
use crate::regions::{
    BoxFilter, FixedPlan, PassContext, PassResult, PlannerConfig, PriorityArea, RegionPlanner, RejectReason,
    TrackedVessel,
};
use crate::rules::{
    Condition, Engine, Phase, ResumeState, RuleEvent, RulePlace, SignalEvent, SignalId, stable_uuid,
};
use crate::track::{Track, TrackState, Tracker, TrackerConfig, TrackerInput, VesselCounter, VesselId};
use strum::EnumCount as _;

/// While no picture comes, rules in force say so this often.
const TELL_AWAY: Duration = Duration::from_secs(10);

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
    /// Boxes that a region's border cut: looked at again rather than believed.
    pub cut_boxes: AtomicU64,
    /// Boxes above the high threshold whose tracks were never confirmed.
    pub unconfirmed_boxes: AtomicU64,
    /// The same, of what moved faster than any vessel.
    pub too_fast: AtomicU64,
    /// Vessels outside the water, or what the model took for some.
    pub outside_water: AtomicU64,
    /// The same, smaller than any vessel by the camera's calibration.
    pub too_small: AtomicU64,
    /// When the place unseen longest was seen, in milliseconds of the monotonic clock; 0 before the first look.
    pub oldest_seen_ms: AtomicU64,
    /// Milliseconds for which a place may stay unseen.
    pub swept_within_ms: AtomicU64,
    /// Detections.
    pub detections: AtomicU64,
    /// Tracks confirmed.
    pub tracks: AtomicU64,
    /// Signals opened.
    pub signals: AtomicU64,
    /// Looks in which a rule kept silent about a vessel or place, and said why.
    pub suppressed: AtomicU64,
    /// Outage spells begun, in the order of [`Cause`].
    pub camera_outages: [AtomicU64; Cause::COUNT],
    outage: Mutex<Option<Outage>>,
}

impl WatchStats {
    /// The blind spell that lasts.
    pub fn outage(&self) -> Option<Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Detector, trackers and rules of a site. One thread owns it.
pub struct Watch {
    site: Arc<Site>,
    detector: Box<dyn Detector>,
    vessels: VesselCounter,
    posts: Vec<Post>,
}

/// What the last look at a camera came to, beside what the logbook is told.
#[derive(Clone, Debug, Default)]
pub struct LastLook {
    /// Detector runs.
    pub runs: u32,
    /// The parts of the picture that were looked at, in pixels.
    pub looked: Vec<BBox<Px>>,
    /// Every vessel followed since, seen or not.
    pub followed: Vec<Track>,
}

/// What belongs to one camera.
struct Post {
    camera: Camera,
    planner: RegionPlanner,
    box_filter: BoxFilter,
    cue: MotionCue,
    health: HealthMonitor,
    /// What a look that failed had to say ...
    pending: Vec<Entry>,
    /// ... and how far the picture had moved by then since the last that did not.
    moved: [f32; 2],
    /// When rules last said that no picture comes.
    told_away: Option<MonoTime>,
    /// The confidence from which a box may become a vessel.
    high_threshold: f32,
    tracker: Tracker,
    engine: Engine,
    last: LastLook,
    size: Option<FrameSize>,
    /// The highest vessel number confirmed here; numbers only rise.
    newest: VesselId,
    stats: Arc<WatchStats>,
}

impl Watch {
    /// A watch over the cameras of `site`; which boxes are believed is the model's to say, and vessels are numbered
    /// from `next_vessel` on. Visits go on where `past` left them.
    pub fn new(
        site: Arc<Site>,
        detector: Box<dyn Detector>,
        believed: Thresholds,
        next_vessel: u64,
        past: &ResumeState,
    ) -> Self {
        let tracking = TrackerConfig {
            high_threshold: believed.high,
            low_threshold: believed.low,
            ..TrackerConfig::default()
        };
        let input_px = detector.input_px();
        let post = |camera: &Camera| Post {
            planner: RegionPlanner::new(planner_config(camera, input_px)),
            box_filter: BoxFilter::new(&planner_config(camera, input_px)),
            cue: MotionCue::default(),
            health: HealthMonitor::new(camera.detect_fps, camera.stall_after),
            pending: Vec::new(),
            moved: [0.0; 2],
            told_away: None,
            high_threshold: believed.high,
            tracker: Tracker::new(tracking.clone()),
            engine: Engine::new(site.rules_of(camera), past),
            last: LastLook::default(),
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

    /// Every look is given the same from now on, so that attention can be measured against it.
    pub fn use_fixed_plan(&mut self, fixed: FixedPlan) {
        self.posts.iter_mut().for_each(|post| post.planner.use_fixed_plan(fixed));
    }

    /// Adapts what is spent on a look to how busy the detector has been, 0 to 1.
    pub fn adapt(&mut self, busy: f32) {
        for post in &mut self.posts {
            post.planner.adapt(busy);
        }
    }

    /// Looks at a frame of camera `index` (order of the site file).
    ///
    /// Entries are in the order in which they must be written: the look before the signals it raised.
    pub fn look(&mut self, index: usize, frame: &Frame) -> Result<Vec<Entry>, DetectError> {
        let Self { site, detector, vessels, posts } = self;
        let post = &mut posts[index];
        let size = frame.picture.size;
        let mut entries = std::mem::take(&mut post.pending);
        if post.size.replace(size).is_some_and(|before| before != size) {
            // Boxes in pixels of another picture mean nothing now.
            entries.extend(post.end(site, frame.stamp, frame.seq));
            post.moved = [0.0; 2];
        }
        let at = frame.stamp.mono;
        let thumbnail = Thumbnail::of(&frame.picture);
        let changes = post.health.inspect(&frame.picture, &thumbnail, frame.seq, frame.stamp);
        entries.extend(post.outage_entries(changes));
        let motion = post.cue.observe(&thumbnail, at);
        let shift = [0, 1].map(|axis| post.moved[axis] + motion.shift[axis]);
        let areas: Vec<PriorityArea<'_>> =
            post.engine.live_conditions(frame.stamp.wall).filter_map(priority_area).collect();
        let looked = post.planner.plan(&PassContext {
            at,
            frame: size,
            moving_cells: &motion.moving_cells,
            priority_areas: &areas,
        });
        let regions: Vec<_> = looked.iter().map(|&crop| size.box_to_fractions(crop)).collect();
        let mut look = match detector.detect(frame, &regions) {
            Ok(look) => look,
            Err(cause) => {
                count(&post.stats.failed_looks, 1);
                post.planner.pass_failed();
                (post.pending, post.moved) = (entries, shift);
                return Err(cause);
            }
        };
        post.moved = [0.0; 2];
        post.count_look(&look, at);
        look.detections.retain(|d| d.class != Class::Vessel || post.can_be_a_vessel(&d.bbox, size));
        count(&post.stats.detections, look.detections.len() as u64);

        let tracks = post
            .tracker
            .step(&TrackerInput { detections: &look.detections, size, regions: &looked, shift, at }, vessels);
        post.stats.unconfirmed_boxes.store(post.tracker.unconfirmed(), Ordering::Relaxed);
        post.stats.too_fast.store(post.tracker.too_fast(), Ordering::Relaxed);
        let followed = tracks.iter().filter(|track| track.state != TrackState::Ended).copied().collect();
        post.last = LastLook { runs: look.inferences, looked, followed };
        post.learn(&look);
        let events = post.engine.step(&tracks, size, frame.stamp);
        let detections =
            look.detections.iter().copied().zip(post.tracker.assignments().iter().copied()).collect();
        post.count_begun(&tracks);
        entries.push(Entry::Pass(post.look_entry(frame.stamp, frame.seq, size, detections, tracks)));
        entries.extend(events.into_iter().map(|event| post.entry(site, event, Some(frame))));
        Ok(entries)
    }

    /// Time passes, with or without looks; `newest` says when the newest picture of a camera came. Entries as in
    /// [`Watch::look`].
    pub fn wait(&mut self, now: Stamp, newest: impl Fn(usize) -> Option<Stamp>) -> Vec<Entry> {
        let site = &self.site;
        let waits = |(index, post): (usize, &mut Post)| {
            let changes = post.health.tick(newest(index), now);
            let mut entries = std::mem::take(&mut post.pending);
            entries.extend(post.outage_entries(changes));
            let away = post.health.outage().is_some_and(|outage| outage.cause == Cause::SignalLoss);
            let due = post.told_away.is_none_or(|told| now.mono.since(told) >= TELL_AWAY);
            if away && due {
                post.told_away = Some(now.mono);
                let events = post.engine.outage_events(now);
                entries.extend(events.into_iter().map(|event| post.entry(site, event, None)));
            }
            entries
        };
        self.posts.iter_mut().enumerate().flat_map(waits).collect()
    }

    /// What the last look at camera `index` came to.
    pub fn last_look(&self, index: usize) -> &LastLook {
        &self.posts[index].last
    }

    /// Staff have answered a signal.
    pub fn acknowledge(&mut self, signal: SignalId) {
        self.posts.iter_mut().for_each(|post| post.engine.acknowledge(signal));
    }

    /// Ends every track and closes every signal: the watch goes off.
    pub fn finish(&mut self, at: Stamp) -> Vec<Entry> {
        let site = &self.site;
        let end = |post: &mut Post| {
            let mut entries = std::mem::take(&mut post.pending);
            entries.extend(post.end(site, at, 0));
            let stop = post.health.stop(at);
            entries.extend(post.outage_entries(stop.into_iter().collect()));
            entries
        };
        self.posts.iter_mut().flat_map(end).collect()
    }
}

impl Post {
    fn count_look(&self, look: &DetectionPass, at: MonoTime) {
        count(&self.stats.looks, 1);
        count(&self.stats.runs, u64::from(look.inferences));
        count(&self.stats.rejected_boxes, u64::from(look.rejected));
        count(&self.stats.cut_boxes, look.cut.len() as u64);
        let coverage = self.planner.coverage(at);
        let milliseconds = |time: Duration| time.as_millis() as u64;
        let oldest = milliseconds((at - coverage.oldest).since_boot()).max(1);
        self.stats.oldest_seen_ms.store(oldest, Ordering::Relaxed);
        self.stats.swept_within_ms.store(milliseconds(coverage.max_age), Ordering::Relaxed);
    }

    /// Counts what cannot.
    fn can_be_a_vessel(&self, found: &BBox<Px>, size: FrameSize) -> bool {
        let refusal = self.box_filter.rejects(found, size);
        match refusal {
            Some(RejectReason::OutsideWater) => count(&self.stats.outside_water, 1),
            Some(RejectReason::TooSmall) => count(&self.stats.too_small, 1),
            None => {}
        }
        refusal.is_none()
    }

    /// Tells attention what came of the look it asked for.
    fn learn(&mut self, look: &DetectionPass) {
        let vessel = |track: &Track| TrackedVessel {
            id: track.vessel.0,
            bbox: track.bbox,
            detected: track.state == TrackState::Confirmed,
            velocity: track.velocity,
        };
        let vessels: Vec<_> = self.last.followed.iter().map(vessel).collect();
        let sure = |d: &Detection| d.class == Class::Vessel && d.confidence >= self.high_threshold;
        let free = look
            .detections
            .iter()
            .zip(self.tracker.assignments())
            .filter(|(d, vessel)| vessel.is_none() && d.class == Class::Vessel);
        let (unassigned, low_confidence): (Vec<_>, Vec<_>) = free.map(|(d, _)| d).partition(|d| sure(d));
        let boxes = |detections: Vec<&Detection>| detections.iter().map(|d| d.bbox).collect::<Vec<_>>();
        let (unassigned, low_confidence) = (boxes(unassigned), boxes(low_confidence));
        let cut: Vec<_> = look.cut.iter().filter(|d| sure(d)).map(|d| d.bbox).collect();
        self.planner.record(&PassResult {
            vessels: &vessels,
            unassigned: &unassigned,
            cut: &cut,
            low_confidence: &low_confidence,
        });
    }

    /// Suspends the rules while the camera is blind.
    fn outage_entries(&mut self, changes: Vec<OutageChange>) -> Vec<Entry> {
        if changes.is_empty() {
            return Vec::new();
        }
        let outage = self.health.outage();
        self.engine.suspend(outage.map(|outage| outage.cause.in_words()));
        *self.stats.outage.lock().unwrap_or_else(PoisonError::into_inner) = outage.cloned();
        let camera = &self.camera.id;
        let entry = |change: OutageChange| {
            match &change {
                OutageChange::Began(Outage { cause, text, .. }) => {
                    count(&self.stats.camera_outages[*cause as usize], 1);
                    tracing::warn!(%camera, cause = cause.as_str(), "camera {camera} is blind: {text}");
                }
                OutageChange::Ended(Outage { cause, .. }, _, how) => {
                    let (cause, how) = (cause.as_str(), how.as_str());
                    tracing::info!(%camera, cause, how, "camera {camera}: the blind spell ({cause}) is over: {how}");
                }
            }
            let (OutageChange::Began(outage) | OutageChange::Ended(outage, ..)) = &change;
            let about = format!("{camera}\n{}\n{}", outage.cause.as_str(), outage.began.wall.as_nanosecond());
            let id = stable_uuid(&about, outage.began.wall);
            Entry::Outage(OutageStep { id, camera: camera.clone(), change })
        };
        changes.into_iter().map(entry).collect()
    }

    fn end(&mut self, site: &Site, at: Stamp, frame_seq: u64) -> Vec<Entry> {
        let Some(size) = self.size else { return Vec::new() };
        self.last = LastLook::default();
        let ended = self.tracker.end_all();
        let events = self.engine.end_all(at);
        let mut entries = vec![Entry::Pass(self.look_entry(at, frame_seq, size, Vec::new(), ended))];
        entries.extend(events.into_iter().map(|event| self.entry(site, event, None)));
        entries
    }

    /// Counts the vessels that are followed for the first time.
    fn count_begun(&mut self, tracks: &[Track]) {
        let newest = self.newest;
        count(&self.stats.tracks, tracks.iter().filter(|track| track.vessel > newest).count() as u64);
        self.newest = tracks.iter().map(|track| track.vessel).fold(newest, VesselId::max);
    }

    fn look_entry(
        &self,
        at: Stamp,
        frame_seq: u64,
        frame_size: FrameSize,
        detections: Vec<(Detection, Option<VesselId>)>,
        tracks: Vec<Track>,
    ) -> PassEntry {
        PassEntry { camera: self.camera.id.clone(), at, frame_seq, frame_size, detections, tracks }
    }

    fn entry(&self, site: &Site, event: RuleEvent, frame: Option<&Frame>) -> Entry {
        match event {
            RuleEvent::Signal(event) => self.signal_entry(site, event, frame),
            RuleEvent::Visit(event) => Entry::Visit(event),
            RuleEvent::Suppressed(event) => {
                count(&self.stats.suppressed, event.times.into());
                Entry::Suppressed(event)
            }
        }
    }

    fn signal_entry(&self, site: &Site, event: SignalEvent, frame: Option<&Frame>) -> Entry {
        if event.phase == Phase::Opened {
            count(&self.stats.signals, 1);
        }
        let picture = frame.filter(|_| event.alert && event.phase != Phase::Closed).and_then(|frame| {
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

/// The region planner's configuration for a camera, by the site file and the size of the model's input.
pub fn planner_config(camera: &Camera, input_px: u32) -> PlannerConfig {
    PlannerConfig {
        water: camera.water.clone(),
        regions: camera.regions.clone(),
        whole_frame: camera.whole_frame,
        detect_fps: camera.detect_fps,
        input_px,
        calibration: camera.calibration.clone(),
    }
}

/// The zone or line of a rule. Rules without a place have none.
fn priority_area(condition: &Condition) -> Option<PriorityArea<'_>> {
    match condition.place() {
        RulePlace::Zone(zone) => Some(PriorityArea::Zone(&zone.area)),
        RulePlace::Line(line) => Some(PriorityArea::Line(&line.segment)),
        RulePlace::LastPart => None,
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
