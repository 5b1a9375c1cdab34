//! HEAD: everything of a review that changes. One item, conditional on its counter; the rest is written once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, Instant, Interval, Person, ReviewId, TraceId,
    base::{digest::Digest, instant::Slot},
    facts::fact::Meeting,
    record::{
        booking::{Booking, Invitation},
        delivery::{Reachability, Unreachable},
        exception::Exception,
        mark::{Mark, Violation},
        packet::{Packet, Standpoint, Version},
    },
};

/// How many past proposals are remembered by name; an older link is answered `superseded`.
pub const MOST_PAST_PROPOSALS: usize = 24;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    pub review: ReviewId,
    /// Rises by one with every commit; every commit is conditional on it.
    pub counter: u64,
    /// The latest instant anything was committed: a slow clock never goes back behind a decision.
    pub at: Instant,
    pub standing: Standing,
    /// The version the review was issued with: what everyone counts as told.
    pub issued: u32,
    /// The highest version minted.
    pub latest: u32,
    pub authoritative: u32,
    /// When the authoritative slot starts: from then on nothing is refreshed.
    pub starts_at: Instant,
    pub pending: Option<Pending>,
    pub today: Today,
    pub exceptions: Vec<Exception>,
    pub declined: Vec<Declined>,
    /// The owner stands by the present slot until this is no longer what it breaks.
    pub stands_by: Option<StandsBy>,
    /// The proposal that expired undecided, while it is still the choice.
    pub undecided: Option<Digest>,
    /// When the undecided choice stops being one by time alone: just after it leaves too little notice.
    pub undecided_until: Option<Instant>,
    /// While set, too many proposals were told: nothing is proposed until then.
    pub paused_until: Option<Instant>,
    /// When proposals were first told, for the churn guard; only those inside its time span.
    pub tellings: Vec<Instant>,
    pub past: Vec<PastProposal>,
    pub meeting: Meeting,
    pub hold: Hold,
    /// Which slots were ours when, for own-meeting detection.
    pub bookings: Vec<Booking>,
    pub duties: Vec<Duty>,
    pub answers: Vec<Answer>,
    /// Whose mail did not arrive, by person; kept when they are reached again, so that a late report is no news.
    pub unreachable: Vec<Unreachable>,
    /// How often the owner adopted.
    pub adoptions: u32,
    pub lineage: Tip,
    /// When the answer could next change by time alone, or the hourly look is due. Of a review that ended: when what its
    /// end leaves to do is due; `None` once that is done.
    pub check_at: Option<Instant>,
    /// The end of the quiet period that some change of a view began.
    pub quiet_until: Option<Instant>,
    /// When somebody is next to be told something: the end of the quiet period, or a reminder.
    pub notices_at: Option<Instant>,
    /// Whose view changed since the quiet period began; who is among them and owed nothing is `skipped`.
    #[serde(rename = "stirred")]
    pub affected: BTreeSet<Person>,
    pub mails_sent: u32,
    /// What last changed anybody's view. What time alone leads to goes on under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
    /// Whose view changed by something before that, and who is still to be told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub earlier: BTreeMap<Person, TraceId>,
}

impl Head {
    /// What a mail to this person now goes on: the newest change of their own view.
    pub fn trace_of(&self, person: &Person) -> Option<TraceId> {
        self.earlier.get(person).copied().or(self.trace)
    }

    /// These people's views changed under `trace`. Who was affected before and is not among them keeps their own, so that
    /// nobody's mail is said to come from a change that was none for them.
    pub(crate) fn go_on(&mut self, trace: Option<TraceId>, affected: &[Person]) {
        if trace != self.trace {
            if let Some(before) = self.trace {
                for person in &self.affected {
                    self.earlier.entry(person.clone()).or_insert(before);
                }
            }
            self.trace = trace;
        }
        for person in affected {
            self.earlier.remove(person);
        }
    }

    pub fn unreachable(&self, person: &Person) -> Option<&Unreachable> {
        self.unreachable.iter().find(|known| known.person == *person)
    }

    /// Whether nothing is mailed to this person.
    pub fn withholds(&self, person: &Person) -> bool {
        self.unreachable(person).is_some_and(|known| known.reach == Reachability::Withheld)
    }

    /// Started, closed or cancelled, and recorded so: nothing is refreshed any more.
    pub fn is_ended(&self) -> bool {
        self.standing != Standing::Open
    }

    /// Closed, cancelled, or its authoritative slot has started.
    pub fn is_over(&self, now: Instant) -> bool {
        self.is_ended() || self.starts_at <= now
    }
}

/// Whether the review is still coordinated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Open,
    /// The authoritative slot has started.
    Started,
    /// `review.closed` came.
    Closed,
    /// The owner adopted the cancellation.
    Cancelled,
}

/// The proposal that waits for the owner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The version that carries it now.
    pub version: u32,
    /// The version that first made it: with the digest, what a proposal is known by.
    pub first_version: u32,
    pub digest: Digest,
    pub made_at: Instant,
    pub expires_at: Instant,
    /// Who may decide; `None` where nobody may.
    pub adopter: Option<Person>,
    /// When anybody was first told of it.
    pub told_at: Option<Instant>,
    /// Its slot and attendees were told before, as a proposal that had another freeze edge.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seats_told: bool,
    /// When the present adopter was told, for reminders, and how many they had.
    pub asked: Option<Asked>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    pub at: Instant,
    pub reminded: u32,
}

impl Pending {
    /// Whether anybody was told of its slot with its attendees: then it is not improved while it is good.
    pub const fn is_told(&self) -> bool {
        self.told_at.is_some() || self.seats_told
    }

    pub fn id(&self) -> Digest {
        proposal_id(&self.digest, self.first_version)
    }
}

/// A proposal is known by its digest and the version that first made it.
pub fn proposal_id(digest: &Digest, first_version: u32) -> Digest {
    Digest::of("proposal-id", &(digest, first_version))
}

/// Today's facts as people are shown them, whether or not a version was minted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Today {
    pub owner: Option<Person>,
    pub owner_confirmed: bool,
    pub checkpoints: BTreeMap<Checkpoint, Option<Instant>>,
    pub window: Option<Interval>,
    pub cutover: Option<Interval>,
    /// Whether the authoritative slot is a freeze-edge case by today's freezes.
    pub freeze_edge: bool,
    /// Violations and marks of the authoritative slot and attendees.
    pub violated: Vec<Mark>,
    /// The facts that are newer than those the authoritative version stands on.
    pub news: Vec<Standpoint>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Declined {
    pub slot: Slot,
    /// `None`: that slot whoever attends. Otherwise that slot with those attendees alone.
    pub attendees: Option<BTreeMap<crate::Role, Person>>,
    /// The freeze edge of the authoritative slot itself was declined.
    pub freeze_edge: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StandsBy {
    pub violated: BTreeSet<Violation>,
    pub freeze_edge: bool,
}

/// What became of an earlier proposal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PastProposal {
    pub id: Digest,
    pub fate: Fate,
    pub by: Option<Person>,
    pub at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Adopted,
    DeclinedOtherSlot,
    DeclinedStand,
    Superseded,
    Withdrawn,
    Expired,
}

/// The tentative calendar object: its own UID for the life of the review.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hold {
    pub uid: String,
    pub sequence: u32,
    /// What the hold is now; `None` while there is none.
    pub entry: Option<Invitation>,
    /// Whether anybody was sent the hold as it is now. Only then does the next change raise the sequence.
    pub told: bool,
}

/// A required attendee owes an answer to the row they were told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Duty {
    pub person: Person,
    pub row: Digest,
    pub told_at: Instant,
    pub due_at: Instant,
    pub reminded: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answer {
    pub person: Person,
    pub row: Digest,
    pub reply: Reply,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Acknowledged,
    Conflict,
}

/// The end of the lineage's chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tip {
    /// Entries written so far; the first has number 1.
    pub sequence: u64,
    pub hash: Digest,
}

/// A review as it was read: HEAD and the versions it names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review {
    pub head: Head,
    /// The version that was issued.
    pub issued: Version,
    pub authoritative: Version,
    pub pending: Option<Version>,
}

impl Review {
    /// The packet people are shown: the pending one while a proposal waits.
    pub fn shown(&self) -> &Packet {
        self.pending.as_ref().map_or(&self.authoritative.packet, |version| &version.packet)
    }
    /// The proposal that waits for the owner, if one does: what HEAD says of the proposal, and the version that carries
    /// the proposal.
    pub fn proposal(&self) -> Option<Proposal<'_>> {
        let (pending, version) = self.head.pending.as_ref().zip(self.pending.as_ref())?;
        Some(Proposal { pending, version })
    }
}

/// A proposal, whole. HEAD holds the part that changes, since lists of reviews read HEAD alone; a version holds the packet.
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'a> {
    /// Deadline, adopter, and who was asked.
    pub pending: &'a Pending,
    /// The packet, and what the packet stands on.
    pub version: &'a Version,
}
