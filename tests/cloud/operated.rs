//! The operator's own program against a deployment: `holdpoint ... --stack NAME`, with nothing but the AWS environment of
//! a shell. What it sends again, sent again twice, changes nothing.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use holdpoint::replay::scenario::Action;
use holdpoint_tests::cloud::stack::NAME;
use refresh_core::record::lineage;
use serde_json::{Value, json};

use crate::{
    deployed::{Teller, story},
    shell::Shell,
};

const PAUSE: Duration = Duration::from_millis(250);
const ASKED: u32 = 2_400;
/// Whence operators' events come.
const OPERATORS: &str = "//operators.example.com";
/// The three queues with a reader, and where what they could not be rid of ends.
const QUEUES: [(&str, &str, &str); 3] = [
    ("ingest", "SourceEventsQueue", "SourceEventsDeadLettersQueue"),
    ("refresh", "RefreshQueue", "RefreshDeadLettersQueue"),
    ("notify", "NoticesQueue", "NoticesDeadLettersQueue"),
];

/// Everything in the table, whatever it is. Of HEAD, all but when the review was looked at last and is to be looked at
/// next: a message that comes again is one more look.
async fn items(teller: &Teller) -> BTreeMap<String, String> {
    let dynamodb = aws_sdk_dynamodb::Client::new(&teller.bundle.cloud.sdk_config());
    let mut all = BTreeMap::new();
    let mut pages = dynamodb.scan().table_name(teller.url("Table")).into_paginator().items().send();
    while let Some(item) = pages.next().await {
        let item = item.expect("an item");
        // A receipt tells of what came in, and a repetition came in.
        let is_receipt = item["pk"].as_s().is_ok_and(|key| key.starts_with("RECEIPT#"));
        if is_receipt || item["sk"].as_s().is_ok_and(|key| key == "HEAD") {
            continue;
        }
        let members: BTreeMap<_, _> = item.iter().map(|(name, value)| (name, format!("{value:?}"))).collect();
        all.insert(format!("{:?} {:?}", item["pk"], item["sk"]), format!("{members:?}"));
    }
    for head in teller.store.reviews().await.expect("the reviews").whole().expect("every review reads") {
        let mut members = json!(head);
        for look in ["counter", "looked", "at", "check_at"] {
            let member = members.as_object_mut().and_then(|members| members.get_mut(look));
            member.unwrap_or_else(|| panic!("{look}: expected in HEAD")).take();
        }
        all.insert(format!("HEAD of {}", head.review), members.to_string());
    }
    all
}

/// What waits in a queue that nobody reads, taken out of it.
async fn taken(teller: &Teller, output: &str) -> Vec<Message> {
    let mut all = Vec::new();
    loop {
        let received = teller.sqs.receive_message().queue_url(teller.url(output)).max_number_of_messages(10);
        let received = received.message_system_attribute_names(MessageSystemAttributeName::All).wait_time_seconds(1);
        let messages = received.send().await.expect("an answer").messages.unwrap_or_default();
        // A delayed one is not there yet.
        if messages.is_empty() && teller.waiting(output).await == 0 {
            return all;
        }
        for message in messages {
            let receipt = message.receipt_handle().unwrap_or_default();
            let deleted = teller.sqs.delete_message().queue_url(teller.url(output)).receipt_handle(receipt);
            deleted.send().await.expect("deleted");
            all.push(message);
        }
    }
}

/// Where SQS would have moved them after the last delivery that failed.
async fn bury(teller: &Teller, output: &str, messages: &[Message], time: &str) {
    for (number, message) in messages.iter().enumerate() {
        let group = message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId));
        let id = group.map(|_| format!("{time}-{number}"));
        let sent = teller.sqs.send_message().queue_url(teller.url(output)).message_body(message.body().unwrap_or("{}"));
        let sent = sent.set_message_group_id(group.cloned()).set_message_deduplication_id(id);
        sent.send().await.expect("sent");
    }
}

async fn empty(teller: &Teller, output: &str) {
    for _ in 0..ASKED {
        if teller.waiting(output).await == 0 {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("{output} does not run empty: {}", teller.bundle.cloud.log());
}

/// The events of the story's lines, one a line of a file.
fn events(lines: &[holdpoint::replay::scenario::Line]) -> String {
    let events = lines.iter().filter_map(|line| match &line.action {
        Some(Action::Send(event)) => Some(event.to_string() + "\n"),
        _ => None,
    });
    events.collect()
}

fn letters(answer: &Value, queue: &str) -> Vec<Value> {
    answer["queues"][queue].as_array().cloned().unwrap_or_else(|| panic!("expected {queue} in {answer}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_works_a_deployment_from_the_command_line() {
    let (scenario, policy) = story();
    let mut policy: Value = serde_json::from_str(&policy).expect("a policy");
    let operators = json!({ "kind": "operator", "source": OPERATORS, "governed_by": "duty@example.com" });
    policy["sources"].as_array_mut().expect("sources").push(operators);
    let teller = Teller::new(&policy.to_string()).await;
    let shell = Shell::of(&teller.bundle, "operator", "MayOperatePolicy").await;

    // Facts first, then the review that depends on them: the order of the first lines.
    let first = scenario.lines.iter().position(|line| match &line.action {
        Some(Action::Send(event)) => event["type"] == "dev.holdpoint.review.issued.v1",
        _ => false,
    });
    let (facts, rest) = scenario.lines.split_at(first.expect("a review is issued"));
    shell.ran(&["send", &shell.file("facts.jsonl", &events(facts))]);
    teller.rest("the facts").await;
    let sent = shell.ran(&["send", &shell.file("review.jsonl", &events(&rest[..1]))]);
    assert_eq!(sent["sent"], 1, "{sent}");
    teller.rest("the review").await;
    looks_around(&shell);
    invokes(&shell);
    redrives(&teller, &shell, &rest[1..]).await;
    tells_why(&teller, &shell).await;
    acts(&teller, &shell).await;
    assert!(!teller.bundle.cloud.log().contains("AccessDenied"), "{}", teller.bundle.cloud.log());

    // Who may look may do nothing else.
    let auditor = Shell::of(&teller.bundle, "auditor", "MayLookPolicy").await;
    assert_eq!(auditor.ran(&["verify"])["reviews"][0]["verified"], true);
    let refused = auditor.run(&["send", &auditor.file("again.jsonl", &events(&rest[..1]))]).expect_err("not theirs");
    assert!(refused.contains("AccessDenied") || refused.contains("not authorized"), "{refused}");
    outlives_its_stack(&teller).await;
}

/// The stack goes, and with it whoever read and wrote; the record stays as it was, and still verifies.
async fn outlives_its_stack(teller: &Teller) {
    let before = items(teller).await;
    teller.bundle.delete().await.expect("deleted");
    assert_eq!(items(teller).await, before);
    let gone = teller.sqs.get_queue_url().queue_name(format!("{NAME}-source-events")).send().await;
    assert!(gone.is_err(), "the queues go with the stack: {gone:?}");
    let head = teller.store.reviews().await.expect("the reviews").whole().expect("every review reads").remove(0);
    let entries = teller.store.lineage(&head.review, 1).await.expect("a lineage");
    assert!(lineage::verify(&entries, &head.lineage).is_ok());
    // A table that is protected refuses to go, whoever asks.
    let dynamodb = aws_sdk_dynamodb::Client::new(&teller.bundle.cloud.sdk_config());
    let refused = dynamodb.delete_table().table_name(teller.url("Table")).send().await;
    assert!(refused.is_err(), "it is protected: {refused:?}");
}

fn looks_around(shell: &Shell) {
    let reviews = shell.ran(&["reviews"]);
    let review = reviews["reviews"][0]["review_id"].as_str().expect("a review").to_owned();
    let shown = shell.ran(&["show", &review]);
    assert_eq!((&shown["review_id"], &shown["verified"]["verified"]), (&json!(review), &json!(true)), "{shown}");
    assert_eq!(shown["versions"].as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(shell.ran(&["verify"])["reviews"][0]["verified"], true);
    let why = shell.ran(&["why", &review]);
    assert_eq!(why["review_id"], json!(review), "{why}");
    for (question, part) in [("waiting", "waiting"), ("stuck", "overdue")] {
        let answer = shell.ran(&[question]);
        assert!(answer[part].is_array(), "{question}: {answer}");
    }
    let refused = shell.run(&["show", "RR-404"]).expect_err("there is none");
    assert!(refused.contains("RR-404: there is no such review"), "{refused}");
}

fn invokes(shell: &Shell) {
    let tick = shell.file("tick.json", "{\"time\":\"2026-11-03T08:00:00Z\"}");
    assert_eq!(shell.ran(&["invoke", "tick", &tick]), Value::Null);
    let refused = shell.run(&["invoke", "tock", &tick]).expect_err("there is none");
    assert!(refused.contains("found \"tock\""), "{refused}");
    // What the function itself says of an event that it cannot read.
    let nameless = shell.file("nameless.json", "{\"Records\":[{\"body\":\"{}\"}]}");
    let failed = shell.run(&["invoke", "refresh", &nameless]).expect_err("no batch");
    assert!(failed.contains("Records[0].messageId: expected an id, found none"), "{failed}");
}

/// The messages of a change, kept from their functions until they are dead letters: sent again, the change is done; sent
/// again once more, as after an answer that got lost, nothing is done at all.
async fn redrives(teller: &Teller, shell: &Shell, rest: &[holdpoint::replay::scenario::Line]) {
    for (function, ..) in QUEUES {
        teller.bundle.read_queue(function, false).await.expect("the mapping, off");
    }
    // Each function's work makes the next one's messages, so they are buried and sent again stage by stage.
    shell.ran(&["send", &shell.file("change.jsonl", &events(rest))]);
    let mut buried = Vec::new();
    for (function, queue, dead) in QUEUES {
        let messages = taken(teller, queue).await;
        assert!(!messages.is_empty(), "{queue}: nothing to bury");
        bury(teller, dead, &messages, "first").await;
        let answer = shell.ran(&["redrive"]);
        assert_eq!(answer["sent_again"], json!(messages.len()), "{answer}");
        teller.bundle.read_queue(function, true).await.expect("the mapping, on");
        empty(teller, queue).await;
        buried.push((dead, messages));
    }
    teller.rest("the change, redriven").await;
    let (before, mails) = (items(teller).await, teller.bundle.cloud.mails().await.expect("the mails"));
    assert!(mails.len() > 1, "the change was told: {mails:#?}");
    for time in ["second", "third"] {
        let mut all = 0;
        for (dead, messages) in &buried {
            bury(teller, dead, messages, time).await;
            all += messages.len();
        }
        assert_eq!(shell.ran(&["redrive"])["sent_again"], json!(all));
        teller.rest(time).await;
        let after = items(teller).await;
        let changed: Vec<_> = after
            .iter()
            .filter(|(key, item)| before.get(*key) != Some(item))
            .map(|(key, item)| (before.get(key), item))
            .collect();
        let lost: Vec<_> = before.keys().filter(|key| !after.contains_key(*key)).collect();
        assert!(changed.is_empty() && lost.is_empty(), "the {time} time: changed {changed:#?}, lost {lost:?}");
        assert_eq!(teller.bundle.cloud.mails().await.expect("the mails"), mails, "the {time} time");
    }
}

/// A refused event carries its faults; what failed too often is explained by the log of the function that handed it back.
async fn tells_why(teller: &Teller, shell: &Shell) {
    shell.ran(&["send", &shell.file("bad.json", "{\"specversion\":\"1.0\",\"id\":7}")]);
    // Five deliveries, three minutes apart, are not what is shown here.
    let soon = teller.sqs.set_queue_attributes().queue_url(teller.url("RefreshQueue"));
    soon.attributes(QueueAttributeName::VisibilityTimeout, "1").send().await.expect("set");
    let poison = teller.sqs.send_message().queue_url(teller.url("RefreshQueue")).message_body("no request");
    poison.message_group_id("RR-X").message_deduplication_id("poison").send().await.expect("sent");
    for _ in 0..ASKED {
        let (refused, failed) =
            (teller.waiting("SourceEventsDeadLettersQueue").await, teller.waiting("RefreshDeadLettersQueue").await);
        if refused == 1 && failed == 1 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    let listed = shell.ran(&["redrive", "--list"]);
    // To look takes nothing away from the next look; that SQS counts it as a delivery is all.
    let again = shell.ran(&["redrive", "--list"]);
    for dead in ["source-events-dlq", "refresh-dlq.fifo"] {
        assert_eq!(letters(&again, dead)[0]["message_id"], letters(&listed, dead)[0]["message_id"], "{again}");
    }
    let refused = letters(&listed, "source-events-dlq");
    assert!(refused[0]["why"].as_str().is_some_and(|why| why.contains("$.id")), "{listed}");
    let failed = letters(&listed, "refresh-dlq.fifo");
    let why = failed[0]["why"].as_str().unwrap_or_default();
    // What was being done, and what was expected: as the function's log has it, which repeats nothing of what it found.
    assert!(why.contains("reading a refresh") && why.contains("expected a message of ours"), "{listed}");
    assert_eq!(letters(&listed, "notices-dlq").len(), 0, "{listed}");
}

/// What an operator does in person: dead letters go with who and why, somebody is mailed once more, the review is closed. Then
/// everything is archived, by whoever may do that alone.
async fn acts(teller: &Teller, shell: &Shell) {
    teller.forgive();
    let who = ["--as", "duty@example.com", "--reason", "It is night.", "--yes"];
    let listed = shell.ran(&["redrive", "--list"]);
    for (queue, count) in [("source-events-dlq", 1), ("refresh-dlq.fifo", 1)] {
        let letters = letters(&listed, queue);
        assert_eq!(letters.len(), count, "{listed}");
        let id = letters[0]["message_id"].as_str().expect("an id").to_owned();
        let done = shell.ran(&[&["discard", &id], &who[..]].concat());
        assert_eq!((&done["discarded"]["message_id"], done["queue"].as_str()), (&json!(id), Some(queue)), "{done}");
    }
    let seen = shell.ran(&["events", "--disposition", "discarded"]);
    assert_eq!(seen["events"].as_array().map(Vec::len), Some(2), "{seen}");
    assert_eq!(seen["events"][0]["reasons"][0], "by duty@example.com: It is night.", "{seen}");

    let reviews = shell.ran(&["reviews"]);
    let review = reviews["reviews"][0]["review_id"].as_str().expect("a review").to_owned();
    let owner = reviews["reviews"][0]["pending"]["adopter"].as_str().expect("a proposal that waits").to_owned();
    let mails = async || teller.bundle.cloud.mails().await.expect("the mails").len();
    let before = mails().await;
    let source = ["--source", OPERATORS];
    let resent = shell.ran(&[&["resend", &review, &owner], &who[..], &source].concat());
    assert_eq!(resent["result"], "resent", "{resent}");
    teller.rest("a mail once more").await;
    assert_eq!(mails().await, before + 1, "one mail, to {owner}");
    let told = shell.ran(&["told", &owner]);
    let mails = told["reviews"][0]["mails"].as_array().map_or(0, Vec::len);
    assert!(mails >= 2, "the proposal, and once more: {told}");
    let reset = shell.ran(&[&["reset", "evidence", "CHG0031337/integration-tests"], &who[..], &source].concat());
    assert_eq!(reset["sent"]["events"][0]["disposition"], "applied", "{reset}");
    let decide = ["decide", &review, "decline_stand", "--as-operator"];
    let decided = shell.ran(&[&decide[..], &who[..], &source].concat());
    assert_eq!(decided["sent"]["events"][0]["disposition"], "applied", "{decided}");
    teller.rest("decided").await;
    let decided = shell.ran(&["reviews"]);
    assert!(decided["reviews"][0]["pending"].is_null(), "{decided}");
    let closed = shell.ran(&[&["close", &review], &who[..], &source].concat());
    assert_eq!(closed["result"], "recorded", "{closed}");
    teller.rest("closed").await;

    let mover = Shell::of(&teller.bundle, "mover", "MayMovePolicy").await;
    let file = mover.file("moved.jsonl", "");
    std::fs::remove_file(&file).expect("a name alone");
    let archived = mover.ran(&["archive", &file]);
    assert_eq!(archived["reviews"].as_object().map(serde_json::Map::len), Some(1));
    let refused = mover.run(&["import", &file]).expect_err("the table is not empty");
    assert!(!refused.contains("AccessDenied") && !refused.contains("not authorized"), "{refused}");
    moves(teller, &mover, &file, &archived).await;
}

/// From the deployment to one machine, and from there into the deployment's table, which is empty by then: every lineage is
/// verified on both ends, and item for item all is as it was.
async fn moves(teller: &Teller, mover: &Shell, file: &str, archived: &Value) {
    let before = items(teller).await;
    let data = ["--data", "moved"];
    let here = |words: &[&str]| mover.here(&[words, &data[..]].concat());
    assert_eq!(here(&["import", file])["reviews"], archived["reviews"]);
    let verified = here(&["verify"]);
    assert_eq!(
        (verified["reviews"].as_array().map(Vec::len), &verified["reviews"][0]["verified"]),
        (Some(1), &json!(true))
    );
    let back = mover.file("back.jsonl", "");
    std::fs::remove_file(&back).expect("a name alone");
    assert_eq!(here(&["archive", &back])["reviews"], archived["reviews"]);
    let emptied = empties(teller).await;
    assert!(emptied > before.len(), "{emptied} items");
    let imported = mover.ran(&["import", &back]);
    assert_eq!((&imported["reviews"], &imported["items"]), (&archived["reviews"], &archived["items"]), "{imported}");
    assert_eq!(items(teller).await, before);
    assert_eq!(teller.store.reviews().await.expect("the reviews").whole().expect("every review reads").len(), 1);
}

/// Takes everything out of the table, with rights that nobody of the template has. Answers how many items there were.
async fn empties(teller: &Teller) -> usize {
    let dynamodb = aws_sdk_dynamodb::Client::new(&teller.bundle.cloud.sdk_config());
    let mut pages = dynamodb.scan().table_name(teller.url("Table")).into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        all.push(item.expect("an item"));
    }
    for item in &all {
        let gone = dynamodb.delete_item().table_name(teller.url("Table"));
        let gone = gone.key("pk", item["pk"].clone()).key("sk", item["sk"].clone());
        gone.send().await.expect("deleted");
    }
    all.len()
}
