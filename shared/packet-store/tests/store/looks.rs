//! What a worker remembers of its last look at a review, and when it reads everything again.

use std::collections::BTreeSet;

use packet_store::{Acceptance, Accepted, Beside, LookedAt, Store};
use refresh_core::{
    Instant, ReviewId,
    decide::refresh,
    facts::{
        authority::Disposition,
        fact::Fact,
        seat::Seat,
        subject::{Diary, Subject},
    },
    record::review::Head,
};

use crate::{
    reading::put_facts,
    support::{
        engine::Engine,
        samples::{after, calendar, deployment, event, facts, issued, now, person, review},
    },
};

async fn look(store: &Store, said: Option<&Subject>, at: Instant) -> LookedAt {
    let said = said.map(|subject| BTreeSet::from([subject.clone()]));
    let look = store.look(&review(), &deployment(), said.as_ref(), at).await.unwrap();
    assert!(look.read.unreadable.is_empty());
    look
}

fn remember(store: &Store, head: &Head, look: LookedAt) {
    store.remember(head, look.read.facts, look.read.subjects);
}

/// Issued, and looked at by this worker last. Whose calendar is read below sits in the review.
async fn looked_at(store: &Store) -> Head {
    put_facts(store, &facts()).await;
    let first = look(store, None, now()).await;
    assert!(first.review.is_none());
    let issue = issued("e1");
    assert_eq!((issue.head.looked, issue.head.counter), (1, 1));
    store.commit(&issue).await.unwrap();
    remember(store, &issue.head, first);
    // Nobody had a seat when the facts were first read.
    let again = look(store, None, now()).await;
    remember(store, &issue.head, again);
    issue.head
}

/// A newer state of somebody's calendar.
async fn say(store: &Store, fact: Fact) {
    let known = store.fact(&fact.subject).await.unwrap();
    let acceptance = Acceptance {
        event: &event(&format!("{:?} {}", fact.subject, fact.revision), &fact),
        disposition: Disposition::Applied,
        fact: Some(&fact),
        replaces: known.as_ref(),
        beside: Beside::default(),
        at: now(),
    };
    assert_eq!(store.accept(&acceptance).await.unwrap(), Accepted::Written);
}

fn of(name: &str) -> Subject {
    Subject::Availability(person(name), Diary::Calendar, None)
}

/// Operations, and how many keys each of them read.
fn calls(engine: &Engine) -> Vec<String> {
    let keys = |request: &serde_json::Value| request["RequestItems"]["packets"]["Keys"].as_array().map(Vec::len);
    let said = |(operation, request): (String, serde_json::Value)| match keys(&request) {
        Some(keys) => format!("{operation} {keys}"),
        None => operation,
    };
    engine.calls().into_iter().map(said).collect()
}

#[tokio::test]
async fn what_was_seen_is_not_read_again() {
    let engine = Engine::new();
    let (store, other) = (engine.store(), engine.store());
    let head = looked_at(&store).await;
    for (name, expected) in [
        // HEAD, the calendar, and the list of further calendars. Where the person sits is a query.
        ("rm", vec!["BatchGetItem 3", "Query"]),
        // Who never had a seat has a key more.
        ("rm-2", vec!["BatchGetItem 4"]),
        // Nothing was ever depended on: HEAD alone.
        ("nobody", vec!["BatchGetItem 1"]),
    ] {
        say(&other, calendar(name, 2, 5)).await;
        engine.calls();
        let seen = look(&store, Some(&of(name)), now()).await;
        assert_eq!(calls(&engine), expected, "{name}");
        let all = look(&other, None, now()).await;
        assert_eq!(seen.read.facts, all.read.facts, "{name}");
        assert_eq!(seen.read.subjects, all.read.subjects, "{name}");
        assert_eq!(seen.review, all.review, "{name}");
        remember(&store, &head, seen);
    }
}

#[tokio::test]
async fn everything_is_read_where_anybody_looked_since_or_time_may_have_changed_something() {
    let engine = Engine::new();
    let (store, other) = (engine.store(), engine.store());
    let mut head = looked_at(&store).await;
    let whole = |calls: &[String]| calls.iter().any(|call| call.starts_with("BatchGetItem 1") && call.len() > 14);
    let due = head.check_at.unwrap();
    for (said, at, everything) in [
        (Some(of("rm")), now(), false),
        // A message that names nothing.
        (None, now(), true),
        (Some(of("rm")), due, true),
        (Some(of("rm")), due.plus_millis(-1), false),
    ] {
        engine.calls();
        let seen = look(&store, said.as_ref(), at).await;
        assert_eq!(whole(&calls(&engine)), everything, "{said:?} at {at}");
        remember(&store, &head, seen);
    }
    // Who settles a mail looks at no fact, and HEAD goes on.
    let settled = after(&head, &["e5"]);
    other.commit(&settled).await.unwrap();
    engine.calls();
    let seen = look(&store, Some(&of("rm")), now()).await;
    assert!(!whole(&calls(&engine)));
    assert_eq!(seen.review.as_ref().unwrap().head, settled.head);
    remember(&store, &settled.head, seen);
    head = settled.head;

    // Another worker decides on a fact whose message this one never gets.
    say(&other, calendar("so", 2, 7)).await;
    let found = look(&other, None, now()).await;
    let elsewhere = refresh::looked_at(found.review.as_ref().unwrap(), now()).unwrap();
    assert_eq!((elsewhere.head.looked, elsewhere.head.counter), (head.counter + 1, head.counter + 1));
    other.commit(&elsewhere).await.unwrap();
    engine.calls();
    let seen = look(&store, Some(&of("rm")), now()).await;
    assert!(whole(&calls(&engine)));
    assert_eq!(seen.read.facts, found.read.facts);

    // The seats of a shared person are read, whatever is said.
    remember(&store, &elsewhere.head, seen);
    let other_review = ReviewId::parse("RR-2000").unwrap();
    let mut foreign = after(&Head { counter: 0, review: other_review.clone(), ..head.clone() }, &[]);
    foreign.seats = vec![Seat {
        review: other_review,
        person: person("so"),
        authoritative: None,
        tentative: None,
        invitations: Vec::new(),
    }];
    other.commit(&foreign).await.unwrap();
    let seen = look(&store, None, now()).await;
    remember(&store, &elsewhere.head, seen);
    engine.calls();
    let seen = look(&store, Some(&of("rm-2")), now()).await;
    assert_eq!(calls(&engine), ["BatchGetItem 4", "Query"]);
    remember(&store, &elsewhere.head, seen);

    // What is not given back is forgotten; so is what was seen under a HEAD of the release before, which counts no looks.
    let unfinished = look(&store, Some(&of("rm")), now()).await;
    remember(&store, &Head { looked: 0, ..elsewhere.head }, unfinished);
    engine.calls();
    drop(look(&store, Some(&of("rm")), now()).await);
    assert!(whole(&calls(&engine)));
}
