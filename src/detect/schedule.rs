//! Fair turns of one detector among many cameras. Pure: told the time, it says whose frame is next.
//!
//! Two rules. A camera is not looked at more often than its target. When the box cannot keep up, all fall behind in the
//! same proportion: start-time fair queueing (Goyal, Vin & Chen 1996), where a look costs one over the target rate.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::MonoTime;

/// Rates are measured over this much of the past.
const WINDOW: Duration = Duration::from_secs(10);
/// The slowest target: anything slower, or not a number, is taken for this.
const SLOWEST_HZ: f32 = 1e-3;

/// Whose turn it is.
#[derive(Clone, Debug)]
pub struct FairTurns {
    cameras: Vec<Turn>,
    /// Virtual time: where the last look taken began.
    virtual_now: f64,
    began: Option<MonoTime>,
}

#[derive(Clone, Debug)]
struct Turn {
    target_hz: f32,
    period: Duration,
    /// Not before this; `None` before the first look.
    due: Option<MonoTime>,
    /// Virtual time when the camera's last look ended.
    finished: f64,
    /// Looks, and the detector runs each took.
    recent: VecDeque<(MonoTime, u32)>,
}

/// How often a camera is looked at, and how often it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LookRate {
    /// Looks a second over the last seconds.
    pub achieved_hz: f32,
    /// As the site file asks.
    pub target_hz: f32,
    /// Detector runs a second over the same time.
    pub runs_hz: f32,
}

impl FairTurns {
    /// For cameras with these targets, in looks a second.
    pub fn new(targets_hz: &[f32]) -> Self {
        let turn = |&target: &f32| {
            // `max` also takes the place of a NaN.
            let target_hz = target.max(SLOWEST_HZ);
            let period = Duration::from_secs_f32(1.0 / target_hz);
            Turn { target_hz, period, due: None, finished: 0.0, recent: VecDeque::new() }
        };
        Self { cameras: targets_hz.iter().map(turn).collect(), virtual_now: 0.0, began: None }
    }

    /// The camera to look at now, of those with a frame `waiting`; `None` when none is due. The look is taken to be done.
    pub fn pick(&mut self, now: MonoTime, waiting: &[bool]) -> Option<usize> {
        self.began.get_or_insert(now);
        let start = |turn: &Turn| turn.finished.max(self.virtual_now);
        let (index, start) = self
            .cameras
            .iter()
            .enumerate()
            .filter(|(i, turn)| waiting.get(*i) == Some(&true) && turn.due.is_none_or(|due| due <= now))
            .map(|(i, turn)| (i, start(turn)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        self.virtual_now = start;
        self.cameras[index].take(now, start);
        Some(index)
    }

    /// Notes the detector runs of the look that `camera` was picked for last.
    pub fn took(&mut self, camera: usize, runs: u32) {
        if let Some(last) = self.cameras[camera].recent.back_mut() {
            last.1 = runs;
        }
    }

    /// When the earliest of the cameras with a frame `waiting` becomes due; `None` when nobody waits.
    pub fn next_due(&self, waiting: &[bool]) -> Option<MonoTime> {
        let asks = self.cameras.iter().zip(waiting).filter(|(_, waits)| **waits);
        asks.map(|(turn, _)| turn.due.unwrap_or_default()).min()
    }

    /// Rates over the last ten seconds, or since the first pick when that is nearer, in the order of the cameras.
    pub fn rates(&self, now: MonoTime) -> Vec<LookRate> {
        let since_begin = self.began.map_or(Duration::ZERO, |began| now.since(began));
        let span = since_begin.min(WINDOW).max(Duration::from_secs(1));
        self.cameras
            .iter()
            .map(|turn| {
                let recent = turn.recent.iter().filter(|(at, _)| now.since(*at) < span);
                let (looks, runs) = recent.fold((0, 0), |(looks, all), (_, runs)| (looks + 1, all + runs));
                let a_second = |n: u32| n as f32 / span.as_secs_f32();
                LookRate { achieved_hz: a_second(looks), target_hz: turn.target_hz, runs_hz: a_second(runs) }
            })
            .collect()
    }
}

impl Turn {
    fn take(&mut self, now: MonoTime, start: f64) {
        // One period after the look was due rather than after it was taken, else waiting for the next frame would slow
        // every camera a little; but a camera that was away does not catch up with a burst.
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

    /// Runs a detector that needs `cost` for a look, over cameras that always have a frame; looks as (camera, time).
    fn simulate(
        targets: &[f32],
        cost: f64,
        seconds: f64,
        mut waits: impl FnMut(usize, f64) -> bool,
    ) -> Vec<(usize, f64)> {
        let mut turns = FairTurns::new(targets);
        let (mut now, mut looks) = (0.0, Vec::new());
        while now < seconds {
            let waiting: Vec<_> = (0..targets.len()).map(|i| waits(i, now)).collect();
            match turns.pick(at(now), &waiting) {
                Some(camera) => {
                    looks.push((camera, now));
                    now += cost;
                }
                None => now += 0.001,
            }
        }
        looks
    }

    #[test]
    fn every_camera_gets_its_target_when_there_is_time() {
        // Frames come every 40 ms, which divides no period.
        let looks = simulate(&[4.0, 3.0, 5.0], 0.01, 60.0, |_, now| (now * 1000.0) as u64 % 40 < 2);
        for (camera, target) in [4.0, 3.0, 5.0].into_iter().enumerate() {
            let count = looks.iter().filter(|(c, _)| *c == camera).count() as f64;
            assert!((count / 60.0 - target).abs() < 0.05 * target, "camera {camera}: {count} looks");
        }
    }

    #[test]
    fn a_camera_that_comes_back_gets_no_burst() {
        let looks =
            simulate(&[4.0, 4.0], 0.2, 60.0, |camera, now| camera == 0 || !(10.0..40.0).contains(&now));
        let back: Vec<_> = looks.iter().filter(|(_, t)| (40.0..44.0).contains(t)).collect();
        let second = back.iter().filter(|(c, _)| *c == 1).count();
        assert!((9..=11).contains(&second), "{second} of {} looks", back.len());
    }

    #[test]
    fn the_shortfall_shows_in_the_rates() {
        let mut turns = FairTurns::new(&[4.0, 4.0]);
        let mut now = 0.0;
        while now < 30.0 {
            turns.pick(at(now), &[true, true]);
            now += 0.25;
        }
        for rate in turns.rates(at(30.0)) {
            assert!((rate.achieved_hz / rate.target_hz - 0.5).abs() < 0.03, "{rate:?}");
        }
        // A camera that is no longer looked at falls to nothing.
        assert_eq!(turns.rates(at(60.0))[0].achieved_hz, 0.0);
    }

    #[test]
    fn who_waits_knows_when_to_wake_up() {
        let mut turns = FairTurns::new(&[2.0, 1.0]);
        assert_eq!(turns.next_due(&[false, false]), None);
        assert!(turns.next_due(&[true, true]).is_some_and(|due| due <= at(0.0)));
        assert_eq!(turns.pick(at(0.0), &[true, true]), Some(0));
        assert_eq!(turns.pick(at(0.0), &[true, true]), Some(1));
        assert_eq!(turns.pick(at(0.1), &[true, true]), None);
        assert_eq!(turns.next_due(&[true, true]), Some(at(0.5)));
        assert_eq!(turns.next_due(&[false, true]), Some(at(1.0)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn an_overloaded_box_shares_in_proportion_and_starves_nobody(
            targets in proptest::collection::vec(0.5..8.0f32, 2..8), overload in 1.3..6.0f64,
        ) {
            let asked: f64 = targets.iter().map(|&t| f64::from(t)).sum();
            let looks = simulate(&targets, overload / asked, 400.0 * overload, |_, _| true);
            let shares: Vec<f64> = targets.iter().enumerate().map(|(camera, &target)| {
                looks.iter().filter(|(c, _)| *c == camera).count() as f64 / f64::from(target)
            }).collect();
            let (least, most) = shares.iter().fold((f64::MAX, 0.0f64), |(l, m), &s| (l.min(s), m.max(s)));
            prop_assert!(most < 1.1 * least, "{:?}", shares);
        }

        #[test]
        fn no_camera_is_looked_at_more_than_one_look_beyond_its_target(
            targets in proptest::collection::vec(0.5..8.0f32, 1..6), cost in 0.005..0.5f64, seed in 0u64..1000,
        ) {
            // Frames come and go in a pattern that differs from camera to camera.
            let looks = simulate(&targets, cost, 30.0, |camera, now| {
                !((now * 7.0) as u64 + seed + camera as u64 * 3).is_multiple_of(4)
            });
            for (camera, &target) in targets.iter().enumerate() {
                let times: Vec<f64> = looks.iter().filter(|(c, _)| *c == camera).map(|(_, t)| *t).collect();
                for (i, from) in times.iter().enumerate() {
                    for (n, to) in times[i..].iter().enumerate() {
                        // A steady rate takes 1 + span x target looks from one look to another, both counted.
                        let steady = 1.0 + (to - from) * f64::from(target);
                        prop_assert!((n + 1) as f64 <= steady + 1.0 + 1e-3, "{} looks in {} s", n + 1, to - from);
                    }
                }
            }
        }
    }
}
