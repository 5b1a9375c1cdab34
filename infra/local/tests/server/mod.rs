//! `holdpoint serve` as its users start it, on a directory of the test's own.

#![allow(dead_code, reason = "each test file compiles this module, and needs a part of it")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

pub struct Running {
    process: Child,
    pub address: String,
    /// The operator's, as the engine keeps it in its folder.
    pub token: String,
}

impl Running {
    pub fn start(data: &Path, options: &[&str]) -> Self {
        Self::start_with(data, options, &[])
    }

    /// With more in the environment.
    pub fn start_with(data: &Path, options: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdpoint"));
        command.envs(environment.iter().copied());
        Self::start_by(command, data, options)
    }

    /// By a command that the arguments of `holdpoint` are added to: the program itself, or another that runs it.
    pub fn start_by(mut command: Command, data: &Path, options: &[&str]) -> Self {
        let log = data.with_extension("log");
        std::fs::create_dir_all(data.parent().unwrap_or(data)).unwrap();
        let log = std::fs::File::create(log).unwrap();
        let mut process = command
            .args(["serve", "--json", "--port", "0", "--data"])
            .arg(data)
            .args(options)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        // The engine says where it answers once it does.
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).expect("the engine's first line");
        let address = line["address"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let token = std::fs::read_to_string(data.join("operator-token")).expect("the operator's token");
        Self { process, address, token }
    }

    /// The end as an operator asks for it: what is being handled comes to its end. A mail that a killed process had in
    /// flight keeps its reader's next one waiting until its lease is over.
    pub fn stop(mut self) {
        let told = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(told.success(), "the engine could not be told to stop");
        assert!(self.process.wait().unwrap().success());
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether the process has come to its end.
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    pub fn signal(&self, signal: &str) {
        assert!(
            Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap().success(),
            "{signal}"
        );
    }

    /// Two different signals at one moment: the process is held while they are sent, so that it does not come to its end
    /// by itself between them. Answers with the status of its end.
    pub fn stop_at_once(mut self) -> Option<i32> {
        let process = self.process.id().to_string();
        for signal in ["-STOP", "-TERM", "-INT", "-CONT"] {
            assert!(Command::new("kill").args([signal, &process]).status().unwrap().success(), "{signal}");
        }
        self.process.wait().unwrap().code()
    }
}

impl Drop for Running {
    /// A test that fails leaves nothing running.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A page of the operator's.
pub fn ask_as_operator(running: &Running, path: &str) -> Option<(u16, String)> {
    exchange(&running.address, "GET", path, &format!("authorization: Bearer {}\r\n", running.token), "")
}

/// The status and body, or nothing where the process ended before it answered.
pub fn ask(address: &str, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    exchange(address, method, path, "", body)
}

fn exchange(address: &str, method: &str, path: &str, headers: &str, body: &str) -> Option<(u16, String)> {
    // What is posted is an event, or a form of one of our pages.
    let kind = if path == "/events" { "application/cloudevents+json" } else { "application/x-www-form-urlencoded" };
    let mut stream = TcpStream::connect(address).ok()?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\n{headers}origin: http://{address}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

pub fn health(running: &Running) -> Value {
    let (status, text) = ask(&running.address, "GET", "/health", "").unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Whether somebody must see to that.
pub fn says(health: &Value, what: &str) -> bool {
    health["wrong"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains(what))
}

pub fn is_worked_off(running: &Running) -> bool {
    health(running)["queues"]["source-events"] == json!({ "visible": 0, "in_flight": 0, "delayed": 0 })
}

/// A command in that folder: whether it did what was asked, and what it said.
pub fn holdpoint(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_holdpoint")).args(arguments).current_dir(folder).output().unwrap();
    (status.success(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

/// A file of `holdpoint example`, in a year in which its review is open.
pub fn example(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/example").join(name);
    std::fs::read_to_string(file).unwrap().replace("2026-11-0", "2040-11-0")
}

/// Looks until `what` is there, for a minute at most: a busy machine is slow, and nothing here is timed.
pub fn found<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1_200 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what}: not within a minute");
}

/// Looks until it is so; as [`found`].
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    found(what, || is_so().then_some(()));
}

/// An event of its own person, with so many bytes that count for nothing.
pub fn person(number: usize, padding: usize) -> String {
    json!({
        "specversion": "1.0", "id": format!("e{number}"), "source": "//people.example.com",
        "type": "dev.holdpoint.person.updated.v1",
        "data": {
            "person": format!("p{number}@example.com"), "revision": 1, "name": "P", "time_zone": "UTC",
            "dropped": "x".repeat(padding),
        },
    })
    .to_string()
}
