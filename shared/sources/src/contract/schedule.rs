//! `availability.updated` and `freeze.updated`: when people are engaged, and when nothing may be released.

use std::{cell::RefCell, collections::BTreeSet};

use refresh_core::{
    Calendar, DiaryName, Interval, Person,
    base::name::LONGEST_NAME,
    facts::{
        event::Statement,
        fact::{Availability, Body, Busy, EntryOf, Freeze, MOST_FREEZES, MOST_INTERVALS},
        subject::{Diary, Subject},
    },
};

use super::said::Said;
use crate::reader::{Node, Object};

const DIARIES: [(&str, Diary); 2] = [("calendar", Diary::Calendar), ("oncall", Diary::Oncall)];

/// Intervals are sorted but never merged or cut: an own meeting is known by being exactly equal to one of them, and
/// two equal entries are two engagements.
pub fn availability(data: &Object<'_>) -> Option<Said> {
    let person = data.must("person", |node| node.parsed(Person::parse));
    let diary = data.must("kind", |node| node.word(&DIARIES));
    let name = data.may("calendar", |node| node.parsed(DiaryName::parse));
    let revision = data.must("revision", |node| node.revision());
    let horizon = data.must("horizon", |node| node.object()?.interval("start", "end"));
    let merged = data.may("merged", |node| node.flag());
    let busy = data.must("busy", |node| {
        node.list(MOST_INTERVALS, |item| {
            let object = item.object()?;
            let interval = object.interval_or_nothing("start", "end");
            let own = object.may("own", |node| node.flag());
            let (Some(interval), own) = (interval?, own?) else { return Some(None) };
            Some(Some(Busy { start: interval.start, end: interval.end, own: EntryOf::of(own) }))
        })
    });
    let unknown = data
        .may("unknown", |node| node.list(MOST_INTERVALS, |item| item.object()?.interval_or_nothing("start", "end")));
    // An interval of no length says nothing. Some systems send one for a cancelled entry.
    let mut busy: Vec<Busy> = busy?.into_iter().flatten().collect();
    let mut unknown: Vec<Interval> = unknown?.into_iter().flatten().flatten().collect();
    busy.sort_unstable_by_key(|entry| (entry.start, entry.end, entry.own));
    unknown.sort_unstable();
    let availability = Availability { horizon: horizon?, busy: busy.into(), unknown, merged: merged?.unwrap_or(false) };
    let body = Body::Availability(availability);
    Some((Subject::Availability(person?, diary?, name?), Statement::State { revision: revision?, body }))
}

pub fn freeze(data: &Object<'_>) -> Option<Said> {
    let calendar = data.must("calendar", |node| node.parsed(Calendar::parse));
    let revision = data.must("revision", |node| node.revision());
    let freezes = data.must("freezes", freezes);
    let mut freezes = freezes?;
    freezes.sort_unstable_by(|a, b| (a.start, a.end, &a.id).cmp(&(b.start, b.end, &b.id)));
    Some((Subject::Freeze(calendar?), Statement::State { revision: revision?, body: Body::Freeze(freezes) }))
}

fn freezes(node: &Node<'_>) -> Option<Vec<Freeze>> {
    let seen = RefCell::new(BTreeSet::new());
    node.list(MOST_FREEZES, |item| {
        let object = item.object()?;
        let id = object.must("id", |node| {
            let id = node.prose(LONGEST_NAME)?;
            if seen.borrow_mut().insert(id.clone()) { Some(id) } else { node.wrong("each freeze id once") }
        });
        let interval = object.interval("start", "end");
        let protected = object.must("protected", |node| node.flag());
        let interval = interval?;
        Some(Freeze { id: id?, start: interval.start, end: interval.end, protected: protected? })
    })
}
