//! Every value of every field has a sentence: over all pairs of was and now, a row says two different things or is no row.

mod common;

use std::collections::BTreeMap;

use presentation::wording::{About, Names, changes};
use refresh_core::{
    Checkpoint, Role, Zone,
    record::{
        delta::{Difference, DutyAction, DutyLine, Field, Value},
        exception::ExceptionKind,
        mark::{Mark, Remark, Violation},
        reason_word::ReasonWord,
        view::{Attendance, ExceptionLine, RuleLine, Seating},
    },
};

use common::{at, person, slot};

fn role(name: &str) -> Role {
    Role::parse(name).expect("a role")
}

/// The values that a field can have, `None` among them.
fn values(field: &Field) -> Vec<Option<Value>> {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let interval = |from: &str, to: &str| Some(Value::Interval(slot(from, to)));
    let duty = |action, by: &str| Some(Value::Duty(DutyLine { action, by: at(by) }));
    let marks = |all: &[Mark]| Some(Value::Marks(all.to_vec()));
    let exception = |kind, rule| {
        let rules = vec![RuleLine { person: Some(person("sec-a")), ..RuleLine::new(rule) }];
        Some(Value::Exceptions(vec![ExceptionLine { kind, rules }]))
    };
    let mut all = match field {
        Field::Slot | Field::Window | Field::Cutover => {
            vec![interval("15:00:00", "16:00:00"), interval("15:30:00", "16:30:00")]
        }
        Field::Role => vec![text("security_reviewer"), text("security_reviewer, service_owner")],
        Field::Roster(_) | Field::Conflict(_) | Field::ConflictProposed(_) => {
            vec![text("sec-a@example.com"), text("sec-b@example.com")]
        }
        Field::Operator => vec![text("op-1@example.com adopted: no mail"), text("op-1@example.com declined: no mail")],
        Field::Standing => [Seating::Tentative, Seating::Authoritative].map(Value::Seating).map(Some).to_vec(),
        Field::Attendance => [Attendance::WouldBeReleased, Attendance::Released, Attendance::Cancellation]
            .map(Value::Attendance)
            .map(Some)
            .to_vec(),
        Field::Duty => vec![
            duty(DutyAction::Decide, "13:00:00"),
            duty(DutyAction::Answer, "13:00:00"),
            duty(DutyAction::Answer, "14:00:00"),
        ],
        Field::Checkpoint(_) => vec![Some(Value::Instant(at("14:00:00"))), Some(Value::Instant(at("15:30:00")))],
        Field::FreezeEdge => vec![Some(Value::Flag(false)), Some(Value::Flag(true))],
        Field::Violated => vec![
            marks(&[]),
            marks(&[Mark::Violation(Violation::Evidence)]),
            marks(&[Mark::Violation(Violation::Evidence), Mark::Violation(Violation::Busy(person("sec-a")))]),
            marks(&[Mark::Remark(Remark::Unproven(person("sec-a")))]),
            marks(&[Mark::Violation(Violation::Evidence), Mark::Remark(Remark::ChangeInFlux)]),
        ],
        Field::Exception => vec![
            Some(Value::Exceptions(Vec::new())),
            exception(ExceptionKind::Unanswered, ReasonWord::Unanswered),
            exception(ExceptionKind::Unreachable, ReasonWord::Bounced),
        ],
    };
    all.insert(0, None);
    all
}

fn fields() -> Vec<Field> {
    let key = Checkpoint::parse("integration-tests").expect("a name");
    let all = vec![
        Field::Attendance,
        Field::Slot,
        Field::Role,
        Field::Standing,
        Field::Duty,
        Field::Roster(role("security_reviewer")),
        Field::Checkpoint(key),
        Field::Window,
        Field::Cutover,
        Field::FreezeEdge,
        Field::Violated,
        Field::Exception,
        Field::Conflict(role("security_reviewer")),
        Field::ConflictProposed(role("security_reviewer")),
        Field::Operator,
    ];
    // A field that is added to the core is missed here by the compiler.
    for field in &all {
        match field {
            Field::Attendance | Field::Slot | Field::Role | Field::Standing | Field::Duty | Field::Roster(_) => {}
            Field::Checkpoint(_) | Field::Window | Field::Cutover | Field::FreezeEdge | Field::Violated => {}
            Field::Exception | Field::Conflict(_) | Field::ConflictProposed(_) | Field::Operator => {}
        }
    }
    all
}

/// Nothing there and an empty list are told alike: of these two no row tells a difference.
fn is_nothing(value: Option<&Value>) -> bool {
    match value {
        None => true,
        Some(Value::Marks(marks)) => marks.is_empty(),
        Some(Value::Exceptions(lines)) => lines.is_empty(),
        _ => false,
    }
}

#[test]
fn every_pair_of_values_reads_as_what_it_is() {
    let reader = person("rm-a");
    let known = BTreeMap::from([(person("sec-a"), "Aiko Tanaka".to_owned())]);
    let names = Names { known: &known, reader: &reader, zone: Zone::UTC };
    let mut table = String::new();
    for field in fields() {
        for was in values(&field) {
            for now in values(&field) {
                let change = [Difference { field: field.clone(), was: was.clone(), now: now.clone(), required: None }];
                let rows = changes(&change, &names);
                for row in &rows {
                    assert_ne!(row.was, row.now, "{field}: a row whose sides read the same");
                    let sides = [&row.what, &row.was, &row.now];
                    assert!(sides.iter().all(|side| !side.trim().is_empty()), "{field}: {row:?}");
                    table += &format!("{}: was {}; now {}\n", row.what, row.was, row.now);
                }
                // Whoever is told of exceptions no more is told so, even where none was open.
                let of_exceptions = matches!(field, Field::Exception | Field::Operator);
                let leaves = of_exceptions && was.is_some() && now.is_none();
                let alike = was == now || !leaves && is_nothing(was.as_ref()) && is_nothing(now.as_ref());
                assert_eq!(rows.is_empty(), alike, "{field}: {was:?} to {now:?}: {rows:?}");
            }
        }
    }
    insta::assert_snapshot!("words_of_all_pairs", table);
}

/// An address with its dashes, and every word of a reason: who reads it must find that person, and know why.
#[test]
fn what_an_operator_did_is_told_as_it_was_written() {
    let (reader, known) = (person("rm-a"), BTreeMap::new());
    let names = Names { known: &known, reader: &reader, zone: Zone::UTC };
    let longest = format!("{}end", "The build_id of on-call is 7-up. ".repeat(30));
    let told = format!("duty-officer_2@example.com adopted: {longest}");
    let decided =
        [Difference { field: Field::Operator, was: None, now: Some(Value::Text(told.clone())), required: None }];
    let rows = changes(&decided, &names);
    assert_eq!(rows.iter().map(|row| row.now.as_str()).collect::<Vec<_>>(), [told]);
}

/// Who sees the whole for the first time was not told of nothing, and who sees it no more is not told that it is gone.
#[test]
fn who_comes_to_see_the_whole_or_leaves_is_told_that_once() {
    let reader = person("rm-a");
    let known = BTreeMap::new();
    let names = Names { known: &known, reader: &reader, zone: Zone::UTC };
    let roster = |was: Option<&str>, now: Option<&str>| Difference {
        field: Field::Roster(role("security_reviewer")),
        was: was.map(|text| Value::Text(text.to_owned())),
        now: now.map(|text| Value::Text(text.to_owned())),
        required: None,
    };
    let edge = |was: Option<bool>, now: Option<bool>| Difference {
        field: Field::FreezeEdge,
        was: was.map(Value::Flag),
        now: now.map(Value::Flag),
        required: None,
    };
    let come = [roster(None, Some("sec-a@example.com")), edge(None, Some(false))];
    let rows = changes(&come, &names);
    assert_eq!(rows.iter().filter(|row| row.about == About::Sight { gained: true }).count(), 1);
    for row in rows.iter().filter(|row| !matches!(row.about, About::Sight { .. })) {
        assert_eq!(row.was, "not told to you", "{}", row.what);
    }
    let left = [edge(Some(false), None)];
    let rows = changes(&left, &names);
    assert_eq!(rows.iter().map(|row| row.about).collect::<Vec<_>>(), [About::Sight { gained: false }]);
}
