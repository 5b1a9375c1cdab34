//! Exceptions: open escalations, with the reasons that keep them open.

use serde::{Deserialize, Serialize};

use crate::{Instant, Interval, Person, Role, base::instant::Slot};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionKind {
    NoViableSlot,
    PolicyIncomplete,
    Undecided,
    DeclinedOnly,
    OwnerOverride,
    Unanswered,
    Unreachable,
    Churn,
}

impl ExceptionKind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoViableSlot => "no_viable_slot",
            Self::PolicyIncomplete => "policy_incomplete",
            Self::Undecided => "undecided",
            Self::DeclinedOnly => "declined_only",
            Self::OwnerOverride => "owner_override",
            Self::Unanswered => "unanswered",
            Self::Unreachable => "unreachable",
            Self::Churn => "churn",
        }
    }
}

/// Why an exception is open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    // no_viable_slot: the waiver of this rule alone would give a slot
    FreezeCrossing,
    OutsideWindow,
    CutoverLead,
    BeforeEvidence,
    EvidenceOverdue,
    RoleUncovered,
    ShortNotice,
    SharedPerson,
    OutsideHours,
    AvailabilityUnknown,
    NoCommonSlot,
    // policy_incomplete
    Holder,
    Delegates,
    ChangeRecord,
    AlternateOwner,
    // undecided
    Expired,
    // declined_only
    Declined,
    // owner_override: the violations that the owner stands by
    Evidence,
    Window,
    Cutover,
    Freeze,
    FreezeEdge,
    Hours,
    Busy,
    Delegate,
    Uncovered,
    Excluded,
    Shared,
    Cancelled,
    // the rest
    Unanswered,
    Bounced,
    Complained,
    Rejected,
    TooManyProposals,
}

impl Rule {
    /// The word of the contract.
    pub fn word(self) -> String {
        serde_json::to_value(self).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exception {
    pub kind: ExceptionKind,
    pub opened_at: Instant,
    pub reasons: Vec<Reason>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    pub rule: Rule,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_by_minutes: Option<i64>,
    /// When nobody known covers the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Interval>,
    /// Who covered it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_cover: Option<Person>,
}

impl Reason {
    pub const fn new(rule: Rule) -> Self {
        Self { rule, role: None, person: None, slot: None, missed_by_minutes: None, gap: None, last_cover: None }
    }

    pub fn role(mut self, role: &Role) -> Self {
        self.role = Some(role.clone());
        self
    }

    pub fn person(mut self, person: &Person) -> Self {
        self.person = Some(person.clone());
        self
    }

    pub const fn slot(mut self, slot: Slot) -> Self {
        self.slot = Some(slot);
        self
    }

    /// What counts as the same reason: nearest slots and misses are shown as of the telling and are no difference.
    pub fn identity(&self) -> (Rule, Option<&Role>, Option<&Person>) {
        (self.rule, self.role.as_ref(), self.person.as_ref())
    }
}

impl Exception {
    /// Kind and rules alike; nearest slots and misses do not count.
    pub fn same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.reasons.len() == other.reasons.len()
            && self.reasons.iter().zip(&other.reasons).all(|(a, b)| a.identity() == b.identity())
    }
}
