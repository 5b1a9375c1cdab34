//! One message to one person about one delta.

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person, TraceId,
    base::{digest::Digest, instant::Slot},
    record::{
        delta::{Difference, DutyLine},
        exception::Exception,
        packet::Standpoint,
    },
};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    AdoptionRequest,
    Escalation,
    TentativeChange,
    Released,
    Withdrawn,
    ExceptionClosed,
    AuthoritativeUpdate,
    Reminder,
}

impl NoticeKind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::AdoptionRequest => "adoption_request",
            Self::Escalation => "escalation",
            Self::TentativeChange => "tentative_change",
            Self::Released => "released",
            Self::Withdrawn => "withdrawn",
            Self::ExceptionClosed => "exception_closed",
            Self::AuthoritativeUpdate => "authoritative_update",
            Self::Reminder => "reminder",
        }
    }
}

/// A notice, decided: everything a renderer needs that concerns this person, and nothing that does not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    pub to: Person,
    pub kind: NoticeKind,
    /// The pending version if the standing is tentative, else the authoritative one.
    pub version: u32,
    pub at: Instant,
    pub changes: Vec<Difference>,
    pub calendar: Vec<CalendarPart>,
    /// What the reader must do now, if anything, whether or not that changed.
    pub duty: Option<DutyLine>,
    /// The link that goes with the duty: at most one of the two.
    pub link: Option<LinkTo>,
    /// The facts that made the difference.
    pub why: Vec<Standpoint>,
    /// The first line of every page and mail says how the review stands.
    pub standing: ReviewStanding,
    /// The authoritative slot, for those whose view holds a slot.
    pub authoritative_slot: Option<Slot>,
    /// For those whose view holds exceptions: with nearest slots as of now.
    pub exceptions: Vec<Exception>,
    /// What led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewStanding {
    /// The authoritative packet counts, nothing is open.
    Settled,
    /// It counts, and a proposal waits for the owner.
    ProposalPending,
    /// It counts, and an exception is open.
    ExceptionOpen,
    /// It counts, a proposal waits, and an exception is open.
    ProposalAndException,
    Started,
    Closed,
    Cancelled,
}

/// What a mailed link lets its reader do. Bound to one person and one thing; purposes never stand in for each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkTo {
    /// Decide the proposal with this id (digest and first version).
    Adopt { proposal: Digest, expires_at: Instant },
    /// Answer to the row with this digest.
    Acknowledge { row: Digest, expires_at: Instant },
}

/// One iTIP object of a notice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CalendarPart {
    pub method: Method,
    pub object: CalendarObject,
    pub uid: String,
    pub sequence: u32,
    /// `None` where a `CANCEL` releases this person alone and the object lives on.
    pub status: Option<CalendarStatus>,
    pub slot: Slot,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Request,
    Cancel,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarObject {
    Meeting,
    Hold,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CalendarStatus {
    Tentative,
    Confirmed,
    Cancelled,
}
