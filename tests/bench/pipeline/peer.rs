//! The pipeline that one would write instead, on the same embedded store and in its own process. That process waits for the
//! store over loopback, so processor time is what compares, and its requests to the store are HTTP where ours are not.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
};
use holdpoint::embedded::Embedded;
use serde_json::Value;

use super::run::{Mode, Run};
use crate::{figure::Beside, setup};

pub const NAME: &str = "Python";

/// What the peer's Python has to have, where it has not.
const WANTING: &str = "`bench setup` makes an environment, or PYTHON names an interpreter with the packages of peer_pipeline/requirements.txt";

/// Ends its process with itself.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // A process that is gone already is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peer_pipeline")
}

fn python(script: &str) -> Command {
    let mut command = Command::new(setup::python());
    command.arg(folder().join(script));
    command
}

/// The store over loopback, for as long as the process lives.
fn store() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    listener.set_nonblocking(true).map_err(|error| error.to_string())?;
    let store = Embedded::memory()?;
    let answer = move |headers: HeaderMap, body: Bytes| {
        let store = store.clone();
        async move {
            let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default();
            let answer = store.call(operation, body.to_vec()).await;
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [("content-type", "application/x-amz-json-1.0")], answer.body)
        }
    };
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, Router::new().fallback(answer)).await.expect("a server");
        });
    });
    Ok(port)
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

fn sink(port: u16) -> Result<Running, String> {
    let mut command = python("sink.py");
    let child = command.arg(port.to_string()).spawn().map_err(|error| format!("sink.py: {error}"))?;
    let running = Running(child);
    for _ in 0..100 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(running);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("sink.py did not come up".to_owned())
}

/// What the peer says of the same run, or why there is no peer.
pub fn measure(run: Run) -> Result<Value, String> {
    let (mails, store) = (free_port()?, store()?);
    let _sink = sink(mails)?;
    let mode = match run.mode {
        Mode::Spread => "spread",
        Mode::Clustered => "cluster",
    };
    let number = |name: &str, value: usize| [format!("--{name}"), value.to_string()];
    let mut command = python("drive.py");
    command
        .args(["--mode", mode])
        .args(number("events", run.events))
        .args(number("releases", run.reviews))
        .args(number("batch", run.batch))
        .args(number("roles", run.shape.roles))
        .args(number("delegates", run.shape.people - 1))
        .args(number("intervals", run.shape.intervals))
        .args(number("days", run.shape.days as usize))
        .env("DDB_ENDPOINT", format!("http://127.0.0.1:{store}"))
        .env("SES_ENDPOINT", format!("http://127.0.0.1:{mails}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = command.output().map_err(|error| format!("drive.py: {error}"))?;
    let said = BufReader::new(&*output.stdout).lines().map_while(Result::ok);
    let figures =
        said.filter_map(|line| serde_json::from_str::<Value>(&line).ok()).find(|line| line["peer"].is_string());
    figures.ok_or_else(|| {
        let why = String::from_utf8_lossy(&output.stderr);
        format!("{}; {WANTING}", why.lines().last().unwrap_or("it printed no figure"))
    })
}

/// One of the peer's figures by our name.
pub fn beside(peer: &Result<Value, String>, name: &str) -> Beside {
    let peer = match peer {
        Ok(peer) => peer,
        Err(why) => return Beside::Absent(why.clone()),
    };
    let number = |name: &str| peer[name].as_f64().unwrap_or(0.0);
    let value = match name {
        "cpu_us" => number("cpu_ms_per_event") * 1_000.0,
        "events_per_second" => number("events_per_s"),
        "calls" => number("ddb_calls_per_event"),
        "read_units" => number("rru_per_event"),
        "write_units" => number("wru_per_event"),
        "mails" => number("mails_per_event"),
        "mails_sent" => number("mails"),
        own => number(own),
    };
    Beside::Peer { name: NAME.to_owned(), value }
}
