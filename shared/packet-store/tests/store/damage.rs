//! Every item is checked on reading: no byte of any attribute can change unnoticed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use packet_store::{Acceptance, Beside, Several, Store, StoreError};
use refresh_core::{facts::authority::Disposition, record::delivery::DeliveryStatus};
use serde_json::{Value, json};

use crate::support::{
    engine::Engine,
    samples::{after, calendar, claim, event, fingerprint, identity, issued, now, person, report, review, settled},
};

/// One of each item, in a table of its own.
async fn table() -> Engine {
    let engine = Engine::new();
    let store = engine.store();
    let fact = calendar("ada", 1, 200);
    let event = event("e1", &fact);
    let acceptance = Acceptance {
        event: &event,
        disposition: Disposition::Applied,
        fact: Some(&fact),
        replaces: None,
        beside: Beside::default(),
        at: now(),
    };
    store.accept(&acceptance).await.unwrap();
    store.register(&review(), &[fact.subject.clone()].into()).await.unwrap();
    store.register_link(fingerprint(7), &review()).await.unwrap();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    store.claim(&review(), &person("ada"), &claim("a", "2026-11-03T09:10:00Z"), now()).await.unwrap();
    let mut second = after(&first.head, &["e2"]);
    second.told = vec![settled("ada", "a")];
    store.commit(&second).await.unwrap();
    store.claim(&review(), &person("ada"), &claim("b", "2026-11-03T09:10:00Z"), now()).await.unwrap();
    assert!(
        store.report(&review(), &report("ada", "m1", "2026-11-03T09:01:00Z", DeliveryStatus::Bounced)).await.unwrap()
    );
    engine
}

/// Reads the item of that key the way a function does; CAUSE is only ever looked for, so its content cannot mislead.
async fn read(store: &Store, item: &Value) -> Option<Result<(), StoreError>> {
    let (pk, sk) = (item["pk"]["S"].as_str().unwrap(), item["sk"]["S"].as_str().unwrap());
    let fact = calendar("ada", 1, 200);
    // That there is one is all that it says.
    if sk == "ANY" {
        return None;
    }
    if let Some(seated) = pk.strip_prefix("FACT#seat#") {
        let seated = refresh_core::Person::parse(seated).unwrap();
        return Some(store.person_seats(&seated).await.map(drop));
    }
    Some(match sk.split('#').next().unwrap() {
        "HEAD" => store.head(&review()).await.map(drop),
        "VERSION" => store.version(&review(), 7).await.map(drop),
        "LINEAGE" => store.lineage(&review(), 1).await.map(drop),
        "TOLD" => store.told(&review()).await.map(drop),
        "SUBJECTS" => store.subjects(&review()).await.map(drop),
        "FACT" => store.fact(&fact.subject).await.map(drop),
        "EVENT" => store.event(&identity("e1")).await.map(drop),
        "REVIEW" if pk.starts_with("SUBJECT#link") => store.find_link(fingerprint(7)).await.map(drop),
        "REVIEW" => store.dependents(&fact.subject).await.and_then(Several::whole).map(drop),
        "CAUSE" => return None,
        other => panic!("an item without a test: {other}"),
    })
}

/// The attribute with one byte flipped, for some bytes all over it.
fn flips(value: &Value) -> Vec<Value> {
    let (kind, text) = value.as_object().and_then(|typed| typed.iter().next()).expect("a typed value");
    let text = text.as_str().expect("S, N or B");
    let spots = |length: usize| (0..length).step_by((length / 24).max(1)).collect::<Vec<_>>();
    match kind.as_str() {
        "B" => {
            let bytes = STANDARD.decode(text).unwrap();
            spots(bytes.len())
                .into_iter()
                .map(|spot| {
                    let mut flipped = bytes.clone();
                    flipped[spot] ^= 1;
                    json!({ "B": STANDARD.encode(flipped) })
                })
                .collect()
        }
        "N" => vec![json!({ "N": (text.parse::<i64>().unwrap() ^ 1).to_string() }), json!({ "S": text })],
        _ => spots(text.len())
            .into_iter()
            .filter_map(|spot| {
                let mut flipped = text.as_bytes().to_vec();
                flipped[spot] ^= 1;
                String::from_utf8(flipped).ok().map(|flipped| json!({ "S": flipped }))
            })
            .collect(),
    }
}

#[tokio::test]
async fn a_flipped_byte_of_any_attribute_is_an_error_that_names_the_item() {
    let engine = table().await;
    let mut tried = 0;
    for item in engine.items() {
        let name = format!("{} / {}", item["pk"]["S"].as_str().unwrap(), item["sk"]["S"].as_str().unwrap());
        match read(&engine.store(), &item).await {
            None => continue,
            Some(before) => before.unwrap_or_else(|error| panic!("{name} reads as written: {error}")),
        }
        for (attribute, value) in item.as_object().unwrap() {
            if attribute == "pk" || attribute == "sk" {
                continue;
            }
            let mut broken: Vec<Value> = flips(value);
            broken.push(Value::Null);
            for flipped in broken {
                let mut damaged = item.clone();
                if flipped.is_null() {
                    damaged.as_object_mut().unwrap().remove(attribute);
                } else {
                    damaged[attribute] = flipped.clone();
                }
                // An index's own keys cannot even be stored with another type.
                if attribute.starts_with("due_") && flipped.get("N").is_some() != value.get("N").is_some() {
                    continue;
                }
                engine.put(&damaged);
                let found = read(&engine.store(), &item).await.unwrap();
                let error = found.expect_err(&format!("{name}: {attribute} as {flipped} went unnoticed"));
                assert!(error.to_string().contains(&name), "{name}: {attribute}: {error}");
                tried += 1;
            }
        }
        engine.put(&item);
    }
    // Nine kinds of item, five attributes and more each.
    assert!(tried > 400, "only {tried} ways were tried");
}

#[tokio::test]
async fn an_attribute_more_is_damage_too() {
    let engine = table().await;
    let mut head = engine.items().into_iter().find(|item| item["sk"]["S"] == "HEAD").unwrap();
    head["note"] = json!({ "S": "x" });
    engine.put(&head);
    let error = engine.store().head(&review()).await.unwrap_err();
    assert!(error.to_string().ends_with("HEAD is damaged: its digest does not fit its attributes"), "{error}");
}

#[tokio::test]
async fn an_item_under_another_key_does_not_pass_for_that_ones() {
    let engine = table().await;
    let head = engine.items().into_iter().find(|item| item["sk"]["S"] == "HEAD").unwrap();
    let mut moved = head.clone();
    moved["pk"]["S"] = "REVIEW#RR-2".into();
    engine.put(&moved);
    let other = refresh_core::ReviewId::parse("RR-2").unwrap();
    assert!(engine.store().head(&other).await.unwrap_err().is_damage());
}

#[tokio::test]
async fn a_newer_schema_waits_for_the_version_that_wrote_it() {
    let engine = table().await;
    for mut item in engine.items() {
        item["schema"] = json!({ "N": "4" });
        engine.put(&item);
        let Some(found) = read(&engine.store(), &item).await else { continue };
        let error = found.unwrap_err();
        assert!(error.is_retryable() && !error.is_damage(), "{error}");
        assert!(
            error.to_string().contains("has schema 4, newer than the 3 known here: deploy the version that wrote it")
        );
    }
}

#[tokio::test]
async fn an_older_schema_than_any_is_damage() {
    let engine = table().await;
    let mut head = engine.items().into_iter().find(|item| item["sk"]["S"] == "HEAD").unwrap();
    head["schema"] = json!({ "N": "0" });
    engine.put(&head);
    let error = engine.store().head(&review()).await.unwrap_err();
    assert!(error.is_damage() && error.to_string().ends_with("expected schema 1, found 0"), "{error}");
}
