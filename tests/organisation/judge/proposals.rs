//! The course of each review: its proposals and what became of them, its escalations, where its slot went.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{at_of, violations};
use crate::{MINUTE, play::slot_of};

#[derive(Clone, Debug, Default)]
pub struct Proposal {
    pub digest: String,
    /// `adopted`, `declined`, `expired`, `superseded`, `withdrawn`, or empty while it waits.
    pub fate: String,
}

/// From the change after which the packet no longer fits, until it fits again.
#[derive(Clone, Debug)]
pub struct Episode {
    pub began: i64,
    pub packet: Option<i64>,
    pub told: Option<i64>,
    pub decided: Option<i64>,
}

#[derive(Clone, Debug, Default)]
pub struct Escalation {
    pub told: bool,
    /// It closed without anybody's decision, in the slot in which it opened.
    pub healed: bool,
    open: bool,
    slot: Value,
}

#[derive(Clone, Debug, Default)]
pub struct Course {
    pub proposals: Vec<Proposal>,
    pub episodes: Vec<Episode>,
    pub escalations: Vec<Escalation>,
    /// How often the slot that people are told went back to one that it had before.
    pub flips: usize,
    issued: Option<i64>,
    last: i64,
    slots: Vec<Value>,
    open: Option<Episode>,
}

impl Course {
    /// Minutes between the start it was issued with and the one that counts in the end.
    pub fn displacement(&self) -> i64 {
        self.issued.map_or(0, |issued| (self.last - issued).abs() / MINUTE)
    }
}

pub fn courses(records: &[Value]) -> BTreeMap<String, Course> {
    let mut courses: BTreeMap<String, Course> = BTreeMap::new();
    for record in records {
        let Some(review) = record["review_id"].as_str() else { continue };
        let course = courses.entry(review.to_owned()).or_default();
        match record["record"].as_str().unwrap_or_default() {
            "decision" => course.decided(record),
            "notice" => course.noticed(record),
            "answer" => course.answered(record),
            _ => {}
        }
    }
    for course in courses.values_mut() {
        course.episodes.extend(course.open.take());
    }
    courses
}

impl Course {
    fn decided(&mut self, decision: &Value) {
        let (at, outcome) = (at_of(decision), decision["outcome"].as_str().unwrap_or_default());
        let packet = &decision["authoritative"];
        let start = slot_of(&packet["slot"]).0;
        self.issued.get_or_insert(start);
        self.last = start;
        let pending = &decision["pending"];
        self.proposed(outcome, decision["proposal"].as_str(), pending);
        self.escalated(outcome, decision, packet);
        let slot = if pending.is_null() { &packet["slot"] } else { &pending["slot"] };
        if self.slots.last() != Some(slot) {
            self.flips += usize::from(self.slots.contains(slot));
            self.slots.push(slot.clone());
        }
        let fits = violations(packet).is_empty() && pending.is_null();
        match &mut self.open {
            None if !fits => {
                let packet = (!pending.is_null()).then_some(at);
                self.open = Some(Episode { began: at, packet, told: None, decided: None });
            }
            Some(open) if !pending.is_null() => {
                open.packet.get_or_insert(at);
            }
            Some(_) if fits => self.episodes.extend(self.open.take()),
            _ => {}
        }
    }

    fn proposed(&mut self, outcome: &str, earlier: Option<&str>, pending: &Value) {
        let waits = self.proposals.last_mut().filter(|proposal| proposal.fate.is_empty());
        let digest = pending["digest"].as_str();
        if let Some(waits) = waits {
            let fate = match (outcome, earlier) {
                ("adopted" | "declined", _) => Some(outcome),
                (_, Some(earlier)) => Some(earlier),
                _ if digest != Some(&waits.digest) => Some("withdrawn"),
                _ => None,
            };
            waits.fate = fate.unwrap_or_default().to_owned();
        }
        let known = self.proposals.last().is_some_and(|last| last.fate.is_empty() && Some(&last.digest[..]) == digest);
        if let Some(digest) = digest.filter(|_| !known) {
            self.proposals.push(Proposal { digest: digest.to_owned(), fate: String::new() });
        }
    }

    fn escalated(&mut self, outcome: &str, decision: &Value, packet: &Value) {
        let exceptions = decision["exceptions"].as_array().into_iter().flatten();
        let stuck = exceptions.into_iter().any(|exception| exception["kind"] == "no_viable_slot");
        let open = self.escalations.last_mut().filter(|escalation| escalation.open);
        match open {
            None if stuck => {
                let slot = packet["slot"].clone();
                self.escalations.push(Escalation { open: true, slot, ..Escalation::default() });
            }
            Some(open) if !stuck => {
                open.open = false;
                let by_somebody = ["adopted", "declined", "closed"].contains(&outcome);
                open.healed = !by_somebody && decision["pending"].is_null() && packet["slot"] == open.slot;
            }
            _ => {}
        }
    }

    fn noticed(&mut self, notice: &Value) {
        let kind = notice["kind"].as_str().unwrap_or_default();
        if let Some(open) = self.open.as_mut().filter(|_| ["adoption_request", "escalation"].contains(&kind)) {
            open.told.get_or_insert(at_of(notice));
        }
        if kind == "escalation"
            && let Some(escalation) = self.escalations.last_mut().filter(|escalation| escalation.open)
        {
            let changes = notice["changes"].as_array().into_iter().flatten();
            let mut exceptions = changes.filter(|change| change["field"] == "exception");
            escalation.told |= exceptions.any(|change| change["now"].to_string().contains("no_viable_slot"));
        }
    }

    /// An answer stands before the decision that it causes.
    fn answered(&mut self, answer: &Value) {
        let decides = ["adopted", "declined"].iter().any(|result| answer["result"] == *result);
        if let Some(open) = self.open.as_mut().filter(|_| decides) {
            open.decided.get_or_insert(at_of(answer));
        }
    }
}
