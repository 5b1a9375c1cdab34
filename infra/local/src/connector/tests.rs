//! The three services through the real SDK clients.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use lambda_shell::clock::Clock;

use super::*;
use crate::{queues::Journal, topology::Topology};

struct Cloud {
    faults: Faults,
    mailbox: Mailbox,
    config: SdkConfig,
    table: &'static str,
    hand: Arc<AtomicI64>,
}

async fn cloud() -> Cloud {
    let topology = Topology::of_the_bundle().unwrap();
    let hand = Arc::new(AtomicI64::new(1_000));
    let clock = Clock::steered(hand.clone());
    let store = Embedded::memory().unwrap();
    store.ensure_table("packets", &topology.table.definition).await.unwrap();
    let queues = Queues::open(&topology, Journal::None, clock.clone()).await.unwrap();
    let mailbox = Mailbox::open(None, clock, crate::mailbox::Way::Kept).await.unwrap();
    let faults = Faults::default();
    let config = InProcess::new(store, queues, mailbox.clone(), faults.clone()).sdk_config();
    Cloud { faults, mailbox, config, table: "packets", hand }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

impl Cloud {
    fn put(&self, pk: &str) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(self.table)
            .item("pk", text(pk))
            .item("sk", text("HEAD"))
            .condition_expression("attribute_not_exists(pk)");
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    }

    async fn commit(&self, pks: &[&str]) -> Result<(), Vec<String>> {
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        let mut transaction = client.transact_write_items();
        for pk in pks {
            transaction = transaction.transact_items(self.put(pk));
        }
        match transaction.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = error.into_service_error();
                let reasons = match &error {
                    aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
                        cancelled,
                    ) => cancelled.cancellation_reasons(),
                    _ => &[],
                };
                let mut codes: Vec<String> =
                    reasons.iter().map(|reason| reason.code().unwrap_or_default().to_owned()).collect();
                if codes.is_empty() {
                    codes.push(error.meta().code().unwrap_or_default().to_owned());
                }
                Err(codes)
            }
        }
    }

    async fn exists(&self, pk: &str) -> bool {
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        let got = client.get_item().table_name(self.table).key("pk", text(pk)).key("sk", text("HEAD"));
        got.consistent_read(true).send().await.unwrap().item.is_some()
    }
}

#[tokio::test]
async fn a_cancelled_transaction_names_its_reasons_by_position() {
    let cloud = cloud().await;
    cloud.commit(&["a"]).await.unwrap();
    assert_eq!(cloud.commit(&["b", "a", "c"]).await.unwrap_err(), ["None", "ConditionalCheckFailed", "None"]);
    assert!(!cloud.exists("b").await, "all or nothing");
}

#[tokio::test]
async fn the_due_index_of_the_template_can_be_queried() {
    let cloud = cloud().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.config);
    for (pk, due) in [("x", Some("50")), ("y", Some("10")), ("z", None)] {
        let mut put = client.put_item().table_name(cloud.table).item("pk", text(pk)).item("sk", text("HEAD"));
        if let Some(due) = due {
            put = put.item("due_shard", text("3")).item("due_at", AttributeValue::N(due.to_owned()));
        }
        put.send().await.unwrap();
    }
    let due = client
        .query()
        .table_name(cloud.table)
        .index_name("due")
        .key_condition_expression("due_shard = :shard AND due_at <= :until")
        .expression_attribute_values(":shard", text("3"))
        .expression_attribute_values(":until", AttributeValue::N("60".to_owned()))
        .send()
        .await
        .unwrap();
    let keys: Vec<_> = due.items().iter().map(|item| item["pk"].as_s().unwrap().as_str()).collect();
    assert_eq!(keys, ["y", "x"]);
}

#[tokio::test]
async fn messages_travel_through_the_sdk() {
    let cloud = cloud().await;
    let client = aws_sdk_sqs::Client::new(&cloud.config);
    let url = crate::queues::url("refresh.fifo");
    let entry = |id: &str, group: &str, key: &str| {
        SendMessageBatchRequestEntry::builder()
            .id(id)
            .message_body(format!("body {id}"))
            .message_group_id(group)
            .message_deduplication_id(key)
            .build()
            .unwrap()
    };
    let sent = client
        .send_message_batch()
        .queue_url(&url)
        .entries(entry("0", "RR-1", "k0"))
        .entries(entry("1", "RR-1", "k1"))
        .entries(entry("2", "RR-1", "k0"))
        .send()
        .await
        .unwrap();
    assert_eq!(sent.successful().len(), 3, "a duplicate is accepted like its first");
    let received = client.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap();
    let bodies: Vec<_> = received.messages().iter().map(|message| message.body().unwrap()).collect();
    assert_eq!(bodies, ["body 0", "body 1"]);
    let handle = received.messages()[0].receipt_handle().unwrap();
    client.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
    let attributes = client.get_queue_attributes().queue_url(&url).send().await.unwrap();
    let in_flight = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
    assert_eq!(attributes.attributes().unwrap()[&in_flight], "1");
}

#[tokio::test]
async fn what_a_queue_refuses_is_a_typed_error() {
    let cloud = cloud().await;
    let client = aws_sdk_sqs::Client::new(&cloud.config);
    let url = crate::queues::url("nowhere");
    let error = client.send_message().queue_url(url).message_body("x").send().await.unwrap_err();
    assert!(error.into_service_error().is_queue_does_not_exist());
    let url = crate::queues::url("notices");
    let error = client.send_message().queue_url(url).message_body("x").delay_seconds(901).send().await.unwrap_err();
    assert_eq!(error.into_service_error().meta().code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn mail_is_kept_byte_for_byte() {
    use aws_sdk_sesv2::{
        primitives::Blob,
        types::{Destination, EmailContent, MessageTag, RawMessage},
    };
    let cloud = cloud().await;
    cloud.hand.store(7_000, Ordering::SeqCst);
    let raw = b"Subject: x\r\n\r\n\xff body \x00\r\n".to_vec();
    let content =
        EmailContent::builder().raw(RawMessage::builder().data(Blob::new(raw.clone())).build().unwrap()).build();
    let client = aws_sdk_sesv2::Client::new(&cloud.config);
    let sent = client
        .send_email()
        .from_email_address("holdpoint@example.com")
        .destination(Destination::builder().to_addresses("a@example.com").build())
        .content(content)
        .email_tags(MessageTag::builder().name("oid").value("1").build().unwrap())
        .send()
        .await
        .unwrap();
    let mail = cloud.mailbox.mail(1).unwrap();
    assert_eq!(sent.message_id(), Some(mail.message_id.as_str()));
    assert_eq!((mail.raw, mail.at, mail.to), (raw, 7_000, vec!["a@example.com".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn throttling_and_lost_answers_are_the_sdks_to_retry() {
    for fault in [Fault::Throttled, Fault::LostResponse] {
        let cloud = cloud().await;
        let left = AtomicU64::new(2);
        cloud.faults.inject(move |_| {
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).ok().map(|_| fault)
        });
        // The second attempt carries the token of the first, so its own effect does not stand in its way.
        cloud.commit(&["a"]).await.unwrap();
        assert_eq!(cloud.faults.calls(), 3, "{fault:?}");
        assert!(cloud.exists("a").await);
    }
}

/// What is written to it, for a test to read.
#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// There are no connections here, so nothing that goes wrong is an error of one.
#[tokio::test(start_paused = true)]
async fn a_call_that_fails_is_no_error_of_a_connection() {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).with_writer(move || writer.clone());
    let _log = tracing::subscriber::set_default(log.finish());
    for fault in [Fault::Throttled, Fault::LostResponse, Fault::Conflict] {
        let cloud = cloud().await;
        cloud.faults.inject(move |_| Some(fault));
        cloud.commit(&["a"]).await.unwrap_err();
    }
    tracing::error!("the log is read");
    let said = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(said.contains("the log is read") && !said.contains("connection"), "{said}");
}

#[tokio::test]
async fn a_conflict_is_the_callers_to_retry() {
    let cloud = cloud().await;
    cloud.faults.inject(|call| (call.number == 1).then_some(Fault::Conflict));
    assert_eq!(cloud.commit(&["a", "b"]).await.unwrap_err(), ["TransactionConflict", "None"]);
    assert!(!cloud.exists("a").await);
}

#[tokio::test]
async fn a_crash_never_answers_and_has_its_effect_or_not() {
    for (fault, done) in [(Fault::CrashBefore, false), (Fault::CrashAfter, true)] {
        let cloud = cloud().await;
        cloud.faults.inject(move |call| (call.number == 1).then_some(fault));
        tokio::select! {
            outcome = cloud.commit(&["a"]) => panic!("answered {outcome:?}"),
            () = cloud.faults.crashed() => {}
        }
        cloud.faults.clear();
        assert_eq!(cloud.exists("a").await, done, "{fault:?}");
    }
}
