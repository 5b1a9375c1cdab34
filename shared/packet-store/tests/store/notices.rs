//! Claims and leases: at most one worker tells a person at a time, and a dead one holds nobody up for ever.

use std::collections::{BTreeMap, BTreeSet};

use packet_store::{Committed, TellingRecord};
use refresh_core::{Person, ReviewId, record::claim::Claim};

use crate::support::{
    engine::{Engine, cancelled, refused},
    samples::{after, at, claim, issued, now, person, review, settled},
};

#[tokio::test]
async fn a_lease_holds_until_it_is_over_and_no_longer() {
    let store = Engine::new().store();
    let (a, b) = (claim("a", "2026-11-03T09:10:00Z"), claim("b", "2026-11-03T09:20:00Z"));
    let ada = person("ada");
    assert!(store.claim(&review(), &ada, &a, now()).await.unwrap());
    assert!(!store.claim(&review(), &ada, &b, at("2026-11-03T09:09:59.999Z")).await.unwrap());
    assert!(store.claim(&review(), &ada, &a, now()).await.unwrap(), "its own, after a lost answer");
    assert!(store.claim(&review(), &person("bob"), &b, now()).await.unwrap(), "another person is free");
    let claims = store.told(&review()).await.unwrap();
    assert_eq!(claims[&ada], TellingRecord { claim: Some(a), ..TellingRecord::default() });
    assert!(store.claim(&review(), &ada, &b, at("2026-11-03T09:10:00Z")).await.unwrap(), "over at that instant");
    assert_eq!(store.told(&review()).await.unwrap()[&ada].claim, Some(b));
}

#[tokio::test]
async fn only_the_holder_releases() {
    let store = Engine::new().store();
    let ada = person("ada");
    store.release(&review(), &ada, "a").await.unwrap();
    assert!(store.told(&review()).await.unwrap().is_empty(), "releasing makes no item");
    let a = claim("a", "2026-11-03T09:10:00Z");
    store.claim(&review(), &ada, &a, now()).await.unwrap();
    store.release(&review(), &ada, "b").await.unwrap();
    assert_eq!(store.told(&review()).await.unwrap()[&ada].claim, Some(a));
    store.release(&review(), &ada, "a").await.unwrap();
    store.release(&review(), &ada, "a").await.unwrap();
    assert_eq!(store.told(&review()).await.unwrap()[&ada], TellingRecord::default());
    assert!(store.claim(&review(), &ada, &claim("b", "2026-11-03T09:10:00Z"), now()).await.unwrap());
}

/// A review that told the person nothing has no line, and one that cannot be read holds up no other.
#[tokio::test]
async fn what_each_review_told_one_person_is_read_together() {
    let engine = Engine::new();
    let (store, ada) = (engine.store(), person("ada"));
    let reviews = ["RR-1", "RR-2", "RR-3"].map(|id| ReviewId::parse(id).expect("a review"));
    let held = claim("a", "2026-11-03T09:10:00Z");
    for (review, told) in reviews.iter().zip([&ada, &ada, &person("bob")]) {
        store.claim(review, told, &held, now()).await.unwrap();
    }
    let mut damaged = engine.items().into_iter().find(|item| item["pk"]["S"] == "REVIEW#RR-2").unwrap();
    damaged["claim_by"]["S"] = "b".into();
    engine.put(&damaged);
    let told = store.told_by_each(&reviews, &ada).await.unwrap();
    let record = TellingRecord { claim: Some(held), ..TellingRecord::default() };
    assert_eq!(told.read, [(reviews[0].clone(), record)]);
    assert_eq!(told.unreadable[0].review.as_ref(), Some(&reviews[1]));
    assert_eq!(told.unreadable.len(), 1);
}

#[tokio::test]
async fn a_claim_leaves_what_was_told_alone() {
    let store = Engine::new().store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let ada = person("ada");
    store.claim(&review(), &ada, &claim("a", "2026-11-03T09:10:00Z"), now()).await.unwrap();
    let mut commit = after(&first.head, &["e2"]);
    commit.told = vec![settled("ada", "a")];
    store.commit(&commit).await.unwrap();
    let again = claim("b", "2026-11-03T09:30:00Z");
    assert!(store.claim(&review(), &ada, &again, now()).await.unwrap());
    let record = store.told(&review()).await.unwrap().remove(&ada).unwrap();
    let expected = TellingRecord { told: Some(settled("ada", "").told), claim: Some(again), delivery: None };
    assert_eq!(record, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_claims_at_once_exactly_one_holds() {
    let engine = Engine::new();
    for round in 0..20 {
        let who = person(&format!("ada-{round}"));
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let (store, who) = (engine.store(), who.clone());
                let claim = Claim { by: format!("w{worker}"), until: at("2026-11-03T09:10:00Z") };
                tokio::spawn(async move { store.claim(&review(), &who, &claim, now()).await.unwrap() })
            })
            .collect();
        let mut held = 0;
        for worker in workers {
            held += usize::from(worker.await.unwrap());
        }
        assert_eq!(held, 1, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_meets_a_transaction_waits_for_it() {
    let engine = Engine::new();
    engine.next("UpdateItem", refused("TransactionConflictException"));
    let claim = claim("a", "2026-11-03T09:10:00Z");
    assert!(engine.store().claim(&review(), &person("ada"), &claim, now()).await.unwrap());
    assert_eq!(engine.calls().len(), 2);
}

#[tokio::test]
async fn only_the_holder_renames_its_claim() {
    let store = Engine::new().store();
    let ada = person("ada");
    let (a, b, other) =
        (claim("a", "2026-11-03T09:10:00Z"), claim("b", "2026-11-03T09:10:00Z"), claim("c", "2026-11-03T09:10:00Z"));
    assert!(!store.rename_claim(&review(), &ada, "a", &b).await.unwrap(), "there is none");
    store.claim(&review(), &ada, &a, now()).await.unwrap();
    assert!(!store.rename_claim(&review(), &ada, "c", &other).await.unwrap(), "it is another's");
    assert!(store.rename_claim(&review(), &ada, "a", &b).await.unwrap());
    assert!(store.rename_claim(&review(), &ada, "a", &b).await.unwrap(), "again, after a lost answer");
    assert_eq!(store.told(&review()).await.unwrap()[&ada].claim, Some(b));
}

fn claims(by: &str, names: &[&str]) -> BTreeMap<Person, Claim> {
    names.iter().map(|name| (person(name), claim(&format!("{by}-{name}"), "2026-11-03T09:10:00Z"))).collect()
}

fn people(names: &[&str]) -> BTreeSet<Person> {
    names.iter().map(|name| person(name)).collect()
}

#[tokio::test]
async fn people_are_claimed_together_and_who_is_held_by_another_is_left_out() {
    let engine = Engine::new();
    let store = engine.store();
    let held = |found: BTreeMap<Person, TellingRecord>| -> Vec<String> {
        found.into_values().filter_map(|record| Some(record.claim?.by)).collect()
    };
    let first = claims("a", &["ada", "bob"]);
    assert_eq!(store.claim_all(&review(), &first, now()).await.unwrap(), people(&["ada", "bob"]));
    assert_eq!(engine.calls().len(), 1, "one transaction");
    assert_eq!(store.claim_all(&review(), &first, now()).await.unwrap(), people(&["ada", "bob"]), "its own, once more");
    let second = claims("b", &["ada", "bob", "cleo", "dan"]);
    assert_eq!(store.claim_all(&review(), &second, now()).await.unwrap(), people(&["cleo", "dan"]));
    assert_eq!(held(store.told(&review()).await.unwrap()), ["a-ada", "a-bob", "b-cleo", "b-dan"]);
    assert_eq!(store.claim_all(&review(), &claims("c", &["ada", "dan"]), now()).await.unwrap(), people(&[]));
    assert_eq!(store.claim_all(&review(), &claims("c", &["ada", "eve"]), now()).await.unwrap(), people(&["eve"]));
    let over = at("2026-11-03T09:10:00Z");
    assert_eq!(store.claim_all(&review(), &claims("d", &["ada", "eve"]), over).await.unwrap(), people(&["ada", "eve"]));
    assert_eq!(store.claim_all(&review(), &BTreeMap::new(), now()).await.unwrap(), people(&[]));
}

#[tokio::test(start_paused = true)]
async fn claims_that_meet_a_transaction_wait_for_it_and_one_alone_is_no_transaction() {
    let engine = Engine::new();
    let store = engine.store();
    engine.next("TransactWriteItems", cancelled(&["None", "TransactionConflict"]));
    let both = claims("a", &["ada", "bob"]);
    assert_eq!(store.claim_all(&review(), &both, now()).await.unwrap(), people(&["ada", "bob"]));
    engine.calls();
    assert_eq!(store.claim_all(&review(), &claims("a", &["cleo"]), now()).await.unwrap(), people(&["cleo"]));
    let calls: Vec<String> = engine.calls().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(calls, ["UpdateItem"]);
}

#[tokio::test]
async fn mails_are_settled_together_or_not_at_all() {
    let store = Engine::new().store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let both = claims("a", &["ada", "bob"]);
    store.claim_all(&review(), &both, now()).await.unwrap();
    let mut commit = after(&first.head, &["e2"]);
    commit.told = vec![settled("ada", "a-ada"), settled("bob", "b-bob")];
    assert_eq!(store.commit(&commit).await.unwrap(), Committed::Superseded, "one claim is another's");
    assert_eq!(store.told(&review()).await.unwrap()[&person("ada")].claim.as_ref(), both.get(&person("ada")));
    commit.told = vec![settled("ada", "a-ada"), settled("bob", "a-bob")];
    assert_eq!(store.commit(&commit).await.unwrap(), Committed::Written);
    let told = store.told(&review()).await.unwrap();
    assert!(told.values().all(|record| record.claim.is_none() && record.told.is_some()), "{told:?}");
}
