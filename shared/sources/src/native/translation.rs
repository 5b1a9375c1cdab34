//! What a native payload came to, put together by its translator.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use refresh_core::{Source, base::name::shorten};
use serde_json::Value;

use crate::fault::{Fault, PayloadOrigin};

/// What a native payload came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Translation {
    /// Structured CloudEvents of the contract.
    pub events: Vec<Value>,
    /// Why parts of the payload became no event, or left time unknown, one line each.
    pub skipped: Vec<SkippedPart>,
    /// Records that are bad, where others of the same payload are good and taken.
    pub refused: Vec<RefusedPart>,
    /// Sources that should be asked before their next turn: the payload says that something changed, and not what.
    pub hints: Vec<Source>,
    /// Where the payload is from.
    pub origin: PayloadOrigin,
}

/// What an event is about: its type, its source, and the members that name its subject, with its revision.
const NAMES: [&str; 8] = ["change_id", "checkpoint", "person", "kind", "calendar", "service", "role", "revision"];

fn subject_of(event: &Value) -> String {
    let names = NAMES.map(|name| &event["data"][name]);
    format!("{} {} {names:?}", event["type"], event["source"])
}

impl Translation {
    /// One event for each subject and revision. Of two records that say the same, one; of two that differ neither counts, as
    /// nobody says which is the newer.
    pub fn say_once(&mut self) {
        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        // An answer by mail states nothing that a revision orders.
        let states = |event: &Value| event["data"]["revision"].is_u64();
        for event in self.events.iter().filter(|event| states(event)) {
            told.entry(subject_of(event)).or_default().insert(event["data"].to_string());
        }
        let mut seen = BTreeSet::new();
        let once = |event: &Value| told.get(&subject_of(event)).is_none_or(|data| data.len() == 1);
        let (once, differing): (Vec<Value>, Vec<Value>) = self.events.drain(..).partition(once);
        self.events = once.into_iter().filter(|event| !states(event) || seen.insert(subject_of(event))).collect();
        for event in differing.iter().filter(|event| seen.insert(subject_of(event))) {
            let name = NAMES.iter().find_map(|name| event["data"][name].as_str()).unwrap_or_default();
            let expected = "one record of a subject at one revision: of several that differ none counts";
            let fault = Fault::new(format!("$ ({})", shorten(name)), expected, "another record of the same revision");
            self.refused.push(RefusedPart { body: None, record: Some(name.to_owned()), faults: vec![fault] });
        }
    }
}

/// Why a part of a payload became no event, or left time unknown: names of things, never their content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SkippedPart {
    /// The reason, on one line.
    pub why: String,
    /// Whether the reason is that the policy binds nothing to the part; else the part says nothing that is a fact, or cannot be read.
    pub unbound: bool,
}

impl SkippedPart {
    /// A part that says nothing that is a fact.
    pub fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), unbound: false }
    }
}

impl fmt::Display for SkippedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// A bad record of a payload whose records stand each for itself.
#[derive(Clone, PartialEq, Debug)]
pub struct RefusedPart {
    /// The payload with this record alone. `None`: the record cannot be cut out; the whole payload stands for it.
    pub body: Option<Value>,
    /// What the system itself calls the record.
    pub record: Option<String>,
    /// Never empty.
    pub faults: Vec<Fault>,
}
