//! Claims and leases: at most one worker tells a person at a time, and a dead one holds nobody up for ever.

use packet_store::TellingRecord;
use refresh_core::record::claim::Claim;

use crate::support::{
    engine::{Engine, refused},
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

#[tokio::test]
async fn a_claim_leaves_what_was_told_alone() {
    let store = Engine::new().store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let ada = person("ada");
    store.claim(&review(), &ada, &claim("a", "2026-11-03T09:10:00Z"), now()).await.unwrap();
    let mut commit = after(&first.head, &["e2"]);
    commit.told = Some(settled("ada", "a"));
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
