//! The calls every part of the store makes: every page, unprocessed key and conflict followed to its end.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        put_item::{PutItemError, builders::PutItemFluentBuilder},
        query::builders::QueryFluentBuilder,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{CancellationReason, KeysAndAttributes, TransactWriteItem},
};

use crate::{
    Store, contention,
    error::StoreError,
    item::{Item, text},
    key::Key,
};

/// DynamoDB: keys of one BatchGetItem.
const MOST_KEYS: usize = 100;
/// DynamoDB: actions of one transaction.
pub(crate) const MOST_ACTIONS: usize = 100;
/// Queries at once of one decision. A review of five roles has some twenty-five people in reach: two rounds of calls.
pub(crate) const AT_ONCE: usize = 16;

/// What became of a conditional write of one item.
pub(crate) enum Write {
    Done,
    /// The condition did not hold; the item as it is, where there is one.
    Refused(Option<Item>),
}

/// What became of a transaction.
pub(crate) enum Transaction {
    Done,
    /// One reason per action, in their order.
    Cancelled(Vec<CancellationReason>),
}

impl Store {
    pub(crate) async fn get(&self, doing: &str, key: &Key) -> Result<Option<Item>, StoreError> {
        let request =
            self.client.get_item().table_name(&*self.table).set_key(Some(key.attributes())).consistent_read(true);
        let found = request.send().await.map_err(|error| StoreError::call(doing, error))?;
        Ok(found.item)
    }

    /// In no particular order; what does not exist is left out. A key given twice counts once.
    pub(crate) async fn get_all(&self, doing: &str, mut keys: Vec<Key>) -> Result<Vec<Item>, StoreError> {
        keys.sort_unstable();
        keys.dedup();
        let mut found = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(MOST_KEYS) {
            let mut left: Vec<Item> = chunk.iter().map(Key::attributes).collect();
            let mut attempt = 0;
            while !left.is_empty() {
                self.pause(attempt).await;
                let before = left.len();
                let (items, unprocessed) = self.get_some(doing, left).await?;
                found.extend(items);
                left = unprocessed;
                // An answer is cut off at 16 MB as well; only one that brought nothing counts as a failed try.
                attempt = if left.len() < before { 0 } else { attempt + 1 };
                if attempt == contention::TRIES {
                    return Err(StoreError::contended(doing));
                }
            }
        }
        Ok(found)
    }

    async fn get_some(&self, doing: &str, keys: Vec<Item>) -> Result<(Vec<Item>, Vec<Item>), StoreError> {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let wanted = wanted.map_err(|error| StoreError::poison(doing, error.to_string()))?;
        let request = self.client.batch_get_item().request_items(&*self.table, wanted);
        let answer = request.send().await.map_err(|error| StoreError::call(doing, error))?;
        let items = answer.responses.unwrap_or_default().remove(&*self.table).unwrap_or_default();
        let left = answer.unprocessed_keys.unwrap_or_default().remove(&*self.table);
        Ok((items, left.map(|left| left.keys).unwrap_or_default()))
    }

    /// All pages of a query on the table itself, strongly consistent, in key order.
    pub(crate) async fn query(
        &self,
        doing: &str,
        partition: String,
        from_to: Option<(String, String)>,
    ) -> Result<Vec<Item>, StoreError> {
        let mut request = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_values(":pk", text(partition));
        request = match from_to {
            None => request.key_condition_expression("#pk = :pk"),
            Some((from, to)) => request
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
                .expression_attribute_names("#sk", "sk")
                .expression_attribute_values(":from", text(from))
                .expression_attribute_values(":to", text(to)),
        };
        self.pages(doing, request).await
    }

    pub(crate) async fn pages(&self, doing: &str, request: QueryFluentBuilder) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut from: Option<HashMap<_, _>> = None;
        loop {
            let page = request.clone().set_exclusive_start_key(from).send().await;
            let page = page.map_err(|error| StoreError::call(doing, error))?;
            items.extend(page.items.unwrap_or_default());
            // A page may be empty and still not be the last.
            match page.last_evaluated_key.filter(|key| !key.is_empty()) {
                Some(next) => from = Some(next),
                None => return Ok(items),
            }
        }
    }

    pub(crate) async fn put(&self, doing: &str, request: PutItemFluentBuilder) -> Result<Write, StoreError> {
        let refused = |error: &PutItemError| match error {
            PutItemError::ConditionalCheckFailedException(refused) => Some(refused.item.clone()),
            _ => None,
        };
        self.write(doing, || request.clone().send(), refused).await
    }

    pub(crate) async fn update(&self, doing: &str, request: UpdateItemFluentBuilder) -> Result<Write, StoreError> {
        let refused = |error: &UpdateItemError| match error {
            UpdateItemError::ConditionalCheckFailedException(refused) => Some(refused.item.clone()),
            _ => None,
        };
        self.write(doing, || request.clone().send(), refused).await
    }

    /// `refused`: the item that stands in the way, where the error says that the condition did not hold.
    async fn write<T, E, R, F>(
        &self,
        doing: &str,
        send: impl Fn() -> F,
        refused: impl Fn(&E) -> Option<Option<Item>>,
    ) -> Result<Write, StoreError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, R>>>,
    {
        for attempt in 0..contention::TRIES {
            self.pause(attempt).await;
            let Err(error) = send().await else { return Ok(Write::Done) };
            if let Some(item) = error.as_service_error().and_then(&refused) {
                return Ok(Write::Refused(item));
            }
            if !is_conflict(&error) {
                return Err(StoreError::call(doing, error));
            }
        }
        Err(StoreError::contended(doing))
    }

    /// One attempt: what to make of a cancellation is the caller's. The SDK fills in the token that makes its own
    /// retries of this call harmless; a token of ours would not survive a second decision with another instant in it.
    pub(crate) async fn transact(
        &self,
        doing: &str,
        actions: Vec<TransactWriteItem>,
    ) -> Result<Transaction, StoreError> {
        if actions.len() > MOST_ACTIONS {
            let found = format!("expected at most {MOST_ACTIONS} actions in one transaction, found {}", actions.len());
            return Err(StoreError::poison(doing, found));
        }
        match self.client.transact_write_items().set_transact_items(Some(actions)).send().await {
            Ok(_) => Ok(Transaction::Done),
            Err(error) => {
                let cancelled = error.as_service_error().is_some_and(|error| error.is_transaction_canceled_exception());
                if !cancelled {
                    return Err(StoreError::call(doing, error));
                }
                use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as Error;
                match error.into_service_error() {
                    Error::TransactionCanceledException(cancelled) => {
                        Ok(Transaction::Cancelled(cancelled.cancellation_reasons.unwrap_or_default()))
                    }
                    _ => Ok(Transaction::Cancelled(Vec::new())),
                }
            }
        }
    }
}

/// A plain write met a transaction in flight. The SDK does not retry this by itself.
fn is_conflict<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error
        .as_service_error()
        .and_then(|error| error.code())
        .is_some_and(|code| matches!(code, "TransactionConflictException" | "ReplicatedWriteConflictException"))
}
