//! What a queue promises, for any interleaving.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use lambda_shell::clock::Clock;
use proptest::prelude::*;

use super::*;
use crate::{embedded::Embedded, topology};

fn wiring(fifo: bool) -> topology::Queue {
    topology::Queue {
        name: if fifo { "work.fifo" } else { "work" }.to_owned(),
        fifo,
        deduplicates_by_group: true,
        delay_seconds: 0,
        visibility_seconds: 30,
        retention_seconds: 3_600,
        redrive: Some(topology::Redrive { to: "dead".to_owned(), after_receives: 3 }),
    }
}

fn send(queue: &mut Queue, group: &str, key: &str, now: i64) -> Option<u64> {
    let fifo = queue.wiring.fifo;
    let outgoing = Outgoing {
        body: key.to_owned(),
        group: Some(group.to_owned()),
        deduplication: fifo.then(|| key.to_owned()),
        ..Outgoing::default()
    };
    match queue.prepare(outgoing, now).unwrap() {
        queue::Prepared::New(message) => {
            let sequence = message.sequence;
            queue.add(message);
            Some(sequence)
        }
        queue::Prepared::Duplicate(_) => None,
    }
}

#[derive(Clone, Debug)]
enum Step {
    Send { group: u8, key: u8 },
    Receive { most: usize },
    Delete { which: usize },
    GiveBack { which: usize },
    Wait { seconds: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..3u8, 0..20u8).prop_map(|(group, key)| Step::Send { group, key }),
        3 => (1..=10usize).prop_map(|most| Step::Receive { most }),
        2 => (0..8usize).prop_map(|which| Step::Delete { which }),
        1 => (0..8usize).prop_map(|which| Step::GiveBack { which }),
        2 => (1..200i64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

proptest! {
    /// Order within a group, nobody overtakes what is in flight, nothing is lost or handed out too often.
    #[test]
    fn a_fifo_queue_keeps_its_promises(steps in prop::collection::vec(step(), 1..120)) {
        let mut queue = Queue::new(wiring(true));
        let mut now = 1_000_000;
        let mut sent: BTreeSet<u64> = BTreeSet::new();
        let mut seen: BTreeMap<(u8, u8), i64> = BTreeMap::new();
        let mut held: Vec<Delivery> = Vec::new();
        for step in steps {
            match step {
                Step::Send { group, key } => {
                    let known = seen.get(&(group, key)).is_some_and(|until| *until > now);
                    let accepted = send(&mut queue, &format!("g{group}"), &format!("{group}-{key}"), now);
                    prop_assert_eq!(accepted.is_none(), known, "duplicate exactly within five minutes");
                    if let Some(sequence) = accepted {
                        sent.insert(sequence);
                        seen.insert((group, key), now + 300_000);
                    }
                }
                Step::Receive { most } => {
                    let received = queue.receive(most, 30_000, now);
                    prop_assert!(received.deliveries.len() <= most);
                    for gone in received.moved.iter().map(|m| m.sequence).chain(received.expired.iter().map(|m| m.sequence)) {
                        prop_assert!(sent.remove(&gone));
                    }
                    held.retain(|one| one.message.visible_at > now);
                    for delivery in &received.deliveries {
                        let group = &delivery.message.group;
                        prop_assert!(delivery.message.receives <= 3);
                        prop_assert!(
                            held.iter().all(|one| one.message.group != *group),
                            "a group with a message in flight is blocked"
                        );
                    }
                    let mut by_group: BTreeMap<_, Vec<u64>> = BTreeMap::new();
                    for one in &received.deliveries {
                        by_group.entry(one.message.group.clone()).or_default().push(one.message.sequence);
                    }
                    for (group, handed) in by_group {
                        // Exactly the first ones that are left of the group, in order.
                        let left: Vec<u64> =
                            queue.messages().filter(|m| m.group == group).map(|m| m.sequence).collect();
                        prop_assert_eq!(&left[..handed.len()], &handed[..]);
                    }
                    held.extend(received.deliveries);
                }
                Step::Delete { which } => {
                    if !held.is_empty() {
                        let one = held.remove(which % held.len());
                        let late = one.message.visible_at <= now;
                        let outcome = queue.delete(one.receipt, now);
                        if late {
                            prop_assert!(!matches!(outcome, Ok(Some(_))), "too late: another may hold it");
                        } else {
                            prop_assert_eq!(outcome.unwrap().map(|m| m.sequence), Some(one.receipt.sequence));
                            sent.remove(&one.receipt.sequence);
                        }
                    }
                }
                Step::GiveBack { which } => {
                    if !held.is_empty() {
                        let one = held.remove(which % held.len());
                        let outcome = queue.change_visibility(one.receipt, 0, now);
                        prop_assert_eq!(outcome.is_ok(), one.message.visible_at > now);
                    }
                }
                Step::Wait { seconds } => now += seconds * 1_000,
            }
            let there: BTreeSet<u64> = queue.messages().map(|message| message.sequence).collect();
            prop_assert_eq!(&there, &sent, "exactly what was sent and not finished");
            prop_assert_eq!(queue.next_at().is_some(), !sent.is_empty(), "what is there will come");
        }
        // Left alone, everything comes out or ends dead-lettered.
        for _ in 0..20 {
            now += 60_000;
            let received = queue.receive(10, 30_000, now);
            for one in received.deliveries {
                queue.delete(one.receipt, now).unwrap();
            }
        }
        while let Some(at) = queue.next_at() {
            now = now.max(at);
            for one in queue.receive(10, 30_000, now).deliveries {
                queue.delete(one.receipt, now).unwrap();
            }
        }
        prop_assert_eq!(queue.messages().count(), 0);
    }
}

#[test]
fn a_message_received_too_often_is_moved_and_the_next_of_its_group_comes() {
    let mut queue = Queue::new(wiring(true));
    send(&mut queue, "g", "poison", 0);
    send(&mut queue, "g", "after", 0);
    for receive in 1..=3 {
        let received = queue.receive(1, 1_000, receive * 1_000);
        assert_eq!(received.deliveries[0].message.body, "poison");
        assert_eq!(received.deliveries[0].message.receives, u32::try_from(receive).unwrap());
    }
    let received = queue.receive(1, 1_000, 4_000);
    assert_eq!(received.moved.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["poison"]);
    assert_eq!(received.deliveries[0].message.body, "after");
}

#[test]
fn a_delayed_message_comes_at_its_instant_and_not_before() {
    let mut queue = Queue::new(wiring(false));
    let delayed = Outgoing { body: "x".to_owned(), delay_seconds: Some(120), ..Outgoing::default() };
    let queue::Prepared::New(message) = queue.prepare(delayed, 0).unwrap() else { panic!() };
    queue.add(message);
    assert_eq!(queue.next_at(), Some(120_000));
    assert!(queue.receive(10, 30_000, 119_999).deliveries.is_empty());
    assert_eq!(queue.receive(10, 30_000, 120_000).deliveries.len(), 1);
}

#[test]
fn an_old_receipt_deletes_nothing() {
    let mut queue = Queue::new(wiring(false));
    send(&mut queue, "g", "x", 0);
    let first = queue.receive(1, 1_000, 0).deliveries.remove(0);
    let second = queue.receive(1, 1_000, 1_000).deliveries.remove(0);
    assert_eq!(queue.delete(first.receipt, 1_000), Ok(None));
    assert!(queue.delete(second.receipt, 1_000).unwrap().is_some());
}

fn refusal(queue: &mut Queue, outgoing: Outgoing) -> Refusal {
    match queue.prepare(outgoing, 0) {
        Err(refusal) => refusal,
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn what_sqs_refuses_is_refused() {
    let body = || Outgoing { body: "x".to_owned(), ..Outgoing::default() };
    let grouped = || Outgoing { group: Some("g".to_owned()), ..body() };
    let mut fifo = Queue::new(wiring(true));
    assert_eq!(refusal(&mut fifo, body()), Refusal::MissingParameter("MessageGroupId"));
    assert!(matches!(refusal(&mut fifo, grouped()), Refusal::InvalidParameter(_)), "no deduplication id");
    let delayed = Outgoing { delay_seconds: Some(1), deduplication: Some("k".to_owned()), ..grouped() };
    assert!(matches!(refusal(&mut fifo, delayed), Refusal::InvalidParameter(_)), "no delay for one message");
    let mut standard = Queue::new(wiring(false));
    assert_eq!(refusal(&mut standard, Outgoing::default()), Refusal::MissingParameter("MessageBody"));
    let large = Outgoing { body: "x".repeat(1_048_577), ..Outgoing::default() };
    assert!(matches!(refusal(&mut standard, large), Refusal::InvalidParameter(_)));
    let late = Outgoing { delay_seconds: Some(901), ..body() };
    assert!(matches!(refusal(&mut standard, late), Refusal::InvalidParameter(_)));
}

async fn on(database: &Embedded, hand: &Arc<AtomicI64>) -> Queues {
    let topology = Topology::of_the_bundle().unwrap();
    let journal = Journal::table(database).await.unwrap();
    Queues::open(&topology, journal, Clock::steered(hand.clone())).await.unwrap()
}

/// The process ends without a word between any two lines: what was accepted is there when the next one opens.
#[tokio::test]
async fn what_is_accepted_survives_the_process() {
    let (database, hand) = (Embedded::memory().unwrap(), Arc::new(AtomicI64::new(1_000)));
    let queues = on(&database, &hand).await;
    let outgoing = |body: &str| Outgoing {
        body: body.to_owned(),
        group: Some("RR-1".to_owned()),
        deduplication: Some(body.to_owned()),
        ..Outgoing::default()
    };
    queues.send_all("refresh.fifo", ["a", "b", "c"].map(outgoing).to_vec()).await.unwrap();
    let later = Outgoing { body: "later".to_owned(), delay_seconds: Some(120), ..Outgoing::default() };
    queues.send("notices", later).await.unwrap();
    let held = queues.receive("refresh.fifo", 1, None).await.unwrap();
    queues.delete("refresh.fifo", held[0].receipt).await.unwrap();
    queues.receive("refresh.fifo", 1, None).await.unwrap();
    drop(queues);

    let queues = on(&database, &hand).await;
    let left = queues.receive("refresh.fifo", 10, None).await.unwrap();
    let left: Vec<_> = left.iter().map(|one| one.message.body.as_str()).collect();
    assert_eq!(left, ["b", "c"], "deleted stays deleted, in flight is visible again, in order");
    assert!(queues.send("refresh.fifo", outgoing("c")).await.unwrap().duplicate, "still within five minutes");
    assert_eq!(queues.next_at("notices"), Some(121_000), "a delay goes on");
}

#[tokio::test]
async fn a_dead_letter_keeps_its_story_and_can_be_sent_again() {
    let (database, hand) = (Embedded::memory().unwrap(), Arc::new(AtomicI64::new(0)));
    let queues = on(&database, &hand).await;
    queues.send("source-events", Outgoing { body: "bad".to_owned(), ..Outgoing::default() }).await.unwrap();
    for _ in 0..5 {
        let held = queues.receive("source-events", 10, Some(60)).await.unwrap();
        queues.note_failure("source-events", held[0].receipt, "no such member").await.unwrap();
        hand.fetch_add(60_000, Ordering::SeqCst);
    }
    assert!(queues.receive("source-events", 10, None).await.unwrap().is_empty());

    let queues = on(&database, &hand).await;
    let dead = queues.look("source-events-dlq").unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].failure.as_deref(), Some("no such member"));
    assert_eq!(dead[0].moved_from.as_deref(), Some("source-events"));
    queues.redrive("source-events-dlq", dead[0].sequence).await.unwrap();
    let queues = on(&database, &hand).await;
    assert!(queues.look("source-events-dlq").unwrap().is_empty());
    let again = queues.receive("source-events", 10, None).await.unwrap();
    assert_eq!((again[0].message.body.as_str(), again[0].message.receives), ("bad", 1));
}

/// What cannot be written down did not happen: it is neither gone from where it was, nor counted, nor elsewhere.
#[tokio::test]
async fn a_full_disk_hides_and_loses_nothing() {
    let (database, hand) = (Embedded::memory().unwrap(), Arc::new(AtomicI64::new(0)));
    let queues = on(&database, &hand).await;
    let outgoing = |body: String| Outgoing { body, ..Outgoing::default() };
    let bodies = |queue: &str| {
        let mut bodies: Vec<String> = queues.look(queue).unwrap().into_iter().map(|one| one.body).collect();
        bodies.sort();
        bodies
    };
    let long = |name: &str| format!("{name}{}", "x".repeat(50_000));

    queues.send("source-events-dlq", outgoing(long("letter"))).await.unwrap();
    database.own().fill_disk(true);
    for _ in 0..2 {
        queues.redrive("source-events-dlq", 1).await.unwrap_err();
        assert_eq!(bodies("source-events-dlq"), [long("letter")], "the letter stays to be seen");
        assert!(bodies("source-events").is_empty());
    }
    database.own().fill_disk(false);
    assert_eq!(queues.redrive("source-events-dlq", 1).await, Ok(true), "without a restart");
    assert_eq!(queues.redrive("source-events-dlq", 1).await, Ok(false), "once");
    assert_eq!((bodies("source-events"), bodies("source-events-dlq").len()), (vec![long("letter")], 0));

    // Sent together or not at all; nothing is known of what was not taken.
    database.own().break_writes(true);
    let two = || vec![outgoing("short".to_owned()), outgoing(long("other"))];
    assert!(matches!(queues.send_together("source-events", two()).await, Err((None, Refusal::Unavailable(_)))));
    assert_eq!(bodies("source-events").len(), 1);
    database.own().break_writes(false);
    assert_eq!(queues.send_together("source-events", two()).await, Ok(2));

    // A hand-out that cannot be counted is none; one too many that cannot be moved stays.
    let mut most = 0;
    for round in 0..10 {
        database.own().break_writes(round % 2 == 0);
        hand.fetch_add(3_600_000, Ordering::SeqCst);
        let received = queues.receive("source-events", 10, Some(60)).await;
        assert_eq!(received.is_err(), round % 2 == 0 && round > 0, "round {round}");
        assert_eq!(bodies("source-events").len() + bodies("source-events-dlq").len(), 3, "round {round}");
        most = most.max(received.unwrap_or_default().iter().map(|one| one.message.receives).max().unwrap_or(0));
    }
    database.own().break_writes(false);
    assert_eq!(most, 5, "handed out as often as the template says, not less for the rounds that failed");
    assert_eq!((bodies("source-events").len(), bodies("source-events-dlq").len()), (0, 3));

    // What cannot be deleted is still there, in flight.
    let held = queues.receive("source-events-dlq", 1, Some(60)).await.unwrap();
    database.own().break_writes(true);
    queues.delete("source-events-dlq", held[0].receipt).await.unwrap_err();
    assert_eq!(bodies("source-events-dlq").len(), 3);
    database.own().break_writes(false);
    queues.delete("source-events-dlq", held[0].receipt).await.unwrap();
    assert_eq!(bodies("source-events-dlq").len(), 2);
}

#[tokio::test]
async fn of_messages_that_go_together_one_that_is_refused_keeps_the_others_out() {
    let (database, hand) = (Embedded::memory().unwrap(), Arc::new(AtomicI64::new(0)));
    let queues = on(&database, &hand).await;
    let of = |bytes: usize| Outgoing { body: "x".repeat(bytes), ..Outgoing::default() };
    let refused = queues.send_together("source-events", vec![of(1), of(2), of(queue::LARGEST_MESSAGE + 1)]).await;
    assert!(matches!(refused, Err((Some(2), Refusal::InvalidParameter(_)))), "{refused:?}");
    assert!(queues.look("source-events").unwrap().is_empty());
    assert_eq!(queues.send_together("source-events", vec![of(1), of(queue::LARGEST_MESSAGE)]).await, Ok(2));
    let sequences: Vec<u64> = queues.look("source-events").unwrap().iter().map(|one| one.sequence).collect();
    assert_eq!(sequences, [1, 2], "what was refused was never numbered");
}

/// Messages that a release before this one left in the embedded store are taken over once.
#[tokio::test]
async fn a_former_journal_is_taken_over() {
    let (database, hand) = (Embedded::memory().unwrap(), Arc::new(AtomicI64::new(0)));
    let former = serde_json::json!({
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" }, { "AttributeName": "sk", "AttributeType": "S" },
        ],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }, { "AttributeName": "sk", "KeyType": "RANGE" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    database.ensure_table("holdpoint-queues", &former).await.unwrap();
    let body = serde_json::json!({ "sequence": 7, "id": "n-7", "body": "kept", "sent_at": 0, "visible_at": 0 });
    let item = serde_json::json!({
        "pk": { "S": "notices" }, "sk": { "S": format!("{:020}", 7) }, "body": { "S": body.to_string() },
    });
    let put = serde_json::json!({ "TableName": "holdpoint-queues", "Item": item });
    database.ask("PutItem", put).await.unwrap();
    for _ in 0..2 {
        let queues = on(&database, &hand).await;
        let found = queues.look("notices").unwrap();
        assert_eq!(found.iter().map(|one| (one.sequence, one.body.as_str())).collect::<Vec<_>>(), [(7, "kept")]);
    }
    assert!(!database.has_table("holdpoint-queues").await);
}

/// An attempt that failed for the store's sake is none, and its group goes on in order.
#[test]
fn what_is_given_back_was_no_attempt_and_comes_again_in_a_moment() {
    for fifo in [false, true] {
        let mut queue = Queue::new(wiring(fifo));
        for key in ["a", "b"] {
            send(&mut queue, "g", key, 0);
        }
        for round in 0..20 {
            let now = 10_000 * round;
            let received = queue.receive(10, 30_000, now);
            assert_eq!((received.deliveries.len(), received.moved.len()), (2, 0), "round {round}");
            assert!(received.deliveries.iter().all(|one| one.message.receives == 1));
            received.deliveries.iter().for_each(|one| queue.give_back(one.receipt, now));
            assert!(queue.receive(10, 30_000, now).deliveries.is_empty(), "not at once");
            assert_eq!(queue.next_at(), Some(now + 1_000));
        }
        let last = queue.receive(10, 30_000, 1_000_000).deliveries;
        let order: Vec<u64> = last.iter().map(|one| one.receipt.sequence).collect();
        assert_eq!(order, [1, 2]);
        // A hand-out that was given back is nobody's any more.
        queue.give_back(last[0].receipt, 1_000_000);
        queue.give_back(last[0].receipt, 1_000_000);
        assert_eq!(queue.messages().map(|message| message.receives).collect::<Vec<_>>(), [0, 1]);
    }
}

#[test]
fn what_a_clock_ahead_put_off_is_due_once_the_clock_is_right() {
    for (put_off, due) in [(86_400_000, true), (901_000, true), (900_000, false), (0, false)] {
        let mut queue = Queue::new(wiring(false));
        send(&mut queue, "g", "a", 5_000 + put_off);
        queue.bring_forward(5_000);
        let expected = if due { 5_000 } else { 5_000 + put_off };
        assert_eq!(queue.next_at(), Some(expected), "{put_off}");
    }
}
