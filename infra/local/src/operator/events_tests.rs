//! Nothing that came in vanishes: whatever became of it is in one list, here and of a deployment.

use std::fs;

use serde_json::{Value, json};

use super::{Discard, EventsAsked, Request, Stack, perform, published::fits, tests::played};
use crate::{
    connector::{Faults, InProcess},
    embedded::TABLE,
    engine::{Settings, virtual_time::VirtualTime},
    queues::Outgoing,
};

const AT: &str = "2026-11-03T09:00:00Z";

fn policy() -> String {
    let mut policy: Value = serde_json::from_str(include_str!("../../../policy.json")).unwrap();
    policy["native"].as_array_mut().unwrap().retain(|binding| binding["format"] != "github.workflow_run");
    policy["native"].as_array_mut().unwrap().push(json!({
        "name": "ci", "format": "github.workflow_run", "source": "//evidence.example.com", "repository": "example/identity",
        "workflow": ".github/workflows/it.yml", "branch": "release/*", "change_id": "*", "checkpoint": "hooked",
        "hook": { "secret": "ci" },
    }));
    policy.to_string()
}

fn sample(name: &str) -> Value {
    let path = format!("{}/../../events/ingest/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

async fn engine() -> VirtualTime {
    VirtualTime::open(Settings::in_memory(policy()), AT.parse_instant()).await.unwrap()
}

trait ParseInstant {
    fn parse_instant(&self) -> refresh_core::Instant;
}

impl ParseInstant for str {
    fn parse_instant(&self) -> refresh_core::Instant {
        refresh_core::Instant::parse(self).unwrap()
    }
}

async fn put(time: &VirtualTime, body: &Value) {
    let outgoing = Outgoing { body: body.to_string(), ..Outgoing::default() };
    time.engine().queues().send("source-events", outgoing).await.unwrap();
    time.drain().await.unwrap();
}

fn stack(time: &VirtualTime) -> Stack {
    let engine = time.engine();
    let sdk =
        InProcess::new(engine.embedded().clone(), engine.queues().clone(), engine.mailbox().clone(), Faults::default());
    let mut stack = Stack::of(&sdk.sdk_config(), TABLE, String::new()).unwrap();
    stack.clock = engine.clock().clone();
    stack
}

fn person(id: &str, revision: u64) -> Value {
    let mut event = sample("person_updated");
    event["id"] = id.into();
    event["data"]["revision"] = revision.into();
    event
}

async fn listed(time: &VirtualTime, asked: EventsAsked) -> Value {
    let here = perform(time.engine(), Request::Events(asked.clone())).await.unwrap();
    let there = stack(time).perform(Request::Events(asked)).await.unwrap();
    assert_eq!(here, there);
    fits("events", &here);
    here
}

/// `disposition reason type` of each, the newest first.
fn said(answer: &Value) -> Vec<String> {
    let lines = answer["events"].as_array().unwrap().iter();
    let of = |line: &Value, member: &str| line[member].as_str().unwrap_or("-").to_owned();
    lines.map(|line| format!("{} {} {}", of(line, "disposition"), of(line, "reason"), of(line, "type"))).collect()
}

async fn everything(time: &VirtualTime) {
    let mut later = AT.parse_instant();
    let mut tick = || {
        later = later.plus_minutes(1);
        time.set(later);
    };
    put(time, &person("p1", 4)).await;
    tick();
    put(time, &person("p1", 4)).await;
    tick();
    put(time, &person("p2", 3)).await;
    tick();
    put(time, &person("p1", 9)).await;
    tick();
    let mut stranger = person("p9", 9);
    stranger["source"] = "//nobody.example.com".into();
    put(time, &stranger).await;
    tick();
    let mut run = sample("native_github_workflow_run");
    run["binding"] = "ci".into();
    put(time, &run).await;
    tick();
    put(time, &sample("native_github_workflow_of_a_fork")).await;
    tick();
    put(time, &json!({ "id": 7, "private": "Salary talk" })).await;
    tick();
    put(time, &sample("native_pagerduty_webhook")).await;
}

#[tokio::test]
async fn whatever_became_of_it_is_in_one_list() {
    let time = engine().await;
    everything(&time).await;
    let all = listed(&time, EventsAsked::default()).await;
    assert_eq!(
        said(&all),
        [
            "skipped - pagerduty.webhook",
            "refused - -",
            "skipped - github.workflow_run",
            "unbound - github.workflow_run",
            "ignored non_authoritative_source dev.holdpoint.person.updated.v1",
            "ignored id_collision dev.holdpoint.person.updated.v1",
            "ignored stale_revision dev.holdpoint.person.updated.v1",
            "ignored duplicate dev.holdpoint.person.updated.v1",
            "applied - dev.holdpoint.person.updated.v1",
        ]
    );
    assert!(!all.to_string().contains("Salary"), "the private rest is nowhere");
    assert_eq!(all["events"][3]["binding"], "ci");
    // Their senders read what would have been taken.
    let registered = "a source that the policy registers for person: //person.example.com";
    assert_eq!(all["events"][4]["expected"], registered);
    assert_eq!(all["events"][6]["expected"], "a revision above 4");
    assert_eq!(all["events"][8]["expected"], Value::Null);
    let reasons = all["events"][1]["reasons"].to_string();
    assert!(reasons.contains("$: expected a CloudEvent, or a native payload"), "{reasons}");
    for (asked, count) in [
        (EventsAsked { disposition: Some("ignored".into()), ..EventsAsked::default() }, 4),
        (EventsAsked { disposition: Some("stale_revision".into()), ..EventsAsked::default() }, 1),
        (EventsAsked { disposition: Some("duplicate".into()), ..EventsAsked::default() }, 1),
        (EventsAsked { disposition: Some("unbound".into()), ..EventsAsked::default() }, 1),
        (EventsAsked { source: Some("//nobody.example.com".into()), ..EventsAsked::default() }, 1),
        (EventsAsked { source: Some("//nobody*".into()), ..EventsAsked::default() }, 1),
        (EventsAsked { source: Some("//nobody".into()), ..EventsAsked::default() }, 0),
        (EventsAsked { subject: Some("person/*".into()), ..EventsAsked::default() }, 4),
        (EventsAsked { since: Some("2026-11-03T09:07:00Z".parse_instant()), ..EventsAsked::default() }, 2),
        (EventsAsked { until: Some("2026-11-03T09:00:00Z".parse_instant()), ..EventsAsked::default() }, 1),
    ] {
        assert_eq!(said(&listed(&time, asked.clone()).await).len(), count, "{asked:?}");
    }
    let mut paged = Vec::new();
    let mut asked = EventsAsked { limit: Some(2), ..EventsAsked::default() };
    loop {
        let page = listed(&time, asked.clone()).await;
        paged.extend(said(&page));
        let Some(next) = page["next"].as_str() else { break };
        asked.page = Some(next.to_owned());
    }
    assert_eq!(paged, said(&all));
}

#[tokio::test]
async fn the_list_reads_in_columns_and_says_how_to_go_on() {
    let time = engine().await;
    everything(&time).await;
    let asked = EventsAsked { limit: Some(3), source: Some("//*".into()), ..EventsAsked::default() };
    let answer = listed(&time, asked.clone()).await;
    let words = crate::command::in_words(&Request::Events(asked), &answer);
    let lines: Vec<&str> = words.lines().collect();
    assert_eq!(lines.len(), 4, "{words}");
    assert!(lines[0].starts_with("2026-11-03T09:04:00Z  ignored non_authoritative_source  //nobody"), "{words}");
    assert!(
        lines[3].starts_with("there may be more: holdpoint events --source '//*' --limit 3 --page 0017"),
        "{words}"
    );
    let nothing = EventsAsked { disposition: Some("uid_in_use".into()), ..EventsAsked::default() };
    let answer = listed(&time, nothing.clone()).await;
    let words = crate::command::in_words(&Request::Events(nothing), &answer);
    assert_eq!(words, "nothing of the kind among 9 looked at\n");
}

#[tokio::test]
async fn filters_that_cannot_be_read_are_named_with_what_they_may_be() {
    let time = engine().await;
    let asked = EventsAsked {
        disposition: Some("lost".into()),
        page: Some("2".into()),
        limit: Some(0),
        since: Some("2026-11-03T10:00:00Z".parse_instant()),
        until: Some("2026-11-03T09:00:00Z".parse_instant()),
        ..EventsAsked::default()
    };
    let refused = perform(time.engine(), Request::Events(asked)).await.unwrap_err();
    let refused = refused.why();
    for words in [
        "disposition: expected one of applied, ignored, skipped, unbound, refused, discarded, redriven, duplicate, id_collision,",
        "page: expected the mark",
        "limit: expected a whole number from 1 to 1000; found 0",
        "until: expected an instant not before since",
    ] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
}

/// What is sent is followed to its end: judged, and every review that it touches refreshed.
#[tokio::test]
async fn what_is_sent_is_followed_to_the_reviews_it_refreshes() {
    let time = engine().await;
    let sent = async |bodies: Vec<Value>| {
        let texts = bodies.iter().map(Value::to_string).collect();
        perform(time.engine(), Request::Send(texts)).await.unwrap()
    };
    let became = async |sent: Value| perform(time.engine(), Request::Became(sent)).await.unwrap();
    let review = sample("review_issued");
    let answer = sent(vec![review.clone()]).await;
    let early = became(answer.clone()).await;
    assert_eq!((&early["open"], &early["events"][0]["disposition"]), (&json!(1), &Value::Null));
    time.drain().await.unwrap();
    let answer = became(answer).await;
    let id = &review["data"]["review_id"];
    let issued = json!([{ "review_id": id, "refreshed": true, "outcome": "issued" }]);
    assert_eq!((&answer["open"], &answer["events"][0]["reviews"]), (&json!(0), &issued), "{answer}");
    let person = review["data"]["roles"][0]["attendee"].as_str().unwrap();
    let mut profile = person_of(person);
    let first = sent(vec![profile.clone()]).await;
    time.drain().await.unwrap();
    let first = became(first).await;
    assert_eq!(first["events"][0]["reviews"][0]["refreshed"], true, "{first}");
    // The same again, another under the same id, and one of a source that nobody registered.
    let mut collides = profile.clone();
    collides["data"]["name"] = "Another".into();
    profile["id"] = "other".into();
    profile["source"] = "//nobody.example.com".into();
    let again = sent(vec![person_of(person), collides, profile]).await;
    time.drain().await.unwrap();
    let again = became(again).await;
    let told: Vec<_> =
        again["events"].as_array().unwrap().iter().map(|event| (&event["repeated"], &event["reason"])).collect();
    let expected = [
        (&json!(true), &Value::Null),
        (&json!(false), &json!("id_collision")),
        (&json!(false), &json!("non_authoritative_source")),
    ];
    assert_eq!(told, expected, "{again}");
    assert_eq!(again["open"], 0);
}

fn person_of(address: &str) -> Value {
    let mut event = person("profile", 40);
    event["data"]["person"] = address.into();
    event
}

/// A limit that only the store can tell: the event has no record, and its receipt says what was wrong.
#[tokio::test]
async fn an_event_that_ingest_refuses_is_known_as_refused() {
    let time = engine().await;
    let mut last = Value::Null;
    for number in 0..=refresh_core::facts::authority::MOST_CALENDARS {
        let mut event = sample("availability_of_one_of_several_calendars");
        event["id"] = format!("calendar-{number}").into();
        event["source"] = "//availability.example.com".into();
        event["data"]["calendar"] = format!("calendar-{number}").into();
        last = perform(time.engine(), Request::Send(vec![event.to_string()])).await.unwrap();
        time.drain().await.unwrap();
    }
    let answer = perform(time.engine(), Request::Became(last)).await.unwrap();
    assert_eq!((&answer["open"], &answer["events"][0]["disposition"]), (&json!(0), &json!("refused")), "{answer}");
    assert!(answer["events"][0]["reason"].as_str().unwrap().starts_with("$.data.calendar: expected one of at most"));
    let refused = EventsAsked { disposition: Some("refused".into()), ..EventsAsked::default() };
    let listed = listed(&time, refused).await;
    assert_eq!(listed["events"][0]["id"], format!("calendar-{}", refresh_core::facts::authority::MOST_CALENDARS));
    assert_eq!(listed["events"][0]["door"], "send");
}

/// A refusal of a queued payload is found by the source of its binding, and its dead letter says where the payload is from. What
/// is private in the payload is in neither.
#[tokio::test]
async fn a_refused_payload_is_found_by_its_source_and_keeps_nothing_private() {
    let time = engine().await;
    let mut calendars = sample("native_graph_get_schedule");
    let answer = &mut calendars["body"]["response"]["value"][0];
    let mailbox = answer["scheduleId"].as_str().unwrap().to_owned();
    answer["scheduleItems"][0]["start"]["timeZone"] = "tzone://Microsoft/Custom".into();
    answer["scheduleItems"][0]["subject"] = "Salary talk".into();
    put(&time, &calendars).await;
    let source = "//availability.example.com";
    let refused = EventsAsked {
        source: Some(source.to_owned()),
        disposition: Some("refused".to_owned()),
        ..EventsAsked::default()
    };
    let seen = listed(&time, refused).await;
    let [event] = &seen["events"].as_array().unwrap()[..] else { panic!("{seen}") };
    assert_eq!(event["type"], "graph.get_schedule");
    assert!(event["reasons"][0].as_str().unwrap().starts_with(&format!("{mailbox}: $.response.value[0]")), "{event}");
    let here = perform(time.engine(), Request::DeadLetters).await.unwrap();
    let there = stack(&time).perform(Request::DeadLetters).await.unwrap();
    let stuck = perform(time.engine(), Request::Stuck(super::StuckAsked::default())).await.unwrap();
    for (schema, answer, queues) in
        [("redrive", &here, "queues"), ("redrive", &there, "queues"), ("stuck", &stuck, "dead")]
    {
        fits(schema, answer);
        let [letter] = &answer[queues]["source-events-dlq"].as_array().unwrap()[..] else { panic!("{answer}") };
        let said = [&letter["format"], &letter["binding"], &letter["source"], &letter["record"]];
        assert_eq!(said, [&json!("graph.get_schedule"), &Value::Null, &json!(source), &json!(mailbox)], "{letter}");
        assert!(letter["body"].as_str().unwrap().contains("tzone://Microsoft/Custom"), "{letter}");
        assert!(!answer.to_string().contains("Salary"), "{answer}");
    }
    let words = crate::command::in_words(&Request::DeadLetters, &here);
    assert!(words.contains(&format!("graph.get_schedule {source} {mailbox}\n")), "{words}");
    // Nor is it shown of a payload that nobody could handle, and that lies there as it came.
    let outgoing = Outgoing { body: calendars.to_string(), ..Outgoing::default() };
    time.engine().queues().send("source-events-dlq", outgoing).await.unwrap();
    for answer in [perform(time.engine(), Request::DeadLetters).await, stack(&time).perform(Request::DeadLetters).await]
    {
        let answer = answer.unwrap();
        assert_eq!(answer["queues"]["source-events-dlq"].as_array().unwrap().len(), 2, "{answer}");
        assert!(!answer.to_string().contains("Salary"), "{answer}");
    }
    // What becomes of a letter is another question than whether it was sent.
    let redrive = Request::Redrive(super::Redrive::default());
    let sent = perform(time.engine(), redrive.clone()).await.unwrap();
    let words = crate::command::in_words(&redrive, &sent);
    assert!(words.contains("sent again: 2\n") && words.contains("`holdpoint events` says"), "{words}");
}

/// A dead letter that will never be right goes for good, and who did so and why stays.
#[tokio::test]
async fn a_discarded_letter_is_gone_and_known_with_who_and_why() {
    let player = played(
        include_str!("../../../../events/scenarios/evidence_slips_and_is_adopted.jsonl"),
        include_str!("../../../../events/scenarios/evidence_slips_and_is_adopted.policy.json"),
        "2026-11-03T08:40",
    )
    .await;
    let engine = player.time().engine();
    for body in ["{\"specversion\":\"1.0\",\"id\":\"e-7\",\"source\":\"//ci.example.com\",\"type\":\"x\"}", "{}"] {
        let message = Outgoing { body: body.to_owned(), ..Outgoing::default() };
        engine.queues().send("source-events", message).await.unwrap();
    }
    player.time().drain().await.unwrap();
    let letters = async || perform(engine, Request::DeadLetters).await.unwrap()["queues"]["source-events-dlq"].clone();
    let listed = letters().await;
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    let named = listed.as_array().unwrap().iter().find(|one| one["body"].as_str().unwrap().contains("e-7")).unwrap();
    let asked = |letter: &str| {
        let by = refresh_core::Person::parse("duty@example.com").unwrap();
        Request::Discard(Discard { letter: letter.to_owned(), by, reason: "The system is gone.".to_owned() })
    };
    let id = named["message_id"].as_str().unwrap();
    let done = perform(engine, asked(id)).await.unwrap();
    fits("discard", &done);
    assert_eq!(done["discarded"]["message_id"], id);
    assert_eq!(letters().await.as_array().unwrap().len(), 1, "the other one stays");
    let why = perform(engine, asked(id)).await.unwrap_err();
    assert!(why.why().contains("no dead letter has this message id"), "{}", why.why());
    let only = EventsAsked { disposition: Some("discarded".to_owned()), ..EventsAsked::default() };
    let seen = perform(engine, Request::Events(only)).await.unwrap();
    fits("events", &seen);
    let [event] = &seen["events"].as_array().unwrap()[..] else { panic!("{seen}") };
    assert_eq!((event["source"].as_str(), event["id"].as_str()), (Some("//ci.example.com"), Some("e-7")));
    assert_eq!(event["reasons"][0], "by duty@example.com: The system is gone.");
    assert!(event["reasons"][1].as_str().unwrap().contains("it was dead in source-events-dlq, since: $."), "{event}");
    // An engine that dies and starts again has not got it back.
    assert_eq!(perform(engine, Request::Redrive(super::Redrive::default())).await.unwrap()["sent_again"], 1);
}

/// A source that is bound to a sender: who may speak for it, what becomes of whoever else does, and what is seen of that.
#[tokio::test]
async fn a_source_that_is_bound_to_a_sender_is_spoken_for_by_that_sender_alone() {
    let (account, role) = ("111122223333", "AROAEXAMPLE00000");
    let sent = |id: &str, sender: Option<&str>| {
        let mut event = sample("evidence_expected");
        event["id"] = json!(id);
        event["data"]["revision"] = json!(1_000 + id.len());
        let mut attributes = json!({ "SentTimestamp": "1793696472000", "ApproximateReceiveCount": "1" });
        if let Some(sender) = sender {
            attributes["SenderId"] = json!(sender);
        }
        let record = json!({
            "messageId": "m1", "receiptHandle": "r1", "body": event.to_string(), "attributes": attributes,
            "messageAttributes": {}, "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:source-events", "awsRegion": "eu-west-1",
        });
        let event = json!({ "Records": [record] });
        Request::Invoke { function: "ingest".to_owned(), event }
    };
    for (bound, sender, applied) in [
        (None, Some("999988887777"), true),
        (Some(account), Some(account), true),
        (Some(account), Some("999988887777"), false),
        (Some(account), Some("AROAEXAMPLE00000:runner-7"), false),
        (Some(role), Some("AROAEXAMPLE00000:runner-7"), true),
        (Some(role), Some("AROAEXAMPLE00000:runner-8"), true),
        (Some(role), Some(role), true),
        (Some(role), Some("AROAEXAMPLE000001:runner-7"), false),
        (Some(role), Some("aroaexample00000:runner-7"), false),
        (Some("AROAEXAMPLE00000:runner-7"), Some("AROAEXAMPLE00000:runner-7"), true),
        (Some("AROAEXAMPLE00000:runner-7"), Some("AROAEXAMPLE00000:runner-77"), false),
        (Some("AROAEXAMPLE00000:runner-7"), Some(role), false),
        // One machine's queue names nobody, and neither does an empty word.
        (Some(account), None, true),
        (Some(account), Some(""), true),
    ] {
        let mut policy: Value = serde_json::from_str(&policy()).unwrap();
        let registered = policy["sources"].as_array_mut().unwrap();
        let source = registered.iter_mut().find(|one| one["kind"] == "evidence").unwrap();
        source["sender"] = json!(bound);
        let time = VirtualTime::open(Settings::in_memory(policy.to_string()), AT.parse_instant()).await.unwrap();
        let told = async |asked: EventsAsked| {
            let answer = perform(time.engine(), Request::Events(asked)).await.unwrap();
            fits("events", &answer);
            let lines = answer["events"].as_array().unwrap().clone();
            (lines, crate::command::show::in_words(&Request::Events(EventsAsked::default()), &answer))
        };
        perform(time.engine(), sent("e1", sender)).await.unwrap();
        let (lines, words) = told(EventsAsked::default()).await;
        let row = format!("{bound:?} {sender:?}: {words}");
        assert_eq!(lines.len(), 1, "{row}");
        assert_eq!(lines[0]["disposition"] == "applied", applied, "{row}");
        if applied {
            continue;
        }
        assert_eq!((&lines[0]["reason"], &lines[0]["id"]), (&json!("non_authoritative_source"), &json!("e1")), "{row}");
        let named = sender.unwrap().split(':').next().unwrap();
        assert!(words.contains(&format!("sent by {named}; the policy binds the source to another `sender`")), "{row}");
        assert!(!words.contains("runner"), "a session may be a person's name: {row}");
        let only = EventsAsked { disposition: Some("non_authoritative_source".to_owned()), ..EventsAsked::default() };
        assert_eq!(told(only).await.0.len(), 1, "{row}");
        // The id is still the source's own.
        perform(time.engine(), sent("e1", bound)).await.unwrap();
        let (lines, words) =
            told(EventsAsked { disposition: Some("applied".to_owned()), ..EventsAsked::default() }).await;
        assert_eq!(lines.len(), 1, "{row}: {words}");
    }
}
