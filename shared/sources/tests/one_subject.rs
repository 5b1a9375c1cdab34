//! Two answers about one subject: the later erases the earlier. So a policy in which two bindings speak of one subject is
//! refused, and two calendars of one person are two subjects, or one answer. And one name in letters of two cases is one
//! name.

mod common;

use std::collections::BTreeSet;

use common::{bindings, of, said, sample};
use refresh_core::facts::subject::Kind;
use serde_json::{Value, json};
use sources::{Format, policy};

/// The faults of a policy with these bindings, with every source of theirs registered.
fn faults(native: &Value) -> String {
    let registered =
        |kind: &str, source: &str| json!({"kind": kind, "source": source, "governed_by": "it@example.com"});
    let mut sources: Vec<Value> = ["availability", "delegation", "freeze"].map(|kind| registered(kind, "//s/*")).into();
    let mut next = registered("availability", "//next");
    next["takes_over"] = json!(["//s/old"]);
    sources.push(next);
    let text = json!({"sources": sources, "native": native}).to_string();
    let told = policy::read_file(&text).err().unwrap_or_default();
    told.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn with(mut binding: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().expect("members") {
        binding[name] = value.clone();
    }
    binding
}

fn free_busy(name: &str, people: Value) -> Value {
    json!({"name": name, "format": "google.free_busy", "source": "//s/a", "people": people})
}

fn feed(name: &str) -> Value {
    json!({"name": name, "format": "ical.vevent", "source": "//s/a", "person": "a@example.com"})
}

fn pagerduty(name: &str) -> Value {
    json!({"name": name, "format": "pagerduty.oncalls", "source": "//s/a", "people": {"U1": "a@example.com"}})
}

fn schedule(name: &str, schedule: &str) -> Value {
    json!({"name": name, "format": "pagerduty.schedule", "source": "//s/a", "people": {"U1": "a@example.com"},
           "schedules": [schedule]})
}

fn roster(name: &str, format: &str) -> Value {
    json!({"name": name, "format": format, "source": "//s/a", "services": ["pay"], "roles": ["sre", "owner"]})
}

fn delegates(name: &str, group: &str) -> Value {
    json!({"name": name, "format": "servicenow.delegates", "source": "//s/a",
           "roles": [{"group": group, "service": "pay", "role": "sre"}]})
}

fn freezes(name: &str, schedule: &str) -> Value {
    json!({"name": name, "format": "servicenow.schedules", "source": "//s/a",
           "schedules": {schedule: {"calendar": "prod", "protected": true}}})
}

fn asked(url: &str) -> Value {
    json!({"poll": {"url": url, "every_minutes": 5}})
}

#[test]
fn bindings_of_one_subject_are_refused_by_name() {
    let x = || json!({"x@corp.example": "a@example.com"});
    let graph = |people: Value| with(free_busy("b", people), &json!({"format": "graph.get_schedule"}));
    let posted = json!({"hook": {"secret": "s"}});
    let said = faults(&json!([free_busy("a", x()), graph(json!({"y@corp.example": "A@example.com"}))]));
    assert_eq!(
        said,
        "$.native: expected one binding that speaks of the calendar of a@example.com (the later of two answers erases the \
         earlier): give one of the two a `calendar` of its own, or take the person out of its `people`; found both \
         native[0] `a` (google.free_busy of //s/a) and native[1] `b` (graph.get_schedule of //s/a)"
    );
    for (native, subject) in [
        (json!([feed("a"), feed("b")]), "the calendar of a@example.com"),
        (json!([with(feed("a"), &posted), with(feed("b"), &asked("https://x.example/b.ics"))]), "the calendar of"),
        (json!([feed("a"), free_busy("b", x())]), "the calendar of a@example.com"),
        (json!([pagerduty("a"), schedule("b", "S1")]), "the on-call time of a@example.com"),
        (json!([schedule("a", "S1"), schedule("b", "S2")]), "the on-call time of a@example.com"),
        (
            json!([pagerduty("a"), with(pagerduty("b"), &json!({"levels": [1, 2]}))]),
            "the on-call time of a@example.com",
        ),
        (json!([roster("a", "roster.csv"), roster("b", "roster.json")]), "the role owner of the service pay"),
        (json!([roster("a", "roster.csv"), roster("b", "roster.csv")]), ", and of 1 more"),
        (json!([roster("a", "roster.csv"), delegates("b", "g1")]), "the role sre of the service pay"),
        (json!([delegates("a", "g1"), delegates("b", "g2")]), "the role sre of the service pay"),
        (json!([freezes("a", "S1"), freezes("b", "S2")]), "the freeze calendar prod"),
        // One of the two answers covers more of the person's calendars than the other.
        (
            json!([
                free_busy("a", json!({"x": "a@example.com", "y": "a@example.com"})),
                free_busy("b", json!({"x": "a@example.com"}))
            ]),
            "the calendar of a@example.com",
        ),
        // A calendar that is called as another binding's second calendar is.
        (
            json!([
                free_busy("a", json!({"x": "a@example.com", "y": "a@example.com"})),
                with(graph(x()), &json!({"calendar": "y"})),
            ]),
            "the calendar y of a@example.com",
        ),
        // Of two sources, the one that speaks first holds the subject.
        (
            json!([free_busy("a", x()), with(graph(x()), &json!({"source": "//s/b"}))]),
            "the calendar of a@example.com (the source that speaks second is never heard)",
        ),
    ] {
        let said = faults(&native);
        assert!(said.contains(subject) && said.matches("$.native").count() == 1, "{native}: {said}");
    }
    let twice = json!({"roles": [{"group": "g1", "service": "pay", "role": "sre"}, {"group": "g2", "service": "pay", "role": "sre"}]});
    let said = faults(&json!([with(delegates("a", "g1"), &twice)]));
    assert_eq!(said, "$.native[0].roles[1]: expected each role of a service once; found sre of pay again");
}

#[test]
fn bindings_that_speak_of_one_thing_or_of_two_subjects_are_good() {
    let x = || json!({"x@corp.example": "a@example.com"});
    let own = json!({"calendar": "own"});
    for native in [
        json!([feed("a"), with(feed("b"), &own)]),
        json!([pagerduty("a"), with(schedule("b", "S1"), &own)]),
        // On call and in meetings are two subjects.
        json!([pagerduty("a"), free_busy("b", x())]),
        json!([free_busy("a", x()), free_busy("b", json!({"y@corp.example": "b@example.com"}))]),
        // One calendar by two doors.
        json!([
            with(free_busy("a", x()), &json!({"hook": {"secret": "s"}})),
            with(free_busy("b", x()), &asked("https://x.example/"))
        ]),
        json!([with(feed("a"), &asked("https://x.example/a.ics")), with(feed("b"), &asked("https://x.example/a.ics"))]),
        json!([delegates("a", "g1"), delegates("b", "g1")]),
        json!([freezes("a", "S1"), freezes("b", "S1")]),
        json!([roster("a", "roster.csv"), with(roster("b", "roster.json"), &json!({"services": ["books"]}))]),
        // A source that moves, person by person, to the next one.
        json!([
            with(free_busy("a", x()), &json!({"source": "//s/old"})),
            with(free_busy("b", x()), &json!({"source": "//next", "format": "graph.get_schedule"})),
        ]),
    ] {
        assert_eq!(faults(&native), "", "{native}");
    }
}

/// Of each format that answers about a calendar by the source's own name: what an answer about the one calendar of a person
/// and an answer about the other are told as.
#[test]
fn two_calendars_of_one_person_are_two_subjects() {
    let two = json!({"x@corp.example": "rev@example.com", "y@corp.example": "rev@example.com"});
    for (name, format, place) in [
        ("graph_calendar_view", "graph.calendar_view", "/body/request/user"),
        ("google_events", "google.events", "/body/request/calendarId"),
        ("graph_get_schedule", "graph.get_schedule", "/body/response/value/0/scheduleId"),
        ("ical_vevent", "ical.vevent", "/body/request/person"),
        ("ical_vfreebusy_query", "ical.vfreebusy", "/body/request/person"),
    ] {
        let bindings = bindings(|native| {
            let binding = of(native, format);
            binding["people"] = two.clone();
            binding["calendar"] = json!(null);
            binding["person"] = json!(null);
            binding.as_object_mut().expect("a binding").retain(|_, value| !value.is_null());
        });
        let told = |whose: &str| {
            let mut payload = sample(&format!("native_{name}"));
            *payload.pointer_mut(place).expect(place) = json!(whose);
            if format == "graph.get_schedule" {
                payload["body"]["request"]["schedules"] = json!([whose]);
                payload["body"]["response"]["value"].as_array_mut().expect("a list").truncate(1);
            }
            if format == "ical.vfreebusy" {
                let text = payload["body"]["response"].as_str().expect("text").to_owned();
                let kept =
                    text.split("\r\n").filter(|line| !line.starts_with("ORGANIZER") && !line.starts_with("ATTENDEE"));
                payload["body"]["response"] = json!(kept.collect::<Vec<_>>().join("\r\n"));
            }
            let headers = serde_json::from_value(payload["headers"].clone()).expect("headers");
            let told = sources::translate(format, &headers, &payload["body"], None, &bindings);
            let told = told.unwrap_or_else(|refused| panic!("{name} {whose}: {refused}"));
            assert_eq!(told.events.len(), 1, "{name} {whose}");
            let data = &told.events[0]["data"];
            assert_eq!(data["person"], "rev@example.com", "{name} {whose}");
            data["calendar"].as_str().unwrap_or("the one").to_owned()
        };
        assert_eq!(told("X@corp.example"), "the one", "{name}");
        assert_eq!(told("y@Corp.example"), "y@corp.example", "{name}");
    }
}

/// A person's own address is their first calendar, wherever it stands in the list; the names of one person are asked for in one
/// question, whose answer is one snapshot.
#[test]
fn calendars_that_are_answered_together_are_one_snapshot() {
    let bindings = bindings(|native| {
        let people = json!({"a-team@group.example": "rev@example.com", "rev@example.com": "rev@example.com"});
        of(native, "google.free_busy")["people"] = people;
    });
    let told = |calendars: Value| {
        let mut payload = sample("native_google_free_busy");
        payload["body"]["calendars"] = calendars;
        let headers = serde_json::from_value(payload["headers"].clone()).expect("headers");
        let told = sources::translate("google.free_busy", &headers, &payload["body"], None, &bindings).expect("good");
        let shown = |event: &Value| {
            let busy = event["data"]["busy"].as_array().map_or(0, Vec::len);
            format!("{} {busy}", event["data"]["calendar"].as_str().unwrap_or("-"))
        };
        told.events.iter().map(shown).collect::<Vec<_>>()
    };
    let busy = json!({"busy": [{"start": "2026-11-03T14:00:00Z", "end": "2026-11-03T16:00:00Z"}]});
    assert_eq!(told(json!({"a-team@group.example": busy, "rev@example.com": {"busy": []}})), ["- 1"]);
    assert_eq!(told(json!({"rev@example.com": busy})), ["- 1"]);
    assert_eq!(told(json!({"A-Team@group.example": busy})), ["a-team@group.example 1"]);
}

/// Every address in letters of the other case, in every payload that speaks of people: the same facts come of it.
#[test]
fn an_address_is_the_same_in_letters_of_either_case() {
    let bindings = bindings(|_| ());
    let address = in_capitals("@example.com");
    let mut asked = BTreeSet::new();
    for (name, payload) in common::natives() {
        let Some(format) = payload["format"].as_str().and_then(Format::of) else { continue };
        if !matches!(format.kind(), Kind::Availability | Kind::Change | Kind::Delegation) {
            continue;
        }
        let upper = address(&payload.to_string());
        let shouted: Value = serde_json::from_str(&upper).expect("JSON still");
        if shouted == payload {
            continue;
        }
        asked.insert(format.word());
        let (before, after) = (said(&payload, &bindings), said(&shouted, &bindings));
        assert_eq!(before.to_lowercase(), after.to_lowercase(), "{name}");
    }
    assert!(asked.len() >= 10, "{asked:?}");
}

/// The same for the names of the policy's `people`, whatever they are: ids, user names, addresses.
#[test]
fn a_bound_name_is_the_same_in_letters_of_either_case() {
    let plain = bindings(|_| ());
    let shouted = bindings(|native| {
        for binding in native.as_array_mut().expect("a list") {
            let Some(people) = binding.get_mut("people").and_then(Value::as_object_mut) else { continue };
            let swapped = |name: &String| match name.to_uppercase() {
                upper if upper == *name => name.to_lowercase(),
                upper => upper,
            };
            *people = people.iter().map(|(name, person)| (swapped(name), person.clone())).collect();
        }
    });
    assert_ne!(plain, shouted);
    for (name, payload) in common::natives() {
        assert_eq!(said(&payload, &plain), said(&payload, &shouted), "{name}");
    }
}

#[test]
fn one_name_in_two_spellings_is_one_person() {
    let people =
        |second: &str| json!([free_busy("a", json!({"X@corp.example": "a@example.com", "x@corp.example": second}))]);
    assert_eq!(faults(&people("A@example.com")), "");
    assert_eq!(
        faults(&people("b@example.com")),
        "$.native[0].people[\"x@corp.example\"]: expected the person of \"X@corp.example\": names compare in lower case; \
         found \"b@example.com\""
    );
}

/// Whatever stands before the domain, in capitals.
fn in_capitals(domain: &'static str) -> impl Fn(&str) -> String {
    move |text| {
        let mut out = String::new();
        for (index, part) in text.split(domain).enumerate() {
            if index > 0 {
                let local =
                    out.rfind(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).map_or(0, |at| at + 1);
                let capitals = out[local..].to_ascii_uppercase();
                out.truncate(local);
                out += &capitals;
                out += &domain.to_ascii_uppercase();
            }
            out += part;
        }
        out
    }
}
