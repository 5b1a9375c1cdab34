//! House rules, each with its reason. A review remark made twice ends up here.

mod circles;
mod names;
mod rooms;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use holdpoint_tests::repository;

/// A file has one subject. Beyond this it has two, and the second deserves a name of its own.
const LONGEST_FILE: usize = 600;

fn files(under: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository().join(under)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap_or(path).display().to_string()
}

/// The crates of the workspace that a crate's `[dependencies]` name.
fn imports(crate_folder: &str) -> BTreeSet<String> {
    let manifest = text(&repository().join(crate_folder).join("Cargo.toml"));
    let section = manifest.split("\n[").find(|part| part.starts_with("dependencies]")).unwrap_or("");
    let ours: BTreeSet<String> = crates().into_keys().collect();
    section
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| ours.contains(*name))
        .map(str::to_owned)
        .collect()
}

fn crates() -> BTreeMap<String, String> {
    let mut crates = BTreeMap::new();
    for group in ["functions", "shared"] {
        for entry in fs::read_dir(repository().join(group)).expect("a readable folder") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            crates.insert(name.clone(), format!("{group}/{name}"));
        }
    }
    crates.insert("holdpoint".to_owned(), "infra/local".to_owned());
    crates
}

/// A crate exists exactly where the permitted imports change.
#[test]
fn the_import_law_holds() {
    let shared =
        ["decisions", "lambda-shell", "packet-store", "presentation", "refresh-core", "signed-pages", "sources"];
    for (name, folder) in crates() {
        let allowed: &[&str] = match folder.as_str() {
            folder if folder.starts_with("functions/") => &shared,
            "shared/signed-pages" => {
                &["decisions", "lambda-shell", "packet-store", "presentation", "refresh-core", "sources"]
            }
            "shared/decisions" => &["lambda-shell", "packet-store", "refresh-core"],
            "shared/presentation" | "shared/packet-store" | "shared/sources" => &["refresh-core"],
            "shared/refresh-core" | "shared/lambda-shell" => &[],
            _ => continue,
        };
        for import in imports(&folder) {
            assert!(allowed.contains(&import.as_str()), "{name} must not import {import}; it may import {allowed:?}");
        }
    }
}

/// One place builds each SDK client and knows its words; a second one would drift from it.
#[test]
fn only_notify_knows_the_mailer() {
    for (name, folder) in crates() {
        let manifest = text(&repository().join(&folder).join("Cargo.toml"));
        let section = manifest.split("\n[").find(|part| part.starts_with("dependencies]")).unwrap_or("").to_owned();
        let knows = section.contains("aws-sdk-sesv2");
        assert!(!knows || name == "notify" || name == "holdpoint", "{name} must not depend on aws-sdk-sesv2");
    }
}

/// The rules of all zones are the greatest single thing in a program; a second copy, or a second reader, is one too many.
#[test]
fn only_the_core_knows_the_time_zones() {
    let databases = ["chrono-tz", "jiff", "tzdb", "tz-rs", "tzfile"];
    for (name, folder) in crates() {
        let manifest = text(&repository().join(&folder).join("Cargo.toml"));
        let section = manifest.split("\n[").find(|part| part.starts_with("dependencies]")).unwrap_or("").to_owned();
        for line in section.lines().filter(|line| databases.iter().any(|database| line.starts_with(database))) {
            assert!(
                name == "refresh-core" && line.starts_with("jiff-"),
                "{name}: {line}: expected `refresh_core::Zone` instead"
            );
        }
    }
    for group in ["functions", "shared", "infra"] {
        for path in files(group, "rs").iter().filter(|path| path.components().any(|part| part.as_os_str() == "src")) {
            let source = text(path);
            let knows = ["chrono_tz", "jiff_", "TimeSpans"].iter().find(|word| source.contains(**word));
            assert!(
                knows.is_none() || path.ends_with("refresh-core/src/base/zone.rs"),
                "{} has {}: expected `refresh_core::Zone` instead",
                shown(path),
                knows.unwrap_or(&"")
            );
        }
    }
}

/// Two libraries of dates need conversions between them, and a conversion is where an hour is lost. What reads the zone
/// files has dates of its own: the core's `base/zone.rs` alone sees those, by the test above.
#[test]
fn chrono_is_the_one_library_of_dates() {
    let others = ["time", "jiff", "hifitime", "icu_calendar", "icu_time", "humantime", "eos", "speedate"];
    let manifests = crates().into_values().chain(["tests".to_owned(), ".".to_owned()]);
    for manifest in manifests.map(|folder| repository().join(folder).join("Cargo.toml")) {
        let source = text(&manifest);
        let named = |line: &&str| line.split(['.', ' ', '=']).next().is_some_and(|name| others.contains(&name));
        let found = source.lines().find(named);
        assert_eq!(found, None, "{}: expected `chrono` or the core's own types instead", shown(&manifest));
    }
    for group in ["functions", "shared", "infra", "tests"] {
        for path in files(group, "rs") {
            let other = ["aws_smithy_types::DateTime", "use time::", "use jiff::"];
            let source = text(&path);
            let found = other.iter().find(|word| source.contains(**word) && !path.ends_with("tidy/main.rs"));
            assert_eq!(found, None, "{}: expected `chrono` or the core's own types instead", shown(&path));
        }
    }
}

/// A stranger reads the shared crates first, and then the functions. An item without a word on it, or a failure without its
/// cause, is a warning there, and a warning fails the build.
#[test]
fn the_shared_crates_and_the_functions_ask_for_docs() {
    let asks = |folder: &str| folder.starts_with("shared/") || folder.starts_with("functions/");
    for (name, folder) in crates().into_iter().filter(|(_, folder)| asks(folder)) {
        let lib = text(&repository().join(&folder).join("src/lib.rs"));
        let asked = "#![warn(missing_docs, clippy::missing_errors_doc)]";
        assert!(lib.contains(asked), "{name}: expected {asked} in its lib.rs");
        let waived = files(&format!("{folder}/src"), "rs").into_iter().find(|path| {
            ["allow(missing_docs", "allow(clippy::missing_errors_doc"].iter().any(|word| text(path).contains(word))
        });
        assert!(
            waived.is_none(),
            "{}: expected no docs to be waived",
            waived.as_deref().map(shown).unwrap_or_default()
        );
    }
}

/// A rule book that asks for the time, the environment or the network is no function of its inputs.
#[test]
fn pure_crates_ask_nothing_of_the_world() {
    let forbidden = [
        ("SystemTime", "time is a parameter"),
        ("Utc::now", "time is a parameter"),
        ("Instant::now", "time is a parameter"),
        ("std::env::", "the environment is the functions' business"),
        ("std::fs::", "files are the functions' business"),
        ("std::net::", "the network is the functions' business"),
        ("async fn", "deciding is not doing"),
        ("getrandom", "randomness is a parameter"),
        ("HashMap", "its order is another one each time; BTreeMap's is not"),
    ];
    for pure in ["shared/refresh-core/src", "shared/sources/src", "shared/presentation/src"] {
        for path in files(pure, "rs") {
            let source = text(&path);
            let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
            for (number, line) in code.enumerate() {
                for (word, reason) in forbidden {
                    assert!(!line.contains(word), "{} line ~{}: {word}: {reason}", shown(&path), number + 1);
                }
            }
        }
    }
}

#[test]
fn files_have_one_subject() {
    for group in ["functions", "shared", "infra", "tests"] {
        for path in files(group, "rs") {
            let lines = text(&path).lines().count();
            assert!(
                lines <= LONGEST_FILE,
                "{} has {lines} lines; at most {LONGEST_FILE}, then it has two subjects",
                shown(&path)
            );
        }
    }
}

/// What is not escaped is an open door, whoever promises that its text is harmless.
#[test]
fn templates_escape_everything() {
    for path in files("shared/presentation/templates", "html") {
        let template = text(&path);
        for hole in ["|safe", "| safe", "escape none", "<script", "http-equiv"] {
            assert!(!template.contains(hole), "{} has {hole:?}", shown(&path));
        }
    }
}

/// Nobody debugs by printing twice, and nothing is left for later without an issue.
#[test]
fn nothing_is_left_lying_about() {
    let words =
        ["to".to_owned() + "do!(", "unimpl".to_owned() + "emented!(", "FIX".to_owned() + "ME", "XX".to_owned() + "X"];
    for group in ["functions", "shared", "infra", "tests"] {
        for path in files(group, "rs") {
            let source = text(&path);
            for word in &words {
                assert!(!source.contains(word.as_str()), "{} has {word}", shown(&path));
            }
        }
    }
}

/// A new branch of the contract arrives with a new sample.
#[test]
fn every_event_type_has_a_sample() {
    let samples: Vec<String> = files("events/ingest", "json").iter().map(|path| text(path)).collect();
    for name in sources::contract::event_types() {
        assert!(samples.iter().any(|sample| sample.contains(name)), "events/ingest has no sample of {name}");
    }
    for report in ["Bounced", "Complaint Received", "Delivered", "Rejected", "Delivery Delayed"] {
        let name = format!("\"Email {report}\"");
        assert!(samples.iter().any(|sample| sample.contains(&name)), "events/ingest has no sample of {name}");
    }
}

/// Every dependency is stated once, with the reason it is there.
#[test]
fn every_dependency_has_a_reason() {
    let manifest = text(&repository().join("Cargo.toml"));
    let section =
        manifest.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[workspace.lints").next());
    let mut before = "";
    for line in section.expect("the dependencies of the workspace").lines() {
        let ours = line.contains("path = ");
        let named = line.split_once(" = ").is_some_and(|(name, _)| !name.starts_with(['#', ' ', ']', '}', '"']));
        if named && !ours {
            assert!(
                before.starts_with('#') || line.contains(" # "),
                "Cargo.toml: {line}: expected a line of reason above it"
            );
        }
        before = line;
    }
    for (name, folder) in crates() {
        let own = text(&repository().join(&folder).join("Cargo.toml"));
        let sections = own.split("\n[").filter(|part| part.contains("dependencies]"));
        for line in sections.flat_map(|part| part.lines().skip(1)).filter(|line| line.contains('=')) {
            assert!(
                line.contains("workspace = true"),
                "{name}: {line}: versions stand in the workspace manifest alone"
            );
        }
    }
}
