//! ServiceNow's `change_request`, as the Table API gives it: one record, or a `result` of one or many.
//!
//! Columns are a string, or an object with `value` (`sysparm_display_value=all`, references). Date-times are UTC without
//! a zone mark, unless display values were asked for: those are in the reader's zone and format, and are refused.

use refresh_core::{Instant, Person, facts::fact::ChangeState};
use serde_json::{Value, json};

use super::{
    binding::{Binding, Servicenow},
    input::Input,
    zone,
};
use crate::reader::{Node, Object};

const MOST_RECORDS: usize = 1_000;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match binding {
        Binding::Servicenow(servicenow) => Some(servicenow),
        _ => None,
    })?;
    let payload = input.payload;
    let object = payload.object()?;
    let records = match object.peek("result") {
        Some(Value::Array(_)) => {
            object.must("result", |node| node.list(MOST_RECORDS, |record| change(binding, record)))?
        }
        Some(_) => vec![object.must("result", |record| change(binding, record))?],
        None => vec![change(binding, &payload)?],
    };
    for data in records {
        input.emit(&binding.source, None, "dev.holdpoint.change.updated.v1", data);
    }
    Some(())
}

fn change(binding: &Servicenow, record: &Node<'_>) -> Option<Value> {
    let record = record.object()?;
    let number = record.must("number", column);
    let revision = record.must("sys_mod_count", |node| {
        column(node)?.parse::<u64>().ok().or_else(|| node.wrong("a whole number, 0 or more"))
    });
    let state = state(binding, &record);
    let (number, revision, state) = (number?, revision?, state?);
    let mut data = json!({ "change_id": number, "revision": revision, "state": word(state) });
    if !matches!(state, ChangeState::Approved | ChangeState::Implementing) {
        return Some(data);
    }
    let instant = |name: &str| record.must(name, date_time).map(|at| at.to_string());
    let opens = instant(&binding.review_opens);
    let closes = instant(&binding.review_closes);
    let starts = instant(&binding.cutover_starts);
    let ends = instant(&binding.cutover_ends);
    let owner = record.must_or_null(&binding.owner, |node| owner(binding, node));
    let confirmed = match &binding.owner_confirmed {
        Some(name) => record.may(name, column).map(Option::unwrap_or_default),
        None => Some(String::new()),
    };
    data["review_window"] = json!({ "opens": opens?, "closes": closes? });
    data["cutover"] = json!({ "starts": starts?, "ends": ends? });
    data["owner"] = json!(owner?.flatten().map(|person| person.as_str().to_owned()));
    let confirmed = matches!(confirmed?.as_str(), "true" | "1" | "confirmed");
    data["owner_confirmation"] = json!(if confirmed { "confirmed" } else { "unconfirmed" });
    Some(data)
}

/// Only an approved record in Scheduled or Implement, and not on hold, is in force. One that went back is a draft
/// again, whatever dates it carries meanwhile.
fn state(binding: &Servicenow, record: &Object<'_>) -> Option<ChangeState> {
    let approved = record.must("approval", column);
    let on_hold = record.may("on_hold", column);
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
        state.or_else(|| node.wrong("-5 to 0, 3 or 4, or a state that the binding's `states` names"))
    });
    let (approved, on_hold, own) = (approved?, on_hold?.unwrap_or_default(), own?);
    Some(match own {
        ChangeState::Approved | ChangeState::Implementing if approved != "approved" => ChangeState::Draft,
        ChangeState::Approved | ChangeState::Implementing if matches!(on_hold.as_str(), "true" | "1") => {
            ChangeState::OnHold
        }
        other => other,
    })
}

fn word(state: ChangeState) -> &'static str {
    match state {
        ChangeState::Draft => "draft",
        ChangeState::Approved => "approved",
        ChangeState::OnHold => "on_hold",
        ChangeState::Implementing => "implementing",
        ChangeState::Closed => "closed",
        ChangeState::Cancelled => "cancelled",
    }
}

/// A column's value: a scalar as it is, or the `value` of an object. Never the display value.
fn column(node: &Node<'_>) -> Option<String> {
    match node.value() {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(members) => match members.get("value") {
            Some(Value::String(text)) => Some(text.clone()),
            _ => node.wrong_as("a column with a `value`", "an object without one"),
        },
        _ => node.wrong("a column: a string, or an object with a `value`"),
    }
}

fn date_time(node: &Node<'_>) -> Option<Instant> {
    let text = column(node)?;
    zone::utc(&text, "%Y-%m-%d %H:%M:%S").or_else(|| {
        let expected = "a UTC date-time like 2026-11-03 13:00:00 (ask with sysparm_display_value=false or all)";
        node.wrong_as(expected, refresh_core::base::name::shorten(&text))
    })
}

/// The owner by address, or by the record id that the binding knows. An empty reference is nobody.
fn owner(binding: &Servicenow, node: &Node<'_>) -> Option<Option<Person>> {
    let text = column(node)?;
    if text.is_empty() {
        return Some(None);
    }
    let person = binding.people.get(&text).cloned().or_else(|| Person::parse(&text).ok());
    match person {
        Some(person) => Some(Some(person)),
        None => node.wrong_as(
            "an address, or a record id that the binding's `people` names",
            refresh_core::base::name::shorten(&text),
        ),
    }
}
