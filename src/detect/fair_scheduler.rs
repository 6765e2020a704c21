//! Shares one detector fairly among the cameras. Pure: the caller gives the time.
//!
//! No camera gets more passes than its target rate. When the box cannot keep up, all cameras fall behind in the same
//! proportion: start-time fair queueing (Goyal, Vin & Chen 1996), where a pass costs one over the target rate.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::MonoTime;

/// Rates are measured over this time.
const WINDOW: Duration = Duration::from_secs(10);
/// The lowest target rate. A lower target, or one that is not a number, counts as this.
const MIN_HZ: f32 = 1e-3;

/// Decides which camera's frame the detector takes next.
#[derive(Clone, Debug)]
pub struct FairScheduler {
    cameras: Vec<CameraShare>,
    /// Virtual time: the start of the last pass.
    virtual_now: f64,
    first_pick: Option<MonoTime>,
}

#[derive(Clone, Debug)]
struct CameraShare {
    target_hz: f32,
    period: Duration,
    /// The next pass is not due before this; `None` before the first pass.
    due: Option<MonoTime>,
    /// Virtual time at the end of the camera's last pass.
    finished: f64,
    /// Recent passes, each with its number of inferences.
    recent: VecDeque<(MonoTime, u32)>,
}

/// The measured and the wanted rate of a camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectionRate {
    /// Detection passes a second, lately.
    pub achieved_hz: f32,
    /// Detection passes a second, by the site file.
    pub target_hz: f32,
    /// Inferences a second, lately.
    pub inferences_hz: f32,
}

impl FairScheduler {
    /// A scheduler for cameras with these targets, in passes a second.
    pub fn new(targets_hz: &[f32]) -> Self {
        let share = |&target: &f32| {
            // `max` also replaces a NaN.
            let target_hz = target.max(MIN_HZ);
            let period = Duration::from_secs_f32(1.0 / target_hz);
            CameraShare { target_hz, period, due: None, finished: 0.0, recent: VecDeque::new() }
        };
        Self { cameras: targets_hz.iter().map(share).collect(), virtual_now: 0.0, first_pick: None }
    }

    /// The camera whose pass is due now, among those with a frame `waiting`; `None` when none is due. Counts the pass as made.
    pub fn pick(&mut self, now: MonoTime, waiting: &[bool]) -> Option<usize> {
        self.first_pick.get_or_insert(now);
        let start = |camera: &CameraShare| camera.finished.max(self.virtual_now);
        let (index, start) = self
            .cameras
            .iter()
            .enumerate()
            .filter(|(i, camera)| waiting.get(*i) == Some(&true) && camera.due.is_none_or(|due| due <= now))
            .map(|(i, camera)| (i, start(camera)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        self.virtual_now = start;
        self.cameras[index].start_pass(now, start);
        Some(index)
    }

    /// Notes the number of inferences of the last pass of `camera`.
    pub fn record_inferences(&mut self, camera: usize, inferences: u32) {
        if let Some(last) = self.cameras[camera].recent.back_mut() {
            last.1 = inferences;
        }
    }

    /// When the next pass is due, among the cameras with a frame `waiting`; `None` when no frame waits.
    pub fn next_due(&self, waiting: &[bool]) -> Option<MonoTime> {
        let candidates = self.cameras.iter().zip(waiting).filter(|(_, waits)| **waits);
        candidates.map(|(camera, _)| camera.due.unwrap_or_default()).min()
    }

    /// Rates over the last ten seconds, or since the first pick if that is more recent, in the order of the cameras.
    pub fn rates(&self, now: MonoTime) -> Vec<DetectionRate> {
        let since_start = self.first_pick.map_or(Duration::ZERO, |first| now.since(first));
        let span = since_start.min(WINDOW).max(Duration::from_secs(1));
        self.cameras
            .iter()
            .map(|camera| {
                let recent = camera.recent.iter().filter(|(at, _)| now.since(*at) < span);
                let (passes, inferences) = recent.fold((0, 0), |(passes, all), (_, n)| (passes + 1, all + n));
                let per_second = |n: u32| n as f32 / span.as_secs_f32();
                DetectionRate {
                    achieved_hz: per_second(passes),
                    target_hz: camera.target_hz,
                    inferences_hz: per_second(inferences),
                }
            })
            .collect()
    }
}

impl CameraShare {
    fn start_pass(&mut self, now: MonoTime, start: f64) {
        // One period after the pass was due, not after it was made; otherwise the wait for the next frame would slow every
        // camera slightly. A camera that returns after an outage gets no burst of passes.
        self.due = Some(self.due.map_or(now + self.period, |due| (due + self.period).max(now)));
        self.finished = start + 1.0 / f64::from(self.target_hz);
        self.recent.push_back((now, 0));
        while self.recent.front().is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: f64) -> MonoTime {
        MonoTime::from_boot(Duration::from_secs_f64(100.0 + seconds))
    }

    /// Simulates a detector that needs `cost` seconds for a pass; returns the passes as (camera, time).
    fn simulate(
        targets: &[f32],
        cost: f64,
        seconds: f64,
        mut waits: impl FnMut(usize, f64) -> bool,
    ) -> Vec<(usize, f64)> {
        let mut scheduler = FairScheduler::new(targets);
        let (mut now, mut passes) = (0.0, Vec::new());
        while now < seconds {
            let waiting: Vec<_> = (0..targets.len()).map(|i| waits(i, now)).collect();
            match scheduler.pick(at(now), &waiting) {
                Some(camera) => {
                    passes.push((camera, now));
                    now += cost;
                }
                None => now += 0.001,
            }
        }
        passes
    }

    #[test]
    fn every_camera_reaches_its_target_on_an_idle_box() {
        // Frames come every 40 ms, which divides no camera's period.
        let passes = simulate(&[4.0, 3.0, 5.0], 0.01, 60.0, |_, now| (now * 1000.0) as u64 % 40 < 2);
        for (camera, target) in [4.0, 3.0, 5.0].into_iter().enumerate() {
            let count = passes.iter().filter(|(c, _)| *c == camera).count() as f64;
            assert!((count / 60.0 - target).abs() < 0.05 * target, "camera {camera}: {count} passes");
        }
    }

    #[test]
    fn a_camera_gets_no_burst_after_an_outage() {
        let passes =
            simulate(&[4.0, 4.0], 0.2, 60.0, |camera, now| camera == 0 || !(10.0..40.0).contains(&now));
        let back: Vec<_> = passes.iter().filter(|(_, t)| (40.0..44.0).contains(t)).collect();
        let second = back.iter().filter(|(c, _)| *c == 1).count();
        assert!((9..=11).contains(&second), "{second} of {} passes", back.len());
    }

    #[test]
    fn rates_show_an_overloaded_detector() {
        let mut scheduler = FairScheduler::new(&[4.0, 4.0]);
        let mut now = 0.0;
        while now < 30.0 {
            scheduler.pick(at(now), &[true, true]);
            now += 0.25;
        }
        for rate in scheduler.rates(at(30.0)) {
            assert!((rate.achieved_hz / rate.target_hz - 0.5).abs() < 0.03, "{rate:?}");
        }
        // The rate of a camera without passes falls to 0.
        assert_eq!(scheduler.rates(at(60.0))[0].achieved_hz, 0.0);
    }

    #[test]
    fn next_due_is_the_earliest_of_the_waiting_cameras() {
        let mut scheduler = FairScheduler::new(&[2.0, 1.0]);
        assert_eq!(scheduler.next_due(&[false, false]), None);
        assert!(scheduler.next_due(&[true, true]).is_some_and(|due| due <= at(0.0)));
        assert_eq!(scheduler.pick(at(0.0), &[true, true]), Some(0));
        assert_eq!(scheduler.pick(at(0.0), &[true, true]), Some(1));
        assert_eq!(scheduler.pick(at(0.1), &[true, true]), None);
        assert_eq!(scheduler.next_due(&[true, true]), Some(at(0.5)));
        assert_eq!(scheduler.next_due(&[false, true]), Some(at(1.0)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn an_overloaded_box_shares_in_proportion(
            targets in proptest::collection::vec(0.5..8.0f32, 2..8), overload in 1.3..6.0f64,
        ) {
            let wanted: f64 = targets.iter().map(|&t| f64::from(t)).sum();
            let passes = simulate(&targets, overload / wanted, 400.0 * overload, |_, _| true);
            let shares: Vec<f64> = targets.iter().enumerate().map(|(camera, &target)| {
                passes.iter().filter(|(c, _)| *c == camera).count() as f64 / f64::from(target)
            }).collect();
            let (least, most) = shares.iter().fold((f64::MAX, 0.0f64), |(l, m), &s| (l.min(s), m.max(s)));
            prop_assert!(most < 1.1 * least, "{:?}", shares);
        }

        #[test]
        fn no_camera_exceeds_its_target_by_more_than_one_pass(
            targets in proptest::collection::vec(0.5..8.0f32, 1..6), cost in 0.005..0.5f64, seed in 0u64..1000,
        ) {
            // Frames come and go in a pattern that differs from camera to camera.
            let passes = simulate(&targets, cost, 30.0, |camera, now| {
                !((now * 7.0) as u64 + seed + camera as u64 * 3).is_multiple_of(4)
            });
            for (camera, &target) in targets.iter().enumerate() {
                let times: Vec<f64> = passes.iter().filter(|(c, _)| *c == camera).map(|(_, t)| *t).collect();
                for (i, from) in times.iter().enumerate() {
                    for (n, to) in times[i..].iter().enumerate() {
                        // A steady rate makes 1 + span x target passes from the first to the last, both included.
                        let steady = 1.0 + (to - from) * f64::from(target);
                        prop_assert!((n + 1) as f64 <= steady + 1.0 + 1e-3, "{} passes in {} s", n + 1, to - from);
                    }
                }
            }
        }
    }
}
