//! `[keys]` and `[limits]`: where secrets lie, and what is taken and held at most.

use std::path::Path;

use sources::reader::{Node, Object};

use super::members::path;
use crate::{
    command::home::KeyFiles,
    limits::{Limits, MEBIBYTE},
};

/// A link lives seven days longer than its review's start is away, and a key opens for one rotation more than it signs.
const SOONEST_ROTATION: i64 = 30;
const LATEST_ROTATION: i64 = 3_650;

/// Bodies of all requests have 64 MiB together.
const LARGEST_REQUEST: i64 = 32;
/// With fewer, a browser and a source would keep each other out.
const FEWEST_CONNECTIONS: i64 = 16;
const MOST_CONNECTIONS: i64 = 4_096;
/// All of them are in memory, each with a MiB at most.
const MOST_WAITING: i64 = 1_000_000;
/// A tebibyte, in MiB.
const LARGEST_STORE: i64 = 1_048_576;

pub fn keys(keys: &Object<'_>, folder: &Path) -> Option<KeyFiles> {
    keys.only(&["link_keys_file", "rotate_days", "source_secrets_file", "source_credentials_file"]);
    let file = |name: &'static str| keys.may(name, |node| path(node, folder));
    let (link_keys, source_secrets, source_credentials) =
        (file("link_keys_file"), file("source_secrets_file"), file("source_credentials_file"));
    let rotate_days = keys.may("rotate_days", |node| node.whole(SOONEST_ROTATION..=LATEST_ROTATION));
    Some(KeyFiles {
        link_keys: link_keys?,
        rotate_days: rotate_days?,
        source_secrets: source_secrets?,
        source_credentials: source_credentials?,
    })
}

pub fn limits(limits: &Object<'_>) -> Option<Limits> {
    limits.only(&["request_mebibytes", "connections", "waiting_events", "store_mebibytes", "free_mebibytes"]);
    let otherwise = Limits::default();
    let mebibyte = |node: &Node<'_>, least: i64, most: i64| {
        node.whole(least..=most).map(|mebibytes| u64::try_from(mebibytes).unwrap_or_default() * MEBIBYTE)
    };
    let count =
        |node: &Node<'_>, least: i64, most: i64| node.whole(least..=most).and_then(|count| usize::try_from(count).ok());
    let request = limits.may("request_mebibytes", |node| mebibyte(node, 1, LARGEST_REQUEST));
    let connections = limits.may("connections", |node| count(node, FEWEST_CONNECTIONS, MOST_CONNECTIONS));
    let waiting_events = limits.may("waiting_events", |node| count(node, 1, MOST_WAITING));
    let store = limits.may("store_mebibytes", |node| mebibyte(node, 1, LARGEST_STORE));
    let free = limits.may("free_mebibytes", |node| mebibyte(node, 0, LARGEST_STORE));
    Some(Limits {
        request: request?.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(otherwise.request),
        connections: connections?.unwrap_or(otherwise.connections),
        waiting_events: waiting_events?.unwrap_or(otherwise.waiting_events),
        store: store?.or(otherwise.store),
        free: free?.unwrap_or(otherwise.free),
    })
}
