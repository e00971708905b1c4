//! The judge for JavaScript: a second, small module beside the engine's, on the CPU alone, for a worker of its own. So reading
//! digits costs a run nothing but the samples. No logic of its own.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::missing_errors_doc, reason = "each throws an Error with the message of the core")]

mod reading;
mod school;

use digit_forge_core::data::{DIGITS, IMAGE};
use digit_forge_core::doctor::symptoms::Reference;
use digit_forge_core::error::{Error, Result};
use digit_forge_core::judge::{FEATURES, Judge, Readings};
use digit_forge_core::metrics::Features;
use digit_forge_core::metrics::frechet::Gaussian;
use digit_forge_core::metrics::kid::kid;
use digit_forge_core::metrics::manifold::{NEAREST, manifold};
use digit_forge_core::metrics::memory::nearest;
use digit_forge_core::metrics::report::Confusion;
use digit_forge_core::train::json::Json;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasm_bindgen::prelude::*;

pub use school::School;

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

fn error(error: Error) -> JsError {
    JsError::new(&error.to_string())
}

/// What a future of the CPU engine brings: it has finished when it is asked for.
fn ready<T>(future: impl Future<Output = Result<T>>) -> std::result::Result<T, JsError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value.map_err(error),
        Poll::Pending => Err(JsError::new("the CPU engine has not finished")),
    }
}

/// Real images as the judge sees them.
struct Real {
    readings: Readings,
    labels: Vec<u8>,
}

impl Real {
    fn features(&self) -> Result<Features<'_>> {
        Features::new("real images", &self.readings.features, FEATURES)
    }
}

/// The judge, and what it knows of real images.
#[wasm_bindgen]
pub struct Clinic {
    judge: Judge,
    reference: Option<Reference>,
    /// Test images: what generated ones are compared with.
    test: Option<Real>,
    /// Training images: how near real images are to these.
    training: Option<Real>,
    gaussian: Option<Gaussian>,
    /// Of the images read since the last [`Clinic::clear`]: features `[N, FEATURES]`, digits asked for, and digits read.
    features: Vec<f32>,
    wanted: Vec<u8>,
    digits: Vec<u8>,
}

#[wasm_bindgen]
impl Clinic {
    /// With the judge of this safetensors file.
    pub fn open(weights: &[u8]) -> std::result::Result<Clinic, JsError> {
        let judge = Judge::cpu(weights).map_err(error)?;
        let (features, wanted, digits) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Clinic { judge, reference: None, test: None, training: None, gaussian: None, features, wanted, digits })
    }

    /// Real images to compare generated ones with: `[N, 784]` bytes of training images and of test images, ink = 255, with
    /// their labels.
    pub fn compare(
        &mut self,
        training: &[u8],
        training_labels: Vec<u8>,
        test: &[u8],
        test_labels: Vec<u8>,
    ) -> std::result::Result<(), JsError> {
        let readings = ready(self.judge.read(training))?;
        // Which also says where labels are too many, too few, or none.
        Confusion::of(&training_labels, &readings.digits()).map_err(error)?;
        self.reference = Some(Reference::of(&readings));
        self.training = Some(Real { readings, labels: training_labels });
        let test = Real { readings: ready(self.judge.read(test))?, labels: test_labels };
        Confusion::of(&test.labels, &test.readings.digits()).map_err(error)?;
        self.gaussian = Some(test.features().and_then(Gaussian::of).map_err(error)?);
        self.test = Some(test);
        Ok(())
    }

    /// Forgets the images that were read.
    pub fn clear(&mut self) {
        self.features.clear();
        self.wanted.clear();
        self.digits.clear();
    }

    /// Reads generated images of `side` × `side` bytes, 28 or 56, and remembers them. `labels`: what was asked for, if anything
    /// was. The answer is JSON, see `reading.rs`.
    pub fn read(
        &mut self,
        images: &[u8],
        labels: Option<Vec<u8>>,
        side: usize,
    ) -> std::result::Result<String, JsError> {
        let readings = ready(self.judge.read(&reading::sized(images, side).map_err(error)?))?;
        let told = reading::told(&readings, labels.as_deref(), self.reference.as_ref()).map_err(error)?;
        self.features.extend_from_slice(&readings.features);
        self.digits.extend_from_slice(&readings.digits());
        self.wanted.extend_from_slice(labels.as_deref().unwrap_or(&[]));
        Ok(told)
    }

    /// The Fréchet distance of the images read from the test images, that of as many training images, and how many: JSON.
    pub fn frechet(&self) -> std::result::Result<String, JsError> {
        self.frechets().map_err(error)
    }

    /// KID, precision, recall, density and coverage of the images read, and of as many training images: JSON.
    pub fn neighbours(&self) -> std::result::Result<String, JsError> {
        self.manifolds().map_err(error)
    }

    /// The share of images of `side` × `side` bytes, 28 or 56, whose nearest among real ones, `[2 N, 784]` bytes, is in the first
    /// half of these: half where they are no copies of it.
    pub fn copies(&self, images: &[u8], side: usize, real: &[u8]) -> std::result::Result<f64, JsError> {
        let images = reading::sized(images, side).map_err(error)?;
        let nearest = nearest(real, &images, IMAGE.pixels()).map_err(error)?;
        let half = real.len() / IMAGE.pixels() / 2;
        Ok(nearest.iter().filter(|found| found.training < half).count() as f64 / nearest.len() as f64)
    }

    /// The confusion and the scores of the images read, and of the test images: JSON. `null` instead where nothing was asked
    /// for.
    pub fn report(&self) -> std::result::Result<String, JsError> {
        self.reports().map_err(error)
    }

    /// The digit that the judge reads in each image, `[N, 784]` bytes.
    pub fn digits(&mut self, images: &[u8]) -> std::result::Result<Vec<u8>, JsError> {
        Ok(ready(self.judge.read(images))?.digits())
    }

    /// The digit that the judge reads in each image, `[N, 784]` values of ink from 0 to 1.
    #[wasm_bindgen(js_name = digitsOfInk)]
    pub fn digits_of_ink(&mut self, ink: &[f32]) -> std::result::Result<Vec<u8>, JsError> {
        Ok(ready(self.judge.read_ink(ink))?.digits())
    }

    /// The images as the fast gradient sign method changes them: `[N, 784]` values of ink from 0 to 1.
    pub fn attack(&mut self, images: &[u8], labels: &[u8], strength: f32) -> std::result::Result<Vec<f32>, JsError> {
        ready(self.judge.attack(images, labels, strength))
    }
}

impl Clinic {
    fn read_so_far(&self) -> Result<Features<'_>> {
        Features::new("images", &self.features, FEATURES)
    }

    /// The features of as many training images as were read, if there are so many, with the digits as evenly as samples have
    /// them: chance would make some digits rarer, and the floor higher than it is for samples.
    fn alike(&self, training: &Real) -> Vec<f32> {
        let each = self.digits.len().div_ceil(DIGITS);
        let mut taken = [0; DIGITS];
        let mut features = Vec::with_capacity(self.features.len());
        for (image, &label) in training.labels.iter().enumerate() {
            let count = &mut taken[usize::from(label)];
            if *count < each {
                *count += 1;
                features.extend_from_slice(training.readings.features_of(image));
            }
        }
        features
    }

    fn frechets(&self) -> Result<String> {
        let (Some(real), Some(training)) = (&self.gaussian, &self.training) else { return Ok("null".into()) };
        let distance = |features| Gaussian::of(features)?.distance(real);
        let floor = self.alike(training);
        let floor = Features::new("training images", &floor, FEATURES)?;
        Ok(Json::object(vec![
            ("fd", reading::number(distance(self.read_so_far()?)?)),
            ("floor", reading::number(distance(floor)?)),
            ("images", Json::number(self.digits.len())),
            ("floorImages", Json::number(floor.count())),
        ])
        .write())
    }

    fn manifolds(&self) -> Result<String> {
        let (Some(test), Some(training)) = (&self.test, &self.training) else { return Ok("null".into()) };
        let real = test.features()?;
        let of = |fake: Features| {
            let (kernel, balls) = (kid(real, fake)?, manifold(real, fake, NEAREST)?);
            let figures = [
                ("kid", kernel.mean),
                ("kidDeviation", kernel.deviation),
                ("precision", balls.precision),
                ("recall", balls.recall),
                ("density", balls.density),
                ("coverage", balls.coverage),
            ];
            Ok::<_, Error>(Json::object(figures.map(|(name, value)| (name, reading::number(value))).into()))
        };
        Ok(Json::object(vec![
            ("images", of(self.read_so_far()?)?),
            ("floor", of(Features::new("training images", &self.alike(training), FEATURES)?)?),
        ])
        .write())
    }

    fn reports(&self) -> Result<String> {
        let Some(test) = self.test.as_ref().filter(|_| self.wanted.len() == self.digits.len()) else {
            return Ok("null".into());
        };
        let images = Confusion::of(&self.wanted, &self.digits)?;
        let real = Confusion::of(&test.labels, &test.readings.digits())?;
        Ok(Json::object(vec![("images", reading::report(&images)), ("real", reading::report(&real))]).write())
    }
}
