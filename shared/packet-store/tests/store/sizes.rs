//! What a decision costs: write units, as the engine bills them.

use packet_store::{Acceptance, Beside};
use refresh_core::facts::{
    authority::Disposition,
    fact::{Body, Busy, EntryOf},
};
use serde_json::Value;

use crate::support::{
    engine::Engine,
    samples::{calendar, event, issued, moved, now, review},
};

#[tokio::test]
async fn a_refresh_of_five_roles_is_within_its_write_units() {
    let engine = Engine::new();
    let store = engine.store();
    store.commit(&issued("e1")).await.unwrap();
    let found = store.review(&review()).await.unwrap().unwrap();
    let proposal = moved(&found);
    assert!(!proposal.versions.is_empty(), "it mints a version, the dearest case");
    engine.calls();

    // The very request of the commit, asked by hand for its price.
    let twin = Engine::new();
    twin.store().commit(&issued("e1")).await.unwrap();
    store.commit(&proposal).await.unwrap();
    let (_, mut request) = engine.calls().pop().unwrap();
    request["ReturnConsumedCapacity"] = "INDEXES".into();
    let billed = &twin.raw("TransactWriteItems", &request)["ConsumedCapacity"][0];

    let units = |value: &Value| value["CapacityUnits"].as_f64().unwrap();
    // HEAD, LINEAGE, VERSION and CAUSE, two units each: every one of them is within a kilobyte. So is the entry of each
    // person whose seat is another.
    let entries = proposal.seats.len() as f64;
    assert!(entries > 0.0, "it proposes somebody a seat");
    assert_eq!(units(&billed["Table"]), 8.0 + 2.0 * entries, "{billed}");
}

#[tokio::test]
async fn a_calendar_of_three_hundred_entries_is_within_a_kilobyte() {
    let mut busy = calendar("so", 2, 0);
    if let Body::Availability(availability) = &mut busy.body {
        let mut random = fastrand::Rng::with_seed(1);
        let mut minutes: Vec<i64> = (0..300).map(|_| random.i64(0..30 * 1_440)).collect();
        minutes.sort_unstable();
        let horizon = availability.horizon.start;
        let entry = |minute| {
            let start = horizon.plus_minutes(minute);
            Busy { start, end: start.plus_minutes(random.i64(10..=40)), own: EntryOf::Unsaid }
        };
        availability.busy = minutes.into_iter().map(entry).collect();
    }
    let engine = Engine::new();
    let acceptance = Acceptance {
        event: &event("e1", &busy),
        disposition: Disposition::Applied,
        fact: Some(&busy),
        replaces: None,
        beside: Beside::default(),
        at: now(),
    };
    engine.store().accept(&acceptance).await.unwrap();
    let twin = Engine::new();
    let (_, mut request) = engine.calls().pop().unwrap();
    request["ReturnConsumedCapacity"] = "INDEXES".into();
    let billed = &twin.raw("TransactWriteItems", &request)["ConsumedCapacity"][0];
    // EVENT and FACT, two units each.
    assert_eq!(billed["Table"]["CapacityUnits"].as_f64(), Some(4.0), "{billed}");
    assert_eq!(engine.store().fact(&busy.subject).await.unwrap(), Some(busy));
}
