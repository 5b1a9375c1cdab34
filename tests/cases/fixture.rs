//! One review at 15:00, evidence at 14:00, a window from 13:00 to 21:00 and a protected freeze from 20:00: the worked cases.

use crate::case;

const ALL_FIVE: &str = "dbm-a rm-a sec-a so-a sre-a";

#[test]
fn evidence_slips_and_is_adopted() {
    let case = case("evidence_slips_and_is_adopted");
    assert_eq!(case.decided("09:00"), ["held: 7 15:00-16:00 [evidence], proposed 8 15:30-16:30"]);
    assert_eq!(case.told("09:02"), ["adoption_request: rm-a", "tentative_change: dbm-a sec-a so-a sre-a"]);
    for person in ALL_FIVE.split(' ') {
        assert_eq!(case.calendar("09:02", person), ["REQUEST hold 0 TENTATIVE"]);
        assert_eq!(case.change("09:02", person, "slot"), ["15:00-16:00 > 15:30-16:30"]);
        assert_eq!(case.calendar("09:10", person), ["REQUEST meeting 1 CONFIRMED", "CANCEL hold 1 CANCELLED"]);
    }
    assert_eq!(
        case.told("09:10"),
        [format!("authoritative_update: {ALL_FIVE}"), format!("hold_ended: {ALL_FIVE}")],
        "one mail, one calendar object"
    );
    assert_eq!(case.answers(), ["09:10 rm-a adopt: adopted"]);
    assert_eq!(case.stands(), [format!("RR-1042: 8 15:30-16:30; waits for {ALL_FIVE}")]);
    assert_eq!(case.mails(), 15);
}

#[test]
fn evidence_moves_harmlessly() {
    let case = case("evidence_moves_harmlessly");
    let outcomes: Vec<String> = case.all("decision").map(crate::decision).collect();
    assert_eq!(outcomes[1..], ["refreshed: 8 15:00-16:00", "refreshed: 9 15:00-16:00"]);
    for time in case.mailed_at() {
        assert_eq!(case.told(&time), ["authoritative_update: rm-a"], "at {time}");
        assert_eq!(case.fields(&time, "rm-a"), ["checkpoint.integration-tests"], "at {time}");
        assert_eq!(case.calendar(&time, "rm-a"), [] as [&str; 0], "at {time}");
    }
    assert_eq!(case.mails(), 2);
}

#[test]
fn a_cluster_of_three() {
    let case = case("a_cluster_of_three");
    let [time] = &case.mailed_at()[..] else { panic!("one quiet period, one telling: {:?}", case.mailed_at()) };
    assert_eq!(case.told(time), ["adoption_request: rm-a", "tentative_change: dbm-a sec-a sec-b so-a sre-a"]);
    let stands = case.stands();
    assert!(stands[0].ends_with(" 15:30-16:30"), "{stands:?}");
    assert_eq!(case.change(time, "sec-a", "attendance"), ["none > would_be_released"]);
    assert_eq!(case.calendar(time, "sec-b"), ["REQUEST hold 0 TENTATIVE"]);
}

#[test]
fn superseded_while_the_page_is_open() {
    let case = case("superseded_while_the_page_is_open");
    assert_eq!(case.proposed("09:12", "security_reviewer").as_deref(), Some("sec-c"));
    let answers = case.answers();
    assert!(answers.contains(&"09:13 rm-a adopt: superseded".to_owned()), "{answers:?}");
    assert_eq!(case.told("09:14"), ["adoption_request: rm-a", "tentative_change: sec-c", "withdrawn: sec-b"]);
    assert!(case.stands()[0].starts_with("RR-1042: 7 15:00-16:00 [busy:sec-a"), "{:?}", case.stands());
}

#[test]
fn two_roles_one_delegate() {
    let case = case("two_roles_one_delegate");
    let stands = case.stands();
    assert!(stands[0].ends_with(" 16:00-17:00"), "{stands:?}");
    let who = |role| case.all("decision").last().map(|one| crate::name(&one["pending"]["attendees"][role]));
    assert_eq!(who("database_migration_owner").as_deref(), Some("x-1"));
    assert_eq!(who("site_reliability_lead").as_deref(), Some("sre-a"));
    assert_eq!(who("security_reviewer").as_deref(), Some("sec-b"));
}

#[test]
fn touching_the_freeze() {
    let case = case("touching_the_freeze");
    let held = case.all("decision").last().expect("a decision");
    assert_eq!(
        (crate::hours(&held["pending"]["slot"]), &held["pending"]["freeze_edge"]),
        ("19:00-20:00".to_owned(), &true.into())
    );
    assert!(case.told("09:02").contains(&"adoption_request: rm-a".to_owned()), "{:?}", case.told("09:02"));
}

#[test]
fn only_slot_crosses_the_freeze() {
    let case = case("only_slot_crosses_the_freeze");
    assert_eq!(case.decided("09:00"), ["escalated: 7 15:00-16:00 [evidence], open: no_viable_slot"]);
    assert_eq!(case.rules("09:00")[0], "freeze_crossing 19:30-20:30 30");
    let mails: Vec<String> = case.mailed_at().iter().flat_map(|time| case.told(time)).collect();
    assert_eq!(mails, ["escalation: gov rm-a"]);
    assert_eq!(case.stands(), ["RR-1042: 7 15:00-16:00 [evidence], open: no_viable_slot"]);
}

#[test]
fn declined_for_another_slot() {
    let case = case("declined_for_another_slot");
    let declined = case.answers().into_iter().find(|answer| answer.contains("decline")).expect("a decline");
    let time = declined.split(' ').next().unwrap_or_default().to_owned();
    let decisions = case.decided(&time);
    assert!(decisions[0].starts_with("declined"), "{decisions:?}");
    assert!(decisions[1].ends_with(", proposed 9 16:00-17:00"), "{decisions:?}");
    assert_eq!(case.proposed(&time, "security_reviewer").as_deref(), Some("sec-b"));
    for person in ["dbm-a", "so-a", "sre-a"] {
        assert_eq!(case.calendar(&time, person), ["REQUEST hold 1 TENTATIVE"], "{person} keeps a tentative seat");
    }
    assert_eq!(case.calendar(&time, "sec-b"), ["REQUEST hold 1 TENTATIVE"]);
    assert!(case.calendar(&time, "sec-a").iter().all(|part| part.starts_with("CANCEL hold")));
}
