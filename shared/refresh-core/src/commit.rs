//! A decision as a complete value: everything that must be written together. The committer has no `if` about rules.

use crate::{
    digest::Digest,
    event::Identity,
    fact::{Revision, Subject},
    lineage::Entry,
    packet::Version,
    review::Head,
    telling::Told,
};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Written if HEAD's counter is still `head.counter - 1` (if there is no HEAD, where that is zero).
    pub head: Head,
    /// Written once each; must not exist.
    pub versions: Vec<Version>,
    /// Written once; must not exist. `None` where time alone moved HEAD's clockwork and nothing happened.
    pub entry: Option<Entry>,
    /// Written once each; one that exists drops that trigger from the commit.
    pub causes: Vec<Cause>,
    /// Who was told what, where a mail was settled.
    pub told: Option<Settled>,
    /// A fact that must still have this revision: adoption stands on who the owner is.
    pub stands_on: Option<(Subject, Revision)>,
}

/// A trigger's mark on a review: each counts once, however often it is delivered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cause {
    pub identity: Identity,
    /// The content's digest where the id was taken by another event.
    pub collision: Option<Digest>,
}

/// A mail that went out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settled {
    pub told: Told,
    /// The claim it was sent under, released with it.
    pub claimed_by: String,
}
