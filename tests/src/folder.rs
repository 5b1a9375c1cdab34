//! A folder of one test.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// The folders of this process so far: what runs side by side never shares one.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Gone with the test, unless the test failed: then the folder is what there is to look at.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder of its own. `name`: what is left of a failed test is found by it.
    ///
    /// # Panics
    /// The folder cannot be made.
    pub fn new(name: &str) -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("holdpoint-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        match std::thread::panicking() {
            true => eprintln!("kept: {}", self.0.display()),
            false => drop(fs::remove_dir_all(&self.0)),
        }
    }
}
