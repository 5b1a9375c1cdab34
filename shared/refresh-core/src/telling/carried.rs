//! What is carried and not owed: a difference on which nobody can decide waits for the next notice to its reader.

use crate::{
    audience::reading::Reading,
    facts::policy::MetadataAlone,
    record::{
        exception::{Exception, ExceptionKind},
        mark::{Mark, Remark},
        view::{ExceptionLine, View},
    },
};

/// Whether a notice is owed to somebody who was told `was` and for whom `now` is so: the views differ in more than is
/// carried.
pub fn owes(reading: &Reading<'_>, was: &View, now: &View) -> bool {
    // What is the same already stays the same, and most views do: nothing is copied for them.
    was != now && {
        let mut was = was.clone();
        carry(reading, &mut was, now);
        was != *now
    }
}

/// Takes into `was` what is carried of `now`.
fn carry(reading: &Reading<'_>, was: &mut View, now: &View) {
    // Who hears of exceptions is no news by itself; whose exceptions are gone with that was told of some.
    was.contact = now.contact;
    // Something else became of a proposal that might be asked for again: that is told by itself, if it is news.
    if now.asks_again.is_none() {
        was.asks_again = None;
    }
    let carries = reading.policy.metadata_alone == MetadataAlone::Carried;
    let head = &reading.review.head;
    // The violations of the present slot are told together with the exception for them, once that is told at all. Of a
    // review that has ended nobody decides on them.
    let waits = head.exceptions.iter().any(Exception::waits);
    if waits || head.is_ended() || carries && same_is_open(was, now) {
        was.violated.clone_from(&now.violated);
    }
    carry_unproven(&mut was.violated, &now.violated);
    carry_override(reading, was, now);
    if !carries {
        return;
    }
    for (key, ready) in &mut was.checkpoints {
        if let Some(today) = now.checkpoints.get(key).filter(|today| today.is_some() == ready.is_some()) {
            *ready = *today;
        }
    }
    (was.window, was.cutover) = (now.window, now.cutover);
    if only_less(&was.exceptions, &now.exceptions) {
        was.exceptions.clone_from(&now.exceptions);
    }
}

/// A seat that stands without proof asks for nothing: nobody can decide on it, whatever the policy says of metadata.
fn carry_unproven(was: &mut Vec<Mark>, now: &[Mark]) {
    let unproven = |mark: &&Mark| matches!(mark, Mark::Remark(Remark::Unproven(_)));
    was.retain(|mark| !unproven(&mark));
    was.extend(now.iter().filter(unproven).cloned());
    was.sort_unstable();
}

/// The owner stood by the meeting, and the meeting breaks nothing any more: it stands as the owner decided, and nobody has
/// anything to do or to expect. So the override ends silently, whatever the policy says of metadata.
fn carry_override(reading: &Reading<'_>, was: &mut View, now: &View) {
    let is_override = |line: &ExceptionLine| line.kind == ExceptionKind::OwnerOverride;
    let ended = was.exceptions.iter().any(is_override) && !now.exceptions.iter().any(is_override);
    if ended && !reading.review.head.today.violated.iter().any(Mark::is_violation) {
        was.exceptions.retain(|line| !is_override(line));
        was.violated.clone_from(&now.violated);
    }
}

/// The proposal they know of is pending still, or an exception of which they know is open still. Another proposal differs
/// in what is never carried.
fn same_is_open(was: &View, now: &View) -> bool {
    let known = |line: &ExceptionLine| was.exceptions.iter().any(|known| known.kind == line.kind);
    was.proposed && now.proposed || now.exceptions.iter().any(known)
}

/// The same exceptions are open, and none has a reason that it had not: reasons only left.
fn only_less(was: &[ExceptionLine], now: &[ExceptionLine]) -> bool {
    let less = |(was, now): (&ExceptionLine, &ExceptionLine)| {
        was.kind == now.kind && now.rules.iter().all(|rule| was.rules.contains(rule))
    };
    was.len() == now.len() && was.iter().zip(now).all(less)
}
