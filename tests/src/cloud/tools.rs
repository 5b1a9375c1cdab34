//! The pinned Python tools of `.ci/tools`, in the repository's own virtual environment.

use std::{path::PathBuf, process::Command};

use crate::repository;

/// Which of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Set {
    /// The cloud stand-in and what reads the template.
    Test,
    /// The cross-compiler as well.
    Build,
}

/// Installs what is missing; answers with the folder of their programs.
pub fn installed(set: Set) -> Result<PathBuf, String> {
    let script = repository().join(".ci/tools");
    let mut command = Command::new(&script);
    if set == Set::Build {
        command.arg("build");
    }
    let done = command.output().map_err(|error| format!("{}: {error}", script.display()))?;
    if !done.status.success() {
        return Err(format!("{}: {}: {}", script.display(), done.status, String::from_utf8_lossy(&done.stderr)));
    }
    let folder = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    Ok(PathBuf::from(folder))
}
