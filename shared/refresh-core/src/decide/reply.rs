//! A reply by mail: an answer where it is certain that this attendee answers what they have now, a comment otherwise.
//! Neither moves anything.

use std::collections::BTreeSet;

use crate::{
    Instant, Person,
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
        comment::{CommentLine, CommentReason, MOST_COMMENTS_SHOWN, MOST_UNKNOWN},
        commit::Commit,
        decision::Outcome,
        lineage::Happening,
        message::MailReplied,
        review::Review,
    },
};

/// Records a reply. `None`: the review has ended, or too many comments of senders like this one are recorded.
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
    let reading = Reading::of(review, &situation);
    match judged(review, &reading, reply, *arrived) {
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
            comment(&mut draft, CommentLine::of(reply, why, now), &reading.people())?;
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

/// How near the sender of a comment is to the review. What is said from further away pushes nothing nearer off a page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// They have no part in the review, whoever vouches for them.
    Outside,
    /// They say that they have a part, and nothing vouches for it.
    Claimed,
    /// They have a part, and are proven.
    Inside,
}

impl Nearness {
    fn of(comment: &CommentLine, people: &BTreeSet<Person>) -> Self {
        match (people.contains(&comment.by), comment.authentication) {
            (false, _) => Self::Outside,
            (true, Authentication::Passed) => Self::Inside,
            (true, _) => Self::Claimed,
        }
    }
}

/// One more comment. `None`: it is one of too many whose senders anybody may be. `people`: who has a part in the review.
fn comment(draft: &mut Draft<'_>, line: CommentLine, people: &BTreeSet<Person>) -> Option<()> {
    let head = draft.head();
    // Counted apart: strangers do not use up the room of people whose domain proves nothing.
    let counted = match Nearness::of(&line, people) {
        Nearness::Outside => Some(&mut head.strangers),
        Nearness::Claimed => Some(&mut head.unauthenticated),
        Nearness::Inside => None,
    };
    if counted.as_ref().is_some_and(|count| **count >= MOST_UNKNOWN) {
        return None;
    }
    if head.comments.iter().any(|known| known.says_what(&line)) {
        return Some(());
    }
    if let Some(count) = counted {
        *count += 1;
    }
    head.comments.push(line.clone());
    while head.comments.len() > MOST_COMMENTS_SHOWN {
        let nearness = |&at: &usize| Nearness::of(&head.comments[at], people);
        // The oldest of the furthest.
        let Some(at) = (0..head.comments.len()).min_by_key(nearness) else { break };
        head.comments.remove(at);
    }
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
