//! What a calendar shows of one review when all mails about it are read: the meeting at the packet's time for whoever
//! attends, and no tentative entry but the hold of a proposal that still waits.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::client::Client;

/// The entries of one review, from its `state` record.
pub struct Expected {
    review: String,
    meeting: Option<String>,
    slot: (String, String),
    attendees: BTreeSet<String>,
    /// The slot of the hold, and who may have one.
    hold: Option<((String, String), BTreeSet<String>)>,
}

fn interval(slot: &Value) -> (String, String) {
    let side = |name: &str| slot[name].as_str().unwrap_or_default().to_owned();
    (side("start"), side("end"))
}

fn people(packet: &Value, optional: &[&str]) -> BTreeSet<String> {
    let seated = packet["attendees"].as_object().into_iter().flatten();
    let seated = seated.filter_map(|(_, who)| who.as_str().map(str::to_owned));
    seated.chain(optional.iter().map(|one| (*one).to_owned())).collect()
}

impl Expected {
    /// `records`: the whole replay. `meeting`: the UID that the review was issued with, if it was known.
    pub fn of(records: &[Value], state: &Value, optional: &[&str], meeting: Option<&str>) -> Self {
        let review = state["review_id"].as_str().unwrap_or_default();
        let expected = Self::new(review, &state["authoritative"], &state["pending"], optional, meeting);
        expected.unless(was_cancelled(records, review))
    }

    /// `pending`: null where nothing waits.
    pub fn new(review: &str, packet: &Value, pending: &Value, optional: &[&str], meeting: Option<&str>) -> Self {
        let waits = !pending.is_null() && pending["cancelled"] != true;
        Self {
            review: review.to_owned(),
            meeting: meeting.map(str::to_owned),
            slot: interval(&packet["slot"]),
            attendees: people(packet, optional),
            hold: waits.then(|| (interval(&pending["slot"]), people(pending, optional))),
        }
    }

    /// `cancelled`: the owner adopted the cancellation, and nobody has an entry any more.
    #[must_use]
    pub fn unless(mut self, cancelled: bool) -> Self {
        if cancelled {
            self.attendees.clear();
            self.hold = None;
        }
        self
    }

    /// Where one person's calendar shows something else, in words. Entries of other reviews are left out by UID: ours
    /// start with the review's id.
    pub fn misses(&self, person: &str, calendar: &Client) -> Vec<String> {
        let ours = |uid: &str| {
            let rest = uid.strip_prefix(&self.review);
            self.meeting.as_deref() == Some(uid) || rest.is_some_and(|rest| rest.starts_with(['@', '-']))
        };
        let shown: Vec<_> = calendar.shown().filter(|(uid, _)| ours(uid)).collect();
        let mut found = Vec::new();
        let mut say = |what: String| found.push(format!("{} in the calendar of {person}: {what}", self.review));
        let (tentative, firm): (Vec<_>, Vec<_>) = shown.into_iter().partition(|(_, entry)| entry.tentative);
        for (uid, entry) in &tentative {
            let at = (entry.start.clone(), entry.end.clone());
            let waits = self.hold.as_ref().is_some_and(|(slot, people)| *slot == at && people.contains(person));
            if !waits {
                say(format!("a tentative entry {uid} at {}, and no such proposal waits", entry.start));
            }
        }
        let attends = self.attendees.contains(person);
        for (uid, entry) in &firm {
            if !attends {
                say(format!("an entry {uid} at {}, though they do not attend", entry.start));
            } else if (entry.start.clone(), entry.end.clone()) != self.slot {
                say(format!("{uid} at {} instead of {}", entry.start, self.slot.0));
            }
        }
        match firm.len() {
            0 if attends && self.meeting.is_some() => say("no entry, though they attend".to_owned()),
            2.. => say(format!("{} entries for one meeting", firm.len())),
            _ => {}
        }
        found
    }
}

/// Whether the owner adopted the cancellation of a review: then nobody has an entry any more.
fn was_cancelled(records: &[Value], review: &str) -> bool {
    let (mut proposed, mut cancelled) = (false, false);
    for decision in records.iter().filter(|one| one["record"] == "decision" && one["review_id"] == review) {
        cancelled |= proposed && decision["outcome"] == "adopted";
        proposed = decision["pending"]["cancelled"] == true;
    }
    cancelled
}
