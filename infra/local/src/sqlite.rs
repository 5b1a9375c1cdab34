//! The engine's own tables, of queues and mailbox: one SQLite file beside the embedded store's, or memory.
//!
//! Not items of the embedded store. An item there ends at 400 KB and a transaction at 100 actions and 4 MB, as in
//! DynamoDB; a message of a queue may be a MiB, and a batch of them is taken whole or not at all.
//!
//! | table | holds |
//! |---|---|
//! | `messages` | `queue`, `sequence`, `body`: the message as JSON |
//! | `mail` | one row a mail, its bytes as they were handed in |
//! | `outgoing` | one row a mail and recipient, where mail leaves by SMTP: how often it was tried, when next, what became of it |
//! | `own_keys` | what the engine signs for itself with, made once: the envelope senders of its mails |
//! | `removed` | one row a review that `compact` removed: when, in whose name, why, and the end of its lineage |
//! | `mail_reports` | what is still to be said of mail to the functions, by the report's id |

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{private, store_guard::StoreGuard};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS messages (
        queue TEXT NOT NULL, sequence INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (queue, sequence)
    );
    CREATE TABLE IF NOT EXISTS mail (
        number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,
        tags TEXT NOT NULL, subject TEXT NOT NULL, raw BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS mail_at ON mail (at);
    CREATE INDEX IF NOT EXISTS mail_to ON mail (recipients, at);
    CREATE TABLE IF NOT EXISTS outgoing (
        number INTEGER NOT NULL, recipient TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
        next_at INTEGER NOT NULL, said TEXT NOT NULL, PRIMARY KEY (number, recipient)
    );
    CREATE INDEX IF NOT EXISTS outgoing_waiting ON outgoing (recipient, number) WHERE state = 'waiting';
    CREATE TABLE IF NOT EXISTS own_keys (name TEXT NOT NULL PRIMARY KEY, key BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS mail_reports (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS removed (
        number INTEGER PRIMARY KEY AUTOINCREMENT, review TEXT NOT NULL, ended_at INTEGER NOT NULL,
        removed_at INTEGER NOT NULL, who TEXT, reason TEXT NOT NULL, entries INTEGER NOT NULL,
        lineage_end TEXT NOT NULL, record TEXT, UNIQUE (review, lineage_end)
    );
";

/// The schema of the engine's own tables. A release that reads it cannot read a greater one.
const SCHEMA: u32 = 1;

/// For another connection to the same file; nobody else should have one.
const PATIENCE: Duration = Duration::from_secs(5);

/// In bytes. With less, the next write would fail again.
const ROOM_FOR_WORK: usize = 256 * 1_024;

/// Cloning shares the tables.
#[derive(Clone)]
pub struct Sqlite {
    connection: Arc<Mutex<Connection>>,
    /// A file waits for the disk, so its calls leave the executor's threads.
    on_disk: bool,
    guard: StoreGuard,
}

/// Every error says what of, for it ends before an operator.
fn told(error: &rusqlite::Error) -> String {
    format!("the tables of queues and mailbox: {error}")
}

impl Sqlite {
    pub fn memory() -> Result<Self, String> {
        let connection = Connection::open_in_memory().map_err(|error| told(&error))?;
        Self::of(connection, false, StoreGuard::default())
    }

    /// `guard`: watches the file from now on.
    ///
    /// # Errors
    /// The file or one of SQLite's own beside it is a link, cannot be opened, or is no database.
    pub fn open(file: &Path, guard: StoreGuard) -> Result<Self, String> {
        private_database(file)?;
        let failed = |error: String| format!("opening {}: {error}", file.display());
        let connection = Connection::open(file).map_err(|error| failed(error.to_string()))?;
        let tables = Self::of(connection, true, guard).map_err(failed)?;
        tables.guard.watch(file).map_err(failed)?;
        tables.empty_log()?;
        Ok(tables)
    }

    fn of(connection: Connection, on_disk: bool, guard: StoreGuard) -> Result<Self, String> {
        let set_up = || {
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // What was deleted is overwritten.
            connection.pragma_update(None, "secure_delete", "ON")?;
            connection.execute_batch(TABLES)
        };
        // Before anything is written: a newer release may have other tables of these names.
        mark_schema(&connection, SCHEMA)?;
        set_up().map_err(|error| told(&error))?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), on_disk, guard })
    }

    /// A short look, on the caller's own thread.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn look<T>(&self, act: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>) -> Result<T, String> {
        self.at_once(act)
    }

    fn at_once<T>(&self, act: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>) -> Result<T, String> {
        // A panic inside leaves no half transaction: dropping it rolls it back.
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = || -> Result<T, rusqlite::Error> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = act(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        let done = match attempt() {
            Ok(done) => done,
            Err(error) => {
                let said = told(&error);
                let file = connection.path().unwrap_or_default();
                self.guard.failed(&error, &format!("{said} ({file})"));
                return Err(said);
            }
        };
        // What was written into a file that is gone was not kept.
        self.guard.whole()?;
        Ok(done)
    }

    /// Writes as much as a batch of messages takes, and takes it back.
    ///
    /// # Errors
    /// What SQLite said: the disk is still full.
    pub fn try_out(&self) -> Result<(), rusqlite::Error> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let body = "0".repeat(ROOM_FOR_WORK);
        transaction.execute("INSERT OR REPLACE INTO messages VALUES ('', 0, ?1)", [body])?;
        transaction.commit()?;
        connection.execute("DELETE FROM messages WHERE queue = ''", []).map(drop)
    }

    /// One transaction: all of it or nothing, and durable when this answers.
    ///
    /// # Errors
    /// What SQLite said: a full disk, for one. Nothing was changed.
    pub async fn transact<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, String> {
        if !self.on_disk {
            return self.at_once(act);
        }
        let tables = self.clone();
        let done = tokio::task::spawn_blocking(move || tables.at_once(act)).await;
        done.map_err(|error| error.to_string())?
    }

    pub const fn guard(&self) -> &StoreGuard {
        &self.guard
    }

    /// Moves what the write-ahead log holds into the file and empties the log, in which what was deleted still stands.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn empty_log(&self) -> Result<(), String> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        truncate_log(&connection).map_err(|error| told(&error))
    }

    /// Refuses every write, as a disk without a free block, or lets them through again.
    #[cfg(test)]
    pub fn break_writes(&self, broken: bool) {
        let connection = self.connection.lock().unwrap();
        connection.pragma_update(None, "query_only", broken).unwrap();
    }

    /// Lets the tables grow by no page more, as on a full disk, or lets them again.
    #[cfg(test)]
    pub fn fill_disk(&self, full: bool) {
        let connection = self.connection.lock().unwrap();
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let most = if full { pages } else { 1 << 30 };
        connection.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(())).unwrap();
    }
}

/// Refuses a database that a newer release wrote, and marks any other as one of `ours`. Releases before the first mark
/// left it at 0.
///
/// # Errors
/// The database's schema is greater than `ours`: both numbers; or what SQLite said.
pub fn mark_schema(connection: &Connection, ours: u32) -> Result<(), String> {
    let read = || connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0));
    let found = read().map_err(|error| error.to_string())?;
    if found > ours {
        return Err(format!(
            "its schema is {found}, and this release reads {ours} at most; nothing was changed: open it with a newer holdpoint"
        ));
    }
    if found < ours {
        connection.pragma_update(None, "user_version", ours).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Reads every page.
///
/// # Errors
/// What SQLite said: the first fault that it found.
pub fn sound(connection: &Connection) -> Result<(), rusqlite::Error> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    // On one line, for it ends in a log.
    let said = || Some(found.replace('\n', ", "));
    if found == "ok" { Ok(()) } else { Err(rusqlite::Error::SqliteFailure(corrupt, said())) }
}

/// `PRAGMA wal_checkpoint(TRUNCATE)`. Where somebody is reading or writing, the log is emptied another time.
pub fn truncate_log(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// A database's file, and those that SQLite keeps beside it, for their owner alone. SQLite makes the latter with the
/// mode of the former, whatever the umask.
///
/// # Errors
/// One of them is a symbolic link, no file, or cannot be closed to others.
pub fn private_database(file: &Path) -> Result<(), String> {
    for ending in ["-wal", "-shm", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        private::file_if_there(Path::new(&name))?;
    }
    let (_, was_open) = private::file(file)?;
    if was_open {
        // Written by a release that overwrote nothing: what it deleted still stands in free pages.
        let rewrite = || {
            let connection = Connection::open(file)?;
            connection.busy_timeout(PATIENCE)?;
            connection.execute_batch("VACUUM")?;
            truncate_log(&connection)
        };
        rewrite().map_err(|error| format!("rewriting {}: {error}", file.display()))?;
    }
    Ok(())
}
