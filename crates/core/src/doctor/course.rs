//! The course of a run: its newest symptoms, and what follows from several of them.

use super::symptoms::{Samples, Symptoms};
use crate::models::vitals::Vitals;
use crate::train::settings::Settings;

/// Readings that are remembered of each kind: what is read seldom isn't lost among the rest.
const REMEMBERED: usize = 8;

/// See the module's head.
#[derive(Debug)]
pub struct Course {
    /// The settings in force.
    pub settings: Settings,
    /// Newest first, as long as they bring something that is remembered.
    symptoms: Vec<Symptoms>,
    /// The step at which the samples were digits first.
    legible_since: Option<u32>,
}

/// How many readings symptoms bring of each kind: vitals, samples, memory.
fn brought(s: &Symptoms) -> [usize; 3] {
    [s.vitals.is_some(), s.samples.is_some(), s.memory.is_some()].map(usize::from)
}

impl Course {
    pub(super) fn new(settings: Settings) -> Self {
        Course { settings, symptoms: Vec::new(), legible_since: None }
    }

    pub(super) fn add(&mut self, symptoms: Symptoms) {
        if symptoms.samples.as_ref().is_some_and(Samples::legible) {
            self.legible_since.get_or_insert(symptoms.step);
        }
        let mut newer = brought(&symptoms);
        self.symptoms.retain(|s| {
            // A run that went back goes on from there.
            if s.step >= symptoms.step {
                return false;
            }
            let mut kept = false;
            for (newer, one) in newer.iter_mut().zip(brought(s)) {
                kept |= one > 0 && *newer < REMEMBERED;
                *newer += one;
            }
            kept
        });
        self.symptoms.insert(0, symptoms);
    }

    /// Forgets all but the settings, and whether the samples were digits by this step, to which the run went back.
    pub(super) fn back_to(&mut self, step: u32) {
        self.symptoms.clear();
        self.legible_since = self.legible_since.filter(|&since| since <= step);
    }

    /// The newest symptoms.
    pub(super) fn now(&self) -> Option<&Symptoms> {
        self.symptoms.first()
    }

    pub(super) fn vitals(&self) -> Option<&Vitals> {
        self.now()?.vitals.as_ref()
    }

    /// The newest samples.
    pub(super) fn samples(&self) -> Option<&Samples> {
        self.symptoms.iter().find_map(|s| s.samples.as_ref())
    }

    /// Whether the samples have been digits before this step.
    pub(super) fn was_legible_by(&self, step: u32) -> bool {
        self.legible_since.is_some_and(|since| since < step)
    }

    /// Whether they have ever been.
    pub(super) fn was_legible(&self) -> bool {
        self.legible_since.is_some()
    }

    /// Whether the newest samples are known to be no digits: a reader that can tell says so.
    pub(super) fn illegible(&self) -> bool {
        let told = |s: &Samples| s.agreement.is_some() || s.certainty.is_some();
        self.samples().is_some_and(|s| told(s) && !s.legible())
    }

    /// The mean of a number over the newest `count` symptoms that have it: none where there are fewer.
    pub(super) fn mean(&self, count: usize, of: impl Fn(&Symptoms) -> Option<f32>) -> Option<f32> {
        let values: Vec<f32> = self.symptoms.iter().filter_map(of).take(count).collect();
        (values.len() == count).then(|| values.iter().sum::<f32>() / count as f32)
    }

    /// How far the histograms of the newest `count + 1` samples turn from one to the next, on average.
    pub(super) fn turning(&self, count: usize) -> Option<f32> {
        let samples: Vec<&Samples> = self.symptoms.iter().filter_map(|s| s.samples.as_ref()).take(count + 1).collect();
        (samples.len() > count).then(|| samples.windows(2).map(|w| w[0].turned(w[1])).sum::<f32>() / count as f32)
    }
}
