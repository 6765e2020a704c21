//! A camera or a network that damages its stream: packets are corrupted as they are sent, the same ones for the same seed.

use std::sync::Mutex;

use gstreamer as gst;
use gstreamer::prelude::*;
use test_support::Rng;

/// Length of an RTP header without extensions, which is all that the payloaders write.
const HEADER: usize = 12;

/// Which packets are corrupted.
#[derive(Clone, Copy, Debug)]
pub struct Corruption {
    /// Seed of the random choices.
    pub seed: u64,
    /// Corrupted packets in a hundred.
    pub percent: u64,
}

/// What happens to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PacketFault {
    /// The payload ends early: a truncated NAL unit.
    Truncated,
    /// The payload is random.
    Random,
    /// One byte of the payload is random, often in a header.
    Changed,
    /// The timestamp is random: the camera's clock jumps.
    WrongTime,
    /// The packet is not sent.
    Lost,
}

const PACKET_FAULTS: [PacketFault; 5] = [
    PacketFault::Truncated,
    PacketFault::Random,
    PacketFault::Changed,
    PacketFault::WrongTime,
    PacketFault::Lost,
];

impl Corruption {
    /// Corrupts what leaves the payloader `pay0` of `media` from now on.
    pub(crate) fn apply(self, media: &gst::Element) {
        let payloader = media.downcast_ref::<gst::Bin>().and_then(|bin| bin.by_name("pay0"));
        let Some(pad) = payloader.and_then(|element| element.static_pad("src")) else { return };
        let rng = Mutex::new(Rng::new(self.seed));
        let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        pad.add_probe(kinds, move |_, info| {
            // The generator is valid even after a panic of another thread.
            let mut rng = rng.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match &mut info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => match self.sent(buffer, &mut rng) {
                    Some(sent) => *buffer = sent,
                    None => return gst::PadProbeReturn::Drop,
                },
                Some(gst::PadProbeData::BufferList(list)) => {
                    let sent: gst::BufferList =
                        list.iter_owned().filter_map(|buffer| self.sent(&buffer, &mut rng)).collect();
                    *list = sent;
                }
                _ => {}
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// The packet as it is sent; `None` when it is lost.
    fn sent(self, packet: &gst::Buffer, rng: &mut Rng) -> Option<gst::Buffer> {
        if rng.below(100) >= self.percent {
            return Some(packet.clone());
        }
        let mut bytes = packet.map_readable().ok()?.to_vec();
        if bytes.len() <= HEADER {
            return Some(packet.clone());
        }
        let fault = PACKET_FAULTS[rng.below(PACKET_FAULTS.len() as u64) as usize];
        let place = HEADER + rng.below((bytes.len() - HEADER) as u64) as usize;
        let mut randomise = |part: &mut [u8]| part.iter_mut().for_each(|byte| *byte = rng.below(256) as u8);
        match fault {
            PacketFault::Truncated => bytes.truncate(place.max(HEADER + 1)),
            PacketFault::Random => randomise(&mut bytes[HEADER..]),
            PacketFault::Changed => randomise(&mut bytes[place..=place]),
            PacketFault::WrongTime => randomise(&mut bytes[4..8]),
            PacketFault::Lost => return None,
        }
        let mut corrupted = gst::Buffer::from_mut_slice(bytes);
        packet
            .copy_into(
                corrupted.get_mut()?,
                gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS | gst::BufferCopyFlags::META,
                ..,
            )
            .ok()?;
        Some(corrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_share_is_corrupted_and_repeats_with_the_seed() {
        gst::init().unwrap();
        let packet = gst::Buffer::from_slice([7u8; 200]);
        let run = |percent, seed| {
            let (corruption, mut rng) = (Corruption { seed, percent }, Rng::new(seed));
            let sent = (0..1000).map(|_| corruption.sent(&packet, &mut rng));
            sent.map(|sent| sent.map(|buffer| buffer.map_readable().unwrap().to_vec())).collect::<Vec<_>>()
        };
        let whole = |sent: &[Option<Vec<u8>>]| sent.iter().flatten().filter(|b| **b == [7; 200]).count();
        assert_eq!(whole(&run(0, 1)), 1000);
        assert!((650..750).contains(&whole(&run(30, 1))), "{}", whole(&run(30, 1)));
        assert_eq!(run(30, 1), run(30, 1));
        assert_ne!(run(30, 1), run(30, 2));
    }
}
