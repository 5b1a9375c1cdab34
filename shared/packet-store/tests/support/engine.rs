//! The embedded engine behind the SDK's own HTTP port: the request bytes, retries and error mapping of production,
//! without a socket. Calls can be answered by a script instead, or lose their answer on the way back.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use packet_store::Store;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

pub const TABLE: &str = "packets";

#[derive(Clone)]
pub struct Engine {
    database: Database,
    wire: Arc<Mutex<Wire>>,
}

#[derive(Default)]
struct Wire {
    faults: VecDeque<(&'static str, Fault)>,
    calls: Vec<(String, Value)>,
}

/// What happens to the next call of an operation.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answered like this, without any effect.
    Answer(u16, Value),
    /// Done, but the answer is lost.
    LoseAnswer,
    /// Passed on as it is; for scripts where only a later call is meant.
    Pass,
}

impl Engine {
    pub fn new() -> Self {
        let database = Database::memory().expect("an engine in memory");
        let table = json!({
            "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" }, { "AttributeName": "sk", "AttributeType": "S" },
                { "AttributeName": "due_shard", "AttributeType": "S" }, { "AttributeName": "due_at", "AttributeType": "N" },
                { "AttributeName": "seen_shard", "AttributeType": "S" }, { "AttributeName": "seen_at", "AttributeType": "S" },
            ],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }, { "AttributeName": "sk", "KeyType": "RANGE" }],
            "GlobalSecondaryIndexes": [{
                "IndexName": "due", "Projection": { "ProjectionType": "KEYS_ONLY" },
                "KeySchema": [{ "AttributeName": "due_shard", "KeyType": "HASH" }, { "AttributeName": "due_at", "KeyType": "RANGE" }],
            }, {
                "IndexName": "seen", "Projection": { "ProjectionType": "ALL" },
                "KeySchema": [{ "AttributeName": "seen_shard", "KeyType": "HASH" }, { "AttributeName": "seen_at", "KeyType": "RANGE" }],
            }],
        });
        let (status, body) = dispatch(&database, "CreateTable", table.to_string().as_bytes());
        assert_eq!(status, 200, "{body}");
        Self { database, wire: Arc::default() }
    }

    /// A store of its own on the same table, with nothing remembered: another worker.
    pub fn store(&self) -> Store {
        Store::new(self.client(RetryConfig::disabled()), TABLE)
    }

    /// With the SDK's retries on.
    pub fn patient_store(&self) -> Store {
        let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1));
        Store::new(self.client(retries), TABLE)
    }

    pub fn client(&self, retries: RetryConfig) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .retry_config(retries)
            .http_client(self.clone())
            .build();
        Client::from_conf(config)
    }

    pub fn next(&self, operation: &'static str, fault: Fault) -> &Self {
        self.wire().faults.push_back((operation, fault));
        self
    }

    /// Operations asked since the last look, in order, with their requests.
    pub fn calls(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.wire().calls)
    }

    /// Straight into the engine, past the client.
    pub fn raw(&self, operation: &str, request: &Value) -> Value {
        let (status, body) = dispatch(&self.database, operation, request.to_string().as_bytes());
        assert_eq!(status, 200, "{operation}: {body}");
        serde_json::from_str(&body).expect("an answer is JSON")
    }

    /// Every item, in order of its key.
    pub fn items(&self) -> Vec<Value> {
        let found = self.raw("Scan", &json!({ "TableName": TABLE }));
        let mut items = found["Items"].as_array().cloned().unwrap_or_default();
        items.sort_by_key(|item| (item["pk"]["S"].to_string(), item["sk"]["S"].to_string()));
        items
    }

    pub fn put(&self, item: &Value) {
        self.raw("PutItem", &json!({ "TableName": TABLE, "Item": item }));
    }

    fn wire(&self) -> std::sync::MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl HttpConnector for Engine {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let fault = {
            let mut wire = self.wire();
            wire.calls.push((operation.clone(), serde_json::from_slice(&body).unwrap_or_default()));
            let place = wire.faults.iter().position(|(of, _)| *of == operation);
            place.and_then(|place| wire.faults.remove(place)).map_or(Fault::Pass, |(_, fault)| fault)
        };
        if let Fault::Answer(status, answer) = fault {
            return HttpConnectorFuture::ready(Ok(response(status, answer.to_string())));
        }
        let database = self.database.clone();
        HttpConnectorFuture::new(async move {
            let done = tokio::task::spawn_blocking(move || dispatch(&database, &operation, &body)).await;
            match (fault, done) {
                (Fault::LoseAnswer, _) => Err(ConnectorError::io(io::Error::other("the answer was lost").into())),
                (_, Ok((status, body))) => Ok(response(status, body)),
                (_, Err(panic)) => Err(ConnectorError::other(panic.into(), None)),
            }
        })
    }
}

impl HttpClient for Engine {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn response(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body))
}

fn dispatch(database: &Database, operation: &str, body: &[u8]) -> (u16, String) {
    fn run<Q: DeserializeOwned, A: Serialize>(
        body: &[u8],
        act: impl FnOnce(Q) -> Result<A, DynoxideError>,
    ) -> (u16, String) {
        match act(serde_json::from_slice(body).expect("a request of the SDK's")) {
            Ok(answer) => (200, serde_json::to_string(&answer).expect("an answer serialises")),
            Err(error) => (error.status_code(), error.to_json()),
        }
    }
    match operation {
        "CreateTable" => run(body, |request| database.create_table(request)),
        "GetItem" => run(body, |request| database.get_item(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "Query" => run(body, |request| database.query(request)),
        "Scan" => run(body, |request| database.scan(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        other => panic!("the store has no business calling {other}"),
    }
}

/// A cancelled transaction as DynamoDB words it: one code per action.
pub fn cancelled(codes: &[&str]) -> Fault {
    let reasons: Vec<Value> = codes.iter().map(|code| json!({ "Code": code })).collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled", "CancellationReasons": reasons,
    });
    Fault::Answer(400, body)
}

pub fn refused(code: &str) -> Fault {
    Fault::Answer(400, json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no" }))
}
