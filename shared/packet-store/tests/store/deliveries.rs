//! What the mailer reported of a person's newest mail: it comes twice, late, in any order and beside everything else.

use refresh_core::record::delivery::{Delivery, DeliveryReport, DeliveryStatus};

use crate::support::{
    engine::{Engine, refused},
    samples::{after, claim, issued, now, person, report, review, settled},
};

async fn known(engine: &Engine, name: &str) -> Option<Delivery> {
    engine.store().told(&review()).await.unwrap().remove(&person(name)).and_then(|record| record.delivery)
}

/// Somebody who is about to be mailed.
async fn engine() -> Engine {
    let engine = Engine::new();
    let lease = claim("a", "2026-11-03T09:10:00Z");
    assert!(engine.store().claim(&review(), &person("ada"), &lease, now()).await.unwrap());
    engine
}

fn of(message: &str, mailed_at: &str, status: DeliveryStatus) -> DeliveryReport {
    report("ada", message, mailed_at, status)
}

#[tokio::test]
async fn reports_in_any_order_end_in_what_counts() {
    let first = of("m1", "2026-11-03T09:00:00Z", DeliveryStatus::Complained);
    let delayed = of("m2", "2026-11-03T09:05:00Z", DeliveryStatus::Delayed);
    let delivered = of("m2", "2026-11-03T09:05:00Z", DeliveryStatus::Delivered);
    let bounced = of("m2", "2026-11-03T09:05:00Z", DeliveryStatus::Bounced);
    let all = [&first, &delayed, &delivered, &bounced];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 3, 1, 0], [3, 0, 3, 1]] {
        let engine = engine().await;
        for index in order {
            assert!(engine.store().report(&review(), all[index]).await.unwrap());
        }
        assert_eq!(known(&engine, "ada").await.as_ref(), Some(&bounced.delivery), "{order:?}");
    }
}

#[tokio::test]
async fn the_same_report_again_writes_nothing() {
    let engine = engine().await;
    let bounced = of("m1", "2026-11-03T09:00:00Z", DeliveryStatus::Bounced);
    engine.store().report(&review(), &bounced).await.unwrap();
    engine.calls();
    engine.store().report(&review(), &bounced).await.unwrap();
    let asked: Vec<String> = engine.calls().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(asked, ["GetItem"]);
}

/// A report on a mail to nobody of that review must not make an item that would then count as somebody told.
#[tokio::test]
async fn who_was_never_mailed_gets_no_item() {
    let engine = Engine::new();
    let stranger = of("m1", "2026-11-03T09:00:00Z", DeliveryStatus::Bounced);
    assert!(!engine.store().report(&review(), &stranger).await.unwrap());
    assert!(engine.store().told(&review()).await.unwrap().is_empty());
}

/// A mail's report may be quicker than its settling, and outlives the next claim.
#[tokio::test]
async fn settling_and_claiming_leave_the_report_alone() {
    let engine = engine().await;
    let store = engine.store();
    let bounced = of("m1", "2026-11-03T09:00:00Z", DeliveryStatus::Bounced);
    store.report(&review(), &bounced).await.unwrap();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let mut commit = after(&first.head, &["e2"]);
    commit.told = vec![settled("ada", "a")];
    store.commit(&commit).await.unwrap();
    store.claim(&review(), &person("ada"), &claim("b", "2026-11-03T09:30:00Z"), now()).await.unwrap();
    let record = store.told(&review()).await.unwrap().remove(&person("ada")).unwrap();
    assert_eq!(record.told, Some(settled("ada", "").told));
    assert_eq!(record.delivery, Some(bounced.delivery));
    assert!(record.claim.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_reports_at_once_the_heaviest_is_kept() {
    let engine = engine().await;
    let statuses = [
        DeliveryStatus::Delayed,
        DeliveryStatus::Delivered,
        DeliveryStatus::Complained,
        DeliveryStatus::Bounced,
        DeliveryStatus::BouncedForNow,
    ];
    let workers: Vec<_> = statuses
        .into_iter()
        .map(|status| {
            let (store, report) = (engine.store(), of("m1", "2026-11-03T09:00:00Z", status));
            tokio::spawn(async move { store.report(&review(), &report).await.unwrap() })
        })
        .collect();
    for worker in workers {
        assert!(worker.await.unwrap());
    }
    assert_eq!(known(&engine, "ada").await.map(|delivery| delivery.status), Some(DeliveryStatus::Complained));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_meets_a_transaction_waits_for_it() {
    let engine = engine().await;
    engine.next("UpdateItem", refused("TransactionConflictException"));
    let delivered = of("m1", "2026-11-03T09:00:00Z", DeliveryStatus::Delivered);
    assert!(engine.store().report(&review(), &delivered).await.unwrap());
    assert_eq!(known(&engine, "ada").await, Some(delivered.delivery));
}
