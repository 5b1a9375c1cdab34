//! Where a decision begins: [`issue`], [`refresh`] and [`looked_at`]. The decision table is `follow`.

use crate::{
    Instant, ReviewId,
    choice::situation::Situation,
    decide::{
        draft::Draft,
        follow::{Occasion, advance},
        operator,
    },
    facts::{fact::Facts, policy::Deployment},
    record::{
        commit::{self, Commit},
        decision::Outcome,
        lineage::{AnswerResult, Trigger},
        review::{Head, Review, Standing},
    },
};

/// A review of more roles than that is issued first and looked at second: entries and versions of all its people, and of
/// those whom a proposal would bring, are more than one transaction takes.
pub const MOST_ROLES_AT_ONCE: usize = 28;

/// A review is handed over: its packet becomes authoritative, everyone counts as told, nobody owes an answer. If today's
/// facts already contradict it, a refresh follows at once. `None` where no terms are known. `host` ends the meeting's
/// UID where the review came without one.
pub fn issue(
    id: &ReviewId,
    host: &str,
    facts: &Facts,
    deployment: &Deployment,
    triggers: Vec<Trigger>,
    now: Instant,
) -> Option<Commit> {
    let situation = Situation::of(id, facts, deployment, now)?;
    let mut draft = Draft::issuing(&situation, host);
    draft.decide(Outcome::Issued, None, None);
    let at_once = situation.terms.attendees.len() <= MOST_ROLES_AT_ONCE;
    if at_once {
        advance(&mut draft, facts, Occasion::Time);
    }
    let mut commit = draft.finish(triggers)?;
    if !at_once {
        commit.head.check_at = Some(commit.head.at);
    }
    Some(commit)
}

/// Recomputes an issued review from the newest facts. `triggers`: the events that led here, accepted and ignored; none
/// for a tick. `None` where there is nothing to write. Of a review that ended: to be called once what its end leaves to do
/// is done.
pub fn refresh(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    triggers: Vec<Trigger>,
    now: Instant,
) -> Option<Commit> {
    let now = now.max(review.head.at);
    if review.head.is_ended() {
        return done_with(review, now);
    }
    let situation = Situation::of(&review.head.review, facts, deployment, now)?;
    let mut draft = Draft::on(review, &situation);
    let decided = operator::decide(&mut draft, facts, deployment);
    let accepted = triggers.iter().any(|trigger| trigger.disposition.is_applied());
    match decided {
        // A decision looked at the newest facts already, and is recorded.
        Some(AnswerResult::Adopted | AnswerResult::Declined) => {
            if draft.review.head.standing == Standing::Open {
                advance(&mut draft, facts, Occasion::Time);
            }
        }
        _ => advance(&mut draft, facts, if accepted { Occasion::News } else { Occasion::Time }),
    }
    draft.finish(triggers)
}

/// The work that the end of a review left is done: nothing is due any more. `None` where nothing was.
fn done_with(review: &Review, now: Instant) -> Option<Commit> {
    review.head.check_at?;
    let head = Head { at: now, check_at: None, ..review.head.clone() };
    Some(commit::commit(head, Vec::new(), None))
}

/// A look that other reviews' seats asked for moves HEAD's counter even where the look decides nothing: a worker that read
/// the seats before must not commit after. `None` for a review that has ended.
pub fn looked_at(review: &Review, now: Instant) -> Option<Commit> {
    if review.head.is_ended() {
        return None;
    }
    let (at, looked) = (now.max(review.head.at), review.head.counter + 1);
    let head = Head { at, looked, ..review.head.clone() };
    Some(commit::commit(head, Vec::new(), None))
}
