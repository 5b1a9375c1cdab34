//! What an unchanged answer proves: that its source speaks.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use refresh_core::{
    ChangeId, Instant,
    facts::{fact::Fact, subject::Subject},
};
use serde_json::{Value, json};

use crate::{
    ROSTER, Trial,
    imitation::{Imitation, Reply},
    roster, said,
};

#[tokio::test]
async fn an_unchanged_answer_is_known_by_its_mark_and_renewed_at_half_its_promise() {
    let system = Imitation::of(|question, _| match question.header("if-none-match") {
        "\"v1\"" => Reply::status(304),
        _ => Reply::ok(ROSTER).with("etag", "\"v1\"").with("last-modified", "Tue, 03 Nov 2026 08:00:00 GMT"),
    });
    let trial = Trial::of(&roster(5), Some(60), &json!({}), system).await;
    assert_eq!(said(&trial.turn(0).await), ["roster answered 1"]);
    for minute in [5, 10, 15, 20, 25] {
        assert_eq!(said(&trial.turn(minute).await), ["roster answered 0"], "{minute}");
        let last = trial.system.asked().pop().expect("a question");
        assert_eq!(last.header("if-none-match"), "\"v1\"", "{minute}");
        assert_eq!(last.header("if-modified-since"), "Tue, 03 Nov 2026 08:00:00 GMT", "{minute}");
    }
    assert_eq!(said(&trial.turn(30).await), ["roster answered 1"], "its source promised to be heard within 60");
    let last = trial.system.asked().pop().expect("a question");
    assert_eq!(last.header("if-none-match"), "", "the whole answer is asked for");
    assert_eq!(said(&trial.turn(35).await), ["roster answered 0"]);
    // Another day is another question, which no mark of the day before answers.
}

const CHANGE: &str = "CHG0031337";

fn changes() -> Value {
    json!([{
        "format": "servicenow.change_request", "name": "changes", "source": "//s", "review_opens": "o", "review_closes": "c",
        "cutover_starts": "s", "cutover_ends": "e",
        "poll": { "url": "https://sn.example/api/now/table/change_request?sysparm_limit=100", "every_minutes": 5 },
    }])
}

async fn change(trial: &Trial) -> Fact {
    let subject = Subject::Change(ChangeId::parse(CHANGE).expect("a change"));
    trial.time.engine().store().fact(&subject).await.expect("readable").expect("a fact")
}

/// A record numbers itself: said again it is no new fact, but its source is heard. A source that fails is not.
#[tokio::test]
async fn a_record_that_does_not_change_keeps_its_sources_promise() {
    let answers = Arc::new(AtomicBool::new(true));
    let open = answers.clone();
    let record = json!({
        "number": CHANGE, "sys_mod_count": "17", "state": "-2", "approval": "approved", "on_hold": "false",
        "o": "2026-11-03 12:00:00", "c": "2026-11-03 19:00:00", "s": "2026-11-03 21:00:00", "e": "2026-11-03 23:00:00",
        "assigned_to": "owner@example.com",
    });
    let body = json!({ "result": [record] }).to_string();
    let system = Imitation::of(move |_, _| match open.load(Ordering::SeqCst) {
        true => Reply::ok(body.clone()).with("x-total-count", "1"),
        false => Reply::status(500),
    });
    let trial = Trial::of(&changes(), Some(60), &json!({}), system).await;
    let begin = trial.time.now();
    let mut handed_on = 0;
    for turn in 0..=24 {
        trial.turn(turn * 5).await;
        handed_on += trial.handed_on().await.len();
        let silent_for = trial.time.now().since(change(&trial).await.heard_at()) / 60_000;
        assert!(silent_for <= 30, "minute {}: heard {silent_for} minutes ago", turn * 5);
    }
    assert_eq!(handed_on, 5, "once at first, and once each half of the promise");
    let fact = change(&trial).await;
    assert_eq!((fact.revision, fact.accepted_at), (17, begin), "it is the fact of the beginning");
    answers.store(false, Ordering::SeqCst);
    let heard = fact.heard_at();
    for turn in 25..=40 {
        trial.turn(turn * 5).await;
    }
    assert_eq!(change(&trial).await.heard_at(), heard, "a failure says nothing");
    assert_eq!(trial.failing().await.len(), 1);
    assert!(heard < Instant::from_millis(trial.time.now().millis() - 60 * 60_000), "and by now its promise is broken");
}
