//! Ingest: an event's record and its fact.

use packet_store::{Acceptance, Accepted, Beside, EventRecord, Store};
use refresh_core::facts::{
    authority::{Disposition, Ignored},
    fact::Fact,
    revision::RevisionOrder,
};

use crate::support::{
    engine::{Engine, Fault, cancelled, refused},
    samples::{event, identity, now, profile},
};

async fn accept(store: &Store, id: &str, fact: &Fact, before: Option<&Fact>) -> Accepted {
    let event = event(id, fact);
    let acceptance = Acceptance {
        event: &event,
        disposition: Disposition::Applied,
        fact: Some(fact),
        replaces: before,
        beside: Beside::default(),
        at: now(),
    };
    store.accept(&acceptance).await.expect("no error")
}

async fn ignore(store: &Store, id: &str, fact: &Fact, why: Ignored) -> Accepted {
    let event = event(id, fact);
    let disposition = Disposition::Ignored(why);
    let acceptance =
        Acceptance { event: &event, disposition, fact: None, replaces: None, beside: Beside::default(), at: now() };
    store.accept(&acceptance).await.expect("no error")
}

fn known(accepted: Accepted) -> EventRecord {
    match accepted {
        Accepted::Known(record) => record,
        other => panic!("expected Known, found {other:?}"),
    }
}

#[tokio::test]
async fn event_and_fact_are_written_together() {
    let engine = Engine::new();
    let store = engine.store();
    let fact = profile("ada", 1);
    assert_eq!(accept(&store, "e1", &fact, None).await, Accepted::Written);
    assert_eq!(store.fact(&fact.subject).await.unwrap(), Some(fact.clone()));
    let record = store.event(&identity("e1")).await.unwrap().unwrap();
    assert_eq!(record.disposition, Disposition::Applied);
    assert_eq!(record.digest, event("e1", &fact).digest);
    assert_eq!(engine.calls().iter().filter(|(operation, _)| operation.starts_with("Transact")).count(), 1);
}

#[tokio::test]
async fn an_event_is_remembered_for_35_days() {
    let engine = Engine::new();
    accept(&engine.store(), "e1", &profile("ada", 1), None).await;
    let item = engine.items().into_iter().find(|item| item["sk"]["S"] == "EVENT").unwrap();
    // 2026-11-03T09:00:00Z and 35 days, in whole seconds as DynamoDB's TTL counts.
    assert_eq!(item["expires_at"]["N"], "1796720400");
    assert!(engine.items().iter().all(|item| item["sk"]["S"] == "EVENT" || item.get("expires_at").is_none()));
}

#[tokio::test]
async fn an_ignored_event_leaves_facts_alone() {
    let engine = Engine::new();
    let store = engine.store();
    assert_eq!(ignore(&store, "e1", &profile("ada", 1), Ignored::StaleRevision).await, Accepted::Written);
    assert_eq!(store.fact(&profile("ada", 1).subject).await.unwrap(), None);
    let again = known(ignore(&store, "e1", &profile("ada", 1), Ignored::NotInForce).await);
    assert_eq!(again.disposition, Disposition::Ignored(Ignored::StaleRevision), "the first answer stands");
}

#[tokio::test]
async fn a_known_event_says_what_became_of_it_whatever_else_moved() {
    let engine = Engine::new();
    let store = engine.store();
    let (first, second) = (profile("ada", 1), profile("ada", 2));
    accept(&store, "e1", &first, None).await;
    // Both conditions fail: the event is known and the fact is another. The event decides.
    let record = known(accept(&store, "e1", &second, Some(&profile("ada", 9))).await);
    assert_eq!(record.disposition, Disposition::Applied);
    assert_ne!(record.digest, event("e1", &second).digest, "which is how a collision is noticed");
    assert_eq!(store.fact(&first.subject).await.unwrap(), Some(first));
}

#[tokio::test]
async fn a_fact_that_moved_is_superseded_and_nothing_is_written() {
    let engine = Engine::new();
    let store = engine.store();
    let (first, second, third) = (profile("ada", 1), profile("ada", 2), profile("ada", 3));
    accept(&store, "e1", &first, None).await;
    assert_eq!(accept(&store, "e2", &second, Some(&first)).await, Accepted::Written);
    assert_eq!(accept(&store, "e3", &third, Some(&first)).await, Accepted::Superseded, "it is the second by now");
    assert_eq!(accept(&store, "e3", &third, None).await, Accepted::Superseded, "there is one");
    let mut elsewhere = second.clone();
    elsewhere.source = refresh_core::Source::parse("//other.example.com").unwrap();
    assert_eq!(accept(&store, "e3", &third, Some(&elsewhere)).await, Accepted::Superseded, "of another source");
    assert_eq!(store.event(&identity("e3")).await.unwrap(), None);
    assert_eq!(store.fact(&first.subject).await.unwrap(), Some(second));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_exactly_one_is_accepted() {
    let engine = Engine::new();
    for round in 0..20_u64 {
        let name = format!("ada-{round}");
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let (store, name) = (engine.store(), name.clone());
                // Half of them bring the same event, half another one for the same subject.
                let id = format!("e-{round}-{}", worker % 2);
                tokio::spawn(async move { accept(&store, &id, &profile(&name, 1 + worker % 2), None).await })
            })
            .collect();
        let mut written = 0;
        for worker in workers {
            written += usize::from(worker.await.unwrap() == Accepted::Written);
        }
        assert_eq!(written, 1, "round {round}");
    }
}

#[tokio::test]
async fn a_collision_is_recorded_beside_the_event() {
    let engine = Engine::new();
    let store = engine.store();
    accept(&store, "e1", &profile("ada", 1), None).await;
    let before = store.event(&identity("e1")).await.unwrap();
    let other = event("e1", &profile("bob", 5));
    store.collide(&other, now()).await.unwrap();
    store.collide(&other, now().plus_minutes(1)).await.unwrap();
    assert_eq!(store.event(&identity("e1")).await.unwrap(), before);
    let beside: Vec<_> =
        engine.items().into_iter().filter(|item| item["sk"]["S"].as_str().unwrap().starts_with("COLL")).collect();
    assert_eq!(beside.len(), 1);
    assert!(beside[0]["expires_at"]["N"].is_string());
}

#[tokio::test]
async fn a_disposition_is_amended_once_and_again() {
    let engine = Engine::new();
    let store = engine.store();
    let late = Disposition::Ignored(Ignored::ReviewStarted);
    assert!(!store.amend(&identity("e1"), late).await.unwrap(), "there is no such event");
    accept(&store, "e1", &profile("ada", 1), None).await;
    assert!(store.amend(&identity("e1"), late).await.unwrap());
    engine.calls();
    assert!(store.amend(&identity("e1"), late).await.unwrap());
    assert_eq!(engine.calls().len(), 1, "the second time only reads");
    let record = store.event(&identity("e1")).await.unwrap().unwrap();
    assert_eq!((record.disposition, record.at), (late, now()));
}

#[tokio::test(start_paused = true)]
async fn conflicts_are_waited_out_and_a_lost_answer_does_no_harm() {
    let engine = Engine::new();
    let fact = profile("ada", 1);
    engine
        .next("TransactWriteItems", cancelled(&["TransactionConflict", "None"]))
        .next("TransactWriteItems", cancelled(&["None", "ThrottlingError"]));
    assert_eq!(accept(&engine.store(), "e1", &fact, None).await, Accepted::Written);

    engine.next("TransactWriteItems", Fault::LoseAnswer);
    let second = event("e2", &profile("bob", 1));
    let acceptance = Acceptance {
        event: &second,
        disposition: Disposition::Applied,
        fact: Some(&profile("bob", 1)),
        replaces: None,
        beside: Beside::default(),
        at: now(),
    };
    let error = engine.store().accept(&acceptance).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    // The next delivery of the message finds what the first one did.
    assert_eq!(known(accept(&engine.store(), "e2", &profile("bob", 1), None).await).disposition, Disposition::Applied);

    // And the SDK's own retry carries its token, so that it is answered as done.
    engine.next("TransactWriteItems", Fault::LoseAnswer);
    assert_eq!(accept(&engine.patient_store(), "e3", &profile("cyd", 1), None).await, Accepted::Written);

    engine.next("PutItem", refused("TransactionConflictException"));
    assert_eq!(ignore(&engine.store(), "e4", &fact, Ignored::StaleRevision).await, Accepted::Written);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_without_end_is_an_error_to_come_back_to() {
    let engine = Engine::new();
    for _ in 0..20 {
        engine.next("TransactWriteItems", cancelled(&["TransactionConflict", "None"]));
    }
    let fact = profile("ada", 1);
    let event = event("e1", &fact);
    let acceptance = Acceptance {
        event: &event,
        disposition: Disposition::Applied,
        fact: Some(&fact),
        replaces: None,
        beside: Beside::default(),
        at: now(),
    };
    let error = engine.store().accept(&acceptance).await.unwrap_err();
    assert_eq!(error.to_string(), "accepting an event: other writers were in the way for too long");
    assert!(error.is_retryable());
}

/// Three events; what is told of the second: that it was recorded before, or that its fact is another by now.
#[tokio::test]
async fn events_are_accepted_together_or_not_at_all() {
    for (name, recorded, known, written) in
        [("nothing", false, 0, true), ("its id", true, 1, false), ("its fact", false, 2, false)]
    {
        let engine = Engine::new();
        let store = engine.store();
        let facts = ["ada", "bea", "cyd"].map(|name| profile(name, 3));
        if recorded {
            ignore(&store, "e1", &facts[1], Ignored::StaleRevision).await;
        }
        let before = profile("bea", known);
        if known > 0 {
            assert_eq!(accept(&store, "before", &before, None).await, Accepted::Written);
        }
        let events: Vec<_> = facts.iter().enumerate().map(|(n, fact)| event(&format!("e{n}"), fact)).collect();
        let acceptance = |(event, fact)| Acceptance {
            event,
            disposition: Disposition::Applied,
            fact: Some(fact),
            // As it was read: none.
            replaces: (recorded && fact == &facts[1]).then_some(&before),
            beside: Beside::default(),
            at: now(),
        };
        let all: Vec<Acceptance<'_>> = events.iter().zip(&facts).map(acceptance).collect();
        engine.calls();
        assert_eq!(store.accept_all(&all).await.unwrap(), written, "{name} stands in the way");
        assert_eq!(engine.calls().len(), 1, "{name}: one call");
        for (one, fact) in all.iter().zip(&facts).step_by(2) {
            let found = (store.event(&one.event.identity).await.unwrap(), store.fact(&fact.subject).await.unwrap());
            assert_eq!(found.0.map(|record| record.disposition), written.then_some(Disposition::Applied), "{name}");
            assert_eq!(found.1.as_ref(), written.then_some(fact), "{name}");
        }
    }
}

/// What stands before an event of revision 3, and whether the event is written without a look at that.
#[tokio::test]
async fn a_fact_is_written_unread_in_the_place_of_a_lower_revision_of_its_own_source_alone() {
    let revision = |revision| profile("ada", revision);
    let ordered = |epoch, rewrites| {
        let before = revision(2);
        Fact { order: RevisionOrder { epoch, rewrites, ..RevisionOrder::default() }, ..before }
    };
    let others = || Fact { source: "//another.example.com".parse().expect("a source"), ..revision(2) };
    for (before, written) in [
        (None, true),
        (Some(revision(2)), true),
        (Some(revision(3)), false),
        (Some(revision(4)), false),
        // As text, ten would come before three.
        (Some(revision(10)), false),
        (Some(ordered(1, 0)), false),
        (Some(ordered(0, 1)), false),
        (Some(others()), false),
    ] {
        let engine = Engine::new();
        let store = engine.store();
        if let Some(before) = &before {
            assert_eq!(accept(&store, "before", before, None).await, Accepted::Written);
        }
        engine.calls();
        let (fact, event) = (revision(3), event("e1", &revision(3)));
        assert_eq!(store.accept_unread(&event, &fact, now()).await.unwrap(), written, "in the place of {before:?}");
        assert_eq!(engine.calls().len(), 1, "nothing is read");
        let found = (store.event(&event.identity).await.unwrap(), store.fact(&fact.subject).await.unwrap());
        let expected = if written { Some(fact.clone()) } else { before };
        assert_eq!((found.0.is_some(), found.1), (written, expected));
        if written {
            assert!(!store.accept_unread(&event, &revision(11), now()).await.unwrap(), "the id is used up");
        }
    }
}

/// A fact of the release after this one may hold what bears on the next fact.
#[tokio::test]
async fn no_fact_of_a_newer_schema_is_replaced_unread() {
    let engine = Engine::new();
    let store = engine.store();
    assert_eq!(accept(&store, "before", &profile("ada", 1), None).await, Accepted::Written);
    let mut newer = engine.items().into_iter().find(|item| item["sk"]["S"] == "FACT").expect("the fact");
    newer["schema"] = serde_json::json!({ "N": (packet_store::SCHEMA + 1).to_string() });
    engine.put(&newer);
    let fact = profile("ada", 2);
    assert!(!store.accept_unread(&event("e1", &fact), &fact, now()).await.expect("an answer"));
    assert!(engine.items().contains(&newer), "the fact stays as it was");
}
