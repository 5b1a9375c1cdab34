//! For how long something counts: terms of holders, delegations one after another, freezes that go on, days on somebody's
//! clock. Nobody is seated by a term that has ended, and time beyond what was looked at is not clear.

mod common;

use common::{bindings, of, said, sample, told};
use refresh_core::facts::fact::Body;
use serde_json::{Value, json};

/// Holder and delegates with their validities, refusals and skipped parts.
fn mapping(payload: &Value) -> String {
    let reading = sources::read(&payload.to_string(), &bindings(|_| ())).unwrap_or_else(|refused| panic!("{refused}"));
    let short = |at: Option<refresh_core::Instant>| at.map_or(String::new(), |at| at.to_string()[5..10].to_owned());
    let mappings = reading.events.iter().filter_map(|event| match event.body() {
        Some(Body::Delegation(mapping)) => {
            let name = |person: &refresh_core::Person| person.as_str().replace("@example.com", "");
            let term = match (short(mapping.holder_valid_from), short(mapping.holder_valid_until)) {
                (from, until) if from.is_empty() && until.is_empty() => String::new(),
                (from, until) => format!(" {from}..{until}"),
            };
            let holder = mapping.holder.as_ref().map_or("nobody".to_owned(), |holder| name(holder) + &term);
            let delegates = mapping.delegates.as_ref()?.iter();
            let delegates = delegates
                .map(|one| format!(" {} {}..{}", name(&one.person), short(one.valid_from), short(one.valid_until)));
            Some(format!("{holder}:{}", delegates.collect::<String>()))
        }
        _ => None,
    });
    let refused = reading.refused.iter().map(|record| format!("refused {}", record.refused));
    let skipped = reading.skipped.iter().map(|why| format!("skipped {why}"));
    mappings.chain(refused).chain(skipped).collect::<Vec<_>>().join("; ").replace('\n', "; ")
}

#[test]
fn of_several_delegations_the_one_that_has_not_ended_counts() {
    let with = |times: &[(&str, &str)]| {
        let mut payload = sample("native_servicenow_delegates");
        let rows = &mut payload["body"]["delegates"]["result"];
        let row = rows[0].clone();
        *rows = times
            .iter()
            .map(|(starts, ends)| {
                let mut row = row.clone();
                row["starts"] = json!(format!("2026-{starts}:00"));
                row["ends"] = json!(if ends.is_empty() { String::new() } else { format!("2026-{ends}:00") });
                row
            })
            .collect();
        mapping(&payload).replace("security-delegate", "d").replace("security-reviewer", "h")
    };
    let (old, now) = (("08-01 08:00", "08-15 08:00"), ("11-01 08:00", "11-30 08:00"));
    let (later, ended_now) = (("12-05 08:00", "12-20 08:00"), ("10-01 08:00", "11-03 09:01"));
    let skip = "skipped a delegation to \"d@example.com\" from 2026-12-05T08:00:00Z on, which another one comes before: of \
                each delegate one counts";
    for (times, expected) in [
        (&[now][..], "h: d 11-01..11-30".to_owned()),
        (&[old, now], "h: d 11-01..11-30".to_owned()),
        (&[now, old], "h: d 11-01..11-30".to_owned()),
        (&[old], "h: d 08-01..08-15".to_owned()),
        (&[ended_now, now], "h: d 10-01..11-30".to_owned()),
        (&[("10-01 08:00", "10-20 08:00"), now], "h: d 11-01..11-30".to_owned()),
        // What touches or overlaps is one.
        (&[("11-30 08:00", "12-05 08:00"), now], "h: d 11-01..12-05".to_owned()),
        (&[now, ("11-10 08:00", "11-12 08:00")], "h: d 11-01..11-30".to_owned()),
        (&[("08-01 08:00", ""), ("11-01 08:00", "11-02 08:00")], "h: d 08-01..".to_owned()),
        (&[old, now, later], format!("h: d 11-01..11-30; {skip}")),
        (&[old, later], "h: d 12-05..12-20".to_owned()),
    ] {
        assert_eq!(with(times), expected, "{times:?}");
    }
    // Where nobody says what time it is, the last one counts.
    let mut payload = sample("native_servicenow_delegates");
    payload["headers"] = json!({ "X-Revision": "7" });
    let row = payload["body"]["delegates"]["result"][0].clone();
    payload["body"]["delegates"]["result"] = json!([row, row]);
    payload["body"]["delegates"]["result"][0]["ends"] = json!("2026-11-02 08:00:00");
    payload["body"]["delegates"]["result"][1]["starts"] = json!("2026-11-03 08:00:00");
    let by_number = bindings(|native| of(native, "servicenow.delegates")["revision_header"] = json!("x-revision"));
    let read = sources::read(&payload.to_string(), &by_number).unwrap_or_else(|refused| panic!("{refused}"));
    let Some(Body::Delegation(mapping)) = read.events[0].body() else { panic!("{read:?}") };
    let until = mapping.delegates.as_ref().and_then(|list| list[0].valid_until).expect("an end");
    assert_eq!(until.to_string(), "2026-11-08T17:00:00Z");
}

#[test]
fn a_holder_for_a_term_fills_the_role_for_that_term_alone() {
    let with = |rows: &[(&str, &str, &str, &str)]| {
        let mut payload = sample("native_roster_csv");
        let mut text = "service,role,person,rank,status,valid_from,valid_until\r\n".to_owned();
        for (person, standing, from, until) in rows {
            let rank = if *standing == "holder" { "" } else { "1" };
            text += &format!("payments,release_manager,{person}@example.com,{rank},{standing},{from},{until}\r\n");
        }
        payload["body"] = json!(text);
        mapping(&payload)
    };
    for (rows, expected) in [
        (&[("a", "holder", "", "")][..], "a:".to_owned()),
        (&[("a", "holder", "2026-10-01", "")], "a 09-30..:".to_owned()),
        (&[("a", "holder", "2026-10-01", "2026-11-10")], "a 09-30..11-10:".to_owned()),
        (&[("a", "holder", "", "2026-11-10")], "a ..11-10:".to_owned()),
        // Who follows may fill the role for their own term, before all delegates.
        (
            &[
                ("c", "approved", "", ""),
                ("b", "holder", "2026-11-11", "2026-11-30"),
                ("a", "holder", "2026-10-01", "2026-11-10"),
            ],
            "a 09-30..11-10: b 11-10..11-30 c ..".to_owned(),
        ),
        // One after another without a gap is one term.
        (&[("a", "holder", "2026-10-01", "2026-11-10"), ("a", "holder", "2026-11-11", "")], "a 09-30..:".to_owned()),
        (&[("b", "holder", "2026-11-11", "")], "b 11-10..:".to_owned()),
        // Two at once are not two holders.
        (
            &[("a", "holder", "", ""), ("b", "holder", "2026-11-11", "")],
            "a:; refused row 3.status: expected one holder of a role; found a second one".to_owned(),
        ),
        (
            &[("b", "holder", "2026-11-05", ""), ("a", "holder", "2026-10-01", "2026-11-10")],
            "a 09-30..11-10:; refused row 2.status: expected one holder of a role; found a second one".to_owned(),
        ),
        (
            &[("a", "holder", "2026-10-01", "2026-11-10"), ("a", "holder", "2026-12-01", "")],
            "a 09-30..11-10:; refused row 3.person: expected each person's term once, or at once after the one before; \
             found a later one"
                .to_owned(),
        ),
        (
            &[("a", "holder", "2026-10-01", "2026-11-10"), ("a", "revoked", "", "")],
            "a 09-30..11-10:; refused row 3.person: expected each person of a role once: the term as its holder counts; \
             found another row of the same"
                .to_owned(),
        ),
    ] {
        assert_eq!(with(rows), expected, "{rows:?}");
    }
    let ended = with(&[("a", "holder", "2026-10-01", "2026-11-02")]);
    assert!(ended.starts_with("refused row 2.valid_until: expected a holder whose term has not ended"), "{ended}");
}

/// The freezes of one schedule: how many, whether an instant is frozen, and skipped parts.
fn frozen_at(days: Value, spans: &[(&str, &str, &str)], instants: &[&str]) -> String {
    let mut payload = sample("native_servicenow_schedules");
    let span = payload["body"]["spans"]["result"][0].clone();
    payload["body"]["spans"]["result"] = spans
        .iter()
        .enumerate()
        .map(|(index, (start, repeat, until))| {
            let mut span = span.clone();
            span["sys_id"] = json!(format!("s{index}"));
            span["start_date_time"] = json!(format!("20261102T{start}Z"));
            let hour: u32 = start[..2].parse().expect("an hour");
            span["end_date_time"] = json!(format!("20261102T{:02}0000Z", hour + 1));
            span["repeat_type"] = json!(repeat);
            span["repeat_until"] = json!(until);
            (span["monthly_type"], span["yearly_type"]) = (json!("dom"), json!("doy"));
            span
        })
        .collect();
    let bindings = bindings(|native| {
        let binding = of(native, "servicenow.schedules");
        binding["schedules"] = json!({ "38f8b4c1eb32010045e1a5115206fe5e": { "calendar": "prod", "protected": true } });
        binding["horizon_days"] = days.clone();
    });
    let reading = sources::read(&payload.to_string(), &bindings).unwrap_or_else(|refused| panic!("{refused}"));
    assert!(reading.refused.is_empty(), "{reading:?}");
    let [event] = reading.events.as_slice() else { panic!("{reading:?}") };
    let Some(Body::Freeze(freezes)) = event.body() else { panic!("{event:?}") };
    let protected =
        |at: refresh_core::Instant| freezes.iter().any(|one| one.protected && one.start <= at && at < one.end);
    let marks = instants.iter().map(|at| match protected(refresh_core::Instant::parse(at).expect("an instant")) {
        true => "frozen",
        false => "clear",
    });
    let skipped = reading.skipped.iter().map(|why| format!("; {why}"));
    format!("{}{}", marks.collect::<Vec<_>>().join(" "), skipped.collect::<String>())
}

#[test]
fn a_freeze_that_goes_on_is_not_clear_beyond_what_was_expanded() {
    let noon = "110000";
    let instants = [
        "2027-01-20T11:30:00Z",
        "2027-01-20T14:00:00Z",
        "2027-05-05T11:30:00Z",
        "2027-05-05T14:00:00Z",
        "2029-05-05T14:00:00Z",
    ];
    for days in [json!(null), json!(1), json!(60), json!(184)] {
        let at = |spans: &[(&str, &str, &str)]| frozen_at(days.clone(), spans, &instants);
        assert_eq!(at(&[(noon, "daily", "")]), "frozen clear frozen clear frozen", "{days}");
        // What ends is clear after its end.
        assert_eq!(at(&[(noon, "daily", "20270120")]), "frozen clear clear clear clear", "{days}");
        assert_eq!(at(&[(noon, "daily", "20270401")]), "frozen clear clear clear clear", "{days}");
        assert_eq!(at(&[(noon, "", "")]), "clear clear clear clear clear", "{days}");
        // Once a year for many years.
        assert_eq!(at(&[(noon, "yearly", "")]), "clear clear clear clear clear", "{days}");
    }
    assert_eq!(
        frozen_at(json!(60), &[(noon, "yearly", "")], &["2028-11-02T11:30:00Z", "2037-11-01T00:00:00Z"]),
        "frozen frozen"
    );
}

/// A list that the contract has no place for would be refused, and an older one would count.
#[test]
fn more_freezes_than_a_list_holds_are_told_as_one() {
    let hours: Vec<String> = (0..10).map(|hour| format!("{:02}0000", hour * 2)).collect();
    let spans: Vec<(&str, &str, &str)> = hours.iter().map(|hour| (hour.as_str(), "daily", "")).collect();
    let instants = ["2026-11-10T00:30:00Z", "2026-11-10T01:30:00Z", "2026-12-24T01:30:00Z", "2027-05-05T01:30:00Z"];
    assert_eq!(
        frozen_at(json!(60), &spans, &instants),
        "frozen clear frozen frozen; freeze calendar prod: more than 500 freezes: told as one from 2026-12-22T08:00:00Z on"
    );
    // Three windows a day have place for half a year.
    let instants = ["2027-04-20T00:30:00Z", "2027-04-20T01:30:00Z"];
    assert_eq!(frozen_at(json!(60), &spans[..2], &instants), "frozen clear");
}

/// A whole day whose ends are no midnights is what its zone says, or a day on the binding's clock.
#[test]
fn a_whole_day_of_graph_is_the_longer_of_its_readings() {
    let with = |zone: Option<&str>, start: &str, end: &str| {
        let mut payload = sample("native_graph_calendar_view");
        let at = |at: &str| json!({ "dateTime": format!("2026-11-{at}:00"), "timeZone": "UTC" });
        payload["body"]["response"]["value"] =
            json!([{ "showAs": "busy", "isAllDay": true, "isCancelled": false, "start": at(start), "end": at(end) }]);
        let bindings = bindings(|native| {
            if let Some(zone) = zone {
                of(native, "graph.calendar_view")["time_zone"] = json!(zone);
            }
        });
        let reading = sources::read(&payload.to_string(), &bindings).unwrap_or_else(|refused| panic!("{refused}"));
        let Some(Body::Availability(seen)) = reading.events[0].body() else { panic!("{reading:?}") };
        let busy = seen.busy.iter().map(|one| format!("{}/{}", one.start, one.end));
        let unknown = seen.unknown.iter().map(|one| format!("{}/{}?", one.start, one.end));
        busy.chain(unknown).collect::<Vec<_>>().join(" ").replace("2026-11-", "").replace(":00Z", "")
    };
    let (berlin, new_york) = (Some("Europe/Berlin"), Some("America/New_York"));
    assert_eq!(with(berlin, "04T00:00", "05T00:00"), "03T23:00/04T23:00");
    assert_eq!(with(berlin, "03T23:00", "04T23:00"), "03T22:00/04T23:00");
    assert_eq!(with(new_york, "03T05:00", "04T05:00"), "03T05:00/04T10:00");
    assert_eq!(with(berlin, "04T00:00", "04T23:59"), "03T23:00/04T23:59");
    assert_eq!(with(berlin, "03T23:00", "03T23:00"), "03T22:00/04T23:00");
    assert_eq!(with(None, "03T23:00", "04T23:00"), "03T23:00/04T23:00 03T09:00/05T11:00?");
    assert!(!told(&sample("native_graph_calendar_view")).is_empty());
}

/// Google lets a working place be transparent alone, and time out of office never be.
#[test]
fn an_entry_of_google_whose_kind_contradicts_its_transparency_engages() {
    for (kind, transparency, busy) in [
        (json!("workingLocation"), json!("transparent"), 0),
        (json!("workingLocation"), json!("opaque"), 1),
        // Google leaves `opaque` out, which is what is meant then.
        (json!("workingLocation"), Value::Null, 1),
        (json!("default"), json!("transparent"), 0),
        (json!("birthday"), json!("transparent"), 0),
        (json!("default"), Value::Null, 1),
        (json!("outOfOffice"), json!("transparent"), 1),
        (json!("focusTime"), json!("transparent"), 1),
        (json!("focusTime"), Value::Null, 1),
    ] {
        let mut payload = sample("native_google_events");
        let at = |hour: u32| json!({ "dateTime": format!("2026-11-04T{hour:02}:00:00Z") });
        payload["body"]["response"]["items"] = json!([{ "status": "confirmed", "eventType": kind,
            "transparency": transparency, "start": at(8), "end": at(12) }]);
        let came = said(&payload, &bindings(|_| ()));
        assert!(came.ends_with(&format!(" busy {busy} unknown 0 min")), "{kind} {transparency}: {came}");
    }
}
