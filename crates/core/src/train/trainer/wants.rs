//! The trainer asked what its discriminator wants. Nothing of it is recorded or compiled before the first question, and no
//! answer changes the run.

use super::later::Later;
use super::{Trainer, Weights};
use crate::engine::Pending;
use crate::error::Result;
use crate::models::wants::Wish;
use std::rc::Rc;

impl Trainer {
    /// Samples the grid by these weights, and tells how D's logit follows from each pixel of each fake, under D's weights as
    /// they are: `[rows · 10, P]`, above 0 where more ink would make the fake more real to D. See
    /// [`Gan::wishes`](crate::models::gan::Gan::wishes) for what a logit is of. The first call records and compiles what it
    /// needs.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where the grid isn't made of whole packs, and [`crate::Error::Gpu`] where the device refuses.
    pub fn wants(&mut self, weights: Weights) -> Result<Pending<Vec<f32>>> {
        let (wish, checked) = self.wish(weights)?;
        let (grid, _) = self.grid_of(weights);
        let engine = self.engine.get();
        engine.run(&[grid, wish.program], 1)?;
        let gradient = engine.download(wish.gradient);
        Ok(Box::pin(async move {
            checked.await?;
            Ok(gradient.await?.into_iter().map(f32::from_bits).collect())
        }))
    }

    /// Records what is asked for, if it isn't yet. What is pending says whether the device takes it.
    fn wish(&mut self, weights: Weights) -> Result<(Wish, Pending<()>)> {
        let checked = match &self.wishes {
            Some(wishes) => wishes.taken(),
            None => {
                let wishes = self.gan.wishes(&self.latest, true)?;
                let recording = Rc::clone(&wishes.recording);
                let (wishes, checked) = self.take_up(&recording, wishes)?;
                self.wishes = Some(wishes);
                checked
            }
        };
        let Some(Later { programs, .. }) = &self.wishes else { unreachable!("they are recorded") };
        let wish = match (weights, programs.raw) {
            (Weights::Raw, Some(raw)) => raw,
            _ => programs.averaged,
        };
        Ok((wish, checked))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TINY, TINY_MLP, constructions, gpu_trainer, save, trainer};
    use super::*;

    use crate::engine::{block_on, gpu};
    use crate::error::Error;

    fn wants(trainer: &mut Trainer, weights: Weights) -> Vec<f32> {
        block_on(trainer.wants(weights).unwrap()).unwrap()
    }

    /// The sum of D's logits of a grid that the host wrote.
    fn opinion(trainer: &mut Trainer, images: &[f32]) -> f64 {
        let wish = trainer.wishes.as_ref().unwrap().programs.averaged;
        let words: Vec<u32> = images.iter().map(|v| v.to_bits()).collect();
        let grid = trainer.gan.grid_images;
        let engine = trainer.engine.get();
        engine.upload(grid, 0, &words).unwrap();
        engine.run(&[wish.program], 1).unwrap();
        let logits = block_on(engine.download(wish.logits)).unwrap();
        logits.into_iter().map(|w| f64::from(f32::from_bits(w))).sum()
    }

    fn length(values: &[f32]) -> f32 {
        values.iter().map(|v| v * v).sum::<f32>().sqrt()
    }

    fn apart(a: &[f32], b: &[f32]) -> f32 {
        length(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
    }

    /// Along a direction in which all pixels of a grid move together, and for one image alone.
    #[test]
    fn what_d_wants_is_the_slope_of_its_logit() {
        for (i, text) in constructions().iter().enumerate() {
            let text = format!("{}&batch=6&{text}", if i % 3 == 2 { TINY_MLP } else { TINY });
            let mut trainer = trainer(&text);
            trainer.run(10).unwrap();
            let gradient = wants(&mut trainer, Weights::Averaged);
            let (program, images) = trainer.grid_of(Weights::Averaged);
            trainer.engine.get().run(&[program], 1).unwrap();
            let images: Vec<f32> =
                block_on(trainer.engine.get().download(images)).unwrap().into_iter().map(f32::from_bits).collect();
            assert_eq!(gradient.len(), images.len(), "{text}");
            let pixels = trainer.image().pixels();
            for which in [0..80, 13..14] {
                let direction: Vec<f32> = (0..images.len())
                    .map(|at| if which.contains(&(at / pixels)) { gradient[at] } else { 0.0 })
                    .collect();
                let slope = length(&direction);
                assert!(slope > 0.0, "{text}: {which:?}");
                let mut along = |step: f32| {
                    let moved: Vec<f32> = images.iter().zip(&direction).map(|(x, d)| x + step / slope * d).collect();
                    opinion(&mut trainer, &moved)
                };
                let step = 3e-3;
                let found = ((along(step) - along(-step)) / f64::from(2.0 * step)) as f32;
                assert!((found / slope - 1.0).abs() < 0.03, "{text}: {which:?}: {found}, {slope}");
            }
        }
    }

    #[test]
    fn a_run_whose_d_is_asked_is_the_run_whose_d_is_not() {
        for (i, text) in constructions().iter().enumerate() {
            let text = format!("{}&batch=6&{text}", if i % 3 == 2 { TINY_MLP } else { TINY });
            let (mut alone, mut asked) = (trainer(&text), trainer(&text));
            alone.run(6).unwrap();
            for round in 0..3 {
                // Whoever is asked first, doctor's programs and these don't get in each other's way.
                if round == 1 {
                    block_on(asked.vitals().unwrap()).unwrap();
                }
                for weights in [Weights::Averaged, Weights::Raw] {
                    let first = wants(&mut asked, weights);
                    assert!(first.iter().all(|v| v.is_finite()) && first == wants(&mut asked, weights), "{text}");
                }
                asked.run(2).unwrap();
            }
            assert!(save(&mut alone) == save(&mut asked), "{text}");
            assert_eq!(block_on(alone.images().unwrap()).unwrap(), block_on(asked.images().unwrap()).unwrap());
            assert_eq!(block_on(alone.metrics()).unwrap(), block_on(asked.metrics()).unwrap());
        }
    }

    #[test]
    fn vitals_are_the_same_before_and_after_d_was_asked() {
        let (mut first, mut second) = (trainer(TINY), trainer(TINY));
        let before = block_on(first.vitals().unwrap()).unwrap();
        let wanted = wants(&mut second, Weights::Raw);
        assert_eq!(before, block_on(second.vitals().unwrap()).unwrap());
        assert_eq!(wanted, wants(&mut first, Weights::Raw));
    }

    #[test]
    fn each_generator_has_wishes_of_its_own_and_without_an_average_there_is_one() {
        let mut two = trainer(TINY);
        two.run(20).unwrap();
        assert_ne!(wants(&mut two, Weights::Averaged), wants(&mut two, Weights::Raw));
        let mut one = trainer(&format!("{TINY}&average=0"));
        one.run(20).unwrap();
        assert_eq!(wants(&mut one, Weights::Averaged), wants(&mut one, Weights::Raw));
    }

    #[test]
    fn packs_that_the_grid_is_not_made_of_are_refused() {
        let text = format!("{TINY}&batch=6&pack=3");
        let Err(error) = trainer(&text).wants(Weights::Averaged) else { panic!("it was answered") };
        assert!(matches!(error, Error::Shape { op: "pack", .. }), "{error}");
    }

    #[test]
    fn the_gpu_wants_what_the_cpu_wants() {
        let Some(context) = gpu::test_context() else { return };
        for text in [
            "",
            "pack=2&dNorm=batch&minibatchDeviation=on",
            "condition=none&dNorm=layer",
            "condition=map&dropout=0.3&translate=2",
            "size=56",
            "network=mlp&gWidths=12&dWidths=11",
        ] {
            let text = format!("{TINY}&batch=6&{text}");
            let mut on_cpu = trainer(&text);
            let mut on_gpu = gpu_trainer(&context, &text);
            on_cpu.run(3).unwrap();
            on_gpu.run(3).unwrap();
            for weights in [Weights::Averaged, Weights::Raw] {
                let [a, b] = [&mut on_cpu, &mut on_gpu].map(|t| wants(t, weights));
                assert!(apart(&a, &b) < 5e-3 * length(&a), "{text}: {} of {}", apart(&a, &b), length(&a));
            }
            on_gpu.run(2).unwrap();
            let mut alone = gpu_trainer(&context, &text);
            alone.run(5).unwrap();
            assert!(save(&mut alone) == save(&mut on_gpu), "{text}");
        }
    }
}
