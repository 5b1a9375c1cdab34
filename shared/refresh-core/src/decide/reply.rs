//! A reply by mail: an answer where it is certain that this attendee answers what they have now, a comment otherwise.
//! Neither moves anything.

use crate::{
    Instant,
    audience::reading::Reading,
    base::digest::Digest,
    choice::situation::Situation,
    decide::{
        acknowledge::{self, Answering},
        draft::Draft,
    },
    facts::{
        fact::Facts,
        policy::Deployment,
        reply::{Authentication, ReceivedReply, ReplyAbout, ReplyWord},
    },
    record::{
        answer::{Answer, Duty, Reply},
        comment::{CommentLine, CommentReason, MOST_COMMENTS_SHOWN, MOST_UNAUTHENTICATED},
        commit::Commit,
        decision::Outcome,
        lineage::Happening,
        message::MailReplied,
        review::Review,
    },
};

/// Records a reply. `None`: the review has ended, or too many comments of unproven senders are recorded.
pub fn reply(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    replied: &MailReplied,
    now: Instant,
) -> Option<Commit> {
    let MailReplied { reply, trigger, arrived, .. } = replied;
    let now = now.max(review.head.at);
    if review.head.is_over(now) {
        return None;
    }
    let situation = Situation::of(&review.head.review, facts, deployment, now)?;
    let mut draft = Draft::without_reassessing(review, &situation);
    match judged(review, &Reading::of(review, &situation), reply, *arrived) {
        Ok((row, answer)) => {
            let answering = Answering {
                by: reply.sender.clone(),
                row,
                reply: answer,
                note: reply.text.clone(),
                stamped_at: Some(stamp(reply, *arrived)),
                by_mail: Some(reply.authentication),
            };
            acknowledge::record(&mut draft, &answering);
        }
        Err(NoAnswer { why, doubts }) => {
            comment(&mut draft, CommentLine::of(reply, why, now))?;
            if let Some(row) = doubts {
                take_back(&mut draft, reply, row);
            }
        }
    }
    draft.finish(vec![trigger.clone()])
}

/// Why a reply is no answer.
struct NoAnswer {
    why: CommentReason,
    /// The row of which the attendee does not say yes any more, if they did.
    doubts: Option<Digest>,
}

impl From<CommentReason> for NoAnswer {
    fn from(why: CommentReason) -> Self {
        Self { why, doubts: None }
    }
}

/// Who said yes, and then "perhaps", says yes no more: the answer is owed again. A `conflict` stays. Whoever waits for the
/// answer shall not read that nothing came.
fn take_back(draft: &mut Draft<'_>, reply: &ReceivedReply, row: Digest) {
    let owed = |duty: &&mut Duty| duty.person == reply.sender && duty.row == row;
    for duty in draft.head().duties.iter_mut().filter(owed) {
        duty.replied = Some(reply.word);
    }
    let yes = |known: &Answer| known.person == reply.sender && known.row == row && known.reply == Reply::Acknowledged;
    draft.head().answers.retain(|known| !yes(known));
    draft.keep_exceptions();
    if draft.changed() {
        draft.decide(Outcome::Unchanged, None, None);
    }
}

/// One more comment. `None`: it is one of too many whose senders nothing vouches for.
fn comment(draft: &mut Draft<'_>, line: CommentLine) -> Option<()> {
    let unproven = line.authentication != Authentication::Passed;
    let head = draft.head();
    if unproven && head.unauthenticated >= MOST_UNAUTHENTICATED {
        return None;
    }
    if head.comments.iter().any(|known| known.says_what(&line)) {
        return Some(());
    }
    head.unauthenticated += u32::from(unproven);
    head.comments.push(line.clone());
    let beyond = head.comments.len().saturating_sub(MOST_COMMENTS_SHOWN);
    head.comments.drain(..beyond);
    draft.happened(Happening::Comment(line));
    Some(())
}

/// The row that is answered, and how; otherwise the first reason why the reply is no answer.
fn judged(
    review: &Review,
    reading: &Reading<'_>,
    reply: &ReceivedReply,
    arrived: Instant,
) -> Result<(Digest, Reply), NoAnswer> {
    let head = &review.head;
    let sender = &reply.sender;
    if reply.authentication != Authentication::Passed {
        return Err(CommentReason::Unauthenticated.into());
    }
    if reply.automatic {
        return Err(CommentReason::Automatic.into());
    }
    let ReplyAbout::Object { uid, sequence } = &reply.about else { return Err(CommentReason::NoAnswer.into()) };
    if reply.word == ReplyWord::Unanswered {
        return Err(CommentReason::NoAnswer.into());
    }
    if reply.attendee.as_ref() != Some(sender) || reply.sent_by.as_ref().is_some_and(|by| by != sender) {
        return Err(CommentReason::AnotherSender.into());
    }
    let (answerable, row) = if *uid == head.meeting.uid {
        (Some(head.meeting.answerable(sender)), reading.authoritative_row(sender))
    } else if *uid == head.hold.uid {
        (head.hold.answerable(sender), reading.tentative_row(sender))
    } else {
        (None, None)
    };
    match answerable {
        Some(answerable) if answerable.contains(sequence) => {}
        Some(answerable) if sequence > answerable.end() => return Err(CommentReason::UnknownSequence.into()),
        _ => return Err(CommentReason::Stale.into()),
    }
    let optional = reading.terms.optional.contains(sender);
    let Some(row) = row.map(|row| row.digest()) else {
        return Err(if optional { CommentReason::OptionalAttendee } else { CommentReason::NotAnAttendee }.into());
    };
    let stamped = stamp(reply, arrived);
    let of_row = |known: &&Answer| known.person == *sender && known.row == row;
    if let Some(known) = head.answers.iter().find(of_row) {
        let last = known.stamped_at.unwrap_or(known.at);
        // Of two answers of one instant the worse one stands.
        let better = reply.word == ReplyWord::Accepted && known.reply == Reply::Conflict;
        if stamped < last || (stamped == last && better) {
            return Err(CommentReason::Older.into());
        }
    }
    let doubts = |why| NoAnswer { why, doubts: Some(row) };
    let answer = match reply.word {
        ReplyWord::Accepted => Reply::Acknowledged,
        ReplyWord::Declined => Reply::Conflict,
        ReplyWord::Tentative => return Err(doubts(CommentReason::Tentative)),
        ReplyWord::Delegated => return Err(doubts(CommentReason::Delegated)),
        ReplyWord::Countered => return Err(doubts(CommentReason::Countered)),
        ReplyWord::Unanswered => return Err(CommentReason::NoAnswer.into()),
    };
    Ok((row, answer))
}

/// When the answer was made, by the calendar program's clock; never later than it arrived, since a clock that is ahead
/// would keep out every later answer. Where the program says no instant, the arrival counts: a "no" without one would
/// else count for nothing after any "yes".
fn stamp(reply: &ReceivedReply, arrived: Instant) -> Instant {
    reply.stamped_at.map_or(arrived, |at| at.min(arrived))
}
