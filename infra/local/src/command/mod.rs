//! The command line. Each command says what it does while it works, and exits non-zero with a reason on failure.

mod replay;

use std::{fmt, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// The local engine of Holdpoint, and the operator's tool.
#[derive(Parser)]
#[command(name = "holdpoint", version, arg_required_else_help = false)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run a recorded history in memory, on a virtual clock, and print what happened.
    Replay {
        /// The scenario, JSON Lines.
        scenario: PathBuf,
        /// The deployment's policy; the bundle's own by default.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
}

/// Why a command failed, and with what status.
#[derive(Debug)]
pub struct Failed {
    pub status: u8,
    pub why: String,
}

impl Failed {
    /// The command could not do what it was asked to.
    pub fn new(why: impl fmt::Display) -> Self {
        Self { status: 1, why: why.to_string() }
    }

    /// What it was given is malformed.
    pub fn input(why: impl fmt::Display) -> Self {
        Self { status: 2, why: why.to_string() }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let line = Line::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("holdpoint: starting: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match line.command {
            Some(Command::Replay { scenario, policy }) => replay::run(&scenario, policy.as_deref(), line.json).await,
            None => Err(Failed::new("not yet")),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("holdpoint: {}", failed.why);
            ExitCode::from(failed.status)
        }
    }
}
