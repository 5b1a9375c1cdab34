//! The command line. Each command says what it does while it works, and exits non-zero with a reason on failure.

pub(crate) mod act;
mod archive;
mod ask;
mod backup;
mod check;
mod compact;
mod events;
mod example;
mod explain;
mod home;
mod http;
mod init;
mod log;
mod mail;
mod policy;
mod redrive;
mod removed;
mod replay;
mod reviews;
mod run;
mod serve;
mod settings;
mod shells;
pub(crate) mod show;
mod stuck;
#[cfg(test)]
mod tests;
mod version;

pub use show::in_words;

use std::{
    fmt,
    io::{self, Write},
    num::NonZero,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Mutex, mpsc},
    thread,
};

use clap::{Args, Parser, Subcommand};
use refresh_core::{
    Person, ReviewId,
    facts::{operator::OperatorChoice, subject::Kind},
};
use tokio::runtime::{Builder, Runtime};

use crate::not_done::NotDone;

/// Holdpoint keeps the coordination packet of every release-readiness review current.
///
/// Without a command it starts everything on this machine, plays the story of the README into it, prints where to look,
/// and stays up.
#[derive(Parser)]
#[command(name = "holdpoint", version = version::text(), after_help = log::HELP)]
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
    /// Use the local store in this folder. Without it: .holdpoint for `serve`, .holdpoint/demo for the demo; other
    /// commands use the first where `serve` has made a store, else the second, and say which.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// What a command takes that works on a deployment, too.
#[derive(Args, Clone, Debug)]
struct Deployment {
    /// Ask the deployment whose stack has this name instead of this machine, with the shell's AWS credentials and region.
    #[arg(long, value_name = "NAME", conflicts_with = "data", value_parser = stack)]
    stack: Option<String>,
}

/// The name of a stack, as CloudFormation takes it: queues, functions and the table have it before theirs.
fn stack(text: &str) -> Result<String, String> {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 128
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_name {
        return Ok(text.to_owned());
    }
    Err("expected the name of a stack: a letter, then letters, digits and hyphens, 128 at most".to_owned())
}

#[derive(Subcommand)]
enum Command {
    /// Start everything and play the story; the same as no command.
    #[command(after_help = log::HELP)]
    Run(run::Options),
    /// Start everything without the story: the durable one-machine engine.
    #[command(after_help = log::HELP)]
    Serve(serve::Options),
    /// Run a recorded history in memory, on a virtual clock, and print what happened.
    #[command(after_help = log::HELP)]
    Replay(replay::Options),
    /// Write a settings file with comments and a policy to start from into a folder.
    Init(init::Options),
    /// Check a settings file and the policy it names, and list every fault in both.
    Check(check::Options),
    /// Write a policy, facts, a review and a change of tomorrow into a folder, to start from and to edit.
    Example(example::Options),
    /// Put events on the queue, and say what became of each.
    Send {
        /// Read the events from this file: JSON with one event, a list, or one a line; `-` reads standard input.
        file: PathBuf,
        #[command(flatten)]
        waiting: ask::Waiting,
        #[command(flatten)]
        deployment: Deployment,
    },
    /// List what came in and what became of it, the newest first: applied, ignored, skipped, unbound, refused, discarded, redriven, and why.
    #[command(after_help = events::HELP)]
    Events(events::Options),
    /// Check a policy file, or explain what a policy lets in.
    #[command(subcommand)]
    Policy(explain::Command),
    /// Say what is open: pending adoptions, exceptions, outstanding answers.
    Reviews(reviews::Options),
    /// Show one review: packet, versions, answers, lineage.
    Show {
        /// Show the review of this id.
        review: ReviewId,
        #[command(flatten)]
        deployment: Deployment,
    },
    /// Say why a review is where it is: what moved, by which event, which rule was broken, what was considered.
    Why {
        /// Explain the review of this id.
        review: ReviewId,
        #[command(flatten)]
        deployment: Deployment,
    },
    /// Say who must still decide or answer what, since when and until when.
    Waiting {
        /// List what waits for the person of this address alone.
        person: Option<Person>,
        #[command(flatten)]
        deployment: Deployment,
    },
    /// Say what one person was told, when, by which mail, and whether the mail arrived.
    Told {
        /// List what the person of this address was told.
        person: Person,
        #[command(flatten)]
        deployment: Deployment,
    },
    /// List what does not go on: what failed, is dead or about to be, is silent or overdue.
    Stuck(stuck::Options),
    /// Close a review as an operator: coordination ends, and the meeting is left alone.
    Close {
        /// Close the review of this id.
        review: ReviewId,
        #[command(flatten)]
        acting: act::Acting,
    },
    /// Let the next fact of a subject in at any revision, after a wrong one has kept out whatever its source says.
    Reset {
        /// Reset a subject of this kind: review, change, delegation, availability, evidence, freeze or person.
        #[arg(value_parser = act::kind)]
        kind: Kind,
        /// Reset the subject of this name: its parts joined by `/`, like CHG1/tests.
        subject: String,
        #[command(flatten)]
        acting: act::Acting,
    },
    /// Decide a waiting proposal in its owner's place, for the night in which no mail reaches the owner.
    Decide {
        /// Decide the proposal of this review.
        review: ReviewId,
        /// Decide so: adopt, decline_other_slot (another slot is looked for) or decline_stand (the present one stands).
        #[arg(value_parser = act::choice)]
        decision: OperatorChoice,
        /// Say that the decision is an operator's and not the owner's.
        #[arg(long, required = true)]
        as_operator: bool,
        #[command(flatten)]
        acting: act::Acting,
    },
    /// Mail a person once more what they were last told of a review, as it is now, as an operator.
    Resend {
        /// Mail what is known of this review.
        review: ReviewId,
        /// Mail the person of this address.
        person: Person,
        #[command(flatten)]
        acting: act::Acting,
    },
    /// Recompute the lineage chain and name the first entry that does not fit.
    Verify {
        /// Verify the review of this id alone; without it, every review.
        review: Option<ReviewId>,
        #[command(flatten)]
        deployment: Deployment,
    },
    /// List what is in the dead-letter queues and why, and send it again.
    Redrive(redrive::Options),
    /// Take one dead letter away for good, as an operator: what will never be right, with who and why.
    Discard {
        /// Discard the letter with this message id, as `redrive --list` shows it.
        #[arg(value_name = "MESSAGE")]
        letter: String,
        #[command(flatten)]
        who: act::Who,
        #[command(flatten)]
        deployment: Deployment,
    },
    /// Copy everything of a store into one file, while its engine runs or not.
    Backup(backup::Options),
    /// Put a store back from such a file into a folder that has none, and verify every lineage in it.
    Restore(backup::Options),
    /// Write everything of a store or a deployment into one file, every lineage verified, while no engine works on it.
    Archive(archive::Options),
    /// Put such a file into an empty folder or a deployment's empty table, and verify every lineage there.
    Import(archive::Options),
    /// List the mails of the local engine, or print one as it was sent.
    Mail(mail::Options),
    /// Remove events, mails, dead letters and ended reviews that are past the time for which the settings keep them.
    Compact(compact::Options),
    /// List the reviews that were removed so: when, in whose name and why, and where the record of each is.
    Removed(removed::Options),
    /// Compare the engine's time with the machine's clock, which is not believed when it leaves what has elapsed.
    Clock {
        /// Take the machine's clock as right from now on, and let the work go on that waited for it.
        #[arg(long)]
        accept: bool,
        /// Accept without asking. A script that has no terminal is not asked.
        #[arg(long, requires = "accept")]
        yes: bool,
    },
    /// Make a new key for links. The one that signed until now still opens what was mailed; the one before it no more.
    RotateLinkKeys {
        /// Make the key without asking. A script that has no terminal is not asked.
        #[arg(long)]
        yes: bool,
    },
    /// Print what makes a shell complete this command line.
    Completions {
        /// Print the script of this shell.
        shell: clap_complete::Shell,
    },
    /// Write a manual page of every command into a folder.
    Man {
        /// Write into this folder, which is made where there is none.
        folder: PathBuf,
    },
    /// Run one function on one event, like the cloud would.
    #[command(after_help = log::HELP)]
    Invoke {
        /// Run the function of this name: ingest, refresh, notify, adopt, acknowledge, tick or poll.
        function: String,
        /// Read the event from this JSON file; `-` reads standard input.
        event: PathBuf,
        #[command(flatten)]
        deployment: Deployment,
    },
}

/// Why a command failed, and with what status.
#[derive(Clone, Debug)]
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

impl From<NotDone> for Failed {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Malformed(why) => Self::input(why),
            NotDone::Failed(why) => Self::new(why),
        }
    }
}

/// Of each thread, in bytes. Unoptimised, the SDK's nested polls need more than the two megabytes that a thread has by itself.
const STACK: usize = if cfg!(debug_assertions) { 16 << 20 } else { 2 << 20 };
/// Threads that a start needs beside one for each processor.
const BESIDE: usize = 4;

/// The threads that this process works on.
///
/// # Errors
/// The machine does not give the process so many. Found out before: a runtime that gets some of its threads never ends.
fn runtime() -> io::Result<Runtime> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let (done, waits) = mpsc::channel::<()>();
    let waits = Mutex::new(waits);
    thread::scope(|scope| {
        let wait = || drop(waits.lock().map(|waits| waits.recv()));
        let started: io::Result<Vec<_>> =
            (0..workers + BESIDE).map(|_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, wait)).collect();
        drop(done);
        started.map(drop)
    })?;
    Builder::new_multi_thread().worker_threads(workers).enable_all().thread_stack_size(STACK).build()
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let line = Line::parse();
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("holdpoint: starting threads, which need memory and the right to so many: {error}");
            return ExitCode::FAILURE;
        }
    };
    let started = match &line.command {
        Some(Command::Serve(options)) => {
            let log = serve::log_of(options);
            log::start(log.level.as_deref().unwrap_or("warn"), log.format)
        }
        _ => log::start("error", log::Format::Text),
    };
    match started.and_then(|()| runtime.block_on(perform(line))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("holdpoint: {}", failed.why);
            ExitCode::from(failed.status)
        }
    }
}

async fn perform(line: Line) -> Result<(), Failed> {
    use crate::operator::{Act, Request};
    let common = &line.common;
    match line.command.unwrap_or(Command::Run(line.story)) {
        Command::Run(options) => run::run(common, &options).await,
        Command::Serve(options) => serve::run(common, &options).await,
        Command::Replay(options) => replay::run(common, &options).await,
        Command::Init(options) => init::run(common, &options),
        Command::Check(options) => check::run(common, &options),
        Command::Example(options) => example::run(common, &options),
        Command::Send { file, waiting, deployment } => {
            ask::send(common, &deployment, &waiting, ask::events(&file)?).await
        }
        Command::Events(options) => events::run(common, options).await,
        Command::Policy(command) => explain::run(common, &command),
        Command::Reviews(options) => reviews::run(common, options).await,
        Command::Show { review, deployment } => ask::ask(common, &deployment, Request::Show(review)).await,
        Command::Why { review, deployment } => ask::ask(common, &deployment, Request::Why(review)).await,
        Command::Waiting { person, deployment } => ask::ask(common, &deployment, Request::Waiting(person)).await,
        Command::Told { person, deployment } => ask::ask(common, &deployment, Request::Told(person)).await,
        Command::Stuck(options) => stuck::run(common, &options).await,
        Command::Close { review, acting } => act::run(common, Act::Close(review), &acting).await,
        Command::Reset { kind, subject, acting } => act::run(common, Act::Reset(kind, subject), &acting).await,
        Command::Decide { review, decision, as_operator: _, acting } => {
            act::run(common, Act::Decide(review, decision), &acting).await
        }
        Command::Resend { review, person, acting } => act::run(common, Act::Resend(review, person), &acting).await,
        Command::Verify { review, deployment } => ask::ask(common, &deployment, Request::Verify(review)).await,
        Command::Redrive(options) => redrive::run(common, &options).await,
        Command::Discard { letter, who, deployment } => act::discard(common, &deployment, &letter, &who).await,
        Command::Archive(options) => archive::archive(common, &options).await,
        Command::Import(options) => archive::import(common, &options).await,
        Command::Backup(options) => backup::backup(common, &options).await,
        Command::Restore(options) => backup::restore(common, &options).await,
        Command::Mail(options) => mail::run(common, &options).await,
        Command::Compact(options) => compact::run(common, &options).await,
        Command::Removed(options) => removed::run(common, options).await,
        Command::Clock { accept, yes } => {
            let will =
                "the machine's clock counts from now on: what was due by it is done, and no earlier time comes back";
            if accept {
                act::asks_first(common, yes, &[will.to_owned()])?;
            }
            ask::ask(common, &Deployment { stack: None }, Request::Clock { accept }).await
        }
        Command::RotateLinkKeys { yes } => rotate_link_keys(common, yes),
        Command::Completions { shell } => shells::completions(common, shell),
        Command::Man { folder } => shells::man(common, &folder),
        Command::Invoke { function, event, deployment } => {
            let file = event.display().to_string();
            let event = ask::event(&event)?;
            let done = ask::ask(common, &deployment, Request::Invoke { function, event }).await;
            // Malformed input is a fault of the file; any other failure is not.
            done.map_err(
                |failed| if failed.status == 2 { Failed::input(format!("{file}: {}", failed.why)) } else { failed },
            )
        }
    }
}

fn rotate_link_keys(common: &Common, yes: bool) -> Result<(), Failed> {
    let place = home::Place::to_ask(common.data.as_deref())?;
    let home = home::Home::take(&place)?;
    let file = home.remembered_settings()?.map(|file| settings::read(&file)).transpose()?.unwrap_or_default();
    let will = [
        "a new key signs the links of the next mails".to_owned(),
        "links that the present key signed still open; those of the key before it open nothing any more".to_owned(),
    ];
    act::asks_first(common, yes, &will)?;
    let now = refresh_core::Instant::from_millis(home.timekeeper()?.now());
    let home::Rotated(ids) = home.rotate_link_keys(&file.keys, now)?;
    let (signs, opens, store) = (&ids[0], ids.join(" and "), place.store());
    say(common, format!("links of {} are signed by key {signs}; opened by {opens}", store.display()));
    if common.json { print(serde_json::json!({ "signs": signs, "opens": ids, "store": store })) } else { Ok(()) }
}

/// A file's text.
fn read(file: &Path) -> Result<String, Failed> {
    let read = std::fs::read_to_string(file);
    read.map(without_mark).map_err(|error| Failed::input(format!("reading {}: {error}", file.display())))
}

/// Some editors begin a file with a mark of its encoding, which is no part of the text.
fn without_mark(text: String) -> String {
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

/// To standard output. A reader that has seen enough ends the command, and is no failure.
fn print(text: impl fmt::Display) -> Result<(), Failed> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        printed => printed.map_err(|error| Failed::new(format!("printing: {error}"))),
    }
}

/// For people, unless JSON was asked for; then it would be noise among the lines.
fn say(common: &Common, line: impl fmt::Display) {
    if !common.json {
        eprintln!("{line}");
    }
}
