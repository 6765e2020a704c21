use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::clock::{SimulatedClock, SystemClock};
use crate::ingest::testing::frame;
use CameraState::{BackingOff, Connecting, Stalled, Stopped, Streaming};

/// What one wait brings; each wait takes a second of simulated time.
#[derive(Clone)]
enum Step {
    Frames(u32),
    Quiet(u32),
    End(EndReason),
}

struct Scripted {
    steps: VecDeque<Step>,
    seq: u64,
}

impl FrameSource for Scripted {
    fn next(&mut self, _: Duration) -> Next {
        match self.steps.front_mut() {
            Some(Step::Frames(left)) if *left > 0 => {
                *left -= 1;
                self.seq += 1;
                Next::Frame(frame(self.seq))
            }
            Some(Step::Quiet(left)) if *left > 0 => {
                *left -= 1;
                Next::Quiet
            }
            Some(Step::End(reason)) => Next::Ended(reason.clone()),
            Some(_) => {
                self.steps.pop_front();
                self.next(Duration::ZERO)
            }
            None => Next::Quiet,
        }
    }
}

struct Watch {
    end: RunEnd,
    changes: Vec<StateChange>,
    stats: Arc<IngestStats>,
    opened: usize,
}

impl Watch {
    fn states(&self) -> Vec<CameraState> {
        self.changes.iter().map(|change| change.state).collect()
    }
}

fn supervisor(clock: Arc<dyn Clock>, live: bool) -> Supervisor {
    Supervisor {
        camera: CameraId::new("quay").unwrap(),
        slot: 0,
        live,
        stall_after: Duration::from_secs(5),
        first_frame_within: Duration::from_secs(15),
        clock,
        slots: Arc::new(FrameSlots::new(1)),
        stats: Arc::default(),
        stop: CancellationToken::new(),
    }
}

/// Plays one script per session, `beat_s` seconds a beat, and asks for a stop when they are used up.
fn watch(live: bool, beat_s: u64, sessions: Vec<Result<Vec<Step>, OpenError>>) -> Watch {
    let clock = Arc::new(SimulatedClock::new("2026-06-01T22:00:00Z".parse().unwrap()));
    let supervisor = supervisor(Arc::clone(&clock) as Arc<dyn Clock>, live);
    let (stats, stop) = (Arc::clone(&supervisor.stats), supervisor.stop.clone());
    let mut sessions = sessions.into_iter();
    let mut opened = 0;
    let mut changes = Vec::new();
    let open = || match sessions.next() {
        Some(script) => {
            opened += 1;
            script.map(|steps| Box::new(Scripted { steps: steps.into(), seq: 0 }) as Box<dyn FrameSource>)
        }
        None => {
            stop.cancel();
            Ok(Box::new(Scripted { steps: VecDeque::new(), seq: 0 }) as Box<dyn FrameSource>)
        }
    };
    let end =
        supervisor.run(open, |change| changes.push(change), || clock.advance(Duration::from_secs(beat_s)));
    Watch { end, changes, stats, opened }
}

fn refused() -> EndReason {
    EndReason::Failed("Could not open resource: connection refused".into())
}

#[test]
fn a_frozen_camera_is_noticed_by_the_age_of_its_last_frame_and_opened_again() {
    let frozen = vec![Step::Frames(3), Step::Quiet(60)];
    let watch =
        watch(true, 1, vec![Ok(frozen), Ok(vec![Step::Frames(2), Step::End(EndReason::EndOfStream)])]);
    let expected = [Connecting, Streaming, Stalled, BackingOff, Connecting, Streaming, BackingOff];
    assert_eq!(watch.states()[..7], expected, "{:#?}", watch.changes);
    let noticed = watch.changes[2].at.mono.since(watch.changes[1].at.mono);
    assert!(noticed <= Duration::from_secs(8), "2 s of frames and 6 s at most: {noticed:?}");
    assert_eq!(watch.changes[2].reason, "no picture for 5 s");
    assert_eq!(watch.changes[4].retries, 1);
    assert_eq!(watch.stats.stalls.load(Relaxed), 1);
}

#[test]
fn a_camera_that_connects_and_never_shows_a_picture_is_given_up_after_its_first_frame_time() {
    let watch = watch(true, 1, vec![Ok(vec![])]);
    assert_eq!(watch.states()[..3], [Connecting, Stalled, BackingOff]);
    assert_eq!(watch.changes[1].reason, "no first picture within 15 s");
    let waited = watch.changes[1].at.mono.since(watch.changes[0].at.mono);
    assert!((15..=17).contains(&waited.as_secs()), "{waited:?}");
}

#[test]
fn the_end_of_a_live_stream_is_a_failure_and_the_end_of_a_recording_is_its_end() {
    let script = || vec![Ok(vec![Step::Frames(2), Step::End(EndReason::EndOfStream)])];
    let live = watch(true, 1, script());
    assert_eq!(live.states()[..3], [Connecting, Streaming, BackingOff]);
    assert_eq!(live.changes[2].reason, "the camera closed the stream");
    assert_eq!(live.end, RunEnd::Stopped);
    let clip = watch(false, 1, script());
    assert_eq!(clip.states(), [Connecting, Streaming, Stopped]);
    assert_eq!(clip.end, RunEnd::ClipEnded);
}

#[test]
fn a_recording_with_a_long_gap_is_not_a_stalled_camera() {
    let watch =
        watch(false, 1, vec![Ok(vec![Step::Frames(1), Step::Quiet(60), Step::End(EndReason::EndOfStream)])]);
    assert_eq!(watch.end, RunEnd::ClipEnded);
    assert_eq!(watch.stats.stalls.load(Relaxed), 0);
}

#[test]
fn a_camera_that_is_away_is_tried_for_ever_and_told_once() {
    let away: Vec<_> = (0..12).map(|_| Ok(vec![Step::End(refused())])).collect();
    let watch = watch(true, 5, away);
    assert_eq!(watch.opened, 12);
    assert_eq!(watch.states(), [Connecting, BackingOff, Connecting, Stopped], "{:#?}", watch.changes);
    assert_eq!(watch.changes[1].reason, refused().to_string());
    assert_eq!(watch.changes[3].retries, 12);
}

#[test]
fn a_new_reason_in_the_same_blind_spell_is_told() {
    let login = EndReason::Unauthorised("the camera refused the login".into());
    let sessions = vec![Ok(vec![Step::End(refused())]), Ok(vec![Step::End(login.clone())])];
    let watch = watch(true, 60, sessions);
    let reasons: Vec<_> =
        watch.changes.iter().filter(|c| c.state == BackingOff).map(|c| c.reason.clone()).collect();
    assert_eq!(reasons, [refused().to_string(), login.to_string()]);
}

#[test]
fn after_a_good_session_retries_begin_anew() {
    let bad = || Ok(vec![Step::End(refused())]);
    let good = Ok(vec![Step::Frames(12), Step::End(refused())]);
    let watch = watch(true, 1, vec![bad(), bad(), good]);
    let last = watch.changes.iter().rfind(|change| change.state == BackingOff).unwrap();
    assert_eq!(last.retries, 1, "{:#?}", watch.changes);
}

#[test]
fn what_cannot_be_opened_is_told_and_tried_again() {
    let missing = OpenError::MissingElement { element: "avdec_h264", package: "gstreamer1.0-libav" };
    let watch = watch(true, 60, vec![Err(missing), Ok(vec![Step::Frames(1)])]);
    assert_eq!(watch.states()[..4], [Connecting, BackingOff, Connecting, Streaming]);
    assert!(watch.changes[1].reason.contains("gstreamer1.0-libav"), "{}", watch.changes[1].reason);
}

#[test]
fn pipelines_that_never_come_down_end_the_watch_for_a_fresh_process() {
    let clock = Arc::new(SystemClock::default());
    let supervisor = supervisor(clock, true);
    supervisor.stats.leaked_pipelines.store(MOST_LEAKS, Relaxed);
    let open = || {
        Ok(Box::new(Scripted { steps: vec![Step::End(refused())].into(), seq: 0 }) as Box<dyn FrameSource>)
    };
    assert_eq!(supervisor.run(open, |_| {}, || {}), RunEnd::TooManyLeaks);
}

#[test]
fn a_stop_is_heard_within_a_second_in_every_state() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let connecting: Vec<Step> = Vec::new();
    for (state, script) in [
        (Connecting, connecting),
        (Streaming, vec![Step::Frames(u32::MAX)]),
        (BackingOff, vec![Step::End(EndReason::Unauthorised("no".into()))]),
    ] {
        let supervisor = supervisor(Arc::clone(&clock), true);
        let (stop, stats) = (supervisor.stop.clone(), Arc::clone(&supervisor.stats));
        let ended = Arc::new(Mutex::new(None));
        let (note, clock_there) = (Arc::clone(&ended), Arc::clone(&clock));
        let open = move || {
            let quiet_after = Slow(Scripted { steps: script.clone().into(), seq: 0 });
            Ok(Box::new(quiet_after) as Box<dyn FrameSource>)
        };
        let thread = std::thread::spawn(move || {
            supervisor.run(open, |_| {}, || {});
            *note.lock().unwrap() = Some(clock_there.mono());
        });
        while stats.state() != state {
            std::thread::yield_now();
        }
        let asked = clock.mono();
        stop.cancel();
        thread.join().unwrap();
        let took = ended.lock().unwrap().unwrap().since(asked);
        assert!(took < Duration::from_secs(1), "{state:?}: {took:?}");
    }
}

/// Waits as a real source does.
struct Slow(Scripted);

impl FrameSource for Slow {
    fn next(&mut self, wait: Duration) -> Next {
        let next = self.0.next(wait);
        if matches!(next, Next::Quiet) {
            std::thread::sleep(wait);
        }
        next
    }
}
