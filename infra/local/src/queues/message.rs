//! What is on a queue, and what is handed out of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A message to be sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outgoing {
    pub body: String,
    pub attributes: BTreeMap<String, Attribute>,
    pub group: Option<String>,
    pub deduplication: Option<String>,
    /// `None`: the queue's own delay.
    pub delay_seconds: Option<u32>,
}

/// A message attribute, as SQS has it. Only what its type says is set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    pub data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// In base64, as it came and as it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

impl Attribute {
    pub fn text(value: impl Into<String>) -> Self {
        Self { data_type: "String".to_owned(), string_value: Some(value.into()), binary_value: None }
    }
}

/// A message on a queue. This is what the journal keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stored {
    /// Rises with every message of the queue: the order of sending.
    pub sequence: u64,
    pub id: String,
    pub body: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deduplication: Option<String>,
    pub sent_at: i64,
    /// Milliseconds since 1970; not handed out before.
    pub visible_at: i64,
    /// How often it was handed out.
    #[serde(default)]
    pub receives: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_received_at: Option<i64>,
    /// The queue it was moved from, on a dead-letter queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// What the last handling said when it failed. SQS knows no such thing; an operator wants to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A message as it is handed out: in flight until it is deleted or its visibility ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    pub message: Stored,
    pub receipt: Receipt,
}

/// Names one hand-out of one message. The newest of a message counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Receipt {
    pub sequence: u64,
    pub receive: u32,
}

impl Receipt {
    pub fn handle(&self) -> String {
        format!("{:020}-{}", self.sequence, self.receive)
    }

    pub fn parse(handle: &str) -> Option<Self> {
        let (sequence, receive) = handle.split_once('-')?;
        Some(Self { sequence: sequence.parse().ok()?, receive: receive.parse().ok()? })
    }
}

/// What a queue refuses, in SQS's own words for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    NoSuchQueue(String),
    MissingParameter(&'static str),
    InvalidParameter(String),
    ReceiptHandleIsInvalid(String),
    /// The journal could not be written. Nothing was accepted.
    Unavailable(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuchQueue(name) => write!(f, "there is no queue named {name:?}"),
            Self::MissingParameter(name) => write!(f, "the request must contain the parameter {name}"),
            Self::InvalidParameter(what) => f.write_str(what),
            Self::ReceiptHandleIsInvalid(handle) => {
                write!(f, "the receipt handle {handle:?} is not, or no more, valid")
            }
            Self::Unavailable(why) => write!(f, "the queue's journal cannot be written: {why}"),
        }
    }
}

impl std::error::Error for Refusal {}
