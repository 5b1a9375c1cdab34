//! The packet: the coordination state of a review at one numbered version. Immutable once written.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, Instant, Interval, Person, Role, Source,
    base::{digest::Digest, instant::Slot},
    facts::{
        fact::{Fact, Revision},
        subject::Subject,
    },
    record::{mark::Mark, report::Report},
};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Packet {
    pub slot: Slot,
    pub attendees: BTreeMap<Role, Person>,
    /// When each required checkpoint is ready; `None` where nothing says so.
    pub checkpoints: BTreeMap<Checkpoint, Option<Instant>>,
    pub window: Option<Interval>,
    pub cutover: Option<Interval>,
    pub freeze_edge: bool,
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

    pub fn same_seats(&self, other: &Self) -> bool {
        self.slot == other.slot && self.attendees == other.attendees
    }

    /// Roles a person sits in: one, unless the policy lets people share.
    pub fn roles_of<'a>(&'a self, person: &'a Person) -> impl Iterator<Item = &'a Role> {
        self.attendees.iter().filter(move |(_, attendee)| *attendee == person).map(|(role, _)| role)
    }

    pub fn people(&self) -> BTreeSet<&Person> {
        self.attendees.values().collect()
    }
}

/// A minted packet with its number, its parent and what it stands on. Written once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Version {
    pub number: u32,
    pub made_at: Instant,
    /// The version that was authoritative when this one was made; `None` for the issued one.
    pub parent: Option<u32>,
    pub packet: Packet,
    /// The owner the change record named when this was made: whom the first version counts as told.
    pub owner: Option<Person>,
    /// What the packet broke or left unproven under the facts it was made from.
    pub violated: Vec<Mark>,
    pub stands_on: Vec<Standpoint>,
    pub report: Report,
}

/// One fact a version stands on. The difference of two versions' standpoints is the `why` of a notice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Standpoint {
    pub subject: Subject,
    pub source: Source,
    pub revision: Revision,
}

impl Standpoint {
    pub fn of(fact: &Fact) -> Self {
        Self { subject: fact.subject.clone(), source: fact.source.clone(), revision: fact.revision }
    }
}
