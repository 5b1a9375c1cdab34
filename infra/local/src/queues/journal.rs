//! Where the queues' messages are kept: a table of the engine's own. A message is one row, however long.

use rusqlite::{Error, Transaction, params, types::Type};

use super::message::{Refusal, Stored};
use crate::{embedded::Embedded, sqlite::Sqlite};

/// Where releases before this one kept the messages: items of the embedded store, which end at 400 KB.
const FORMER_TABLE: &str = "holdpoint-queues";

#[derive(Clone)]
pub enum Journal {
    /// Nothing outlives the process: replays and tests.
    None,
    Table(Sqlite),
}

/// What is written down together, or not at all.
#[derive(Clone, Default)]
pub struct Changes {
    /// New or changed, each with its queue.
    pub put: Vec<(String, Stored)>,
    /// Gone, by queue and sequence.
    pub delete: Vec<(String, u64)>,
}

fn number(sequence: u64) -> Result<i64, Error> {
    i64::try_from(sequence).map_err(|_| Error::IntegralValueOutOfRange(0, i64::MAX))
}

impl Journal {
    /// The journal in the engine's own tables, with what the store still holds of a release before this one.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`] if the store cannot be read or written.
    pub async fn table(store: &Embedded) -> Result<Self, Refusal> {
        let tables = store.own().clone();
        if store.has_table(FORMER_TABLE).await {
            let items = store.scan(FORMER_TABLE).await.map_err(Refusal::Unavailable)?;
            let rows = items.iter().map(|item| {
                let text = |name: &str| item[name]["S"].as_str();
                let sequence = text("sk").and_then(|sequence| sequence.parse::<i64>().ok());
                let row = (text("pk")?.to_owned(), sequence?, text("body")?.to_owned());
                Some(row)
            });
            let rows: Option<Vec<_>> = rows.collect();
            let damaged = || Refusal::Unavailable(format!("{FORMER_TABLE}: an item that is no message"));
            let rows = rows.ok_or_else(damaged)?;
            let moved = tables.transact(move |transaction| {
                let mut put = transaction
                    .prepare("INSERT OR IGNORE INTO messages (queue, sequence, body) VALUES (?1, ?2, ?3)")?;
                rows.iter()
                    .try_for_each(|(queue, sequence, body)| put.execute(params![queue, sequence, body]).map(drop))
            });
            moved.await.map_err(Refusal::Unavailable)?;
            store.delete_table(FORMER_TABLE).await.map_err(Refusal::Unavailable)?;
        }
        Ok(Self::Table(tables))
    }

    /// Every message, by queue and in order of sending.
    pub async fn read(&self) -> Result<Vec<(String, Stored)>, Refusal> {
        let Self::Table(tables) = self else { return Ok(Vec::new()) };
        let read = tables.transact(|transaction| {
            let mut rows =
                transaction.prepare("SELECT queue, sequence, body FROM messages ORDER BY queue, sequence")?;
            let message = |row: &rusqlite::Row<'_>| {
                let body: String = row.get(2)?;
                let message = serde_json::from_str::<Stored>(&body);
                let message = message.map_err(|error| Error::FromSqlConversionFailure(2, Type::Text, error.into()))?;
                Ok((row.get(0)?, message))
            };
            rows.query_map([], message)?.collect()
        });
        read.await.map_err(Refusal::Unavailable)
    }

    /// All of it or nothing; durable when this answers.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`]: nothing of it was written down.
    pub async fn write(&self, changes: Changes) -> Result<(), Refusal> {
        let Self::Table(tables) = self else { return Ok(()) };
        if changes.put.is_empty() && changes.delete.is_empty() {
            return Ok(());
        }
        tables.transact(move |transaction| write(transaction, &changes)).await.map_err(Refusal::Unavailable)
    }
}

fn write(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), Error> {
    let mut put =
        transaction.prepare_cached("INSERT OR REPLACE INTO messages (queue, sequence, body) VALUES (?1, ?2, ?3)")?;
    for (queue, message) in &changes.put {
        let body = serde_json::to_string(message).map_err(|error| Error::ToSqlConversionFailure(error.into()))?;
        put.execute(params![queue, number(message.sequence)?, body])?;
    }
    let mut delete = transaction.prepare_cached("DELETE FROM messages WHERE queue = ?1 AND sequence = ?2")?;
    for (queue, sequence) in &changes.delete {
        delete.execute(params![queue, number(*sequence)?])?;
    }
    Ok(())
}
