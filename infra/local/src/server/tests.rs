//! The doors on loopback: who may come in, and what a request is told.

mod named;
mod public;
mod webhooks;

use axum::{
    body::Body,
    http::{Request, StatusCode, response::Parts},
};
use http_body_util::BodyExt;
use lambda_shell::clock::Clock;
use serde_json::{Value, json};
use tower_service::Service;

use super::router;
use crate::engine::{Engine, Settings};

const HOST: &str = "127.0.0.1:8420";

const TOKEN: &str = "the-operator-of-this-test";

async fn engine() -> Engine {
    let operator_token = TOKEN.to_owned();
    let source_secrets = json!({ "ci": SECRET }).to_string();
    let settings = Settings { operator_token, source_secrets, ..Settings::in_memory(policy()) };
    Engine::open(settings, Clock::system()).await.unwrap()
}

/// The deployment's policy, and a hook.
fn policy() -> String {
    let mut policy: Value = serde_json::from_str(include_str!("../../../policy.json")).unwrap();
    let native = policy["native"].as_array_mut().unwrap();
    native.retain(|binding| binding["format"] != "github.workflow_run");
    native.push(json!({
        "name": "ci", "format": "github.workflow_run", "source": "//evidence.example.com", "repository": "example/identity",
        "workflow": ".github/workflows/it.yml", "branch": "release/*", "change_id": "*", "checkpoint": "hooked",
        "hook": { "secret": "ci", "proof": "shared_secret" },
    }));
    policy.to_string()
}

const SECRET: &str = "a secret of enough bytes";

/// With as many events waiting as may, each door says so and takes none; what was taken before stays.
#[tokio::test]
async fn with_too_many_events_waiting_no_door_takes_more() {
    let engine = engine().await;
    let limits = crate::limits::Limits { waiting_events: 2, request: 1_048_576, ..engine.limits() };
    engine.renew(Settings { limits, ..engine.settings().clone() }).unwrap();
    let events = || post("/events").header("content-type", "application/cloudevents+json");
    for (id, status) in
        [("1", StatusCode::ACCEPTED), ("2", StatusCode::ACCEPTED), ("3", StatusCode::SERVICE_UNAVAILABLE)]
    {
        let (parts, body) = answer(&engine, events(), event(id, "UTC").to_string()).await;
        let said = String::from_utf8(body).unwrap();
        assert_eq!(parts.status, status, "{said}");
        assert_eq!(said.contains("waiting_events is 2"), status == StatusCode::SERVICE_UNAVAILABLE, "{said}");
        assert_eq!(parts.headers.contains_key("retry-after"), status == StatusCode::SERVICE_UNAVAILABLE);
    }
    let hook =
        post("/hooks/ci").header("x-github-event", "workflow_run").header("authorization", format!("Bearer {SECRET}"));
    assert_eq!(ask(&engine, hook, "{}".to_owned()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    let sent =
        crate::operator::perform(&engine, crate::operator::Request::Send(vec![event("4", "UTC").to_string()])).await;
    assert!(sent.unwrap_err().why().contains("waiting_events is 2"));
    assert_eq!(waiting(&engine), 2);
    let wrong = engine.wrong().await;
    assert!(wrong.iter().any(|line| line.contains("waiting_events")), "{wrong:?}");
    // The longest body is the settings' too.
    let (status, problem) = ask(&engine, events(), " ".repeat(1_048_577)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(problem["title"].as_str().unwrap().contains("1048576 bytes"), "{problem}");
}

async fn ask(engine: &Engine, request: axum::http::request::Builder, body: String) -> (StatusCode, Value) {
    let (parts, bytes) = answer(engine, request, body).await;
    (parts.status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

async fn answer(engine: &Engine, request: axum::http::request::Builder, body: String) -> (Parts, Vec<u8>) {
    let mut router = router(engine.clone(), vec![HOST.to_owned()]);
    let response = router.call(request.body(Body::from(body)).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts, body.collect().await.unwrap().to_bytes().to_vec())
}

fn by(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", HOST)
}

fn operators(request: axum::http::request::Builder) -> axum::http::request::Builder {
    request.header("authorization", format!("Bearer {TOKEN}"))
}

fn post(path: &str) -> axum::http::request::Builder {
    Request::post(path).header("host", HOST)
}

fn event(id: &str, time_zone: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "//person.example.com", "type": "dev.holdpoint.person.updated.v1",
        "data": { "person": "a@example.com", "revision": 1, "name": "A", "time_zone": time_zone },
    })
}

fn waiting(engine: &Engine) -> usize {
    engine.queues().look("source-events").unwrap().len()
}

#[tokio::test]
async fn an_event_is_accepted_once_it_is_on_the_queue() {
    let engine = engine().await;
    let request = post("/events").header("content-type", "application/cloudevents+json");
    let (status, answer) = ask(&engine, request, event("p1", "UTC").to_string()).await;
    assert_eq!((status, answer), (StatusCode::ACCEPTED, json!({ "accepted": 1 })));
    assert_eq!(waiting(&engine), 1);
}

#[tokio::test]
async fn binary_mode_becomes_the_same_event() {
    let engine = engine().await;
    let request = post("/events")
        .header("content-type", "application/json")
        .header("ce-specversion", "1.0")
        .header("ce-id", "p1")
        .header("ce-source", "//person.example.com")
        .header("ce-type", "dev.holdpoint.person.updated.v1");
    let (status, _) = ask(&engine, request, event("p1", "UTC")["data"].to_string()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let body = &engine.queues().look("source-events").unwrap()[0].body;
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["id"], &body["data"]["time_zone"]), (&json!("p1"), &json!("UTC")));
}

#[tokio::test]
async fn a_batch_with_a_bad_event_is_refused_whole_with_every_fault() {
    let engine = engine().await;
    let mut bad = event("p2", "Mars");
    bad["data"]["revision"] = json!("one");
    let batch = json!([event("p1", "UTC"), bad]).to_string();
    let request = post("/events").header("content-type", "application/cloudevents-batch+json");
    let (status, problem) = ask(&engine, request, batch).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let mut places: Vec<(u64, &str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["event"].as_u64().unwrap(), error["id"].as_str().unwrap(), error["path"].as_str().unwrap()))
        .collect();
    places.sort_unstable();
    assert_eq!(places, [(1, "p2", "$.data.revision"), (1, "p2", "$.data.time_zone")]);
    assert_eq!(waiting(&engine), 0);
}

#[tokio::test]
async fn other_hosts_and_other_sites_are_kept_out() {
    let engine = engine().await;
    let body = || event("p1", "UTC").to_string();
    let rebound = Request::post("/events").header("host", "evil.example");
    assert_eq!(ask(&engine, rebound, body()).await.0, StatusCode::MISDIRECTED_REQUEST);
    let none = Request::get("/reviews");
    assert_eq!(ask(&engine, none, String::new()).await.0, StatusCode::MISDIRECTED_REQUEST);
    let cross = post("/events").header("sec-fetch-site", "cross-site");
    assert_eq!(ask(&engine, cross, body()).await.0, StatusCode::FORBIDDEN);
    for origin in ["https://evil.example", "null", "http://127.0.0.1:9999"] {
        let foreign = post("/operator/redrive").header("origin", origin);
        assert_eq!(ask(&engine, foreign, String::new()).await.0, StatusCode::FORBIDDEN, "{origin}");
    }
    let own = operators(post("/operator/reviews")).header("origin", format!("http://{HOST}"));
    let own = own.header("content-type", "application/json");
    assert_eq!(ask(&engine, own, "null".to_owned()).await.0, StatusCode::OK);
    assert_eq!(waiting(&engine), 0);
}

#[tokio::test]
async fn pages_answer_and_what_is_nobodys_is_not_found() {
    let engine = engine().await;
    let get = |path: &str| operators(by("GET", path));
    for path in ["/reviews", "/mailbox", "/health"] {
        assert_eq!(ask(&engine, get(path), String::new()).await.0, StatusCode::OK, "{path}");
    }
    for path in [
        "/reviews/RR-404",
        "/mailbox/7",
        "/mailbox/x",
        "/mailbox/7.eml",
        "/mailbox/7/html",
        "/adopt/nothing",
        "/acknowledge/nothing",
        "/x",
    ] {
        assert_eq!(ask(&engine, get(path), String::new()).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

/// Every page and command of the operator's, each with who may have it.
const OPERATORS: [(&str, &str); 8] = [
    ("GET", "/"),
    ("GET", "/reviews"),
    ("GET", "/reviews/RR-404"),
    ("GET", "/mailbox"),
    ("GET", "/mailbox/7"),
    ("GET", "/mailbox/7.eml"),
    ("GET", "/mailbox/7/html"),
    ("POST", "/operator/reviews"),
];

#[tokio::test]
async fn the_operators_pages_need_the_stores_token() {
    let engine = engine().await;
    let cookie = format!("holdpoint-8420={TOKEN}");
    for (method, path) in OPERATORS {
        let strangers = [
            ("authorization", "Bearer ".to_owned()),
            ("authorization", format!("Bearer {}x", &TOKEN[..TOKEN.len() - 1])),
            ("authorization", TOKEN.to_owned()),
            ("cookie", "holdpoint-8420=".to_owned()),
            ("cookie", format!("holdpoint-8421={TOKEN}")),
            ("cookie", "holdpoint-8420=nothing".to_owned()),
        ];
        for (name, value) in strangers {
            let (parts, body) = answer(&engine, by(method, path).header(name, value.clone()), String::new()).await;
            assert_eq!(parts.status, StatusCode::UNAUTHORIZED, "{method} {path} {name} {value}");
            assert!(String::from_utf8_lossy(&body).contains("operator-token"), "{path}: what to do");
        }
        assert_eq!(ask(&engine, by(method, path), String::new()).await.0, StatusCode::UNAUTHORIZED, "{method} {path}");
        for (name, value) in [("authorization", format!("Bearer {TOKEN}")), ("cookie", format!("a=b; {cookie}"))] {
            let (status, _) = ask(&engine, by(method, path).header(name, value), String::new()).await;
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{method} {path} by {name}");
        }
    }
    for path in ["/health", "/adopt/nothing", "/acknowledge/nothing"] {
        assert_ne!(ask(&engine, by("GET", path), String::new()).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    // A mailed link to a workspace is its reader's.
    let link = format!("/reviews/{}", "A".repeat(120));
    assert_eq!(ask(&engine, by("GET", &link), String::new()).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_a_token_in_the_settings_nobody_is_the_operator() {
    let engine =
        Engine::open(Settings::in_memory(include_str!("../../../policy.json")), Clock::system()).await.unwrap();
    for request in
        [by("GET", "/reviews"), by("GET", "/reviews?token="), by("GET", "/reviews").header("cookie", "holdpoint-8420=")]
    {
        assert_eq!(ask(&engine, request, String::new()).await.0, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_printed_address_lets_the_browser_in_and_the_token_leaves_the_address() {
    let engine = engine().await;
    let address = super::opening(HOST, "/mailbox", TOKEN);
    let path = address.strip_prefix(&format!("http://{HOST}")).unwrap();
    for (path, then) in
        [(path.to_owned(), "/mailbox"), (format!("{path}&to=a%40b.example"), "/mailbox?to=a%40b.example")]
    {
        let (parts, body) = answer(&engine, by("GET", &path), String::new()).await;
        assert_eq!(parts.status, StatusCode::SEE_OTHER);
        assert_eq!(parts.headers["location"], then);
        assert!(body.is_empty());
        let cookie = parts.headers["set-cookie"].to_str().unwrap();
        assert_eq!(cookie, format!("holdpoint-8420={TOKEN}; Path=/; HttpOnly; SameSite=Strict"));
        let cookie = cookie.split(';').next().unwrap();
        assert_eq!(ask(&engine, by("GET", then).header("cookie", cookie), String::new()).await.0, StatusCode::OK);
    }
    let wrong = by("GET", "/mailbox?token=wrong").header("cookie", format!("holdpoint-8420={TOKEN}"));
    let (parts, _) = answer(&engine, wrong, String::new()).await;
    assert_eq!((parts.status, parts.headers.get("set-cookie")), (StatusCode::UNAUTHORIZED, None));
}

/// One answer is as long as its faults, not as its request.
#[tokio::test]
async fn a_request_that_is_too_much_is_told_so_in_a_short_answer() {
    let engine = engine().await;
    let batch = |body: String| (post("/events").header("content-type", "application/cloudevents-batch+json"), body);
    let ones = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    let large = |bytes: usize| {
        let mut event = event("p1", "UTC");
        event["data"]["note"] = json!("x".repeat(bytes));
        event.to_string()
    };
    let one = |body: String| (post("/events").header("content-type", "application/cloudevents+json"), body);
    for ((request, body), expected) in [
        (batch(ones(200_000)), StatusCode::PAYLOAD_TOO_LARGE),
        (batch(ones(4_000_000)), StatusCode::PAYLOAD_TOO_LARGE),
        (batch(ones(5_000_000)), StatusCode::PAYLOAD_TOO_LARGE),
        (batch(ones(900)), StatusCode::BAD_REQUEST),
        (one(large(1_100_000)), StatusCode::PAYLOAD_TOO_LARGE),
        (batch(format!("[{},{}]", event("p1", "UTC"), large(1_100_000))), StatusCode::PAYLOAD_TOO_LARGE),
        (one(large(9_000_000)), StatusCode::PAYLOAD_TOO_LARGE),
        (one(large(1_000_000)), StatusCode::ACCEPTED),
    ] {
        let length = body.len();
        let (parts, answer) = answer(&engine, request.header("content-length", length), body).await;
        let said = String::from_utf8_lossy(&answer);
        assert_eq!(parts.status, expected, "{length} bytes: {}", &said[..said.len().min(500)]);
        assert!(answer.len() < 40_000, "{length} bytes are answered with {}", answer.len());
        assert!(!said.contains("TransactWriteItems") && !said.contains("journal"), "{said}");
    }
    // The one good event beside one that is too large was not taken.
    assert_eq!(waiting(&engine), 1);
}

/// Whatever the contract lets a source say is taken whole, however it is written.
#[tokio::test]
async fn the_largest_legal_events_are_taken_and_kept() {
    let settings = Settings {
        durable_queues: true,
        ..Settings::in_memory(include_str!("../../../../events/scenarios/story.policy.json"))
    };
    let engine = Engine::open(settings, Clock::system()).await.unwrap();
    let interval = |index: i64| {
        let instant = |minute: i64| refresh_core::Instant::from_millis(1_800_000_000_000 + minute * 60_000);
        let at = |minute: i64| instant(minute).to_string().replace('Z', "+00:00");
        json!({ "start": at(index * 10), "end": at(index * 10 + 5), "own": index % 2 == 0 })
    };
    let calendar = |id: &str, busy: i64| {
        json!({
            "specversion": "1.0", "id": id, "source": "//availability.example.com",
            "type": "dev.holdpoint.availability.updated.v1",
            "data": {
                "person": format!("{id}@example.com"), "kind": "calendar", "revision": 1,
                "horizon": { "start": "2027-01-15T08:00:00Z", "end": "2028-01-15T08:00:00Z" },
                "busy": (0..busy).map(interval).collect::<Vec<_>>(),
            },
        })
    };
    let largest = calendar("largest", 4_000);
    assert!(largest.to_string().len() > 300_000);
    let batch: Vec<Value> = (0..50).map(|number| calendar(&format!("p{number}"), 1_050)).collect();
    let batch = Value::from(batch);
    let mut expected = 0;
    for (count, kind, body) in [
        (1, "application/cloudevents+json", largest.to_string()),
        (1, "application/cloudevents+json", serde_json::to_string_pretty(&largest).unwrap()),
        (50, "application/cloudevents-batch+json", batch.to_string()),
    ] {
        let length = body.len();
        let request = post("/events").header("content-type", kind).header("content-length", length);
        let (status, said) = ask(&engine, request, body).await;
        assert_eq!((status, said), (StatusCode::ACCEPTED, json!({ "accepted": count })), "{length} bytes");
        expected += count;
    }
    assert_eq!(waiting(&engine), expected);
    let kept = crate::queues::Journal::table(engine.embedded()).await.unwrap().read().await.unwrap();
    assert_eq!(kept.len(), expected, "durable");
}

#[tokio::test]
async fn what_the_disk_has_no_room_for_is_not_taken_and_is_the_senders_to_repeat() {
    let settings = Settings { durable_queues: true, ..Settings::in_memory(include_str!("../../../policy.json")) };
    let engine = Engine::open(settings, Clock::system()).await.unwrap();
    let mut large = event("p2", "UTC");
    large["data"]["note"] = json!("x".repeat(100_000));
    let request = || post("/events").header("content-type", "application/cloudevents-batch+json");
    let body = json!([event("p1", "UTC"), large]).to_string();
    engine.embedded().own().fill_disk(true);
    let (parts, answer) = answer(&engine, request(), body.clone()).await;
    assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(parts.headers.contains_key("retry-after"));
    let said = String::from_utf8_lossy(&answer);
    assert!(said.contains("nothing was taken") && !said.contains("full"), "{said}");
    assert_eq!(waiting(&engine), 0, "all or none");
    engine.embedded().own().fill_disk(false);
    assert_eq!(ask(&engine, request(), body).await.0, StatusCode::ACCEPTED);
    assert_eq!(waiting(&engine), 2);
}

/// Every address with methods that it does not answer, and with a body of a kind that it does not read.
#[tokio::test]
async fn what_is_asked_in_the_wrong_way_is_told_the_right_one() {
    let engine = engine().await;
    for (path, methods, allowed) in [
        ("/reviews", &["POST", "DELETE", "BREW"][..], "GET"),
        ("/mailbox/1", &["PUT", "PATCH"], "GET"),
        ("/events", &["GET", "PUT"], "POST"),
        ("/operator/reviews", &["GET", "DELETE"], "POST"),
        ("/adopt/nothing", &["PUT", "DELETE", "BREW"], "POST"),
        ("/health", &["POST"], "GET"),
    ] {
        for method in methods {
            let (parts, body) = answer(&engine, operators(by(method, path)), String::new()).await;
            assert_eq!(parts.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert!(parts.headers["allow"].to_str().unwrap().contains(allowed), "{method} {path}: {:?}", parts.headers);
            assert!(!body.is_empty(), "{method} {path} is told nothing");
        }
    }
    for (path, kind) in [("/events", "text/plain"), ("/events", "application/xml"), ("/operator/reviews", "text/plain")]
    {
        let request = operators(post(path)).header("content-type", kind);
        let (status, said) = ask(&engine, request, event("p1", "UTC").to_string()).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path} {kind}");
        assert!(said.to_string().contains("application/"), "what is expected: {said}");
    }
    let request = operators(post("/operator/send")).header("content-type", "application/json");
    let (status, said) = ask(&engine, request, "[1".to_owned()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(said["title"].as_str().unwrap().contains("expected JSON"), "{said}");
}

async fn mailed() -> Engine {
    let engine = engine().await;
    let raw = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\n\r\n\xff body \x00\r\n".to_vec();
    let to = vec!["b@example.com".to_owned()];
    let outgoing = crate::mailbox::Outgoing { from: "a@example.com".to_owned(), to, tags: Vec::new(), raw };
    engine.mailbox().send(outgoing).await.unwrap();
    engine
}

#[tokio::test]
async fn a_mail_can_be_had_as_the_file_it_is() {
    let engine = mailed().await;
    let (parts, body) = answer(&engine, operators(by("GET", "/mailbox/1.eml")), String::new()).await;
    assert_eq!(parts.status, StatusCode::OK);
    assert_eq!(body, engine.mailbox().mail(1).unwrap().raw, "byte for byte");
    assert_eq!(parts.headers["content-type"], "message/rfc822");
    assert_eq!(parts.headers["content-disposition"], "attachment; filename=\"1.eml\"");
    assert_eq!(parts.headers["x-content-type-options"], "nosniff");
    let (_, page) = answer(&engine, operators(by("GET", "/mailbox/1")), String::new()).await;
    assert!(String::from_utf8_lossy(&page).contains("href=\"/mailbox/1.eml\""), "the page leads to it");
}

/// The headers are those of GET, the body's length among them.
#[tokio::test]
async fn head_is_get_without_its_body() {
    let engine = mailed().await;
    let paths = [
        "/reviews",
        "/mailbox",
        "/mailbox/1",
        "/mailbox/1.eml",
        "/mailbox/1/html",
        "/adopt/nothing",
        "/acknowledge/nothing",
    ];
    let others = ["/reviews/nothing", "/mailbox/7", "/x", "/health", "/events", "/?token=the-operator-of-this-test"];
    for path in paths.into_iter().chain(others) {
        let request =
            |method: &str| if path.contains("token") { by(method, path) } else { operators(by(method, path)) };
        let (get, body) = answer(&engine, request("GET"), String::new()).await;
        let (head, none) = answer(&engine, request("HEAD"), String::new()).await;
        assert!(none.is_empty(), "{path}");
        // Made at two instants, the figures of /health may be of another length.
        if path != "/health" {
            let length = head.headers["content-length"].to_str().unwrap().to_owned();
            assert_eq!((head.status, length), (get.status, body.len().to_string()), "{path}");
            assert_eq!(head.headers, get.headers, "{path}");
        }
    }
}

#[tokio::test]
async fn figures_and_readiness_are_for_this_machine() {
    let engine = engine().await;
    let (parts, body) = answer(&engine, by("GET", "/metrics"), String::new()).await;
    assert_eq!(parts.status, StatusCode::OK);
    assert!(parts.headers["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8(body).unwrap();
    for queue in engine.queues().names() {
        let line = format!("holdpoint_queue_messages{{queue=\"{queue}\",state=\"visible\"}} 0");
        assert!(text.contains(&line), "expected {line} in\n{text}");
    }
    assert!(text.contains("holdpoint_mails 0") && text.contains("holdpoint_attention 0"), "{text}");
    assert_eq!(answer(&engine, by("GET", "/ready"), String::new()).await.0.status, StatusCode::OK);
}

/// A mailbox that cannot be read is no empty one.
#[tokio::test]
async fn a_mailbox_that_cannot_be_read_is_said() {
    let engine = mailed().await;
    assert!(engine.wrong().await.is_empty());
    engine.mailbox().tables().transact(|transaction| transaction.execute_batch("DROP TABLE mail")).await.unwrap();
    assert_eq!(engine.wrong().await, ["the mailbox could not be read"]);
}
