//! Matrix product `Y = A·B`, `A·Bᵀ` or `Aᵀ·B`, with an optional epilogue.
//!
//! Its gradients are products again: for `Y = A·B`, `dA = dY·Bᵀ` and `dB = Aᵀ·dY`, and likewise for the others.

use super::block::{Code, Combine, Instruction, Operand};
use super::chain::{Form, Link};
use super::epilogue::{Epilogue, Tail};
use super::window::{Slice, Stretch};
use super::{Adapter, Kernel, Op, params, shader};
use crate::engine::cpu::{Matrix, gemm, gemm_scratch};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};
use std::any::Any;
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

params! { m: u32, n: u32, k: u32 }

/// If `slice` takes columns of what `product` computes, and these follow from rows of its `B`: the product of those.
pub(crate) fn narrowed(r: &mut Recorder, product: &Rc<dyn Op>, slice: &Rc<dyn Op>) -> Option<Rc<dyn Op>> {
    let product: &Product = (product.as_ref() as &dyn Any).downcast_ref()?;
    let Slice { x, y, stretch, .. } = (slice.as_ref() as &dyn Any).downcast_ref::<Slice>()?;
    let Stretch { outer, inner, wide, narrow, start } = *stretch;
    let plain = product.orientation == Orientation::TransposedB && product.epilogue.is_none();
    let fits = r.storage(*x) == product.y && (outer, inner, wide) == (product.m, 1, product.n);
    let b = (plain && fits).then(|| r.view_rows(product.b, start, narrow))??;
    Some(Rc::new(Product { b, y: *y, n: narrow, ..*product }))
}

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

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], scratch: &mut [f32]) {
        let (of_a, of_b) = self.strides();
        let (a, b) = (Matrix { values: x[0], strides: of_a }, Matrix { values: x[1], strides: of_b });
        gemm([self.m, self.k, self.n], a, b, y[0], scratch);
        self.epilogue.apply(y[0], self.n, 0, x[2]);
    }

    fn scratch(&self) -> usize {
        gemm_scratch(self.k, self.n)
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let ([a_row, a_inner], [b_inner, b_column]) = self.strides();
        let a = Operand { inner: [0, a_inner], ..Operand::new(self.a, [0, 0, a_row, 0]) };
        let b = Some(Operand { inner: [0, b_inner], ..Operand::new(self.b, [0, 0, 0, b_column]) });
        let product = Instruction::new(Code::Compute, [1, 1, self.m, self.n], self.y, self.a);
        let product = Instruction { a, b, combine: Combine::Mul, terms: [1, self.k], ..product };
        Some(vec![product.with_epilogue(&self.epilogue)])
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        let Product { m, n, k, .. } = *self;
        let params = Params { m: m as u32, n: n as u32, k: k as u32 }.bytes();
        let transposed = |how| f64::from(u8::from(self.orientation == how));
        let mut constants = self.epilogue.constants();
        constants.push(("TRANSPOSED_A", transposed(Orientation::TransposedA)));
        constants.push(("TRANSPOSED_B", transposed(Orientation::TransposedB)));
        let rows_are_whole = self.orientation != Orientation::TransposedA || m.is_multiple_of(4);
        let blocks = n.is_multiple_of(4) && k.is_multiple_of(4) && rows_are_whole;
        // Of so few blocks each needs many threads.
        if !blocks || m.div_ceil(4) * n.div_ceil(4) < 16 {
            let (split, workgroups) = tiling(adapter, [m, n, k]);
            constants.extend(split);
            return Kernel { shader: shader!("product", "epilogue"), entry: "multiply", constants, params, workgroups };
        }
        let plain = shader!("product_blocks", "blocks", "epilogue_fours");
        let (shader, entry, cover) = match (adapter, Cover::quads(adapter, [m, n, k])) {
            (_, Some(cover)) => {
                constants.push(("AHEAD", if k.is_multiple_of(8) { 2.0 } else { 1.0 }));
                let shader = shader!("product_quads", "subgroups", "blocks", "epilogue_fours", "product_blocks");
                (shader, "multiply_quads", cover)
            }
            (Adapter::Hardware, None) => (plain, "multiply_shared", Cover::shared([m, n, k], [16, 128])),
            (_, None) => (plain, "multiply", Cover::registers(adapter, [m, n, k], [4, 4])),
        };
        constants.extend(cover.constants);
        Kernel { shader, entry, constants, params, workgroups: cover.workgroups }
    }

    fn link(&self) -> Option<Link> {
        let Product { a: source, b, y: result, m: images, n, k, epilogue, .. } = *self;
        let form = match self.orientation {
            Orientation::Plain => Form::Head { wide: k, narrow: n, backward: false },
            Orientation::TransposedB => Form::Head { wide: n, narrow: k, backward: true },
            Orientation::TransposedA => return None,
        };
        Link { images, source, other: Some(b), result, epilogue, form }.fitting()
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
/// A starved shape (few tiles, long inner dimension) is split on a GPU, so that enough threads work and none sums too long.
/// On a software adapter a barrier costs more, also to compile, and small workgroups are what keeps all cores at work.
pub(super) fn tiling(adapter: Adapter, [m, n, k]: [usize; 3]) -> ([(&'static str, f64); 2], [u32; 3]) {
    let tiles = m.div_ceil(4) * n.div_ceil(4);
    let mut split = 1;
    while adapter == Adapter::Hardware && split < 64 && tiles * split < 4096 && k / (split * 2) >= 8 {
        split *= 2;
    }
    let beside = if adapter.is_software() { 8 } else { 64 / split };
    let constants = [("TILES", beside as f64), ("SPLIT", split as f64)];
    (constants, over_two_axes(tiles.div_ceil(beside)))
}

/// Two axes, since one dimension is limited to 65,535 workgroups.
fn over_two_axes(groups: usize) -> [u32; 3] {
    let x = groups.min(32_768);
    [x as u32, groups.div_ceil(x) as u32, 1]
}

/// How many quads of threads with such tiles cover `[M, N]`.
fn quads([m, n]: [usize; 2], [down, across]: [usize; 2]) -> usize {
    m.div_ceil(8 * down) * n.div_ceil(8 * across)
}

/// How a shader that works by blocks of 4×4 covers `[M, N]`: its override constants and the workgroups.
pub(super) struct Cover {
    pub constants: Vec<(&'static str, f64)>,
    pub workgroups: [u32; 3],
}

impl Cover {
    /// For entry points without barriers: a thread owns `DOWN` × `ACROSS` blocks, at most those of `largest`.
    ///
    /// A larger tile loads less, but its pipeline takes longer to build, and fewer threads find work. Measured on
    /// SwiftShader for 4×4, 8×8, 8×16 and 16×16: 1.5, 2.3, 2.7 and 3.3 GFLOP/s a core, after 0.04, 0.1, 0.2 and 0.5 s.
    /// A GPU needs many more threads, and has registers for four blocks each.
    pub fn registers(adapter: Adapter, [m, n, k]: [usize; 3], largest: [usize; 2]) -> Self {
        // The tile, and from how many multiplications on its building pays.
        const TILES: [([usize; 2], usize); 6] =
            [([4, 4], 1 << 26), ([2, 4], 1 << 22), ([4, 2], 1 << 22), ([2, 2], 0), ([4, 1], 0), ([2, 1], 0)];
        let (enough, most_blocks, group) = match adapter {
            Adapter::Hardware => (16_384, 4, 64),
            Adapter::Software | Adapter::SoftwareQuads => (64, 16, 8),
        };
        let threads = |[down, across]: [usize; 2]| m.div_ceil(4 * down) * n.div_ceil(4 * across);
        let fits = |([down, across], from): &([usize; 2], usize)| {
            let within = *down <= largest[0] && *across <= largest[1] && 4 * across < n + 4 && 4 * down < m + 4;
            within && down * across <= most_blocks && m * n * k >= *from && threads([*down, *across]) >= enough
        };
        let tile = TILES.into_iter().find(fits).map_or([1, 1], |(tile, _)| tile);
        let constants = vec![("DOWN", tile[0] as f64), ("ACROSS", tile[1] as f64), ("THREADS", f64::from(group))];
        Cover { constants, workgroups: over_two_axes(threads(tile).div_ceil(group as usize)) }
    }

    /// For entry points whose threads work in quads, where the adapter has them and the product is large enough: tiles of
    /// `DOWN` × `ACROSS` blocks lie two by two.
    ///
    /// Measured in a browser on SwiftShader, both cores: tiles of 2×2 blocks make 8.6 GFLOP/s and take 0.06 s to build, of 4×4
    /// 11.9 and 0.37. Without quads 4×4 make 7.5 and take 0.45.
    pub fn quads(adapter: Adapter, [m, n, k]: [usize; 3]) -> Option<Self> {
        const THREADS: usize = 4;
        let tile = Cover::quad_tile(adapter, [m, n, k])?;
        let constants = vec![("DOWN", tile[0] as f64), ("ACROSS", tile[1] as f64), ("THREADS", THREADS as f64)];
        Some(Cover { constants, workgroups: over_two_axes(4 * quads([m, n], tile) / THREADS) })
    }

    /// The tile of a thread that works in a quad, in blocks, if it should.
    pub fn quad_tile(adapter: Adapter, [m, n, k]: [usize; 3]) -> Option<[usize; 2]> {
        // The tile, and from how many multiplications on its building pays.
        const TILES: [([usize; 2], usize); 4] = [([4, 4], 1 << 22), ([2, 4], 1 << 22), ([4, 2], 1 << 22), ([2, 2], 0)];
        /// Quads that keep the processor's cores at work.
        const ENOUGH: usize = 16;
        let fits = |&(tile, from): &([usize; 2], usize)| {
            let within = 8 * tile[0] < m + 8 && 8 * tile[1] < n + 8;
            within && m * n * k >= from && quads([m, n], tile) >= ENOUGH
        };
        let found = TILES.into_iter().find(fits).map(|(tile, _)| tile);
        found.filter(|_| adapter == Adapter::SoftwareQuads)
    }

    /// For entry points that pass both operands through workgroup memory: a workgroup owns `TILE` × `TILE` values, 128, 64
    /// 32 or 16, at least and at most these.
    ///
    /// Large tiles load less; where they would be few, small ones, and of these the inner dimension is split as well. The
    /// bounds were measured on an H100, tiles of 16 on an H200; a smaller GPU has the workgroups run one after another, which costs it little.
    pub fn shared([m, n, k]: [usize; 3], [least, most]: [usize; 2]) -> Self {
        /// Workgroups from which on a larger tile pays.
        const ENOUGH: usize = 100;
        /// Workgroups, each split so often, that keep a GPU busy. The smallest tiles take all that they can.
        const BUSY: usize = 512;
        let groups = |tile: usize| m.div_ceil(tile) * n.div_ceil(tile);
        let fits = |&tile: &usize| tile <= most && groups(tile) >= ENOUGH;
        let tile = [128, 64, 32].into_iter().find(fits).unwrap_or(least);
        // A workgroup has at most 256 threads, and of the smallest tiles memory for 128.
        let (threads, shortest, busy) = if tile < 32 { (16, 16, usize::MAX) } else { (2 * tile, 32, BUSY) };
        let mut split = 1;
        while split < 128 / tile && groups(tile) * split < busy && k / (split * 2) >= shortest {
            split *= 2;
        }
        let constants = vec![("TILE", tile as f64), ("THREADS", threads as f64), ("SPLIT", split as f64)];
        Cover { constants, workgroups: over_two_axes(groups(tile)) }
    }
}

#[cfg(test)]
pub(super) fn layouts() -> [(&'static str, super::check::Layout); 3] {
    ["product", "product_blocks", "product_quads"].map(|name| (name, Params::layout()))
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
    // Whole blocks.
    for (rows, k, n) in [(16, 4, 16), (13, 8, 20)] {
        for how in [Orientation::Plain, Orientation::TransposedB, Orientation::TransposedA] {
            let m = if how == Orientation::TransposedA { 16 } else { rows };
            let extents = [m, k, n];
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

/// Products large enough for each way to cover them, with each epilogue, whose finite differences would take too long.
#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use super::activation::Activation::{self, LeakyRelu, Sigmoid, Tanh};
    use super::check::{Random, Scene};
    use Orientation::{Plain, TransposedA, TransposedB};
    let scene = |[m, k, n]: [usize; 3], how: Orientation, activation: Option<Activation>, gated: bool| {
        let mut r = Recorder::new();
        r.begin("product");
        let a = if how == TransposedA { [k, m] } else { [m, k] };
        let b = if how == TransposedB { [n, k] } else { [k, n] };
        let inputs = [
            r.input("a", a, DType::F32),
            r.input("b", b, DType::F32),
            r.input("bias", [n], DType::F32),
            r.input("inner", [m, n], DType::F32),
        ];
        let mut y = r.product(inputs[0], inputs[1], how).unwrap();
        if let Some(kind) = activation.filter(|_| gated) {
            let output = r.activation(inputs[3], kind).unwrap();
            y = r.activation_slope(output, y, kind).unwrap();
        } else if let Some(kind) = activation {
            y = r.add(y, inputs[2]).unwrap();
            y = r.activation(y, kind).unwrap();
        }
        let mut random = Random(0x1234_5679);
        let mut fill = |n: usize| (0..n).map(|_| (random.next() as f32 - 0.5).to_bits()).collect();
        let uploads = inputs.iter().map(|&t| (t, fill(r.shape(t).len()))).collect();
        Scene {
            name: format!("product {how:?} {m}x{k}x{n} {activation:?} gated {gated}"),
            recording: Rc::new(r.finish(true, &[y])),
            uploads,
            outputs: vec![y],
            times: 1,
            tolerance: 1e-5,
        }
    };
    vec![
        // Registers: 16x16, 8x16, 16x8, 8x8, 16x4, 8x4; shared: tiles of 128, 64, 32 and 16, split or not.
        scene([260, 512, 532], TransposedA, None, false),
        scene([259, 512, 532], Plain, Some(LeakyRelu(0.2)), false),
        scene([259, 512, 532], TransposedB, Some(Tanh), true),
        scene([127, 132, 252], Plain, Some(Tanh), false),
        scene([128, 256, 256], TransposedB, Some(LeakyRelu(0.1)), true),
        scene([1023, 516, 8], TransposedB, Some(Sigmoid), true),
        scene([67, 40, 68], Plain, Some(Sigmoid), false),
        scene([68, 1000, 68], TransposedA, None, false),
        scene([1021, 36, 4], Plain, Some(LeakyRelu(0.2)), false),
        scene([509, 52, 4], TransposedB, None, false),
        scene([300, 64, 300], Plain, None, false),
        scene([1300, 68, 1284], Plain, None, false),
        scene([1300, 68, 1284], TransposedA, Some(Tanh), false),
        scene([1299, 68, 1284], TransposedB, Some(Tanh), true),
        scene([700, 68, 900], Plain, Some(LeakyRelu(0.2)), false),
        scene([700, 36, 900], TransposedB, Some(Tanh), true),
        scene([300, 36, 300], TransposedA, None, false),
        scene([64, 64, 64], TransposedB, Some(Sigmoid), false),
        // Neither.
        scene([130, 110, 61], Plain, Some(Tanh), false),
        scene([9, 3000, 5], TransposedA, None, false),
    ]
}
