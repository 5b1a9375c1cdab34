//! Replies by mail that are no answers, as the owner reads them: who, what, and why it counts for nothing more.

use refresh_core::{
    facts::reply::{Authentication, ReplyWord},
    record::comment::{CommentLine, CommentReason},
};

use super::Names;
use crate::{moment, text::Note};

/// One sentence or two. An address that nothing vouches for is never called by a person's name.
pub fn comment(comment: &CommentLine, names: &Names<'_>) -> String {
    let proven = comment.authentication == Authentication::Passed;
    let by = match proven {
        true => names.full(&comment.by),
        false => format!("Somebody who writes as {}", comment.by),
    };
    let said = match comment.word {
        ReplyWord::Accepted => "accepts",
        ReplyWord::Declined => "declines",
        ReplyWord::Tentative => "may come",
        ReplyWord::Delegated => "asks that somebody else comes",
        ReplyWord::Countered => "asks for another time",
        ReplyWord::Unanswered => "wrote",
    };
    let whose = comment.attendee.as_ref().map(|attendee| format!(" for {attendee}")).unwrap_or_default();
    let slot = comment.proposed.map(|slot| format!(", {}", moment::interval(&slot, names.zone))).unwrap_or_default();
    let text = comment.text.as_deref().map(|text| format!(" “{}”", Note::of(text))).unwrap_or_default();
    format!("{by} {said}{whose}{slot}: a comment, since {}.{text}", because(comment))
}

/// Why what somebody replied by mail, who owes an answer, is none. To that person.
pub const fn no_answer(word: ReplyWord) -> &'static str {
    match word {
        ReplyWord::Delegated => {
            "You replied by mail that somebody else should come; only the delegate mapping says who stands in."
        }
        ReplyWord::Countered => "You asked by mail for another time; a time that is asked for moves nothing.",
        ReplyWord::Tentative | ReplyWord::Accepted | ReplyWord::Declined | ReplyWord::Unanswered => {
            "You replied by mail that you may come; that is neither yes nor no."
        }
    }
}

/// The same to whoever waits for the answer.
pub(super) const fn replied(word: ReplyWord) -> &'static str {
    match word {
        ReplyWord::Delegated => "they replied by mail that somebody else should come, which is neither yes nor no",
        ReplyWord::Countered => "they asked by mail for another time, which is neither yes nor no",
        ReplyWord::Tentative | ReplyWord::Accepted | ReplyWord::Declined | ReplyWord::Unanswered => {
            "they replied by mail that they may come, which is neither yes nor no"
        }
    }
}

fn because(comment: &CommentLine) -> &'static str {
    match comment.why {
        CommentReason::Unauthenticated => match comment.authentication {
            Authentication::Failed => "the sender could not be authenticated: their domain disowns the mail",
            Authentication::NoPolicy => "the sender could not be authenticated: their domain has no DMARC policy",
            Authentication::Unavailable => "the sender could not be authenticated: the check did not end",
            Authentication::Passed | Authentication::Missing => "the sender could not be authenticated",
        },
        CommentReason::Automatic => "a program or a list sent it",
        CommentReason::NoAnswer => "it is no calendar answer",
        CommentReason::AnotherSender => "the sender is not the attendee",
        CommentReason::Stale => "it answers an invitation that counts no more",
        CommentReason::UnknownSequence => "it answers an invitation that never was",
        CommentReason::OptionalAttendee => "an optional attendee owes no answer",
        CommentReason::NotAnAttendee => "the sender has no seat there",
        CommentReason::Tentative => "that is neither yes nor no",
        CommentReason::Delegated => "only the delegate mapping says who stands in",
        CommentReason::Countered => "a proposed time moves nothing",
        CommentReason::Older => "a later answer of theirs is known",
    }
}
