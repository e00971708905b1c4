//! What can be wrong with a run: a row each, the gravest first. A rule measures something, and speaks once that has been
//! beyond its threshold for long enough. Thresholds lie between what the broken presets and what `quick` and `robust` showed
//! over five seeds (`digit-forge diagnose`); their sources are named where they aren't ours.

use super::course::Course;
use super::cures::{
    ALL_IMAGES, CLIP_GRADIENT, Cure, D_AS_G, D_AT_HALF, DEVIATION, GRADIENT_PENALTY, NON_SATURATING, R1, RELATIVISTIC,
    SLOWER, TENTH, TRANSLATION, WASSERSTEIN,
};
use super::symptoms::Symptoms;
use crate::models::vitals::Vitals;

/// On which side of the threshold it is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Above it.
    Above,
    /// Below it.
    Below,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// A name for programs.
    pub id: &'static str,
    /// A name for people.
    pub label: &'static str,
    /// What is measured.
    pub measure: &'static str,
    /// Where it becomes bad.
    pub threshold: f32,
    /// On which side of that.
    pub side: Side,
    /// What has happened, and why that is bad.
    pub reason: &'static str,
    /// Earlier it says nothing: a young run is allowed to look so.
    pub from: u32,
    /// It speaks after so many bad readings in a row…
    pub readings: u32,
    /// …over so many steps.
    pub lasting: u32,
    /// What may help, the likeliest first.
    pub cures: &'static [&'static Cure],
    /// Whether symptoms bring what it measures.
    pub(super) needs: fn(&Symptoms) -> bool,
    /// The measure; none where the rule doesn't apply.
    pub(super) value: fn(&Course) -> Option<f32>,
}

impl Rule {
    /// The measure, and whether it is bad. Of what is no number one rule speaks, and no other.
    pub(super) fn check(&self, course: &Course) -> Option<(f32, bool)> {
        let value = (self.value)(course).filter(|value| !value.is_nan())?;
        let bad = match self.side {
            Side::Above => value > self.threshold,
            Side::Below => value < self.threshold,
        };
        Some((value, bad))
    }
}

fn vitals(s: &Symptoms) -> bool {
    s.vitals.is_some()
}

fn samples(s: &Symptoms) -> bool {
    s.samples.is_some()
}

fn accuracy(s: &Symptoms) -> Option<f32> {
    s.vitals.as_ref().map(Vitals::accuracy)
}

/// D's accuracy over the last readings, of which one alone says little: it is of a batch.
fn recent_accuracy(course: &Course) -> Option<f32> {
    course.mean(3, accuracy)
}

/// G's gradient below which nothing moves. Runs that learn have 0.5 and more; minimax, when it saturates, a ten-thousandth.
const VANISHED: f32 = 1e-2;

/// All of them. What a rule says first, others don't take back: several can be true.
pub static RULES: &[Rule] = &[
    Rule {
        id: "not-finite",
        label: "No numbers any more",
        measure: "Numbers among losses, logits and gradients that aren't finite: 1 where there are any",
        threshold: 0.5,
        side: Side::Above,
        reason: "A value grew beyond all bounds, and everything computed from it is no number. No step can mend that: the run has to go back.",
        from: 0,
        readings: 1,
        lasting: 0,
        cures: &[&TENTH, &CLIP_GRADIENT, &GRADIENT_PENALTY],
        needs: |_| true,
        value: |course| {
            let now = course.now()?;
            let broken = now.broke.is_some() || now.vitals.as_ref().is_some_and(|v| !v.is_finite());
            Some(if broken { 1.0 } else { 0.0 })
        },
    },
    Rule {
        id: "exploding",
        label: "Exploding gradients",
        measure: "The length of the longer of both networks' gradients, averaged over three readings",
        threshold: 1000.0,
        side: Side::Above,
        reason: "The gradients grow a hundredfold and more. Each step throws the weights somewhere else instead of leading them down.",
        from: 0,
        readings: 2,
        lasting: 100,
        cures: &[&SLOWER, &GRADIENT_PENALTY, &CLIP_GRADIENT],
        needs: vitals,
        value: |course| course.mean(3, |s| s.vitals.as_ref().map(|v| v.d_gradient.max(v.g_gradient))),
    },
    Rule {
        id: "saturated",
        label: "Discriminator saturated",
        measure: "The share of pairs of a real image and a fake that the discriminator puts in the right order, averaged over three readings",
        threshold: 0.99,
        side: Side::Above,
        reason: "The discriminator is sure of every image, and the generator gets nowhere: whatever it tries is found out, and it isn't told what would be better.",
        from: 300,
        readings: 3,
        lasting: 200,
        cures: &[&NON_SATURATING, &SLOWER, &D_AS_G, &WASSERSTEIN],
        needs: vitals,
        value: |course| {
            let stuck = course.illegible() || course.vitals()?.g_gradient < VANISHED;
            stuck.then(|| recent_accuracy(course))?
        },
    },
    Rule {
        id: "weak",
        label: "Discriminator too weak",
        measure: "The share of pairs of a real image and a fake that the discriminator puts in the right order, averaged over three readings",
        threshold: 0.1,
        side: Side::Below,
        reason: "The discriminator takes what is no digit for more real than digits, so nothing asks the generator for digits.",
        from: 300,
        readings: 3,
        lasting: 200,
        cures: &[&D_AT_HALF, &RELATIVISTIC],
        needs: vitals,
        value: |course| course.illegible().then(|| recent_accuracy(course))?,
    },
    Rule {
        id: "noise-ignored",
        label: "Noise ignored",
        measure: "How far apart the images of two noises are, for each unit that the noises are apart",
        threshold: 0.1,
        side: Side::Below,
        reason: "The generator draws the same image whatever noise it is given.",
        from: 200,
        readings: 3,
        lasting: 200,
        cures: &[&SLOWER, &D_AT_HALF, &RELATIVISTIC, &DEVIATION],
        needs: vitals,
        value: |course| Some(course.vitals()?.noise_effect),
    },
    Rule {
        id: "alike",
        label: "All alike within a digit",
        measure: "How much images of one digit differ, relative to real ones",
        threshold: 0.65,
        side: Side::Below,
        reason: "The digits can be read and all ten are there, but those of one kind are the same image over and over: mode collapse within each class, which neither losses nor a histogram show.",
        from: 300,
        readings: 3,
        lasting: 200,
        cures: &[&D_AT_HALF, &RELATIVISTIC, &DEVIATION],
        needs: samples,
        value: |course| course.samples().filter(|s| s.legible())?.within,
    },
    Rule {
        id: "dropped",
        label: "Dropped digits",
        measure: "The rarest digit's share of the samples",
        threshold: 0.02,
        side: Side::Below,
        reason: "A digit has gone missing. The generator draws those that fool the discriminator and leaves the others out.",
        from: 300,
        readings: 3,
        lasting: 200,
        cures: &[&SLOWER, &D_AT_HALF, &RELATIVISTIC, &DEVIATION],
        needs: samples,
        value: |course| course.was_legible().then(|| course.samples().map(super::symptoms::Samples::rarest))?,
    },
    Rule {
        id: "rotating",
        label: "Rotating modes",
        measure: "The share of the samples that change their digit from one reading to the next, averaged over four",
        threshold: 0.35,
        side: Side::Above,
        reason: "The generator draws few digits at a time and always others: it flees from the discriminator, which follows, instead of learning all of them.",
        from: 500,
        readings: 3,
        lasting: 300,
        cures: &[&SLOWER, &D_AT_HALF, &RELATIVISTIC, &DEVIATION],
        needs: samples,
        value: |course| course.was_legible().then(|| course.turning(4))?,
    },
    Rule {
        id: "runaway",
        label: "Logits running away",
        measure: "The discriminator's furthest logit from 0, averaged over three readings",
        threshold: 60.0,
        side: Side::Above,
        reason: "Nothing bounds the discriminator's scores, and they grow and drift. Neither they nor the losses say any more how good the digits are, and the digits grow alike.",
        from: 300,
        readings: 3,
        lasting: 200,
        cures: &[&GRADIENT_PENALTY, &R1, &RELATIVISTIC],
        needs: vitals,
        value: |course| {
            // A probability that is sure has large logits, too; that is another rule's.
            let sure = course.settings.loss.is_probabilistic() && recent_accuracy(course).is_none_or(|a| a > 0.98);
            if sure { None } else { course.mean(3, |s| s.vitals.as_ref().map(Vitals::furthest)) }
        },
    },
    Rule {
        id: "memorising",
        label: "Learning by heart",
        measure: "How often the discriminator prefers a training image to one that it has never seen, or how often a sample's nearest real image is one that was trained on, averaged over three readings; half where nothing is known by heart",
        threshold: 0.6,
        side: Side::Above,
        reason: "The discriminator knows its training images by heart, and so the generator learns to copy them: the digits look better and better, and are not its own.",
        from: 300,
        readings: 3,
        lasting: 200,
        cures: &[&ALL_IMAGES, &R1, &TRANSLATION],
        needs: |s| s.memory.is_some(),
        value: |course| {
            let preference = course.mean(3, |s| s.memory.map(|m| m.preference));
            let copies = course.mean(3, |s| s.memory.and_then(|m| m.copies));
            preference.into_iter().chain(copies).reduce(f32::max)
        },
    },
];

/// The rule of this name.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
