//! How systems are asked that do not post by themselves: what the question is, how an answer's pages come together, and what
//! goes on the queue of it. Pure: whoever asks over the network is `functions/poll`.
//!
//! | module | says |
//! |---|---|
//! | [`plan`] | the questions of a binding at an instant |
//! | [`answer`] | a response's status: an answer, nothing new, or a failure and until when to wait |
//! | [`page`] | the next page of an answer, or the whole of it |
//! | [`hand`] | the messages that a whole answer comes to, where it says something new |
//! | [`credential`] | credentials by name, and the header that carries one |
//!
//! How the system of each format is asked and how it pages stands beside the readers of bindings, which hold addresses
//! against it: [`crate::native::binding::system`].
//!
//! An answer of which a page is missing is no answer: nothing of it is handed on. A delta is none either, since translators
//! read snapshots; what keeps an unchanged answer cheap is its `ETag`.

pub mod answer;
pub mod credential;
pub mod hand;
pub mod page;
pub mod plan;

use std::{collections::BTreeMap, fmt};

use refresh_core::Instant;

/// A response, whoever got it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SystemResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case. Of a header that came twice the values, joined by a comma.
    pub headers: BTreeMap<String, String>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Why a question was not answered, or its answer not handed on. No word of it quotes an address, a credential or a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PollFailure {
    /// The credential is not one that the system takes, or may not read this.
    Denied(u16),
    /// The system wants fewer questions.
    Throttled(Option<Instant>),
    /// The system cannot answer now.
    Unavailable(u16, Option<Instant>),
    /// The system refuses the question.
    Refused(u16),
    /// No connection, or it broke.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// A redirection, a next page or a token's address that leads to another host, or by plain text: no credential goes there.
    Elsewhere,
    /// Redirections without end.
    RedirectedTooOften,
    /// A page that is not what its format says: no JSON, cut off, no list where one must be.
    Unreadable,
    /// A page whose bytes are no UTF-8.
    NotUtf8,
    /// A page names one before it as the next.
    PageLoop,
    /// More pages than an answer may have.
    TooManyPages,
    /// The pages are not of one answer: what they count changed between them.
    ChangedBetweenPages,
    /// Fewer records than the answer says there are.
    Incomplete,
    /// More bytes than an answer, or a message on the queue, may have.
    TooLarge,
    /// "Nothing new" as the answer to a question that did not ask for that.
    UnaskedNotModified,
    /// The credential cannot be made a header: a token's server gives none, or a key cannot sign.
    NoToken,
    /// The queue did not take it.
    NotHandedOn,
    /// The invocation's time was over.
    OutOfTime,
}

impl PollFailure {
    /// The word of logs, figures and records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::Throttled(_) => "throttled",
            Self::Unavailable(..) => "unavailable",
            Self::Refused(_) => "refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Elsewhere => "elsewhere",
            Self::RedirectedTooOften => "redirected_too_often",
            Self::Unreadable => "unreadable",
            Self::NotUtf8 => "not_utf8",
            Self::PageLoop => "page_loop",
            Self::TooManyPages => "too_many_pages",
            Self::ChangedBetweenPages => "changed_between_pages",
            Self::Incomplete => "incomplete",
            Self::TooLarge => "too_large",
            Self::UnaskedNotModified => "unasked_not_modified",
            Self::NoToken => "no_token",
            Self::NotHandedOn => "not_handed_on",
            Self::OutOfTime => "out_of_time",
        }
    }

    /// The status that the server answered with, where that is what is wrong.
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Denied(status) | Self::Unavailable(status, _) | Self::Refused(status) => Some(status),
            _ => None,
        }
    }

    /// Before this instant the system wants no question.
    pub const fn not_before(self) -> Option<Instant> {
        match self {
            Self::Throttled(at) | Self::Unavailable(_, at) => at,
            _ => None,
        }
    }

    /// Whether no later question can go through before somebody changes something: alarmed at the first.
    pub const fn is_for_an_operator(self) -> bool {
        matches!(self, Self::Denied(_) | Self::NoToken | Self::Elsewhere | Self::TooLarge)
    }
}

impl fmt::Display for PollFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl std::error::Error for PollFailure {}
