//! The dense GAN on Burn: 100→256→512→784 against 784→512→256→1, as its book advises: modules, autodiff, fusion, and
//! nothing read back within a step.
//!
//! A step is Digit Forge's: noise, a batch and fakes; D on real and fake rows as one batch; G through the updated D on
//! the same fakes. D's weights get no gradient there.

use burn::module::{Initializer, Module};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use burn::tensor::activation::{leaky_relu, log_sigmoid};
use burn::tensor::{Distribution, Int};

pub const BATCH: usize = 64;
const NOISE: usize = 100;
const PIXELS: usize = 784;
const GENERATOR: [usize; 4] = [NOISE, 256, 512, PIXELS];
const DISCRIMINATOR: [usize; 4] = [PIXELS, 512, 256, 1];
const SLOPE: f64 = 0.2;
pub const RATE: f64 = 2e-4;

/// Dense layers with leaky ReLUs between them.
#[derive(Module, Debug)]
struct Network {
    layers: Vec<Linear>,
}

impl Network {
    fn new(widths: [usize; 4], device: &Device) -> Self {
        let layer = |(i, w): (usize, &[usize])| {
            let gain = if i + 2 < widths.len() { 2f64.sqrt() } else { 1.0 };
            let start = Initializer::KaimingNormal { gain, fan_out_only: false };
            LinearConfig::new(w[0], w[1]).with_initializer(start).init(device)
        };
        Network { layers: widths.windows(2).enumerate().map(layer).collect() }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(x, |x, (i, layer)| {
            let y = layer.forward(x);
            if i < last { leaky_relu(y, SLOPE) } else { y }
        })
    }
}

/// The networks, their optimisers and the data, on one device.
pub struct Gan {
    device: Device,
    /// `[N, 784]`, from -1 to 1.
    images: Tensor<2>,
    /// `[128, 1]`: 1 for real rows, -1 for fakes.
    signs: Tensor<2>,
    g: Network,
    d: Network,
    g_adam: ModuleOptimizer,
    d_adam: ModuleOptimizer,
    losses: Option<[Tensor<1>; 2]>,
}

impl Gan {
    /// On these images, `[N, 784]` bytes, ink = 255.
    pub fn new(device: Device, images: &[u8]) -> Self {
        let values: Vec<f32> = images.iter().map(|&v| f32::from(v) / 127.5 - 1.0).collect();
        let training = device.clone().autodiff();
        let data = TensorData::new(values, [images.len() / PIXELS, PIXELS]);
        let adam = || AdamConfig::new().with_beta_1(0.5).with_beta_2(0.999).with_epsilon(1e-8).init();
        let ones = Tensor::ones([BATCH, 1], &device);
        Gan {
            images: Tensor::from_data(data, &device),
            signs: Tensor::cat(vec![ones.clone(), -ones], 0),
            g: Network::new(GENERATOR, &training),
            d: Network::new(DISCRIMINATOR, &training),
            g_adam: adam(),
            d_adam: adam(),
            losses: None,
            device,
        }
    }

    /// One step, given to the device.
    fn step(mut self) -> Self {
        let noise = Tensor::<2>::random([BATCH, NOISE], Distribution::Normal(0.0, 1.0), &self.device);
        let last = self.images.dims()[0] as f64 - 1e-3;
        let rows: Tensor<1, Int> = Tensor::<1>::random([BATCH], Distribution::Uniform(0.0, last), &self.device).int();
        let real = self.images.clone().select(0, rows);
        let fake = self.g.forward(noise.autodiff()).tanh();

        let both = Tensor::cat(vec![real, fake.clone().without_autodiff()], 0).autodiff();
        let logits = self.d.forward(both);
        // The mean over real rows plus the mean over fakes: twice the mean over both.
        let d_loss = log_sigmoid(logits * self.signs.clone().autodiff()).mean() * -2.0;
        let gradients = GradientsParams::from_grads(d_loss.backward(), &self.d);
        self.d = self.d_adam.step(RATE, self.d, gradients);

        let logits = self.d.clone().no_grad().forward(fake);
        let g_loss = -log_sigmoid(logits).mean();
        let gradients = GradientsParams::from_grads(g_loss.backward(), &self.g);
        self.g = self.g_adam.step(RATE, self.g, gradients);
        self.losses = Some([d_loss.without_autodiff(), g_loss.without_autodiff()]);
        self
    }

    /// So many steps, and waits for the device.
    pub fn steps(mut self, times: u32) -> Result<Self, String> {
        for _ in 0..times {
            self = self.step();
        }
        self.device.sync().map_err(|e| format!("Burn: {e:?}"))?;
        Ok(self)
    }

    /// D's and G's loss of the last step.
    pub fn losses(&self) -> Option<[f32; 2]> {
        let value = |loss: &Tensor<1>| loss.clone().into_scalar::<f32>();
        self.losses.as_ref().map(|[d, g]| [value(d), value(g)])
    }
}
