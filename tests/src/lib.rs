//! What the suites share.

pub mod cloud;

use std::path::PathBuf;

/// The repository's own folder.
pub fn repository() -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    tests.parent().map_or_else(|| tests.clone(), PathBuf::from)
}
