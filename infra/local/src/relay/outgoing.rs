//! The mails that wait for the relay, in the order in which each reader shall get them.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::Value;

use crate::{
    mailbox::{self, Mail},
    sqlite::Sqlite,
};

/// One mail to one of its readers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub mail: Mail,
    pub recipient: String,
    /// How often the mail was tried before.
    pub attempts: u32,
}

/// Where a mail stands after an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// Tried again at this instant, milliseconds since 1970.
    Again(i64),
    /// The server took it.
    Sent,
    /// Nobody will take it.
    Bounced,
}

impl Next {
    const fn word(&self) -> &'static str {
        match self {
            Self::Again(_) => "waiting",
            Self::Sent => "sent",
            Self::Bounced => "bounced",
        }
    }
}

/// What the relay holds, as counts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Backlog {
    pub waiting: usize,
    /// When the oldest waiting mail was handed in, milliseconds since 1970.
    pub since: Option<i64>,
}

/// The tables of the relay. Cloning shares them.
#[derive(Clone)]
pub struct OutgoingMail(Sqlite);

/// A reader's mails leave in order: a later one waits for the earlier one, since a calendar program shows what came last.
const FIRST_OF_EACH: &str = "SELECT mail.*, first.recipient, first.attempts
    FROM outgoing AS first JOIN mail ON mail.number = first.number
    WHERE first.state = 'waiting' AND first.next_at <= ?1 AND NOT EXISTS (
        SELECT 1 FROM outgoing AS earlier
        WHERE earlier.state = 'waiting' AND earlier.recipient = first.recipient AND earlier.number < first.number
    ) ORDER BY first.number";

/// The longest that a mail waits between two attempts, in milliseconds.
const LONGEST_WAIT: i64 = 3_600_000;

/// Lets no mail wait longer than a mail can wait: beyond that, the clock was ahead when the mail was put off.
///
/// # Errors
/// What the store said.
pub async fn bring_forward(tables: &Sqlite, now: i64) -> Result<(), String> {
    let moved = tables.transact(move |transaction| {
        let late = "UPDATE outgoing SET next_at = ?1 WHERE state = 'waiting' AND next_at > ?2";
        transaction.execute(late, [now, now.saturating_add(LONGEST_WAIT)]).map(drop)
    });
    moved.await
}

fn put_report(transaction: &Transaction<'_>, report: &Value) -> Result<(), rusqlite::Error> {
    let id = report["id"].as_str().unwrap_or_default();
    let put = "INSERT OR IGNORE INTO mail_reports (id, body) VALUES (?1, ?2)";
    transaction.execute(put, params![id, report.to_string()]).map(drop)
}

impl OutgoingMail {
    pub const fn of(tables: Sqlite) -> Self {
        Self(tables)
    }

    /// At most `most` mails that are due, none to a reader in `busy`.
    ///
    /// # Errors
    /// What the store said.
    pub async fn due(&self, now: i64, most: usize, busy: BTreeSet<String>) -> Result<Vec<Waiting>, String> {
        let read = self.0.transact(move |transaction| {
            let mut statement = transaction.prepare_cached(FIRST_OF_EACH)?;
            let mut rows = statement.query([now])?;
            let mut due = Vec::new();
            while due.len() < most
                && let Some(row) = rows.next()?
            {
                let recipient: String = row.get("recipient")?;
                if !busy.contains(&recipient) {
                    due.push(Waiting { mail: mailbox::mail_of(row)?, recipient, attempts: row.get("attempts")? });
                }
            }
            Ok(due)
        });
        read.await
    }

    /// When the next mail falls due: among the first ones of each reader that is not in `busy`.
    ///
    /// # Errors
    /// What the store said.
    pub async fn next_at(&self, busy: BTreeSet<String>) -> Result<Option<i64>, String> {
        let read = self.0.transact(move |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT recipient, next_at, min(number) FROM outgoing WHERE state = 'waiting' GROUP BY recipient",
            )?;
            let firsts = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
            let firsts = firsts.collect::<Result<Vec<_>, _>>()?;
            Ok(firsts.into_iter().filter(|(recipient, _)| !busy.contains(recipient)).map(|(_, at)| at).min())
        });
        read.await
    }

    /// Writes down what an attempt came to, and what is to be reported of it, together.
    ///
    /// # Errors
    /// What the store said. The mail is tried again: it may go out twice, and is never lost.
    pub async fn settle(&self, tried: &Waiting, next: Next, said: String, report: Option<Value>) -> Result<(), String> {
        let (number, recipient, attempts) = (tried.mail.number, tried.recipient.clone(), tried.attempts + 1);
        let written = self.0.transact(move |transaction| {
            let at = if let Next::Again(at) = next { at } else { 0 };
            transaction.execute(
                "UPDATE outgoing SET state = ?3, attempts = ?4, next_at = ?5, said = ?6
                 WHERE number = ?1 AND recipient = ?2",
                params![number, recipient, next.word(), attempts, at, said],
            )?;
            report.map_or(Ok(()), |report| put_report(transaction, &report))
        });
        written.await
    }

    /// # Errors
    /// What the store said.
    pub async fn mail(&self, number: u64) -> Result<Option<Mail>, String> {
        let read = self.0.transact(move |transaction| {
            let found = "SELECT * FROM mail WHERE number = ?1";
            transaction.query_row(found, [number], mailbox::mail_of).optional()
        });
        read.await
    }

    /// Writes down what came back of a mail, and what is to be reported of it, together. `state`: where the mail stands
    /// now; `None`: where it stood.
    ///
    /// # Errors
    /// What the store said: nothing was written down.
    pub async fn came_back(
        &self,
        number: u64,
        state: Option<&'static str>,
        said: String,
        report: Value,
    ) -> Result<(), String> {
        let written = self.0.transact(move |transaction| {
            if let Some(state) = state {
                let update = "UPDATE outgoing SET state = ?2, said = ?3 WHERE number = ?1";
                transaction.execute(update, params![number, state, said])?;
            }
            put_report(transaction, &report)
        });
        written.await
    }

    /// The reports that no queue has yet, by id.
    ///
    /// # Errors
    /// What the store said.
    pub async fn reports(&self) -> Result<Vec<(String, String)>, String> {
        let read = self.0.transact(|transaction| {
            let mut statement =
                transaction.prepare_cached("SELECT id, body FROM mail_reports ORDER BY id LIMIT 100")?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        });
        read.await
    }

    /// A report is on its queue.
    ///
    /// # Errors
    /// What the store said. The report goes out again, and its id says that it is the same.
    pub async fn reported(&self, id: String) -> Result<(), String> {
        let deleted = self
            .0
            .transact(move |transaction| transaction.execute("DELETE FROM mail_reports WHERE id = ?1", [id]).map(drop));
        deleted.await
    }

    /// # Errors
    /// What the store said.
    pub fn backlog(&self) -> Result<Backlog, String> {
        self.0.look(|transaction| {
            let counted =
                "SELECT count(*), min(mail.at) FROM outgoing JOIN mail USING (number) WHERE state = 'waiting'";
            transaction.query_row(counted, [], |row| Ok(Backlog { waiting: row.get(0)?, since: row.get(1)? }))
        })
    }
}
