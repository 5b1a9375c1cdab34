//! A required attendee's answer to the row they were told. `conflict` is an answer: it moves nothing, because only
//! authoritative sources do.

use crate::{
    Instant, Person, TraceId,
    audience::reading::Reading,
    base::{digest::Digest, fingerprint::RowFingerprint},
    choice::situation::Situation,
    decide::{adopt::Answered, draft::Draft},
    facts::{fact::Facts, policy::Deployment},
    record::{
        decision::Outcome,
        lineage::{Action, AnswerLine, AnswerResult, Happening},
        review::{Answer, Reply, Review, Standing},
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
    let result = if current.is_some() { AnswerResult::Recorded } else { AnswerResult::Stale };
    let mut about = Digest::ZERO;
    about.0[..16].copy_from_slice(&row.bytes());
    let answer = Answer { person: by.clone(), row: current.unwrap_or(about), reply, note: note.clone(), at: now };
    let repeated = review.head.answers.iter().any(|known| {
        known.person == answer.person && known.row == answer.row && known.reply == reply && known.note == note
    });
    if repeated {
        return Answered { result, before: None, commit: None };
    }
    let mut draft = Draft::without_reassessing(review, &situation);
    draft.trace = trace;
    draft.at_once = reply == Reply::Conflict;
    let (by_whom, about) = (by.clone(), answer.row);
    let line = AnswerLine {
        by: by_whom,
        action: Action::Acknowledge,
        result,
        about,
        reply: Some(reply),
        note,
        as_operator: false,
    };
    draft.happened(Happening::Answer(line));
    if current.is_some() {
        let answers = &mut draft.head().answers;
        answers.retain(|known| known.person != answer.person || known.row != answer.row);
        answers.push(answer);
        reach::answered(draft.head(), &by, now);
        draft.keep_exceptions();
        if draft.changed() && draft.review.head.standing == Standing::Open {
            draft.decide(Outcome::Unchanged, None, None);
        }
    }
    Answered { result, before: None, commit: draft.finish(Vec::new()) }
}
