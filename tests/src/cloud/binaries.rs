//! The seven binaries, built by the cargo that runs the tests, and packed as Lambda takes them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::tools::{self, Set};
use crate::repository;

pub const FUNCTIONS: [&str; 7] = ["ingest", "refresh", "notify", "adopt", "acknowledge", "tick", "poll"];

/// Whether the binaries are those of `infra/build`: a release build of minutes.
pub fn released() -> bool {
    std::env::var_os("HOLDPOINT_RELEASE").is_some_and(|value| value == "1")
}

/// Each function's program.
pub fn built() -> Result<BTreeMap<&'static str, PathBuf>, String> {
    match released() {
        true => release(),
        false => development(&FUNCTIONS),
    }
}

/// The operator's own program.
pub fn operator() -> Result<PathBuf, String> {
    one("holdpoint")
}

/// A function of this suite's own, to see how any function behaves.
pub fn example() -> Result<PathBuf, String> {
    one(EXAMPLE)
}

const EXAMPLE: &str = "panicking";

fn one(name: &'static str) -> Result<PathBuf, String> {
    development(&[name])?.remove(name).ok_or_else(|| format!("cargo build: no {name}"))
}

/// What `infra/build` makes for this machine's kind.
pub fn release() -> Result<BTreeMap<&'static str, PathBuf>, String> {
    let script = repository().join("infra/build");
    let status = as_from_a_shell(&mut Command::new(&script)).arg("x86_64").stdout(Stdio::null()).status();
    let status = status.map_err(|error| format!("{}: {error}", script.display()))?;
    if !status.success() {
        return Err(format!("{}: {status}", script.display()));
    }
    let program = |function| repository().join("target/lambda").join(function).join("bootstrap");
    Ok(FUNCTIONS.into_iter().map(|function| (function, program(function))).collect())
}

/// Without what cargo told this test of its own package: a build script that watches those variables would think itself
/// outdated, and everything above it would be built once more.
fn as_from_a_shell(command: &mut Command) -> &mut Command {
    let of_a_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(of_a_package) {
            command.env_remove(name);
        }
    }
    command
}

/// The programs of these names. An example and the whole workspace are always among what is asked for, since crates get
/// their features from all that is built together: so these are the crates that the tests stand on, and nothing is built
/// a second time.
fn development(names: &[&'static str]) -> Result<BTreeMap<&'static str, PathBuf>, String> {
    let mut command = Command::new(env!("CARGO"));
    as_from_a_shell(&mut command).current_dir(repository());
    command.args([
        "build",
        "--workspace",
        "--locked",
        "--message-format=json-render-diagnostics",
        "--example",
        EXAMPLE,
    ]);
    for name in names.iter().filter(|name| **name != EXAMPLE) {
        command.args(["--bin", name]);
    }
    let done = command.stderr(Stdio::inherit()).output().map_err(|error| format!("cargo build: {error}"))?;
    if !done.status.success() {
        return Err(format!("cargo build: {}", done.status));
    }
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let artifacts = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let programs: BTreeMap<&'static str, PathBuf> = artifacts
        .filter_map(|artifact| {
            let name = artifact["target"]["name"].as_str()?;
            let known = names.iter().find(|known| **known == name)?;
            Some((*known, PathBuf::from(artifact["executable"].as_str()?)))
        })
        .collect();
    match programs.len() == names.len() {
        true => Ok(programs),
        false => Err(format!("cargo build: expected {names:?}, found {programs:?}")),
    }
}

/// The function's code as it is uploaded: `bootstrap`, and the policy beside it.
pub fn packed(function: &str, program: &Path, policy: &str, folder: &Path) -> Result<Vec<u8>, String> {
    let folder = folder.join(function);
    let said = |error: std::io::Error| format!("packing {function}: {error}");
    fs::create_dir_all(&folder).map_err(said)?;
    fs::copy(program, folder.join("bootstrap")).map_err(said)?;
    // Debug information is most of a development build and nobody's there.
    let _ = Command::new("strip").arg(folder.join("bootstrap")).status();
    fs::write(folder.join("policy.json"), policy).map_err(said)?;
    let zip = folder.join("function.zip");
    let python = tools::installed(Set::Test)?.join("python");
    let mut command = Command::new(python);
    command.current_dir(&folder).args(["-m", "zipfile", "-c", "function.zip", "bootstrap", "policy.json"]);
    let status = command.status().map_err(said)?;
    match status.success() {
        true => fs::read(zip).map_err(said),
        false => Err(format!("packing {function}: {status}")),
    }
}
