//! DynamoDB over the wire (JSON 1.0), answered by the embedded store.

use serde_json::{Value, json};

use super::Reply;
use crate::embedded::{Answer, Embedded};

pub async fn serve(store: &Embedded, operation: &str, body: &[u8]) -> Reply {
    reply(store.call(operation, body.to_vec()).await)
}

fn reply(answer: Answer) -> Reply {
    Reply {
        status: answer.status,
        headers: vec![("content-type", "application/x-amz-json-1.0".to_owned())],
        body: answer.body,
    }
}

pub fn error(status: u16, kind: &str, message: &str) -> Reply {
    reply(Answer::error(status, kind, message))
}

/// Another transaction holds an item. Inside a transaction that is a reason at each of its positions' places; here the
/// first one is in conflict and the rest say the literal "None", as DynamoDB does.
pub fn conflict(operation: &str, body: &[u8]) -> Reply {
    if !operation.starts_with("Transact") {
        return error(400, "TransactionConflictException", "transaction is ongoing for the item");
    }
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let actions = request["TransactItems"].as_array().map_or(1, Vec::len);
    let reasons: Vec<Value> = (0..actions)
        .map(|position| match position {
            0 => json!({ "Code": "TransactionConflict", "Message": "transaction is ongoing for the item" }),
            _ => json!({ "Code": "None" }),
        })
        .collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    });
    reply(Answer { status: 400, body: body.to_string() })
}
