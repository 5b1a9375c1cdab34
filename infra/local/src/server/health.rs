//! How the engine is, seen from outside: for people (`/health`), for whoever starts and stops it (`/ready`), and for
//! Prometheus (`/metrics`). What is open to whoever reaches the machine counts, and names no review and nobody.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Shared, answered, complain, try_later};
use crate::{
    doors::Public,
    engine::{Engine, Storage},
    figures,
    limits::Room,
    operator,
    roster::Concern,
};

/// How the engine is, and what somebody must see to.
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
    let wrong = wrong(engine).await;
    let status = if wrong.is_empty() { "ok" } else { "attention" };
    let health = json!({ "status": status, "wrong": wrong, "now": engine.now(), "queues": queues, "mails": mails });
    answered(StatusCode::OK, &health)
}

/// What somebody must see to, as counts: this door is open to whoever reaches the machine, so it names no review and
/// nobody. The server itself answers, so the status of the answer is 200 all the same.
pub async fn wrong(engine: &Engine) -> Vec<String> {
    let mut wrong = of_the_engine(engine);
    let dead: usize = engine.topology().dead_letter_queues().map(|(queue, _)| letters(engine, &queue.name)).sum();
    if dead > 0 {
        wrong.push(format!("{dead} messages are in dead-letter queues"));
    }
    match engine.concerns().look(engine.store()).await {
        Ok(Concern { unreadable, unreached }) => {
            if unreadable > 0 {
                wrong.push(format!("{unreadable} reviews cannot be read"));
            }
            if unreached > 0 {
                wrong.push(format!("{unreached} people of open reviews cannot be told"));
            }
        }
        Err(error) => {
            complain(engine, &error, "the reviews could not be read");
            wrong.push("the reviews could not be read".to_owned());
        }
    }
    wrong.extend(engine.relay().and_then(|relay| relay.wrong(engine.clock().now_millis())));
    match engine.store().silenced().await {
        Ok(subjects) if subjects.is_empty() => {}
        Ok(subjects) => wrong.push(format!("{} subjects get nothing but stale revisions", subjects.len())),
        Err(error) => {
            complain(engine, &error, "the silenced subjects could not be read");
            wrong.push("the silenced subjects could not be read".to_owned());
        }
    }
    match engine.store().polls().await {
        Ok(polls) => {
            let failing = polls.records.iter().filter(|(_, record)| record.failing.is_some());
            let names: Vec<&str> = failing.map(|(name, _)| name.as_str()).collect();
            if !names.is_empty() {
                wrong.push(format!("polled systems do not answer: {}", names.join(", ")));
            }
        }
        Err(error) => {
            complain(engine, &error, "what is kept of polled systems could not be read");
            wrong.push("what is kept of polled systems could not be read".to_owned());
        }
    }
    wrong
}

/// What stands in the way of the engine as a whole, and of no review or mail by its name. `holdpoint stuck` lists the same.
pub fn of_the_engine(engine: &Engine) -> Vec<String> {
    let mut wrong: Vec<String> = engine.obstacle().into_iter().collect();
    if operator::full(engine).is_some() {
        wrong.push("as many events wait as [limits] waiting_events allows; no more are taken".to_owned());
    }
    match room(engine) {
        Some(Ok(room)) => wrong.extend(room.wrong(&engine.limits())),
        Some(Err(why)) => wrong.push(why),
        None => {}
    }
    let certificates = engine.settings().certificates.as_ref();
    wrong.extend(certificates.into_iter().flat_map(|certificates| certificates.wrong(engine.now().millis())));
    wrong.extend(engine.settings().public.as_ref().and_then(Public::wrong));
    if engine.mailbox().count().is_err() {
        wrong.push("the mailbox could not be read".to_owned());
    }
    wrong.extend(engine.door_troubles().wrong());
    wrong
}

/// The room of the store's files; `None`: the store is in memory.
fn room(engine: &Engine) -> Option<Result<Room, String>> {
    match &engine.settings().storage {
        Storage::File(store) => Some(Room::of(store)),
        Storage::Memory => None,
    }
}

fn letters(engine: &Engine, queue: &str) -> usize {
    engine.queues().counts(queue).map_or(1, |counts| counts.visible + counts.in_flight + counts.delayed)
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
            complain(&shared.engine, &error, "the store does not answer");
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
    if let Some(Ok(room)) = room(engine) {
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        own.push(level("holdpoint_store_bytes", "Bytes of the store's files", Vec::new(), bytes(room.used)));
        own.push(level("holdpoint_disk_free_bytes", "Bytes left on the store's disk", Vec::new(), bytes(room.free)));
    }
    let in_trouble = usize::from(engine.embedded().guard().trouble().is_some());
    own.push(level("holdpoint_store_in_trouble", "1 while the store takes no writes", Vec::new(), in_trouble));
    own.push(level("holdpoint_attention", "Matters that /health lists", Vec::new(), wrong(engine).await.len()));
    own
}
