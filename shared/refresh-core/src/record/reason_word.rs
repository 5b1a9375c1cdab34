//! The contract's words for the reasons of exceptions.

use serde::{Deserialize, Serialize};

use crate::record::{delivery::Undeliverable, mark::Violation, rule::SlotRule};

/// The contract's word for a reason, in the order in which people are told the reasons of one exception.
///
/// A rule of a slot has two words here: one for its waiver, and one for an owner who stands by the broken rule. Inside,
/// both are one [`SlotRule`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonWord {
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
    /// A person sits in another review.
    Booked,
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
    /// Nothing was heard of a source for longer than the source promised.
    Silent,
    /// A freeze calendar of the policy was never reported.
    NeverReported,
    /// More proposals were told than the policy allows.
    TooManyProposals,
}

impl ReasonWord {
    /// The word of the contract.
    pub fn word(self) -> String {
        serde_json::to_value(self).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

impl ReasonWord {
    /// The word for the waiver of a rule. A rule that nobody can waive has no word of its own.
    pub const fn of_waiver(rule: SlotRule) -> Self {
        match rule {
            SlotRule::Freeze => Self::FreezeCrossing,
            SlotRule::Window => Self::OutsideWindow,
            SlotRule::Cutover => Self::CutoverLead,
            SlotRule::Evidence | SlotRule::Unready => Self::BeforeEvidence,
            SlotRule::Overdue => Self::EvidenceOverdue,
            SlotRule::Uncovered => Self::RoleUncovered,
            SlotRule::Notice => Self::ShortNotice,
            SlotRule::Shared => Self::SharedPerson,
            SlotRule::Hours => Self::OutsideHours,
            SlotRule::Unknown => Self::AvailabilityUnknown,
            SlotRule::Busy
            | SlotRule::Delegate
            | SlotRule::Excluded
            | SlotRule::Booked
            | SlotRule::Cancelled
            | SlotRule::Declined => Self::NoCommonSlot,
        }
    }

    /// The word for a violation that the owner stands by: that of the violation, without the person.
    pub const fn of_violation(violation: &Violation) -> Self {
        match violation {
            Violation::Evidence => Self::Evidence,
            Violation::Window => Self::Window,
            Violation::Cutover => Self::Cutover,
            Violation::Freeze => Self::Freeze,
            Violation::Hours(_) => Self::Hours,
            Violation::Busy(_) => Self::Busy,
            Violation::Delegate(_) => Self::Delegate,
            Violation::Uncovered(_) => Self::Uncovered,
            Violation::Excluded(_) => Self::Excluded,
            Violation::Shared(_) => Self::Shared,
            Violation::Booked(_) => Self::Booked,
            Violation::Cancelled => Self::Cancelled,
        }
    }

    /// The word for mail that does not arrive.
    pub const fn of_undeliverable(why: Undeliverable) -> Self {
        match why {
            Undeliverable::Unmailable => Self::Unmailable,
            Undeliverable::Rejected => Self::Rejected,
            Undeliverable::Bounced => Self::Bounced,
            Undeliverable::Complained => Self::Complained,
        }
    }
}
