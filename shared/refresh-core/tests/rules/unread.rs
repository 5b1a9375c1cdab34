//! What an event becomes without a look at the fact before is what it becomes after each fact that may stand there.

use std::collections::BTreeSet;

use refresh_core::{
    EventId, Instant, Interval, Person,
    base::digest::Digest,
    facts::{
        authority::{self, StoredContext},
        event::{Event, Identity, Statement},
        evidence::{Evidence, EvidenceStatus},
        fact::{Availability, Body, Change, ChangeState, Fact, Freeze, InForce, Mapping, Profile},
        policy::Deployment,
        subject::{Diary, Subject},
    },
};

use super::fixture;

/// The revision of the event. What stands before it has a lower one.
const REVISION: u64 = 5;

fn at(hours: i64) -> Instant {
    Instant::from_millis(1_793_696_400_000).plus_minutes(60 * hours)
}

fn span(from: i64, until: i64) -> Interval {
    Interval::new(at(from), at(until)).expect("an interval")
}

fn person(name: &str) -> Person {
    fixture::person(name).expect("an address")
}

/// Each subject that an event may be about without a further look, and states of it; `true`: such an event is written unread.
fn states() -> Vec<(Subject, Vec<(Body, bool)>)> {
    let change = || "CHG-1".parse().expect("a change");
    let in_force =
        |from| InForce { window: span(from, 90), cutover: span(91, 92), owner: None, owner_confirmed: false };
    let changes = [ChangeState::Draft, ChangeState::Approved, ChangeState::OnHold, ChangeState::Cancelled];
    let changes = changes.into_iter().flat_map(|state| {
        [None, Some(in_force(1)), Some(in_force(2))].map(|in_force| {
            let stands_alone = in_force.is_some();
            (Body::Change(Change { state, in_force }), stands_alone)
        })
    });
    let calendar = |until| {
        let busy = [].into_iter().collect();
        (Body::Availability(Availability { horizon: span(0, until), busy, unknown: Vec::new(), merged: false }), true)
    };
    let mapping = |holder: Option<Person>| {
        let mapping = Mapping { holder, holder_valid_from: None, holder_valid_until: None, delegates: None };
        (Body::Delegation(mapping), true)
    };
    let freeze = Freeze { id: "year-end".to_owned(), start: at(10), end: at(20), protected: true };
    let profile =
        |name: &str| (Body::Person(Profile { name: name.to_owned(), time_zone: "UTC".parse().expect("a zone") }), true);
    let evidence = |status, ready_at| (Body::Evidence(Evidence { status, ready_at, run: None }), false);
    let role = "release_manager".parse().expect("a role");
    let service = "identity".parse().expect("a service");
    let build = "build".parse().expect("a checkpoint");
    vec![
        (Subject::Change(change()), changes.collect()),
        (Subject::Availability(person("ada"), Diary::Calendar, None), vec![calendar(50), calendar(60)]),
        (Subject::Delegation(service, role), vec![mapping(None), mapping(Some(person("ada")))]),
        (
            Subject::Freeze("eu".parse().expect("a calendar")),
            vec![(Body::Freeze(vec![freeze]), true), (Body::Freeze(vec![]), true)],
        ),
        (Subject::Person(person("ada")), vec![profile("Ada"), profile("Ada L.")]),
        (
            Subject::Evidence(change(), build),
            vec![evidence(EvidenceStatus::Ready, Some(at(-1))), evidence(EvidenceStatus::Withdrawn, None)],
        ),
    ]
}

fn context(fact: Option<&Fact>) -> StoredContext<'_> {
    StoredContext { fact, review_issued: true, uid_in_use: false, arrived: at(0), sender: None }
}

fn event(subject: &Subject, body: &Body) -> Event {
    Event {
        identity: Identity { source: fixture::source(subject.kind()), id: EventId::parse("e1").expect("an id") },
        event_type: "any".to_owned(),
        digest: Digest::of("event", &"any"),
        trace: None,
        subject: subject.clone(),
        statement: Statement::State { revision: REVISION, body: body.clone() },
    }
}

#[test]
fn an_event_that_is_judged_unread_comes_to_the_same_whatever_its_source_said_before() {
    let (deployment, now) = (fixture::deployment(), at(0));
    let mut unread = BTreeSet::new();
    for (subject, states) in states() {
        for (body, stands_alone) in &states {
            let event = event(&subject, body);
            let judged = authority::judge_unread(&event, &context(None), &deployment, now);
            assert_eq!(judged.is_some(), *stands_alone, "{body:?}");
            let Some(judged) = judged else { continue };
            unread.insert(subject.kind());
            assert_eq!(authority::judge(&event, &context(None), &deployment, now).as_ref(), Ok(&judged));
            for (before, _) in &states {
                let before = Fact { revision: REVISION - 1, body: before.clone(), ..judged.clone() };
                let read = authority::judge(&event, &context(Some(&before)), &deployment, now);
                assert_eq!(read.as_ref(), Ok(&judged), "{body:?} after {before:?}");
            }
        }
    }
    assert_eq!(unread.len(), 5);
}

#[test]
fn what_is_ignored_whatever_stands_before_it_is_not_judged_unread() {
    let deployment = Deployment { sources: Vec::new(), ..fixture::deployment() };
    for (subject, states) in states() {
        for (body, _) in states {
            assert_eq!(authority::judge_unread(&event(&subject, &body), &context(None), &deployment, at(0)), None);
        }
    }
}
