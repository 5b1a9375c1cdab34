//! The engine as a service manager runs it: it says when it is up, takes a new policy without an end, and its unit is one
//! that systemd understands.

mod server;
mod sink;

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use server::{Running, ask, ask_as_operator, until};
use sink::Sink;

fn place(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("holdpoint-service-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    place
}

#[test]
fn the_engine_says_when_it_is_up() {
    let place = place("notify");
    let socket = place.join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let running = Running::start_with(&place.join("store"), &[], &[("NOTIFY_SOCKET", socket.to_str().unwrap())]);
    let mut said = [0; 100];
    let length = manager.recv(&mut said).unwrap();
    assert!(String::from_utf8_lossy(&said[..length]).contains("READY=1"));
    assert_eq!(ask(&running.address, "GET", "/ready", "").unwrap().0, 200);
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}

const POLICY: &str = r#"{"sources":[{"kind":"person","source":"//people.SOURCE","governed_by":"a@example.com"}]}"#;

fn event(id: &str, source: &str) -> String {
    serde_json::json!({
        "specversion": "1.0", "id": id, "source": source, "type": "dev.holdpoint.person.updated.v1",
        "data": { "person": "a@example.com", "revision": 1, "name": "A", "time_zone": "UTC" },
    })
    .to_string()
}

/// How many events were applied, and how many were of a source that the policy does not name.
fn dispositions(running: &Running) -> (u32, u32) {
    let (_, text) = ask_as_operator(running, "/metrics").unwrap();
    let count = |disposition: &str| {
        let start = format!("holdpoint_events_total{{disposition=\"{disposition}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)?.parse::<u32>().ok()).unwrap_or(0)
    };
    (count("applied"), count("non_authoritative_source"))
}

/// SIGHUP: the policy's file counts as it is now. A bad one changes nothing, and is said.
#[test]
fn a_new_policy_is_taken_without_an_end() {
    let place = place("renew");
    let policy = place.join("policy.json");
    let write = |source: &str| fs::write(&policy, POLICY.replace("SOURCE", source)).unwrap();
    write("example.com");
    let running = Running::start(&place.join("store"), &["--policy", policy.to_str().unwrap()]);
    let log = || fs::read_to_string(place.join("store.log")).unwrap();
    let send = |id: &str| {
        let (before, refused) = dispositions(&running);
        let sent = ask(&running.address, "POST", "/events", &event(id, "//people.example.org")).unwrap();
        assert_eq!(sent.0, 202, "{}", sent.1);
        until("something became of the event", || dispositions(&running) != (before, refused));
        dispositions(&running).0 > before
    };
    assert!(!send("1"), "applied before the policy names its source");
    write("example.org");
    running.signal("-HUP");
    until("the policy is renewed", || log().contains("renewed: policy"));
    assert!(send("2"), "{}", log());
    fs::write(&policy, "{}").unwrap();
    running.signal("-HUP");
    until("the bad policy is refused", || log().contains("not renewed, the engine goes on as before"));
    assert!(log().contains("$.sources"), "{}", log());
    let second = event("3", "//people.example.org").replace("\"revision\":1", "\"revision\":2");
    assert_eq!(ask(&running.address, "POST", "/events", &second).unwrap().0, 202);
    until("events are applied as before", || dispositions(&running).0 == 2);
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}

/// A command of the operator's, on the store of a running engine.
fn holdpoint(place: &Path, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdpoint"));
    let output = command.args(words).arg("--data").arg(place.join("store")).current_dir(place).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said}");
    said
}

/// SIGHUP: mail leaves by another server and from another address, at once, and none is lost or doubled. What a running
/// engine does not take is named.
#[test]
fn another_mail_server_is_taken_without_an_end() {
    let place = place("mail");
    let (first, second) = (Sink::start(), Sink::start());
    holdpoint(&place, &["example", "."]);
    let settings = place.join("holdpoint.toml");
    let write =
        |more: &str, sink: &Sink, from: &str| fs::write(&settings, format!("{more}{}", sink.settings(from))).unwrap();
    write("policy = \"policy.json\"\n", &first, "first@example.com");
    let running = Running::start(&place.join("store"), &["--settings", settings.to_str().unwrap()]);
    let log = || fs::read_to_string(place.join("store.log")).unwrap();
    for file in ["facts.json", "review.json", "change.json"] {
        holdpoint(&place, &["send", file]);
    }
    let to_owner = |sink: &Sink| sink.taken().iter().filter(|mail| mail.to == "owner@example.org").count();
    until("the owner is mailed by the first server", || to_owner(&first) == 1);
    assert!(first.taken().iter().all(|mail| mail.from == "first@example.com"), "{:?}", first.taken());

    write(
        "policy = \"policy.json\"\nlisten = \"127.0.0.1:8421\"\n[keep]\nmails_days = 7\n",
        &second,
        "second@example.com",
    );
    running.signal("-HUP");
    until("the settings are renewed", || log().contains("renewed: policy"));
    assert!(log().contains("what counts from the next start on: listen\n"), "{}", log());
    let who = ["--as", "you@example.org", "--reason", "It is lost.", "--yes"];
    let said = holdpoint(&place, &[&["resend", "RR-1", "owner@example.org"], &who[..]].concat());
    assert!(said.contains("applied; resent"), "{said}");
    until("the owner is mailed by the second server", || to_owner(&second) == 1);
    let again = &second.taken()[0];
    assert!(again.from == "second@example.com" && again.text.contains("/adopt/"), "{again:?}");
    // What was on its way when the settings changed arrived by either of them, once.
    let mailed = || {
        let list: serde_json::Value = serde_json::from_str(&holdpoint(&place, &["mail", "--json"])).unwrap();
        list["mails"].as_array().unwrap().len()
    };
    let ids = || {
        let all = [first.taken(), second.taken()].concat().into_iter();
        let id = |text: &str| text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
        all.map(|mail| id(&mail.text)).collect::<Vec<String>>()
    };
    until("every mail has left", || ids().len() == mailed());
    let one_each: std::collections::BTreeSet<String> = ids().into_iter().collect();
    assert_eq!(one_each.len(), ids().len(), "no mail twice");
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}

/// `[keys]`: the keys lie where the file says, a reload makes a new one when the time is over, and a backup says what is not in it.
#[test]
fn keys_lie_and_grow_old_as_the_settings_say() {
    let place = place("keys");
    let settings = place.join("holdpoint.toml");
    fs::write(&settings, "[keys]\nlink_keys_file = \"keys\"\nrotate_days = 30\n").unwrap();
    assert!(
        holdpoint(&place, &["check", "holdpoint.toml"]).contains("no fault"),
        "the keys are made at the first start"
    );
    let running = Running::start(&place.join("store"), &["--settings", settings.to_str().unwrap()]);
    let keys = || fs::read_to_string(place.join("keys")).unwrap();
    let first = keys();
    assert!(first.starts_with("1:") && !place.join("store/link-keys").exists(), "{first}");
    let log = || fs::read_to_string(place.join("store.log")).unwrap();
    running.signal("-HUP");
    until("the engine is renewed", || log().contains("renewed: policy"));
    assert_eq!(keys(), first, "a young key stays");
    fs::write(place.join("store/link-keys-since"), "2020-01-01T00:00:00Z").unwrap();
    running.signal("-HUP");
    until("a new key signs", || log().contains("links are signed with a new key"));
    until("the engine is renewed", || log().matches("renewed: policy").count() == 2);
    assert!(keys().starts_with("2:") && keys().ends_with(&first), "{}", keys());
    let said = holdpoint(&place, &["backup", "copy.tar"]);
    assert!(said.contains(&format!("not in it: {}", place.join("keys").display())), "{said}");
    running.stop();
    // By hand, as the settings of the engine that ran last say.
    holdpoint(&place, &["rotate-link-keys"]);
    assert!(keys().starts_with("3:") && !place.join("store/link-keys").exists(), "{}", keys());
    fs::remove_dir_all(&place).unwrap();
}

/// `[limits]`: a disk that has too little room is said until a reload asks for less.
#[test]
fn a_disk_with_too_little_room_is_said() {
    let place = place("room");
    let settings = place.join("holdpoint.toml");
    // A tebibyte is more than a machine that tests has left.
    fs::write(&settings, "[limits]\nfree_mebibytes = 1048576\nstore_mebibytes = 1048576\n").unwrap();
    let running = Running::start(&place.join("store"), &["--settings", settings.to_str().unwrap()]);
    let health = || ask(&running.address, "GET", "/health", "").unwrap().1;
    let said = health();
    assert!(said.contains("attention") && said.contains("free_mebibytes is 1048576"), "{said}");
    assert!(!said.contains("store_mebibytes"), "{said}");
    let figures = ask(&running.address, "GET", "/metrics", "").unwrap().1;
    for name in ["holdpoint_store_bytes ", "holdpoint_disk_free_bytes "] {
        let line =
            figures.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {figures}"));
        assert!(line.parse::<f64>().is_ok_and(|bytes| bytes > 0.0), "{name}: {line}");
    }
    fs::write(&settings, "[limits]\nfree_mebibytes = 0\n").unwrap();
    running.signal("-HUP");
    until("the limits are renewed", || health().contains("\"ok\""));
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}

/// With `[log] format = "json"` each line is one flat object, as a deployment's are.
#[test]
fn a_log_of_json_holds_nothing_else() {
    let place = place("log");
    let settings = place.join("holdpoint.toml");
    fs::write(&settings, "[log]\nformat = \"json\"\nlevel = \"info\"\n").unwrap();
    let running = Running::start(&place.join("store"), &["--settings", settings.to_str().unwrap()]);
    let log = || fs::read_to_string(place.join("store.log")).unwrap();
    assert_eq!(ask(&running.address, "POST", "/events", &event("1", "//people.example.org")).unwrap().0, 202);
    until("the event is ignored", || log().contains("an event was ignored"));
    running.signal("-HUP");
    until("the engine is renewed", || log().contains("\"renewed\""));
    fs::write(&settings, "[log]\nformat = \"xml\"\n").unwrap();
    running.signal("-HUP");
    until("the bad settings are refused", || log().contains("not renewed"));
    running.stop();
    for line in log().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let members = line.as_object().unwrap();
        assert!(members.values().all(|value| !value.is_object() && !value.is_array()), "flat: {line}");
        for name in ["level", "message", "timestamp", "service", "location"] {
            assert!(members[name].is_string(), "{name}: {line}");
        }
        assert_eq!(line["service"], "holdpoint");
    }
    assert!(log().contains("\"event_id\":\"1\""), "what a record is about stands in its lines: {}", log());
    fs::remove_dir_all(&place).unwrap();
}

/// Every line of the unit is one that systemd knows, and names what exists.
#[test]
fn systemd_understands_the_unit() {
    let place = place("unit");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../one-machine/holdpoint.service");
    let unit = fs::read_to_string(&file).unwrap();
    let program = env!("CARGO_BIN_EXE_holdpoint");
    assert_eq!(unit.matches("/usr/bin/holdpoint").count(), 2);
    // With a dynamic user the state directory is a symbolic link, which `private::folder` refuses.
    let lines = || unit.lines().filter(|line| !line.starts_with('#'));
    assert!(lines().all(|line| !line.starts_with("DynamicUser=")), "{unit}");
    assert!(lines().any(|line| line == "User=holdpoint") && lines().any(|line| line == "StateDirectory=holdpoint"));
    let here = place.join("holdpoint.service");
    fs::write(&here, unit.replace("/usr/bin/holdpoint", program)).unwrap();
    let verified = Command::new("systemd-analyze").arg("verify").arg(&here).output();
    let verified = verified.unwrap_or_else(|error| panic!("systemd-analyze (Debian's package systemd): {error}"));
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let of_ours: Vec<&str> = said.lines().filter(|line| line.contains("holdpoint")).collect();
    assert!(verified.status.success() && of_ours.is_empty(), "{said}");
    fs::remove_dir_all(&place).unwrap();
}
