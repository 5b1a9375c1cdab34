//! Where the queues' messages are kept: a table of their own in the embedded store.
//!
//! | item | key | attributes |
//! |---|---|---|
//! | message | `pk` = queue, `sk` = sequence, 20 digits | `body`: the message as JSON |

use serde_json::{Value, json};

use super::message::{Refusal, Stored};
use crate::embedded::{self, Embedded};

pub const TABLE: &str = "holdpoint-queues";

/// Most actions in one transaction.
const MOST_ACTIONS: usize = 100;

#[derive(Clone)]
pub enum Journal {
    /// Nothing outlives the process: replays and tests.
    None,
    Table(Embedded),
}

fn key(queue: &str, sequence: u64) -> Value {
    json!({ "pk": { "S": queue }, "sk": { "S": format!("{sequence:020}") } })
}

fn item(queue: &str, message: &Stored) -> Result<Value, Refusal> {
    let body = serde_json::to_string(message).map_err(|error| Refusal::Unavailable(error.to_string()))?;
    let mut item = key(queue, message.sequence);
    item["body"] = json!({ "S": body });
    Ok(item)
}

impl Journal {
    pub async fn table(database: Embedded) -> Result<Self, Refusal> {
        database.ensure_table(TABLE, &embedded::keyed_by("pk", "sk")).await.map_err(Refusal::Unavailable)?;
        Ok(Self::Table(database))
    }

    /// Every message, by queue and in order of sending.
    pub async fn read(&self) -> Result<Vec<(String, Stored)>, Refusal> {
        let Self::Table(database) = self else { return Ok(Vec::new()) };
        let items = database.scan(TABLE).await.map_err(Refusal::Unavailable)?;
        let mut messages = Vec::with_capacity(items.len());
        for item in items {
            let unreadable = |what: &str| Refusal::Unavailable(format!("{TABLE}: an item {what}: {}", item["sk"]));
            let queue = item["pk"]["S"].as_str().ok_or_else(|| unreadable("without pk"))?.to_owned();
            let body = item["body"]["S"].as_str().ok_or_else(|| unreadable("without body"))?;
            let message = serde_json::from_str::<Stored>(body).map_err(|_| unreadable("that is no message"))?;
            messages.push((queue, message));
        }
        messages.sort_by(|a, b| (&a.0, a.1.sequence).cmp(&(&b.0, b.1.sequence)));
        Ok(messages)
    }

    pub async fn put(&self, queue: &str, messages: &[Stored]) -> Result<(), Refusal> {
        let Self::Table(database) = self else { return Ok(()) };
        let actions = messages
            .iter()
            .map(|message| Ok(json!({ "Put": { "TableName": TABLE, "Item": item(queue, message)? } })))
            .collect::<Result<Vec<_>, Refusal>>()?;
        write(database, actions).await
    }

    pub async fn delete(&self, queue: &str, sequences: &[u64]) -> Result<(), Refusal> {
        let Self::Table(database) = self else { return Ok(()) };
        let delete = |sequence: &u64| json!({ "Delete": { "TableName": TABLE, "Key": key(queue, *sequence) } });
        write(database, sequences.iter().map(delete).collect()).await
    }

    /// From one queue to another in one transaction: at every moment it is on exactly one of them.
    pub async fn relocate(&self, from: &str, sequence: u64, to: &str, message: &Stored) -> Result<(), Refusal> {
        let Self::Table(database) = self else { return Ok(()) };
        let actions = vec![
            json!({ "Put": { "TableName": TABLE, "Item": item(to, message)? } }),
            json!({ "Delete": { "TableName": TABLE, "Key": key(from, sequence) } }),
        ];
        write(database, actions).await
    }
}

async fn write(database: &Embedded, actions: Vec<Value>) -> Result<(), Refusal> {
    for some in actions.chunks(MOST_ACTIONS) {
        database.transact(some).await.map_err(Refusal::Unavailable)?;
    }
    Ok(())
}
