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
        name: "break-critic",
        label: "Broken: free critic",
        help: "The primer's critic, whose score nothing bounds: its scores run away and the rows grow alike. Cure: a gradient penalty of 10.",
        values: &[("loss", "wasserstein")],
    },
    Preset {
        name: "primer-torch",
        label: "Primer, PyTorch form",
        help: "The primer's dense networks, 100→256→256→784→784 against 784→256→256→1: watch how slowly they learn.",
        values: &[
            ("network", "mlp"),
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
