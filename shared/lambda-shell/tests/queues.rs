//! Sending, through the SDK's own client: what goes over the wire, and what is made of each kind of answer.

use std::sync::{Arc, Mutex};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use lambda_shell::{
    jitter::Jitter,
    queue::{MOST_BYTES, Outgoing, Queue},
};
use serde_json::{Value, json};

/// Answers each call as the script says and keeps what was asked.
#[derive(Clone, Debug)]
struct Scripted(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: Vec<(u16, Value)>,
    asked: Vec<Value>,
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut state = self.0.lock().unwrap();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        // Unscripted: everything went through.
        let everything = || {
            let entries = body["Entries"].as_array().cloned().unwrap_or_default();
            let sent: Vec<Value> = entries
                .iter()
                .map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" }))
                .collect();
            (200, json!({ "MessageId": "m", "Successful": sent, "Failed": [] }))
        };
        let (status, answer) = if state.answers.is_empty() { everything() } else { state.answers.remove(0) };
        state.asked.push(body);
        let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer.to_string()));
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl HttpClient for Scripted {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn queue(name: &str, answers: Vec<(u16, Value)>) -> (Queue, Scripted) {
    let wire = Scripted(Arc::new(Mutex::new(State { answers, asked: Vec::new() })));
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(wire.clone())
        .build();
    let url = format!("https://sqs.eu-west-1.amazonaws.com/000000000000/{name}");
    (Queue::new(aws_sdk_sqs::Client::from_conf(config), url, Jitter::seeded(1)), wire)
}

fn asked(wire: &Scripted) -> Vec<Value> {
    wire.0.lock().unwrap().asked.clone()
}

fn message(body: &str) -> Outgoing {
    Outgoing { body: body.into(), ..Outgoing::default() }
}

#[tokio::test]
async fn one_message_with_everything() {
    let (queue, wire) = queue("notices", vec![]);
    let outgoing = Outgoing {
        group: Some("RR-1".into()),
        delay_seconds: 120,
        attributes: vec![("trace".into(), "t".into())],
        ..Outgoing::json(&json!({ "review": "RR-1\u{ffff}" })).unwrap()
    };
    queue.send(outgoing).await.unwrap();
    let sent = &asked(&wire)[0];
    assert_eq!(sent["MessageBody"], r#"{"review":"RR-1\uffff"}"#);
    assert_eq!(sent["MessageGroupId"], "RR-1");
    assert_eq!(sent["DelaySeconds"], 120);
    assert_eq!(sent["MessageAttributes"]["trace"], json!({ "StringValue": "t", "DataType": "String" }));
    assert_eq!(sent.get("MessageDeduplicationId"), None);
}

#[tokio::test]
async fn an_odd_attribute_does_not_keep_a_message_from_being_sent() {
    let (queue, wire) = queue("dead", vec![]);
    let with = |attributes: &[(&str, &str)]| Outgoing {
        attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..message("x")
    };
    queue.send(with(&[("empty", ""), ("odd", "a\u{0}b\u{ffff}")])).await.unwrap();
    queue.send(with(&[("empty", "")])).await.unwrap();
    let sent = asked(&wire);
    assert_eq!(
        sent[0]["MessageAttributes"],
        json!({ "odd": { "StringValue": "a\u{fffd}b\u{fffd}", "DataType": "String" } })
    );
    assert_eq!(sent[1].get("MessageAttributes"), None);
}

#[tokio::test]
async fn a_fifo_message_is_known_by_its_content() {
    let (queue, wire) = queue("refresh.fifo", vec![]);
    for body in ["x", "x", "y"] {
        queue.send(message(body).in_group("RR-1")).await.unwrap();
    }
    let ids: Vec<Value> = asked(&wire).iter().map(|sent| sent["MessageDeduplicationId"].clone()).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    assert!(asked(&wire).iter().all(|sent| sent.get("DelaySeconds").is_none()), "a FIFO queue refuses the member");
}

#[tokio::test]
async fn a_group_that_sqs_would_refuse_is_sent_as_its_digest() {
    let (queue, wire) = queue("refresh.fifo", vec![]);
    let digest = |group: &str| group.starts_with("sha256:") && group.len() == 71;
    let posing = format!("sha256:{}", "0".repeat(64));
    let odd = ["naïve", "with blank", &"x".repeat(129), &posing];
    for group in odd.iter().chain(&["plain#/%"]) {
        queue.send(message("b").in_group(*group)).await.unwrap();
    }
    let groups: Vec<String> = asked(&wire).iter().map(|sent| sent["MessageGroupId"].as_str().unwrap().into()).collect();
    assert!(groups[..4].iter().all(|group| digest(group)), "{groups:?}");
    assert_ne!(groups[3], posing);
    assert_eq!(groups[4], "plain#/%");
}

#[tokio::test]
async fn many_go_by_ten_and_by_size() {
    let (queue, wire) = queue("notices", vec![]);
    queue.send_all((0..23).map(|n| message(&n.to_string())).collect()).await.unwrap();
    let big = "x".repeat(MOST_BYTES / 2);
    queue.send_all(vec![message(&big), message(&big), message("one more")]).await.unwrap();
    queue.send_all(Vec::new()).await.unwrap();
    let sizes: Vec<usize> = asked(&wire).iter().map(|call| call["Entries"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [10, 10, 3, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn every_entry_that_failed_is_followed() {
    let partly = json!({
        "Successful": [{ "Id": "0", "MessageId": "m", "MD5OfMessageBody": "" }],
        "Failed": [{ "Id": "1", "SenderFault": false, "Code": "InternalError" }]
    });
    // The second answer names neither as sent nor as failed: not named is not sent.
    let silent = json!({ "Successful": [], "Failed": [] });
    let (queue, wire) = queue("notices", vec![(200, partly), (200, silent)]);
    queue.send_all(vec![message("a"), message("b"), message("c")]).await.unwrap();
    let bodies: Vec<Vec<String>> = asked(&wire)
        .iter()
        .map(|call| {
            call["Entries"].as_array().unwrap().iter().map(|e| e["MessageBody"].as_str().unwrap().into()).collect()
        })
        .collect();
    assert_eq!(bodies, [vec!["a", "b", "c"], vec!["b", "c"], vec!["b", "c"]]);
}

#[tokio::test(start_paused = true)]
async fn what_never_goes_through_is_an_error_that_says_so() {
    let refused =
        json!({ "Successful": [], "Failed": [{ "Id": "0", "SenderFault": true, "Code": "InvalidMessageContents" }] });
    let (one, _) = queue("notices", vec![(200, refused)]);
    let error = one.send_all(vec![message("a")]).await.unwrap_err();
    assert_eq!(error.to_string(), "sending to the queue notices: refused: InvalidMessageContents");
    assert!(!error.is_retryable());

    let busy = json!({ "Successful": [], "Failed": [{ "Id": "0", "SenderFault": false, "Code": "InternalError" }] });
    let (two, wire) = queue("notices", vec![(200, busy); 5]);
    let error = two.send_all(vec![message("a")]).await.unwrap_err();
    assert_eq!(error.to_string(), "sending to the queue notices: 1 entries still fail after 5 rounds");
    assert!(error.is_retryable());
    assert_eq!(asked(&wire).len(), 5);
}

#[tokio::test]
async fn what_sqs_would_refuse_is_named_before_it_is_asked() {
    let over = Outgoing { delay_seconds: 901, ..message("x") };
    let late = Outgoing { delay_seconds: 1, ..message("x").in_group("g") };
    for (name, outgoing, expected) in [
        ("q", message(""), "expected a message of 1 to 1048576 bytes, found 0"),
        ("q", message(&"x".repeat(MOST_BYTES + 1)), "expected a message of 1 to 1048576 bytes, found 1048577"),
        ("q", message("a\u{1}"), "expected characters that SQS allows, found U+0001"),
        ("q", over, "expected a delay of at most 900 s, found 901"),
        ("q", message("x").in_group("g"), "a standard queue deduplicates nothing"),
        ("q.fifo", message("x"), "expected a group for a FIFO queue, found none"),
        ("q.fifo", late, "a FIFO queue delays no single message"),
    ] {
        let (queue, wire) = queue(name, vec![]);
        let error = queue.send(outgoing).await.unwrap_err();
        assert_eq!(error.to_string(), format!("sending to the queue {name}: {expected}"));
        assert!(asked(&wire).is_empty());
    }
}
