//! SQS over the wire (JSON 1.0), answered by the queues in this process.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Reply;
use crate::queues::{self, Accepted, Attribute, Delivery, MOST_AT_ONCE, Outgoing, Queues, Receipt, Refusal};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send {
    /// The entry's id in a batch.
    #[serde(default)]
    id: String,
    message_body: String,
    delay_seconds: Option<u32>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

impl From<Send> for Outgoing {
    fn from(send: Send) -> Self {
        Self {
            body: send.message_body,
            attributes: send.message_attributes,
            group: send.message_group_id,
            deduplication: send.message_deduplication_id,
            delay_seconds: send.delay_seconds,
        }
    }
}

/// A deletion or a change of visibility, alone or as an entry.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Held {
    #[serde(default)]
    id: String,
    receipt_handle: String,
    visibility_timeout: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receive {
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u32>,
}

pub async fn serve(queues: &Queues, operation: &str, body: &[u8]) -> Reply {
    let request: Value = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(why) => return error("InvalidParameterValue", &why.to_string()),
    };
    match act(queues, operation, request).await {
        Ok(answer) => reply(200, answer),
        Err(refusal) => refused(&refusal),
    }
}

async fn act(queues: &Queues, operation: &str, request: Value) -> Result<Value, Refusal> {
    if operation == "GetQueueUrl" {
        let name = request["QueueName"].as_str().ok_or(Refusal::MissingParameter("QueueName"))?;
        queues.wiring(name)?;
        return Ok(json!({ "QueueUrl": queues::url(name) }));
    }
    if operation == "ListQueues" {
        let urls: Vec<String> = queues.names().iter().map(|name| queues::url(name)).collect();
        return Ok(json!({ "QueueUrls": urls }));
    }
    let url = request["QueueUrl"].as_str().ok_or(Refusal::MissingParameter("QueueUrl"))?.to_owned();
    let queue = queues::name_of(&url);
    match operation {
        "SendMessage" => queues.send(queue, read::<Send>(request)?.into()).await.map(|accepted| sent(&accepted)),
        "SendMessageBatch" => send_batch(queues, queue, request).await,
        "ReceiveMessage" => {
            let receive: Receive = read(request)?;
            let most = receive.max_number_of_messages.unwrap_or(1);
            if !(1..=MOST_AT_ONCE).contains(&most) {
                let what = format!("MaxNumberOfMessages {most}: between 1 and {MOST_AT_ONCE}");
                return Err(Refusal::InvalidParameter(what));
            }
            let deliveries = queues.receive(queue, most, receive.visibility_timeout).await?;
            Ok(json!({ "Messages": deliveries.iter().map(delivered).collect::<Vec<_>>() }))
        }
        "DeleteMessage" => {
            queues.delete(queue, receipt(&read::<Held>(request)?)?).await?;
            Ok(json!({}))
        }
        "DeleteMessageBatch" => {
            let held = entries::<Held>(request)?;
            let mut outcomes = Vec::new();
            for one in &held {
                let outcome = match receipt(one) {
                    Ok(receipt) => queues.delete(queue, receipt).await,
                    Err(refusal) => Err(refusal),
                };
                outcomes.push((one.id.clone(), outcome.map(|()| json!({}))));
            }
            Ok(batch(outcomes))
        }
        "ChangeMessageVisibility" => {
            change(queues, queue, &read::<Held>(request)?)?;
            Ok(json!({}))
        }
        "ChangeMessageVisibilityBatch" => {
            let held = entries::<Held>(request)?;
            let outcome = |one: &Held| (one.id.clone(), change(queues, queue, one).map(|()| json!({})));
            Ok(batch(held.iter().map(outcome).collect()))
        }
        "GetQueueAttributes" => attributes(queues, queue),
        unknown => Err(Refusal::InvalidParameter(format!("no operation {unknown:?} here"))),
    }
}

fn read<T: for<'de> Deserialize<'de>>(request: Value) -> Result<T, Refusal> {
    serde_json::from_value(request).map_err(|error| Refusal::InvalidParameter(error.to_string()))
}

fn entries<T: for<'de> Deserialize<'de>>(mut request: Value) -> Result<Vec<T>, Refusal> {
    let entries: Vec<T> = read(request["Entries"].take())?;
    if entries.is_empty() || entries.len() > MOST_AT_ONCE {
        let what = format!("a batch of {} entries: between 1 and {MOST_AT_ONCE}", entries.len());
        return Err(Refusal::InvalidParameter(what));
    }
    Ok(entries)
}

async fn send_batch(queues: &Queues, queue: &str, request: Value) -> Result<Value, Refusal> {
    let entries = entries::<Send>(request)?;
    let ids: Vec<String> = entries.iter().map(|entry| entry.id.clone()).collect();
    let outcomes = queues.send_all(queue, entries.into_iter().map(Outgoing::from).collect()).await?;
    let outcomes = outcomes.into_iter().map(|outcome| outcome.map(|accepted| sent(&accepted)));
    Ok(batch(ids.into_iter().zip(outcomes).collect()))
}

fn batch(outcomes: Vec<(String, Result<Value, Refusal>)>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, outcome) in outcomes {
        match outcome {
            Ok(mut answer) => {
                answer["Id"] = id.into();
                successful.push(answer);
            }
            Err(refusal) => {
                let (code, sender) = code(&refusal);
                failed.push(json!({
                    "Id": id, "Code": code, "SenderFault": sender, "Message": refusal.to_string(),
                }));
            }
        }
    }
    json!({ "Successful": successful, "Failed": failed })
}

fn sent(accepted: &Accepted) -> Value {
    json!({ "MessageId": accepted.id, "SequenceNumber": format!("{:020}", accepted.sequence) })
}

fn receipt(held: &Held) -> Result<Receipt, Refusal> {
    Receipt::parse(&held.receipt_handle).ok_or_else(|| Refusal::ReceiptHandleIsInvalid(held.receipt_handle.clone()))
}

fn change(queues: &Queues, queue: &str, held: &Held) -> Result<(), Refusal> {
    let seconds = held.visibility_timeout.ok_or(Refusal::MissingParameter("VisibilityTimeout"))?;
    queues.change_visibility(queue, receipt(held)?, seconds)
}

fn delivered(delivery: &Delivery) -> Value {
    let mut message = json!({
        "MessageId": delivery.message.id,
        "ReceiptHandle": delivery.receipt.handle(),
        "Body": delivery.message.body,
        "Attributes": system_attributes(delivery),
    });
    if !delivery.message.attributes.is_empty() {
        message["MessageAttributes"] = json!(delivery.message.attributes);
    }
    message
}

/// What SQS itself says about a message. The event source mapping passes the same on.
pub fn system_attributes(delivery: &Delivery) -> Map<String, Value> {
    let message = &delivery.message;
    let mut attributes = Map::new();
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            attributes.insert(name.to_owned(), value.into());
        }
    };
    set("ApproximateReceiveCount", Some(message.receives.to_string()));
    set("SentTimestamp", Some(message.sent_at.to_string()));
    set("ApproximateFirstReceiveTimestamp", message.first_received_at.map(|at| at.to_string()));
    set("MessageGroupId", message.group.clone());
    set("MessageDeduplicationId", message.deduplication.clone());
    set("SequenceNumber", message.deduplication.as_ref().map(|_| format!("{:020}", message.sequence)));
    set("DeadLetterQueueSourceArn", message.moved_from.as_deref().map(arn));
    attributes
}

pub fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:local:000000000000:{queue}")
}

fn attributes(queues: &Queues, queue: &str) -> Result<Value, Refusal> {
    let (counts, wiring) = (queues.counts(queue)?, queues.wiring(queue)?);
    let mut attributes = json!({
        "QueueArn": arn(queue),
        "ApproximateNumberOfMessages": counts.visible.to_string(),
        "ApproximateNumberOfMessagesNotVisible": counts.in_flight.to_string(),
        "ApproximateNumberOfMessagesDelayed": counts.delayed.to_string(),
        "VisibilityTimeout": wiring.visibility_seconds.to_string(),
        "DelaySeconds": wiring.delay_seconds.to_string(),
        "MessageRetentionPeriod": wiring.retention_seconds.to_string(),
    });
    if wiring.fifo {
        attributes["FifoQueue"] = "true".into();
    }
    if let Some(redrive) = wiring.redrive {
        let policy = json!({ "deadLetterTargetArn": arn(&redrive.to), "maxReceiveCount": redrive.after_receives });
        attributes["RedrivePolicy"] = policy.to_string().into();
    }
    Ok(json!({ "Attributes": attributes }))
}

/// SQS's name for a refusal, and whether it is the sender's fault.
fn code(refusal: &Refusal) -> (&'static str, bool) {
    match refusal {
        Refusal::NoSuchQueue(_) => ("QueueDoesNotExist", true),
        Refusal::MissingParameter(_) => ("MissingParameter", true),
        Refusal::InvalidParameter(_) => ("InvalidParameterValue", true),
        Refusal::ReceiptHandleIsInvalid(_) => ("ReceiptHandleIsInvalid", true),
        Refusal::Unavailable(_) => ("ServiceUnavailable", false),
    }
}

fn refused(refusal: &Refusal) -> Reply {
    let (code, sender) = code(refusal);
    let mut reply = error(code, &refusal.to_string());
    if matches!(refusal, Refusal::NoSuchQueue(_)) {
        // The one error whose name differs between the JSON protocol and the older one; clients know the older.
        let query_error = "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned();
        reply.headers.push(("x-amzn-query-error", query_error));
    }
    reply.status = if sender { 400 } else { 503 };
    reply
}

pub fn error(code: &str, message: &str) -> Reply {
    reply(400, json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": message }))
}

fn reply(status: u16, body: Value) -> Reply {
    Reply { status, headers: vec![("content-type", "application/x-amz-json-1.0".to_owned())], body: body.to_string() }
}
