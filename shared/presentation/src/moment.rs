//! Instants and slots as people are told them: the reader's zone first, UTC beside it.

use refresh_core::{Instant, Interval, Zone};

/// `16:30`, or `16:30:05` where seconds matter.
pub fn clock(at: Instant, zone: Zone) -> String {
    let seconds = at.millis().rem_euclid(60_000) != 0;
    zone.local(at).format(if seconds { "%H:%M:%S" } else { "%H:%M" }).to_string()
}

/// `Tue 3 Nov 2026`.
pub fn day(at: Instant, zone: Zone) -> String {
    zone.local(at).format("%a %-d %b %Y").to_string()
}

/// `CET`, or `UTC+03:00` where a zone has no name of its own.
pub fn zone_name(at: Instant, zone: Zone) -> String {
    let name = zone.abbreviation(at);
    if name.chars().all(|c| c.is_ascii_alphabetic()) {
        return name;
    }
    let seconds = zone.offset(at);
    let (sign, size) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    format!("UTC{sign}{:02}:{:02}", size / 3600, size / 60 % 60)
}

fn is_utc(at: Instant, zone: Zone) -> bool {
    zone.offset(at) == 0
}

/// `Tue 3 Nov 2026, 16:30 CET (15:30 UTC)`; the UTC day is named where it is another.
pub fn instant(at: Instant, zone: Zone) -> String {
    let here = format!("{}, {} {}", day(at, zone), clock(at, zone), zone_name(at, zone));
    if is_utc(at, zone) {
        return here;
    }
    let utc = clock(at, Zone::UTC);
    if day(at, zone) == day(at, Zone::UTC) {
        format!("{here} ({utc} UTC)")
    } else {
        format!("{here} ({}, {utc} UTC)", day(at, Zone::UTC))
    }
}

/// `Tue 3 Nov 2026, 16:30–17:30 CET (15:30–16:30 UTC)`. Where the clock changes meanwhile, each end has its own name of the
/// zone: `Sun 25 Oct 2026, 02:30 CEST – 02:30 CET` is an hour.
pub fn interval(of: &Interval, zone: Zone) -> String {
    let (first, last) = (zone_name(of.start, zone), zone_name(of.end, zone));
    let here = match first == last {
        true => format!("{} {first}", span(of, zone)),
        false => {
            let (start, end) = (clock(of.start, zone), clock(of.end, zone));
            let (from, to) = (day(of.start, zone), day(of.end, zone));
            let to = if from == to { String::new() } else { format!("{to}, ") };
            format!("{from}, {start} {first} – {to}{end} {last}")
        }
    };
    if is_utc(of.start, zone) && is_utc(of.end, zone) {
        return here;
    }
    let same_day = day(of.start, zone) == day(of.start, Zone::UTC) && day(of.end, zone) == day(of.end, Zone::UTC);
    let one_day = day(of.start, zone) == day(of.end, zone);
    if same_day && one_day {
        format!("{here} ({}–{} UTC)", clock(of.start, Zone::UTC), clock(of.end, Zone::UTC))
    } else {
        format!("{here} ({} UTC)", span(of, Zone::UTC))
    }
}

fn span(of: &Interval, zone: Zone) -> String {
    let (start, end) = (of.start, of.end);
    if day(start, zone) == day(end, zone) {
        format!("{}, {}–{}", day(start, zone), clock(start, zone), clock(end, zone))
    } else {
        format!("{}, {} – {}, {}", day(start, zone), clock(start, zone), day(end, zone), clock(end, zone))
    }
}

/// `Tue 3 Nov, 16:30 CET`: for a subject line, where the year and UTC would crowd out the rest.
pub fn brief(at: Instant, zone: Zone) -> String {
    format!("{}, {} {}", zone.local(at).format("%a %-d %b"), clock(at, zone), zone_name(at, zone))
}

/// `40 minutes`, `2 hours 5 minutes`, `3 days 4 hours`: the two greatest units.
pub fn length(millis: i64) -> String {
    let minutes = refresh_core::base::instant::minutes_up(millis);
    let unit = |count: i64, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let parts: Vec<String> = [(days, "day"), (hours, "hour"), (rest, "minute")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .take(2)
        .map(|(count, name)| unit(count, name))
        .collect();
    if parts.is_empty() { unit(0, "minute") } else { parts.join(" ") }
}
