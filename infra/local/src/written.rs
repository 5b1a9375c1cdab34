//! Which reviews' HEADs were written since somebody looked. The writes of this process are seen where they arrive: at the
//! embedded store, which nobody else writes to while an engine runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use packet_store::key::review_of;
use refresh_core::ReviewId;
use serde::Deserialize;

/// Cloning shares what was seen. It begins with [`Written::Unknown`]: of what is in a store that was just opened, nobody
/// has seen anything.
#[derive(Clone, Default)]
pub struct WrittenHeads {
    seen: Arc<Mutex<Written>>,
}

/// What was written since the last look.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Written {
    /// Anything may have been.
    #[default]
    Unknown,
    /// The HEADs of these reviews, and of no others.
    Heads(BTreeSet<ReviewId>),
}

/// The keys that a request writes to; whatever else stands in it is passed over.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Request {
    item: Option<Key>,
    key: Option<Key>,
    transact_items: Vec<Action>,
    request_items: BTreeMap<String, Vec<Action>>,
}

/// One of `TransactWriteItems` or of `BatchWriteItem`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Action {
    put: Option<Target>,
    update: Option<Target>,
    delete: Option<Target>,
    put_request: Option<Target>,
    delete_request: Option<Target>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Target {
    item: Option<Key>,
    key: Option<Key>,
}

#[derive(Deserialize)]
struct Key {
    pk: Text,
    sk: Text,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

impl Request {
    fn keys(self) -> impl Iterator<Item = Key> {
        let actions = self.transact_items.into_iter().chain(self.request_items.into_values().flatten());
        let targets = actions.flat_map(|action| {
            let Action { put, update, delete, put_request, delete_request } = action;
            [put, update, delete, put_request, delete_request].into_iter().flatten()
        });
        let of_one = [self.item, self.key].into_iter().flatten();
        of_one.chain(targets.flat_map(|target| [target.item, target.key].into_iter().flatten()))
    }
}

/// The reviews whose HEAD a request writes; `None` where that cannot be told.
fn heads_of(body: &[u8]) -> Option<BTreeSet<ReviewId>> {
    let request: Request = serde_json::from_slice(body).ok()?;
    let heads = request.keys().filter(|key| key.sk.text == "HEAD");
    heads.map(|key| review_of(&key.pk.text).ok()).collect()
}

impl WrittenHeads {
    /// After a request was carried out, so that whoever looks from now on reads what it wrote.
    pub fn see(&self, operation: &str, body: &[u8]) {
        if !["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"].contains(&operation) {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Where nobody looks, nothing is taken apart.
        if let Written::Heads(known) = &mut *seen {
            match heads_of(body) {
                Some(heads) => known.extend(heads),
                None => *seen = Written::Unknown,
            }
        }
    }

    /// What was written since this was asked last. Ask first and read second: what is written in between is seen again.
    pub fn take(&self) -> Written {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *seen, Written::Heads(BTreeSet::new()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn key(review: &str, sort: &str) -> Value {
        let head = packet_store::key::Key::head(&ReviewId::parse(review).unwrap());
        json!({ "pk": { "S": head.pk }, "sk": { "S": sort } })
    }

    fn item(review: &str, sort: &str) -> Value {
        let mut item = key(review, sort);
        item["counter"] = json!({ "N": "1" });
        item["body"] = json!({ "B": "AAAA" });
        item
    }

    /// Each way to write an item, a HEAD beside another item.
    #[test]
    fn every_write_of_a_head_is_seen_and_no_other() {
        let batch = |items: Value| json!({ "RequestItems": { "holdpoint-packets": items } });
        let condition = json!({ "Key": key("NO", "HEAD"), "ConditionExpression": "attribute_exists(pk)" });
        for (operation, request, expected) in [
            ("PutItem", json!({ "TableName": "t", "Item": item("R1", "HEAD") }), vec!["R1"]),
            (
                "PutItem",
                json!({ "TableName": "t", "Item": item("2026/11 #3 of 50%", "HEAD") }),
                vec!["2026/11 #3 of 50%"],
            ),
            ("PutItem", json!({ "TableName": "t", "Item": item("R1", "VERSION#0000000001") }), vec![]),
            (
                "UpdateItem",
                json!({ "TableName": "t", "Key": key("R2", "HEAD"), "UpdateExpression": "SET a = :a" }),
                vec!["R2"],
            ),
            ("DeleteItem", json!({ "TableName": "t", "Key": key("R3", "HEAD") }), vec!["R3"]),
            (
                "BatchWriteItem",
                batch(json!([
                    { "PutRequest": { "Item": item("R4", "HEAD") } }, { "DeleteRequest": { "Key": key("R5", "HEAD") } },
                    { "DeleteRequest": { "Key": key("R6", "SUBJECTS") } },
                ])),
                vec!["R4", "R5"],
            ),
            (
                "TransactWriteItems",
                json!({ "TransactItems": [
                    { "Put": { "TableName": "t", "Item": item("R7", "HEAD") } },
                    { "Put": { "TableName": "t", "Item": item("R7", "LINEAGE#0000000001") } },
                    { "Update": { "TableName": "t", "Key": key("R8", "HEAD") } },
                    { "Delete": { "TableName": "t", "Key": key("R9", "HEAD") } },
                    { "ConditionCheck": condition },
                ] }),
                vec!["R7", "R8", "R9"],
            ),
            ("GetItem", json!({ "TableName": "t", "Key": key("R1", "HEAD") }), vec![]),
        ] {
            let written = WrittenHeads::default();
            assert_eq!(written.take(), Written::Unknown);
            written.see(operation, request.to_string().as_bytes());
            let expected = expected.into_iter().map(|review| ReviewId::parse(review).unwrap()).collect();
            assert_eq!(written.take(), Written::Heads(expected), "{operation} {request}");
            assert_eq!(written.take(), Written::Heads(BTreeSet::new()), "once");
        }
    }

    /// A key of no known form may be any review's.
    #[test]
    fn what_cannot_be_told_makes_everything_unknown() {
        let nameless = json!({ "Item": { "pk": { "S": "HEADS" }, "sk": { "S": "HEAD" } } });
        for body in [nameless.to_string(), "{".to_owned(), json!({ "Key": { "pk": { "N": "1" } } }).to_string()] {
            let written = WrittenHeads::default();
            let _ = written.take();
            written.see("PutItem", body.as_bytes());
            assert_eq!(written.take(), Written::Unknown, "{body}");
        }
    }
}
