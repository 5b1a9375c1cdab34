//! Credentials: each goes to its own system in its own way, and nowhere else.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use crate::{
    ROSTER, Trial,
    heard::log_of_all,
    imitation::{Imitation, Question, Reply},
    said,
};

/// Stands in every credential of these trials.
const MARK: &str = "hunter2";

fn bindings() -> Value {
    let poll = |url: &str, credential: &str| json!({ "url": url, "credential": credential, "every_minutes": 5 });
    let people = json!({ "a@example.com": "a@example.com" });
    json!([
        {
            "format": "pagerduty.oncalls", "name": "pagerduty", "source": "//s", "people": { "U1": "a@example.com" },
            "poll": poll("https://pd.example/oncalls?since={from}&until={to}", "pd"),
        },
        {
            "format": "servicenow.change_request", "name": "servicenow", "source": "//s", "review_opens": "o",
            "review_closes": "c", "cutover_starts": "s", "cutover_ends": "e",
            "poll": poll("https://sn.example/api/now/table/change_request", "sn"),
        },
        {
            "format": "roster.csv", "name": "roster", "source": "//s", "services": ["payments"], "roles": ["release_manager"],
            "poll": poll("https://roster.example/r.csv", "own"),
        },
        {
            "format": "graph.get_schedule", "name": "graph", "source": "//s", "people": people,
            "poll": poll("https://graph.example/v1.0/users/a/calendar/getSchedule", "graph"),
        },
        {
            "format": "google.free_busy", "name": "google", "source": "//s", "people": people, "calendar": "google",
            "poll": poll("https://google.example/calendar/v3/freeBusy", "google"),
        },
        {
            "format": "ical.vevent", "name": "feed", "source": "//s", "person": "a@example.com", "calendar": "feed",
            "poll": poll("https://cal.example/private-{credential}/basic.ics", "feed"),
        },
    ])
}

fn credentials() -> Value {
    json!({
        "pd": "hunter2-pagerduty",
        "sn": { "kind": "basic", "user": "reader", "password": "hunter2-servicenow" },
        "own": { "kind": "header", "name": "X-Api-Key", "value": "hunter2-roster" },
        "graph": {
            "kind": "client_credentials", "token_url": "https://login.example/token", "client_id": "holdpoint",
            "client_secret": "hunter2-graph", "scope": "https://graph.example/.default",
        },
        "google": {
            "kind": "service_account", "client_email": "reader@project.example", "private_key": key(),
            "token_uri": "https://oauth.example/token", "scope": "calendar.freebusy", "type": "service_account",
        },
        "feed": "hunter2-feed",
    })
}

/// Made for this trial alone, and never used for anything: PKCS #8 of 2,048 bits.
fn key() -> String {
    include_str!("nobodys-key.pem").to_owned()
}

/// Each system, with what it takes for proof. `None`: none of the credential.
fn proven(question: &Question) -> Option<Reply> {
    let host = question.url.split('/').nth(2).unwrap_or_default();
    let authorization = question.header("authorization");
    let ics = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x\r\nEND:VCALENDAR\r\n";
    match host {
        "pd.example" => (authorization == "Token token=hunter2-pagerduty")
            .then(|| Reply::ok(json!({ "oncalls": [], "more": false }).to_string())),
        "sn.example" => (authorization == "Basic cmVhZGVyOmh1bnRlcjItc2VydmljZW5vdw==")
            .then(|| Reply::ok(json!({ "result": [] }).to_string())),
        "roster.example" => {
            (question.header("x-api-key") == "hunter2-roster" && authorization.is_empty()).then(|| Reply::ok(ROSTER))
        }
        "graph.example" => (authorization == "Bearer hunter2-graph-token" && question.method == "POST")
            .then(|| Reply::ok(json!({ "value": [] }).to_string())),
        "google.example" => (authorization == "Bearer hunter2-google-token").then(|| {
            let body: Value = serde_json::from_str(&question.body).expect("JSON");
            let answer = json!({ "timeMin": body["timeMin"], "timeMax": body["timeMax"], "calendars": {} });
            Reply::ok(answer.to_string())
        }),
        "cal.example" => (question.path() == "https://cal.example/private-hunter2%2Dfeed/basic.ics"
            && authorization.is_empty())
        .then(|| Reply::ok(ics)),
        "login.example" => question
            .body
            .contains("client_secret=hunter2-graph")
            .then(|| Reply::ok(json!({ "access_token": "hunter2-graph-token", "expires_in": 3_599 }).to_string())),
        "oauth.example" => {
            let parts = question.body.split("assertion=").nth(1).map_or(0, |jwt| jwt.split('.').count());
            (parts == 3 && authorization.is_empty())
                .then(|| Reply::ok(json!({ "access_token": "hunter2-google-token", "expires_in": 3_599 }).to_string()))
        }
        other => panic!("{other} is asked, which nobody named"),
    }
}

/// Everything that is left where somebody reads: the log, the store, the queues, the operator's answers.
async fn left(trial: &Trial) -> String {
    let engine = trial.time.engine();
    let mut all = log_of_all();
    for item in engine.embedded().scan(holdpoint::embedded::TABLE).await.expect("a scan") {
        all.push_str(&item.to_string());
    }
    // A packed body is bytes, so what the store reads of it is looked at as well.
    all.push_str(&format!("{:?}", engine.store().polls().await.expect("polls")));
    for name in engine.queues().names() {
        all.push_str(&format!("{:?}", engine.queues().look(&name).expect("a queue")));
    }
    let request = holdpoint::operator::Request::Reviews(holdpoint::operator::ReviewsAsked::default());
    all.push_str(&holdpoint::operator::perform(engine, request).await.expect("an answer").to_string());
    all.push_str(&format!("{:?}", engine.functions().poll));
    all
}

#[tokio::test]
async fn each_credential_reaches_its_system_and_no_other_place() {
    let bad = Arc::new(AtomicUsize::new(0));
    let turn = bad.clone();
    let system = Imitation::of(move |question, _| {
        let proven = proven(question);
        match turn.load(Ordering::SeqCst) {
            0 => proven.unwrap_or_else(|| Reply::status(401)),
            // In every way that a system can be unkind, with the credential in what it says.
            1 => Reply::Answer(401, Vec::new(), format!("hunter2 {}", question.header("authorization"))),
            2 => Reply::status(302)
                .with("location", format!("https://evil.example/{}", question.header("authorization"))),
            3 => Reply::Answer(500, vec![("retry-after", "hunter2".to_owned())], "hunter2".to_owned()),
            4 => Reply::Answer(200, vec![("date", "hunter2".to_owned())], "{\"cut off\":".to_owned()),
            _ => Reply::Breaks,
        }
    });
    let trial = Trial::of(&bindings(), None, &credentials(), system).await;
    let answered = said(&trial.turn(0).await);
    assert_eq!(answered.len(), 6);
    assert!(answered.iter().all(|one| one.contains(" answered ")), "{answered:?}");
    trial.handed_on().await;
    for unkind in 1..=5 {
        bad.store(unkind, Ordering::SeqCst);
        let failed = said(&trial.turn(20 * i64::try_from(unkind).expect("a few")).await);
        assert_eq!(failed.len(), 6, "{unkind}: {failed:?}");
        trial.handed_on().await;
    }
    let hosts = trial.system.asked();
    assert!(!hosts.iter().any(|question| question.url.contains("evil")), "a credential follows nowhere");
    let left = left(&trial).await;
    assert!(left.contains("a system was asked") && left.contains("a system did not answer whole"), "the log was on");
    assert!(!left.contains(MARK), "{}", around(&left));
    assert!(!left.contains("PRIVATE KEY") && !left.contains("Bearer"), "{left}");
}

fn around(text: &str) -> &str {
    let at = text.find(MARK).unwrap_or(0);
    text.get(at.saturating_sub(300)..(at + 100).min(text.len())).unwrap_or(text)
}

/// Fetched once, kept until its end, and fetched once more where a system refuses it before.
#[tokio::test]
async fn a_token_is_fetched_when_there_is_none_that_is_good() {
    let refused = Arc::new(AtomicUsize::new(0));
    let refuse = refused.clone();
    let system = Imitation::of(move |question, _| {
        let token = question.url.starts_with("https://login.example");
        if !token && refuse.load(Ordering::SeqCst) > 0 {
            refuse.fetch_sub(1, Ordering::SeqCst);
            return Reply::status(401);
        }
        proven(question).unwrap_or_else(|| Reply::status(401))
    });
    let graph = json!([bindings()[3]]);
    let trial = Trial::of(&graph, None, &credentials(), system).await;
    let tokens = |trial: &Trial| {
        let asked = trial.system.asked();
        trial.system.since();
        (asked.iter().filter(|question| question.url.starts_with("https://login.example")).count(), asked.len())
    };
    trial.turn(0).await;
    assert_eq!(tokens(&trial), (1, 2));
    trial.turn(5).await;
    assert_eq!(tokens(&trial), (0, 1), "kept");
    trial.turn(60).await;
    assert_eq!(tokens(&trial), (1, 2), "its hour is over");
    refused.store(1, Ordering::SeqCst);
    assert_eq!(said(&trial.turn(65).await), ["graph answered 0"]);
    assert_eq!(tokens(&trial), (1, 3), "taken back before its end");
    refused.store(9, Ordering::SeqCst);
    assert_eq!(said(&trial.turn(70).await), ["graph denied 0"]);
    assert_eq!(tokens(&trial), (1, 3), "and not a third time");
}

/// Whoever cannot give a token: the word says whose fault it is.
#[tokio::test]
async fn a_token_that_cannot_be_had_is_no_answer() {
    for (reply, word) in [
        (Reply::status(400), "no_token"),
        (Reply::status(401), "no_token"),
        (Reply::ok("{}"), "no_token"),
        (Reply::ok("<html>"), "no_token"),
        (Reply::status(302).with("location", "https://evil.example/token"), "elsewhere"),
        (Reply::status(429).with("retry-after", "60"), "throttled"),
        (Reply::status(503), "unavailable"),
        (Reply::Breaks, "unreachable"),
    ] {
        let system = Imitation::of(move |question, _| match question.url.starts_with("https://login.example") {
            true => reply.clone(),
            false => panic!("asked without a token"),
        });
        let trial = Trial::of(&json!([bindings()[3]]), None, &credentials(), system).await;
        assert_eq!(said(&trial.turn(0).await), [format!("graph {word} 0")]);
        assert_eq!(trial.system.since(), 1, "{word}: a credential follows nowhere");
    }
}

/// A poll whose credential nobody gave is a fault at start.
#[tokio::test]
async fn a_credential_that_is_missing_is_named_at_start() {
    let settings = holdpoint::engine::Settings {
        source_credentials: String::new(),
        ..holdpoint::engine::Settings::in_memory(crate::policy(&bindings(), None))
    };
    let at = refresh_core::Instant::parse(crate::BEGIN).expect("an instant");
    let Err(why) = holdpoint::engine::virtual_time::VirtualTime::open(settings, at).await else {
        panic!("it started without credentials")
    };
    assert!(why.contains("SOURCE_CREDENTIALS: expected a credential pd, for the poll of pagerduty"), "{why}");
    assert!(why.contains("graph") && why.contains("feed"), "every one of them: {why}");
}

/// A reload takes the credentials that the file has by then: the next question goes with the new one.
#[tokio::test]
async fn a_renewed_credential_goes_with_the_next_question() {
    let bindings = json!([{
        "format": "roster.csv", "name": "roster", "source": "//s", "services": ["payments"], "roles": ["release_manager"],
        "poll": { "url": "https://roster.example/r.csv", "credential": "own", "every_minutes": 5 },
    }]);
    let of = |value: &str| json!({ "own": { "kind": "header", "name": "X-Api-Key", "value": value } });
    let system = Imitation::of(|question, _| match question.header("x-api-key") {
        "second" => Reply::ok(ROSTER),
        _ => Reply::status(401),
    });
    let trial = Trial::of(&bindings, None, &of("first"), system).await;
    assert_eq!(said(&trial.turn(0).await), ["roster denied 0"]);
    let engine = trial.time.engine();
    let settings = engine.settings().clone();
    engine
        .renew(holdpoint::engine::Settings { source_credentials: of("second").to_string(), ..settings })
        .expect("renewed");
    assert_eq!(said(&trial.turn(30).await), ["roster answered 1"]);
}
