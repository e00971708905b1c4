//! The GAN's two networks layer by layer, with the places where the label joins: what a diagram of them shows.

use super::discriminator::Discriminator;
use super::generator::Generator;
use super::networks::EMBEDDING;
use crate::data::DIGITS;
use crate::error::Result;
use crate::layers::{Embedding, Layer, LayerSummary, Network};
use crate::program::{DType, Recorder, Tensor};
use crate::train::settings::{Architecture, Condition, Settings};

/// A network from what goes in to what comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSummary {
    /// `generator` or `discriminator`.
    pub name: &'static str,
    /// Extents of one sample that goes in.
    pub input: Vec<usize>,
    /// In the order of application. Some kinds are no layers: `label`, the digit joined as ten numbers, of which one isn't 0,
    /// or as learnt ones; `deviation`, what a batch's images differ by, added to the outputs; and `projection`, the sum of how
    /// real an image looks and how much like its digit.
    pub layers: Vec<LayerSummary>,
}

impl NetworkSummary {
    /// How many numbers it learns.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }
}

/// A walk through a network.
struct Walk<'r> {
    r: &'r mut Recorder,
    x: Tensor,
    layers: Vec<LayerSummary>,
}

impl<'r> Walk<'r> {
    fn from(r: &'r mut Recorder, inputs: usize) -> Self {
        let x = r.input("a sample", [1, inputs], DType::F32);
        Walk { r, x, layers: Vec::new() }
    }

    fn through(&mut self, network: &Network) -> Result<()> {
        let (x, layers) = network.summaries(self.r, self.x)?;
        self.x = x;
        self.layers.extend(layers);
        Ok(())
    }

    /// Something that is no layer and leaves so many numbers, with what it learns.
    fn to(&mut self, kind: &'static str, outputs: usize, learnt: Option<Tensor>) {
        self.x = self.r.input(kind, [1, outputs], DType::F32);
        let name = learnt.and_then(|t| self.r.info(t).name.rsplit_once('.')).map_or("", |(name, _)| name).to_owned();
        let parameters = learnt.map_or(0, |t| self.r.shape(t).len());
        self.layers.push(LayerSummary { name, kind, detail: String::new(), shape: vec![outputs], parameters });
    }

    /// So many numbers joined that tell it the digit, from a table if they are learnt.
    fn join_label(&mut self, numbers: usize, table: Option<Embedding>) {
        self.to("label", self.r.shape(self.x).len() + numbers, table.map(|t| t.table));
    }
}

/// G and D as these settings describe them.
///
/// # Errors
/// [`crate::Error`] where the settings give shapes that don't fit.
pub fn summaries(s: &Settings) -> Result<Vec<NetworkSummary>> {
    let r = &mut Recorder::new();
    r.begin("summary");
    let (g, d) = (Generator::new(r, s), Discriminator::new(r, s));

    let mut walk = Walk::from(r, s.noise as usize);
    if let Some((numbers, table)) = g.heard() {
        walk.join_label(numbers, table);
    }
    walk.through(&g.body)?;
    let generator = NetworkSummary { name: "generator", input: vec![s.noise as usize], layers: walk.layers };

    let pixels = s.size.image().pixels() * d.pack;
    let mut walk = Walk::from(r, pixels);
    let (numbers, at_image) = match s.condition {
        Condition::None | Condition::Projection => (0, false),
        Condition::Concat => (DIGITS, s.architecture == Architecture::Mlp),
        Condition::Embedding => (EMBEDDING, s.architecture == Architecture::Mlp),
        Condition::Map => (s.size.image().pixels(), true),
    };
    if numbers > 0 && at_image {
        walk.join_label(numbers * d.pack, d.labels);
    }
    walk.through(&d.body)?;
    if numbers > 0 && !at_image {
        walk.join_label(numbers * d.pack, d.labels);
    }
    walk.through(&d.joint)?;
    walk.through(&Network { layers: vec![Layer::Linear(d.head)] })?;
    if let Some(weight) = d.spread {
        walk.to("deviation", walk.r.shape(weight).len(), Some(weight));
    }
    if s.condition == Condition::Projection {
        walk.to("projection", 1, None);
    }
    let discriminator = NetworkSummary { name: "discriminator", input: vec![pixels], layers: walk.layers };
    Ok(vec![generator, discriminator])
}

#[cfg(test)]
mod tests {
    use super::super::gan::Gan;
    use super::*;
    use crate::data::MNIST_IMAGES;
    use crate::program::Role;
    use crate::train::presets::PRESETS;
    use crate::train::settings::resolve;

    type Row = (&'static str, &'static str, &'static str, &'static [usize], usize);

    #[track_caller]
    fn assert_rows(summary: &NetworkSummary, input: &[usize], rows: &[Row]) {
        let found: Vec<(&str, &str, &str, &[usize], usize)> = summary
            .layers
            .iter()
            .map(|l| (l.name.as_str(), l.kind, l.detail.as_str(), l.shape.as_slice(), l.parameters))
            .collect();
        assert_eq!((summary.input.as_slice(), found.as_slice()), (input, rows));
    }

    #[test]
    fn the_networks_of_quick_are_what_a_calculation_by_hand_says() {
        let [g, d] = summaries(&resolve("").unwrap().settings).unwrap().try_into().unwrap();
        let rows: &[Row] = &[
            ("", "label", "", &[74], 0),
            // 74 · 784 + 784
            ("generator.0", "linear", "", &[784], 58_800),
            ("", "reshape", "", &[7, 7, 16], 0),
            ("", "activation", "ReLU", &[7, 7, 16], 0),
            // 4 · 4 · 16 · 8 + 8
            ("generator.1", "transposed conv", "4×4, stride 2", &[14, 14, 8], 2056),
            ("", "activation", "ReLU", &[14, 14, 8], 0),
            // 4 · 4 · 8 + 1
            ("generator.2", "transposed conv", "4×4, stride 2", &[28, 28, 1], 129),
            ("", "activation", "tanh", &[28, 28, 1], 0),
            ("", "reshape", "", &[784], 0),
        ];
        assert_rows(&g, &[64], rows);
        assert_eq!((g.name, g.parameters()), ("generator", 60_985));
        let rows: &[Row] = &[
            ("", "reshape", "", &[28, 28, 1], 0),
            // 4 · 4 · 8 + 8
            ("discriminator.0", "conv", "4×4, stride 2", &[14, 14, 8], 136),
            ("", "activation", "leaky ReLU 0.2", &[14, 14, 8], 0),
            // 4 · 4 · 8 · 16 + 16
            ("discriminator.1", "conv", "4×4, stride 2", &[7, 7, 16], 2064),
            ("", "activation", "leaky ReLU 0.2", &[7, 7, 16], 0),
            ("", "reshape", "", &[784], 0),
            // 784 · 11 + 11
            ("discriminator.head", "linear", "", &[11], 8635),
            ("", "projection", "", &[1], 0),
        ];
        assert_rows(&d, &[784], rows);
        assert_eq!((d.name, d.parameters()), ("discriminator", 10_835));
    }

    #[test]
    fn the_label_joins_where_the_discriminator_takes_it() {
        let kinds = |text: &str| -> Vec<(&str, usize)> {
            let [_, d] = summaries(&resolve(text).unwrap().settings).unwrap().try_into().unwrap();
            d.layers.iter().map(|l| (l.kind, l.shape.iter().product())).collect()
        };
        let dense = "network=mlp&dWidths=20&condition=";
        let [a, l] = ["activation", "linear"];
        assert_eq!(kinds(&format!("{dense}concat")), [("label", 794), (l, 20), (a, 20), (l, 1)]);
        assert_eq!(kinds(&format!("{dense}none")), [(l, 20), (a, 20), (l, 1)]);
        assert_eq!(kinds("condition=concat")[5..], [("reshape", 784), ("label", 794), (l, 64), (a, 64), (l, 1)]);
    }

    #[test]
    fn every_preset_learns_as_many_numbers_as_its_recording_has() {
        for preset in PRESETS {
            for condition in ["projection", "concat", "none", "embedding", "map&pack=2&minibatchDeviation=on&size=56"] {
                let text = format!("preset={}&condition={condition}&batch=16", preset.name);
                let settings = resolve(&text).unwrap().settings;
                let gan = Gan::record(&settings, MNIST_IMAGES, false).unwrap();
                let learnt = gan.recording.tensors.iter().filter(|t| matches!(t.role, Role::Parameter(_)));
                let networks = summaries(&settings).unwrap();
                let counted: usize = networks.iter().map(NetworkSummary::parameters).sum();
                assert_eq!(counted, learnt.map(|t| t.shape.len()).sum::<usize>(), "{} {condition}", preset.name);
                let ends: Vec<_> = networks.iter().map(|n| n.layers.last().unwrap().shape.as_slice()).collect();
                assert_eq!(ends, [&[settings.size.image().pixels()][..], &[1]], "{} {condition}", preset.name);
            }
        }
    }
}
