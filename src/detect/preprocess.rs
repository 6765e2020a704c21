//! From the decoder's planes to the model's input in one pass: crop, scale, colour and normalise, without a picture in
//! between.
//!
//! Each output row is first summed down the columns, in 16-bit integers over whole rows, then along the row with
//! windows of weights, then coloured. The inner loops are plain slices of equal length, which the compiler turns into
//! vector code; the tables are made once for each region and kept.

use std::collections::HashMap;

use super::colour::ColourRow;
use super::manifest::{Input, Layout, Resize};
use super::taps::Taps;
use crate::frame::{Picture, PixelFormat};
use crate::geometry::{BBox, FrameSize, Norm, Px};

/// Weights down the columns sum to this: 255 times it still fits 16 bits.
const DOWN_UNIT: i16 = 256;
/// Weights along the rows sum to this.
const ALONG_UNIT: i16 = 1 << 14;
/// What a value of 1 has become after both, the first having given up one bit to fit a signed 16-bit number.
const UNIT: f32 = 128.0 * (1 << 14) as f32;
/// Grey beside a letterboxed region, as detectors of the YOLO family are trained with.
const LETTERBOX_GREY: f32 = 114.0;
/// Tables are kept for so many regions; a site has a few a camera.
const MOST_TABLES: usize = 128;

/// A part of a frame on whole pixels, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PixelRect {
    /// Left edge.
    pub x: usize,
    /// Top edge.
    pub y: usize,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
}

impl PixelRect {
    /// The pixels that `region` touches, within the frame.
    pub fn around(region: BBox<Norm>, size: FrameSize) -> Self {
        let span = |a: f32, b: f32, extent: u32| {
            let extent_px = f64::from(extent);
            let first = (f64::from(a) * extent_px + 1e-3).floor().clamp(0.0, extent_px - 1.0);
            let end = (f64::from(b) * extent_px - 1e-3).ceil().clamp(first + 1.0, extent_px);
            (first as usize, (end - first) as usize)
        };
        let (x, width) = span(region.x0, region.x1, size.width);
        let (y, height) = span(region.y0, region.y1, size.height);
        Self { x, y, width, height }
    }

    /// As a box in pixels of the frame.
    pub fn bbox(&self) -> BBox<Px> {
        BBox::from_xywh(self.x as f32, self.y as f32, self.width as f32, self.height as f32)
    }
}

/// Where a region came to lie in the model's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// The region, in pixels of the frame.
    pub region: PixelRect,
    /// Left edge in the input.
    pub left: usize,
    /// Top edge in the input.
    pub top: usize,
    /// Extent in the input, across.
    pub width: usize,
    /// Extent in the input, down.
    pub height: usize,
}

impl Placement {
    fn new(region: PixelRect, input: &Input) -> Self {
        let (w, h) = (input.width, input.height);
        match input.resize {
            Resize::Stretch => Self { region, left: 0, top: 0, width: w, height: h },
            Resize::Letterbox => {
                let scale = (w as f64 / region.width as f64).min(h as f64 / region.height as f64);
                let fit = |extent: usize, most| ((extent as f64 * scale).round() as usize).clamp(1, most);
                let (width, height) = (fit(region.width, w), fit(region.height, h));
                Self { region, left: (w - width) / 2, top: (h - height) / 2, width, height }
            }
        }
    }

    /// From pixels of the input to pixels of the frame, cut at the region's edges; `None` when nothing is left.
    pub fn to_frame(&self, b: BBox<Px>) -> Option<BBox<Px>> {
        let across = self.region.width as f32 / self.width as f32;
        let down = self.region.height as f32 / self.height as f32;
        let x = |v: f32| self.region.x as f32 + (v - self.left as f32) * across;
        let y = |v: f32| self.region.y as f32 + (v - self.top as f32) * down;
        BBox::new(x(b.x0), y(b.y0), x(b.x1), y(b.y1)).intersection(&self.region.bbox())
    }
}

/// Fills a model's input tensor from regions of pictures.
#[derive(Debug)]
pub struct Preprocessor {
    input: Input,
    tables: HashMap<(FrameSize, PixelRect), Tables>,
    work: Work,
}

/// Everything about one region that does not depend on the picture.
#[derive(Debug)]
struct Tables {
    placement: Placement,
    luma: PlaneTables,
    chroma: PlaneTables,
}

/// How one plane is read: its columns of interest and the weights of both axes.
#[derive(Debug)]
struct PlaneTables {
    first: usize,
    columns: usize,
    down: Taps,
    along: Taps,
}

/// Rows between the steps, kept so that nothing is allocated from frame to frame.
#[derive(Debug, Default)]
struct Work {
    sums: Vec<u16>,
    line: Vec<i16>,
    line_v: Vec<i16>,
    y: Vec<f32>,
    u: Vec<f32>,
    v: Vec<f32>,
}

impl Preprocessor {
    /// For a model's input.
    pub fn new(input: &Input) -> Self {
        Self { input: input.clone(), tables: HashMap::new(), work: Work::default() }
    }

    /// Fills `tensor` (of the input's extent) with `region` of `picture`, and says where it lies.
    ///
    /// Chroma is taken to sit in the middle of its four luma pixels; where a stream puts it on the left column, colour
    /// is off by half a pixel.
    pub fn fill(&mut self, picture: &Picture, region: PixelRect, tensor: &mut [f32]) -> Placement {
        let Self { input, tables, work } = self;
        if tables.len() >= MOST_TABLES {
            tables.clear();
        }
        let table =
            tables.entry((picture.size, region)).or_insert_with(|| Tables::new(picture, region, input));
        let placement = table.placement;
        if input.resize == Resize::Letterbox {
            fill_grey(input, tensor);
        }
        let colour = ColourRow::new(picture.colorimetry, input, UNIT);
        let mut down_luma = table.luma.down.iter();
        let mut down_chroma = table.chroma.down.iter();
        for row in placement.top..placement.top + placement.height {
            let (Some(luma), Some(chroma)) = (down_luma.next(), down_chroma.next()) else { break };
            work.luma(picture, &table.luma, luma);
            match picture.format {
                PixelFormat::I420 => work.chroma_planar(picture, &table.chroma, chroma),
                PixelFormat::Nv12 => work.chroma_interleaved(picture, &table.chroma, chroma),
            }
            let planes = (&work.y[..], &work.u[..], &work.v[..]);
            colour.write(planes, tensor, row, placement.left, placement.width);
        }
        placement
    }
}

impl Tables {
    fn new(picture: &Picture, region: PixelRect, input: &Input) -> Self {
        let placement = Placement::new(region, input);
        let (w, h) = (picture.size.width as usize, picture.size.height as usize);
        Self {
            placement,
            luma: PlaneTables::new(region, &placement, 1, w, h),
            chroma: PlaneTables::new(region, &placement, 2, w.div_ceil(2), h.div_ceil(2)),
        }
    }
}

impl PlaneTables {
    /// Tables for a plane of `w` x `h` samples, each covering `every` pixels across and down.
    fn new(region: PixelRect, placement: &Placement, every: usize, w: usize, h: usize) -> Self {
        let span = |at: usize, extent: usize, samples: usize| {
            let first = at / every;
            let end = (at + extent).div_ceil(every).min(samples);
            let offset = |v: usize| v as f64 / every as f64 - first as f64;
            (first, end - first, offset(at), offset(at + extent))
        };
        let (first, columns, left, right) = span(region.x, region.width, w);
        let (top_row, rows, top, bottom) = span(region.y, region.height, h);
        let mut down = Taps::new(top, bottom, rows, placement.height, DOWN_UNIT, |n| n);
        down.shift(top_row);
        let along = Taps::new(left, right, columns, placement.width, ALONG_UNIT, padded_window);
        Self { first, columns, down, along }
    }
}

/// Widths for which there is code: a few vector registers each.
fn padded_window(taps: usize) -> usize {
    if taps <= 4 { 4 } else { taps.next_multiple_of(8) }
}

impl Work {
    fn luma(&mut self, picture: &Picture, tables: &PlaneTables, window: (usize, &[i16])) {
        sum_down(picture, 0, tables.first..tables.first + tables.columns, window, &mut self.sums);
        to_line(&self.sums, tables.along.width(), &mut self.line);
        along(&self.line, &tables.along, &mut self.y);
    }

    fn chroma_planar(&mut self, picture: &Picture, tables: &PlaneTables, window: (usize, &[i16])) {
        for (plane, out) in [(1, &mut self.u), (2, &mut self.v)] {
            sum_down(picture, plane, tables.first..tables.first + tables.columns, window, &mut self.sums);
            to_line(&self.sums, tables.along.width(), &mut self.line);
            along(&self.line, &tables.along, out);
        }
    }

    fn chroma_interleaved(&mut self, picture: &Picture, tables: &PlaneTables, window: (usize, &[i16])) {
        let bytes = tables.first * 2..(tables.first + tables.columns) * 2;
        sum_down(picture, 1, bytes, window, &mut self.sums);
        let (pairs, _) = self.sums.as_chunks::<2>();
        let padded = pairs.len() + tables.along.width();
        self.line.resize(padded, 0);
        self.line_v.resize(padded, 0);
        for ((u, v), &[sum_u, sum_v]) in self.line.iter_mut().zip(&mut self.line_v).zip(pairs) {
            (*u, *v) = (halved(sum_u), halved(sum_v));
        }
        along(&self.line, &tables.along, &mut self.u);
        along(&self.line_v, &tables.along, &mut self.v);
    }
}

/// Weighs and adds the rows of a window: the mean of each column, times [`DOWN_UNIT`].
fn sum_down(
    picture: &Picture,
    plane: usize,
    columns: std::ops::Range<usize>,
    (first, weights): (usize, &[i16]),
    sums: &mut Vec<u16>,
) {
    sums.clear();
    sums.resize(columns.len(), 0);
    // The padding of a window may point below the plane, and weighs nothing.
    let used = weights.iter().rposition(|&w| w > 0).map_or(0, |last| last + 1);
    let row = |k: usize| &picture.row(plane, first + k)[columns.clone()];
    let weight = |k: usize| weights[k].cast_unsigned();
    let mut at = 0;
    while at < used {
        at += match used - at {
            1 => add(sums, [row(at)], [weight(at)]),
            2 => add(sums, [row(at), row(at + 1)], [weight(at), weight(at + 1)]),
            3 => add(sums, [0, 1, 2].map(|k| row(at + k)), [0, 1, 2].map(|k| weight(at + k))),
            _ => add(sums, [0, 1, 2, 3].map(|k| row(at + k)), [0, 1, 2, 3].map(|k| weight(at + k))),
        };
    }
}

/// Adds `N` weighted rows at once, so that the sums are fetched and stored once for all of them. Returns `N`.
fn add<const N: usize>(sums: &mut [u16], rows: [&[u8]; N], weights: [u16; N]) -> usize {
    let rows = rows.map(|row| &row[..sums.len()]);
    for (i, sum) in sums.iter_mut().enumerate() {
        for k in 0..N {
            *sum += weights[k] * u16::from(rows[k][i]);
        }
    }
    N
}

/// Half a sum fits a signed 16-bit number, which processors multiply in pairs.
fn halved(sum: u16) -> i16 {
    (sum >> 1).cast_signed()
}

fn to_line(sums: &[u16], padding: usize, line: &mut Vec<i16>) {
    line.clear();
    line.extend(sums.iter().map(|&sum| halved(sum)));
    line.resize(sums.len() + padding, 0);
}

/// Weighs and adds along a row: values times [`UNIT`].
fn along(line: &[i16], taps: &Taps, out: &mut Vec<f32>) {
    out.clear();
    match taps.width() {
        4 => along_fixed::<4>(line, taps, out),
        8 => along_fixed::<8>(line, taps, out),
        _ => out.extend(taps.iter().map(|(start, weights)| {
            let (weights, _) = weights.as_chunks::<8>();
            let (samples, _) = line[start..].as_chunks::<8>();
            samples.iter().zip(weights).map(|(s, w)| dot(s, w)).sum::<i32>() as f32
        })),
    }
}

fn along_fixed<const N: usize>(line: &[i16], taps: &Taps, out: &mut Vec<f32>) {
    let (weights, _) = taps.weights().as_chunks::<N>();
    out.extend(taps.starts().iter().zip(weights).map(|(&start, weights)| {
        // The line is padded by a window, so that each is whole.
        line[start..].first_chunk::<N>().map_or(0, |samples| dot(samples, weights)) as f32
    }));
}

fn dot<const N: usize>(a: &[i16; N], b: &[i16; N]) -> i32 {
    let mut sum = 0;
    for i in 0..N {
        sum += i32::from(a[i]) * i32::from(b[i]);
    }
    sum
}

fn fill_grey(input: &Input, tensor: &mut [f32]) {
    let grey: [f32; 3] = std::array::from_fn(|c| (LETTERBOX_GREY - input.mean[c]) / input.std[c]);
    match input.layout {
        Layout::Nhwc => tensor.as_chunks_mut::<3>().0.fill(grey),
        Layout::Nchw => {
            for (plane, grey) in tensor.chunks_exact_mut(input.width * input.height).zip(grey) {
                plane.fill(grey);
            }
        }
    }
}
