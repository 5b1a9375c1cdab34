//! PagerDuty's `/oncalls`: `{"request": {"since", "until"}, "response": {"oncalls": [...]}}`, since an answer does not
//! say what was asked.
//!
//! The binding says whom the snapshot is of. Each of them gets one, an empty one too: who has left the rota is in no
//! entry, and without it would stay engaged for ever.

use std::collections::BTreeMap;

use refresh_core::{Instant, Interval, Person};

use super::{
    binding::{Binding, Oncall},
    input::{Input, Snapshot},
};
use crate::reader::{Node, Object};

const MOST_ENTRIES: usize = 10_000;

/// One entry that counts: a user's id, from when to when (`None`: permanent on that side).
struct OncallEntry {
    user: String,
    start: Option<Instant>,
    end: Option<Instant>,
}

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match binding {
        Binding::Oncall(oncall) => Some(oncall),
        _ => None,
    });
    let payload = input.payload;
    let object = payload.object()?;
    let horizon = object.must("request", |node| node.object()?.interval("since", "until"));
    let oncall = binding?;
    let entries = object.must("response", |response| {
        let response = response.object()?;
        let whole = response.may("more", |node| match node.flag()? {
            true => node.wrong("false (every page of the answer, put together)"),
            false => Some(()),
        });
        let entries = response.must("oncalls", |list| list.list(MOST_ENTRIES, |item| entry(oncall, item)));
        whole?;
        entries
    });
    let revision = input.polled_revision(&oncall.poll);
    let (horizon, entries, revision) = (horizon?, entries?, revision?);
    for (person, busy) in engaged(oncall, horizon, entries.into_iter().flatten()) {
        let snapshot = Snapshot { person: &person, kind: "oncall", revision, horizon, busy, unknown: Vec::new() };
        input.emit_availability(&oncall.poll.source, &snapshot);
    }
    Some(())
}

/// `Some(None)`: good, but of a level or a policy that engages nobody.
fn entry(oncall: &Oncall, node: &Node<'_>) -> Option<Option<OncallEntry>> {
    let object = node.object()?;
    let user = object.must("user", |node| node.object()?.must("id", |node| node.text_owned()));
    let level = object.must("escalation_level", |node| node.whole(1..=100));
    let policy = object.may("escalation_policy", |node| node.object()?.must("id", |node| node.text_owned()));
    let (start, end) = bounds(&object)?;
    let (user, level, policy) = (user?, level?, policy?);
    let policies = oncall.escalation_policies.as_ref();
    let counts = oncall.levels.contains(&level)
        && policies.is_none_or(|counting| policy.is_some_and(|policy| counting.contains(&policy)));
    Some(counts.then_some(OncallEntry { user, start, end }))
}

fn bounds(object: &Object<'_>) -> Option<(Option<Instant>, Option<Instant>)> {
    let start = object.may("start", |node| node.instant());
    let end = object.may("end", |node| node.instant());
    let (start, end) = (start?, end?);
    if let (Some(start), Some(end)) = (start, end) {
        object.ordered("start", start, "end", end)?;
    }
    Some((start, end))
}

/// Every bound person, with the time they are on call. Several rotas of one person become one: on-call time is never
/// our own meeting, so nothing rests on an entry's exact bounds, and the fact stays small.
fn engaged(
    oncall: &Oncall,
    horizon: Interval,
    entries: impl Iterator<Item = OncallEntry>,
) -> BTreeMap<Person, Vec<Interval>> {
    let mut engaged: BTreeMap<Person, Vec<Interval>> =
        oncall.poll.people.values().map(|person| (person.clone(), Vec::new())).collect();
    for entry in entries {
        let person = oncall.poll.people.get(&entry.user);
        let start = entry.start.unwrap_or(horizon.start).max(horizon.start);
        let end = entry.end.unwrap_or(horizon.end).min(horizon.end);
        if let (Some(list), Some(interval)) =
            (person.and_then(|person| engaged.get_mut(person)), Interval::new(start, end))
        {
            list.push(interval);
        }
    }
    engaged.values_mut().for_each(|list| *list = merged(std::mem::take(list)));
    engaged
}

fn merged(mut list: Vec<Interval>) -> Vec<Interval> {
    list.sort_unstable();
    let mut merged: Vec<Interval> = Vec::with_capacity(list.len());
    for next in list {
        match merged.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => merged.push(next),
        }
    }
    merged
}
