//! ServiceNow's `change_request`, as the Table API and the Change Management API give it: one record, or a `result` of
//! one or many. Records stand each for itself: a bad one holds up no other.

use refresh_core::{Person, base::name::shorten, facts::fact::ChangeState};
use serde_json::{Value, json};

use super::{MOST_RECORDS, column, date_time, flag, whole_number};
use crate::{
    native::{
        binding::{Says, Servicenow},
        input::Input,
    },
    reader::{Node, Object},
};

/// The words of the column `approval`. Others are another language's, or the display value's.
const APPROVALS: [&str; 8] = [
    "not requested",
    "requested",
    "approved",
    "rejected",
    "cancelled",
    "not_required",
    "duplicate",
    "no longer required",
];

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match &binding.says {
        Says::Servicenow(servicenow) => Some(servicenow),
        _ => None,
    })?;
    let payload = input.payload;
    let object = payload.object()?;
    let records = match object.peek("result") {
        Some(Value::Array(items)) => {
            let read = object.must("result", |node| node.each_alone(MOST_RECORDS, |record| change(binding, record)))?;
            items.iter().zip(read).collect()
        }
        Some(record) => vec![(record, Ok(object.must("result", |record| change(binding, record))?))],
        None => vec![(payload.value(), Ok(change(binding, &payload)?))],
    };
    for (record, read) in records {
        match read {
            Ok(data) => input.emit(&binding.source, None, "dev.holdpoint.change.updated.v1", data),
            Err(faults) => {
                let number = record.get("number").and_then(|number| number.get("value").unwrap_or(number).as_str());
                input.refuse(number, Some(json!({ "result": [record] })), faults);
            }
        }
    }
    Some(())
}

fn change(binding: &Servicenow, record: &Node<'_>) -> Option<Value> {
    let record = record.object()?;
    let number = record.must("number", column);
    let revision = record.must("sys_mod_count", whole_number);
    let state = state(binding, &record);
    let (number, revision, state) = (number?, revision?, state?);
    let mut data = json!({ "change_id": number, "revision": revision, "state": word(state) });
    if !matches!(state, ChangeState::Approved | ChangeState::Implementing) {
        return Some(data);
    }
    let instant = |name: &str| record.must(name, date_time);
    let opens = instant(&binding.columns.review_opens);
    let closes = instant(&binding.columns.review_closes);
    let starts = instant(&binding.columns.cutover_starts);
    let ends = instant(&binding.columns.cutover_ends);
    let owner = record.must_or_null(&binding.columns.owner, |node| owner(binding, node));
    let confirmed = match &binding.owner_confirmed {
        Some(name) => record.may(name, column).map(Option::unwrap_or_default),
        None => Some(String::new()),
    };
    let columns = &binding.columns;
    let window = record.ordered(&columns.review_opens, opens?, &columns.review_closes, closes?);
    let cutover = record.ordered(&columns.cutover_starts, starts?, &columns.cutover_ends, ends?);
    let (window, cutover) = (window?, cutover?);
    data["review_window"] = json!({ "opens": window.start, "closes": window.end });
    data["cutover"] = json!({ "starts": cutover.start, "ends": cutover.end });
    data["owner"] = json!(owner?.flatten().map(|person| person.as_str().to_owned()));
    let confirmed = matches!(confirmed?.as_str(), "true" | "1" | "confirmed");
    data["owner_confirmation"] = json!(if confirmed { "confirmed" } else { "unconfirmed" });
    Some(data)
}

/// Only an approved record in Scheduled or Implement, and not on hold, is in force. One that went back is a draft
/// again, whatever dates it carries meanwhile.
fn state(binding: &Servicenow, record: &Object<'_>) -> Option<ChangeState> {
    let approval = record.must("approval", |node| {
        let text = column(node)?;
        let known = APPROVALS.contains(&text.as_str()).then_some(());
        known.or_else(|| node.wrong_as(format!("one of {}", APPROVALS.join(", ")), shorten(&text)))?;
        Some(text)
    });
    let own = record.must("state", |node| {
        let value = column(node)?;
        let base = match value.as_str() {
            "-5" | "-4" | "-3" => Some(ChangeState::Draft),
            "-2" => Some(ChangeState::Approved),
            "-1" => Some(ChangeState::Implementing),
            // After the work, before the closing: nothing new is in force, nothing is cancelled either.
            "0" => Some(ChangeState::OnHold),
            "3" => Some(ChangeState::Closed),
            "4" => Some(ChangeState::Cancelled),
            _ => None,
        };
        let state = binding.states.get(&value).copied().or(base);
        state.or_else(|| {
            let expected = "-5 to 0, 3 or 4, or a state that the binding's `states` names";
            node.wrong_as(expected, shorten(&value))
        })
    });
    let (approval, own) = (approval?, own?);
    if !matches!(own, ChangeState::Approved | ChangeState::Implementing) {
        return Some(own);
    }
    if !binding.approved_on.contains(approval.as_str()) {
        return Some(ChangeState::Draft);
    }
    // A column that was not asked for is not a column that says no.
    let on_hold = record.must("on_hold", flag);
    // A record that is active no more contradicts its state.
    let active = record.may("active", flag);
    let stands = on_hold? || active? == Some(false);
    Some(if stands { ChangeState::OnHold } else { own })
}

pub fn word(state: ChangeState) -> &'static str {
    match state {
        ChangeState::Draft => "draft",
        ChangeState::Approved => "approved",
        ChangeState::OnHold => "on_hold",
        ChangeState::Implementing => "implementing",
        ChangeState::Closed => "closed",
        ChangeState::Cancelled => "cancelled",
    }
}

/// The owner by address, or by the record id that the binding knows. An empty reference is nobody.
fn owner(binding: &Servicenow, node: &Node<'_>) -> Option<Option<Person>> {
    let text = column(node)?;
    if text.is_empty() {
        return Some(None);
    }
    let person = binding.people.person_of(&text);
    match person {
        Some(person) => Some(Some(person)),
        None => node.wrong_as("an address, or a record id that the binding's `people` names", shorten(&text)),
    }
}
