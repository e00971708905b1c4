//! Every setting, described once: key, kind, default, group, label, help. The struct, the page's controls, the URL, the
//! command line and the validation all follow from these rows. To add one, add a row.

pub use super::choices::{
    ActivationKind, Architecture, Condition, DNorm, DOptimizer, Falling, GNorm, Images, Loss, OptimizerKind, Size,
    Toggle, Upsampling,
};
use super::presets::{PRESETS, Preset};
use super::values::{Kind, Value, Widths};
use crate::error::{Error, Result};

/// When a change takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// At the next step.
    Live,
    /// In a new run.
    Restart,
}

/// A case in which a setting matters: where another one has one of these values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct When {
    /// The other setting.
    pub key: &'static str,
    /// Its values.
    pub values: &'static [&'static str],
}

/// A group of settings.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Its key.
    pub key: &'static str,
    /// For people.
    pub label: &'static str,
}

/// The groups, in order.
pub static GROUPS: &[Group] = &[
    Group { key: "data", label: "Data" },
    Group { key: "model", label: "Model" },
    Group { key: "loss", label: "Loss and penalties" },
    Group { key: "training", label: "Training" },
];

/// A setting's description.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// As it stands in a URL and on the command line.
    pub key: &'static str,
    /// The key of its group.
    pub group: &'static str,
    /// Its name.
    pub label: &'static str,
    /// What it does, in a sentence or two.
    pub help: &'static str,
    /// Its range.
    pub kind: Kind,
    /// Its value where no preset says otherwise.
    pub default: &'static str,
    /// Whether a change starts a new run.
    pub restart: bool,
    /// When it matters: in any of these cases, or always if there are none.
    pub when: &'static [When],
    get: fn(&Settings) -> String,
    set: fn(&mut Settings, &str, &Kind) -> Result<(), String>,
}

impl Row {
    /// Its value in `settings`, as text.
    pub fn get(&self, settings: &Settings) -> String {
        (self.get)(settings)
    }

    /// Sets it from text.
    ///
    /// # Errors
    /// [`Error::BadSetting`] that says what was expected.
    pub fn set(&self, settings: &mut Settings, text: &str) -> Result<()> {
        (self.set)(settings, text, &self.kind).map_err(|why| Error::BadSetting {
            key: self.key.into(),
            value: text.into(),
            why,
        })
    }
}

macro_rules! settings {
    ($($field:ident: $type:ty = $key:literal, $default:literal, $kind:expr, $group:literal, $effect:ident, $when:expr,
        $label:literal, $help:literal;)+) => {
        /// What a run is made from. One field for each row of [`ROWS`].
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings { $(#[doc = $help] pub $field: $type),+ }

        /// Every setting.
        pub static ROWS: &[Row] = &[$(Row {
            key: $key,
            group: $group,
            label: $label,
            help: $help,
            kind: $kind,
            default: $default,
            restart: matches!(Effect::$effect, Effect::Restart),
            when: $when,
            get: |s| s.$field.show(),
            set: |s, text, kind| { s.$field = Value::read(text, kind)?; Ok(()) },
        }),+];

        impl Settings {
            /// Each row's default.
            ///
            /// # Errors
            /// If a row's default is outside its own range; a test holds that none is.
            fn defaults() -> Result<Settings, String> {
                Ok(Settings { $($field: Value::read($default, &$kind)?),+ })
            }
        }
    };
}

const CONV: &[When] = &[When { key: "network", values: &["conv"] }];
const MLP: &[When] = &[When { key: "network", values: &["mlp"] }];
const LEAKY: &[When] =
    &[When { key: "gActivation", values: &["leaky"] }, When { key: "dActivation", values: &["leaky"] }];
const HEARD: &[When] = &[When { key: "condition", values: &["projection", "concat"] }];
const MINIMAX: &[When] = &[When { key: "loss", values: &["minimax"] }];
const LABELLED: &[When] = &[When { key: "loss", values: &["nonsaturating", "minimax", "leastsquares"] }];
const FALLING: &[When] = &[When { key: "schedule", values: &["linear", "cosine"] }];
const ADAM: &[When] =
    &[When { key: "optimizer", values: &["adam", "adamw"] }, When { key: "dOptimizer", values: &["adam", "adamw"] }];
const ADAPTIVE: &[When] = &[
    When { key: "optimizer", values: &["adam", "adamw", "rmsprop"] },
    When { key: "dOptimizer", values: &["adam", "adamw", "rmsprop"] },
];
const ADAMW: &[When] = &[When { key: "optimizer", values: &["adamw"] }, When { key: "dOptimizer", values: &["adamw"] }];
const SGD: &[When] = &[When { key: "optimizer", values: &["sgd"] }, When { key: "dOptimizer", values: &["sgd"] }];

/// The lowest learning rate.
pub const LOWEST_RATE: f32 = 1e-6;

const RATE: Kind = Kind::Number { min: LOWEST_RATE, max: 1.0, log: true };
const PENALTY: Kind = Kind::Number { min: 0.0, max: 100.0, log: false };
const CHANNELS: Kind = Kind::Integer { min: 1, max: 64 };
const DEPTH: Kind = Kind::Integer { min: 1, max: 3 };
const WIDTHS: Kind = Kind::Widths { most: 6, max: 2048 };

settings! {
    images: Images = "images", "60000", Kind::Choice { choices: Images::CHOICES }, "data", Restart, &[],
        "Training images", "How many images of the data set are used; all, where it has fewer.";
    batch: u32 = "batch", "16", Kind::Integer { min: 1, max: 1024 }, "data", Restart, &[],
        "Batch size", "Real images, and as many fakes, that the discriminator sees in a step.";
    seed: u32 = "seed", "1", Kind::Integer { min: 0, max: u32::MAX }, "data", Restart, &[],
        "Seed", "Where all random numbers start: weights, noise, the order of images. The same seed gives the same run.";
    architecture: Architecture = "network", "conv", Kind::Choice { choices: Architecture::CHOICES }, "model", Restart, &[],
        "Networks", "What generator and discriminator are made of.";
    size: Size = "size", "28", Kind::Choice { choices: Size::CHOICES }, "model", Restart, &[],
        "Image size", "Pixels along each side. For 56 the real images are enlarged, and convolutional networks have a layer more each.";
    g_channels: u32 = "gChannels", "8", CHANNELS, "model", Restart, CONV,
        "Generator channels", "Feature maps of the layer before the image; each one before has twice as many.";
    d_channels: u32 = "dChannels", "8", CHANNELS, "model", Restart, CONV,
        "Discriminator channels", "Feature maps of the layer at the image; each one after has twice as many.";
    g_depth: u32 = "gDepth", "1", DEPTH, "model", Restart, CONV,
        "Generator depth", "Layers at each size of the feature maps: one that makes them larger, then convolutions of 3×3.";
    d_depth: u32 = "dDepth", "1", DEPTH, "model", Restart, CONV,
        "Discriminator depth", "Layers at each size of the feature maps: one that halves them, then convolutions of 3×3.";
    upsampling: Upsampling = "upsampling", "transposed", Kind::Choice { choices: Upsampling::CHOICES }, "model", Restart,
        CONV,
        "Upsampling", "How the generator's feature maps become larger.";
    g_widths: Widths = "gWidths", "256,512", WIDTHS, "model", Restart, MLP,
        "Generator widths", "Hidden layers of the generator, from the noise to the image.";
    d_widths: Widths = "dWidths", "512,256", WIDTHS, "model", Restart, MLP,
        "Discriminator widths", "Hidden layers of the discriminator, from the image to its opinion.";
    noise: u32 = "noise", "64", Kind::Integer { min: 1, max: 1024 }, "model", Restart, &[],
        "Noise dimensions", "Length of the random vector that the generator turns into an image.";
    g_norm: GNorm = "gNorm", "none", Kind::Choice { choices: GNorm::CHOICES }, "model", Restart, &[],
        "Generator norm", "What keeps the values between the generator's layers in range.";
    d_norm: DNorm = "dNorm", "none", Kind::Choice { choices: DNorm::CHOICES }, "model", Restart, &[],
        "Discriminator norm", "What keeps the discriminator's layers in range. A spectral norm holds each weight matrix to a stretch of 1.";
    g_activation: ActivationKind = "gActivation", "relu", Kind::Choice { choices: ActivationKind::CHOICES }, "model", Restart, &[],
        "Generator activation", "What the generator's hidden layers do to each value.";
    d_activation: ActivationKind = "dActivation", "leaky", Kind::Choice { choices: ActivationKind::CHOICES }, "model", Restart, &[],
        "Discriminator activation", "What the discriminator's hidden layers do to each value.";
    dropout: f32 = "dropout", "0", Kind::Number { min: 0.0, max: 0.9, log: false }, "model", Restart, &[],
        "Dropout", "The share of its features that the discriminator must do without, others each time.";
    spread: Toggle = "minibatchDeviation", "off", Kind::Choice { choices: Toggle::CHOICES }, "model", Restart, &[],
        "Minibatch deviation", "The discriminator is told how much the images of a batch differ, so that it sees when fakes are all alike.";
    pack: u32 = "pack", "1", Kind::Integer { min: 1, max: 8 }, "model", Restart, &[],
        "Packing", "So many images are judged together as one, real or fake, so that fakes that are too alike give themselves away.";
    slope: f32 = "slope", "0.2", Kind::Number { min: 0.0, max: 1.0, log: false }, "model", Restart, LEAKY,
        "Leaky slope", "Slope of the leaky ReLU for negative values.";
    condition: Condition = "condition", "projection", Kind::Choice { choices: Condition::CHOICES }, "model", Restart, &[],
        "Labels", "How the networks learn which digit to draw. Without labels the grid's columns mean nothing.";
    label_scale: f32 = "labelScale", "5", Kind::Number { min: 0.0, max: 100.0, log: false }, "model", Restart,
        HEARD,
        "Label scale", "How loudly the generator hears the label beside the noise.";
    loss: Loss = "loss", "nonsaturating", Kind::Choice { choices: Loss::CHOICES }, "loss", Restart, &[],
        "Loss", "What the two networks minimise. With minimax the generator learns little while its fakes are easily told.";
    lambda: f32 = "lambda", "1", Kind::Number { min: 0.0, max: 100.0, log: false }, "loss", Restart, MINIMAX,
        "λ", "Weight of the generator's minimax term.";
    smoothing: f32 = "smoothing", "0", Kind::Number { min: 0.0, max: 0.5, log: false }, "loss", Restart,
        LABELLED,
        "Label smoothing", "How far below 1 the discriminator aims for real images, so that it is never quite sure.";
    r1: f32 = "r1", "0", PENALTY, "loss", Restart, &[],
        "R1 penalty", "What the discriminator pays for being steep around real images; keeps its lead small.";
    r2: f32 = "r2", "0", PENALTY, "loss", Restart, &[],
        "R2 penalty", "The same around fakes.";
    gradient_penalty: f32 = "gradientPenalty", "0", PENALTY, "loss", Restart, &[],
        "Gradient penalty", "What the discriminator pays where its slope between real images and fakes isn't 1 (WGAN-GP).";
    clip: f32 = "clip", "0", Kind::Number { min: 0.0, max: 1.0, log: false }, "loss", Restart, &[],
        "Weight clipping", "No weight of the discriminator may be further from 0 than this; 0 leaves them free.";
    blur: f32 = "instanceNoise", "0", Kind::Number { min: 0.0, max: 2.0, log: false }, "loss", Restart, &[],
        "Instance noise", "How much noise lies on all that the discriminator sees at first, so that trifles don't give fakes away.";
    blur_steps: u32 = "instanceNoiseSteps", "2000", Kind::Integer { min: 1, max: 1_000_000 }, "loss", Restart, &[],
        "Noise fades over", "After so many steps the instance noise is gone.";
    translate: u32 = "translate", "0", Kind::Integer { min: 0, max: 8 }, "loss", Restart, &[],
        "Translation", "All that the discriminator sees is moved by up to so many pixels at random, so that few images teach it longer.";
    replay: u32 = "replay", "0", Kind::Integer { min: 0, max: 10_000 }, "loss", Restart, &[],
        "Replay", "Keeps so many old fakes, and shows the discriminator one of them instead of every second new one; its opinion of fakes is of both.";
    optimizer: OptimizerKind = "optimizer", "adam", Kind::Choice { choices: OptimizerKind::CHOICES }, "training", Restart, &[],
        "Optimiser", "How weights follow their gradients.";
    d_optimizer: DOptimizer = "dOptimizer", "same", Kind::Choice { choices: DOptimizer::CHOICES }, "training", Restart, &[],
        "Discriminator's optimiser", "How the discriminator's weights follow theirs.";
    g_rate: f32 = "gRate", "0.004", RATE, "training", Live, &[],
        "Generator's learning rate", "How far the generator's weights move in a step.";
    d_rate: f32 = "dRate", "0.002", RATE, "training", Live, &[],
        "Discriminator's learning rate", "How far the discriminator's weights move in a step.";
    schedule: Falling = "schedule", "constant", Kind::Choice { choices: Falling::CHOICES }, "training", Restart, &[],
        "Rates over time", "Whether the learning rates fall, so that the networks come to rest.";
    schedule_steps: u32 = "scheduleSteps", "10000", Kind::Integer { min: 1, max: 1_000_000 }, "training", Restart,
        FALLING,
        "Steps until rest", "After so many steps the learning rates are 0.";
    warmup: u32 = "warmup", "0", Kind::Integer { min: 0, max: 100_000 }, "training", Restart, &[],
        "Warm-up", "Steps over which the learning rates rise from 0 at the start.";
    beta1: f32 = "beta1", "0.5", Kind::Number { min: 0.0, max: 0.9999, log: false }, "training", Restart, ADAM,
        "β₁", "How long Adam remembers the direction of gradients.";
    beta2: f32 = "beta2", "0.999", Kind::Number { min: 0.0, max: 0.99999, log: false }, "training", Restart, ADAPTIVE,
        "β₂", "How long the optimiser remembers the size of gradients.";
    weight_decay: f32 = "weightDecay", "0.01", Kind::Number { min: 0.0, max: 1.0, log: false }, "training", Restart, ADAMW,
        "Weight decay", "What every weight loses of itself in a step, over the learning rate.";
    momentum: f32 = "momentum", "0", Kind::Number { min: 0.0, max: 0.9999, log: false }, "training", Restart, SGD,
        "Momentum", "How long SGD keeps its direction.";
    longest: f32 = "clipNorm", "0", Kind::Number { min: 0.0, max: 1000.0, log: false }, "training", Restart, &[],
        "Gradient clipping", "A network's gradient that is longer than this is shortened to it; 0 leaves it as it is.";
    d_steps: u32 = "dSteps", "1", Kind::Integer { min: 1, max: 10 }, "training", Restart, &[],
        "D steps per G step", "How often the discriminator learns before the generator does once.";
    average: f32 = "average", "0.995", Kind::Number { min: 0.0, max: 0.9999, log: false }, "training", Restart, &[],
        "Moving average", "The grid shows a moving average of the generator's weights with this decay; 0 shows them as they are.";
}

/// Settings as they came out of a text, with what was wrong in it.
#[derive(Debug)]
pub struct Resolved {
    /// The preset that they start from.
    pub preset: &'static Preset,
    /// Valid in any case: a bad entry leaves the preset's value.
    pub settings: Settings,
    /// A line for each bad entry: its key, its value, and the error.
    pub errors: Vec<(String, String, Error)>,
}

impl Settings {
    /// The values of a preset.
    ///
    /// # Errors
    /// [`Error::BadSetting`] where a preset of our own is wrong.
    pub fn of(preset: &Preset) -> Result<Settings> {
        let bad = |why| Error::BadSetting { key: preset.name.into(), value: "default".into(), why };
        let mut settings = Settings::defaults().map_err(bad)?;
        for (key, value) in preset.values {
            row(key)?.set(&mut settings, value)?;
        }
        Ok(settings)
    }

    /// The values that differ from the preset's, as key and text.
    ///
    /// # Errors
    /// As [`Settings::of`].
    pub fn changed(&self, preset: &Preset) -> Result<Vec<(&'static str, String)>> {
        let base = Settings::of(preset)?;
        Ok(ROWS.iter().filter(|r| r.get(self) != r.get(&base)).map(|r| (r.key, r.get(self))).collect())
    }

    /// The shortest text that [`resolve`] turns into these settings: the preset and what differs from it.
    ///
    /// # Errors
    /// As [`Settings::of`].
    pub fn text(&self, preset: &Preset) -> Result<String> {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.append_pair("preset", preset.name);
        text.extend_pairs(self.changed(preset)?);
        Ok(text.finish())
    }
}

/// The row of a key.
///
/// # Errors
/// [`Error::UnknownSetting`], with the nearest key if there is one.
pub fn row(key: &str) -> Result<&'static Row> {
    ROWS.iter().find(|r| r.key == key).ok_or_else(|| Error::UnknownSetting { key: key.into(), nearest: nearest(key) })
}

fn nearest(key: &str) -> Option<&'static str> {
    let key = key.to_ascii_lowercase();
    let mut nearest = (3, None);
    for known in ROWS.iter().map(|r| r.key).chain(["preset"]) {
        let distance = strsim::osa_distance(&known.to_ascii_lowercase(), &key);
        if distance < nearest.0 {
            nearest = (distance, Some(known));
        }
    }
    nearest.1
}

/// The preset of a name.
///
/// # Errors
/// [`Error::BadSetting`] that lists the presets.
pub fn preset(name: &str) -> Result<&'static Preset> {
    PRESETS.iter().find(|p| p.name == name).ok_or_else(|| {
        let names: Vec<&str> = PRESETS.iter().map(|p| p.name).collect();
        Error::BadSetting {
            key: "preset".into(),
            value: name.into(),
            why: format!("expected one of {}", names.join(" ")),
        }
    })
}

/// Reads a text like `preset=quick&batch=32` (a URL's query or fragment, percent-encoded). The preset may stand
/// anywhere; of a key given twice the last one counts.
///
/// # Errors
/// Only where a preset of our own is wrong. What is wrong in the text is listed in the result.
pub fn resolve(text: &str) -> Result<Resolved> {
    let text = text.trim_start_matches(['#', '?']);
    let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
    let mut errors = Vec::new();
    let mut chosen = &PRESETS[0];
    for (key, value) in pairs.iter().filter(|(key, _)| key == "preset") {
        match preset(value) {
            Ok(preset) => chosen = preset,
            Err(error) => errors.push((key.to_string(), value.to_string(), error)),
        }
    }
    let mut settings = Settings::of(chosen)?;
    for (key, value) in pairs.iter().filter(|(key, _)| key != "preset") {
        if let Err(error) = row(key).and_then(|row| row.set(&mut settings, value)) {
            errors.push((key.to_string(), value.to_string(), error));
        }
    }
    Ok(Resolved { preset: chosen, settings, errors })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_and_presets_are_within_their_ranges() {
        Settings::defaults().unwrap();
        for preset in PRESETS {
            Settings::of(preset).unwrap_or_else(|e| panic!("{}: {e}", preset.name));
        }
    }

    #[test]
    fn keys_groups_and_conditions_are_consistent() {
        for (i, row) in ROWS.iter().enumerate() {
            assert!(ROWS[..i].iter().all(|r| r.key != row.key), "{} twice", row.key);
            assert!(GROUPS.iter().any(|g| g.key == row.group), "{}: no group {}", row.key, row.group);
            for when in row.when {
                let other = super::row(when.key).unwrap();
                let Kind::Choice { choices } = other.kind else { panic!("{} depends on no choice", row.key) };
                assert!(when.values.iter().all(|v| choices.iter().any(|c| c.value == *v)), "{}", row.key);
            }
        }
    }

    #[test]
    fn text_comes_back_as_the_same_settings() {
        let first = resolve("#batch=32&preset=primer-case&gRate=1e-3&gWidths=64%2C32&seed=4294967295").unwrap();
        assert!(first.errors.is_empty(), "{:?}", first.errors);
        let text = first.settings.text(first.preset).unwrap();
        assert_eq!(text, "preset=primer-case&batch=32&seed=4294967295&gWidths=64%2C32&gRate=0.001");
        let second = resolve(&text).unwrap();
        assert_eq!(first.settings, second.settings);
        assert_eq!(first.preset.name, second.preset.name);
        let zero = resolve("clip=-0&slope=0.20").unwrap();
        assert_eq!(zero.settings.text(zero.preset).unwrap(), "preset=quick");
    }

    #[test]
    fn bad_entries_are_named_and_change_nothing() {
        let quick = Settings::of(&PRESETS[0]).unwrap();
        for (text, key, said) in [
            ("batch=0", "batch", "whole number from 1 to 1024"),
            ("batch=16.5", "batch", "whole number"),
            ("gRate=NaN", "gRate", "number from"),
            ("gRate=inf", "gRate", "number from"),
            ("gRate=-1", "gRate", "number from"),
            ("dRate=", "dRate", "number from"),
            ("loss=wgan", "loss", "nonsaturating minimax"),
            ("gWidths=12,0", "gWidths", "widths from 1 to"),
            ("gWidths=1,1,1,1,1,1,1", "gWidths", "at most 6"),
            ("preset=quack", "preset", "quick"),
            ("bach=3", "bach", "did you mean `batch`"),
            ("qwertyuiop=3", "qwertyuiop", "unknown setting"),
            ("seed=4294967296", "seed", "whole number"),
            ("seed=-1", "seed", "whole number"),
        ] {
            let resolved = resolve(text).unwrap();
            assert_eq!(resolved.settings, quick, "{text}");
            let [(named, _, error)] = resolved.errors.as_slice() else { panic!("{text}: {:?}", resolved.errors) };
            assert_eq!(named, key);
            assert!(error.to_string().contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn only_learning_rates_change_live() {
        let live: Vec<&str> = ROWS.iter().filter(|r| !r.restart).map(|r| r.key).collect();
        assert_eq!(live, ["gRate", "dRate"]);
    }
}
