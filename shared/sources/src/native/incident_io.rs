//! incident.io's `/schedule_entries`: `{"request": {"schedule_id", "entry_window_start", "entry_window_end"}, "response":
//! {"schedule_entries": {"final": [...]}}}`. The final entries are read, which have the overrides in them.

use super::{
    binding::{Format, system},
    input::Input,
    oncall::{self, MOST_ENTRIES, NameKind, OncallEntry, OncallNames, ScheduleAnswer, span},
};
use crate::reader::{Node, Object};

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    oncall::translate(input, answer)
}

fn answer(object: &Object<'_>) -> Option<ScheduleAnswer> {
    let asked = object.must("request", |node| {
        let request = node.object()?;
        request.unfiltered(system::filters(Format::IncidentIoScheduleEntries))?;
        let schedule = request.must("schedule_id", |node| node.text_owned());
        let horizon = request.interval("entry_window_start", "entry_window_end");
        Some((schedule?, horizon?))
    });
    let entries = object.must("response", |node| {
        node.object()?
            .must("schedule_entries", |node| node.object()?.must("final", |list| list.list(MOST_ENTRIES, entry)))
    });
    let (schedule, horizon) = asked?;
    Some(ScheduleAnswer { schedule, horizon, entries: entries?, off: None })
}

fn entry(node: &Node<'_>) -> Option<OncallEntry> {
    let entry = node.object()?;
    let user = entry.may("user", |node| {
        let user = node.object()?;
        let id = user.may("id", |node| node.text_owned());
        let email = user.may("email", |node| node.text_owned());
        Some(OncallNames::of([(NameKind::Id, id?), (NameKind::Address, email?)]))
    });
    let (start, end) = span(&entry, "start_at", "end_at")?;
    // A gap that nobody covers has an entry without a user.
    Some(OncallEntry { who: user?.unwrap_or_default(), path: node.path(), start, end })
}
