//! One message to one person about one delta.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person, TraceId,
    base::{digest::Digest, instant::Slot},
    facts::reply::ReplyWord,
    record::{
        booking::CalendarObject,
        delta::{Difference, DutyLine, Field, Value},
        exception::Exception,
        mark::Mark,
        packet::Standpoint,
        proposal::Fate,
        review::PlaceElsewhere,
    },
};

/// The kind of a mail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// The reader must decide on a proposal.
    AdoptionRequest,
    /// An exception opened.
    Escalation,
    /// A proposal would change the reader's seat, or is in the reader's view.
    TentativeChange,
    /// The reader has no seat any more.
    Released,
    /// A proposal that the reader knew of is gone.
    Withdrawn,
    /// An exception that the reader knew of is closed.
    ExceptionClosed,
    /// What counts has changed.
    AuthoritativeUpdate,
    /// The reader's tentative hold has ended, where the mail that says why carries the meeting.
    HoldEnded,
    /// The reader has not decided or answered yet.
    Reminder,
    /// The link of what is proposed now, which the reader asked for.
    Link,
    /// What the reader was told, as it is now: an operator asked that they are mailed once more.
    Resent,
}

impl NoticeKind {
    /// Every kind, in the order in which the first that fits is told.
    pub const ALL: [Self; 11] = [
        Self::AdoptionRequest,
        Self::Escalation,
        Self::TentativeChange,
        Self::Released,
        Self::Withdrawn,
        Self::ExceptionClosed,
        Self::AuthoritativeUpdate,
        Self::HoldEnded,
        Self::Reminder,
        Self::Link,
        Self::Resent,
    ];

    /// Whether the reader is told once more what they were told, with what is carried.
    pub const fn repeats(self) -> bool {
        matches!(self, Self::Reminder | Self::Link | Self::Resent)
    }

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AdoptionRequest => "adoption_request",
            Self::Escalation => "escalation",
            Self::TentativeChange => "tentative_change",
            Self::Released => "released",
            Self::Withdrawn => "withdrawn",
            Self::ExceptionClosed => "exception_closed",
            Self::AuthoritativeUpdate => "authoritative_update",
            Self::HoldEnded => "hold_ended",
            Self::Reminder => "reminder",
            Self::Link => "link",
            Self::Resent => "resent",
        }
    }
}

/// A notice, decided: everything a renderer needs that concerns this person, and nothing that does not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// The reader.
    pub to: Person,
    /// The kind of mail.
    pub kind: NoticeKind,
    /// The pending version if the standing is tentative, else the authoritative one.
    pub version: u32,
    /// When the mail was made.
    pub at: Instant,
    /// What differs from what the reader was last told.
    pub changes: Vec<Difference>,
    /// What the reader's calendar must learn: one object at most, since clients look at the first calendar part alone.
    pub calendar: Option<CalendarPart>,
    /// What the reader must do now, if anything, whether or not that changed.
    pub duty: Option<DutyLine>,
    /// The link that goes with the duty: at most one of the two.
    pub link: Option<LinkTo>,
    /// The facts that made the difference.
    pub why: Vec<Standpoint>,
    /// Those of them that are why of what is told besides, and not of what matters most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub besides: Vec<Standpoint>,
    /// The first line of every page and mail says how the review stands.
    pub standing: ReviewStanding,
    /// The authoritative slot, for those whose view holds a slot.
    pub authoritative_slot: Option<Slot>,
    /// What that slot breaks today, and what is remarked, whether or not this changed. For those whose view holds marks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violated: Vec<Mark>,
    /// The slot that the meeting's entry has in this reader's calendar, once the reader has this notice. Our mails alone
    /// count; `None` where they put no entry there.
    pub meeting_entry: Option<Slot>,
    /// The invitation that this reader has from elsewhere under an unknown UID. `None` where the reader has none, or was
    /// asked to remove it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_invitation: Option<UnknownInvitation>,
    /// For those whose view holds exceptions: with nearest slots as of now.
    pub exceptions: Vec<Exception>,
    /// What became of the proposal that the reader was told of. `None`: it waits, or they were told of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Fate>,
    /// The fields of `changes` whose present value is the proposal's, and not the authoritative packet's.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub proposed: BTreeSet<Field>,
    /// The fields of `changes` whose earlier value was a proposal's too, of which nothing was adopted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub proposed_before: BTreeSet<Field>,
    /// The fields of `changes` that are no news: a mail that asks for a decision describes the whole decision each time.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub repeated: BTreeSet<Field>,
    /// When the answer is due that the reader owes beside the decision of `duty`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_due: Option<Instant>,
    /// Who owes an answer and replied by mail with neither yes nor no: the reader, and those of whom `exceptions` says so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replied: BTreeMap<Person, ReplyWord>,
    /// What follows if the reader leaves their duty undone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub otherwise: BTreeSet<Consequence>,
    /// Where people whom the reader knows sit in other reviews, in hours that bear on this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<PlaceElsewhere>,
    /// What led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

impl Notice {
    /// Everybody whom the notice names as a part of its reader's view, before or now.
    pub fn people(&self) -> BTreeSet<Person> {
        let sides = self.changes.iter().flat_map(|change| [(&change.field, &change.was), (&change.field, &change.now)]);
        let mut people: BTreeSet<Person> = self.violated.iter().filter_map(Mark::person).cloned().collect();
        for (field, value) in sides {
            match (field, value) {
                (field, Some(Value::Text(text))) if field.names_a_person() => people.extend(Person::parse(text)),
                (_, Some(Value::Marks(marks))) => people.extend(marks.iter().filter_map(Mark::person).cloned()),
                (_, Some(Value::Exceptions(lines))) => {
                    let rules = lines.iter().flat_map(|line| &line.rules);
                    people.extend(rules.filter_map(|rule| rule.person.clone()));
                }
                _ => {}
            }
        }
        let reasons = self.exceptions.iter().flat_map(|exception| &exception.reasons);
        people.extend(reasons.flat_map(|reason| reason.people().cloned()));
        people
    }
}

/// What follows from a duty that is left undone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// The reader is reminded once more before.
    Reminded,
    /// The tentative holds of the proposal are withdrawn.
    HoldsEnd,
    /// The release owner is told, who is not the reader.
    OwnerTold,
    /// Escalation contacts are told, the reader apart.
    ContactsTold,
}

/// An invitation whose UID is not known: no calendar part can change it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownInvitation {
    /// The meeting still is where the invitation says.
    Stands(Slot),
    /// The invitation holds no more: its reader is asked to remove it.
    Remove(Slot),
}

impl UnknownInvitation {
    /// The slot that the invitation says.
    pub const fn slot(self) -> Slot {
        match self {
            Self::Stands(slot) | Self::Remove(slot) => slot,
        }
    }
}

/// Where the review stands, as a mail says.
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
    /// The review has started.
    Started,
    /// The review was closed.
    Closed,
    /// The review was cancelled.
    Cancelled,
}

/// What a mailed link lets its reader do. Bound to one person and one thing; purposes never stand in for each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkTo {
    /// Decide the proposal with this id (digest and first version).
    Adopt {
        /// The proposal.
        proposal: Digest,
        /// Until when the link is read.
        expires_at: Instant,
    },
    /// Answer to the row with this digest.
    Acknowledge {
        /// The row.
        row: Digest,
        /// Until when the link is read.
        expires_at: Instant,
    },
}

/// One iTIP object of a notice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CalendarPart {
    /// The METHOD of RFC 5546.
    pub method: Method,
    /// The object that the part is about.
    pub object: CalendarObject,
    /// The UID of RFC 5545.
    pub uid: crate::Uid,
    /// The SEQUENCE of RFC 5545.
    pub sequence: u32,
    /// `None` where a `CANCEL` releases this person alone and the object lives on.
    pub status: Option<CalendarStatus>,
    /// The time of the object.
    pub slot: Slot,
    /// The ROLE of the reader in the object.
    #[serde(default, skip_serializing_if = "Participation::is_required")]
    pub participation: Participation,
}

/// The ROLE of an attendee (RFC 5545). Stored as nothing for a required one: earlier releases stored none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Participation {
    /// `REQ-PARTICIPANT`: the attendee fills a role of the review.
    #[default]
    Required,
    /// `OPT-PARTICIPANT`: the attendee is a guest.
    Optional,
}

impl Participation {
    /// Whether the attendee is a required one.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    pub const fn is_required(&self) -> bool {
        matches!(self, Self::Required)
    }
}

/// The METHOD of RFC 5546.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// The reader is invited.
    Request,
    /// The reader, or everybody, is no longer invited.
    Cancel,
}

/// The STATUS of RFC 5545.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CalendarStatus {
    /// A proposal holds the time.
    Tentative,
    /// The meeting is authoritative.
    Confirmed,
    /// The object has ended for everybody.
    Cancelled,
}
