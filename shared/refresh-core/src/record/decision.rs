//! What was decided, as it is recorded.

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person,
    base::digest::Digest,
    record::{exception::Exception, mark::Mark, report::Report},
};

/// What a decision came to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The review was handed over.
    Issued,
    /// The packet, and what is proposed, stayed as before.
    Unchanged,
    /// The packet got newer content with the same slot and attendees.
    Refreshed,
    /// A proposal waits for the owner.
    Held,
    /// Nothing could be proposed; an exception is open.
    Escalated,
    /// The owner adopted the proposal.
    Adopted,
    /// The owner declined the proposal.
    Declined,
    /// The review was closed.
    Closed,
}

impl Outcome {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Unchanged => "unchanged",
            Self::Refreshed => "refreshed",
            Self::Held => "held",
            Self::Escalated => "escalated",
            Self::Adopted => "adopted",
            Self::Declined => "declined",
            Self::Closed => "closed",
        }
    }
}

/// What became of an earlier proposal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Earlier {
    /// Another proposal took its place.
    Superseded,
    /// The proposal was no longer needed.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

/// One decision. Packets are found under their version numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// What the decision came to.
    pub outcome: Outcome,
    /// What became of the proposal before, if one ended.
    pub proposal: Option<Earlier>,
    /// The number of the version that counts.
    pub authoritative: u32,
    /// What the authoritative packet breaks, and what is remarked.
    pub violated: Vec<Mark>,
    /// The proposal that waits now.
    pub pending: Option<PendingLine>,
    /// The exceptions that are open now.
    pub exceptions: Vec<Exception>,
    /// When time alone could change the answer.
    pub next_check_at: Option<Instant>,
    /// Why nothing was viable, where no version carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// A waiting proposal, as a decision records the proposal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingLine {
    /// The version that carries the proposal.
    pub version: u32,
    /// The digest of what needs the owner.
    pub digest: Digest,
    /// The deadline.
    pub expires_at: Instant,
    /// Who may decide; `None` where nobody may.
    pub adopter: Option<Person>,
}
