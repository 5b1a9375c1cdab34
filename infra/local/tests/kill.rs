//! `kill -9` at any moment, and start again: what the engine said yes to is there, and what it worked on goes on.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use holdpoint::engine::{Engine, Settings, Storage};
use lambda_shell::clock::Clock;
use refresh_core::{EventId, Source, event::Identity};
use serde_json::{Value, json};

struct Running {
    process: Child,
    address: String,
}

impl Running {
    fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_holdpoint"))
            .args(["serve", "--json", "--port", "0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The engine says where it answers once it does.
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).expect("the engine's first line");
        let address = line["address"].as_str().unwrap().trim_start_matches("http://").to_owned();
        Self { process, address }
    }

    /// The end, without a word.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The status and body, or nothing where the process ended before it answered.
fn ask(address: &str, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/cloudevents+json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

fn event(id: &str, revision: u64) -> String {
    json!({
        "specversion": "1.0", "id": id, "source": "//person.example.com", "type": "dev.holdpoint.person.updated.v1",
        "data": { "person": format!("{id}@example.com"), "revision": revision, "name": id, "time_zone": "UTC" },
    })
    .to_string()
}

fn directory() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("holdpoint-kill-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    directory
}

/// Sends until the process is gone; answers which events it said yes to.
fn send_until_gone(address: &str, round: usize, sender: usize) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    for number in 0.. {
        let id = format!("r{round}-s{sender}-{number}");
        match ask(address, "POST", "/events", &event(&id, 1)) {
            Some((202, _)) => accepted.insert(id),
            Some((status, body)) => panic!("{id}: {status} {body}"),
            None => break,
        };
    }
    accepted
}

fn wait_until_idle(address: &str) {
    loop {
        let (_, body) = ask(address, "GET", "/health", "").expect("the engine answers");
        let health: Value = serde_json::from_str(&body).unwrap();
        let source = &health["queues"]["source-events"];
        if source["visible"] == 0 && source["in_flight"] == 0 {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_was_accepted_survives_kill_9() {
    const ROUNDS: usize = 4;
    const SENDERS: usize = 3;
    let data = directory();
    let mut accepted: BTreeSet<String> = BTreeSet::new();
    for round in 0..ROUNDS {
        let running = Running::start(&data);
        let address = running.address.clone();
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let address = address.clone();
                thread::spawn(move || send_until_gone(&address, round, sender))
            })
            .collect();
        // In the middle of the work, wherever that is.
        thread::sleep(Duration::from_millis(300 + 170 * round as u64));
        running.kill();
        for sender in senders {
            accepted.extend(sender.join().unwrap());
        }
    }
    assert!(accepted.len() > ROUNDS, "something was accepted in each round: {}", accepted.len());
    let running = Running::start(&data);
    wait_until_idle(&running.address);
    running.kill();

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let missing: Vec<String> = runtime.block_on(async {
        let settings = Settings {
            storage: Storage::File(data.join("store.sqlite")),
            ..Settings::in_memory(include_str!("../../policy.json"))
        };
        let engine = Engine::open(settings, Clock::system()).await.unwrap();
        assert!(engine.queues().look("source-events-dlq").unwrap().is_empty());
        let mut missing = Vec::new();
        for id in &accepted {
            let source = Source::parse("//person.example.com").unwrap();
            let identity = Identity { source, id: EventId::parse(id).unwrap() };
            match engine.store().event(&identity).await.unwrap() {
                Some(record) if record.disposition.is_applied() => {}
                _ => missing.push(id.clone()),
            }
        }
        missing
    });
    assert!(missing.is_empty(), "{} of {} accepted events are lost: {missing:?}", missing.len(), accepted.len());
    fs::remove_dir_all(&data).unwrap();
}
