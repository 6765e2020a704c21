//! A camera over RTSP: one session, one pipeline.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::appsink::{Pacing, SampleHandler, Stamping};
use super::backlog;
use super::delivery::Delivery;
use super::failure::describe;
use super::latest_frame::FrameSlot;
use super::pipeline::{OpenError, PipelineSession, init, make, make_decoder};
use super::source::{EndReason, FrameSource};
use super::stats::IngestStats;
use crate::clock::Clock;
use crate::codec::Codec;
use crate::config::{Login, RtpTransport};
use crate::ids::CameraId;

/// How long the jitter buffer waits for late packets before it gives them up.
const LATENCY_MS: u32 = 200;

/// What to connect to.
#[derive(Clone, Debug)]
pub struct RtspCamera<'a> {
    /// Whose frames they are.
    pub camera: &'a CameraId,
    /// `rtsp://` or `rtsps://`, without credentials.
    pub url: &'a url::Url,
    /// Requested from the camera.
    pub transport: RtpTransport,
    /// User name and where the password is read from.
    pub login: Option<&'a Login>,
    /// What the camera sends; nothing else is decoded.
    pub codec: Codec,
}

/// One session with a camera.
pub struct RtspSource(PipelineSession);

impl RtspSource {
    /// Starts to connect. Frames go into `slot`, stamped by `clock` on arrival; how the session ends comes from
    /// [`FrameSource::wait_for_end`].
    pub fn open(
        camera: &RtspCamera<'_>,
        clock: Arc<dyn Clock>,
        slot: FrameSlot,
        stats: Arc<IngestStats>,
    ) -> Result<Self, OpenError> {
        init()?;
        stats.session_ended();
        let codec = camera.codec.spec();
        let delivery = Arc::new(Delivery::to_slot(slot));
        let password = camera.login.map(|login| login.password.read()).transpose()?;
        let source = make_source(camera, password.as_ref())?;
        backlog::limit(&source, &delivery, &clock);
        let depay = make(codec.depayloader)?;
        if depay.has_property("wait-for-keyframe") {
            // After a lost packet every picture up to the next key frame would be smeared.
            depay.set_property("wait-for-keyframe", true);
        }
        count_frames(&depay, &stats);
        let handler = SampleHandler::new(
            camera.camera.clone(),
            Stamping::Arrival(clock),
            Arc::clone(&delivery),
            Arc::clone(&stats),
        );
        let sink = handler.into_sink(&[], Pacing::AsDecoded)?.upcast();
        let decode = make_decoder(codec.decoding.decoder, &delivery)?;
        let parse = codec.decoding.parser.map(make).transpose()?;
        let chain: Vec<_> =
            [Some(depay.clone()), parse, Some(decode), Some(sink)].into_iter().flatten().collect();
        let pipeline = gst::Pipeline::new();
        pipeline.add(&source)?;
        pipeline.add_many(&chain)?;
        gst::Element::link_many(&chain)?;

        let choice = Arc::new(Mutex::new(StreamChoice::new(camera.codec)));
        choose_stream(&source, &depay, &choice, &delivery);
        let end_of = end_of_session(camera, choice, password);
        PipelineSession::start(pipeline, delivery, stats, end_of).map(Self)
    }
}

impl FrameSource for RtspSource {
    fn wait_for_end(&mut self, timeout: Duration) -> Option<EndReason> {
        self.0.wait_for_end(timeout)
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
    // Cameras send in bursts. What is dropped here is missing from every picture up to the next key frame.
    source.set_property("drop-on-latency", false);
    source.set_property("do-rtsp-keep-alive", true);
    if let (Some(login), Some(password)) = (camera.login, password) {
        source.set_property("user-id", &login.username);
        source.set_property("user-pw", password.expose_secret());
    }
    Ok(source)
}

/// Which messages on the bus end the session, and why.
fn end_of_session(
    camera: &RtspCamera<'_>,
    choice: Arc<Mutex<StreamChoice>>,
    password: Option<SecretString>,
) -> impl Fn(&gst::Message) -> Option<EndReason> + Send + Sync + 'static {
    let address = camera.url.to_string();
    let tcp = camera.transport == RtpTransport::Tcp;
    move |message| match message.view() {
        gst::MessageView::Eos(_) => Some(EndReason::EndOfStream),
        gst::MessageView::Error(error) => Some(explain(error, &address, &choice, password.as_ref())),
        // "The server closed the connection." The end of stream that follows it can get stuck in the jitter
        // buffer. Over UDP the same warning says less: pictures may go on.
        gst::MessageView::Warning(warning) if tcp && warning.error().matches(gst::ResourceError::Read) => {
            Some(EndReason::EndOfStream)
        }
        _ => None,
    }
}

/// Which of the camera's streams is requested.
#[derive(Debug)]
struct StreamChoice {
    wanted: Codec,
    /// Number of the chosen stream.
    chosen: Option<u32>,
    /// Encodings of the camera's video streams, as in its SDP.
    offered: Vec<String>,
}

impl StreamChoice {
    fn new(wanted: Codec) -> Self {
        Self { wanted, chosen: None, offered: Vec::new() }
    }

    /// Whether to take stream `number`: the first video stream in the wanted codec, nothing else.
    fn take(&mut self, number: u32, media: &str, encoding: &str) -> bool {
        if media != "video" {
            return false;
        }
        self.offered.push(encoding.to_owned());
        let wanted = self.wanted.spec().rtp_encoding;
        if encoding == wanted && self.chosen.is_none_or(|chosen| chosen == number) {
            self.chosen = Some(number);
            return true;
        }
        false
    }

    /// Why nothing was chosen, for people.
    fn mismatch(&self) -> Option<String> {
        if self.chosen.is_some() || self.offered.is_empty() {
            return None;
        }
        let wanted = self.wanted.spec().key;
        let mut offered: Vec<_> = self.offered.iter().map(|encoding| encoding.to_ascii_lowercase()).collect();
        offered.dedup();
        let offered = offered.join(" and ");
        Some(format!(
            "the camera sends {offered}, the site file says codec = \"{wanted}\": change one of them"
        ))
    }
}

/// Requests the wanted video stream and none of the others (audio, metadata).
fn choose_stream(
    source: &gst::Element,
    depay: &gst::Element,
    choice: &Arc<Mutex<StreamChoice>>,
    delivery: &Arc<Delivery>,
) {
    let chooser = Arc::clone(choice);
    source.connect("select-stream", false, move |values| {
        let number = values.get(1).and_then(|value| value.get::<u32>().ok())?;
        let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok())?;
        let field = |name| caps.structure(0).and_then(|s| s.get::<String>(name).ok()).unwrap_or_default();
        let mut choice = chooser.lock().unwrap_or_else(PoisonError::into_inner);
        Some(choice.take(number, &field("media"), &field("encoding-name")).to_value())
    });
    let depay = depay.downgrade();
    let delivery = Arc::clone(delivery);
    source.connect_pad_added(move |_, pad| {
        let Some(sink) = depay.upgrade().and_then(|depay| depay.static_pad("sink")) else { return };
        if sink.is_linked() {
            return;
        }
        if let Err(error) = pad.link(&sink) {
            delivery.end(EndReason::Failed(format!("the camera's stream cannot be read: {error}")));
        }
    });
}

/// Counts the camera's frames as they arrive, whatever becomes of them.
fn count_frames(depay: &gst::Element, stats: &Arc<IngestStats>) {
    let Some(pad) = depay.static_pad("sink") else { return };
    let stats = Arc::clone(stats);
    backlog::each_packet(&pad, move |packet| {
        if ends_frame(packet) {
            stats.frame_arrived();
        }
    });
}

/// Whether an RTP packet is a frame's last: its marker, the first bit of the second byte (RFC 3550, 5.1; RFC 6184, 5.1).
fn ends_frame(packet: &gst::BufferRef) -> bool {
    let mut second = [0];
    // The size is checked first: to copy from beyond the end of a short packet panics.
    packet.size() > second.len() && packet.copy_to_slice(1, &mut second).is_ok() && second[0] & 0x80 != 0
}

/// The cause of an error on the bus, for people, without the password.
fn explain(
    error: &gst::message::Error,
    address: &str,
    choice: &Mutex<StreamChoice>,
    password: Option<&SecretString>,
) -> EndReason {
    if let Some(mismatch) = choice.lock().unwrap_or_else(PoisonError::into_inner).mismatch() {
        return EndReason::Unsuitable(mismatch);
    }
    let mut text = describe(error);
    // GStreamer does not print the password; this removes it if it ever does.
    if let Some(secret) = password.map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "***");
    }
    match error.error().kind::<gst::ResourceError>() {
        Some(gst::ResourceError::NotAuthorized) => {
            let help = if password.is_some() {
                "check username and password"
            } else {
                "add username and password_file to the camera in the site file"
            };
            EndReason::Unauthorised(format!("the camera rejected the login (401 Unauthorized): {help}"))
        }
        Some(gst::ResourceError::NotFound) => EndReason::Failed(format!(
            "the camera has no stream at {address} (404 Not Found): check the part after the port"
        )),
        Some(gst::ResourceError::OpenReadWrite | gst::ResourceError::OpenRead) => {
            EndReason::Failed(format!("cannot connect to {address}: {text}"))
        }
        _ => EndReason::Failed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(wanted: Codec, streams: &[(&str, &str)]) -> (Vec<bool>, Option<String>) {
        let mut choice = StreamChoice::new(wanted);
        let taken =
            (0u32..).zip(streams).map(|(i, (media, encoding))| choice.take(i, media, encoding)).collect();
        (taken, choice.mismatch())
    }

    #[test]
    fn only_the_first_stream_in_the_codec_is_requested() {
        let streams =
            [("audio", "PCMU"), ("video", "H264"), ("application", "VND.ONVIF.METADATA"), ("video", "H264")];
        assert_eq!(choose(Codec::H264, &streams), (vec![false, true, false, false], None));
        let streams = [("video", "JPEG"), ("video", "H265")];
        assert_eq!(choose(Codec::H265, &streams), (vec![false, true], None));
    }

    #[test]
    fn the_marked_packet_ends_a_frame() {
        gst::init().unwrap();
        let ends = |bytes: &'static [u8]| ends_frame(&gst::Buffer::from_slice(bytes));
        assert!(ends(&[0x80, 0x80 | 96, 0, 1]));
        assert!(!ends(&[0x80, 96, 0, 1]));
        assert!(!ends(&[0x80]));
    }

    #[test]
    fn a_wrong_codec_is_named_with_the_right_one() {
        let (taken, mismatch) = choose(Codec::H264, &[("video", "H265"), ("audio", "PCMU")]);
        assert_eq!(taken, [false, false]);
        let mismatch = mismatch.unwrap();
        assert!(mismatch.contains("sends h265") && mismatch.contains("codec = \"h264\""), "{mismatch}");
    }
}
