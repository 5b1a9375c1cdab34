//! A backup is taken while the engine works, and a restored store goes on where the other was.

mod server;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use server::{Running, ask, example, health, holdpoint, until};

fn place(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("holdpoint-backup-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    place
}

fn person(number: usize) -> String {
    json!({
        "specversion": "1.0", "id": format!("e{number}"), "source": "//people.example.com",
        "type": "dev.holdpoint.person.updated.v1",
        "data": { "person": format!("p{number}@example.com"), "revision": 1, "name": "P", "time_zone": "UTC" },
    })
    .to_string()
}

const POLICY: &str = r#"{"sources":[{"kind":"person","source":"//people.example.com","governed_by":"a@example.com"}]}"#;

/// Sends the same events again, until the store has said of each that it knows it.
fn knows_all(folder: &Path, data: &str, count: usize) {
    let running = Running::start(&folder.join(data), &[]);
    for number in 0..count {
        assert_eq!(ask(&running.address, "POST", "/events", &person(number)).unwrap().0, 202);
    }
    // A message that was copied and had been handled comes again too, so there may be more.
    let known = |text: &str| {
        let line = "holdpoint_events_total{disposition=\"duplicate\"} ";
        text.lines().find_map(|each| each.strip_prefix(line)?.parse::<usize>().ok()).unwrap_or(0)
    };
    let mut text = String::new();
    for _ in 0..600 {
        text = ask(&running.address, "GET", "/metrics", "").unwrap().1;
        if known(&text) >= count {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    running.stop();
    assert!(known(&text) >= count, "expected {count} known events in\n{text}");
}

/// Events keep coming while the copy is made: each that was accepted before is in it.
#[test]
fn what_was_accepted_before_a_backup_is_in_it() {
    let place = place("load");
    fs::write(place.join("policy.json"), POLICY).unwrap();
    let running = Running::start(&place.join("one"), &["--policy", place.join("policy.json").to_str().unwrap()]);
    let before = 40;
    for number in 0..before {
        assert_eq!(ask(&running.address, "POST", "/events", &person(number)).unwrap().0, 202);
    }
    let address = running.address.clone();
    let more = std::thread::spawn(move || {
        (before..before + 60).for_each(|number| drop(ask(&address, "POST", "/events", &person(number))))
    });
    let (done, said) = holdpoint(&place, &["backup", "copy.tar", "--data", "one"]);
    assert!(done, "{said}");
    more.join().unwrap();
    running.stop();
    let (done, said) = holdpoint(&place, &["restore", "copy.tar", "--data", "two"]);
    assert!(done, "{said}");
    knows_all(&place, "two", before);
    fs::remove_dir_all(&place).unwrap();
}

#[test]
fn a_restore_takes_nothing_damaged_and_overwrites_nothing() {
    let place = place("damage");
    let (done, said) = holdpoint(&place, &["backup", "copy.tar"]);
    assert!(!done && said.contains("there is no store"), "{said}");
    Running::start(&place.join("one"), &[]).stop();
    assert!(holdpoint(&place, &["backup", "copy.tar", "--data", "one"]).0);
    let refused = |arguments: &[&str], because: &str| {
        let (done, said) = holdpoint(&place, arguments);
        assert!(!done && said.contains(because), "{arguments:?}: expected {because:?}, found {said}");
    };
    refused(&["backup", "copy.tar", "--data", "one"], "exists already");
    refused(&["restore", "copy.tar", "--data", "one"], "exists already");
    fs::write(place.join("none.tar"), "no tar").unwrap();
    refused(&["restore", "none.tar", "--data", "two"], "that `holdpoint backup` wrote");
    let whole = fs::read(place.join("copy.tar")).unwrap();
    // Every part of the file matters, and what is left of half a file is nothing.
    for cut in [600, whole.len() / 3, whole.len() / 2] {
        fs::write(place.join("cut.tar"), &whole[..cut]).unwrap();
        let (done, said) = holdpoint(&place, &["restore", "cut.tar", "--data", "two"]);
        assert!(!done, "{said}");
        assert!(!place.join("two/store.sqlite").exists(), "half a backup was restored");
        let mut changed = whole.clone();
        changed[cut] ^= 1;
        fs::write(place.join("changed.tar"), changed).unwrap();
        let (done, said) = holdpoint(&place, &["restore", "changed.tar", "--data", "three"]);
        assert!(!done || cut == 600, "{cut}: {said}");
        let _ = fs::remove_dir_all(place.join("three"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(place.join("copy.tar")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let (done, said) = holdpoint(&place, &["restore", "copy.tar", "--data", "four"]);
    assert!(done, "{said}");
    Running::start(&place.join("four"), &[]).stop();
    fs::remove_dir_all(&place).unwrap();
}

/// By the commands alone: out of one folder, into another, and on from there. An archive holds no messages, so each must be
/// worked off; and it holds no policy.
#[test]
fn what_was_archived_goes_on_in_another_folder() {
    let place = place("archive");
    fs::write(place.join("policy.json"), POLICY).unwrap();
    let policy = place.join("policy.json");
    let running = Running::start(&place.join("one"), &["--policy", policy.to_str().unwrap()]);
    let count = 20;
    for number in 0..count {
        assert_eq!(ask(&running.address, "POST", "/events", &person(number)).unwrap().0, 202);
    }
    let (done, said) = holdpoint(&place, &["archive", "moved.jsonl", "--data", "one"]);
    assert!(!done && said.contains("an engine runs here"), "{said}");
    running.stop();
    knows_all(&place, "one", count);
    let (done, said) = holdpoint(&place, &["archive", "moved.jsonl", "--data", "one"]);
    assert!(done && said.contains("every lineage verified"), "{said}");
    let (done, said) = holdpoint(&place, &["archive", "moved.jsonl", "--data", "one"]);
    assert!(!done && said.contains("exists already"), "{said}");
    let (done, said) = holdpoint(&place, &["import", "moved.jsonl", "--data", "one"]);
    assert!(!done && said.contains("exists already"), "{said}");
    let (done, said) = holdpoint(&place, &["import", "moved.jsonl", "--data", "two"]);
    assert!(done, "{said}");
    // Before its first start a store that was imported has accepted no policy; copies of it are whole all the same.
    for command in [
        &["verify", "--data", "two"][..],
        &["backup", "copy.tar", "--data", "two"],
        &["restore", "copy.tar", "--data", "three"],
        &["archive", "again.jsonl", "--data", "three"],
    ] {
        let (done, said) = holdpoint(&place, command);
        assert!(done, "{command:?}: {said}");
        assert!(command[0] != "restore" || said.contains("has accepted no policy yet"), "{said}");
    }
    let (done, said) = holdpoint(&place, &["reviews", "--data", "three"]);
    assert!(!done && said.contains("serve --policy FILE"), "what a policy decides on waits for one: {said}");
    Running::start(&place.join("two"), &["--policy", policy.to_str().unwrap()]).stop();
    knows_all(&place, "two", count);
    fs::remove_dir_all(&place).unwrap();
}

/// In a quiet period a message asks for notices of a later instant. HEAD says the same, so an archive leaves the message behind.
#[test]
fn what_waits_for_a_later_instant_keeps_no_archive_waiting() {
    let place = place("later");
    fs::write(
        place.join("policy.json"),
        example("policy.json").replace("\"quiet_seconds\": 1,", "\"quiet_seconds\": 600,"),
    )
    .unwrap();
    let policy = place.join("policy.json");
    let running = Running::start(&place.join("one"), &["--policy", policy.to_str().unwrap()]);
    for name in ["facts.json", "review.json", "change.json"] {
        fs::write(place.join(name), example(name)).unwrap();
        let (done, said) = holdpoint(&place, &["send", name, "--data", "one"]);
        assert!(done, "{said}");
    }
    let (open, none) = (json!({ "visible": 0, "in_flight": 0, "delayed": 1 }), json!([0, 0]));
    until("the quiet period has begun", || {
        let health = health(&running);
        let under_way = |queue: &str| json!([health["queues"][queue]["visible"], health["queues"][queue]["in_flight"]]);
        health["queues"]["notices"] == open
            && ["source-events", "refresh.fifo"].iter().all(|queue| under_way(queue) == none)
    });
    running.stop();
    let (done, said) = holdpoint(&place, &["archive", "moved.jsonl", "--data", "one"]);
    assert!(done && said.contains("1 reviews, every lineage verified"), "{said}");
    // What is to be handled now does keep it waiting, and is named.
    let (done, said) = holdpoint(&place, &["send", "change.json", "--data", "one"]);
    assert!(done, "{said}");
    let (done, said) = holdpoint(&place, &["archive", "again.jsonl", "--data", "one"]);
    assert!(!done && said.contains("1 messages on source-events wait"), "{said}");
    fs::remove_dir_all(&place).unwrap();
}
