//! The operator's requests on a deployment: the same store, and the queues of AWS, found by the stack's name.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_sqs::{error::DisplayErrorContext, types::MessageSystemAttributeName};
use lambda_shell::{
    aws::{self, Patience},
    clock::Clock,
    queue::{Outgoing, Queue},
};
use packet_store::Store;
use refresh_core::Instant;
use serde_json::{Value, json};

use super::{Request, reviews, show, verified};
use crate::topology::Topology;

/// How long a listed dead letter is hidden from the next listing: SQS knows no looking without taking.
const HIDDEN_SECONDS: i32 = 5;
/// How often a queue is asked again; one answer shows only some of its messages.
const ROUNDS: usize = 20;

pub struct Stack {
    topology: Topology,
    store: Store,
    sqs: aws_sdk_sqs::Client,
    /// Before every queue's name.
    prefix: String,
}

/// A dead letter as it was received.
struct Letter {
    body: String,
    attributes: Vec<(String, String)>,
    group: Option<String>,
    receipt: String,
    line: Value,
}

impl Stack {
    /// With the credentials and the region of the shell.
    pub async fn connect(name: &str) -> Result<Self, String> {
        let sdk = aws::sdk_config(Patience::Queue).await;
        Self::of(&sdk, &format!("{name}-packets"), format!("{name}-"))
    }

    pub fn of(sdk: &SdkConfig, table: &str, prefix: String) -> Result<Self, String> {
        Ok(Self {
            topology: Topology::of_the_bundle()?,
            store: Store::new(aws_sdk_dynamodb::Client::new(sdk), table),
            sqs: aws_sdk_sqs::Client::new(sdk),
            prefix,
        })
    }

    pub async fn perform(&self, request: Request) -> Result<Value, String> {
        let now = Instant::from_millis(Clock::system().now_millis());
        match request {
            Request::Reviews => reviews(&self.store, now).await,
            Request::Show(review) => show(&self.store, now, &review).await,
            Request::Verify(review) => verified(&self.store, review.as_ref()).await,
            Request::Send(events) => self.send(events).await,
            Request::DeadLetters => self.redrive(false).await,
            Request::Redrive => self.redrive(true).await,
            Request::Invoke { function, .. } => {
                Err(format!("functions of a deployment are invoked by `aws lambda invoke`; {function} runs here alone"))
            }
        }
    }

    async fn queue(&self, name: &str) -> Result<Queue, String> {
        let name = format!("{}{name}", self.prefix);
        let found = self.sqs.get_queue_url().queue_name(&name).send().await;
        let found = found.map_err(|error| format!("finding the queue {name}: {}", DisplayErrorContext(error)))?;
        let url = found.queue_url().ok_or_else(|| format!("finding the queue {name}: expected its URL"))?;
        Ok(Queue::new(self.sqs.clone(), url))
    }

    async fn send(&self, events: Vec<String>) -> Result<Value, String> {
        let source = self.topology.functions.get("ingest").and_then(|function| function.source.as_ref());
        let queue = self.queue(source.map_or("", |source| &source.queue)).await?;
        let sent = events.len();
        let messages = events.into_iter().map(|body| Outgoing { body, ..Outgoing::default() });
        queue.send_all(messages.collect()).await.map_err(|error| error.to_string())?;
        Ok(json!({ "sent": sent }))
    }

    /// Lists the dead letters; sends each again before it is deleted, so that none is lost in between.
    async fn redrive(&self, again: bool) -> Result<Value, String> {
        let (mut queues, mut sent) = (BTreeMap::new(), 0);
        for (dead, source) in self.topology.dead_letter_queues() {
            let (from, to) = (self.queue(&dead.name).await?, self.queue(&source.name).await?);
            let mut lines = Vec::new();
            for letter in self.letters(&from).await? {
                if again {
                    let outgoing = Outgoing {
                        body: letter.body,
                        // What was said about it is about the delivery that failed.
                        attributes: letter
                            .attributes
                            .into_iter()
                            .filter(|(name, _)| name != "faults" && name != "reason")
                            .collect(),
                        ..Outgoing::default()
                    };
                    let outgoing = match letter.group.filter(|_| source.fifo) {
                        Some(group) => outgoing.in_group(group),
                        None => outgoing,
                    };
                    to.send(outgoing).await.map_err(|error| error.to_string())?;
                    let deleted = self.sqs.delete_message().queue_url(&from.url).receipt_handle(letter.receipt);
                    deleted.send().await.map_err(|error| format!("deleting: {}", DisplayErrorContext(error)))?;
                    sent += 1;
                }
                lines.push(letter.line);
            }
            queues.insert(dead.name.clone(), lines);
        }
        Ok(json!({ "queues": queues, "sent_again": sent }))
    }

    async fn letters(&self, queue: &Queue) -> Result<Vec<Letter>, String> {
        let mut letters: BTreeMap<String, Letter> = BTreeMap::new();
        for _ in 0..ROUNDS {
            let received = self
                .sqs
                .receive_message()
                .queue_url(&queue.url)
                .max_number_of_messages(10)
                .visibility_timeout(HIDDEN_SECONDS)
                .message_attribute_names("All")
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .send()
                .await
                .map_err(|error| format!("reading {}: {}", queue.url, DisplayErrorContext(error)))?;
            let before = letters.len();
            for message in received.messages() {
                let id = message.message_id().unwrap_or_default().to_owned();
                letters.entry(id).or_insert_with(|| letter(message));
            }
            if letters.len() == before {
                break;
            }
        }
        Ok(letters.into_values().collect())
    }
}

fn letter(message: &aws_sdk_sqs::types::Message) -> Letter {
    let system = |name: MessageSystemAttributeName| message.attributes().and_then(|all| all.get(&name)).cloned();
    let attributes: Vec<(String, String)> = message
        .message_attributes()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.string_value()?.to_owned())))
        .collect();
    let why = ["faults", "reason"].into_iter().find_map(|wanted| attributes.iter().find(|(name, _)| name == wanted));
    let sent_at = system(MessageSystemAttributeName::SentTimestamp).and_then(|at| at.parse().ok());
    let line = json!({
        "message_id": message.message_id(),
        "sent_at": sent_at.map(Instant::from_millis),
        "receives": system(MessageSystemAttributeName::ApproximateReceiveCount),
        "why": why.map(|(_, text)| text.clone()),
        "body": message.body(),
    });
    Letter {
        body: message.body().unwrap_or_default().to_owned(),
        attributes,
        group: system(MessageSystemAttributeName::MessageGroupId),
        receipt: message.receipt_handle().unwrap_or_default().to_owned(),
        line,
    }
}
