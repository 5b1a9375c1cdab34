//! What if we die here? A journey is played once without a fault, and then again with each of its SDK calls going wrong
//! in each way there is. What is left in the end is the same.
//!
//! A journey comes to rest between its lines, so one run lets one call of every line go wrong: the first call of each,
//! then the second of each, and so on. A run that ends otherwise is played again with each of its faults alone.
//!
//! The short journeys are enumerated whole. The story, and two reviews that share a person, are enumerated with a stride, every
//! call of them with `CRASH_STRIDE=1`;
//! `CRASH_AT=<line>.<call>` lets one call alone go wrong, for looking into a failure.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]
// What was played is told beside the result.
#![allow(clippy::print_stdout)]

mod apart;
mod heard;
mod undelivered;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use holdpoint::{connector::Fault, replay::Scenario};
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

    fn cancelled() -> Self {
        Self::read("tests/crashes/cancelled.jsonl", "events/scenarios/story.policy.json")
    }

    fn shared() -> Self {
        Self::read("tests/crashes/shared.jsonl", "events/scenarios/story.policy.json")
    }

    fn story() -> Self {
        Self::read("events/scenarios/story.jsonl", "events/scenarios/story.policy.json")
    }

    /// Plays it with what `plan` lets go wrong. Answers how it was left, and every call that was made.
    fn play(&self, plan: impl Fn(Place) -> Option<Fault> + Send + Sync + 'static) -> Result<Played, String> {
        let calls = Arc::new(Mutex::new(BTreeMap::new()));
        let seen = calls.clone();
        let end = drive(async {
            let mut world = World::open(&self.policy, self.scenario.lines[0].at).await?;
            let (line, count) = (world.line(), Mutex::new((0, 0)));
            world.engine().faults().inject(move |call| {
                let line = line.load(Ordering::SeqCst);
                let mut at = count.lock().unwrap_or_else(PoisonError::into_inner);
                *at = if at.0 == line { (line, at.1 + 1) } else { (line, 1) };
                let place = Place { line, call: at.1 };
                let name = format!("{} {:?} {}", call.caller, call.service, call.operation);
                seen.lock().unwrap_or_else(PoisonError::into_inner).insert(place, name);
                plan(place)
            });
            world.play(&self.scenario, AFTERWARDS).await?;
            world.aftermath().await
        })?;
        let calls = calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Played { end, calls })
    }

    /// What is wrong with the end, if these calls go wrong.
    fn wrong(&self, places: &BTreeSet<Place>, fault: Fault, expected: &Aftermath) -> (Option<String>, usize) {
        let faulty = places.clone();
        match self.play(move |place| faulty.iter().any(|at| at.covers(place, fault)).then_some(fault)) {
            Err(why) => (Some(why), 0),
            Ok(played) => {
                let more = played.end.mails_beyond(expected);
                // A process that ends may leave the mails of one group in doubt: they are settled together.
                let wrong = played.end.differs_from(expected, places.len() * packet_store::MAILS_A_GROUP);
                // Where HEAD has not moved between the attempts. Lines of a journey lie so far apart that it has not.
                let twice = || Some(played.end.differing_letters(expected)).filter(|differing| !differing.is_empty());
                (wrong.or_else(|| twice().map(|differing| differing.join("; "))), more)
            }
        }
    }

    /// Lets call after call go wrong in one way. `stride`: every how many calls of a line.
    fn survives(&self, fault: Fault, stride: usize) {
        let sound = self.play(|_| None).unwrap_or_else(|why| panic!("without a fault: {why}"));
        assert_eq!(sound.end.differs_from(&sound.end, 0), None, "the journey itself comes to rest");
        let asked = std::env::var("CRASH_STRIDE").ok().and_then(|stride| stride.parse().ok());
        let stride = asked.filter(|stride| *stride > 0).unwrap_or(stride);
        let most = sound.calls.keys().map(|place| place.call).max().unwrap_or(0);
        // Another way to go wrong begins at another call, so that a stride leaves out no call in all ways.
        let rounds = (1 + fault as usize * 7 % stride..=most).step_by(stride);
        let rounds = rounds.map(|call| sound.calls.keys().copied().filter(|place| place.call == call).collect());
        println!("{fault:?}: {} calls, at most {most} of one line", sound.calls.len());
        let rounds: Vec<BTreeSet<Place>> =
            Place::asked_for().map_or_else(|| rounds.collect(), |one| vec![[one].into()]);
        let (mut failures, mut more, mut played) = (Vec::new(), 0, 0);
        for places in &rounds {
            played += places.len();
            let (wrong, mails) = self.wrong(places, fault, &sound.end);
            more += mails;
            let Some(together) = wrong else { continue };
            // At once: what follows may take long.
            eprintln!("{fault:?} at {places:?}: {together}");
            let before = failures.len();
            for place in places {
                if let (Some(alone), _) = self.wrong(&[*place].into(), fault, &sound.end) {
                    failures.push(format!("{place}, {}: {alone}", sound.name(*place)));
                }
            }
            if failures.len() == before {
                failures.push(format!("all of {places:?} together: {together}"));
            }
        }
        println!("{fault:?}: {played} of {} calls, {} runs, {more} mails more", sound.calls.len(), rounds.len());
        assert!(failures.is_empty(), "{fault:?}: {} failures:\n{}", failures.len(), failures.join("\n"));
        assert!(played > 0, "no call was made to go wrong");
        // Refused, or met by another transaction: the function itself is told, and knows whether a mail went out.
        if fault == Fault::Conflict {
            assert_eq!(more, 0, "a mail was sent again though nothing was ever in doubt");
        }
        if fault == Fault::CrashAfter && stride == 1 && Place::asked_for().is_none() {
            assert!(more > 0, "no mail was ever in doubt, so nothing was tried");
        }
    }
}

/// A call of a journey: which of its line, from 1 each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Place {
    line: usize,
    call: usize,
}

impl Place {
    fn asked_for() -> Option<Self> {
        let asked = std::env::var("CRASH_AT").ok()?;
        let (line, call) = asked.split_once('.')?;
        Some(Self { line: line.parse().ok()?, call: call.parse().ok()? })
    }

    /// The one call goes wrong; a service that refuses does so to the SDK's other attempts as well.
    fn covers(self, place: Self, fault: Fault) -> bool {
        let attempts = if fault == Fault::Throttled { ATTEMPTS } else { 1 };
        self.line == place.line && (self.call..self.call + attempts).contains(&place.call)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CRASH_AT={}.{}", self.line, self.call)
    }
}

struct Played {
    end: Aftermath,
    calls: BTreeMap<Place, String>,
}

impl Played {
    fn name(&self, place: Place) -> &str {
        self.calls.get(&place).map_or("no call of the sound journey", String::as_str)
    }
}

/// What everybody was told is read once a round, however many are mailed; a reading for each of them is the square.
#[test]
fn a_round_reads_what_everybody_was_told_once() {
    with_room(|| {
        let played = Journey::story().play(|_| None).unwrap_or_else(|why| panic!("without a fault: {why}"));
        let calls: Vec<&str> =
            played.calls.values().map(String::as_str).filter(|call| call.starts_with("notify")).collect();
        let rounds = calls.split(|call| call.ends_with(" Query"));
        let mails = rounds.map(|round| round.iter().filter(|call| call.ends_with(" SendEmail")).count()).max();
        assert!(
            mails >= Some(3),
            "expected a round with one reading and many mails, found at most {mails:?}: {calls:?}"
        );
    });
}

fn short_journey(fault: Fault) {
    with_room(|| Journey::short().survives(fault, 1));
}

/// A review that a page ends: what follows its last commit is done whatever dies.
fn cancelled_journey(fault: Fault) {
    with_room(|| Journey::cancelled().survives(fault, 1));
}

/// Two reviews that share a person: each asks the other to look when a seat changes. Every seventh call, another seventh a fault.
fn shared_journey(fault: Fault) {
    with_room(|| Journey::shared().survives(fault, 7));
}

fn story(fault: Fault) {
    with_room(|| Journey::story().survives(fault, 37));
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
fn the_process_ends_before_any_call_of_a_cancelled_journey() {
    cancelled_journey(Fault::CrashBefore);
}

#[test]
fn the_process_ends_after_any_call_of_a_cancelled_journey() {
    cancelled_journey(Fault::CrashAfter);
}

#[test]
fn the_answer_to_any_call_of_a_cancelled_journey_is_lost() {
    cancelled_journey(Fault::LostResponse);
}

#[test]
fn any_call_of_a_cancelled_journey_is_throttled() {
    cancelled_journey(Fault::Throttled);
}

#[test]
fn any_call_of_a_cancelled_journey_meets_another_transaction() {
    cancelled_journey(Fault::Conflict);
}

#[test]
fn the_process_ends_before_calls_of_two_reviews_that_share_a_person() {
    shared_journey(Fault::CrashBefore);
}

#[test]
fn the_process_ends_after_calls_of_two_reviews_that_share_a_person() {
    shared_journey(Fault::CrashAfter);
}

#[test]
fn answers_to_calls_of_two_reviews_that_share_a_person_are_lost() {
    shared_journey(Fault::LostResponse);
}

#[test]
fn calls_of_two_reviews_that_share_a_person_are_throttled() {
    shared_journey(Fault::Throttled);
}

#[test]
fn calls_of_two_reviews_that_share_a_person_meet_other_transactions() {
    shared_journey(Fault::Conflict);
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
