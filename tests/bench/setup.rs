//! Gets the peers: their packages, built beside this workspace's own, and an interpreter with theirs. Every step is tried,
//! and one that fails is said with what it wanted; the peers behind that step are absent then, and the run says so.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use holdpoint_tests::repository;

/// Where the peers' programs and packages lie.
pub fn folder() -> PathBuf {
    repository().join("target/peers")
}

/// A peer's own program.
pub fn built(name: &str) -> PathBuf {
    folder().join("release").join(name)
}

/// The interpreter with the peers' packages: `PYTHON`, or the one that `setup` made.
pub fn python() -> PathBuf {
    let made = folder().join("python/bin/python3");
    match std::env::var_os("PYTHON") {
        Some(named) => PathBuf::from(named),
        None if made.exists() => made,
        None => PathBuf::from("python3"),
    }
}

fn bench() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench")
}

/// The packages of the peers that are run here, each on its own: their profiles differ.
const PACKAGES: [&str; 4] =
    ["peer_core", "peer_pipeline/floors/stub", "peer_pipeline/floors/floor", "peer_pipeline/floors/bare"];

/// Every step; answers whether all of them went well.
pub fn run() -> bool {
    let mut steps: Vec<(String, Command)> = Vec::new();
    for package in PACKAGES {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--release", "--manifest-path"]).arg(bench().join(package).join("Cargo.toml"));
        cargo.env("CARGO_TARGET_DIR", folder());
        steps.push((package.to_owned(), cargo));
    }
    let environment = folder().join("python");
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(&environment);
    steps.push(("a Python environment".to_owned(), make));
    for requirements in ["peer_core/py/requirements.txt", "peer_pipeline/requirements.txt"] {
        let mut install = Command::new(environment.join("bin/pip"));
        install.args(["install", "--quiet", "-r"]).arg(bench().join(requirements));
        steps.push((requirements.to_owned(), install));
    }
    let mut modules = Command::new("npm");
    modules.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(bench().join("peer_core/node"));
    steps.push(("the modules of peer_core/node".to_owned(), modules));
    steps.into_iter().fold(true, |well, (name, mut command)| {
        let outcome = match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(status.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match &outcome {
            Ok(()) => println!("{name}: there"),
            Err(why) => println!("{name}: {why}: {command:?}; its peers will be absent"),
        }
        well && outcome.is_ok()
    })
}
