//! `events/schemas/native`: the part of each native shape that is read. A source team holds a payload against the schema
//! before anything is sent, so a schema may neither refuse what a reader takes, nor ask for what no reader looks at.

mod common;

use std::{collections::BTreeSet, fs};

use common::{bindings, natives, said};
use serde_json::Value;
use sources::Format;

fn folder() -> String {
    format!("{}/../../events/schemas/native", env!("CARGO_MANIFEST_DIR"))
}

fn schema(format: &str) -> Value {
    let path = format!("{}/{format}.json", folder());
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_json_format_has_a_schema() {
    let files = fs::read_dir(folder()).expect("a folder").map(|entry| entry.expect("a file").file_name());
    let named: BTreeSet<String> =
        files.filter_map(|name| Some(name.to_str()?.strip_suffix(".json")?.to_owned())).collect();
    let known = Format::ALL.into_iter().filter(|format| format.is_json());
    assert_eq!(named, known.map(|format| format.word().to_owned()).collect());
}

/// The places of members that a schema asks for, where the payload has them: through the first alternative that fits.
fn required(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(alternatives) = schema["anyOf"].as_array() {
        let fits = |one: &&Value| jsonschema::validator_for(one).is_ok_and(|validator| validator.is_valid(value));
        if let Some(one) = alternatives.iter().find(fits) {
            required(one, value, at, found);
        }
        return;
    }
    let named = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    found.extend(named.map(|name| format!("{at}/{name}")));
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(member) = value.get(name) {
            required(inner, member, &format!("{at}/{name}"), found);
        }
    }
    if let (Some(items), Some(first)) = (schema.get("items"), value.get(0)) {
        required(items, first, &format!("{at}/0"), found);
    }
}

#[test]
fn schemas_and_readers_agree_on_the_samples() {
    let bindings = bindings(|_| ());
    let (mut judged, mut asked) = (0, 0);
    for (name, payload) in natives() {
        let Some(format) = payload["format"].as_str().filter(|word| Format::of(word).is_some_and(Format::is_json))
        else {
            continue;
        };
        let schema = schema(format);
        let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{format}: {error}"));
        let body = &payload["body"];
        let against: Vec<String> = validator.iter_errors(body).map(|error| error.to_string()).collect();
        assert!(against.is_empty(), "{name}: the reader takes it, the schema does not: {against:?}");
        judged += 1;
        let mut places = Vec::new();
        required(&schema, body, "", &mut places);
        let whole = said(&payload, &bindings);
        for place in places {
            let mut without = payload.clone();
            let (parent, member) = place.rsplit_once('/').expect("a pointer");
            let parent = without.pointer_mut(&format!("/body{parent}")).and_then(Value::as_object_mut);
            parent.unwrap_or_else(|| panic!("{name}: nothing over {place}")).remove(member);
            assert_ne!(
                said(&without, &bindings),
                whole,
                "{name}: the schema asks for {place}, and no reader looks at it"
            );
            asked += 1;
        }
    }
    assert!(judged >= 25 && asked >= 100, "{judged} judged, {asked} members asked for");
}
