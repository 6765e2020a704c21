//! One camera's pipeline behind its latest-frame slot.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::stats::{PipelineStats, count};
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
    BoxFilter, PassContext, PassResult, PlannerConfig, PriorityArea, RegionPlanner, RejectReason,
    TrackedVessel,
};
use crate::rules::{Condition, Engine, Phase, ResumeState, RuleEvent, RulePlace, SignalEvent, stable_uuid};
use crate::track::{
    ClutterMap, Track, TrackState, Tracker, TrackerConfig, TrackerInput, VesselCounter, VesselId,
};

/// During a signal loss, active rules note this often that they cannot be evaluated.
const SUPPRESSED_INTERVAL: Duration = Duration::from_secs(10);

/// A camera's last detection pass, besides what goes into the logbook.
#[derive(Clone, Debug, Default)]
pub struct LastPass {
    /// Inferences.
    pub inferences: u32,
    /// The inspected regions, in pixels.
    pub regions: Vec<BBox<Px>>,
    /// Every vessel that is tracked after it, detected or not.
    pub tracks: Vec<Track>,
}

pub(super) struct CameraPipeline {
    pub(super) camera: Camera,
    pub(super) stats: Arc<PipelineStats>,
    health: HealthMonitor,
    motion: MotionCue,
    /// Which regions are inspected.
    pub(super) planner: RegionPlanner,
    /// Which boxes can be vessels.
    box_filter: BoxFilter,
    /// From this confidence on a box may become a vessel.
    high_threshold: f32,
    /// Side of the model's input.
    input_px: f32,
    pub(super) tracker: Tracker,
    pub(super) engine: Engine,
    size: Option<FrameSize>,
    pub(super) last: LastPass,
    /// The highest vessel number confirmed here; numbers only rise.
    highest_vessel: VesselId,
    /// Entries of passes that failed since the last good one ...
    pending: Vec<Entry>,
    /// ... and the shift of the picture in that time.
    pending_shift: [f32; 2],
    /// When rules last noted a signal loss.
    suppressed_at: Option<MonoTime>,
}

impl CameraPipeline {
    pub(super) fn new(
        site: &Site,
        camera: &Camera,
        thresholds: Thresholds,
        input_px: u32,
        resume: &ResumeState,
    ) -> Self {
        let tracker = TrackerConfig {
            high_threshold: thresholds.high,
            low_threshold: thresholds.low,
            confidence: thresholds.scale(),
            false_vessels_per_day: camera.false_vessels_per_day,
            ..TrackerConfig::default()
        };
        let config = planner_config(camera, input_px);
        Self {
            stats: Arc::default(),
            health: HealthMonitor::new(camera.detect_fps, camera.stall_after),
            motion: MotionCue::default(),
            box_filter: BoxFilter::new(&config),
            planner: RegionPlanner::new(config),
            high_threshold: thresholds.high,
            input_px: input_px as f32,
            tracker: Tracker::new(tracker, ClutterMap::default()),
            engine: Engine::new(site.rules_of(camera), resume),
            size: None,
            last: LastPass::default(),
            highest_vessel: VesselId(0),
            pending: Vec::new(),
            pending_shift: [0.0; 2],
            suppressed_at: None,
            camera: camera.clone(),
        }
    }

    pub(super) fn process(
        &mut self,
        site: &Site,
        detector: &mut dyn Detector,
        vessels: &mut VesselCounter,
        frame: &Frame,
    ) -> Result<Vec<Entry>, DetectError> {
        let size = frame.picture.size;
        let mut entries = std::mem::take(&mut self.pending);
        if self.size.replace(size).is_some_and(|before| before != size) {
            // Boxes in pixels of another picture mean nothing now.
            entries.extend(self.end_tracks(site, frame.stamp, frame.seq));
            self.pending_shift = [0.0; 2];
        }
        let thumbnail = Thumbnail::of(&frame.picture);
        let changes = self.health.inspect(&frame.picture, &thumbnail, frame.seq, frame.stamp);
        entries.extend(self.outage_entries(changes));

        let at = frame.stamp.mono;
        let motion = self.motion.observe(&thumbnail, at);
        let shift = [0, 1].map(|axis| self.pending_shift[axis] + motion.shift[axis]);
        let regions = self.plan(frame, &motion.moving_cells);
        let crops: Vec<_> = regions.iter().map(|&region| size.box_to_fractions(region)).collect();
        let mut pass = match detector.detect(frame, &crops) {
            Ok(pass) => pass,
            Err(cause) => {
                count(&self.stats.failed_passes, 1);
                self.planner.pass_failed();
                (self.pending, self.pending_shift) = (entries, shift);
                return Err(cause);
            }
        };
        self.pending_shift = [0.0; 2];
        self.count_pass(&pass, at);
        self.filter_boxes(&mut pass, size);
        let input = TrackerInput {
            detections: &pass.detections,
            size,
            regions: &regions,
            input_px: self.input_px,
            shift,
            at,
        };
        let tracks = self.tracker.step(&input, vessels);
        self.count_tracks(&tracks);
        let current = tracks.iter().filter(|track| track.state != TrackState::Ended).copied().collect();
        self.last = LastPass { inferences: pass.inferences, regions, tracks: current };
        self.report_to_planner(&pass);

        let events = self.engine.step(&tracks, size, frame.stamp);
        let assigned = self.tracker.assignments().iter().copied();
        let detections = pass.detections.into_iter().zip(assigned).collect();
        entries.push(Entry::Pass(self.pass_entry(frame.stamp, frame.seq, size, detections, tracks)));
        entries.extend(events.into_iter().map(|event| self.entry(site, event, Some(frame))));
        Ok(entries)
    }

    pub(super) fn tick(&mut self, site: &Site, now: Stamp, newest: Option<Stamp>) -> Vec<Entry> {
        let changes = self.health.tick(newest, now);
        let mut entries = std::mem::take(&mut self.pending);
        entries.extend(self.outage_entries(changes));
        let lost = self.health.outage().is_some_and(|outage| outage.cause == Cause::SignalLoss);
        let due = self.suppressed_at.is_none_or(|at| now.mono.since(at) >= SUPPRESSED_INTERVAL);
        if lost && due {
            self.suppressed_at = Some(now.mono);
            let events = self.engine.outage_events(now);
            entries.extend(events.into_iter().map(|event| self.entry(site, event, None)));
        }
        entries
    }

    pub(super) fn finish(&mut self, site: &Site, at: Stamp) -> Vec<Entry> {
        let mut entries = std::mem::take(&mut self.pending);
        entries.extend(self.end_tracks(site, at, 0));
        let stop = self.health.stop(at);
        entries.extend(self.outage_entries(stop.into_iter().collect()));
        entries
    }

    /// The regions that this pass inspects.
    fn plan(&mut self, frame: &Frame, moving_cells: &[bool]) -> Vec<BBox<Px>> {
        let areas: Vec<PriorityArea<'_>> =
            self.engine.live_conditions(frame.stamp.wall).filter_map(priority_area).collect();
        self.planner.plan(&PassContext {
            at: frame.stamp.mono,
            frame: frame.picture.size,
            moving_cells,
            priority_areas: &areas,
        })
    }

    /// Removes the boxes of vessels that cannot be vessels, and counts them.
    fn filter_boxes(&mut self, pass: &mut DetectionPass, size: FrameSize) {
        let stats = &self.stats;
        pass.detections.retain(|detection| {
            let is_vessel = detection.class == Class::Vessel;
            match self.box_filter.rejects(&detection.bbox, size).filter(|_| is_vessel) {
                Some(RejectReason::OutsideWater) => count(&stats.outside_water, 1),
                Some(RejectReason::TooSmall) => count(&stats.too_small, 1),
                None => return true,
            }
            false
        });
        count(&stats.detections, pass.detections.len() as u64);
    }

    /// Gives the planner the results of the pass that it planned.
    fn report_to_planner(&mut self, pass: &DetectionPass) {
        let vessel = |track: &Track| TrackedVessel {
            id: track.vessel.0,
            bbox: track.bbox,
            detected: track.state == TrackState::Confirmed,
            velocity: track.velocity,
        };
        let vessels: Vec<_> = self.last.tracks.iter().map(vessel).collect();
        let is_high = |d: &Detection| d.class == Class::Vessel && d.confidence >= self.high_threshold;
        let (mut unassigned, mut low_confidence) = (Vec::new(), Vec::new());
        for (detection, vessel) in pass.detections.iter().zip(self.tracker.assignments()) {
            if vessel.is_none() && detection.class == Class::Vessel {
                let boxes = if is_high(detection) { &mut unassigned } else { &mut low_confidence };
                boxes.push(detection.bbox);
            }
        }
        let cut: Vec<_> = pass.cut.iter().filter(|d| is_high(d)).map(|d| d.bbox).collect();
        self.planner.record(&PassResult {
            vessels: &vessels,
            unassigned: &unassigned,
            cut: &cut,
            low_confidence: &low_confidence,
        });
    }

    /// Also suspends the rules during an outage.
    fn outage_entries(&mut self, changes: Vec<OutageChange>) -> Vec<Entry> {
        if changes.is_empty() {
            return Vec::new();
        }
        let outage = self.health.outage();
        self.engine.suspend(outage.map(|outage| outage.cause.in_words()));
        self.stats.set_outage(outage);
        let camera = &self.camera.id;
        let entry = |change: OutageChange| {
            let (OutageChange::Began(outage) | OutageChange::Ended(outage, ..)) = &change;
            let Outage { cause, text, .. } = outage;
            match &change {
                OutageChange::Began(_) => {
                    count(&self.stats.camera_outages[*cause as usize], 1);
                    tracing::warn!("camera {camera} has an outage ({cause}): {text}");
                }
                OutageChange::Ended(_, _, how) => {
                    tracing::info!("camera {camera}: the outage ({cause}) ended: {how}");
                }
            }
            let about = format!("{camera}\n{cause}\n{}", outage.began.wall.as_nanosecond());
            let id = stable_uuid(&about, outage.began.wall);
            Entry::Outage(OutageStep { id, camera: camera.clone(), change })
        };
        changes.into_iter().map(entry).collect()
    }

    fn end_tracks(&mut self, site: &Site, at: Stamp, frame_seq: u64) -> Vec<Entry> {
        let Some(size) = self.size else { return Vec::new() };
        self.last = LastPass::default();
        let ended = self.tracker.end_all();
        let events = self.engine.end_all(at);
        let mut entries = vec![Entry::Pass(self.pass_entry(at, frame_seq, size, Vec::new(), ended))];
        entries.extend(events.into_iter().map(|event| self.entry(site, event, None)));
        entries
    }

    fn count_pass(&self, pass: &DetectionPass, at: MonoTime) {
        let stats = &self.stats;
        count(&stats.passes, 1);
        count(&stats.inferences, u64::from(pass.inferences));
        count(&stats.rejected_boxes, u64::from(pass.rejected));
        count(&stats.cut_boxes, pass.cut.len() as u64);
        let coverage = self.planner.coverage(at);
        let milliseconds = |time: Duration| time.as_millis() as u64;
        let oldest = milliseconds((at - coverage.oldest).since_boot()).max(1);
        stats.oldest_seen_ms.store(oldest, Relaxed);
        stats.swept_within_ms.store(milliseconds(coverage.max_age), Relaxed);
    }

    fn count_tracks(&mut self, tracks: &[Track]) {
        self.stats.unconfirmed_boxes.store(self.tracker.unconfirmed(), Relaxed);
        self.stats.too_fast.store(self.tracker.too_fast(), Relaxed);
        let highest = self.highest_vessel;
        count(&self.stats.tracks, tracks.iter().filter(|track| track.vessel > highest).count() as u64);
        self.highest_vessel = tracks.iter().map(|track| track.vessel).fold(highest, VesselId::max);
    }

    fn pass_entry(
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
            let camera = &self.camera;
            evidence::draw(&frame.picture, subject, &camera.privacy_masks)
                .inspect_err(|cause| {
                    tracing::warn!("an alert of camera {} is sent without a picture: {cause}", camera.id);
                })
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

/// The zone or line of a rule; `None` where the rule has none of its own.
fn priority_area(condition: &Condition) -> Option<PriorityArea<'_>> {
    match condition.place() {
        RulePlace::Zone(zone) => Some(PriorityArea::Zone(&zone.area)),
        RulePlace::Line(line) => Some(PriorityArea::Line(&line.segment)),
        RulePlace::LastPart => None,
    }
}
