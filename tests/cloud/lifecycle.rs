//! A binary's life under the Lambda runtime API: what it answers for batches that go well in part, late or not at all,
//! and how it ends. The services are ministack's.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::PathBuf,
    sync::{OnceLock, mpsc},
    time::Duration,
};

use holdpoint::topology::Topology;
use holdpoint_tests::{
    cloud::{
        binaries,
        ministack::{Ministack, Options, create_table},
        runtime::{Process, RuntimeApi, Said},
        stack::LINK_KEYS,
    },
    repository,
};
use serde_json::{Value, json};

const TABLE: &str = "packets";
/// A whole function time-out.
const AMPLE: Duration = Duration::from_secs(30);

fn program(function: &str) -> PathBuf {
    static BUILT: OnceLock<std::collections::BTreeMap<&'static str, PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| binaries::built().expect("seven programs"))[function].clone()
}

/// `refresh` with its services, waiting for work.
struct Running {
    api: RuntimeApi,
    process: Process,
    _cloud: Ministack,
}

async fn refresh() -> Running {
    let program = program("refresh");
    let cloud = Ministack::start(Options::default()).await.expect("ministack");
    let topology = Topology::of_the_bundle().expect("a topology");
    create_table(&cloud, TABLE, &topology.table.definition).await.expect("a table");
    let sqs = aws_sdk_sqs::Client::new(&cloud.sdk_config());
    let notices = sqs.create_queue().queue_name("notices").send().await.expect("a queue");
    let policy = repository().join("infra/policy.json");
    let mut api = RuntimeApi::start().await.expect("the runtime API");
    let variables = [
        ("AWS_ENDPOINT_URL", cloud.endpoint()),
        ("TABLE", TABLE.to_owned()),
        ("NOTICES_QUEUE_URL", notices.queue_url.unwrap_or_default()),
        ("MAIL_DOMAIN", "example.com".to_owned()),
        ("POLICY_FILE", policy.display().to_string()),
    ];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let process = api.spawn(&program, &variables).expect("a process");
    api.wanted().await.expect("a first question for work");
    Running { api, process, _cloud: cloud }
}

/// A batch as the mapping of a FIFO queue sends it: an id, a group and a body a record.
fn batch(records: &[(&str, &str, &str)]) -> Value {
    let records: Vec<Value> = records
        .iter()
        .map(|(id, group, body)| {
            json!({
                "messageId": id, "receiptHandle": id, "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1", "SentTimestamp": "1793692800000", "SenderId": "test",
                    "ApproximateFirstReceiveTimestamp": "1793692800000", "MessageGroupId": group,
                    "MessageDeduplicationId": id, "SequenceNumber": "1",
                },
                "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:refresh.fifo", "awsRegion": "eu-central-1",
            })
        })
        .collect();
    json!({ "Records": records })
}

fn request(review: &str) -> String {
    json!({ "review": review, "at": "2026-11-03T08:00:00Z" }).to_string()
}

/// The ids that are to come again.
fn failed(said: Said) -> Vec<String> {
    let Said::Response(response) = said else { panic!("expected a response, found {said:?}") };
    let failures =
        response["batchItemFailures"].as_array().unwrap_or_else(|| panic!("expected failures in {response}"));
    failures.iter().map(|one| one["itemIdentifier"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_fails_comes_again_alone_and_with_the_rest_of_its_group() {
    let running = refresh().await;
    let (a, b, c) = (request("RR-A"), request("RR-B"), request("RR-C"));
    let records =
        [("1", "RR-A", a.as_str()), ("2", "RR-B", "no request"), ("3", "RR-C", c.as_str()), ("4", "RR-B", b.as_str())];
    let said = running.api.invoke(batch(&records), AMPLE).await.expect("an answer");
    let mut failed = failed(said);
    failed.sort();
    assert_eq!(failed, ["2", "4"]);
    // The process is none the worse for it.
    let said = running.api.invoke(batch(&records[..1]), AMPLE).await.expect("an answer");
    assert_eq!(said, Said::Response(json!({ "batchItemFailures": [] })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_begun_in_time_comes_again() {
    let running = refresh().await;
    let (a, b) = (request("RR-A"), request("RR-B"));
    let records = [("1", "RR-A", a.as_str()), ("2", "RR-B", b.as_str())];
    // Less is left than a record is begun with.
    let said = running.api.invoke(batch(&records), Duration::from_secs(1)).await.expect("an answer");
    let mut failed = failed(said);
    failed.sort();
    assert_eq!(failed, ["1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_cannot_be_read_fails_whole() {
    let running = refresh().await;
    let mut nameless = batch(&[("1", "RR-A", "{}")]);
    nameless["Records"][0].as_object_mut().expect("a record").remove("messageId");
    let said = running.api.invoke(nameless, AMPLE).await.expect("an answer");
    assert!(matches!(said, Said::Error(_)), "{said:?}");
}

/// A record that panics, in a real process: the shell is every function's, the handler is this suite's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_the_failure_of_its_record_alone() {
    let mut api = RuntimeApi::start().await.expect("the runtime API");
    let process = api.spawn(&binaries::example().expect("the example"), &[]).expect("a process");
    api.wanted().await.expect("a first question for work");
    let records =
        [("1", "A", "fine"), ("2", "B", "panic"), ("3", "C", "fine"), ("4", "D", "fail"), ("5", "E", "panic")];
    let said = api.invoke(batch(&records), AMPLE).await.expect("an answer");
    assert_eq!(failed(said), ["2", "4", "5"]);
    // The same process goes on.
    let said = api.invoke(batch(&records[..1]), AMPLE).await.expect("an answer");
    assert_eq!(said, Said::Response(json!({ "batchItemFailures": [] })));
    process.terminate().expect("told");
    let log = String::from_utf8_lossy(&process.ended().await.expect("its end").stdout).into_owned();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let panicked = lines.iter().filter(|line| line["message"] == "panicked").count();
    assert_eq!(panicked, 2, "each with its place: {log}");
    assert!(log.contains("panicking.rs:") && !log.contains("secret words"), "its words may quote anything: {log}");
}

/// The record that is at work when time is nearly over is cut off, and what comes after it is not begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_in_the_middle_of_a_batch_hands_back_what_is_not_done() {
    let mut api = RuntimeApi::start().await.expect("the runtime API");
    let _process = api.spawn(&binaries::example().expect("the example"), &[]).expect("a process");
    api.wanted().await.expect("a first question for work");
    let records = [("1", "A", "fine"), ("2", "B", "sleep"), ("3", "C", "fine")];
    // More than a record is begun with, and far less than the second takes.
    let said = api.invoke(batch(&records), Duration::from_secs(6)).await.expect("an answer");
    assert_eq!(failed(said), ["2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_it_is_told_to() {
    let Running { api: _api, process, _cloud } = refresh().await;
    process.terminate().expect("told");
    // Nothing it did is unfinished: it holds no message, and what it wrote it wrote whole.
    process.ended().await.expect("its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_settings_it_names_every_one_that_is_missing() {
    let api = RuntimeApi::start().await.expect("the runtime API");
    for (function, names) in [
        ("ingest", &["TABLE", "REFRESH_QUEUE_URL", "SOURCE_EVENTS_DLQ_URL", "POLICY_FILE"][..]),
        ("notify", &["TABLE", "LINK_KEYS", "ADOPT_LINK_BASE", "ACKNOWLEDGE_LINK_BASE", "MAIL_FROM", "POLICY_FILE"]),
        ("adopt", &["TABLE", "NOTICES_QUEUE_URL", "LINK_KEYS", "POLICY_FILE"]),
        ("tick", &["TABLE", "REFRESH_QUEUE_URL", "NOTICES_QUEUE_URL"]),
        ("poll", &["TABLE", "SOURCE_EVENTS_QUEUE_URL", "POLICY_FILE"]),
    ] {
        let process = api.spawn(&program(function), &[("LAMBDA_TASK_ROOT", "/absent")]).expect("a process");
        let done = process.ended().await.expect("its end");
        assert!(!done.status.success(), "{function} started without settings");
        let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        for name in names {
            assert!(said.contains(name), "{function}: expected {name} in {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_connections_are_open_before_it_asks_for_work() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
    let (heard, knocks) = mpsc::channel();
    // Ends with the process: nobody else connects.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let heard = heard.clone();
            std::thread::spawn(move || {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let first = lines.next().unwrap_or_default();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let _ = heard.send(first);
                let _ = (&stream).write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
            });
        }
    });
    let policy = repository().join("infra/policy.json").display().to_string();
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("TABLE", TABLE),
        ("REFRESH_QUEUE_URL", "https://sqs.example.com/0/refresh.fifo"),
        ("LINK_KEYS", LINK_KEYS),
        ("ADOPT_LINK_BASE", "https://adopt.example.com"),
        ("ACKNOWLEDGE_LINK_BASE", "https://acknowledge.example.com"),
        ("MAIL_FROM", "holdpoint@example.com"),
        ("MAIL_DOMAIN", "example.com"),
        ("POLICY_FILE", &policy),
    ];
    let mut api = RuntimeApi::start().await.expect("the runtime API");
    let _process = api.spawn(&program("notify"), &variables).expect("a process");
    let asked = tokio::time::timeout(AMPLE, api.wanted()).await;
    asked.expect("a question before a function would be given up").expect("a first question for work");
    // The store's and the mailer's: heard before the question, so they are here.
    assert_eq!(knocks.try_iter().collect::<Vec<_>>(), ["GET / HTTP/1.1"; 2]);
}
