//! What required attendees owe an answer to, and what they answered.

use serde::{Deserialize, Serialize};

use crate::{Instant, Person, base::digest::Digest, facts::reply::ReplyWord};

/// A required attendee owes an answer to the row they were told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Duty {
    /// Who owes the answer.
    pub person: Person,
    /// The digest of the row that the answer is owed to.
    pub row: Digest,
    /// When that row was told.
    pub told_at: Instant,
    /// Until when the answer is due.
    pub due_at: Instant,
    /// How many reminders followed.
    pub reminded: u32,
    /// What the person replied by mail, proven and to this row, that is neither yes nor no. `None`: nothing, or what an
    /// answer followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replied: Option<ReplyWord>,
}

/// A required attendee's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Who answered.
    pub person: Person,
    /// The digest of the row that was answered.
    pub row: Digest,
    /// The answer.
    pub reply: Reply,
    /// What was written beside the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When the answer came.
    pub at: Instant,
    /// Of an answer that came by mail: when the calendar program made the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamped_at: Option<Instant>,
}

/// What an attendee answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The person attends.
    Acknowledged,
    /// The person cannot attend. A conflict moves nothing.
    Conflict,
}
