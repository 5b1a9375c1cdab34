//! A decision as a complete value: everything that must be written together. The committer has no `if` about rules.

use crate::{
    TraceId,
    base::digest::Digest,
    facts::{event::Identity, seat::Seat},
    record::{
        last_notified::LastNotified,
        lineage::{Entry, Happening, Trigger},
        packet::{Standpoint, Version},
        review::{Head, Tip},
        seats::SeatGiven,
    },
};

/// Everything that one decision writes. A store writes all of the parts, or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Written if HEAD's counter is still `head.counter - 1` (if there is no HEAD, where that is zero).
    pub head: Head,
    /// Written once each; must not exist.
    pub versions: Vec<Version>,
    /// Written once; must not exist. `None` where time alone moved HEAD's deadlines and nothing happened.
    pub entry: Option<Entry>,
    /// Written once each; one that exists drops that trigger from the commit.
    pub causes: Vec<Cause>,
    /// Who was told what, where mails were settled: one item a person.
    pub told: Vec<ConfirmedMail>,
    /// A fact that must still be this one, by source and revision: adoption stands on who the owner is.
    pub stands_on: Option<Standpoint>,
    /// What is another of people's places, whole: one entry a person.
    pub seats: Vec<Seat>,
    /// The marks of everybody who gains an authoritative seat.
    pub seats_given: Vec<SeatGiven>,
}

/// A trigger's mark on a review: each counts once, however often it is delivered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cause {
    /// The event that led to the decision.
    pub identity: Identity,
    /// The content's digest where the id was taken by another event.
    pub collision: Option<Digest>,
}

/// A mail that went out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfirmedMail {
    /// What the person counts as told from now on.
    pub told: LastNotified,
    /// The claim it was sent under, released with it.
    pub claimed_by: String,
}

/// Puts a commit together: the counter, the chain's next entry, and the entry's hash in HEAD. Versions, causes, what was
/// told, the fact that must stand and seats are the caller's to add.
pub fn commit(mut head: Head, happenings: Vec<Happening>, trace: Option<TraceId>) -> Commit {
    head.counter += 1;
    let entry = (!happenings.is_empty()).then(|| Entry::after(&head, happenings, trace));
    if let Some(entry) = &entry {
        head.lineage = Tip { sequence: entry.sequence, hash: entry.hash() };
    }
    Commit {
        head,
        versions: Vec::new(),
        entry,
        causes: Vec::new(),
        told: Vec::new(),
        stands_on: None,
        seats: Vec::new(),
        seats_given: Vec::new(),
    }
}

/// The mark that a trigger leaves.
pub fn cause(trigger: &Trigger) -> Cause {
    Cause { identity: trigger.identity.clone(), collision: trigger.collision }
}
