//! A folder with a small data set, and the program to run in it.

use digit_forge_core::data::{IMAGE, idx};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

/// As few images as training accepts.
const IMAGES: usize = 1000;
/// Settings under which a step takes next to no time.
pub const SMALL: [&str; 5] = ["--set", "images=1000", "gChannels=2", "dChannels=2", "batch=4"];

/// Removed with its files when dropped.
pub struct Scene {
    folder: PathBuf,
}

impl Scene {
    pub fn new() -> Self {
        static SCENES: AtomicUsize = AtomicUsize::new(0);
        let name = format!("scene-{}-{}", std::process::id(), SCENES.fetch_add(1, Ordering::Relaxed));
        let scene = Scene { folder: Path::new(env!("CARGO_TARGET_TMPDIR")).join(name) };
        fs::create_dir_all(scene.path("data/mnist")).unwrap();
        let labels: Vec<u8> = (0..IMAGES).map(|i| (i % 10) as u8).collect();
        let pixels: Vec<u8> = labels.iter().flat_map(|&label| image(label)).collect();
        scene.put("data/mnist/train-images-idx3-ubyte", &idx::write_images(IMAGE, &pixels));
        scene.put("data/mnist/train-labels-idx1-ubyte", &idx::write_labels(&labels));
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub fn get(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.get(name)).unwrap()
    }

    /// The names in a folder, sorted.
    pub fn list(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program in this folder, not yet run.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_digit-forge"));
        command.current_dir(&self.folder).env_remove("DIGIT_FORGE_DATA").args(args);
        command
    }

    /// Runs it, and expects it to succeed.
    pub fn succeeds(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        output
    }

    /// Trains with [`SMALL`] settings.
    pub fn trains(&self, args: &[&str]) -> Output {
        self.succeeds(&[&["train"], args, &SMALL].concat())
    }

    /// Runs it, and expects this exit code, each of these texts on stderr, and no file written.
    pub fn refuses(&self, args: &[&str], code: i32, texts: &[&str]) {
        self.refused(&mut self.command(args), code, texts);
    }

    pub fn refused(&self, command: &mut Command, code: i32, texts: &[&str]) {
        let before = self.list(".");
        let output = command.output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{command:?}: {said}");
        for text in texts {
            assert!(said.contains(text), "{command:?} should mention {text:?}: {said}");
        }
        assert!(!said.contains("panicked"), "{command:?}: {said}");
        assert_eq!(self.list("."), before, "{command:?} left something");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // What can't be removed now goes with the target folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A bar at a height that tells the digit.
pub fn image(digit: u8) -> Vec<u8> {
    let bar = 2 + 2 * usize::from(digit);
    let ink = |y: usize, x: usize| if (bar..bar + 4).contains(&y) && (6..22).contains(&x) { 255 } else { 0 };
    (0..IMAGE.rows).flat_map(|y| (0..IMAGE.columns).map(move |x| ink(y, x))).collect()
}
