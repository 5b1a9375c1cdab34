//! What the mailer's report of a mail that did not arrive leads to.

use crate::{
    Instant,
    choice::situation::Situation,
    decide::draft::Draft,
    facts::{fact::Facts, policy::Deployment},
    record::{
        commit::Commit,
        decision::Outcome,
        delivery::DeliveryReport,
        lineage::Happening,
        review::{Review, Standing},
    },
    telling::reach::{self, Adds},
};

/// A person whose mail does not arrive: nothing more is mailed to them, and one who is required opens `unreachable`.
/// `None` where the report says nothing of the kind, or nothing new.
pub fn undeliverable(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    report: &DeliveryReport,
    now: Instant,
) -> Option<Commit> {
    let why = report.delivery.status.undeliverable()?;
    let now = now.max(review.head.at);
    let situation = Situation::of(&review.head.review, facts, deployment, now)?;
    let mut draft = Draft::without_reassessing(review, &situation);
    draft.trace = report.trace;
    match reach::unreached(draft.head(), report, why, facts) {
        Adds::Nothing => return None,
        Adds::OnlyItsInstant => return draft.finish(Vec::new()),
        Adds::News => {}
    }
    let reason = report.delivery.status.reason().map(str::to_owned);
    draft.happened(Happening::Undeliverable { to: report.to.clone(), why, reason });
    if review.head.standing == Standing::Open {
        draft.keep_exceptions();
        if draft.changed() {
            draft.decide(Outcome::Unchanged, None, None);
        }
    }
    draft.finish(Vec::new())
}
