//! The page of a superseded proposal mails the present link to whoever decides now. It shows and signs none itself.
//!
//! HEAD remembers that the link was asked for, and notify sends it: whoever dies in between leaves it to the next look.

use crate::{
    Instant,
    base::instant::MINUTE,
    choice::situation::Situation,
    decide::{
        adopt::{self, Answered, DecisionAttempt},
        draft::Draft,
    },
    facts::{fact::Facts, policy::Deployment},
    record::{lineage::AnswerResult, proposal::LinkAsked, review::Review},
};

/// At most one mail of a proposal's link within this time: whoever presses again has one on its way.
pub const BETWEEN_LINKS: i64 = 10 * MINUTE;

/// Asks for the present link. Any other page than that of a superseded proposal says what it says, and asks for nothing.
pub fn send_link(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    attempt: &DecisionAttempt,
    now: Instant,
) -> Answered {
    let now = now.max(review.head.at);
    let Some(situation) = Situation::of(&review.head.review, facts, deployment, now) else {
        return Answered { result: AnswerResult::Superseded, before: None, commit: None };
    };
    let answered = |result, before| Answered { result, before, commit: None };
    let (status, before) = adopt::link_status(review, facts, deployment, &attempt.by, attempt.proposal, now);
    if status != AnswerResult::Superseded {
        return answered(status, before);
    }
    let head = &review.head;
    let waiting = head.pending.as_ref().filter(|pending| now < pending.expires_at && !head.is_over(now));
    let Some(adopter) = waiting.and_then(|pending| pending.adopter.as_ref()).filter(|person| !head.withholds(person))
    else {
        return answered(AnswerResult::NoLink, before);
    };
    debug_assert_eq!(*adopter, attempt.by, "a superseded page is shown to whoever decides");
    let asked = waiting.and_then(|pending| pending.link.as_ref());
    if asked.is_some_and(|asked| now.since(asked.at) < BETWEEN_LINKS) {
        return answered(AnswerResult::LinkSent, before);
    }
    let mut draft = Draft::without_reassessing(review, &situation);
    draft.trace = attempt.trace;
    if let Some(pending) = &mut draft.head().pending {
        pending.link = Some(LinkAsked { at: now, sent: false });
    }
    adopt::answer(&mut draft, attempt, AnswerResult::LinkSent);
    Answered { result: AnswerResult::LinkSent, before, commit: draft.finish(Vec::new()) }
}
