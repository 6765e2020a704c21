//! Small symmetric matrices.

/// Iterations of Jacobi's method. It converges quadratically, so this is more than enough.
const SWEEPS: usize = 30;

/// A symmetric matrix's eigenvalues, ascending, each with its eigenvector of length one.
///
/// Jacobi's cyclic method (Golub and Van Loan, "Matrix Computations", 4th edition, section 8.5): slow for large
/// matrices, short and accurate for small ones.
pub(crate) fn eigen<const N: usize>(mut a: [[f64; N]; N]) -> [(f64, [f64; N]); N] {
    // Its rows become the eigenvectors.
    let mut basis: [[f64; N]; N] =
        std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    for _ in 0..SWEEPS {
        let mut turned = false;
        for (p, q) in (0..N).flat_map(|p| (p + 1..N).map(move |q| (p, q))) {
            if a[p][q].abs() <= f64::EPSILON * (a[p][p] * a[q][q]).abs().sqrt() {
                continue;
            }
            turned = true;
            let slope = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let tangent = slope.signum() / (slope.abs() + slope.hypot(1.0));
            let cosine = 1.0 / tangent.hypot(1.0);
            let turn = |x: &mut f64, y: &mut f64| {
                let sine = tangent * cosine;
                (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
            };
            for row in &mut a {
                let (head, tail) = row.split_at_mut(q);
                turn(&mut head[p], &mut tail[0]);
            }
            for rows in [&mut a, &mut basis] {
                let (head, tail) = rows.split_at_mut(q);
                head[p].iter_mut().zip(&mut tail[0]).for_each(|(x, y)| turn(x, y));
            }
        }
        if !turned {
            break;
        }
    }
    let mut pairs: [(f64, [f64; N]); N] = std::array::from_fn(|i| (a[i][i], basis[i]));
    pairs.sort_by(|x, y| x.0.total_cmp(&y.0));
    pairs
}

/// The inverse of a symmetric matrix whose eigenvalues are all positive.
pub(crate) fn inverse<const N: usize>(a: [[f64; N]; N]) -> [[f64; N]; N] {
    let mut inverse = [[0.0; N]; N];
    for (value, vector) in eigen(a) {
        for (row, a) in inverse.iter_mut().zip(&vector) {
            row.iter_mut().zip(&vector).for_each(|(sum, b)| *sum += a * b / value);
        }
    }
    inverse
}

/// The sum of products.
pub(crate) fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn eigenvectors_reproduce_the_matrix(
            rows in proptest::array::uniform8(proptest::array::uniform8(-5.0..5.0f64)),
        ) {
            // A product with its transpose, such as normal equations.
            let a: [[f64; 8]; 8] = std::array::from_fn(|i| std::array::from_fn(|j| dot(&rows[i], &rows[j])));
            let pairs = eigen(a);
            for i in 0..8 {
                for j in 0..8 {
                    let sum: f64 = pairs.iter().map(|(value, v)| value * v[i] * v[j]).sum();
                    prop_assert!((sum - a[i][j]).abs() < 1e-9, "{i} {j}: {sum} for {}", a[i][j]);
                    let product = dot(&pairs[i].1, &pairs[j].1);
                    prop_assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
                }
            }
            prop_assert!(pairs.windows(2).all(|two| two[0].0 <= two[1].0));
        }
    }
}
