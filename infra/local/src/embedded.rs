//! The embedded DynamoDB: one SQLite file, or memory. Requests and answers are the JSON that travels over the wire.

use std::path::Path;

use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Cloning shares the store.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    /// A file waits for the disk, so its calls leave the executor's threads. Memory answers at once and in order, which
    /// keeps replays deterministic.
    on_disk: bool,
}

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
}

impl Embedded {
    pub fn memory() -> Result<Self, String> {
        let database = Database::memory().map_err(|error| format!("opening a store in memory: {error}"))?;
        Ok(Self { database, on_disk: false })
    }

    pub fn open(file: &Path) -> Result<Self, String> {
        let path =
            file.to_str().ok_or_else(|| format!("opening the store {}: expected a UTF-8 path", file.display()))?;
        let database = Database::new(path).map_err(|error| format!("opening the store {path}: {error}"))?;
        Ok(Self { database, on_disk: true })
    }

    /// One operation of the API, by the name it has in `x-amz-target`.
    pub async fn call(&self, operation: &str, body: Vec<u8>) -> Answer {
        if !self.on_disk {
            return dispatch(&self.database, operation, &body);
        }
        let (database, operation) = (self.database.clone(), operation.to_owned());
        let ran = tokio::task::spawn_blocking(move || dispatch(&database, &operation, &body)).await;
        ran.unwrap_or_else(|_| Answer::error(500, "InternalServerError", "the embedded store panicked"))
    }

    /// For the engine's own tables: an error is a message.
    pub async fn ask(&self, operation: &str, request: Value) -> Result<Value, String> {
        let answer = self.call(operation, request.to_string().into_bytes()).await;
        if answer.status == 200 {
            return serde_json::from_str(&answer.body).map_err(|error| format!("{operation}: {error}"));
        }
        Err(format!("{operation}: status {}: {}", answer.status, answer.body))
    }

    /// Makes a table unless it is there. `definition` is a `CreateTable` request without its name.
    pub async fn ensure_table(&self, name: &str, definition: &Value) -> Result<(), String> {
        let described = self.call("DescribeTable", json!({ "TableName": name }).to_string().into_bytes()).await;
        if described.status == 200 {
            return Ok(());
        }
        let mut request = definition.clone();
        request["TableName"] = name.into();
        self.ask("CreateTable", request).await.map(drop)
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

    /// All or nothing.
    pub async fn transact(&self, actions: &[Value]) -> Result<(), String> {
        if actions.is_empty() {
            return Ok(());
        }
        self.ask("TransactWriteItems", json!({ "TransactItems": actions })).await.map(drop)
    }

    /// Deletes what its TTL attribute says is over; the store does it only when asked. Answers how many.
    pub async fn sweep(&self) -> Result<usize, String> {
        let database = self.database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        swept.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

/// A table of the engine's own: a partition and a sort key, both strings.
pub fn keyed_by(partition: &str, sort: &str) -> Value {
    json!({
        "AttributeDefinitions": [
            { "AttributeName": partition, "AttributeType": "S" },
            { "AttributeName": sort, "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": partition, "KeyType": "HASH" },
            { "AttributeName": sort, "KeyType": "RANGE" },
        ],
        "BillingMode": "PAY_PER_REQUEST",
    })
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
        "Scan" => run(body, |request| database.scan(request)),
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
        "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        "DescribeTable" => run(body, |request| database.describe_table(request)),
        "DeleteTable" => run(body, |request| database.delete_table(request)),
        "ListTables" => run(body, |request| database.list_tables(request)),
        "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
        unknown => Answer::error(400, "UnknownOperationException", &format!("no operation {unknown:?} here")),
    }
}
