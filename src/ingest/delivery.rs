//! What a session's streaming thread and its owner share: where frames go, and how the session ended.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::latest_frame::FrameSlot;
use super::source::{EndReason, Next};
use crate::frame::Frame;

/// One session's frames and end.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The camera's slot; `None`: the recording is read frame by frame with [`Delivery::next`].
    slot: Option<FrameSlot>,
    state: Mutex<DeliveryState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct DeliveryState {
    /// Of a recording: the frame that the reader takes next. The decoder waits until it is taken; to decode further
    /// ahead would only hold more memory.
    frame: Option<Frame>,
    ended: Option<EndReason>,
    closed: bool,
}

/// What became of a delivered frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delivered {
    /// It waits to be taken.
    Kept,
    /// It waits to be taken; an older one was dropped for it.
    Replaced,
    /// The session was closed: nobody will take it.
    Closed,
}

impl Delivery {
    /// Frames go into the camera's slot.
    pub(super) fn to_slot(slot: FrameSlot) -> Self {
        Self { slot: Some(slot), state: Mutex::default(), changed: Condvar::new() }
    }

    /// Every frame goes to the caller of [`Delivery::next`].
    pub(super) fn to_reader() -> Self {
        Self { slot: None, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Called by the streaming thread, which waits here while the reader of a recording is busy.
    pub(super) fn deliver(&self, frame: Frame) -> Delivered {
        let mut state = self.lock();
        if let Some(slot) = &self.slot {
            let closed = state.closed;
            drop(state);
            return match closed {
                true => Delivered::Closed,
                false if slot.put(frame) => Delivered::Replaced,
                false => Delivered::Kept,
            };
        }
        state = self
            .changed
            .wait_while(state, |state| state.frame.is_some() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Delivered::Closed;
        }
        state.frame = Some(frame);
        drop(state);
        self.changed.notify_all();
        Delivered::Kept
    }

    /// The session is over. The first reason is kept: later ones are its consequences.
    pub(super) fn end(&self, reason: EndReason) {
        self.lock().ended.get_or_insert(reason);
        self.changed.notify_all();
    }

    /// Waits at most `timeout` for the end of the session.
    pub(super) fn wait_for_end(&self, timeout: Duration) -> Option<EndReason> {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |state| state.ended.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.ended.clone()
    }

    /// The next frame of a recording; its end only when no frame is left.
    pub(super) fn next(&self, timeout: Duration) -> Next {
        let (mut state, _) = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |s| s.frame.is_none() && s.ended.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let next = match (state.frame.take(), &state.ended) {
            (Some(frame), _) => Next::Frame(frame),
            (None, Some(reason)) => Next::Ended(reason.clone()),
            (None, None) => Next::Quiet,
        };
        drop(state);
        self.changed.notify_all();
        next
    }

    /// Lets the streaming thread go, so that the pipeline can be torn down. True when a frame was left that nobody took.
    pub(super) fn close(&self) -> bool {
        let mut state = self.lock();
        state.closed = true;
        let left = state.frame.take();
        drop(state);
        self.changed.notify_all();
        left.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, DeliveryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::LatestFrames;
    use crate::ingest::testing::frame;
    use std::sync::Arc;

    const LONG: Duration = Duration::from_secs(30);

    fn seq(next: Next) -> u64 {
        match next {
            Next::Frame(frame) => frame.seq,
            other => panic!("no frame: {other:?}"),
        }
    }

    #[test]
    fn a_camera_keeps_only_its_newest_frame() {
        let frames = Arc::new(LatestFrames::new(1));
        let delivery = Delivery::to_slot(FrameSlot::new(Arc::clone(&frames), 0));
        assert_eq!(delivery.deliver(frame(1)), Delivered::Kept);
        assert_eq!(delivery.deliver(frame(2)), Delivered::Replaced);
        assert_eq!(frames.take(0).map(|frame| frame.seq), Some(2));
        assert!(!delivery.close());
        assert_eq!(delivery.deliver(frame(3)), Delivered::Closed);
        assert!(frames.take(0).is_none());
    }

    #[test]
    fn a_recording_delivers_every_frame_and_then_its_end() {
        let delivery = Arc::new(Delivery::to_reader());
        let writer = Arc::clone(&delivery);
        let decode = std::thread::spawn(move || {
            for i in 0..50 {
                assert_eq!(writer.deliver(frame(i)), Delivered::Kept);
            }
            writer.end(EndReason::EndOfStream);
            writer.end(EndReason::Failed("a consequence".into()));
        });
        for i in 0..50 {
            assert_eq!(seq(delivery.next(LONG)), i);
        }
        assert!(matches!(delivery.next(LONG), Next::Ended(EndReason::EndOfStream)));
        assert_eq!(delivery.wait_for_end(LONG), Some(EndReason::EndOfStream));
        decode.join().unwrap();
    }

    #[test]
    fn closing_frees_a_waiting_streaming_thread() {
        let delivery = Arc::new(Delivery::to_reader());
        let writer = Arc::clone(&delivery);
        let decode = std::thread::spawn(move || {
            (0u64..).take_while(|i| writer.deliver(frame(*i)) != Delivered::Closed).count()
        });
        assert_eq!(seq(delivery.next(LONG)), 0);
        let left = usize::from(delivery.close());
        assert_eq!(1 + left, decode.join().unwrap());
    }
}
