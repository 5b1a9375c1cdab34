//! What an operator is told, here and of a deployment.

use serde_json::{Value, json};

use super::{Request, Stack, perform, send};
use crate::{
    connector::{Faults, InProcess},
    engine::{Settings, TABLE, virtual_time::VirtualTime},
    replay::{Player, Scenario},
};

const SCENARIO: &str = include_str!("../../../../events/scenarios/evidence_slips_and_is_adopted.jsonl");
const POLICY: &str = include_str!("../../../../events/scenarios/evidence_slips_and_is_adopted.policy.json");

/// Played to its end, on queues that can be looked into.
async fn told() -> Player {
    let scenario = Scenario::parse(SCENARIO).unwrap();
    let time = VirtualTime::open(Settings::in_memory(POLICY), scenario.lines[0].at).await.unwrap();
    let mut player = Player::of(time);
    for line in &scenario.lines {
        player.until(line.at).await.unwrap();
        player.act(line).await.unwrap();
    }
    player
}

fn stack(player: &Player) -> Stack {
    let engine = player.time().engine();
    let (embedded, queues) = (engine.embedded().clone(), engine.queues().clone());
    let sdk = InProcess::new(embedded, queues, engine.mailbox().clone(), Faults::default()).sdk_config();
    let mut stack = Stack::of(&sdk, TABLE, String::new()).unwrap();
    stack.clock = engine.clock().clone();
    stack
}

fn without_now(mut value: Value) -> Value {
    value.as_object_mut().unwrap().remove("now");
    value
}

#[tokio::test]
async fn a_deployment_is_told_like_the_engine_here() {
    let player = told().await;
    let review = refresh_core::ReviewId::parse("RR-1042").unwrap();
    for request in [Request::Reviews, Request::Show(review.clone()), Request::Verify(None)] {
        let here = perform(player.time().engine(), request.clone()).await.unwrap();
        let there = stack(&player).perform(request).await.unwrap();
        assert_eq!(without_now(here), without_now(there));
    }
    let nobody = refresh_core::ReviewId::parse("RR-404").unwrap();
    assert_eq!(stack(&player).perform(Request::Show(nobody)).await.unwrap_err(), "RR-404: there is no such review");
}

#[tokio::test]
async fn a_changed_byte_of_the_lineage_is_named() {
    let player = told().await;
    let engine = player.time().engine();
    let key = json!({ "pk": { "S": "REVIEW#RR-1042" }, "sk": { "S": "LINEAGE#0000000002" } });
    engine.embedded().ask("DeleteItem", json!({ "TableName": TABLE, "Key": key })).await.unwrap();
    let answer = perform(engine, Request::Verify(None)).await.unwrap();
    let line = &answer["reviews"][0];
    assert_eq!((&line["verified"], &line["misfit"]["sequence"]), (&json!(false), &json!(2)), "{line}");
}

#[tokio::test]
async fn bad_events_are_refused_whole_with_every_fault() {
    let player = told().await;
    let good = json!({
        "specversion": "1.0", "id": "p1", "source": "//person.example.com", "type": "dev.holdpoint.person.updated.v1",
        "data": { "person": "a@example.com", "revision": 1, "name": "A", "time_zone": "UTC" },
    });
    let mut bad = good.clone();
    bad["data"]["time_zone"] = "Mars".into();
    bad["data"]["revision"] = (-1).into();
    let engine = player.time().engine();
    let refused = send(engine, vec![good.to_string(), bad.to_string()]).await.unwrap_err();
    assert!(refused.contains("event 2: $.data.time_zone") && refused.contains("event 2: $.data.revision"), "{refused}");
    assert!(engine.queues().look("source-events").unwrap().is_empty(), "nothing was sent");
}

/// The refused event of a source system, by way of the dead-letter queue: listed with its reason, sent again.
#[tokio::test]
async fn a_dead_letter_is_listed_with_its_reason_and_sent_again() {
    for deployed in [false, true] {
        let player = told().await;
        let engine = player.time().engine();
        engine
            .queues()
            .send("source-events", crate::queues::Outgoing { body: "{\"id\":7}".to_owned(), ..Default::default() })
            .await
            .unwrap();
        player.time().drain().await.unwrap();
        let request = async |request: Request| match deployed {
            true => stack(&player).perform(request).await.unwrap(),
            false => perform(engine, request).await.unwrap(),
        };
        let answer = request(Request::Redrive).await;
        let letters = answer["queues"]["source-events-dlq"].as_array().unwrap();
        assert_eq!((letters.len(), &answer["sent_again"]), (1, &json!(1)), "{answer}");
        assert!(letters[0]["why"].as_str().unwrap().contains("$.specversion"), "{}", letters[0]);
        let back = engine.queues().look("source-events").unwrap();
        assert_eq!(back.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["{\"id\":7}"]);
        assert!(engine.queues().look("source-events-dlq").unwrap().is_empty());
    }
}
