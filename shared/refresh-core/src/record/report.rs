//! Why this slot and not another: each candidate considered, with every reason against it, in runs.

use serde::{Deserialize, Serialize};

use crate::{Instant, Person, Role};

/// How many runs are kept with a version; beyond, the farthest from the authoritative start are left out.
pub const MOST_RUNS: usize = 64;

/// Neighbouring starts with the same reasons share a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    pub runs: Vec<Run>,
    /// Candidate starts considered in all.
    pub considered: u32,
    /// Runs left out for size.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// First and last start of the run, both included.
    pub first: Instant,
    pub last: Instant,
    /// Empty: viable.
    pub against: Vec<Against>,
}

/// One reason against a start.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    BeforeEvidence,
    NoEvidence,
    OutsideWindow,
    CutoverLead,
    ShortNotice,
    Freeze,
    Declined,
    /// Nobody eligible is free for the role; who is busy, unknown or out of hours follows.
    Role {
        role: Role,
        people: Vec<Candidate>,
    },
    /// Each role could be filled, but not by distinct people.
    Shared,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Candidate {
    pub person: Person,
    pub because: Because,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    Busy,
    Unknown,
    Hours,
    NotValid,
}
