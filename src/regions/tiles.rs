//! Square tiles over a picture. A vessel fills more of the model's input when the input shows a smaller part of the picture.

use crate::geometry::{BBox, FrameSize, Norm, Px};

/// Neighbours overlap by at least one part in this many of a tile's side, so that one of them shows all of a small vessel.
const OVERLAP: u32 = 10;
/// Smaller tiles are refused: a picture would need hundreds of inferences.
pub const SMALLEST_SIDE_PX: u32 = 64;

/// The whole picture, followed by square tiles of `side_px` (at least [`SMALLEST_SIDE_PX`]) when the picture is larger than
/// one tile. The tiles come row by row, evenly spread, and neighbours overlap by a tenth of the side or more. There are as
/// few as possible: 1920 x 1080 pixels take 3 x 2 tiles of 960, 4 x 2 of 640, or 5 x 3 of 480. A tile is never larger than
/// the picture.
pub fn whole_and_tiles(size: FrameSize, side_px: u32) -> Vec<BBox<Norm>> {
    let mut regions = vec![BBox::new(0.0, 0.0, 1.0, 1.0)];
    let side_px = side_px.max(SMALLEST_SIDE_PX);
    if size.width <= side_px && size.height <= side_px {
        return regions;
    }
    regions.extend(grid(&size.bounds(), side_px).into_iter().map(|tile| size.box_to_fractions(tile)));
    regions
}

/// Square tiles of `side_px` over an area on whole pixels, laid out as in [`whole_and_tiles`].
pub(super) fn grid(area: &BBox<Px>, side_px: u32) -> Vec<BBox<Px>> {
    let columns = spans(area.width() as u32, side_px);
    let rows = spans(area.height() as u32, side_px);
    let tile = |&(top, bottom): &(u32, u32), &(left, right): &(u32, u32)| {
        let (x, y) = (|at: u32| area.x0 + at as f32, |at: u32| area.y0 + at as f32);
        BBox::new(x(left), y(top), x(right), y(bottom))
    };
    rows.iter().flat_map(|row| columns.iter().map(move |column| tile(row, column))).collect()
}

/// The longer side of a box, at least one pixel.
pub(super) fn longer_side_px(b: &BBox<Px>) -> f32 {
    b.longer_side().max(1.0)
}

/// For each tile along an axis: its first pixel, and the pixel after its last.
fn spans(extent_px: u32, side_px: u32) -> Vec<(u32, u32)> {
    if extent_px <= side_px {
        return vec![(0, extent_px)];
    }
    let longest_step = side_px - side_px.div_ceil(OVERLAP);
    let steps = (extent_px - side_px).div_ceil(longest_step);
    // Rounding down never exceeds `longest_step`, because that is a whole number.
    let start = |i| (u64::from(extent_px - side_px) * u64::from(i) / u64::from(steps)) as u32;
    (0..=steps).map(|i| (start(i), start(i) + side_px)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detect::preprocess::PixelRect;

    const FULL_HD: FrameSize = FrameSize { width: 1920, height: 1080 };

    #[test]
    fn full_hd_takes_the_documented_number_of_tiles() {
        for (side_px, columns, rows) in [(960, 3, 2), (640, 4, 2), (480, 5, 3), (1080, 2, 1)] {
            assert_eq!(spans(1920, side_px).len(), columns, "{side_px}");
            assert_eq!(spans(1080, side_px).len(), rows, "{side_px}");
            assert_eq!(whole_and_tiles(FULL_HD, side_px).len(), 1 + columns * rows, "{side_px}");
        }
        assert_eq!(spans(1920, 960), [(0, 960), (480, 1440), (960, 1920)]);
    }

    #[test]
    fn tiles_never_exceed_the_picture() {
        assert_eq!(spans(1080, 1200), [(0, 1080)]);
        assert_eq!(whole_and_tiles(FULL_HD, 1200).len(), 3);
        assert_eq!(whole_and_tiles(FULL_HD, 1920), [BBox::new(0.0, 0.0, 1.0, 1.0)]);
    }

    proptest! {
        #[test]
        fn tiles_cover_every_pixel_and_overlap_by_a_tenth(extent in 1..9000u32, side in SMALLEST_SIDE_PX..2500) {
            let spans = spans(extent, side);
            prop_assert_eq!(spans[0].0, 0);
            prop_assert_eq!(spans[spans.len() - 1].1, extent);
            for pair in spans.windows(2) {
                let shared = pair[0].1 - pair[1].0;
                prop_assert!(shared * OVERLAP >= side, "{:?}", pair);
                prop_assert!(pair[0].0 < pair[1].0 && pair[0].1 - pair[0].0 == side);
            }
            // One tile less would not cover the axis.
            let less = spans.len() as u32 - 1;
            prop_assert!(less == 0 || side + (less - 1) * (side - side.div_ceil(OVERLAP)) < extent);
        }

        #[test]
        fn tiles_lie_on_whole_pixels(
            width in 64..5000u32, height in 64..5000u32, side in SMALLEST_SIDE_PX..1500,
        ) {
            let size = FrameSize { width, height };
            for region in &whole_and_tiles(size, side)[1..] {
                let cut = PixelRect::around(*region, size);
                prop_assert_eq!((cut.width, cut.height), (side.min(width) as usize, side.min(height) as usize));
            }
        }
    }
}
