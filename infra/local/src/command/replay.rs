//! `holdpoint replay`: the debugger, the policy dry run and the test format.

use std::{
    io::{self, Write},
    path::Path,
};

use super::Failed;
use crate::replay::{Records, Scenario, in_words, replay};

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
    print(&records, json)
}

pub fn read(file: &Path) -> Result<String, Failed> {
    std::fs::read_to_string(file).map_err(|error| Failed::input(format!("reading {}: {error}", file.display())))
}

fn print(records: &Records, json: bool) -> Result<(), Failed> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for record in records {
        let line = if json {
            serde_json::to_string(record).map_err(|error| Failed::new(format!("printing: {error}")))?
        } else {
            in_words(record)
        };
        if let Err(error) = writeln!(out, "{line}") {
            return closed(&error);
        }
    }
    out.flush().or_else(|error| closed(&error).map_err(|failed| io::Error::other(failed.why))).map_err(Failed::new)
}

/// A reader that has seen enough is no failure.
fn closed(error: &io::Error) -> Result<(), Failed> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(Failed::new(format!("printing: {error}"))) }
}
