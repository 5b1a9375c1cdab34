//! What an event asks of the store, counted. Whoever adds a call or a unit meets this test, and either has a reason or a
//! fault. `UPDATE_EXPECTED=1` writes `costs.json` anew.

#[allow(dead_code, reason = "the benchmark uses what is not counted here")]
#[path = "pipeline/run.rs"]
mod run;
#[allow(dead_code, reason = "the benchmark has more shapes")]
#[path = "pipeline/workload.rs"]
mod workload;

use std::{collections::BTreeMap, fs, path::Path};

use holdpoint::connector::Service;
use holdpoint_tests::world::{drive, with_room};
use serde_json::{Value, json};

use run::{Cost, Mode, Run};

#[allow(dead_code, reason = "the benchmark prints all figures")]
#[path = "table.rs"]
mod table;

/// The README's figures stand between these.
const MARKS: [&str; 2] = ["<!-- figures: tests/bench/measured.json -->\n", "<!-- end of the figures -->\n"];

/// Fewer reviews and events than the benchmark has: the figures are counts, and the same every time.
const EVENTS: usize = 20;
const REVIEWS: usize = 2;

fn counted(cost: &Cost) -> Value {
    let mut calls: BTreeMap<String, u64> = BTreeMap::new();
    let (mut reads, mut writes) = (0.0, 0.0);
    for ((function, service, operation), metered) in &cost.calls {
        *calls.entry(format!("{function} {operation}")).or_default() += metered.calls;
        if *service == Service::DynamoDb {
            reads += metered.read_units;
            writes += metered.write_units;
        }
    }
    json!({ "calls": calls, "read_units": reads, "write_units": writes, "mails": cost.mails })
}

fn runs() -> BTreeMap<String, Value> {
    let shapes = [workload::A, workload::B];
    let modes = [(Mode::Spread, 1, "one by one"), (Mode::Clustered, 10, "ten of one review together")];
    let mut runs = BTreeMap::new();
    for (shape, (mode, batch, words)) in shapes.into_iter().flat_map(|shape| modes.map(|mode| (shape, mode))) {
        let run = Run { shape, mode, reviews: REVIEWS, batch, events: EVENTS, quiet_seconds: 0 };
        let cost = with_room(|| drive(run::run(run))).unwrap_or_else(|why| panic!("{}, {words}: {why}", shape.rung));
        assert_eq!(cost.dead, 0, "{}, {words}: messages were left on queues", shape.rung);
        runs.insert(format!("rung {}, {words}", shape.rung), counted(&cost));
    }
    runs
}

#[test]
fn calls_and_units_of_twenty_events_are_those_of_the_file() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/costs.json");
    let found = runs();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("counts are JSON");
        fs::write(&file, text + "\n").expect("the file can be written");
    }
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let expected: BTreeMap<String, Value> = serde_json::from_str(&text).expect("costs.json is an object");
    for (name, expected) in &expected {
        assert_eq!(found.get(name), Some(expected), "{name}: other calls or units than costs.json says");
    }
    assert_eq!(found.len(), expected.len(), "costs.json has other runs");
}

/// The figures of the last whole run.
fn measured() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/measured.json");
    let text = fs::read_to_string(file).expect("the figures of a run");
    serde_json::from_str(&text).expect("figures are JSON")
}

/// `infra/README.md` tells the size of each function in megabytes: a row of names, a rule, and a row of sizes.
#[test]
fn the_page_on_deploying_has_the_sizes_as_measured() {
    let page = fs::read_to_string(holdpoint_tests::repository().join("infra/README.md")).expect("the page");
    let rows: Vec<&str> = page.lines().skip_while(|line| !line.starts_with("| `tick` | `poll` |")).take(3).collect();
    let [names, _, sizes] = rows[..] else { panic!("infra/README.md: expected a table of sizes, found {rows:?}") };
    let measured = measured();
    let megabytes = |name: &str| {
        let mut figures = measured["figures"].as_array().expect("a list of figures").iter();
        let size = figures.find(|figure| figure["figure"] == "binary, stripped" && figure["of"] == name);
        let bytes = size.and_then(|size| size["ours"].as_f64()).unwrap_or_else(|| panic!("{name} was not measured"));
        format!("{:.1}", bytes / 1_000_000.0)
    };
    let found: Vec<String> = names.split('`').skip(1).step_by(2).map(megabytes).collect();
    let found = format!("| {} |", found.join(" | "));
    assert_eq!(sizes, found, "infra/README.md says other sizes than tests/bench/measured.json");
}

#[test]
fn the_readme_has_the_figures_as_measured() {
    let file = holdpoint_tests::repository().join("README.md");
    let readme = fs::read_to_string(&file).expect("the README");
    let measured = measured();
    let [begins, ends] = MARKS;
    let (before, rest) = readme.split_once(begins).expect("the README has a place for figures");
    let (stored, after) = rest.split_once(ends).expect("the README's figures have an end");
    let found = table::of_the_readme(&measured);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&file, format!("{before}{begins}{found}{ends}{after}")).expect("the README can be written");
    } else {
        assert_eq!(stored, found, "the README says other figures than tests/bench/measured.json");
    }
}
