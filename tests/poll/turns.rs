//! When a system is asked, and when not.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use holdpoint::{
    connector::{Fault, InProcess, Service},
    queues::Outgoing,
};
use lambda_shell::deadline::Deadline;
use poll::Web;
use refresh_core::{Instant, base::instant::MINUTE};
use serde_json::json;

use crate::{
    BEGIN, QUEUE, ROSTER, Trial,
    imitation::{Imitation, Reply},
    roster, said,
};

async fn asked_for(system: Imitation) -> Trial {
    Trial::of(&roster(5), None, &json!({}), system).await
}

#[tokio::test]
async fn a_system_is_asked_at_its_interval_and_handed_on_where_something_is_new() {
    let system = Imitation::of(|_, before| {
        Reply::ok(if before < 2 { ROSTER.to_owned() } else { ROSTER.replace("rm-a", "rm-b") })
    });
    let trial = asked_for(system).await;
    assert_eq!(said(&trial.turn(0).await), ["roster answered 1"]);
    let message = &trial.handed_on().await[0];
    assert_eq!((&message["format"], &message["binding"]), (&json!("roster.csv"), &json!("roster")));
    assert_eq!(message["body"], ROSTER);
    assert_eq!(
        message["headers"],
        json!({ "date": "Tue, 03 Nov 2026 09:00:00 GMT" }),
        "ours, where the system names none"
    );
    assert_eq!(said(&trial.turn(4).await), [""; 0], "not before its interval");
    assert_eq!(said(&trial.turn(5).await), ["roster answered 0"], "nothing new");
    assert_eq!(said(&trial.turn(10).await), ["roster answered 1"], "something is");
    assert_eq!(trial.system.since(), 3);
}

#[tokio::test]
async fn who_wants_fewer_questions_gets_none_before_whatever_is_due() {
    let system = Imitation::of(|_, before| match before {
        0 => Reply::status(429).with("retry-after", "600"),
        _ => Reply::ok(ROSTER),
    });
    let trial = asked_for(system).await;
    assert_eq!(said(&trial.turn(0).await), ["roster throttled 0"]);
    trial.time.engine().store().hint_poll("roster", trial.time.now().plus_minutes(2)).await.expect("a hint");
    for minute in [1, 5, 9] {
        assert_eq!(said(&trial.turn(minute).await), [""; 0], "minute {minute}");
    }
    assert_eq!(trial.failing().await, ["roster throttled 1"]);
    assert_eq!(said(&trial.turn(10).await), ["roster answered 1"]);
    assert_eq!(trial.failing().await, [""; 0]);
}

/// A failure is no answer: nothing goes on, it is asked again sooner than its interval, and people see it.
#[tokio::test]
async fn a_failing_system_is_asked_again_and_named() {
    for (reply, word) in [
        (Reply::status(500), "unavailable"),
        (Reply::status(401), "denied"),
        (Reply::status(403), "denied"),
        (Reply::status(404), "refused"),
        (Reply::Breaks, "unreachable"),
        (Reply::status(302).with("location", "https://evil.example/r.csv"), "elsewhere"),
        (Reply::status(302).with("location", "/r.csv"), "redirected_too_often"),
        (Reply::ok("x".repeat(17 << 20)), "too_large"),
    ] {
        let trial = asked_for(Imitation::of(move |_, _| reply.clone())).await;
        assert_eq!(said(&trial.turn(0).await), [format!("roster {word} 0")]);
        let asked = trial.system.asked();
        assert!(asked.iter().all(|question| question.url.starts_with("https://roster.example/")), "{word}: {asked:?}");
        assert_eq!(said(&trial.turn(1).await).len(), 1, "{word}: a minute later");
        assert_eq!(said(&trial.turn(2).await).len(), 0, "{word}: then after two");
        assert_eq!(said(&trial.turn(3).await).len(), 1, "{word}");
        assert_eq!(trial.failing().await, [format!("roster {word} 3")]);
        assert!(trial.handed_on().await.is_empty(), "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_system_that_never_answers_is_given_up() {
    let trial = asked_for(Imitation::of(|_, _| Reply::Hangs)).await;
    let web = Web::through(trial.system.clone());
    let env = trial.time.engine().functions().poll.by_way_of(web);
    let policy = env.policy.clone();
    let bound = policy.bindings.named("roster").expect("it");
    let asked = poll::ask(&env, bound, None, Deadline::far()).await.expect("asked").expect("by us");
    assert_eq!(asked.failure.map(|failure| failure.word()), Some("timed_out"));
}

#[tokio::test]
async fn two_workers_at_once_ask_once() {
    let trial = asked_for(Imitation::of(|_, _| Reply::ok(ROSTER))).await;
    let engine = trial.time.engine();
    let services = InProcess::new(
        engine.embedded().clone(),
        engine.queues().clone(),
        engine.mailbox().clone(),
        engine.faults().clone(),
    );
    let other = engine.worker(&services.sdk_config(), engine.clock(), Some(1)).expect("a worker");
    let functions = engine.functions();
    let (one, two) = tokio::join!(functions.poll(json!({}), Deadline::far()), other.poll(json!({}), Deadline::far()));
    let asked = one.expect("a turn").asked.len() + two.expect("a turn").asked.len();
    assert_eq!((asked, trial.system.since()), (1, 1));
}

/// Wherever a worker dies, the next one asks once its claim has ended; what was handed on twice is one event.
#[tokio::test]
async fn who_dies_is_replaced_and_what_comes_twice_is_harmless() {
    for (service, nth, before) in [(Service::DynamoDb, 1, 0), (Service::Sqs, 0, 0), (Service::DynamoDb, 2, 1)] {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let trial =
                asked_for(Imitation::of(|_, _| Reply::ok(ROSTER).with("date", "Tue, 03 Nov 2026 09:00:00 GMT"))).await;
            let engine = trial.time.engine();
            let seen = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            engine.faults().inject(move |call| {
                let ours = &*call.caller == "poll" && call.service == service;
                (ours && seen.fetch_add(1, Ordering::SeqCst) == nth).then_some(fault)
            });
            let functions = engine.functions();
            tokio::select! {
                biased;
                turn = functions.poll(json!({}), Deadline::far()) => panic!("it did not die: {turn:?}"),
                () = engine.faults().crashed() => {}
            }
            engine.faults().clear();
            assert_eq!(
                said(&trial.turn(2).await).len(),
                usize::from(service == Service::DynamoDb && nth == 1 && fault == Fault::CrashBefore)
            );
            trial.turn(3).await;
            let handed_on = trial.handed_on().await.len();
            assert!((1..=2).contains(&handed_on) && handed_on >= before, "{service:?} {nth} {fault:?}: {handed_on}");
            assert_eq!(facts(&trial).await, 1, "{service:?} {nth} {fault:?}");
        }
    }
}

/// What is kept is damaged: the system is asked as if for the first time, and is not lost.
#[tokio::test]
async fn a_damaged_record_costs_one_question() {
    let trial = asked_for(Imitation::of(|_, _| Reply::ok(ROSTER))).await;
    trial.turn(0).await;
    let engine = trial.time.engine();
    for mut item in engine.embedded().scan(holdpoint::embedded::TABLE).await.expect("a scan") {
        if item["pk"]["S"] == "POLL" {
            item["beside"] = json!({ "S": "damage" });
            let put = json!({ "TableName": holdpoint::embedded::TABLE, "Item": item });
            engine.embedded().ask("PutItem", put).await.expect("put");
        }
    }
    assert_eq!(said(&trial.turn(1).await), ["roster answered 1"], "as if never asked");
    assert_eq!(said(&trial.turn(6).await), ["roster answered 0"], "and known from then on");
}

/// How many facts there are.
async fn facts(trial: &Trial) -> usize {
    let items = trial.time.engine().embedded().scan(holdpoint::embedded::TABLE).await.expect("a scan");
    items.iter().filter(|item| item["sk"]["S"] == "FACT").count()
}

#[tokio::test]
async fn a_clock_that_is_set_back_holds_nobody_up() {
    let trial = asked_for(Imitation::of(|_, _| Reply::ok(ROSTER))).await;
    assert_eq!(said(&trial.turn(600).await).len(), 1);
    let begin = Instant::parse(BEGIN).expect("an instant");
    trial.time.hand().store(begin.plus_millis(60 * MINUTE).millis(), Ordering::SeqCst);
    let polled = trial.time.engine().functions().poll(json!({}), Deadline::far()).await.expect("a turn");
    assert_eq!(said(&polled), ["roster answered 1"], "what was handed on in the future counts for nothing");
}

/// A payload that says "ask again" makes the poller ask at its next turn, and is nothing else.
#[tokio::test]
async fn a_hint_is_answered_by_a_question() {
    let oncalls = json!([
        {
            "format": "pagerduty.oncalls", "name": "oncalls", "source": "//s", "people": { "U1": "a@example.com" },
            "poll": { "url": "https://pd.example/oncalls?since={from}&until={to}", "every_minutes": 60 },
        },
        { "format": "pagerduty.webhook", "name": "pd-hook", "source": "//s" },
    ]);
    let answer = json!({ "oncalls": [], "more": false, "offset": 0, "limit": 25, "total": null }).to_string();
    let trial = Trial::of(&oncalls, None, &json!({}), Imitation::of(move |_, _| Reply::ok(answer.clone()))).await;
    assert_eq!(said(&trial.turn(0).await), ["oncalls answered 1"]);
    trial.handed_on().await;
    assert_eq!(said(&trial.turn(20).await), [""; 0]);
    let body = json!({ "format": "pagerduty.webhook", "body": { "event": { "event_type": "incident.triggered" } } });
    let outgoing = Outgoing { body: body.to_string(), ..Outgoing::default() };
    trial.time.engine().queues().send(QUEUE, outgoing).await.expect("sent");
    trial.time.drain().await.expect("taken");
    assert_eq!(said(&trial.turn(21).await), ["oncalls answered 0"], "asked, and nothing is new");
    assert_eq!(said(&trial.turn(22).await), [""; 0], "a hint is answered once");
}

/// One person's calendar that is refused holds up no other; a refused credential ends the asking at once.
#[tokio::test]
async fn one_question_that_is_refused_holds_up_no_other() {
    let binding = json!([{
        "format": "graph.calendar_view", "name": "view", "source": "//s",
        "people": { "a@example.com": "a@example.com", "b@example.com": "b@example.com", "c@example.com": "c@example.com" },
        "poll": {
            "url": "https://graph.example/v1.0/users/{person}/calendarView?startDateTime={from}&endDateTime={to}",
            "every_minutes": 5,
        },
    }]);
    let denied = Arc::new(AtomicBool::new(false));
    let deny = denied.clone();
    let system = Imitation::of(move |question, _| match question.path() {
        _ if deny.load(Ordering::SeqCst) => Reply::status(401),
        path if path.contains("a%40example") => Reply::status(404),
        _ => Reply::ok(json!({ "value": [] }).to_string()),
    });
    let trial = Trial::of(&binding, None, &json!({}), system).await;
    assert_eq!(said(&trial.turn(0).await), ["view refused 2"]);
    let people: Vec<String> =
        trial.handed_on().await.iter().map(|message| message["body"]["request"]["user"].to_string()).collect();
    assert_eq!(people, ["\"b@example.com\"", "\"c@example.com\""]);
    assert_eq!(trial.system.since(), 3);
    denied.store(true, Ordering::SeqCst);
    assert_eq!(said(&trial.turn(5).await), ["view denied 0"]);
    assert_eq!(trial.system.since(), 1, "nobody else is asked for with a refused credential");
}

/// A second page that fails: nothing of the first goes on.
#[tokio::test]
async fn half_a_snapshot_is_not_handed_on() {
    let binding = json!([{
        "format": "pagerduty.oncalls", "name": "oncalls", "source": "//s", "people": { "U1": "a@example.com" },
        "poll": { "url": "https://pd.example/oncalls?since={from}&until={to}", "every_minutes": 5 },
    }]);
    let entry = json!({ "user": { "id": "U1" }, "escalation_level": 1, "start": null, "end": null });
    let failing = Arc::new(AtomicBool::new(true));
    let fails = failing.clone();
    let system = Imitation::of(move |question, _| match question.parameter("offset") {
        None => Reply::ok(json!({ "oncalls": [entry], "more": true, "offset": 0, "limit": 1 }).to_string()),
        Some(_) if fails.load(Ordering::SeqCst) => Reply::status(500),
        Some(_) => Reply::ok(json!({ "oncalls": [], "more": false, "offset": 1, "limit": 1 }).to_string()),
    });
    let trial = Trial::of(&binding, None, &json!({}), system).await;
    assert_eq!(said(&trial.turn(0).await), ["oncalls unavailable 0"]);
    assert!(trial.handed_on().await.is_empty());
    failing.store(false, Ordering::SeqCst);
    assert_eq!(said(&trial.turn(1).await), ["oncalls answered 1"]);
    assert_eq!(facts(&trial).await, 0);
    assert_eq!(trial.handed_on().await.len(), 1);
    assert_eq!(facts(&trial).await, 1, "every page together is one snapshot");
}
