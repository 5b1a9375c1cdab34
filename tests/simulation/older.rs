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

fn written(call: &Call, memory: &mut Memory) -> Falsified {
    let mut call = match call.operation.as_str() {
        "TransactWriteItems" => transaction(call, memory),
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

fn transaction(call: &Call, memory: &mut Memory) -> Call {
    let forget = |body: &mut Value| {
        if let Some(members) = body.as_object_mut() {
            members.remove("trace");
            members.remove("earlier");
        }
    };
    // The worker goes on from HEAD as it believes to have written it; the hashes that were really written are others.
    let hashes = memory.clone();
    let really = |text: &str| {
        hashes.iter().fold(text.to_owned(), |text, (believed, written)| {
            text.replace(believed.as_str(), written.as_str().unwrap_or_default())
        })
    };
    let believed = hash_of(call);
    let call = rechained(call, |entry| without_traces(&really(entry)));
    let call = put(&call, "HEAD", |head| {
        let hash = really(head["lineage"]["hash"].as_str().unwrap_or_default());
        head["lineage"]["hash"] = hash.into();
        forget(head);
    });
    if let (Some(believed), Some(written)) = (believed, hash_of(&call))
        && believed != written
        && !memory.iter().any(|(known, _)| *known == believed)
    {
        memory.push((believed, written.into()));
    }
    settle(&put(&call, "EVENT#", forget), forget)
}

/// The end of the chain that a transaction's HEAD names.
fn hash_of(call: &Call) -> Option<String> {
    let mut hash = None;
    drop(put(call, "HEAD", |head| hash = head["lineage"]["hash"].as_str().map(str::to_owned)));
    hash
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
