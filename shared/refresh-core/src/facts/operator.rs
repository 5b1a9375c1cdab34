//! What an operator says of a review: a decision in its owner's place, and that somebody is to be mailed once more.

use serde::{Deserialize, Serialize};

use crate::Person;

/// An operator's decision about one proposal, in its owner's place: for the night in which the owner's mail does not
/// arrive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OperatorDecision {
    /// A version of the proposal.
    pub version: u32,
    /// What was decided.
    pub decision: OperatorChoice,
    /// The operator.
    pub by: Person,
    /// Why, in the operator's words.
    pub reason: String,
}

/// What can be decided about a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorChoice {
    /// The proposal becomes authoritative.
    Adopt,
    /// Another slot is looked for.
    DeclineOtherSlot,
    /// The present slot stands.
    DeclineStand,
}

/// An operator asks that somebody is mailed once more. It is no fact: it moves nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResendRequest {
    /// Whom the mail is for.
    pub person: Person,
    /// The operator.
    pub by: Person,
    /// Why, in the operator's words.
    pub reason: String,
}
