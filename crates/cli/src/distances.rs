//! How far images are from the real test images, in the judge's features.

use crate::failure::Result;
use crate::reading::Read;
use digit_forge_core::metrics::frechet::Gaussian;
use digit_forge_core::metrics::kid::kid;
use digit_forge_core::metrics::manifold::{NEAREST, manifold};
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Distances {
    /// How many images.
    pub images: usize,
    /// How many real ones they are compared with.
    pub test_images: usize,
    /// The Fréchet distance.
    pub fd: f64,
    pub kid: f64,
    /// Between KID's subsets.
    pub kid_deviation: f64,
    pub precision: f64,
    pub recall: f64,
    pub density: f64,
    pub coverage: f64,
}

impl Distances {
    pub fn of(images: &Read, test: &Read) -> Result<Self> {
        let (fake, real) = (images.features()?, test.features()?);
        let fd = Gaussian::of(fake)?.distance(&Gaussian::of(real)?)?;
        let kernel = kid(real, fake)?;
        let balls = manifold(real, fake, NEAREST)?;
        Ok(Distances {
            images: fake.count(),
            test_images: real.count(),
            fd,
            kid: kernel.mean,
            kid_deviation: kernel.deviation,
            precision: balls.precision,
            recall: balls.recall,
            density: balls.density,
            coverage: balls.coverage,
        })
    }
}
