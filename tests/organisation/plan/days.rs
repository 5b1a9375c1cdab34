//! What fills people's days: meetings, some of them back to back, absences, outages, and stand-ins that change.

use fastrand::Rng;

use super::{Event, Plan, day, engagement};
use crate::{DAY, HOUR, MINUTE};

impl Plan {
    pub(super) fn working_days(&mut self, rng: &mut Rng) {
        for person in 0..self.people.len() {
            for index in 0..self.size.weeks * 7 + 7 {
                if index % 7 > 4 {
                    continue;
                }
                self.known_engagements(rng, person, day(index));
                if index < self.size.weeks * 7 {
                    self.sudden_engagements(rng, person, day(index));
                }
            }
        }
    }

    /// About a third of the day is taken, much of it in blocks of meetings that touch.
    fn known_engagements(&mut self, rng: &mut Rng, person: usize, midnight: i64) {
        for _ in 0..rng.usize(1..4) {
            let (from, to) = engagement(rng, &self.people[person], midnight);
            self.diary.engage(person, from, to);
            if rng.bool() {
                self.diary.engage(person, to, to + 30 * MINUTE);
            }
        }
    }

    /// What comes up on the way. Some of it is called off again.
    fn sudden_engagements(&mut self, rng: &mut Rng, person: usize, midnight: i64) {
        if rng.u8(..100) < 2 {
            // Off for the day, which is known in the early morning.
            let from = self.people[person].midnight(midnight + 12 * HOUR);
            self.at(from + 7 * HOUR, Event::Engage { person, from, to: from + DAY });
            return;
        }
        if rng.u8(..100) < 35 {
            let (from, to) = engagement(rng, &self.people[person], midnight);
            let known = from - [1, 2, 4, 20, 30][rng.usize(..5)] * HOUR - rng.i64(0..60) * MINUTE;
            self.at(known, Event::Engage { person, from, to });
            if rng.u8(..4) == 0 {
                self.at(known + (from - known) / 2, Event::Drop { person, from, to });
            }
        }
    }

    /// One a week: a bridge that takes three people of the trades at once, gets longer, and ends.
    pub(super) fn outages(&mut self, rng: &mut Rng) {
        for week in 0..self.size.weeks {
            let from = day(week * 7 + rng.i64(1..4)) + (8 + rng.i64(0..7)) * HOUR + rng.i64(0..60) * MINUTE;
            for trade in ["sre", "sre", "dba"] {
                let range = crate::people::of_trade(trade);
                let person = range.start + rng.usize(..range.len());
                let expected = from + 2 * HOUR;
                self.at(from, Event::Bridge { person, from, to: expected });
                let longer = expected + rng.i64(1..4) * 30 * MINUTE;
                self.at(from + 75 * MINUTE, Event::Bridge { person, from, to: longer });
                let over = longer - rng.i64(0..40) * MINUTE;
                self.at(over, Event::Bridge { person, from, to: over });
            }
        }
    }

    /// A stand-in's approval is withdrawn and given again, some hours later.
    pub(super) fn delegations(&mut self, rng: &mut Rng) {
        for _ in 0..self.size.weeks * 3 {
            let (service, role) = (rng.usize(..self.services.len()), rng.usize(..5));
            let people = self.services[service].roles[role].1.clone();
            let person = people[rng.usize(1..people.len())];
            let from = day(rng.i64(0..self.size.weeks) * 7 + rng.i64(0..5)) + rng.i64(7..16) * HOUR;
            self.delegation(from, service, role, &[person]);
            self.delegation(from + rng.i64(2..48) * HOUR, service, role, &[]);
        }
    }
}
