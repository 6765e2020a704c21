//! A camera over RTSP: one session, one pipeline.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::handover::{Handover, Keep};
use super::intake::{Intake, Stamping};
use super::pipeline::{OpenError, Session, describe, init, make, make_decoder, make_sink};
use super::source::{EndReason, FrameSource, Next};
use super::stats::IngestStats;
use crate::clock::Clock;
use crate::config::{Codec, Login, RtpTransport};
use crate::ids::CameraId;

/// How long packets may wait for stragglers before they are given up.
const LATENCY_MS: u32 = 200;

/// What to connect to.
#[derive(Clone, Debug)]
pub struct RtspCamera<'a> {
    /// Whose frames they are.
    pub camera: &'a CameraId,
    /// `rtsp://` or `rtsps://`, without credentials.
    pub url: &'a url::Url,
    /// Asked of the camera.
    pub transport: RtpTransport,
    /// User, and where the password is read from now.
    pub login: Option<&'a Login>,
    /// What the camera sends; nothing else is decoded.
    pub codec: Codec,
}

/// One session with a camera.
pub struct RtspSource(Session);

impl RtspSource {
    /// Begins to connect; the outcome comes from [`FrameSource::next`]. Frames are stamped by `clock` on arrival.
    pub fn open(
        camera: &RtspCamera<'_>,
        clock: Arc<dyn Clock>,
        stats: Arc<IngestStats>,
    ) -> Result<Self, OpenError> {
        init()?;
        stats.session_over();
        let (depay, parse, decode) = match camera.codec {
            Codec::H264 => ("rtph264depay", "h264parse", "avdec_h264"),
            Codec::H265 => ("rtph265depay", "h265parse", "avdec_h265"),
        };
        let handover = Arc::new(Handover::new(Keep::Newest));
        let pipeline = gst::Pipeline::new();
        let password = camera.login.map(|login| login.password.read()).transpose()?;
        let source = make_source(camera, password.as_ref())?;
        let depay = make(depay)?;
        if depay.has_property("wait-for-keyframe") {
            // After a lost packet every picture up to the next key frame would be smeared.
            depay.set_property("wait-for-keyframe", true);
        }
        count_frames(&depay, &stats);
        let (parse, decode) = (make(parse)?, make_decoder(decode, &handover)?);
        let intake = Intake::new(
            camera.camera.clone(),
            Stamping::Arrival(clock),
            Arc::clone(&handover),
            Arc::clone(&stats),
        );
        let sink = make_sink(intake, &[], false)?;
        pipeline.add_many([&source, &depay, &parse, &decode, sink.upcast_ref()])?;
        gst::Element::link_many([&depay, &parse, &decode, sink.upcast_ref()])?;

        let offer = Arc::new(Mutex::new(Offer { wanted: camera.codec, chosen: None, sent: Vec::new() }));
        choose_stream(&source, &depay, &offer, &handover);
        let address = camera.url.to_string();
        let tcp = camera.transport == RtpTransport::Tcp;
        let judge = move |message: &gst::Message| match message.view() {
            gst::MessageView::Eos(_) => Some(EndReason::EndOfStream),
            gst::MessageView::Error(error) => Some(explain(error, &address, &offer, password.as_ref())),
            // "The server closed the connection." The end of stream that follows it can get stuck in the jitter
            // buffer. Over UDP the same warning says less: pictures may go on.
            gst::MessageView::Warning(warning)
                if tcp && warning.error().matches(gst::ResourceError::Read) =>
            {
                Some(EndReason::EndOfStream)
            }
            _ => None,
        };
        Session::start(pipeline, handover, stats, judge).map(Self)
    }
}

impl FrameSource for RtspSource {
    fn next(&mut self, wait: Duration) -> Next {
        self.0.next(wait)
    }
}

fn make_source(camera: &RtspCamera<'_>, password: Option<&SecretString>) -> Result<gst::Element, OpenError> {
    let source = make("rtspsrc")?;
    source.set_property("location", camera.url.as_str());
    source.set_property_from_str(
        "protocols",
        match camera.transport {
            RtpTransport::Tcp => "tcp",
            RtpTransport::Udp => "udp",
        },
    );
    source.set_property("latency", LATENCY_MS);
    source.set_property("drop-on-latency", true);
    source.set_property("do-rtsp-keep-alive", true);
    if let (Some(login), Some(password)) = (camera.login, password) {
        source.set_property("user-id", &login.username);
        source.set_property("user-pw", password.expose_secret());
    }
    Ok(source)
}

/// What the camera offers, and what was chosen of it.
#[derive(Debug)]
struct Offer {
    wanted: Codec,
    /// Number of the chosen stream.
    chosen: Option<u32>,
    /// Encodings of its video streams, as in its SDP.
    sent: Vec<String>,
}

impl Offer {
    /// Whether to take stream `number`: the first video stream in the wanted codec, nothing else.
    fn take(&mut self, number: u32, media: &str, encoding: &str) -> bool {
        if media != "video" {
            return false;
        }
        self.sent.push(encoding.to_owned());
        if encoding == encoding_name(self.wanted) && self.chosen.is_none_or(|chosen| chosen == number) {
            self.chosen = Some(number);
            return true;
        }
        false
    }

    /// Why nothing was chosen, for people.
    fn refusal(&self) -> Option<String> {
        if self.chosen.is_some() || self.sent.is_empty() {
            return None;
        }
        let wanted = encoding_name(self.wanted).to_ascii_lowercase();
        let mut sent: Vec<_> = self.sent.iter().map(|encoding| encoding.to_ascii_lowercase()).collect();
        sent.dedup();
        let sent = sent.join(" and ");
        Some(format!("the camera sends {sent}, the site file says codec = \"{wanted}\": change one of them"))
    }
}

fn encoding_name(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "H264",
        Codec::H265 => "H265",
    }
}

/// Takes the wanted video stream and leaves audio, metadata and the rest unasked for.
fn choose_stream(
    source: &gst::Element,
    depay: &gst::Element,
    offer: &Arc<Mutex<Offer>>,
    handover: &Arc<Handover>,
) {
    let chooser = Arc::clone(offer);
    source.connect("select-stream", false, move |values| {
        let number = values.get(1).and_then(|value| value.get::<u32>().ok())?;
        let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok())?;
        let field = |name| caps.structure(0).and_then(|s| s.get::<String>(name).ok()).unwrap_or_default();
        let mut offer = chooser.lock().unwrap_or_else(PoisonError::into_inner);
        Some(offer.take(number, &field("media"), &field("encoding-name")).to_value())
    });
    let depay = depay.downgrade();
    let handover = Arc::clone(handover);
    source.connect_pad_added(move |_, pad| {
        let Some(sink) = depay.upgrade().and_then(|depay| depay.static_pad("sink")) else { return };
        if sink.is_linked() {
            return;
        }
        if let Err(error) = pad.link(&sink) {
            handover.end(EndReason::Failed(format!("the camera's stream cannot be read: {error}")));
        }
    });
}

/// Counts the camera's frames as they come, whatever becomes of them.
fn count_frames(depay: &gst::Element, stats: &Arc<IngestStats>) {
    let Some(pad) = depay.static_pad("sink") else { return };
    let stats = Arc::clone(stats);
    pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
        let packets = info.buffer_list().into_iter().flat_map(|list| list.iter());
        let packets = packets.chain(info.buffer().map(|packet| &**packet));
        packets.filter(|packet| ends_frame(packet)).for_each(|_| stats.came());
        gst::PadProbeReturn::Ok
    });
}

/// Whether an RTP packet is a frame's last: its marker, the first bit of the second byte (RFC 3550, 5.1; RFC 6184, 5.1).
fn ends_frame(packet: &gst::BufferRef) -> bool {
    let mut second = [0];
    // A packet may be too short to have one, and that is asked first: copying from beyond the end panics.
    packet.size() > second.len() && packet.copy_to_slice(1, &mut second).is_ok() && second[0] & 0x80 != 0
}

/// The cause of an error on the bus, for people, without the password.
fn explain(
    error: &gst::message::Error,
    address: &str,
    offer: &Mutex<Offer>,
    password: Option<&SecretString>,
) -> EndReason {
    if let Some(refusal) = offer.lock().unwrap_or_else(PoisonError::into_inner).refusal() {
        return EndReason::Unsuitable(refusal);
    }
    let mut text = describe(error);
    // GStreamer does not print it; should it ever, it goes no further.
    if let Some(secret) = password.map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "***");
    }
    match error.error().kind::<gst::ResourceError>() {
        Some(gst::ResourceError::NotAuthorized) => {
            let help = if password.is_some() { "check username and password" } else { "it wants one" };
            EndReason::Unauthorised(format!("the camera refused the login (401 Unauthorized): {help}"))
        }
        Some(gst::ResourceError::NotFound) => {
            EndReason::Failed(format!("the camera has no stream at {address} (404 Not Found)"))
        }
        Some(gst::ResourceError::OpenReadWrite | gst::ResourceError::OpenRead) => {
            EndReason::Failed(format!("cannot connect to {address}: {text}"))
        }
        _ => EndReason::Failed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(wanted: Codec, streams: &[(&str, &str)]) -> (Vec<bool>, Option<String>) {
        let mut offer = Offer { wanted, chosen: None, sent: Vec::new() };
        let taken =
            (0u32..).zip(streams).map(|(i, (media, encoding))| offer.take(i, media, encoding)).collect();
        (taken, offer.refusal())
    }

    #[test]
    fn only_the_first_video_stream_in_the_configured_codec_is_asked_for() {
        let streams =
            [("audio", "PCMU"), ("video", "H264"), ("application", "VND.ONVIF.METADATA"), ("video", "H264")];
        assert_eq!(offer(Codec::H264, &streams), (vec![false, true, false, false], None));
        let streams = [("video", "JPEG"), ("video", "H265")];
        assert_eq!(offer(Codec::H265, &streams), (vec![false, true], None));
    }

    #[test]
    fn a_frame_ends_with_the_packet_that_is_marked() {
        gst::init().unwrap();
        let ends = |bytes: &'static [u8]| ends_frame(&gst::Buffer::from_slice(bytes));
        assert!(ends(&[0x80, 0x80 | 96, 0, 1]));
        assert!(!ends(&[0x80, 96, 0, 1]));
        assert!(!ends(&[0x80]));
    }

    #[test]
    fn the_wrong_codec_is_refused_with_what_the_camera_sends() {
        let (taken, refusal) = offer(Codec::H264, &[("video", "H265"), ("audio", "PCMU")]);
        assert_eq!(taken, [false, false]);
        let refusal = refusal.unwrap();
        assert!(refusal.contains("sends h265") && refusal.contains("codec = \"h264\""), "{refusal}");
    }
}
