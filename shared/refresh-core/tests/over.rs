//! What is over: a fact that refreshes nothing says why, and who sees the whole packet no more is told that once.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{
    Instant, Interval, Person, Role,
    facts::authority::Ignored,
    record::{
        delta::{Field, Value, delta, leaves},
        view::{Attendance, Seating, View},
    },
};

fn at(minutes: i64) -> Instant {
    Instant::from_millis(minutes * 60_000)
}

fn person(name: &str) -> Person {
    Person::parse(&format!("{name}@example.com")).expect("an address")
}

/// Somebody's own part, with and without a seat; each with and without the whole packet around it.
fn views() -> Vec<View> {
    let slot = Interval::new(at(900), at(960)).expect("a slot");
    let seated = View {
        slot: Some(slot),
        roles: BTreeSet::from([Role::parse("release_manager").expect("a role")]),
        standing: Some(Seating::Authoritative),
        ..View::default()
    };
    let released = View { attendance: Some(Attendance::Released), standing: None, ..seated.clone() };
    let would_be = View { attendance: Some(Attendance::WouldBeReleased), ..seated.clone() };
    let mut all = Vec::new();
    for own in [View::default(), seated, released, would_be] {
        for attendance in [own.attendance, Some(Attendance::Cancellation)] {
            for freeze_edge in [false, true] {
                all.push(View {
                    slot: Some(slot),
                    roster: BTreeMap::from([(Role::parse("security_reviewer").expect("a role"), person("sec-a"))]),
                    window: Some(slot),
                    cutover: Some(slot),
                    freeze_edge: Some(freeze_edge),
                    attendance,
                    ..own.clone()
                });
            }
        }
        all.push(own);
    }
    all
}

#[test]
fn a_delta_is_empty_exactly_if_the_views_are_equal() {
    for was in views() {
        for now in views() {
            let changes = delta(&was, &now, None, None);
            assert_eq!(changes.is_empty(), was == now, "{was:?}\n{now:?}\n{changes:?}");
        }
    }
}

#[test]
fn no_field_of_the_whole_becomes_none_because_its_reader_leaves() {
    for was in views() {
        for now in views().iter().filter(|now| leaves(&was, now)) {
            for change in delta(&was, now, None, None) {
                let whole = matches!(change.field, Field::Roster(_) | Field::Window | Field::Cutover | Field::Violated);
                assert!(!whole, "{change:?}");
                let cancellation = change.was == Some(Value::Attendance(Attendance::Cancellation));
                assert!(
                    !cancellation || change.now.is_some(),
                    "that the review takes place was not decided: {change:?}"
                );
            }
        }
    }
}

#[test]
fn the_words_of_the_contract() {
    assert_eq!(Ignored::ReviewClosed.word(), "review_closed");
    assert_eq!(Ignored::ReviewStarted.word(), "review_started");
}
