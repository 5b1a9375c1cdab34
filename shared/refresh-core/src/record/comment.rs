//! A reply by mail that is no answer: shown to the owner, and nothing more.

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person,
    base::instant::Slot,
    facts::reply::{Authentication, ReceivedReply, ReplyWord},
};

/// How many comments HEAD keeps for the pages: the newest, those of people of the review first. The lineage keeps all
/// that were recorded.
pub const MOST_COMMENTS_SHOWN: usize = 5;
/// How many comments are recorded of one review whose senders have no part in it, and how many whose senders say that they
/// have and are not proven. Whoever knows an invitation could otherwise fill the record; to be proven costs a domain.
pub const MOST_UNKNOWN: u32 = 100;

/// A reply by mail that is no answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CommentLine {
    /// Who is said to have sent the mail.
    pub by: Person,
    /// When the comment was recorded.
    pub at: Instant,
    /// Why the reply is no answer.
    pub why: CommentReason,
    /// Whether the sender is proven.
    pub authentication: Authentication,
    /// What the reply says.
    pub word: ReplyWord,
    /// The attendee for whom the reply speaks, where that is not the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendee: Option<Person>,
    /// The time that is asked for instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Slot>,
    /// What was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl CommentLine {
    /// The comment that a reply is.
    pub fn of(reply: &ReceivedReply, why: CommentReason, at: Instant) -> Self {
        Self {
            by: reply.sender.clone(),
            at,
            why,
            authentication: reply.authentication,
            word: reply.word,
            attendee: reply.attendee.clone().filter(|attendee| *attendee != reply.sender),
            proposed: reply.proposed,
            text: reply.text.clone(),
        }
    }

    /// Whether another one says the same, whenever it came.
    pub fn says_what(&self, other: &Self) -> bool {
        Self { at: other.at, ..self.clone() } == *other
    }
}

/// Why a reply by mail is no answer. Tried in this order; the first that fits is recorded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentReason {
    /// Nothing vouches for the sender.
    Unauthenticated,
    /// A program answered, or the mail came through a list.
    Automatic,
    /// The reply is no answer of a calendar program.
    NoAnswer,
    /// Somebody else than the attendee sent it, or answered in their place.
    AnotherSender,
    /// The reply is to a SEQUENCE that counts no more, or to a hold that has ended.
    Stale,
    /// The reply is to a SEQUENCE that never was.
    UnknownSequence,
    /// The sender attends, and is required for nothing.
    OptionalAttendee,
    /// The sender has no seat there.
    NotAnAttendee,
    /// The sender answered later, and this reply came late.
    Older,
    /// The sender may come. That is neither yes nor no.
    Tentative,
    /// The sender asks that somebody else comes.
    Delegated,
    /// The sender asks for another time.
    Countered,
}

impl CommentReason {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Automatic => "automatic",
            Self::NoAnswer => "no_answer",
            Self::AnotherSender => "another_sender",
            Self::Stale => "stale",
            Self::UnknownSequence => "unknown_sequence",
            Self::OptionalAttendee => "optional_attendee",
            Self::NotAnAttendee => "not_an_attendee",
            Self::Tentative => "tentative",
            Self::Delegated => "delegated",
            Self::Countered => "countered",
            Self::Older => "older",
        }
    }
}
