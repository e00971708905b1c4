//! Named starting points: a row each, with the settings in which they differ from the defaults.

/// A named set of settings.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// As it stands in a URL and on the command line.
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    /// What to look for, in a sentence.
    pub help: &'static str,
    /// What differs from the defaults.
    pub values: &'static [(&'static str, &'static str)],
}

/// All presets; the first is the default.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "quick",
        label: "Quick",
        help: "Small convolutional networks that learn legible digits within seconds.",
        values: &[],
    },
    Preset {
        name: "conv",
        label: "Convolutional",
        help: "Twice as wide, with rates that come to rest at step 20,000: the best digits after a minute.",
        values: &[
            ("gChannels", "16"),
            ("dChannels", "16"),
            ("gRate", "0.002"),
            ("dRate", "0.001"),
            ("schedule", "cosine"),
            ("scheduleSteps", "20000"),
            ("average", "0.999"),
        ],
    },
    Preset {
        name: "tiny",
        label: "Tiny",
        help: "Half the channels, a third of the arithmetic, for a phone: rougher digits.",
        values: &[("gChannels", "4"), ("dChannels", "4")],
    },
    Preset {
        name: "robust",
        label: "Robust",
        help: "Each fake is compared with a real image, and steep opinions cost: slower, but it neither collapses nor runs away.",
        values: &[
            ("loss", "relativistic"),
            ("r1", "1"),
            ("r2", "1"),
            ("beta1", "0"),
            ("beta2", "0.99"),
            ("gRate", "0.002"),
            ("dRate", "0.002"),
        ],
    },
    Preset {
        name: "wgan-gp",
        label: "WGAN-GP",
        help: "A critic whose slope is held near 1: its lead over the fakes falls as they get better, as a loss should.",
        values: &[
            ("loss", "wasserstein"),
            ("gradientPenalty", "10"),
            ("dSteps", "3"),
            ("beta1", "0"),
            ("beta2", "0.9"),
            ("gRate", "0.002"),
            ("dRate", "0.002"),
        ],
    },
    Preset {
        name: "hinge-sn",
        label: "Hinge, spectral norm",
        help: "The discriminator's weights are held to a stretch of 1, and it stops where it is sure: its opinions stay near 0.",
        values: &[("loss", "hinge"), ("dNorm", "spectral"), ("gNorm", "batch"), ("beta1", "0"), ("beta2", "0.9")],
    },
    Preset {
        name: "large",
        label: "56 × 56",
        help: "Four times the pixels, with a layer more in each network: slower steps, finer strokes.",
        values: &[("size", "56")],
    },
    Preset {
        name: "break-weak-d",
        label: "Broken: weak discriminator",
        help: "A discriminator that hardly learns takes noise for real, so noise is what it gets. Cure: a discriminator's rate of 0.002.",
        values: &[("dRate", "0.00002")],
    },
    Preset {
        name: "break-alike",
        label: "Broken: all alike",
        help: "Legible digits, and the discriminator undecided, yet each column shows one image eight times: mode collapse. Cure: a discriminator's rate of 0.002.",
        values: &[("dRate", "0.0002")],
    },
    Preset {
        name: "break-strong-d",
        label: "Broken: strong discriminator",
        help: "A discriminator that is always sure: noise for hundreds of steps, digits only much later. Cure: a discriminator's rate of 0.0003, or the Wasserstein loss.",
        values: &[("gRate", "0.0003"), ("dRate", "0.02")],
    },
    Preset {
        name: "break-rate",
        label: "Broken: rates too high",
        help: "Ten times the learning rates: within 250 steps every image is blank or a pattern of dots, for good. Cure: 0.004 and 0.002.",
        values: &[("gRate", "0.04"), ("dRate", "0.02")],
    },
    Preset {
        name: "break-critic",
        label: "Broken: free critic",
        help: "The primer's critic, whose score nothing bounds: its scores run away and the rows grow alike. Cure: a gradient penalty of 10.",
        values: &[("loss", "wasserstein")],
    },
    Preset {
        name: "break-minimax",
        label: "Broken: saturated loss",
        help: "The discriminator is sure, the minimax gradient vanishes, and the images stand still. Cure: the non-saturating loss.",
        values: &[("loss", "minimax"), ("dRate", "0.01")],
    },
    Preset {
        name: "break-small-data",
        label: "Broken: a thousand images",
        help: "The digits get better, because they are copies, and the discriminator knows its images by heart. Cure: all 60,000 images; an R1 penalty of 10 helps.",
        values: &[("images", "1000"), ("dSteps", "5")],
    },
    Preset {
        name: "primer-torch",
        label: "Primer, PyTorch form",
        help: "The primer's dense networks, 100→256→256→784→784 against 784→256→256→1: watch how slowly they learn.",
        values: &[
            ("network", "mlp"),
            ("gActivation", "leaky"),
            ("gWidths", "256,256,784"),
            ("dWidths", "256,256"),
            ("noise", "100"),
            ("batch", "64"),
            ("condition", "none"),
            ("gRate", "0.0002"),
            ("dRate", "0.0002"),
        ],
    },
    Preset {
        name: "primer-tf",
        label: "Primer, TensorFlow form",
        help: "The primer's deeper form, 100→128→128→256→784→784 against 784→128→128→256→1.",
        values: &[
            ("network", "mlp"),
            ("gActivation", "leaky"),
            ("gWidths", "128,128,256,784"),
            ("dWidths", "128,128,256"),
            ("noise", "100"),
            ("batch", "64"),
            ("condition", "none"),
            ("gRate", "0.0002"),
            ("dRate", "0.0002"),
        ],
    },
    Preset {
        name: "primer-case",
        label: "Primer, case study",
        help: "The primer's experiment: 1,000 images, 256 noise dimensions, 100 noise vectors a round. Half-digits in noise.",
        values: &[
            ("images", "1000"),
            ("network", "mlp"),
            ("gActivation", "leaky"),
            ("gWidths", "256,256,784"),
            ("dWidths", "256,256"),
            ("noise", "256"),
            ("batch", "100"),
            ("condition", "none"),
            ("gRate", "0.0002"),
            ("dRate", "0.0002"),
        ],
    },
];
