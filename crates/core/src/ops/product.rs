//! Matrix product `Y = A·B`, `A·Bᵀ` or `Aᵀ·B`, with an optional epilogue.
//!
//! Its gradients are products again: for `Y = A·B`, `dA = dY·Bᵀ` and `dB = Aᵀ·dY`, and likewise for the others.

use super::block::{Code, Combine, Instruction, Operand};
use super::epilogue::{Epilogue, Tail};
use super::{Adapter, Kernel, Op, params, shader};
use crate::engine::cpu::gemm;
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};
use std::rc::Rc;

/// Which operand is read transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orientation {
    /// `A [M, K] · B [K, N]`
    Plain,
    /// `A [M, K] · Bᵀ`, `B [N, K]`
    TransposedB,
    /// `Aᵀ · B`, `A [K, M]`, `B [K, N]`
    TransposedA,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub a: Tensor,
    pub b: Tensor,
    pub y: Tensor,
    pub orientation: Orientation,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub epilogue: Epilogue,
}

params! { m: u32, n: u32, k: u32, a_row: u32, a_inner: u32, b_inner: u32, b_column: u32 }

impl Product {
    /// Strides of `A` by row and inner index, and of `B` by inner index and column.
    fn strides(&self) -> ([usize; 2], [usize; 2]) {
        let Product { m, n, k, .. } = *self;
        match self.orientation {
            Orientation::Plain => ([k, 1], [n, 1]),
            Orientation::TransposedB => ([k, 1], [1, k]),
            Orientation::TransposedA => ([1, m], [n, 1]),
        }
    }
}

impl Recorder {
    /// `A·B` of matrices, in one of its three orientations.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn product(&mut self, a: Tensor, b: Tensor, orientation: Orientation) -> Result<Tensor> {
        let (sa, sb) = (self.shape(a).matrix("product")?, self.shape(b).matrix("product")?);
        let (m, k, kb, n) = match orientation {
            Orientation::Plain => (sa[0], sa[1], sb[0], sb[1]),
            Orientation::TransposedB => (sa[0], sa[1], sb[1], sb[0]),
            Orientation::TransposedA => (sa[1], sa[0], sb[0], sb[1]),
        };
        if k != kb {
            let (left, right) = (self.shape(a).clone(), self.shape(b).clone());
            return Err(Error::Shapes { op: "product", left, right, why: "the inner extents must be equal" });
        }
        let y = self.result("product", [m, n], DType::F32);
        self.push(Product { a, b, y, orientation, m, n, k, epilogue: Epilogue::default() })
    }
}

impl Op for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn reads(&self) -> Vec<Tensor> {
        // The shader has one layout: where the epilogue reads nothing, `b` stands in its place, unread.
        vec![self.a, self.b, self.epilogue.beside().unwrap_or(self.b)]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        use Orientation::{Plain, TransposedA, TransposedB};
        let Product { a, b, .. } = *self;
        let (da, db) = match self.orientation {
            Plain => ((dy, b, TransposedB), (a, dy, TransposedA)),
            TransposedB => ((dy, b, Plain), (dy, a, TransposedA)),
            TransposedA => ((b, dy, TransposedB), (a, dy, Plain)),
        };
        let mut record = |wanted: bool, (left, right, how)| wanted.then(|| r.product(left, right, how)).transpose();
        Ok(vec![record(wanted[0], da)?, record(wanted[1], db)?, None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let (a, b) = self.strides();
        gemm([self.m, self.k, self.n], (x[0], a), (x[1], b), 0.0, y[0]);
        self.epilogue.apply(y[0], self.n, 0, x[2]);
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let ([a_row, a_inner], [b_inner, b_column]) = self.strides();
        let a = Operand { inner: [0, a_inner], ..Operand::new(self.a, [0, 0, a_row, 0]) };
        let b = Some(Operand { inner: [0, b_inner], ..Operand::new(self.b, [0, 0, 0, b_column]) });
        let product = Instruction::new(Code::Compute, [1, 1, self.m, self.n], self.y, self.a);
        let product = Instruction { a, b, combine: Combine::Mul, terms: [1, self.k], ..product };
        Some(vec![product.with_epilogue(&self.epilogue)])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let ([a_row, a_inner], [b_inner, b_column]) = self.strides();
        let params = Params {
            m: self.m as u32,
            n: self.n as u32,
            k: self.k as u32,
            a_row: a_row as u32,
            a_inner: a_inner as u32,
            b_inner: b_inner as u32,
            b_column: b_column as u32,
        };
        let (split, workgroups) = tiling(self.m, self.n, self.k);
        let mut constants = self.epilogue.constants();
        constants.extend(split);
        Kernel { shader: shader!("product"), entry: "multiply", constants, params: params.bytes(), workgroups }
    }

    fn flops(&self) -> u64 {
        2 * (self.m * self.n * self.k) as u64
    }

    fn with_tail(&self, tail: Tail, y: Tensor) -> Option<Rc<dyn Op>> {
        Some(Rc::new(Product { epilogue: self.epilogue.with(tail)?, y, ..*self }))
    }
}

/// How a product-shaped shader covers `[M, N]` with 4×4 tiles: the override constants `TILES` (tiles in a workgroup,
/// side by side) and `SPLIT` (threads that share a tile's inner dimension), and the workgroups.
///
/// A starved shape (few tiles, long inner dimension) is split, so that enough threads work and none sums too long. A
/// barrier is dear on a software adapter, so shapes that fill 256 threads stay whole.
pub(super) fn tiling(m: usize, n: usize, k: usize) -> ([(&'static str, f64); 2], [u32; 3]) {
    let tiles = m.div_ceil(4) * n.div_ceil(4);
    let mut split = 1;
    while split < 32 && tiles * split < 256 && k / (split * 2) >= 16 {
        split *= 2;
    }
    let beside = 64 / split;
    let groups = tiles.div_ceil(beside);
    // Two axes, since one dimension is limited to 65,535 workgroups.
    let x = groups.min(32_768);
    let constants = [("TILES", beside as f64), ("SPLIT", split as f64)];
    (constants, [x as u32, groups.div_ceil(x) as u32, 1])
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("product", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::activation::Activation;
    use super::check::Case;
    let reference = |how: Orientation, [m, k, n]: [usize; 3]| {
        move |x: &[Vec<f64>]| {
            let a =
                |i: usize, l: usize| if how == Orientation::TransposedA { x[0][l * m + i] } else { x[0][i * k + l] };
            let b =
                |l: usize, j: usize| if how == Orientation::TransposedB { x[1][j * k + l] } else { x[1][l * n + j] };
            (0..m * n).map(|ij| (0..k).map(|l| a(ij / n, l) * b(l, ij % n)).sum()).collect()
        }
    };
    let mut cases = Vec::new();
    for extents @ [m, k, n] in [[1, 1, 1], [3, 5, 7], [4, 8, 4], [5, 131, 6], [2, 3, 33]] {
        for how in [Orientation::Plain, Orientation::TransposedB, Orientation::TransposedA] {
            let a = if how == Orientation::TransposedA { [k, m] } else { [m, k] };
            let b = if how == Orientation::TransposedB { [n, k] } else { [k, n] };
            cases.push(
                Case::new(format!("product {how:?} {m}x{k}x{n}"), [a.into(), b.into()])
                    .records(move |r, x| r.product(x[0], x[1], how))
                    .equals(reference(how, extents)),
            );
        }
    }
    // The slope between two layers goes into the product that computes the inner gradient.
    cases.push(
        Case::new("two layers", [[3, 4].into(), [4, 5].into(), [5, 2].into()])
            .records(|r, x| {
                let y = r.product(x[0], x[1], Orientation::Plain)?;
                let y = r.activation(y, Activation::Tanh)?;
                r.product(y, x[2], Orientation::Plain)
            })
            .equals(move |x| {
                let inner = reference(Orientation::Plain, [3, 4, 5])(x).iter().map(|v: &f64| v.tanh()).collect();
                reference(Orientation::Plain, [3, 5, 2])(&[inner, x[2].clone()])
            }),
    );
    cases
}
