//! The pinned judge's reading of images: the one place that knows the judge.

use crate::failure::Result;
use digit_forge_core::engine::block_on;
use digit_forge_core::judge::{FEATURES, Judge, PINNED};
use digit_forge_core::metrics::Features;

pub struct Reader {
    judge: Judge,
}

/// What the judge sees in some images.
pub struct Read {
    what: &'static str,
    pub digits: Vec<u8>,
    features: Vec<f32>,
}

impl Reader {
    pub fn new() -> Result<Self> {
        Ok(Reader { judge: Judge::cpu(PINNED)? })
    }

    /// How the judge was taught.
    pub fn lesson(&self) -> &str {
        self.judge.lesson()
    }

    /// Reads images of 28×28 bytes; `what` names them in errors.
    pub fn read(&mut self, what: &'static str, pixels: &[u8]) -> Result<Read> {
        let readings = block_on(self.judge.read(pixels))?;
        Ok(Read { what, digits: readings.digits(), features: readings.features })
    }
}

impl Read {
    pub fn features(&self) -> Result<Features<'_>> {
        Ok(Features::new(self.what, &self.features, FEATURES)?)
    }
}
