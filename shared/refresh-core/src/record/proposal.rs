//! What waits for the owner, and what became of what waited before.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person, Role,
    base::{digest::Digest, fingerprint::ProposalFingerprint, instant::Slot},
    facts::revision::Stamp,
    record::{
        mark::Violation,
        packet::{Choice, Version},
    },
};

/// How many past proposals are remembered by name; an older link is answered `superseded`.
pub const MOST_PAST_PROPOSALS: usize = 24;

/// The proposal that waits for the owner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The version that carries it now.
    pub version: u32,
    /// The version that first made it: with the digest, what a proposal is known by.
    pub first_version: u32,
    /// The digest of what needs the owner.
    pub digest: Digest,
    /// When the proposal was first made.
    pub made_at: Instant,
    /// The deadline. At that instant the proposal is over.
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
    /// When the page of an earlier proposal last asked for this one's link, for the present adopter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkAsked>,
}

/// The link of a proposal was asked for, to be mailed to whoever decides.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkAsked {
    /// When.
    pub at: Instant,
    /// Whether a mail with the link is out since.
    pub sent: bool,
}

/// Since when somebody is asked to decide.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// When that person was first told.
    pub at: Instant,
    /// How many reminders followed.
    pub reminded: u32,
    /// Whether the one before the expiry is out, or was not needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reminded_last: bool,
}

impl Pending {
    /// Whether anybody was told of its slot with its attendees: then it is not improved while it is good.
    pub const fn is_told(&self) -> bool {
        self.told_at.is_some() || self.seats_told
    }

    /// What the proposal is known by.
    pub fn id(&self) -> Digest {
        proposal_id(&self.digest, self.first_version)
    }

    /// What a link names the proposal by.
    pub fn fingerprint(&self) -> ProposalFingerprint {
        ProposalFingerprint::of_digest(&self.id())
    }
}

/// A proposal that expired undecided. While the choice stays the same, the proposal is not made again by itself.
/// People ask for it through its own link. The page of an earlier proposal cannot reopen this one, though both may say
/// the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Undecided {
    /// What its links name: [`Pending::id`].
    pub proposal: Digest,
    /// What the choice is compared by: [`crate::record::packet::Packet::proposal_digest`].
    pub digest: Digest,
    /// When it stops being the choice by time alone: just after it leaves too little notice.
    pub until: Option<Instant>,
    /// Who was to decide, and did not. `None`: nobody might, or an earlier release wrote this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopter: Option<Person>,
    /// What was proposed: the choice while it is viable, though something else may have become better. `None`: an earlier
    /// release left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Choice>,
}

/// A proposal is known by its digest and the version that first made it.
pub fn proposal_id(digest: &Digest, first_version: u32) -> Digest {
    Digest::of("proposal-id", &(digest, first_version))
}

/// A choice that the owner declined.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Declined {
    /// The slot.
    pub slot: Slot,
    /// `None`: that slot whoever attends. Otherwise that slot with those attendees alone.
    pub attendees: Option<BTreeMap<Role, Person>>,
    /// The freeze edge of the authoritative slot itself was declined.
    pub freeze_edge: bool,
}

/// What the owner accepted for the present slot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StandsBy {
    /// The rules that the slot broke then.
    pub violated: BTreeSet<Violation>,
    /// Whether the slot lay at the edge of a freeze then.
    pub freeze_edge: bool,
}

/// What an operator did in the owner's place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OperatorRecord {
    /// The newest decision of an operator that was looked at: each counts once.
    pub seen: Stamp,
    /// The last one that decided a proposal, as people are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<OperatorLine>,
}

/// A decision in the owner's place, as people are told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OperatorLine {
    /// The operator.
    pub by: Person,
    /// What became of the proposal.
    pub fate: Fate,
    /// Why, in the operator's words.
    pub reason: String,
}

/// What became of an earlier proposal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PastProposal {
    /// What the proposal was known by.
    pub id: Digest,
    /// How the proposal ended.
    pub fate: Fate,
    /// Who decided, where somebody did.
    pub by: Option<Person>,
    /// When the proposal ended.
    pub at: Instant,
    /// The version that first made the proposal; zero where an older release wrote this.
    #[serde(default)]
    pub first_version: u32,
    /// The last version that carried the proposal.
    #[serde(default)]
    pub version: u32,
    /// Whether it was withdrawn since coordination of the review ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_closing: bool,
}

impl PastProposal {
    /// What a link names the proposal by.
    pub fn fingerprint(&self) -> ProposalFingerprint {
        ProposalFingerprint::of_digest(&self.id)
    }
}

/// How a proposal ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The owner adopted the proposal.
    Adopted,
    /// The owner declined and asked for another slot.
    DeclinedOtherSlot,
    /// The owner declined and stands by the present slot.
    DeclinedStand,
    /// Another proposal took its place.
    Superseded,
    /// The proposal was no longer needed.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

/// A proposal, whole. HEAD holds the part that changes, since lists of reviews read HEAD alone; a version holds the packet.
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'a> {
    /// Deadline, adopter, and who was asked.
    pub pending: &'a Pending,
    /// The packet, and what the packet stands on.
    pub version: &'a Version,
}
