//! `holdpoint replay`: the debugger, the policy dry run and the test format.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Common, Failed, policy, print, say};
use crate::{
    mailbox::Mail,
    not_done::NotDone,
    replay::{Scenario, in_words, play},
};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Read the recorded history from this file, JSON Lines.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// Replay under this policy instead of the bundle's example.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Write every mail of the replay into this new or empty folder, as 0001.eml and so on.
    #[arg(long, value_name = "DIR")]
    mailbox: Option<PathBuf>,
}

pub async fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let scenario = &options.scenario;
    let text = super::read(scenario)?;
    let policy = match &options.policy {
        Some(file) => policy::read(file)?,
        None => policy::EXAMPLE.to_owned(),
    };
    let parsed = Scenario::parse(&text).map_err(|malformed| {
        let lines: Vec<String> = malformed.0.iter().map(|fault| format!("{}: {fault}", scenario.display())).collect();
        Failed::input(lines.join("\n"))
    })?;
    // Before the play, which may be long: a folder that cannot be used is told at once.
    options.mailbox.as_deref().map(prepare).transpose()?;
    let played = play(&parsed, &policy).await.map_err(|not_done| match not_done {
        NotDone::Malformed(why) => Failed::input(format!("{}: {why}", scenario.display())),
        NotDone::Failed(why) => Failed::new(format!("{}: {why}", scenario.display())),
    })?;
    let line = |record| match common.json {
        true => serde_json::to_string(record).map_err(|error| Failed::new(format!("printing: {error}"))),
        false => Ok(in_words(record)),
    };
    let lines = played.records.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    if !lines.is_empty() {
        print(lines.join("\n"))?;
    }
    if let Some(folder) = &options.mailbox {
        written(folder, &played.mails)?;
        say(common, format!("{} mails in {}", played.mails.len(), folder.display()));
    }
    Ok(())
}

/// Mails of an earlier replay beside these would be taken for theirs.
fn prepare(folder: &Path) -> Result<(), Failed> {
    let failed = |error| Failed::new(format!("--mailbox {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    match fs::read_dir(folder).map_err(failed)?.next() {
        None => Ok(()),
        Some(_) => Err(Failed::input(format!("--mailbox {}: expected a new or empty folder", folder.display()))),
    }
}

fn written(folder: &Path, mails: &[Mail]) -> Result<(), Failed> {
    for mail in mails {
        let file = folder.join(format!("{:04}.eml", mail.number));
        fs::write(&file, &mail.raw).map_err(|error| Failed::new(format!("writing {}: {error}", file.display())))?;
    }
    Ok(())
}
