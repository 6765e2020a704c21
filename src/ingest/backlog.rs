//! How much of a camera's stream waits before the decoder, and its limit.
//!
//! The jitter buffer drops nothing, because cameras send in bursts, and each dropped packet smears pictures up to the next key
//! frame. So a box that decodes more slowly than the camera sends would fill its memory. The session ends before that.

use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;

use super::delivery::Delivery;
use super::source::EndReason;

/// Half a minute of a camera that sends 16 Mbit/s.
const LIMIT_BYTES: usize = 64 << 20;

/// Packets that entered the jitter buffer and have not left it.
#[derive(Debug, Default)]
struct Backlog {
    bytes: usize,
    /// Sequence number of the packet that came last.
    newest: Option<u16>,
}

impl Backlog {
    /// A packet arrived. Returns whether the limit is passed.
    fn arrived(&mut self, bytes: usize, sequence: Option<u16>) -> bool {
        self.bytes += bytes;
        self.newest = sequence;
        self.bytes > LIMIT_BYTES
    }

    /// A packet went to the decoder. When it is the newest one, nothing waits behind it; late packets and repeats, which the
    /// jitter buffer removes, are then forgotten.
    fn left(&mut self, bytes: usize, sequence: Option<u16>) {
        let empty = sequence.is_some() && sequence == self.newest;
        self.bytes = if empty { 0 } else { self.bytes.saturating_sub(bytes) };
    }
}

/// Ends the session when too much waits in the jitter buffers of `source`, an `rtspsrc`.
pub(super) fn limit(source: &gst::Element, delivery: &Arc<Delivery>) {
    let delivery = Arc::downgrade(delivery);
    source.connect("new-manager", false, move |values| {
        let manager = values.get(1).and_then(|value| value.get::<gst::Element>().ok())?;
        let delivery = delivery.clone();
        manager.connect("new-jitterbuffer", false, move |values| {
            let buffer = values.get(1).and_then(|value| value.get::<gst::Element>().ok())?;
            let end = {
                let delivery = delivery.clone();
                move || {
                    if let Some(delivery) = delivery.upgrade() {
                        delivery.end(EndReason::Failed(format!(
                            "{} MB of the stream wait to be decoded: the box is too slow for it, choose a smaller stream of the camera",
                            LIMIT_BYTES >> 20
                        )));
                    }
                }
            };
            watch(&buffer, end);
            None
        });
        None
    });
}

fn watch(buffer: &gst::Element, end: impl Fn() + Send + Sync + 'static) {
    let backlog = Arc::new(Mutex::new(Backlog::default()));
    let (Some(sink), Some(src)) = (buffer.static_pad("sink"), buffer.static_pad("src")) else { return };
    let entering = Arc::clone(&backlog);
    each_packet(&sink, move |packet| {
        let mut backlog = entering.lock().unwrap_or_else(PoisonError::into_inner);
        if backlog.arrived(packet.size(), sequence(packet)) {
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

    #[test]
    fn what_waits_is_counted_until_the_newest_packet_left() {
        let mut backlog = Backlog::default();
        assert!(!backlog.arrived(1000, Some(65535)));
        assert!(!backlog.arrived(LIMIT_BYTES - 1000, Some(0)));
        assert!(backlog.arrived(1, Some(1)));
        backlog.left(1000, Some(65535));
        assert_eq!(backlog.bytes, LIMIT_BYTES - 999);
        // A late packet was removed in the jitter buffer; the count forgets it.
        backlog.left(1, Some(1));
        assert_eq!(backlog.bytes, 0);
        // No sequence number, no conclusion.
        backlog.arrived(500, None);
        backlog.left(200, None);
        assert_eq!(backlog.bytes, 300);
    }

    #[test]
    fn the_sequence_number_is_read_from_the_packet() {
        gst::init().unwrap();
        let of = |bytes: &'static [u8]| sequence(&gst::Buffer::from_slice(bytes));
        assert_eq!(of(&[0x80, 96, 0x12, 0x34, 0]), Some(0x1234));
        assert_eq!(of(&[0x80, 96, 0x12]), None);
    }
}
