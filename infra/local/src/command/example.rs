//! `holdpoint example`: files to start from. They are those of `events/example`, moved to tomorrow, so that a review of
//! theirs can still be decided on.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use lambda_shell::clock::Clock;
use refresh_core::{Instant, base::instant::DAY};
use serde_json::json;

use super::{Common, Failed, print, say};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Write into this folder, which is made where it does not exist; no file in it is overwritten.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

/// By name: the text, and what it is.
const FILES: [(&str, &str, &str); 5] = [
    (
        "policy.json",
        include_str!("../../../../events/example/policy.json"),
        "which source may state what, and the defaults",
    ),
    (
        "facts.json",
        include_str!("../../../../events/example/facts.json"),
        "the change, the roles, the calendars, the evidence",
    ),
    ("review.json", include_str!("../../../../events/example/review.json"), "the review RR-1, tomorrow at 10:00 UTC"),
    (
        "change.json",
        include_str!("../../../../events/example/change.json"),
        "its security reviewer is busy at that hour",
    ),
    ("malformed.json", include_str!("../../../../events/example/malformed.json"), "an event with two faults"),
];

/// The day the files are written for, and the one after.
const DAYS: [&str; 2] = ["2026-11-03", "2026-11-04"];

pub fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let folder = &options.folder;
    let failed = |path: &Path, error: std::io::Error| Failed::new(format!("writing {}: {error}", path.display()));
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let files = FILES.map(|(name, text, what)| (folder.join(name), text, what));
    if let Some((there, ..)) = files.iter().find(|(file, ..)| file.exists()) {
        return Err(Failed::new(format!("{}: exists already; nothing was written", there.display())));
    }
    let now = Instant::from_millis(Clock::system().now_millis());
    for (file, text, what) in &files {
        let mut out = File::create_new(file).map_err(|error| failed(file, error))?;
        out.write_all(on_the_next_day(text, now).as_bytes()).map_err(|error| failed(file, error))?;
        say(common, format!("{}  {what}", file.display()));
    }
    if common.json {
        return print(json!({ "files": files.map(|(file, ..)| file) }));
    }
    Ok(())
}

/// The text with its day moved to the one after `now`.
fn on_the_next_day(text: &str, now: Instant) -> String {
    let mut moved = text.to_owned();
    for (written, ahead) in DAYS.into_iter().zip([1, 2]) {
        let day = now.plus_millis(ahead * DAY).to_string();
        moved = moved.replace(written, day.split('T').next().unwrap_or(&day));
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_speaks_of_the_days_that_are_moved() {
        let now = Instant::parse("2031-12-31T23:59:59Z").unwrap();
        for (name, text, _) in FILES {
            let moved = on_the_next_day(text, now);
            assert!(!moved.contains("2026-"), "{name} names a day that is not moved: {moved}");
            assert_eq!(moved.matches("2032-01-0").count(), text.matches("2026-11-0").count(), "{name}");
        }
    }

    /// The files are right as they are, but for the one that is to be refused.
    #[test]
    fn the_events_are_of_the_policy_beside_them() {
        let of = |wanted: &str| FILES.iter().find(|(name, ..)| *name == wanted).unwrap().1;
        let policy = sources::policy::read_file(of("policy.json")).unwrap();
        for name in ["facts.json", "review.json", "change.json"] {
            let value: serde_json::Value = serde_json::from_str(of(name)).unwrap();
            for event in value.as_array().cloned().unwrap_or_else(|| vec![value]) {
                let reading =
                    sources::read(&event.to_string(), &policy.bindings).unwrap_or_else(|why| panic!("{name}: {why}"));
                for event in reading.events {
                    let registered = policy
                        .deployment
                        .sources
                        .iter()
                        .any(|one| one.kind == event.kind() && one.source == event.identity.source);
                    assert!(registered, "{name}: {:?}", event.identity);
                }
            }
        }
        let refused = sources::read(of("malformed.json"), &policy.bindings).unwrap_err();
        assert_eq!(refused.faults.len(), 2, "{refused}");
    }
}
