//! `events/asyncapi.yaml`: the document of queues and doors, held against the readers. Every reference leads somewhere, every
//! example is what its schema and the reader take, and every event type and native format is on its channels.

mod common;

use std::{collections::BTreeSet, fs, path::PathBuf};

use common::bindings;
use serde_json::Value;
use sources::{Format, contract};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

fn document() -> Value {
    let text = fs::read_to_string(folder().join("asyncapi.yaml")).expect("the document");
    serde_saphyr::from_str(&text).expect("YAML")
}

/// What a reference leads to: a place in the document, a file beside it, or a place in such a file.
fn led_to(document: &Value, reference: &str) -> Value {
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    let whole = match file {
        "" => document.clone(),
        file => {
            let text = fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
        }
    };
    whole.pointer(pointer).unwrap_or_else(|| panic!("{reference}: nothing there")).clone()
}

/// Every reference in a value, wherever it stands.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|inner| references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

/// A value with what its references lead to in their place. A file is taken as it is: its own references are to itself, and
/// a schema is given the name that they need.
fn whole(document: &Value, value: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get("$ref").and_then(Value::as_str) {
            Some(reference) if reference.starts_with('#') => whole(document, &led_to(document, reference)),
            Some(reference) => {
                let mut file = led_to(document, reference);
                if file.get("$schema").is_some() {
                    file["$id"] = format!("urn:holdpoint:{}", reference.replace('/', ":")).into();
                }
                file
            }
            None => members.iter().map(|(name, inner)| (name.clone(), whole(document, inner))).collect(),
        },
        Value::Array(items) => items.iter().map(|inner| whole(document, inner)).collect(),
        other => other.clone(),
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 150, "{}", found.len());
    found.iter().for_each(|reference| drop(led_to(&document, reference)));
}

/// What AsyncAPI 3.0 asks of a document with these parts.
#[test]
fn the_document_has_the_form_of_asyncapi_3() {
    let document = document();
    assert_eq!(document["asyncapi"], "3.0.0");
    for name in ["title", "version"] {
        assert!(document["info"][name].is_string(), "info.{name}");
    }
    for (name, server) in members(&document["servers"]) {
        assert!(server["host"].is_string() && server["protocol"].is_string(), "server {name}");
    }
    for (name, channel) in members(&document["channels"]) {
        let address = channel["address"].as_str().unwrap_or_else(|| panic!("channel {name}: an address"));
        let named: BTreeSet<&str> =
            address.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect();
        let known: BTreeSet<&str> = members(&channel["parameters"]).map(|(name, _)| name.as_str()).collect();
        assert_eq!(named, known, "channel {name}: the parameters of its address");
        for server in channel["servers"].as_array().into_iter().flatten() {
            assert!(server["$ref"].as_str().is_some_and(|server| server.starts_with("#/servers/")), "channel {name}");
        }
        assert!(members(&channel["messages"]).next().is_some(), "channel {name}: messages");
        for (_, message) in members(&channel["messages"]) {
            let place = message["$ref"].as_str().unwrap_or_default();
            assert!(place.starts_with("#/components/messages/"), "channel {name}: {place}");
        }
    }
    for (name, operation) in members(&document["operations"]) {
        // What goes out is mail and pages: nothing private is told here.
        assert_eq!(operation["action"], "receive", "operation {name}");
        let channel = operation["channel"]["$ref"].as_str().unwrap_or_default();
        assert!(channel.starts_with("#/channels/"), "operation {name}: {channel}");
    }
    let answered: BTreeSet<&str> =
        members(&document["operations"]).filter_map(|(_, operation)| operation["channel"]["$ref"].as_str()).collect();
    assert_eq!(answered.len(), members(&document["channels"]).count(), "an operation a channel");
}

#[test]
fn every_event_type_and_every_format_is_on_its_channels() {
    let document = document();
    let on = |channel: &str| -> BTreeSet<String> {
        let messages = members(&document["channels"][channel]["messages"]);
        messages.map(|(_, message)| whole(&document, message)["name"].as_str().expect("a name").to_owned()).collect()
    };
    let formats: BTreeSet<String> = Format::ALL.into_iter().map(|format| format.word().to_owned()).collect();
    let all: BTreeSet<String> = contract::event_types().map(str::to_owned).chain(formats.clone()).collect();
    assert_eq!(on("sourceEvents"), all);
    assert_eq!(on("events"), all);
    assert_eq!(on("hooks"), formats);
}

#[test]
fn every_example_is_what_its_schema_and_the_reader_take() {
    let (document, bindings) = (document(), bindings(|_| ()));
    let mut judged = 0;
    for (name, message) in members(&document["components"]["messages"]) {
        let format = &message["payload"]["schemaFormat"];
        assert_eq!(format, "application/schema+json;version=draft-2020-12", "{name}");
        let schema = whole(&document, &message["payload"]["schema"]);
        let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        let examples = message["examples"].as_array().unwrap_or_else(|| panic!("{name}: examples"));
        assert!(!examples.is_empty(), "{name}");
        for example in examples {
            let payload = whole(&document, &example["payload"]);
            let against: Vec<String> = validator.iter_errors(&payload).map(|error| error.to_string()).collect();
            assert!(against.is_empty(), "{name}, {}: {against:?}", example["name"]);
            judged += 1;
            // What a hook gets is the body alone, which the channels of the queue have in its wrapper.
            if !name.starts_with("posted_") {
                let read = sources::read(&payload.to_string(), &bindings);
                assert!(read.is_ok(), "{name}, {}: {read:?}", example["name"]);
            }
        }
    }
    assert!(judged >= 80, "{judged} examples");
}
