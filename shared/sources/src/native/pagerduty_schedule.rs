//! PagerDuty's `/schedules/{id}`: `{"request": {"since", "until"}, "response": {"schedule": {...}}}`. The final schedule is
//! read, which has the overrides in it.

use serde_json::Value;

use super::{
    input::Input,
    oncall::{self, MOST_ENTRIES, NameKind, OncallEntry, OncallNames, ScheduleAnswer, span},
};
use crate::reader::{Node, Object};

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    oncall::translate(input, answer)
}

fn answer(object: &Object<'_>) -> Option<ScheduleAnswer> {
    let horizon = object.must("request", |node| {
        let request = node.object()?;
        // Without them the service renders no entry at all.
        request.interval("since", "until")
    });
    let schedule =
        object.must("response", |response| response.object()?.must("schedule", |node| schedule(&node.object()?)));
    let (schedule, entries) = schedule?;
    Some(ScheduleAnswer { schedule, horizon: horizon?, entries, off: None })
}

fn schedule(schedule: &Object<'_>) -> Option<(String, Vec<OncallEntry>)> {
    let id = schedule.must("id", |node| node.text_owned());
    let entries = schedule.must("final_schedule", |node| {
        let rendered = node.object()?;
        let entries = rendered.must("rendered_schedule_entries", |list| list.list(MOST_ENTRIES, entry))?;
        let covered = rendered.peek("rendered_coverage_percentage").and_then(Value::as_f64);
        if entries.is_empty() && covered.is_some_and(|covered| covered > 0.0) {
            return node.wrong_as("the entries of what is covered", "a coverage, and no entry");
        }
        Some(entries)
    });
    Some((id?, entries?))
}

fn entry(node: &Node<'_>) -> Option<OncallEntry> {
    let entry = node.object()?;
    // Of a user who was deleted nothing is left: somebody is on call, and nobody knows who.
    let user = entry.may("user", |node| node.object()?.must("id", |node| node.text_owned()));
    let (start, end) = span(&entry, "start", "end")?;
    Some(OncallEntry { who: OncallNames::of([(NameKind::Id, user?)]), path: node.path(), start, end })
}
