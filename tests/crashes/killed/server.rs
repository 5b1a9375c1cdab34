//! The real process: started, posted to, killed.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

pub struct Server {
    child: Child,
    pub address: String,
    /// The operator's, as the engine keeps it in its folder.
    token: String,
}

/// The binary that the same build made, beside this test's own.
fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("this test's own path");
    let path = own.parent().and_then(Path::parent).map(|profile| profile.join("holdpoint")).unwrap_or_default();
    assert!(path.is_file(), "{}: expected the binary; run `cargo build -p holdpoint` first", path.display());
    path
}

impl Server {
    /// Answers when it does.
    pub fn start(directory: &Path, policy: &Path) -> Self {
        let mut child = Command::new(binary())
            .args(["serve", "--json", "--port", "0", "--data"])
            .arg(directory)
            .arg("--policy")
            .arg(policy)
            .env("RUST_LOG", "off")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let up: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("serve said {line:?}: {error}"));
        let address = up["address"].as_str().and_then(|url| url.strip_prefix("http://")).expect("an address");
        let token = std::fs::read_to_string(directory.join("operator-token")).expect("the operator's token");
        Self { address: address.to_owned(), token, child }
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

pub fn post(address: &str, event: &str) -> Result<u16, String> {
    let length = event.len();
    let head = format!("content-type: application/cloudevents+json\r\ncontent-length: {length}\r\n");
    exchange(address, "POST /events", &head, event)
}

/// A page of the operator's.
pub fn get(server: &Server, path: &str) -> Result<u16, String> {
    let head = format!("authorization: Bearer {}\r\n", server.token);
    exchange(&server.address, &format!("GET {path}"), &head, "")
}

/// The status of the answer; an error where there was none.
fn exchange(address: &str, what: &str, head: &str, body: &str) -> Result<u16, String> {
    let why = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).map_err(why)?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).map_err(why)?;
    let request = format!("{what} HTTP/1.1\r\nhost: {address}\r\n{head}connection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).map_err(why)?;
    let mut answer = String::new();
    // A process killed in the middle of its answer gave one all the same, if its first line came through.
    let read = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| format!("no answer: {read:?}"))
}

/// The operator's own command, on what the killed process left.
pub fn verify(directory: &Path) {
    let ran = Command::new(binary()).args(["verify", "--json", "--data"]).arg(directory).output().expect("a process");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "verify: {said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("\"verified\":true") && !said.contains("\"verified\":false"), "verify: {said}");
}
