//! What wakes the schedule: the soonest instant of the index of due things, read without the index as a whole.

use lambda_shell::clock::Clock;
use refresh_core::Instant;
use serde_json::json;

use super::{Engine, Settings};
use crate::embedded::TABLE;

const POLICY: &str = include_str!("../../../../events/scenarios/story.policy.json");
const ITEMS: i64 = 120;

/// Beside the whole index, for every instant at which the schedule may have been answered.
#[tokio::test]
async fn the_soonest_due_is_found_in_whichever_shard_it_is() {
    let engine = Engine::open(Settings::in_memory(POLICY), Clock::system()).await.unwrap();
    assert_eq!(engine.next_due(None).await, Ok(None), "nothing is due in an empty store");
    for number in 0..ITEMS {
        // Several of them at one instant, and each shard's soonest somewhere else.
        let (shard, at) = (number * 7 % i64::from(packet_store::SHARDS), number * 37 % 50 * 1_000);
        let item = json!({
            "pk": { "S": format!("REVIEW#{number}") }, "sk": { "S": "HEAD" },
            "due_shard": { "S": shard.to_string() }, "due_at": { "N": at.to_string() },
        });
        engine.embedded().ask("PutItem", json!({ "TableName": TABLE, "Item": item })).await.unwrap();
    }
    let all = engine.due(Instant::from_millis(i64::MAX)).await.unwrap();
    assert_eq!(all.len(), usize::try_from(ITEMS).unwrap());
    for after in [None, Some(-1), Some(0), Some(999), Some(1_000), Some(48_999), Some(49_000), Some(i64::MAX)] {
        let after = after.map(Instant::from_millis);
        let expected = all.iter().map(|(at, _)| *at).find(|at| after.is_none_or(|after| *at > after));
        assert_eq!(engine.next_due(after).await, Ok(expected), "after {after:?}");
    }
}
