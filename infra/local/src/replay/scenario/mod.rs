//! The scenario format: JSON Lines, one instant and at most one action a line.

mod actions;
mod reader;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use reader::Reader;
use refresh_core::{Instant, Person, ReviewId};
use serde_json::{Map, Value};

use super::mailed::ReplyByMail;

/// A recorded history.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    pub lines: Vec<Line>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// From 1, as an editor counts.
    pub number: usize,
    pub at: Instant,
    pub action: Option<Action>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// An event, as it goes on the queue. Whether it is a good one is the product's to say.
    Send(Value),
    /// A source system's own payload, to be translated at the door.
    SendNative(Native),
    /// A webhook, as the door of its binding gets it; who sent it was proven when the history was recorded.
    Hook(RecordedHook),
    /// A question to a system that is polled, with what the system answered.
    Poll(RecordedPoll),
    Adopt(Visit),
    Decline(Visit, Then),
    Acknowledge(Visit, Answer),
    Open(Visit, Link),
    /// An owner asks for the expired proposal of their link again.
    AskAgain(Visit),
    /// The page of a superseded proposal is asked for the present link.
    SendLink(Visit),
    /// A calendar's button: the invitation is answered by mail.
    Reply(ReplyByMail),
}

#[derive(Clone, PartialEq, Debug)]
pub struct Native {
    pub format: String,
    /// The name of a binding in the policy, where several have the format.
    pub binding: Option<String>,
    pub headers: Map<String, Value>,
    pub body: Value,
}

/// What a hook got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedHook {
    /// The name of a binding in the policy.
    pub binding: String,
    pub headers: BTreeMap<String, String>,
    /// The raw body.
    pub body: String,
}

/// A recorded conversation with a system that is polled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedPoll {
    /// The name of a binding in the policy.
    pub binding: String,
    /// One a question and page, in order.
    pub responses: Vec<RecordedResponse>,
}

/// What a system answered once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedResponse {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// The raw body.
    pub body: String,
}

/// Somebody follows the link in their mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    pub review: ReviewId,
    pub person: Person,
    /// The mail about this version; otherwise the newest with such a link.
    pub of_version: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    OtherSlot,
    Stand,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Acknowledged,
    Conflict,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Link {
    Adopt,
    Acknowledge,
}

impl Link {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Acknowledge => "acknowledge",
        }
    }
}

/// Everything wrong with a scenario, by line and member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed(pub Vec<String>);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Malformed {}

impl Scenario {
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut faults = Vec::new();
        let mut lines: Vec<Line> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let (number, line) = (index + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut reader = Reader { number, faults: &mut faults };
            let Some(line) = reader.line(line) else { continue };
            if let Some(before) = lines.last().filter(|before| before.at > line.at) {
                let expected = format!("an instant not before {} of line {}", before.at, before.number);
                reader.fault("at", &expected, &line.at.to_string().into());
            }
            lines.push(line);
        }
        if faults.is_empty() { Ok(Self { lines }) } else { Err(Malformed(faults)) }
    }
}
