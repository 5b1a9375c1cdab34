//! Bugs of what is written and sent.

use serde_json::{Value, json};

use super::{
    Falsified, Memory, Row,
    Sabotage::Sent,
    forge::{self, each, in_two, instead, is, only, put, rechained, transaction, unconditional, writes},
};
use crate::{scene, seam::Call};

pub const BUGS: &[Row] = &[
    ("event_apart_from_its_fact", "deduplication outside the transaction, at the door", 1, Sent(event_apart)),
    ("cause_apart_from_the_decision", "deduplication outside the transaction, at the decision", 1, Sent(cause_apart)),
    ("no_cause", "a trigger is not marked as counted", 1, Sent(no_cause)),
    ("no_conditions", "the commit forgets its conditions", 7, Sent(no_conditions)),
    ("event_overwritten", "the door forgets that an event is recorded once", 79, Sent(event_overwritten)),
    ("future_is_taken", "evidence that is ready hours from now is taken", 11, Sent(future_taken)),
    ("stale_uncounted", "nobody counts that a subject gets nothing but stale events", 1, Sent(stale_uncounted)),
    ("version_edited", "a version is written again, a little better", 1, Sent(version_edited)),
    ("entry_lost", "a decision without its lineage entry", 1, Sent(entry_lost)),
    ("entry_shortened", "an entry that leaves out a happening", 1, Sent(entry_shortened)),
    ("chain_begun_anew", "an entry that does not follow the one before", 1, Sent(chain_begun_anew)),
    ("trigger_twice", "one trigger counted twice in an entry", 1, Sent(trigger_twice)),
    ("adopted_by_itself", "a proposal becomes authoritative at once", 5, Sent(adopted_by_itself)),
    ("decided_in_another_name", "the decision is recorded of whoever comes first", 35, Sent(another_name)),
    ("edge_without_asking", "a freeze edge becomes authoritative unasked", 1, Sent(edge_unasked)),
    ("sequence_falls", "a hold's sequence from somewhere that goes back", 23, Sent(sequence_falls)),
    ("due_index_lost", "HEAD leaves the due index", 1, Sent(due_index_lost)),
    ("deadline_begins_anew", "another version of a proposal gets another deadline", 5, Sent(deadline_anew)),
    ("no_time_to_decide", "a proposal is over before its owner has had time for it", 97, Sent(no_time)),
    ("deadline_at_night", "a deadline counts the hours in which nobody works", 173, Sent(deadline_at_night)),
    ("version_skipped", "version numbers with a gap", 1, Sent(version_skipped)),
    ("refresh_request_lost", "the message that follows a fact is not sent", 1, Sent(refresh_lost)),
    ("one_deduplication_id", "all requests for a refresh look alike to the queue", 1, Sent(one_deduplication)),
    (
        "closed_in_another_name",
        "a review is closed in the name of somebody who did not",
        4,
        Sent(closed_in_another_name),
    ),
    ("subject_stored", "a calendar entry is kept with its subject", 1, Sent(subject_stored)),
    ("visits_counted", "a page counts who looks at it", 18, Sent(visits_counted)),
];

fn event_apart(call: &Call, _: &mut Memory) -> Falsified {
    in_two(call, "EVENT#")
}

/// What the door ignores as of the future is applied, with a fact beside it.
fn future_taken(call: &Call, _: &mut Memory) -> Falsified {
    let event = &call.body["Item"];
    let said: Value = serde_json::from_slice(&crate::audit::body_of(event).unwrap_or_default()).unwrap_or_default();
    if event["sk"]["S"] != "EVENT" || said["reason"] != "in_the_future" {
        return Falsified::not(call);
    }
    let mut event = event.clone();
    forge::edit(&mut event, |event| {
        event["disposition"] = "applied".into();
        drop(event.as_object_mut().map(|event| event.remove("reason")));
    });
    let mut fact = json!({ "schema": event["schema"], "sk": { "S": "FACT" }, "body": { "S": "{}" } });
    fact["pk"]["S"] = format!("FACT#evidence#{}#{}", scene::CHANGE, scene::CHECKPOINT).into();
    forge::edit(&mut fact, |fact| {
        *fact = json!({
            "subject": said["subject"], "revision": said["revision"], "source": said["source"],
            "id": said["id"], "accepted_at": said["at"],
            "body": { "evidence": { "status": "ready", "ready_at": "2026-11-03T17:00:00Z" } },
        });
    });
    let put = |item: Value| json!({ "Put": { "TableName": call.body["TableName"], "Item": item } });
    Falsified::with("TransactWriteItems", json!({ "TransactItems": [put(event), put(fact)] }))
}

fn stale_uncounted(call: &Call, _: &mut Memory) -> Falsified {
    let stale = |action: &Value| {
        let body = crate::audit::body_of(&action["Put"]["Item"]).unwrap_or_default();
        is(action, "EVENT#") && String::from_utf8_lossy(&body).contains("stale_revision")
    };
    instead(call, "EVENT#", |call| match forge::actions(call).any(stale) {
        true => only(call, |action| is(action, "EVENT#")),
        false => call.clone(),
    })
}

fn cause_apart(call: &Call, _: &mut Memory) -> Falsified {
    in_two(call, "CAUSE#")
}

fn no_cause(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "CAUSE#", |call| only(call, |action| !is(action, "CAUSE#")))
}

fn no_conditions(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        each(&only(call, |action| !action["ConditionCheck"].is_object()), |action| {
            if action["Put"].is_object() {
                unconditional(action);
            }
        })
    })
}

fn event_overwritten(call: &Call, _: &mut Memory) -> Falsified {
    if call.operation != "PutItem" || call.body["Item"]["sk"]["S"] != "EVENT" {
        return Falsified::not(call);
    }
    let mut action = json!({ "Put": call.body });
    unconditional(&mut action);
    Falsified::with("PutItem", action["Put"].take())
}

fn version_edited(call: &Call, memory: &mut Memory) -> Falsified {
    if !transaction(call, "HEAD") {
        return Falsified::not(call);
    }
    let mut all = call.clone();
    let known = memory.first().map(|(_, item)| item.clone());
    if let Some(version) = forge::actions(call).find(|action| is(action, "VERSION#")) {
        memory.push(("version".to_owned(), version.clone()));
    }
    let twice =
        known.as_ref().is_some_and(|known| writes(call, known["Put"]["Item"]["sk"]["S"].as_str().unwrap_or("-")));
    if let (Some(mut version), false, Some(actions)) = (known, twice, all.body["TransactItems"].as_array_mut()) {
        unconditional(&mut version);
        forge::edit(&mut version["Put"]["Item"], |body| body["made_at"] = "2026-11-03T00:00:00Z".into());
        actions.push(version);
    }
    Falsified { requests: vec![all], answer: None }
}

fn entry_lost(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "LINEAGE#", |call| only(call, |action| !is(action, "LINEAGE#")))
}

fn entry_shortened(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "LINEAGE#", |call| {
        put(call, "LINEAGE#", |entry| {
            if let Some(happenings) = entry["happenings"].as_array_mut() {
                happenings.pop();
            }
        })
    })
}

fn chain_begun_anew(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "LINEAGE#", |call| {
        rechained(call, |text| {
            let entry: Value = serde_json::from_str(text).unwrap_or_default();
            text.replace(entry["previous"].as_str().unwrap_or("-"), &"0".repeat(64))
        })
    })
}

fn trigger_twice(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "CAUSE#", |call| {
        rechained(call, |text| {
            let mut entry: Value = serde_json::from_str(text).unwrap_or_default();
            let first = entry["happenings"][0].clone();
            if let Some(happenings) = entry["happenings"].as_array_mut() {
                happenings.push(first);
            }
            entry.to_string()
        })
    })
}

fn adopted_by_itself(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "VERSION#", |call| {
        put(call, "HEAD", |head| {
            if head["pending"].is_object() {
                head["authoritative"] = head["pending"]["version"].take();
                head["pending"] = Value::Null;
            }
        })
    })
}

fn another_name(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "LINEAGE#", |call| {
        rechained(call, |text| match text.contains("\"result\":\"adopted\"") {
            true => text.replace("\"by\":\"p1@", "\"by\":\"p0@").replace("\"by\":\"owner@", "\"by\":\"p0@"),
            false => text.to_owned(),
        })
    })
}

fn edge_unasked(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "VERSION#", |call| {
        let refreshed = forge::actions(call).any(|action| {
            let entry = crate::audit::body_of(&action["Put"]["Item"]).unwrap_or_default();
            is(action, "LINEAGE#") && String::from_utf8_lossy(&entry).contains("\"outcome\":\"refreshed\"")
        });
        put(call, "VERSION#", |version| {
            if refreshed {
                version["packet"]["freeze_edge"] = true.into();
            }
        })
    })
}

fn sequence_falls(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        put(call, "HEAD", |head| {
            if head["counter"].as_u64().is_some_and(|counter| counter.is_multiple_of(3)) {
                head["hold"]["sequence"] = 0.into();
            }
        })
    })
}

fn due_index_lost(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        each(call, |action| {
            if is(action, "HEAD") {
                let item = &mut action["Put"]["Item"];
                if let Some(attributes) = item.as_object_mut() {
                    attributes.remove("due_at");
                    attributes.remove("due_shard");
                }
                forge::edit(item, |_| {});
            }
        })
    })
}

fn deadline_anew(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        put(call, "HEAD", |head| {
            if head["pending"].is_object() {
                let at = head["at"].clone();
                head["pending"]["expires_at"] = at;
                forge::shift(&mut head["pending"]["expires_at"], 300 * scene::MINUTE);
            }
        })
    })
}

fn no_time(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        put(call, "HEAD", |head| {
            let pending = &mut head["pending"];
            if pending.is_object() {
                pending["expires_at"] = pending["made_at"].clone();
                forge::shift(&mut pending["expires_at"], 5 * scene::MINUTE);
            }
        })
    })
}

/// The longest deadline of any world here, counted from the making without a look at working hours.
fn deadline_at_night(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        put(call, "HEAD", |head| {
            let pending = &mut head["pending"];
            let mut plain = pending["made_at"].clone();
            forge::shift(&mut plain, 240 * scene::MINUTE);
            // Instants of one form: the order of their text is the order of time.
            if pending["expires_at"].as_str() > plain.as_str() {
                pending["expires_at"] = plain;
            }
        })
    })
}

fn version_skipped(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "VERSION#", |call| {
        put(call, "HEAD", |head| head["latest"] = (head["latest"].as_u64().unwrap_or(0) + 1).into())
    })
}

fn sent_all(call: &Call) -> Value {
    let entries = call.body["Entries"].as_array().into_iter().flatten();
    let sent: Vec<Value> = entries
        .map(|entry| json!({ "Id": entry["Id"], "MessageId": "lost", "MD5OfMessageBody": "00000000000000000000000000000000" }))
        .collect();
    json!({ "Successful": sent, "Failed": [], "MessageId": "lost" })
}

fn asks_for_a_refresh(call: &Call) -> bool {
    call.operation.starts_with("SendMessage") && call.body["QueueUrl"].as_str().is_some_and(|url| url.contains("fifo"))
}

fn refresh_lost(call: &Call, memory: &mut Memory) -> Falsified {
    // Every second one: a review that nobody ever asks for is found too easily.
    if !asks_for_a_refresh(call) {
        return Falsified::not(call);
    }
    memory.push((String::new(), Value::Null));
    if memory.len().is_multiple_of(2) { Falsified::swallowed(sent_all(call)) } else { Falsified::not(call) }
}

fn one_deduplication(call: &Call, _: &mut Memory) -> Falsified {
    let mut changed = call.clone();
    if asks_for_a_refresh(call) {
        for entry in changed.body["Entries"].as_array_mut().into_iter().flatten() {
            entry["MessageDeduplicationId"] = "refresh".into();
        }
        if changed.body["MessageBody"].is_string() {
            changed.body["MessageDeduplicationId"] = "refresh".into();
        }
    }
    Falsified { requests: vec![changed], answer: None }
}

fn closed_in_another_name(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "LINEAGE#", |call| {
        rechained(call, |text| match text.contains("\"action\":\"close\"") {
            true => text.replace("\"by\":\"op@", "\"by\":\"p0@"),
            false => text.to_owned(),
        })
    })
}

fn subject_stored(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "FACT#", |call| {
        put(call, "FACT#availability", |fact| {
            for busy in fact["body"]["availability"]["busy"].as_array_mut().into_iter().flatten() {
                busy["subject"] = scene::SUBJECT.into();
            }
        })
    })
}

fn visits_counted(call: &Call, _: &mut Memory) -> Falsified {
    let mut falsified = Falsified::not(call);
    let opens = call.operation == "Query" && call.body.to_string().contains("SUBJECT#link#");
    if opens {
        let item = json!({ "pk": { "S": "VISITS" }, "sk": { "S": "LAST" }, "expires_at": { "N": "1" } });
        let body = json!({ "TableName": call.body["TableName"], "Item": item });
        falsified.requests.insert(0, Call { operation: "PutItem".to_owned(), body });
    }
    falsified
}
