//! A folder of one test.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Gone with the test, unless the test failed: then the folder is what there is to look at.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder of this process. `name`: tells two of them apart.
    ///
    /// # Panics
    /// The folder cannot be made.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("holdpoint-{name}-{}", std::process::id()));
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
