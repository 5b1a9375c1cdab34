//! POLL: what is kept of the systems that are asked at intervals.
//!
//! ```text
//!  poll:    query POLL ── due ── put STATE if its turn is as read ── ask ── put STATE if its turn is as claimed
//!  ingest:  a payload that says "ask again" ── put HINT
//! ```
//! Lost or damaged, a STATE costs one question too many.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use percent_encoding::percent_decode_str;
use refresh_core::{Instant, record::poll::PollRecord};

use crate::{
    Store,
    call::Write,
    codec,
    error::StoreError,
    item::number,
    key::{self, Key},
    several::Unreadable,
};

const TURN: &str = "turn";

/// What is kept of every binding that was ever polled, by the binding's name.
#[derive(Debug, Default)]
pub struct Polls {
    /// What each was last asked and answered.
    pub records: BTreeMap<String, PollRecord>,
    /// When something last said that the system has news.
    pub hints: BTreeMap<String, Instant>,
    /// The items that cannot be read. A damaged record counts as never asked; its turn is among the records.
    pub unreadable: Vec<Unreadable>,
    /// The bindings whose records a newer version of the product wrote: that one asks.
    pub newer: BTreeSet<String>,
}

impl Store {
    /// Every record and hint, strongly consistent.
    ///
    /// # Errors
    ///
    /// The table cannot be read. An item that does not read as it was written is among the unreadable.
    pub async fn polls(&self) -> Result<Polls, StoreError> {
        let doing = "reading what is kept of polled systems";
        let mut polls = Polls::default();
        for item in self.query(doing, key::POLL.to_owned(), None).await? {
            let key = codec::key_of(doing, &item)?;
            let read = match (key.sk.strip_prefix(key::POLL_STATE), key.sk.strip_prefix(key::POLL_HINT)) {
                (Some(name), _) => codec::open(doing, &item).map(|record| {
                    polls.records.insert(named(name), record);
                }),
                (None, Some(name)) => codec::open(doing, &item).map(|at| {
                    polls.hints.insert(named(name), at);
                }),
                (None, None) => Ok(()),
            };
            let Err(error) = read else { continue };
            if let Some(name) = key.sk.strip_prefix(key::POLL_STATE).map(named) {
                // The turn stands beside the body: without it nobody could write over what is damaged.
                let turn = item.get(TURN).and_then(|turn| turn.as_n().ok()?.parse().ok());
                match (error.is_damage(), turn) {
                    (false, _) => drop(polls.newer.insert(name)),
                    (true, Some(turn)) => {
                        drop(polls.records.insert(name, PollRecord { turn, ..PollRecord::default() }))
                    }
                    (true, None) => {}
                }
            }
            polls.unreadable.push(Unreadable { review: None, error });
        }
        Ok(polls)
    }

    /// Writes what is kept of a binding, if the turn is still the one that was read. `before`: that turn; `None` where
    /// nothing was kept. `false`: another worker was quicker.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn keep_poll(&self, binding: &str, record: &PollRecord, before: Option<u64>) -> Result<bool, StoreError> {
        let doing = format!("keeping what {binding} answered");
        let item = codec::seal(&Key::poll(binding), record, &[(TURN, number(record.turn))]);
        let mut request = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(item))
            .expression_attribute_names("#turn", TURN);
        request = match before {
            Some(turn) => request
                .condition_expression("#turn = :turn")
                .expression_attribute_values(":turn", AttributeValue::N(turn.to_string())),
            None => request.condition_expression("attribute_not_exists(#turn)"),
        };
        Ok(matches!(self.put(&doing, request).await?, Write::Done))
    }

    /// Keeps that a polled system has news. Safe to repeat.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn hint_poll(&self, binding: &str, at: Instant) -> Result<(), StoreError> {
        let doing = format!("keeping that {binding} has news");
        let item = codec::seal(&Key::poll_hint(binding), &at, &[]);
        let request = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        match self.put(&doing, request).await? {
            Write::Done | Write::Refused(_) => Ok(()),
        }
    }
}

fn named(escaped: &str) -> String {
    percent_decode_str(escaped).decode_utf8_lossy().into_owned()
}
