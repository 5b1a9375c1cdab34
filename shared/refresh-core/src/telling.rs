//! What one person was last told: the other half of "owed is told against now".

use serde::{Deserialize, Serialize};

use crate::{Instant, Person, digest::Digest, instant::Slot, view::View};

/// TOLD: one item a person. `None` in the store means: told what the first version says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Told {
    pub person: Person,
    pub view: View,
    /// The authoritative row they were last told, so that a duty arises only from a changed one.
    pub row: Option<Digest>,
    /// The version HEAD's pending or authoritative packet had, whose facts the next `why` is counted from.
    pub version: u32,
    /// The proposal they were told of, if one was pending in their view.
    pub proposal: Option<Digest>,
    /// Adoptions so far, then: a proposal that is gone was adopted or withdrawn since.
    pub adoptions: u32,
    /// The slot the meeting has in their calendar, by us.
    pub meeting: Option<Slot>,
    /// The slot the hold has in their calendar, by us, and the sequence it was sent with.
    pub hold: Option<(Slot, u32)>,
    pub at: Instant,
}

/// Somebody is about to mail this person. A claim never settled counts as owed: its mail may have gone out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// Who holds it: one invocation.
    pub by: String,
    pub until: Instant,
}
