//! What a native payload came to, put together by its translator.

use std::fmt;

use refresh_core::Source;
use serde_json::Value;

use crate::fault::Fault;

/// What a native payload came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Translation {
    /// Structured CloudEvents of the contract.
    pub events: Vec<Value>,
    /// Why parts of the payload became no event, one line each.
    pub skipped: Vec<SkippedPart>,
    /// Records that are bad, where others of the same payload are good and taken.
    pub refused: Vec<RefusedPart>,
    /// Sources that should be asked before their next turn: the payload says that something changed, and not what.
    pub hints: Vec<Source>,
}

/// Why a part of a payload became no event: names of things, never their content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SkippedPart {
    /// The reason, on one line.
    pub why: String,
    /// Whether the reason is that the policy binds nothing to the part; else the part says nothing that is a fact.
    pub unbound: bool,
}

impl SkippedPart {
    /// A part that says nothing that is a fact.
    pub fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), unbound: false }
    }
}

impl fmt::Display for SkippedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// A bad record of a payload whose records stand each for itself.
#[derive(Clone, PartialEq, Debug)]
pub struct RefusedPart {
    /// The payload with this record alone. `None`: the record cannot be cut out; the whole payload stands for it.
    pub body: Option<Value>,
    /// Never empty.
    pub faults: Vec<Fault>,
}
