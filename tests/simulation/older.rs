//! The binary of before, beside the present one during a deployment: it knows no trace ids, so it writes its items and
//! messages without them, and lineage entries that hash so.

use serde_json::Value;

use crate::{
    bugs::{
        Bug, Falsified, Memory, Sabotage,
        forge::{put, rechained, settle},
    },
    seam::Call,
};

pub const BINARY: Bug = Bug {
    name: "older_binary",
    imitates: "a worker of the release before",
    near: 1,
    world: crate::World::Alone,
    sabotage: Sabotage::Sent(written),
};

fn written(call: &Call, _: &mut Memory) -> Falsified {
    let forget = |body: &mut Value| {
        if let Some(members) = body.as_object_mut() {
            members.remove("trace");
            members.remove("earlier");
        }
    };
    let mut call = match call.operation.as_str() {
        "TransactWriteItems" => {
            let call = rechained(call, without_traces);
            settle(&put(&put(&call, "HEAD", forget), "EVENT#", forget), forget)
        }
        _ => call.clone(),
    };
    if call.operation.starts_with("SendMessage") {
        let untraced = |body: &mut Value| {
            if let Some(text) = body.as_str() {
                *body = without_traces(text).into();
            }
        };
        for entry in call.body["Entries"].as_array_mut().into_iter().flatten() {
            untraced(&mut entry["MessageBody"]);
        }
        if call.body["MessageBody"].is_string() {
            untraced(&mut call.body["MessageBody"]);
        }
    }
    Falsified { requests: vec![call], answer: None }
}

/// JSON as it was written, but for every `trace`: what is hashed must keep its order.
fn without_traces(text: &str) -> String {
    const MEMBER: &str = ",\"trace\":\"";
    let mut parts = text.split(MEMBER);
    let mut left = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        left.push_str(part.split_once('"').map_or("", |(_, rest)| rest));
    }
    left
}
