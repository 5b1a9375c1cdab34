//! What if the world is unkind? Small worlds and schedules drawn from seeds, played over the handlers of production: what
//! is said comes late, twice and in another order; calls fail, conflict or never answer; processes end; clocks differ and
//! jump; two workers meet; people answer from old links, twice, or not at all, and scanners open every one. An auditor
//! that shares no code with the product judges after every write.
//!
//! One seed decides everything. A schedule that fails says which command plays it again, alone and with every line of
//! what happened:
//!
//! ```sh
//! HOLDPOINT_SEED=31 HOLDPOINT_SCHEDULES=1 cargo test -p holdpoint-tests --test simulation -- --nocapture schedules
//! HOLDPOINT_SEED=1000000 HOLDPOINT_SCHEDULES=50000 cargo test -p holdpoint-tests --test simulation -- --nocapture schedules
//! ```

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]
// What was played is told beside the result.
#![allow(clippy::print_stdout)]

mod audit;
mod bugs;
mod heard;
mod older;
mod people;
mod run;
mod scene;
mod seam;
mod worker;

// The judge that tries every slot and every assignment was written apart from the core, for the core's own tests.
#[path = "../../shared/refresh-core/tests/brute_force/case.rs"]
mod case;
#[path = "../../shared/refresh-core/tests/brute_force/entries.rs"]
mod entries;
#[path = "../../shared/refresh-core/tests/brute_force/hours.rs"]
mod hours;
#[path = "../../shared/refresh-core/tests/brute_force/judge.rs"]
mod judge;
#[path = "../../shared/refresh-core/tests/brute_force/ledger.rs"]
#[allow(dead_code, reason = "who decides what is taken from what is stored here")]
mod ledger;
#[path = "../../shared/refresh-core/tests/brute_force/waivers.rs"]
mod waivers;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use holdpoint_tests::world::STACK;

/// How many schedules an ordinary run plays.
const SCHEDULES: u64 = 120;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// On a clock that stands still until nothing else can go on: a pause between two attempts costs no time.
fn drive<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

/// What all schedules of a run came to.
#[derive(Default)]
struct Tally {
    calls: usize,
    mails: usize,
    /// In how many schedules the bug changed a call or an answer.
    falsified: u64,
    met: BTreeMap<String, u64>,
    failures: BTreeMap<u64, String>,
}

/// Which worlds are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum World {
    /// One review.
    Alone,
    /// Several reviews that share people.
    Shared,
    /// Several reviews that are after one hour of the same people.
    Contested,
    /// One review, people who answer by mail, and a system that is asked.
    Heard,
}

/// Plays the schedules of these seeds on every core, until all are played or `enough` of them failed.
fn play(seeds: std::ops::Range<u64>, bug: Option<&bugs::Bug>, world: World, enough: usize) -> Tally {
    let (next, tally) = (AtomicU64::new(seeds.start), Mutex::new(Tally::default()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                return;
            }
            let played = drive(run::play(seed, bug, world));
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.calls += played.calls;
            tally.mails += played.mails;
            tally.falsified += u64::from(played.falsified);
            for met in played.met {
                *tally.met.entry(met).or_default() += 1;
            }
            let counts = |violation: &String| bug.is_none_or(|bug| bug.is_said(violation));
            if let Some(violation) = played.violation.filter(counts) {
                // At once: what follows may take long.
                if bug.is_none() {
                    eprintln!("seed {seed}: {violation}");
                }
                tally.failures.insert(seed, format!("{}\n{violation}", played.story.join("\n")));
            }
            if tally.failures.len() >= enough {
                next.store(seeds.end, Ordering::SeqCst);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("a thread");
        }
    });
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What a run of the ordinary size must have met: a schedule that never sees a thing says nothing about it.
const MET: [&str; 23] = [
    "answer adopted",
    "answer no_link",
    "answer recorded",
    "answer shown",
    "exception no_viable_slot",
    "exception policy_incomplete",
    "exception source_silent",
    "failure",
    "last reminder",
    "notice adoption_request",
    "notice escalation",
    "notice exception_closed",
    "notice tentative_change",
    "outcome adopted",
    "outcome escalated",
    "outcome held",
    "outcome refreshed",
    "proposal superseded",
    "proposal withdrawn",
    "resend resent",
    "trigger in_the_future",
    "trigger non_authoritative_source",
    "trigger stale_revision",
];

#[test]
fn schedules() {
    ordinary_run(World::Alone, SCHEDULES, &MET, "schedules");
}

/// What schedules of several reviews that share people must have met.
const MET_SHARED: [&str; 5] =
    ["answer adopted", "outcome adopted", "proposal superseded", "seat moved", "violated booked"];
/// How many such schedules an ordinary run plays: each is two or three reviews long.
const SHARED_SCHEDULES: u64 = 45;

#[test]
fn reviews_that_share_people() {
    ordinary_run(World::Shared, SHARED_SCHEDULES, &MET_SHARED, "reviews_that_share_people");
}

/// What schedules of several reviews that are after one hour must have met.
const MET_CONTESTED: [&str; 4] = ["answer adopted", "outcome adopted", "seat moved", "violated booked"];
const CONTESTED_SCHEDULES: u64 = 15;

#[test]
fn reviews_after_one_hour() {
    ordinary_run(World::Contested, CONTESTED_SCHEDULES, &MET_CONTESTED, "reviews_after_one_hour");
}

/// What schedules with answers by mail, and with a system that is asked, must have met.
const MET_HEARD: [&str; 3] = ["failure", "reply commented", "reply recorded"];
const HEARD_SCHEDULES: u64 = 24;

#[test]
fn replies_and_answers_of_systems() {
    ordinary_run(World::Heard, HEARD_SCHEDULES, &MET_HEARD, "replies_and_answers_of_systems");
}

/// Plays so many schedules of a world where no other number is asked for. None is violated, and they have met all of it.
fn ordinary_run(world: World, ordinary: u64, must_meet: &[&str], test: &str) {
    let (first, count) = (setting("HOLDPOINT_SEED", 1), setting("HOLDPOINT_SCHEDULES", ordinary));
    let tally = play(first..first + count, None, world, 3);
    println!("{count} schedules, {} calls, {} mails, {:#?}", tally.calls, tally.mails, tally.met);
    for (seed, failure) in &tally.failures {
        eprintln!(
            "{failure}\n^ again, alone: HOLDPOINT_SEED={seed} HOLDPOINT_SCHEDULES=1 \\\n    cargo test -p holdpoint-tests --test simulation -- --nocapture {test}\n"
        );
    }
    assert!(tally.failures.is_empty(), "violated under seeds {:?}", tally.failures.keys());
    let missed: Vec<&&str> = must_meet.iter().filter(|what| !tally.met.contains_key(**what)).collect();
    assert!(count < ordinary || missed.is_empty(), "never met: {missed:?}");
}

/// Within how many schedules a bug must be found.
const PATIENCE: u64 = 2_000;

/// The first schedule that finds a bug, and what was said of it. Otherwise in how many schedules the bug changed a call or
/// an answer: where that is none, the bug is at fault and not the auditor.
fn hunt(bug: &bugs::Bug) -> Result<(u64, String), u64> {
    let first = setting("HOLDPOINT_SEED", bug.near);
    let tally = play(first..first + PATIENCE, Some(bug), bug.world, 1);
    tally.failures.into_iter().next().ok_or(tally.falsified)
}

#[test]
fn every_bug_of_the_corpus_is_found() {
    let asked = std::env::var("HOLDPOINT_BUG").ok();
    let corpus: Vec<bugs::Bug> =
        bugs::corpus().into_iter().filter(|bug| asked.as_ref().is_none_or(|name| name == bug.name)).collect();
    let mut at_large: Vec<String> = Vec::new();
    for bug in &corpus {
        match hunt(bug) {
            Ok((seed, story)) => {
                let said = story.lines().last().unwrap_or_default();
                println!("{:29} seed {seed:>3}  {}\n    {said:.150}", bug.name, bug.imitates);
                if asked.is_some() {
                    println!("{story}");
                }
            }
            Err(falsified) => at_large.push(format!("{}, which changed something in {falsified}", bug.name)),
        }
    }
    assert!(at_large.is_empty(), "not found within {PATIENCE} schedules: {at_large:?}");
    assert!(asked.is_some() || corpus.len() >= 25, "a corpus of {}", corpus.len());
}
