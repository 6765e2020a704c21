//! Which samples of an axis make one sample of a shorter or longer one, in fixed point.

/// Weights of one resampled axis. Shrinking takes the mean over the area that falls on a sample (nothing between is
/// skipped, so a mast or a far hull of two pixels still leaves its share); enlarging interpolates between neighbours.
#[derive(Clone, Debug)]
pub(super) struct Taps {
    /// Where each output's window begins, counted from the first sample of the crop.
    starts: Vec<usize>,
    /// `width` weights an output, summing to the unit; unused ones at the end are 0.
    weights: Vec<i16>,
    width: usize,
}

impl Taps {
    /// Resamples `from..to` (in samples, fractions allowed) to `outputs` samples; `available` samples exist, counted from 0.
    /// Every output's weights sum to `unit`; windows are padded to one of the widths that [`padded`] names.
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
        let mut taps = Self { starts: Vec::new(), weights: Vec::new(), width };
        for (start, shares) in windows {
            taps.starts.push(start);
            taps.push_rounded(&shares, unit);
        }
        taps
    }

    /// Rounds the running sum rather than each share, so that the sum is exact and no error adds up.
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

    /// Counts windows from `by` samples earlier.
    pub(super) fn shift(&mut self, by: usize) {
        self.starts.iter_mut().for_each(|start| *start += by);
    }

    /// First sample and weights of every output.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i16])> {
        self.starts.iter().copied().zip(self.weights.chunks_exact(self.width))
    }

    pub(super) fn starts(&self) -> &[usize] {
        &self.starts
    }

    pub(super) fn weights(&self) -> &[i16] {
        &self.weights
    }

    /// Weights an output.
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
    // Rounding of the interval's ends may leave a sliver of the next sample.
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
        fn every_output_is_a_mean_of_samples_that_exist(
            available in 1usize..3000, cut in 0.0..0.9f64, outputs in 1usize..700,
        ) {
            let from = (available as f64 * cut).floor();
            let taps = Taps::new(from, available as f64, available, outputs, 256, |n| n);
            prop_assert_eq!(taps.iter().count(), outputs);
            for (start, weights) in taps.iter() {
                prop_assert_eq!(weights.iter().sum::<i16>(), 256);
                prop_assert!(weights.iter().all(|&w| w >= 0));
                let used = weights.iter().rposition(|&w| w > 0).unwrap();
                prop_assert!(start + used < available);
            }
        }
    }

    #[test]
    fn shrinking_by_a_fraction_shares_the_samples_on_the_border() {
        let taps = Taps::new(0.0, 3.0, 3, 2, 300, |n| n);
        let windows: Vec<_> = taps.iter().map(|(start, weights)| (start, weights.to_vec())).collect();
        assert_eq!(windows, [(0, vec![200, 100]), (1, vec![100, 200])]);
    }
}
