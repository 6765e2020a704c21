//! A picture with a grid of metres drawn on it, for people who calibrate a camera.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _, Rgb, RgbImage};

use super::drawing::Drawing;
use super::shown;
use crate::frame::Picture;
use crate::geometry::{Area, Calibration, FrameSize, Metre, Norm, Point, Polygon, Segment};

/// Size of the drawing when there is no picture.
const DEFAULT_SIZE: FrameSize = FrameSize { width: 1920, height: 1080 };
const GREY: Rgb<u8> = Rgb([96, 104, 112]);
const WHITE: [u8; 3] = [255, 255, 255];
const YELLOW: [u8; 3] = [255, 220, 0];
const RED: [u8; 3] = [255, 60, 60];
const GREEN: [u8; 3] = [80, 230, 140];
/// Every fifth line of the grid is bold and labelled with its metres.
const BOLD: i32 = 5;
/// Lines closer together than this, in pixels of a picture 1920 wide, are left out.
const DENSE_PX: f32 = 9.0;
/// Width of the grid, in multiples of the longest distance between two surveyed points.
const REACH: f32 = 3.0;

/// What is drawn besides the grid and the surveyed points.
pub struct Marks<'a> {
    /// Drawn as outlines.
    pub zones: &'a [&'a Area],
    /// Drawn as lines.
    pub lines: &'a [&'a Segment],
    /// Drawn black, as in every picture that leaves memory.
    pub masks: &'a [Polygon],
}

/// Metres between two lines of the grid: 1, 2 or 5 times a power of ten, so that about 15 lines cover the surveyed points.
pub fn spacing(calibration: &Calibration) -> f32 {
    let about = extent(calibration) / 15.0;
    let ten = 10_f32.powf(about.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|n| n * ten).into_iter().find(|step| *step >= about).unwrap_or(ten)
}

/// Draws a grid of metres from the first surveyed point, and `marks`, on `picture` or on grey; a PNG. A cross marks where a
/// surveyed point was clicked, a ring where the calibration puts it. Places without a position are darker.
pub fn draw(
    picture: Option<&Picture>,
    calibration: &Calibration,
    marks: &Marks<'_>,
) -> Result<Vec<u8>, image::ImageError> {
    let size = picture.map_or(DEFAULT_SIZE, |picture| picture.size);
    let drawn = RgbImage::from_fn(size.width, size.height, |x, y| match picture {
        Some(picture) => shown(picture, marks.masks, Point::new(x as f32 + 0.5, y as f32 + 0.5)),
        None => GREY,
    });
    let mut grid =
        GridDrawing { drawing: Drawing::new(drawn), size, calibration, step: spacing(calibration) };
    grid.shade();
    for area in marks.zones {
        area.polygons().iter().flat_map(Polygon::rings).for_each(|ring| grid.outline(ring));
    }
    for line in marks.lines {
        grid.stroke(line.from, line.to, GREEN, 2.0, 0.9);
    }
    grid.draw_grid();
    grid.points();
    let drawn = grid.drawing.into_picture();
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(
        drawn.as_raw(),
        drawn.width(),
        drawn.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(png)
}

/// The longest distance between two surveyed points.
fn extent(calibration: &Calibration) -> f32 {
    let points = calibration.residuals();
    let distances = points.iter().flat_map(|a| points.iter().map(|b| a.ground.distance(b.ground)));
    distances.fold(1.0, f32::max)
}

struct GridDrawing<'a> {
    drawing: Drawing,
    size: FrameSize,
    calibration: &'a Calibration,
    step: f32,
}

impl GridDrawing<'_> {
    /// Pixels for each pixel of a picture 1920 wide.
    fn unit(&self) -> f32 {
        (self.size.width as f32 / 1920.0).max(0.5)
    }

    fn stroke(&mut self, from: Point<Norm>, to: Point<Norm>, colour: [u8; 3], thick: f32, opaque: f32) {
        let [from, to] = [from, to].map(|p| self.size.to_pixels(p));
        self.drawing.line([from.x, from.y], [to.x, to.y], colour, thick * self.unit(), opaque);
    }

    fn outline(&mut self, ring: &[Point<Norm>]) {
        for (from, to) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            self.stroke(*from, *to, GREEN, 2.0, 0.9);
        }
    }

    /// Darkens the places that have no position on the ground.
    fn shade(&mut self) {
        const BLOCK: u32 = 4;
        for y in (0..self.size.height).step_by(BLOCK as usize) {
            for x in (0..self.size.width).step_by(BLOCK as usize) {
                let middle = Point::new((x + BLOCK / 2) as f32, (y + BLOCK / 2) as f32);
                if self.calibration.ground(self.size.normalise(middle)).is_none() {
                    self.drawing.darken(x..x + BLOCK, y..y + BLOCK);
                }
            }
        }
    }

    fn draw_grid(&mut self) {
        let reach = extent(self.calibration) * REACH / 2.0;
        let points = self.calibration.residuals();
        let n = points.len() as f32;
        let middle = |of: fn(&Point<Metre>) -> f32| points.iter().map(|p| of(&p.ground)).sum::<f32>() / n;
        let range = |middle: f32| {
            let low = ((middle - reach) / self.step).floor() as i32;
            (low, low + (2.0 * reach / self.step).ceil() as i32)
        };
        let (east, north) = (range(middle(|p| p.x)), range(middle(|p| p.y)));
        for bold in [false, true] {
            for i in (east.0..=east.1).filter(|i| (i % BOLD == 0) == bold) {
                (north.0..north.1).for_each(|j| self.piece([i, j], [0, 1], bold));
            }
            for j in (north.0..=north.1).filter(|j| (j % BOLD == 0) == bold) {
                (east.0..east.1).for_each(|i| self.piece([i, j], [1, 0], bold));
            }
        }
        let crossings = (east.0..=east.1).flat_map(|i| (north.0..=north.1).map(move |j| (i, j)));
        let mut labels: Vec<_> = crossings
            .filter(|(i, j)| i % BOLD == 0 && j % BOLD == 0)
            .filter_map(|(i, j)| Some((self.pixel(i as f32, j as f32)?, i, j)))
            .collect();
        // Near ones first: far ones are left out where they overlap.
        labels.sort_by(|a, b| b.0[1].total_cmp(&a.0[1]));
        for (at, i, j) in labels {
            let metres = |n: i32| (n as f32 * self.step).abs();
            let (east, north) = (if i < 0 { 'W' } else { 'E' }, if j < 0 { 'S' } else { 'N' });
            let text = format!("{}{east} {}{north}", metres(i), metres(j));
            self.drawing.label(at, &text, WHITE, self.unit(), true);
        }
    }

    /// The line from crossing (`i`, `j`) of the grid to the next along `along`; left out where lines are too dense.
    fn piece(&mut self, [i, j]: [i32; 2], along: [i32; 2], bold: bool) {
        let (i, j, [di, dj]) = (i as f32, j as f32, along.map(|d| d as f32));
        let next = if bold { BOLD as f32 } else { 1.0 };
        let (Some(from), Some(to), Some(beside)) =
            (self.pixel(i, j), self.pixel(i + di, j + dj), self.pixel(i + dj * next, j + di * next))
        else {
            return;
        };
        let (ax, ay) = (to[0] - from[0], to[1] - from[1]);
        let (bx, by) = (beside[0] - from[0], beside[1] - from[1]);
        let apart = (ax * by - ay * bx).abs() / ax.hypot(ay).max(1e-3);
        if apart < DENSE_PX * self.unit() {
            return;
        }
        let (thick, opaque) = if bold { (2.2, 0.8) } else { (1.2, 0.4) };
        self.drawing.line(from, to, [0; 3], (thick + 1.6) * self.unit(), opaque * 0.5);
        self.drawing.line(from, to, WHITE, thick * self.unit(), opaque);
    }

    /// Where crossing (`i`, `j`) is in the picture; `None` where it has no position, or lies far outside.
    fn pixel(&self, i: f32, j: f32) -> Option<[f32; 2]> {
        let image = self.calibration.image(Point::new(i * self.step, j * self.step))?;
        let near = -0.5..=1.5;
        (near.contains(&image.x) && near.contains(&image.y)).then_some(())?;
        self.calibration.ground(image)?;
        let p = self.size.to_pixels(image);
        Some([p.x, p.y])
    }

    fn points(&mut self) {
        for (index, residual) in self.calibration.residuals().iter().enumerate() {
            let unit = self.unit();
            let clicked = self.size.to_pixels(residual.image);
            if let Some(put) = self.calibration.image(residual.ground) {
                let put = self.size.to_pixels(put);
                self.drawing.ring([put.x, put.y], 9.0 * unit, RED, 2.5 * unit);
                self.drawing.line([put.x, put.y], [clicked.x, clicked.y], RED, 2.0 * unit, 1.0);
            }
            for [dx, dy] in [[7.0, 7.0], [7.0, -7.0]].map(|d| d.map(|d: f32| d * unit)) {
                let (from, to) = ([clicked.x - dx, clicked.y - dy], [clicked.x + dx, clicked.y + dy]);
                self.drawing.line(from, to, [0; 3], 4.0 * unit, 0.6);
                self.drawing.line(from, to, YELLOW, 2.0 * unit, 1.0);
            }
            let beside = [clicked.x + 14.0 * unit, clicked.y - 24.0 * unit];
            self.drawing.label(beside, &format!("{index}"), YELLOW, 1.5 * unit, false);
        }
    }
}
