//! What systems answer when they are asked, and what people answer by mail: wherever the poller dies between the question,
//! the queue and what it keeps, and wherever ingest dies over a reply, the same facts and answers are there in the end.

use std::collections::BTreeSet;

use holdpoint::{connector::Fault, replay::scenario::Action};
use holdpoint_tests::world::with_room;
use refresh_core::Instant;

use super::{AFTERWARDS, Journey, Place};

/// The story as the systems tell it. The review alone is issued as an event.
fn asked_for() -> Journey {
    let folder = "events/scenarios/story_asked_for";
    Journey::read(&format!("{folder}.jsonl"), &format!("{folder}.policy.json"))
}

/// Its last replies come within minutes; here so far apart that the journey comes to rest between them.
fn answered_by_mail() -> Journey {
    let folder = "events/scenarios/replies_by_mail";
    let mut journey = Journey::read(&format!("{folder}.jsonl"), &format!("{folder}.policy.json"));
    let mut before: Option<Instant> = None;
    for line in &mut journey.scenario.lines {
        if let Some(before) = before {
            line.at = line.at.max(before.plus_minutes(AFTERWARDS + 1));
        }
        if matches!(line.action, Some(Action::Reply(_))) && before.is_some()
            || matches!(line.action, Some(Action::Adopt(_)))
        {
            before = Some(line.at);
        }
    }
    journey
}

/// Lets one call of every line go wrong that `concerns` picks by its caller, in rounds: the first call of each such line,
/// then the second, and so on, every `stride`-th.
fn survives(journey: &Journey, fault: Fault, stride: usize, concerns: fn(&Action, &str) -> bool) {
    with_room(|| {
        let sound = journey.play(|_| None).unwrap_or_else(|why| panic!("without a fault: {why}"));
        assert_eq!(sound.end.differs_from(&sound.end, 0), None, "the journey itself comes to rest");
        let of_line = |place: &Place| journey.scenario.lines.get(place.line.checked_sub(1)?)?.action.as_ref();
        let mut rounds: Vec<BTreeSet<Place>> = Vec::new();
        let (mut line, mut nth) = (0, 0);
        for (place, name) in &sound.calls {
            if !of_line(place).is_some_and(|action| concerns(action, name)) {
                continue;
            }
            (line, nth) = if line == place.line { (line, nth + 1) } else { (place.line, 0) };
            rounds.resize_with(rounds.len().max(nth + 1), BTreeSet::new);
            rounds[nth].insert(*place);
        }
        let first = fault as usize % stride;
        assert!(rounds.len() > first, "no call of the journey is of this kind");
        let mut failures = Vec::new();
        for places in rounds.iter().skip(first).step_by(stride) {
            let Some(together) = journey.wrong(places, fault, &sound.end).0 else { continue };
            for place in places {
                if let (Some(alone), _) = journey.wrong(&[*place].into(), fault, &sound.end) {
                    failures.push(format!("{place}, {}: {alone}", sound.name(*place)));
                }
            }
            failures.push(format!("all of {places:?} together: {together}"));
        }
        assert!(failures.is_empty(), "{fault:?}: {}", failures.join("\n"));
    });
}

/// Every call of the poller in every conversation: its claim, the queue, what it keeps.
fn polled(fault: Fault) {
    survives(&asked_for(), fault, 1, |action, name| matches!(action, Action::Poll(_)) && name.starts_with("poll "));
}

/// Calls that take a reply in and bring it into its review. What is mailed then is mailed as after any other trigger.
fn replied(fault: Fault) {
    survives(&answered_by_mail(), fault, 5, |action, name| {
        matches!(action, Action::Reply(_)) && (name.starts_with("ingest ") || name.starts_with("refresh "))
    });
}

#[test]
fn the_poller_ends_before_any_of_its_calls() {
    polled(Fault::CrashBefore);
}

#[test]
fn the_poller_ends_after_any_of_its_calls() {
    polled(Fault::CrashAfter);
}

#[test]
fn the_answer_to_any_call_of_the_poller_is_lost() {
    polled(Fault::LostResponse);
}

#[test]
fn any_call_of_the_poller_is_throttled() {
    polled(Fault::Throttled);
}

#[test]
fn the_process_ends_before_calls_that_follow_a_reply() {
    replied(Fault::CrashBefore);
}

#[test]
fn the_process_ends_after_calls_that_follow_a_reply() {
    replied(Fault::CrashAfter);
}

#[test]
fn answers_to_calls_that_follow_a_reply_are_lost() {
    replied(Fault::LostResponse);
}

#[test]
fn calls_that_follow_a_reply_meet_other_transactions() {
    replied(Fault::Conflict);
}
