//! Every mail of every scenario, read as a calendar does that follows RFC 5546: in order, reversed, doubled, shuffled.

use std::{collections::BTreeMap, fs, path::PathBuf};

use holdpoint::{
    mailbox::Mail,
    replay::{Scenario, play},
};
use holdpoint_tests::{
    client::{Client, Entry, in_every_order, parts},
    expected::Expected,
    repository,
    world::{drive, with_room},
};
use serde_json::Value;

/// A review as it was handed over.
struct Issued {
    review: String,
    uid: Option<String>,
    optional: Vec<String>,
    entry: Entry,
    people: Vec<String>,
}

fn scenarios() -> Vec<PathBuf> {
    let folder = repository().join("events/scenarios");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let path = |entry: std::io::Result<fs::DirEntry>| entry.expect("a readable folder").path();
    let mut found: Vec<PathBuf> = entries.map(path).collect();
    found.retain(|path| {
        let name = path.to_string_lossy();
        name.ends_with(".jsonl") && !name.ends_with(".expected.jsonl")
    });
    found.sort();
    found
}

/// The first issue of each review that was taken; a later one never moves it. A UID that another review had before is not
/// followed for the second: what stands in a calendar under it is the first one's.
fn issued(scenario: &str, records: &[Value]) -> Vec<Issued> {
    let taken = |event: &Value| {
        let one = |record: &&Value| record["id"] == event["id"] && record["source"] == event["source"];
        records.iter().find(one).is_some_and(|record| record["disposition"] == "applied")
    };
    let mut found: Vec<Issued> = Vec::new();
    for line in scenario.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let (event, data) = (&line["send"], &line["send"]["data"]);
        let review = data["review_id"].as_str().unwrap_or_default().to_owned();
        if event["type"] != "dev.holdpoint.review.issued.v1"
            || found.iter().any(|one| one.review == review)
            || !taken(event)
        {
            continue;
        }
        let address = |who: &Value| who.as_str().unwrap_or_default().to_lowercase();
        let list = |all: &Value| all.as_array().cloned().unwrap_or_default();
        let optional: Vec<String> = list(&data["optional"]).iter().map(address).collect();
        let seated = list(&data["roles"]);
        let uid = data["meeting"]["uid"].as_str().map(str::to_owned);
        found.push(Issued {
            people: seated.iter().map(|seat| address(&seat["attendee"])).chain(optional.iter().cloned()).collect(),
            uid: uid.filter(|uid| !found.iter().any(|one| one.uid.as_ref() == Some(uid))),
            entry: Entry::issued(data),
            optional,
            review,
        });
    }
    found
}

/// Whoever was ever mailed or issued, with the calendar they start with.
fn calendars(issued: &[Issued], mails: &[Mail]) -> BTreeMap<String, Client> {
    let people = issued.iter().flat_map(|one| one.people.clone()).chain(mails.iter().flat_map(|mail| mail.to.clone()));
    let mut calendars: BTreeMap<String, Client> = people.map(|one| (one.clone(), Client::of(&one))).collect();
    for one in issued {
        for person in &one.people {
            if let (Some(uid), Some(calendar)) = (&one.uid, calendars.get_mut(person)) {
                calendar.seed(uid, one.entry.clone());
            }
        }
    }
    calendars
}

/// Everything that is wrong with the calendars of one scenario.
fn faults(path: &PathBuf) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a scenario");
    let policy = fs::read_to_string(path.with_extension("policy.json")).expect("its policy");
    let scenario = Scenario::parse(&text).expect("a scenario");
    let played =
        with_room(|| drive(play(&scenario, &policy))).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let records: Vec<Value> = played.records.iter().map(|one| serde_json::to_value(one).expect("JSON")).collect();
    let issued = issued(&text, &records);
    let mut faults: Vec<String> = played.mails.iter().filter_map(two_objects).collect();
    let mut read = BTreeMap::new();
    for (person, calendar) in calendars(&issued, &played.mails) {
        let mails = played.mails.iter().filter(|mail| mail.to.contains(&person));
        match in_every_order(&calendar, &mails.map(|mail| &mail.raw[..]).collect::<Vec<_>>(), &[]) {
            Ok(calendar) => drop(read.insert(person, calendar)),
            Err(why) => faults.push(format!("mails to {person}: {why}")),
        }
    }
    for one in &issued {
        faults.extend(of_review(one, &records, &read));
    }
    faults
}

/// Clients look at the first calendar part alone: whatever else a mail carries must be the same object.
fn two_objects(mail: &Mail) -> Option<String> {
    let parts = parts(&mail.raw).unwrap_or_default();
    let differ = parts.windows(2).any(|pair| pair[0].1 != pair[1].1);
    differ.then(|| format!("mail {} to {:?} carries two calendar objects", mail.number, mail.to))
}

fn of_review(issued: &Issued, records: &[Value], calendars: &BTreeMap<String, Client>) -> Vec<String> {
    let state = |one: &&Value| one["record"] == "state" && one["review_id"] == issued.review.as_str();
    let Some(state) = records.iter().find(state) else { return Vec::new() };
    let optional: Vec<&str> = issued.optional.iter().map(String::as_str).collect();
    let expected = Expected::of(records, state, &optional, issued.uid.as_deref());
    let mut faults = Vec::new();
    for (person, calendar) in calendars {
        // Whom no mail reaches is told nothing, and their calendar neither.
        if state["exceptions"].to_string().contains(&format!("\"person\":\"{person}\"")) && unreachable(state) {
            continue;
        }
        faults.extend(expected.misses(person, calendar));
        let entry = calendar.shown().find(|(uid, _)| Some(*uid) == issued.uid.as_deref());
        faults.extend(
            entry
                .and_then(|(_, entry)| issued.entry.texts.lost(&entry.texts))
                .map(|what| format!("{} in the calendar of {person}: {what}", issued.review)),
        );
    }
    faults
}

fn unreachable(state: &Value) -> bool {
    state["exceptions"].as_array().into_iter().flatten().any(|exception| exception["kind"] == "unreachable")
}

#[test]
fn a_calendar_that_follows_the_mails_shows_what_counts() {
    let found: BTreeMap<String, Vec<String>> = scenarios()
        .iter()
        .map(|path| (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), faults(path)))
        .filter(|(_, faults)| !faults.is_empty())
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}
