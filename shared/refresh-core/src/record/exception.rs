//! Exceptions: open escalations, with the reasons that keep them open.

use serde::{Deserialize, Serialize};

use crate::{Instant, Interval, Person, Role, base::instant::Slot};

/// Why people must help.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionKind {
    /// No slot satisfies every rule.
    NoViableSlot,
    /// Something that must be explicit is not known.
    PolicyIncomplete,
    /// Nobody decided on a proposal in time.
    Undecided,
    /// Only declined slots are left.
    DeclinedOnly,
    /// The owner stands by a slot that breaks rules.
    OwnerOverride,
    /// Somebody did not answer in time.
    Unanswered,
    /// Mail to somebody who is required does not arrive.
    Unreachable,
    /// Too many proposals were told.
    Churn,
}

impl ExceptionKind {
    /// The word of the contract.
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
    /// A protected freeze stands in the way.
    FreezeCrossing,
    /// The review window is too narrow.
    OutsideWindow,
    /// The cutover is too near.
    CutoverLead,
    /// Evidence is ready too late, or never.
    BeforeEvidence,
    /// Evidence did not come when expected.
    EvidenceOverdue,
    /// Nobody eligible is free for a role.
    RoleUncovered,
    /// The notice is too short.
    ShortNotice,
    /// One person would fill two roles.
    SharedPerson,
    /// Working hours stand in the way.
    OutsideHours,
    /// A person's time is not known.
    AvailabilityUnknown,
    /// No single rule stands in the way.
    NoCommonSlot,
    // policy_incomplete
    /// Nobody holds a role.
    Holder,
    /// The delegates of a role are not listed.
    Delegates,
    /// No approved change record was seen.
    ChangeRecord,
    /// The change record names no owner.
    Owner,
    /// Nobody may decide in the owner's stead.
    AlternateOwner,
    // undecided
    /// The proposal expired.
    Expired,
    // declined_only
    /// The owner declined the slot.
    Declined,
    // owner_override: the violations that the owner stands by
    /// The slot starts before the evidence allows.
    Evidence,
    /// The slot lies outside the review window.
    Window,
    /// The slot ends too close to the cutover.
    Cutover,
    /// The slot overlaps a protected freeze.
    Freeze,
    /// The slot lies at the edge of a protected freeze.
    FreezeEdge,
    /// The slot lies outside a person's working hours.
    Hours,
    /// A person is busy.
    Busy,
    /// A person may not stand in for all of the slot.
    Delegate,
    /// Nobody eligible covers a role.
    Uncovered,
    /// The policy excludes a person from a role.
    Excluded,
    /// A person fills two roles.
    Shared,
    /// The change is closed or cancelled.
    Cancelled,
    // the rest
    /// A person did not answer.
    Unanswered,
    /// A person's mail came back.
    Bounced,
    /// A person reported a mail as unwanted.
    Complained,
    /// The mailer refused a mail to a person.
    Rejected,
    /// A mail to a person could not be made.
    Unmailable,
    /// More proposals were told than the policy allows.
    TooManyProposals,
}

impl Rule {
    /// The word of the contract.
    pub fn word(self) -> String {
        serde_json::to_value(self).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// An open escalation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exception {
    /// Why people must help.
    pub kind: ExceptionKind,
    /// Since when.
    pub opened_at: Instant,
    /// The reasons that keep the exception open.
    pub reasons: Vec<Reason>,
}

/// One reason of an exception.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// The rule that the reason is about.
    pub rule: Rule,
    /// The role that the reason is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The person that the reason is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// The slot that the reason is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// By how many minutes the nearest slot misses the rule.
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
    /// A reason of a rule, without further data.
    pub const fn new(rule: Rule) -> Self {
        Self { rule, role: None, person: None, slot: None, missed_by_minutes: None, gap: None, last_cover: None }
    }

    /// The reason, about this role.
    pub fn role(mut self, role: &Role) -> Self {
        self.role = Some(role.clone());
        self
    }

    /// The reason, about this person.
    pub fn person(mut self, person: &Person) -> Self {
        self.person = Some(person.clone());
        self
    }

    /// The reason, about this slot.
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
