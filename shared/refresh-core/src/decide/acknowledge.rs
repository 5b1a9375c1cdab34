//! A required attendee's answer to the row they were told. `conflict` is an answer: it moves nothing, because only
//! authoritative sources do.

use crate::{
    Instant, Person, TraceId,
    audience::reading::Reading,
    base::{digest::Digest, fingerprint::RowFingerprint},
    choice::situation::Situation,
    decide::{adopt::Answered, draft::Draft},
    facts::{fact::Facts, policy::Deployment, reply::Authentication},
    record::{
        answer::{Answer, Reply},
        decision::Outcome,
        lineage::{Action, AnswerLine, AnswerResult, Happening},
        review::{Review, Standing},
    },
    telling::reach,
};

/// Whether a link's row is one this person has now.
pub fn link_status(
    review: &Review,
    situation: &Situation<'_>,
    by: &Person,
    row: RowFingerprint,
) -> (AnswerResult, Option<Digest>) {
    let reading = Reading::of(review, situation);
    let rows = [reading.tentative_row(by), reading.authoritative_row(by)];
    let current =
        rows.into_iter().flatten().map(|row| row.digest()).find(|digest| RowFingerprint::of_digest(digest) == row);
    (if current.is_some() { AnswerResult::Shown } else { AnswerResult::Stale }, current)
}

/// An answer given through a link bound to this person and this row.
#[derive(Clone, Debug)]
pub struct AnswerAttempt {
    /// Who answers.
    pub by: Person,
    /// The row that is answered, from the link.
    pub row: RowFingerprint,
    /// The answer.
    pub reply: Reply,
    /// What was written beside the answer.
    pub note: Option<String>,
    /// Of the mail whose link it is.
    pub trace: Option<TraceId>,
}

/// Records an answer. One to an older row is recorded as `stale`.
pub fn answer(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    attempt: &AnswerAttempt,
    now: Instant,
) -> Answered {
    let AnswerAttempt { by, row, reply, note, trace } = attempt.clone();
    let now = now.max(review.head.at);
    let Some(situation) = Situation::of(&review.head.review, facts, deployment, now) else {
        return Answered { result: AnswerResult::Stale, before: None, commit: None };
    };
    let (_, current) = link_status(review, &situation, &by, row);
    let mut about = Digest::ZERO;
    about.0[..16].copy_from_slice(&row.bytes());
    let answering = Answering { by, row: current.unwrap_or(about), reply, note, stamped_at: None, by_mail: None };
    let mut draft = Draft::without_reassessing(review, &situation);
    draft.trace = trace;
    let result = match current {
        Some(_) => record(&mut draft, &answering),
        None => stale(&mut draft, &answering),
    };
    let commit = result.is_news.then(|| draft.finish(Vec::new())).flatten();
    Answered { result: result.result, before: None, commit }
}

/// An answer whose row is known, by a link or by mail.
#[derive(Clone, Debug)]
pub(crate) struct Answering {
    pub(crate) by: Person,
    pub(crate) row: Digest,
    pub(crate) reply: Reply,
    pub(crate) note: Option<String>,
    /// By the clock of the calendar program that made the answer.
    pub(crate) stamped_at: Option<Instant>,
    /// How the sender of an answer by mail was proven.
    pub(crate) by_mail: Option<Authentication>,
}

/// What was recorded of an answer.
pub(crate) struct RecordedAnswer {
    result: AnswerResult,
    /// `false`: the same was answered before.
    is_news: bool,
}

/// The answer to a row that the person has now.
pub(crate) fn record(draft: &mut Draft<'_>, answering: &Answering) -> RecordedAnswer {
    let result = AnswerResult::Recorded;
    if is_known(draft, answering) {
        return RecordedAnswer { result, is_news: false };
    }
    happened(draft, answering, result);
    let (now, by) = (draft.now(), &answering.by);
    let Answering { row, reply, note, stamped_at, .. } = answering.clone();
    let answers = &mut draft.head().answers;
    answers.retain(|known| known.person != *by || known.row != row);
    answers.push(Answer { person: by.clone(), row, reply, note, at: now, stamped_at });
    reach::answered(draft.head(), by, now);
    draft.keep_exceptions();
    if draft.changed() && draft.review.head.standing == Standing::Open {
        draft.decide(Outcome::Unchanged, None, None);
    }
    RecordedAnswer { result, is_news: true }
}

/// The answer to a row that the person has no more.
fn stale(draft: &mut Draft<'_>, answering: &Answering) -> RecordedAnswer {
    let result = AnswerResult::Stale;
    let is_news = !is_known(draft, answering);
    if is_news {
        happened(draft, answering, result);
    }
    RecordedAnswer { result, is_news }
}

fn is_known(draft: &Draft<'_>, answering: &Answering) -> bool {
    draft.review.head.answers.iter().any(|known| {
        known.person == answering.by
            && known.row == answering.row
            && known.reply == answering.reply
            && known.note == answering.note
    })
}

fn happened(draft: &mut Draft<'_>, answering: &Answering, result: AnswerResult) {
    draft.at_once = answering.reply == Reply::Conflict;
    let Answering { by, row, reply, note, by_mail, .. } = answering.clone();
    draft.happened(Happening::Answer(AnswerLine {
        by,
        action: if by_mail.is_some() { Action::Reply } else { Action::Acknowledge },
        result,
        about: row,
        reply: Some(reply),
        note,
        as_operator: false,
        by_mail,
        to: None,
    }));
}
