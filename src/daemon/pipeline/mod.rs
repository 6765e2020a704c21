//! What happens to a frame: camera health, regions, detection, tracking, rules; and the logbook entries of it.
//!
//! The daemon and `replay` both use it, so what a technician tries on a recording is what runs at night.

mod camera_pipeline;
#[cfg(test)]
mod overload_tests;
mod stats;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use camera_pipeline::CameraPipeline;
pub use camera_pipeline::{LastPass, planner_config};
pub use stats::PipelineStats;
use tokio::sync::watch;

use super::clutter_file::LearntClutter;
use crate::clock::{MonoTime, Stamp};
use crate::config::Site;
use crate::detect::{DetectError, Detector, Thresholds};
use crate::frame::Frame;
use crate::logbook::Entry;
use crate::regions::FixedPlan;
use crate::rules::{ResumeState, SignalId};
use crate::track::{VesselCounter, VesselId};

/// What was learnt is handed out this often: a power cut loses no more.
const CLUTTER_INTERVAL: Duration = Duration::from_secs(600);

/// The pipelines of a site's cameras, and the detector and vessel numbers that they share. One thread owns it.
pub struct Pipelines {
    site: Arc<Site>,
    detector: Box<dyn Detector>,
    vessels: VesselCounter,
    /// In the order of the site file.
    cameras: Vec<CameraPipeline>,
    /// Where what was learnt is handed out, and when that was done last.
    clutter: Option<(watch::Sender<LearntClutter>, MonoTime)>,
}

impl Pipelines {
    /// Pipelines of the cameras of `site`. The model's manifest gives the `thresholds`; vessels are numbered from
    /// `next_vessel` on; visits continue where `resume` left them.
    pub fn new(
        site: Arc<Site>,
        detector: Box<dyn Detector>,
        thresholds: Thresholds,
        next_vessel: u64,
        resume: &ResumeState,
    ) -> Self {
        let input_px = detector.input_px();
        let pipeline = |camera| CameraPipeline::new(&site, camera, thresholds, input_px, resume);
        let cameras = site.cameras.iter().map(pipeline).collect();
        let vessels = VesselCounter::after(VesselId(next_vessel.saturating_sub(1)));
        Self { site, detector, vessels, cameras, clutter: None }
    }

    /// Counters, one for each camera in the order of the site file.
    pub fn stats(&self) -> Vec<Arc<PipelineStats>> {
        self.cameras.iter().map(|pipeline| pipeline.stats.clone()).collect()
    }

    /// Continues with the clutter maps in `learnt`, and puts the newest ones there from time to time and at the end. Without
    /// this call every camera starts to learn anew, so that the same recording gives the same logbook.
    pub(super) fn resume_clutter(&mut self, learnt: watch::Sender<LearntClutter>, now: MonoTime) {
        for pipeline in &mut self.cameras {
            if let Some(map) = learnt.borrow().cameras.get(&pipeline.camera.id) {
                pipeline.tracker.resume_clutter(map.clone());
            }
        }
        self.clutter = Some((learnt, now));
    }

    fn hand_out_clutter(&mut self, now: Stamp) {
        let Some((learnt, at)) = &mut self.clutter else { return };
        let map =
            |pipeline: &CameraPipeline| (pipeline.camera.id.clone(), pipeline.tracker.clutter().clone());
        learnt
            .send_replace(LearntClutter { saved: now.wall, cameras: self.cameras.iter().map(map).collect() });
        *at = now.mono;
    }

    /// From now on every pass inspects the same regions, to measure the choice of regions against it.
    pub fn use_fixed_plan(&mut self, plan: FixedPlan) {
        self.cameras.iter_mut().for_each(|pipeline| pipeline.planner.use_fixed_plan(plan));
    }

    /// Adapts the inferences of a pass to how busy the detector has been, 0 to 1.
    pub fn adapt(&mut self, busy: f32) {
        self.cameras.iter_mut().for_each(|pipeline| pipeline.planner.adapt(busy));
    }

    /// Takes a frame of the camera at `index` (order of the site file) through its pipeline.
    ///
    /// Entries are in the order in which they must be written: the pass before the signals that it raised. When the
    /// detector fails, the entries of that frame come with the next call.
    pub fn process(&mut self, index: usize, frame: &Frame) -> Result<Vec<Entry>, DetectError> {
        let Self { site, detector, vessels, cameras, .. } = self;
        cameras[index].process(site, detector.as_mut(), vessels, frame)
    }

    /// Time passes, with or without frames; `newest` says when the newest frame of a camera arrived. Entries as in
    /// [`Pipelines::process`].
    pub fn tick(&mut self, now: Stamp, newest: impl Fn(usize) -> Option<Stamp>) -> Vec<Entry> {
        if self.clutter.as_ref().is_some_and(|(_, at)| now.mono.since(*at) >= CLUTTER_INTERVAL) {
            self.hand_out_clutter(now);
        }
        let Self { site, cameras, .. } = self;
        let tick = |(index, pipeline): (usize, &mut CameraPipeline)| pipeline.tick(site, now, newest(index));
        cameras.iter_mut().enumerate().flat_map(tick).collect()
    }

    /// The last detection pass of the camera at `index`.
    pub fn last_pass(&self, index: usize) -> &LastPass {
        &self.cameras[index].last
    }

    /// Staff acknowledged a signal.
    pub fn acknowledge(&mut self, signal: SignalId) {
        self.cameras.iter_mut().for_each(|pipeline| pipeline.engine.acknowledge(signal));
    }

    /// Ends every track, signal and outage: the daemon stops.
    pub fn finish(&mut self, at: Stamp) -> Vec<Entry> {
        self.hand_out_clutter(at);
        let Self { site, cameras, .. } = self;
        cameras.iter_mut().flat_map(|pipeline| pipeline.finish(site, at)).collect()
    }
}
