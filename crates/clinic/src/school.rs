//! A judge of one's own, taught in the page.

use crate::reading::PIXELS;
use crate::{error, ready};
use digit_forge_core::error::Error;
use digit_forge_core::judge::{Lesson, Teacher};
use wasm_bindgen::prelude::*;

/// Teaches a fresh judge, from a seed, in so many steps.
#[wasm_bindgen]
pub struct School {
    teacher: Teacher,
}

#[wasm_bindgen]
impl School {
    /// For `images` images.
    pub fn open(seed: u32, steps: u32, images: usize) -> Result<School, JsError> {
        let lesson = Lesson { seed, steps, ..Lesson::PINNED };
        Ok(School { teacher: Teacher::cpu(lesson, images).map_err(error)? })
    }

    /// Appends images, `[N, 784]` bytes, and their labels.
    pub fn add(&mut self, images: &[u8], labels: &[u8]) -> Result<(), JsError> {
        if images.len() != labels.len() * PIXELS {
            let why = format!("{} bytes for {} labels", images.len(), labels.len());
            return Err(error(Error::Data { what: "images".into(), why }));
        }
        self.teacher.add_data(images, labels).map_err(error)
    }

    /// Teaches for some steps.
    pub fn run(&mut self, steps: u32) -> Result<(), JsError> {
        self.teacher.run(steps).map_err(error)
    }

    /// Steps made.
    pub fn steps(&self) -> u32 {
        self.teacher.steps()
    }

    /// Since the last call, step by step: the step, the loss, and the accuracy on its own batch.
    pub fn progress(&mut self) -> Result<Vec<f32>, JsError> {
        let rows = ready(self.teacher.progress())?;
        Ok(rows.iter().flat_map(|row| [row.step as f32, row.loss, row.accuracy]).collect())
    }

    /// The digit that it reads in each image, `[N, 784]` bytes.
    pub fn digits(&mut self, images: &[u8]) -> Result<Vec<u8>, JsError> {
        Ok(ready(self.teacher.read(images))?.digits())
    }

    /// Its weights, as a file for [`Clinic::open`](crate::Clinic::open).
    pub fn save(&mut self) -> Result<Vec<u8>, JsError> {
        ready(self.teacher.save())
    }
}
