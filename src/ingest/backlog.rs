//! How much of a camera's stream waits before the decoder, and its limit.
//!
//! The jitter buffer drops nothing, because cameras send in bursts, and each dropped packet smears pictures up to the next key
//! frame. So a box that decodes more slowly than the camera sends would fall behind and fill its memory. The session ends before
//! that.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;

use super::delivery::Delivery;
use super::source::EndReason;
use crate::clock::{Clock, MonoTime};

/// Pictures are stamped behind the decoder, so what waits longer before it gets a wrong time.
const LONGEST: Duration = Duration::from_secs(5);
/// Many seconds of any camera: a stream that comes faster is no camera's.
const LIMIT_BYTES: usize = 64 << 20;

/// Packets that entered the jitter buffer and have not left it.
#[derive(Debug, Default)]
struct Backlog {
    bytes: usize,
    /// When each of them came.
    waiting: VecDeque<MonoTime>,
    /// Sequence number of the packet that came last.
    newest: Option<u16>,
    /// The session was ended.
    over: bool,
}

impl Backlog {
    /// A packet arrived. Returns true once, when a limit is passed.
    fn arrived(&mut self, bytes: usize, sequence: Option<u16>, at: MonoTime) -> bool {
        if self.over {
            return false;
        }
        self.bytes += bytes;
        self.waiting.push_back(at);
        self.newest = sequence;
        let late = self.waiting.front().is_some_and(|first| at.since(*first) > LONGEST);
        self.over = late || self.bytes > LIMIT_BYTES;
        self.over
    }

    /// A packet went to the decoder. When it is the newest one, nothing waits behind it; late packets and repeats, which the
    /// jitter buffer removes, are then forgotten.
    fn left(&mut self, bytes: usize, sequence: Option<u16>) {
        if sequence.is_some() && sequence == self.newest {
            self.bytes = 0;
            self.waiting.clear();
        } else {
            self.bytes = self.bytes.saturating_sub(bytes);
            self.waiting.pop_front();
        }
    }
}

/// Ends the session when too much waits in the jitter buffers of `source`, an `rtspsrc`.
pub(super) fn limit(source: &gst::Element, delivery: &Arc<Delivery>, clock: &Arc<dyn Clock>) {
    let (delivery, clock) = (Arc::downgrade(delivery), Arc::clone(clock));
    source.connect("new-manager", false, move |values| {
        let manager = values.get(1).and_then(|value| value.get::<gst::Element>().ok())?;
        let (delivery, clock) = (delivery.clone(), Arc::clone(&clock));
        manager.connect("new-jitterbuffer", false, move |values| {
            let buffer = values.get(1).and_then(|value| value.get::<gst::Element>().ok())?;
            let end = {
                let delivery = delivery.clone();
                move || {
                    if let Some(delivery) = delivery.upgrade() {
                        delivery.end(EndReason::Failed(format!(
                            "the stream waits {LONGEST:?} to be decoded: the box is too slow for it, choose a smaller stream of the camera"
                        )));
                    }
                }
            };
            watch(&buffer, &clock, end);
            None
        });
        None
    });
}

fn watch(buffer: &gst::Element, clock: &Arc<dyn Clock>, end: impl Fn() + Send + Sync + 'static) {
    let backlog = Arc::new(Mutex::new(Backlog::default()));
    let (Some(sink), Some(src)) = (buffer.static_pad("sink"), buffer.static_pad("src")) else { return };
    let (entering, clock) = (Arc::clone(&backlog), Arc::clone(clock));
    each_packet(&sink, move |packet| {
        let over = {
            let mut backlog = entering.lock().unwrap_or_else(PoisonError::into_inner);
            backlog.arrived(packet.size(), sequence(packet), clock.mono())
        };
        if over {
            end();
        }
    });
    each_packet(&src, move |packet| {
        backlog.lock().unwrap_or_else(PoisonError::into_inner).left(packet.size(), sequence(packet));
    });
}

/// Calls `see` for each packet that passes `pad`.
pub(super) fn each_packet(pad: &gst::Pad, see: impl Fn(&gst::BufferRef) + Send + Sync + 'static) {
    pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
        let packets = info.buffer_list().into_iter().flat_map(|list| list.iter());
        packets.chain(info.buffer().map(|packet| &**packet)).for_each(&see);
        gst::PadProbeReturn::Ok
    });
}

/// Sequence number of an RTP packet: its third and fourth byte (RFC 3550, 5.1).
fn sequence(packet: &gst::BufferRef) -> Option<u16> {
    let mut bytes = [0; 2];
    // The size is checked first: to copy from beyond the end of a short packet panics.
    (packet.size() >= 4 && packet.copy_to_slice(2, &mut bytes).is_ok()).then(|| u16::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> MonoTime {
        MonoTime::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn what_waits_is_counted_until_the_newest_packet_left() {
        let mut backlog = Backlog::default();
        assert!(!backlog.arrived(1000, Some(65535), at(0)));
        assert!(!backlog.arrived(LIMIT_BYTES - 1000, Some(0), at(0)));
        backlog.left(1000, Some(65535));
        assert_eq!((backlog.bytes, backlog.waiting.len()), (LIMIT_BYTES - 1000, 1));
        backlog.arrived(1, Some(1), at(0));
        // A late packet was removed in the jitter buffer; the count forgets it.
        backlog.left(1, Some(1));
        assert_eq!((backlog.bytes, backlog.waiting.len()), (0, 0));
        // No sequence number, no conclusion.
        backlog.arrived(500, None, at(0));
        backlog.left(200, None);
        assert_eq!(backlog.bytes, 300);
    }

    #[test]
    fn too_much_and_too_late_end_the_session_once() {
        let mut much = Backlog::default();
        assert!(!much.arrived(LIMIT_BYTES, Some(1), at(0)));
        assert!(much.arrived(1, Some(2), at(0)));
        assert!(!much.arrived(1, Some(3), at(0)));
        let mut late = Backlog::default();
        assert!(!late.arrived(1, Some(1), at(0)));
        assert!(!late.arrived(1, Some(2), at(5)));
        assert!(late.arrived(1, Some(3), at(6)));
        let mut steady = Backlog::default();
        for second in 0..100 {
            assert!(!steady.arrived(1, Some(second), at(second.into())));
            steady.left(1, Some(second));
        }
    }

    #[test]
    fn the_sequence_number_is_read_from_the_packet() {
        gst::init().unwrap();
        let of = |bytes: &'static [u8]| sequence(&gst::Buffer::from_slice(bytes));
        assert_eq!(of(&[0x80, 96, 0x12, 0x34, 0]), Some(0x1234));
        assert_eq!(of(&[0x80, 96, 0x12]), None);
    }
}
