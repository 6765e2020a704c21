//! The step from one look's detections to tracks.

use super::association::assign;
use super::followed::Followed;
use super::{Look, Track, TrackerConfig, VesselCounter, VesselId};
use crate::clock::MonoTime;
use crate::detect::{Class, Detection};

/// A sure box may lie this far off, measured as the overlap of grown boxes ...
const LEAST_OVERLAP: f32 = 0.1;
/// ... but a weak one only counts where a vessel is expected. The value is ByteTrack's.
const LEAST_OVERLAP_UNSURE: f32 = 0.5;

/// A box that overlaps one already taken for a vessel by this much is another box of the same.
const SAME_VESSEL: f32 = 0.5;

/// Follows the vessels of one camera.
///
/// Two stages in the manner of ByteTrack (Zhang et al. 2022): sure detections are matched with the vessels, then the less
/// sure ones with the vessels still unmatched. A weak box beside a known vessel is most likely that vessel, half
/// hidden or in glare; a weak box elsewhere is most likely a wave. What may yet become a vessel gets the sure detections
/// that are left, and what is left then may become another.
#[derive(Debug)]
pub struct Tracker {
    config: TrackerConfig,
    /// In the order of their first detection.
    followed: Vec<Followed>,
    taken: Vec<Option<VesselId>>,
    /// When the last look was made.
    last: Option<MonoTime>,
    /// Sure boxes of tentative tracks that came to nothing.
    fleeting: u64,
    /// The same, of those that were faster than any vessel.
    too_fast: u64,
}

impl Tracker {
    /// A tracker that follows nothing yet.
    pub fn new(config: TrackerConfig) -> Self {
        Self { config, followed: Vec::new(), taken: Vec::new(), last: None, fleeting: 0, too_fast: 0 }
    }

    /// Takes in a look. Every vessel followed is reported, in the order of their numbers; one that ends now for the last
    /// time.
    pub fn step(&mut self, look: &Look<'_>, ids: &mut VesselCounter) -> Vec<Track> {
        let Look { detections, at, .. } = *look;
        let after = at.since(self.last.replace(at).unwrap_or(at));
        for followed in &mut self.followed {
            followed.expect(look, after);
        }
        let mut reports = self.end(|followed, config| followed.has_ended(at, config));
        self.hide(at);
        let sure = self.candidates(detections, |confidence, config| confidence >= config.sure);
        let unsure = self.candidates(detections, |confidence, config| confidence < config.sure);
        self.associate(Followed::is_vessel, &sure, LEAST_OVERLAP, look);
        self.associate(Followed::is_vessel, &unsure, LEAST_OVERLAP_UNSURE, look);
        self.associate(|followed| !followed.is_vessel(), &sure, LEAST_OVERLAP, look);
        self.begin(&sure, look);

        self.followed.retain_mut(|followed| {
            let due = !followed.is_vessel() && followed.is_due(&self.config);
            if due && followed.is_too_fast() {
                self.too_fast += followed.came_to_nothing();
                return false;
            }
            if due {
                followed.vessel = Some(ids.next_id());
            }
            true
        });
        self.taken.clear();
        self.taken.resize(detections.len(), None);
        for followed in &self.followed {
            if let Some(index) = followed.detection() {
                self.taken[index] = followed.vessel;
            }
        }
        reports.extend(self.followed.iter().filter_map(|f| f.report(false)));
        reports.sort_by_key(|track| track.vessel);
        reports
    }

    /// Which vessel each detection of the last look was taken for; `None` for those ignored and for tentative tracks.
    pub fn taken(&self) -> &[Option<VesselId>] {
        &self.taken
    }

    /// Sure detections, since the beginning, that came again too seldom to be a vessel's: glints, birds, spray.
    pub fn fleeting(&self) -> u64 {
        self.fleeting
    }

    /// Sure detections, since the beginning, that came again as often as a vessel's and moved faster than any: birds near
    /// the camera.
    pub fn too_fast(&self) -> u64 {
        self.too_fast
    }

    /// Ends everything followed: the camera shuts down or its picture changes size. Tracks are reported as ended.
    pub fn end_all(&mut self) -> Vec<Track> {
        self.taken.clear();
        let mut reports = self.end(|_, _| true);
        reports.sort_by_key(|track| track.vessel);
        reports
    }

    fn end(&mut self, is_over: impl Fn(&Followed, &TrackerConfig) -> bool) -> Vec<Track> {
        let mut reports = Vec::new();
        self.followed.retain(|followed| {
            let over = is_over(followed, &self.config);
            if over {
                reports.extend(followed.report(true));
                self.fleeting += followed.came_to_nothing();
            }
            !over
        });
        reports
    }

    /// Vessels that may be matched at all, of the confidence wanted.
    fn candidates(
        &self,
        detections: &[Detection],
        wanted: impl Fn(f32, &TrackerConfig) -> bool,
    ) -> Vec<usize> {
        let fits = |d: &Detection| {
            d.class == Class::Vessel
                && d.bbox.is_finite()
                && d.confidence >= self.config.floor
                && wanted(d.confidence, &self.config)
        };
        detections.iter().enumerate().filter(|(_, d)| fits(d)).map(|(index, _)| index).collect()
    }

    /// Tells each what the vessels before it may hide of it.
    fn hide(&mut self, at: MonoTime) {
        let before: Vec<_> = self.followed.iter().map(|followed| followed.hides(at)).collect();
        for (own, followed) in self.followed.iter_mut().enumerate() {
            let others = before.iter().enumerate().filter(|(other, _)| *other != own);
            followed.hide(others.filter_map(|(_, bbox)| bbox.as_ref()));
        }
    }

    /// Matches what is followed, of the kind wanted and not seen yet, with those of `candidates` not taken yet.
    fn associate(
        &mut self,
        wanted: impl Fn(&Followed) -> bool,
        candidates: &[usize],
        least: f32,
        look: &Look<'_>,
    ) {
        let free: Vec<_> = candidates.iter().copied().filter(|&index| !self.is_taken(index)).collect();
        let mut unseen: Vec<_> =
            self.followed.iter_mut().filter(|f| wanted(f) && f.detection().is_none()).collect();
        let pairs = assign(unseen.len(), free.len(), |f, c| {
            unseen[f].expected().likeness(&look.detections[free[c]], least)
        });
        for (f, c) in pairs {
            unseen[f].see(&look.detections[free[c]], free[c], look.at);
        }
    }

    /// Begins to follow what nothing followed was taken for.
    fn begin(&mut self, sure: &[usize], look: &Look<'_>) {
        for &index in sure {
            let seen = &look.detections[index];
            let is_known =
                |taken: usize| taken == index || look.detections[taken].bbox.iou(&seen.bbox) > SAME_VESSEL;
            if !self.followed.iter().filter_map(Followed::detection).any(is_known) {
                self.followed.push(Followed::new(seen, index, look.at));
            }
        }
    }

    fn is_taken(&self, index: usize) -> bool {
        self.followed.iter().any(|followed| followed.detection() == Some(index))
    }
}
