//! Times a training step of the dense GAN on Burn beside Digit Forge's, in turns (A B B A) in one process, on the same
//! adapter or on one thread of the processor.
//!
//! ```text
//! cargo run --release -- [gpu|cpu] [seconds] [file.json]
//! ```

mod gan;
#[path = "../../../crates/cli/src/bench/machine.rs"]
mod machine;
#[allow(dead_code, reason = "the command line needs more of it")]
#[path = "../../../crates/cli/src/bench/rounds.rs"]
mod rounds;

use burn::prelude::Device;
use digit_forge_core::data::{IMAGE, MNIST_IMAGES, idx};
use digit_forge_core::engine::block_on;
use digit_forge_core::engine::gpu::GpuContext;
use digit_forge_core::train::Trainer;
use digit_forge_core::train::settings::resolve;
use gan::Gan;
use rounds::{Median, ROUND, Turn, Work, take_turns};
use serde_json::json;
use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

const SETTINGS: &str = "network=mlp&gWidths=256,512&dWidths=512,256&noise=100&batch=64&condition=none&average=0&gActivation=leaky\
                        &gRate=0.0002&dRate=0.0002&images=10000";
/// Steps before anything is timed: Burn compares kernels and fuses operations in its first ones.
const WARM: u32 = 30;
/// Goals are stated for at least so many blocks.
const BLOCKS: usize = 10;

fn main() -> Result<(), String> {
    let mut args = std::env::args().skip(1);
    let on = args.next().unwrap_or("gpu".into());
    let seconds: f64 = args.next().map_or(Ok(60.0), |s| s.parse()).map_err(|e| format!("seconds: {e}"))?;
    let file = args.next().map_or_else(|| default_file(&on), PathBuf::from);
    let load = machine::load();

    let (pixels, labels) = made_up(10_000);
    let (device, mut trainer) = match on.as_str() {
        "gpu" => (Device::wgpu(Default::default()), on_gpu()?),
        "cpu" => (Device::flex(), on_cpu()?),
        other => return Err(format!("{other}: expected gpu or cpu")),
    };
    let files = (idx::write_images(IMAGE, &pixels), idx::write_labels(&labels));
    trainer.add_data(&files.0, &files.1).map_err(text)?;
    let adapter = trainer.adapter();
    println!("{adapter}\n{}", machine::Machine::here().line());

    let trainer = RefCell::new(trainer);
    let gan = RefCell::new(Some(Gan::new(device, &pixels)));
    let ours: Work<String> = Box::new(|times| {
        let mut trainer = trainer.borrow_mut();
        trainer.run(times).map_err(text)?;
        block_on(trainer.settle()).map_err(text)
    });
    let burns: Work<String> = Box::new(|times| {
        let before = gan.take().ok_or("a step failed before")?;
        *gan.borrow_mut() = Some(before.steps(times)?);
        Ok(())
    });
    let mut works = [ours, burns];
    for work in &mut works {
        work(WARM)?;
    }
    // After as many steps both have learnt about as much, if both do the same.
    let burn_losses = gan.borrow().as_ref().and_then(Gan::losses).unwrap_or_default();
    let own = block_on(trainer.borrow_mut().metrics()).map_err(text)?;
    let own_losses = own.last().map(|m| [m.d_loss, m.g_loss]).unwrap_or_default();

    let mut turns = works.map(|work| Turn::new(work, ROUND)).into_iter().collect::<Result<Vec<_>, _>>()?;
    let samples = take_turns(&mut turns, Duration::from_secs_f64(seconds), BLOCKS)?;
    let [own_ms, burn_ms] = [0, 1].map(|i| Median::of(&samples[i]).map(|s| s * 1e3));
    let ratio = Median::of_ratios(&samples[1], &samples[0]);
    let loads = [load, machine::load()];
    for (name, ms, losses) in [("Digit Forge", own_ms, own_losses), ("Burn", burn_ms, burn_losses)] {
        let [d, g] = losses;
        println!(
            "{name:12} {:9.3} ms ({:.3}–{:.3})   losses after {WARM} steps: D {d:.3} G {g:.3}",
            ms.median, ms.low, ms.high
        );
    }
    println!("Burn ÷ ours  {:9.2}    ({:.2}–{:.2}), {} blocks", ratio.median, ratio.low, ratio.high, ratio.count);
    println!("load {loads:?}");

    let report = json!({
        "what": "a training step of the dense GAN, batch 64",
        "settings": SETTINGS,
        "engine": on,
        "adapter": adapter,
        "machine": machine::Machine::here(),
        "load": loads,
        "burn": { "version": BURN, "features": FEATURES, "ms": burn_ms, "losses": burn_losses },
        "digitForge": { "ms": own_ms, "losses": own_losses },
        "ratio": ratio,
    });
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let pretty = serde_json::to_string_pretty(&report).map_err(text)? + "\n";
    std::fs::write(&file, pretty).map_err(|e| format!("{}: {e}", file.display()))?;
    println!("{}", file.display());
    Ok(())
}

/// As `Cargo.toml` has them.
const BURN: &str = "0.22.1";
const FEATURES: &str = "std optim wgpu fusion autotune flex simd";

fn default_file(on: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../results")).join(format!("burn-{on}.json"))
}

fn on_gpu() -> Result<Trainer, String> {
    let found = resolve(SETTINGS).map_err(text)?;
    block_on(async { Trainer::gpu(found.preset, found.settings, GpuContext::new().await?, MNIST_IMAGES).await })
        .map_err(text)
}

fn on_cpu() -> Result<Trainer, String> {
    let found = resolve(SETTINGS).map_err(text)?;
    Trainer::cpu(found.preset, found.settings, MNIST_IMAGES).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Images of a bar whose height tells its digit, `[count, 784]` bytes, and their labels.
fn made_up(count: usize) -> (Vec<u8>, Vec<u8>) {
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    let ink = |digit: u8, row: usize| if row / 2 == 2 + usize::from(digit) { 255 } else { 0 };
    let image = |&digit: &u8| (0..IMAGE.pixels()).map(move |i| ink(digit, i / IMAGE.columns));
    (labels.iter().flat_map(image).collect(), labels)
}
