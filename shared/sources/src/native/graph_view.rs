//! Microsoft Graph's `calendarView`: `{"request": {"user", "startDateTime", "endDateTime"}, "response": {"value": [...]}}`,
//! since an answer says neither whose calendar it is nor what was asked. Occurrences come expanded.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDateTime, NaiveTime};
use refresh_core::Interval;

use super::{
    binding::{Format, Poll, Says, system},
    graph::{ShowAs, local, shown, times},
    input::Input,
    people::{self, PersonTime, TimeKind},
    unread::Unread,
    zone,
};
use crate::reader::{Node, Object};

const MOST_ENTRIES: usize = 10_000;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match &binding.says {
        Says::Calendar(poll) => Some(poll),
        _ => None,
    });
    let object = input.payload.object()?;
    let asked = object.must("request", |request| {
        let request = request.object()?;
        let whole = request.unfiltered(system::filters(Format::GraphCalendarView));
        let user = request.must("user", |node| node.text_owned());
        let horizon = request.interval("startDateTime", "endDateTime");
        whole?;
        Some((user?, horizon?))
    });
    let (poll, unread) = (binding?, Unread::default());
    let entries = object.must("response", |response| {
        let response = response.object()?;
        let delta = response.may("@odata.deltaLink", |node| {
            node.wrong_as::<()>("a whole calendarView", "changes since another answer (delta)")
        });
        let entries = response.must("value", |list| list.list(MOST_ENTRIES, |item| entry(poll, &unread, item)));
        delta?;
        entries
    });
    let revision = input.polled_revision(&poll.revision_header);
    let ((user, horizon), entries, revision) = (asked?, entries?, revision?);
    let Some(person) = input.person(poll, &user, "$.request.user") else { return Some(()) };
    let of = |wanted: ShowAs| {
        let told = entries.iter().filter(move |entry| entry.shown == wanted);
        told.filter_map(|entry| entry.time).collect::<Vec<Interval>>()
    };
    let (busy, mut unknown) = (of(ShowAs::Busy), of(ShowAs::Unknown));
    unknown.extend(entries.iter().filter(|entry| entry.shown != ShowAs::Free).filter_map(|entry| entry.day));
    let told = vec![PersonTime { person, name: Some(user), revision, horizon, busy, unknown }];
    unread.tell(input);
    people::emit(input, poll, TimeKind::Entries, told, &BTreeSet::new());
    Some(())
}

struct ViewEntry {
    shown: ShowAs,
    time: Option<Interval>,
    /// Of a whole day on a clock that nobody names: all that the day can be.
    day: Option<Interval>,
}

fn entry(poll: &Poll, unread: &Unread, node: &Node<'_>) -> Option<ViewEntry> {
    let entry = node.object()?;
    if entry.has("@removed") {
        return node.wrong_as("an entry", "the removal of one (delta)");
    }
    // `/events` lists a series once, at its first occurrence; all later ones would be free time.
    let single = entry.may("type", |node| match node.text()? {
        "seriesMaster" => node.wrong("an occurrence (calendarView): a series does not say when it recurs"),
        _ => Some(()),
    });
    let series = entry.may("recurrence", |node| node.wrong_as::<()>("an occurrence (calendarView)", "a series"));
    single.and(series)?;
    // A column that was not asked for says nothing: the time is unknown.
    let told = entry.may("showAs", |node| shown(poll, unread, node));
    let cancelled = entry.may("isCancelled", |node| node.flag());
    let declined = entry.may("responseStatus", |node| response(&node.object()?));
    let whole_day = entry.may("isAllDay", |node| node.flag());
    let interval = times(&entry)?;
    let (told, cancelled, declined) = (told?, cancelled?, declined?);
    let away = cancelled == Some(true) || declined == Some(true);
    let shown = if away { ShowAs::Free } else { told.unwrap_or(ShowAs::Unknown) };
    if told.is_none() && !away {
        unread.note(|| node.path(), ".showAs: not told: the entry's time is unknown");
    }
    // A whole day is one on its person's own clock. The service writes the dates on the clock of whoever asked.
    let Some(days) = days(&entry, whole_day?) else { return Some(ViewEntry { shown, time: interval, day: None }) };
    let on = |zone| zone::between(zone::bound(days.first, zone), zone::bound(days.last, zone));
    let day = on(poll.time_zone);
    // Ends that are no midnights were written on a clock that is not the one whose days they are: the zone beside them
    // says what they are, or they are days all the same. The longer of the two counts.
    let told = if days.midnights { None } else { interval.or_else(|| a_day_from(&entry)) };
    let day = day.map(|day| told.map_or(day, |told| hull(day, told))).or(told);
    Some(match day {
        None => ViewEntry { shown, time: interval, day: None },
        Some(day) if poll.time_zone.is_some() => ViewEntry { shown, time: Some(day), day: None },
        Some(day) => {
            if shown != ShowAs::Free {
                let fault = ": a day on nobody's clock (the binding has no `time_zone`): all that it can be is unknown";
                unread.note(|| node.path(), fault);
            }
            ViewEntry { shown, time: interval, day: Some(day) }
        }
    })
}

fn hull(one: Interval, other: Interval) -> Interval {
    Interval::new(one.start.min(other.start), one.end.max(other.end)).unwrap_or(one)
}

/// Of an entry without a length: the day that begins with it.
fn a_day_from(entry: &Object<'_>) -> Option<Interval> {
    let start = entry.must("start", local)?;
    Interval::new(start.earliest, start.latest.plus_minutes(24 * 60))
}

/// Whole days, by their ends as they are written.
struct WholeDays {
    first: NaiveDateTime,
    last: NaiveDateTime,
    midnights: bool,
}

/// Where the column was not asked for, what lasts from midnight to midnight may be such days.
fn days(entry: &Object<'_>, whole_day: Option<bool>) -> Option<WholeDays> {
    let written = |name: &str| {
        let text = entry.peek(name)?.get("dateTime")?.as_str()?;
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()
    };
    let (first, last) = (written("start")?, written("end")?);
    let midnights = first.time() == NaiveTime::MIN && last.time() == NaiveTime::MIN;
    // A whole day that ends where it begins is that day.
    let last = if whole_day == Some(true) && first == last { last.checked_add_days(Days::new(1))? } else { last };
    whole_day.unwrap_or(midnights && first < last).then_some(WholeDays { first, last, midnights })
}

fn response(status: &Object<'_>) -> Option<bool> {
    Some(status.may("response", |node| node.text_owned())?.as_deref() == Some("declined"))
}
