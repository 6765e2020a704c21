//! Between a pipeline's streaming thread and whoever pulls frames.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::source::{EndReason, Next};
use crate::frame::Frame;

/// What happens when frames come faster than they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// The newest replaces the older one: a live camera.
    Newest,
    /// The streaming thread waits: a recording.
    Every,
}

/// A recording's streaming thread decodes this far ahead: the next picture while this one is looked at. More would only
/// spread the decoder's buffers over more memory.
const AHEAD: usize = 1;

#[derive(Debug)]
pub(super) struct Handover {
    keep: Keep,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    frames: VecDeque<Frame>,
    ended: Option<EndReason>,
    closed: bool,
}

/// What became of an offered frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// It waits to be taken.
    Kept,
    /// It waits to be taken, and an older one was dropped for it.
    Overwrote,
    /// Nobody will take it.
    Closed,
}

impl Handover {
    pub(super) fn new(keep: Keep) -> Self {
        Self { keep, inner: Mutex::default(), changed: Condvar::new() }
    }

    /// Called by the streaming thread.
    pub(super) fn offer(&self, frame: Frame) -> Offer {
        let mut inner = self.lock();
        let mut overwritten = None;
        if self.keep == Keep::Every {
            inner = self
                .changed
                .wait_while(inner, |inner| inner.frames.len() >= AHEAD && !inner.closed)
                .unwrap_or_else(PoisonError::into_inner);
        } else if !inner.closed {
            overwritten = inner.frames.pop_front();
        }
        if inner.closed {
            return Offer::Closed;
        }
        inner.frames.push_back(frame);
        drop(inner);
        self.changed.notify_all();
        if overwritten.is_some() { Offer::Overwrote } else { Offer::Kept }
    }

    /// The session is over. The first reason stays: what follows are its consequences.
    pub(super) fn end(&self, reason: EndReason) {
        self.lock().ended.get_or_insert(reason);
        self.changed.notify_all();
    }

    /// The next frame; the end only when no frame is left.
    pub(super) fn next(&self, wait: Duration) -> Next {
        let guard = self.lock();
        let (mut inner, _) = self
            .changed
            .wait_timeout_while(guard, wait, |inner| inner.frames.is_empty() && inner.ended.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let next = match (inner.frames.pop_front(), &inner.ended) {
            (Some(frame), _) => Next::Frame(frame),
            (None, Some(reason)) => Next::Ended(reason.clone()),
            (None, None) => Next::Quiet,
        };
        drop(inner);
        self.changed.notify_all();
        next
    }

    /// Lets the streaming thread go, so that the pipeline can be torn down. Returns how many frames nobody took.
    pub(super) fn close(&self) -> usize {
        let mut inner = self.lock();
        inner.closed = true;
        let left = std::mem::take(&mut inner.frames);
        drop(inner);
        self.changed.notify_all();
        left.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::testing::frame;
    use std::sync::Arc;

    const NOW: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(30);

    fn seq(next: Next) -> u64 {
        match next {
            Next::Frame(frame) => frame.seq,
            other => panic!("no frame: {other:?}"),
        }
    }

    #[test]
    fn a_live_camera_hands_over_its_newest_frame_and_says_what_it_dropped() {
        let handover = Handover::new(Keep::Newest);
        assert!(matches!(handover.next(NOW), Next::Quiet));
        assert_eq!(handover.offer(frame(1)), Offer::Kept);
        assert_eq!(handover.offer(frame(2)), Offer::Overwrote);
        assert_eq!(seq(handover.next(NOW)), 2);
        assert!(matches!(handover.next(NOW), Next::Quiet));
    }

    #[test]
    fn a_recording_hands_over_every_frame_in_order_and_then_its_end() {
        let handover = Arc::new(Handover::new(Keep::Every));
        let writer = Arc::clone(&handover);
        let decode = std::thread::spawn(move || {
            for i in 0..50 {
                assert_eq!(writer.offer(frame(i)), Offer::Kept);
            }
            writer.end(EndReason::EndOfStream);
            writer.end(EndReason::Failed("a consequence".into()));
        });
        for i in 0..50 {
            assert_eq!(seq(handover.next(LONG)), i);
        }
        assert!(matches!(handover.next(LONG), Next::Ended(EndReason::EndOfStream)));
        decode.join().unwrap();
    }

    #[test]
    fn closing_frees_a_streaming_thread_that_waits() {
        let handover = Arc::new(Handover::new(Keep::Every));
        let writer = Arc::clone(&handover);
        let decode = std::thread::spawn(move || {
            (0u64..).take_while(|i| writer.offer(frame(*i)) != Offer::Closed).count()
        });
        assert_eq!(seq(handover.next(LONG)), 0);
        let left = handover.close();
        let taken_or_left = decode.join().unwrap();
        assert_eq!(1 + left, taken_or_left);
    }
}
