//! Once everybody is told: a calendar that only follows RFC 5546 shows the meeting where it counts and as it was issued,
//! whatever order the mails came in, and no tentative entry but the hold of a proposal that waits.

use holdpoint_tests::{
    client::{Client, Entry, in_every_order},
    expected::Expected,
};
use serde_json::Value;

use super::{Audit, ensure};

impl Audit {
    pub(super) fn calendars_follow(&self, head: &Value) -> Result<(), String> {
        let optional = self.optional();
        let meeting = self.issued["meeting"]["uid"].as_str();
        let pending = head["pending"].get("version").map(|number| self.packet(number)).unwrap_or_default();
        let expected = Expected::new(&self.id, &self.packet(&head["authoritative"]), &pending, &optional, meeting)
            .unless(head["standing"] == "cancelled");
        let issued = Entry::issued(&self.issued);
        // What a process that died may have mailed is taken back, whether or not it was mailed.
        let ours = ["meeting", "hold"].iter().filter_map(|object| head[object]["uid"].as_str());
        let in_doubt: Vec<&str> = ours.filter(|_| self.deaths > 0).collect();
        for person in self.audience(head) {
            let mails: Vec<&[u8]> =
                self.letters.iter().filter(|(to, _)| *to == person).map(|(_, raw)| &raw[..]).collect();
            let calendar = in_every_order(&self.calendar_of(&person, &optional), &mails, &in_doubt)?;
            // What became of a mail that was refused or came back is not known.
            if self.unreached(head, &person) {
                continue;
            }
            let misses = expected.misses(&person, &calendar);
            ensure(misses.is_empty(), || misses.join("; "))?;
            let entry = calendar.shown().find(|(uid, _)| Some(*uid) == meeting);
            let lost = entry.and_then(|(_, entry)| issued.texts.lost(&entry.texts));
            ensure(lost.is_none(), || format!("in the calendar of {person}: {lost:?}"))?;
        }
        Ok(())
    }

    fn optional(&self) -> Vec<&str> {
        self.issued["optional"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn unreached(&self, head: &Value, person: &str) -> bool {
        head["unreachable"].as_array().into_iter().flatten().any(|known| known["person"] == person)
    }

    /// What stands in somebody's calendar before any mail of ours.
    fn calendar_of(&self, person: &str, optional: &[&str]) -> Client {
        let mut calendar = Client::of(person);
        let seated = self.issued["roles"].as_array().into_iter().flatten().any(|seat| seat["attendee"] == person);
        if let Some(uid) = self.issued["meeting"]["uid"].as_str().filter(|_| seated || optional.contains(&person)) {
            calendar.seed(uid, Entry::issued(&self.issued));
        }
        calendar
    }
}
