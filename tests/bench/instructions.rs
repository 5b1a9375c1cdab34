//! How many instructions the core takes on the rungs, and each function for one event: what a busy machine cannot blur.
//! Held against `instructions.json` within a tenth. `UPDATE_EXPECTED=1` writes the figures of this profile anew.
//!
//! Counted by valgrind (Debian's package of that name, which `.ci/run` installs). The core is counted in the profile of the
//! tests, the functions in the one that the cloud suite runs: with `HOLDPOINT_RELEASE=1`, what is deployed.

#[allow(dead_code, reason = "the benchmark uses more of them")]
#[path = "pipeline/deployed.rs"]
mod deployed;
#[allow(dead_code, reason = "the benchmark has more of them")]
#[path = "pipeline/workload.rs"]
mod workload;

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use deployed::{Deployed, Function};
use holdpoint_tests::{
    cloud::binaries::{built, released},
    repository,
    world::{STACK, with_room},
};

/// A compiler's next release, and a date with one digit more, move figures by less.
const TOLERANCE: f64 = 0.10;

const VALGRIND: &str = "valgrind";

/// The C library picks how memory is copied by the processor, and one of these ways is a single instruction that valgrind
/// counts once a byte. With these processor features off every machine counts the same way, and a copy weighs what it costs.
const SAME_COPIES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM");
const FUNCTIONS: [&str; 3] = ["ingest", "refresh", "notify"];
type Programs = BTreeMap<&'static str, PathBuf>;

/// Events after the first, which opens what is opened once.
const MORE: usize = 4;

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("holdpoint-instructions-{}-{name}", std::process::id()))
}

/// Inclusive instructions of the functions of one run with these names.
fn inclusive(rung: &str, names: &[&str]) -> Vec<u64> {
    let out = scratch(rung);
    let counted = Command::new(VALGRIND)
        .env(SAME_COPIES.0, SAME_COPIES.1)
        .args(["--tool=callgrind", &format!("--callgrind-out-file={}", out.display())])
        .args([env!("CARGO_BIN_EXE_bench"), "count", "--rungs", rung])
        .output()
        .unwrap_or_else(|error| panic!("starting valgrind (Debian's package of that name): {error}"));
    assert!(counted.status.success(), "rung {rung}: {}", String::from_utf8_lossy(&counted.stderr));
    let read = Command::new("callgrind_annotate").args(["--inclusive=yes", "--threshold=100"]).arg(&out).output();
    let read = read.expect("valgrind's own reader");
    fs::remove_file(&out).expect("the file of this run");
    let text = String::from_utf8_lossy(&read.stdout).into_owned();
    let of = |name: &&str| {
        let line = text.lines().find(|line| line.contains(name));
        let line = line.unwrap_or_else(|| panic!("rung {rung}: {name} is not in {text}"));
        let number: String = line.trim().chars().take_while(|c| !c.is_whitespace()).filter(|c| *c != ',').collect();
        number.parse().unwrap_or_else(|error| panic!("{line}: {error}"))
    };
    names.iter().map(of).collect()
}

fn core() -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for rung in ["A", "B", "C"] {
        let counted = inclusive(rung, &["review::Case::whole", "review::Case::search"]);
        found.insert(format!("rung {rung}, whole refresh"), counted[0]);
        found.insert(format!("rung {rung}, search"), counted[1]);
    }
    found.insert("twelve seatings of a slot declined".to_owned(), inclusive("W", &["worst::Opened::refresh"])[0]);
    found
}

/// The number that valgrind says at the end of a program.
fn instructions(said: &str) -> u64 {
    let line = said.lines().rev().find(|line| line.contains("refs:"));
    let line = line.unwrap_or_else(|| panic!("valgrind said no number: {said}"));
    let number = line.rsplit(' ').next().unwrap_or_default().replace(',', "");
    number.parse().unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Instructions of each function's process, from its start to its end, with so many events in between.
async fn processes(programs: &Programs, shape: workload::Shape, events: usize) -> BTreeMap<&'static str, u64> {
    let mut deployed = Deployed::open(shape, 1).await.expect("a review");
    let copies = format!("{}={}", SAME_COPIES.0, SAME_COPIES.1);
    let watch = ["env", &copies, VALGRIND, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"];
    let watch: Vec<String> = watch.map(str::to_owned).into();
    let mut running: Vec<(&'static str, Function)> = Vec::new();
    for function in FUNCTIONS {
        let started = deployed.start(function, &programs[function], &watch).await;
        running.push((function, started.expect("a function under valgrind (Debian's package of that name)")));
    }
    for place in 0..events {
        let event = deployed.workload.collision(0, place);
        deployed.put(&event).await.expect("on the queue");
        deployed.rest(&running).await.expect("all handled");
    }
    let mut counted = BTreeMap::new();
    for (name, function) in running {
        counted.insert(name, instructions(&function.end().await.expect("an end")));
    }
    counted
}

async fn functions() -> BTreeMap<String, u64> {
    let programs = built().expect("the functions' programs");
    let mut found = BTreeMap::new();
    // A process counts the same whatever runs beside it.
    let pair = async |shape| (processes(&programs, shape, 1).await, processes(&programs, shape, 1 + MORE).await);
    let (a, b) = tokio::join!(pair(workload::A), pair(workload::B));
    for (shape, (one, more)) in [(workload::A, a), (workload::B, b)] {
        for function in FUNCTIONS {
            let each = (more[function] - one[function]) / MORE as u64;
            found.insert(format!("rung {}, {function}, one event", shape.rung), each);
        }
    }
    found
}

#[test]
fn the_core_and_each_function_take_the_instructions_of_the_file() {
    let file = repository().join("tests/bench/instructions.json");
    let text = fs::read_to_string(&file).unwrap_or_else(|_| "{}".to_owned());
    let mut kept: BTreeMap<String, BTreeMap<String, u64>> = serde_json::from_str(&text).expect("an object of objects");
    let profile = if released() { "functions as deployed" } else { "functions of the development profile" };
    // Neither waits for the other.
    let core = std::thread::spawn(core);
    let functions = with_room(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build();
        runtime.expect("a runtime").block_on(functions())
    });
    let core = core.join().expect("the core's figures");
    let found = BTreeMap::from([("core".to_owned(), core), (profile.to_owned(), functions)]);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        kept.extend(found.clone());
        fs::write(&file, serde_json::to_string_pretty(&kept).expect("numbers are JSON") + "\n").expect("a file");
    }
    let mut off = Vec::new();
    for (part, figures) in &found {
        for (name, counted) in figures {
            let expected = kept.get(part).and_then(|part| part.get(name)).copied().unwrap_or(0);
            let (most, least) = (expected as f64 * (1.0 + TOLERANCE), expected as f64 * (1.0 - TOLERANCE));
            if !(least..=most).contains(&(*counted as f64)) {
                off.push(format!("{part}: {name}: expected {expected} within a tenth, found {counted}"));
            }
        }
    }
    assert!(off.is_empty(), "instructions.json says other figures:\n{}", off.join("\n"));
}
