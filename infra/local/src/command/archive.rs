//! `holdpoint archive` and `holdpoint import`: everything with its lineage, between one machine and AWS.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter},
    path::PathBuf,
};

use clap::Args;
use lambda_shell::clock::Clock;
use serde_json::json;

use super::{
    Common, Deployment, Failed, ask,
    home::{Home, Owner, Place},
    policy, print, say,
};
use crate::{
    archive::{self, Last},
    embedded::Embedded,
    embedded::TABLE,
    engine::{Engine, Settings, Storage},
    headless::Lost,
    operator::Stack,
    private,
    queues::{Counts, Refusal},
};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The file that the archive is written into or read from.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    deployment: Deployment,
}

/// # Errors
/// An engine runs, messages or mails wait, a lineage does not verify, or the file exists or cannot be written.
pub async fn archive(common: &Common, options: &Options) -> Result<(), Failed> {
    let Options { file, deployment } = options;
    if file.exists() {
        return Err(Failed::new(format!("{}: exists already; nothing was written", file.display())));
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let draft = file.with_file_name(name);
    let (out, _) = private::file(&draft).map_err(Failed::new)?;
    out.set_len(0).map_err(Failed::new)?;
    let mut out = BufWriter::new(out);
    let written = match &deployment.stack {
        Some(stack) => {
            say(common, format!("reading the table of the stack {stack}"));
            Stack::connect(stack).await.map_err(Failed::new)?.archive(&mut out).await.map_err(Failed::new)
        }
        None => of_this_machine(common, &mut out).await,
    };
    let kept = written.and_then(|last| {
        out.into_inner().map_err(Failed::new)?.sync_all().map_err(Failed::new)?;
        fs::rename(&draft, file).map_err(Failed::new)?;
        Ok(last)
    });
    if kept.is_err() {
        let _ = fs::remove_file(&draft);
    }
    report(common, &format!("{}:", file.display()), &kept?)
}

fn report(common: &Common, what: &str, last: &Last) -> Result<(), Failed> {
    let (items, reviews) = (last.items, last.reviews.len());
    say(common, format!("{what} {items} items, {reviews} reviews, every lineage verified"));
    if common.json { print(json!({ "items": items, "reviews": last.reviews })) } else { Ok(()) }
}

async fn of_this_machine(common: &Common, out: &mut BufWriter<File>) -> Result<Last, Failed> {
    let place = Place::to_ask(common.data.as_deref())?;
    // Whoever writes meanwhile would make two stores of one.
    let home = Home::take(&place)?;
    let engine = ask::opened_to_read(&home).await?;
    let mut waiting: Vec<String> = Vec::new();
    for queue in engine.topology().queues.keys() {
        let count = waits(&engine, queue).map_err(Failed::new)?;
        if count > 0 {
            waiting.push(format!("{count} messages on {queue}"));
        }
    }
    let mails = engine.relay().map_or(0, |relay| relay.backlog().0);
    if mails > 0 {
        waiting.push(format!("{mails} mails for the mail server"));
    }
    if !waiting.is_empty() {
        return Err(Failed::new(format!(
            "{} wait, and an archive holds none: let `holdpoint serve` work them off, `holdpoint redrive` or `discard` what is dead, and try again",
            waiting.join(", ")
        )));
    }
    // What is left of a review whose removal was begun goes with the next `compact`.
    let (begun, _) = Lost::of_engine(&engine).await.map_err(Failed::new)?;
    archive::write(engine.store(), TABLE, engine.now(), &begun, out).await.map_err(Failed::new)
}

fn waits(engine: &Engine, queue: &str) -> Result<usize, Refusal> {
    let Counts { visible, in_flight, delayed } = engine.queues().counts(queue)?;
    let is_asked_again = archive::asked_again(engine.topology()) == Some(queue);
    Ok(visible + in_flight + if is_asked_again { 0 } else { delayed })
}

/// # Errors
/// The file is no archive or damaged (2), something is there already, or what was imported is not what was archived.
pub async fn import(common: &Common, options: &Options) -> Result<(), Failed> {
    let Options { file, deployment } = options;
    let told = |why: String| Failed::input(format!("{}: {why}", file.display()));
    let opened = File::open(file).map_err(|error| told(error.to_string()))?;
    let archive = archive::read(BufReader::new(opened)).map_err(told)?;
    if let Some(stack) = &deployment.stack {
        say(common, format!("writing into the table of the stack {stack}"));
        let last = Stack::connect(stack).await.map_err(Failed::new)?.import(archive).await.map_err(Failed::new)?;
        return report(common, "imported", &last);
    }
    let place = Place::of(Owner::Service, common.data.as_deref());
    let home = Home::take(&place)?;
    let store = home.store();
    for there in [store.clone(), Embedded::beside(&store)] {
        if there.exists() {
            return Err(Failed::new(format!("{}: exists already; import into an empty --data", there.display())));
        }
    }
    say(common, format!("making {}", store.display()));
    let imported = into(archive, &store).await;
    if imported.is_err() {
        // Half a store is none.
        for database in [store.clone(), Embedded::beside(&store)] {
            for ending in ["", "-wal", "-shm"] {
                let mut name = database.clone().into_os_string();
                name.push(ending);
                let _ = fs::remove_file(name);
            }
        }
    }
    let imported = imported.map_err(Failed::new)?;
    say(common, "the store has no policy yet: `holdpoint serve --policy FILE` offers one");
    report(common, "imported", &imported)
}

async fn into(archive: archive::Archive, store: &std::path::Path) -> Result<Last, String> {
    let storage = Storage::File(store.to_owned());
    let settings = Settings { storage, ..Settings::in_memory(policy::EXAMPLE) };
    let engine = Engine::open(settings, Clock::system()).await?;
    archive::import(archive, engine.store(), TABLE).await
}
