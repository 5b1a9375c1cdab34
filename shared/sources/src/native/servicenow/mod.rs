//! ServiceNow: change records, delegates, and the schedules of blackouts and maintenance.
//!
//! Columns are a string, or an object with `value` (`sysparm_display_value=all`, references), or typed as the Change
//! Management API types them. Date-times are UTC without a zone mark, unless display values were asked for: those are
//! in the reader's zone, format and language, and are refused where they can be told.

mod applied;
pub mod change;
pub mod delegates;
pub mod schedules;

use refresh_core::{Instant, base::name::shorten};
use serde_json::Value;

use super::{input::Input, zone};
use crate::reader::Node;

const MOST_RECORDS: usize = 1_000;

/// A column's value: a scalar as it is, or the `value` of an object. Never the display value.
fn column(node: &Node<'_>) -> Option<String> {
    match node.value() {
        Value::Object(members) => match members.get("value").map(scalar) {
            Some(Some(text)) => Some(text),
            Some(None) => node.wrong_as("a column whose `value` is a scalar", "an object with another `value`"),
            None => {
                node.wrong_as("a column with a `value` (ask with sysparm_display_value=all)", "an object without one")
            }
        },
        value => match scalar(value) {
            Some(text) => Some(text),
            None => node.wrong("a column: a string, or an object with a `value`"),
        },
    }
}

/// A column that names another record, and so is never empty.
fn reference(node: &Node<'_>) -> Option<String> {
    let id = column(node)?;
    if id.trim().is_empty() { node.wrong_as("the sys_id of a record", "an empty one") } else { Some(id) }
}

/// Numbers come as text, whole, or with a fraction of nothing (`-2.0`).
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(match number.as_f64() {
            Some(float) if number.as_i64().is_none() && float.fract() == 0.0 && float.abs() < 9e15 => {
                format!("{float:.0}")
            }
            _ => number.to_string(),
        }),
        _ => None,
    }
}

/// A flag's column, which is never empty where it was asked for and may be read.
fn flag(node: &Node<'_>) -> Option<bool> {
    match column(node)?.as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        other => node.wrong_as("true or false", shorten(other)),
    }
}

fn date_time(node: &Node<'_>) -> Option<Instant> {
    let text = column(node)?;
    zone::utc(&text, "%Y-%m-%d %H:%M:%S").or_else(|| {
        let expected = "a UTC date-time like 2026-11-03 13:00:00 (ask with sysparm_display_value=false or all)";
        node.wrong_as(expected, shorten(&text))
    })
}

fn whole_number(node: &Node<'_>) -> Option<u64> {
    let text = column(node)?;
    text.parse().ok().or_else(|| node.wrong_as("a whole number, 0 or more", shorten(&text)))
}

/// A table read as a whole must be whole: a link to the next page, or a count above what is here, says that more was
/// left out.
fn whole_table<T>(input: &Input<'_>, records: &[T]) -> Option<()> {
    let more = input.header("link").is_some_and(|link| link.contains("rel=\"next\""));
    let counted = input.header("x-total-count").and_then(|count| count.parse::<usize>().ok());
    if more || counted.is_some_and(|count| count > records.len()) {
        return input.wrong("header link", "every page of the answer, put together", "a page of several");
    }
    Some(())
}
