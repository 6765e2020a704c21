//! A decoded picture with its stamps. Cheap to clone: the pixels are shared, not copied.

use bytes::Bytes;

use crate::clock::Stamp;
use crate::geometry::FrameSize;
use crate::ids::CameraId;

/// Memory layout of 8-bit 4:2:0 pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Three planes: Y, U, V; chroma at half width and height.
    I420,
    /// Two planes: Y, interleaved UV.
    Nv12,
}

/// The matrix and range that convert Y'CbCr to R'G'B'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colorimetry {
    /// BT.709 when true, else BT.601.
    pub bt709: bool,
    /// Luma 0..255 when true, else 16..235.
    pub full_range: bool,
}

/// Where a plane lies in [`Picture::data`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plane {
    /// Bytes from the start of the data to the first row.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// The pixels of a picture, as the decoder wrote them.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Layout of the planes.
    pub format: PixelFormat,
    /// Visible size.
    pub size: FrameSize,
    /// How to convert the colours.
    pub colorimetry: Colorimetry,
    /// Y, U, V for I420; Y, UV and UV again for NV12.
    pub planes: [Plane; 3],
    /// The decoder's buffer.
    pub data: Bytes,
}

/// The data is too short for its planes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {}x{} {:?} picture needs {needed} bytes, the buffer has {held}", size.width, size.height, format)]
pub struct PictureError {
    size: FrameSize,
    format: PixelFormat,
    needed: usize,
    held: usize,
}

impl Picture {
    /// Checks that every visible pixel lies within `data`; readers rely on it.
    pub fn new(
        format: PixelFormat,
        size: FrameSize,
        colorimetry: Colorimetry,
        planes: [Plane; 3],
        data: Bytes,
    ) -> Result<Self, PictureError> {
        let picture = Self { format, size, colorimetry, planes, data };
        let needed = (0..3).map(|i| picture.plane_end(i)).max().unwrap_or(usize::MAX);
        if size.width == 0 || size.height == 0 || needed > picture.data.len() {
            return Err(PictureError { size, format, needed, held: picture.data.len() });
        }
        Ok(picture)
    }

    /// Visible bytes in a row of plane `index` and the number of its rows.
    pub fn plane_extent(&self, index: usize) -> (usize, usize) {
        let (w, h) = (self.size.width as usize, self.size.height as usize);
        match (index, self.format) {
            (0, _) => (w, h),
            (_, PixelFormat::I420) => (w.div_ceil(2), h.div_ceil(2)),
            (_, PixelFormat::Nv12) => (w.div_ceil(2) * 2, h.div_ceil(2)),
        }
    }

    fn plane_end(&self, index: usize) -> usize {
        let (row_bytes, rows) = self.plane_extent(index);
        let Plane { offset, stride } = self.planes[index];
        if stride < row_bytes {
            return usize::MAX;
        }
        offset.saturating_add(stride.saturating_mul(rows.saturating_sub(1))).saturating_add(row_bytes)
    }

    /// Row `y` of plane `index`, visible bytes only. Panics when `y` is not a row of it.
    pub fn row(&self, index: usize, y: usize) -> &[u8] {
        let (row_bytes, rows) = self.plane_extent(index);
        assert!(y < rows, "row {y} of a plane with {rows}");
        let start = self.planes[index].offset + y * self.planes[index].stride;
        &self.data[start..start + row_bytes]
    }
}

/// A picture's luma in [`Thumbnail::WIDTH`] x [`Thumbnail::HEIGHT`] pixels. Camera health and the motion cue need no more.
#[derive(Clone, Debug, PartialEq)]
pub struct Thumbnail {
    /// Size of the whole picture.
    pub size: FrameSize,
    /// Row by row, in the values of the Y plane; each is the mean of the pixels that it covers.
    pub luma: Vec<f32>,
}

impl Thumbnail {
    /// Pixels across.
    pub const WIDTH: usize = 96;
    /// Pixels down.
    pub const HEIGHT: usize = 54;

    /// The thumbnail of `picture`. Pixels of a picture that is smaller than a thumbnail are used several times.
    pub fn of(picture: &Picture) -> Self {
        let (width, height) = picture.plane_extent(0);
        let span = |i: usize, of: usize, extent: usize| {
            let start = (i * extent / of).min(extent - 1);
            (start, ((i + 1) * extent / of).max(start + 1))
        };
        let mut luma = Vec::with_capacity(Self::WIDTH * Self::HEIGHT);
        let mut sums = vec![0u32; width];
        for y in 0..Self::HEIGHT {
            let (top, bottom) = span(y, Self::HEIGHT, height);
            sums.fill(0);
            for row in top..bottom {
                for (sum, &value) in sums.iter_mut().zip(picture.row(0, row)) {
                    *sum += u32::from(value);
                }
            }
            for x in 0..Self::WIDTH {
                let (left, right) = span(x, Self::WIDTH, width);
                let sum: u32 = sums[left..right].iter().sum();
                luma.push(sum as f32 / ((bottom - top) * (right - left)) as f32);
            }
        }
        Self { size: picture.size, luma }
    }
}

/// One decoded picture of one camera.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Which camera.
    pub camera: CameraId,
    /// Number of the frame since the daemon started, for each camera; dropped frames have numbers, too.
    pub seq: u64,
    /// When it arrived (live) or when the recording says (replay).
    pub stamp: Stamp,
    /// The pixels.
    pub picture: Picture,
}
