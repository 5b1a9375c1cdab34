//! An operator's word about a review that is no fact: somebody is to be mailed once more. It moves nothing.
//!
//! HEAD remembers that the mail was asked for, and notify sends it: whoever dies in between leaves it to the next look.

use crate::{
    Instant, Person,
    audience::reading::Reading,
    base::digest::Digest,
    choice::situation::Situation,
    decide::draft::Draft,
    facts::{fact::Facts, operator::ResendRequest, policy::Deployment},
    record::{
        commit::Commit,
        delivery::Delivery,
        last_notified::LastNotified,
        lineage::{Action, AnswerLine, AnswerResult, Happening},
        message::ResendRequested,
        review::Review,
    },
    telling::{carried, told},
};

/// What is stored of the mails to one person.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mailed<'a> {
    /// What the person was last told. `None`: they were mailed nothing of the review.
    pub told: Option<&'a LastNotified>,
    /// What the mailer reported of their newest mail.
    pub delivery: Option<&'a Delivery>,
}

/// Records that somebody is to be mailed once more, or why they are not. `None`: the review has ended.
pub fn resend(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    asked: &ResendRequested,
    mailed: Mailed<'_>,
    now: Instant,
) -> Option<Commit> {
    let now = now.max(review.head.at);
    if review.head.is_over(now) {
        return None;
    }
    let situation = Situation::of(&review.head.review, facts, deployment, now)?;
    let ResendRequest { person, by, reason } = &asked.resend;
    let result = result(&Reading::of(review, &situation), person, mailed);
    let mut draft = Draft::without_reassessing(review, &situation);
    if result == AnswerResult::Resent {
        // Asked for twice before a mail is out, it is one mail.
        draft.head().resends.entry(person.clone()).or_insert(now);
    }
    draft.happened(Happening::Answer(AnswerLine {
        by: by.clone(),
        action: Action::Resend,
        result,
        about: Digest::ZERO,
        reply: None,
        note: Some(reason.clone()),
        as_operator: true,
        by_mail: None,
        to: Some(person.clone()),
    }));
    draft.finish(vec![asked.trigger.clone()])
}

/// Whether there is something to mail, and somebody whom mail reaches.
fn result(reading: &Reading<'_>, person: &Person, mailed: Mailed<'_>) -> AnswerResult {
    if reading.review.head.withholds(person) {
        return AnswerResult::Withheld;
    }
    let told = told::told(reading, person, mailed.told.cloned(), mailed.delivery);
    let view = reading.view(person, told.seat.as_ref());
    match mailed.told.is_some() || carried::owes(reading, &told.view, &view) {
        true => AnswerResult::Resent,
        false => AnswerResult::NothingTold,
    }
}
