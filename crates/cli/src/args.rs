//! The arguments. Values of settings stay text here: the core reads them and says what it expected.

use clap::{Parser, Subcommand, ValueEnum};
use digit_forge_core::data::DIGITS;
use digit_forge_core::judge::Lesson;
use std::path::PathBuf;

/// Trains a GAN that forges handwritten digits.
#[derive(Debug, Parser)]
#[command(name = "digit-forge", version)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trains, and leaves grid.png, metrics.json and model.safetensors in a folder.
    Train(Order),
    /// Lists all settings, with their ranges and defaults, and the presets.
    Settings {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Times steps, their products, and how the time grows with batch and width.
    Bench(Trial),
    /// Trains several settings from several seeds, and prints what became of them as a table in Markdown.
    ///
    /// What the generated digits are, a reader says that looks for the nearest training images.
    Compare(Comparison),
    /// Trains several settings from several seeds, and prints what the doctor finds, and when, as a table in Markdown.
    Diagnose(Diagnosis),
    /// Trains the classifier that judges digits, and says how many of MNIST's test images it reads right.
    TrainJudge(Teaching),
    /// Says how good a saved model's digits are, or any other images: a report digit by digit, and distances from real ones.
    Evaluate(Examination),
    /// Fools the judge: says how many digits it still reads right when each pixel is moved a little against it.
    ///
    /// By the fast gradient sign method (Goodfellow, Shlens and Szegedy 2015), on the pinned judge.
    Fool(Trickery),
}

/// How to fool the judge.
#[derive(Debug, clap::Args)]
pub struct Trickery {
    /// How far each pixel's ink is moved, where paper is 0 and full ink 1.
    #[arg(long, value_name = "E,…", value_delimiter = ',', value_parser = strength, default_values_t = [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3])]
    pub strengths: Vec<f32>,

    /// How many images are attacked: the first ones.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub images: u32,

    /// Attacks these instead of MNIST's test images: images and labels in MNIST's format, in either order, gzipped or not.
    #[arg(long, value_names = ["IMAGES", "LABELS"], num_args = 2)]
    pub idx: Vec<PathBuf>,

    /// Turns --idx's images: EMNIST's are published with rows and columns exchanged.
    #[arg(long, requires = "idx")]
    pub transpose: bool,

    /// The folder with MNIST's test files.
    #[arg(long, value_name = "DIR", default_value = "data/mnist", env = "DIGIT_FORGE_DATA")]
    pub data: PathBuf,
}

/// What to diagnose.
#[derive(Debug, clap::Args)]
pub struct Diagnosis {
    /// Settings to train with, as for `compare`. [default: every preset]
    #[arg(long = "row", value_name = "NAME=TEXT", num_args = 1.., value_parser = name_and_text)]
    pub rows: Vec<(String, String)>,

    /// Each row is trained from the seeds 1 to N.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: u32,

    /// How many steps to train.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: u32,

    /// Steps between two examinations.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2048))]
    pub every: u32,

    /// Also tells all that is read, on stderr.
    #[arg(long)]
    pub readings: bool,

    /// What computes.
    #[arg(long, value_enum, default_value_t = EngineKind::Cpu)]
    pub engine: EngineKind,

    /// The folder with MNIST's training files, and its test files for what D thinks of images that it hasn't seen.
    #[arg(long, value_name = "DIR", default_value = "data/mnist", env = "DIGIT_FORGE_DATA")]
    pub data: PathBuf,
}

/// How to teach a judge.
#[derive(Debug, clap::Args)]
pub struct Teaching {
    /// Where all random numbers start.
    #[arg(long, value_name = "S", default_value_t = Lesson::PINNED.seed)]
    pub seed: u32,

    /// How many batches of 64 images it learns from. The learning rate falls to 0 over them.
    #[arg(long, value_name = "N", default_value_t = Lesson::PINNED.steps, value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: u32,

    /// The file for its weights.
    #[arg(long, value_name = "FILE", default_value = "judge.safetensors")]
    pub out: PathBuf,

    /// What computes. Runs on the CPU engine repeat bit for bit on the same kind of processor.
    #[arg(long, value_enum, default_value_t = EngineKind::Cpu)]
    pub engine: EngineKind,

    /// The folder with MNIST's training and test files.
    #[arg(long, value_name = "DIR", default_value = "data/mnist", env = "DIGIT_FORGE_DATA")]
    pub data: PathBuf,
}

/// What to compare.
#[derive(Debug, clap::Args)]
pub struct Comparison {
    /// Settings to train with, as in the page's address: `mild=preset=quick&gRate=0.001`. A preset's name alone means
    /// that preset. [default: every preset]
    #[arg(long = "row", value_name = "NAME=TEXT", num_args = 1.., value_parser = name_and_text)]
    pub rows: Vec<(String, String)>,

    /// Each row is trained from the seeds 1 to N.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: u32,

    /// Reads after so many steps.
    #[arg(long, value_name = "N", num_args = 1.., default_values_t = [250, 500, 1000], value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Vec<u32>,

    /// Generated images that are read each time.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = sample_count)]
    pub samples: usize,

    /// What the table tells [default: all of it]
    #[arg(long, value_enum, value_name = "COLUMN", num_args = 1..)]
    pub columns: Vec<Column>,

    /// What computes.
    #[arg(long, value_enum, default_value_t = EngineKind::Cpu)]
    pub engine: EngineKind,

    /// Also writes all figures there, of each seed.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Also writes the grid of each reading there.
    #[arg(long, value_name = "DIR")]
    pub grids: Option<PathBuf>,

    /// The folder with MNIST's training files, and its test files for what D thinks of images that it hasn't seen.
    #[arg(long, value_name = "DIR", default_value = "data/mnist", env = "DIGIT_FORGE_DATA")]
    pub data: PathBuf,
}

/// What to evaluate.
#[derive(Debug, clap::Args)]
pub struct Examination {
    /// A folder that `train` has left, or a checkpoint's file.
    #[arg(value_name = "DIR|CHECKPOINT", required_unless_present = "idx", conflicts_with = "idx")]
    pub model: Option<PathBuf>,

    /// Evaluates these two files instead: images and labels in MNIST's format, in either order, gzipped or not.
    #[arg(long, value_names = ["IMAGES", "LABELS"], num_args = 2)]
    pub idx: Vec<PathBuf>,

    /// Turns --idx's images: EMNIST's are published with rows and columns exchanged.
    #[arg(long, requires = "idx", conflicts_with = "model")]
    pub transpose: bool,

    /// How many images the model generates, as many of each digit where it can be told which. Distances depend on it: they
    /// are published for 10000. [default: 6000]
    #[arg(long, value_name = "N", value_parser = sample_count, conflicts_with = "idx")]
    pub samples: Option<usize>,

    /// How the figures are written.
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Form::Text)]
    pub report: Form,

    /// Also trains a classifier on the images, and one on as many real ones, and reads the test images with both: the
    /// classification accuracy score. A model generates 60000 images for it. Takes minutes.
    #[arg(long)]
    pub cas: bool,

    /// Batches of 64 images that each of the two learns from.
    #[arg(long, value_name = "N", default_value_t = 3000, requires = "cas", value_parser = clap::value_parser!(u32).range(1..))]
    pub cas_steps: u32,

    /// What generates. The judge always runs on the CPU.
    #[arg(long, value_enum, default_value_t = EngineKind::Cpu)]
    pub engine: EngineKind,

    /// The folder with MNIST's training and test files.
    #[arg(long, value_name = "DIR", default_value = "data/mnist", env = "DIGIT_FORGE_DATA")]
    pub data: PathBuf,
}

/// How figures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Tables for people.
    Text,
    /// One object.
    Json,
}

/// What to time.
#[derive(Debug, clap::Args)]
pub struct Trial {
    /// What computes.
    #[arg(long, value_enum, default_value_t = EngineKind::Cpu)]
    pub engine: EngineKind,

    /// How long to measure, without what is made once. Rounds are 50 ms, and shorter if this is below a minute.
    #[arg(long, value_name = "S", default_value = "120", value_parser = seconds)]
    pub seconds: f64,

    /// Only these parts, in all of the time.
    #[arg(long, value_enum, value_name = "PART", num_args = 1..)]
    pub only: Vec<Part>,

    /// Steps with these settings instead of `quick`'s and a dense GAN's, as in the page's address: `batch=32&gChannels=4`.
    #[arg(long, value_name = "TEXT")]
    pub settings: Option<String>,

    /// Also writes all figures there.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// A part of `bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Whole steps beside their products.
    Steps,
    /// Each operation of a step, alone.
    Operations,
    /// Products beside what the machine can do.
    Products,
    /// Steps of growing batches and widths.
    Scaling,
}

/// A column of what `compare` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Column {
    /// Of training.
    Seconds,
    /// Arithmetic of the training's products.
    Tflop,
    /// The share of images that are read as the digit asked for.
    Agreement,
    /// The harmonic mean of precision and recall, averaged over the digits.
    F1,
    /// The lowest digit's agreement.
    Weakest,
    /// The Fréchet distance from the test images in the judge's features.
    Fd,
    /// How densely images lie among the test images in these, and how many of the test images are met.
    Density,
    Coverage,
    /// Entropy of the digits read, in nats: 2.30 where all ten are equally frequent, 0 where there is only one.
    H,
    /// The rarest digit's share.
    Rarest,
    /// How much images of one digit differ, relative to real ones. Noise counts as well.
    Spread,
    /// How far images are from the nearest of 2,000 training images, relative to real ones.
    Distance,
    /// The share of images that are closer to one of the first 1,000 training images than to any of the next 1,000.
    Copies,
    /// D's mean opinion of training images, a probability or a score.
    Training,
    /// Of test images.
    Test,
    /// Of fakes.
    Fakes,
    /// The furthest from 0 that D's opinion of a batch has been since the line above.
    Furthest,
}

/// What to train.
#[derive(Debug, clap::Args)]
pub struct Order {
    /// The settings to start from; `digit-forge settings` lists them [default: quick]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,

    /// What computes.
    #[arg(long, value_enum, default_value_t = EngineKind::Cpu)]
    pub engine: EngineKind,

    /// How many steps to train; with --resume, how many more.
    #[arg(long, value_name = "N", default_value_t = 3000)]
    pub steps: u32,

    /// Where all random numbers start: the same as `--set seed=S`.
    #[arg(long, value_name = "S", allow_hyphen_values = true)]
    pub seed: Option<String>,

    /// Settings that differ from the preset's.
    #[arg(long = "set", value_name = "KEY=VALUE", num_args = 1.., value_parser = key_and_value)]
    pub changes: Vec<(String, String)>,

    /// The folder for the results; with --resume, where it isn't given, the same one.
    #[arg(long, value_name = "DIR", required_unless_present = "resume")]
    pub out: Option<PathBuf>,

    /// Goes on with the run in this folder, with its settings. Only gRate and dRate can be --set then.
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,

    /// Also generates this many digits, as many of each, in MNIST's own format.
    #[arg(long, value_name = "N", value_parser = sample_count)]
    pub samples: Option<usize>,

    /// Looks after the run: every 250 steps, tells in plain words what is wrong and what may help. Where values are no numbers
    /// any more, it goes back to before that, once, and on at a tenth of the rates.
    #[arg(long)]
    pub doctor: bool,

    /// The folder with MNIST's training files.
    #[arg(long, value_name = "DIR", default_value = "data/mnist", env = "DIGIT_FORGE_DATA")]
    pub data: PathBuf,

    /// Trains on these two files instead: images and labels in MNIST's format, in either order, gzipped or not.
    #[arg(long, value_names = ["IMAGES", "LABELS"], num_args = 2)]
    pub idx: Vec<PathBuf>,

    /// Turns --idx's images: EMNIST's are published with rows and columns exchanged.
    #[arg(long, requires = "idx")]
    pub transpose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// Runs everywhere.
    Cpu,
    /// Vulkan, Metal or Direct3D 12.
    Gpu,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.into(), value.into()))
}

fn name_and_text(text: &str) -> Result<(String, String), String> {
    let (name, settings) = match text.split_once('=') {
        Some((name, settings)) => (name, settings.to_owned()),
        None => (text, format!("preset={text}")),
    };
    // A name is a part of a file's name, too.
    let plain = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err("expected NAME=TEXT, the name of letters, digits, spaces, '-', '_' and '.'".into());
    }
    Ok((name.into(), settings))
}

/// They lie in memory together: 784 MB, and four times that at 56 pixels.
const MOST_SAMPLES: usize = 1_000_000;

fn sample_count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|n| (1..=MOST_SAMPLES).contains(n) && n.is_multiple_of(DIGITS));
    count.ok_or_else(|| {
        format!("expected a positive multiple of {DIGITS}, as many of each digit, and at most {MOST_SAMPLES}")
    })
}

fn strength(text: &str) -> Result<f32, String> {
    let strength = text.parse().ok().filter(|e| (0.0..=1.0).contains(e));
    strength.ok_or_else(|| "expected a number from 0 to 1".into())
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|s: &f64| (0.0..=86_400.0).contains(s) && *s > 0.0);
    seconds.ok_or_else(|| "expected a number of seconds, at most a day's".into())
}
