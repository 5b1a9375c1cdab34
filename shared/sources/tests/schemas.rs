//! `events/schemas` held against the readers. A source team validates with a schema what ingest will judge, so neither
//! may say what the other contradicts:
//!
//! - whatever a reader takes, its schema takes;
//! - whatever a reader refuses, its schema refuses too, unless no schema can say why ([`BEYOND`]).

use std::{collections::BTreeMap, fs, path::PathBuf};

use jsonschema::Validator;
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use sources::{Bindings, Fault, contract, policy};

/// How the expectations begin that JSON Schema has no words for: order between two members, uniqueness by one member,
/// the calendar, bytes instead of characters, lists of names kept elsewhere.
const BEYOND: [&str; 30] = [
    "a last reminder after at least half of the deadline",
    "an RFC 3339 instant",
    "an instant between the years",
    "an instant after `",
    "a time of day after `",
    "an instant within ",
    "each role once",
    "each delegate once",
    "each freeze id once",
    "each source once a kind",
    "at most 100 people",
    "an IANA time zone",
    "a string of 1 to 400 bytes",
    "Base64 of ",
    "nothing, since the event has `data`",
    "a JSON media type",
    "a change id (or a pattern that ends in a star",
    "one system for a source, change and checkpoint",
    "bindings of one workflow",
    "one binding that speaks of",
    "each role of a service once",
    "the person of ",
    "`*`: the star stands for several",
    "a source that `sources` registers for",
    "one binding of this format",
    "owner/name",
    "a subject like ",
    "a quiet period shorter than",
    "reminders more frequent than",
    "one direction, since",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read_json(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).unwrap_or_else(|error| panic!("{error}"))
}

/// The schema of every event type, by the type's name.
fn event_schemas() -> BTreeMap<String, Validator> {
    let files = fs::read_dir(root().join("events/schemas")).expect("the schemas are in the tree");
    let names = files.map(|file| file.expect("a readable folder").file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name.starts_with("dev.holdpoint."))
        .map(|name| {
            let schema = read_json(&format!("events/schemas/{name}"));
            let of = schema["properties"]["type"]["const"].as_str().expect("the type it is of").to_owned();
            assert_eq!(name, format!("{of}.json"), "a schema is named by its type");
            (of, validator(&schema))
        })
        .collect()
}

/// Samples of the contract's own events, good and bad, without envelopes around them.
fn samples() -> Vec<(String, Value)> {
    let files = fs::read_dir(root().join("events/ingest")).expect("the samples are in the tree");
    let mut samples: Vec<(String, Value)> = files
        .map(|file| file.expect("a readable folder").path())
        .filter_map(|path| {
            let value: Value = serde_json::from_str(&fs::read_to_string(&path).ok()?).ok()?;
            let ours = value.get("type")?.as_str()?.starts_with("dev.holdpoint.");
            ours.then(|| (path.file_stem().expect("a name").to_string_lossy().into_owned(), value))
        })
        .collect();
    samples.sort_by(|a, b| a.0.cmp(&b.0));
    samples
}

fn event_faults(event: &Value) -> Vec<Fault> {
    sources::read(&event.to_string(), &Bindings::default()).err().map(|refused| refused.faults).unwrap_or_default()
}

fn policy_faults(policy: &Value) -> Vec<Fault> {
    policy::read_file(&policy.to_string()).err().unwrap_or_default()
}

/// `Err` says how schema and reader contradict each other.
fn agree(schema: &Validator, value: &Value, faults: &[Fault]) -> Result<(), String> {
    let against: Vec<String> =
        schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    // What is packed in Base64 is described by `contentSchema`, which validators do not judge.
    let beyond = |fault: &&Fault| {
        fault.path.starts_with("$.data_base64") || BEYOND.iter().any(|words| fault.expected.starts_with(words))
    };
    let plain = faults.iter().find(|fault| !beyond(fault));
    match (faults.is_empty(), against.is_empty(), plain) {
        (true, false, _) => Err(format!("the reader takes it, the schema does not: {against:?}")),
        (false, true, Some(fault)) => Err(format!("the schema takes it, the reader does not: {fault}")),
        _ => Ok(()),
    }
}

#[test]
fn there_is_a_schema_for_every_event_type() {
    let named: Vec<String> = event_schemas().into_keys().collect();
    let mut known: Vec<&str> = contract::event_types().collect();
    known.sort_unstable();
    assert_eq!(named, known);
}

#[test]
fn every_sample_is_judged_alike() {
    let schemas = event_schemas();
    let mut judged = 0;
    for (name, sample) in samples() {
        let Some(schema) = sample["type"].as_str().and_then(|of| schemas.get(of)) else { continue };
        agree(schema, &sample, &event_faults(&sample)).unwrap_or_else(|why| panic!("{name}: {why}"));
        judged += 1;
    }
    assert!(judged >= 20, "{judged} samples were judged");
}

#[test]
fn the_shipped_policies_are_judged_alike() {
    let schema = validator(&read_json("events/schemas/policy.json"));
    let mut policies = vec!["infra/policy.json".to_owned()];
    let scenarios = fs::read_dir(root().join("events/scenarios")).expect("the scenarios are in the tree");
    let names = scenarios.map(|file| file.expect("a readable folder").file_name().to_string_lossy().into_owned());
    policies.extend(names.filter(|name| name.ends_with(".policy.json")).map(|name| format!("events/scenarios/{name}")));
    for path in policies {
        let policy = read_json(&path);
        assert!(schema.is_valid(&policy) && policy_faults(&policy).is_empty(), "{path}");
    }
}

/// A policy and reviews override the same rules; neither schema may know one that the other does not.
#[test]
fn a_review_overrides_the_rules_that_a_policy_has() {
    let issued = read_json("events/schemas/dev.holdpoint.review.issued.v1.json");
    let policy = read_json("events/schemas/policy.json");
    assert_eq!(issued["$defs"]["rules"], policy["$defs"]["rules"]);
    let read = serde_json::to_value(policy::standard()).expect("rules as JSON");
    let known: Vec<&String> = read.as_object().expect("an object").keys().collect();
    let mut said: Vec<&String> = policy["$defs"]["rules"]["properties"].as_object().expect("rules").keys().collect();
    said.sort();
    assert_eq!(known, said);
}

/// Every place in a value, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    for (name, member) in inner {
        places(member, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
    }
}

/// One edit of a document.
#[derive(Clone, Debug)]
enum Edit {
    Replace(Value),
    Remove,
    Repeat(usize),
    Add(&'static str, Value),
}

fn apply(document: &mut Value, at: &Index, edit: &Edit) {
    let mut found = Vec::new();
    places(document, "", &mut found);
    let pointer = at.get(&found).clone();
    match edit {
        Edit::Replace(value) => *document.pointer_mut(&pointer).expect("a place") = value.clone(),
        Edit::Remove => {
            let Some((parent, name)) = pointer.rsplit_once('/') else { return };
            match document.pointer_mut(parent).expect("a parent") {
                Value::Object(members) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
                Value::Array(items) => drop(items.remove(name.parse().expect("an index"))),
                _ => {}
            }
        }
        Edit::Repeat(times) => {
            if let Some(Value::Array(items)) = document.pointer_mut(&pointer)
                && let Some(first) = items.first().cloned()
            {
                items.extend(std::iter::repeat_n(first, *times));
            }
        }
        Edit::Add(name, value) => {
            if let Some(Value::Object(members)) = document.pointer_mut(&pointer) {
                members.insert((*name).to_owned(), value.clone());
            }
        }
    }
}

/// Values at the limits of what members take, and beyond them.
fn value() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        " ",
        "a",
        "a ",
        " a",
        "a\u{a0}",
        "\u{feff}a",
        "a\nb",
        "a\u{7f}",
        ".",
        "..",
        "...",
        "a\u{200b}",
        "\u{202e}a",
        "a\u{e0001}",
        "a\u{f0000}b",
        "\u{e000}",
        "\u{1f680}\u{200d}\u{fe0f}",
        "=?u?q?a?=@example.com",
        "ready",
        "expected",
        "approved",
        "closed",
        "busy",
        "free",
        "a@example.com",
        "A@EXAMPLE.com",
        "a..b@example.com",
        "a@-example.com",
        "a@b",
        "@b",
        "ä@example.com",
        "a b@example.com",
        "2026-11-03T14:00:00Z",
        "2026-11-03t14:00:00+01:00",
        "2026-11-03 14:00:00.123456Z",
        "2026-11-03T14:00:00",
        "2026-11-03",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "2026-11-03T14:00:00\u{2212}01:00",
        "Europe/Berlin",
        "https://meet.example.com/j/1?pwd=a%20b",
        "a:<b>",
        "ada@example.com/calendar",
        "ada@example.com/calendar/work",
        "operator",
        "UTC",
        "08:00",
        "24:00",
        "8:00",
        "mon",
        "keep_time",
        "//ci.example.com/*",
        "a*b",
        "*",
        "1.0",
        "application/json",
        "text/plain",
        "testsuiterun",
        "pipelinerun",
        "cdevents",
        "example/identity",
        "protected",
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![
            Just(-1i64),
            Just(0),
            Just(1),
            Just(1_440),
            Just(1_441),
            Just(3_600),
            Just(3_601),
            Just(527_040),
            Just(527_041)
        ]
        .prop_map(Value::from),
        Just(json!(u64::MAX)),
        Just(json!(1.5)),
        proptest::sample::select(texts.to_vec()).prop_map(Value::from),
        prop_oneof![
            Just(100usize),
            Just(101),
            Just(200),
            Just(201),
            Just(255),
            Just(256),
            Just(400),
            Just(401),
            Just(500),
            Just(501),
            Just(1_001)
        ]
        .prop_map(|long| Value::from("x".repeat(long))),
        Just(json!([])),
        Just(json!({})),
        Just(json!(["a"])),
        Just(json!({"start": "2026-11-03T14:00:00Z", "end": "2026-11-03T13:00:00Z"})),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let members = [
        "uid",
        "sequence",
        "own",
        "calendar",
        "merged",
        "organizer",
        "location",
        "conference",
        "description",
        "alarm_minutes",
        "takes_over",
        "max_age_minutes",
        "sender",
        "valid_until",
        "ready_at",
        "quiet_seconds",
        "policy",
        "unheard_of",
        "churn",
        "states",
    ];
    prop_oneof![
        6 => value().prop_map(Edit::Replace),
        2 => Just(Edit::Remove),
        1 => prop_oneof![Just(1usize), Just(40), Just(120)].prop_map(Edit::Repeat),
        1 => (proptest::sample::select(members.to_vec()), value()).prop_map(|(name, value)| Edit::Add(name, value)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_edited_event_is_judged_alike(
        which in any::<Index>(),
        edits in proptest::collection::vec((any::<Index>(), edit()), 1..4),
    ) {
        thread_local! {
            static SCHEMAS: BTreeMap<String, Validator> = event_schemas();
            static SAMPLES: Vec<(String, Value)> = samples();
        }
        let mut event = SAMPLES.with(|samples| which.get(samples).1.clone());
        let of = event["type"].as_str().expect("a type").to_owned();
        for (at, edit) in &edits {
            apply(&mut event, at, edit);
        }
        // Another type has another schema, and none has none.
        if event["type"].as_str() != Some(of.as_str()) {
            return Ok(());
        }
        SCHEMAS.with(|schemas| match schemas.get(&of) {
            Some(schema) => agree(schema, &event, &event_faults(&event)).map_err(TestCaseError::fail),
            None => Ok(()),
        })?;
    }

    #[test]
    fn every_edited_policy_is_judged_alike(edits in proptest::collection::vec((any::<Index>(), edit()), 1..4)) {
        thread_local! {
            static SCHEMA: Validator = validator(&read_json("events/schemas/policy.json"));
            static SHIPPED: Value = read_json("infra/policy.json");
        }
        let mut policy = SHIPPED.with(Value::clone);
        for (at, edit) in &edits {
            apply(&mut policy, at, edit);
        }
        SCHEMA.with(|schema| agree(schema, &policy, &policy_faults(&policy)).map_err(TestCaseError::fail))?;
    }
}

/// `events/CONTRACT.md` is what a source team reads first.
#[test]
fn the_contract_page_names_every_type_and_default() {
    let page = fs::read_to_string(root().join("events/CONTRACT.md")).expect("the contract is in the tree");
    for of in contract::event_types() {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{of}` |"))).unwrap_or_else(|| panic!("{of}"));
        let schema = read_json(&format!("events/schemas/{of}.json"));
        let data = &schema["properties"]["data"]["anyOf"][0];
        let members = [&data["properties"], &data["then"]["properties"]].into_iter().filter_map(Value::as_object);
        for member in members.flat_map(|members| members.keys()) {
            let named = row.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| word == member);
            assert!(named, "the page's row of {of} does not name `{member}`");
        }
    }
    let defaults = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the defaults");
    let defaults: Value = serde_json::from_str(defaults).expect("the defaults as JSON");
    assert_eq!(defaults, serde_json::to_value(policy::standard()).expect("rules as JSON"));
    for format in sources::Format::ALL {
        assert!(page.contains(&format!("`{}`", format.word())), "the page does not name {}", format.word());
    }
}
