//! What every command prints with `--json` is what its published schema says: the real program, on a store with a story in it.

mod server;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use server::{Running, found};

/// Commands whose JSON has no schema of its own, each with the reason.
const OTHERWISE: [(&str, &str); 9] = [
    ("run", "the records of a replay, a line each, which the contract describes"),
    ("replay", "the same"),
    ("serve", "one line for whoever starts it: address, reviews, mailbox"),
    ("init", "the names of the files that it wrote"),
    ("example", "the same"),
    ("check", "the names of the files that it checked"),
    ("completions", "a script for a shell"),
    ("man", "the names of the pages that it wrote"),
    ("invoke", "what the function answered"),
];

struct Story {
    place: PathBuf,
    /// The first words of commands that were run.
    run: BTreeSet<String>,
}

impl Story {
    fn new() -> Self {
        let place = std::env::temp_dir().join(format!("holdpoint-printed-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        Self { place, run: BTreeSet::new() }
    }

    /// Runs a command on the store and holds what it prints against a schema.
    fn prints(&mut self, schema: &str, words: &str) -> Value {
        let words: Vec<&str> = words.split(' ').collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdpoint"));
        command.args(&words).arg("--json").current_dir(&self.place);
        if !words.contains(&"--data") {
            command.args(["--data", "store"]);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        let printed: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let against: Vec<String> = validator(schema)
            .iter_errors(&printed)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(against.is_empty(), "{words:?}, {schema}: {against:#?}: {printed}");
        self.run.insert(words[0].to_owned());
        printed
    }
}

fn validator(schema: &str) -> jsonschema::Validator {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../events/schemas/commands/{schema}.json"));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[test]
fn every_command_prints_what_its_schema_says() {
    let mut story = Story::new();
    let made = Command::new(env!("CARGO_BIN_EXE_holdpoint")).args(["example", "."]).current_dir(&story.place).output();
    assert!(made.unwrap().status.success());
    let policy = story.place.join("policy.json");
    let running = Running::start(&story.place.join("store"), &["--policy", policy.to_str().unwrap()]);
    for file in ["facts.json", "review.json", "change.json"] {
        story.prints("send", &format!("send {file}"));
    }
    // Told, and so waited for: before that there is no mail to be asked about.
    found("the owner is asked", || {
        let mails = story.prints("mail", "mail --to owner@example.org");
        (!mails["mails"].as_array().unwrap().is_empty()).then_some(())
    });
    for (schema, words) in [
        ("reviews", "reviews"),
        ("show", "show RR-1"),
        ("why", "why RR-1"),
        ("waiting", "waiting owner@example.org"),
        ("told", "told owner@example.org"),
        ("stuck", "stuck"),
        ("verify", "verify"),
        ("verify", "verify RR-1"),
        ("events", "events"),
        ("redrive", "redrive --list"),
        ("redrive", "redrive"),
        ("mail", "mail"),
        ("mail", "mail 1"),
        ("compact", "compact"),
        ("removed", "removed"),
        ("clock", "clock"),
        ("clock", "clock --accept"),
        ("backup", "backup copy.tar"),
        ("policy.check", "policy check policy.json"),
        ("policy.explain", "policy explain"),
        ("act", "resend RR-1 owner@example.org --as you@example.org --reason Lost. --yes"),
        ("act", "decide RR-1 adopt --as-operator --as you@example.org --reason Asleep. --yes"),
        ("act", "reset evidence CHG-1/tests --as you@example.org --reason Wrong. --yes"),
        ("act", "close RR-1 --as you@example.org --reason Tried. --yes"),
    ] {
        story.prints(schema, words);
    }
    let shown = story.prints("show", "show RR-1");
    assert_eq!((&shown["standing"], &shown["verified"]["verified"]), (&"closed".into(), &true.into()), "{shown}");
    found("all is worked off", || {
        let (_, health) = server::ask(&running.address, "GET", "/health", "")?;
        let health: Value = serde_json::from_str(&health).unwrap();
        let rests = |queue: &Value| queue["visible"] == 0 && queue["in_flight"] == 0;
        health["queues"].as_object().unwrap().values().all(rests).then_some(())
    });
    running.stop();
    for (schema, words) in [
        ("archive", "archive moved.jsonl"),
        ("archive", "import moved.jsonl --data moved"),
        ("verify", "verify --data moved"),
        ("verify", "restore copy.tar --data restored"),
        ("rotate-link-keys", "rotate-link-keys"),
    ] {
        story.prints(schema, words);
    }
    // A letter to discard is the cloud suite's to have; what it prints is held beside the code (`operator/events_tests.rs`).
    story.run.insert("discard".to_owned());
    validator("discard");
    let help = Command::new(env!("CARGO_BIN_EXE_holdpoint")).arg("help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("Options:").next()).unwrap();
    let listed = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let listed = listed.filter_map(|line| line.split_whitespace().next()).filter(|word| *word != "help");
    let missing: Vec<&str> =
        listed.filter(|word| !story.run.contains(*word) && OTHERWISE.iter().all(|(other, _)| other != word)).collect();
    assert!(missing.is_empty(), "no schema was held against what these print: {missing:?}");
    fs::remove_dir_all(&story.place).unwrap();
}
