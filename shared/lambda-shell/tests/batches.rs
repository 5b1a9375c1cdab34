//! What becomes of a batch: who is handled, who is handed back, and the very bytes of the answer.

use std::{cell::RefCell, time::Duration};

use aws_lambda_events::sqs::SqsEvent;
use lambda_shell::{
    Failure,
    batch::{self, BatchReport, Message},
    deadline::Deadline,
};
use serde_json::{Value, json};

/// `a1 b1 a2`: a letter is the group, the whole the id. `-` before it: no group.
fn event(messages: &str) -> SqsEvent {
    let record = |id: &str| {
        let group = id.chars().next().filter(|c| *c != '-');
        let mut attributes =
            json!({ "ApproximateReceiveCount": "3", "SenderId": "AROAEXAMPLE:ci", "SentTimestamp": "1793700000000" });
        if let Some(group) = group {
            attributes["MessageGroupId"] = group.to_string().into();
        }
        json!({
            "messageId": id, "receiptHandle": "r", "body": format!("body of {id}"), "attributes": attributes,
            "messageAttributes": { "trace": { "stringValue": "t-1", "dataType": "String" } },
            "md5OfBody": "x", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q", "awsRegion": "eu-west-1"
        })
    };
    let records: Vec<Value> = messages.split_whitespace().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).expect("a batch as AWS sends it")
}

/// `name: what was done to it`, one a message, then the answer.
fn told<T: std::fmt::Debug>(report: &BatchReport<T>) -> String {
    let lines = report.outcomes.iter().map(|(id, outcome)| match outcome {
        Ok(done) => format!("{id}: {done:?}\n"),
        Err(failure) => format!("{id}: failed {failure}\n"),
    });
    let answer = match report.response() {
        Ok(answer) => serde_json::to_string(&answer).expect("an answer serialises"),
        Err(failure) => format!("invocation fails: {failure}"),
    };
    lines.collect::<String>() + &answer
}

async fn bad(message: Message, which: &str) -> Result<String, Failure> {
    let id = message.id.as_str();
    // A boundary in the middle: a panic after an `await` must be caught as well as one before.
    tokio::task::yield_now().await;
    if id == which {
        return Err(Failure::new("reading the body", "expected JSON"));
    }
    assert!(id != "panic" && id != "-panic", "an address like someone@example.com in a panic's text");
    Ok(message.body)
}

#[tokio::test]
async fn a_standard_queue_loses_nothing_around_a_bad_record() {
    let report = batch::each(event("-1 -2 -panic -4"), &Deadline::far(), |message| bad(message, "-2")).await;
    assert_eq!(
        told(&report),
        r#"-1: "body of -1"
-2: failed reading the body: expected JSON
-panic: failed handling the record: panicked
-4: "body of -4"
{"batchItemFailures":[{"itemIdentifier":"-2"},{"itemIdentifier":"-panic"}]}"#
    );
}

#[tokio::test]
async fn a_panic_before_the_future_exists_is_one_records_failure_too() {
    let handle = |message: Message| {
        assert!(message.id != "-2", "at once");
        async move { Ok::<_, Failure>(message.id) }
    };
    let report = batch::each(event("-1 -2 -3"), &Deadline::far(), handle).await;
    assert_eq!(report.failures().map(|(id, _)| id).collect::<Vec<_>>(), ["-2"]);
    assert_eq!(report.successes().collect::<Vec<_>>(), ["-1", "-3"]);
}

#[tokio::test]
async fn everything_done_is_an_empty_list_and_nothing_is_null() {
    let report = batch::each(event("-1"), &Deadline::far(), |message| bad(message, "none")).await;
    assert_eq!(serde_json::to_string(&report.response().unwrap()).unwrap(), r#"{"batchItemFailures":[]}"#);
}

#[tokio::test]
async fn in_a_fifo_queue_nothing_overtakes_a_failure_of_its_group() {
    for (poison, expected) in [
        ("a1", r#"[{"itemIdentifier":"a1"},{"itemIdentifier":"a2"},{"itemIdentifier":"a3"}]"#),
        ("a2", r#"[{"itemIdentifier":"a2"},{"itemIdentifier":"a3"}]"#),
        ("a3", r#"[{"itemIdentifier":"a3"}]"#),
        ("b2", r#"[{"itemIdentifier":"b2"}]"#),
    ] {
        let seen = RefCell::new(Vec::new());
        let report = batch::in_order(event("a1 b1 a2 b2 a3"), &Deadline::far(), |message| {
            seen.borrow_mut().push(message.id.clone());
            bad(message, poison)
        })
        .await;
        let answer = serde_json::to_string(&report.response().unwrap().batch_item_failures).unwrap();
        assert_eq!(answer, expected, "poison {poison}");
        let (group, place) = poison.split_at(1);
        let overtook = seen.borrow().iter().any(|id| id.starts_with(group) && id[1..] > *place);
        assert!(!overtook, "poison {poison}: handled {:?}", seen.borrow());
    }
}

#[tokio::test]
async fn a_group_is_handed_over_together_and_shares_its_outcome() {
    let report = batch::by_group(event("a1 b1 a2 -x b2"), &Deadline::far(), |group: Vec<Message>| async move {
        let ids: Vec<String> = group.iter().map(|message| message.id.clone()).collect();
        if ids[0].starts_with('b') { Err(Failure::new("deciding", "no")) } else { Ok(ids.join("+")) }
    })
    .await;
    assert_eq!(
        told(&report),
        r#"a1: "a1+a2"
b1: failed deciding: no
a2: "a1+a2"
-x: "-x"
b2: failed deciding: no
{"batchItemFailures":[{"itemIdentifier":"b1"},{"itemIdentifier":"b2"}]}"#
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_not_begun_before_the_deadline_is_handed_back() {
    let begun = RefCell::new(Vec::new());
    let report = batch::each(event("-1 -2 -3 -4"), &Deadline::after(Duration::from_secs(10)), |message| {
        begun.borrow_mut().push(message.id.clone());
        async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Ok::<_, Failure>(message.id)
        }
    })
    .await;
    assert_eq!(
        told(&report),
        r#"-1: "-1"
-2: failed handling the record: cut off at the deadline
-3: failed starting the record: the deadline is near; it was not begun
-4: failed starting the record: the deadline is near; it was not begun
{"batchItemFailures":[{"itemIdentifier":"-2"},{"itemIdentifier":"-3"},{"itemIdentifier":"-4"}]}"#
    );
    assert_eq!(begun.into_inner(), ["-1", "-2"]);
}

#[tokio::test(start_paused = true)]
async fn groups_not_begun_before_the_deadline_are_handed_back_whole() {
    let report = batch::by_group(event("a1 b1 a2 b2"), &Deadline::after(Duration::from_secs(4)), |group| async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok::<_, Failure>(group.len())
    })
    .await;
    assert_eq!(report.failures().map(|(id, _)| id).collect::<Vec<_>>(), ["b1", "b2"]);
}

#[tokio::test]
async fn a_message_without_an_id_fails_the_invocation_and_nothing_is_begun() {
    for id in [Value::Null, "".into()] {
        let mut raw = serde_json::to_value(event("-1 -2")).unwrap();
        raw["Records"][1]["messageId"] = id;
        let event: SqsEvent = serde_json::from_value(raw).unwrap();
        let handle = |message: Message| async move { unreachable!("began {}", message.id) };
        let report: BatchReport<()> = batch::each(event.clone(), &Deadline::far(), handle).await;
        assert_eq!(
            told(&report),
            "invocation fails: reading the batch: Records[1].messageId: expected an id, found none"
        );
        let grouped: BatchReport<()> = batch::by_group(event, &Deadline::far(), |_| async { unreachable!() }).await;
        assert!(grouped.response().is_err());
    }
}

#[tokio::test]
async fn a_message_is_read_as_aws_sends_it() {
    let read = batch::read(event("a1 -2")).unwrap();
    assert_eq!(read[0].group.as_deref(), Some("a"));
    assert_eq!(read[1].group, None);
    assert_eq!(
        read[0],
        Message {
            id: "a1".into(),
            body: "body of a1".into(),
            group: Some("a".into()),
            sent_at_millis: Some(1_793_700_000_000),
            sender: Some("AROAEXAMPLE:ci".into()),
            receive_count: 3,
            attributes: [("trace".to_owned(), "t-1".to_owned())].into(),
        }
    );
}

#[tokio::test]
async fn what_cannot_be_done_for_all_leaves_each_to_itself() {
    let far = Deadline::far();
    let done = batch::before_each(&far, || async { Ok::<_, Failure>(7) }).await;
    let failed = batch::before_each(&far, || async { Err::<i32, _>(Failure::new("reading together", "no")) }).await;
    let panicked =
        batch::before_each(&far, || async { if true { panic!("together") } else { Ok::<i32, Failure>(7) } }).await;
    let late = batch::before_each(&Deadline::after(Duration::ZERO), || async { Ok::<_, Failure>(7) }).await;
    assert_eq!([done, failed, panicked, late], [7, 0, 0, 0]);
}

#[tokio::test]
async fn what_follows_from_all_and_fails_hands_all_of_them_back() {
    let messages = batch::read(event("-1 -2 -3")).unwrap();
    let mut report = batch::each_of(messages, &Deadline::far(), |message| async move {
        if message.id == "-2" { Err(Failure::new("deciding", "its own reason")) } else { Ok(message.id) }
    })
    .await;
    report.fail(&Failure::passing("asking", "the queue is full"));
    assert_eq!(
        told(&report),
        "-1: failed asking: the queue is full\n-2: failed deciding: its own reason\n-3: failed asking: the queue is full\n\
         {\"batchItemFailures\":[{\"itemIdentifier\":\"-1\"},{\"itemIdentifier\":\"-2\"},{\"itemIdentifier\":\"-3\"}]}"
    );
}
