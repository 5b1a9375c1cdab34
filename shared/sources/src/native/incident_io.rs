//! incident.io's `/schedule_entries`: `{"request": {"schedule_id", "entry_window_start", "entry_window_end"}, "response":
//! {"schedule_entries": {"final": [...]}}}`. The final entries are read, which have the overrides in them.

use super::{
    input::Input,
    oncall::{self, MOST_ENTRIES, OncallEntry, ScheduleAnswer, span},
};
use crate::reader::{Node, Object};

const FILTERS: [&str; 2] = ["user_id", "layer_id"];

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    oncall::translate(input, answer)
}

fn answer(object: &Object<'_>) -> Option<ScheduleAnswer> {
    let asked = object.must("request", |node| {
        let request = node.object()?;
        request.unfiltered(&FILTERS)?;
        let schedule = request.must("schedule_id", |node| node.text_owned());
        let horizon = request.interval("entry_window_start", "entry_window_end");
        Some((schedule?, horizon?))
    });
    let entries = object.must("response", |node| {
        let response = node.object()?;
        let more = response.may("pagination_meta", |node| {
            node.object()?.may("after", |node| match node.value().as_str() {
                Some("") => Some(()),
                _ => node.wrong_as("nothing (every page, put together)", "another page"),
            })
        });
        let entries = response
            .must("schedule_entries", |node| node.object()?.must("final", |list| list.list(MOST_ENTRIES, entry)));
        more?;
        entries
    });
    let (schedule, horizon) = asked?;
    Some(ScheduleAnswer { schedule, horizon, entries: entries?, known: true })
}

fn entry(node: &Node<'_>) -> Option<OncallEntry> {
    let entry = node.object()?;
    let user = entry.may("user", |node| {
        let user = node.object()?;
        let id = user.may("id", |node| node.text_owned());
        let email = user.may("email", |node| node.text_owned());
        Some(id?.into_iter().chain(email?).collect::<Vec<_>>())
    });
    let (start, end) = span(&entry, "start_at", "end_at")?;
    // A gap that nobody covers has an entry without a user.
    Some(OncallEntry { names: user?.unwrap_or_default(), start, end })
}
