//! A small SES in this process: takes every message, keeps it as it was handed in, and lets it leave where mail leaves.
//!
//! A mail is a row. Nothing of it stays in memory, so a mailbox of years costs a start nothing.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_shell::clock::Clock;
use mail_parser::MessageParser;
use rusqlite::{Error, OptionalExtension, Row, Transaction, params, types::Type};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{embedded::Embedded, sqlite::Sqlite};

/// Where the first releases kept the mails: items of the embedded store, which end at 400 KB.
const FORMER_TABLE: &str = "holdpoint-mailbox";
/// Where the releases after those kept them: JSON in the engine's own tables, all of it read at each start.
const FORMER_ROWS: &str = "mails";

/// One sent message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mail {
    /// From 1, in the order of sending.
    pub number: u64,
    /// What the sender was given as the message's id.
    pub message_id: String,
    /// Milliseconds since 1970.
    pub at: i64,
    pub from: String,
    pub to: Vec<String>,
    /// The tags for reconciliation, by name.
    pub tags: Vec<(String, String)>,
    #[serde(with = "in_base64")]
    pub raw: Vec<u8>,
}

mod in_base64 {
    use super::{Engine, STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A mail in a list: all but its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Headline {
    pub number: u64,
    /// Milliseconds since 1970.
    pub at: i64,
    pub to: Vec<String>,
    pub subject: String,
    /// How far the mail came, where mail leaves this machine.
    pub state: Option<String>,
}

/// What is handed in to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    pub from: String,
    pub to: Vec<String>,
    pub tags: Vec<(String, String)>,
    pub raw: Vec<u8>,
}

/// Which part of the mailbox a reader asks for.
#[derive(Clone, Copy, Default, Debug)]
pub struct Excerpt<'a> {
    /// To this address alone.
    pub to: Option<&'a str>,
    /// Older than the mail of this number.
    pub before: Option<u64>,
    /// At most so many.
    pub most: Option<usize>,
}

/// Whether mail stays here, or leaves by a relay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Kept to be read on the mailbox pages, and nothing else.
    Kept,
    /// Kept, and handed to a relay.
    Relayed,
}

/// All mail that was handed in. Cloning shares it.
#[derive(Clone)]
pub struct Mailbox {
    shared: Arc<Shared>,
}

struct Shared {
    tables: Sqlite,
    clock: Clock,
    way: Way,
    paused: AtomicBool,
    /// Rings when a mail waits for the relay.
    bell: watch::Sender<()>,
}

impl Mailbox {
    /// Without a store nothing outlives the process.
    ///
    /// # Errors
    /// The store cannot be read, or what it holds of an earlier release is no mail.
    pub async fn open(store: Option<Embedded>, clock: Clock, way: Way) -> Result<Self, String> {
        let tables = match &store {
            Some(store) => {
                take_over(store).await?;
                store.own().clone()
            }
            None => Sqlite::memory()?,
        };
        let (paused, bell) = (AtomicBool::new(false), watch::Sender::new(()));
        Ok(Self { shared: Arc::new(Shared { tables, clock, way, paused, bell }) })
    }

    /// The tables that the mails are in.
    pub fn tables(&self) -> &Sqlite {
        &self.shared.tables
    }

    /// Rings whenever a mail begins to wait for the relay.
    pub fn listen(&self) -> watch::Receiver<()> {
        self.shared.bell.subscribe()
    }

    /// Lets the relay look at what there is to do.
    pub fn ring(&self) {
        self.shared.bell.send_replace(());
    }

    /// Pauses sending for the whole account, or lets it go on.
    pub fn pause(&self, paused: bool) {
        self.shared.paused.store(paused, Ordering::SeqCst);
    }

    pub fn is_paused(&self) -> bool {
        self.shared.paused.load(Ordering::SeqCst)
    }

    /// Answers once the mail is kept, and waits for the relay where there is one. The same mail again, to the byte, is one
    /// that a process made which died before it noted the first: a mail that leaves this machine leaves once.
    ///
    /// # Errors
    /// The mail could not be written down: it was not taken.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Mail, String> {
        let (at, way) = (self.shared.clock.now_millis(), self.shared.way);
        let Outgoing { from, to, tags, raw } = outgoing;
        let mut mail = Mail { number: 0, message_id: String::new(), at, from, to, tags, raw };
        let mail = self.shared.tables.transact(move |transaction| {
            if way == Way::Relayed
                && let Some(number) = taken(transaction, &mail)?
            {
                (mail.number, mail.message_id) = (number, message_id(number));
                return Ok(mail);
            }
            mail.number = insert(transaction, &mail, None)?;
            mail.message_id = message_id(mail.number);
            if way == Way::Relayed {
                let mut put = transaction.prepare_cached(
                    "INSERT OR IGNORE INTO outgoing (number, recipient, state, attempts, next_at, said)
                     VALUES (?1, ?2, 'waiting', 0, ?3, '')",
                )?;
                for recipient in &mail.to {
                    put.execute(params![mail.number, recipient, at])?;
                }
            }
            Ok(mail)
        });
        let mail = mail.await?;
        self.shared.bell.send_replace(());
        Ok(mail)
    }

    /// Every mail, oldest first. Where the mails cannot be read, a warning stands in the log.
    pub fn all(&self) -> Vec<Mail> {
        self.chosen("SELECT * FROM mail ORDER BY number", &[])
    }

    pub fn mail(&self, number: u64) -> Option<Mail> {
        self.chosen("SELECT * FROM mail WHERE number = ?1", &[&number]).pop()
    }

    /// How many mails there are.
    ///
    /// # Errors
    /// The mails cannot be read: then there may be any number.
    pub fn count(&self) -> Result<usize, String> {
        self.shared.tables.look(|transaction| transaction.query_row("SELECT count(*) FROM mail", [], |row| row.get(0)))
    }

    pub fn len(&self) -> usize {
        self.known(self.count())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Newest first.
    pub fn to(&self, person: &str) -> Vec<Mail> {
        self.excerpt(Excerpt { to: Some(person), ..Excerpt::default() })
    }

    /// Newest first, with their bytes.
    pub fn excerpt(&self, excerpt: Excerpt<'_>) -> Vec<Mail> {
        let (to, before, most) = excerpt.parameters();
        self.chosen(&format!("SELECT * FROM mail WHERE {CHOSEN}"), &[&to, &before, &most])
    }

    /// Newest first, without their bytes.
    ///
    /// # Errors
    /// The mails cannot be read.
    pub fn headlines(&self, excerpt: Excerpt<'_>) -> Result<Vec<Headline>, String> {
        let (to, before, most) = excerpt.parameters();
        self.shared.tables.look(|transaction| {
            let mut rows = transaction.prepare_cached(&format!(
                "SELECT number, at, recipients, subject,
                 (SELECT group_concat(DISTINCT state) FROM outgoing WHERE outgoing.number = mail.number) AS state
                 FROM mail WHERE {CHOSEN}"
            ))?;
            rows.query_map(params![to, before, most], headline)?.collect::<Result<Vec<_>, _>>()
        })
    }

    /// The numbers of the mails that the mail server has still to take.
    ///
    /// # Errors
    /// The mails cannot be read.
    pub fn waiting(&self) -> Result<BTreeSet<u64>, String> {
        self.shared.tables.look(|transaction| {
            let mut rows = transaction.prepare_cached("SELECT number FROM outgoing WHERE state = 'waiting'")?;
            rows.query_map([], |row| row.get(0))?.collect()
        })
    }

    fn chosen(&self, query: &str, parameters: &[&dyn rusqlite::ToSql]) -> Vec<Mail> {
        let read = self.shared.tables.look(|transaction| {
            let mut rows = transaction.prepare_cached(query)?;
            rows.query_map(parameters, mail_of)?.collect::<Result<Vec<_>, _>>()
        });
        self.known(read)
    }

    fn known<T: Default>(&self, read: Result<T, String>) -> T {
        read.unwrap_or_else(|error| {
            // Of a store in trouble the log has a line already.
            if self.shared.tables.guard().trouble().is_none() {
                tracing::error!(error, "the mailbox could not be read");
            }
            T::default()
        })
    }
}

/// By the parameters of an [`Excerpt`].
const CHOSEN: &str = "(?1 IS NULL OR EXISTS (SELECT 1 FROM json_each(recipients) WHERE value = ?1))
    AND (?2 IS NULL OR number < ?2) ORDER BY number DESC LIMIT ?3";

impl Excerpt<'_> {
    /// SQLite reads a limit below zero as none.
    fn parameters(&self) -> (Option<&str>, Option<u64>, i64) {
        (self.to, self.before, self.most.map_or(-1, |most| i64::try_from(most).unwrap_or(-1)))
    }
}

fn message_id(number: u64) -> String {
    format!("local-{number:010}")
}

/// The number of the mail that was given this id here; `None` for an id of another mailer.
pub fn number_of(message_id: &str) -> Option<u64> {
    message_id.strip_prefix("local-")?.parse().ok()
}

/// A column that holds JSON.
fn json<T: for<'de> Deserialize<'de>>(row: &Row<'_>, column: &str) -> Result<T, Error> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, error.into()))
}

/// A mail by the columns of its table.
///
/// # Errors
/// A column is missing or damaged.
pub fn mail_of(row: &Row<'_>) -> Result<Mail, Error> {
    let number = row.get("number")?;
    Ok(Mail {
        number,
        message_id: message_id(number),
        at: row.get("at")?,
        from: row.get("sender")?,
        to: json(row, "recipients")?,
        tags: json(row, "tags")?,
        raw: row.get("raw")?,
    })
}

fn headline(row: &Row<'_>) -> Result<Headline, Error> {
    Ok(Headline {
        number: row.get("number")?,
        at: row.get("at")?,
        to: json(row, "recipients")?,
        subject: row.get("subject")?,
        state: row.get("state")?,
    })
}

/// Answers the mail's number: the given one, or the next one that no mail ever had.
fn insert(transaction: &Transaction<'_>, mail: &Mail, number: Option<u64>) -> Result<u64, Error> {
    let text = |value: serde_json::Result<String>| value.map_err(|error| Error::ToSqlConversionFailure(error.into()));
    let (to, tags) = (text(serde_json::to_string(&mail.to))?, text(serde_json::to_string(&mail.tags))?);
    let message = MessageParser::default().parse_headers(&mail.raw);
    let subject = message.as_ref().and_then(|message| message.subject()).unwrap_or_default();
    let mut put = transaction.prepare_cached(
        "INSERT OR REPLACE INTO mail (number, at, sender, recipients, tags, subject, raw)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    put.execute(params![number, mail.at, mail.from, to, tags, subject, mail.raw])?;
    u64::try_from(transaction.last_insert_rowid()).map_err(|_| Error::IntegralValueOutOfRange(0, i64::MIN))
}

/// A mail in doubt is made again within minutes of the end of a claim's lease; an engine that died may be started hours later.
const MADE_AGAIN_WITHIN: i64 = 24 * 60 * 60 * 1_000;

/// The number under which this very mail was taken already.
fn taken(transaction: &Transaction<'_>, mail: &Mail) -> Result<Option<u64>, Error> {
    let to = serde_json::to_string(&mail.to).map_err(|error| Error::ToSqlConversionFailure(error.into()))?;
    let mut same = transaction.prepare_cached(
        "SELECT number FROM mail WHERE recipients = ?1 AND at > ?2 AND raw = ?3 ORDER BY number DESC LIMIT 1",
    )?;
    same.query_row(params![to, mail.at - MADE_AGAIN_WITHIN, mail.raw], |row| row.get(0)).optional()
}

/// What the store still holds of a release before this one.
async fn take_over(store: &Embedded) -> Result<(), String> {
    store.own().transact(take_over_rows).await?;
    if !store.has_table(FORMER_TABLE).await {
        return Ok(());
    }
    let mut mails = Vec::new();
    for item in store.scan(FORMER_TABLE).await? {
        let mail = serde_json::from_str::<Mail>(item["body"]["S"].as_str().unwrap_or_default());
        mails.push(mail.map_err(|error| format!("{FORMER_TABLE}: item {}: {error}", item["sk"]))?);
    }
    let moved = store.own().transact(move |transaction| {
        mails.iter().try_for_each(|mail| insert(transaction, mail, Some(mail.number)).map(drop))
    });
    moved.await?;
    store.delete_table(FORMER_TABLE).await
}

fn take_over_rows(transaction: &Transaction<'_>) -> Result<(), Error> {
    let found = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
    if transaction.query_row(found, [FORMER_ROWS], |_| Ok(())).optional()?.is_none() {
        return Ok(());
    }
    {
        let mut former = transaction.prepare(&format!("SELECT body FROM {FORMER_ROWS} ORDER BY number"))?;
        let mut rows = former.query([])?;
        while let Some(row) = rows.next()? {
            let mail: Mail = json(row, "body")?;
            insert(transaction, &mail, Some(mail.number))?;
        }
    }
    transaction.execute_batch(&format!("DROP TABLE {FORMER_ROWS}"))
}
