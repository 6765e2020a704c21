//! Weights for scaling one axis of a plane, in fixed point.

/// Weights of one scaled axis. Reduction takes the mean over the area of an output sample. No input sample is skipped, so
/// a mast or a distant hull of two pixels still contributes. Enlargement interpolates between neighbours.
#[derive(Clone, Debug)]
pub(super) struct ResampleWeights {
    /// The first input sample of each output's window, counted from the crop's first sample.
    starts: Vec<usize>,
    /// `width` weights for each output; they sum to the unit. Unused weights at the end are 0.
    weights: Vec<i16>,
    width: usize,
}

impl ResampleWeights {
    /// Weights that scale `from..to` (in samples, fractions allowed) to `outputs` samples. `available` samples exist, counted
    /// from 0. The weights of each output sum to `unit`. `padded` gives the width to which windows are padded.
    pub(super) fn new(
        from: f64,
        to: f64,
        available: usize,
        outputs: usize,
        unit: i16,
        padded: impl Fn(usize) -> usize,
    ) -> Self {
        let scale = (to - from) / outputs as f64;
        let windows: Vec<(usize, Vec<f64>)> = (0..outputs)
            .map(|i| {
                if scale > 1.0 { area(from, scale, available, i) } else { between(from, scale, available, i) }
            })
            .collect();
        let width = padded(windows.iter().map(|(_, shares)| shares.len()).max().unwrap_or(1));
        let mut table = Self { starts: Vec::new(), weights: Vec::new(), width };
        for (start, shares) in windows {
            table.starts.push(start);
            table.push_rounded(&shares, unit);
        }
        table
    }

    /// Rounds the running sum and not each share, so that the sum is exact and errors do not accumulate.
    fn push_rounded(&mut self, shares: &[f64], unit: i16) {
        let total: f64 = shares.iter().sum();
        let (mut running, mut given) = (0.0, 0i16);
        for k in 0..self.width {
            running += shares.get(k).copied().unwrap_or(0.0);
            let upto = (running / total * f64::from(unit)).round() as i16;
            self.weights.push(upto - given);
            given = upto;
        }
    }

    /// Moves all windows by `by` samples.
    pub(super) fn shift(&mut self, by: usize) {
        self.starts.iter_mut().for_each(|start| *start += by);
    }

    /// First input sample and weights of each output.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i16])> {
        self.starts.iter().copied().zip(self.weights.chunks_exact(self.width))
    }

    pub(super) fn starts(&self) -> &[usize] {
        &self.starts
    }

    pub(super) fn weights(&self) -> &[i16] {
        &self.weights
    }

    /// Number of weights for each output.
    pub(super) fn width(&self) -> usize {
        self.width
    }
}

fn area(from: f64, scale: f64, available: usize, i: usize) -> (usize, Vec<f64>) {
    let (a, b) = (from + i as f64 * scale, from + (i + 1) as f64 * scale);
    let first = (a.floor() as usize).min(available - 1);
    let last = (b.ceil() as usize).clamp(first + 1, available);
    let mut shares: Vec<f64> =
        (first..last).map(|k| (b.min(k as f64 + 1.0) - a.max(k as f64)).max(0.0)).collect();
    // Rounding of the interval's ends may add a tiny share of the next sample.
    while shares.len() > 1 && shares.last().is_some_and(|&s| s < 1e-9) {
        shares.pop();
    }
    (first, shares)
}

fn between(from: f64, scale: f64, available: usize, i: usize) -> (usize, Vec<f64>) {
    let centre = (from + (i as f64 + 0.5) * scale - 0.5).clamp(0.0, (available - 1) as f64);
    let first = (centre.floor() as usize).min(available.saturating_sub(2));
    let share = centre - first as f64;
    if available == 1 { (0, vec![1.0]) } else { (first, vec![1.0 - share, share]) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_output_is_a_mean_of_existing_samples(
            available in 1usize..3000, cut in 0.0..0.9f64, outputs in 1usize..700,
        ) {
            let from = (available as f64 * cut).floor();
            let table = ResampleWeights::new(from, available as f64, available, outputs, 256, |n| n);
            prop_assert_eq!(table.iter().count(), outputs);
            for (start, weights) in table.iter() {
                prop_assert_eq!(weights.iter().sum::<i16>(), 256);
                prop_assert!(weights.iter().all(|&w| w >= 0));
                let used = weights.iter().rposition(|&w| w > 0).unwrap();
                prop_assert!(start + used < available);
            }
        }
    }

    #[test]
    fn a_sample_on_the_border_is_shared() {
        let table = ResampleWeights::new(0.0, 3.0, 3, 2, 300, |n| n);
        let windows: Vec<_> = table.iter().map(|(start, weights)| (start, weights.to_vec())).collect();
        assert_eq!(windows, [(0, vec![200, 100]), (1, vec![100, 200])]);
    }
}
