//! Sending to a queue: one message or many, every entry that failed followed until it is through or named.

use std::{error::Error, fmt, time::Duration};

use aws_sdk_sqs::{
    Client,
    types::{MessageAttributeValue, SendMessageBatchRequestEntry},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{failure::chained, jitter::Jitter};

/// SQS: entries of one call.
pub const MOST_ENTRIES: usize = 10;
/// SQS: bytes of one message, and of one call.
pub const MOST_BYTES: usize = 1_048_576;
/// SQS: the longest delay of one message.
pub const LONGEST_DELAY_SECONDS: u32 = 900;
/// SQS: characters of a group or deduplication id.
const LONGEST_ID: usize = 128;
/// How often an entry that failed for no fault of ours is sent again, beyond the SDK's own retries of whole calls.
const ROUNDS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// A queue of SQS.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The client that sends.
    pub client: Client,
    /// The queue's address.
    pub url: String,
    /// Spreads the pauses between rounds.
    jitter: Jitter,
}

/// A message to send.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outgoing {
    /// The body: 1 to [`MOST_BYTES`] bytes, attributes included, of characters that SQS allows.
    pub body: String,
    /// The group of a FIFO queue, the tenant of a fair one. Any text: what SQS would refuse is sent as its digest.
    pub group: Option<String>,
    /// FIFO queues only. Any text, like the group.
    pub deduplication: Option<String>,
    /// Standard queues only, at most [`LONGEST_DELAY_SECONDS`].
    pub delay_seconds: u32,
    /// Message attributes of type String: name and value. An empty value is left out.
    pub attributes: Vec<(String, String)>,
}

impl Outgoing {
    /// A body of JSON, with the two characters escaped that JSON allows and SQS refuses.
    ///
    /// # Errors
    ///
    /// The value cannot be written as JSON.
    pub fn json<T: Serialize>(value: &T) -> Result<Self, serde_json::Error> {
        let body = serde_json::to_string(value)?;
        // They can stand only inside a JSON string, where the escape means the same.
        let body = body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
        Ok(Self { body, ..Self::default() })
    }

    /// The message of a FIFO queue's group, known by its content: sent twice within five minutes it arrives once.
    pub fn in_group(self, group: impl Into<String>) -> Self {
        let mut hash = Sha256::new();
        for (name, value) in &self.attributes {
            hash.update(name.as_bytes());
            hash.update([0]);
            hash.update(value.as_bytes());
            hash.update([0]);
        }
        hash.update(self.body.as_bytes());
        Self { group: Some(group.into()), deduplication: Some(hex(&hash.finalize())), ..self }
    }

    /// The message, delayed by so many seconds, at most [`LONGEST_DELAY_SECONDS`].
    pub fn delayed(self, delay_seconds: u32) -> Self {
        Self { delay_seconds: delay_seconds.min(LONGEST_DELAY_SECONDS), ..self }
    }

    fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + value.len() + "String".len());
        self.body.len() + attributes.sum::<usize>()
    }
}

impl Queue {
    /// The queue at an address.
    pub fn new(client: Client, url: impl Into<String>, jitter: Jitter) -> Self {
        Self { client, url: url.into(), jitter }
    }

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// SQS would refuse the message, or the call failed after the SDK's own retries.
    pub async fn send(&self, message: Outgoing) -> Result<(), QueueError> {
        self.check(&message)?;
        let request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .set_message_group_id(message.group.as_deref().map(fitting))
            .set_message_deduplication_id(message.deduplication.as_deref().map(fitting))
            .set_delay_seconds(seconds(&message))
            .set_message_attributes(attributes(&message))
            .message_body(message.body);
        request.send().await.map(drop).map_err(|error| QueueError::call(self.name(), error))
    }

    /// In calls of ten entries and one mebibyte at most. On an error some may have been sent: sending all again is the
    /// caller's answer, and harmless since every message of ours is.
    ///
    /// # Errors
    ///
    /// SQS would refuse one of the messages, a call failed, or entries still fail after five rounds.
    pub async fn send_all(&self, messages: Vec<Outgoing>) -> Result<(), QueueError> {
        for message in &messages {
            self.check(message)?;
        }
        let mut call: Vec<Outgoing> = Vec::new();
        let mut bytes = 0;
        for message in messages {
            if call.len() == MOST_ENTRIES || bytes + message.bytes() > MOST_BYTES {
                self.send_call(std::mem::take(&mut call)).await?;
                bytes = 0;
            }
            bytes += message.bytes();
            call.push(message);
        }
        if call.is_empty() { Ok(()) } else { self.send_call(call).await }
    }

    async fn send_call(&self, mut left: Vec<Outgoing>) -> Result<(), QueueError> {
        for round in 0..ROUNDS {
            if round > 0 {
                // Callers that failed together do not come back together.
                let ceiling = FIRST_PAUSE * 2_u32.saturating_pow(round);
                tokio::time::sleep(self.jitter.under(ceiling)).await;
            }
            let entries = left.iter().enumerate().map(|(index, message)| entry(index, message));
            let entries =
                entries.collect::<Result<Vec<_>, _>>().map_err(|error| QueueError::call(self.name(), error))?;
            let sent = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
            let sent = sent.map_err(|error| QueueError::call(self.name(), error))?;
            if let Some(refused) = sent.failed().iter().find(|failed| failed.sender_fault()) {
                return Err(QueueError::refused(self.name(), refused.code()));
            }
            // What is not named as sent is not taken as sent.
            let through: Vec<usize> = sent.successful().iter().filter_map(|entry| entry.id().parse().ok()).collect();
            let mut index = 0;
            left.retain(|_| {
                index += 1;
                !through.contains(&(index - 1))
            });
            if left.is_empty() {
                return Ok(());
            }
        }
        Err(QueueError::left_over(self.name(), left.len()))
    }

    fn is_fifo(&self) -> bool {
        self.url.ends_with(".fifo")
    }

    /// The queue's name alone: its address holds the account.
    fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or(&self.url)
    }

    /// What SQS would refuse, named before it is asked.
    fn check(&self, message: &Outgoing) -> Result<(), QueueError> {
        let refuse = |why: String| Err(QueueError { queue: self.name().to_owned(), why, retryable: false });
        if message.body.is_empty() || message.bytes() > MOST_BYTES {
            return refuse(format!("expected a message of 1 to {MOST_BYTES} bytes, found {}", message.bytes()));
        }
        if let Some(found) = message.body.chars().find(|c| !is_allowed(*c)) {
            return refuse(format!("expected characters that SQS allows, found U+{:04X}", u32::from(found)));
        }
        if message.delay_seconds > LONGEST_DELAY_SECONDS {
            return refuse(format!(
                "expected a delay of at most {LONGEST_DELAY_SECONDS} s, found {}",
                message.delay_seconds
            ));
        }
        match (self.is_fifo(), message) {
            (true, Outgoing { group: None, .. }) => refuse("expected a group for a FIFO queue, found none".into()),
            (true, Outgoing { delay_seconds: 1.., .. }) => refuse("a FIFO queue delays no single message".into()),
            (false, Outgoing { deduplication: Some(_), .. }) => refuse("a standard queue deduplicates nothing".into()),
            _ => Ok(()),
        }
    }
}

fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Ids that SQS takes pass as they are, so that an operator reads them; others become their digest. A text that
/// looks like such a digest is digested too, or one could pose as another.
fn fitting(id: &str) -> String {
    const MARK: &str = "sha256:";
    let fits =
        (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()) && !id.starts_with(MARK);
    if fits { id.to_owned() } else { format!("{MARK}{}", hex(&Sha256::digest(id.as_bytes()))) }
}

/// As `refresh_core::base::hex` writes them; this crate imports nothing of ours.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seconds(message: &Outgoing) -> Option<i32> {
    // Left out where it is zero: a FIFO queue refuses the member, and a standard one has its own default.
    (message.delay_seconds > 0).then_some(message.delay_seconds).and_then(|seconds| i32::try_from(seconds).ok())
}

fn attributes(message: &Outgoing) -> Option<std::collections::HashMap<String, MessageAttributeValue>> {
    if message.attributes.iter().all(|(_, text)| text.is_empty()) {
        return None;
    }
    let value = |text: &str| {
        // They say something about the message; one odd character in them must not keep it from being sent.
        let text: String = text.chars().map(|c| if is_allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect();
        MessageAttributeValue::builder().data_type("String").string_value(text).build().expect("the data type is set")
    };
    // SQS refuses an empty value, which says nothing anyway.
    let said = message.attributes.iter().filter(|(_, text)| !text.is_empty());
    Some(said.map(|(name, text)| (name.clone(), value(text))).collect())
}

fn entry(index: usize, message: &Outgoing) -> Result<SendMessageBatchRequestEntry, aws_sdk_sqs::error::BuildError> {
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(&message.body)
        .set_message_group_id(message.group.as_deref().map(fitting))
        .set_message_deduplication_id(message.deduplication.as_deref().map(fitting))
        .set_delay_seconds(seconds(message))
        .set_message_attributes(attributes(message))
        .build()
}

/// Which queue, and why it did not take the message.
#[derive(Clone, Debug)]
pub struct QueueError {
    queue: String,
    why: String,
    retryable: bool,
}

impl QueueError {
    fn call(queue: &str, error: impl Error) -> Self {
        Self { queue: queue.to_owned(), why: chained(error.to_string(), error.source()), retryable: true }
    }

    fn refused(queue: &str, code: &str) -> Self {
        Self { queue: queue.to_owned(), why: format!("refused: {code}"), retryable: false }
    }

    fn left_over(queue: &str, count: usize) -> Self {
        Self {
            queue: queue.to_owned(),
            why: format!("{count} entries still fail after {ROUNDS} rounds"),
            retryable: true,
        }
    }

    /// Whether the same message may go through later.
    pub const fn is_retryable(&self) -> bool {
        self.retryable
    }
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sending to the queue {}: {}", self.queue, self.why)
    }
}

impl Error for QueueError {}
