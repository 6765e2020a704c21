//! The size of a drawing, and how its rows and columns relate to the picture.

/// The drawing: what the camera shows, and a margin around it when the camera shakes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canvas {
    /// Width and height of what the camera shows, in pixels.
    pub(super) size: (usize, usize),
    /// Margin on each side, in pixels.
    pub(super) margin: usize,
    /// First row of water in the drawing.
    pub(super) shore: f32,
    /// Pixels in a 720th of the picture's height: sizes are given for pictures 720 pixels high.
    pub(super) unit: f32,
}

impl Canvas {
    /// Width and height of the drawing.
    pub(super) fn whole(&self) -> (u32, u32) {
        ((self.size.0 + 2 * self.margin) as u32, (self.size.1 + 2 * self.margin) as u32)
    }

    /// The row at a depth: 0 at the shore, 1 at the lower edge of the picture.
    pub(super) fn row(&self, depth: f32) -> f32 {
        self.shore + depth * ((self.size.1 + self.margin) as f32 - self.shore)
    }

    /// The column at a share of the picture's width.
    pub(super) fn column(&self, share: f32) -> f32 {
        self.margin as f32 + share * self.size.0 as f32
    }

    /// A point of the drawing in shares of the picture, as in site files.
    pub(super) fn share(&self, x: f32, y: f32) -> [f32; 2] {
        let margin = self.margin as f32;
        [(x - margin) / self.size.0 as f32, (y - margin) / self.size.1 as f32]
    }
}
