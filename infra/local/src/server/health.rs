//! How the engine is, seen from outside: for people (`/health`), for whoever starts and stops it (`/ready`), and for
//! Prometheus (`/metrics`). What is open to whoever reaches the machine counts, and names no review and nobody.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Shared, answered, try_later};
use crate::{engine::Engine, figures};

/// How the engine is, and what somebody must see to. The server itself answers, so the status is 200 all the same.
pub async fn health(State(shared): State<Shared>) -> Response {
    let engine = &shared.engine;
    let mut queues = serde_json::Map::new();
    for name in engine.queues().names() {
        if let Ok(counts) = engine.queues().counts(&name) {
            let counts = json!({ "visible": counts.visible, "in_flight": counts.in_flight, "delayed": counts.delayed });
            queues.insert(name, counts);
        }
    }
    let mails = engine.mailbox().len();
    let wrong = engine.wrong().await;
    let status = if wrong.is_empty() { "ok" } else { "attention" };
    let health = json!({ "status": status, "wrong": wrong, "now": engine.now(), "queues": queues, "mails": mails });
    answered(StatusCode::OK, &health)
}

/// Whether work can be taken now: the store answers, and the engine is not being stopped.
pub async fn ready(State(shared): State<Shared>) -> Response {
    if *shared.stopping.borrow() {
        return try_later("the engine is being stopped");
    }
    // The guard has said it in the log, once.
    if shared.engine.embedded().guard().trouble().is_some() {
        return try_later("the store is in trouble; /health says more");
    }
    match shared.engine.store().silenced().await {
        Ok(_) => answered(StatusCode::OK, &json!({ "ready": true })),
        Err(error) => {
            shared.engine.complain(&error, "the store does not answer");
            try_later("the store does not answer; the engine's log says why")
        }
    }
}

/// The figures of the functions as they count them in a deployment, and the engine's own.
pub async fn metrics(State(shared): State<Shared>) -> Response {
    let now = own(&shared.engine).await;
    match figures::text(&now) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the figures could not be written");
            try_later("the figures could not be written; the engine's log says why")
        }
    }
}

/// What is so at this moment.
async fn own(engine: &Engine) -> Vec<figures::Level> {
    let level = |name, help, labels: Vec<(&'static str, String)>, value: usize| figures::Level {
        name,
        help,
        labels,
        // Counts here are far below the 2^53 that a double holds exactly.
        value: value as f64,
    };
    let mut own = Vec::new();
    for name in engine.queues().names() {
        let Ok(counts) = engine.queues().counts(&name) else { continue };
        for (state, count) in
            [("visible", counts.visible), ("in_flight", counts.in_flight), ("delayed", counts.delayed)]
        {
            let labels = vec![("queue", name.clone()), ("state", state.to_owned())];
            own.push(level("holdpoint_queue_messages", "Messages of a queue, dead letters included", labels, count));
        }
    }
    own.push(level("holdpoint_mails", "Mails in the mailbox", Vec::new(), engine.mailbox().len()));
    if let Some(relay) = engine.relay() {
        let (waiting, down) = relay.backlog();
        own.push(level("holdpoint_mails_waiting", "Mails that the mail server has not taken yet", Vec::new(), waiting));
        own.push(level("holdpoint_relay_down", "1 while no mail can leave", Vec::new(), usize::from(down)));
    }
    if let Some(timekeeper) = &engine.settings().timekeeper {
        let in_doubt = usize::from(timekeeper.doubt().is_some());
        own.push(level(
            "holdpoint_clock_in_doubt",
            "1 while the machine's clock is not believed",
            Vec::new(),
            in_doubt,
        ));
        let mut ahead =
            level("holdpoint_clock_ahead_seconds", "The machine's clock less what has elapsed", Vec::new(), 0);
        // Far below the 2^53 that a double holds exactly.
        ahead.value = timekeeper.ahead() as f64 / 1_000.0;
        own.push(ahead);
    }
    if let Some(Ok(room)) = engine.room() {
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        own.push(level("holdpoint_store_bytes", "Bytes of the store's files", Vec::new(), bytes(room.used)));
        own.push(level("holdpoint_disk_free_bytes", "Bytes left on the store's disk", Vec::new(), bytes(room.free)));
    }
    let in_trouble = usize::from(engine.embedded().guard().trouble().is_some());
    own.push(level("holdpoint_store_in_trouble", "1 while the store takes no writes", Vec::new(), in_trouble));
    own.push(level("holdpoint_attention", "Matters that /health lists", Vec::new(), engine.wrong().await.len()));
    own
}
