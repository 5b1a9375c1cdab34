//! Stores of releases before this one, as they were left on disk: each opens, goes on with what waited, and tells a change.
//!
//! `tests/older/NAME.tar.gz` is the folder of a store, NAME the commit that wrote it; beside it stand that release's own
//! backup and archive, where the release had such commands. `tests/older/make` made them all. A release whose store has
//! another shape than the one before gets a file of its own there, and the tests below take each file that they find.

mod server;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rusqlite::config::DbConfig;
use serde_json::{Value, json};
use server::{Running, ask, until};

/// What waited on a queue when the engine was killed.
const WAITED: std::ops::RangeInclusive<u64> = 2..=7;

fn place(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("holdpoint-older-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    place
}

/// Every file of `tests/older` with this ending, by the name of its release.
fn stored(ending: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/older");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let release = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
        (!name.contains('.')).then_some((name, path))
    };
    let mut found: Vec<_> = files.filter_map(release).collect();
    found.sort();
    found
}

fn holdpoint(place: &Path, arguments: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_holdpoint")).args(arguments).current_dir(place).output().unwrap();
    (status.success(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

/// Decompressed by the machine's own tools, as an operator would.
fn unpacked(packed: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let done = Command::new("tar").arg("-xzf").arg(packed).arg("-C").arg(to).status().unwrap();
    assert!(done.success(), "{}", packed.display());
}

fn decompressed(packed: &Path, to: &Path) {
    let out = Command::new("gzip").arg("-dc").arg(packed).output().unwrap();
    assert!(out.status.success(), "{}", packed.display());
    fs::write(to, out.stdout).unwrap();
}

fn health(running: &Running) -> Value {
    serde_json::from_str(&ask(&running.address, "GET", "/health", "").unwrap().1).unwrap()
}

/// Nothing can be worked on now. What is delayed waits for an instant of its own: whenever these tests run, a reminder may be
/// due within a quarter of an hour.
fn is_worked_off(running: &Running) -> bool {
    let health = health(running);
    let mut queues = health["queues"].as_object().unwrap().values();
    queues.all(|queue| queue["visible"] == 0 && queue["in_flight"] == 0)
}

fn event(id: &str, kind: &str, source: &str, data: &Value) -> String {
    json!({ "specversion": "1.0", "id": id, "source": source, "type": format!("dev.holdpoint.{kind}.v1"), "data": data })
        .to_string()
}

fn post(running: &Running, event: &str) {
    let (status, said) = ask(&running.address, "POST", "/events", event).unwrap();
    assert_eq!(status, 202, "{said}");
}

/// The last calendar that was sent before the kill, as its source sends it again.
fn sent_again() -> String {
    let last = *WAITED.end();
    let horizon = json!({ "start": "2040-11-03T00:00:00Z", "end": "2040-11-04T00:00:00Z" });
    let data = json!({
        "person": "deputy@example.org", "kind": "calendar", "revision": last, "horizon": horizon, "busy": [],
    });
    event(&format!("waiting-{last}"), "availability.updated", "//calendar.example.org", &data)
}

/// The evidence comes after the issued slot: whatever was proposed, the review has to move.
fn evidence_slips() -> String {
    let data = json!({
        "change_id": "CHG-1", "checkpoint": "tests", "revision": 2, "status": "expected",
        "ready_at": "2040-11-03T12:00:00Z",
    });
    event("evidence-2", "evidence.updated", "//ci.example.org", &data)
}

fn known_again(running: &Running) -> bool {
    let text = ask(&running.address, "GET", "/metrics", "").unwrap().1;
    text.lines().any(|line| line.starts_with("holdpoint_events_total{disposition=\"duplicate\"} "))
}

fn mails(place: &Path, data: &str) -> Vec<Value> {
    let (done, said) = holdpoint(place, &["mail", "--json", "--data", data]);
    assert!(done, "{said}");
    let listed: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    listed["mails"].as_array().unwrap().clone()
}

/// The path behind the link of the newest mail to the owner that has one: what a store holds may have expired since, and a
/// mail that says so has none.
fn link(place: &Path, data: &str) -> String {
    for mail in mails(place, data).iter().rev().filter(|mail| mail["to"] == json!(["owner@example.org"])) {
        let (done, said) = holdpoint(place, &["mail", &mail["number"].to_string(), "--text", "--data", data]);
        assert!(done, "{said}");
        if let Some(at) = said.find("/adopt/") {
            return said[at..].split(|c: char| c.is_whitespace() || c == '>').next().unwrap().to_owned();
        }
    }
    panic!("no link in the mails of {data}");
}

/// The engine was killed a moment ago, whenever these tests run: a queue keeps its messages for days, and a test for longer.
/// The log stays beside the database, as a killed engine leaves it.
fn killed_just_now(folder: &Path) {
    // The mark belongs to the machine that wrote it, and its clock is not this one's.
    let _ = fs::remove_file(folder.join("clock-mark"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    let messages = rusqlite::Connection::open(folder.join("messages.sqlite")).unwrap();
    messages.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    let set = "UPDATE messages SET body = json_set(body, '$.sent_at', ?1, '$.visible_at', ?1)";
    messages.execute(set, [now]).unwrap();
}

/// Opens the folder's store and lets it go on: what waited is worked off, the former links open, a change moves the review
/// and is told, and every lineage verifies.
fn goes_on(place: &Path, data: &str, with_messages: bool) {
    killed_just_now(&place.join(data));
    let running = Running::start(&place.join(data), &[]);
    until("what waited is worked off", || is_worked_off(&running));
    assert_eq!(health(&running)["wrong"], json!([]));
    if with_messages {
        post(&running, &sent_again());
        until("what waited counts", || known_again(&running));
    }
    let before = mails(place, data);
    assert!(before.len() >= 2, "the mails of before: {before:?}");
    let former = link(place, data);
    assert_eq!(ask(&running.address, "GET", &former, "").unwrap().0, 200, "{former}");
    post(&running, &evidence_slips());
    until("the owner is asked anew", || link(place, data) != former);
    until("all is worked off", || is_worked_off(&running));
    let after = mails(place, data);
    let numbers: BTreeSet<u64> = after.iter().filter_map(|mail| mail["number"].as_u64()).collect();
    assert_eq!(numbers.len(), after.len(), "a number twice: {after:?}");
    let (done, said) = holdpoint(place, &["show", "RR-1", "--json", "--data", data]);
    assert!(done && said.contains("2040-11-03T12:00:00Z"), "{said}");
    for command in [["verify", "--json"], ["why", "RR-1"], ["events", "--json"], ["stuck", "--json"]] {
        let (done, said) = holdpoint(place, &[&command[..], &["--data", data]].concat());
        assert!(done && !said.contains("\"verified\":false"), "{command:?}: {said}");
    }
    running.stop();
}

/// Once with the state that the killed engine left, and once more: what was taken over is taken over.
#[test]
fn each_older_store_opens_and_goes_on() {
    let releases = stored(".tar.gz");
    assert!(releases.len() >= LEAST, "expected the stores of {LEAST} releases, found {releases:?}");
    for (release, packed) in releases {
        let place = place(&release);
        unpacked(&packed, &place.join("data"));
        goes_on(&place, "data", true);
        let (done, said) = holdpoint(&place, &["backup", "copy.tar", "--data", "data"]);
        assert!(done, "{release}: {said}");
        let (done, said) = holdpoint(&place, &["restore", "copy.tar", "--data", "copied"]);
        assert!(done, "{release}: {said}");
        archived(&place, "copied");
        let (done, said) = holdpoint(&place, &["import", "moved.jsonl", "--data", "moved"]);
        assert!(done, "{release}: {said}");
        fs::remove_dir_all(&place).unwrap();
    }
}

/// What was delayed may come due between the engine's end and the archive: then the engine works it off first, as the
/// command says.
fn archived(place: &Path, data: &str) {
    for _ in 0..5 {
        let (done, said) = holdpoint(place, &["archive", "moved.jsonl", "--data", data]);
        if done {
            return;
        }
        assert!(said.contains(" wait, and an archive holds none"), "{said}");
        let running = Running::start(&place.join(data), &[]);
        until("what came due is worked off", || is_worked_off(&running));
        running.stop();
    }
    panic!("{}: something always waits", place.display());
}

/// Of how many releases there are stores at least: a file that is lost fails the tests.
const LEAST: usize = 4;

#[test]
fn each_older_backup_is_restored_and_goes_on() {
    let releases = stored(".backup.tar.gz");
    assert!(!releases.is_empty());
    for (release, packed) in releases {
        let place = place(&format!("backup-{release}"));
        decompressed(&packed, &place.join("copy.tar"));
        let (done, said) = holdpoint(&place, &["restore", "copy.tar", "--data", "data"]);
        assert!(done, "{release}: {said}");
        goes_on(&place, "data", false);
        fs::remove_dir_all(&place).unwrap();
    }
}

#[test]
fn each_older_archive_is_imported_and_goes_on() {
    let releases = stored(".archive.jsonl.gz");
    assert!(!releases.is_empty());
    for (release, packed) in releases {
        let place = place(&format!("archive-{release}"));
        decompressed(&packed, &place.join("moved.jsonl"));
        let (done, said) = holdpoint(&place, &["import", "moved.jsonl", "--data", "data"]);
        assert!(done && said.contains("every lineage verified"), "{release}: {said}");
        // An archive holds no policy and no mails.
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/example/policy.json");
        let running = Running::start(&place.join("data"), &["--policy", policy.to_str().unwrap()]);
        post(&running, &evidence_slips());
        until("the change is told", || !mails(&place, "data").is_empty());
        until("all is worked off", || is_worked_off(&running));
        let (done, said) = holdpoint(&place, &["verify", "--json", "--data", "data"]);
        assert!(done && said.contains("\"verified\":true"), "{release}: {said}");
        running.stop();
        fs::remove_dir_all(&place).unwrap();
    }
}

/// Where SQLite's header has the number that a database gives itself; big-endian.
const USER_VERSION: usize = 60;

/// A release that goes back to before a schema says which schema it met, and changes nothing.
#[test]
fn a_newer_schema_is_refused_by_its_number() {
    let place = place("newer");
    Running::start(&place.join("data"), &[]).stop();
    // The one has the schema of the items in it, the other that of the engine's own tables.
    for (name, schema) in [("store.sqlite", packet_store::SCHEMA), ("messages.sqlite", 1)] {
        let file = place.join("data").join(name);
        let ours = fs::read(&file).unwrap();
        assert_eq!(ours[USER_VERSION..USER_VERSION + 4], schema.to_be_bytes(), "{name}: the mark of this release");
        let mut newer = ours.clone();
        newer[USER_VERSION + 3] = 99;
        fs::write(&file, &newer).unwrap();
        for command in [&["serve", "--port", "0"][..], &["reviews"], &["verify"]] {
            let (done, said) = holdpoint(&place, &[command, &["--data", "data"]].concat());
            assert!(!done && said.contains(name) && said.contains("its schema is 99"), "{command:?}: {said}");
        }
        assert!(fs::read(&file).unwrap() == newer, "{name} was changed");
        fs::write(&file, &ours).unwrap();
    }
    assert!(holdpoint(&place, &["backup", "copy.tar", "--data", "data"]).0);
    assert!(holdpoint(&place, &["archive", "moved.jsonl", "--data", "data"]).0);
    for (file, member, command) in [("copy.tar", "\"schema\": ", "restore"), ("moved.jsonl", "\"schema\":", "import")] {
        let (ours, newer) = (format!("{member}{}", packet_store::SCHEMA), format!("{member}9"));
        let mut bytes = fs::read(place.join(file)).unwrap();
        let at = bytes.windows(ours.len()).position(|found| found == ours.as_bytes()).expect("the schema");
        bytes[at..at + newer.len()].copy_from_slice(newer.as_bytes());
        fs::write(place.join("newer"), bytes).unwrap();
        let (done, said) = holdpoint(&place, &[command, "newer", "--data", "two"]);
        assert!(!done && said.contains("its schema is 9") && said.contains("or newer"), "{command}: {said}");
        assert!(!place.join("two/store.sqlite").exists());
    }
    fs::remove_dir_all(&place).unwrap();
}
