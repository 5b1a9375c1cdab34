//! What the door lets in: nothing of the future, nothing of whoever no longer holds a subject, no meeting twice. And when it
//! is told: a quiet period never outlasts what it delays.

use serde_json::Value;

use super::{Audit, Item, ensure, millis};
use crate::scene::{MINUTE, NEXT_CALENDARS};

/// How far ahead of its arrival evidence may be ready.
const AHEAD: i64 = 5 * MINUTE;
/// No worker's clock is farther from the right time.
const SKEW: i64 = 2_000;

impl Audit {
    /// Evidence that is ready at an instant to come is a mistake of a time zone.
    pub(super) fn in_time(&self, event: &Value) -> Result<(), String> {
        let id = (&event["source"], &event["id"]);
        let said = self.said.iter().find(|said| *id.0 == said.source.as_str() && *id.1 == said.id.as_str());
        let Some(ready) = said.filter(|said| said.is_ready).and_then(|said| said.ready_at) else { return Ok(()) };
        ensure(ready <= self.now + AHEAD + SKEW, || {
            format!("evidence is ready {} minutes after it came, and counts", (ready - self.now) / MINUTE)
        })
    }

    /// A review that is issued has a meeting of its own: no other that is neither over nor started has that UID.
    pub(super) fn has_its_own_meeting(&self, head: &Value) -> Result<(), String> {
        let own = format!("REVIEW#{}", self.id);
        let same = |item: &&Item| {
            let other = &item.body;
            other["meeting"]["uid"] == head["meeting"]["uid"]
                && other["standing"] == "open"
                && millis(&other["starts_at"]) > Some(self.now)
        };
        let heads = self.items.iter().filter(|((pk, sk), _)| sk == "HEAD" && *pk != own);
        let other = heads.map(|(_, item)| item).find(same);
        ensure(other.is_none(), || {
            format!("the meeting of {} is that of {:?}", self.id, other.map(|item| &item.body["review"]))
        })
    }

    /// Counted from the change, and over before what it delays.
    pub(super) fn quiet_ends_in_time(&self, before: Option<&Value>, after: &Value) -> Result<(), String> {
        let until = millis(&after["quiet_until"]);
        let Some(until) = until.filter(|until| before.and_then(|head| millis(&head["quiet_until"])) != Some(*until))
        else {
            return Ok(());
        };
        let minutes = |name: &str| self.policy[name].as_i64().unwrap_or(0) * MINUTE;
        let at = millis(&after["at"]).unwrap_or_default();
        let longest = self.policy["quiet_seconds"].as_i64().unwrap_or(0) * 1_000;
        ensure(until <= at + longest, || format!("quiet until {}, since {}", after["quiet_until"], after["at"]))?;
        let ends = [&after["pending"]["expires_at"], &after["starts_at"]].into_iter().filter_map(millis).min();
        let outlasts = ends.is_some_and(|ends| ends < until + minutes("min_decision_minutes"));
        ensure(until <= at || !outlasts, || {
            format!("quiet until {}; {} waits for a decision", after["quiet_until"], after["pending"])
        })
    }
}

/// A mailbox moves once, to the system that takes over, whatever the revisions.
pub(super) fn takes_over(was: &Value, is: &Value) -> bool {
    was["source"] == "//availability.example.com" && is["source"] == NEXT_CALENDARS
}
