//! From the decoder's planes to the model's input in one step: crop, scale, convert colour and normalise, without an
//! intermediate picture.
//!
//! Each output row is computed in three steps: weighted sums down the columns, in 16-bit integers over whole rows; weighted
//! sums along the row; colour conversion. The inner loops work on slices of equal length, which the compiler vectorises. The
//! tables of weights are computed once for each region and kept.

use std::collections::HashMap;

use super::colour::ColourRow;
use super::manifest::{Input, Resize, TensorLayout};
use super::resample::ResampleWeights;
use crate::frame::{Picture, PixelFormat};
use crate::geometry::{BBox, FrameSize, Norm, Px};

/// Sum of the weights down the columns. 255 times this fits into 16 bits.
const DOWN_UNIT: i16 = 256;
/// Sum of the weights along the rows.
const ALONG_UNIT: i16 = 1 << 14;
/// The factor of both sums. The first sum loses one bit, so that it fits into a signed 16-bit number.
const UNIT: f32 = 128.0 * (1 << 14) as f32;
/// Grey beside a letterboxed region, as in the training of the YOLO family.
const LETTERBOX_GREY: f32 = 114.0;
/// Tables are kept for this many regions.
const MAX_TABLES: usize = 128;

/// A part of a frame on whole pixels; never empty.
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

    /// The same as a box in pixels of the frame.
    pub fn bbox(&self) -> BBox<Px> {
        BBox::from_xywh(self.x as f32, self.y as f32, self.width as f32, self.height as f32)
    }
}

/// Where a region lies in the model's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// The region, in pixels of the frame.
    pub region: PixelRect,
    /// Left edge in the input.
    pub left: usize,
    /// Top edge in the input.
    pub top: usize,
    /// Width in the input.
    pub width: usize,
    /// Height in the input.
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

    /// Converts a box from pixels of the input to pixels of the frame, clipped to the region; `None` when nothing is left.
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
    tables: HashMap<(FrameSize, PixelRect), RegionTables>,
    rows: RowBuffers,
}

/// What depends on the region but not on the picture.
#[derive(Debug)]
struct RegionTables {
    placement: Placement,
    luma: PlaneTables,
    chroma: PlaneTables,
}

/// How one plane is read: its columns, and the weights of both axes.
#[derive(Debug)]
struct PlaneTables {
    first: usize,
    columns: usize,
    down: ResampleWeights,
    along: ResampleWeights,
}

/// Rows between the steps. They are reused, so that no memory is allocated per frame.
#[derive(Debug, Default)]
struct RowBuffers {
    sums: Vec<u16>,
    line: Vec<i16>,
    line_v: Vec<i16>,
    y: Vec<f32>,
    u: Vec<f32>,
    v: Vec<f32>,
}

impl Preprocessor {
    /// A preprocessor for a model's input.
    pub fn new(input: &Input) -> Self {
        Self { input: input.clone(), tables: HashMap::new(), rows: RowBuffers::default() }
    }

    /// Fills `tensor`, which has the input's size, with `region` of `picture`. Returns where the region lies in it.
    ///
    /// Chroma samples are assumed to lie in the centre of their four luma pixels. In streams that place them on the left
    /// column, colours are off by half a pixel.
    pub fn fill(&mut self, picture: &Picture, region: PixelRect, tensor: &mut [f32]) -> Placement {
        let Self { input, tables, rows } = self;
        if tables.len() >= MAX_TABLES {
            tables.clear();
        }
        let table =
            tables.entry((picture.size, region)).or_insert_with(|| RegionTables::new(picture, region, input));
        let placement = table.placement;
        if input.resize == Resize::Letterbox {
            fill_grey(input, tensor);
        }
        let colour = ColourRow::new(picture.colorimetry, input, UNIT);
        let mut down_luma = table.luma.down.iter();
        let mut down_chroma = table.chroma.down.iter();
        for row in placement.top..placement.top + placement.height {
            let (Some(luma), Some(chroma)) = (down_luma.next(), down_chroma.next()) else { break };
            rows.luma(picture, &table.luma, luma);
            match picture.format {
                PixelFormat::I420 => rows.chroma_planar(picture, &table.chroma, chroma),
                PixelFormat::Nv12 => rows.chroma_interleaved(picture, &table.chroma, chroma),
            }
            let planes = (&rows.y[..], &rows.u[..], &rows.v[..]);
            colour.write(planes, tensor, row, placement.left, placement.width);
        }
        placement
    }
}

impl RegionTables {
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
        let mut down = ResampleWeights::new(top, bottom, rows, placement.height, DOWN_UNIT, |n| n);
        down.shift(top_row);
        let along = ResampleWeights::new(left, right, columns, placement.width, ALONG_UNIT, padded_window);
        Self { first, columns, down, along }
    }
}

/// Pads the width of a window to a multiple of vector registers.
fn padded_window(weights: usize) -> usize {
    if weights <= 4 { 4 } else { weights.next_multiple_of(8) }
}

impl RowBuffers {
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

/// Weighted sum of the rows of a window: the mean of each column, times [`DOWN_UNIT`].
fn sum_down(
    picture: &Picture,
    plane: usize,
    columns: std::ops::Range<usize>,
    (first, weights): (usize, &[i16]),
    sums: &mut Vec<u16>,
) {
    sums.clear();
    sums.resize(columns.len(), 0);
    // The padding of a window may lie below the plane; its weights are 0.
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

/// Adds `N` weighted rows at once, so that the sums are loaded and stored only once. Returns `N`.
fn add<const N: usize>(sums: &mut [u16], rows: [&[u8]; N], weights: [u16; N]) -> usize {
    let rows = rows.map(|row| &row[..sums.len()]);
    for (i, sum) in sums.iter_mut().enumerate() {
        for k in 0..N {
            *sum += weights[k] * u16::from(rows[k][i]);
        }
    }
    N
}

/// Half of a sum. It fits into a signed 16-bit number, and processors multiply those in pairs.
fn halved(sum: u16) -> i16 {
    (sum >> 1).cast_signed()
}

fn to_line(sums: &[u16], padding: usize, line: &mut Vec<i16>) {
    line.clear();
    line.extend(sums.iter().map(|&sum| halved(sum)));
    line.resize(sums.len() + padding, 0);
}

/// Weighted sums along a row: values times [`UNIT`].
fn along(line: &[i16], table: &ResampleWeights, out: &mut Vec<f32>) {
    out.clear();
    match table.width() {
        4 => along_fixed::<4>(line, table, out),
        8 => along_fixed::<8>(line, table, out),
        _ => out.extend(table.iter().map(|(start, weights)| {
            let (weights, _) = weights.as_chunks::<8>();
            let (samples, _) = line[start..].as_chunks::<8>();
            samples.iter().zip(weights).map(|(s, w)| dot(s, w)).sum::<i32>() as f32
        })),
    }
}

fn along_fixed<const N: usize>(line: &[i16], table: &ResampleWeights, out: &mut Vec<f32>) {
    let (weights, _) = table.weights().as_chunks::<N>();
    out.extend(table.starts().iter().zip(weights).map(|(&start, weights)| {
        // The line is padded by a window, so that every window is complete.
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
        TensorLayout::Nhwc => tensor.as_chunks_mut::<3>().0.fill(grey),
        TensorLayout::Nchw => {
            for (plane, grey) in tensor.chunks_exact_mut(input.width * input.height).zip(grey) {
                plane.fill(grey);
            }
        }
    }
}
