//! One decision, one transaction: what wins, what loses, and what each loser is told.

use packet_store::{Beside, Committed, MOST_CAUSES};
use refresh_core::{
    Source,
    facts::{fact::Fact, subject::Subject},
    record::packet::Standpoint,
};

use crate::support::{
    engine::{Engine, Fault, cancelled},
    samples::{after, calendar, cause, claim, event, issued, now, person, profile, review, settled},
};

#[tokio::test]
async fn everything_of_a_decision_is_written_at_once() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e1");
    assert_eq!(store.commit(&first).await.unwrap(), Committed::Written);
    let calls: Vec<String> = engine.calls().into_iter().map(|(operation, _)| operation).collect();
    let (last, before) = calls.split_last().unwrap();
    assert_eq!((last.as_str(), before.len()), ("TransactWriteItems", first.seats.len()), "all at once: {calls:?}");
    assert!(before.iter().all(|operation| operation == "PutItem"), "an ANY a person: {calls:?}");
    let found = engine.store().review(&review()).await.unwrap().unwrap();
    assert_eq!(found.head, first.head);
    assert_eq!(found.authoritative, first.versions[0]);
    assert_eq!(found.issued, first.versions[0]);
    assert_eq!(store.lineage(&review(), 1).await.unwrap(), first.entry.iter().cloned().collect::<Vec<_>>());
    assert!(store.cause_exists(&review(), &cause("e1")).await.unwrap());
    assert!(!store.cause_exists(&review(), &cause("e2")).await.unwrap());
    let items = engine.items();
    let of = |partition: &str| -> Vec<&str> {
        let there = items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(partition));
        there.map(|item| item["sk"]["S"].as_str().unwrap()).collect()
    };
    let keys = ["CAUSE#%2F%2Fci.example.com%2Fidentity#e1", "HEAD", "LINEAGE#0000000001", "VERSION#0000000007"];
    assert_eq!(of("REVIEW#"), keys);
    let of_one = ["ANY", "FACT", "REVIEW#RR-1042"];
    assert_eq!(of("FACT#seat#"), of_one.repeat(first.seats.len()), "that there is one, a mark and an entry a person");
    assert_eq!(items.len(), keys.len() + of_one.len() * first.seats.len());

    // Whose ANY this worker wrote or read costs no call any more.
    let mut second = after(&first.head, &[]);
    second.seats = first.seats.clone();
    engine.calls();
    assert_eq!(store.commit(&second).await.unwrap(), Committed::Written);
    assert_eq!(engine.calls().len(), 1);
}

#[tokio::test]
async fn a_decision_on_an_old_head_is_superseded() {
    let store = Engine::new().store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    assert_eq!(store.commit(&issued("e2")).await.unwrap(), Committed::Superseded, "it is issued already");
    let (second, rival) = (after(&first.head, &["e2"]), after(&first.head, &["e3"]));
    assert_eq!(store.commit(&second).await.unwrap(), Committed::Written);
    assert_eq!(store.commit(&rival).await.unwrap(), Committed::Superseded);
    assert!(!store.cause_exists(&review(), &cause("e3")).await.unwrap(), "nothing of it was written");
    assert_eq!(store.head(&review()).await.unwrap(), Some(second.head));
}

#[tokio::test]
async fn a_trigger_counts_once() {
    let store = Engine::new().store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let second = after(&first.head, &["e2", "e3"]);
    store.commit(&second).await.unwrap();
    // Redelivered alone, on the old HEAD and on the new one: the cause decides before HEAD does.
    for head in [&first.head, &second.head] {
        let again = store.commit(&after(head, &["e2"])).await.unwrap();
        assert_eq!(again, Committed::AlreadyWritten(vec![cause("e2")]));
    }
    // Within a batch: those that counted are named, the new one is not.
    let mixed = store.commit(&after(&second.head, &["e4", "e3", "e2"])).await.unwrap();
    assert_eq!(mixed, Committed::AlreadyWritten(vec![cause("e2"), cause("e3")]));
    assert!(!store.cause_exists(&review(), &cause("e4")).await.unwrap());
    // Twice in one batch is once.
    let twice = after(&second.head, &["e4", "e4"]);
    assert_eq!(store.commit(&twice).await.unwrap(), Committed::Written);
    // An id collision is a cause of its own.
    let mut collision = after(&twice.head, &["e4"]);
    collision.causes[0].collision = Some(event("e4", &profile("ada", 1)).digest);
    assert_eq!(store.commit(&collision).await.unwrap(), Committed::Written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_workers_at_once_exactly_one_writes() {
    let engine = Engine::new();
    let mut head = issued("e0").head;
    engine.store().commit(&issued("e0")).await.unwrap();
    for round in 0..50 {
        let workers: Vec<_> = (0..2)
            .map(|worker| {
                let (store, commit) = (engine.store(), after(&head, &[&format!("e-{round}-{worker}")]));
                tokio::spawn(async move { (store.commit(&commit).await.unwrap(), commit) })
            })
            .collect();
        let mut outcomes = Vec::new();
        for worker in workers {
            let (outcome, commit) = worker.await.unwrap();
            if outcome == Committed::Written {
                head = commit.head;
            }
            outcomes.push(outcome);
        }
        outcomes.sort_by_key(|outcome| *outcome != Committed::Written);
        assert_eq!(outcomes, [Committed::Written, Committed::Superseded], "round {round}");
    }
    let store = engine.store();
    let lineage = store.lineage(&review(), 1).await.unwrap();
    assert_eq!(
        refresh_core::record::lineage::verify(&lineage, &store.head(&review()).await.unwrap().unwrap().lineage),
        Ok(51)
    );
}

#[tokio::test]
async fn a_decision_that_stands_on_a_fact_needs_it_unchanged() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let mut standing = after(&first.head, &["e2"]);
    standing.stands_on = Some(Standpoint::of(&profile("ada", 4)));
    assert_eq!(store.commit(&standing).await.unwrap(), Committed::Superseded, "there is no such fact");
    let other = Source::parse("//elsewhere").unwrap();
    let own = profile("ada", 4).source;
    for (revision, source, expected) in [
        (3, &own, Committed::Superseded),
        (5, &own, Committed::Superseded),
        // The number alone says nothing: by another source it is another fact.
        (4, &other, Committed::Superseded),
        (4, &own, Committed::Written),
    ] {
        let fact = Fact { source: source.clone(), ..profile("ada", revision) };
        let key = packet_store::key::Key::fact(&fact.subject);
        // Straight into the table: which revision came first is not the matter here.
        let event = event(&format!("p{revision}-{source}"), &fact);
        engine.raw(
            "DeleteItem",
            &serde_json::json!({
                "TableName": "packets", "Key": { "pk": { "S": key.pk }, "sk": { "S": key.sk } }
            }),
        );
        let acceptance = packet_store::Acceptance {
            event: &event,
            disposition: refresh_core::facts::authority::Disposition::Applied,
            fact: Some(&fact),
            replaces: None,
            beside: Beside::default(),
            at: now(),
        };
        store.accept(&acceptance).await.unwrap();
        assert_eq!(store.commit(&standing).await.unwrap(), expected, "revision {revision}");
    }
}

#[tokio::test]
async fn settling_needs_the_claim_and_ends_it() {
    let store = Engine::new().store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let mut commit = after(&first.head, &["e2"]);
    commit.told = vec![settled("ada", "worker-a")];
    assert_eq!(store.commit(&commit).await.unwrap(), Committed::Superseded, "nobody claimed");
    let later = claim("worker-b", "2026-11-03T09:10:00Z");
    assert!(store.claim(&review(), &person("ada"), &later, now()).await.unwrap());
    assert_eq!(store.commit(&commit).await.unwrap(), Committed::Superseded, "somebody else claimed");
    commit.told = vec![settled("ada", "worker-b")];
    assert_eq!(store.commit(&commit).await.unwrap(), Committed::Written);
    let record = &store.told(&review()).await.unwrap()[&person("ada")];
    assert_eq!(record.told, Some(settled("ada", "").told));
    assert_eq!(record.claim, None);
}

#[tokio::test(start_paused = true)]
async fn conflicts_are_waited_out() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let second = after(&first.head, &["e2"]);
    for codes in [
        ["TransactionConflict", "None", "None"],
        ["None", "ThrottlingError", "None"],
        ["None", "None", "ProvisionedThroughputExceeded"],
    ] {
        engine.next("TransactWriteItems", cancelled(&codes));
    }
    engine.calls();
    assert_eq!(store.commit(&second).await.unwrap(), Committed::Written);
    let calls = engine.calls();
    assert_eq!(calls.len(), 4);
    let token = |call: usize| calls[call].1["ClientRequestToken"].as_str().map(str::to_owned);
    assert!(token(0).is_some());
    assert_ne!(token(0), token(3), "another try is another request to DynamoDB");
}

#[tokio::test(start_paused = true)]
async fn what_never_goes_through_is_an_error() {
    let engine = Engine::new();
    let store = engine.store();
    let mut first = issued("e1");
    (first.seats, first.seats_given) = (Vec::new(), Vec::new());
    engine.next("TransactWriteItems", cancelled(&["None", "None", "ValidationError", "None"]));
    let error = store.commit(&first).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "committing decision 1 on RR-1042: cannot be written as it is: VERSION: ValidationError"
    );
    assert!(!error.is_retryable());
    engine.next("TransactWriteItems", cancelled(&["None", "ConditionalCheckFailed", "None", "None"]));
    let error = store.commit(&first).await.unwrap_err();
    assert!(error.to_string().ends_with("LINEAGE exists already, though HEAD does not know it"), "{error}");
    for _ in 0..20 {
        engine.next("TransactWriteItems", cancelled(&["TransactionConflict", "None", "None", "None"]));
    }
    let error = store.commit(&first).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_lost_answer_is_found_written() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e1");
    engine.next("TransactWriteItems", Fault::LoseAnswer);
    assert!(store.commit(&first).await.unwrap_err().is_retryable());
    assert_eq!(store.commit(&first).await.unwrap(), Committed::AlreadyWritten(vec![cause("e1")]));
    engine.next("TransactWriteItems", Fault::LoseAnswer);
    let second = after(&first.head, &["e2"]);
    assert_eq!(engine.patient_store().commit(&second).await.unwrap(), Committed::Written, "by the SDK's token");
}

#[tokio::test]
async fn the_greatest_commit_fits_and_one_more_is_refused_unsent() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e0");
    store.commit(&first).await.unwrap();
    let ids: Vec<String> = (0..=MOST_CAUSES).map(|n| format!("c{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    store.claim(&review(), &person("ada"), &claim("w", "2026-11-03T09:10:00Z"), now()).await.unwrap();
    let fact = calendar("ada", 1, 4_000);
    let event = event("f", &fact);
    let acceptance = packet_store::Acceptance {
        event: &event,
        disposition: refresh_core::facts::authority::Disposition::Applied,
        fact: Some(&fact),
        replaces: None,
        beside: Beside::default(),
        at: now(),
    };
    assert_eq!(store.accept(&acceptance).await.unwrap(), packet_store::Accepted::Written);
    assert_eq!(store.fact(&fact.subject).await.unwrap().as_ref(), Some(&fact));

    let mut full = after(&first.head, &ids[..MOST_CAUSES]);
    full.told = vec![settled("ada", "w")];
    full.stands_on = Some(Standpoint::of(&fact));
    full.versions =
        [8, 9].map(|number| refresh_core::record::packet::Version { number, ..first.versions[0].clone() }).to_vec();
    assert_eq!(store.commit(&full).await.unwrap(), Committed::Written);

    engine.calls();
    let error = store.commit(&after(&full.head, &ids)).await.unwrap_err();
    assert!(error.to_string().contains("expected at most 10 causes in one commit, found 11"), "{error}");
    assert!(engine.calls().is_empty());
}

#[tokio::test]
async fn time_alone_moves_the_clockwork_without_an_entry() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let mut tick = after(&first.head, &[]);
    assert_eq!(tick.entry, None);
    tick.head.check_at = None;
    tick.head.notices_at = None;
    assert_eq!(store.commit(&tick).await.unwrap(), Committed::Written);
    assert_eq!(store.lineage(&review(), 1).await.unwrap().len(), 1);
    let head = engine.items().into_iter().find(|item| item["sk"]["S"] == "HEAD").unwrap();
    assert_eq!((head.get("due_at"), head.get("due_shard")), (None, None), "nothing is due, so it is not in the index");
    assert_eq!(head["counter"]["N"], "2");
    let _ = Subject::Review(review());
}
