//! Two workers over one store. The first is held before each SDK call it makes, one after the other; meanwhile the second
//! works, to its end or up to each of its own calls; then the first goes on. So every way in which their calls can
//! follow each other with one change of turns (and, crossing, with two) is played, not hoped for.
//!
//! ```text
//!  first    read HEAD ── read facts ──┤ held                        ├── commit: Superseded ── decide again ── commit
//!  second                             ├── read HEAD ── ... ── commit ┤
//! ```

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]
// How many ways were played is told beside the result.
#![allow(clippy::print_stdout)]

mod places;
mod schedule;
mod worker;

use refresh_core::facts::authority::{Disposition, Ignored};

use places::{Place, after_the_adoption, before_the_decision, issued, proposed, told};
use schedule::contend;
use worker::Task;

/// Two facts that both matter, each with its own request for a refresh.
#[test]
fn refreshes_of_different_facts() {
    let lost = contend("two refreshes", || {
        let place = issued();
        let tasks = place.refreshes(&[place.busy(2), place.evidence_slips(2)]);
        (place, tasks)
    });
    assert!(lost > 0, "nobody ever lost, so nothing was contended");
}

#[test]
fn a_refresh_against_an_adoption() {
    let lost = contend("refresh, adoption", || {
        let place = before_the_decision();
        let form = place.adoption();
        let refresh = place.refreshes(&[place.evidence_slips(2)]).remove(0);
        (place, vec![refresh, Task::Adopt(form)])
    });
    assert!(lost > 0, "nobody ever lost, so nothing was contended");
    let lost = contend("adoption, refresh", || {
        let place = before_the_decision();
        let form = place.adoption();
        let refresh = place.refreshes(&[place.evidence_slips(2)]).remove(0);
        (place, vec![Task::Adopt(form), refresh])
    });
    assert!(lost > 0, "nobody ever lost, so nothing was contended");
}

/// The owner presses twice.
#[test]
fn two_adoptions() {
    let lost = contend("two adoptions", || {
        let place = before_the_decision();
        let form = place.adoption();
        (place, vec![Task::Adopt(form.clone()), Task::Adopt(form)])
    });
    assert!(lost > 0, "nobody ever lost, so nothing was contended");
}

#[test]
fn two_rounds_of_notices() {
    contend("two rounds", || {
        let place = proposed();
        let round = place.round();
        (place, vec![round.clone(), round])
    });
}

#[test]
fn a_round_of_notices_against_a_refresh() {
    contend("round, refresh", || {
        let place = proposed();
        let round = place.round();
        let refresh = place.refreshes(&[place.evidence_slips(2)]).remove(0);
        (place, vec![round, refresh])
    });
}

#[test]
fn a_round_of_notices_against_an_answer() {
    contend("round, answer", || {
        let place = after_the_adoption();
        let answer = place.acknowledgement();
        place.decide(&[place.evidence_slips(2)]);
        let place = place.quiet();
        let round = place.round();
        (place, vec![round, Task::Acknowledge(answer)])
    });
}

#[test]
fn two_ticks() {
    contend("two ticks", || (told(), vec![Task::Tick, Task::Tick]));
}

/// A decision between any two calls of somebody who verifies is no tampering.
#[test]
fn a_look_at_the_records_against_a_refresh() {
    contend("look, refresh", || {
        let place = proposed();
        let refresh = place.refreshes(&[place.evidence_slips(2)]).remove(0);
        (place, vec![Task::Look, refresh])
    });
}

/// The same event, delivered to two workers.
#[test]
fn one_event_twice() {
    contend("one event twice", || {
        let place = issued();
        let event = place.busy(2);
        (place, vec![Task::Ingest(vec![event.clone()]), Task::Ingest(vec![event])])
    });
}

/// Two revisions of one fact: the newer one stands, whoever writes first.
#[test]
fn two_revisions_of_one_fact() {
    contend("two revisions", || {
        let place = issued();
        let tasks = [place.busy(2), place.busy(3)].map(|event| Task::Ingest(vec![event]));
        (place, tasks.to_vec())
    });
}

/// A review is issued while a fact it is about to depend on changes.
#[test]
fn a_fact_while_the_review_begins_to_depend_on_it() {
    contend("first refresh, new fact", || {
        let place = Place::before_issue();
        let issue = place.refreshes(&[place.issue()]).remove(0);
        let busy = place.busy(2);
        (place, vec![issue, Task::Ingest(vec![busy])])
    });
}

/// A batch that says one subject again, and another worker that is told of the batch's other subject.
#[test]
fn a_batch_that_says_a_subject_twice_against_an_event() {
    let lost = contend("batch, event", || {
        let place = issued();
        let batch = vec![place.busy(2), place.evidence_slips(2), place.busy(3)];
        let other = vec![place.evidence_slips(3)];
        (place, vec![Task::Ingest(batch), Task::Ingest(other)])
    });
    assert!(lost > 0, "nobody ever lost, so nothing was contended");
}

/// Each event is judged against what the one before it made of the subject, as if it came alone.
#[test]
fn what_a_batch_says_of_one_subject_counts_in_turn() {
    let place = issued();
    let events = [place.busy(2), place.busy(4), place.evidence_slips(2), place.busy(3), place.busy(6)];
    place.refreshes(&events);
    let (stale, subject) = place.recorded("//availability.example.com", "busy-3");
    assert_eq!(stale, Disposition::Ignored(Ignored::StaleRevision));
    for id in ["busy-2", "busy-4", "busy-6"] {
        assert_eq!(place.recorded("//availability.example.com", id).0, Disposition::Applied, "{id}");
    }
    assert_eq!(place.recorded("//evidence.example.com", "evidence-2").0, Disposition::Applied);
    assert_eq!(place.fact(&subject).revision, 6);
}

/// What a batch says of a subject after its reset uses the reset up.
#[test]
fn a_reset_waits_for_nothing_that_comes_after_it_in_a_batch() {
    let place = issued();
    place.send(&[place.busy(4), place.reset(), place.busy(6), place.evidence_slips(2)]);
    let (disposition, subject) = place.recorded("//availability.example.com", "busy-6");
    assert_eq!(disposition, Disposition::Applied);
    let fact = place.fact(&subject);
    assert_eq!((fact.revision, fact.order.epoch, fact.order.reset), (6, 1, None));
}
