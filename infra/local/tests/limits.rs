//! `holdpoint serve` on a machine that takes something from it while it runs: memory, file descriptors, permissions. Each ends
//! in a clear message or in work that goes on, and nothing that was accepted is lost.

#![cfg(target_os = "linux")]

mod server;

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use server::{Running, ask, person, until};

const POLICY: &str = r#"{"sources":[{"kind":"person","source":"//people.example.com","governed_by":"a@example.com"}]}"#;
/// A user of every machine, to whom nothing belongs.
const NOBODY: u32 = 65_534;

fn place(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("holdpoint-limits-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("policy.json"), POLICY).unwrap();
    place
}

fn policy(place: &Path) -> String {
    place.join("policy.json").to_str().unwrap().to_owned()
}

fn start(place: &Path) -> Running {
    Running::start(&place.join("data"), &["--policy", &policy(place)])
}

/// The status of the answer, where there was one.
fn post(running: &Running, number: usize, padding: usize) -> Option<u16> {
    ask(&running.address, "POST", "/events", &person(number, padding)).map(|(status, _)| status)
}

fn health(running: &Running) -> Option<Value> {
    let (_, text) = ask(&running.address, "GET", "/health", "")?;
    serde_json::from_str(&text).ok()
}

fn is_well(running: &Running) -> bool {
    let empty = json!({ "visible": 0, "in_flight": 0, "delayed": 0 });
    health(running).is_some_and(|health| health["wrong"] == json!([]) && health["queues"]["source-events"] == empty)
}

/// What was accepted is known, by the list of what came in.
fn knows(place: &Path, numbers: &[usize]) {
    let data = place.join("data");
    // A store is asked as its own user: root is refused.
    let is_nobodys = fs::metadata(&data).is_ok_and(|found| found.uid() == NOBODY);
    let bound = if is_nobodys { bound_by_permissions(place) } else { None };
    let mut command = bound.unwrap_or_else(|| Command::new(env!("CARGO_BIN_EXE_holdpoint")));
    let asked = command.args(["events", "--json", "--limit", "1000", "--data"]).arg(data).output();
    let Output { status, stdout, stderr } = asked.unwrap();
    let said = String::from_utf8_lossy(&stdout);
    assert!(status.success(), "{said}{}", String::from_utf8_lossy(&stderr));
    for number in numbers {
        assert!(said.contains(&format!("\"e{number}\"")), "e{number} is lost: {said}");
    }
}

/// Of the running process: `--as` in bytes, `--nofile` in files.
fn limit(running: &Running, what: &str, most: u64) {
    let done = Command::new("prlimit")
        .args(["--pid", &running.id().to_string(), &format!("--{what}={most}:")])
        .status()
        .expect("prlimit, of util-linux");
    assert!(done.success(), "{what}");
}

/// In bytes: what the process has mapped now.
fn mapped(running: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1_024
}

/// With less and less memory the engine refuses or ends; what it has accepted until then is there at the next start.
#[test]
fn memory_that_is_used_up_loses_nothing_that_was_accepted() {
    let place = place("memory");
    let mut running = start(&place);
    let mut accepted = Vec::new();
    let room = mapped(&running);
    for (step, more) in [4 << 20, 1 << 20, 0].into_iter().enumerate() {
        if running.has_ended() {
            break;
        }
        limit(&running, "as", room + more);
        for number in 100 * step..100 * step + 20 {
            if post(&running, number, 400_000) == Some(202) {
                accepted.push(number);
            }
        }
    }
    drop(running);
    let running = start(&place);
    assert_eq!(post(&running, 1_000, 0), Some(202));
    accepted.push(1_000);
    until("all is worked off", || is_well(&running));
    knows(&place, &accepted);
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}

/// A start with too little memory ends by itself and says of what there is too little. With less still, the system does not
/// load the program, and nobody can say anything.
#[test]
fn a_start_without_memory_says_so() {
    let place = place("start");
    let (mut refused, mut up) = (0, false);
    // In KiB, from less than the program itself takes to enough.
    for most in (40_000..400_000).step_by(5_000) {
        let line = format!(
            "ulimit -v {most} && exec timeout 60 {} serve --port 0 --data {} --policy {} 2>&1",
            env!("CARGO_BIN_EXE_holdpoint"),
            place.join("data").display(),
            policy(&place)
        );
        let mut process = Command::new("sh").args(["-c", &line]).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            said += &(line.unwrap() + "\n");
            if said.contains("holdpoint is up") {
                // To `timeout`, which hands it on.
                Command::new("kill").arg(process.id().to_string()).status().unwrap();
            }
        }
        let status = process.wait().unwrap();
        if said.contains("holdpoint is up") {
            up = true;
            break;
        }
        let about_memory = ["memory", "map", "alloc", "esource"].iter().any(|word| said.contains(word));
        assert!(!status.success() && (about_memory || said.is_empty()), "{most}: {status}: {said}");
        refused += usize::from(about_memory);
    }
    assert!(up && refused > 0, "{refused} starts said that they had too little, up: {up}");
    start(&place).stop();
    fs::remove_dir_all(&place).unwrap();
}

/// Connections beyond what the process may open wait or are refused, and afterwards all is as before.
#[test]
fn file_descriptors_that_run_out_are_waited_for() {
    let place = place("files");
    let running = start(&place);
    assert_eq!(post(&running, 0, 0), Some(202));
    until("the first is worked off", || is_well(&running));
    let open = fs::read_dir(format!("/proc/{}/fd", running.id())).unwrap().count() as u64;
    limit(&running, "nofile", open);
    let held: Vec<TcpStream> = (0..40).filter_map(|_| TcpStream::connect(&running.address).ok()).collect();
    std::thread::sleep(Duration::from_millis(500));
    drop(held);
    limit(&running, "nofile", 1_024);
    until("requests are answered again", || post(&running, 1, 0) == Some(202));
    until("all is worked off", || is_well(&running));
    knows(&place, &[0, 1]);
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}

/// The engine as a user whom permissions bind; whoever runs the tests may be one whom they do not. `None`: the machine lets
/// nobody become another user.
fn bound_by_permissions(place: &Path) -> Option<Command> {
    let program = place.join("holdpoint");
    if !program.exists() && fs::hard_link(env!("CARGO_BIN_EXE_holdpoint"), &program).is_err() {
        fs::copy(env!("CARGO_BIN_EXE_holdpoint"), &program).unwrap();
    }
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        return Some(Command::new(program));
    }
    let data = place.join("data");
    fs::create_dir_all(&data).unwrap();
    std::os::unix::fs::chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
    let user = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()];
    let may = Command::new("setpriv").args(&user).arg("true").status();
    let mut command = Command::new("setpriv");
    command.args(&user).arg(program);
    may.is_ok_and(|done| done.success()).then_some(command)
}

#[test]
fn permissions_that_are_lost_are_said_and_gone_on_from() {
    let place = place("permissions");
    let Some(command) = bound_by_permissions(&place) else { return };
    let data = place.join("data");
    let running = Running::start_by(command, &data, &["--policy", &policy(&place)]);
    let modes = |folder: u32, files: u32| {
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        for entry in fs::read_dir(&data).unwrap() {
            fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(files)).unwrap();
        }
        fs::set_permissions(&data, fs::Permissions::from_mode(folder)).unwrap();
    };
    let mut accepted = Vec::new();
    for (round, (folder, files)) in
        [(0o000, 0o600), (0o500, 0o600), (0o700, 0o400), (0o700, 0o000)].into_iter().enumerate()
    {
        modes(folder, files);
        let (mut refused, first) = (0, 100 * round);
        for number in first..first + 5 {
            match post(&running, number, 1_000) {
                Some(202) => accepted.push(number),
                Some(503) => refused += 1,
                other => panic!("{folder:o} {files:o}: expected 202 or 503, found {other:?}"),
            }
        }
        // Whoever is refused is told why.
        let wrong = health(&running).unwrap();
        assert!(refused == 0 || wrong["status"] == "attention", "{folder:o} {files:o}: {wrong}");
        assert!(folder != 0 || refused == 5, "{folder:o}: nothing can be found in that folder, and events were taken");
        modes(0o700, 0o600);
        until("the store is well", || is_well(&running));
        assert_eq!(post(&running, first + 50, 0), Some(202));
        accepted.push(first + 50);
    }
    until("all is worked off", || is_well(&running));
    running.stop();
    knows(&place, &accepted);
    // A start without the right to read says which file.
    modes(0o700, 0o000);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    let mut command = bound_by_permissions(&place).unwrap();
    let said = command.args(["reviews", "--data"]).arg(&data).output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr);
    assert!(!said.status.success() && text.contains("data/") && text.contains("ermission"), "{text}");
    modes(0o700, 0o600);
    fs::remove_dir_all(&place).unwrap();
}
