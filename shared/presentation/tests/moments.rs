//! Times as people are told them: a zone, a daylight-saving change or a day's edge is one more row.

use presentation::moment;
use refresh_core::{Instant, Interval, Zone};

fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

fn named(zone: &str) -> Zone {
    zone.parse().expect("a zone")
}

#[test]
fn instants() {
    let rows = [
        ("2026-11-03T15:30:00Z", "UTC", "Tue 3 Nov 2026, 15:30 UTC"),
        ("2026-11-03T15:30:00Z", "Europe/Berlin", "Tue 3 Nov 2026, 16:30 CET (15:30 UTC)"),
        ("2026-07-03T15:30:00Z", "Europe/Berlin", "Fri 3 Jul 2026, 17:30 CEST (15:30 UTC)"),
        ("2026-11-03T15:30:00Z", "Europe/London", "Tue 3 Nov 2026, 15:30 GMT"),
        ("2026-11-03T15:30:00Z", "Asia/Tokyo", "Wed 4 Nov 2026, 00:30 JST (Tue 3 Nov 2026, 15:30 UTC)"),
        ("2026-11-03T15:30:00Z", "Asia/Kathmandu", "Tue 3 Nov 2026, 21:15 UTC+05:45 (15:30 UTC)"),
        ("2026-11-03T15:30:00Z", "America/Sao_Paulo", "Tue 3 Nov 2026, 12:30 UTC-03:00 (15:30 UTC)"),
        // The hour that comes twice is told apart by the zone's name.
        ("2026-10-25T00:30:00Z", "Europe/Berlin", "Sun 25 Oct 2026, 02:30 CEST (00:30 UTC)"),
        ("2026-10-25T01:30:00Z", "Europe/Berlin", "Sun 25 Oct 2026, 02:30 CET (01:30 UTC)"),
        ("2026-03-29T01:00:00Z", "Europe/Berlin", "Sun 29 Mar 2026, 03:00 CEST (01:00 UTC)"),
        ("2026-11-03T15:30:05Z", "UTC", "Tue 3 Nov 2026, 15:30:05 UTC"),
    ];
    for (instant, zone, expected) in rows {
        assert_eq!(moment::instant(at(instant), named(zone)), expected, "{instant} {zone}");
    }
}

#[test]
fn intervals() {
    let rows = [
        (
            "2026-11-03T15:30:00Z",
            "2026-11-03T16:30:00Z",
            "Europe/Berlin",
            "Tue 3 Nov 2026, 16:30–17:30 CET (15:30–16:30 UTC)",
        ),
        ("2026-11-03T15:30:00Z", "2026-11-03T16:30:00Z", "UTC", "Tue 3 Nov 2026, 15:30–16:30 UTC"),
        (
            "2026-11-03T22:30:00Z",
            "2026-11-03T23:30:00Z",
            "Europe/Berlin",
            "Tue 3 Nov 2026, 23:30 – Wed 4 Nov 2026, 00:30 CET (Tue 3 Nov 2026, 22:30–23:30 UTC)",
        ),
        (
            "2026-11-03T15:30:00Z",
            "2026-11-03T16:30:00Z",
            "Asia/Tokyo",
            "Wed 4 Nov 2026, 00:30–01:30 JST (Tue 3 Nov 2026, 15:30–16:30 UTC)",
        ),
        // Across a change both local times are as clocks on the wall show them, each with its own name of the zone.
        (
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "Europe/Berlin",
            "Sun 25 Oct 2026, 02:30 CEST – 02:30 CET (00:30–01:30 UTC)",
        ),
        (
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:30:00Z",
            "Europe/Dublin",
            "Sun 29 Mar 2026, 00:30 GMT – 02:30 IST (00:30–01:30 UTC)",
        ),
        (
            "2026-10-03T15:00:00Z",
            "2026-10-03T16:00:00Z",
            "Australia/Lord_Howe",
            "Sun 4 Oct 2026, 01:30 UTC+10:30 – 03:00 UTC+11:00 (Sat 3 Oct 2026, 15:00–16:00 UTC)",
        ),
        (
            "2026-09-06T03:30:00Z",
            "2026-09-06T04:30:00Z",
            "America/Santiago",
            "Sat 5 Sep 2026, 23:30 UTC-04:00 – Sun 6 Sep 2026, 01:30 UTC-03:00 (Sun 6 Sep 2026, 03:30–04:30 UTC)",
        ),
        (
            "2026-10-29T20:30:00Z",
            "2026-10-29T21:30:00Z",
            "Africa/Cairo",
            "Thu 29 Oct 2026, 23:30 EEST – 23:30 EET (20:30–21:30 UTC)",
        ),
    ];
    for (start, end, zone, expected) in rows {
        let interval = Interval::new(at(start), at(end)).expect("an interval");
        assert_eq!(moment::interval(&interval, named(zone)), expected, "{start} {end} {zone}");
    }
}

#[test]
fn lengths() {
    let rows = [
        (0, "0 minutes"),
        (1, "1 minute"),
        (60_000, "1 minute"),
        (60_001, "2 minutes"),
        (3_600_000, "1 hour"),
        (7_500_000, "2 hours 5 minutes"),
        (90_000_000, "1 day 1 hour"),
        (273_900_000, "3 days 4 hours"),
        (-5, "0 minutes"),
    ];
    for (millis, expected) in rows {
        assert_eq!(moment::length(millis), expected, "{millis}");
    }
}
