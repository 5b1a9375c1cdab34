//! What if we die here? A journey is played once without a fault, and then again for each of its SDK calls and each way
//! in which that one call can go wrong. What is left in the end is the same.
//!
//! The short journey is enumerated whole. The story is enumerated with a stride, every call of it with
//! `EVERY_CRASH=1`; `CRASH_AT=<number>` plays one call alone, for looking into a failure.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use holdpoint::{
    connector::{Call, Fault},
    replay::Scenario,
};
use holdpoint_tests::{
    repository,
    world::{ATTEMPTS, Aftermath, World, drive, with_room},
};

/// Minutes after the last line for what is still to be made good: a lease, a visibility time-out and the tick after it.
const AFTERWARDS: i64 = 20;

struct Journey {
    scenario: Scenario,
    policy: String,
}

impl Journey {
    fn read(scenario: &str, policy: &str) -> Self {
        let read = |path: &str| {
            let path = repository().join(path);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let scenario = Scenario::parse(&read(scenario)).unwrap_or_else(|malformed| panic!("{malformed:?}"));
        Self { scenario, policy: read(policy) }
    }

    fn short() -> Self {
        Self::read("tests/crashes/short.jsonl", "events/scenarios/story.policy.json")
    }

    fn story() -> Self {
        Self::read("events/scenarios/story.jsonl", "events/scenarios/story.policy.json")
    }

    /// Plays it with what `plan` lets go wrong. Answers how it was left, and every call that was made.
    fn play(&self, plan: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) -> (Aftermath, Vec<String>) {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = calls.clone();
        let played = drive(async {
            let mut world = World::open(&self.policy, self.scenario.lines[0].at).await?;
            world.engine().faults().watch(move |call| seen.lock().expect("no panic").push(name(call)));
            world.engine().faults().inject(plan);
            world.play(&self.scenario, AFTERWARDS).await?;
            world.aftermath().await
        });
        let calls = calls.lock().expect("no panic").clone();
        match played {
            Ok(aftermath) => (aftermath, calls),
            Err(why) => panic!("{why}"),
        }
    }

    /// Lets call after call go wrong in one way. `stride`: every how many calls.
    fn survives(&self, fault: Fault, stride: usize) {
        let (expected, calls) = self.play(|_| None);
        assert_eq!(expected.differs_from(&expected), None, "the journey itself comes to rest");
        let only = std::env::var("CRASH_AT").ok().and_then(|number| number.parse::<usize>().ok());
        let stride = if std::env::var_os("EVERY_CRASH").is_some() { 1 } else { stride };
        // Another way to go wrong begins at another call, so that a stride leaves out no call in all ways.
        let numbers = (1 + fault as usize % stride..=calls.len()).step_by(stride);
        let (mut failures, mut more, mut played) = (Vec::new(), BTreeMap::<&str, usize>::new(), 0);
        for number in only.map_or_else(|| numbers.collect(), |number| vec![number]) {
            let (found, _) = self.play(at(number as u64, fault));
            let name = &calls[number - 1];
            if let Some(how) = found.differs_from(&expected) {
                failures.push(format!("call {number}, {name}: {how}"));
            }
            if found.mails_beyond(&expected) > 0 {
                *more.entry(name).or_default() += 1;
            }
            played += 1;
        }
        println!("{fault:?}: {played} of {} calls; one mail more after {more:?}", calls.len());
        assert!(failures.is_empty(), "{fault:?}: {} of {played}:\n{}", failures.len(), failures.join("\n"));
        assert!(played > 0, "no call was made to go wrong");
        // A mail is in doubt between the mailer's call and the one that settles it, and nowhere else.
        let doubted = |name: &&&str| !(name.contains("SendEmail") || name.contains("TransactWriteItems"));
        assert_eq!(more.keys().find(doubted), None, "mailed twice without a mail in doubt");
        // Told not to, or not reached: then it is known that no mail went out.
        let certain = matches!(fault, Fault::Throttled | Fault::Conflict | Fault::CrashBefore);
        let sure = |name: &&&str| certain && name.contains("SendEmail");
        assert_eq!(more.keys().find(sure), None, "mailed twice though the first mail never went out");
    }
}

fn name(call: &Call) -> String {
    format!("{:?} {}", call.service, call.operation)
}

/// The one call goes wrong; a service that refuses does so to the SDK's other attempts as well.
fn at(number: u64, fault: Fault) -> impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static {
    move |call| {
        let last = if fault == Fault::Throttled { number + ATTEMPTS - 1 } else { number };
        (number..=last).contains(&call.number).then_some(fault)
    }
}

fn short_journey(fault: Fault) {
    with_room(|| Journey::short().survives(fault, 1));
}

fn story(fault: Fault) {
    with_room(|| Journey::story().survives(fault, 29));
}

#[test]
fn the_process_ends_before_any_call_of_a_short_journey() {
    short_journey(Fault::CrashBefore);
}

#[test]
fn the_process_ends_after_any_call_of_a_short_journey() {
    short_journey(Fault::CrashAfter);
}

#[test]
fn the_answer_to_any_call_of_a_short_journey_is_lost() {
    short_journey(Fault::LostResponse);
}

#[test]
fn any_call_of_a_short_journey_is_throttled() {
    short_journey(Fault::Throttled);
}

#[test]
fn any_call_of_a_short_journey_meets_another_transaction() {
    short_journey(Fault::Conflict);
}

#[test]
fn the_process_ends_before_calls_of_the_story() {
    story(Fault::CrashBefore);
}

#[test]
fn the_process_ends_after_calls_of_the_story() {
    story(Fault::CrashAfter);
}

#[test]
fn answers_to_calls_of_the_story_are_lost() {
    story(Fault::LostResponse);
}

#[test]
fn calls_of_the_story_are_throttled() {
    story(Fault::Throttled);
}

#[test]
fn calls_of_the_story_meet_other_transactions() {
    story(Fault::Conflict);
}
