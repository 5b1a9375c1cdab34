//! What one person must know of a review now. One mechanism for audience, delta, answer validity and carry-forward.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize, de};

use crate::{
    Checkpoint, Instant, Interval, Person, Role, digest::Digest, exception::ExceptionKind, exception::Rule,
    instant::Slot, violation::Mark,
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
    /// The proposal this person must decide.
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

impl View {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The member of a view that differs, by its name in the contract.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Field {
    Attendance,
    Slot,
    Role,
    Standing,
    Duty,
    Roster(Role),
    Checkpoint(Checkpoint),
    Window,
    Cutover,
    FreezeEdge,
    Violated,
    Exception,
    Conflict(Role),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attendance => f.write_str("attendance"),
            Self::Slot => f.write_str("slot"),
            Self::Role => f.write_str("role"),
            Self::Standing => f.write_str("standing"),
            Self::Duty => f.write_str("duty"),
            Self::Roster(role) => write!(f, "roster.{role}"),
            Self::Checkpoint(key) => write!(f, "checkpoint.{key}"),
            Self::Window => f.write_str("window"),
            Self::Cutover => f.write_str("cutover"),
            Self::FreezeEdge => f.write_str("freeze_edge"),
            Self::Violated => f.write_str("violated"),
            Self::Exception => f.write_str("exception"),
            Self::Conflict(role) => write!(f, "conflict.{role}"),
        }
    }
}

impl std::str::FromStr for Field {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.split_once('.') {
            Some(("roster", role)) => Self::Roster(Role::parse(role)?),
            Some(("checkpoint", key)) => Self::Checkpoint(Checkpoint::parse(key)?),
            Some(("conflict", role)) => Self::Conflict(Role::parse(role)?),
            _ => match text {
                "attendance" => Self::Attendance,
                "slot" => Self::Slot,
                "role" => Self::Role,
                "standing" => Self::Standing,
                "duty" => Self::Duty,
                "window" => Self::Window,
                "cutover" => Self::Cutover,
                "freeze_edge" => Self::FreezeEdge,
                "violated" => Self::Violated,
                "exception" => Self::Exception,
                _ => return Err(format!("a field of a view; found {text:?}")),
            },
        })
    }
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// One difference of two views.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    pub field: Field,
    pub was: Option<Value>,
    pub now: Option<Value>,
}

/// What a field holds. Untagged: the JSON of the contract.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Flag(bool),
    Interval(Interval),
    Duty(DutyLine),
    Marks(Vec<Mark>),
    Exceptions(Vec<ExceptionLine>),
    Instant(Instant),
    Seating(Seating),
    Attendance(Attendance),
    Text(String),
}

/// What the reader must do, and by when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DutyLine {
    pub action: DutyAction,
    pub by: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyAction {
    Decide,
    Answer,
}
