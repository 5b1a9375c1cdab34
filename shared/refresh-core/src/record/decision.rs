//! What was decided, as it is recorded.

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person,
    base::digest::Digest,
    record::{exception::Exception, mark::Mark, report::Report},
};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Issued,
    Unchanged,
    Refreshed,
    Held,
    Escalated,
    Adopted,
    Declined,
    Closed,
}

impl Outcome {
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
    Superseded,
    Withdrawn,
    Expired,
}

/// One decision. Packets are found under their version numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    pub outcome: Outcome,
    pub proposal: Option<Earlier>,
    pub authoritative: u32,
    pub violated: Vec<Mark>,
    pub pending: Option<PendingLine>,
    pub exceptions: Vec<Exception>,
    pub next_check_at: Option<Instant>,
    /// Why nothing was viable, where no version carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingLine {
    pub version: u32,
    pub digest: Digest,
    pub expires_at: Instant,
    pub adopter: Option<Person>,
}
