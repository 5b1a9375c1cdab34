//! The story of the README: three authoritative changes on one day.

use crate::case;

#[test]
fn three_changes_meet_one_review() {
    let case = case("story");
    assert_eq!(case.proposed("11:04", "security_reviewer").as_deref(), Some("security-delegate-2"));
    assert!(case.decided("11:04").last().expect("a decision").contains(", proposed 4 14:00-15:00"));
    assert_eq!(case.proposed("11:20", "database_migration_owner").as_deref(), Some("database-delegate"));
    assert!(case.decided("11:20").last().expect("a decision").contains(", proposed 5 14:00-15:00"));
    assert_eq!(case.proposed("11:32", "database_migration_owner").as_deref(), Some("database-owner"));
    assert!(case.decided("11:32").last().expect("a decision").contains(", proposed 6 15:00-16:00"));
    // The database delegate hears of a seat and of its end, and of nothing else.
    assert_eq!(case.change("11:22", "database-delegate", "role").len(), 1);
    assert!(case.told("11:34").contains(&"withdrawn: database-delegate".to_owned()), "{:?}", case.told("11:34"));
}

#[test]
fn seven_mails_say_that_it_is_adopted() {
    let case = case("story");
    assert!(case.answers().contains(&"11:52 release-owner adopt: adopted".to_owned()), "{:?}", case.answers());
    let told = case.told("11:52");
    let count = |kinds: &[&str]| {
        let lines = told.iter().filter(|line| kinds.iter().any(|kind| line.starts_with(&format!("{kind}: "))));
        lines.map(|line| line.split(' ').count() - 1).sum::<usize>()
    };
    assert_eq!(count(&["authoritative_update", "released"]), 7, "{told:?}");
    assert!(told.contains(&"released: security-reviewer".to_owned()), "{told:?}");
    assert_eq!(case.calendar("11:52", "security-reviewer").first().map(|part| &part[..14]), Some("CANCEL meeting"));
    assert!(count(&["hold_ended"]) > 0, "whoever had a hold is told in a line that it ended: {told:?}");
    assert!(case.stands()[0].starts_with("RR-2026-1103: 6 15:00-16:00"), "{:?}", case.stands());
}
