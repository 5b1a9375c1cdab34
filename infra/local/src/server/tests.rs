//! The doors on loopback: who may come in, and what a request is told.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt;
use lambda_shell::clock::Clock;
use serde_json::{Value, json};
use tower_service::Service;

use super::router;
use crate::engine::{Engine, Settings};

const HOST: &str = "127.0.0.1:8420";

async fn engine() -> Engine {
    Engine::open(Settings::in_memory(include_str!("../../../policy.json")), Clock::system()).await.unwrap()
}

async fn ask(engine: &Engine, request: axum::http::request::Builder, body: String) -> (StatusCode, Value) {
    let mut router = router(engine.clone(), vec![HOST.to_owned()]);
    let response = router.call(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
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
    let own = post("/operator/reviews").header("origin", format!("http://{HOST}"));
    assert_eq!(ask(&engine, own, "null".to_owned()).await.0, StatusCode::OK);
    assert_eq!(waiting(&engine), 0);
}

#[tokio::test]
async fn pages_answer_and_what_is_nobodys_is_not_found() {
    let engine = engine().await;
    let get = |path: &str| Request::get(path.to_owned()).header("host", HOST);
    for path in ["/reviews", "/mailbox", "/health"] {
        assert_eq!(ask(&engine, get(path), String::new()).await.0, StatusCode::OK, "{path}");
    }
    for path in ["/reviews/RR-404", "/mailbox/7", "/mailbox/7/html", "/adopt/nothing", "/acknowledge/nothing", "/x"] {
        assert_eq!(ask(&engine, get(path), String::new()).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
