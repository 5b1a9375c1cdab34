//! Which commit a release is of, for `holdpoint --version`.
//!
//! A build for development names none: every commit would build the engine anew, and what is built seldom is what was
//! committed. `HOLDPOINT_COMMIT` says it where there is no git.

use std::{env, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=HOLDPOINT_COMMIT");
    let given = env::var("HOLDPOINT_COMMIT").ok().filter(|given| !given.trim().is_empty());
    let released = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = given.or_else(|| released.then(of_git).flatten()).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=HOLDPOINT_COMMIT={}", commit.trim());
}

/// The commit that is checked out, and whether files of it were changed. `None` where this is no clone, or git is not
/// there.
fn of_git() -> Option<String> {
    let head = git(&["rev-parse", "--short=12", "HEAD"])?;
    // Rises with every commit and checkout.
    for path in ["HEAD", "logs/HEAD"] {
        println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", path])?);
    }
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { head } else { format!("{head}, changed") })
}

fn git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").args(words).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
