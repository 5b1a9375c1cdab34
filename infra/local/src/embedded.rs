//! The embedded DynamoDB: one SQLite file, or memory. Requests and answers are the JSON that travels over the wire.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use dynoxide::{Database, DynoxideError, actions::scan::ScanRequest, types::Item};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    sqlite::{self, Sqlite},
    store_guard::StoreGuard,
    written::WrittenHeads,
};

/// Cloning shares the store.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    /// The engine's own tables, which are no DynamoDB.
    own: Sqlite,
    /// A file waits for the disk, so its calls leave the executor's threads. Memory answers at once and in order, which
    /// keeps replays deterministic.
    file: Option<PathBuf>,
    guard: StoreGuard,
    written: WrittenHeads,
}

/// What the deployment's table is called here. One stack, one name.
pub const TABLE: &str = "holdpoint-packets";
/// Beside the store's file.
pub const OWN_TABLES: &str = "messages.sqlite";
/// Beside the store's file, where a command has taken the folder: its holder alone works on the store.
pub const LOCK: &str = "lock";

/// What DynamoDB answers: a status and a JSON body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// An error as DynamoDB words it.
    pub fn error(status: u16, kind: &str, message: &str) -> Self {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
        Self { status, body: json!({ "__type": kind, "message": message }).to_string() }
    }

    /// The words of an error.
    fn said(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["message"].as_str().unwrap_or(&self.body).to_owned()
    }
}

impl Embedded {
    pub fn memory() -> Result<Self, String> {
        let database = Database::memory().map_err(|error| format!("opening a store in memory: {error}"))?;
        let (guard, written) = (StoreGuard::default(), WrittenHeads::default());
        Ok(Self { database, own: Sqlite::memory()?, file: None, guard, written })
    }

    /// The store in `file`, with the engine's own tables beside it; all of it for the owner of the files alone.
    ///
    /// # Errors
    /// One of the files is a symbolic link, cannot be made, or is no database.
    pub fn open(file: &Path) -> Result<Self, String> {
        sqlite::private_database(file)?;
        let database = open_forgetful(file).map_err(|why| format!("opening the store {}: {why}", file.display()))?;
        let guard = StoreGuard::default();
        let own = Sqlite::open(&Self::beside(file), guard.clone())?;
        guard.watch(file).map_err(|why| format!("opening the store {}: {why}", file.display()))?;
        guard.watch_beside(file, LOCK)?;
        let store = Self { database, own, file: Some(file.to_owned()), guard, written: WrittenHeads::default() };
        store.empty_logs()?;
        Ok(store)
    }

    /// Where the engine's own tables are, for a store in `file`.
    pub fn beside(file: &Path) -> PathBuf {
        file.with_file_name(OWN_TABLES)
    }

    pub const fn own(&self) -> &Sqlite {
        &self.own
    }

    /// Whether the files are still there, and take what is written.
    pub const fn guard(&self) -> &StoreGuard {
        &self.guard
    }

    /// Which HEADs were written here.
    pub const fn written(&self) -> &WrittenHeads {
        &self.written
    }

    /// Finds out whether a store that was in trouble takes writes again, and one that was damaged is whole.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn try_out(&self) -> Result<(), String> {
        let store = self.clone();
        let tried = tokio::task::spawn_blocking(move || {
            // First: what is written into a damaged file makes it worse.
            if let Some(file) = store.file.as_ref().filter(|_| store.guard.is_damaged()) {
                store.guard.in_place()?;
                whole(&Self::beside(file))?;
                whole(file)?;
                store.guard.measure();
            }
            store.guard.whole()?;
            store.own.try_out().map_err(|error| error.to_string())?;
            let Some(file) = &store.file else { return Ok(()) };
            let write = || {
                let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                connection.busy_timeout(Duration::from_secs(5))?;
                // The number is of no meaning here; that it can be written is.
                let number: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
                connection.pragma_update(None, "user_version", number)
            };
            write().map_err(|error| format!("the store {}: {error}", file.display()))
        });
        tried.await.map_err(|error| error.to_string())?
    }

    /// Moves what the write-ahead logs hold into the files. In a log stands what has been deleted or overwritten since,
    /// and it would stand there until the log happens to reach that place again.
    ///
    /// # Errors
    /// A file could not be opened or written.
    pub async fn forget_deleted(&self) -> Result<(), String> {
        let store = self.clone();
        let forgotten = tokio::task::spawn_blocking(move || store.empty_logs()).await;
        forgotten.map_err(|error| error.to_string())?
    }

    fn empty_logs(&self) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        // To open a file that is gone would make an empty one.
        self.guard.whole()?;
        let empty = || {
            let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(LOG_PATIENCE)?;
            sqlite::truncate_log(&connection)
        };
        empty().map_err(|error| format!("emptying the log of {}: {error}", file.display()))?;
        self.own.empty_log()
    }

    /// One operation of the API, by the name it has in `x-amz-target`.
    pub async fn call(&self, operation: &str, body: Vec<u8>) -> Answer {
        if self.file.is_none() {
            return self.carried_out(operation, &body);
        }
        let (store, operation) = (self.clone(), operation.to_owned());
        let ran = tokio::task::spawn_blocking(move || {
            let (guard, answer) = (&store.guard, store.carried_out(&operation, &body));
            if answer.status >= 500
                && let Some(file) = &store.file
            {
                guard.in_trouble(&format!("the store {}: {}", file.display(), answer.said()));
            }
            // What was written into a file that is gone was not kept.
            guard.whole().map_or_else(|why| Answer::error(500, "InternalServerError", &why), |()| answer)
        });
        let ran = ran.await;
        ran.unwrap_or_else(|_| Answer::error(500, "InternalServerError", "the embedded store panicked"))
    }

    fn carried_out(&self, operation: &str, body: &[u8]) -> Answer {
        let answer = dispatch(&self.database, operation, body);
        if answer.status == 200 {
            self.written.see(operation, body);
        }
        answer
    }

    /// For the engine's own tables: an error is a message.
    pub async fn ask(&self, operation: &str, request: Value) -> Result<Value, String> {
        let answer = self.call(operation, request.to_string().into_bytes()).await;
        if answer.status == 200 {
            return serde_json::from_str(&answer.body).map_err(|error| format!("{operation}: {error}"));
        }
        Err(format!("{operation}: status {}: {}", answer.status, answer.body))
    }

    /// Whether there is a table of this name.
    pub async fn has_table(&self, name: &str) -> bool {
        self.call("DescribeTable", json!({ "TableName": name }).to_string().into_bytes()).await.status == 200
    }

    /// Makes a table unless it is there. `definition` is a `CreateTable` request without its name.
    pub async fn ensure_table(&self, name: &str, definition: &Value) -> Result<(), String> {
        if self.has_table(name).await {
            return self.ensure_indexes(name, definition).await;
        }
        let mut request = definition.clone();
        request["TableName"] = name.into();
        self.ask("CreateTable", request).await.map(drop)
    }

    /// Adds the indexes that a store of an earlier release has not, one by one, as DynamoDB takes them.
    async fn ensure_indexes(&self, name: &str, definition: &Value) -> Result<(), String> {
        let described = self.ask("DescribeTable", json!({ "TableName": name })).await?;
        let known = described["Table"]["GlobalSecondaryIndexes"].as_array().cloned().unwrap_or_default();
        for index in definition["GlobalSecondaryIndexes"].as_array().into_iter().flatten() {
            if known.iter().any(|one| one["IndexName"] == index["IndexName"]) {
                continue;
            }
            let attributes = &definition["AttributeDefinitions"];
            let update = json!({ "TableName": name, "AttributeDefinitions": attributes,
                                 "GlobalSecondaryIndexUpdates": [{ "Create": index }] });
            self.ask("UpdateTable", update).await?;
        }
        Ok(())
    }

    /// Deletes a table with all that is in it.
    pub async fn delete_table(&self, name: &str) -> Result<(), String> {
        self.ask("DeleteTable", json!({ "TableName": name })).await.map(drop)
    }

    /// Turns expiry by a TTL attribute on, once.
    pub async fn expire_by(&self, table: &str, attribute: &str) -> Result<(), String> {
        let described = self.ask("DescribeTimeToLive", json!({ "TableName": table })).await?;
        if described["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED" {
            return Ok(());
        }
        let specification = json!({ "Enabled": true, "AttributeName": attribute });
        let request = json!({ "TableName": table, "TimeToLiveSpecification": specification });
        self.ask("UpdateTimeToLive", request).await.map(drop)
    }

    /// Every item of a table.
    pub async fn scan(&self, table: &str) -> Result<Vec<Value>, String> {
        self.scan_index(table, None).await
    }

    /// Every item of a table, or of one of its indexes.
    pub async fn scan_index(&self, table: &str, index: Option<&str>) -> Result<Vec<Value>, String> {
        let mut items = Vec::new();
        let mut from = None;
        loop {
            let mut request = json!({ "TableName": table });
            if let Some(index) = index {
                request["IndexName"] = index.into();
            }
            if let Some(from) = from.take() {
                request["ExclusiveStartKey"] = from;
            }
            let mut page = self.ask("Scan", request).await?;
            if let Some(Value::Array(found)) = page.get_mut("Items").map(Value::take) {
                items.extend(found);
            }
            match page.get_mut("LastEvaluatedKey").map(Value::take) {
                Some(key) if !key.is_null() => from = Some(key),
                _ => return Ok(items),
            }
        }
    }

    /// Deletes what its TTL attribute says is over; the store does it only when asked. Answers how many.
    pub async fn sweep(&self) -> Result<usize, String> {
        let database = self.database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        swept.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

/// Whether a database of a store has the tables that it must have, and every page and every item can be read.
///
/// # Errors
/// The file, and the first fault that was found in it.
pub fn whole(database: &Path) -> Result<(), String> {
    // Never opened when it is empty: SQLite would take it for a new one, and remove the log that its content may stand in.
    match std::fs::metadata(database) {
        Ok(found) if found.len() == 0 => return Err(format!("{} is empty", database.display())),
        Ok(_) => {}
        Err(error) => return Err(format!("{}: {error}", database.display())),
    }
    let read = || {
        let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        sqlite::sound(&connection)?;
        let must: &[&str] = if database.ends_with(OWN_TABLES) { &["messages", "mail"] } else { &["_tables", TABLE] };
        for table in must {
            let found = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
            if connection.query_row(found, [table], |_| Ok(())).optional()?.is_none() {
                return Ok(Some(format!("it has no table {table}")));
            }
        }
        unreadable(&connection)
    };
    match read().map_err(|error| error.to_string()) {
        Ok(None) => Ok(()),
        Ok(Some(why)) | Err(why) => Err(format!("{}: {why}", database.display())),
    }
}

/// The first item that cannot be read, in a table or an index. SQLite takes any text for sound, and the library does not say
/// which item it could not read.
fn unreadable(connection: &Connection) -> Result<Option<String>, rusqlite::Error> {
    let holds_items = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%item_json%'";
    let tables: Vec<String> =
        connection.prepare(holds_items)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for table in tables {
        let key = if table.contains("::gsi::") { "table_pk, table_sk" } else { "pk, sk" };
        let mut query = connection.prepare(&format!("SELECT item_json, {key} FROM \"{table}\""))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            if let Err(error) = serde_json::from_slice::<Item>(row.get_ref(0)?.as_bytes()?) {
                let (pk, sk) = (key_part(row, 1)?, key_part(row, 2)?);
                return Ok(Some(format!("the item {pk} / {sk} cannot be read: {error}")));
            }
        }
    }
    Ok(None)
}

/// The library writes the type in front: `S:HEAD`.
fn key_part(row: &Row<'_>, column: usize) -> Result<String, rusqlite::Error> {
    let text = String::from_utf8_lossy(row.get_ref(column)?.as_bytes()?).into_owned();
    Ok(text.strip_prefix("S:").unwrap_or(&text).to_owned())
}

/// For whoever writes while a log is to be emptied; then it is emptied another time.
const LOG_PATIENCE: Duration = Duration::from_millis(200);

/// Opens a database that overwrites what is deleted.
///
/// `secure_delete` is a setting of a connection, and the store's library hands its own to nobody. Connections that share
/// a page cache share this setting; so one of ours sets it, and the library's takes it over.
fn open_forgetful(file: &Path) -> Result<Database, String> {
    let path = file.to_str().ok_or("expected a UTF-8 path")?;
    let escaped = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let address = format!("file:{escaped}?cache=shared");
    let first = || {
        let connection = Connection::open_with_flags(&address, OpenFlags::default())?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        Ok::<_, rusqlite::Error>(connection)
    };
    // Open until the library has the file open too, or the setting would end with it.
    let first = first().map_err(|error| error.to_string())?;
    sqlite::mark_schema(&first, packet_store::SCHEMA)?;
    let database = Database::new(&address).map_err(|error| error.to_string());
    drop(first);
    database
}

/// The store's library reads all that is left of a table for each page of a scan, and then cuts the page at a megabyte: what
/// a scan costs would grow with the square of the table. Of our items these are about a megabyte.
const MOST_SCANNED: usize = 2_000;

fn bounded(mut request: ScanRequest) -> ScanRequest {
    request.limit.get_or_insert(MOST_SCANNED);
    request
}

fn run<Q: DeserializeOwned, A: Serialize>(body: &[u8], act: impl FnOnce(Q) -> Result<A, DynoxideError>) -> Answer {
    let request = match serde_json::from_slice::<Q>(body) {
        Ok(request) => request,
        Err(error) => return Answer::error(400, "SerializationException", &error.to_string()),
    };
    match act(request) {
        Ok(answer) => match serde_json::to_string(&answer) {
            Ok(body) => Answer { status: 200, body },
            Err(error) => Answer::error(500, "InternalServerError", &error.to_string()),
        },
        Err(error) => Answer { status: error.status_code(), body: error.to_json() },
    }
}

fn dispatch(database: &Database, operation: &str, body: &[u8]) -> Answer {
    match operation {
        "GetItem" => run(body, |request| database.get_item(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "Query" => run(body, |request| database.query(request)),
        "Scan" => run(body, |request| database.scan(bounded(request))),
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
        "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        "UpdateTable" => run(body, |request| database.update_table(request)),
        "DescribeTable" => run(body, |request| database.describe_table(request)),
        "DeleteTable" => run(body, |request| database.delete_table(request)),
        "ListTables" => run(body, |request| database.list_tables(request)),
        "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
        unknown => Answer::error(400, "UnknownOperationException", &format!("no operation {unknown:?} here")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A client that follows the pages sees every item once.
    #[tokio::test]
    async fn a_scan_has_pages_of_a_bounded_number_of_items() {
        let store = Embedded::memory().unwrap();
        let key = json!([{ "AttributeName": "pk", "KeyType": "HASH" }]);
        let attributes = json!([{ "AttributeName": "pk", "AttributeType": "S" }]);
        let table = json!({ "KeySchema": key, "AttributeDefinitions": attributes, "BillingMode": "PAY_PER_REQUEST" });
        store.ensure_table("table", &table).await.unwrap();
        let items = MOST_SCANNED + 1;
        for chunk in (0..items).collect::<Vec<_>>().chunks(25) {
            let put = |at: &usize| json!({ "PutRequest": { "Item": { "pk": { "S": at.to_string() } } } });
            let puts: Vec<Value> = chunk.iter().map(put).collect();
            store.ask("BatchWriteItem", json!({ "RequestItems": { "table": puts } })).await.unwrap();
        }
        let page = store.ask("Scan", json!({ "TableName": "table" })).await.unwrap();
        assert_eq!((&page["Count"], page["LastEvaluatedKey"].is_object()), (&json!(MOST_SCANNED), true));
        let smaller = store.ask("Scan", json!({ "TableName": "table", "Limit": 7 })).await.unwrap();
        assert_eq!(smaller["Count"], 7, "a limit that is asked for counts");
        let all = store.scan("table").await.unwrap();
        let keys: BTreeSet<&str> = all.iter().filter_map(|item| item["pk"]["S"].as_str()).collect();
        assert_eq!((all.len(), keys.len()), (items, items));
    }
}
