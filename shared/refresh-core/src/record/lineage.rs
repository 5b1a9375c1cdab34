//! The append-only, hash-chained record of a review: every trigger, decision, notice and answer, ignored triggers included.

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person, ReviewId, TraceId,
    base::digest::{Digest, canonical},
    facts::{
        authority::{Disposition, UntakenMember},
        event::Identity,
        reply::Authentication,
        revision::Revision,
        subject::Subject,
    },
    record::{
        answer::Reply,
        comment::CommentLine,
        decision::Decision,
        delivery::Undeliverable,
        delta::Difference,
        notice::{CalendarPart, NoticeKind},
        review::{Head, Tip},
    },
};

/// One entry a commit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The review that the entry is about.
    pub review: ReviewId,
    /// From 1, without gaps.
    pub sequence: u64,
    /// When the entry was committed.
    pub at: Instant,
    /// The hash of the entry before; zero for the first.
    pub previous: Digest,
    /// What happened, in order.
    pub happenings: Vec<Happening>,
    /// The trace of the newest accepted event, or of the mail that was answered or reported on. Where time alone moved,
    /// the newest trace before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

impl Entry {
    /// Over the previous hash and the entry's own canonical bytes.
    pub fn hash(&self) -> Digest {
        Digest::of_parts("lineage", &[&self.previous.0, &canonical(self)])
    }

    /// The next one of the review whose HEAD this is.
    pub fn after(head: &Head, happenings: Vec<Happening>, trace: Option<TraceId>) -> Self {
        let Tip { sequence, hash } = head.lineage;
        Self { review: head.review.clone(), sequence: sequence + 1, at: head.at, previous: hash, happenings, trace }
    }
}

/// What happened, each in its own word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Happening {
    /// An event touched the review.
    Trigger(Trigger),
    /// A decision was made.
    Decision(Decision),
    /// A mail went out.
    Notice {
        /// Whom the mail was for.
        to: Person,
        /// The kind of mail.
        kind: NoticeKind,
        /// The version that the mail was about.
        version: u32,
        /// What the mail said had changed.
        changes: Vec<Difference>,
        /// The calendar parts of the mail.
        calendar: Vec<CalendarPart>,
        /// The mailer's id of the message, kept for reconciliation.
        message_id: String,
    },
    /// Their view came back to what they were told before the quiet period ended.
    Skipped {
        /// Whose view came back before anybody was told.
        people: Vec<Person>,
    },
    /// Somebody answered or decided.
    Answer(AnswerLine),
    /// A reply by mail that is no answer.
    Comment(CommentLine),
    /// The mailer reported that a message did not arrive, or was unwelcome.
    Undeliverable {
        /// Whom the mail was for.
        to: Person,
        /// Why the mail did not arrive.
        why: Undeliverable,
        /// The mailer's own words, where it refused the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// An event that touched this review, or would have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trigger {
    /// The event.
    #[serde(flatten)]
    pub identity: Identity,
    /// The CloudEvents `type`.
    pub event_type: String,
    /// What the event was about.
    pub subject: Subject,
    /// The source's number.
    pub revision: Revision,
    /// What became of the event.
    #[serde(flatten)]
    pub disposition: Disposition,
    /// Of a repeated `review.issued`: the members that count for nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_taken: Vec<UntakenMember>,
    /// Sets an id collision apart from the event whose id it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collision: Option<Digest>,
    /// The one its sender gave, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

impl Trigger {
    /// The sender's trace, otherwise the trace that the identity gives.
    pub fn trace(&self) -> TraceId {
        self.trace.unwrap_or_else(|| self.identity.trace())
    }
}

/// What a person did through a link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AnswerLine {
    /// Who answered.
    pub by: Person,
    /// What that person did.
    pub action: Action,
    /// What came of the answer.
    pub result: AnswerResult,
    /// The proposal or row the link was bound to.
    pub about: Digest,
    /// The answer to a row. The record holds the answer, whatever a later answer says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// What was written beside the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether an operator decided in the owner's place, and not the owner by a link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_operator: bool,
    /// Of an answer that came by mail: how its sender was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_mail: Option<Authentication>,
    /// The person to be mailed once more, where an operator asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Person>,
}

/// What a person did on a page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Adopt a proposal.
    Adopt,
    /// Decline a proposal.
    Decline,
    /// Say whether they attend.
    Acknowledge,
    /// Open the page.
    Open,
    /// The owner asks for an expired proposal again.
    AskAgain,
    /// The owner asks for the link of what is proposed now.
    SendLink,
    /// Send something back by mail.
    Reply,
    /// Close the review, as an operator.
    Close,
    /// Ask that somebody is mailed once more, as an operator.
    Resend,
}

/// What came of an answer or of a decision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerResult {
    /// The proposal was adopted.
    Adopted,
    /// The proposal was declined.
    Declined,
    /// The answer was recorded.
    Recorded,
    /// The page was shown.
    Shown,
    /// Another proposal took its place, or none waits.
    Superseded,
    /// The proposal is no longer the choice.
    FactsChanged,
    /// The deadline has passed.
    Expired,
    /// Somebody decided before.
    AlreadyDecided,
    /// The person may not decide.
    NotTheOwner,
    /// The proposal gives or takes the person's own seat.
    SeparationOfDuty,
    /// The answer is to a row that the person has no more.
    Stale,
    /// The link is not one of ours, or too old.
    NoLink,
    /// An expired proposal was asked for again and is pending once more.
    AskedAgain,
    /// The link of what is proposed now is being mailed to whoever decides.
    LinkSent,
    /// The reply by mail is a comment.
    Commented,
    /// The person is being mailed once more.
    Resent,
    /// The person was mailed nothing of the review, and is owed nothing.
    NothingTold,
    /// Nothing is mailed to the person, since mail to them did not arrive.
    Withheld,
}

impl AnswerResult {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Declined => "declined",
            Self::Recorded => "recorded",
            Self::Shown => "shown",
            Self::Superseded => "superseded",
            Self::FactsChanged => "facts_changed",
            Self::Expired => "expired",
            Self::AlreadyDecided => "already_decided",
            Self::NotTheOwner => "not_the_owner",
            Self::SeparationOfDuty => "separation_of_duty",
            Self::Stale => "stale",
            Self::NoLink => "no_link",
            Self::AskedAgain => "asked_again",
            Self::LinkSent => "link_sent",
            Self::Commented => "commented",
            Self::Resent => "resent",
            Self::NothingTold => "nothing_told",
            Self::Withheld => "withheld",
        }
    }
}

/// The first thing of a review's record that does not fit, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misfit {
    /// The number of the lineage entry. `None`: HEAD, a version, or what somebody was told does not fit.
    pub sequence: Option<u64>,
    /// What was expected and what was found.
    pub because: String,
}

/// Recomputes the chain up to the entry that `tip` names, and returns the number of entries. `entries` in order of
/// sequence; `tip` is what HEAD says the chain ends with. Entries beyond `tip` are of decisions committed after HEAD
/// was read. They follow from another tip, and this tip says nothing of them.
///
/// # Errors
///
/// The first entry that does not fit.
pub fn verify<'a>(entries: impl IntoIterator<Item = &'a Entry>, tip: &Tip) -> Result<u64, Misfit> {
    let mut end = Tip { sequence: 0, hash: Digest::ZERO };
    let named = entries.into_iter().take_while(|entry| entry.sequence <= tip.sequence);
    for entry in named {
        let misfit = |because: &str| Misfit { sequence: Some(end.sequence + 1), because: because.to_owned() };
        if entry.sequence != end.sequence + 1 {
            return Err(misfit(&format!("expected this entry, found entry {}", entry.sequence)));
        }
        if entry.previous != end.hash {
            return Err(misfit("it does not follow the hash of the entry before"));
        }
        end = Tip { sequence: entry.sequence, hash: entry.hash() };
    }
    if end == *tip {
        Ok(end.sequence)
    } else if end.sequence < tip.sequence {
        Err(Misfit {
            sequence: Some(end.sequence + 1),
            because: format!("missing; HEAD names entry {} as the last", tip.sequence),
        })
    } else {
        Err(Misfit { sequence: Some(end.sequence), because: "its hash is not the one HEAD names".to_owned() })
    }
}
