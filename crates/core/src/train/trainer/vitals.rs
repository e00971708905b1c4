//! The trainer asked how it is: what only the doctor wants to know. Nothing of it is recorded or compiled before the first
//! question, and no answer changes the run.

use super::later::Later;
use super::{Runner, Trainer};
use crate::data::IMAGE;
use crate::engine::Pending;
use crate::error::{Error, Result};
use crate::models::vitals::Vitals;
use std::rc::Rc;

impl Trainer {
    /// D's logits, both gradients, and what the noise does, on the batch that the next step will draw, under the weights as
    /// they are. The first call records and compiles what it needs.
    ///
    /// # Errors
    /// [`Error::Data`] where the first step lacks images, too, and [`Error::Gpu`] where the device refuses.
    pub fn vitals(&mut self) -> Result<Pending<Vitals>> {
        self.ready()?;
        let checked = self.watch()?;
        let Some(Later { programs: probe, .. }) = &self.watch else { unreachable!("it is watched") };
        let (vitals, logits, sums, step) = (probe.vitals, probe.logits, probe.sums, self.steps);
        let engine = self.engine.get();
        engine.run(&[vitals], 1)?;
        let (logits, sums) = (engine.download(logits), engine.download(sums));
        Ok(Box::pin(async move {
            checked.await?;
            Ok(Vitals::read(step, &logits.await?, &sums.await?))
        }))
    }

    /// D's logits of real images, under the weights as they are: `pixels` `[N, 784]`, ink = 255, and the digits `[N]`. With
    /// packing one for each pack. What doesn't fill the last of the batches that D takes is left out; see
    /// [`Trainer::opinions_at_a_time`].
    ///
    /// # Errors
    /// [`Error::Data`] where pixels and labels don't belong together or don't fill a batch, and [`Error::Gpu`] where the
    /// device refuses.
    pub fn opinions(&mut self, pixels: &[u8], labels: &[u8]) -> Result<Pending<Vec<f32>>> {
        let rows = self.opinions_at_a_time();
        if pixels.len() != labels.len() * IMAGE.pixels() || labels.len() < rows {
            let why =
                format!("{} pixels and {} labels, and {rows} images or more are needed", pixels.len(), labels.len());
            return Err(Error::Data { what: "images".into(), why });
        }
        let checked = self.watch()?;
        let Some(Later { programs: probe, .. }) = &self.watch else { unreachable!("it is watched") };
        let (program, shown, shown_labels, logits) =
            (probe.opinions, probe.shown, probe.shown_labels, probe.shown_logits);
        let engine = self.engine.get();
        let mut parts = Vec::new();
        for (pixels, labels) in pixels.chunks_exact(rows * IMAGE.pixels()).zip(labels.chunks_exact(rows)) {
            let values: Vec<u32> = pixels.iter().map(|&p| (f32::from(p) / 127.5 - 1.0).to_bits()).collect();
            let labels: Vec<u32> = labels.iter().map(|&l| l.into()).collect();
            engine.upload(shown, 0, &values)?;
            engine.upload(shown_labels, 0, &labels)?;
            engine.run(&[program], 1)?;
            parts.push(engine.download(logits));
        }
        Ok(Box::pin(async move {
            checked.await?;
            let mut all = Vec::new();
            for part in parts {
                all.extend(part.await?.into_iter().map(f32::from_bits));
            }
            Ok(all)
        }))
    }

    /// Images in a batch of [`Trainer::opinions`].
    pub fn opinions_at_a_time(&self) -> usize {
        crate::models::vitals::PACKS * self.settings.pack as usize
    }

    /// Makes what the first of these questions would have to wait for: on a GPU while the run goes on, on a CPU now.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the device refuses it.
    pub fn prepare_vitals(&mut self) -> Result<Pending<()>> {
        match &self.engine {
            Runner::Gpu(engine) if self.watch.is_none() => {
                Ok(engine.prepare(&self.gan.probe(&self.latest, &self.settings, true)?.recording))
            }
            _ => self.watch(),
        }
    }

    /// Records what is asked for, if it isn't yet. What is pending says whether the device takes it.
    fn watch(&mut self) -> Result<Pending<()>> {
        if let Some(watch) = &self.watch {
            return Ok(watch.taken());
        }
        let probe = self.gan.probe(&self.latest, &self.settings, true)?;
        let recording = Rc::clone(&probe.recording);
        let (watch, checked) = self.take_up(&recording, probe)?;
        self.watch = Some(watch);
        Ok(checked)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TINY, TINY_MLP, constructions, gpu_trainer, save, toy_data, trainer};
    use super::*;
    use crate::data::idx;
    use crate::engine::{block_on, gpu};
    use crate::train::settings::resolve;

    fn vitals(trainer: &mut Trainer) -> Vitals {
        block_on(trainer.vitals().unwrap()).unwrap()
    }

    fn toy(count: usize) -> (Vec<u8>, Vec<u8>) {
        let (images, labels) = toy_data(count);
        (idx::images("", &images).unwrap().pixels.to_vec(), idx::labels("", &labels).unwrap().to_vec())
    }

    /// A network's weights in a checkpoint, in order.
    fn weights(file: &[u8], network: &str) -> Vec<f32> {
        let tensors = safetensors::SafeTensors::deserialize(file).unwrap();
        let mut ours: Vec<_> = tensors
            .tensors()
            .into_iter()
            .filter(|(name, _)| name.starts_with(network) && [".weight", ".bias"].iter().any(|end| name.ends_with(end)))
            .collect();
        ours.sort_by(|a, b| a.0.cmp(&b.0));
        ours.iter().flat_map(|(_, t)| bytemuck::pod_collect_to_vec::<u8, f32>(t.data())).collect()
    }

    fn assert_alike(a: &Vitals, b: &Vitals, tolerance: f32, what: &str) {
        let numbers =
            |v: &Vitals| [v.real.clone(), v.fake.clone(), vec![v.d_gradient, v.g_gradient, v.noise_effect]].concat();
        for (i, (a, b)) in numbers(a).iter().zip(numbers(b)).enumerate() {
            assert!((a - b).abs() <= tolerance * (1.0 + a.abs()), "{what}: {i}: {a}, {b}");
        }
    }

    #[test]
    fn a_run_that_is_watched_is_the_run_that_is_not() {
        let shown = toy(64 * 2);
        for (i, text) in constructions().iter().enumerate() {
            let text = format!("{}&batch=6&{text}", if i % 3 == 2 { TINY_MLP } else { TINY });
            let (mut alone, mut watched) = (trainer(&text), trainer(&text));
            alone.run(6).unwrap();
            for _ in 0..3 {
                let first = vitals(&mut watched);
                assert!(first.is_finite(), "{text}: {first:?}");
                assert_eq!(first, vitals(&mut watched), "{text}");
                block_on(watched.opinions(&shown.0, &shown.1).unwrap()).unwrap();
                watched.run(2).unwrap();
            }
            assert!(save(&mut alone) == save(&mut watched), "{text}");
            assert_eq!(block_on(alone.images().unwrap()).unwrap(), block_on(watched.images().unwrap()).unwrap());
            let [alone, watched] =
                [&alone, &watched].map(|t| t.gan.recording.programs.iter().map(|p| p.ops.len()).sum::<usize>());
            assert_eq!(alone, watched);
        }
    }

    /// With plain SGD a step is the gradient times the rate, and the batch is the one that was read. (A gradient penalty draws
    /// other places.)
    #[test]
    fn gradients_are_those_of_the_next_step() {
        for (more, tolerance) in [("", 2e-3), ("&r1=3&loss=hinge", 2e-3), ("&loss=relativistic&r2=5", 2e-3)] {
            let rate = 0.001f32;
            let text = format!("{TINY}&optimizer=sgd&average=0&gRate={rate}&dRate={rate}{more}");
            let mut trainer = trainer(&text);
            trainer.run(3).unwrap();
            let read = vitals(&mut trainer);
            let before = save(&mut trainer);
            trainer.run(1).unwrap();
            let after = save(&mut trainer);
            for (network, expected) in [("discriminator", read.d_gradient), ("generator", read.g_gradient)] {
                let squares = weights(&before, network)
                    .iter()
                    .zip(weights(&after, network))
                    .map(|(a, b)| (a - b).powi(2))
                    .sum::<f32>();
                let gradient = squares.sqrt() / rate;
                // G's is of a D that has been updated in between.
                let tolerance = if network == "generator" { 0.1 } else { tolerance };
                assert!((gradient / expected - 1.0).abs() < tolerance, "{text}, {network}: {gradient}, {expected}");
            }
        }
    }

    #[test]
    fn opinions_of_the_batch_are_its_logits() {
        // The whole data set is ten images, so every batch of ten is all of it, in some order.
        let data = toy_data(10);
        let resolved = resolve("gChannels=2&dChannels=2&batch=10&noise=7").unwrap();
        let mut trainer = Trainer::cpu(resolved.preset, resolved.settings, 10).unwrap();
        trainer.add_data(&data.0, &data.1).unwrap();
        trainer.run(20).unwrap();
        let mut batch = vitals(&mut trainer).real;
        let (pixels, labels) = toy(10);
        // As often as it takes to fill what is asked at a time.
        let mut seen =
            block_on(trainer.opinions(&pixels.repeat(7), &labels.repeat(7)).unwrap()).unwrap()[..10].to_vec();
        [&mut batch, &mut seen].iter_mut().for_each(|logits| logits.sort_by(f32::total_cmp));
        for (a, b) in batch.iter().zip(&seen) {
            assert!((a - b).abs() < 1e-5, "{batch:?} {seen:?}");
        }
        assert!(trainer.opinions(&pixels, &labels).is_err());
        assert!(trainer.opinions(&pixels.repeat(7), &labels).is_err());
    }

    #[test]
    fn fused_vitals_are_the_plain_ones() {
        // The last one's chain of G and D has no room for the moments before a norm, which so are alone in one.
        let full = "size=56&gDepth=3&gNorm=layer&dNorm=batch&gChannels=4&dChannels=4".to_owned();
        for text in constructions().into_iter().chain([full]) {
            let text = format!("{TINY}&batch=6&{text}");
            let [mut fused, mut plain] = [trainer(&text), trainer(&text)];
            fused.run(4).unwrap();
            plain.run(4).unwrap();
            let probe = plain.gan.probe(&plain.latest, &plain.settings, false).unwrap();
            let recording = Rc::clone(&probe.recording);
            plain.watch = Some(plain.take_up(&recording, probe).unwrap().0);
            let [fused, plain] = [&mut fused, &mut plain].map(vitals);
            assert_alike(&plain, &fused, 1e-4, &text);
        }
    }

    #[test]
    fn the_gpu_reads_what_the_cpu_reads() {
        let Some(context) = gpu::test_context() else { return };
        let shown = toy(64 * 2);
        for text in [
            "",
            // This loss has no slope by the head's bias but what rounding leaves, of which Adam would make steps as long as any.
            "r1=1&r2=1&loss=relativistic&optimizer=sgd",
            "pack=2&gNorm=batch&dropout=0.3&translate=2",
            "gradientPenalty=10&loss=wasserstein&dNorm=layer",
            "size=56",
        ] {
            let text = format!("{TINY}&batch=6&{text}");
            let mut on_cpu = trainer(&text);
            let mut on_gpu = gpu_trainer(&context, &text);
            on_cpu.run(3).unwrap();
            let prepared = [&mut on_cpu, &mut on_gpu].map(|t| t.prepare_vitals().unwrap());
            on_gpu.run(3).unwrap();
            for pending in prepared {
                block_on(pending).unwrap();
            }
            assert_alike(&vitals(&mut on_cpu), &vitals(&mut on_gpu), 2e-3, &text);
            let [a, b] = [&mut on_cpu, &mut on_gpu].map(|t| block_on(t.opinions(&shown.0, &shown.1).unwrap()).unwrap());
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 2e-3 * (1.0 + a.abs())), "{text}");
            on_gpu.run(2).unwrap();
            let mut alone = gpu_trainer(&context, &text);
            alone.run(5).unwrap();
            assert!(save(&mut alone) == save(&mut on_gpu), "{text}");
        }
    }
}
