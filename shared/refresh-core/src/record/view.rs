//! What one person must know of a review now. One mechanism for audience, delta, answer validity and carry-forward.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, Instant, Interval, Person, Role,
    base::{digest::Digest, instant::Slot},
    record::{
        exception::{ExceptionKind, Rule},
        mark::Mark,
    },
};

/// A person is affected exactly when this changed. Empty: nothing concerns them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct View {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Seating>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendance: Option<Attendance>,
    /// The proposal this person must decide: one that went and came back is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decides: Option<Digest>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roster: BTreeMap<Role, Person>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checkpoints: BTreeMap<Checkpoint, Option<Instant>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Interval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutover: Option<Interval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze_edge: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violated: Vec<Mark>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ExceptionLine>,
    /// Who answered `conflict`, by role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conflicts: BTreeMap<Role, Person>,
}

/// Whether a seat is the authoritative packet's or a proposal's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seating {
    Tentative,
    Authoritative,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attendance {
    /// A proposal would replace them; until then they are expected.
    WouldBeReleased,
    Released,
    /// Cancelling the review is proposed.
    Cancellation,
}

/// An exception in a view: its kind and its rules with role and person, nothing else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ExceptionLine {
    pub kind: ExceptionKind,
    pub rules: Vec<RuleLine>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RuleLine {
    pub rule: Rule,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
}

/// A required attendee's row: what an answer is to. It carries forward exactly as long as this is the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    pub slot: Slot,
    pub roles: BTreeSet<Role>,
    pub standing: Seating,
}

impl Row {
    pub fn digest(&self) -> Digest {
        Digest::of("row", self)
    }
}
