//! What Holdpoint costs, beside other programs on the same work: one JSON line a figure as it is found, then the table, and
//! the same in a file. Asserts nothing timed.
//!
//! `cargo run -p holdpoint-tests --release --bin bench`; `tests/bench/README.md` says what each figure is.

#![allow(clippy::print_stdout, reason = "a benchmark speaks on standard output")]

/// The peers' own sources name their library; here that library is a module of this program.
extern crate self as peer_core;

#[allow(dead_code, clippy::all, reason = "the peers' own code, as they are written")]
#[path = "peer_core/src/lib.rs"]
mod work;
pub use work::*;

#[allow(dead_code, clippy::all, reason = "the peers' own code, as they are written")]
#[path = "peer_core/src/bin/gen.rs"]
mod rungs;

mod cold;
mod core;
mod figure;
mod machine;
mod pipeline;
mod price;
mod setup;
#[allow(dead_code, reason = "the test of the README uses what is not printed here")]
mod table;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};

use figure::Report;
use machine::Machine;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Part {
    /// Builds and installs the peers, and measures nothing
    Setup,
    /// The refresh core on rungs of growing size
    Core,
    /// The slowest refresh of what ingest lets in
    Worst,
    /// An event's way through the functions
    Events,
    /// The deployed binaries: cold start and size
    Cold,
    /// One refresh and one search of each rung, to be counted by a program that counts instructions. Rung W: a dozen
    /// refreshes of a worst case
    Count,
}

/// Measures Holdpoint beside its peers.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Asked {
    /// What to measure; all of it, where nothing is named
    parts: Vec<Part>,
    /// The rungs of the core's ladder: any of A, B, C, D, E
    #[arg(long, default_value = "ABC")]
    rungs: String,
    /// Every peer of the core, not only those that were ever the best: minutes on C
    #[arg(long)]
    all_peers: bool,
    /// Where the figures go as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let asked = Asked::parse();
    let wants = |part: Part| asked.parts.is_empty() || asked.parts.contains(&part);
    if asked.parts.contains(&Part::Setup) && !setup::run() {
        return ExitCode::FAILURE;
    }
    if asked.parts.contains(&Part::Count) {
        core::once(&asked.rungs);
        if asked.rungs.contains('W') {
            core::worst::once();
        }
    }
    let measured = [Part::Core, Part::Worst, Part::Events, Part::Cold].map(wants);
    if !measured.contains(&true) {
        return ExitCode::SUCCESS;
    }
    let (machine, mut report) = (Machine::of_this_run(), Report::default());
    let [core, worst, events, cold] = measured;
    if core {
        core::measure(&mut report, &asked.rungs, asked.all_peers);
    }
    if worst {
        core::worst::measure(&mut report);
    }
    if events {
        pipeline::measure(&mut report);
    }
    if cold {
        cold::measure(&mut report);
    }
    println!("\n{}", report.table(&machine));
    let file = asked.json.unwrap_or_else(|| holdpoint_tests::repository().join("target/bench.json"));
    match report.write(&machine, &file) {
        Ok(()) => {
            println!("as JSON: {}", file.display());
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}
