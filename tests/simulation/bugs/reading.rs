//! Bugs of what is read: facts a little off, answers that are old, conditions that look at the wrong thing.

use serde_json::{Value, json};

use super::{
    Falsified, Memory, Row,
    Sabotage::{Answered, Both, Sent},
    forge::{self, each, facts, is, shift, unconditional},
};
use crate::{scene, seam::Call};

pub const BUGS: &[Row] = &[
    ("freeze_touches", "`>=` for `>` at the end of a freeze", 51, Answered(freeze_touches)),
    ("freeze_ends_early", "a freeze ends one instant early", 5, Answered(freeze_ends_early)),
    ("advisory_is_protected", "every freeze counts as protected", 14, Answered(all_protected)),
    ("busy_touches", "`>=` for `>` at the end of a meeting", 2, Answered(busy_touches)),
    ("evidence_early", "evidence counts a minute before it is ready", 2, Answered(evidence_early)),
    ("withdrawn_counts", "withdrawn evidence counts as ready", 1, Answered(withdrawn_counts)),
    ("on_call_overlooked", "an on-call duty is not looked at", 22, Answered(oncall_overlooked)),
    ("unknown_is_free", "whatever lies beyond a horizon counts as free", 77, Answered(unknown_is_free)),
    ("revoked_counts", "a revoked delegate stands in", 13, Answered(revoked_counts)),
    ("validity_overlooked", "a delegate stands in for ever", 139, Answered(validity_overlooked)),
    ("window_ignored", "a window opens earlier than the change says", 2, Answered(window_ignored)),
    ("operator_misnamed", "a decision in the owner's place goes by another name", 84, Answered(operator_misnamed)),
    ("owner_never_changes", "the owner is whoever it was at first", 10, Answered(first_owner)),
    ("dependents_cached", "who depends on a subject is looked up once", 1, Answered(dependents_cached)),
    ("last_writer_wins", "an older revision replaces a newer one", 2, Both(unconditional_facts, no_known_fact)),
    ("dial_in_wiped", "an update of the meeting leaves out how it was issued", 212, Answered(dial_in_wiped)),
    ("facts_cached", "facts are remembered, whatever is said of them", 1, Answered(facts_cached)),
    ("said_unread", "what a message names is remembered, and not read again", 1, Sent(said_unread)),
    ("others_looks", "a worker remembers past another worker's look", 13, Both(own_look, only_own_looks)),
];

fn dial_in_wiped(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#review", |fact| {
        if let Some(meeting) = fact["body"]["review"]["meeting"].as_object_mut() {
            meeting.retain(|member, _| member == "uid" || member == "sequence");
        }
    })
}

fn freeze_touches(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#freeze", |fact| {
        for freeze in fact["body"]["freeze"].as_array_mut().into_iter().flatten() {
            shift(&mut freeze["end"], 1);
        }
    })
}

fn freeze_ends_early(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#freeze", |fact| {
        for freeze in fact["body"]["freeze"].as_array_mut().into_iter().flatten() {
            shift(&mut freeze["end"], -scene::MINUTE * 30);
        }
    })
}

fn all_protected(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#freeze", |fact| {
        for freeze in fact["body"]["freeze"].as_array_mut().into_iter().flatten() {
            freeze["protected"] = true.into();
        }
    })
}

fn busy_touches(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#availability", |fact| {
        for busy in fact["body"]["availability"]["busy"].as_array_mut().into_iter().flatten() {
            shift(&mut busy["end"], 1);
        }
    })
}

fn evidence_early(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#evidence", |fact| shift(&mut fact["body"]["evidence"]["ready_at"], -scene::MINUTE))
}

fn withdrawn_counts(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#evidence", |fact| {
        if fact["body"]["evidence"]["status"] == "withdrawn" {
            fact["body"]["evidence"] = json!({ "status": "ready", "ready_at": "2026-11-03T12:00:00Z" });
        }
    })
}

fn oncall_overlooked(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#availability", |fact| {
        if fact["subject"]["availability"][1] == "oncall" {
            fact["body"]["availability"]["busy"] = json!([]);
        }
    })
}

fn unknown_is_free(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#availability", |fact| {
        fact["body"]["availability"]["horizon"]["end"] = "2026-12-01T00:00:00Z".into();
    })
}

fn revoked_counts(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#delegation", |fact| {
        for delegate in fact["body"]["delegation"]["delegates"].as_array_mut().into_iter().flatten() {
            delegate["status"] = "approved".into();
        }
    })
}

fn validity_overlooked(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#delegation", |fact| {
        for delegate in fact["body"]["delegation"]["delegates"].as_array_mut().into_iter().flatten() {
            delegate["valid_until"] = Value::Null;
        }
    })
}

fn window_ignored(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#change", |fact| {
        shift(&mut fact["body"]["change"]["in_force"]["window"]["start"], -120 * scene::MINUTE);
    })
}

/// What was first seen under this name.
fn first(memory: &mut Memory, name: &str, now: &Value) -> Value {
    if let Some((_, known)) = memory.iter().find(|(known, _)| known == name) {
        return known.clone();
    }
    memory.push((name.to_owned(), now.clone()));
    now.clone()
}

fn first_owner(_: &Call, answer: &Value, memory: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#change", |fact| {
        if fact["body"]["change"]["in_force"].is_object() {
            let owner = &mut fact["body"]["change"]["in_force"]["owner"];
            *owner = first(memory, "owner", owner);
        }
    })
}

fn dependents_cached(call: &Call, answer: &Value, memory: &mut Memory) -> Option<Value> {
    let asked = call.body["ExpressionAttributeValues"].to_string();
    let looks = call.operation == "Query" && asked.contains("SUBJECT#") && !asked.contains("SUBJECT#link");
    looks.then(|| first(memory, &asked, answer))
}

fn facts_cached(call: &Call, answer: &Value, memory: &mut Memory) -> Option<Value> {
    let asked = call.body["RequestItems"].to_string();
    let looks = call.operation == "BatchGetItem" && asked.contains("FACT#");
    looks.then(|| first(memory, &asked, answer))
}

/// HEAD alone is read, and nothing beside it.
fn said_unread(call: &Call, _: &mut Memory) -> Falsified {
    let mut call = call.clone();
    for (_, wanted) in call.body["RequestItems"].as_object_mut().into_iter().flatten() {
        let Some(keys) = wanted["Keys"].as_array_mut() else { continue };
        if keys.iter().any(|key| key["sk"]["S"] == "HEAD") && keys.len() == 2 {
            keys.retain(|key| key["sk"]["S"] == "HEAD");
        }
    }
    Falsified { requests: vec![call], answer: None }
}

/// The number of this worker's own last look.
fn own_look(call: &Call, memory: &mut Memory) -> Falsified {
    let numbered = forge::put(call, "HEAD", |head| {
        if head["looked"] == head["counter"] {
            memory.retain(|(name, _)| name != "looked");
            memory.push(("looked".to_owned(), head["looked"].clone()));
        }
    });
    drop(numbered);
    Falsified::not(call)
}

fn only_own_looks(call: &Call, answer: &Value, memory: &mut Memory) -> Option<Value> {
    let own = memory.iter().find(|(name, _)| name == "looked")?.1.clone();
    if call.operation != "BatchGetItem" {
        return None;
    }
    facts(answer, "REVIEW#", |head| {
        if head["looked"].is_u64() {
            head["looked"] = own.clone();
        }
    })
}

fn unconditional_facts(call: &Call, _: &mut Memory) -> Falsified {
    let changed = each(call, |action| {
        if is(action, "FACT#") {
            unconditional(action);
        }
    });
    Falsified { requests: vec![changed], answer: None }
}

/// Ingest looks, and finds nothing to compare with.
fn no_known_fact(call: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    let fact = call.operation == "GetItem" && call.body["Key"]["sk"]["S"] == "FACT";
    let terms = call.body["Key"]["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("FACT#review"));
    (fact && !terms && answer["Item"].is_object()).then(|| json!({}))
}

/// Whoever decided in the owner's place is recorded as somebody else.
fn operator_misnamed(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#decision", |fact| {
        fact["body"]["decision"]["by"] = "somebody-else@example.com".into();
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A falsified fact still fits its digest: the product must not notice.
    #[test]
    fn what_is_falsified_is_sealed_again() {
        let mut item = json!({ "pk": { "S": "FACT#freeze#prod" }, "sk": { "S": "FACT" }, "schema": { "N": "1" } });
        item["body"] = json!({ "S": "{\"body\":{\"freeze\":[{\"end\":\"2026-11-03T14:00:00Z\"}]}}" });
        forge::edit(&mut item, |_| {});
        let before = item["digest"].clone();
        let call = Call { operation: "GetItem".to_owned(), body: Value::Null };
        let answer = freeze_touches(&call, &json!({ "Item": item }), &mut Memory::new()).expect("a freeze");
        assert_ne!(answer["Item"]["digest"], before);
        assert!(crate::audit::Item::read(answer["Item"].clone()).is_ok());
    }
}
