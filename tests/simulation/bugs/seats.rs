//! Bugs of several reviews that share people: looked for in schedules of two and three of them.

use serde_json::{Value, json};

use super::{
    Falsified, Memory, Row,
    Sabotage::{Answered, Both, Sent},
    forge::{each, facts, instead, is, put, unconditional},
};
use crate::seam::Call;

pub const BUGS: &[Row] = &[
    ("tentative_seat_ignored", "a choice looks at no proposal elsewhere", 4, Answered(tentative_ignored)),
    ("seats_elsewhere_ignored", "a choice looks at no seat elsewhere", 1, Answered(seats_ignored)),
    ("excuse_used_twice", "one object excuses every entry of its slot", 6, Answered(excused_twice)),
    ("younger_claim_wins", "every claim of another review counts as older", 1, Answered(younger_wins)),
    ("one_seat_read", "which seats count depends on the order in which they are read", 1, Answered(one_seat_read)),
    ("ask_lost_by_the_committer", "who commits forgets that others are to be asked", 643, Sent(never_asked)),
    ("ask_lost_on_its_way", "the ask is sent once, by a process that dies", 38, Sent(ask_lost)),
    ("claim_rewritten", "each decision claims its seats anew", 1, Sent(claim_rewritten)),
    ("seat_beside_the_decision", "a decision forgets to write its seats", 1, Sent(seat_forgotten)),
    ("seat_of_the_withdrawn", "what is no longer proposed still keeps its people", 1, Sent(seat_stays)),
    ("uid_of_another", "nobody looks whose meeting it is", 7, Both(uid_unasked, uid_unseen)),
];

/// Of reviews that are after one hour.
pub const OF_ONE_HOUR: &[Row] = &[(
    "no_condition_on_seats",
    "an owner adopts an hour that another review has taken since",
    143,
    Sent(no_condition),
)];

fn tentative_ignored(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#seat#", |seat| drop(seat.as_object_mut().map(|seat| seat.remove("tentative"))))
}

fn seats_ignored(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#seat#", |seat| drop(seat.as_object_mut().map(|seat| seat.remove("authoritative"))))
}

fn younger_wins(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#seat#", |seat| {
        if seat["authoritative"].is_object() {
            seat["authoritative"]["claim"] = "2026-11-01T00:00:00Z".into();
        }
    })
}

/// Of several reviews that seat somebody, the one that was read last counts.
fn one_seat_read(call: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    let seat = |item: &Value| item["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("REVIEW#"));
    let asks = call.body.to_string().contains("FACT#seat#");
    let items =
        answer["Items"].as_array().filter(|items| asks && items.iter().filter(|item| seat(item)).count() > 1)?;
    let last = items.iter().rposition(seat)?;
    let mut answer = answer.clone();
    let items = answer["Items"].as_array_mut()?;
    let mut index = 0;
    items.retain(|item| {
        index += 1;
        !seat(item) || index == last + 1
    });
    answer["Count"] = items.len().into();
    Some(answer)
}

/// What is told apart by nothing counts once: the second entry is excused with the first.
fn excused_twice(_: &Call, answer: &Value, _: &mut Memory) -> Option<Value> {
    facts(answer, "FACT#availability", |fact| {
        if let Some(busy) = fact["body"]["availability"]["busy"].as_array_mut() {
            busy.dedup();
        }
    })
}

fn never_asked(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        put(call, "HEAD", |head| drop(head.as_object_mut().map(|head| head.remove("seats_moved"))))
    })
}

/// The service says that it has the ask, and has not. The ask is known by its body: its deduplication id is a digest.
fn ask_lost(call: &Call, _: &mut Memory) -> Falsified {
    let entries = || call.body["Entries"].as_array().into_iter().flatten();
    let asks = |entry: &Value| {
        let body = entry["MessageBody"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
        body.is_some_and(|body| body["seats"] == true)
    };
    if call.operation != "SendMessageBatch" || !entries().any(asks) {
        return Falsified::not(call);
    }
    let taken = |entry: &Value| json!({ "Id": entry["Id"], "MessageId": "lost", "MD5OfMessageBody": "0".repeat(32) });
    Falsified::swallowed(json!({ "Successful": entries().map(taken).collect::<Vec<_>>(), "Failed": [] }))
}

fn claim_rewritten(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        let mut at = Value::Null;
        let call = put(call, "HEAD", |head| {
            at = head["at"].clone();
            for claim in head["claims"].as_object_mut().into_iter().flat_map(|claims| claims.values_mut()) {
                *claim = at.clone();
            }
        });
        put(&call, "FACT#seat#", |seat| {
            if seat["authoritative"].is_object() {
                seat["authoritative"]["claim"] = at.clone();
            }
        })
    })
}

fn seat_forgotten(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| super::forge::only(call, |action| !is(action, "FACT#seat#")))
}

/// The proposal ends, and the entries of its people stay as they were.
fn seat_stays(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        let gone = |action: &Value| {
            let body = crate::audit::body_of(&action["Put"]["Item"]).unwrap_or_default();
            let head: Value = serde_json::from_slice(&body).unwrap_or_default();
            is(action, "HEAD") && head["pending"].is_null() && head["authoritative"] == head["issued"]
        };
        match super::forge::actions(call).any(gone) {
            true => super::forge::only(call, |action| {
                !is(action, "FACT#seat#") || action["Put"]["Item"]["sk"]["S"] == "FACT"
            }),
            false => call.clone(),
        }
    })
}

fn uid_unasked(call: &Call, _: &mut Memory) -> Falsified {
    let changed = each(call, |action| {
        if is(action, "FACT#uid#") {
            unconditional(action);
        }
    });
    Falsified { requests: vec![changed], answer: None }
}

fn uid_unseen(call: &Call, _: &Value, _: &mut Memory) -> Option<Value> {
    let asks = call.operation == "GetItem" && call.body["Key"]["pk"]["S"].as_str()?.starts_with("FACT#uid#");
    asks.then(|| json!({}))
}

fn no_condition(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        each(call, |action| {
            if is(action, "FACT#seat#") {
                unconditional(action);
            }
        })
    })
}
