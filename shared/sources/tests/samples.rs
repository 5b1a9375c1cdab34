//! Every sample in `events/ingest` goes through the door that production has. What comes of each is a reviewed file:
//! of a good one the events, of a bad one (`bad_...`) every fault.

use std::{collections::BTreeSet, fs, path::PathBuf};

use sources::{ReadBody, policy, read};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn samples() -> Vec<(String, String)> {
    let mut samples: Vec<(String, String)> = fs::read_dir(root().join("events/ingest"))
        .expect("the samples are in the tree")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a readable sample"))
        })
        .collect();
    samples.sort();
    samples
}

fn bindings() -> sources::Bindings {
    let text = fs::read_to_string(root().join("infra/policy.json")).expect("the deployment's policy is in the tree");
    policy::read_file(&text).expect("the deployment's policy is valid").bindings
}

fn told(reading: &ReadBody) -> String {
    let mut told = String::new();
    for event in &reading.events {
        told += &format!("{:#?}\n", event);
    }
    if let Some(report) = &reading.report {
        told += &format!("{report:#?}\n");
    }
    for why in &reading.skipped {
        told += &format!("skipped: {why}\n");
    }
    told
}

#[test]
fn every_sample_comes_to_what_was_reviewed() {
    let bindings = bindings();
    for (name, body) in samples() {
        match (name.starts_with("bad_"), read(&body, &bindings)) {
            (false, Ok(reading)) => insta::assert_snapshot!(name, told(&reading)),
            (true, Err(refused)) => {
                let identity = refused.identity.as_ref().map(|known| format!("{} {}", known.source, known.id));
                let known = format!("identity: {identity:?}\ntype: {:?}\n", refused.event_type);
                insta::assert_snapshot!(name, format!("{known}{refused}\n"));
            }
            (false, Err(refused)) => panic!("{name} is refused:\n{refused}"),
            (true, Ok(reading)) => panic!("{name} is taken:\n{}", told(&reading)),
        }
    }
}

#[test]
fn there_is_a_sample_for_every_event_type_and_native_format() {
    let bindings = bindings();
    let seen: BTreeSet<String> = samples()
        .iter()
        .filter_map(|(_, body)| read(body, &bindings).ok())
        .flat_map(|reading| reading.events)
        .map(|event| event.event_type)
        .collect();
    assert_eq!(seen.len(), 12, "{seen:?}");
    let formats: BTreeSet<&str> = sources::Format::ALL.iter().map(|format| format.word()).collect();
    let sampled: BTreeSet<String> = samples()
        .iter()
        .filter(|(name, _)| !name.starts_with("bad_"))
        .filter_map(|(_, body)| serde_json::from_str::<serde_json::Value>(body).ok())
        .filter_map(|value| value.get("format").and_then(|format| format.as_str()).map(str::to_owned))
        .collect();
    assert_eq!(formats, sampled.iter().map(String::as_str).collect());
}

/// A CloudEvent of the contract is the same event in an envelope or out of it.
#[test]
fn an_envelope_changes_nothing() {
    let sample = |name: &str| {
        let all = samples();
        let (_, body) = all.into_iter().find(|(known, _)| known == name).expect("a sample of that name");
        sources::parse(&body).expect("a good event")
    };
    let (sns, bus, both) =
        (sample("envelope_sns"), sample("envelope_eventbridge"), sample("envelope_eventbridge_in_sns"));
    assert_eq!(sns, bus);
    assert_eq!(bus, both);
    assert_eq!(sns.identity.id.as_str(), "evidence-4");
}

/// The same data under another id, or at another `time`, has the same digest; another known member another one.
#[test]
fn the_digest_covers_type_and_known_data_alone() {
    let event = |time: &str, extra: &str, ready: &str| {
        let body = format!(
            r#"{{"specversion":"1.0","id":"e","source":"//s","type":"dev.holdpoint.evidence.updated.v1","time":"{time}"{extra},
            "data":{{"change_id":"C","checkpoint":"k","revision":1,"status":"ready","ready_at":"{ready}"{extra}}}}}"#
        );
        sources::parse(&body).expect("a good event").digest
    };
    let first = event("2026-11-03T09:00:00Z", "", "2026-11-03T10:00:00Z");
    assert_eq!(first, event("2026-11-03T09:00:07Z", r#","extra":"x""#, "2026-11-03T11:00:00+01:00"));
    assert_ne!(first, event("2026-11-03T09:00:00Z", "", "2026-11-03T10:00:01Z"));
}

/// What the store writes of a fact is what it reads back.
#[test]
fn every_body_survives_its_canonical_form() {
    let bindings = bindings();
    for (name, body) in samples() {
        for event in read(&body, &bindings).map(|reading| reading.events).unwrap_or_default() {
            let Some(body) = event.body() else { continue };
            let bytes = refresh_core::base::digest::canonical(&(&event.subject, body));
            let back: (refresh_core::facts::subject::Subject, refresh_core::facts::fact::Body) =
                serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(back, (event.subject.clone(), body.clone()), "{name}");
        }
    }
}
