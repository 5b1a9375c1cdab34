//! What the suites share.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

pub mod browser;
pub mod client;
pub mod cloud;
pub mod expected;
pub mod folder;
pub mod mail_sink;
pub mod served;
pub mod world;

use std::path::PathBuf;

/// The repository's own folder.
pub fn repository() -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    tests.parent().map_or_else(|| tests.clone(), PathBuf::from)
}
