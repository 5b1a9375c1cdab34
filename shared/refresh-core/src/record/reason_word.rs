//! The contract's words for the reasons of exceptions.

use serde::{Deserialize, Serialize};

/// The contract's word for a reason, in the order in which people are told the reasons of one exception.
///
/// A rule of a slot has two words here: one for its waiver, and one for an owner who stands by the broken rule. Inside,
/// both are one [`SlotRule`](crate::record::rule::SlotRule).
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
