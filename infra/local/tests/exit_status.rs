//! The exit status of every command, by kind of fault: 0 for what was done, 2 for malformed input, 1 for what could not be
//! done. The same whether an engine runs or not.

mod server;

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use server::Running;

const DONE: i32 = 0;
const NOT_DONE: i32 = 1;
const MALFORMED: i32 = 2;

/// What a file or standard input holds; `FILE` in a row is that file.
const NOTHING: &str = "";

const EVENT: &str = r#"{"specversion":"1.0","id":"e1","source":"//ci.example.com/identity","type":"dev.holdpoint.evidence.updated.v1",
  "data":{"change_id":"CHG1","checkpoint":"tests","revision":1,"status":"expected","ready_at":"2030-01-01T10:00:00Z"}}"#;
const FAULTY: &str = r#"{"specversion":"1.0","id":"e2","source":"//ci.example.com/identity","type":"dev.holdpoint.evidence.updated.v1",
  "data":{"change_id":"CHG1","checkpoint":"tests","revision":-1,"status":"done"}}"#;
const SCENARIO: &str = r#"{"at":"2026-11-03T09:00:00Z"}"#;
const POLICY_WITH_FAULTS: &str = r#"{"sources":[],"defaults":{"grid_minutes":1}}"#;

/// Words, what the file holds, and the status.
type Row = (&'static [&'static str], &'static str, i32);

const ROWS: &[Row] = &[
    (&["send", "FILE"], EVENT, DONE),
    (&["send", "FILE", "--no-wait"], EVENT, DONE),
    (&["send", "FILE"], FAULTY, MALFORMED),
    (&["send", "FILE", "--no-wait"], FAULTY, MALFORMED),
    (&["send", "FILE"], "[{}]", MALFORMED),
    (&["send", "FILE"], "7", MALFORMED),
    (&["send", "FILE"], "{", MALFORMED),
    (&["send", "FILE"], "[]", MALFORMED),
    (&["send", "FILE"], NOTHING, MALFORMED),
    (&["send", "-"], FAULTY, MALFORMED),
    (&["send", "no-such-file"], NOTHING, MALFORMED),
    (&["send"], NOTHING, MALFORMED),
    (&["invoke", "refresh", "FILE"], r#"{"Records":[]}"#, DONE),
    (&["invoke", "refresh", "FILE"], r#"{"Records":7}"#, MALFORMED),
    (&["invoke", "refresh", "FILE"], "{", MALFORMED),
    (&["invoke", "adopt", "FILE"], "[]", MALFORMED),
    (&["invoke", "refreshed", "FILE"], "{}", MALFORMED),
    (&["replay", "FILE"], SCENARIO, DONE),
    (&["replay", "FILE"], "{}", MALFORMED),
    (&["replay", "FILE"], r#"{"at":"2026-11-03T09:00:00Z","send":7}"#, MALFORMED),
    (
        &["replay", "FILE"],
        r#"{"at":"2026-11-03T09:00:00Z","hook":{"binding":"nope","headers":{},"body":""}}"#,
        MALFORMED,
    ),
    (&["replay", "FILE"], r#"{"at":"2026-11-03T09:00:00Z","poll":{"binding":"nope","response":{}}}"#, MALFORMED),
    (&["replay", "FILE", "--policy", "FILE"], SCENARIO, MALFORMED),
    (&["replay", "no-such-file"], NOTHING, MALFORMED),
    (&["policy", "check", "FILE"], POLICY_WITH_FAULTS, MALFORMED),
    (&["policy", "check", "FILE"], "{", MALFORMED),
    (&["policy", "explain", "FILE"], POLICY_WITH_FAULTS, MALFORMED),
    (&["policy", "explain"], NOTHING, DONE),
    (&["check", "FILE"], "port = 'x'", MALFORMED),
    (&["check", "no-such-file"], NOTHING, MALFORMED),
    (&["stuck"], NOTHING, DONE),
    (&["stuck", "--policy", "FILE"], POLICY_WITH_FAULTS, MALFORMED),
    (&["serve", "--data", "ELSEWHERE", "--policy", "FILE"], POLICY_WITH_FAULTS, MALFORMED),
    (&["run", "--port", "x"], NOTHING, MALFORMED),
    (&["reviews"], NOTHING, DONE),
    (&["reviews", "--stack", "prod"], NOTHING, MALFORMED),
    (&["show", "RR-404"], NOTHING, NOT_DONE),
    (&["show", ""], NOTHING, MALFORMED),
    (&["why", "RR-404"], NOTHING, NOT_DONE),
    (&["why", ""], NOTHING, MALFORMED),
    (&["waiting"], NOTHING, DONE),
    (&["waiting", "nobody"], NOTHING, MALFORMED),
    (&["told", "nobody"], NOTHING, MALFORMED),
    (&["close", "RR-404", "--as", "a@example.com", "--reason", "r", "--yes"], NOTHING, NOT_DONE),
    (&["close", "RR-404", "--as", "a@example.com", "--reason", "r"], NOTHING, MALFORMED),
    (&["close", "RR-404", "--reason", "r", "--yes"], NOTHING, MALFORMED),
    (&["reset", "evidence", "CHG7/tests", "--as", "a@example.com", "--reason", "r", "--yes"], NOTHING, NOT_DONE),
    (&["reset", "evidence", "CHG7", "--as", "a@example.com", "--reason", "r", "--yes"], NOTHING, MALFORMED),
    (&["reset", "colour", "red", "--as", "a@example.com", "--reason", "r", "--yes"], NOTHING, MALFORMED),
    (
        &["decide", "RR-404", "adopt", "--as-operator", "--as", "a@example.com", "--reason", "r", "--yes"],
        NOTHING,
        NOT_DONE,
    ),
    (&["decide", "RR-404", "adopt", "--as", "a@example.com", "--reason", "r", "--yes"], NOTHING, MALFORMED),
    (&["resend", "RR-404", "b@example.com", "--as", "a@example.com", "--reason", "r", "--yes"], NOTHING, NOT_DONE),
    (&["resend", "RR-404", "nobody", "--as", "a@example.com", "--reason", "r", "--yes"], NOTHING, MALFORMED),
    (&["discard", "no-such-message", "--as", "a@example.com", "--reason", "r", "--yes"], NOTHING, NOT_DONE),
    (&["discard", "no-such-message", "--as", "a@example.com", "--reason", " ", "--yes"], NOTHING, MALFORMED),
    (&["discard", "no-such-message", "--as", "a@example.com", "--reason", "r"], NOTHING, MALFORMED),
    (&["verify"], NOTHING, DONE),
    (&["verify", "RR-404"], NOTHING, NOT_DONE),
    (&["redrive", "--list"], NOTHING, DONE),
    (&["events"], NOTHING, DONE),
    (&["events", "--since", "yesterday"], NOTHING, MALFORMED),
    (&["events", "--limit", "-1"], NOTHING, MALFORMED),
    (&["mail"], NOTHING, DONE),
    (&["mail", "99999"], NOTHING, NOT_DONE),
    (&["mail", "first"], NOTHING, MALFORMED),
    (&["backup", "FILE"], "something else", NOT_DONE),
    (&["restore", "FILE"], "something else", NOT_DONE),
    (&["restore", "FILE", "--data", "ELSEWHERE"], "something else", MALFORMED),
    (&["init", "."], NOTHING, DONE),
    (&["init", "."], NOTHING, NOT_DONE),
    (&["example", "examples"], NOTHING, DONE),
    (&["compact"], NOTHING, DONE),
    (&["removed"], NOTHING, DONE),
    (&["removed", "--limit", "0"], NOTHING, MALFORMED),
    (&["reviews", "--limit", "1001"], NOTHING, MALFORMED),
    (&["archive", "FILE"], "something else", NOT_DONE),
    (&["import", "FILE", "--data", "ELSEWHERE"], "something else", MALFORMED),
    (&["clock"], NOTHING, DONE),
    (&["clock", "now"], NOTHING, MALFORMED),
    (&["rotate-link-keys", "now"], NOTHING, MALFORMED),
    (&["completions", "cobol"], NOTHING, MALFORMED),
    (&["man", "FILE"], "something else", NOT_DONE),
    (&["lost"], NOTHING, MALFORMED),
];

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let place = std::env::temp_dir().join(format!("holdpoint-status-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        Self(place)
    }

    /// The status of one row, and what was said.
    fn played(&self, (words, holds, _): &Row, data: &Path) -> (Option<i32>, String) {
        let file = self.0.join("file");
        fs::write(&file, holds).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdpoint"));
        for word in *words {
            match *word {
                "FILE" => command.arg(&file),
                "ELSEWHERE" => command.arg(self.0.join("elsewhere")),
                word => command.arg(word),
            };
        }
        if !words.contains(&"--data") && words[0] != "lost" {
            command.arg("--data").arg(data);
        }
        command.current_dir(&self.0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(holds.as_bytes());
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn judge(&self, how: &str, data: &Path) {
        let _ = fs::remove_file(self.0.join("holdpoint.toml"));
        let _ = fs::remove_file(self.0.join("policy.json"));
        let _ = fs::remove_dir_all(self.0.join("examples"));
        let mut wrong = Vec::new();
        for row in ROWS {
            let (status, said) = self.played(row, data);
            if status != Some(row.2) || row.2 != DONE && said.trim().is_empty() {
                wrong.push(format!("{:?} of {:?}: {status:?}, expected {}: {said}", row.0, row.1, row.2));
            }
        }
        assert!(wrong.is_empty(), "{how}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn malformed_input_is_told_from_what_could_not_be_done() {
    let place = Place::new("rows");
    let data = place.0.join("data");
    let running = Running::start(&data, &[]);
    place.judge("an engine runs", &data);
    running.stop();
    place.judge("no engine runs", &data);
    fs::remove_dir_all(&place.0).unwrap();
}

#[test]
fn every_command_has_a_row() {
    let help = Command::new(env!("CARGO_BIN_EXE_holdpoint")).arg("help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("Options:").next()).unwrap();
    let listed: BTreeSet<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| *word != "help")
        .collect();
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.0[0]).collect();
    let missing: Vec<&&str> = listed.difference(&rows).collect();
    assert!(!listed.is_empty() && missing.is_empty(), "ROWS has none of {missing:?}: add one a kind of fault");
}
