//! The next batch of images, in a shuffled order, from packed bytes on the device.
//!
//! No table of the order is kept or sent. Each image of each batch has a position in the run, and a position leads to
//! an image by arithmetic on integers alone, the same on both engines ([`position_to_index`]): a Feistel network is a
//! permutation whatever its round function is, so every epoch sees each image exactly once; seed and epoch are its
//! key. Its domain is the smallest of an even number of bits that holds `n`; an image past `n` is sent through again
//! until one below comes out (*cycle walking*: Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). It has
//! 8 bits at least: below, the few round functions that there are favour some orders.
//!
//! The schedule lets training start before all images have arrived:
//! - If there are more than `first`, an *opening pass* goes once over the `first` images, in whole batches.
//! - From then on, epochs go over all `total` images. An epoch's last batch runs on into the next epoch.
//! - While `available < total`, those epochs go over the first `first` images again instead, so that training never
//!   waits for the download. A run whose last images arrive after the opening pass depends on when they do; one whose
//!   images are all there by then is repeatable.
//!
//! The host starts once `first` images (or all, if there are fewer) have arrived. Positions are 32-bit: the schedule
//! starts over after 2³² images, which is 70,000 epochs of 60,000.

use super::tick::Lane;
use super::{Adapter, Kernel, Op, params, shader};
use crate::engine::cpu::wide;
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Shape, Tensor};

/// What is drawn, batch after batch, as [`Lane::Draws`] counts them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batch {
    /// Images in a batch.
    pub size: usize,
    /// Pixels of an image, a multiple of 4.
    pub pixels: usize,
    /// Images that the opening pass uses, at least 1.
    pub first: u32,
    /// Images in all, at least 1.
    pub total: u32,
    /// The pixel that a byte of 0 becomes; one of 255 becomes 2 more.
    pub paper: f32,
}

impl Batch {
    /// Positions of the opening pass.
    pub(super) fn opening(&self) -> u32 {
        let size = self.size as u32;
        if self.total > self.first { self.first / size * size } else { 0 }
    }
}

/// Which image has this position in the run of `seed`, while `available` images have arrived. Batch `d`, counted from
/// 0, has the positions from `d * size` on.
pub fn position_to_index(batch: &Batch, seed: u32, available: u32, position: u32) -> u32 {
    let Batch { first, total, .. } = *batch;
    let opening = batch.opening();
    if position < opening {
        return shuffled(position, first, seed, 0);
    }
    let n = if available < total && first < total { first } else { total };
    let since = position - opening;
    shuffled(since % n, n, seed, since / n + 1)
}

/// Where a shuffle of `n` things puts `position`.
fn shuffled(position: u32, n: u32, seed: u32, epoch: u32) -> u32 {
    const ROUNDS: u32 = 6;
    let key = scramble(seed ^ scramble(epoch.wrapping_add(0x9e37_79b9)));
    let half_bits = ((33 - (n - 1).leading_zeros()) / 2).max(4);
    let mask = (1 << half_bits) - 1;
    let mut x = position;
    loop {
        let (mut left, mut right) = (x >> half_bits, x & mask);
        for round in 0..ROUNDS {
            let swapped = left ^ (scramble(right ^ scramble(key.wrapping_add(round))) & mask);
            (left, right) = (right, swapped);
        }
        x = left << half_bits | right;
        if x < n {
            return x;
        }
    }
}

/// A hash of one word onto another (`lowbias32`: Wellons, "Prospecting for hash functions", 2018).
fn scramble(mut x: u32) -> u32 {
    x = (x ^ x >> 16).wrapping_mul(0x7feb_352d);
    x = (x ^ x >> 15).wrapping_mul(0x846c_a68b);
    x ^ x >> 16
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Gather {
    pub images: Tensor,
    pub labels: Tensor,
    pub available: Tensor,
    pub clock: Tensor,
    /// The batch's pixels and labels.
    pub y: [Tensor; 2],
    pub batch: Batch,
}

params! { size: u32, words: u32, first: u32, total: u32, opening: u32, draws: u32, seed: u32, paper: f32 }

impl Recorder {
    /// The batch after those that [`Lane::Draws`] has counted, which is ticked later: pixels `[B, pixels]`, and labels `[B]` as integers.
    ///
    /// `images` holds a byte for each pixel, four to a word, the first in its lowest bits, and `labels` a byte for each
    /// image likewise; `available [1]` says how many images have arrived.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes don't fit, or the clock is none.
    pub fn gather(
        &mut self,
        images: Tensor,
        labels: Tensor,
        available: Tensor,
        clock: Tensor,
        batch: Batch,
    ) -> Result<(Tensor, Tensor)> {
        let op = "gather";
        self.check_clock(op, clock)?;
        let Batch { size, pixels, first, total, .. } = batch;
        if size == 0 || pixels == 0 || !pixels.is_multiple_of(4) || first == 0 || total == 0 {
            let shape = Shape(vec![size, pixels]);
            return Err(Error::Shape { op, shape, why: "a batch has images, and an image a multiple of 4 pixels" });
        }
        let total = total as usize;
        for (tensor, words, why) in [
            (images, total * pixels / 4, "a word for each four pixels is needed"),
            (labels, total.div_ceil(4), "a word for each four labels is needed"),
            (available, 1, "one number is needed"),
        ] {
            let info = self.info(tensor);
            if info.dtype != DType::U32 || info.shape.len() != words {
                return Err(Error::Shape { op, shape: info.shape.clone(), why });
            }
        }
        let y = [self.result(op, [size, pixels], DType::F32), self.result("labels", [size], DType::U32)];
        self.push(Gather { images, labels, available, clock, y, batch })?;
        Ok((y[0], y[1]))
    }
}

impl Op for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.images, self.labels, self.available, self.clock]
    }

    fn writes(&self) -> Vec<Tensor> {
        self.y.to_vec()
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let words = |i: usize| bytemuck::cast_slice::<f32, u32>(x[i]);
        let (images, packed_labels, available, clock) = (words(0), words(1), words(2)[0], words(3));
        let [pixels, labels] = y else { unreachable!("gather writes pixels and labels") };
        let labels: &mut [u32] = bytemuck::cast_slice_mut(labels);

        let start = Lane::Draws.of(clock).wrapping_mul(self.batch.size as u32);
        let (stride, paper) = (self.batch.pixels / 4, self.batch.paper);
        for ((i, row), label) in (0..).zip(pixels.chunks_exact_mut(self.batch.pixels)).zip(labels) {
            let image = position_to_index(&self.batch, Lane::Seed.of(clock), available, start.wrapping_add(i)) as usize;
            let words = &images[image * stride..][..stride];
            wide(|| {
                for (values, word) in row.as_chunks_mut::<4>().0.iter_mut().zip(words) {
                    *values = word.to_le_bytes().map(|byte| f32::from(byte) / 127.5 + paper);
                }
            });
            *label = u32::from(packed_labels[image / 4].to_le_bytes()[image % 4]);
        }
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let Batch { size, pixels, first, total, paper } = self.batch;
        let params = Params {
            size: size as u32,
            words: (pixels / 4) as u32,
            first,
            total,
            opening: self.batch.opening(),
            draws: Lane::Draws as u32,
            seed: Lane::Seed as u32,
            paper,
        };
        let workgroups = [size as u32, 1, 1];
        Kernel {
            shader: shader!("gather", "shuffle"),
            entry: "gather",
            constants: vec![],
            params: params.bytes(),
            workgroups,
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("gather", Params::layout())
}

/// A recorded batch over made-up images, at this count of draws, with `available` images there.
#[cfg(test)]
fn scene(batch: Batch, seed: u32, draws: u32, available: u32) -> super::check::Scene {
    use super::tick::LANES;
    let Batch { size, pixels, total, .. } = batch;
    let bytes = |n: usize| -> Vec<u32> { (0..n.div_ceil(4) as u32).map(scramble).collect() };
    let (image_words, label_words) = (bytes(total as usize * pixels), bytes(total as usize));
    let mut r = Recorder::new();
    r.begin("scene");
    let images = r.input("images", [image_words.len()], DType::U32);
    let labels = r.input("labels", [label_words.len()], DType::U32);
    let arrived = r.input("available", [1], DType::U32);
    let clock = r.input("clock", [LANES], DType::U32);
    let (x, digits) = r.gather(images, labels, arrived, clock, batch).unwrap();
    super::check::Scene {
        name: format!("gather {size} of {total}, draw {draws}"),
        recording: r.finish(true, &[x, digits]).into(),
        uploads: vec![
            (images, image_words),
            (labels, label_words),
            (arrived, vec![available]),
            (clock, vec![draws, 0, 0, 0, seed, 0, 0, 0]),
        ],
        outputs: vec![x, digits],
        times: 1,
        tolerance: 1e-6,
    }
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    let batch = Batch { size: 7, pixels: 12, first: 30, total: 101, paper: -1.0 };
    vec![
        scene(batch, 1, 3, 30),
        scene(batch, 1, 5, 50),
        scene(batch, 1, 70, 101),
        scene(batch, 0xffff_0001, u32::MAX, 101),
        scene(Batch { total: 13, ..batch }, 2, 9, 13),
        scene(Batch { size: 33, pixels: 784, first: 100, total: 200, paper: 0.0 }, 3, 40, 200),
        scene(Batch { size: 1, pixels: 4, first: 1, total: 1, paper: -1.0 }, 4, 1, 1),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::check::{assert_close, floats};
    use super::super::tick::LANES;
    use super::*;

    #[test]
    fn every_epoch_visits_each_image_once() {
        for (n, size) in [(1, 3), (2, 1), (5, 2), (16, 5), (17, 4), (1000, 64), (10_000, 33), (60_000, 64)] {
            let batch = Batch { size, pixels: 4, first: n, total: n, paper: -1.0 };
            for epoch in 0..3 {
                let mut visits = vec![0; n as usize];
                for position in epoch * n..(epoch + 1) * n {
                    visits[position_to_index(&batch, 5, n, position) as usize] += 1;
                }
                assert!(visits.iter().all(|&v| v == 1), "epoch {epoch} of {n}");
            }
        }
    }

    fn order(n: u32, seed: u32, epoch: u32) -> Vec<u32> {
        (0..n).map(|p| shuffled(p, n, seed, epoch)).collect()
    }

    #[test]
    fn another_epoch_or_seed_has_another_order() {
        let base = order(1000, 5, 1);
        for (seed, epoch) in [(5, 2), (6, 1), (1, 5), (u32::MAX, 1)] {
            let same = order(1000, seed, epoch).iter().zip(&base).filter(|(a, b)| a == b).count();
            // Unrelated orders agree in one place on average.
            assert!(same < 8, "{same} of 1000 at seed {seed}, epoch {epoch}");
        }
    }

    /// Pearson's statistic of equally likely outcomes, in standard deviations from what it should be.
    fn chi_squared(counts: &[u32]) -> f64 {
        let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
        let statistic: f64 = counts.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum();
        let freedom = counts.len() as f64 - 1.0;
        (statistic - freedom) / (2.0 * freedom).sqrt()
    }

    #[test]
    fn every_order_of_a_few_is_about_as_likely() {
        let mut counts = std::collections::HashMap::<Vec<u32>, u32>::new();
        for epoch in 0..120 * 200 {
            *counts.entry(order(5, 3, epoch)).or_default() += 1;
        }
        let counts: Vec<u32> = counts.into_values().collect();
        assert_eq!(counts.len(), 120);
        assert!(chi_squared(&counts) < 5.0, "{counts:?}");
    }

    #[test]
    fn an_image_comes_at_any_position_and_after_any_other() {
        let n = 10;
        let (mut at, mut after) = (vec![0; 100], vec![0; 90]);
        for epoch in 0..20_000 {
            let order = order(n, 9, epoch);
            for (position, &image) in order.iter().enumerate() {
                at[position * 10 + image as usize] += 1;
            }
            for pair in order.windows(2) {
                let (a, b) = (pair[0] as usize, pair[1] as usize);
                after[a * 9 + b - usize::from(b > a)] += 1;
            }
        }
        assert!(chi_squared(&at) < 5.0, "{at:?}");
        assert!(chi_squared(&after) < 5.0, "{after:?}");
    }

    #[test]
    fn neighbours_in_the_order_are_unrelated_images() {
        let n = 60_000;
        let order = order(n, 1, 1);
        let centred = |&i: &u32| (f64::from(i) + 0.5) / f64::from(n) - 0.5;
        for lag in [1, 2, 64, 256] {
            let product: f64 = order.iter().zip(&order[lag..]).map(|(a, b)| centred(a) * centred(b)).sum();
            let correlation = product * 12.0 / f64::from(n);
            assert!(correlation.abs() * f64::from(n).sqrt() < 4.0, "lag {lag}: {correlation}");
        }
    }

    #[test]
    fn the_opening_pass_ends_with_its_last_whole_batch() {
        let batch = Batch { size: 7, pixels: 4, first: 30, total: 101, paper: -1.0 };
        let index = |available, position| position_to_index(&batch, 1, available, position);
        let mut opening: Vec<u32> = (0..28).map(|p| index(30, p)).collect();
        assert_eq!(opening, (0..28).map(|p| index(101, p)).collect::<Vec<_>>(), "independent of the download");
        opening.sort_unstable();
        opening.dedup();
        assert!(opening.len() == 28 && opening.iter().all(|&i| i < 30));

        let epoch = |available, n: u32| {
            let mut images: Vec<u32> = (28..28 + n).map(|p| index(available, p)).collect();
            images.sort_unstable();
            images
        };
        assert_eq!(epoch(100, 30), (0..30).collect::<Vec<_>>(), "still waiting");
        assert_eq!(epoch(101, 101), (0..101).collect::<Vec<_>>(), "all there");
    }

    #[test]
    fn copies_the_pixels_and_labels_of_the_images_it_names() {
        let batch = Batch { size: 7, pixels: 12, first: 30, total: 101, paper: -1.0 };
        for (draws, available) in [(0, 30), (3, 30), (4, 100), (4, 101), (39, 101)] {
            let scene = scene(batch, 8, draws, available);
            let outputs = scene.on_cpu();
            let bytes = |upload: usize| -> &[u8] { bytemuck::cast_slice(&scene.uploads[upload].1) };
            for i in 0..7 {
                let image = position_to_index(&batch, 8, available, draws * 7 + i as u32) as usize;
                let expected: Vec<f64> =
                    bytes(0)[image * 12..][..12].iter().map(|&b| f64::from(b) / 127.5 - 1.0).collect();
                assert_close("pixels", &floats(&outputs[0][i * 12..][..12]), &expected, 1e-7);
                assert_eq!(outputs[1][i], u32::from(bytes(1)[image]));
            }
        }
    }

    #[test]
    fn refuses_data_of_another_size() {
        let mut r = Recorder::new();
        r.begin("test");
        let clock = r.input("clock", [LANES], DType::U32);
        let images = r.input("images", [10 * 3], DType::U32);
        let labels = r.input("labels", [3], DType::U32);
        let available = r.input("available", [1], DType::U32);
        let batch = Batch { size: 4, pixels: 12, first: 10, total: 10, paper: -1.0 };
        let mut gather = |batch| r.gather(images, labels, available, clock, batch);
        assert!(gather(batch).is_ok());
        for wrong in [
            Batch { total: 11, ..batch },
            Batch { pixels: 16, ..batch },
            Batch { pixels: 10, ..batch },
            Batch { size: 0, ..batch },
            Batch { first: 0, ..batch },
        ] {
            assert!(matches!(gather(wrong), Err(Error::Shape { op: "gather", .. })), "{wrong:?}");
        }
    }
}
