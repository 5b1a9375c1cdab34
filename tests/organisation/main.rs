//! How does the product do in an organisation? Sixty people, twelve services, five weeks of reviews; evidence slips,
//! outages take people, calendars follow late, owners answer late or never. Played through the handlers of production on
//! the virtual clock; everything follows from one seed. `tests/README.md` has the figures.
//!
//! ```sh
//! cargo run -p holdpoint-tests --example organisation
//! ```
//!
//! The program plays five weeks and prints figures. The tests play one week and assert what must always hold.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]
// Figures are printed.
#![allow(clippy::print_stdout)]

mod calendars;
mod diary;
mod judge;
mod people;
mod plan;
mod play;

use holdpoint_tests::world::{drive, with_room};
use serde_json::{Value, json};

use plan::{Plan, Size};
use play::Played;

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

const SEED: u64 = 1;

pub(crate) fn instant(at: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at).expect("a time of this century");
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

pub(crate) fn millis(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis())
}

pub(crate) fn span(from: i64, to: i64) -> Value {
    json!({ "start": instant(from), "end": instant(to) })
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn played(size: Size) -> (Plan, Played) {
    let seed = setting("HOLDPOINT_SEED", SEED);
    with_room(|| {
        let plan = Plan::draw(seed, size);
        let played = drive(play::play(&plan, seed)).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        write_records(&played);
        (plan, played)
    })
}

/// Every figure as a line of JSON, and who is elsewhere when a review starts; then all figures as a table.
fn main() {
    let (plan, played) = played(Size::FIVE_WEEKS);
    let figures = judge::figures(&plan, &played);
    for (name, value) in &figures {
        println!("{}", json!({ "figure": name, "value": value }));
    }
    for start in &played.starts {
        for one in &start.elsewhere {
            println!("{}", json!({ "review": start.review, "elsewhere": one.person, "why": one.why }));
        }
    }
    println!("\n| figure | value |\n|---|---|");
    for (name, value) in &figures {
        println!("| {name} | {} |", in_a_cell(value));
    }
}

/// Whatever happens to whom: every mail is read by somebody for whom something changed, no two contradict each other, and
/// nobody is seated twice at one time without a mark that says so.
#[test]
fn a_week_of_it_keeps_what_is_promised() {
    let (plan, played) = played(Size::SLICE);
    let told = judge::told(&played.records, judge::QUIET);
    assert!(told.void.is_empty(), "mails that say nothing: {:#?}", told.void);
    assert!(told.contradictory.is_empty(), "mails that take back the one before: {:#?}", told.contradictory);
    assert!(told.discordant.is_empty(), "mails of one version with two slots: {:#?}", told.discordant);
    assert_eq!(judge::unmarked_twice(&played), [] as [String; 0]);
    assert_eq!(judge::overlooked(&played), [] as [String; 0]);
    let states: Vec<&Value> = played.records.iter().filter(|record| record["record"] == "state").collect();
    assert_eq!(states.len(), plan.reviews.len(), "a review that was never issued");
    assert!(states.iter().all(|state| state["lineage"]["verified"] == true));
    for outcome in ["held", "adopted"] {
        assert!(
            played.records.iter().any(|record| record["outcome"] == outcome),
            "a week in which nothing was {outcome}"
        );
    }
}

#[test]
fn every_calendar_follows() {
    let (plan, played) = played(Size::SLICE);
    assert_eq!(played.unreadable, [] as [String; 0]);
    assert_eq!(calendars::wrong(&plan, &played), [] as [String; 0]);
}

/// With `HOLDPOINT_RECORDS=FILE` every record is kept, for whoever asks where a figure comes from.
fn write_records(played: &Played) {
    if let Some(file) = std::env::var_os("HOLDPOINT_RECORDS") {
        let lines: Vec<String> = played.records.iter().map(Value::to_string).collect();
        std::fs::write(&file, lines.join("\n") + "\n").expect("a file to write to");
    }
}

fn in_a_cell(value: &Value) -> String {
    match value {
        Value::Object(members) if members.contains_key("percent") => {
            format!("{} % ({} of {})", value["percent"], value["count"], value["of"])
        }
        Value::Object(members) if members.contains_key("median") => {
            format!("{} / {} / {}", value["median"], value["p90"], value["max"])
        }
        Value::Object(members) => {
            members.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
