//! An event source mapping: takes a batch off a queue, hands it to the function, and deletes what the answer lets go.

use std::{collections::BTreeSet, time::Duration};

use aws_lambda_events::sqs::SqsEvent;
use lambda_shell::{batch::BatchReport, deadline::Deadline};
use serde_json::{Value, json};

use super::{Engine, Outcome};
use crate::{
    connector::sqs_system_attributes,
    queues::{Attribute, Delivery, Receipt, Refusal},
    topology::Mapping,
};

/// A batch that was handed over.
#[derive(Debug)]
pub struct Batch {
    pub function: String,
    pub messages: usize,
    /// `None`: the process died in it. Its messages come again when their visibility ends.
    pub done: Option<Vec<Done>>,
}

/// A batch that was taken off its queue and not handed over yet.
pub(super) struct Received {
    function: String,
    mapping: Mapping,
    deliveries: Vec<Delivery>,
}

/// What became of one message.
#[derive(Debug)]
pub struct Done {
    pub message_id: String,
    pub outcome: Result<Outcome, String>,
}

/// The event as SQS mappings send it.
pub fn sqs_event(queue: &str, deliveries: &[Delivery]) -> Value {
    let records: Vec<Value> = deliveries.iter().map(|delivery| record(queue, delivery)).collect();
    json!({ "Records": records })
}

fn record(queue: &str, delivery: &Delivery) -> Value {
    let attribute = |attribute: &Attribute| {
        json!({
            "dataType": attribute.data_type,
            "stringValue": attribute.string_value,
            "binaryValue": attribute.binary_value,
            "stringListValues": [],
            "binaryListValues": [],
        })
    };
    let attributes: serde_json::Map<String, Value> =
        delivery.message.attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
    json!({
        "messageId": delivery.message.id,
        "receiptHandle": delivery.receipt.handle(),
        "body": delivery.message.body,
        "attributes": sqs_system_attributes(delivery),
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": crate::connector::sqs_arn(queue),
        "awsRegion": "local",
    })
}

impl Engine {
    /// Takes one batch for a function through its mapping. `None`: nothing is visible.
    pub async fn take_batch(&self, function: &str, deadline: Deadline) -> Result<Option<Batch>, Refusal> {
        match self.receive_for(function).await? {
            Some(received) => self.hand_over(received, deadline).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn mapping(&self, function: &str) -> Result<Mapping, Refusal> {
        let mapping = self.topology().functions.get(function).and_then(|function| function.source.clone());
        mapping.ok_or_else(|| Refusal::InvalidParameter(format!("{function} reads no queue")))
    }

    pub(super) async fn receive_for(&self, function: &str) -> Result<Option<Received>, Refusal> {
        let mapping = self.mapping(function)?;
        let deliveries = self.queues().receive(&mapping.queue, mapping.batch_size, None).await?;
        let received = Received { function: function.to_owned(), mapping, deliveries };
        Ok((!received.deliveries.is_empty()).then_some(received))
    }

    pub(super) async fn hand_over(&self, received: Received, deadline: Deadline) -> Result<Batch, Refusal> {
        let Received { function, mapping, deliveries } = received;
        let event = sqs_event(&mapping.queue, &deliveries);
        let troubles = self.embedded().guard().times();
        let report = match serde_json::from_value::<SqsEvent>(event) {
            Ok(event) => {
                let functions = self.functions();
                tokio::select! {
                    biased;
                    report = functions.batch(&function, event, deadline) => Some(report),
                    () = self.faults().crashed() => None,
                }
            }
            Err(error) => Some(Err(error.to_string())),
        };
        let done = match report {
            None => None,
            Some(Err(why)) => return Err(Refusal::InvalidParameter(why)),
            Some(Ok(report)) => {
                let settled = self.settle(&mapping, &deliveries, report).await;
                let guard = self.embedded().guard();
                if guard.times() != troubles || guard.trouble().is_some() {
                    // What failed for the store's sake comes again when the store is well, and was no attempt.
                    deliveries.iter().for_each(|one| self.queues().give_back(&mapping.queue, one.receipt));
                }
                Some(settled?)
            }
        };
        Ok(Batch { function, messages: deliveries.len(), done })
    }

    /// By the partial batch response alone: the function's word for each message is what AWS gets to see.
    async fn settle(
        &self,
        mapping: &Mapping,
        deliveries: &[Delivery],
        report: BatchReport<Outcome>,
    ) -> Result<Vec<Done>, Refusal> {
        let kept = kept(mapping.reports_item_failures, deliveries, &report);
        let gone: Vec<Receipt> =
            deliveries.iter().filter(|one| !kept.contains(&one.message.id)).map(|one| one.receipt).collect();
        self.queues().delete_all(&mapping.queue, &gone).await?;
        let refused = report.refused.as_ref().map(lambda_shell::Failure::chain);
        for delivery in deliveries.iter().filter(|one| kept.contains(&one.message.id)) {
            let failure = report.failures().find(|(id, _)| *id == delivery.message.id);
            let failure = failure.map(|(_, failure)| failure.chain()).or_else(|| refused.clone());
            let failure = failure.unwrap_or_else(|| "the batch failed as a whole".to_owned());
            self.queues().note_failure(&mapping.queue, delivery.receipt, &failure).await?;
        }
        Ok(report
            .outcomes
            .into_iter()
            .map(|(message_id, outcome)| Done { message_id, outcome: outcome.map_err(|failure| failure.chain()) })
            .collect())
    }
}

/// Which messages stay on the queue. An answer that AWS could not make sense of keeps them all.
fn kept(reports_item_failures: bool, deliveries: &[Delivery], report: &BatchReport<Outcome>) -> BTreeSet<String> {
    let all: BTreeSet<String> = deliveries.iter().map(|one| one.message.id.clone()).collect();
    let Ok(response) = report.response() else { return all };
    let failed: BTreeSet<String> =
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect();
    if failed.is_empty() {
        return BTreeSet::new();
    }
    if !reports_item_failures || !failed.is_subset(&all) {
        return all;
    }
    failed
}

/// How long an invocation of a function may take.
pub(super) fn deadline(engine: &Engine, function: &str) -> Deadline {
    let seconds = engine.topology().functions.get(function).map_or(30, |function| function.timeout_seconds);
    Deadline::after(Duration::from_secs(u64::from(seconds)))
}
