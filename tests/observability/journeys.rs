//! Journeys that are listened to: every line the functions log while a history is played.

use std::{
    fs,
    io::Write,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use holdpoint::replay::{Scenario, replay};
use holdpoint_tests::{
    repository,
    world::{drive, with_room},
};
use lambda_shell::log;
use serde_json::Value;
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Does the work, and hands over every line that was logged meanwhile.
pub fn listen<T: Send>(work: impl FnOnce() -> T + Send) -> (T, Vec<Value>) {
    let paper = Paper::default();
    let out = paper.clone();
    let done = with_room(move || {
        let lines = log::lines("bundle", move || out.clone(), LevelFilter::INFO);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), work)
    });
    let text = paper.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let text = String::from_utf8(text).expect("lines of text");
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    (done, text.lines().map(read).collect())
}

pub fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All that is logged while every scenario there is gets played. Played once for the whole suite.
pub fn of_all_scenarios() -> &'static [Value] {
    static LINES: OnceLock<Vec<Value>> = OnceLock::new();
    LINES.get_or_init(|| {
        let folder = fs::read_dir(repository().join("events/scenarios")).expect("a readable folder");
        let mut names: Vec<String> = folder
            .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned))
            .filter(|name| !name.ends_with(".expected"))
            .collect();
        names.sort();
        assert!(!names.is_empty(), "events/scenarios holds no scenario");
        names.iter().flat_map(|name| of_scenario(name)).collect()
    })
}

fn of_scenario(name: &str) -> Vec<Value> {
    let scenario = Scenario::parse(&read(&format!("events/scenarios/{name}.jsonl")));
    let scenario = scenario.unwrap_or_else(|malformed| panic!("{name}: {malformed:?}"));
    let policy = read(&format!("events/scenarios/{name}.policy.json"));
    let (played, lines) = listen(|| drive(replay(&scenario, &policy)));
    played.unwrap_or_else(|why| panic!("{name}: {why}"));
    lines
}

pub fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}
