//! Until when can a proposal be decided?

use crate::{Instant, Person, choice::working_hours, decide::draft::Draft, record::packet::Packet};

impl Draft<'_> {
    /// The earliest of the deadline, the authoritative start and, if it moves the slot, its own start less the notice.
    pub(crate) fn expiry(&self, proposal: &Packet, adopter: Option<&Person>) -> Instant {
        let start = self.authoritative().slot.start;
        let own = if proposal.slot == self.authoritative().slot {
            start
        } else {
            let notice = proposal.slot.start.plus_minutes(-self.situation.policy.min_notice_minutes);
            self.situation.last_while_overdue(proposal.slot.start).map_or(notice, |last| last.min(notice))
        };
        self.deadline(adopter, start.min(own)).min(start).min(own)
    }

    /// Who is asked late at night decides in the morning: only the adopter's working time counts, where the policy sets
    /// any. Counted from now; `until` where that comes first.
    fn deadline(&self, adopter: Option<&Person>, until: Instant) -> Instant {
        let (situation, now) = (self.situation, self.now());
        let minutes = situation.policy.adoption_deadline_minutes;
        let Some(hours) = &situation.policy.working_hours else { return now.plus_minutes(minutes) };
        // Where nobody may decide yet, the review's own zone counts.
        let zone = adopter.map_or(situation.terms.time_zone, |person| situation.zone(person));
        working_hours::deadline(hours, zone, now, minutes, until)
    }
}
