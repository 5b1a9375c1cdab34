//! Does the judge judge? A corpus of seeded bugs, none of which is in the product: each falsifies what a worker sends or
//! reads at the SDK's own port, or what it is configured with, and the audit has to find it.
//!
//! A bug is looked for in schedules of growing seeds. `HOLDPOINT_BUG=<name>` plays one alone and tells how it was found;
//! `HOLDPOINT_SEED=1` looks from there on for all of them.

pub mod forge;
mod heard;
mod reading;
mod seats;
mod settings;
mod telling;
mod writing;

use holdpoint::engine::Functions;
use serde_json::Value;

use crate::{World, seam::Call};

/// What goes over the wire instead of a call.
pub struct Falsified {
    /// Each with its operation; none: the call is swallowed.
    pub requests: Vec<Call>,
    /// Instead of the service's own answer.
    pub answer: Option<Value>,
}

impl Falsified {
    pub fn not(call: &Call) -> Self {
        Self { requests: vec![call.clone()], answer: None }
    }

    pub fn with(operation: &str, body: Value) -> Self {
        Self { requests: vec![Call { operation: operation.to_owned(), body }], answer: None }
    }

    pub const fn swallowed(answer: Value) -> Self {
        Self { requests: Vec::new(), answer: Some(answer) }
    }
}

/// What a worker remembers that it should not.
pub type Memory = Vec<(String, Value)>;

/// One bug.
#[derive(Clone, Copy)]
pub struct Bug {
    pub name: &'static str,
    /// What it imitates.
    pub imitates: &'static str,
    /// The first seed that found it when it was made: where looking for it begins, to save time and for nothing else.
    pub near: u64,
    /// In which worlds the bug shows.
    pub world: World,
    pub sabotage: Sabotage,
}

#[derive(Clone, Copy)]
pub enum Sabotage {
    /// Falsifies what is sent.
    Sent(fn(&Call, &mut Memory) -> Falsified),
    /// Falsifies what is answered; `None`: not this answer.
    Answered(fn(&Call, &Value, &mut Memory) -> Option<Value>),
    /// Falsifies both.
    Both(fn(&Call, &mut Memory) -> Falsified, fn(&Call, &Value, &mut Memory) -> Option<Value>),
    /// Falsifies what the functions are configured with.
    Configured(fn(Functions) -> Functions),
}

impl Bug {
    /// Whether a violation is the one by which this bug must be found.
    pub fn is_said(&self, violation: &str) -> bool {
        SAID.iter().all(|(name, words)| *name != self.name || violation.contains(words))
    }

    pub fn sent(&self, call: &Call, memory: &mut Memory) -> Falsified {
        match self.sabotage {
            Sabotage::Sent(falsify) | Sabotage::Both(falsify, _) => falsify(call, memory),
            _ => Falsified::not(call),
        }
    }

    pub fn answered(&self, call: &Call, answer: &Value, memory: &mut Memory) -> Option<Value> {
        match self.sabotage {
            Sabotage::Answered(falsify) | Sabotage::Both(_, falsify) => falsify(call, answer, memory),
            _ => None,
        }
    }

    pub fn configured(&self, functions: Functions) -> Functions {
        match self.sabotage {
            Sabotage::Configured(falsify) => falsify(functions),
            _ => functions,
        }
    }
}

/// All of them.
pub fn corpus() -> Vec<Bug> {
    let bug = |world: World| move |(name, imitates, near, sabotage): Row| Bug { name, imitates, near, world, sabotage };
    let alone = [writing::BUGS, telling::BUGS, reading::BUGS, settings::BUGS]
        .into_iter()
        .flatten()
        .copied()
        .map(bug(World::Alone));
    let shared = seats::BUGS.iter().copied().map(bug(World::Shared));
    let contested = seats::OF_ONE_HOUR.iter().copied().map(bug(World::Contested));
    alone.chain(shared).chain(contested).chain(heard::BUGS.iter().copied().map(bug(World::Heard))).collect()
}

/// What must be said of these: found by the sentence that forbids them, and not by what else goes wrong then.
const SAID: [(&str, &str); 10] = [
    ("forged_reply_counts", "by mail, and never said so"),
    ("polled_answer_lost", "the system says"),
    ("future_is_taken", "minutes after it came, and counts"),
    ("no_time_to_decide", "leaves too little time to decide"),
    ("deadline_at_night", "it expires at"),
    ("last_reminder_forgotten", "was never reminded"),
    ("last_reminder_again", "was reminded again"),
    ("younger_claim_wins", "violated are"),
    ("one_seat_read", "; marked are"),
    ("no_condition_on_seats", "was adopted into"),
];

/// Name, what it imitates, a seed that finds it, how.
type Row = (&'static str, &'static str, u64, Sabotage);
