//! Google Calendar's `freeBusy` answer. Errors beside a calendar make its time unknown; busy that is listed counts anyway.

use refresh_core::Interval;

use super::{
    binding::Binding,
    input::{Input, Snapshot},
};
use crate::reader::{Node, Object};

/// The service expands at most 50 calendars a request.
const MOST_CALENDARS: usize = 50;
const MOST_INTERVALS: usize = 4_000;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match binding {
        Binding::Calendar(_, poll) => Some(poll),
        _ => None,
    });
    let payload = input.payload;
    let object = payload.object()?;
    let horizon = object.interval("timeMin", "timeMax");
    let calendars = object.must("calendars", calendars);
    let poll = binding?;
    let revision = input.polled_revision(poll);
    let (horizon, calendars, revision) = (horizon?, calendars?, revision?);
    for Calendar { name, path, busy, known } in calendars {
        let Some(person) = input.person(poll, &name, &path) else { continue };
        let unknown = if known { Vec::new() } else { vec![horizon] };
        let snapshot = Snapshot { person: &person, kind: "calendar", revision, horizon, busy, unknown };
        input.emit_availability(&poll.source, &snapshot);
    }
    Some(())
}

struct Calendar {
    name: String,
    path: String,
    busy: Vec<Interval>,
    known: bool,
}

fn calendars(node: &Node<'_>) -> Option<Vec<Calendar>> {
    let calendars = node.object()?.each(|name, node| {
        let object: Object<'_> = node.object()?;
        let errors = object.may("errors", |list| list.list(MOST_INTERVALS, |_| Some(())));
        let busy = object.may("busy", |list| list.list(MOST_INTERVALS, |item| item.object()?.interval("start", "end")));
        let (errors, busy) = (errors?.unwrap_or_default(), busy?);
        let known = errors.is_empty() && busy.is_some();
        Some(Calendar { name: name.to_owned(), path: node.path(), busy: busy.unwrap_or_default(), known })
    })?;
    if calendars.len() > MOST_CALENDARS {
        node.wrong(format!("at most {MOST_CALENDARS} calendars"))
    } else {
        Some(calendars)
    }
}
