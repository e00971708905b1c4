//! What a step costs, in dispatches, and what it leaves in the log.

use super::choices::{constructions, single_constructions, values};
use super::{TINY_MLP, trainer};
use crate::data::MNIST_IMAGES;
use crate::engine::block_on;
use crate::models::gan::{Gan, LOG_ROWS};
use crate::program::ProgramId;
use crate::train::settings::{Condition, DNorm, GNorm, Loss, OptimizerKind, Settings, Size, Upsampling, resolve};

/// What choices add that meet: copies of images that no longer fit one block, gradients that are summed up, or a chain of too many links.
const TOGETHER: usize = 4;

/// As much at once as there is.
const RICH: [&str; 3] = [
    "size=56&gNorm=layer&dNorm=layer&pack=2&condition=embedding&upsampling=nearest&gDepth=3&dDepth=3&clipNorm=1",
    "gDepth=3&dNorm=spectral&condition=map&translate=3&instanceNoise=0.1&dropout=0.3&schedule=cosine&clip=0.1&replay=20",
    "gNorm=batch&dNorm=batch&condition=embedding&pack=2&minibatchDeviation=on&dropout=0.3&clipNorm=1&loss=relativistic",
];

/// The dispatches of a step, by program.
fn dispatches(text: &str) -> Vec<Vec<&'static str>> {
    let settings = resolve(text).unwrap().settings;
    let gan = Gan::record(&settings, MNIST_IMAGES, true).unwrap();
    let names = |p: &ProgramId| gan.recording.programs[p.0].ops.iter().map(|op| op.name()).collect();
    gan.schedule(settings.d_steps as usize).iter().map(names).collect()
}

/// What the layers of both networks take: each a dispatch forwards and one back, and D's twice, once for each network that
/// learns. Norms and upsampling are layers, too. Beside them are the draw, and for each update D's head with its gradient,
/// the block with the loss, and the update itself; G's first layer needs no gradient of its input, nor D's for itself.
///
/// Where no image needs another, the layers behind G's first are one chain, D's head among them, and what leads from it through the loss and
/// back. That is where channels are few for their images' size. A batch norm ends a chain and begins the next; that behind G's first layer
/// is alone. Labels that join D's last features keep its head apart.
fn of_layers(s: &Settings) -> usize {
    let sizes = s.size.halvings();
    let joint = usize::from(matches!(s.condition, Condition::Concat | Condition::Embedding));
    let (g, d) = (sizes * s.g_depth as usize, sizes * s.d_depth as usize);
    let upsampling = if s.upsampling == Upsampling::Nearest { sizes } else { 0 };
    let most = if s.size == Size::Small { 34 } else { 17 };
    let few_g = s.g_channels <= if upsampling > 0 { most * 2 / 3 } else { most };
    let few_d = s.d_channels <= most;
    let g = match s.g_norm {
        GNorm::Batch if few_g => 2 + g,
        _ if few_g => 2,
        GNorm::None => 1 + g + upsampling,
        _ => 1 + 2 * g + upsampling,
    };
    let d = match s.d_norm {
        DNorm::Batch if few_d => d,
        _ if few_d => 1,
        DNorm::None | DNorm::Spectral => d,
        _ => 2 * d - 1,
    };
    // A head takes its features in fours, of 7 × 7 pixels.
    let fours = s.d_channels.is_multiple_of(2) || s.size != Size::Small;
    let heads = match (joint == 0 && fours, few_d) {
        (true, true) => 6,
        (true, false) => 2,
        (false, _) => 0,
    };
    7 + 2 * g + 4 * (d + joint) - heads
}

/// Whether a choice leaves chains whole: statistics of a batch wait for all of its images, and many channels at many pixels are more work
/// than a workgroup should do.
fn chains(text: &str) -> bool {
    !(text.contains("Norm=batch") || text.contains("Channels=32") && text.contains("size=56"))
}

/// What a choice costs beside its layers, a chain that it ends or begins late included.
fn of_choice(text: &str) -> usize {
    match text.split_once('=').unwrap_or((text, "")) {
        ("condition", "map") | ("minibatchDeviation", _) => 6,
        ("pack" | "clipNorm", _) | ("loss", "relativistic") => 4,
        ("replay" | "instanceNoise" | "schedule" | "dropout", _) | ("size", "56") => 2,
        ("clip", _) | ("dNorm", "spectral") => 1,
        _ => 0,
    }
}

/// The choices of a step that needs no gradients of gradients, each by itself.
fn choices() -> Vec<String> {
    let each = |key: &'static str, choices| values(choices).map(move |value| format!("{key}={value}"));
    let mut all = single_constructions();
    all.extend(each("loss", Loss::CHOICES).chain(each("optimizer", OptimizerKind::CHOICES)));
    all.extend(
        [
            "gDepth=2",
            "smoothing=0.1",
            "average=0",
            "batch=64",
            "gChannels=32",
            "dChannels=32",
            "gChannels=5",
            "dChannels=6",
        ]
        .map(str::to_owned),
    );
    all
}

#[test]
fn a_step_has_few_dispatches() {
    const MLP: &str = "network=mlp&gWidths=256,512&dWidths=512,256&noise=100&batch=64&condition=none&average=0";
    let deep = [("gDepth=3&dDepth=3", 10), ("gDepth=3&dDepth=3&gNorm=layer&dNorm=layer", 11)];
    let large =
        [("size=56", 10), ("size=56&gDepth=3&dDepth=3", 11), ("size=56&gDepth=3&dDepth=3&gNorm=layer&dNorm=layer", 13)];
    for (text, most) in [(MLP, 17), ("", 9)].into_iter().chain(deep).chain(large) {
        let step = dispatches(text);
        assert_eq!(step.iter().flatten().count(), most, "{text}: {step:#?}");
    }
    let settings = |text: &str| resolve(text).unwrap().settings;
    let few = |text: &str, most: usize| {
        let step = dispatches(text);
        assert!(step.iter().flatten().count() <= most, "{text}: more than {most}: {step:#?}");
    };
    let all = choices();
    for deep in ["", "gDepth=3&dDepth=3", "size=56", "size=56&gDepth=3&dDepth=3"] {
        for one in &all {
            let text = format!("{one}&{deep}");
            let more = if deep.is_empty() { 0 } else { TOGETHER + deep.split('&').map(of_choice).sum::<usize>() };
            let most = of_layers(&settings(&text)) + of_choice(one) + more;
            few(&text, if deep.is_empty() || chains(&text) { most.min(30) } else { most });
        }
    }
    for (i, one) in all.iter().enumerate() {
        for other in &all[..i] {
            let text = format!("{one}&{other}");
            let s = settings(&text);
            let most = of_layers(&s) + of_choice(one) + of_choice(other) + TOGETHER;
            if s.size != Size::Small {
                few(&text, most);
                continue;
            }
            // Whatever two are chosen, and of any depth and size where that makes chains longer.
            few(&text, most.min(30));
            for deep in ["gDepth=3&dDepth=3", "size=56&gDepth=3&dDepth=3"] {
                let text = format!("{text}&{deep}");
                if chains(&text) {
                    few(&text, 30);
                }
            }
        }
    }
    for text in [
        "gNorm=batch&gDepth=3&dDepth=3",
        "dNorm=batch&gDepth=3&dDepth=3",
        "gNorm=batch&dNorm=batch&gDepth=2",
        "size=56&gNorm=batch&gDepth=3&dDepth=3",
        "size=56&gNorm=batch&dNorm=batch",
        "size=56&dNorm=batch&gDepth=3&dDepth=2",
    ] {
        few(text, 30);
    }
    for loss in values(Loss::CHOICES) {
        for (g_norm, d_norm) in values(GNorm::CHOICES).flat_map(|g| values(DNorm::CHOICES).map(move |d| (g, d))) {
            few(&format!("loss={loss}&gNorm={g_norm}&dNorm={d_norm}"), 30);
        }
    }
    for channels in [1, 4, 6, 16, 17, 20, 34, 35, 64] {
        for deep in ["gDepth=3&dDepth=3", "size=56&gDepth=2&dDepth=3"] {
            let text = format!("gChannels={channels}&dChannels={channels}&{deep}");
            few(&text, of_layers(&settings(&text)) + of_choice("size=56"));
        }
    }
    for text in constructions().iter().filter(|text| text.contains('&')).map(String::as_str).chain(RICH) {
        let tricks: usize = text.split('&').map(of_choice).sum();
        few(text, of_layers(&settings(text)) + tricks + 2 * TOGETHER);
    }
}

#[test]
fn the_log_remembers_the_newest_steps() {
    let mut trainer = trainer(&format!("{TINY_MLP}&batch=1"));
    trainer.run(LOG_ROWS as u32 + 10).unwrap();
    let metrics = block_on(trainer.metrics()).unwrap();
    assert_eq!(metrics.len(), LOG_ROWS);
    assert_eq!((metrics[0].step, metrics[LOG_ROWS - 1].step), (11, LOG_ROWS as u32 + 10));
    assert!(block_on(trainer.metrics()).unwrap().is_empty());
}
