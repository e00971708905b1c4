//! The GAN's two networks layer by layer, with the places where the label joins: what a diagram of them shows.

use super::gan::{DIGITS, Discriminator, generator};
use crate::data::IMAGE;
use crate::error::Result;
use crate::layers::{Layer, LayerSummary, Network};
use crate::program::{DType, Recorder, Tensor};
use crate::train::settings::{Architecture, Condition, Settings};

/// A network from what goes in to what comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSummary {
    /// `generator` or `discriminator`.
    pub name: &'static str,
    /// Extents of one sample that goes in.
    pub input: Vec<usize>,
    /// In the order of application. Two kinds are no layers: `label`, the digit joined as ten numbers, of which one isn't 0;
    /// and `projection`, the sum of how real an image looks and how much like its digit.
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

    /// Something without parameters that leaves so many numbers.
    fn to(&mut self, kind: &'static str, outputs: usize) {
        self.x = self.r.input(kind, [1, outputs], DType::F32);
        let (name, detail) = (String::new(), String::new());
        self.layers.push(LayerSummary { name, kind, detail, shape: vec![outputs], parameters: 0 });
    }

    fn join_label(&mut self) {
        self.to("label", self.r.shape(self.x).len() + DIGITS);
    }
}

/// G and D as these settings describe them.
///
/// # Errors
/// [`crate::Error`] where the settings give shapes that don't fit.
pub fn summaries(s: &Settings) -> Result<Vec<NetworkSummary>> {
    let r = &mut Recorder::new();
    r.begin("summary");
    let (g, d) = (generator(r, s), Discriminator::new(r, s));

    let mut walk = Walk::from(r, s.noise as usize);
    if s.condition != Condition::None {
        walk.join_label();
    }
    walk.through(&g)?;
    let generator = NetworkSummary { name: "generator", input: vec![s.noise as usize], layers: walk.layers };

    let mut walk = Walk::from(r, IMAGE.pixels());
    let joins = s.condition == Condition::Concat;
    if joins && s.architecture == Architecture::Mlp {
        walk.join_label();
    }
    walk.through(&d.body)?;
    if joins && s.architecture == Architecture::Conv {
        walk.join_label();
    }
    walk.through(&Network { layers: vec![Layer::Linear(d.head)] })?;
    if s.condition == Condition::Projection {
        walk.to("projection", 1);
    }
    let discriminator = NetworkSummary { name: "discriminator", input: vec![IMAGE.pixels()], layers: walk.layers };
    Ok(vec![generator, discriminator])
}

#[cfg(test)]
mod tests {
    use super::super::gan::Gan;
    use super::*;
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
        assert_eq!(kinds("condition=concat")[5..], [("reshape", 784), ("label", 794), (l, 1)]);
    }

    #[test]
    fn every_preset_learns_as_many_numbers_as_its_recording_has() {
        for preset in PRESETS {
            for condition in ["projection", "concat", "none"] {
                let settings = resolve(&format!("preset={}&condition={condition}", preset.name)).unwrap().settings;
                let gan = Gan::record(&settings, false).unwrap();
                let learnt = gan.recording.tensors.iter().filter(|t| matches!(t.role, Role::Parameter(_)));
                let networks = summaries(&settings).unwrap();
                let counted: usize = networks.iter().map(NetworkSummary::parameters).sum();
                assert_eq!(counted, learnt.map(|t| t.shape.len()).sum::<usize>(), "{} {condition}", preset.name);
                let ends: Vec<_> = networks.iter().map(|n| n.layers.last().unwrap().shape.as_slice()).collect();
                assert_eq!(ends, [&[784][..], &[1]], "{} {condition}", preset.name);
            }
        }
    }
}
