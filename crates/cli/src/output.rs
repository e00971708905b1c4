//! The folder of a run's results. Each file is written under another name and renamed when it is complete, so that a
//! crash leaves the old file or none, never half of one.

use crate::failure::{Failure, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Creates the folder where it isn't there yet, and proves that it can be written to.
    pub fn create(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(|e| Failure::io(path, "created", &e))?;
        let probe = unfinished(path, "probe");
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(|e| Failure::io(path, "written to", &e))?;
        Ok(Folder { path: path.into() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let (unfinished, path) = (unfinished(&self.path, name), self.path.join(name));
        write_synced(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path)).map_err(|e| {
            // The reason to report is the first one; what is left has a name of its own.
            let _ = fs::remove_file(&unfinished);
            Failure::io(&path, "written", &e)
        })
    }
}

fn unfinished(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.{}.part", std::process::id()))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
