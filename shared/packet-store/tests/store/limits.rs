//! The greatest decisions that the contract allows: thirty roles, everybody of them replaced. Each is one transaction.

use std::collections::BTreeMap;

use packet_store::{Acceptance, Beside, Committed, MOST_CAUSES};
use refresh_core::{
    decide::{
        adopt::{DecisionAttempt, Wish, decide},
        refresh::{MOST_ROLES_AT_ONCE, issue, refresh},
    },
    facts::{
        authority::Disposition,
        fact::{Body, Busy, Delegate, DelegateStatus, EntryOf, Facts, MOST_ROLES, Mapping},
        subject::Subject,
    },
    record::{commit::Commit, lineage::Trigger, review::Review},
};
use serde_json::Value;

use crate::support::{
    engine::Engine,
    samples::{calendar, deployment, event, fact, facts, now, person, review, role, trigger},
};

/// Actions of one transaction, at most.
const MOST_ACTIONS: usize = 100;

/// A review of that many roles. Each has a holder, `a-01`, and one delegate, `b-01`.
fn world(roles: usize) -> Facts {
    let mut all = facts();
    let mut terms = all.iter().find(|fact| matches!(fact.body, Body::Review(_))).expect("terms").clone();
    let Body::Review(body) = &mut terms.body else { panic!("terms") };
    body.attendees = (1..=roles).map(|n| (role(&format!("r-{n:02}")), person(&format!("a-{n:02}")))).collect();
    let service = body.service.clone();
    all.insert(terms);
    for n in 1..=roles {
        let delegate = Delegate {
            person: person(&format!("b-{n:02}")),
            status: DelegateStatus::Approved,
            valid_from: None,
            valid_until: None,
        };
        let mapping = Mapping {
            holder: Some(person(&format!("a-{n:02}"))),
            holder_valid_from: None,
            holder_valid_until: None,
            delegates: Some(vec![delegate]),
        };
        let subject = Subject::Delegation(service.clone(), role(&format!("r-{n:02}")));
        all.insert(fact(subject, 1, Body::Delegation(mapping)));
    }
    free(&mut all, "a", roles, 1);
    free(&mut all, "b", roles, 1);
    all
}

fn free(all: &mut Facts, letter: &str, roles: usize, revision: u64) {
    (1..=roles).for_each(|n| all.insert(calendar(&format!("{letter}-{n:02}"), revision, 0)));
}

/// All of that letter are busy in the first half of the meeting. The whole of it would be our own entry.
fn busy(all: &mut Facts, letter: &str, roles: usize, revision: u64) {
    for n in 1..=roles {
        let mut taken = calendar(&format!("{letter}-{n:02}"), revision, 0);
        if let Body::Availability(availability) = &mut taken.body {
            let start = now().plus_minutes(6 * 60);
            availability.busy = vec![Busy { start, end: start.plus_minutes(30), own: EntryOf::Unsaid }].into();
        }
        all.insert(taken);
    }
}

/// As many triggers as one commit takes.
fn triggers(batch: &str) -> Vec<Trigger> {
    (0..MOST_CAUSES).map(|n| trigger(&format!("{batch}-{n}"), 2)).collect()
}

/// Writes the commit, and answers with the review as it is stored then, and how many actions the write had.
async fn written(engine: &Engine, commit: &Commit) -> (Review, usize) {
    let store = engine.store();
    engine.calls();
    assert_eq!(store.commit(commit).await.unwrap(), Committed::Written);
    let calls = engine.calls();
    let (_, sent) = calls.iter().find(|(operation, _)| operation == "TransactWriteItems").expect("a transaction");
    let actions = sent["TransactItems"].as_array().map_or(0, Vec::len);
    assert!(actions <= MOST_ACTIONS, "{actions} actions");
    (store.review(&review()).await.unwrap().expect("issued"), actions)
}

/// How many of the people of that letter the review proposes a seat.
fn proposed(review: &Review, letter: &str) -> usize {
    let packet = &review.pending.as_ref().unwrap_or_else(|| panic!("no proposal: {:?}", review.head.exceptions)).packet;
    packet.attendees.values().filter(|person| person.as_str().starts_with(letter)).count()
}

/// The owner's decision: on the change record and on whoever was last given a seat, as they are stored.
async fn adopted(engine: &Engine, review: &Review, facts: &Facts) -> Commit {
    let store = engine.store();
    let mut facts = facts.clone();
    let change = facts.iter().find(|fact| matches!(fact.body, Body::Change(_))).expect("a change record").clone();
    let said = event("the change", &change);
    let acceptance = Acceptance {
        event: &said,
        disposition: Disposition::Applied,
        fact: Some(&change),
        replaces: None,
        beside: Beside::default(),
        at: now(),
    };
    store.accept(&acceptance).await.unwrap();
    let pending = review.pending.as_ref().expect("a proposal");
    for person in pending.packet.attendees.values() {
        facts.insert_seats(person.clone(), store.person_seats(person).await.unwrap());
    }
    let attempt = DecisionAttempt {
        by: person("rm"),
        proposal: review.head.pending.as_ref().expect("a proposal").fingerprint(),
        wish: Wish::Adopt,
        reason: None,
        trace: None,
        as_operator: false,
    };
    let answered = decide(review, &facts, &deployment(), &attempt, now().plus_minutes(5));
    assert_eq!(answered.result.word(), "adopted");
    answered.commit.expect("a decision")
}

#[tokio::test]
async fn an_issue_that_replaces_everybody_at_once_is_one_transaction() {
    let engine = Engine::new();
    let mut facts = world(MOST_ROLES_AT_ONCE);
    busy(&mut facts, "a", MOST_ROLES_AT_ONCE, 2);
    let commit = issue(&review(), "example.com", &facts, &deployment(), triggers("i"), now()).expect("terms");
    let (review, actions) = written(&engine, &commit).await;
    assert_eq!(proposed(&review, "b"), MOST_ROLES_AT_ONCE);
    assert!(actions > MOST_ACTIONS - 5, "{actions} actions: more roles would fit");
}

#[tokio::test]
async fn thirty_roles_are_issued_moved_and_adopted() {
    let engine = Engine::new();
    let mut facts = world(MOST_ROLES);
    busy(&mut facts, "a", MOST_ROLES, 2);
    let issued = issue(&review(), "example.com", &facts, &deployment(), triggers("i"), now()).expect("terms");
    let (issued, _) = written(&engine, &issued).await;
    assert!(issued.pending.is_none() && issued.head.check_at == Some(issued.head.at), "looked at second, and at once");
    let decided = |review: &Review, facts: &Facts, batch: &str| {
        refresh(review, facts, &deployment(), triggers(batch), now()).expect("a decision")
    };
    let (held, _) = written(&engine, &decided(&issued, &facts, "p")).await;
    assert_eq!(proposed(&held, "b"), MOST_ROLES);
    // Another proposal in its place: everybody of the first has a seat to lose, everybody of the second one to gain.
    busy(&mut facts, "b", MOST_ROLES, 2);
    let (moved, _) = written(&engine, &decided(&held, &facts, "q")).await;
    assert_eq!(proposed(&moved, "a"), MOST_ROLES);
    free(&mut facts, "b", MOST_ROLES, 3);
    let (held, _) = written(&engine, &decided(&moved, &facts, "r")).await;
    let expected = if proposed(&held, "a") == MOST_ROLES { "a" } else { "b" };
    let (adopted, _) = written(&engine, &adopted(&engine, &held, &facts).await).await;
    let seated: BTreeMap<_, _> = adopted.authoritative.packet.attendees.clone();
    assert!(seated.values().all(|person| person.as_str().starts_with(expected)), "{seated:?}");
    let record = engine.store().record(&adopted.head).await.unwrap();
    assert!(record.verified.is_ok(), "{:?}", record.verified);
}

/// A review from before seats were written: its next decision writes all of them.
#[tokio::test]
async fn thirty_roles_of_before_seats_are_written_with_the_next_decision() {
    let engine = Engine::new();
    let mut facts = world(MOST_ROLES);
    let mut commit = issue(&review(), "example.com", &facts, &deployment(), triggers("i"), now()).expect("terms");
    commit.head.claims.clear();
    (commit.seats, commit.seats_given) = (Vec::new(), Vec::new());
    let (issued, _) = written(&engine, &commit).await;
    busy(&mut facts, "a", MOST_ROLES, 2);
    let commit = refresh(&issued, &facts, &deployment(), triggers("p"), now()).expect("a decision");
    assert!(commit.seats_given.is_empty(), "whoever sat there gains nothing");
    let (held, _) = written(&engine, &commit).await;
    assert_eq!((proposed(&held, "b"), held.head.claims.len()), (MOST_ROLES, MOST_ROLES));
    let (adopted, _) = written(&engine, &adopted(&engine, &held, &facts).await).await;
    let seats = engine.items().into_iter().filter(|item: &Value| {
        let key = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        key("pk").starts_with("FACT#seat#") && key("sk").starts_with("REVIEW#")
    });
    assert_eq!(seats.count(), 2 * MOST_ROLES, "an entry for whoever sits there, and for whoever sat there");
    assert!(engine.store().record(&adopted.head).await.unwrap().verified.is_ok());
}
