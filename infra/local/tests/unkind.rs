//! `holdpoint serve` as unkind clients and operators in a hurry meet it: over sockets, as a process.

mod server;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::json;
use server::{Running, ask, ask_as_operator};

/// Longer than any time-out of the server; it decides no test.
const PATIENCE: Duration = Duration::from_secs(60);

fn place(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("holdpoint-unkind-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    place
}

fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(&running.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What is answered until the other side closes.
fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn half_a_post(running: &Running) -> TcpStream {
    let mut stream = connect(running);
    let head = format!(
        "POST /events HTTP/1.1\r\nhost: {}\r\ncontent-type: application/cloudevents+json\r\ncontent-length: 1000\r\n\r\n{{",
        running.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn half_a_head(running: &Running) -> TcpStream {
    let mut stream = connect(running);
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: 127").unwrap();
    stream
}

/// Three connections are open with half a request each, and one that idles: none keeps the engine from ending.
#[test]
fn half_a_request_does_not_keep_the_engine_from_ending() {
    let data = place("stop");
    let running = Running::start(&data, &[]);
    let mut post = half_a_post(&running);
    let mut head = half_a_head(&running);
    let _idle = connect(&running);
    // The engine has met all of them once it answers another.
    assert_eq!(ask(&running.address, "GET", "/health", "").unwrap().0, 200);
    running.stop();
    let said = answer(&mut post);
    assert!(said.starts_with("HTTP/1.1 503") && said.contains("nothing was taken"), "{said}");
    assert_eq!(answer(&mut head), "");
    fs::remove_dir_all(&data).unwrap();
}

/// The first signal lets what is under way come to its end; the second waits for nothing.
#[test]
fn a_second_signal_ends_the_engine_at_once() {
    let data = place("twice");
    let running = Running::start(&data, &[]);
    let mut post = half_a_post(&running);
    assert_eq!(ask(&running.address, "GET", "/health", "").unwrap().0, 200);
    assert_eq!(running.stop_at_once(), Some(130), "a process that ends by itself says 0");
    let _ = answer(&mut post);
    // What the store holds is whole: the next engine opens it.
    Running::start(&data, &[]).stop();
    fs::remove_dir_all(&data).unwrap();
}

/// A head that does not come to its end is told so and let go; so is a head that is too long.
#[test]
fn a_head_has_its_time_and_its_length() {
    let data = place("head");
    let running = Running::start(&data, &[]);
    let mut slow = half_a_head(&running);
    let mut long = connect(&running);
    let header = format!("GET /health HTTP/1.1\r\nhost: {}\r\nx: {}\r\n\r\n", running.address, "y".repeat(100_000));
    let _ = long.write_all(header.as_bytes());
    let said = answer(&mut long);
    assert!(said.starts_with("HTTP/1.1 431"), "{said}");
    let said = answer(&mut slow);
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("did not come within"), "{said}");
    running.stop();
    fs::remove_dir_all(&data).unwrap();
}

#[test]
fn one_connection_too_many_is_told_so_and_the_others_go_on() {
    let data = place("many");
    let running = Running::start(&data, &[]);
    let mut open = Vec::new();
    let refused = loop {
        let mut stream = connect(&running);
        let request = format!("GET /health HTTP/1.1\r\nhost: {}\r\n\r\n", running.address);
        stream.write_all(request.as_bytes()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        if &first == b"HTTP/1.1 503" {
            break answer(&mut stream);
        }
        assert_eq!(&first, b"HTTP/1.1 200");
        open.push(stream);
        assert!(open.len() < 1_000, "no limit");
    };
    assert!(refused.contains("connections are open") && refused.contains("retry-after"), "{refused}");
    drop(open);
    let until = Instant::now() + PATIENCE;
    while ask(&running.address, "GET", "/health", "").is_none_or(|(status, _)| status != 200) {
        assert!(Instant::now() < until, "places are never free again");
    }
    running.stop();
    fs::remove_dir_all(&data).unwrap();
}

/// The connection is still being written to when the answer is made: it must be read all the same.
#[test]
fn too_large_a_body_is_told_so_although_it_is_still_being_sent() {
    let data = place("large");
    let running = Running::start(&data, &[]);
    for (path, kind) in [("/events", 9_000_000), ("/adopt/nothing", 100_000)] {
        let (status, said) = ask(&running.address, "POST", path, &"1".repeat(kind)).expect("an answer");
        assert_eq!(status, 413, "{path}: {said}");
        assert!(said.contains("send it in parts"), "{said}");
    }
    running.stop();
    fs::remove_dir_all(&data).unwrap();
}

fn holds(folder: &Path, what: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|one| one.unwrap().path());
    let has = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(what.len()).any(|window| window == what.as_bytes())
    };
    files.filter(has).collect()
}

/// Messages that were handled are gone from queue and disk: their words stand in none of the store's files.
#[test]
fn what_was_deleted_leaves_no_plain_text_behind() {
    const SECRET: &str = "what-a-calendar-once-said";
    let data = place("deleted");
    let running = Running::start(&data, &[]);
    for number in 0..40 {
        let event = json!({
            "specversion": "1.0", "id": format!("p{number}"), "source": "//person.example.com",
            "type": "dev.holdpoint.person.updated.v1",
            "data": {
                "person": format!("p{number}@example.com"), "revision": 1, "name": "A", "time_zone": "UTC",
                "unknown": format!("{SECRET} ").repeat(1 + number * 7),
            },
        });
        let (status, said) = ask(&running.address, "POST", "/events", &event.to_string()).unwrap();
        assert_eq!(status, 202, "{said}");
    }
    let until = Instant::now() + PATIENCE;
    loop {
        let (_, health) = ask(&running.address, "GET", "/health", "").unwrap();
        let health: serde_json::Value = serde_json::from_str(&health).unwrap();
        if health["queues"]["source-events"] == json!({ "visible": 0, "in_flight": 0, "delayed": 0 }) {
            break;
        }
        assert!(Instant::now() < until, "{health}");
    }
    running.stop();
    let found = holds(&data, SECRET);
    assert!(found.is_empty(), "deleted, and still to be read in {found:?}");
    let stored = holds(&data, "//person.example.com");
    assert!(!stored.is_empty(), "the search finds what is there");
    fs::remove_dir_all(&data).unwrap();
}

/// The token in the folder is the one that the engine asks for, and stays over a restart.
#[test]
fn the_token_of_the_folder_opens_the_operators_pages() {
    let data = place("token");
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let running = Running::start(&data, &[]);
        assert_eq!(ask(&running.address, "GET", "/reviews", "").unwrap().0, 401);
        assert_eq!(ask_as_operator(&running, "/reviews").unwrap().0, 200);
        tokens.push(running.token.clone());
        running.stop();
    }
    assert_eq!(tokens[0], tokens[1]);
    fs::remove_dir_all(&data).unwrap();
}
