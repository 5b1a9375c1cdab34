//! How long a change takes on the engine as it runs, its readers woken by its queues: from the change that is handed over
//! to the transaction that commits the review, and to the last mail. The quiet period is nothing.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant as Clock},
};

use holdpoint::{
    connector::Service,
    engine::{Engine, Settings, live::Live},
    queues::Outgoing,
};
use lambda_shell::clock;
use serde_json::Value;

use super::{
    deployed, peer,
    run::{Mode, Run},
    workload::{self, Workload},
};
use crate::figure::{Beside, Figure, Goal, Report};

const REVIEWS: usize = 20;
const WARM: usize = 40;
const EVENTS: usize = 400;
/// How often it is looked whether everything is at rest.
const LOOK: Duration = Duration::from_micros(100);

/// What half of the changes and all but one of a hundred have to keep, in milliseconds.
const HALF: f64 = 2.0;
const NEARLY_ALL: f64 = 8.0;

/// When the last change's review was committed, and when its last mail was handed to the mailer.
#[derive(Clone, Copy, Default)]
struct Seen {
    commit: Option<Clock>,
    mail: Option<Clock>,
}

#[derive(Default)]
struct Latencies {
    commits: Vec<f64>,
    mails: Vec<f64>,
}

pub fn measure(report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let found = match runtime.block_on(latencies()) {
        Ok(found) => found,
        Err(why) => return report.add(Figure::failed("latency", &why)),
    };
    let beside = peer::measure(Run {
        shape: workload::A,
        mode: Mode::Spread,
        reviews: REVIEWS,
        batch: 1,
        events: EVENTS,
        quiet_seconds: 0,
    });
    let Latencies { mut commits, mut mails } = found;
    for (name, times) in [("change to commit", &mut commits), ("change to last mail", &mut mails)] {
        times.sort_by(f64::total_cmp);
        for (part, place, goal, of_the_peer) in
            [("p50", 0.5, HALF, "batch_p50_ms"), ("p99", 0.99, NEARLY_ALL, "batch_p99_ms")]
        {
            let Some(time) = times.get(((times.len() as f64 * place) as usize).min(times.len().saturating_sub(1)))
            else {
                continue;
            };
            // The peer answers once both are done.
            let peer: Beside = peer::beside(&beside, of_the_peer);
            let figure = Figure::cost(name, format!("A, {part}"), "ms", *time).beside(peer);
            report.add(figure.goal(Goal::AtMost(goal)));
        }
    }
}

async fn latencies() -> Result<Latencies, String> {
    let zero = deployed::zero();
    let mut workload = Workload::new(workload::A, zero);
    let engine = Engine::open(Settings::in_memory(Workload::policy(0)), clock::Clock::system()).await?;
    let live = Live::start(&engine);
    for review in 0..REVIEWS {
        for event in workload.issue(review) {
            put(&engine, &event).await?;
        }
        rest(&engine).await?;
    }
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let noted = seen.clone();
    engine.faults().watch(move |call| {
        let mut seen = noted.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*call.caller, call.service, call.operation.as_str()) {
            ("refresh", Service::DynamoDb, "TransactWriteItems") => seen.commit = Some(Clock::now()),
            ("notify", Service::Ses, _) => seen.mail = Some(Clock::now()),
            _ => {}
        }
    });
    let mut found = Latencies::default();
    for turn in 0..WARM + EVENTS {
        let event = workload.change(turn % REVIEWS);
        *seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen::default();
        let handed = Clock::now();
        put(&engine, &event).await?;
        rest(&engine).await?;
        let Seen { commit, mail } = *seen.lock().unwrap_or_else(PoisonError::into_inner);
        if turn >= WARM {
            let millis = |at: Clock| at.duration_since(handed).as_secs_f64() * 1e3;
            found.commits.extend(commit.map(millis));
            found.mails.extend(mail.map(millis));
        }
    }
    live.stop().await;
    Ok(found)
}

async fn put(engine: &Engine, event: &Value) -> Result<(), String> {
    let queue = engine.topology().functions.get("ingest").and_then(|function| function.source.as_ref());
    let queue = queue.ok_or("template.yaml: ingest reads no queue")?;
    let message = Outgoing { body: event.to_string(), ..Outgoing::default() };
    engine.queues().send(&queue.queue, message).await.map(drop).map_err(|refusal| refusal.to_string())
}

/// Until no queue holds anything. A message that died is on its queue for good.
async fn rest(engine: &Engine) -> Result<(), String> {
    let queues = engine.queues();
    let until = engine.now().plus_millis(60_000);
    while engine.now() < until {
        let mut left = 0;
        for name in queues.names() {
            left += queues.look(&name).map_err(|refusal| refusal.to_string())?.len();
        }
        if left == 0 {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    Err("the queues are not empty a minute after a change".to_owned())
}
