use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::clock::{SimulatedClock, SystemClock};
use crate::ingest::LatestFrames;
use crate::ingest::testing::frame;
use CameraState::{BackingOff, Connecting, Stalled, Stopped, Streaming};

/// What one wait brings; each wait takes a second of simulated time.
#[derive(Clone)]
enum SessionStep {
    Frames(u32),
    Quiet(u32),
    End(EndReason),
}

/// A session that follows a script; quiet when it is used up.
struct ScriptedSession {
    steps: VecDeque<SessionStep>,
    slot: FrameSlot,
    clock: Arc<dyn Clock>,
    /// How long a wait really takes.
    sleep: bool,
}

impl ScriptedSession {
    fn open(supervisor: &Supervisor, steps: Vec<SessionStep>, sleep: bool) -> Box<dyn FrameSource> {
        let (slot, clock) = (supervisor.slot.clone(), Arc::clone(&supervisor.clock));
        Box::new(Self { steps: steps.into(), slot, clock, sleep })
    }
}

impl FrameSource for ScriptedSession {
    fn wait_for_end(&mut self, timeout: Duration) -> Option<EndReason> {
        match self.steps.front_mut() {
            Some(SessionStep::Frames(left)) if *left > 0 => {
                *left -= 1;
                self.slot.put(crate::frame::Frame { stamp: self.clock.now(), ..frame(0) });
            }
            Some(SessionStep::Quiet(left)) if *left > 0 => *left -= 1,
            Some(SessionStep::End(reason)) => return Some(reason.clone()),
            Some(_) => {
                self.steps.pop_front();
                return self.wait_for_end(timeout);
            }
            None => {}
        }
        if self.sleep {
            std::thread::sleep(timeout);
        }
        None
    }
}

fn supervisor(clock: Arc<dyn Clock>, live: bool) -> Supervisor {
    Supervisor {
        camera: CameraId::new("quay").unwrap(),
        live,
        stall_after: Duration::from_secs(5),
        first_frame_within: Duration::from_secs(15),
        clock,
        slot: FrameSlot::new(Arc::new(LatestFrames::new(1)), 0),
        stats: Arc::default(),
        stop: CancellationToken::new(),
    }
}

struct Ran {
    end: RunEnd,
    changes: Vec<CameraChange>,
    stats: Arc<IngestStats>,
    opened: usize,
}

impl Ran {
    fn states(&self) -> Vec<CameraState> {
        self.changes.iter().map(|change| change.state).collect()
    }
}

/// Plays one script a session, `beat_s` seconds a beat, and asks for a stop when they are used up.
fn run(live: bool, beat_s: u64, sessions: Vec<Result<Vec<SessionStep>, OpenError>>) -> Ran {
    let clock = Arc::new(SimulatedClock::new("2026-06-01T22:00:00Z".parse().unwrap()));
    let supervisor = supervisor(Arc::clone(&clock) as Arc<dyn Clock>, live);
    let (stats, stop) = (Arc::clone(&supervisor.stats), supervisor.stop.clone());
    let (slot, session_clock) = (supervisor.slot.clone(), Arc::clone(&supervisor.clock));
    let mut sessions = sessions.into_iter();
    let mut opened = 0;
    let mut changes = Vec::new();
    let open = || {
        let steps = match sessions.next() {
            Some(script) => {
                opened += 1;
                script?
            }
            None => {
                stop.cancel();
                Vec::new()
            }
        };
        let (slot, clock) = (slot.clone(), Arc::clone(&session_clock));
        let session = ScriptedSession { steps: steps.into(), slot, clock, sleep: false };
        Ok(Box::new(session) as Box<dyn FrameSource>)
    };
    let end =
        supervisor.run(open, |change| changes.push(change), || clock.advance(Duration::from_secs(beat_s)));
    Ran { end, changes, stats, opened }
}

fn unreachable() -> EndReason {
    EndReason::Failed("nothing listens on that port".into())
}

#[test]
fn a_frozen_camera_is_reopened_by_the_age_of_its_frame() {
    let frozen = vec![SessionStep::Frames(3), SessionStep::Quiet(60)];
    let next = vec![SessionStep::Frames(2), SessionStep::End(EndReason::EndOfStream)];
    let ran = run(true, 1, vec![Ok(frozen), Ok(next)]);
    let expected = [Connecting, Streaming, Stalled, BackingOff, Connecting, Streaming, BackingOff];
    assert_eq!(ran.states()[..7], expected, "{:#?}", ran.changes);
    let noticed = ran.changes[2].at.mono.since(ran.changes[1].at.mono);
    assert!(noticed <= Duration::from_secs(8), "2 s of frames and 6 s at most: {noticed:?}");
    assert_eq!(ran.changes[2].reason, "no picture for 5 s");
    assert_eq!(ran.changes[4].retries, 1);
    assert_eq!(ran.stats.stalls.load(Relaxed), 1);
}

#[test]
fn a_session_without_a_first_picture_is_closed() {
    let ran = run(true, 1, vec![Ok(vec![])]);
    assert_eq!(ran.states()[..3], [Connecting, Stalled, BackingOff]);
    assert_eq!(ran.changes[1].reason, "no first picture within 15 s");
    let waited = ran.changes[1].at.mono.since(ran.changes[0].at.mono);
    assert!((15..=17).contains(&waited.as_secs()), "{waited:?}");
}

#[test]
fn end_of_stream_is_a_failure_only_of_a_live_camera() {
    let script = || vec![Ok(vec![SessionStep::Frames(2), SessionStep::End(EndReason::EndOfStream)])];
    let live = run(true, 1, script());
    assert_eq!(live.states()[..3], [Connecting, Streaming, BackingOff]);
    assert_eq!(live.changes[2].reason, "the camera closed the stream");
    assert_eq!(live.end, RunEnd::Stopped);
    let clip = run(false, 1, script());
    assert_eq!(clip.states(), [Connecting, Streaming, Stopped]);
    assert_eq!(clip.end, RunEnd::ClipEnded);
}

#[test]
fn a_recording_with_a_long_gap_does_not_stall() {
    let script =
        vec![SessionStep::Frames(1), SessionStep::Quiet(60), SessionStep::End(EndReason::EndOfStream)];
    let ran = run(false, 1, vec![Ok(script)]);
    assert_eq!(ran.end, RunEnd::ClipEnded);
    assert_eq!(ran.stats.stalls.load(Relaxed), 0);
}

#[test]
fn an_absent_camera_is_retried_and_reported_once() {
    let sessions: Vec<_> = (0..12).map(|_| Ok(vec![SessionStep::End(unreachable())])).collect();
    let ran = run(true, 5, sessions);
    assert_eq!(ran.opened, 12);
    assert_eq!(ran.states(), [Connecting, BackingOff, Connecting, Stopped], "{:#?}", ran.changes);
    assert_eq!(ran.changes[1].reason, unreachable().to_string());
    assert_eq!(ran.changes[3].retries, 12);
}

#[test]
fn a_new_reason_is_reported_though_the_camera_stays_unreachable() {
    let login = EndReason::Unauthorised("the camera rejected the login".into());
    let end = |reason: EndReason| Ok(vec![SessionStep::End(reason)]);
    let ran = run(true, 60, vec![end(unreachable()), end(login.clone())]);
    let reasons: Vec<_> =
        ran.changes.iter().filter(|c| c.state == BackingOff).map(|c| c.reason.clone()).collect();
    assert_eq!(reasons, [unreachable().to_string(), login.to_string()]);
}

#[test]
fn a_good_session_resets_the_retries() {
    let bad = || Ok(vec![SessionStep::End(unreachable())]);
    let good = Ok(vec![SessionStep::Frames(12), SessionStep::End(unreachable())]);
    let ran = run(true, 1, vec![bad(), bad(), good]);
    let last = ran.changes.iter().rfind(|change| change.state == BackingOff).unwrap();
    assert_eq!(last.retries, 1, "{:#?}", ran.changes);
}

#[test]
fn a_session_that_cannot_be_opened_is_retried() {
    let missing = OpenError::MissingElement { element: "avdec_h264", package: "gstreamer1.0-libav" };
    let ran = run(true, 60, vec![Err(missing), Ok(vec![SessionStep::Frames(1)])]);
    assert_eq!(ran.states()[..4], [Connecting, BackingOff, Connecting, Streaming]);
    assert!(ran.changes[1].reason.contains("gstreamer1.0-libav"), "{}", ran.changes[1].reason);
}

#[test]
fn too_many_hanging_pipelines_end_the_supervisor() {
    let supervisor = supervisor(Arc::new(SystemClock::default()), true);
    supervisor.stats.leaked_pipelines.store(MOST_LEAKS, Relaxed);
    let session = ScriptedSession::open(&supervisor, vec![SessionStep::End(unreachable())], false);
    let mut session = Some(session);
    assert_eq!(supervisor.run(|| Ok(session.take().unwrap()), |_| {}, || {}), RunEnd::TooManyLeaks);
}

#[test]
fn a_stop_takes_less_than_a_second_in_every_state() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    for (state, script) in [
        (Connecting, Vec::new()),
        (Streaming, vec![SessionStep::Frames(u32::MAX)]),
        (BackingOff, vec![SessionStep::End(EndReason::Unauthorised("no".into()))]),
    ] {
        let supervisor = supervisor(Arc::clone(&clock), true);
        let stop = supervisor.stop.clone();
        let reached = Arc::new(Mutex::new(None));
        let ended = Arc::new(Mutex::new(None));
        let (note_state, note_end, clock_there) =
            (Arc::clone(&reached), Arc::clone(&ended), Arc::clone(&clock));
        let thread = std::thread::spawn(move || {
            let mut session = Some(ScriptedSession::open(&supervisor, script, true));
            let open = || Ok(session.take().expect("one session"));
            supervisor.run(open, |change| *note_state.lock().unwrap() = Some(change.state), || {});
            *note_end.lock().unwrap() = Some(clock_there.mono());
        });
        while *reached.lock().unwrap() != Some(state) {
            std::thread::yield_now();
        }
        let asked = clock.mono();
        stop.cancel();
        thread.join().unwrap();
        let took = ended.lock().unwrap().unwrap().since(asked);
        assert!(took < Duration::from_secs(1), "{state:?}: {took:?}");
    }
}
