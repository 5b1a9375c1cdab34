//! Why time of an event is unknown: which property, and what is wrong with it. Never what stands there.

use super::{
    clock::{self, OnClock},
    content::{Component, ContentLine, Mention, REST_OF_READ},
    seen::{RangeOfSeries, SeenEvent},
};

const FROM_ITS_START: &str = "time from the earliest instant that the event names on is unknown";
const ALL: &str = "all time of its calendar is unknown";

/// Of an event that says that it engages nobody, where a text of it is broken.
pub const DISBELIEVED: &str =
    ": a line that is no content line (RFC 5545, 3.1): its STATUS and TRANSP may be text, and count for nothing";

/// Of an event that is not understood.
pub fn of_event(event: &SeenEvent<'_>) -> String {
    let component = event.component;
    let said = |name: &str| format!(".{name}: {}: {FROM_ITS_START}", fault(component, name));
    let there = |name: &str| component.lines(name).next().is_some();
    match (event.start, event.lasts) {
        (None, _) => format!(".DTSTART: {}: {ALL}", fault(component, "DTSTART")),
        (_, None) if there("DTEND") && there("DURATION") => format!(".DTEND: there beside DURATION: {FROM_ITS_START}"),
        (_, None) if there("DURATION") => said("DURATION"),
        (_, None) => said("DTEND"),
        _ => format!(".RRULE: recurs in a way that nobody here knows, or too often: {FROM_ITS_START}"),
    }
}

/// Of an event that makes its series another one.
pub fn of_series(event: &SeenEvent<'_>) -> String {
    let component = event.component;
    match event.more_than_one {
        _ if event.start.is_none() => of_event(event),
        Some(RangeOfSeries::Later) => {
            format!(".RECURRENCE-ID: stands for all later occurrences (RANGE): {FROM_ITS_START}")
        }
        Some(RangeOfSeries::Others) => format!(".RECURRENCE-ID: a RANGE that nobody here knows: {ALL}"),
        None if event.instead_of.is_none() && component.lines("RECURRENCE-ID").next().is_some() => {
            format!(".RECURRENCE-ID: {}: {FROM_ITS_START}", fault(component, "RECURRENCE-ID"))
        }
        None if component.lacks(REST_OF_READ) => {
            format!(": a line that is no content line (RFC 5545, 3.1), behind one that is read: {FROM_ITS_START}")
        }
        None if component.lines("X-MICROSOFT-RRULE").next().is_some() => {
            format!(".X-MICROSOFT-RRULE: recurs by another calendar than the Gregorian: {FROM_ITS_START}")
        }
        None => format!(".RDATE: not understood: {FROM_ITS_START}"),
    }
}

/// Of an event whose time is told, and some of it on a clock that nobody knows.
pub fn of_clock(event: &SeenEvent<'_>) -> Vec<String> {
    let unsure = |name: &str, why: &str| format!(".{name}: {why}: all that its time can be is unknown");
    let way = event.perhaps_way > 0;
    let way_fault = || unsure("X-APPLE-TRAVEL-DURATION", "not understood");
    let clockless = |time: OnClock<'_>| time.clock().is_none();
    let of = |name: &str| event.component.lines(name).next().map_or("no zone is named", clock_fault);
    let clock = if event.start.is_some_and(clockless) {
        Some(unsure("DTSTART", of("DTSTART")))
    } else if event.lasts.is_some_and(|lasts| !lasts.sure) {
        Some(unsure("DTEND", of("DTEND")))
    } else if event.more.iter().any(|(start, own)| clockless(*start) || own.is_some_and(|own| !own.sure)) {
        Some(unsure("RDATE", of("RDATE")))
    } else {
        (!way).then(|| unsure("DTSTART", CONTRADICTED))
    };
    way.then(way_fault).into_iter().chain(clock).collect()
}

const CONTRADICTED: &str = "a zone that the calendar's own rules, or the mark of UTC, contradict";

fn clock_fault(line: &ContentLine<'_>) -> &'static str {
    match line.said("TZID") {
        Mention::Nothing => "no zone is named, or one that nobody here knows",
        Mention::Once(name) if clock::zone_of(name).is_none() => "a zone that nobody here knows",
        Mention::Once(_) => CONTRADICTED,
        Mention::Twice => "two zones that differ",
    }
}

fn fault(component: &Component<'_>, name: &str) -> &'static str {
    match component.said(name) {
        Mention::Nothing => "missing",
        Mention::Once(_) if matches!(name, "DTEND" | "DURATION") => "not understood, or not after the start",
        Mention::Once(_) => "not understood",
        Mention::Twice => "there twice, and the two differ",
    }
}
