//! Edges of polls that mutation testing found unasked.

use refresh_core::record::poll::KnownAnswer;
use serde_json::{Value, json};
use sources::poll::{
    PollFailure, answer,
    credential::{self, Credentials},
    hand,
    page::WholeAnswer,
    plan,
};

use crate::{DATE, now, policy_of, response};

fn whole(body: Value, date: &str, one_page: bool) -> WholeAnswer {
    let first = response(200, &[("etag", "\"1\""), ("last-modified", DATE), ("x-revision", "7")], "");
    WholeAnswer { body, date: date.to_owned(), first, one_page }
}

fn handed(
    format: &str,
    url: Value,
    answers: &[WholeAnswer],
    before: Option<&KnownAnswer>,
    renew: bool,
) -> hand::HandedOn {
    let file = policy_of(format, &url).unwrap_or_else(|faults| panic!("{faults:?}"));
    let bound = file.bindings.named("b").expect("it");
    let groups = plan::groups(bound, now());
    let system = plan::system_of(bound).expect("a system");
    hand::hand_on(bound, &system, &groups[0], answers, before, renew, now()).expect("handed on")
}

fn body(handed: &hand::HandedOn) -> Value {
    let message: Value = serde_json::from_str(&handed.messages[0]).expect("JSON");
    message["body"].clone()
}

/// A server's mark is of one page. What was put together would seem unchanged though a later page is another.
#[test]
fn a_mark_is_kept_of_one_page_alone() {
    let (format, url) = ("roster.json", json!("https://x.example/r"));
    let rows = || json!({ "rows": [] });
    let one = handed(format, url.clone(), &[whole(rows(), DATE, true)], None, true).known;
    assert_eq!((one.etag.as_deref(), one.last_modified.as_deref()), (Some("\"1\""), Some(DATE)));
    let several = handed(format, url, &[whole(rows(), DATE, false)], None, true).known;
    assert_eq!((several.etag, several.last_modified), (None, None));
}

/// When an unchanged answer was last handed on stays, so that its renewal comes; a changed or renewed one counts anew.
#[test]
fn what_is_unchanged_keeps_the_instant_of_its_handing_on() {
    let (format, url) = ("roster.json", json!("https://x.example/r"));
    let answer = |word: &str, date: &str| [whole(json!({ "rows": [word] }), date, true)];
    let mut known = handed(format, url.clone(), &answer("a", DATE), None, true).known;
    assert_eq!(known.handed_on_at, Some(now()));
    let earlier = now().plus_minutes(-60);
    known.handed_on_at = Some(earlier);
    for (word, renew, messages, at) in
        [("a", false, 0, earlier), ("a", true, 1, now()), ("b", false, 1, now()), ("b", true, 1, now())]
    {
        let next = handed(format, url.clone(), &answer(word, "Tue, 03 Nov 2026 09:31:00 GMT"), Some(&known), renew);
        assert_eq!((next.messages.len(), next.known.handed_on_at), (messages, Some(at)), "{word} {renew}");
    }
}

/// A snapshot of several answers holds all of them, and is as old as the oldest.
#[test]
fn answers_that_belong_together_are_handed_on_together() {
    let later = "Tue, 03 Nov 2026 09:40:00 GMT";
    let url = json!("https://x.example/{schedule}?start_date={from_date}&end_date={to_date}");
    let answers = [whole(json!({ "results": [1] }), later, true), whole(json!({ "results": [2] }), DATE, true)];
    let both = handed("grafana.final_shifts", url, &answers, None, true);
    let shifts = body(&both);
    let of: Vec<&Value> =
        shifts["answers"].as_array().expect("answers").iter().map(|one| &one["response"]["results"]).collect();
    assert_eq!(of, [&json!([1]), &json!([2])], "{shifts}");
    let message: Value = serde_json::from_str(&both.messages[0]).expect("JSON");
    assert_eq!(message["headers"], json!({ "date": DATE }), "the earliest, and nothing else");
    let url = json!({ "members": "https://x.example/m", "delegates": "https://x.example/d" });
    let answers = [whole(json!({ "result": [1] }), DATE, true), whole(json!({ "result": [2] }), DATE, true)];
    let tables = body(&handed("servicenow.delegates", url, &answers, None, true));
    let mut names: Vec<&String> = tables.as_object().expect("tables").keys().collect();
    names.sort();
    assert_eq!(names, ["delegates", "members"], "{tables}");
    let answer = whole(json!({ "check_suites": [{ "id": 1, "status": "completed" }] }), DATE, true);
    let suite = body(&handed("github.check_suite", json!("https://x.example/suites"), &[answer], None, true));
    assert_eq!(suite["check_suite"], json!({ "id": 1, "status": "completed" }));
}

/// The header that numbers a binding's answers goes along, and the horizon that is asked for is the binding's.
#[test]
fn a_binding_says_what_numbers_its_answers_and_how_far_it_asks() {
    let bound = |binding: Value| {
        let mut binding = binding;
        binding["name"] = json!("b");
        let kind = if binding["format"] == "servicenow.schedules" { "freeze" } else { "availability" };
        binding["source"] = json!("//s");
        let policy = json!({ "sources": [{"kind": kind, "source": "//s", "governed_by": "it@example.com"}], "native": [binding] });
        sources::policy::read_file(&policy.to_string()).unwrap_or_else(|faults| panic!("{faults:?}"))
    };
    let poll = |url: Value| json!({ "url": url, "every_minutes": 5 });
    let people = json!({ "U1": "a@example.com" });
    for (binding, until) in [
        (
            json!({"format": "google.free_busy", "people": people, "revision_header": "x-revision",
                "poll": poll(json!("https://x.example/f"))}),
            "2027-01-02",
        ),
        (
            json!({"format": "pagerduty.oncalls", "people": people, "revision_header": "x-revision",
                "poll": poll(json!("https://x.example/o?since={from}&until={to}&user_ids[]=U1"))}),
            "2027-01-02",
        ),
        (
            json!({"format": "ical.vevent", "person": "a@example.com", "horizon_days": 90, "revision_header": "x-revision",
                "poll": poll(json!("https://x.example/feed?u={to_date}"))}),
            "2027-02-01",
        ),
        (
            json!({"format": "servicenow.schedules", "schedules": {"s": {"calendar": "prod", "protected": true}}, "horizon_days": 90,
                "revision_header": "x-revision",
                "poll": poll(json!({"schedules": "https://x.example/s", "spans": "https://x.example/p?u={to_date}", "children": "https://x.example/c"}))}),
            "2027-02-01",
        ),
    ] {
        let file = bound(binding.clone());
        let named = file.bindings.named("b").expect("it");
        let groups = plan::groups(named, now());
        let asked = format!("{:?}", groups[0].questions);
        assert!(asked.contains(until), "{}: {asked}", binding["format"]);
        let system = plan::system_of(named).expect("a system");
        let answers: Vec<WholeAnswer> =
            groups[0].questions.iter().map(|_| whole(json!({ "result": [], "oncalls": [] }), DATE, true)).collect();
        let handed = hand::hand_on(named, &system, &groups[0], &answers, None, true, now()).expect("handed on");
        let message: Value = serde_json::from_str(&handed.messages[0]).expect("JSON");
        assert_eq!(message["headers"], json!({ "date": DATE, "x-revision": "7" }), "{}", binding["format"]);
    }
}

/// How long a system wants no question: never earlier than it says.
#[test]
fn a_system_is_not_asked_before_it_wants_to_be() {
    let wait = |headers: &[(&str, &str)]| match answer::of(&response(429, headers, ""), now()) {
        Err(sources::poll::PollFailure::Throttled(at)) => at.map(|at| at.since(now()) / 1_000),
        other => panic!("{other:?}"),
    };
    let later = answer::written(answer::date(DATE).expect("a date").plus_minutes(2));
    for (headers, seconds) in [
        (vec![("retry-after", "90")], Some(90)),
        (vec![("retry-after", later.as_str())], Some(120)),
        (vec![("x-ratelimit-reset", "30")], Some(30)),
        (vec![("x-ratelimit-reset", "999999999")], Some(86_400)),
        (vec![("ratelimit-reset", "45")], Some(45)),
        (vec![("retry-after", "90"), ("ratelimit-reset", "45")], Some(90)),
        (vec![("retry-after", "soon")], None),
        (vec![], None),
    ] {
        let waits = wait(&headers);
        // The longest wait is bounded; what is beyond it is that bound.
        assert!(waits == seconds || seconds == Some(86_400) && waits > Some(3_600), "{headers:?}: {waits:?}");
    }
    for (mark, good) in [("\"1\"", true), (" ", false), ("\u{e9}", false), ("a\nb", false), (&"x".repeat(300), false)] {
        assert_eq!(answer::mark(&response(200, &[("etag", mark)], ""), "etag").is_some(), good, "{mark:?}");
    }
}

/// A poll without its credential is said, by both names.
#[test]
fn a_credential_that_is_missing_is_said() {
    let policy = json!({
        "sources": [{"kind": "delegation", "source": "//r", "governed_by": "it@example.com"}],
        "native": [{"format": "roster.csv", "source": "//r", "name": "staff", "services": ["s"], "roles": ["r"],
                    "poll": {"url": "https://x.example/r", "credential": "key", "every_minutes": 5}}],
    });
    let file = sources::policy::read_file(&policy.to_string()).unwrap_or_else(|faults| panic!("{faults:?}"));
    let missing = |text: &str| Credentials::read(text).expect("credentials").missing(&file.bindings);
    assert_eq!(missing("{}"), ["expected a credential key, for the poll of staff; found none"]);
    assert_eq!(missing(r#"{"key": "secret"}"#), [""; 0]);
    assert_eq!(credential::bearer("t"), ("authorization".to_owned(), "Bearer t".to_owned()));
    for (name, good) in [("X-Api-Key", true), ("a b", false), ("", false), (&"x".repeat(61), false)] {
        let text = json!({ "a": { "kind": "header", "name": name, "value": "v" } });
        assert_eq!(Credentials::read(&text.to_string()).is_ok(), good, "{name:?}");
    }
    let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (key, url, good) in [
        (pem, "https://login.example/t", true),
        (pem, "http://127.0.0.1:1/t", true),
        (pem, "http://login.example/t", false),
        (pem, "ftp://127.0.0.1/t", false),
        (pem, "https://u@login.example/t", false),
        ("AAAA", "https://login.example/t", false),
    ] {
        let text = json!({ "a": { "kind": "service_account", "client_email": "a@b.example", "private_key": key, "scope": "s", "token_uri": url } });
        assert_eq!(Credentials::read(&text.to_string()).is_ok(), good, "{url}");
    }
}

/// What is said of each way in which a question fails: its word, the server's status, when the next question may come, and
/// whether an operator hears of the first.
#[test]
fn every_failure_of_a_poll_is_said_in_full() {
    use PollFailure::{
        ChangedBetweenPages, Denied, Elsewhere, Incomplete, NoToken, NotHandedOn, NotUtf8, OutOfTime, PageLoop,
        RedirectedTooOften, Refused, Throttled, TimedOut, TooLarge, TooManyPages, UnaskedNotModified, Unavailable,
        Unreachable, Unreadable,
    };
    let at = Some(now());
    let rows = [
        (Denied(401), "denied", Some(401), None, true),
        (Throttled(at), "throttled", None, at, false),
        (Unavailable(503, at), "unavailable", Some(503), at, false),
        (Unavailable(500, None), "unavailable", Some(500), None, false),
        (Refused(404), "refused", Some(404), None, false),
        (Unreachable, "unreachable", None, None, false),
        (TimedOut, "timed_out", None, None, false),
        (Elsewhere, "elsewhere", None, None, true),
        (RedirectedTooOften, "redirected_too_often", None, None, false),
        (Unreadable, "unreadable", None, None, false),
        (NotUtf8, "not_utf8", None, None, false),
        (PageLoop, "page_loop", None, None, false),
        (TooManyPages, "too_many_pages", None, None, false),
        (ChangedBetweenPages, "changed_between_pages", None, None, false),
        (Incomplete, "incomplete", None, None, false),
        (TooLarge, "too_large", None, None, true),
        (UnaskedNotModified, "unasked_not_modified", None, None, false),
        (NoToken, "no_token", None, None, true),
        (NotHandedOn, "not_handed_on", None, None, false),
        (OutOfTime, "out_of_time", None, None, false),
    ];
    for (failure, word, status, not_before, operator) in rows {
        let said = (failure.word(), failure.status(), failure.not_before(), failure.is_for_an_operator());
        assert_eq!(said, (word, status, not_before, operator));
        assert_eq!(failure.to_string(), word);
    }
}
