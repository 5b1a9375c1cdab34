//! The order of facts: revisions compare only within one source.

use serde::{Deserialize, Serialize};

use crate::{Instant, Person, Source};

/// After so many events of a subject that were all `stale_revision`, operators are told. A wrong revision (a stamp in
/// nanoseconds) would otherwise silence the subject for ever, unseen.
pub const SILENCED_AFTER: u32 = 5;

/// The source's own monotonic number for one subject. Compared only within one source.
pub type Revision = u64;

/// A fact's place in the order of its own source. A revision says nothing without its source, so two facts are compared
/// by their stamps. Stamps of the same fact are equal, stamps of one source have an order, and stamps of two sources
/// have none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// Who counts.
    pub source: Source,
    /// How often the order of revisions began anew: revisions compare only within one epoch.
    #[serde(default, skip_serializing_if = "is_first")]
    pub epoch: u32,
    /// The source's number.
    pub revision: Revision,
}

/// Of epochs: revisions have been in order from the first fact on, as those of nearly every subject.
pub(crate) const fn is_first(epoch: &u32) -> bool {
    *epoch == 0
}

impl PartialOrd for Stamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self.source == other.source).then(|| (self.epoch, self.revision).cmp(&(other.epoch, other.revision)))
    }
}

/// What became of the order of a subject's revisions beside the newest one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RevisionOrder {
    /// How often the order began anew, by a reset or by another source.
    #[serde(default)]
    pub epoch: u32,
    /// How often this very fact was written again, for one of the members below. The store's condition needs the number.
    #[serde(default)]
    pub rewrites: u32,
    /// Events since this fact was accepted that were all `stale_revision`; counted up to [`SILENCED_AFTER`].
    #[serde(default)]
    pub stale: u32,
    /// An operator's reset that waits for the holder's next fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<OpenReset>,
    /// When the source last said the very same once more, where its registration promises to be heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Instant>,
}

impl RevisionOrder {
    /// Whether nothing happened but newer revisions.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether operators must look: the last events of the subject were all `stale_revision`.
    pub const fn is_silenced(&self) -> bool {
        self.stale >= SILENCED_AFTER
    }
}

/// An operator's reset of a subject, until the holder's next fact uses the reset up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenReset {
    /// The operator.
    pub by: Person,
    /// Why, in the operator's words.
    pub reason: String,
    /// When the reset was accepted.
    pub at: Instant,
}
