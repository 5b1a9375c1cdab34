//! Time that goes from one happening to the next. Nothing waits; the same inputs give the same run.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use lambda_shell::{clock::Clock, deadline::Deadline};
use refresh_core::Instant;
use serde_json::json;

use super::{Batch, Engine, Settings};

/// The functions that read queues, in the natural way of the data.
const DECIDERS: [&str; 2] = ["ingest", "refresh"];
const TELLER: &str = "notify";

/// Ticks at one instant that find the same things due: then they are not done by looking again, and time must go on.
const MOST_TICKS: usize = 8;

/// An engine whose clock is turned by hand.
pub struct VirtualTime {
    engine: Engine,
    hand: Arc<AtomicI64>,
}

impl VirtualTime {
    pub async fn open(settings: Settings, at: Instant) -> Result<Self, String> {
        let hand = Arc::new(AtomicI64::new(at.millis()));
        let engine = Engine::open(settings, Clock::steered(hand.clone())).await?;
        Ok(Self { engine, hand })
    }

    /// An engine whose clock reads `hand`.
    pub const fn of(engine: Engine, hand: Arc<AtomicI64>) -> Self {
        Self { engine, hand }
    }

    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn hand(&self) -> Arc<AtomicI64> {
        self.hand.clone()
    }

    pub fn now(&self) -> Instant {
        self.engine.now()
    }

    /// Time never goes back.
    pub fn set(&self, at: Instant) {
        self.hand.fetch_max(at.millis(), Ordering::SeqCst);
    }

    /// Hands over batches until no message is visible at this instant.
    pub async fn drain(&self) -> Result<Vec<Batch>, String> {
        self.drain_to(&[&DECIDERS[..], &[TELLER]].concat()).await
    }

    async fn drain_to(&self, functions: &[&str]) -> Result<Vec<Batch>, String> {
        let mut batches = Vec::new();
        loop {
            let before = batches.len();
            for function in functions {
                let batch = self.engine.take_batch(function, Deadline::far()).await;
                batches.extend(batch.map_err(|refusal| refusal.to_string())?);
            }
            if batches.len() == before {
                return Ok(batches);
            }
        }
    }

    /// Everything that happens at this instant: what events decide, then what time alone decides, and only then the
    /// notices, so that nobody is told at an instant what the same instant makes untrue.
    pub async fn pump(&self) -> Result<Vec<Batch>, String> {
        let mut batches = Vec::new();
        let (mut before, mut ticks) = (None, 0);
        loop {
            batches.extend(self.drain_to(&DECIDERS).await?);
            let due = self.engine.due(self.now()).await?;
            if !due.is_empty() && before.as_ref() != Some(&due) && ticks < MOST_TICKS {
                // A tick that failed is made good by the schedule's next one, not by another at the same instant.
                ticks = if self.tick().await { ticks + 1 } else { MOST_TICKS };
                before = Some(due);
                continue;
            }
            let told = self.drain_to(&[TELLER]).await?;
            if told.is_empty() {
                return Ok(batches);
            }
            batches.extend(told);
        }
    }

    /// Whether it came to its end.
    async fn tick(&self) -> bool {
        let event = json!({ "time": self.now().to_string() });
        let functions = self.engine.functions();
        let ticked = tokio::select! {
            biased;
            ticked = functions.tick(event, Deadline::far()) => Some(ticked),
            () = self.engine.faults().crashed() => None,
        };
        if let Some(Err(failure)) = &ticked {
            tracing::error!(error = failure.chain(), "the tick failed");
        }
        matches!(ticked, Some(Ok(_)))
    }

    /// The next instant after this one at which something happens by itself.
    pub async fn next_at(&self) -> Result<Option<Instant>, String> {
        let now = self.now();
        let queues = self.engine.queues();
        let messages = DECIDERS
            .iter()
            .chain([&TELLER])
            .filter_map(|reader| self.engine.topology().functions.get(*reader)?.source.as_ref())
            .filter_map(|source| queues.next_at(&source.queue))
            .map(Instant::from_millis);
        // Whatever is due by now and did not go away waits for the next tick of the schedule.
        let due = self.engine.due(Instant::from_millis(i64::MAX)).await?;
        let due = due.into_iter().map(|(at, _)| if at > now { at } else { next_minute(now) });
        Ok(messages.chain(due).filter(|at| *at > now).min())
    }
}

fn next_minute(now: Instant) -> Instant {
    const MINUTE: i64 = refresh_core::base::instant::MINUTE;
    Instant::from_millis((now.millis().div_euclid(MINUTE) + 1) * MINUTE)
}
