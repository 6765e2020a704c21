//! Planar pictures, and sprites that are drawn on them.

use image::RgbaImage;

/// One I420 picture: the luma plane, then the two chroma planes of half its width and height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels, even.
    pub width: usize,
    /// Height in pixels, even.
    pub height: usize,
    /// The three planes, one after the other, without padding.
    pub data: Vec<u8>,
}

/// RGB to limited-range YCbCr with the BT.709 matrix.
pub fn yuv(rgb: [f32; 3]) -> [f32; 3] {
    let [r, g, b] = rgb;
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    [
        16.0 + y * (219.0 / 255.0),
        128.0 + (b - y) / 1.8556 * (224.0 / 255.0),
        128.0 + (r - y) / 1.5748 * (224.0 / 255.0),
    ]
}

impl Picture {
    /// A picture of `rgb`, whose sides must be even.
    pub fn from_rgb(rgb: &image::RgbImage) -> Self {
        let (width, height) = (rgb.width() as usize, rgb.height() as usize);
        let mut data = vec![0u8; width * height * 3 / 2];
        let mut chroma = vec![[0f32; 2]; width * height / 4];
        for (x, y, p) in rgb.enumerate_pixels() {
            let (x, y) = (x as usize, y as usize);
            let [luma, u, v] = yuv([f32::from(p[0]), f32::from(p[1]), f32::from(p[2])]);
            data[y * width + x] = luma.round() as u8;
            let c = &mut chroma[(y / 2) * (width / 2) + x / 2];
            c[0] += u / 4.0;
            c[1] += v / 4.0;
        }
        let (luma, quarter) = (width * height, width * height / 4);
        for (i, c) in chroma.iter().enumerate() {
            data[luma + i] = c[0].round() as u8;
            data[luma + quarter + i] = c[1].round() as u8;
        }
        Self { width, height, data }
    }

    /// The part of `width` x `height` pixels with its top left corner at `left`, `top`; the sizes must be even.
    pub fn part(&self, left: usize, top: usize, width: usize, height: usize) -> Self {
        let mut data = Vec::with_capacity(width * height * 3 / 2);
        let mut take = |plane: &[u8], stride: usize, [left, top, width, height]: [usize; 4]| {
            for row in plane.chunks_exact(stride).skip(top).take(height) {
                data.extend_from_slice(&row[left..left + width]);
            }
        };
        let (luma, quarter) = (self.width * self.height, self.width * self.height / 4);
        take(&self.data[..luma], self.width, [left, top, width, height]);
        for plane in [&self.data[luma..luma + quarter], &self.data[luma + quarter..]] {
            take(plane, self.width / 2, [left / 2, top / 2, width / 2, height / 2]);
        }
        Self { width, height, data }
    }

    /// The luma plane.
    pub fn luma(&self) -> &[u8] {
        &self.data[..self.width * self.height]
    }

    /// The luma plane and the two chroma planes, to draw on.
    pub fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        let luma = self.width * self.height;
        let (y, rest) = self.data.split_at_mut(luma);
        let (u, v) = rest.split_at_mut(luma / 4);
        (y, u, v)
    }
}

/// A small picture with transparency that is drawn on a [`Picture`] at its own size.
#[derive(Debug, Clone)]
pub struct Sprite {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Luma, both chroma values and opacity of each pixel, all at full size.
    texels: Vec<[u8; 4]>,
    /// The smallest box around the opaque pixels: x0, y0, x1, y1, the last two exclusive.
    pub tight: [usize; 4],
}

/// How each row of a sprite is drawn: its shift to the right in pixels, and its strength from 0 to 1.
pub type RowShade<'a> = &'a dyn Fn(usize) -> (i32, f32);

impl Sprite {
    /// A sprite of `image`.
    pub fn new(image: &RgbaImage) -> Self {
        let texels: Vec<[u8; 4]> = image
            .pixels()
            .map(|p| {
                let [y, u, v] = yuv([f32::from(p[0]), f32::from(p[1]), f32::from(p[2])]);
                [y.round() as u8, u.round() as u8, v.round() as u8, p[3]]
            })
            .collect();
        let (width, height) = (image.width() as usize, image.height() as usize);
        let mut tight = [width, height, 0, 0];
        for (i, t) in texels.iter().enumerate().filter(|(_, t)| t[3] > 100) {
            let (x, y) = (i % width, i / width);
            debug_assert!(t[3] > 100);
            tight = [tight[0].min(x), tight[1].min(y), tight[2].max(x + 1), tight[3].max(y + 1)];
        }
        if tight[2] == 0 {
            tight = [0; 4];
        }
        Self { width, height, texels, tight }
    }

    /// Opacity of a pixel, 0 outside the sprite.
    pub fn opacity(&self, x: i32, y: i32) -> u8 {
        if x < 0 || y < 0 || x as usize >= self.width || y as usize >= self.height {
            return 0;
        }
        self.texels[y as usize * self.width + x as usize][3]
    }

    /// Draws the sprite with its top left corner at `x`, `y`; what is outside the picture is left out.
    pub fn draw_on(&self, on: &mut Picture, x: i32, y: i32) {
        self.draw_rows(on, x, y, false, &|_| (0, 1.0));
    }

    /// Draws the rows from top to bottom, in reverse order when `mirrored`, each shifted and faded by `shade`.
    pub fn draw_rows(&self, on: &mut Picture, x: i32, y: i32, mirrored: bool, shade: RowShade<'_>) {
        let (width, height) = (on.width as i32, on.height as i32);
        let (luma, u, v) = on.planes_mut();
        for row in 0..self.height {
            let py = y + row as i32;
            if py < 0 || py >= height {
                continue;
            }
            let (shift, strength) = shade(row);
            let strength = (strength * 256.0) as i32;
            if strength <= 0 {
                continue;
            }
            let source = if mirrored { self.height - 1 - row } else { row };
            let texels = &self.texels[source * self.width..][..self.width];
            let left = x + shift;
            let (from, to) = (left.max(0), (left + self.width as i32).min(width));
            for px in from..to {
                let t = texels[(px - left) as usize];
                let a = (i32::from(t[3]) * strength) >> 8;
                if a == 0 {
                    continue;
                }
                let mix = |under: &mut u8, over: u8| {
                    let blend = i32::from(*under) * (255 - a) + i32::from(over) * a;
                    *under = ((blend + 127) / 255) as u8;
                };
                mix(&mut luma[(py * width + px) as usize], t[0]);
                if (px | py) & 1 == 0 {
                    let c = ((py / 2) * (width / 2) + px / 2) as usize;
                    mix(&mut u[c], t[1]);
                    mix(&mut v[c], t[2]);
                }
            }
        }
    }
}

/// `image` scaled to `width` x `height` pixels, without dark edges beside transparent parts.
pub fn scaled(image: &RgbaImage, width: u32, height: u32) -> RgbaImage {
    let premultiplied = image::Rgba32FImage::from_fn(image.width(), image.height(), |x, y| {
        let p = image.get_pixel(x, y);
        // The image crate clips floating-point pixels to 0..1.
        let [r, g, b, a] = p.0.map(|v| f32::from(v) / 255.0);
        image::Rgba([r * a, g * a, b * a, a])
    });
    let small = image::imageops::resize(
        &premultiplied,
        width.max(1),
        height.max(1),
        image::imageops::FilterType::Triangle,
    );
    RgbaImage::from_fn(small.width(), small.height(), |x, y| {
        let p = small.get_pixel(x, y);
        let a = p[3].clamp(0.0, 1.0);
        let colour = |v: f32| (v / a.max(1e-3) * 255.0).round().clamp(0.0, 255.0) as u8;
        image::Rgba([colour(p[0]), colour(p[1]), colour(p[2]), (a * 255.0).round() as u8])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32, level: u8) -> Picture {
        Picture::from_rgb(&image::RgbImage::from_pixel(width, height, image::Rgb([level; 3])))
    }

    #[test]
    fn a_sprite_beyond_the_border_changes_only_pixels_inside() {
        let white = Sprite::new(&RgbaImage::from_pixel(10, 10, image::Rgba([255; 4])));
        let mut picture = grey(16, 16, 0);
        white.draw_on(&mut picture, -5, 12);
        let bright: Vec<usize> =
            picture.luma().iter().enumerate().filter(|(_, v)| **v > 200).map(|(i, _)| i).collect();
        assert_eq!(bright.len(), 5 * 4);
        assert!(bright.iter().all(|i| i % 16 < 5 && i / 16 >= 12));
    }

    #[test]
    fn scaling_keeps_the_colour_beside_transparent_parts() {
        let half = RgbaImage::from_fn(40, 40, |x, _| {
            if x < 20 { image::Rgba([200, 100, 50, 255]) } else { image::Rgba([0, 0, 0, 0]) }
        });
        let small = scaled(&half, 13, 13);
        for p in small.pixels().filter(|p| p[3] > 20) {
            assert!(p[0].abs_diff(200) < 4 && p[1].abs_diff(100) < 4 && p[2].abs_diff(50) < 4, "{p:?}");
        }
    }

    #[test]
    fn an_opaque_pixel_replaces_the_one_under_it() {
        for level in [0u8, 17, 128, 255] {
            let dot = Sprite::new(&RgbaImage::from_pixel(2, 2, image::Rgba([level, level, level, 255])));
            let mut picture = grey(4, 4, 90);
            dot.draw_on(&mut picture, 0, 0);
            assert_eq!(picture.luma()[0], grey(2, 2, level).luma()[0]);
        }
    }
}
