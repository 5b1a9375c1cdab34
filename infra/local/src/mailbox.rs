//! A small SES in this process: keeps every message as it was sent, to be read on the mailbox pages.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_shell::clock::Clock;
use rusqlite::{Error, params, types::Type};
use serde::{Deserialize, Serialize};

use crate::{embedded::Embedded, sqlite::Sqlite};

/// Where releases before this one kept the mails: items of the embedded store, which end at 400 KB.
const FORMER_TABLE: &str = "holdpoint-mailbox";

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

/// What is handed in to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    pub from: String,
    pub to: Vec<String>,
    pub tags: Vec<(String, String)>,
    pub raw: Vec<u8>,
}

/// All mail that left. Cloning shares it.
#[derive(Clone)]
pub struct Mailbox {
    shared: Arc<Shared>,
}

struct Shared {
    mails: Mutex<Vec<Mail>>,
    tables: Option<Sqlite>,
    clock: Clock,
    /// One at a time, so that numbers have no gaps.
    turn: tokio::sync::Mutex<()>,
    paused: AtomicBool,
}

impl Mailbox {
    /// Without a store nothing outlives the process.
    pub async fn open(store: Option<Embedded>, clock: Clock) -> Result<Self, String> {
        let tables = store.as_ref().map(|store| store.own().clone());
        if let Some(store) = &store {
            take_over(store).await?;
        }
        let mails = match &tables {
            Some(tables) => kept(tables).await?,
            None => Vec::new(),
        };
        let turn = tokio::sync::Mutex::new(());
        Ok(Self {
            shared: Arc::new(Shared { mails: Mutex::new(mails), tables, clock, turn, paused: AtomicBool::new(false) }),
        })
    }

    fn mails(&self) -> MutexGuard<'_, Vec<Mail>> {
        self.shared.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pauses sending for the whole account, or lets it go on.
    pub fn pause(&self, paused: bool) {
        self.shared.paused.store(paused, Ordering::SeqCst);
    }

    pub fn is_paused(&self) -> bool {
        self.shared.paused.load(Ordering::SeqCst)
    }

    /// Answers once the mail is kept.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Mail, String> {
        let _turn = self.shared.turn.lock().await;
        let number = self.mails().last().map_or(0, |mail| mail.number) + 1;
        let Outgoing { from, to, tags, raw } = outgoing;
        let message_id = format!("local-{number:010}");
        let mail = Mail { number, message_id, at: self.shared.clock.now_millis(), from, to, tags, raw };
        if let Some(tables) = &self.shared.tables {
            keep(tables, std::slice::from_ref(&mail)).await?;
        }
        self.mails().push(mail.clone());
        Ok(mail)
    }

    /// Every mail, oldest first.
    pub fn all(&self) -> Vec<Mail> {
        self.mails().clone()
    }

    pub fn mail(&self, number: u64) -> Option<Mail> {
        self.mails().iter().find(|mail| mail.number == number).cloned()
    }

    pub fn len(&self) -> usize {
        self.mails().len()
    }

    pub fn is_empty(&self) -> bool {
        self.mails().is_empty()
    }

    /// Newest first.
    pub fn to(&self, person: &str) -> Vec<Mail> {
        self.mails().iter().rev().filter(|mail| mail.to.iter().any(|to| to == person)).cloned().collect()
    }
}

/// Every mail in the tables, oldest first.
async fn kept(tables: &Sqlite) -> Result<Vec<Mail>, String> {
    let read = tables.transact(|transaction| {
        let mut rows = transaction.prepare("SELECT body FROM mails ORDER BY number")?;
        let mail = |row: &rusqlite::Row<'_>| {
            let mail = serde_json::from_str(&row.get::<_, String>(0)?);
            mail.map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, error.into()))
        };
        rows.query_map([], mail)?.collect()
    });
    read.await
}

async fn keep(tables: &Sqlite, mails: &[Mail]) -> Result<(), String> {
    let row = |mail: &Mail| {
        let number = i64::try_from(mail.number).map_err(|error| error.to_string())?;
        Ok((number, serde_json::to_string(mail).map_err(|error| error.to_string())?))
    };
    let rows = mails.iter().map(row).collect::<Result<Vec<_>, String>>()?;
    let written = tables.transact(move |transaction| {
        let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO mails (number, body) VALUES (?1, ?2)")?;
        rows.iter().try_for_each(|(number, body)| put.execute(params![number, body]).map(drop))
    });
    written.await
}

/// What the store still holds of a release before this one.
async fn take_over(store: &Embedded) -> Result<(), String> {
    if !store.has_table(FORMER_TABLE).await {
        return Ok(());
    }
    let mut mails = Vec::new();
    for item in store.scan(FORMER_TABLE).await? {
        let mail = serde_json::from_str(item["body"]["S"].as_str().unwrap_or_default());
        mails.push(mail.map_err(|error| format!("{FORMER_TABLE}: item {}: {error}", item["sk"]))?);
    }
    keep(store.own(), &mails).await?;
    store.delete_table(FORMER_TABLE).await
}
