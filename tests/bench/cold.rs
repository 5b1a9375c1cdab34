//! The deployed binaries: how long one takes from the start of its process to its first answer, beside a function of the
//! same runtime that does nothing, in turns, so that the machine's moods reach all of them. The batch is empty: what is
//! measured is what every function loads, resolves and opens.

use std::{path::Path, process::Command};

use holdpoint_tests::{
    cloud::binaries::{self, FUNCTIONS},
    repository,
};
use serde_json::{Value, json};

use crate::{
    figure::{Beside, Figure, Goal, Report},
    setup,
};

const ROUNDS: usize = 5;
const STARTS: usize = 40;
const STARTS_OF_PYTHON: usize = 5;

/// Beside the bare runtime.
const TIMES: f64 = 1.5;
/// Beside the Python peer.
const TIMES_UNDER_PYTHON: f64 = 150.0;
const BINARY_BYTES: f64 = 5_000_000.0;
const MEMORY_MB: f64 = 12.0;

/// One program's figures over all rounds.
#[derive(Default)]
struct Starts {
    cpu_ms: Vec<f64>,
    answer_ms: Vec<f64>,
    memory_mb: Vec<f64>,
}

impl Starts {
    fn add(&mut self, figures: &Value) {
        let number = |name: &str| figures[name].as_f64();
        self.cpu_ms.extend(number("cpu_p50_ms"));
        self.answer_ms.extend(number("first_response_p50_ms"));
        self.memory_mb.extend(number("peak_rss_mb"));
    }
}

fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

fn floors() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peer_pipeline/floors")
}

/// What `refresh` is deployed with. A machine's own certificates are no function's: it has Amazon's compiled in. Where no
/// network is, looking up the services' names fails at once, which is part of what is measured.
fn environment(command: &mut Command) {
    let policy = repository().join("infra/policy.json");
    command
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR")
        .env("TABLE", "packets")
        .env("NOTICES_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/notices")
        .env("MAIL_DOMAIN", "example.com")
        .env("POLICY_FILE", policy);
}

fn starts(number: usize, name: &str, program: &[&str]) -> Result<Value, String> {
    let stub = setup::built("stub");
    let mut command = Command::new(&stub);
    environment(&mut command);
    let event = floors().join("ev_empty.json");
    command
        .env("NAME", name)
        .arg("cold")
        .arg(number.to_string())
        .arg(event)
        .args(program)
        .current_dir(floors().join("py"));
    let output = command.output().map_err(|error| format!("{}: {error}; `bench setup` builds it", stub.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let figures = said.lines().find_map(|line| serde_json::from_str::<Value>(line).ok());
    figures.ok_or_else(|| format!("{name}: {}", String::from_utf8_lossy(&output.stderr)))
}

pub fn measure(report: &mut Report) {
    let programs = match binaries::release() {
        Ok(programs) => programs,
        Err(why) => return report.add(Figure::failed("cold start", &why)),
    };
    for function in FUNCTIONS {
        let bytes = std::fs::metadata(&programs[function]).map_or(f64::MAX, |data| data.len() as f64);
        report.add(Figure::cost("binary, stripped", function, "bytes", bytes).goal(Goal::AtMost(BINARY_BYTES)));
    }
    let ours = programs["refresh"].display().to_string();
    let [bare, floor] = ["bare", "floor"].map(|name| setup::built(name).display().to_string());
    let python = setup::python().display().to_string();
    let contenders: [(&str, usize, Vec<&str>); 4] = [
        ("refresh", STARTS, vec![&ours]),
        ("bare runtime", STARTS, vec![&bare]),
        ("floor", STARTS, vec![&floor]),
        ("Python", STARTS_OF_PYTHON, vec![&python, "-m", "awslambdaric", "hello.handler"]),
    ];
    let mut found: [Starts; 4] = Default::default();
    let mut absent: [Option<String>; 4] = Default::default();
    for _ in 0..ROUNDS {
        for (place, (name, number, program)) in contenders.iter().enumerate() {
            match starts(*number, name, program) {
                Ok(figures) => found[place].add(&figures),
                Err(why) => absent[place] = Some(why),
            }
        }
    }
    add(report, &found, &absent);
}

fn add(report: &mut Report, [ours, bare, floor, python]: &[Starts; 4], absent: &[Option<String>; 4]) {
    let beside = |name: &str, figures: &[f64], why: &Option<String>| match median(figures) {
        Some(value) => Beside::Peer { name: name.to_owned(), value },
        None => Beside::Absent(why.clone().unwrap_or_default()),
    };
    let [why, no_bare, no_floor, no_python] = absent;
    let (Some(cpu), Some(answer), Some(memory)) =
        (median(&ours.cpu_ms), median(&ours.answer_ms), median(&ours.memory_mb))
    else {
        return report.add(Figure::failed("cold start", why.as_deref().unwrap_or("no figure")));
    };
    let figure = Figure::cost("cold start, CPU to the first answer", "refresh", "ms", cpu);
    let figure = figure.beside(beside("bare runtime", &bare.cpu_ms, no_bare)).limit(median(&floor.cpu_ms));
    report
        .add(figure.goal(Goal::TimesThePeer(TIMES)).detail(json!({ "rounds": ours.cpu_ms, "floor_absent": no_floor })));
    let figure = Figure::cost("cold start, first answer", "refresh", "ms", answer);
    report.add(
        figure
            .beside(beside("bare runtime", &bare.answer_ms, no_bare))
            .limit(median(&floor.answer_ms))
            .goal(Goal::TimesThePeer(TIMES)),
    );
    let figure = Figure::cost("cold start beside a Python hello world", "refresh", "ms", answer);
    report
        .add(figure.beside(beside("Python", &python.answer_ms, no_python)).goal(Goal::TimesBetter(TIMES_UNDER_PYTHON)));
    let figure = Figure::cost("memory at its peak", "refresh", "MB", memory);
    report.add(figure.beside(beside("bare runtime", &bare.memory_mb, no_bare)).goal(Goal::AtMost(MEMORY_MB)));
}
