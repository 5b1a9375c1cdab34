//! How systems are asked. Pure: a conversation is a list of responses.

mod edges;
mod handed;
mod pages;

use std::collections::BTreeMap;

use refresh_core::Instant;
use serde_json::{Value, json};
use sources::{
    policy,
    poll::{
        SystemResponse,
        credential::{self, Credential, Credentials},
        plan,
    },
};

const NOW: &str = "2026-11-03T09:30:00Z";

const DATE: &str = "Tue, 03 Nov 2026 09:30:05 GMT";

fn now() -> Instant {
    Instant::parse(NOW).expect("an instant")
}

/// A policy with one binding of this format. What every binding of the format needs is filled in.
fn policy_of(format: &str, url: &Value) -> Result<policy::PolicyFile, Vec<String>> {
    let mut binding = match format.split_once('.').map_or(format, |(_, thing)| thing) {
        "workflow_run" => {
            json!({ "repository": "acme/app", "workflow": "w.yml", "change_id": "CHG1", "checkpoint": "t" })
        }
        "check_suite" => json!({ "repository": "acme/app", "app": "ci", "change_id": "CHG1", "checkpoint": "t" }),
        "change_request" => json!({
            "review_opens": "o", "review_closes": "c", "cutover_starts": "s", "cutover_ends": "e",
        }),
        "change" => json!({
            "project": "P", "states": { "1": "draft" }, "review_opens": "o", "review_closes": "c", "cutover_starts": "s",
            "cutover_ends": "e",
        }),
        "delegates" => json!({ "roles": [{ "group": "g", "service": "s", "role": "r" }] }),
        "schedules" => json!({ "schedules": { "s1": { "calendar": "prod", "protected": true } } }),
        "csv" | "json" => json!({ "services": ["s"], "roles": ["r"] }),
        "get_schedule" | "calendar_view" | "free_busy" | "events" | "vfreebusy" => {
            json!({ "people": { "a@example.com": "a@example.com", "b": "b@example.com" } })
        }
        "vevent" => json!({ "person": "a@example.com" }),
        "oncalls" => json!({ "people": { "U1": "a@example.com" } }),
        _ => json!({ "people": { "U1": "a@example.com" }, "schedules": ["S1", "S2"] }),
    };
    binding["format"] = format.into();
    binding["name"] = "b".into();
    binding["source"] = "//s".into();
    binding["poll"] = json!({ "url": url, "every_minutes": 5 });
    let kinds = ["evidence", "change", "delegation", "freeze", "availability"];
    let sources: Vec<Value> =
        kinds.iter().map(|kind| json!({ "kind": kind, "source": "//s", "governed_by": "it@example.com" })).collect();
    let text = json!({ "sources": sources, "native": [binding] }).to_string();
    policy::read_file(&text).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> SystemResponse {
    let mut all: BTreeMap<String, String> = BTreeMap::from([("date".to_owned(), DATE.to_owned())]);
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    SystemResponse { status, headers: all, body: body.as_bytes().to_vec() }
}

fn page(body: Value) -> SystemResponse {
    response(200, &[], &body.to_string())
}

/// One question a person, a schedule, a table or a batch; times are whole days.
#[test]
fn a_binding_is_asked_as_its_system_wants() {
    let groups = |format: &str, url: Value| {
        let file = policy_of(format, &url).unwrap_or_else(|faults| panic!("{faults:?}"));
        plan::groups(file.bindings.named("b").expect("it"), now())
    };
    let view = groups(
        "graph.calendar_view",
        json!("https://x.example/users/{person}/calendarView?startDateTime={from}&endDateTime={to}"),
    );
    assert_eq!(view.len(), 2, "each person's calendar is a snapshot by itself");
    assert_eq!(
        view[1].questions[0].request,
        Some(json!({ "user": "b", "startDateTime": "2026-11-03T00:00:00Z", "endDateTime": "2027-01-02T00:00:00Z" }))
    );
    assert!(view[0].questions[0].headers.contains(&("prefer", "outlook.timezone=\"UTC\"")));
    let schedules =
        groups("grafana.final_shifts", json!("https://x.example/{schedule}?start_date={from_date}&end_date={to_date}"));
    assert_eq!((schedules.len(), schedules[0].questions.len()), (1, 2), "all schedules are one snapshot");
    assert_eq!(
        schedules[0].questions[1].request,
        Some(json!({ "schedule": "S2", "start_date": "2026-11-03", "end_date": "2027-01-02" }))
    );
    let oncalls =
        groups("pagerduty.oncalls", json!("https://x.example/o?since={from}&until={to}&user_ids[]=U1&limit=100"));
    assert_eq!(
        oncalls[0].questions[0].request,
        Some(json!({ "since": "2026-11-03T00:00:00Z", "until": "2027-01-02T00:00:00Z", "user_ids[]": ["U1"] }))
    );
    let free_busy = groups("google.free_busy", json!("https://x.example/freeBusy"));
    assert_eq!(free_busy[0].questions[0].body, free_busy[0].questions[0].request);
    assert_eq!(
        free_busy[0].questions[0].body.as_ref().expect("a post")["items"],
        json!([{ "id": "a@example.com" }, { "id": "b" }])
    );
    let mut team =
        policy_of("google.free_busy", &json!("https://x.example/freeBusy")).expect("a policy").bindings.0.remove(0);
    if let sources::native::binding::Says::Calendar(poll) = &mut team.binding.says {
        for number in 0..49 {
            let name = format!("{number:02}@team.example");
            poll.people.bind(&name, refresh_core::Person::parse(&name).expect("an address")).expect("once");
        }
        poll.people
            .bind("z@team.example", refresh_core::Person::parse("b@example.com").expect("an address"))
            .expect("once");
    }
    let asked: Vec<Vec<String>> = plan::groups(&team, now())
        .iter()
        .map(|group| {
            let items = group.questions[0].body.as_ref().expect("a post")["items"].as_array().expect("a list").clone();
            items.iter().map(|item| item["id"].as_str().expect("a name").to_owned()).collect()
        })
        .collect();
    assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [50, 2]);
    assert_eq!(asked[1], ["b", "z@team.example"], "the calendars of one person are asked for together");
    let next_day = |at: &str| {
        let file = policy_of("ical.vevent", &json!("https://x.example/feed?to={to_date}")).expect("a policy");
        plan::groups(file.bindings.named("b").expect("it"), Instant::parse(at).expect("an instant"))[0].key.clone()
    };
    assert_eq!(next_day("2026-11-03T00:00:00Z"), next_day("2026-11-03T23:59:59Z"), "one day, one question");
    assert_ne!(next_day("2026-11-03T23:59:59Z"), next_day("2026-11-04T00:00:00Z"));
}

/// What no system could answer so that anybody understood it is a fault at start.
#[test]
fn a_poll_that_cannot_work_is_refused_at_start() {
    let rows: Vec<(&str, Value, &str)> = vec![
        ("gitlab.pipeline", json!("https://x.example"), "systems of gitlab.pipeline are not asked, they post"),
        ("roster.csv", json!("http://x.example/r"), "an https:// address"),
        ("roster.csv", json!("https://"), "an https:// address"),
        ("roster.csv", json!("https://me:secret@x.example/r"), "no user in the address"),
        ("roster.csv", json!("https://{person}.example/r"), "a host without a placeholder"),
        ("roster.csv", json!("https://x.example/{now}"), "none but the placeholders"),
        ("roster.csv", json!("https://x.example/{credential}"), "a `credential` beside it"),
        ("graph.calendar_view", json!("https://x.example/me"), "{person}, in whose place"),
        ("graph.calendar_view", json!("https://x.example/{person}"), "the parameter startDateTime"),
        ("opsgenie.timeline", json!("https://x.example/timeline"), "{schedule}, in whose place"),
        ("servicenow.delegates", json!("https://x.example/table"), "an object"),
        ("servicenow.delegates", json!({ "members": "https://x.example/m" }), "delegates"),
    ];
    for (format, url, said) in rows {
        let faults = match policy_of(format, &url) {
            Ok(_) => panic!("{format} {url}: expected a fault"),
            Err(faults) => faults.join("\n"),
        };
        assert!(faults.contains(said), "{format} {url}: {faults}");
        assert!(!faults.contains("secret"), "a password is never quoted: {faults}");
    }
}

#[test]
fn credentials_are_read_by_kind_and_never_quoted() {
    let text = json!({
        "plain": "pd-token-0001", "graph": { "kind": "client_credentials", "token_url": "https://login.example/t", "client_id": "i",
            "client_secret": "hunter2hunter2", "scope": "s" },
        "basic": { "kind": "basic", "user": "u", "password": "hunter2hunter2" },
        "own": { "kind": "header", "name": "X-Api-Key", "value": "hunter2hunter2" },
    });
    let read = Credentials::read(&text.to_string()).expect("credentials");
    let header = |name: &str, format: &str| {
        let credential = read.named(name).expect("it");
        credential::header(sources::Format::of(format).expect("a format"), credential)
    };
    let of = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
    assert_eq!(header("plain", "pagerduty.oncalls"), of("authorization", "Token token=pd-token-0001"));
    assert_eq!(header("plain", "opsgenie.timeline"), of("authorization", "GenieKey pd-token-0001"));
    assert_eq!(header("plain", "grafana.final_shifts"), of("authorization", "pd-token-0001"));
    assert_eq!(header("plain", "github.workflow_run"), of("authorization", "Bearer pd-token-0001"));
    assert_eq!(header("basic", "servicenow.change_request"), of("authorization", "Basic dTpodW50ZXIyaHVudGVyMg=="));
    assert_eq!(header("own", "roster.csv"), of("x-api-key", "hunter2hunter2"));
    assert_eq!(header("graph", "graph.get_schedule"), None, "a token is fetched first");
    let printed = format!("{read:?} {:?}", Credential::Token("hunter2hunter2".to_owned()));
    assert!(!printed.contains("hunter2") && !printed.contains("pd-token"), "{printed}");
    for bad in [
        json!({ "a": 7 }),
        json!({ "a": "hunter2\nhunter2" }),
        json!({ "a": { "kind": "hunter" } }),
        json!({ "a": { "kind": "basic", "user": "hunter2" } }),
        json!({ "a": { "kind": "client_credentials", "token_url": "http://hunter2.example", "client_id": "i", "client_secret": "s", "scope": "s" } }),
        json!({ "a": { "kind": "service_account", "client_email": "a@b.example", "private_key": "hunter2", "scope": "s" } }),
        json!(["hunter2"]),
    ] {
        let faults = Credentials::read(&bad.to_string()).expect_err("a fault");
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(!said.join(" ").contains("hunter2"), "{said:?}");
    }
}

/// The polls of the page for source teams: format and `poll`.
fn documented() -> Vec<(String, String)> {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/README.md")).expect("the page");
    let rows = page.lines().filter_map(|line| {
        let (format, poll) = line.strip_prefix("| `")?.split_once("` | `{\"url\"")?;
        Some((format.to_owned(), format!("{{\"url\"{}", poll.strip_suffix("` |")?)))
    });
    rows.collect()
}

/// Without a horizon in its question an answer is empty, or of another time than it seems: refused at start.
#[test]
fn a_question_without_what_its_answer_rests_on_is_refused() {
    for (format, needed) in [
        ("graph.calendar_view", &["startDateTime", "endDateTime"][..]),
        ("google.events", &["timeMin", "timeMax", "singleEvents"]),
        ("pagerduty.oncalls", &["since", "until"]),
        ("pagerduty.schedule", &["since", "until"]),
        ("grafana.final_shifts", &["start_date", "end_date"]),
        ("incidentio.schedule_entries", &["schedule_id", "entry_window_start", "entry_window_end"]),
    ] {
        let (_, poll) = documented().into_iter().find(|(other, _)| other == format).expect("a row of the page");
        let poll: Value = serde_json::from_str(&poll).expect("JSON");
        for name in needed {
            let url = poll["url"].as_str().expect("an address").replace(&format!("{name}="), &format!("x{name}="));
            let faults = policy_of(format, &json!(url)).err().unwrap_or_default().join("; ");
            assert!(faults.contains(&format!("the parameter {name}")), "{format} without {name}: {faults:?}");
        }
    }
}

/// What a source team copies from the page works.
#[test]
fn every_poll_of_the_page_for_source_teams_is_read() {
    let rows = documented();
    let mut seen = Vec::new();
    for (format, poll) in rows {
        let poll: Value = serde_json::from_str(&poll).unwrap_or_else(|error| panic!("{format}: {error}"));
        let file = policy_of(&format, &poll["url"]);
        // The one address with a credential in it needs one beside it.
        let with_credential = poll["url"].to_string().contains("{credential}");
        match file {
            Ok(file) => assert!(!plan::groups(file.bindings.named("b").expect("it"), now()).is_empty(), "{format}"),
            Err(faults) => assert!(with_credential && faults.len() == 1, "{format}: {faults:?}"),
        }
        assert!(poll["every_minutes"].is_u64() && poll["credential"].is_string(), "{format}");
        seen.push(format);
    }
    let asked =
        sources::Format::ALL.into_iter().filter(|format| sources::native::binding::system::of(*format).is_some());
    let mut asked: Vec<String> = asked.map(|format| format.word().to_owned()).collect();
    asked.sort();
    seen.sort();
    assert_eq!(seen, asked, "a row each");
}
