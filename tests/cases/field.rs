//! What others have reported in public of products of this kind, and what the rules make of it.

use crate::case;

/// A calendar service answers in runs of touching entries: our meeting and a one-to-one behind it are one block.
#[test]
fn a_run_that_contains_our_meeting_replaces_nobody() {
    let case = case("a_run_of_touching_entries");
    // Half of the run is unknown. Nobody was ever busy, and nobody could decide anything: the mark waits for the next mail.
    assert_eq!(case.mailed_at(), [] as [&str; 0]);
    assert!(case.stands()[0].starts_with("RR-1042: 7 15:00-16:00"), "{:?}", case.stands());
    assert!(!case.stands()[0].contains("busy:"), "{:?}", case.stands());
}

/// Two reviews of one release share two people, and their common evidence slips. A third is issued into their new hours.
#[test]
fn reviews_that_share_people_never_meet_in_one_hour() {
    let case = case("two_reviews_that_share_people");
    assert_eq!(
        case.decided("09:00"),
        [
            "held: 7 15:00-16:00 [evidence], proposed 8 15:30-16:30",
            "held: 1 14:00-15:00 [evidence], proposed 2 16:30-17:30",
        ]
    );
    let answers = ["09:05 rm-a open: shown", "09:10 rm-a adopt: adopted", "09:11 rm-a adopt: adopted"];
    assert_eq!(case.answers()[..3], answers);
    // The youngest claim moves, and nobody of the other reviews hears of it.
    assert_eq!(
        case.decided("09:30").last().map(String::as_str),
        Some("held: 1 16:00-17:00 [booked:rm-a booked:sre-a], proposed 2 17:30-18:30")
    );
    assert_eq!(case.told("09:32"), ["adoption_request: rm-a", "tentative_change: sre-a"]);
    let stands = [
        "RR-1042: 8 15:30-16:30; waits for dbm-a rm-a sec-a so-a",
        "RR-2000: 2 16:30-17:30; waits for rm-a",
        "RR-3000: 2 17:30-18:30; waits for rm-a sre-a",
    ];
    assert_eq!(case.stands(), stands);
    assert_eq!(case.mails(), 27);
}

/// Ninety seconds before the start the reviewer is called away, and a free delegate exists.
#[test]
fn the_owner_is_asked_in_the_last_two_minutes() {
    let case = case("asked_in_the_last_minutes");
    assert_eq!(case.told("14:58:30"), ["adoption_request: rm-a", "tentative_change: sec-a sec-b"]);
    assert_eq!(case.answers(), ["14:59 rm-a adopt: adopted"]);
}

/// Half an hour before the start evidence slips; what is proposed must leave its owner time to decide.
#[test]
fn a_proposal_does_not_walk_ahead_of_its_own_expiry() {
    let case = case("time_to_decide");
    let asks = |time: &String| case.told(time).iter().any(|line| line.starts_with("adoption_request"));
    let requests: Vec<String> = case.mailed_at().into_iter().filter(asks).collect();
    assert_eq!(requests, ["14:34:30"], "one question");
    assert_eq!(case.decided("14:34:30"), ["held: 7 15:00-16:00 [evidence], proposed 8 15:20-16:20"]);
}

/// The approved delegate is invited already, as an optional guest.
#[test]
fn an_optional_guest_becomes_the_required_reviewer() {
    let case = case("a_guest_becomes_the_reviewer");
    assert_eq!(case.told("09:02"), ["adoption_request: rm-a", "tentative_change: sec-a sec-b"]);
    assert_eq!(case.calendar("09:02", "sec-b"), [] as [&str; 0], "that hour is in their calendar already");
    assert_eq!(case.calendar("09:10", "sec-b"), ["REQUEST meeting 1 CONFIRMED"]);
}

/// A review issued without a UID is known to calendars by one that is made here.
#[test]
fn a_uid_that_is_given_here_belongs_to_its_review_too() {
    let case = case("a_uid_that_is_given_here");
    for (event, became) in [("first", "applied"), ("meeting", "uid_in_use"), ("hold", "uid_in_use")] {
        assert_eq!(case.taken(event), [became], "{event}");
    }
    for (event, became) in [("early", "applied"), ("late", "uid_in_use"), ("again", "applied")] {
        assert_eq!(case.taken(event), [became], "{event}");
    }
}

/// One board meeting covers two changes: both reviews name its UID.
#[test]
fn a_meeting_belongs_to_one_review() {
    let case = case("one_meeting_for_two_reviews");
    assert_eq!(case.taken("e23"), ["uid_in_use"]);
    assert!(case.stands()[0].starts_with("RR-1042: 8 15:30-16:30"), "{:?}", case.stands());
    let cancels = case.all("notice").flat_map(|notice| notice["calendar"].as_array().into_iter().flatten());
    let shared = cancels.filter(|part| part["method"] == "CANCEL" && part["uid"] == "CAB-42@corp.example.com");
    assert_eq!(shared.count(), 0, "the meeting stays in every calendar");
}

/// Mailboxes move one by one from one calendar system to the next.
#[test]
fn another_registered_source_is_named_as_such() {
    let case = case("mailboxes_move_one_by_one");
    assert_eq!(case.taken("old-9"), ["held_by_another_source"]);
    assert_eq!(case.told("09:12"), ["adoption_request: rm-a", "tentative_change: sec-a sec-b"]);
}

/// `ready` at an instant that has not come: a local time marked as UTC.
#[test]
fn evidence_is_not_ready_in_the_future() {
    let case = case("ready_at_an_instant_that_has_not_come");
    assert_eq!(case.taken("ci-1"), ["in_the_future"]);
    assert_eq!(case.mailed_at(), ["09:12"], "of the evidence that is ready, and of nothing else");
    assert_eq!(case.stands(), ["RR-1042: 8 15:00-16:00"]);
}

/// In the night an operator decides in the owner's place, and a second one comes too late: both are answers.
#[test]
fn what_an_operator_decides_is_an_answer() {
    let case = case("an_operator_decides_at_night");
    let answers = case.answers();
    assert_eq!(answers, ["12:40 duty-officer adopt: adopted", "12:50 second-officer decline: already_decided"]);
}
