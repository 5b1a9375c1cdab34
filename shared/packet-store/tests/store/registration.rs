//! Which subjects a review depends on: registered before they are read, once, and let go at the end.

use std::collections::BTreeSet;

use refresh_core::{
    Instant, ReviewId,
    facts::subject::{Diary, Subject},
};

use crate::support::{
    engine::{Engine, Fault, cancelled},
    samples::{issued, now, person, review},
};

fn people(count: usize) -> BTreeSet<Subject> {
    (0..count).map(|n| Subject::Availability(person(&format!("p{n}")), Diary::Calendar, None)).collect()
}

#[tokio::test]
async fn what_is_registered_is_found_from_both_sides() {
    let engine = Engine::new();
    let store = engine.store();
    let subjects = people(3);
    store.register(&review(), &subjects).await.unwrap();
    assert_eq!(store.subjects(&review()).await.unwrap(), subjects);
    for subject in &subjects {
        assert_eq!(store.dependents(subject).await.unwrap().read, [review()]);
    }
    assert!(store.dependents(&Subject::Person(person("p0"))).await.unwrap().read.is_empty());
    let other = ReviewId::parse("RR/2#x").unwrap();
    store.register(&other, &people(1)).await.unwrap();
    let both = store.dependents(subjects.first().unwrap()).await.unwrap().read;
    assert_eq!(both, [other, review()], "in key order, names unescaped");
}

#[tokio::test]
async fn what_is_registered_costs_nothing() {
    let engine = Engine::new();
    let store = engine.store();
    store.register(&review(), &people(3)).await.unwrap();
    engine.calls();
    store.register(&review(), &people(2)).await.unwrap();
    assert_eq!(engine.calls().len(), 0, "this worker remembers");
    engine.store().register(&review(), &people(3)).await.unwrap();
    let calls: Vec<String> = engine.calls().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(calls, ["GetItem"], "another one looks once");
}

#[tokio::test]
async fn more_than_a_transaction_holds_goes_in_several() {
    let engine = Engine::new();
    let subjects = people(250);
    engine.store().register(&review(), &subjects).await.unwrap();
    let transactions: Vec<usize> = engine
        .calls()
        .iter()
        .filter(|(operation, _)| operation == "TransactWriteItems")
        .map(|(_, request)| request["TransactItems"].as_array().unwrap().len())
        .collect();
    assert_eq!(transactions, [100, 100, 53], "SUBJECTS grows with each");
    assert_eq!(engine.store().subjects(&review()).await.unwrap(), subjects);
    for subject in subjects {
        assert_eq!(engine.store().dependents(&subject).await.unwrap().read, [review()]);
    }
}

#[tokio::test]
async fn a_worker_that_dies_leaves_nothing_half_registered() {
    let engine = Engine::new();
    let subjects = people(150);
    // The first transaction is done and the second fails: what SUBJECTS holds is registered, the rest is not skipped.
    engine.next("TransactWriteItems", Fault::Pass);
    engine.next("TransactWriteItems", cancelled(&["ValidationError"; 52]));
    engine.store().register(&review(), &subjects).await.unwrap_err();
    let store = engine.store();
    let known = store.subjects(&review()).await.unwrap();
    assert_eq!(known.len(), 99);
    for subject in &subjects {
        assert_eq!(store.dependents(subject).await.unwrap().read.is_empty(), !known.contains(subject));
    }
    store.register(&review(), &subjects).await.unwrap();
    assert_eq!(store.subjects(&review()).await.unwrap(), subjects);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_workers_at_once_lose_nothing() {
    let engine = Engine::new();
    let workers: Vec<_> = (0..4_usize)
        .map(|worker| {
            let store = engine.store();
            let mine: BTreeSet<Subject> = people(40).into_iter().skip(worker * 8).take(16).collect();
            tokio::spawn(async move { store.register(&review(), &mine).await.unwrap() })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let expected: BTreeSet<Subject> = people(40).into_iter().take(40).collect();
    assert_eq!(engine.store().subjects(&review()).await.unwrap(), expected);
    for subject in expected {
        assert_eq!(engine.store().dependents(&subject).await.unwrap().read, [review()]);
    }
}

#[tokio::test]
async fn what_a_finished_review_depended_on_expires() {
    let engine = Engine::new();
    let store = engine.store();
    store.register(&review(), &people(2)).await.unwrap();
    let depends = || {
        let items = engine.items().into_iter().filter(|item| item["sk"]["S"] == "REVIEW#RR-1042");
        items.collect::<Vec<_>>()
    };
    assert!(depends().iter().all(|item| item.get("expires_at").is_none()));
    store.retire(&review(), now()).await.unwrap();
    store.retire(&review(), now().plus_minutes(60)).await.unwrap();
    let expiries: Vec<_> = depends().iter().map(|item| item["expires_at"]["N"].clone()).collect();
    assert_eq!(expiries, ["1793696400", "1793696400"], "the first time stands");
    assert_eq!(store.dependents(people(1).first().unwrap()).await.unwrap().read, [review()], "it still reads");
}

/// Ingest asks for a look of every review that is not over. What was open when it was read last is read again after ten
/// minutes, once it starts, and once a DEPENDS of it expires.
#[tokio::test]
async fn the_head_of_a_review_that_is_known_to_be_open_is_not_read_again() {
    let engine = Engine::new();
    let store = engine.store();
    let issue = issued("e1");
    store.register(&review(), &people(2)).await.unwrap();
    store.commit(&issue).await.unwrap();
    let subject = people(1).pop_first().unwrap();
    let starts = issue.head.starts_at;
    let read = async |at: Instant| {
        let found = store.dependents(&subject).await.unwrap().read;
        engine.calls();
        let heads = store.heads_of_perhaps_over(&found, at).await.unwrap().read;
        assert_eq!(heads.len(), engine.calls().len());
        !heads.is_empty()
    };
    assert!(read(now()).await, "nothing is known yet");
    assert!(!read(now()).await && !read(now().plus_minutes(10).plus_millis(-1)).await, "it is open");
    assert!(read(now().plus_minutes(10)).await, "somebody may have moved it forward");
    assert!(read(starts.plus_millis(-1)).await, "it is open still");
    assert!(read(starts).await && read(now()).await, "it has started, and by a slower clock it is not known any more");
    assert!(!read(now()).await, "it is open by that clock");
    engine.store().retire(&review(), now().plus_minutes(60)).await.unwrap();
    assert!(read(now()).await, "its DEPENDS expires");
}
