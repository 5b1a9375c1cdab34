//! Grafana OnCall's `/schedules/{id}/final_shifts`: `{"request": {"schedule", "start_date", "end_date"}, "response":
//! {"results": [...]}}`, since an answer says neither of which schedule it is nor what was asked.

use chrono::NaiveDate;
use refresh_core::{Instant, Interval};

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
        request.unfiltered(system::filters(Format::GrafanaFinalShifts))?;
        let schedule = request.must("schedule", |node| node.text_owned());
        Some((schedule?, horizon(&request)?))
    });
    let entries = object.must("response", |node| node.object()?.must("results", |list| list.list(MOST_ENTRIES, shift)));
    let (schedule, horizon) = asked?;
    Some(ScheduleAnswer { schedule, horizon, entries: entries?, off: None })
}

/// Dates in UTC. Whether the last is part of the answer is not said, so it is taken as not.
fn horizon(request: &Object<'_>) -> Option<Interval> {
    let start = request.must("start_date", date);
    let end = request.must("end_date", date);
    request.ordered("start_date", start?, "end_date", end?)
}

fn date(node: &Node<'_>) -> Option<Instant> {
    let read = NaiveDate::parse_from_str(node.text()?, "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    let instant = read.map(|midnight| Instant::from_millis(midnight.and_utc().timestamp_millis()));
    instant.or_else(|| node.wrong("a date like 2026-11-03"))
}

fn shift(node: &Node<'_>) -> Option<OncallEntry> {
    let shift = node.object()?;
    let [id, email, name] =
        ["user_pk", "user_email", "user_username"].map(|name| shift.may(name, |node| node.text_owned()));
    let (start, end) = span(&shift, "shift_start", "shift_end")?;
    let who = OncallNames::of([(NameKind::Id, id?), (NameKind::Address, email?), (NameKind::Any, name?)]);
    Some(OncallEntry { who, path: node.path(), start, end })
}
