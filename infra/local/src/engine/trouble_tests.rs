//! A live engine whose clock or store fails for a while: work waits, and goes on by itself.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use refresh_core::record::review::Standing;

use super::{Engine, Settings, Storage, live::Live};
use crate::{queues::Outgoing, replay::Scenario, timekeeper::Timekeeper};

const SCENARIO: &str = include_str!("../../../../events/scenarios/story.jsonl");
const POLICY: &str = include_str!("../../../../events/scenarios/story.policy.json");
const QUEUE: &str = "source-events";
const DAY: i64 = 86_400_000;

/// A machine whose clocks a test turns, and an engine on it.
struct Machine {
    wall: Arc<AtomicI64>,
    elapsed: Arc<AtomicI64>,
    folder: PathBuf,
}

impl Machine {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("holdpoint-trouble-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let begin = Scenario::parse(SCENARIO).unwrap().lines[0].at.millis();
        Self { wall: Arc::new(AtomicI64::new(begin)), elapsed: Arc::new(AtomicI64::new(0)), folder }
    }

    async fn engine(&self) -> Engine {
        let read = |hand: &Arc<AtomicI64>| {
            let hand = hand.clone();
            move || hand.load(Ordering::SeqCst)
        };
        let timekeeper = Timekeeper::of(read(&self.wall), read(&self.elapsed), "boot", None);
        let settings = Settings {
            storage: Storage::File(self.folder.join("store.sqlite")),
            timekeeper: Some(timekeeper.clone()),
            ..Settings::in_memory(POLICY)
        };
        Engine::open(settings, timekeeper.clock()).await.unwrap()
    }

    fn passes(&self, millis: i64) {
        self.elapsed.fetch_add(millis, Ordering::SeqCst);
        self.wall.fetch_add(millis, Ordering::SeqCst);
    }
}

/// The events of the scenario up to the first change.
fn events(most: usize) -> Vec<String> {
    let lines = SCENARIO.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.filter(|line| line["send"].is_object()).map(|line| line["send"].to_string()).take(most).collect()
}

async fn enqueue(engine: &Engine, events: &[String]) {
    let outgoing = events.iter().map(|body| Outgoing { body: body.clone(), ..Outgoing::default() }).collect();
    engine.queues().send_together(QUEUE, outgoing).await.unwrap();
}

async fn until(what: &str, is: impl AsyncFn() -> bool) {
    for _ in 0..1_200 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within a minute: {what}");
}

fn left(engine: &Engine) -> usize {
    let counts = engine.queues().counts(QUEUE).unwrap();
    counts.visible + counts.in_flight + counts.delayed
}

async fn standings(engine: &Engine) -> Vec<Standing> {
    engine.store().reviews().await.unwrap().read.into_iter().map(|head| head.standing).collect()
}

/// Three days ahead for ten seconds: reviews stay open, and what came meanwhile is done afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ahead_for_ten_seconds_starts_no_review() {
    let machine = Machine::new("ahead");
    let engine = machine.engine().await;
    let all = events(usize::MAX);
    let (first, last) = all.split_at(all.len() - 1);
    let live = Live::start(&engine);
    enqueue(&engine, first).await;
    until("the review is open", async || left(&engine) == 0 && !standings(&engine).await.is_empty()).await;
    let before = standings(&engine).await;
    assert!(before.contains(&Standing::Open), "{before:?}");

    machine.wall.fetch_add(3 * DAY, Ordering::SeqCst);
    assert!(engine.obstacle().unwrap().contains("3 days ahead"));
    enqueue(&engine, last).await;
    machine.passes(10_000);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(left(&engine), 1, "what decides by the time waits");
    assert_eq!(standings(&engine).await, before);

    machine.wall.fetch_sub(3 * DAY, Ordering::SeqCst);
    until("the work goes on", async || left(&engine) == 0).await;
    assert_eq!(standings(&engine).await, before);
    live.stop().await;
    std::fs::remove_dir_all(&machine.folder).unwrap();
}

/// No write goes through for a while. Nothing is a dead letter, no attempt is counted, and nobody waits for a time-out: the
/// clock of the queues does not move at all.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_store_that_took_no_writes_work_goes_on_at_once() {
    let machine = Machine::new("full");
    let engine = machine.engine().await;
    enqueue(&engine, &events(5)).await;
    engine.embedded().own().break_writes(true);
    let live = Live::start(&engine);
    until("the trouble is known", async || engine.obstacle().is_some()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    engine.embedded().own().break_writes(false);
    until("the trouble is over", async || engine.obstacle().is_none()).await;
    // The moment that a message waits which was given back.
    machine.passes(1_000);
    until("all is worked off", async || {
        machine.passes(10);
        left(&engine) == 0
    })
    .await;
    for (dead, _) in engine.topology().dead_letter_queues() {
        assert!(engine.queues().look(&dead.name).unwrap().is_empty(), "{}", dead.name);
    }
    live.stop().await;
    std::fs::remove_dir_all(&machine.folder).unwrap();
}

/// The machine sleeps for a week with a proposal open, and wakes: no alarm, what is over is over, and work goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_slept_for_a_week_goes_on() {
    let machine = Machine::new("asleep");
    let engine = machine.engine().await;
    let all = events(usize::MAX);
    let (first, last) = all.split_at(all.len() - 1);
    let live = Live::start(&engine);
    enqueue(&engine, first).await;
    until("a review with a proposal", async || {
        machine.passes(1_000);
        let heads = engine.store().reviews().await.unwrap().read;
        left(&engine) == 0 && heads.iter().any(|head| head.pending.is_some())
    })
    .await;

    machine.passes(7 * DAY);
    // Rings; otherwise what woke would be noticed within half a minute.
    enqueue(&engine, last).await;
    until("what is over is over", async || !standings(&engine).await.contains(&Standing::Open)).await;
    until("the work goes on", async || left(&engine) == 0).await;
    assert_eq!(engine.obstacle(), None);
    for (dead, _) in engine.topology().dead_letter_queues() {
        assert!(engine.queues().look(&dead.name).unwrap().is_empty(), "{}", dead.name);
    }
    live.stop().await;
    std::fs::remove_dir_all(&machine.folder).unwrap();
}
