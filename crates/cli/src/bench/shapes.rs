//! Which products are timed by themselves.

use digit_forge_core::ops::product::Orientation::{self, Plain, TransposedA, TransposedB};

/// A product's extents `[m, k, n]`, its orientation, and what it is.
pub type Product = ([usize; 3], Orientation, String);

/// Sides of the square ones.
const SQUARES: [usize; 7] = [64, 128, 256, 512, 1024, 2048, 4096];
/// The MLP GAN's extents, layer by layer (see `MLP` in `bench.rs`), and its batch.
const GENERATOR: [usize; 4] = [100, 256, 512, 784];
const DISCRIMINATOR: [usize; 4] = [784, 512, 256, 1];
const BATCH: usize = 64;

/// The squares, then the MLP GAN's own in the order of its step.
pub fn all() -> Vec<Product> {
    let mut all: Vec<Product> = SQUARES.iter().map(|&n| ([n, n, n], Plain, "square".into())).collect();
    let mut own = |rows: usize, widths: &[usize], who: &str, forward: bool, weights: bool, first_inner: usize| {
        let layers: Vec<[usize; 2]> = widths.windows(2).map(|w| [w[0], w[1]]).collect();
        if forward {
            all.extend(
                layers.iter().enumerate().map(|(i, &[k, n])| ([rows, k, n], Plain, format!("{who}{i} forward"))),
            );
        }
        for (i, &[inputs, outputs]) in layers.iter().enumerate().rev() {
            if weights {
                all.push(([inputs, rows, outputs], TransposedA, format!("{who}{i} weights")));
            }
            if i >= first_inner {
                all.push(([rows, outputs, inputs], TransposedB, format!("{who}{i} inputs")));
            }
        }
    };
    own(BATCH, &GENERATOR, "G", true, true, 1);
    // Real and fake rows as one batch; then the fakes alone, back to the image and not to the weights.
    own(2 * BATCH, &DISCRIMINATOR, "D", true, true, 1);
    own(BATCH, &DISCRIMINATOR, "D", true, false, 0);
    all
}

/// `784×512 · 512×256` with a mark at a transposed operand.
pub fn written(&([m, k, n], how, _): &Product) -> String {
    let mark = |transposed| if transposed { "ᵀ" } else { "" };
    let (a, b) = (mark(how == TransposedA), mark(how == TransposedB));
    format!("{m}×{k}{a} · {k}×{n}{b}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::MLP;
    use digit_forge_core::bench::Workload;
    use digit_forge_core::train::settings::resolve;

    #[test]
    fn the_gans_own_products_are_those_of_its_step() {
        let step = Workload::bare_products(&resolve(MLP).unwrap().settings).unwrap();
        let own = all().into_iter().skip(SQUARES.len()).map(|([m, k, n], ..)| 2 * (m * k * n) as u64);
        assert_eq!(own.sum::<u64>(), step.flops());
    }
}
