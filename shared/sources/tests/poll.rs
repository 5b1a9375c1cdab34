//! How systems are asked: each API's own paging, recorded, and every way in which an answer is none. Pure: the conversation is
//! a list of responses.

use std::collections::BTreeMap;

use refresh_core::{Instant, record::poll::KnownAnswer};
use serde_json::{Value, json};
use sources::{
    policy,
    poll::{
        PollFailure, Response,
        answer::{self, Answer},
        credential::{self, Credential, Credentials},
        hand,
        page::{MOST_BYTES, MOST_PAGES, Reading, WholeAnswer},
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

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let mut all: BTreeMap<String, String> = BTreeMap::from([("date".to_owned(), DATE.to_owned())]);
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Response { status, headers: all, body: body.as_bytes().to_vec() }
}

fn page(body: Value) -> Response {
    response(200, &[], &body.to_string())
}

/// Asks the first question of a format's binding, page by page. Gives what was asked for after the first page, by query or
/// whole address, and the answer.
fn read(format: &str, url: Value, pages: Vec<Response>) -> (Vec<String>, Result<WholeAnswer, PollFailure>) {
    let file = policy_of(format, &url).unwrap_or_else(|faults| panic!("{faults:?}"));
    let bound = file.bindings.named("b").expect("the binding");
    let groups = plan::groups(bound, now());
    let system = plan::system_of(bound).expect("a system that is asked");
    let mut reading = Reading::new(&groups[0].questions[0], system, bound.binding.format().is_json(), now());
    let mut asked = Vec::new();
    let mut pages = pages.into_iter();
    loop {
        let Some(page) = pages.next() else { panic!("asked for a page that the conversation has not: {asked:?}") };
        match answer::of(&page, now()) {
            Ok(Answer::Page) => match reading.take(page) {
                Ok(true) => asked.push(reading.url().to_owned()),
                Ok(false) => {
                    assert_eq!(pages.count(), 0, "a page was not asked for");
                    return (asked, reading.done());
                }
                Err(failure) => return (asked, Err(failure)),
            },
            Ok(Answer::Moved { to, keeps_method }) => match reading.redirect(&to, keeps_method, page.status) {
                Ok(()) => asked.push(reading.url().to_owned()),
                Err(failure) => return (asked, Err(failure)),
            },
            Ok(Answer::NotModified) => return (asked, Err(PollFailure::UnaskedNotModified)),
            Err(failure) => return (asked, Err(failure)),
        }
    }
}

/// What pages of an answer come to: the addresses asked for beyond the first, and the list that was put together.
#[test]
fn each_system_pages_in_its_own_way_and_comes_to_its_end() {
    let link = |to: &str| [("link", format!("<https://x.example/>; rel=\"first\", <{to}>; rel=\"next\""))];
    let linked = |to: &str, body: Value| {
        let link = link(to);
        response(200, &[(link[0].0, link[0].1.as_str())], &body.to_string())
    };
    let counted = |count: &str, body: Value| response(200, &[("x-total-count", count)], &body.to_string());
    let url = |path: &str| json!(format!("https://x.example{path}"));
    let rows: Vec<(&str, Value, Vec<Response>, &[&str], &str, Value)> = vec![
        (
            "github.workflow_run",
            url("/runs?per_page=2"),
            vec![
                linked(
                    "https://x.example/runs?per_page=2&page=2",
                    json!({ "total_count": 3, "workflow_runs": [1, 2] }),
                ),
                page(json!({ "total_count": 3, "workflow_runs": [3] })),
            ],
            &["https://x.example/runs?per_page=2&page=2"],
            "/workflow_runs",
            json!([1, 2, 3]),
        ),
        (
            "servicenow.change_request",
            url("/table?sysparm_limit=2"),
            vec![
                linked("https://x.example/table?sysparm_limit=2&sysparm_offset=2", json!({ "result": [1, 2] })),
                page(json!({ "result": [3] })),
            ],
            &["https://x.example/table?sysparm_limit=2&sysparm_offset=2"],
            "/result",
            json!([1, 2, 3]),
        ),
        (
            "servicenow.change_request",
            url("/table?sysparm_query=a%5Eb&sysparm_offset=0"),
            vec![counted("3", json!({ "result": [1, 2] })), counted("3", json!({ "result": [3] }))],
            &["https://x.example/table?sysparm_query=a%5Eb&sysparm_offset=2"],
            "/result",
            json!([1, 2, 3]),
        ),
        (
            // Nothing counts and nothing links: a page as long as was asked for may not be the last.
            "servicenow.delegates",
            json!({ "delegates": "https://x.example/d?sysparm_limit=2", "members": "https://x.example/m" }),
            vec![page(json!({ "result": [1, 2] })), page(json!({ "result": [] }))],
            &["https://x.example/d?sysparm_limit=2&sysparm_offset=2"],
            "/result",
            json!([1, 2]),
        ),
        (
            "jira.change",
            url("/search?jql=x"),
            vec![page(json!({ "total": 3, "issues": [1, 2] })), page(json!({ "total": 3, "issues": [3] }))],
            &["https://x.example/search?jql=x&startAt=2"],
            "/issues",
            json!([1, 2, 3]),
        ),
        (
            "jira.change",
            url("/search/jql?jql=x"),
            vec![
                page(json!({ "issues": [1], "nextPageToken": "t&1" })),
                page(json!({ "issues": [2], "isLast": true })),
            ],
            &["https://x.example/search/jql?jql=x&nextPageToken=t%261"],
            "/issues",
            json!([1, 2]),
        ),
        (
            "graph.calendar_view",
            url("/users/{person}/calendarView?startDateTime={from}&endDateTime={to}"),
            vec![
                page(json!({ "value": [1], "@odata.nextLink": "https://x.example/users/a/calendarView?$skip=1" })),
                page(json!({ "value": [2] })),
            ],
            &["https://x.example/users/a/calendarView?$skip=1"],
            "/value",
            json!([1, 2]),
        ),
        (
            "google.events",
            url("/calendars/{person}/events?timeMin={from}&timeMax={to}&singleEvents=true"),
            vec![page(json!({ "items": [1], "nextPageToken": "t" })), page(json!({ "items": [2] }))],
            &[
                "https://x.example/calendars/a%40example.com/events?timeMin=2026-11-03T00%3A00%3A00Z&timeMax=2027-01-02T00%3A00%3A00Z&singleEvents=true&pageToken=t",
            ],
            "/items",
            json!([1, 2]),
        ),
        (
            "pagerduty.oncalls",
            url("/oncalls?since={from}&until={to}&limit=2"),
            vec![
                page(json!({ "oncalls": [1, 2], "more": true, "offset": 0, "limit": 2, "total": null })),
                page(json!({ "oncalls": [3], "more": false, "offset": 2, "limit": 2, "total": null })),
            ],
            &[
                "https://x.example/oncalls?since=2026-11-03T00%3A00%3A00Z&until=2027-01-02T00%3A00%3A00Z&limit=2&offset=2",
            ],
            "/oncalls",
            json!([1, 2, 3]),
        ),
        (
            "grafana.final_shifts",
            url("/schedules/{schedule}/final_shifts?start_date={from_date}&end_date={to_date}"),
            vec![
                page(
                    json!({ "count": 2, "next": "https://x.example/shifts?page=2", "previous": null, "results": [1] }),
                ),
                page(json!({ "count": 2, "next": null, "previous": "https://x.example/shifts", "results": [2] })),
            ],
            &["https://x.example/shifts?page=2"],
            "/results",
            json!([1, 2]),
        ),
        (
            "incidentio.schedule_entries",
            url("/e?schedule_id={schedule}&entry_window_start={from}&entry_window_end={to}"),
            vec![
                page(
                    json!({ "schedule_entries": { "final": [1] }, "pagination_meta": { "after": "c", "page_size": 1 } }),
                ),
                page(json!({ "schedule_entries": { "final": [2] }, "pagination_meta": { "page_size": 1 } })),
            ],
            &[
                "https://x.example/e?schedule_id=S1&entry_window_start=2026-11-03T00%3A00%3A00Z&entry_window_end=2027-01-02T00%3A00%3A00Z&after=c",
            ],
            "/schedule_entries/final",
            json!([1, 2]),
        ),
        (
            "opsgenie.timeline",
            url("/v2/schedules/{schedule}/timeline?interval={days}&intervalUnit=days"),
            vec![page(json!({ "data": 1 }))],
            &[],
            "/data",
            json!(1),
        ),
        ("google.free_busy", url("/freeBusy"), vec![page(json!({ "calendars": {} }))], &[], "/calendars", json!({})),
    ];
    for (format, url, pages, expected, list, together) in rows {
        let (asked, answer) = read(format, url, pages);
        let answer = answer.unwrap_or_else(|failure| panic!("{format}: {failure}"));
        assert_eq!(asked, expected, "{format}");
        assert_eq!(answer.body.pointer(list), Some(&together), "{format}");
        if !asked.is_empty() {
            let paging = ["@odata.nextLink", "nextPageToken", "more", "next", "count", "total", "pagination_meta"];
            assert!(paging.iter().all(|member| answer.body.get(member).is_none()), "{format}: {}", answer.body);
        }
    }
}

/// Each way in which an answer is none. Nothing of any of them is handed on.
#[test]
fn what_is_no_whole_answer_is_refused_by_its_word() {
    let oncalls = || json!("https://x.example/oncalls?since={from}&until={to}");
    let view = || json!("https://x.example/{person}/v?startDateTime={from}&endDateTime={to}");
    let shifts = || json!("https://x.example/{schedule}/s?start_date={from_date}&end_date={to_date}");
    let next = |to: &str| page(json!({ "value": [1], "@odata.nextLink": to }));
    let moved = |status: u16, to: &str| response(status, &[("location", to)], "");
    let rows: Vec<(&str, &str, Value, Vec<Response>, PollFailure)> = vec![
        (
            "cut off",
            "pagerduty.oncalls",
            oncalls(),
            vec![response(200, &[], "{\"oncalls\": [{")],
            PollFailure::Unreadable,
        ),
        ("empty", "pagerduty.oncalls", oncalls(), vec![response(200, &[], "")], PollFailure::Unreadable),
        ("a sign-in page", "pagerduty.oncalls", oncalls(), vec![response(200, &[], "<html>")], PollFailure::Unreadable),
        ("no list", "pagerduty.oncalls", oncalls(), vec![page(json!({ "error": "no" }))], PollFailure::Unreadable),
        (
            "a second page without a list",
            "graph.calendar_view",
            view(),
            vec![next("https://x.example/2"), page(json!({}))],
            PollFailure::Unreadable,
        ),
        (
            "the second page fails",
            "graph.calendar_view",
            view(),
            vec![next("https://x.example/2"), response(500, &[], "")],
            PollFailure::Unavailable(500, None),
        ),
        (
            "a page that names itself",
            "graph.calendar_view",
            view(),
            vec![next("https://x.example/2"), next("https://x.example/2")],
            PollFailure::PageLoop,
        ),
        ("another host", "graph.calendar_view", view(), vec![next("https://evil.example/2")], PollFailure::Elsewhere),
        ("another port", "graph.calendar_view", view(), vec![next("https://x.example:8443/2")], PollFailure::Elsewhere),
        ("plain text", "graph.calendar_view", view(), vec![next("http://x.example/2")], PollFailure::Elsewhere),
        (
            "a user in the link",
            "graph.calendar_view",
            view(),
            vec![next("https://me@x.example/2")],
            PollFailure::Elsewhere,
        ),
        (
            "a redirection to a host that begins as the address does",
            "ical.vevent",
            json!("https://x.example?k={to_date}"),
            vec![moved(302, "https://x.example.evil.example/{credential}")],
            PollFailure::Elsewhere,
        ),
        (
            "a link for the credential",
            "graph.calendar_view",
            view(),
            vec![next("https://x.example/{credential}")],
            PollFailure::Elsewhere,
        ),
        (
            "a host that begins alike",
            "graph.calendar_view",
            view(),
            vec![next("https://x.example.evil.example/2")],
            PollFailure::Elsewhere,
        ),
        (
            "redirected elsewhere",
            "graph.calendar_view",
            view(),
            vec![moved(302, "https://evil.example/")],
            PollFailure::Elsewhere,
        ),
        (
            "redirected to plain text",
            "graph.calendar_view",
            view(),
            vec![moved(301, "http://x.example/")],
            PollFailure::Elsewhere,
        ),
        (
            "a post that would become a get",
            "google.free_busy",
            json!("https://x.example/f"),
            vec![moved(302, "/g")],
            PollFailure::Refused(302),
        ),
        (
            "a redirection without a place",
            "graph.calendar_view",
            view(),
            vec![response(302, &[], "")],
            PollFailure::Refused(302),
        ),
        (
            "a total that changes",
            "grafana.final_shifts",
            shifts(),
            vec![
                page(json!({ "count": 2, "next": "https://x.example/2", "results": [1] })),
                page(json!({ "count": 3, "next": null, "results": [2] })),
            ],
            PollFailure::ChangedBetweenPages,
        ),
        (
            "fewer than counted",
            "grafana.final_shifts",
            shifts(),
            vec![page(json!({ "count": 2, "next": null, "results": [1] }))],
            PollFailure::Incomplete,
        ),
        (
            "fewer than counted, in the end",
            "jira.change",
            json!("https://x.example/s"),
            vec![page(json!({ "total": 3, "issues": [1, 2] })), page(json!({ "total": 3, "issues": [] }))],
            PollFailure::Incomplete,
        ),
        ("not allowed", "pagerduty.oncalls", oncalls(), vec![response(403, &[], "")], PollFailure::Denied(403)),
        ("no such thing", "pagerduty.oncalls", oncalls(), vec![response(404, &[], "")], PollFailure::Refused(404)),
        (
            "nothing new, unasked",
            "pagerduty.oncalls",
            oncalls(),
            vec![response(304, &[], "")],
            PollFailure::UnaskedNotModified,
        ),
        (
            "too large",
            "roster.csv",
            json!("https://x.example/r.csv"),
            vec![response(200, &[], &"x".repeat(MOST_BYTES + 1))],
            PollFailure::TooLarge,
        ),
    ];
    for (name, format, url, pages, expected) in rows {
        let (_, answer) = read(format, url, pages);
        assert_eq!(answer.map(|answer| answer.body), Err(expected), "{name}");
    }
    let endless = (0..MOST_PAGES).map(|number| next(&format!("https://x.example/{number}"))).collect();
    assert_eq!(read("graph.calendar_view", view(), endless).1.map(|_| ()), Err(PollFailure::TooManyPages));
    let (asked, answer) = read("graph.calendar_view", view(), vec![moved(307, "/there"), page(json!({ "value": [] }))]);
    assert_eq!(asked, ["https://x.example/there"], "a redirection within the host is followed");
    assert!(answer.is_ok());
}

/// Until when a system wants no question, in seconds from now.
#[test]
fn retry_after_is_kept_in_every_form_it_comes_in() {
    let wait = |status: u16, headers: &[(&str, &str)]| {
        let failure = answer::of(&response(status, headers, ""), now()).expect_err("no answer");
        (failure.word(), failure.not_before().map(|at| at.since(now()) / 1_000))
    };
    // The server's clock is five seconds ahead of ours.
    let rows: Vec<(u16, &[(&str, &str)], &str, Option<i64>)> = vec![
        (429, &[("retry-after", "120")], "throttled", Some(120)),
        (429, &[("retry-after", "Tue, 03 Nov 2026 09:31:05 GMT")], "throttled", Some(60)),
        (429, &[("retry-after", "Tue, 03 Nov 2026 09:00:00 GMT")], "throttled", Some(0)),
        (429, &[("retry-after", "soon")], "throttled", None),
        (429, &[("retry-after", "-5")], "throttled", None),
        (429, &[("retry-after", "9999999")], "throttled", Some(24 * 3_600)),
        (429, &[("ratelimit-reset", "30")], "throttled", Some(30)),
        (429, &[("x-ratelimit-reset", "1793698265")], "throttled", Some(60)),
        (429, &[], "throttled", None),
        (403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1793698265")], "throttled", Some(60)),
        (403, &[("retry-after", "60")], "throttled", Some(60)),
        (403, &[("x-ratelimit-remaining", "12")], "denied", None),
        (401, &[], "denied", None),
        (503, &[("retry-after", "10")], "unavailable", Some(10)),
        (500, &[], "unavailable", None),
        (418, &[], "refused", None),
    ];
    for (status, headers, word, seconds) in rows {
        assert_eq!(wait(status, headers), (word, seconds), "{status} {headers:?}");
    }
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

fn handed(
    format: &str,
    url: &str,
    answers: &[WholeAnswer],
    before: Option<&KnownAnswer>,
    renew: bool,
) -> Result<hand::HandedOn, PollFailure> {
    let file = policy_of(format, &json!(url)).unwrap_or_else(|faults| panic!("{faults:?}"));
    let bound = file.bindings.named("b").expect("it");
    let groups = plan::groups(bound, now());
    hand::hand_on(bound, &plan::system_of(bound).expect("a system"), &groups[0], answers, before, renew, now())
}

fn whole(body: Value) -> WholeAnswer {
    let first = response(200, &[("etag", "\"1\"")], "");
    WholeAnswer { body, date: DATE.to_owned(), first, one_page: true }
}

/// What is unchanged is not said again, but for its renewal; of independent records only the new ones are.
#[test]
fn what_is_new_is_handed_on_and_nothing_else() {
    let (format, url) = ("servicenow.change_request", "https://x.example/t");
    let record =
        |number: u32, count: u32| json!({ "number": format!("CHG{number}"), "sys_mod_count": count.to_string() });
    let first = handed(format, url, &[whole(json!({ "result": [record(1, 1), record(2, 1)] }))], None, true)
        .expect("handed on");
    let result = |handed: &hand::HandedOn| -> Vec<Value> {
        let bodies = handed.messages.iter().map(|message| serde_json::from_str::<Value>(message).expect("JSON"));
        bodies.flat_map(|message| message["body"]["result"].as_array().cloned().unwrap_or_default()).collect()
    };
    assert_eq!(result(&first), [record(1, 1), record(2, 1)]);
    assert_eq!(first.known.etag.as_deref(), Some("\"1\""));
    let message: Value = serde_json::from_str(&first.messages[0]).expect("JSON");
    assert_eq!(
        (&message["format"], &message["binding"], &message["headers"]["date"]),
        (&json!(format), &json!("b"), &json!(DATE))
    );
    let same =
        handed(format, url, &[whole(json!({ "result": [record(1, 1), record(2, 1)] }))], Some(&first.known), false);
    assert_eq!(same.expect("handed on").messages, [""; 0], "nothing new");
    let moved =
        handed(format, url, &[whole(json!({ "result": [record(1, 1), record(2, 2)] }))], Some(&first.known), false);
    assert_eq!(result(&moved.expect("handed on")), [record(2, 2)], "the one that changed");
    let renewed =
        handed(format, url, &[whole(json!({ "result": [record(1, 1), record(2, 1)] }))], Some(&first.known), true);
    assert_eq!(result(&renewed.expect("handed on")).len(), 2, "a promise is kept by saying so");
    let kept = serde_json::to_string(&first.known).expect("JSON");
    assert!(!kept.contains("CHG"), "an answer is never kept: {kept}");
}

/// Records that stand each for itself are split over as many messages as it takes; a snapshot is not.
#[test]
fn what_is_too_large_for_a_message_is_split_or_refused() {
    let record = |number: usize| json!({ "number": format!("CHG{number}"), "text": "x".repeat(3_000) });
    let records: Vec<Value> = (0..900).map(record).collect();
    let handed_on =
        handed("servicenow.change_request", "https://x.example/t", &[whole(json!({ "result": records }))], None, true);
    let messages = handed_on.expect("split").messages;
    assert_eq!(messages.len(), 3);
    assert!(messages.iter().all(|message| message.len() <= 1_048_576));
    let count: usize = messages
        .iter()
        .map(|message| {
            serde_json::from_str::<Value>(message).expect("JSON")["body"]["result"].as_array().map_or(0, Vec::len)
        })
        .sum();
    assert_eq!(count, 900, "each record once");
    let large = json!({ "number": "CHG1", "text": "x".repeat(1_100_000) });
    let refused =
        handed("servicenow.change_request", "https://x.example/t", &[whole(json!({ "result": [large] }))], None, true);
    assert_eq!(refused.map(|_| ()), Err(PollFailure::TooLarge));
    let snapshot = whole(Value::from("x".repeat(1_100_000)));
    assert_eq!(
        handed("roster.csv", "https://x.example/r", &[snapshot], None, true).map(|_| ()),
        Err(PollFailure::TooLarge)
    );
}

/// GitHub lists runs, and its webhook tells of one.
#[test]
fn runs_that_are_listed_become_what_their_webhook_would_say() {
    let run = |status: &str| json!({ "id": 1, "status": status, "repository": { "full_name": "acme/app" } });
    for (status, action) in
        [("completed", "completed"), ("in_progress", "in_progress"), ("queued", "requested"), ("waiting", "requested")]
    {
        let answer = whole(json!({ "total_count": 1, "workflow_runs": [run(status)] }));
        let handed_on =
            handed("github.workflow_run", "https://x.example/runs", &[answer], None, true).expect("handed on");
        let message: Value = serde_json::from_str(&handed_on.messages[0]).expect("JSON");
        assert_eq!(message["body"]["action"], action, "{status}");
        assert_eq!(message["body"]["repository"]["full_name"], "acme/app");
        assert_eq!(message["body"]["workflow_run"], run(status));
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

/// What a source team copies from the page works.
#[test]
fn every_poll_of_the_page_for_source_teams_is_read() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/README.md")).expect("the page");
    let rows = page.lines().filter_map(|line| {
        let (format, poll) = line.strip_prefix("| `")?.split_once("` | `{\"url\"")?;
        Some((format.to_owned(), format!("{{\"url\"{}", poll.strip_suffix("` |")?)))
    });
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
    let asked = sources::Format::ALL.into_iter().filter(|format| sources::poll::system::of(*format).is_some());
    let mut asked: Vec<String> = asked.map(|format| format.word().to_owned()).collect();
    asked.sort();
    seen.sort();
    assert_eq!(seen, asked, "a row each");
}
