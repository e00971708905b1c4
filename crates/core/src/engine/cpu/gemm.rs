//! The matrix product of the CPU engine.

/// `C = A·B + beta·C` for extents `[m, k, n]`. Operands come with their two strides (`A` by row and inner index, `B` by
/// inner index and column), so a transposed one is no copy; `C` is `[m, n]`, row-major.
///
/// # Panics
/// If an operand is too short for its extents and strides.
pub fn gemm([m, k, n]: [usize; 3], a: (&[f32], [usize; 2]), b: (&[f32], [usize; 2]), beta: f32, c: &mut [f32]) {
    let ((a, [a_row, a_inner]), (b, [b_inner, b_column])) = (a, b);
    if m == 0 || n == 0 {
        return;
    }
    let reach = |rows: usize, row: usize, columns: usize, column: usize| (rows - 1) * row + (columns - 1) * column + 1;
    assert!(
        k > 0
            && a.len() >= reach(m, a_row, k, a_inner)
            && b.len() >= reach(k, b_inner, n, b_column)
            && c.len() >= m * n
    );
    // SAFETY: the assertion above holds every index within its slice, and `c` is borrowed for us alone.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            a_row as isize,
            a_inner as isize,
            b.as_ptr(),
            b_inner as isize,
            b_column as isize,
            beta,
            c.as_mut_ptr(),
            n as isize,
            1,
        );
    }
}
