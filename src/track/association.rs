//! Optimal assignment of rows to columns, such as tracks to detections.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// Affinities are rounded to multiples of one over this. The assignment then works on whole numbers, so it is exact and
/// breaks ties in the same way every time.
const RESOLUTION: f64 = 1e12;

/// Pairs rows with columns so that the sum of affinities is largest (Kuhn and Munkres). Each row and column is used at most
/// once. An affinity of `None`, or not above zero, is never paired. Affinities must not exceed a million.
pub(crate) fn assign(
    rows: usize,
    columns: usize,
    affinity: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<(usize, usize)> {
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    let weight = |row, column| affinity(row, column).map_or(0, |a| (a * RESOLUTION).max(0.0) as i64);
    // The algorithm needs at least as many columns as rows. Pairs of weight zero mean "not paired".
    let transposed = rows > columns;
    let weights = if transposed {
        Matrix::from_fn(columns, rows, |(c, r)| weight(r, c))
    } else {
        Matrix::from_fn(rows, columns, |(r, c)| weight(r, c))
    };
    let (_, partners) = kuhn_munkres(&weights);
    let mut pairs: Vec<_> = partners
        .into_iter()
        .enumerate()
        .filter(|&(a, b)| weights[(a, b)] > 0)
        .map(|(a, b)| if transposed { (b, a) } else { (a, b) })
        .collect();
    pairs.sort_unstable();
    pairs
}
