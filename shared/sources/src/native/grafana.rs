//! Grafana OnCall's `/schedules/{id}/final_shifts`: `{"request": {"schedule", "start_date", "end_date"}, "response":
//! {"results": [...]}}`, since an answer says neither of which schedule it is nor what was asked.

use chrono::NaiveDate;
use refresh_core::{Instant, Interval};

use super::{
    input::Input,
    oncall::{self, MOST_ENTRIES, OncallEntry, ScheduleAnswer, span},
};
use crate::reader::{Node, Object};

const FILTERS: [&str; 3] = ["user", "user_pk", "team"];

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    oncall::translate(input, answer)
}

fn answer(object: &Object<'_>) -> Option<ScheduleAnswer> {
    let asked = object.must("request", |node| {
        let request = node.object()?;
        request.unfiltered(&FILTERS)?;
        let schedule = request.must("schedule", |node| node.text_owned());
        Some((schedule?, horizon(&request)?))
    });
    let entries = object.must("response", |node| {
        let response = node.object()?;
        let entries = response.must("results", |list| list.list(MOST_ENTRIES, shift));
        one_page(&response, entries.as_ref()?.len())?;
        entries
    });
    let (schedule, horizon) = asked?;
    Some(ScheduleAnswer { schedule, horizon, entries: entries?, known: true })
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

fn one_page(response: &Object<'_>, entries: usize) -> Option<()> {
    let linked =
        |name| response.may(name, |node| node.wrong_as::<()>("null (every page, put together)", "another page"));
    let count = response.may("count", |node| match usize::try_from(node.whole(0..=i64::MAX)?) {
        Ok(count) if count <= entries => Some(()),
        _ => node.wrong(format!("at most the {entries} shifts that are here")),
    });
    linked("next").and(linked("previous")).and(count).map(|_| ())
}

fn shift(node: &Node<'_>) -> Option<OncallEntry> {
    let shift = node.object()?;
    let names = ["user_pk", "user_email", "user_username"].map(|name| shift.may(name, |node| node.text_owned()));
    let (start, end) = span(&shift, "shift_start", "shift_end")?;
    let names: Option<Vec<Option<String>>> = names.into_iter().collect();
    Some(OncallEntry { names: names?.into_iter().flatten().collect(), start, end })
}
