//! Settings with a name, to be measured.

use crate::failure::Result;
use digit_forge_core::train::settings::{Resolved, resolve};

pub struct Subject {
    pub name: String,
    pub what: Resolved,
}

impl Subject {
    /// Settings as text, like the part of the page's address behind `#`.
    pub fn read(name: &str, text: &str) -> Result<Self> {
        let mut what = resolve(text)?;
        if !what.errors.is_empty() {
            return Err(what.errors.swap_remove(0).2.into());
        }
        Ok(Subject { name: name.into(), what })
    }

    /// The settings as text: what differs from the preset's.
    pub fn text(&self) -> Result<String> {
        Ok(self.what.settings.text(self.what.preset)?)
    }

    /// The same with some settings changed.
    pub fn with(&self, changes: &[(&str, String)]) -> Result<Self> {
        let mut text = self.text()?;
        for (key, value) in changes {
            text += &format!("&{key}={value}");
        }
        Subject::read(&self.name, &text)
    }
}
