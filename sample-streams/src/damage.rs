//! A camera, or a cable, that sends nonsense: packets are spoiled on their way out, the same ones for the same seed.

use std::sync::Mutex;

use gstreamer as gst;
use gstreamer::prelude::*;

/// Length of an RTP header without extras, which is all that the payloaders write.
const HEADER: usize = 12;

/// How packets are spoiled.
#[derive(Clone, Copy, Debug)]
pub struct Damage {
    /// What chance begins with.
    pub seed: u64,
    /// How many of a hundred packets are spoiled.
    pub percent: u64,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// Its payload ends early: a truncated NAL unit.
    Truncated,
    /// Its payload is random.
    Noise,
    /// One byte of the payload is another, often in a header.
    Flipped,
    /// It comes from another time: the camera's clock jumps.
    Jumped,
    /// It does not come at all.
    Lost,
}

impl Damage {
    /// Spoils what leaves the payloader `pay0` of `media` from now on.
    pub(crate) fn spoil(self, media: &gst::Element) {
        let payloader = media.downcast_ref::<gst::Bin>().and_then(|bin| bin.by_name("pay0"));
        let Some(pad) = payloader.and_then(|element| element.static_pad("src")) else { return };
        let chance = Mutex::new(self.seed);
        let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        pad.add_probe(kinds, move |_, info| {
            // A panic here would have ended the camera: the state is whole.
            let mut chance = chance.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match &mut info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => match self.harm(buffer, &mut chance) {
                    Some(spoiled) => *buffer = spoiled,
                    None => return gst::PadProbeReturn::Drop,
                },
                Some(gst::PadProbeData::BufferList(list)) => {
                    let kept: gst::BufferList =
                        list.iter_owned().filter_map(|buffer| self.harm(&buffer, &mut chance)).collect();
                    *list = kept;
                }
                _ => {}
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// The packet as it is sent; `None` when it is lost.
    fn harm(self, packet: &gst::Buffer, chance: &mut u64) -> Option<gst::Buffer> {
        if below(chance, 100) >= self.percent {
            return Some(packet.clone());
        }
        let mut bytes = packet.map_readable().ok()?.to_vec();
        if bytes.len() <= HEADER {
            return Some(packet.clone());
        }
        let harms = [Harm::Truncated, Harm::Noise, Harm::Flipped, Harm::Jumped, Harm::Lost];
        let harm = harms[below(chance, harms.len() as u64) as usize];
        let place = HEADER + below(chance, (bytes.len() - HEADER) as u64) as usize;
        match harm {
            Harm::Truncated => bytes.truncate(place.max(HEADER + 1)),
            Harm::Noise => bytes[HEADER..].iter_mut().for_each(|byte| *byte = below(chance, 256) as u8),
            Harm::Flipped => bytes[place] = below(chance, 256) as u8,
            Harm::Jumped => bytes[4..8].iter_mut().for_each(|byte| *byte = below(chance, 256) as u8),
            Harm::Lost => return None,
        }
        let mut spoiled = gst::Buffer::from_mut_slice(bytes);
        packet
            .copy_into(
                spoiled.get_mut()?,
                gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS | gst::BufferCopyFlags::META,
                ..,
            )
            .ok()?;
        Some(spoiled)
    }
}

/// A number below `limit`: splitmix64.
fn below(state: &mut u64, limit: u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) % limit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_is_asked_for_is_spoiled_and_the_same_for_the_same_seed() {
        gst::init().unwrap();
        let packet = gst::Buffer::from_slice([7u8; 200]);
        let run = |percent, seed| {
            let (damage, mut chance) = (Damage { seed, percent }, seed);
            let sent = (0..1000).map(|_| damage.harm(&packet, &mut chance));
            sent.map(|sent| sent.map(|buffer| buffer.map_readable().unwrap().to_vec())).collect::<Vec<_>>()
        };
        let whole = |sent: &[Option<Vec<u8>>]| sent.iter().flatten().filter(|b| **b == [7; 200]).count();
        assert_eq!(whole(&run(0, 1)), 1000);
        assert!((650..750).contains(&whole(&run(30, 1))), "{}", whole(&run(30, 1)));
        assert_eq!(run(30, 1), run(30, 1));
        assert_ne!(run(30, 1), run(30, 2));
    }
}
