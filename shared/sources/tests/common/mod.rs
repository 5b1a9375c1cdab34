//! What the tables of native payloads share: samples, one member of them replaced, and what comes of it on one line.
#![allow(dead_code, reason = "each test file compiles this module, and needs a part of it")]

use std::fs;

use refresh_core::facts::{
    event::{Event, Statement},
    fact::{Body, DelegateStatus},
    subject::Subject,
};
use serde_json::Value;
use sources::{policy, read};

pub fn sample(name: &str) -> Value {
    let path = format!("{}/../../events/ingest/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("a JSON sample")
}

/// The shipped policy's bindings, after a change of its `native` list.
pub fn bindings(changed: impl Fn(&mut Value)) -> sources::Bindings {
    let text = include_str!("../../../../infra/policy.json");
    let mut policy: Value = serde_json::from_str(text).expect("JSON");
    changed(&mut policy["native"]);
    policy::read_file(&policy.to_string()).unwrap_or_else(|faults| panic!("{faults:?}")).bindings
}

/// The shipped binding of a format.
pub fn of<'n>(native: &'n mut Value, format: &str) -> &'n mut Value {
    let list = native.as_array_mut().expect("a list");
    list.iter_mut().find(|binding| binding["format"] == format).unwrap_or_else(|| panic!("no binding of {format}"))
}

/// A member replaced by JSON, or taken out with `-`. `/` is the payload as it is. In a body that is text, `text~with`
/// replaces text.
pub fn replaced(mut payload: Value, pointer: &str, with: &str) -> Value {
    if pointer == "/" {
        return payload;
    }
    if let Some(place) = pointer.strip_prefix('~') {
        let (text, with) = with.split_once(" => ").unwrap_or_else(|| panic!("no replacement: {with}"));
        let spot = payload.pointer_mut(place).unwrap_or_else(|| panic!("nothing at {place}"));
        let body = spot.as_str().expect("text").to_owned();
        let text = text.replace("\\n", "\r\n");
        assert!(body.contains(&text), "{place} has no {text}: {body}");
        *spot = Value::from(body.replacen(&text, &with.replace("\\n", "\r\n"), 1));
        return payload;
    }
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let name = &name.replace("~1", "/");
    let parent = payload.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {pointer}"));
    match (parent.as_object_mut(), with) {
        (Some(members), "-") => drop(members.remove(name)),
        (Some(members), text) => {
            let value = serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"));
            members.insert(name.to_owned(), value);
        }
        (None, text) => {
            let items = parent.as_array_mut().unwrap_or_else(|| panic!("no list over {pointer}"));
            let value = serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"));
            match name.parse::<usize>() {
                Ok(index) => items[index] = value,
                Err(_) => items.push(value),
            }
        }
    }
    payload
}

pub fn short(event: &Event) -> String {
    let subject = match &event.subject {
        Subject::Change(change) => format!("{change}"),
        Subject::Evidence(change, checkpoint) => format!("{change} {checkpoint}"),
        Subject::Availability(person, ..) => person.as_str().split('@').next().unwrap_or_default().to_owned(),
        Subject::Delegation(service, role) => format!("{service} {role}"),
        Subject::Freeze(calendar) => format!("{calendar}"),
        other => format!("{other:?}"),
    };
    if let Statement::Reply(reply) = &event.statement {
        return format!("{subject} {} {}", reply.word.word(), reply.authentication.word());
    }
    let Statement::State { revision, body } = &event.statement else { return format!("{subject} no state") };
    let body = match body {
        Body::Evidence(evidence) => match evidence.ready_at {
            Some(at) => format!("{:?} {at}", evidence.status),
            None => format!("{:?}", evidence.status),
        },
        Body::Change(change) => match &change.in_force {
            Some(force) => {
                let owner = force.owner.as_ref().map_or("nobody", |owner| owner.as_str());
                format!("{:?} owner {owner} confirmed {}", change.state, force.owner_confirmed)
            }
            None => format!("{:?}", change.state),
        },
        Body::Availability(availability) => {
            let unknown = availability.unknown.iter().map(|one| one.length() / 60_000).sum::<i64>();
            format!("busy {} unknown {unknown} min", availability.busy.len())
        }
        Body::Delegation(mapping) => {
            let mut holder = mapping.holder.as_ref().map_or("nobody", |holder| holder.as_str()).to_owned();
            holder += &mapping.holder_valid_from.map_or(String::new(), |from| format!(" from {from}"));
            holder += &mapping.holder_valid_until.map_or(String::new(), |until| format!(" until {until}"));
            let delegates = mapping.delegates.as_ref().map(|list| {
                let approved = list.iter().filter(|one| one.status == DelegateStatus::Approved).count();
                format!("{approved} of {} approved", list.len())
            });
            format!("holder {holder}, {}", delegates.unwrap_or_else(|| "no list".to_owned()))
        }
        Body::Freeze(freezes) => {
            let protected = freezes.iter().filter(|freeze| freeze.protected).count();
            format!("{} freezes, {protected} protected", freezes.len())
        }
        other => format!("{other:?}"),
    };
    format!("{subject} r{revision} {body}")
}

/// Events, records that were refused, and what was skipped, on one line.
pub fn said(payload: &Value, bindings: &sources::Bindings) -> String {
    match read(&payload.to_string(), bindings) {
        Ok(reading) => {
            let events = reading.events.iter().map(short);
            let refused = reading.refused.iter().map(|record| format!("refused: {}", record.refused));
            let skipped = reading.skipped.iter().map(|why| format!("skipped: {why}"));
            events.chain(refused).chain(skipped).collect::<Vec<_>>().join("; ")
        }
        Err(refused) => refused.to_string(),
    }
}

/// Busy time, and unknown time behind a question mark, by the hours of UTC of one day.
pub fn told(payload: &Value) -> String {
    let reading = sources::read(&payload.to_string(), &bindings(|_| ())).unwrap_or_else(|refused| panic!("{refused}"));
    let short =
        |at: String| at.split_once('T').map_or(String::new(), |(day, time)| format!("{} {}", &day[8..], &time[..5]));
    let times = reading.events.iter().flat_map(|event| match event.body() {
        Some(Body::Availability(seen)) => {
            let busy = seen.busy.iter().map(|one| (one.start, one.end, ""));
            let unknown = seen.unknown.iter().map(|one| (one.start, one.end, "?"));
            busy.chain(unknown).collect::<Vec<_>>()
        }
        Some(Body::Freeze(freezes)) => freezes.iter().map(|one| (one.start, one.end, "")).collect(),
        _ => Vec::new(),
    });
    let times =
        times.map(|(start, end, mark)| format!("{}-{}{mark}", short(start.to_string()), short(end.to_string())));
    times.collect::<Vec<_>>().join(", ")
}

/// The parts that were skipped.
pub fn skipped(payload: &Value) -> Vec<String> {
    let reading = sources::read(&payload.to_string(), &bindings(|_| ())).unwrap_or_else(|refused| panic!("{refused}"));
    reading.skipped.iter().map(ToString::to_string).collect()
}

/// Rows of `sample | pointer | with | becomes`: every row that comes to something else, at once.
pub fn hold(tables: &[&str], bindings: &sources::Bindings) {
    let mut wrong = Vec::new();
    for row in tables.iter().flat_map(|table| table.lines()).filter(|row| !row.trim().is_empty()) {
        let mut columns = row.splitn(4, '|').map(str::trim);
        let mut column = || columns.next().unwrap_or_else(|| panic!("four columns: {row}"));
        let (name, pointer, with, expected) = (column(), column(), column(), column());
        let came = said(&replaced(sample(&format!("native_{name}")), pointer, with), bindings).replace('\n', "; ");
        if came != expected {
            wrong.push(format!("{name} | {pointer} | {with} | {came}\n  expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every native sample, by name.
pub fn natives() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/ingest");
    let files = fs::read_dir(folder).expect("samples").map(|entry| entry.expect("a file").path());
    let mut samples: Vec<(String, Value)> = files
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            let text = fs::read_to_string(&path).ok().filter(|_| name.starts_with("native_"))?;
            Some((name, serde_json::from_str(&text).expect("a JSON sample")))
        })
        .collect();
    samples.sort_by(|a, b| a.0.cmp(&b.0));
    samples
}
