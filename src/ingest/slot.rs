//! The newest frame of each camera, for one detector thread to choose from.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stamp;
use crate::frame::Frame;

/// One slot per camera, by its index in the site file. A newer frame replaces one that nobody took.
#[derive(Debug)]
pub struct FrameSlots {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    slots: Vec<Option<Frame>>,
    /// When the newest frame of each came, taken or not.
    newest: Vec<Option<Stamp>>,
    closed: bool,
}

impl FrameSlots {
    /// Empty slots for `cameras` cameras.
    pub fn new(cameras: usize) -> Self {
        let inner = Inner { slots: vec![None; cameras], newest: vec![None; cameras], closed: false };
        Self { inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// Puts a frame in the slot of `camera`. True when it replaced one that nobody took.
    pub fn put(&self, camera: usize, frame: Frame) -> bool {
        let mut inner = self.lock();
        inner.newest[camera] = Some(frame.stamp);
        let replaced = inner.slots[camera].replace(frame);
        drop(inner);
        self.changed.notify_all();
        // Dropped here, outside the lock: freeing a decoder's buffer may wait for the decoder.
        replaced.is_some()
    }

    /// Takes the frame of `camera`, if one waits.
    pub fn take(&self, camera: usize) -> Option<Frame> {
        self.lock().slots[camera].take()
    }

    /// When the newest frame of `camera` came; `None` before the first.
    pub fn newest(&self, camera: usize) -> Option<Stamp> {
        self.lock().newest[camera]
    }

    /// For each camera whether a frame waits.
    pub fn waiting(&self) -> Vec<bool> {
        self.lock().slots.iter().map(Option::is_some).collect()
    }

    /// Waits until a frame waits for a camera that is `wanted`, at most `timeout`. False on time-out and when closed.
    pub fn wait(&self, timeout: Duration, wanted: impl Fn(usize) -> bool) -> bool {
        let ready = |inner: &Inner| inner.slots.iter().enumerate().any(|(i, s)| s.is_some() && wanted(i));
        let guard = self.lock();
        let (guard, _) = self
            .changed
            .wait_timeout_while(guard, timeout, |inner| !inner.closed && !ready(inner))
            .unwrap_or_else(PoisonError::into_inner);
        !guard.closed && ready(&guard)
    }

    /// Ends every wait, now and later: shutdown.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Whether [`FrameSlots::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::testing::frame;
    use proptest::prelude::*;
    use std::sync::Arc;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Put(usize),
        Take(usize),
    }

    proptest! {
        #[test]
        fn every_frame_put_in_is_taken_overwritten_or_waiting(
            steps in prop::collection::vec(
                (0usize..3, any::<bool>()).prop_map(|(i, put)| if put { Step::Put(i) } else { Step::Take(i) }), 0..200),
        ) {
            let slots = FrameSlots::new(3);
            let (mut put, mut taken, mut overwritten, mut newest) = (0u64, 0, 0, [None; 3]);
            for step in steps {
                match step {
                    Step::Put(i) => {
                        overwritten += u64::from(slots.put(i, frame(put)));
                        newest[i] = Some(put);
                        put += 1;
                    }
                    Step::Take(i) => {
                        let got = slots.take(i).map(|f| f.seq);
                        prop_assert_eq!(got, newest[i].take(), "the newest frame, once");
                        taken += u64::from(got.is_some());
                    }
                }
            }
            let waiting = slots.waiting().into_iter().filter(|w| *w).count() as u64;
            prop_assert_eq!(put, taken + overwritten + waiting);
        }
    }

    #[test]
    fn a_waiting_detector_wakes_for_a_wanted_camera_only() {
        let slots = Arc::new(FrameSlots::new(2));
        slots.put(0, frame(1));
        assert!(!slots.wait(Duration::from_millis(5), |camera| camera == 1));
        let writer = Arc::clone(&slots);
        let put = std::thread::spawn(move || writer.put(1, frame(2)));
        assert!(slots.wait(Duration::from_secs(20), |camera| camera == 1));
        put.join().unwrap();
        assert_eq!(slots.waiting(), [true, true]);
    }

    #[test]
    fn closing_ends_a_wait() {
        let slots = Arc::new(FrameSlots::new(1));
        let closer = Arc::clone(&slots);
        let close = std::thread::spawn(move || closer.close());
        assert!(!slots.wait(Duration::from_secs(60), |_| true));
        close.join().unwrap();
        slots.put(0, frame(1));
        assert!(!slots.wait(Duration::from_secs(60), |_| true), "a closed slot never reports a frame");
    }
}
