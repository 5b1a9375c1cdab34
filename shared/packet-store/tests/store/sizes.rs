//! What a decision costs: write units, as the engine bills them.

use serde_json::Value;

use crate::support::{
    engine::Engine,
    samples::{issued, moved, review},
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
