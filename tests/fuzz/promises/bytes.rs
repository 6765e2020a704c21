//! Numbers and texts from the bytes of an input; when they run out, zeros.

/// What is left of an input.
pub(crate) struct Bytes<'d>(pub(crate) &'d [u8]);

impl Bytes<'_> {
    pub(crate) fn u8(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.u8())
    }

    /// Up to 255 bytes, as text.
    pub(crate) fn text(&mut self) -> String {
        let length = usize::from(self.u8()).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}
