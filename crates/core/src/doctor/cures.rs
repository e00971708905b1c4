//! Cures: changes of settings that fit those in force. Which failure each is for, [`RULES`](super::rules::RULES) says; what
//! they did in runs, docs/presets.md.

use crate::error::Result;
use crate::train::number;
use crate::train::presets::Preset;
use crate::train::settings::{self, Images, LOWEST_RATE, Loss, Settings};

/// A way out.
#[derive(Debug)]
pub struct Cure {
    /// A name for programs.
    pub id: &'static str,
    /// What it does, in plain words.
    pub words: &'static str,
    /// Which settings to change to what, where it fits.
    changes: fn(&Settings) -> Option<Changes>,
}

type Changes = Vec<(&'static str, String)>;

/// A cure that fits the settings in force.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Which one.
    pub cure: &'static Cure,
    /// What it changes, each a key and a value.
    pub changes: Changes,
    /// Whether it can be applied to the run as it is; if not, it needs a new one.
    pub live: bool,
    /// The settings with the changes.
    pub settings: Settings,
}

impl Offer {
    /// The changes as text: `gRate=0.004&dRate=0.002`.
    pub fn text(&self) -> String {
        let pairs: Vec<String> = self.changes.iter().map(|(key, value)| [key, "=", value].concat()).collect();
        pairs.join("&")
    }

    /// All settings as text that [`resolve`](settings::resolve) takes, for a new run.
    ///
    /// # Errors
    /// As [`Settings::text`].
    pub fn new_run(&self, preset: &Preset) -> Result<String> {
        self.settings.text(preset)
    }
}

impl Cure {
    /// The cure for these settings; none where it doesn't fit them or changes nothing.
    ///
    /// # Errors
    /// [`crate::Error::BadSetting`] where a cure of our own leaves a setting's range, which its row then refuses.
    pub fn offer(&'static self, s: &Settings) -> Result<Option<Offer>> {
        let Some(changes) = (self.changes)(s) else { return Ok(None) };
        let (mut settings, mut live) = (s.clone(), true);
        let mut kept = Vec::new();
        for (key, value) in changes {
            let row = settings::row(key)?;
            row.set(&mut settings, &value)?;
            if row.get(&settings) != row.get(s) {
                live &= !row.restart;
                kept.push((key, row.get(&settings)));
            }
        }
        Ok((!kept.is_empty()).then_some(Offer { cure: self, changes: kept, live, settings }))
    }
}

fn set(key: &'static str, value: &str) -> Option<Changes> {
    Some(vec![(key, value.into())])
}

/// A rate as text, to three digits: a tenth of 0.04 is 0.004 and not 0.0039999997.
fn rate(value: f32) -> String {
    let mut scale = 1.0f64;
    while f64::from(value) * scale < 100.0 {
        scale *= 10.0;
    }
    number::show(((f64::from(value) * scale).round() / scale) as f32)
}

/// A tenth of both rates, unless that is less than the settings take.
fn slower(s: &Settings) -> Option<Changes> {
    let rates = [s.g_rate / 10.0, s.d_rate / 10.0];
    rates.iter().all(|&rate| rate >= LOWEST_RATE).then(|| vec![("gRate", rate(rates[0])), ("dRate", rate(rates[1]))])
}

/// A penalty that is higher already stays.
fn at_least_one(gamma: f32) -> String {
    number::show(gamma.max(1.0))
}

/// Only where rates are far above those that presets have.
pub(super) static SLOWER: Cure = Cure {
    id: "slower",
    words: "Learn at a tenth of the rates.",
    changes: |s| (s.g_rate >= 0.015).then(|| slower(s))?,
};
pub(super) static D_AT_HALF: Cure = Cure {
    id: "d-at-half",
    words: "Let the discriminator learn half as fast as the generator.",
    changes: |s| (s.d_rate < s.g_rate / 2.0).then(|| vec![("dRate", rate(s.g_rate / 2.0))]),
};
pub(super) static D_AS_G: Cure = Cure {
    id: "d-as-g",
    words: "Let the discriminator learn no faster than the generator.",
    changes: |s| (s.d_rate > s.g_rate).then(|| vec![("dRate", rate(s.g_rate))]),
};
pub(super) static NON_SATURATING: Cure = Cure {
    id: "non-saturating",
    words: "A loss whose gradient doesn't vanish while the discriminator is sure.",
    changes: |s| (s.loss == Loss::Minimax).then(|| set("loss", "nonsaturating"))?,
};
pub(super) static WASSERSTEIN: Cure = Cure {
    id: "wasserstein",
    words: "A loss without probabilities: its gradient never fades.",
    changes: |s| s.loss.is_probabilistic().then(|| set("loss", "wasserstein"))?,
};
pub(super) static GRADIENT_PENALTY: Cure = Cure {
    id: "gradient-penalty",
    words: "Hold the discriminator's slope near 1.",
    changes: |s| (s.gradient_penalty == 0.0).then(|| set("gradientPenalty", "10"))?,
};
pub(super) static RELATIVISTIC: Cure = Cure {
    id: "relativistic",
    words: "Compare each fake with a real image, and make steep opinions cost.",
    changes: |s| Some(vec![("loss", "relativistic".into()), ("r1", at_least_one(s.r1)), ("r2", at_least_one(s.r2))]),
};
pub(super) static DEVIATION: Cure = Cure {
    id: "minibatch-deviation",
    words: "Tell the discriminator how much the images of a batch differ.",
    changes: |_| set("minibatchDeviation", "on"),
};
pub(super) static ALL_IMAGES: Cure = Cure {
    id: "all-images",
    words: "Train on all images.",
    changes: |s| (s.images == Images::Thousand).then(|| set("images", "60000"))?,
};
pub(super) static R1: Cure = Cure {
    id: "r1",
    words: "Make the discriminator pay for being steep around real images.",
    changes: |s| (s.r1 < 10.0).then(|| set("r1", "10"))?,
};
pub(super) static TRANSLATION: Cure = Cure {
    id: "translation",
    words: "Move all that the discriminator sees at random, so that it can't know images by heart.",
    changes: |s| (s.translate == 0).then(|| set("translate", "3"))?,
};
pub(super) static CLIP_GRADIENT: Cure = Cure {
    id: "clip-gradient",
    words: "Shorten gradients that are longer than 1.",
    changes: |s| (s.longest == 0.0).then(|| set("clipNorm", "1"))?,
};
/// Whatever they are.
pub(super) static TENTH: Cure = Cure { id: "tenth", words: "Learn at a tenth of the rates.", changes: slower };
