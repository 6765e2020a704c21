//! From the decoder's buffer to a [`Picture`], without copying the pixels.

use bytes::Bytes;
use gstreamer as gst;
use gstreamer_video as gst_video;
use gstreamer_video::{VideoColorMatrix, VideoColorRange, VideoFormat};

use crate::frame::{Colorimetry, Picture, PixelFormat, Plane};
use crate::geometry::FrameSize;

/// Most pixels of a picture that is accepted, those of 3840 x 2160: a hostile stream must not decide how much memory the decoder
/// takes. The sides may be of any proportion, because panorama and upright cameras exist, ...
const MOST_PIXELS: u64 = 3840 * 2160;
/// ... up to this many pixels, the most that H.264 and H.265 decoders commonly take.
const LONGEST_SIDE: u32 = 8192;

/// Layout of the decoder's pictures; the same until its caps change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PictureLayout {
    pub(super) format: PixelFormat,
    pub(super) size: FrameSize,
    colorimetry: Colorimetry,
    /// Where the planes lie in a buffer that has no metadata of its own.
    planes: [Plane; 3],
}

/// Why pictures of this size cannot be used, for people; `None` when they can.
pub(super) fn too_large(size: FrameSize) -> Option<String> {
    let FrameSize { width, height } = size;
    let fits = u64::from(width) * u64::from(height) <= MOST_PIXELS && width.max(height) <= LONGEST_SIDE;
    (!fits).then(|| {
        format!(
            "the picture is {width}x{height}, more than the pixels of 3840x2160 or a side of {LONGEST_SIDE}: choose a smaller stream of the camera"
        )
    })
}

impl PictureLayout {
    /// Reads the decoder's caps; the error is for people.
    pub(super) fn from_caps(caps: &gst::CapsRef) -> Result<Self, String> {
        let info = gst_video::VideoInfo::from_caps(caps)
            .map_err(|_| format!("the decoder's output cannot be read: {caps}"))?;
        let size = FrameSize { width: info.width(), height: info.height() };
        if let Some(reason) = too_large(size) {
            return Err(reason);
        }
        let format = match info.format() {
            VideoFormat::I420 => PixelFormat::I420,
            VideoFormat::Nv12 => PixelFormat::Nv12,
            other => {
                return Err(format!(
                    "the pixels are {}, not 8-bit 4:2:0: set the camera to a Main or High profile with 8 bits",
                    other.to_str()
                ));
            }
        };
        let colours = info.colorimetry();
        let bt709 = match colours.matrix() {
            VideoColorMatrix::Bt601 | VideoColorMatrix::Fcc => false,
            VideoColorMatrix::Bt709 => true,
            // Not stated: by convention standard definition is BT.601, everything above is BT.709.
            _ => size.height > 576,
        };
        let full_range = colours.range() == VideoColorRange::Range0_255;
        let planes = planes(info.offset(), info.stride()).ok_or("a plane has a negative stride")?;
        Ok(Self { format, size, colorimetry: Colorimetry { bt709, full_range }, planes })
    }

    /// The picture in `buffer`, not copied: the memory returns to the decoder when the last clone is dropped.
    pub(super) fn picture(&self, buffer: gst::Buffer) -> Result<Picture, String> {
        let planes = match buffer.meta::<gst_video::VideoMeta>() {
            Some(meta) => planes(meta.offset(), meta.stride()).ok_or("a plane has a negative stride")?,
            None => self.planes,
        };
        // The only case that copies: a buffer of several memories is merged here.
        let mapped = buffer.into_mapped_buffer_readable().map_err(|_| "a decoded buffer cannot be mapped")?;
        Picture::new(self.format, self.size, self.colorimetry, planes, Bytes::from_owner(mapped))
            .map_err(|error| error.to_string())
    }
}

fn planes(offsets: &[usize], strides: &[i32]) -> Option<[Plane; 3]> {
    let plane =
        |i: usize| Some(Plane { offset: *offsets.get(i)?, stride: usize::try_from(*strides.get(i)?).ok()? });
    let (y, u) = (plane(0)?, plane(1)?);
    Some([y, u, plane(2).unwrap_or(u)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(text: &str) -> gst::Caps {
        gst::init().unwrap();
        text.parse().unwrap()
    }

    fn layout(text: &str) -> Result<PictureLayout, String> {
        PictureLayout::from_caps(&caps(text))
    }

    #[test]
    fn colorimetry_is_the_streams_or_else_by_size() {
        let colours = |text: &str| layout(text).unwrap().colorimetry;
        let stated = "video/x-raw,format=I420,framerate=25/1,width=640,height=480,colorimetry=";
        assert_eq!(colours(&format!("{stated}bt709")), Colorimetry { bt709: true, full_range: false });
        assert_eq!(colours(&format!("{stated}bt601")), Colorimetry { bt709: false, full_range: false });
        assert_eq!(colours(&format!("{stated}1:4:0:0")), Colorimetry { bt709: false, full_range: true });
        let not_stated =
            |w, h| colours(&format!("video/x-raw,format=NV12,framerate=25/1,width={w},height={h}"));
        assert!(not_stated(1920, 1080).bt709 && !not_stated(352, 288).bt709);
    }

    #[test]
    fn an_unusable_picture_is_rejected_with_help() {
        let sized = |w, h| {
            layout(&format!("video/x-raw,format=I420,framerate=25/1,width={w},height={h}")).map(|l| l.size)
        };
        for (w, h) in [(3840, 2160), (4096, 1536), (2160, 3840), (8192, 1012)] {
            assert_eq!(sized(w, h), Ok(FrameSize { width: w, height: h }));
        }
        for (w, h) in [(3842, 2160), (8194, 64), (64, 8194)] {
            let why = sized(w, h).unwrap_err();
            assert!(
                why.contains(&format!("{w}x{h}, more than the pixels of 3840x2160 or a side of 8192")),
                "{why}"
            );
        }
        let deep = layout("video/x-raw,format=I420_10LE,framerate=25/1,width=64,height=64").unwrap_err();
        assert!(deep.contains("I420_10LE") && deep.contains("8 bits"), "{deep}");
    }

    #[test]
    fn only_a_buffer_in_pieces_is_copied() {
        let layout = layout("video/x-raw,format=I420,framerate=25/1,width=8,height=4").unwrap();
        let pixels: Vec<u8> = (0..48).collect();
        let whole = gst::Buffer::from_slice(pixels.clone());
        let address = whole.map_readable().unwrap().as_ptr();
        let picture = layout.picture(whole).unwrap();
        assert_eq!(picture.data.as_ptr(), address);
        assert_eq!(picture.row(0, 3), &pixels[24..32]);

        let mut pieces = gst::Buffer::new();
        for piece in pixels.chunks(16) {
            pieces.get_mut().unwrap().append_memory(gst::Memory::from_slice(piece.to_vec()));
        }
        let merged = layout.picture(pieces).unwrap();
        assert_eq!(merged.data, picture.data);
        assert_eq!(merged.row(2, 1), &pixels[44..48]);
    }

    #[test]
    fn padding_between_rows_is_skipped() {
        let layout = layout("video/x-raw,format=NV12,framerate=25/1,width=4,height=2").unwrap();
        let mut buffer = gst::Buffer::from_slice((0u8..100).collect::<Vec<_>>());
        gst_video::VideoMeta::add_full(
            buffer.get_mut().unwrap(),
            gst_video::VideoFrameFlags::empty(),
            VideoFormat::Nv12,
            4,
            2,
            &[10, 50],
            &[16, 16],
        )
        .unwrap();
        let picture = layout.picture(buffer).unwrap();
        assert_eq!(picture.row(0, 1), [26, 27, 28, 29]);
        assert_eq!(picture.row(1, 0), [50, 51, 52, 53]);
    }

    #[test]
    fn a_buffer_too_short_for_its_caps_is_rejected() {
        let layout = layout("video/x-raw,format=I420,framerate=25/1,width=64,height=64").unwrap();
        let reason = layout.picture(gst::Buffer::from_slice(vec![0u8; 100])).unwrap_err();
        assert!(reason.contains("needs 6144 bytes, the buffer has 100"), "{reason}");
    }
}
