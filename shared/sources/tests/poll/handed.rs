//! What goes on the queue of whole answers.

use refresh_core::record::poll::KnownAnswer;
use serde_json::{Value, json};
use sources::poll::{PollFailure, hand, page::WholeAnswer, plan};

use crate::{DATE, now, policy_of, response};

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

/// Two workers may ask within one second. What changed in between is not lost: the next question hands it on.
#[test]
fn another_answer_of_the_same_second_is_left_to_the_next_question() {
    let roster = |holder: &str, date: &str| {
        let text = format!("service,role,person,rank,status\r\npayments,release_manager,{holder},,holder\r\n");
        WholeAnswer { date: date.to_owned(), ..whole(Value::from(text)) }
    };
    let ask = |answer: WholeAnswer, before: Option<&KnownAnswer>| {
        handed("roster.csv", "https://x.example/r", &[answer], before, false).expect("handed on")
    };
    let first = ask(roster("a@example.com", DATE), None);
    assert_eq!(first.messages.len(), 1);
    let at_once = ask(roster("b@example.com", DATE), Some(&first.known));
    assert_eq!(at_once, hand::HandedOn { messages: Vec::new(), known: first.known.clone() });
    let next = ask(roster("b@example.com", "Tue, 03 Nov 2026 09:30:06 GMT"), Some(&at_once.known));
    assert_eq!(next.messages.len(), 1, "{next:?}");
    // A clock that was set back, or stands still: ingest says that the answer is old, where an operator reads it.
    let back = ask(roster("c@example.com", DATE), Some(&next.known));
    assert_eq!(back.messages.len(), 1, "{back:?}");
    let earlier = KnownAnswer { handed_on_at: Some(now().plus_minutes(-5)), ..first.known };
    assert_eq!(ask(roster("b@example.com", DATE), Some(&earlier)).messages.len(), 1);
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
