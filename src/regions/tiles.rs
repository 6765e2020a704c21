//! A grid of square tiles over a picture: small vessels are larger in a model's input when it is shown less at a time.

use crate::geometry::{BBox, FrameSize, Norm, Px};

/// Neighbours share at least this part of a tile's side, so that a small vessel on a border is whole in one of them.
const OVERLAP: u32 = 10;
/// Below this a tile shows no vessel that a model could tell from a wave, and a picture takes hundreds of runs.
pub const SMALLEST_SIDE_PX: u32 = 64;

/// The whole picture, and then, where it is larger than one, square tiles of `side_px` (at least [`SMALLEST_SIDE_PX`]),
/// row by row: as few as cover it with neighbours that share a tenth of the side or more, evenly spread. A tile longer
/// than the picture is cut to it. 1920 x 1080 pixels make 3 x 2 tiles of 960, 4 x 2 of 640, 5 x 3 of 480.
pub fn whole_and_tiles(size: FrameSize, side_px: u32) -> Vec<BBox<Norm>> {
    let mut regions = vec![BBox::new(0.0, 0.0, 1.0, 1.0)];
    let side_px = side_px.max(SMALLEST_SIDE_PX);
    if size.width <= side_px && size.height <= side_px {
        return regions;
    }
    regions.extend(grid(&size.bounds(), side_px).into_iter().map(|tile| size.box_to_fractions(tile)));
    regions
}

/// Square tiles of `side_px` over an area on whole pixels, row by row, spread as in [`whole_and_tiles`].
pub(super) fn grid(area: &BBox<Px>, side_px: u32) -> Vec<BBox<Px>> {
    let columns = spans(area.width() as u32, side_px);
    let rows = spans(area.height() as u32, side_px);
    let tile = |&(top, bottom): &(u32, u32), &(left, right): &(u32, u32)| {
        let (x, y) = (|at: u32| area.x0 + at as f32, |at: u32| area.y0 + at as f32);
        BBox::new(x(left), y(top), x(right), y(bottom))
    };
    rows.iter().flat_map(|row| columns.iter().map(move |column| tile(row, column))).collect()
}

/// First pixel and the one after the last of each tile along an axis.
fn spans(extent_px: u32, side_px: u32) -> Vec<(u32, u32)> {
    if extent_px <= side_px {
        return vec![(0, extent_px)];
    }
    let longest_step = side_px - side_px.div_ceil(OVERLAP);
    let steps = (extent_px - side_px).div_ceil(longest_step);
    // Rounding down makes no step longer than `longest_step`, because that is a whole number.
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
    fn a_full_hd_picture_takes_the_runs_that_are_promised() {
        for (side_px, columns, rows) in [(960, 3, 2), (640, 4, 2), (480, 5, 3), (1080, 2, 1)] {
            assert_eq!(spans(1920, side_px).len(), columns, "{side_px}");
            assert_eq!(spans(1080, side_px).len(), rows, "{side_px}");
            assert_eq!(whole_and_tiles(FULL_HD, side_px).len(), 1 + columns * rows, "{side_px}");
        }
        assert_eq!(spans(1920, 960), [(0, 960), (480, 1440), (960, 1920)]);
    }

    #[test]
    fn a_tile_longer_than_the_picture_is_cut_to_it_and_one_larger_than_it_is_not_run() {
        assert_eq!(spans(1080, 1200), [(0, 1080)]);
        assert_eq!(whole_and_tiles(FULL_HD, 1200).len(), 3);
        assert_eq!(whole_and_tiles(FULL_HD, 1920), [BBox::new(0.0, 0.0, 1.0, 1.0)]);
    }

    proptest! {
        #[test]
        fn tiles_leave_no_pixel_out_and_share_a_tenth(extent in 1..9000u32, side in SMALLEST_SIDE_PX..2500) {
            let spans = spans(extent, side);
            prop_assert_eq!(spans[0].0, 0);
            prop_assert_eq!(spans[spans.len() - 1].1, extent);
            for pair in spans.windows(2) {
                let shared = pair[0].1 - pair[1].0;
                prop_assert!(shared * OVERLAP >= side, "{:?}", pair);
                prop_assert!(pair[0].0 < pair[1].0 && pair[0].1 - pair[0].0 == side);
            }
            // One tile less would not do.
            let less = spans.len() as u32 - 1;
            prop_assert!(less == 0 || side + (less - 1) * (side - side.div_ceil(OVERLAP)) < extent);
        }

        #[test]
        fn a_tile_is_cut_out_of_the_picture_to_the_pixel(
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
