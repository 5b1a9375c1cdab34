//! Bugs of what is told: reminders, mails, and what is kept of them.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Falsified, Memory, Row,
    Sabotage::Sent,
    forge::{self, each, in_two, instead, is, put, settle, transaction},
};
use crate::{audit::digest, scene, seam::Call};

pub const BUGS: &[Row] = &[
    ("last_reminder_forgotten", "nobody is reminded before a proposal lapses", 70, Sent(last_reminder_forgotten)),
    ("last_reminder_again", "the reminder before a proposal lapses is sent again", 70, Sent(last_reminder_again)),
    ("quiet_outlasts", "a quiet period that outlasts what it delays", 5, Sent(quiet_outlasts)),
    ("marked_before_sending", "told first, mailed afterwards, and then never", 1, Sent(never_mailed)),
    ("mailed_twice", "every mail goes out twice", 13, Sent(mailed_twice)),
    ("mailed_to_another", "a mail's envelope names somebody else", 1, Sent(mailed_to_another)),
    ("copied_to_the_desk", "everybody's mail goes to the desk too", 1, Sent(copied)),
    ("invitation_claimed", "an invitation of an unknown UID counts as ours", 469, Sent(invitation_claimed)),
    ("hold_end_forgotten", "an adoption counts as the end of every hold", 40, Sent(hold_end_forgotten)),
    ("two_objects_in_one_mail", "a mail carries two calendar objects", 5, Sent(two_objects)),
    ("settle_lost", "a mail that is never settled", 1, Sent(settle_lost)),
    ("told_apart_from_lineage", "TOLD in a write of its own", 1, Sent(told_apart)),
    ("told_the_wrong_view", "TOLD keeps less than was said", 1, Sent(told_less)),
    ("claim_without_condition", "two notifiers may claim one person", 546, Sent(claim_unasked)),
    ("doubt_forgotten", "what a mail in doubt may have brought is not kept", 106, Sent(doubt_forgotten)),
    ("resent_again", "a mail that an operator asked for goes out again and again", 1010, Sent(resent_again)),
    ("resend_forgotten", "that somebody is to be mailed once more is not kept", 80, Sent(resend_forgotten)),
    ("subject_mailed", "a mail tells what a meeting is about", 1, Sent(subject_mailed)),
    ("link_stored", "what was mailed is kept with its link", 1, Sent(link_stored)),
];

fn invitation_claimed(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        put(call, "HEAD", |head| {
            for booking in head["bookings"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                booking.remove("unknown_uid");
            }
        })
    })
}

fn last_reminder_forgotten(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        put(call, "HEAD", |head| {
            if head["pending"]["asked"].is_object() {
                head["pending"]["asked"]["reminded_last"] = true.into();
            }
        })
    })
}

fn last_reminder_again(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        each(call, |action| {
            if !is(action, "HEAD") || !action["Put"].is_object() {
                return;
            }
            let item = &mut action["Put"]["Item"];
            let mut due = None;
            forge::edit(item, |head| {
                let asked = head.pointer_mut("/pending/asked").and_then(Value::as_object_mut);
                let reminded = asked.and_then(|asked| asked.remove("reminded_last"));
                if reminded == Some(Value::Bool(true)) {
                    head["notices_at"] = head["at"].clone();
                    due = head["at"].as_str().and_then(|at| refresh_core::Instant::parse(at).ok());
                }
            });
            // What is due next was reckoned of the true HEAD, which no longer waits for this reminder.
            if let Some(due) = due {
                item["due_at"] = json!({ "N": due.millis().to_string() });
                forge::edit(item, |_| {});
            }
        })
    })
}

fn quiet_outlasts(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "HEAD", |call| {
        put(call, "HEAD", |head| {
            if head["pending"].is_object() {
                forge::shift(&mut head["quiet_until"], 2 * scene::HOUR);
            }
        })
    })
}

fn mails(call: &Call, change: impl FnOnce(&mut Value)) -> Falsified {
    let mut changed = call.clone();
    if call.operation == "SendEmail" {
        change(&mut changed.body);
    }
    Falsified { requests: vec![changed], answer: None }
}

fn never_mailed(call: &Call, _: &mut Memory) -> Falsified {
    match call.operation == "SendEmail" {
        true => Falsified::swallowed(json!({ "MessageId": "local-9999999999" })),
        false => Falsified::not(call),
    }
}

fn mailed_twice(call: &Call, _: &mut Memory) -> Falsified {
    let times = if call.operation == "SendEmail" { 2 } else { 1 };
    Falsified { requests: vec![call.clone(); times], answer: None }
}

fn mailed_to_another(call: &Call, _: &mut Memory) -> Falsified {
    mails(call, |body| body["Destination"]["ToAddresses"] = json!([scene::person(7)]))
}

fn copied(call: &Call, _: &mut Memory) -> Falsified {
    mails(call, |body| body["Destination"]["CcAddresses"] = json!([scene::DESK]))
}

fn hold_end_forgotten(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "TOLD#", |call| {
        settle(call, |told| {
            if told["adoptions"].as_u64() > Some(0) {
                told["hold"] = Value::Null;
            }
        })
    })
}

/// The mail is out, and HEAD goes on to ask for it.
fn resent_again(call: &Call, memory: &mut Memory) -> Falsified {
    if let Some(asked) = forge::actions(call).find(|action| is(action, "HEAD")).and_then(head_of)
        && asked["resends"].is_object()
    {
        memory.push((String::new(), asked["resends"].clone()));
    }
    let Some((_, resends)) = memory.first().cloned() else { return Falsified::not(call) };
    instead(call, "TOLD#", |call| put(call, "HEAD", |head| head["resends"] = resends.clone()))
}

fn head_of(action: &Value) -> Option<Value> {
    serde_json::from_slice(&crate::audit::body_of(&action["Put"]["Item"]).ok()?).ok()
}

fn resend_forgotten(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "CAUSE#", |call| {
        put(call, "HEAD", |head| {
            if let Some(members) = head.as_object_mut() {
                members.remove("resends");
            }
        })
    })
}

/// The part again, as the second object of the mail.
fn two_objects(call: &Call, _: &mut Memory) -> Falsified {
    mails(call, |body| {
        let raw = &mut body["Content"]["Raw"]["Data"];
        let text = String::from_utf8_lossy(&STANDARD.decode(raw.as_str().unwrap_or_default()).unwrap_or_default())
            .into_owned();
        let second = text.split("\r\n--").find(|part| part.contains("Content-Type: text/calendar"));
        let end = text.rfind("\r\n--").filter(|_| second.is_some());
        if let (Some(second), Some(end)) = (second, end) {
            let part = second.split_once("\r\n").map_or("", |(_, part)| part);
            let (before, boundary) = text.split_at(end);
            let name = boundary.trim_end().trim_end_matches('-');
            *raw = STANDARD.encode(format!("{before}{name}\r\n{part}{boundary}")).into();
        }
    })
}

fn settle_lost(call: &Call, _: &mut Memory) -> Falsified {
    match transaction(call, "TOLD#") {
        true => Falsified::swallowed(json!({})),
        false => Falsified::not(call),
    }
}

fn told_apart(call: &Call, _: &mut Memory) -> Falsified {
    in_two(call, "TOLD#")
}

fn told_less(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "TOLD#", |call| {
        settle(call, |told| {
            if let Some(view) = told["view"].as_object_mut() {
                view.remove("violated");
                view.remove("exceptions");
            }
        })
    })
}

fn claim_unasked(call: &Call, _: &mut Memory) -> Falsified {
    let unasked = |update: &mut Value| {
        let claims = update["UpdateExpression"].as_str().is_some_and(|text| text.starts_with("SET"))
            && update["ExpressionAttributeValues"][":until"].is_object();
        if claims && let Some(body) = update.as_object_mut() {
            body.remove("ConditionExpression");
            if let Some(values) = body["ExpressionAttributeValues"].as_object_mut() {
                values.remove(":now");
            }
        }
    };
    let mut changed = each(call, |action| action.get_mut("Update").into_iter().for_each(unasked));
    if call.operation == "UpdateItem" {
        unasked(&mut changed.body);
    }
    Falsified { requests: vec![changed], answer: None }
}

/// The name of a claim ends where what is in doubt begins.
fn doubt_forgotten(call: &Call, _: &mut Memory) -> Falsified {
    let mut changed = call.clone();
    without_doubt(&mut changed.body);
    let mut changed = each(&changed, |action| action.get_mut("Update").into_iter().for_each(claim_sealed_again));
    claim_sealed_again(&mut changed.body);
    Falsified { requests: vec![changed], answer: None }
}

fn claim_sealed_again(update: &mut Value) {
    let (key, values) = (&update["Key"], &update["ExpressionAttributeValues"]);
    if !values[":claim"].is_object() {
        return;
    }
    let parts = [&key["pk"]["S"], &key["sk"]["S"], &values[":by"]["S"], &values[":until"]["N"]];
    let parts: Vec<&[u8]> = parts.into_iter().map(|part| part.as_str().unwrap_or_default().as_bytes()).collect();
    let sealed = digest(&[&[&b"claim"[..]], &parts[..]].concat());
    update["ExpressionAttributeValues"][":claim"] = json!({ "B": STANDARD.encode(sealed) });
}

fn without_doubt(value: &mut Value) {
    match value {
        Value::String(text) => {
            let parts: Vec<&str> = text.split('-').collect();
            if parts.len() > 3 && parts[0].len() == 32 && parts[2].len() == 32 {
                *text = parts[..3].join("-");
            }
        }
        Value::Array(all) => all.iter_mut().for_each(without_doubt),
        Value::Object(all) => all.values_mut().for_each(without_doubt),
        _ => {}
    }
}

fn subject_mailed(call: &Call, _: &mut Memory) -> Falsified {
    mails(call, |body| {
        let raw = &mut body["Content"]["Raw"]["Data"];
        let bytes = STANDARD.decode(raw.as_str().unwrap_or_default()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).replace("Review RR-1", scene::SUBJECT);
        *raw = STANDARD.encode(text).into();
    })
}

fn link_stored(call: &Call, _: &mut Memory) -> Falsified {
    instead(call, "TOLD#", |call| settle(call, |told| told["link"] = "https://holdpoint.example.com/adopt/AAEC".into()))
}
