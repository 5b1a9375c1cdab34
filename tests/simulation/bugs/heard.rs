//! Bugs of what comes by mail, and of what systems answer when they are asked.

use serde_json::{Value, json};

use super::{Falsified, Memory, Row, Sabotage::Sent};
use crate::seam::Call;

pub const BUGS: &[Row] = &[
    ("forged_reply_counts", "whoever sends a mail counts as its sender", 8, Sent(forged)),
    ("polled_answer_lost", "an answer counts as handed on before the queue has the answer", 4, Sent(answer_lost)),
];

/// Replies reach their review as messages, which say how their sender was proven.
fn forged(call: &Call, _: &mut Memory) -> Falsified {
    let mut changed = call.clone();
    let proven = |body: &mut Value| {
        if let Some(text) = body.as_str() {
            *body = text.replace("\"authentication\":\"failed\"", "\"authentication\":\"passed\"").into();
        }
    };
    if call.operation.starts_with("SendMessage") {
        proven(&mut changed.body["MessageBody"]);
        for entry in changed.body["Entries"].as_array_mut().into_iter().flatten() {
            proven(&mut entry["MessageBody"]);
        }
        if changed.body["MessageBody"].is_null() {
            changed.body.as_object_mut().map(|body| body.remove("MessageBody"));
        }
        if changed.body["Entries"].is_null() {
            changed.body.as_object_mut().map(|body| body.remove("Entries"));
        }
    }
    Falsified { requests: vec![changed], answer: None }
}

/// Every second one: an answer that is never handed on is found too easily.
fn answer_lost(call: &Call, memory: &mut Memory) -> Falsified {
    let polled = call.operation.starts_with("SendMessage") && call.body.to_string().contains("roster.csv");
    if !polled {
        return Falsified::not(call);
    }
    memory.push((String::new(), Value::Null));
    if memory.len().is_multiple_of(2) {
        let entries = call.body["Entries"].as_array().into_iter().flatten();
        let sent: Vec<Value> = entries.map(|entry| json!({ "Id": entry["Id"], "MessageId": "lost", "MD5OfMessageBody": "00000000000000000000000000000000" })).collect();
        return Falsified::swallowed(json!({ "Successful": sent, "Failed": [], "MessageId": "lost" }));
    }
    Falsified::not(call)
}
