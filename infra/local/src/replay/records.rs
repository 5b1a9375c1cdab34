//! What a replay prints: one JSON object a happening, as the contract has it.

use std::collections::BTreeMap;

use packet_store::{Store, StoreError};
use refresh_core::{
    Checkpoint, Instant, Person, ReviewId, Role,
    audience::deadlines,
    base::{digest::Digest, instant::Slot},
    facts::authority::{Disposition, UntakenMember},
    record::{
        comment::CommentReason,
        decision::{Decision, Earlier, Outcome, PendingLine},
        delta::Difference,
        exception::{Exception, ExceptionKind, Reason},
        lineage::{Action, AnswerResult},
        mark::Mark,
        notice::{CalendarPart, CalendarStatus, Method, NoticeKind},
        packet::Packet,
        proposal::Proposal,
        review::{Head, Review},
    },
};
use serde::Serialize;

pub type Records = Vec<Record>;

/// One line of `--json`.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Record {
    pub at: Instant,
    #[serde(flatten)]
    pub what: What,
}

impl Record {
    /// The review that somebody's answer is about.
    pub const fn answered(&self) -> Option<&ReviewId> {
        match &self.what {
            What::Answer(answer) => Some(&answer.review_id),
            _ => None,
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum What {
    Trigger(TriggerRecord),
    Decision(DecisionRecord),
    Notice(NoticeRecord),
    Answer(AnswerRecord),
    Poll(PollRecord),
    State(StateRecord),
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TriggerRecord {
    pub source: Option<String>,
    pub id: Option<String>,
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    #[serde(flatten)]
    pub disposition: Disposition,
    pub reviews: Vec<ReviewId>,
    /// Of a repeated `review.issued`: the members that count for nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_taken: Vec<UntakenMember>,
    /// Of an invalid event: every fault, for whoever sent it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DecisionRecord {
    pub review_id: ReviewId,
    pub outcome: Outcome,
    pub proposal: Option<Earlier>,
    pub authoritative: Authoritative,
    pub pending: Option<Pending>,
    pub exceptions: Vec<Open>,
    pub next_check_at: Option<Instant>,
}

/// What an authoritative and a pending packet have in common.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PacketLine {
    pub version: u32,
    pub slot: Slot,
    pub attendees: BTreeMap<Role, Person>,
    pub checkpoints: BTreeMap<Checkpoint, Option<Instant>>,
    pub freeze_edge: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Authoritative {
    #[serde(flatten)]
    pub packet: PacketLine,
    pub violated: Vec<Mark>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Pending {
    #[serde(flatten)]
    pub packet: PacketLine,
    pub digest: Digest,
    pub expires_at: Instant,
    pub adopter: Option<Person>,
    pub cancelled: bool,
}

/// An open exception, without the instant it was opened at.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Open {
    pub kind: ExceptionKind,
    pub reasons: Vec<Reason>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct NoticeRecord {
    pub review_id: ReviewId,
    pub to: Person,
    pub kind: NoticeKind,
    pub version: u32,
    pub changes: Vec<Difference>,
    pub calendar: Vec<CalendarLine>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CalendarLine {
    pub method: Method,
    pub uid: String,
    pub sequence: u32,
    pub status: Option<CalendarStatus>,
}

/// What a question to a system that is polled came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PollRecord {
    pub binding: String,
    /// `answered`, or the word of what was wrong.
    pub result: String,
    /// Messages that were put on the queue: none where nothing is new.
    pub messages: usize,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AnswerRecord {
    pub review_id: ReviewId,
    pub by: Person,
    pub action: Action,
    pub result: AnswerResult,
    /// The person to be mailed once more, where an operator asked for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Person>,
    /// Of a reply by mail that is a comment: why it is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<CommentReason>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StateRecord {
    pub review_id: ReviewId,
    pub authoritative: Authoritative,
    pub pending: Option<Pending>,
    pub exceptions: Vec<Open>,
    pub outstanding: Vec<Person>,
    pub lineage: LineageLine,
    pub mails_sent: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct LineageLine {
    pub entries: u64,
    pub verified: bool,
}

impl From<&CalendarPart> for CalendarLine {
    fn from(part: &CalendarPart) -> Self {
        Self { method: part.method, uid: part.uid.to_string(), sequence: part.sequence, status: part.status }
    }
}

fn packet(version: u32, packet: Packet) -> PacketLine {
    PacketLine {
        version,
        slot: packet.slot,
        attendees: packet.attendees,
        checkpoints: packet.checkpoints,
        freeze_edge: packet.freeze_edge,
    }
}

/// Why a record could not be made.
#[derive(Debug)]
pub enum Unreadable {
    Store(StoreError),
    NoVersion(ReviewId, u32),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::NoVersion(review, version) => write!(f, "{review}: version {version} is named but not there"),
        }
    }
}

impl From<StoreError> for Unreadable {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a list of reviews shows of a review: the packet that counts, and the one that is proposed.
pub fn listed(review: &Review) -> (Authoritative, Option<Pending>) {
    let Review { head, authoritative, .. } = review;
    let pending = review.proposal().map(|Proposal { pending, version }| Pending {
        cancelled: version.packet.cancelled,
        packet: packet(pending.version, version.packet.clone()),
        digest: pending.digest,
        expires_at: pending.expires_at,
        adopter: pending.adopter.clone(),
    });
    let authoritative = Authoritative {
        packet: packet(head.authoritative, authoritative.packet.clone()),
        violated: head.today.violated.clone(),
    };
    (authoritative, pending)
}

/// An open exception as a list shows it.
pub fn open(exceptions: &[Exception]) -> Vec<Open> {
    let line = |exception: &Exception| Open { kind: exception.kind, reasons: exception.reasons.clone() };
    exceptions.iter().map(line).collect()
}

async fn of_version(store: &Store, review: &ReviewId, version: u32) -> Result<Packet, Unreadable> {
    let found = store.version(review, version).await?;
    found.map(|version| version.packet).ok_or_else(|| Unreadable::NoVersion(review.clone(), version))
}

async fn pending(store: &Store, review: &ReviewId, line: &PendingLine) -> Result<Pending, Unreadable> {
    let content = of_version(store, review, line.version).await?;
    Ok(Pending {
        cancelled: content.cancelled,
        packet: packet(line.version, content),
        digest: line.digest,
        expires_at: line.expires_at,
        adopter: line.adopter.clone(),
    })
}

pub async fn decision(store: &Store, review: &ReviewId, decision: &Decision) -> Result<DecisionRecord, Unreadable> {
    let content = of_version(store, review, decision.authoritative).await?;
    Ok(DecisionRecord {
        review_id: review.clone(),
        outcome: decision.outcome,
        proposal: decision.proposal,
        authoritative: Authoritative {
            packet: packet(decision.authoritative, content),
            violated: decision.violated.clone(),
        },
        pending: match &decision.pending {
            Some(line) => Some(pending(store, review, line).await?),
            None => None,
        },
        exceptions: open(&decision.exceptions),
        next_check_at: decision.next_check_at,
    })
}

pub async fn state(store: &Store, head: &Head) -> Result<StateRecord, Unreadable> {
    let review = &head.review;
    let content = of_version(store, review, head.authoritative).await?;
    let record = store.record(head).await?;
    let mut outstanding: Vec<Person> = deadlines::outstanding(head).map(|duty| duty.person.clone()).collect();
    outstanding.sort();
    let line = head.pending.as_ref().map(|pending| PendingLine {
        version: pending.version,
        digest: pending.digest,
        expires_at: pending.expires_at,
        adopter: pending.adopter.clone(),
    });
    Ok(StateRecord {
        review_id: review.clone(),
        authoritative: Authoritative {
            packet: packet(head.authoritative, content),
            violated: head.today.violated.clone(),
        },
        pending: match &line {
            Some(line) => Some(pending(store, review, line).await?),
            None => None,
        },
        exceptions: open(&head.exceptions),
        outstanding,
        lineage: LineageLine { entries: record.entries.len() as u64, verified: record.verified.is_ok() },
        mails_sent: head.mails_sent,
    })
}
