//! The packet: the coordination state of a review at one numbered version. Immutable once written.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, Instant, Interval, Person, Role, Source,
    base::{digest::Digest, instant::Slot},
    facts::{
        fact::Fact,
        revision::{Revision, Stamp, is_first},
        subject::Subject,
    },
    record::{mark::Mark, report::Report},
};

/// What a review says at one version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Packet {
    /// When the review takes place.
    pub slot: Slot,
    /// Who sits in which required role.
    pub attendees: BTreeMap<Role, Person>,
    /// When each required checkpoint is ready; `None` where nothing says so.
    pub checkpoints: BTreeMap<Checkpoint, Option<Instant>>,
    /// The review window; `None` without an approved change record.
    pub window: Option<Interval>,
    /// The cutover; `None` without an approved change record.
    pub cutover: Option<Interval>,
    /// Whether the slot lies at the edge of a protected freeze.
    pub freeze_edge: bool,
    /// Whether the packet cancels the review.
    pub cancelled: bool,
}

impl Packet {
    /// Identifies the packet.
    pub fn digest(&self) -> Digest {
        Digest::of("packet", self)
    }

    /// Covers only what needs the owner: a metadata change keeps it, another slot or attendee does not.
    pub fn proposal_digest(&self) -> Digest {
        Digest::of("proposal", &(&self.slot, &self.attendees, self.freeze_edge, self.cancelled))
    }

    /// Whether slot and attendees are the same.
    pub fn same_seats(&self, other: &Self) -> bool {
        self.slot == other.slot && self.attendees == other.attendees
    }

    /// Roles a person sits in: one, unless the policy lets people share.
    pub fn roles_of<'a>(&'a self, person: &'a Person) -> impl Iterator<Item = &'a Role> {
        self.attendees.iter().filter(move |(_, attendee)| *attendee == person).map(|(role, _)| role)
    }

    /// Everybody who sits in a role, once.
    pub fn people(&self) -> BTreeSet<&Person> {
        self.attendees.values().collect()
    }
}

/// The slot, and who fills which role: what the search chooses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Choice {
    /// The slot.
    pub slot: Slot,
    /// Who fills which role.
    pub attendees: BTreeMap<Role, Person>,
}

impl Choice {
    /// The slot and the attendees of a packet.
    pub fn of(packet: &Packet) -> Self {
        Self { slot: packet.slot, attendees: packet.attendees.clone() }
    }
}

/// A minted packet with its number, its parent and what it stands on. Written once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Version {
    /// The number, from the issued one upward.
    pub number: u32,
    /// When the version was made.
    pub made_at: Instant,
    /// The version that was authoritative when this one was made; `None` for the issued one.
    pub parent: Option<u32>,
    /// The content.
    pub packet: Packet,
    /// The owner the change record named when this was made: whom the first version counts as told.
    pub owner: Option<Person>,
    /// What the packet broke or left unproven under the facts it was made from.
    pub violated: Vec<Mark>,
    /// The facts that the packet was made from. Shared by the copies of a version: a decision makes several.
    pub stands_on: Arc<[Standpoint]>,
    /// Why this slot and not another.
    pub report: Report,
}

/// One fact a version stands on. The difference of two versions' standpoints is the `why` of a notice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Standpoint {
    /// What the fact is about.
    pub subject: Subject,
    /// Who said so.
    pub source: Source,
    /// The epoch of the revision: after a reset a number may come again, for another state.
    #[serde(default, skip_serializing_if = "is_first")]
    pub epoch: u32,
    /// The source's number.
    pub revision: Revision,
}

impl Standpoint {
    /// The standpoint on a fact.
    pub fn of(fact: &Fact) -> Self {
        let Stamp { source, epoch, revision } = fact.stamp();
        Self { subject: fact.subject.clone(), source, epoch, revision }
    }
}
