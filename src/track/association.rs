//! Which detection is which vessel.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// Likenesses are compared to this fineness: the assignment is exact in whole numbers, so ties fall the same way always.
const FINENESS: f64 = 1e12;

/// Pairs rows with columns so that the sum of likenesses is highest; each row and column is used at most once. A likeness of
/// `None` or not above zero is never paired, and it is at most a million.
pub(crate) fn assign(
    rows: usize,
    columns: usize,
    likeness: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<(usize, usize)> {
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    let weight = |row, column| likeness(row, column).map_or(0, |l| (l * FINENESS).max(0.0) as i64);
    // The method wants no more rows than columns. Pairs of weight zero stand for "unpaired".
    let turned = rows > columns;
    let weights = if turned {
        Matrix::from_fn(columns, rows, |(c, r)| weight(r, c))
    } else {
        Matrix::from_fn(rows, columns, |(r, c)| weight(r, c))
    };
    let (_, partners) = kuhn_munkres(&weights);
    let mut pairs: Vec<_> = partners
        .into_iter()
        .enumerate()
        .filter(|&(a, b)| weights[(a, b)] > 0)
        .map(|(a, b)| if turned { (b, a) } else { (a, b) })
        .collect();
    pairs.sort_unstable();
    pairs
}
