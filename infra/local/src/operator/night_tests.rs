//! What an operator on call asks, on stories played to the point where it matters: the same here and of a deployment, as
//! the published schemas say, and in words.

use refresh_core::{Person, ReviewId, record::commit::Cause};
use serde_json::{Value, json};

use super::{
    Request, ReviewsAsked, StuckAsked, perform,
    published::fits,
    tests::{played, stack, without_now},
};
use crate::{embedded::TABLE, queues::Outgoing, replay::Player};

macro_rules! story {
    ($name:literal) => {
        (
            include_str!(concat!("../../../../events/scenarios/", $name, ".jsonl")),
            include_str!(concat!("../../../../events/scenarios/", $name, ".policy.json")),
        )
    };
}

/// The story up to a time of its day.
async fn until((scenario, policy): (&str, &str), time: &str) -> Player {
    let mut player = played(scenario, policy, &format!("2026-11-03T{time}")).await;
    let at = refresh_core::Instant::parse(&format!("2026-11-03T{time}:00Z")).unwrap();
    player.until(at).await.unwrap();
    player
}

/// The answer here, held against its schema and against the answer of a deployment with the same store. `own`: members that
/// one machine alone knows.
async fn asked(player: &Player, schema: &str, request: Request, own: &[&str]) -> (Value, String) {
    let here = perform(player.time().engine(), request.clone()).await.unwrap();
    let there = stack(player).perform(request.clone()).await.unwrap();
    fits(schema, &here);
    fits(schema, &there);
    let without = |value: &Value| {
        let mut value = without_now(value.clone());
        own.iter().for_each(|path| forget(&mut value, path));
        value
    };
    assert_eq!(without(&here), without(&there));
    let words = crate::command::show::in_words(&request, &here);
    (here, words)
}

/// The members of that name, wherever they are.
fn forget(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) => {
            members.remove(name);
            members.values_mut().for_each(|member| forget(member, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| forget(item, name)),
        _ => {}
    }
}

fn person(address: &str) -> Person {
    Person::parse(address).unwrap()
}

#[tokio::test]
async fn why_names_event_rule_move_and_what_was_considered() {
    let review = ReviewId::parse("RR-1042").unwrap();
    let player = until(story!("evidence_slips_and_is_adopted"), "23:00").await;
    let (answer, words) = asked(&player, "why", Request::Why(review.clone()), &[]).await;
    let held = answer["moves"].as_array().unwrap().iter().find(|one| one["outcome"] == "held").unwrap();
    assert_eq!(held["events"][0]["type"], "dev.holdpoint.evidence.updated.v1");
    assert_eq!(held["broken"], json!(["evidence"]));
    assert!(held["changed"].as_array().unwrap().iter().any(|change| change["field"] == "slot"), "{held}");
    assert!(held["considered"]["runs"].as_array().is_some_and(|runs| !runs.is_empty()), "{held}");
    insta::assert_snapshot!("why_adopted", words);

    let player = until(story!("only_slot_crosses_the_freeze"), "12:00").await;
    let (answer, words) = asked(&player, "why", Request::Why(review.clone()), &[]).await;
    let escalated = answer["moves"].as_array().unwrap().iter().find(|one| one["outcome"] == "escalated").unwrap();
    assert!(
        !escalated["exceptions"].as_array().unwrap().is_empty() && escalated["considered"].is_object(),
        "{escalated}"
    );
    insta::assert_snapshot!("why_escalated", words);

    let player = until(story!("an_operator_decides_at_night"), "13:00").await;
    let (_, words) = asked(&player, "why", Request::Why(review), &[]).await;
    assert!(
        words.contains("by duty-officer@example.com: adopt, adopted, in the owner's place (The owner is on a plane"),
        "{words}"
    );
}

#[tokio::test]
async fn waiting_says_who_must_decide_or_answer_and_until_when() {
    let player = until(story!("an_operator_decides_at_night"), "12:30").await;
    let (answer, words) = asked(&player, "waiting", Request::Waiting(None), &["mail_waits"]).await;
    assert_eq!(
        (&answer["waiting"][0]["for"], &answer["waiting"][0]["person"]),
        (&json!("decide"), &json!("rm-a@example.com"))
    );
    insta::assert_snapshot!("waiting_decision", words);

    let player = until(story!("unanswered_and_answered"), "11:31").await;
    let (answer, words) = asked(&player, "waiting", Request::Waiting(None), &["mail_waits"]).await;
    assert!(answer["waiting"].as_array().unwrap().iter().all(|wait| wait["overdue"] == true), "{answer}");
    insta::assert_snapshot!("waiting_answers", words);
    let (answer, words) =
        asked(&player, "waiting", Request::Waiting(Some(person("so-a@example.com"))), &["mail_waits"]).await;
    assert_eq!(answer["waiting"].as_array().unwrap().len(), 1, "{answer}");
    assert!(words.starts_with("OVERDUE: so-a@example.com must answer"), "{words}");

    let player = until(story!("expired_undecided"), "13:00").await;
    let (answer, words) = asked(&player, "waiting", Request::Waiting(None), &["mail_waits"]).await;
    assert_eq!(answer["waiting"][0]["for"], "ask_again", "{answer}");
    insta::assert_snapshot!("waiting_undecided", words);
}

/// A bounce is no event and nobody's answer, and a cause all the same.
#[tokio::test]
async fn why_names_the_mailers_report() {
    let review = ReviewId::parse("RR-1042").unwrap();
    let player = until(story!("mail_does_not_arrive"), "11:30").await;
    let (answer, words) = asked(&player, "why", Request::Why(review), &[]).await;
    let reported = |one: &&Value| one["reports"][0]["person"] == "bounce+so@simulator.amazonses.com";
    let bounced = answer["moves"].as_array().unwrap().iter().find(reported).unwrap();
    assert_eq!((&bounced["by_time_alone"], &bounced["reports"][0]["why"]), (&json!(false), &json!("bounced")));
    assert!(words.contains("by the mailer: mail to bounce+so@simulator.amazonses.com was bounced"), "{words}");
}

/// Ingest records an event as applied, and a moment later that no review is open for it. Whoever asks in between is told the
/// same.
#[tokio::test]
async fn an_event_of_a_review_that_is_over_became_nothing() {
    let mut player = until(story!("evidence_slips_and_is_adopted"), "23:00").await;
    player.until(refresh_core::Instant::parse("2026-11-30T00:00:00Z").unwrap()).await.unwrap();
    let engine = player.time().engine();
    let event = SCENARIO_EVENT.to_owned();
    let sent = perform(engine, Request::Send(vec![event])).await.unwrap();
    player.time().drain().await.unwrap();
    let identity: refresh_core::facts::event::Identity = serde_json::from_value(sent["events"][0].clone()).unwrap();
    for amended in [true, false] {
        if !amended {
            let applied = refresh_core::facts::authority::Disposition::Applied;
            engine.store().amend(&identity, applied).await.unwrap();
        }
        let mut answer = perform(engine, Request::Became(sent.clone())).await.unwrap();
        let event = &answer["events"][0];
        assert_eq!(
            (&event["disposition"], &event["reason"]),
            (&json!("ignored"), &json!("review_started")),
            "{answer}"
        );
        answer["waited"] = true.into();
        let words = crate::command::show::in_words(&Request::Send(Vec::new()), &answer);
        assert!(words.contains("applied: 0") && words.contains("ignored: review_started"), "{words}");
    }
}

/// A decision that another event asked for may read the closure first, and carry it out: the closure's own message then finds
/// nothing to do. It was done all the same; only a second closing does nothing.
#[tokio::test]
async fn a_closure_that_another_decision_carried_out_is_done() {
    let player = until(story!("evidence_slips_and_is_adopted"), "09:30").await;
    let engine = player.time().engine();
    let review = ReviewId::parse("RR-1042").unwrap();
    for (revision, disposition, reviews) in [
        (1, "applied", json!([{ "review_id": review, "refreshed": true, "outcome": "closed" }])),
        (2, "ignored", Value::Null),
    ] {
        let event = json!({
            "specversion": "1.0", "id": format!("closed-{revision}"), "source": "//review.example.com",
            "type": "dev.holdpoint.review.closed.v1", "data": { "review_id": review, "revision": revision, "reason": "Held by telephone." },
        });
        let sent = perform(engine, Request::Send(vec![event.to_string()])).await.unwrap();
        player.time().drain().await.unwrap();
        let identity = serde_json::from_value(sent["events"][0].clone()).unwrap();
        let own = packet_store::key::Key::cause(&review, &Cause { identity, collision: None });
        let key = json!({ "pk": { "S": own.pk }, "sk": { "S": own.sk } });
        engine.embedded().ask("DeleteItem", json!({ "TableName": TABLE, "Key": key })).await.unwrap();
        let answer = perform(engine, Request::Became(sent)).await.unwrap();
        let told = &answer["events"][0];
        assert_eq!((&told["disposition"], &told["reviews"]), (&json!(disposition), &reviews), "{answer}");
        // The next closing is later.
        player.time().set(player.time().now().plus_minutes(1));
    }
}

/// A review whose slot has passed when it is issued is history. Whoever sent it by mistake is told so, since its id is used.
#[tokio::test]
async fn a_review_issued_with_a_slot_of_the_past_is_said_to_be_over() {
    let story = story!("evidence_slips_and_is_adopted");
    let player = until(story, "09:30").await;
    let engine = player.time().engine();
    let line = story.0.lines().find(|line| line.contains("review.issued")).unwrap();
    let issued = serde_json::from_str::<Value>(line).unwrap()["send"].clone();
    for (id, day, ended) in [("RR-OLD", "2026-11-02", json!("review_started")), ("RR-NEW", "2026-11-03", Value::Null)] {
        let mut event = issued.clone();
        event["id"] = id.into();
        event["data"]["review_id"] = id.into();
        event["data"].as_object_mut().unwrap().remove("meeting");
        for edge in ["start", "end"] {
            let instant = event["data"]["slot"][edge].as_str().unwrap().replace("2026-11-03", day);
            event["data"]["slot"][edge] = instant.into();
        }
        let sent = perform(engine, Request::Send(vec![event.to_string()])).await.unwrap();
        player.time().drain().await.unwrap();
        let mut answer = perform(engine, Request::Became(sent)).await.unwrap();
        let review = &answer["events"][0]["reviews"][0];
        assert_eq!((&review["outcome"], &review["ended"]), (&json!("issued"), &ended), "{answer}");
        answer["waited"] = true.into();
        let words = crate::command::show::in_words(&Request::Send(Vec::new()), &answer);
        let said = words.contains(&format!("refreshed {id}: issued; its slot has started, so nobody is told anything"));
        assert_eq!(said, ended != Value::Null, "{words}");
    }
}

const SCENARIO_EVENT: &str = r#"{"specversion":"1.0","id":"late","source":"//evidence.example.com",
    "type":"dev.holdpoint.evidence.updated.v1",
    "data":{"change_id":"CHG0030001","checkpoint":"integration-tests","revision":99,"status":"expected"}}"#;

/// Who was mailed by a mail that the mail server has not taken was not told.
#[tokio::test]
async fn waiting_says_that_a_mail_waits_for_the_mail_server() {
    let player = until(story!("an_operator_decides_at_night"), "12:30").await;
    let engine = player.time().engine();
    let (before, words) = asked(&player, "waiting", Request::Waiting(None), &["mail_waits"]).await;
    assert_eq!((&before["waiting"][0]["told"], &before["waiting"][0]["mail_waits"]), (&json!(true), &json!(false)));
    assert!(!words.contains("waits for the mail server"), "{words}");
    let newest = engine.mailbox().to("rm-a@example.com").remove(0).number;
    let put = "INSERT INTO outgoing VALUES (?1, 'rm-a@example.com', 'waiting', 0, 0, '')";
    engine.mailbox().tables().look(|transaction| transaction.execute(put, [newest])).unwrap();
    let (after, words) = asked(&player, "waiting", Request::Waiting(None), &["mail_waits", "told"]).await;
    let wait = &after["waiting"][0];
    assert_eq!((&wait["told"], &wait["mail_waits"]), (&json!(wait["reminded"] != 0), &json!(true)), "{after}");
    assert!(words.contains("the newest mail to them waits for the mail server"), "{words}");
}

/// What halts all work is named where an operator asks what does not go on.
#[tokio::test]
async fn stuck_names_what_health_names() {
    let player = until(story!("an_operator_decides_at_night"), "12:30").await;
    let engine = player.time().engine();
    engine.embedded().guard().in_trouble("database or disk is full");
    let (answer, words) =
        asked(&player, "stuck", Request::Stuck(StuckAsked::default()), &["engine", "failed", "mail", "silent"]).await;
    assert_eq!(answer["engine"], json!(["database or disk is full"]));
    assert!(words.starts_with("database or disk is full\n") && !words.contains("nothing is stuck"), "{words}");
    let wrong = engine.wrong().await;
    assert!(wrong.contains(&"database or disk is full".to_owned()), "{wrong:?}");
}

#[tokio::test]
async fn told_lists_a_persons_mails_and_what_became_of_each() {
    let player = until(story!("mail_does_not_arrive"), "11:30").await;
    let asked_of =
        async |address: &str| asked(&player, "told", Request::Told(person(address)), &["number", "relay"]).await;
    let (answer, words) = asked_of("bounce+so@simulator.amazonses.com").await;
    let mails = answer["reviews"][0]["mails"].as_array().unwrap();
    assert!(
        mails.iter().any(|mail| mail["kind"] == "undeliverable" && mail["became"]["status"] == "bounced"),
        "{answer}"
    );
    assert!(mails.iter().all(|mail| mail["message_id"].is_null() || mail["number"].is_u64()), "{answer}");
    insta::assert_snapshot!("told_bounced", words);
    let (_, words) = asked_of("rm-a@example.com").await;
    insta::assert_snapshot!("told_owner", words);
}

#[tokio::test]
async fn stuck_names_what_is_dead_failed_silent_overdue_or_not_reached() {
    let player = until(story!("evidence_slips_and_is_adopted"), "08:40").await;
    let (answer, words) =
        asked(&player, "stuck", Request::Stuck(StuckAsked::default()), &["failed", "mail", "silent"]).await;
    assert_eq!(words, "nothing is stuck\n", "{answer}");

    let player = until(story!("a_source_falls_silent"), "11:35").await;
    let policy = Some(story!("a_source_falls_silent").1.to_owned());
    let engine = player.time().engine();
    let poison = Outgoing {
        body: "no request".to_owned(),
        group: Some("RR-X".to_owned()),
        deduplication: Some("p".to_owned()),
        ..Outgoing::default()
    };
    engine.queues().send("refresh.fifo", poison).await.unwrap();
    engine
        .queues()
        .send("source-events", Outgoing { body: "{\"id\":7}".to_owned(), ..Outgoing::default() })
        .await
        .unwrap();
    player.time().drain().await.unwrap();
    let of_dead = ["failed", "mail", "from", "sequence", "receives", "why"];
    let (answer, words) = asked(&player, "stuck", Request::Stuck(StuckAsked { policy }), &of_dead).await;
    assert_eq!(answer["failed"][0]["queue"], "refresh.fifo", "{answer}");
    assert!(answer["failed"][0]["dead_after"].is_u64(), "{answer}");
    assert!(answer["silent"].as_array().unwrap().iter().any(|one| one["source"] == "//freeze.example.com"), "{answer}");
    let ids = answer["dead"]["source-events-dlq"][0]["message_id"].as_str().unwrap();
    let failed = answer["failed"][0]["message_id"].as_str().unwrap();
    let sent = answer["dead"]["source-events-dlq"][0]["sent_at"].as_str().unwrap();
    insta::assert_snapshot!("stuck", words.replace(ids, "ID").replace(failed, "ID").replace(sent, "SENT"));

    // Without its policy a deployment says what its reviews miss, and no more.
    let there = stack(&player).perform(Request::Stuck(StuckAsked::default())).await.unwrap();
    fits("stuck", &there);

    let player = until(story!("unanswered_and_answered"), "11:31").await;
    let (answer, words) =
        asked(&player, "stuck", Request::Stuck(StuckAsked::default()), &["failed", "mail", "silent"]).await;
    assert!(answer["overdue"].as_array().unwrap().iter().any(|late| late["what"] == "answer"), "{answer}");
    assert!(words.contains("so-a@example.com has not answered; due"), "{words}");

    let player = until(story!("mail_does_not_arrive"), "09:25").await;
    let (_, words) =
        asked(&player, "stuck", Request::Stuck(StuckAsked::default()), &["failed", "mail", "silent"]).await;
    assert!(words.contains("mail to bounce+so@simulator.amazonses.com does not arrive: bounced"), "{words}");
}

/// A source that is silent past its promise is named where reviews are listed, calendars included: here, and of a deployment.
#[tokio::test]
async fn reviews_name_every_source_that_is_silent_past_its_promise() {
    let (scenario, policy) = story!("a_source_falls_silent");
    let mut policy: Value = serde_json::from_str(policy).unwrap();
    for source in policy["sources"].as_array_mut().unwrap().iter_mut().filter(|one| one["kind"] == "availability") {
        source["max_age_minutes"] = json!(60);
    }
    let policy = policy.to_string();
    for (at, expected) in [
        ("08:40", json!([])),
        ("09:10", json!(["//availability.example.com"])),
        ("11:35", json!(["//availability.example.com", "//freeze.example.com"])),
    ] {
        let player = until((scenario, policy.as_str()), at).await;
        let answer = perform(player.time().engine(), Request::Reviews(ReviewsAsked::default())).await.unwrap();
        let there = stack(&player).perform(Request::Reviews(ReviewsAsked::default())).await.unwrap();
        fits("reviews", &answer);
        fits("reviews", &there);
        assert_eq!(without_now(answer.clone()), without_now(there));
        let words = crate::command::show::in_words(&Request::Reviews(ReviewsAsked::default()), &answer);
        assert_eq!(answer["reviews"][0]["silent"], expected, "{at}: {answer}");
        for source in expected.as_array().unwrap() {
            let line = format!("silent past its promise: {}", source.as_str().unwrap());
            assert!(words.contains(&line), "{at}: {words}");
        }
        // Without its policy a deployment knows it from its reviews alone.
        let stuck = stack(&player).perform(Request::Stuck(StuckAsked::default())).await.unwrap();
        let named: Vec<&Value> = stuck["silent"].as_array().unwrap().iter().map(|one| &one["source"]).collect();
        assert!(expected.as_array().unwrap().iter().all(|source| named.contains(&source)), "{at}: {stuck}");
    }
}

/// An engine that is there and whose workers are not: what is due stays due, and is named.
#[tokio::test]
async fn what_nobody_works_off_is_overdue() {
    let player = until(story!("an_operator_decides_at_night"), "12:30").await;
    let engine = player.time().engine();
    let head = engine.store().head(&ReviewId::parse("RR-1042").unwrap()).await.unwrap().unwrap();
    let mut stack = stack(&player);
    let late = head.pending.as_ref().unwrap().expires_at.plus_minutes(10);
    stack.clock = lambda_shell::clock::Clock::steered(std::sync::Arc::new(late.millis().into()));
    let answer = stack.perform(Request::Stuck(StuckAsked::default())).await.unwrap();
    let found: Vec<&str> =
        answer["overdue"].as_array().unwrap().iter().filter_map(|one| one["what"].as_str()).collect();
    assert!(found.contains(&"decision") && found.contains(&"refresh"), "{answer}");
}

#[tokio::test]
async fn names_that_are_not_known_are_answered_with_the_nearest() {
    let player = until(story!("evidence_slips_and_is_adopted"), "08:40").await;
    let nearly = ReviewId::parse("RR-1024").unwrap();
    for request in [Request::Why(nearly.clone()), Request::Show(nearly.clone()), Request::Verify(Some(nearly))] {
        let why = perform(player.time().engine(), request.clone()).await.unwrap_err();
        assert_eq!(why.why(), "RR-1024: there is no such review; the nearest: RR-1042", "{request:?}");
        assert_eq!(stack(&player).perform(request).await.unwrap_err(), why);
    }
    let nobody = person("sec-d@example.com");
    for request in [Request::Told(nobody.clone()), Request::Waiting(Some(nobody))] {
        let why = perform(player.time().engine(), request).await.unwrap_err();
        assert!(why.why().contains("nobody of that address is in any review; the nearest: sec-a@example.com"), "{why}");
    }
}
