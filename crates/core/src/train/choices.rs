//! The settings that are one of a few: each list once, with its words for the menu. To add a choice, add a line.

use super::values::{Kind, Value, choices};
use crate::data::{IMAGE, ImageShape};
use crate::ops::activation::Activation;
use crate::ops::schedule::Fall;

choices! {
    /// How much of MNIST is trained on.
    Images {
        /// The first 1,000 training images.
        Thousand = "1000", "1,000 images";
        /// All training images.
        All = "60000", "60,000 images";
    }
}

impl Images {
    /// As a number.
    pub fn count(self) -> usize {
        match self {
            Images::Thousand => 1_000,
            Images::All => 60_000,
        }
    }
}

choices! {
    /// What both networks are made of.
    Architecture {
        /// 4×4 convolutions of stride 2 around a dense layer.
        Conv = "conv", "Convolutional";
        /// Dense layers only.
        Mlp = "mlp", "Dense layers (MLP)";
    }
}

choices! {
    /// How the discriminator learns of the label. Except for `None`, the generator gets it too.
    Condition {
        /// One logit for realism and one for each digit, of which the label's is added.
        Projection = "projection", "Projection";
        /// The one-hot label is joined to the input (MLP) or to the features before a hidden layer (convolutional).
        Concat = "concat", "Concatenation";
        /// As before, with a learnt vector instead of the one-hot label.
        Embedding = "embedding", "Embeddings";
        /// A learnt image of the label lies beside the image, as one more channel.
        Map = "map", "Label maps";
        /// Neither network knows the label.
        None = "none", "No labels";
    }
}

choices! {
    /// What the networks minimise.
    Loss {
        /// G maximises `ln D(G(z))`.
        NonSaturating = "nonsaturating", "Non-saturating";
        /// G minimises `λ ln(1 - D(G(z)))`.
        Minimax = "minimax", "Minimax";
        /// Squared distance of the logit from 1 and from 0.
        LeastSquares = "leastsquares", "Least squares";
        /// D stops where its logit is beyond ±1.
        Hinge = "hinge", "Hinge";
        /// D is a critic: its logit is a score without bounds.
        Wasserstein = "wasserstein", "Wasserstein";
        /// Each fake against a real image.
        Relativistic = "relativistic", "Relativistic pairing";
    }
}

impl Loss {
    /// Whether D's logit is the log-odds of being real, so that people can be told a probability; else it is a score.
    pub fn is_probabilistic(self) -> bool {
        matches!(self, Loss::NonSaturating | Loss::Minimax)
    }

    /// Whether the generator's loss compares its fakes with real images.
    pub fn is_relativistic(self) -> bool {
        self == Loss::Relativistic
    }

    /// All of them, each with its text.
    pub fn all() -> impl Iterator<Item = (&'static str, Loss)> {
        let kind = Kind::Choice { choices: Loss::CHOICES };
        Loss::CHOICES.iter().filter_map(move |choice| Some((choice.value, Loss::read(choice.value, &kind).ok()?)))
    }
}

choices! {
    /// The extent of the generated images, and of the real ones.
    Size {
        /// As they are.
        Small = "28", "28 × 28";
        /// Twice that: real images are enlarged.
        Large = "56", "56 × 56";
    }
}

impl Size {
    /// In pixels.
    pub fn image(self) -> ImageShape {
        let ImageShape { rows, columns } = IMAGE;
        match self {
            Size::Small => IMAGE,
            Size::Large => ImageShape { rows: 2 * rows, columns: 2 * columns },
        }
    }

    /// How often it can be halved, down to 7 × 7.
    pub fn halvings(self) -> usize {
        match self {
            Size::Small => 2,
            Size::Large => 3,
        }
    }
}

choices! {
    /// How the convolutional generator makes images larger.
    Upsampling {
        /// By transposed convolutions, 4×4 with stride 2.
        Transposed = "transposed", "Transposed convolution";
        /// By repeating pixels before a convolution, 3×3.
        Nearest = "nearest", "Upsampling + convolution";
    }
}

choices! {
    /// What a hidden layer does to each value.
    ActivationKind {
        /// 0 where negative.
        Relu = "relu", "ReLU";
        /// A small slope where negative.
        Leaky = "leaky", "Leaky ReLU";
        /// The hyperbolic tangent.
        Tanh = "tanh", "tanh";
    }
}

impl ActivationKind {
    /// With the leaky ReLU's slope.
    pub fn of(self, slope: f32) -> Activation {
        match self {
            ActivationKind::Relu => Activation::LeakyRelu(0.0),
            ActivationKind::Leaky => Activation::LeakyRelu(slope),
            ActivationKind::Tanh => Activation::Tanh,
        }
    }
}

choices! {
    /// How the generator's hidden layers are kept in range.
    GNorm {
        /// Not at all.
        None = "none", "None";
        /// Over a batch, each channel.
        Batch = "batch", "Batch norm";
        /// Over a sample.
        Layer = "layer", "Layer norm";
    }
}

choices! {
    /// How the discriminator's layers are kept in range.
    DNorm {
        /// Not at all.
        None = "none", "None";
        /// Over a batch, each channel; real and fake images apart.
        Batch = "batch", "Batch norm";
        /// Over a sample.
        Layer = "layer", "Layer norm";
        /// Each weight over its largest singular value.
        Spectral = "spectral", "Spectral norm";
    }
}

choices! {
    /// On or off.
    Toggle {
        /// Off.
        Off = "off", "Off";
        /// On.
        On = "on", "On";
    }
}

choices! {
    /// The discriminator's optimiser.
    DOptimizer {
        /// The generator's.
        Same = "same", "Same as the generator's";
        /// Adaptive moments.
        Adam = "adam", "Adam";
        /// Adam whose weights also shrink.
        AdamW = "adamw", "AdamW";
        /// Steps by the size of recent gradients, without their direction.
        RmsProp = "rmsprop", "RMSprop";
        /// Gradient descent with momentum.
        Sgd = "sgd", "SGD";
    }
}

impl DOptimizer {
    /// Which one that is, beside this one of the generator.
    pub fn beside(self, generators: OptimizerKind) -> OptimizerKind {
        match self {
            DOptimizer::Same => generators,
            DOptimizer::Adam => OptimizerKind::Adam,
            DOptimizer::AdamW => OptimizerKind::AdamW,
            DOptimizer::RmsProp => OptimizerKind::RmsProp,
            DOptimizer::Sgd => OptimizerKind::Sgd,
        }
    }
}

choices! {
    /// How parameters follow their gradients.
    OptimizerKind {
        /// Adaptive moments.
        Adam = "adam", "Adam";
        /// Adam whose weights also shrink.
        AdamW = "adamw", "AdamW";
        /// Steps by the size of recent gradients, without their direction.
        RmsProp = "rmsprop", "RMSprop";
        /// Gradient descent with momentum.
        Sgd = "sgd", "SGD";
    }
}

choices! {
    /// How learning rates change over a run.
    Falling {
        /// Not at all.
        Constant = "constant", "Constant";
        /// Straight to 0.
        Linear = "linear", "Linear";
        /// Along half a cosine to 0.
        Cosine = "cosine", "Cosine";
    }
}

impl Falling {
    /// As the schedule knows it.
    pub fn fall(self) -> Fall {
        match self {
            Falling::Constant => Fall::Constant,
            Falling::Linear => Fall::Linear,
            Falling::Cosine => Fall::Cosine,
        }
    }
}
