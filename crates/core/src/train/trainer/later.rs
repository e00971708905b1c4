//! Programs that a run takes up only once somebody asks for what they tell: until then nothing of them is recorded, compiled
//! or stored.

use super::{Runner, Trainer};
use crate::engine::Pending;
use crate::error::{Error, Result};
use crate::program::Recording;
use std::cell::Cell;
use std::future::ready;
use std::rc::Rc;

/// Programs that the engine has taken up.
pub(super) struct Later<P> {
    pub programs: P,
    /// Whether the device has refused them.
    refused: Rc<Cell<bool>>,
}

impl<P> Later<P> {
    /// Whether the device takes them, as far as is known: who asked first has been told.
    pub fn taken(&self) -> Pending<()> {
        let refused = self.refused.get().then(|| Error::Gpu("the device refused what this needs".into()));
        Box::pin(ready(refused.map_or(Ok(()), Err)))
    }
}

impl Trainer {
    /// Takes up the programs that `recording` has more than the latest one. What is pending says whether the device takes
    /// them.
    pub(super) fn take_up<P>(&mut self, recording: &Rc<Recording>, programs: P) -> Result<(Later<P>, Pending<()>)> {
        let checked = match &mut self.engine {
            Runner::Cpu(engine) => {
                engine.extend(recording);
                Box::pin(ready(Ok(())))
            }
            Runner::Gpu(engine) => engine.extend(recording)?,
        };
        self.latest = Rc::clone(recording);
        let refused = Rc::new(Cell::new(false));
        let noted = Rc::clone(&refused);
        let checked = Box::pin(async move {
            let checked = checked.await;
            noted.set(checked.is_err());
            checked
        });
        Ok((Later { programs, refused }, checked))
    }
}
