//! Whether a folder still has the store that its keys belong to.
//!
//! An engine that finds keys and no store would begin with an empty one and say nothing: every review would be gone, and the
//! mailed links would open nothing. So a folder with keys must have its store, whole. The file [`BEGINNING`] stands in a
//! folder from before its keys are made until its store is, so that a start that was cut off is not taken for a loss.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::place::{EVENTS_TOKEN, KEYS, Owner, Place, TOKEN};
use crate::{
    command::Failed,
    embedded::{Embedded, TABLE},
    private, sqlite,
    timekeeper::Mark,
};

const BEGINNING: &str = "beginning";
/// Where the first releases kept messages and mails, inside the store.
const FORMER_TABLES: [&str; 2] = ["holdpoint-queues", "holdpoint-mailbox"];

/// Called before the first key is made.
///
/// # Errors
/// The folder has keys, and the store is missing, empty, damaged, or not whole: which, and what to do.
pub fn look(place: &Place) -> Result<(), Failed> {
    let there = |name: &str| private::file_if_there(&place.directory.join(name)).map(|file| file.is_some());
    // The demo empties its store by itself.
    if place.owner == Owner::Demo || is_beginning(place).map_err(Failed::new)? {
        return Ok(());
    }
    // The settings may have the keys of links elsewhere, and any of these may be lost: each says that an engine ran here.
    let mut known = [KEYS, TOKEN, EVENTS_TOKEN, Mark::FILE].into_iter().filter_map(|name| match there(name) {
        Ok(false) => None,
        found => Some(found.map(|_| name)),
    });
    let Some(key) = known.next().transpose().map_err(Failed::new)? else {
        return private::write(&place.directory.join(BEGINNING), "").map_err(Failed::new);
    };
    whole(&place.store()).map_err(|why| {
        Failed::new(format!(
            "{why}, but {} is left of it: a store was here. Put it back, or restore a backup (`holdpoint restore FILE --data {}`); to begin with an empty store, move this folder away",
            place.directory.join(key).display(),
            place.directory.display()
        ))
    })
}

/// Whether the store of this folder is still to be made, or was imported and never started.
///
/// # Errors
/// The mark cannot be looked at.
pub fn is_beginning(place: &Place) -> Result<bool, String> {
    private::file_if_there(&place.directory.join(BEGINNING)).map(|mark| mark.is_some())
}

/// Called when the store is made.
///
/// # Errors
/// The file cannot be removed.
pub fn begun(place: &Place) -> Result<(), Failed> {
    let path = place.directory.join(BEGINNING);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failed::new(format!("removing {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

fn whole(store: &Path) -> Result<(), String> {
    let tables = opened(store)?;
    let has = |name: &str| {
        let row = tables.query_row("SELECT 1 FROM _tables WHERE table_name = ?1", [name], |_| Ok(())).optional();
        row.map(|row| row.is_some()).map_err(|error| format!("{} is damaged ({error})", store.display()))
    };
    if !has(TABLE)? {
        return Err(format!("{} holds no reviews' table", store.display()));
    }
    let messages = Embedded::beside(store);
    match opened(&messages) {
        Ok(connection) => {
            let found = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'messages'";
            let found = connection.query_row(found, [], |_| Ok(())).optional();
            let found = found.map_err(|error| format!("{} is damaged ({error})", messages.display()))?;
            found.ok_or_else(|| format!("{} holds no messages' table", messages.display()))
        }
        Err(why) => {
            let former = FORMER_TABLES.iter().try_fold(false, |found, name| Ok::<_, String>(found || has(name)?))?;
            // A store of the first releases has its messages inside; they are taken out at the start.
            if former && !messages.exists() { Ok(()) } else { Err(why) }
        }
    }
}

/// Never makes the file.
fn opened(database: &Path) -> Result<Connection, String> {
    let shown = database.display();
    match private::file_if_there(database)? {
        None => return Err(format!("{shown} is missing")),
        Some((file, _)) if file.metadata().is_ok_and(|found| found.len() == 0) => {
            return Err(format!("{shown} is empty"));
        }
        Some(_) => {}
    }
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let read = connection.and_then(|connection| {
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        sqlite::sound(&connection)?;
        Ok(connection)
    });
    read.map_err(|error| format!("{shown} is damaged, or no database ({error})"))
}
