//! Does each scenario come to what its text says? `tests/journeys` holds every byte of the stored outputs; here a few lines
//! a scenario say what a reader must find in them: who is told what kind of thing, about which version and slot, and what
//! was answered. Whoever regenerates an output learns here whether it still tells the same story.
//!
//! The second half reads the mails of every scenario as a calendar does that follows RFC 5546 and nothing else.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

mod calendars;
mod field;
mod fixture;
mod meeting;
mod story;

use std::{collections::BTreeMap, fs};

use holdpoint_tests::repository;
use serde_json::Value;

/// The stored output of one scenario, to be asked in words.
pub struct Case {
    records: Vec<Value>,
}

/// `events/scenarios/NAME.expected.jsonl`.
pub fn case(name: &str) -> Case {
    let path = repository().join(format!("events/scenarios/{name}.expected.jsonl"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let record = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}: {line}"));
    Case { records: text.lines().map(record).collect() }
}

/// `15:00-16:00`, or `none`.
fn hours(slot: &Value) -> String {
    match (clock(&slot["start"]), clock(&slot["end"])) {
        (Some(start), Some(end)) => format!("{start}-{end}"),
        _ => "none".to_owned(),
    }
}

/// The time of day of an instant: `09:02`, with seconds where there are any.
fn clock(at: &Value) -> Option<String> {
    let time = at.as_str()?.split('T').nth(1)?.trim_end_matches('Z');
    Some(time.strip_suffix(":00").unwrap_or(time).to_owned())
}

/// An address without its host.
fn name(person: &Value) -> String {
    person.as_str().unwrap_or("nobody").split('@').next().unwrap_or_default().to_owned()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or("none").to_owned()
}

impl Case {
    fn at<'a>(&'a self, time: &'a str, record: &'a str) -> impl Iterator<Item = &'a Value> {
        let fits = move |one: &&Value| one["record"] == record && clock(&one["at"]).as_deref() == Some(time);
        self.records.iter().filter(fits)
    }

    fn all<'a>(&'a self, record: &'a str) -> impl Iterator<Item = &'a Value> {
        self.records.iter().filter(move |one| one["record"] == record)
    }

    /// The decisions at that time, in order: `held: 7 15:00-16:00 [evidence], proposed 8 15:30-16:30`.
    pub fn decided(&self, time: &str) -> Vec<String> {
        self.at(time, "decision").map(decision).collect()
    }

    /// Who was mailed at that time, by kind: `adoption_request: rm-a`.
    pub fn told(&self, time: &str) -> Vec<String> {
        let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for notice in self.at(time, "notice") {
            kinds.entry(word(&notice["kind"])).or_default().push(name(&notice["to"]));
        }
        kinds.into_iter().map(|(kind, people)| format!("{kind}: {}", people.join(" "))).collect()
    }

    /// The times at which anybody was mailed.
    pub fn mailed_at(&self) -> Vec<String> {
        let mut times: Vec<String> = self.all("notice").filter_map(|notice| clock(&notice["at"])).collect();
        times.dedup();
        times
    }

    pub fn mails(&self) -> usize {
        self.all("notice").count()
    }

    /// What one person was told at that time, a field each: `slot: 15:00-16:00 > 15:30-16:30`.
    pub fn change(&self, time: &str, person: &str, field: &str) -> Vec<String> {
        let mails = self.at(time, "notice").filter(|notice| name(&notice["to"]) == person);
        let changes = mails.flat_map(|notice| notice["changes"].as_array().into_iter().flatten());
        let wanted = changes.filter(|change| change["field"] == field);
        wanted.map(|change| format!("{} > {}", shown(&change["was"]), shown(&change["now"]))).collect()
    }

    /// The fields of which one person was told at that time.
    pub fn fields(&self, time: &str, person: &str) -> Vec<String> {
        let mails = self.at(time, "notice").filter(|notice| name(&notice["to"]) == person);
        let changes = mails.flat_map(|notice| notice["changes"].as_array().into_iter().flatten());
        changes.map(|change| word(&change["field"])).collect()
    }

    /// The calendar objects that one person was sent at that time: `REQUEST hold 0 TENTATIVE`.
    pub fn calendar(&self, time: &str, person: &str) -> Vec<String> {
        let mails = self.at(time, "notice").filter(|notice| name(&notice["to"]) == person);
        let parts = mails.flat_map(|notice| notice["calendar"].as_array().into_iter().flatten());
        let part = |part: &Value| {
            let object = if word(&part["uid"]).contains("-hold@") { "hold" } else { "meeting" };
            format!("{} {object} {} {}", word(&part["method"]), part["sequence"], word(&part["status"]))
        };
        parts.map(part).collect()
    }

    /// What was answered, in order: `09:10 rm-a adopt: adopted`.
    pub fn answers(&self) -> Vec<String> {
        let answer = |one: &Value| {
            let at = clock(&one["at"]).unwrap_or_default();
            format!("{at} {} {}: {}", name(&one["by"]), word(&one["action"]), word(&one["result"]))
        };
        self.all("answer").map(answer).collect()
    }

    /// What became of an event: `applied`, or the reason why it was ignored.
    pub fn taken(&self, id: &str) -> Vec<String> {
        let event = |one: &Value| {
            if one["reason"].is_null() { word(&one["disposition"]) } else { word(&one["reason"]) }
        };
        self.all("trigger").filter(|one| one["id"] == id).map(event).collect()
    }

    /// How each review stands in the end, as a decision is written, and who still owes an answer.
    pub fn stands(&self) -> Vec<String> {
        let state = |one: &Value| {
            assert_eq!(one["lineage"]["verified"], true, "{}", one["review_id"]);
            let owing: Vec<String> = one["outstanding"].as_array().into_iter().flatten().map(name).collect();
            let owing = if owing.is_empty() { String::new() } else { format!("; waits for {}", owing.join(" ")) };
            format!("{}: {}{owing}", word(&one["review_id"]), packets(one))
        };
        self.all("state").map(state).collect()
    }

    /// Who fills a role in the newest packet that a decision at that time proposes.
    pub fn proposed(&self, time: &str, role: &str) -> Option<String> {
        let decision = self.at(time, "decision").last()?;
        Some(name(&decision["pending"]["attendees"][role]))
    }

    /// The rules of the open exceptions that were last decided at that time, each with its nearest slot.
    pub fn rules(&self, time: &str) -> Vec<String> {
        let decision = self.at(time, "decision").last();
        let exceptions = decision.and_then(|one| one["exceptions"].as_array()).into_iter().flatten();
        let reasons = exceptions.flat_map(|exception| exception["reasons"].as_array().into_iter().flatten());
        let rule = |reason: &Value| match &reason["missed_by_minutes"] {
            Value::Null => word(&reason["rule"]),
            missed => format!("{} {} {missed}", word(&reason["rule"]), hours(&reason["slot"])),
        };
        reasons.map(rule).collect()
    }
}

fn decision(one: &Value) -> String {
    let fate = one["proposal"].as_str().map_or(String::new(), |fate| format!(" ({fate})"));
    format!("{}{fate}: {}", word(&one["outcome"]), packets(one))
}

/// `7 15:00-16:00 [evidence], proposed 8 15:30-16:30, open: no_viable_slot`.
fn packets(one: &Value) -> String {
    let packet = &one["authoritative"];
    let mut text = format!("{} {}", packet["version"], hours(&packet["slot"]));
    let marks: Vec<String> = packet["violated"].as_array().into_iter().flatten().map(mark).collect();
    if !marks.is_empty() {
        text += &format!(" [{}]", marks.join(" "));
    }
    if !one["pending"].is_null() {
        let pending = &one["pending"];
        let what = if pending["cancelled"] == true { "the end".to_owned() } else { hours(&pending["slot"]) };
        text += &format!(", proposed {} {what}", pending["version"]);
    }
    let open: Vec<String> = one["exceptions"].as_array().into_iter().flatten().map(|one| word(&one["kind"])).collect();
    if !open.is_empty() {
        text += &format!(", open: {}", open.join(" "));
    }
    text
}

fn mark(mark: &Value) -> String {
    word(mark).split('@').next().unwrap_or_default().to_owned()
}

/// A field's value in short: a slot as its hours, an instant as its time, a person as their name.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Object(_) if value["start"].is_string() => hours(value),
        Value::String(text) if text.contains('@') => name(value),
        Value::String(_) => clock(value).unwrap_or_else(|| word(value)),
        Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
