//! What the mailer reports back: a message bounced, or its reader complained.

use crate::{
    Instant, Person,
    commit::Commit,
    decision::Outcome,
    fact::Facts,
    lineage::Happening,
    policy::Deployment,
    review::{Review, Standing},
    situation::Situation,
    turn::Turn,
};

/// A required person whose mail does not arrive opens `unreachable`, until they are no longer required or answer.
/// `None` where it is known already: a mailer reports each message, and says so more than once.
pub fn undeliverable(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    to: &Person,
    complaint: bool,
    now: Instant,
) -> Option<Commit> {
    let now = now.max(review.head.at);
    let situation = Situation::of(&review.head.review, facts, deployment, now)?;
    let mut turn = Turn::on(review, &situation);
    if !turn.head().unreachable.insert(to.clone()) {
        return None;
    }
    turn.happened(Happening::Undeliverable { to: to.clone(), complaint });
    if review.head.standing == Standing::Open {
        turn.keep_exceptions();
        if turn.changed() {
            turn.decide(Outcome::Unchanged, None, None);
        }
    }
    turn.finish(Vec::new())
}
