//! The README followed as it stands: every command line of it is run, in order, in an empty folder, or is named here with
//! the reason why it is run elsewhere.

mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use server::ask;

/// What becomes of one command line.
#[derive(Clone, Copy)]
enum Line {
    /// Not run here, for this reason.
    Elsewhere(&'static str),
    /// Run in the clone. It succeeds and prints this.
    InClone(&'static str),
    /// Stays up while the lines after it run.
    Stays,
    /// Run in the empty folder. It succeeds and says this in the end.
    Says(&'static str),
    /// Run in the empty folder. It fails and says this.
    Refuses(&'static str),
}

const LINES: [(&str, Line); 34] = [
    ("cargo run", Line::Elsewhere("commands.rs plays the story, with --exit")),
    ("cargo test --workspace", Line::Elsewhere("that is this run")),
    (
        "cargo run -- replay events/scenarios/story.jsonl --policy events/scenarios/story.policy.json",
        Line::InClone("adopted"),
    ),
    (
        "cargo run -- replay events/scenarios/only_slot_crosses_the_freeze.jsonl --policy events/scenarios/only_slot_crosses_the_freeze.policy.json --json",
        Line::InClone("freeze_crossing"),
    ),
    ("cargo install --path infra/local", Line::Elsewhere("the program under test is what it installs")),
    ("holdpoint example", Line::Says("policy.json")),
    ("holdpoint serve --policy policy.json", Line::Stays),
    ("holdpoint send facts.json", Line::Says("applied")),
    ("holdpoint send review.json", Line::Says("applied")),
    ("holdpoint reviews", Line::Says("version 1 counts")),
    ("holdpoint send change.json", Line::Says("applied")),
    ("holdpoint reviews", Line::Says("owner@example.org")),
    ("holdpoint mail", Line::Says("owner@example.org")),
    ("holdpoint mail --to owner@example.org --text", Line::Says("/adopt/")),
    ("holdpoint show RR-1", Line::Says("deputy@example.org")),
    ("holdpoint why RR-1", Line::Says("adopted, version 2")),
    ("holdpoint waiting", Line::Says("must answer to version 2 of RR-1")),
    ("holdpoint told owner@example.org", Line::Says("adoption_request, version 2")),
    ("holdpoint stuck", Line::Says("nothing is stuck")),
    ("holdpoint verify", Line::Says("RR-1")),
    ("holdpoint events", Line::Says("applied")),
    ("holdpoint events --disposition ignored", Line::Says("nothing of the kind")),
    ("holdpoint redrive --list", Line::Says("")),
    ("holdpoint send malformed.json", Line::Refuses("$.data.")),
    ("holdpoint removed", Line::Says("no review was removed")),
    ("holdpoint close RR-1 --as you@example.org --reason \"Tried it.\" --yes", Line::Says("applied; recorded")),
    ("holdpoint rotate-link-keys", Line::Says("")),
    ("holdpoint init service", Line::Says("holdpoint.toml")),
    ("holdpoint check service/holdpoint.toml", Line::Says("no fault")),
    (
        "HOLDPOINT_SEED=28 HOLDPOINT_SCHEDULES=1 cargo test -p holdpoint-tests --test simulation -- --nocapture schedules",
        Line::Elsewhere("the simulation prints this line itself"),
    ),
    (
        "HOLDPOINT_SEED=1000000 HOLDPOINT_SCHEDULES=10000 cargo test -p holdpoint-tests --test simulation -- --nocapture schedules",
        Line::Elsewhere("the same test with more schedules"),
    ),
    (
        "HOLDPOINT_BUG=mailed_twice cargo test -p holdpoint-tests --test simulation -- --nocapture every_bug",
        Line::Elsewhere("a seeded bug, which the simulation's own test looks for"),
    ),
    (
        "cargo run -p holdpoint-tests --release --bin bench -- setup",
        Line::Elsewhere("gets programs of others from the network"),
    ),
    (
        "cargo run -p holdpoint-tests --release --bin bench",
        Line::Elsewhere("measures for half an hour; its counts are held by tests of their own"),
    ),
];

fn clone() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The command lines of the README's console blocks, without their remarks.
fn command_lines() -> Vec<String> {
    let readme = fs::read_to_string(clone().join("README.md")).unwrap();
    let blocks = readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ "));
    lines.map(|line| line.split(" # ").next().unwrap_or(line).trim().to_owned()).collect()
}

/// The program under its README name, in a shell.
fn shell(line: &str, folder: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_holdpoint"));
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder);
    command.env("PATH", format!("{}:{path}", program.parent().unwrap().display()));
    command
}

fn run(line: &str, folder: &Path) -> (bool, String) {
    let Output { status, stdout, stderr } = shell(line, folder).output().unwrap();
    (status.success(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

/// Decisions and mails follow an event by themselves, so a line is asked again until it says what it is to say.
fn until_said(line: &str, folder: &Path, expected: &str) -> String {
    let mut last = (false, String::new());
    for _ in 0..240 {
        last = run(line, folder);
        if last.0 && last.1.contains(expected) {
            return last.1;
        }
        thread::sleep(Duration::from_millis(250));
    }
    panic!("`{line}` never said {expected:?}; its last answer: {}", last.1);
}

/// The reader opens the mail's link, chooses, and presses the button.
fn decide(mail: &str) {
    let link = mail.split_whitespace().find(|word| word.contains("/adopt/")).expect("a link in the mail");
    let (address, path) = link.trim_start_matches("http://").split_once('/').expect("an address");
    let path = format!("/{path}");
    let (status, page) = ask(address, "GET", &path, "").expect("the page");
    assert_eq!(status, 200, "{page}");
    let seal = page.split_once("name=\"seal\" value=\"").and_then(|(_, rest)| rest.split('"').next()).expect("a form");
    let (status, page) = ask(address, "POST", &path, &format!("seal={seal}&choice=adopt")).expect("the receipt");
    assert!(status == 200 && page.contains("<h1>Adopted</h1>"), "{status}: {page}");
}

/// The engine of the README, ended however the test ends.
struct Engine(Child);

impl Engine {
    fn start(line: &str, folder: &Path) -> Self {
        let answers = || ask("127.0.0.1:8420", "GET", "/health", "").is_some_and(|(status, _)| status == 200);
        assert!(!answers(), "another engine has port 8420, which the README's engine needs");
        // The shell is replaced by the program, so that the signal reaches the program itself.
        let mut command = shell(&format!("exec {line}"), folder);
        let log = folder.with_extension("log");
        let written = fs::File::create(&log).unwrap();
        let mut engine = Self(command.stdout(Stdio::null()).stderr(written).spawn().unwrap());
        for _ in 0..240 {
            if let Some(ended) = engine.0.try_wait().unwrap() {
                panic!("`{line}` ended: {ended}; it said: {}", fs::read_to_string(&log).unwrap_or_default());
            }
            if answers() {
                return engine;
            }
            thread::sleep(Duration::from_millis(250));
        }
        panic!("`{line}` never answered at port 8420");
    }

    fn stop(mut self) {
        assert!(Command::new("kill").arg(self.0.id().to_string()).status().unwrap().success());
        assert!(self.0.wait().unwrap().success(), "the engine ended badly");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_command_line_is_followed() {
    let known: Vec<&str> = LINES.iter().map(|(line, _)| *line).collect();
    assert_eq!(command_lines(), known, "a command line of the README is not followed here");

    let folder = std::env::temp_dir().join(format!("holdpoint-readme-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut engine = None;
    for (line, what) in LINES {
        match what {
            Line::Elsewhere(reason) => assert!(!reason.is_empty(), "{line}"),
            Line::InClone(expected) => {
                let (succeeded, said) = run(&line.replace("cargo run --", "holdpoint"), &clone());
                assert!(succeeded && said.contains(expected), "`{line}`: {said}");
            }
            Line::Stays => engine = Some(Engine::start(line, &folder)),
            Line::Says(expected) => {
                // Keys are rotated with the engine stopped, as the line's remark says.
                if line == "holdpoint rotate-link-keys" {
                    engine.take().expect("a running engine").stop();
                }
                let said = until_said(line, &folder, expected);
                if expected == "/adopt/" {
                    decide(&said);
                }
            }
            Line::Refuses(expected) => {
                let (succeeded, said) = run(line, &folder);
                assert!(!succeeded && said.contains(expected), "`{line}`: {said}");
            }
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    fs::remove_file(folder.with_extension("log")).unwrap();
}
