//! What an operator is told, here and of a deployment.

use serde_json::{Value, json};

use super::{EventsAsked, Request, ReviewsAsked, Stack, perform, published::fits, send::send};
use crate::{
    connector::{Faults, InProcess},
    embedded::TABLE,
    engine::{Settings, virtual_time::VirtualTime},
    replay::{Player, Scenario},
};

const SCENARIO: &str = include_str!("../../../../events/scenarios/evidence_slips_and_is_adopted.jsonl");
const POLICY: &str = include_str!("../../../../events/scenarios/evidence_slips_and_is_adopted.policy.json");

/// Played to its end, on queues that can be looked into.
async fn told() -> Player {
    played(SCENARIO, POLICY, "9").await
}

/// Played up to a time, as the scenario writes instants.
pub(super) async fn played(scenario: &str, policy: &str, before: &str) -> Player {
    let scenario = Scenario::parse(scenario).unwrap();
    let time = VirtualTime::open(Settings::in_memory(policy), scenario.lines[0].at).await.unwrap();
    let mut player = Player::of(time);
    for line in scenario.lines.iter().take_while(|line| line.at.to_string().as_str() < before) {
        player.until(line.at).await.unwrap();
        player.act(line).await.unwrap();
    }
    player
}

pub(super) fn stack(player: &Player) -> Stack {
    let engine = player.time().engine();
    let (embedded, queues) = (engine.embedded().clone(), engine.queues().clone());
    let sdk = InProcess::new(embedded, queues, engine.mailbox().clone(), Faults::default()).sdk_config();
    let mut stack = Stack::of(&sdk, TABLE, String::new()).unwrap();
    stack.clock = engine.clock().clone();
    stack
}

pub(super) fn without_now(mut value: Value) -> Value {
    value.as_object_mut().unwrap().remove("now");
    value
}

#[tokio::test]
async fn a_deployment_is_told_like_the_engine_here() {
    let player = told().await;
    let review = refresh_core::ReviewId::parse("RR-1042").unwrap();
    for request in [Request::Reviews(ReviewsAsked::default()), Request::Show(review.clone()), Request::Verify(None)] {
        let here = perform(player.time().engine(), request.clone()).await.unwrap();
        let there = stack(&player).perform(request).await.unwrap();
        assert_eq!(without_now(here), without_now(there));
    }
    let nobody = refresh_core::ReviewId::parse("RR-404").unwrap();
    assert_eq!(
        stack(&player).perform(Request::Show(nobody)).await.unwrap_err().why(),
        "RR-404: there is no such review; the nearest: RR-1042"
    );
}

/// A subject that gets nothing but stale revisions is where operators look, until a fact is let in.
#[tokio::test]
async fn a_silenced_subject_is_named_until_a_fact_is_let_in() {
    let scenario = include_str!("../../../../events/scenarios/a_revision_in_nanoseconds.jsonl");
    let policy = include_str!("../../../../events/scenarios/a_revision_in_nanoseconds.policy.json");
    for (before, silenced, reset) in [
        ("2026-11-03T09:05:00Z", 0, Value::Null),
        ("2026-11-03T09:06:00Z", 1, Value::Null),
        ("2026-11-03T09:11:00Z", 1, json!("ops@example.com")),
        ("2026-11-03T09:13:00Z", 0, Value::Null),
    ] {
        let player = played(scenario, policy, before).await;
        let engine = player.time().engine();
        let answer = perform(engine, Request::Reviews(ReviewsAsked::default())).await.unwrap();
        let found = answer["silenced"].as_array().unwrap();
        assert_eq!(found.len(), silenced, "{before}");
        let wrong = engine.wrong().await;
        assert_eq!(wrong.iter().any(|line| line.contains("stale revisions")), silenced > 0, "{before}: {wrong:?}");
        for line in found {
            assert_eq!(line["subject"], "CHG0030001/integration-tests");
            assert_eq!(line["reset"]["by"], reset, "{before}");
        }
        let words = crate::command::show::in_words(&Request::Reviews(ReviewsAsked::default()), &answer);
        assert_eq!(words.contains("SILENCED"), silenced > 0, "{words}");
        // A reset is no fact: the list of events says who let in what, and no number.
        let asked = Request::Events(EventsAsked { source: Some("//operator*".into()), ..EventsAsked::default() });
        let answer = perform(engine, asked.clone()).await.unwrap();
        fits("events", &answer);
        let words = crate::command::show::in_words(&asked, &answer);
        let said = "reset of evidence CHG0030001/integration-tests by ops@example.com: ";
        assert_eq!(words.contains(said), before >= "2026-11-03T09:11:00Z", "{before}: {words}");
        assert!(!words.contains("revision 0"), "{words}");
    }
}

/// `--after` names a place in the order of ids, whether or not a review has that id: nothing after it is no failure.
#[tokio::test]
async fn a_page_without_a_review_says_why() {
    let player = told().await;
    let after = || Some(refresh_core::ReviewId::parse("ZZZ").unwrap());
    for (asked, said) in [
        (ReviewsAsked { after: after(), ..ReviewsAsked::default() }, "no review comes after ZZZ\n"),
        (
            ReviewsAsked { after: after(), open: true, ..ReviewsAsked::default() },
            "no review with something open comes after ZZZ\n",
        ),
    ] {
        let request = Request::Reviews(asked);
        let answer = perform(player.time().engine(), request.clone()).await.unwrap();
        assert_eq!(crate::command::show::in_words(&request, &answer), said);
    }
}

/// A source's event is no event of SQS: whoever mixes the two up reads which command takes it.
#[tokio::test]
async fn what_a_function_is_not_invoked_with_is_said() {
    let player = told().await;
    let request = Request::Invoke { function: "ingest".to_owned(), event: json!({ "specversion": "1.0" }) };
    let refused = perform(player.time().engine(), request).await.unwrap_err();
    for said in ["expected an event of SQS, {\"Records\": [", "missing field `Records`", "`holdpoint send` takes"] {
        assert!(refused.why().contains(said), "{said}: {}", refused.why());
    }
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
    fits("verify", &answer);
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
    let refused = refused.why();
    assert!(refused.contains("event 2: $.data.time_zone") && refused.contains("event 2: $.data.revision"), "{refused}");
    assert!(engine.queues().look("source-events").unwrap().is_empty(), "nothing was sent");
    let asked = super::EventsAsked { disposition: Some("refused".to_owned()), ..super::EventsAsked::default() };
    let kept = perform(engine, Request::Events(asked)).await.unwrap();
    assert_eq!((kept["events"].as_array().unwrap().len(), &kept["events"][0]["door"]), (1, &json!("send")), "{kept}");
    assert_eq!(kept["events"][0]["id"], "p1");
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
        let answer = request(Request::Redrive(super::Redrive::default())).await;
        let letters = answer["queues"]["source-events-dlq"].as_array().unwrap();
        assert_eq!((letters.len(), &answer["sent_again"]), (1, &json!(1)), "{answer}");
        assert!(letters[0]["why"].as_str().unwrap().contains("$.specversion"), "{}", letters[0]);
        let back = engine.queues().look("source-events").unwrap();
        assert_eq!(back.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["{\"id\":7}"]);
        assert!(engine.queues().look("source-events-dlq").unwrap().is_empty());
    }
}

/// A list of dead letters fits its schema, and so does what says that they were sent again; here and of a deployment.
#[tokio::test]
async fn dead_letters_fit_their_schema_and_who_sent_them_again_is_kept() {
    let asked =
        super::Redrive { by: Some("duty@example.com".to_owned()), reason: Some("The disk is empty.".to_owned()) };
    for deployed in [false, true] {
        let player = told().await;
        let engine = player.time().engine();
        let outgoing = crate::queues::Outgoing { body: "{\"id\":7}".to_owned(), ..Default::default() };
        engine.queues().send("source-events", outgoing).await.unwrap();
        player.time().drain().await.unwrap();
        for request in [Request::DeadLetters, Request::Redrive(asked.clone())] {
            let answer = match deployed {
                true => stack(&player).perform(request).await.unwrap(),
                false => perform(engine, request).await.unwrap(),
            };
            fits("redrive", &answer);
            assert_eq!(answer["queues"]["source-events-dlq"].as_array().map(Vec::len), Some(1), "{answer}");
            assert_eq!(answer["not_shown"], json!({}), "{answer}");
        }
        let only = super::EventsAsked { disposition: Some("redriven".to_owned()), ..super::EventsAsked::default() };
        let kept = perform(engine, Request::Events(only)).await.unwrap();
        fits("events", &kept);
        let reasons = kept["events"][0]["reasons"].as_array().unwrap();
        assert_eq!(reasons[0], "by duty@example.com: The disk is empty.", "{kept}");
        assert!(reasons[1].as_str().unwrap().starts_with("it was dead in source-events-dlq, since: "), "{kept}");
    }
}

/// Of one review a FIFO queue shows ten letters at a time: that there are more is said, and a letter beyond is not called gone.
#[tokio::test]
async fn letters_that_a_fifo_queue_does_not_show_are_counted() {
    let player = told().await;
    let queues = player.time().engine().queues();
    let letter = |group: &str, number: usize| crate::queues::Outgoing {
        body: format!("letter {number}"),
        group: Some(group.to_owned()),
        deduplication: Some(format!("{group}-{number}")),
        ..Default::default()
    };
    for number in 0..13 {
        queues.send("refresh-dlq.fifo", letter("RR-1", number)).await.unwrap();
    }
    queues.send("refresh-dlq.fifo", letter("RR-2", 0)).await.unwrap();
    let beyond = queues.look("refresh-dlq.fifo").unwrap()[12].id.clone();
    let stack = stack(&player);
    // What was listed is given back, so each look finds the same.
    for _ in 0..2 {
        let listed = stack.perform(Request::DeadLetters).await.unwrap();
        fits("redrive", &listed);
        assert_eq!(listed["queues"]["refresh-dlq.fifo"].as_array().map(Vec::len), Some(11), "{listed}");
        assert_eq!(listed["not_shown"], json!({ "refresh-dlq.fifo": 3 }));
        let words = crate::command::show::in_words(&Request::DeadLetters, &listed);
        assert!(words.contains("3 more that the queue does not show"), "{words}");
        let stuck = stack.perform(Request::Stuck(super::StuckAsked::default())).await.unwrap();
        fits("stuck", &stuck);
        assert_eq!(stuck["dead_not_shown"]["refresh-dlq.fifo"], 3);
    }
    let by = refresh_core::Person::parse("duty@example.com").unwrap();
    let asked = super::Discard { letter: beyond, by, reason: "It is old.".to_owned() };
    let refused = stack.perform(Request::Discard(asked)).await.unwrap_err();
    assert!(refused.why().contains("refresh-dlq.fifo shows 10 at a time"), "{refused}");
    let sent = stack.perform(Request::Redrive(super::Redrive::default())).await.unwrap();
    assert_eq!(
        (&sent["sent_again"], sent["queues"]["refresh-dlq.fifo"].as_array().map(Vec::len)),
        (&json!(14), Some(14))
    );
    let left = stack.perform(Request::DeadLetters).await.unwrap();
    assert_eq!(
        (&left["not_shown"], left["queues"]["refresh-dlq.fifo"].as_array().map(Vec::len)),
        (&json!({}), Some(0))
    );
}
