//! The command line. Each command says what it does while it works, and exits non-zero with a reason on failure.

mod ask;
mod home;
mod http;
mod replay;
mod run;
mod serve;
mod show;

pub use show::in_words;

use std::{fmt, io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use refresh_core::ReviewId;

/// Holdpoint keeps the coordination packet of every release-readiness review current.
///
/// Without a command it starts everything on this machine, plays the story of the README into it, prints where to look,
/// and stays up.
#[derive(Parser)]
#[command(name = "holdpoint", version)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    story: run::Options,
    #[command(flatten)]
    common: Common,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
struct Common {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// Where the local engine keeps everything.
    #[arg(long, global = true, value_name = "DIR", default_value = ".holdpoint")]
    data: PathBuf,
    /// Ask a deployment instead of this machine: the stack of this name, with the shell's AWS credentials and region.
    #[arg(long, global = true, value_name = "NAME")]
    stack: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything and play the story; the same as no command.
    Run(run::Options),
    /// Start everything without the story: the durable one-machine engine.
    Serve(serve::Options),
    /// Run a recorded history in memory, on a virtual clock, and print what happened.
    Replay {
        /// The scenario, JSON Lines.
        scenario: PathBuf,
        /// The deployment's policy; the bundle's own by default.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// Put events on the queue: a JSON file with one event, a list, or one a line. `-` reads standard input.
    Send { file: PathBuf },
    /// What is open: pending adoptions, exceptions, outstanding answers.
    Reviews,
    /// One review: packet, versions, answers, lineage.
    Show { review: ReviewId },
    /// Recompute the lineage chain and name the first entry that does not fit.
    Verify { review: Option<ReviewId> },
    /// List what is in the dead-letter queues and why, and send it again.
    Redrive {
        /// Only list.
        #[arg(long)]
        list: bool,
    },
    /// Make a new key for links. The one that signed until now still opens what was mailed; the one before it no more.
    RotateLinkKeys,
    /// One function, one event, like the cloud would. `-` reads the event from standard input.
    Invoke { function: String, event: PathBuf },
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
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("holdpoint: starting: {error}");
            return ExitCode::FAILURE;
        }
    };
    log(&line);
    match runtime.block_on(perform(line)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("holdpoint: {}", failed.why);
            ExitCode::from(failed.status)
        }
    }
}

/// What the functions log goes to standard error, so that standard output is the command's alone. `HOLDPOINT_LOG` says
/// how much, like `RUST_LOG` does elsewhere.
fn log(line: &Line) {
    // A story and a replay print what happened; only what must not happen is worth a line beside it.
    let level = if matches!(line.command, Some(Command::Serve(_))) { "warn" } else { "error" };
    let wanted = std::env::var("HOLDPOINT_LOG").unwrap_or_else(|_| level.to_owned());
    let filter = tracing_subscriber::EnvFilter::new(format!("{wanted},embedded_metric_format=off,log_note=off"));
    // Started already, where a test calls this twice: then that one goes on.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

async fn perform(line: Line) -> Result<(), Failed> {
    use crate::operator::Request;
    let common = &line.common;
    let local = matches!(
        line.command,
        None | Some(Command::Run(_) | Command::Serve(_) | Command::Replay { .. } | Command::RotateLinkKeys)
    );
    if common.stack.is_some() && local {
        return Err(Failed::input(
            "--stack: only send, reviews, show, verify, redrive and invoke work on a deployment",
        ));
    }
    match line.command.unwrap_or(Command::Run(line.story)) {
        Command::Run(options) => run::run(common, &options).await,
        Command::Serve(options) => serve::run(common, &options).await,
        Command::Replay { scenario, policy } => replay::run(&scenario, policy.as_deref(), common.json).await,
        Command::Send { file } => ask::ask(common, Request::Send(ask::events(&file)?)).await,
        Command::Reviews => ask::ask(common, Request::Reviews).await,
        Command::Show { review } => ask::ask(common, Request::Show(review)).await,
        Command::Verify { review } => ask::ask(common, Request::Verify(review)).await,
        Command::Redrive { list } => ask::ask(common, if list { Request::DeadLetters } else { Request::Redrive }).await,
        Command::RotateLinkKeys => {
            let ids = home::Home::take(&common.data)?.rotate_link_keys()?;
            say(common, format!("links are signed by key {}; opened by {}", ids[0], ids.join(" and ")));
            if common.json { print(serde_json::json!({ "signs": ids[0], "opens": ids })) } else { Ok(()) }
        }
        Command::Invoke { function, event } => {
            let event = ask::event(&event)?;
            ask::ask(common, Request::Invoke { function, event }).await
        }
    }
}

/// To standard output. A reader that has seen enough ends the command, and is no failure.
fn print(text: impl fmt::Display) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        printed => printed.map_err(|error| Failed::new(format!("printing: {error}"))),
    }
}

/// For people, unless JSON was asked for; then it would be noise among the lines.
fn say(common: &Common, line: impl fmt::Display) {
    if !common.json {
        eprintln!("{line}");
    }
}
