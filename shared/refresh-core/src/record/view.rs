//! What one person must know of a review now. One mechanism for audience, delta, answer validity and carry-forward.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, Instant, Interval, Person, Role, Source,
    base::{digest::Digest, fingerprint::RowFingerprint, instant::Slot},
    record::{exception::ExceptionKind, mark::Mark, proposal::OperatorLine, reason_word::ReasonWord},
};

/// A person is affected exactly when this changed. Empty: nothing concerns them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct View {
    /// The slot, as shown to this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// The roles that the person fills.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// Whether the seat is authoritative or proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Seating>,
    /// Whether what the person sees of the whole packet is a proposal's. Once it is adopted as it stands, this alone differs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proposed: bool,
    /// What becomes of the person's attendance, where that is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendance: Option<Attendance>,
    /// The proposal this person must decide: one that went and came back is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decides: Option<Digest>,
    /// The proposal that expired undecided and that this person may ask for again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks_again: Option<Digest>,
    /// Who fills which role. For readers who see the whole review.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roster: BTreeMap<Role, Person>,
    /// When each checkpoint is ready. For readers who see the whole review.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checkpoints: BTreeMap<Checkpoint, Option<Instant>>,
    /// The review window. For readers who see the whole review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Interval>,
    /// The cutover. For readers who see the whole review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutover: Option<Interval>,
    /// Whether the slot lies at the edge of a freeze. For readers who see the whole review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze_edge: Option<bool>,
    /// What the authoritative slot breaks, and what is remarked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violated: Vec<Mark>,
    /// Whether the person hears of exceptions without seeing the whole review: an escalation contact. What an earlier
    /// release stored does not say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contact: bool,
    /// The exceptions that the person hears of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ExceptionLine>,
    /// Who answered `conflict` to their seat in the meeting that counts, by role. An earlier release kept here what was
    /// answered to a proposal as well.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conflicts: BTreeMap<Role, Person>,
    /// Who answered `conflict` to the seat that is proposed, by role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conflicts_proposed: BTreeMap<Role, Person>,
    /// What an operator decided in the owner's place, last. For whoever hears of exceptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<OperatorLine>,
}

impl View {
    /// Whether exceptions are in the view at all, open ones or not.
    pub const fn hears_exceptions(&self) -> bool {
        self.freeze_edge.is_some() || self.contact || !self.exceptions.is_empty()
    }

    /// Everybody whom the view names.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        let rules = self.exceptions.iter().flat_map(|line| &line.rules).filter_map(|rule| rule.person.as_ref());
        let marks = self.violated.iter().filter_map(Mark::person);
        self.roster.values().chain(self.conflicts.values()).chain(rules).chain(marks)
    }
}

/// Whether a seat is the authoritative packet's or a proposal's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seating {
    /// The seat is a proposal's.
    Tentative,
    /// The seat counts.
    Authoritative,
}

/// What becomes of a person's attendance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attendance {
    /// A proposal would replace them; until then they are expected.
    WouldBeReleased,
    /// The person has no seat any more.
    Released,
    /// Cancelling the review is proposed.
    Cancellation,
}

/// An exception in a view: its kind and its rules with role and person, nothing else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ExceptionLine {
    /// The kind of exception.
    pub kind: ExceptionKind,
    /// The rules, each once.
    pub rules: Vec<RuleLine>,
}

/// A rule of an exception, with whom the rule is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RuleLine {
    /// The rule, by the contract's word.
    pub rule: ReasonWord,
    /// The role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// The source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The parts of the subject, joined by `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl RuleLine {
    /// A rule about nobody and nothing in particular.
    pub const fn new(rule: ReasonWord) -> Self {
        Self { rule, role: None, person: None, source: None, subject: None }
    }
}

/// A required attendee's row: what an answer is to. It carries forward exactly as long as this is the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The slot.
    pub slot: Slot,
    /// The roles.
    pub roles: BTreeSet<Role>,
    /// Whether the seat is authoritative or proposed.
    pub standing: Seating,
}

impl Row {
    /// What an answer names.
    pub fn digest(&self) -> Digest {
        Digest::of("row", self)
    }

    /// What a link names the row by.
    pub fn fingerprint(&self) -> RowFingerprint {
        RowFingerprint::of_digest(&self.digest())
    }
}
