//! `holdpoint replay`: the debugger, the policy dry run and the test format.

use std::path::Path;

use super::{Failed, print};
use crate::replay::{Scenario, in_words, replay};

/// The policy the bundle ships with.
pub const POLICY: &str = include_str!("../../../policy.json");

pub async fn run(scenario: &Path, policy: Option<&Path>, json: bool) -> Result<(), Failed> {
    let text = read(scenario)?;
    let policy = match policy {
        Some(file) => read(file)?,
        None => POLICY.to_owned(),
    };
    let scenario = Scenario::parse(&text).map_err(|malformed| {
        let lines: Vec<String> = malformed.0.iter().map(|fault| format!("{}: {fault}", scenario.display())).collect();
        Failed::input(lines.join("\n"))
    })?;
    sources::policy::read_file(&policy).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| format!("policy: {fault}")).collect();
        Failed::input(lines.join("\n"))
    })?;
    let records = replay(&scenario, &policy).await.map_err(Failed::new)?;
    let line = |record| match json {
        true => serde_json::to_string(record).map_err(|error| Failed::new(format!("printing: {error}"))),
        false => Ok(in_words(record)),
    };
    let lines = records.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    if lines.is_empty() { Ok(()) } else { print(lines.join("\n")) }
}

pub fn read(file: &Path) -> Result<String, Failed> {
    std::fs::read_to_string(file).map_err(|error| Failed::input(format!("reading {}: {error}", file.display())))
}
