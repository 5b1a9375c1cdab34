//! What one person was last told: the other half of "owed is told against now".

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person, Role, TraceId,
    base::{digest::Digest, instant::Slot},
    record::{
        delta::{Difference, DutyLine},
        notice::Participation,
        packet::Standpoint,
        view::{Row, View},
    },
};

/// Slot and roles of one person in the authoritative packet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Counted {
    /// The authoritative slot, as far as the person's view holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// The roles that the person fills.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
}

/// TOLD: one item a person. `None` in the store means: told what the first version says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LastNotified {
    /// Who was told.
    pub person: Person,
    /// The view that was told.
    pub view: View,
    /// The authoritative seat they were last told. A duty arises only from a changed seat, and a person who loses the
    /// seat is released.
    pub seat: Option<Row>,
    /// What counted for them when they were told of something else, a proposal: after an adoption, slot and role are
    /// compared with this. `None`: what the view says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// They were told that this seat is theirs no more: only what they knew of it is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub released: bool,
    /// What they were last told to do, for the difference alone.
    pub duty: Option<DutyLine>,
    /// The version HEAD's pending or authoritative packet had, whose facts the next `why` is counted from.
    pub version: u32,
    /// The changes of the last notice that had some. The page behind that notice's link shows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Difference>,
    /// The facts that were given as reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<Standpoint>,
    /// The proposal they were told of, if one was pending in their view.
    pub proposal: Option<Digest>,
    /// The facts newer than that version's that they were told of: no version need stand on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub news: Vec<Standpoint>,
    /// Adoptions so far, then: a proposal that is gone was adopted or withdrawn since.
    pub adoptions: u32,
    /// The slot the meeting has in their calendar, by us.
    pub meeting: Option<Slot>,
    /// As what that meeting invites them. `None`: an earlier release told them, and said so by the list of optional attendees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_as: Option<Participation>,
    /// The hold in their calendar, by us.
    pub hold: Option<HoldSent>,
    /// When.
    pub at: Instant,
    /// The mailer's id of the mail that told them: what a report on it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// What led to that: a reminder goes on under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

/// The hold as somebody was last sent it. Stored as a list of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "(Slot, u32)", into = "(Slot, u32)")]
pub struct HoldSent {
    /// The slot that the hold has in their calendar.
    pub slot: Slot,
    /// The SEQUENCE of RFC 5545 that the hold was sent with.
    pub sequence: u32,
}

impl From<(Slot, u32)> for HoldSent {
    fn from((slot, sequence): (Slot, u32)) -> Self {
        Self { slot, sequence }
    }
}

impl From<HoldSent> for (Slot, u32) {
    fn from(sent: HoldSent) -> Self {
        (sent.slot, sent.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_of_a_hold_is_a_list_of_two() {
        let stored = r#"[{"start":"2026-11-03T15:30:00Z","end":"2026-11-03T16:30:00Z"},3]"#;
        let sent: HoldSent = serde_json::from_str(stored).expect("a stored hold");
        assert_eq!(sent.sequence, 3);
        assert_eq!(serde_json::to_string(&sent).expect("JSON"), stored);
    }
}
