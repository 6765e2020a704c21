//! The scale of a picture in pixels per metre, and the calibration of the site file that gives it.

use super::canvas::Canvas;

/// Length of a rigid inflatable boat, the only vessel that is drawn to scale; larger ones are drawn too short.
const RIB_M: f32 = 7.0;
/// Focal length of the camera, in widths of the picture.
const FOCAL: f32 = 1.1;
/// The surveyed points: column as a share of the picture, row as a share of the water.
const SURVEYED: [[f32; 2]; 6] =
    [[0.12, 0.9], [0.85, 0.82], [0.5, 0.5], [0.2, 0.3], [0.78, 0.22], [0.45, 0.08]];

/// Pixels per metre, by row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// The horizon, where a metre has no pixels, and the row where it has `px`.
    rows: [f32; 2],
    px: f32,
}

impl Scale {
    /// The scale at which a rigid inflatable boat is `rib_px` long at the second of `rows`.
    pub(super) fn new(rows: [f32; 2], rib_px: f32) -> Self {
        Self { rows, px: rib_px / RIB_M }
    }

    /// Pixels of a length in metres at a row.
    pub(super) fn px(&self, metres: f32, row: f32) -> f32 {
        metres * self.px * (row - self.rows[0]) / (self.rows[1] - self.rows[0])
    }

    /// The section `[camera.calibration]` of the site file.
    pub(super) fn calibration(&self, canvas: &Canvas) -> String {
        let width = canvas.size.0 as f32;
        let point = |&[column, depth]: &[f32; 2]| {
            let (x, row) = (canvas.column(column), canvas.row(depth));
            let ([u, v], metre) = (canvas.share(x, row), self.px(1.0, row));
            let [east, north] = [(column - 0.5) * width / metre, FOCAL * width / metre];
            format!("    {{ image = [{u:.4}, {v:.4}], metres = [{east:.2}, {north:.2}] }},\n")
        };
        format!("[camera.calibration]\npoints = [\n{}]\n\n", SURVEYED.iter().map(point).collect::<String>())
    }
}
