//! Every action is read, and each fault names its place.

use super::{super::mailed::CalendarButton, *};

fn faults(text: &str) -> Vec<String> {
    Scenario::parse(text).unwrap_err().0
}

#[test]
fn empty_lines_and_comments_are_skipped_and_counted() {
    let scenario = Scenario::parse("\n# a comment\n{\"at\":\"2026-11-03T09:00:00Z\"}\n").unwrap();
    assert_eq!(scenario.lines.len(), 1);
    assert_eq!((scenario.lines[0].number, &scenario.lines[0].action), (3, &None));
}

#[test]
fn every_action_is_read() {
    let line = |action: &str| {
        let scenario = Scenario::parse(&format!("{{\"at\":\"2026-11-03T09:00:00Z\",{action}}}")).unwrap();
        scenario.lines[0].action.clone().unwrap()
    };
    let visit = |of_version| Visit {
        review: ReviewId::parse("RR-1").unwrap(),
        person: Person::parse("a@example.com").unwrap(),
        of_version,
    };
    let who = "\"review_id\":\"RR-1\",\"as\":\"a@example.com\"";
    assert_eq!(line(&format!("\"adopt\":{{{who},\"of_version\":8}}")), Action::Adopt(visit(Some(8))));
    assert_eq!(line(&format!("\"decline\":{{{who},\"then\":\"stand\"}}")), Action::Decline(visit(None), Then::Stand));
    assert_eq!(
        line(&format!("\"acknowledge\":{{{who},\"answer\":\"conflict\"}}")),
        Action::Acknowledge(visit(None), Answer::Conflict)
    );
    assert_eq!(line(&format!("\"ask_again\":{{{who},\"of_version\":8}}")), Action::AskAgain(visit(Some(8))));
    assert_eq!(line(&format!("\"send_link\":{{{who}}}")), Action::SendLink(visit(None)));
    assert_eq!(line(&format!("\"open\":{{{who},\"link\":\"adopt\"}}")), Action::Open(visit(None), Link::Adopt));
    let Action::Reply(reply) = line("\"reply\":{\"as\":\"a@example.com\",\"partstat\":\"DECLINED\"}") else {
        panic!("expected a reply")
    };
    assert_eq!((reply.button, reply.dmarc.as_str()), (CalendarButton::Answer("DECLINED".to_owned()), "pass"));
    assert!(matches!(line("\"send\":{\"id\":7}"), Action::Send(_)), "a bad event is a result, not an error");
    assert_eq!(
        line("\"hook\":{\"binding\":\"ci\",\"headers\":{\"X-Event\":\"a\"},\"body\":\"{}\"}"),
        Action::Hook(RecordedHook {
            binding: "ci".to_owned(),
            headers: BTreeMap::from([("x-event".to_owned(), "a".to_owned())]),
            body: "{}".to_owned(),
        })
    );
    assert_eq!(
        line("\"poll\":{\"binding\":\"ci\",\"response\":{\"headers\":{\"ETag\":\"a\"},\"body\":{}}}"),
        Action::Poll(RecordedPoll {
            binding: "ci".to_owned(),
            responses: vec![RecordedResponse {
                status: 200,
                headers: BTreeMap::from([("etag".to_owned(), "a".to_owned())]),
                body: "{}".to_owned(),
            }],
        })
    );
    let native =
        |more: &str| match line(&format!("\"send_native\":{{\"format\":\"google.free_busy\",\"body\":{{}}{more}}}")) {
            Action::SendNative(native) => native,
            other => panic!("{other:?}"),
        };
    assert_eq!(native("").binding, None);
    assert_eq!(native(",\"binding\":null,\"headers\":null").binding, None);
    assert_eq!(native(",\"binding\":\"team\"").binding.as_deref(), Some("team"));
}

#[test]
fn each_fault_names_its_line_and_member() {
    let text = "\
{\"at\":\"09:00\"}
{\"at\":\"2026-11-03T09:00:00Z\",\"adopt\":{\"review_id\":\"RR-1\"}}
{\"at\":\"2026-11-03T09:00:00Z\",\"decline\":{\"review_id\":\"RR-1\",\"as\":\"a@example.com\",\"then\":\"later\"}}
{\"at\":\"2026-11-03T09:00:00Z\",\"open\":{\"review_id\":\"RR-1\",\"as\":\"a@example.com\",\"link\":\"adopt\",\"who\":1}}
{\"at\":\"2026-11-03T09:00:00Z\",\"send\":{},\"adopt\":{\"review_id\":\"RR-1\",\"as\":\"a@example.com\"}}
{\"at\":\"2026-11-03T09:00:00Z\",\"sned\":{}}
not json
{\"send\":[]}
{\"at\":\"2026-11-03T09:00:00Z\",\"poll\":{\"binding\":\"ci\",\"responses\":[{\"status\":\"good\"},7]}}";
    let faults = faults(text);
    let expected = [
        "line 1: at: expected an RFC 3339 instant",
        "line 2: adopt.as: expected a string, found none",
        "line 3: decline.then: expected `other_slot` or `stand`, found \"later\"",
        "line 4: open.who: expected only",
        "line 5: adopt: expected no second action beside `send`, found \"adopt\"",
        "line 6: sned: expected `at` and at most one of",
        "line 7: expected JSON",
        "line 8: at: expected a string, found none",
        "line 8: send: expected an object, found a list",
        "line 9: poll.responses[0].status: expected a status from 200 to 599, found \"good\"",
        "line 9: poll.responses[1]: expected an object, found 7",
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.starts_with(expected), "{fault}");
    }
}

#[test]
fn time_never_goes_back() {
    let text = "{\"at\":\"2026-11-03T09:00:00Z\"}\n{\"at\":\"2026-11-03T08:59:59Z\"}";
    assert_eq!(faults(text).len(), 1);
    assert!(faults(text)[0].starts_with("line 2: at: expected an instant not before 2026-11-03T09:00:00Z of line 1"));
}
