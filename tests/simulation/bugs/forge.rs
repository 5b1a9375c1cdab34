//! Items falsified so that nobody but an auditor notices: the body changed, the digest made to fit.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::Falsified;
use crate::{
    audit::{body_of, digest, seal_of},
    seam::Call,
};

/// Changes an item's body and seals it again.
pub fn edit(attributes: &mut Value, change: impl FnOnce(&mut Value)) {
    let bytes = body_of(attributes).unwrap_or_default();
    let Ok(mut body) = serde_json::from_slice(&bytes) else { return };
    change(&mut body);
    seal(attributes, &body.to_string());
}

fn seal(attributes: &mut Value, body: &str) {
    attributes["body"] = json!({ "S": body });
    attributes["digest"] = json!({ "B": STANDARD.encode(seal_of(attributes)) });
}

fn sort_key(action: &Value) -> &str {
    action["Put"]["Item"]["sk"]["S"].as_str().or(action["Update"]["Key"]["sk"]["S"].as_str()).unwrap_or_default()
}

fn partition_key(action: &Value) -> &str {
    action["Put"]["Item"]["pk"]["S"].as_str().or(action["Update"]["Key"]["pk"]["S"].as_str()).unwrap_or_default()
}

pub fn actions(call: &Call) -> impl Iterator<Item = &Value> {
    call.body["TransactItems"].as_array().into_iter().flatten()
}

/// Whether a transaction writes such an item: the start of its partition or sort key.
pub fn writes(call: &Call, start: &str) -> bool {
    actions(call).any(|action| is(action, start))
}

pub fn is(action: &Value, start: &str) -> bool {
    sort_key(action).starts_with(start) || partition_key(action).starts_with(start)
}

/// The call with each action of its transaction changed.
pub fn each(call: &Call, mut change: impl FnMut(&mut Value)) -> Call {
    let mut call = call.clone();
    for action in call.body["TransactItems"].as_array_mut().into_iter().flatten() {
        change(action);
    }
    call
}

/// The call with the body of each item of that kind changed.
pub fn put(call: &Call, start: &str, mut change: impl FnMut(&mut Value)) -> Call {
    each(call, |action| {
        if is(action, start) && action["Put"].is_object() {
            edit(&mut action["Put"]["Item"], &mut change);
        }
    })
}

/// The call with what settles a person's TOLD changed.
pub fn settle(call: &Call, mut change: impl FnMut(&mut Value)) -> Call {
    each(call, |action| {
        if !is(action, "TOLD#") || !action["Update"].is_object() {
            return;
        }
        let update = &mut action["Update"];
        let mut item = update["Key"].clone();
        item["schema"] = update["ExpressionAttributeValues"][":schema"].clone();
        item["body"] = update["ExpressionAttributeValues"][":body"].clone();
        edit(&mut item, &mut change);
        update["ExpressionAttributeValues"][":body"] = item["body"].clone();
        update["ExpressionAttributeValues"][":digest"] = item["digest"].clone();
    })
}

/// The call with some of its transaction's actions alone.
pub fn only(call: &Call, keep: impl Fn(&Value) -> bool) -> Call {
    let mut call = call.clone();
    if let Some(actions) = call.body["TransactItems"].as_array_mut() {
        actions.retain(|action| keep(action));
    }
    call
}

/// An action that asks for nothing first.
pub fn unconditional(action: &mut Value) {
    for kind in ["Put", "Update"] {
        if let Some(write) = action.get_mut(kind).and_then(Value::as_object_mut) {
            let names = write.remove("ConditionExpression");
            // A name that no expression uses is an error of its own.
            if names.is_some() && kind == "Put" {
                write.remove("ExpressionAttributeNames");
                write.remove("ExpressionAttributeValues");
            }
        }
    }
}

/// The call with its lineage entry's text changed, and HEAD's hash made to fit.
pub fn rechained(call: &Call, change: impl Fn(&str) -> String) -> Call {
    let mut hash = None;
    let entry = each(call, |action| {
        if is(action, "LINEAGE#") {
            let item = &mut action["Put"]["Item"];
            let text = String::from_utf8_lossy(&body_of(item).unwrap_or_default()).into_owned();
            let body = change(&text);
            let parsed: Value = serde_json::from_str(&body).unwrap_or_default();
            let previous = crate::audit::bytes_of(parsed["previous"].as_str().unwrap_or_default());
            hash = Some(crate::audit::hex(&digest(&[b"lineage", &previous, body.as_bytes()])));
            seal(item, &body);
        }
    });
    put(&entry, "HEAD", |head| {
        if let Some(hash) = &hash {
            head["lineage"]["hash"] = hash.as_str().into();
        }
    })
}

/// An answer with the facts in it changed: `None` where it holds none of that kind.
pub fn facts(answer: &Value, start: &str, mut change: impl FnMut(&mut Value)) -> Option<Value> {
    let mut answer = answer.clone();
    let mut found = false;
    let mut look = |item: &mut Value| {
        if item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with(start)) {
            found = true;
            edit(item, &mut change);
        }
    };
    look(&mut answer["Item"]);
    for table in answer["Responses"].as_object_mut().into_iter().flatten() {
        table.1.as_array_mut().into_iter().flatten().for_each(&mut look);
    }
    answer["Items"].as_array_mut().into_iter().flatten().for_each(&mut look);
    if answer["Items"].is_null() {
        answer.as_object_mut()?.remove("Items");
    }
    if answer["Item"].is_null() {
        answer.as_object_mut()?.remove("Item");
    }
    found.then_some(answer)
}

/// An instant of JSON, some milliseconds later.
pub fn shift(instant: &mut Value, millis: i64) {
    let parsed = instant.as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    if let Some(at) = parsed {
        *instant = crate::scene::instant(at.timestamp_millis() + millis).into();
    }
}

pub fn transaction(call: &Call, start: &str) -> bool {
    call.operation == "TransactWriteItems" && writes(call, start)
}

/// The call, or another in its place where it writes such an item.
pub fn instead(call: &Call, start: &str, change: impl FnOnce(&Call) -> Call) -> Falsified {
    let call = if transaction(call, start) { change(call) } else { call.clone() };
    Falsified { requests: vec![call], answer: None }
}

/// First the one part, then the other.
pub fn in_two(call: &Call, start: &str) -> Falsified {
    if !transaction(call, start) || !actions(call).any(|action| !is(action, start)) {
        return Falsified::not(call);
    }
    let parts = [only(call, |action| is(action, start)), only(call, |action| !is(action, start))];
    Falsified { requests: parts.to_vec(), answer: None }
}
