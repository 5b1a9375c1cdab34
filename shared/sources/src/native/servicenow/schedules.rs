//! ServiceNow's blackout and maintenance schedules as freezes: `{"schedules": {"result": [cmn_schedule]}, "spans":
//! {"result": [cmn_schedule_span]}, "children": {"result": [cmn_other_schedule]}}`.
//!
//! A freeze calendar is told whole or not at all: a span that is not understood may be the one that matters. A schedule
//! that is not in the answer says nothing; one that is, without a span, has no freeze. The spans of a parent and of child
//! schedules apply as well, so those must be in the answer too.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, NaiveDate, NaiveDateTime};
use refresh_core::{
    Calendar, Instant, Interval, Zone,
    base::{instant::DAY, name::shorten},
    facts::fact::MOST_FREEZES,
};
use serde_json::{Value, json};

use super::{
    MOST_RECORDS,
    applied::{self, AppliedSchedules},
    column, flag, reference, whole_table,
};
use crate::{
    native::{
        binding::{FreezeSchedule, Says, ServicenowSchedules},
        input::Input,
        lasting::Lasting,
        recurrence::{self, Budget},
        zone,
    },
    reader::{Node, Object},
};

const MOST_ROWS: usize = 10 * MOST_RECORDS;
const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

struct Span {
    id: String,
    schedule: String,
    start: LocalTime,
    end: LocalTime,
    all_day: bool,
    /// A span that takes time out of its schedule. Left out, the freeze is longer: that is never better than it is.
    excluded: bool,
    rule: Option<String>,
}

impl Span {
    /// Whether the span recurs beyond an instant.
    fn goes_on_at(&self, at: Instant) -> bool {
        let Some(rule) = &self.rule else { return false };
        let until = rule.rsplit_once("UNTIL=").and_then(|(_, day)| NaiveDate::parse_from_str(day, "%Y%m%d").ok());
        // Some clock shows the last day a day later than UTC does.
        until.is_none_or(|until| until >= at.plus_millis(-DAY).to_utc().date_naive())
    }
}

#[derive(Clone, Copy)]
struct LocalTime {
    local: NaiveDateTime,
    in_utc: bool,
}

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match &binding.says {
        Says::Freezes(schedules) => Some(schedules),
        _ => None,
    });
    let payload = input.payload.object()?;
    let told =
        payload.must("schedules", |node| node.object()?.must("result", |node| node.list(MOST_ROWS, applied::schedule)));
    let children =
        payload.must("children", |node| node.object()?.must("result", |node| node.list(MOST_ROWS, applied::child)));
    let spans = payload.must("spans", |node| node.object()?.must("result", |node| node.each_alone(MOST_ROWS, span)));
    let rows = payload.peek("spans").and_then(|table| table.get("result")).and_then(Value::as_array);
    let binding = binding?;
    let revision = input.polled_revision(&binding.revision_header);
    let Some(answered) = input.answered_at("date") else {
        return input.wrong("header date", "the instant of the answer, from which the horizon is counted", "nothing");
    };
    let (schedules, spans, revision) = (AppliedSchedules::new(told?, children?), spans?, revision?);
    whole_table(input, &spans)?;
    let mut bad: BTreeSet<String> = BTreeSet::new();
    let mut good = Vec::new();
    for (row, read) in rows.into_iter().flatten().zip(spans) {
        match read {
            Ok(span) => good.push(span),
            Err(faults) => {
                let of = |name: &str| row.get(name).map(|column| column.get("value").unwrap_or(column));
                match of("schedule").and_then(Value::as_str).filter(|schedule| !schedule.trim().is_empty()) {
                    Some(schedule) => drop(bad.insert(schedule.to_owned())),
                    // It may be of any of them.
                    None => bad.extend(binding.schedules.keys().cloned()),
                }
                input.refuse(of("sys_id").and_then(Value::as_str), None, faults);
            }
        }
    }
    for calendar in calendars(binding) {
        tell(
            input,
            binding,
            &calendar,
            &AnsweredSpans { schedules: &schedules, spans: &good, bad: &bad, answered, revision },
        );
    }
    Some(())
}

/// What the answer says, beside the binding.
struct AnsweredSpans<'t> {
    schedules: &'t AppliedSchedules,
    spans: &'t [Span],
    bad: &'t BTreeSet<String>,
    answered: Instant,
    revision: u64,
}

fn calendars(binding: &ServicenowSchedules) -> BTreeSet<Calendar> {
    binding.schedules.values().map(|schedule| schedule.calendar.clone()).collect()
}

/// How far ahead recurrences are expanded, in days: as far as the list has place for, and half a year in any case.
const REACHES: [i64; 4] = [3_653, 731, 366, 184];
/// Where the end of a freeze that goes on is not known.
const LONG_DAYS: i64 = 100 * 366;

type FreezesBySpan = BTreeMap<(String, Instant), FreezeUntil>;

fn tell(input: &mut Input<'_>, binding: &ServicenowSchedules, calendar: &Calendar, told: &AnsweredSpans<'_>) {
    let mut freezes = Err(String::new());
    for reach in REACHES.into_iter().filter(|reach| *reach >= binding.horizon_days) {
        freezes = freezes_of(binding, calendar, told, reach);
        if freezes.as_ref().is_ok_and(|freezes| freezes.len() <= MOST_FREEZES) {
            break;
        }
    }
    let mut freezes = match freezes {
        Ok(freezes) => freezes,
        Err(why) => return input.skip(format!("freeze calendar {calendar}: {why}")),
    };
    if let Some(from) = shortened(&mut freezes, told.answered) {
        input.skip(format!("freeze calendar {calendar}: more than {MOST_FREEZES} freezes: told as one from {from} on"));
    }
    let freezes: Vec<Value> = freezes.into_iter().map(freeze).collect();
    let data = json!({ "calendar": calendar.as_str(), "revision": told.revision, "freezes": freezes });
    input.emit(&binding.source, None, "dev.holdpoint.freeze.updated.v1", data);
}

/// The freezes of a calendar; or why they are not known.
fn freezes_of(
    binding: &ServicenowSchedules,
    calendar: &Calendar,
    told: &AnsweredSpans<'_>,
    reach: i64,
) -> Result<FreezesBySpan, String> {
    let mut freezes = FreezesBySpan::new();
    let mut budget = Budget::default();
    for (id, schedule) in binding.schedules.iter().filter(|(_, schedule)| schedule.calendar == *calendar) {
        // Two schedules of one calendar may have one parent: of two freezes at one instant the longer and protected counts.
        for (span, time) in frozen(id, schedule, told, reach, &mut budget)? {
            let freeze = freezes.entry((span, time.start)).or_insert(FreezeUntil { end: time.end, protected: false });
            freeze.end = freeze.end.max(time.end);
            freeze.protected |= schedule.protected;
        }
    }
    Ok(freezes)
}

/// Puts one freeze for all that the contract's list has no place for. A list that is too long would be refused, and then an
/// older one would count.
fn shortened(freezes: &mut FreezesBySpan, answered: Instant) -> Option<Instant> {
    if freezes.len() <= MOST_FREEZES {
        return None;
    }
    let mut starts: Vec<Instant> = freezes.keys().map(|(_, start)| *start).collect();
    starts.sort_unstable();
    let from = starts[MOST_FREEZES - 1];
    let rest: Vec<_> = freezes.extract_if(.., |(_, start), _| *start >= from).collect();
    let end = rest.iter().map(|(_, freeze)| freeze.end).max().unwrap_or(answered);
    let protected = rest.iter().any(|(_, freeze)| freeze.protected);
    freezes.insert(("others".to_owned(), from), FreezeUntil { end, protected });
    Some(from)
}

struct FreezeUntil {
    end: Instant,
    protected: bool,
}

/// The times of every span that applies to a schedule, by the span's id; or why they are not known.
fn frozen(
    id: &str,
    schedule: &FreezeSchedule,
    told: &AnsweredSpans<'_>,
    reach: i64,
    budget: &mut Budget,
) -> Result<Vec<(String, Interval)>, String> {
    let applied = told.schedules.to(id, told.bad).map_err(|missing| match missing == id {
        true => format!("schedule {} is not told whole", shorten(id)),
        false => format!("schedule {}, which applies to {}, is not told whole", shorten(missing), shorten(id)),
    })?;
    let mut times = Vec::new();
    // On a whole day, so that two answers of one day say the same.
    let end = Instant::from_millis((told.answered.millis() + reach * DAY).div_euclid(DAY) * DAY);
    let long = Interval::new(end, end.plus_millis(LONG_DAYS * DAY));
    let horizon = Interval::new(told.answered.plus_millis(-DAY), end).ok_or("the answer has no time")?;
    let spans = told.spans.iter().filter(|span| applied.contains(span.schedule.as_str()) && !span.excluded);
    for span in spans {
        // Of a span of another schedule ServiceNow does not say on whose clock it is: on either.
        let zones: BTreeSet<Zone> =
            [span.schedule.as_str(), id].into_iter().filter_map(|id| told.schedules.zone(id)).collect();
        let unnamed = zones.is_empty().then_some(schedule.time_zone);
        for zone in zones.into_iter().map(Some).chain(unnamed) {
            let Some(found) = expand(span, zone, horizon, budget) else {
                let span = shorten(&span.id);
                return Err(format!(
                    "span {span} does not end after it starts, or recurs in a way nobody here knows, or too often"
                ));
            };
            times.extend(found.into_iter().map(|time| (span.id.clone(), time)));
        }
        // What recurs beyond is not clear there: nobody has looked at which hours it freezes.
        times.extend(long.filter(|_| span.goes_on_at(end)).map(|time| (span.id.clone(), time)));
    }
    Ok(times)
}

fn freeze(((span, start), freeze): ((String, Instant), FreezeUntil)) -> Value {
    json!({
        "id": format!("{span}@{start}"), "start": start.to_string(), "end": freeze.end.to_string(),
        "protected": freeze.protected,
    })
}

fn span(node: &Node<'_>) -> Option<Span> {
    let row = node.object()?;
    let id = row.must("sys_id", column);
    let schedule = row.must("schedule", reference);
    let start = row.must("start_date_time", local_time);
    let end = row.must("end_date_time", local_time);
    let all_day = row.may("all_day", flag);
    let kind = row.may("type", column);
    let rule = rule(&row);
    if let (Some(start), Some(end), Some(all_day)) = (&start, &end, &all_day)
        && !lasts(start, end, all_day.unwrap_or(false))
    {
        return row.must("end_date_time", |node| node.wrong("an end after `start_date_time`"));
    }
    Some(Span {
        id: id?,
        schedule: schedule?,
        start: start?,
        end: end?,
        all_day: all_day?.unwrap_or(false),
        excluded: kind?.as_deref() == Some("exclude"),
        rule: rule?,
    })
}

/// Whether a span lasts any time: the last of an all-day span's days may be its first. Ends on two clocks do if they can;
/// [`expand`] knows the schedule's zone.
fn lasts(start: &LocalTime, end: &LocalTime, all_day: bool) -> bool {
    if start.in_utc != end.in_utc {
        let on = |time: &LocalTime| zone::bound(time.local, time.in_utc.then_some(Zone::UTC));
        return on(end).latest > on(start).earliest;
    }
    if all_day { end.local.date() >= start.local.date() } else { end.local > start.local }
}

/// `20261103T210000`, on the schedule's clock, or in UTC with a `Z`.
fn local_time(node: &Node<'_>) -> Option<LocalTime> {
    let text = column(node)?;
    let in_utc = text.ends_with('Z');
    let local = NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y%m%dT%H%M%S").ok();
    match local {
        Some(local) => Some(LocalTime { local, in_utc }),
        None => node.wrong_as("a date-time like 20261103T210000 or 20261103T210000Z", shorten(&text)),
    }
}

/// How a span repeats, as a rule of RFC 5545.
fn rule(row: &Object<'_>) -> Option<Option<String>> {
    // A column that was not asked for does not say that the span happens once.
    let kind = row.must("repeat_type", |node| {
        let text = column(node)?;
        let known = matches!(text.as_str(), "" | "daily" | "weekly" | "weekdays" | "weekends" | "monthly" | "yearly");
        if known { Some(text) } else { node.wrong_as("a daily, weekly, monthly or yearly repetition", shorten(&text)) }
    })?;
    let every = row.may("repeat_count", |node| {
        let text = column(node)?;
        match text.parse::<u32>() {
            Ok(every @ 1..=1_000) => Some(every),
            _ if text.is_empty() => Some(1),
            _ => node.wrong_as("a whole number from 1 to 1000", shorten(&text)),
        }
    });
    // Without its days a weekly repetition would seem to be on the first one alone.
    let days = match kind.as_str() {
        "weekly" => row.must("days_of_week", |node| match weekdays(node)? {
            days if days.is_empty() => node.wrong_as("the days of a weekly repetition, like 135", "no day"),
            days => Some(Some(days)),
        }),
        _ => row.may("days_of_week", weekdays),
    };
    let by = |name: &str, lawful: &[&str]| {
        row.must(name, |node| {
            let text = column(node)?;
            if text.is_empty() || lawful.contains(&text.as_str()) { Some(()) } else { node.wrong(lawful.join(" or ")) }
        })
    };
    let until = row.may("repeat_until", until);
    let lawful = match kind.as_str() {
        "monthly" => by("monthly_type", &["dom"]),
        "yearly" => by("yearly_type", &["doy"]),
        _ => Some(()),
    };
    lawful?;
    let days = days?.unwrap_or_default();
    let by_day = if days.is_empty() { String::new() } else { format!(";BYDAY={}", days.join(",")) };
    let rule = match kind.as_str() {
        "" => return Some(None),
        "daily" => "FREQ=DAILY".to_owned(),
        "weekly" => format!("FREQ=WEEKLY{by_day}"),
        "weekdays" => "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR".to_owned(),
        "weekends" => "FREQ=WEEKLY;BYDAY=SA,SU".to_owned(),
        "monthly" => "FREQ=MONTHLY".to_owned(),
        _ => "FREQ=YEARLY".to_owned(),
    };
    let end = until?.flatten().map_or_else(String::new, |until| format!(";UNTIL={until}"));
    Some(Some(format!("{rule};INTERVAL={}{end}", every?.unwrap_or(1))))
}

/// `135`: Monday, Wednesday, Friday.
fn weekdays(node: &Node<'_>) -> Option<Vec<&'static str>> {
    let text = column(node)?;
    let days = text.chars().map(|digit| DAYS.get(usize::try_from(digit.to_digit(10)?).ok()?.checked_sub(1)?).copied());
    match days.collect() {
        Some(days) => Some(days),
        None => node.wrong_as("digits from 1 (Monday) to 7", shorten(&text)),
    }
}

/// `20271231`, or a date-time: the last day. Empty: without end.
fn until(node: &Node<'_>) -> Option<Option<String>> {
    let text = column(node)?;
    if text.is_empty() || text == "0" {
        return Some(None);
    }
    let day = text.get(..8).and_then(|day| NaiveDate::parse_from_str(day, "%Y%m%d").ok());
    match day {
        Some(day) => Some(Some(day.format("%Y%m%d").to_string())),
        None => node.wrong_as("a date like 20271231", shorten(&text)),
    }
}

/// `None`: the rule is not understood, or the span ends before it starts. A time whose zone is not known freezes as long
/// as it can be anywhere.
fn expand(span: &Span, zone: Option<Zone>, horizon: Interval, budget: &mut Budget) -> Option<Vec<Interval>> {
    let clock = |time: LocalTime| if time.in_utc { Some(Zone::UTC) } else { zone };
    let (zone, end_zone) = (clock(span.start), clock(span.end));
    let (mut first, mut end) = (span.start.local, span.end.local);
    if span.all_day {
        first = first.date().and_hms_opt(0, 0, 0)?;
        // The last day is frozen to its end, whether the record says its last second or the next midnight. A record that
        // ends where it begins means that day.
        end = (end - Duration::seconds(1)).date().max(first.date()).succ_opt()?.and_hms_opt(0, 0, 0)?;
    }
    let (from, to) = (zone::bound(first, zone), zone::bound(end, end_zone));
    let lasting = if zone == end_zone {
        let lasting = Lasting::on_clock(end - first)?;
        // Days are days of the clock, however often they recur.
        let exact = span.rule.is_some() && !span.all_day;
        if exact { lasting.recurring((from.earliest, to.latest)) } else { lasting }
    } else {
        let exact = to.latest.since(from.earliest);
        Lasting::exactly(Duration::milliseconds(exact)).filter(|_| exact > 0)?
    };
    let last = horizon.end.plus_minutes(DAY / 60_000).to_utc().naive_utc();
    let starts = match &span.rule {
        None => vec![first],
        Some(rule) => recurrence::starts(rule, first, last, |start, until| start <= until, budget)?,
    };
    let times = starts.into_iter().filter_map(|start| lasting.from(start, zone));
    Some(times.filter(|time| horizon.start < time.end).collect())
}
