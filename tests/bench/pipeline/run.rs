//! One run: reviews are issued, changes are handed over batch by batch, and what all of that costs is counted.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use holdpoint::{
    connector::{Metered, Service},
    engine::{Settings, virtual_time::VirtualTime},
    queues::Outgoing,
};
use lambda_shell::deadline::Deadline;
use refresh_core::base::instant::{HOUR, SECOND};
use serde_json::Value;

use super::workload::{self, Shape, Workload};

/// How the changes lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Each change of a batch is of another review.
    Spread,
    /// All changes of a batch are of one review.
    Clustered,
}

#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub shape: Shape,
    pub mode: Mode,
    pub reviews: usize,
    /// Changes that are handed over together.
    pub batch: usize,
    pub events: usize,
    pub quiet_seconds: i64,
}

impl Run {
    /// Changes that are not counted, so that each review has changed once before, as after an hour in which the tick looked at
    /// each.
    pub fn warm(&self) -> usize {
        let each = match self.mode {
            Mode::Spread => self.reviews,
            Mode::Clustered => self.reviews * self.batch,
        };
        each.max(WARM)
    }

    /// How far the clock goes on with each batch. The whole run stays below half an hour: looks that fall due by time alone, at
    /// least one an hour, are no change's cost.
    fn step_millis(&self) -> i64 {
        let batches = (self.warm() + self.events).div_ceil(self.batch);
        (HOUR / 2 / i64::try_from(batches).unwrap_or(i64::MAX)).clamp(1, SECOND)
    }
}

/// What a run cost.
#[derive(Debug, Default)]
pub struct Cost {
    pub events: usize,
    pub wall: Duration,
    /// Processor time of each function, without that of the services.
    pub functions: BTreeMap<String, Duration>,
    /// How often each function was invoked.
    pub batches: BTreeMap<String, usize>,
    /// By function, service and operation.
    pub calls: BTreeMap<(String, Service, String), Metered>,
    pub mails: usize,
    /// How many people were mailed at all.
    pub mailed: usize,
    pub dead: usize,
}

/// How much processor time this thread has had.
pub fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Changes before anything is counted, at least: connections are open then, and what is made once is made.
const WARM: usize = 40;

pub async fn run(run: Run) -> Result<Cost, String> {
    let mut workload = Workload::new(run.shape, workload::zero());
    let time =
        VirtualTime::open(Settings::in_memory(Workload::policy(run.quiet_seconds)), workload::start(workload::zero()))
            .await?;
    time.engine().meter().start(thread_time);
    let mut driver = Driver { time: &time, cost: Cost::default() };
    for review in 0..run.reviews {
        for event in workload.issue(review) {
            driver.put(&event).await?;
        }
        driver.drain().await?;
    }
    let mut turn = 0;
    while turn < run.warm() {
        driver.batch(&mut workload, run, turn).await?;
        turn += run.batch;
    }
    let before = time.engine().mailbox().all().len();
    time.engine().meter().reset();
    driver.cost = Cost::default();
    let began = Instant::now();
    let end = turn + run.events;
    while turn < end {
        driver.batch(&mut workload, run, turn).await?;
        turn += run.batch;
    }
    let mut cost = driver.cost;
    cost.wall = began.elapsed();
    cost.events = run.events;
    for ((caller, service, operation), metered) in time.engine().meter().counted() {
        cost.calls.insert((caller.to_string(), service, operation), metered);
    }
    if run.quiet_seconds > 0 {
        time.set(time.now().plus_seconds(run.quiet_seconds));
        time.pump().await?;
    }
    let mails: Vec<String> = time.engine().mailbox().all().into_iter().skip(before).flat_map(|mail| mail.to).collect();
    cost.mails = mails.len();
    cost.mailed = mails.iter().collect::<std::collections::BTreeSet<_>>().len();
    for queue in time.engine().queues().names() {
        cost.dead += time.engine().queues().look(&queue).map_err(|refusal| refusal.to_string())?.len();
    }
    Ok(cost)
}

struct Driver<'a> {
    time: &'a VirtualTime,
    cost: Cost,
}

impl Driver<'_> {
    async fn put(&self, event: &Value) -> Result<(), String> {
        let engine = self.time.engine();
        let queue = engine.topology().functions.get("ingest").and_then(|function| function.source.as_ref());
        let queue = queue.ok_or("template.yaml: ingest reads no queue")?;
        let message = Outgoing { body: event.to_string(), ..Outgoing::default() };
        engine.queues().send(&queue.queue, message).await.map(drop).map_err(|refusal| refusal.to_string())
    }

    /// One batch of changes, until everything that follows from the batch is done.
    async fn batch(&mut self, workload: &mut Workload, run: Run, turn: usize) -> Result<(), String> {
        for place in 0..run.batch {
            let review = match run.mode {
                Mode::Spread => turn + place,
                Mode::Clustered => turn / run.batch,
            };
            let event = workload.change(review % run.reviews);
            self.put(&event).await?;
        }
        self.time.set(self.time.now().plus_millis(run.step_millis()));
        self.drain().await
    }

    async fn drain(&mut self) -> Result<(), String> {
        loop {
            let mut handed = 0;
            for function in ["ingest", "refresh", "notify"] {
                handed += self.hand_over(function).await?;
            }
            if handed == 0 {
                return Ok(());
            }
        }
    }

    async fn hand_over(&mut self, function: &str) -> Result<usize, String> {
        let (engine, meter) = (self.time.engine(), self.time.engine().meter());
        let (before, served) = (thread_time(), meter.served());
        let batch = engine.take_batch(function, Deadline::far()).await.map_err(|refusal| refusal.to_string())?;
        let Some(batch) = batch else { return Ok(0) };
        *self.cost.batches.entry(function.to_owned()).or_default() += 1;
        let services = meter.served().saturating_sub(served);
        *self.cost.functions.entry(function.to_owned()).or_default() +=
            thread_time().saturating_sub(before).saturating_sub(services);
        let failed = |done: &holdpoint::engine::Done| done.outcome.as_ref().err().cloned();
        match batch.done.iter().flatten().find_map(failed) {
            Some(why) => Err(format!("{function}: {why}")),
            None => Ok(batch.messages),
        }
    }
}
