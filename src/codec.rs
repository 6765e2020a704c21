//! Video codecs, in one table: how the site file, people, cameras and GStreamer call each, and how it is decoded.
//!
//! To add a codec that cameras send: a variant of [`Codec`] and its row in [`Codec::spec`]. To play recordings in one
//! more format: a row in `RECORDINGS_ONLY`. The names of elements are GStreamer's; the daemon builds its pipelines
//! from this table and never lets a stream choose its own decoder.

use strum::VariantArray as _;

/// A video codec that a camera may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::VariantArray)]
pub enum Codec {
    /// AVC.
    H264,
    /// HEVC.
    H265,
}

/// What is known of a codec.
#[derive(Clone, Copy, Debug)]
pub struct CodecSpec {
    /// The value of `codec` in the site file.
    pub key: &'static str,
    /// For people.
    pub name: &'static str,
    /// `encoding-name` in a camera's session description (RFC 6184, RFC 7798).
    pub rtp_encoding: &'static str,
    /// Element that takes the stream out of its RTP packets.
    pub depayloader: &'static str,
    /// How it is decoded.
    pub decoding: Decoding,
}

/// How one video format is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Decoding {
    /// Media type in GStreamer's caps.
    pub media_type: &'static str,
    /// A field of the caps that must have one of these values, where the media type alone is not enough.
    pub version: Option<(&'static str, &'static [i32])>,
    /// Element before the decoder, where one is needed.
    pub parser: Option<&'static str>,
    /// Decoder element.
    pub decoder: &'static str,
}

impl Codec {
    /// All codecs.
    pub fn all() -> &'static [Self] {
        Self::VARIANTS
    }

    /// The codec's row.
    pub const fn spec(self) -> CodecSpec {
        match self {
            Self::H264 => CodecSpec {
                key: "h264",
                name: "H.264",
                rtp_encoding: "H264",
                depayloader: "rtph264depay",
                decoding: format("video/x-h264", Some("h264parse"), "avdec_h264"),
            },
            Self::H265 => CodecSpec {
                key: "h265",
                name: "H.265",
                rtp_encoding: "H265",
                depayloader: "rtph265depay",
                decoding: format("video/x-h265", Some("h265parse"), "avdec_h265"),
            },
        }
    }
}

/// Formats that recordings have besides the cameras' codecs.
const RECORDINGS_ONLY: [Decoding; 7] = [
    version(format("video/mpeg", Some("mpeg4videoparse"), "avdec_mpeg4"), "mpegversion", &[4]),
    version(format("video/mpeg", Some("mpegvideoparse"), "avdec_mpeg2video"), "mpegversion", &[1, 2]),
    version(format("video/x-divx", Some("mpeg4videoparse"), "avdec_mpeg4"), "divxversion", &[4, 5]),
    format("video/x-xvid", Some("mpeg4videoparse"), "avdec_mpeg4"),
    version(format("video/x-divx", None, "avdec_msmpeg4"), "divxversion", &[3]),
    version(format("video/x-msmpeg", None, "avdec_msmpeg4"), "msmpegversion", &[43]),
    format("image/jpeg", None, "avdec_mjpeg"),
];

const fn format(media_type: &'static str, parser: Option<&'static str>, decoder: &'static str) -> Decoding {
    Decoding { media_type, version: None, parser, decoder }
}

const fn version(format: Decoding, field: &'static str, values: &'static [i32]) -> Decoding {
    Decoding { version: Some((field, values)), ..format }
}

/// How a recording's video track is decoded, by its media type and the `number` in a field of its caps. `None` when it
/// cannot be.
pub fn decoding(media_type: &str, number: impl Fn(&str) -> Option<i32>) -> Option<Decoding> {
    let of_cameras = Codec::all().iter().map(|codec| codec.spec().decoding);
    let fits = |decoding: &Decoding| {
        let version =
            decoding.version.is_none_or(|(field, values)| number(field).is_some_and(|n| values.contains(&n)));
        decoding.media_type == media_type && version
    };
    of_cameras.chain(RECORDINGS_ONLY).find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_codecs_share_a_name() {
        let names = |of: fn(CodecSpec) -> &'static str| {
            Codec::all().iter().map(|codec| of(codec.spec())).collect::<std::collections::BTreeSet<_>>()
        };
        for of in [|s: CodecSpec| s.key, |s: CodecSpec| s.name, |s: CodecSpec| s.rtp_encoding] {
            assert_eq!(names(of).len(), Codec::all().len());
        }
    }

    #[test]
    fn a_format_is_found_by_type_and_version() {
        let decoder = |media_type, version| {
            decoding(media_type, |field| (field != "height").then_some(version)).map(|found| found.decoder)
        };
        assert_eq!(decoder("video/x-h265", 0), Some("avdec_h265"));
        assert_eq!(decoder("video/mpeg", 2), Some("avdec_mpeg2video"));
        assert_eq!(decoder("video/mpeg", 4), Some("avdec_mpeg4"));
        assert_eq!(decoder("video/mpeg", 9), None);
        assert_eq!(decoder("video/x-vp9", 0), None);
    }
}
