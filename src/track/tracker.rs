//! From the detections of a pass to tracks.

use super::association::assign;
use super::clutter::ClutterMap;
use super::config::TrackerConfig;
use super::input::TrackerInput;
use super::live_track::LiveTrack;
use super::report::Track;
use super::vessel::{VesselCounter, VesselId};
use crate::clock::MonoTime;
use crate::detect::{Class, Detection};
use crate::geometry::FrameSize;

/// Smallest overlap of grown boxes at which a detection above the high threshold can belong to a track.
const MIN_OVERLAP: f32 = 0.1;
/// The same for a detection below the high threshold. The value is ByteTrack's.
const MIN_OVERLAP_LOW: f32 = 0.5;

/// A detection that overlaps an assigned detection by more than this is a second box on the same vessel.
const SAME_VESSEL_IOU: f32 = 0.5;

/// Tracks the vessels of one camera.
///
/// Association has two stages, as in ByteTrack (Zhang et al. 2022). Detections above the high threshold are matched with the
/// vessels first; then detections between the thresholds are matched with the vessels that are left. A low-confidence box
/// near a known vessel is most likely that vessel, half hidden or in glare; elsewhere it is most likely a wave. Tentative
/// tracks get the remaining detections above the high threshold, and what is left starts new tentative tracks.
#[derive(Debug)]
pub struct Tracker {
    config: TrackerConfig,
    /// In the order of their first detection.
    tracks: Vec<LiveTrack>,
    assignments: Vec<Option<VesselId>>,
    clutter: ClutterMap,
    /// Time of the last pass.
    last: Option<MonoTime>,
    unconfirmed: u64,
    too_fast: u64,
}

impl Tracker {
    /// A tracker without tracks, with what was learnt before.
    pub fn new(config: TrackerConfig, clutter: ClutterMap) -> Self {
        Self {
            config,
            tracks: Vec::new(),
            assignments: Vec::new(),
            clutter,
            last: None,
            unconfirmed: 0,
            too_fast: 0,
        }
    }

    /// What it has learnt of the camera's picture.
    pub fn clutter(&self) -> &ClutterMap {
        &self.clutter
    }

    /// Replaces what it has learnt, by what an earlier start learnt.
    pub fn resume_clutter(&mut self, clutter: ClutterMap) {
        self.clutter = clutter;
    }

    /// Processes a pass. Reports every confirmed track, in the order of the vessel numbers; a track that ends now is
    /// reported for the last time.
    pub fn step(&mut self, input: &TrackerInput<'_>, ids: &mut VesselCounter) -> Vec<Track> {
        let TrackerInput { detections, at, .. } = *input;
        let elapsed = at.since(self.last.replace(at).unwrap_or(at));
        for track in &mut self.tracks {
            track.predict(input, elapsed);
        }
        self.clutter.pass(input, elapsed);
        let mut reports = self.end(|track, config| track.has_ended(at, config), Some(input.size));
        self.note_hidden(at);
        let high = self.candidates(detections, |confidence, config| confidence >= config.high_threshold);
        let low = self.candidates(detections, |confidence, config| confidence < config.high_threshold);
        self.associate(LiveTrack::is_vessel, &high, MIN_OVERLAP, input);
        self.associate(LiveTrack::is_vessel, &low, MIN_OVERLAP_LOW, input);
        self.associate(|track| !track.is_vessel(), &high, MIN_OVERLAP, input);
        self.associate(|track| !track.is_vessel(), &low, MIN_OVERLAP_LOW, input);
        self.start_tracks(&high, input);
        self.start_tracks(&low, input);
        self.confirm(ids, input.size);

        self.assignments.clear();
        self.assignments.resize(detections.len(), None);
        for track in &self.tracks {
            if let Some(index) = track.detection() {
                self.assignments[index] = track.vessel;
            }
        }
        reports.extend(self.tracks.iter().filter_map(|track| track.report(false)));
        reports.sort_by_key(|track| track.vessel);
        reports
    }

    /// The vessel of each detection of the last pass; `None` for ignored detections and tentative tracks.
    pub fn assignments(&self) -> &[Option<VesselId>] {
        &self.assignments
    }

    /// Number of detections above the high threshold, since the start, whose tracks were never confirmed: glints, birds,
    /// spray.
    pub fn unconfirmed(&self) -> u64 {
        self.unconfirmed
    }

    /// Number of detections above the high threshold, since the start, whose tracks moved faster than any vessel: birds
    /// near the camera.
    pub fn too_fast(&self) -> u64 {
        self.too_fast
    }

    /// Ends all tracks, because the camera stops or its picture changes size. Reports the confirmed ones as ended.
    pub fn end_all(&mut self) -> Vec<Track> {
        self.assignments.clear();
        let mut reports = self.end(|_, _| true, None);
        reports.sort_by_key(|track| track.vessel);
        reports
    }

    /// Ends the tracks that are over. Tentative ones are clutter, in a picture of `size`.
    fn end(
        &mut self,
        is_over: impl Fn(&LiveTrack, &TrackerConfig) -> bool,
        size: Option<FrameSize>,
    ) -> Vec<Track> {
        let mut reports = Vec::new();
        self.tracks.retain(|track| {
            let over = is_over(track, &self.config);
            if over {
                reports.extend(track.report(true));
                self.unconfirmed += track.unconfirmed_hits();
                if let Some(size) = size.filter(|_| !track.is_vessel() && track.could_be_vessel()) {
                    self.clutter.ended(track.waterline(), size);
                }
            }
            !over
        });
        reports
    }

    /// Gives numbers to tentative tracks with enough evidence, and drops those that are too fast.
    fn confirm(&mut self, ids: &mut VesselCounter, size: FrameSize) {
        let per_day = self.config.false_vessels_per_day;
        self.tracks.retain_mut(|track| {
            let is_candidate = !track.is_vessel() && track.detection().is_some();
            let due =
                is_candidate && track.log_odds() >= self.clutter.limit(track.waterline(), size, per_day);
            if due && track.is_too_fast() {
                self.too_fast += track.unconfirmed_hits();
                return false;
            }
            if due {
                track.vessel = Some(ids.next_id());
            }
            true
        });
    }

    /// Indices of the vessel detections whose confidence is `wanted`.
    fn candidates(
        &self,
        detections: &[Detection],
        wanted: impl Fn(f32, &TrackerConfig) -> bool,
    ) -> Vec<usize> {
        let fits = |d: &Detection| {
            d.class == Class::Vessel
                && d.bbox.is_finite()
                && d.confidence >= self.config.low_threshold
                && wanted(d.confidence, &self.config)
        };
        detections.iter().enumerate().filter(|(_, d)| fits(d)).map(|(index, _)| index).collect()
    }

    /// Notes for each track how much of it nearer vessels may hide.
    fn note_hidden(&mut self, at: MonoTime) {
        let boxes: Vec<_> = self.tracks.iter().map(|track| track.hiding_box(at)).collect();
        for (own, track) in self.tracks.iter_mut().enumerate() {
            let others = boxes.iter().enumerate().filter(|(other, _)| *other != own);
            track.set_hidden_by(others.filter_map(|(_, bbox)| bbox.as_ref()));
        }
    }

    /// Matches the `wanted` tracks that have no detection yet with the unassigned ones of `candidates`.
    fn associate(
        &mut self,
        wanted: impl Fn(&LiveTrack) -> bool,
        candidates: &[usize],
        min_overlap: f32,
        input: &TrackerInput<'_>,
    ) {
        let free: Vec<_> = candidates.iter().copied().filter(|&index| !self.is_assigned(index)).collect();
        let config = &self.config;
        let mut open: Vec<_> =
            self.tracks.iter_mut().filter(|t| wanted(t) && t.detection().is_none()).collect();
        let pairs = assign(open.len(), free.len(), |t, c| {
            open[t].prediction().affinity(&input.detections[free[c]], min_overlap)
        });
        for (t, c) in pairs {
            open[t].update(&input.detections[free[c]], free[c], input, config);
        }
    }

    /// Starts a tentative track for each detection that belongs to no track.
    fn start_tracks(&mut self, candidates: &[usize], input: &TrackerInput<'_>) {
        for &index in candidates {
            let detection = &input.detections[index];
            let is_known = |other: usize| {
                other == index || input.detections[other].bbox.iou(&detection.bbox) > SAME_VESSEL_IOU
            };
            if !self.tracks.iter().filter_map(LiveTrack::detection).any(is_known) {
                self.tracks.push(LiveTrack::new(detection, index, input, &self.config));
            }
        }
    }

    fn is_assigned(&self, index: usize) -> bool {
        self.tracks.iter().any(|track| track.detection() == Some(index))
    }
}
