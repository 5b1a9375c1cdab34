//! `POST /events`: the CloudEvents HTTP binding. Answers only when every event of the request is durable on the queue,
//! or when none was taken and every fault is named.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};
use sources::{Fault, Refused};

use super::{Shared, answered, problem};
use crate::operator;

pub async fn events(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let headers: BTreeMap<String, String> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let events = match sources::http::split(&headers, &body) {
        Ok(events) => events,
        Err(refused) => return refusal(errors(None, &refused)),
    };
    let bindings = &shared.engine.functions().ingest.policy.bindings;
    let mut faults = Vec::new();
    for (index, event) in events.iter().enumerate() {
        if let Err(refused) = sources::read(event, bindings) {
            faults.extend(errors(Some(index), &refused));
        }
    }
    if !faults.is_empty() {
        return refusal(faults);
    }
    match operator::enqueue(&shared.engine, events).await {
        Ok(accepted) => answered(StatusCode::ACCEPTED, &json!({ "accepted": accepted })),
        Err(why) => problem(StatusCode::SERVICE_UNAVAILABLE, &why, Vec::new()),
    }
}

fn refusal(errors: Vec<Value>) -> Response {
    problem(StatusCode::BAD_REQUEST, "nothing was taken: the request is not valid", errors)
}

fn errors(index: Option<usize>, refused: &Refused) -> Vec<Value> {
    let error = |fault: &Fault| {
        let mut error = json!({ "path": fault.path, "expected": fault.expected, "found": fault.found });
        if let Some(index) = index {
            error["event"] = index.into();
        }
        if let Some(identity) = &refused.identity {
            error["id"] = json!(identity.id);
        }
        error
    };
    refused.faults.iter().map(error).collect()
}
