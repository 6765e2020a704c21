//! The newest frame of each camera: the one mailbox between the cameras' threads and the detector's.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stamp;
use crate::frame::Frame;
use crate::geometry::FrameSize;

/// One slot for each camera, by its index in the site file. A newer frame replaces one that nobody took.
#[derive(Debug)]
pub struct LatestFrames {
    slots: Mutex<Slots>,
    changed: Condvar,
}

#[derive(Debug)]
struct Slots {
    cameras: Vec<Slot>,
    closed: bool,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    frame: Option<Frame>,
    newest: Option<Newest>,
}

/// The newest frame that arrived, whether or not it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// When it arrived.
    pub stamp: Stamp,
    /// Width and height in pixels.
    pub size: FrameSize,
}

impl LatestFrames {
    /// Empty slots for `cameras` cameras.
    pub fn new(cameras: usize) -> Self {
        let slots = Slots { cameras: vec![Slot::default(); cameras], closed: false };
        Self { slots: Mutex::new(slots), changed: Condvar::new() }
    }

    /// Puts a frame into the slot of `camera`. True when it replaced one that nobody took.
    pub fn put(&self, camera: usize, frame: Frame) -> bool {
        let mut slots = self.lock();
        let slot = &mut slots.cameras[camera];
        slot.newest = Some(Newest { stamp: frame.stamp, size: frame.picture.size });
        let replaced = slot.frame.replace(frame);
        drop(slots);
        self.changed.notify_all();
        // Dropped here, outside the lock: freeing a decoder's buffer may wait for the decoder.
        replaced.is_some()
    }

    /// Takes the frame of `camera`, if there is one.
    pub fn take(&self, camera: usize) -> Option<Frame> {
        self.lock().cameras[camera].frame.take()
    }

    /// The newest frame of `camera`; `None` before the first.
    pub fn newest(&self, camera: usize) -> Option<Newest> {
        self.lock().cameras[camera].newest
    }

    /// For each camera whether a frame waits.
    pub fn waiting(&self) -> Vec<bool> {
        self.lock().cameras.iter().map(|slot| slot.frame.is_some()).collect()
    }

    /// Waits until a frame waits for a camera that is `wanted`, at most `timeout`. False on time-out and when closed.
    pub fn wait(&self, timeout: Duration, wanted: impl Fn(usize) -> bool) -> bool {
        let ready =
            |slots: &Slots| slots.cameras.iter().enumerate().any(|(i, s)| s.frame.is_some() && wanted(i));
        let guard = self.lock();
        let (guard, _) = self
            .changed
            .wait_timeout_while(guard, timeout, |slots| !slots.closed && !ready(slots))
            .unwrap_or_else(PoisonError::into_inner);
        !guard.closed && ready(&guard)
    }

    /// Ends every wait, now and later: shutdown.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Whether [`LatestFrames::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One camera's slot, as its sessions see it.
#[derive(Clone, Debug)]
pub struct FrameSlot {
    frames: Arc<LatestFrames>,
    camera: usize,
}

impl FrameSlot {
    /// The slot of the camera at index `camera` of the site file.
    pub fn new(frames: Arc<LatestFrames>, camera: usize) -> Self {
        Self { frames, camera }
    }

    /// Puts a frame in. True when it replaced one that nobody took.
    pub fn put(&self, frame: Frame) -> bool {
        self.frames.put(self.camera, frame)
    }

    /// The newest frame; `None` before the first.
    pub fn newest(&self) -> Option<Newest> {
        self.frames.newest(self.camera)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::testing::frame;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_frame_is_taken_or_replaced_or_waiting(
            steps in prop::collection::vec((0usize..3, any::<bool>()), 0..200),
        ) {
            let frames = LatestFrames::new(3);
            let (mut put, mut taken, mut replaced, mut newest) = (0u64, 0, 0, [None; 3]);
            for (camera, is_put) in steps {
                if is_put {
                    replaced += u64::from(frames.put(camera, frame(put)));
                    newest[camera] = Some(put);
                    put += 1;
                } else {
                    let got = frames.take(camera).map(|f| f.seq);
                    prop_assert_eq!(got, newest[camera].take(), "the newest frame, once");
                    taken += u64::from(got.is_some());
                }
            }
            let waiting = frames.waiting().into_iter().filter(|w| *w).count() as u64;
            prop_assert_eq!(put, taken + replaced + waiting);
        }
    }

    #[test]
    fn a_wait_ends_only_for_a_wanted_camera() {
        let frames = Arc::new(LatestFrames::new(2));
        frames.put(0, frame(1));
        assert!(!frames.wait(Duration::from_millis(5), |camera| camera == 1));
        let slot = FrameSlot::new(Arc::clone(&frames), 1);
        let put = std::thread::spawn(move || slot.put(frame(2)));
        assert!(frames.wait(Duration::from_secs(20), |camera| camera == 1));
        put.join().unwrap();
        assert_eq!(frames.waiting(), [true, true]);
    }

    #[test]
    fn closing_ends_a_wait() {
        let frames = Arc::new(LatestFrames::new(1));
        let closer = Arc::clone(&frames);
        let close = std::thread::spawn(move || closer.close());
        assert!(!frames.wait(Duration::from_secs(60), |_| true));
        close.join().unwrap();
        frames.put(0, frame(1));
        assert!(!frames.wait(Duration::from_secs(60), |_| true), "a closed mailbox reports no frame");
    }
}
