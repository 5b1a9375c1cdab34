//! Each API's own paging, recorded, and every way in which an answer is none.

use serde_json::{Value, json};
use sources::poll::{
    PollFailure, SystemResponse,
    answer::{self, SystemAnswer},
    page::{MOST_BYTES, MOST_PAGES, PagedAnswer, WholeAnswer},
    plan,
};

use crate::{now, page, policy_of, response};

/// The format, its address, the pages, what is asked for beyond the first, where the list stands, and the whole of it.
type PagingRow = (&'static str, Value, Vec<SystemResponse>, &'static [&'static str], &'static str, Value);
/// The status, the headers, the word of the failure, and how many seconds to wait.
type WaitRow = (u16, &'static [(&'static str, &'static str)], &'static str, Option<i64>);

/// Asks the first question of a format's binding, page by page. Gives what was asked for after the first page, by query or
/// whole address, and the answer.
fn read(format: &str, url: Value, pages: Vec<SystemResponse>) -> (Vec<String>, Result<WholeAnswer, PollFailure>) {
    let file = policy_of(format, &url).unwrap_or_else(|faults| panic!("{faults:?}"));
    let bound = file.bindings.named("b").expect("the binding");
    let groups = plan::groups(bound, now());
    let system = plan::system_of(bound).expect("a system that is asked");
    let mut reading = PagedAnswer::new(&groups[0].questions[0], system, bound.binding.format().is_json(), now());
    let mut asked = Vec::new();
    let mut pages = pages.into_iter();
    let (mut taken, mut bytes) = (0, 0);
    loop {
        assert_eq!((reading.is_first(), reading.pages(), reading.room()), (taken == 0, taken, MOST_BYTES - bytes));
        let Some(page) = pages.next() else { panic!("asked for a page that the conversation has not: {asked:?}") };
        match answer::of(&page, now()) {
            Ok(SystemAnswer::Page) => {
                (taken, bytes) = (taken + 1, bytes + page.body.len());
                match reading.take(page) {
                    Ok(true) => asked.push(reading.url().to_owned()),
                    Ok(false) => {
                        assert_eq!(pages.count(), 0, "a page was not asked for");
                        return (asked, reading.done());
                    }
                    Err(failure) => return (asked, Err(failure)),
                }
            }
            Ok(SystemAnswer::Moved { to, keeps_method }) => match reading.redirect(&to, keeps_method, page.status) {
                Ok(()) => asked.push(reading.url().to_owned()),
                Err(failure) => return (asked, Err(failure)),
            },
            Ok(SystemAnswer::NotModified) => return (asked, Err(PollFailure::UnaskedNotModified)),
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
    let rows: Vec<PagingRow> = vec![
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
    let rows: Vec<(&str, &str, Value, Vec<SystemResponse>, PollFailure)> = vec![
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
    let rows: Vec<WaitRow> = vec![
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

/// A line of iCalendar may be folded inside of a character (RFC 5545, 3.1): the bytes are text once the line is whole.
#[test]
fn a_fold_inside_of_a_character_is_no_fault() {
    let feed = |bytes: &[u8]| {
        let answer = SystemResponse { body: bytes.to_vec(), ..response(200, &[], "") };
        read("ical.vfreebusy", json!("https://x.example/a.ifb"), vec![answer]).1.map(|answer| answer.body)
    };
    let whole = "BEGIN:VCALENDAR\r\nSUMMARY:Gespräch über Größe\r\nEND:VCALENDAR\r\n";
    for at in whole.char_indices().filter(|(_, c)| !c.is_ascii()).map(|(at, _)| at + 1) {
        for fold in ["\r\n ", "\n\t"] {
            let bytes = [&whole.as_bytes()[..at], fold.as_bytes(), &whole.as_bytes()[at..]].concat();
            assert_eq!(feed(&bytes), Ok(json!(whole)), "byte {at}, {fold:?}");
        }
    }
    assert_eq!(feed(whole.as_bytes()), Ok(json!(whole)));
    assert_eq!(feed(b"BEGIN:VCALENDAR\r\nSUMMARY:\xff\r\n"), Err(PollFailure::NotUtf8));
    let (_, json) = read("pagerduty.oncalls", json!("https://x.example/oncalls?since={from}&until={to}"), {
        vec![SystemResponse { body: b"{\"oncalls\": [\"\xc3\r\n \xa4\"]}".to_vec(), ..response(200, &[], "") }]
    });
    assert_eq!(json.err(), Some(PollFailure::NotUtf8));
}
