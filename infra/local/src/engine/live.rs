//! Time that goes on by itself: readers of queues that wake when something is visible, and the schedule.

use std::{sync::Arc, time::Duration};

use lambda_shell::{deadline::Deadline, log::masked};
use refresh_core::Instant;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};

use super::{Engine, dispatch};
use crate::{keep, removals::Compacting, timekeeper::Doubt};

/// Invocations of one function at once. The template caps what a deployment may do; one embedded store gains nothing
/// from more.
const MOST_AT_ONCE: usize = 4;
/// Nothing sleeps longer than this, so that a clock that was set is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The due index is looked at this often at most, however much is going on.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// After a message the systems' records are looked at once more, not after each of many.
const AFTER_A_BELL: Duration = Duration::from_secs(2);
/// After a failure of the machine itself, a full disk for one.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);
/// How often clock and store are looked after. Whoever writes looks at the store anyway, and whoever asks for the time at the
/// clock; an engine that does nothing should cost next to nothing.
const WATCH_EVERY: Duration = Duration::from_secs(5);
/// The same while something stands in the way: work goes on soon after it is gone.
const WATCH_CLOSELY: Duration = Duration::from_secs(1);
/// How often the mark of time is left, and a damaged file is tried.
const MARK_EVERY: Duration = Duration::from_secs(30);
/// The store deletes what has expired only when asked.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// In sweeps: once a day what is past its time goes, for the first time an hour after the start.
const COMPACT_EVERY: u64 = 24;

/// How long what was deleted may stand in the store's log.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// The tasks that make an engine live. Dropping them ends them where they are, which loses nothing.
pub struct Live {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Live {
    pub fn start(engine: &Engine) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for function in engine.topology().functions.values() {
            if let Some(mapping) = &function.source {
                let most = mapping.most_at_once.unwrap_or(MOST_AT_ONCE).min(MOST_AT_ONCE);
                let name = function.name.clone();
                tasks.spawn(read(engine.clone(), name, mapping.queue.clone(), most, stopped.clone()));
            }
            if let Some(schedule) = &function.schedule {
                let (input, every) = (schedule.input.clone(), schedule.every_seconds);
                match function.name.as_str() {
                    "poll" => tasks.spawn(poll(engine.clone(), every, input, stopped.clone())),
                    _ => tasks.spawn(tick(engine.clone(), every, input, stopped.clone())),
                };
            }
        }
        if engine.relay().is_some() {
            tasks.spawn(relay(engine.clone(), stopped.clone()));
        }
        tasks.spawn(watch_over(engine.clone(), stopped.clone()));
        tasks.spawn(sweep(engine.clone(), stopped.clone()));
        tasks.spawn(forget(engine.clone(), stopped));
        Self { tasks, stop }
    }

    /// Lets what is being handled come to its end, and begins nothing more.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

fn until(engine: &Engine, at: Option<Instant>) -> Duration {
    let left = at.map_or(i64::MAX, |at| at.since(engine.now()).max(0));
    Duration::from_millis(u64::try_from(left).unwrap_or(0)).min(LONGEST_SLEEP)
}

/// Until nothing is in the way of work, or the engine is being stopped. Answers whether anything was.
async fn clear_way(engine: &Engine, stop: &mut watch::Receiver<bool>) -> bool {
    let mut waited = false;
    while engine.obstacle().is_some() && !*stop.borrow() {
        waited = true;
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
    waited
}

/// Looks after clock and store: says in the log what stands in the way, tries whether it is over, and leaves the mark of time
/// for the engine's next run.
async fn watch_over(engine: Engine, mut stop: watch::Receiver<bool>) {
    let mut doubted: Option<Doubt> = None;
    let (mut since_mark, mut marked) = (MARK_EVERY, true);
    // What the last try of a damaged file found, and how long ago it was.
    let (mut found, mut since_try) = (None, MARK_EVERY);
    while !*stop.borrow() {
        let is_marked_now = since_mark >= MARK_EVERY;
        if is_marked_now {
            since_mark = Duration::ZERO;
        }
        if let Some(timekeeper) = &engine.settings().timekeeper {
            let doubt = timekeeper.doubt();
            match (&doubted, &doubt) {
                (None, Some(doubt)) => tracing::error!(why = %doubt, "the clock is in doubt"),
                (Some(_), None) => tracing::warn!("the clock is right again; work goes on"),
                _ => {}
            }
            doubted = doubt;
            if is_marked_now {
                let kept = engine.keep_mark();
                if let (Err(why), true) = (&kept, marked) {
                    tracing::error!(why, "the mark of time could not be kept");
                }
                marked = kept.is_ok();
            }
        }
        let guard = engine.embedded().guard();
        // Said in the log by the guard itself.
        let _ = guard.whole();
        // All of a damaged file is read, so that is not tried each second.
        if guard.trouble().is_some() && (!guard.is_damaged() || since_try >= MARK_EVERY) {
            since_try = Duration::ZERO;
            match engine.embedded().try_out().await {
                Ok(()) => {
                    found = None;
                    guard.over();
                }
                Err(why) if guard.is_damaged() && found.as_ref() != Some(&why) => {
                    tracing::error!(why = masked(&why), "the store is damaged");
                    found = Some(why);
                }
                Err(why) => tracing::debug!(why, "the store is still in trouble"),
            }
        }
        let pause = if engine.obstacle().is_some() { WATCH_CLOSELY } else { WATCH_EVERY };
        since_mark += pause;
        since_try += pause;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn read(engine: Engine, function: String, queue: String, most: usize, mut stop: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(most));
    let mut running = JoinSet::new();
    // Listening first, looking second: what is sent in between rings.
    let mut bell = engine.queues().listen();
    while !*stop.borrow() {
        while running.try_join_next().is_some() {}
        let Ok(permit) = permits.clone().acquire_owned().await else { break };
        clear_way(&engine, &mut stop).await;
        if *stop.borrow() {
            break;
        }
        bell.borrow_and_update();
        match engine.receive_for(&function).await {
            Ok(Some(received)) => {
                let (engine, function) = (engine.clone(), function.clone());
                running.spawn(async move {
                    let _permit = permit;
                    let deadline = dispatch::deadline(&engine, &function);
                    if let Err(refusal) = engine.hand_over(received, deadline).await {
                        tracing::error!(function, error = %refusal, "a batch could not be settled; it comes again");
                    }
                });
            }
            Ok(None) => {
                let next = engine.queues().next_at(&queue).map(Instant::from_millis);
                tokio::select! {
                    _ = bell.changed() => {}
                    _ = stop.changed() => {}
                    () = tokio::time::sleep(until(&engine, next)) => {}
                }
            }
            Err(refusal) => {
                tracing::error!(function, error = %refusal, "the queue cannot be read");
                tokio::time::sleep(AFTER_TROUBLE).await;
            }
        }
    }
    while running.join_next().await.is_some() {}
}

/// Ticks by the schedule, and at the instants in between at which something falls due: nobody has to wait a minute.
async fn tick(engine: Engine, every_seconds: u32, input: String, mut stop: watch::Receiver<bool>) {
    let every = i64::from(every_seconds) * 1_000;
    let mut bell = engine.queues().listen();
    let mut scheduled = engine.now();
    let mut answered: Option<Instant> = None;
    while !*stop.borrow() {
        if clear_way(&engine, &mut stop).await {
            // What failed for want of it is tried at once.
            answered = None;
            scheduled = scheduled.min(engine.now());
            continue;
        }
        bell.borrow_and_update();
        let now = engine.now();
        let due = match engine.next_due(answered).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(error, "the due index cannot be read");
                tokio::time::sleep(AFTER_TROUBLE).await;
                continue;
            }
        };
        if scheduled <= now || due.is_some_and(|at| at <= now) {
            let event = input.replace("<aws.scheduler.scheduled-time>", &now.to_string());
            let event = serde_json::from_str(&event).unwrap_or_default();
            if let Err(failure) = engine.functions().tick(event, Deadline::after(Duration::from_secs(30))).await {
                tracing::error!(error = failure.chain(), "the tick failed; the next one makes it good");
            }
            // What is still due after this tick waits for the schedule, not for a busy loop. Whatever made this tick due, the
            // schedule counts from here.
            answered = Some(now);
            scheduled = now.plus_millis(every);
            // After thousands of changes reviews fall due one after the other: not a tick for each.
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.changed() => {}
            }
            continue;
        }
        let next = due.map_or(scheduled, |at| at.min(scheduled));
        tokio::select! {
            () = tokio::time::sleep(until(&engine, Some(next))) => {}
            _ = stop.changed() => {}
            _ = bell.changed() => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// Asks systems by the schedule, and sooner where something rang: a payload may have said that a system has news.
async fn poll(engine: Engine, every_seconds: u32, input: String, mut stop: watch::Receiver<bool>) {
    let mut bell = engine.queues().listen();
    while !*stop.borrow() {
        clear_way(&engine, &mut stop).await;
        if *stop.borrow() {
            break;
        }
        bell.borrow_and_update();
        let event = input.replace("<aws.scheduler.scheduled-time>", &engine.now().to_string());
        let event = serde_json::from_str(&event).unwrap_or_default();
        let deadline = dispatch::deadline(&engine, "poll");
        if let Err(failure) = engine.functions().poll(event, deadline).await {
            tracing::error!(error = failure.chain(), "the systems could not be asked; the next turn makes it good");
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(u64::from(every_seconds))) => {}
            _ = stop.changed() => {}
            // What is hinted at is kept by ingest a moment after the message rang.
            _ = bell.changed() => tokio::time::sleep(AFTER_A_BELL).await,
        }
    }
}

/// Mail that leaves this machine.
async fn relay(engine: Engine, stop: watch::Receiver<bool>) {
    if let Some(relay) = engine.relay() {
        relay.run(stop).await;
    }
}

async fn sweep(engine: Engine, mut stop: watch::Receiver<bool>) {
    let mut hours = 0_u64;
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(SWEEP_EVERY) => {}
            _ = stop.changed() => return,
        }
        hours += 1;
        let removed = match hours % COMPACT_EVERY {
            1 => keep::compact(&engine, &Compacting::of_the_engine()).await.map(|removed| {
                for kept in removed["kept_although_past"].as_array().into_iter().flatten() {
                    tracing::error!(%kept, "a review that ended long ago could not be removed");
                }
                tracing::info!(%removed, "what was past its time is gone");
            }),
            _ => engine.embedded().sweep().await.map(drop),
        };
        if let Err(error) = removed {
            tracing::error!(error, "what is past its time could not be removed");
        }
    }
}

/// What is deleted is overwritten in the store's files at once, but a copy stands in their logs until those are emptied.
async fn forget(engine: Engine, mut stop: watch::Receiver<bool>) {
    let mut stopped = false;
    while !stopped {
        stopped = tokio::select! {
            () = tokio::time::sleep(FORGET_EVERY) => false,
            _ = stop.wait_for(|stop| *stop) => true,
        };
        if let Err(error) = engine.embedded().forget_deleted().await {
            tracing::warn!(error, "what was deleted stands in the store's log; the next try is in a minute");
        }
    }
}
