//! `holdpoint serve` as a process of its own: started, posted to, measured, killed.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

pub struct Server {
    child: Child,
    pub address: String,
    /// The operator's, as the engine keeps it in its folder.
    token: String,
    /// From the start of the process until it said where it answers.
    pub up_after: Duration,
}

/// What a process has cost until now.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub processor: Duration,
    /// Resident now, in KiB.
    pub memory: u64,
    /// The most that was resident, in KiB.
    pub most_memory: u64,
}

/// The binary that the same build made: beside a program's own, or a folder above a test's.
fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("this program's own path");
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join("holdpoint")).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("near {}: expected the binary; run `cargo build -p holdpoint` first", own.display()))
}

impl Server {
    /// Answers when the process does. `options` follow `serve --data DIRECTORY`.
    pub fn start(directory: &Path, options: &[&str]) -> Self {
        let begun = Instant::now();
        let mut child = Command::new(binary())
            .args(["serve", "--json", "--port", "0", "--data"])
            .arg(directory)
            .args(options)
            .env("HOLDPOINT_LOG", "off")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let up_after = begun.elapsed();
        let up: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("serve said {line:?}: {error}"));
        let address = up["address"].as_str().and_then(|url| url.strip_prefix("http://")).expect("an address");
        let token = std::fs::read_to_string(directory.join("operator-token")).expect("the operator's token");
        Self { address: address.to_owned(), token, child, up_after }
    }

    /// By the system's own account of the process.
    pub fn cost(&self) -> Cost {
        let read = |name: &str| {
            let path = format!("/proc/{}/{name}", self.child.id());
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        let (stat, status) = (read("stat"), read("status"));
        // After the name in brackets; proc(5) counts fields from 1, user and system time are 14 and 15.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = fields[11..=12].iter().map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of proc(5)");
            line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("KiB")
        };
        // A hundred a second, on every Linux that this runs on.
        let processor = Duration::from_millis(ticks * 10);
        Cost { processor, memory: kib("VmRSS:"), most_memory: kib("VmHWM:") }
    }

    /// The end as an operator asks for it: what is being handled comes to its end.
    pub fn stop(mut self) {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        assert!(told.success(), "the engine could not be told to stop");
        assert!(self.child.wait().expect("it ended").success());
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    pub fn kill(&mut self) {
        self.child.kill().expect("it still ran");
        self.child.wait().expect("it ended");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One event, or a list of events. Answers the status.
///
/// # Errors
/// There was no answer.
pub fn post(address: &str, events: &str) -> Result<u16, String> {
    let length = events.len();
    let kind =
        if events.starts_with('[') { "application/cloudevents-batch+json" } else { "application/cloudevents+json" };
    let head = format!("content-type: {kind}\r\ncontent-length: {length}\r\n");
    exchange(address, "POST /events", &head, events).map(|(status, _)| status)
}

/// A page of the operator's: its status and its body.
///
/// # Errors
/// There was no answer.
pub fn get(server: &Server, path: &str) -> Result<(u16, String), String> {
    let head = format!("authorization: Bearer {}\r\n", server.token);
    exchange(&server.address, &format!("GET {path}"), &head, "")
}

/// The status and the body of the answer; an error where there was none.
fn exchange(address: &str, what: &str, head: &str, body: &str) -> Result<(u16, String), String> {
    let why = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).map_err(why)?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).map_err(why)?;
    let request = format!("{what} HTTP/1.1\r\nhost: {address}\r\n{head}connection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).map_err(why)?;
    let mut answer = String::new();
    // A process killed in the middle of its answer gave one all the same, if its first line came through.
    let read = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    status.map(|status| (status, body)).ok_or_else(|| format!("no answer: {read:?}"))
}

/// The operator's own command. Answers what it printed.
pub fn holdpoint(arguments: &[&str]) -> String {
    let ran = Command::new(binary()).args(arguments).output().expect("a process");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&ran.stderr));
    said
}

/// Every lineage of a store that no engine runs on.
pub fn verify(directory: &Path) {
    let said = holdpoint(&["verify", "--json", "--data", directory.to_str().expect("a path in UTF-8")]);
    assert!(said.contains("\"verified\":true") && !said.contains("\"verified\":false"), "verify: {said}");
}
