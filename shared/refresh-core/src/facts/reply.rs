//! What somebody sent back by mail to an invitation or a notice of ours. A reply is no fact: a reply moves nothing.

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person, Uid,
    base::{fingerprint::ReviewFingerprint, instant::Slot},
};

/// Characters that are kept of what somebody wrote. A comment stands in HEAD and on the owner's page.
pub const LONGEST_REPLY_TEXT: usize = 300;

/// One mail that somebody sent back, as far as it is read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReceivedReply {
    /// What the mail is about.
    pub about: ReplyAbout,
    /// The one address of the mail's `From`.
    pub sender: Person,
    /// Whether the receiving service vouches for that address's domain.
    pub authentication: Authentication,
    /// A program answered, or the mail came through a list: nobody in person says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// What the mail says.
    pub word: ReplyWord,
    /// The attendee for whom a calendar program speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendee: Option<Person>,
    /// Who answered in the attendee's place (`SENT-BY` of RFC 5545).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<Person>,
    /// When the calendar program made the answer (`DTSTAMP`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamped_at: Option<Instant>,
    /// The time that is asked for instead (`COUNTER` of RFC 5546).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Slot>,
    /// What was written beside the answer, on one line of at most [`LONGEST_REPLY_TEXT`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What a reply is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyAbout {
    /// A calendar object of a review, as a calendar program knows it.
    Object {
        /// The UID of RFC 5545.
        uid: Uid,
        /// The SEQUENCE of the object that is answered.
        sequence: u32,
    },
    /// A review, by the address that its mails are answered to.
    Review(ReviewFingerprint),
}

/// What the receiving service says of the sender's domain. Only `Passed` vouches for the sender.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// DMARC passed for the domain of the `From`.
    Passed,
    /// DMARC failed.
    Failed,
    /// The domain has no DMARC policy, so nothing vouches for the sender.
    NoPolicy,
    /// The receiving service could not tell.
    Unavailable,
    /// The receiving service says nothing.
    Missing,
}

impl Authentication {
    /// The words of the contract.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("passed", Self::Passed),
        ("failed", Self::Failed),
        ("no_policy", Self::NoPolicy),
        ("unavailable", Self::Unavailable),
        ("missing", Self::Missing),
    ];

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NoPolicy => "no_policy",
            Self::Unavailable => "unavailable",
            Self::Missing => "missing",
        }
    }
}

/// What a reply says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyWord {
    /// The attendee comes.
    Accepted,
    /// The attendee does not come.
    Declined,
    /// The attendee may come.
    Tentative,
    /// The attendee asks that somebody else comes.
    Delegated,
    /// The attendee asks for another time.
    Countered,
    /// The reply is no answer of a calendar program, or contradicts itself.
    Unanswered,
}

impl ReplyWord {
    /// The words of the contract.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("accepted", Self::Accepted),
        ("declined", Self::Declined),
        ("tentative", Self::Tentative),
        ("delegated", Self::Delegated),
        ("countered", Self::Countered),
        ("unanswered", Self::Unanswered),
    ];

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Tentative => "tentative",
            Self::Delegated => "delegated",
            Self::Countered => "countered",
            Self::Unanswered => "unanswered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_contract_read_back() {
        for (word, meant) in Authentication::WORDS {
            assert_eq!((meant.word(), serde_json::to_value(meant).unwrap()), (word, word.into()));
        }
        for (word, meant) in ReplyWord::WORDS {
            assert_eq!((meant.word(), serde_json::to_value(meant).unwrap()), (word, word.into()));
        }
    }
}
