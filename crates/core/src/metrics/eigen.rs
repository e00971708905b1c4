//! Eigenvalues and eigenvectors of a symmetric matrix: Householder's reduction to a tridiagonal one, then QL with implicit
//! shifts (Bowdler, Martin, Reinsch, Wilkinson, "The QR and QL algorithms for symmetric matrices", 1968; Golub, Van Loan,
//! "Matrix Computations", §8.3). In f64, for a few hundred rows.
//!
//! Of our own because the page is to fetch it: gzipped, nalgebra's solver is 4.5 kB of WebAssembly and this one 2.6, where
//! 5 are left.

use crate::error::{Error, Result};

/// QL takes two or three turns an eigenvalue; this many mean that it doesn't end.
const MOST_TURNS: usize = 60;

/// `A = Σ λᵢ vᵢ vᵢᵀ`.
pub(super) struct Eigen {
    /// λ, in no order.
    pub values: Vec<f64>,
    /// The vectors as rows, `[n, n]`.
    pub vectors: Vec<f64>,
}

/// Of a symmetric `[n, n]`, of which the lower triangle is read.
pub(super) fn eigen(mut a: Vec<f64>, n: usize) -> Result<Eigen> {
    let (mut diagonal, mut beside) = (vec![0.0; n], vec![0.0; n]);
    let vectors = tridiagonal(&mut a, n, &mut diagonal, &mut beside);
    let mut eigen = Eigen { values: diagonal, vectors };
    ql(&mut eigen, &mut beside, n)?;
    Ok(eigen)
}

/// `A = Qᵀ T Q`: leaves T's diagonal, and beside it at `i` what lies between `i` and `i + 1`. Returns Q, row by row.
fn tridiagonal(a: &mut [f64], n: usize, diagonal: &mut [f64], beside: &mut [f64]) -> Vec<f64> {
    // Column k below the diagonal is reflected onto its first value by I − 2uuᵀ; u's are kept where the column was.
    let (mut u, mut p) = (vec![0.0; n], vec![0.0; n]);
    for k in 0..n.saturating_sub(2) {
        let first = k + 1;
        for i in first..n {
            u[i] = a[i * n + k];
        }
        let length = norm(&u[first..]);
        beside[k] = if u[first] > 0.0 { -length } else { length };
        u[first] -= beside[k];
        let size = norm(&u[first..]);
        // A column of zeros stays as it is.
        let scale = if size > 0.0 { 1.0 / size } else { 0.0 };
        for i in first..n {
            u[i] *= scale;
            a[i * n + k] = u[i];
        }
        // A ← A − 2(u wᵀ + w uᵀ) with w = Au − (uᵀAu) u, on the lower triangle.
        p[first..].fill(0.0);
        for i in first..n {
            let row = &a[i * n..][..i];
            let mut sum = a[i * n + i] * u[i];
            for j in first..i {
                sum += row[j] * u[j];
                p[j] += row[j] * u[i];
            }
            p[i] += sum;
        }
        let along = dot(&u[first..], &p[first..]);
        for i in first..n {
            p[i] -= along * u[i];
        }
        for i in first..n {
            let row = &mut a[i * n..][..=i];
            for j in first..=i {
                row[j] -= 2.0 * (u[i] * p[j] + p[i] * u[j]);
            }
        }
    }
    if n > 1 {
        beside[n - 2] = a[(n - 1) * n + n - 2];
    }
    for i in 0..n {
        diagonal[i] = a[i * n + i];
    }
    // Q is the product of the reflections, the last one applied first.
    let mut q = vec![0.0; n * n];
    for i in 0..n {
        q[i * n + i] = 1.0;
    }
    for k in (0..n.saturating_sub(2)).rev() {
        let u: Vec<f64> = (k + 1..n).map(|i| a[i * n + k]).collect();
        for row in q.chunks_exact_mut(n).skip(k + 1) {
            let row = &mut row[k + 1..];
            let along = 2.0 * dot(row, &u);
            row.iter_mut().zip(&u).for_each(|(q, u)| *q -= along * u);
        }
    }
    q
}

/// Diagonalises, turning the rows of the vectors along.
fn ql(eigen: &mut Eigen, beside: &mut [f64], n: usize) -> Result<()> {
    let Eigen { values, vectors } = eigen;
    // Measured by the whole matrix: where it has no full rank, values next to one another are both but rounding.
    let nothing = f64::EPSILON * values.iter().zip(&*beside).map(|(v, b)| v.abs() + b.abs()).fold(0.0, f64::max);
    for low in 0..n {
        for turn in 0.. {
            // The first value beside the diagonal that is nothing ends the block that is worked on.
            let high = (low..n - 1).find(|&i| beside[i].abs() <= nothing).unwrap_or(n - 1);
            if high == low {
                break;
            }
            if turn == MOST_TURNS {
                let why = "the eigenvalues of its covariance can't be found".to_owned();
                return Err(Error::Data { what: "features".into(), why });
            }
            // Wilkinson's shift: the eigenvalue of the block's first 2×2 that is nearer to its first value.
            let g = (values[low + 1] - values[low]) / (2.0 * beside[low]);
            let r = length(g, 1.0);
            let mut g = values[high] - values[low] + beside[low] / (g + if g < 0.0 { -r } else { r });
            let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
            let mut whole = true;
            for i in (low..high).rev() {
                let (f, b) = (sine * beside[i], cosine * beside[i]);
                let r = length(f, g);
                beside[i + 1] = r;
                if r == 0.0 {
                    // The block falls apart here.
                    values[i + 1] -= shift;
                    whole = false;
                    break;
                }
                (sine, cosine) = (f / r, g / r);
                g = values[i + 1] - shift;
                let r = (values[i] - g) * sine + 2.0 * cosine * b;
                shift = sine * r;
                values[i + 1] = g + shift;
                g = cosine * r - b;
                let (above, below) = vectors.split_at_mut((i + 1) * n);
                for (x, y) in above[i * n..].iter_mut().zip(&mut below[..n]) {
                    (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
                }
            }
            if whole {
                values[low] -= shift;
                beside[low] = g;
            }
            beside[high] = 0.0;
        }
    }
    Ok(())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Scaled by its largest value, whose square might be no number.
fn norm(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest * values.iter().map(|v| v / largest * (v / largest)).sum::<f64>().sqrt()
}

fn length(a: f64, b: f64) -> f64 {
    norm(&[a, b])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::Random;

    fn matrix(n: usize, rank: usize) -> Vec<f64> {
        let mut random = Random(n as u32);
        let b: Vec<f64> = (0..n * rank).map(|_| random.next() - 0.5).collect();
        let at = |i: usize, j: usize| dot(&b[i * rank..][..rank], &b[j * rank..][..rank]);
        (0..n * n).map(|i| at(i / n, i % n)).collect()
    }

    #[test]
    fn vectors_are_orthonormal_and_make_up_the_matrix() {
        let mut identity = vec![0.0; 25];
        (0..5).for_each(|i| identity[i * 6] = 3.0);
        let cases = [(identity, 5), (vec![0.0; 16], 4), (vec![-2.0], 1), (vec![1.0, 2.0, 2.0, -3.0], 2)];
        let made = [(3, 3), (40, 40), (96, 96), (128, 20)].map(|(n, rank)| (matrix(n, rank), n));
        for (a, n) in cases.into_iter().chain(made) {
            let Eigen { values, vectors } = eigen(a.clone(), n).unwrap();
            let largest = a.iter().fold(1e-300, |m: f64, v| m.max(v.abs()));
            for i in 0..n {
                for j in 0..n {
                    let product = dot(&vectors[i * n..][..n], &vectors[j * n..][..n]);
                    assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12, "{n}: {i}, {j}: {product}");
                    let sum: f64 = (0..n).map(|k| values[k] * vectors[k * n + i] * vectors[k * n + j]).sum();
                    let error = (sum - a[i * n + j]).abs() / largest;
                    assert!(error < 1e-12 * n as f64, "{n}: {i}, {j}: {sum}, not {}", a[i * n + j]);
                }
            }
        }
    }

    #[test]
    fn values_of_a_known_matrix_are_known() {
        // The second difference's: 2 − 2 cos(πk / (n + 1)).
        let n = 30;
        let value = |i: usize, j: usize| [2.0, -1.0].get(i.abs_diff(j)).copied().unwrap_or(0.0);
        let a = (0..n * n).map(|i| value(i / n, i % n)).collect();
        let mut values = eigen(a, n).unwrap().values;
        values.sort_by(f64::total_cmp);
        for (k, value) in values.iter().enumerate() {
            let expected = 2.0 - 2.0 * (std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64).cos();
            assert!((value - expected).abs() < 1e-13, "{value}, not {expected}");
        }
    }
}
