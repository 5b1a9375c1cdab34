//! The reviews: who is seated where when they are issued, and what their source systems say until they are held.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Event, Plan, Review, day};
use crate::{DAY, HOUR, MINUTE, instant, span};

const CHECKPOINTS: [&str; 3] = ["integration-tests", "performance-tests", "static-analysis"];

impl Plan {
    pub(super) fn reviews(&mut self, rng: &mut Rng) {
        for week in 0..self.size.weeks {
            for (weekday, count) in self.size.week.into_iter().enumerate() {
                let midnight = day(week * 7 + weekday as i64);
                // On a release day all want the same hours.
                let release = midnight + rng.i64(9..13) * HOUR;
                for _ in 0..count {
                    self.review(rng, midnight, release, count > 2);
                }
            }
        }
    }

    fn review(&mut self, rng: &mut Rng, midnight: i64, release: i64, clustered: bool) {
        let number = self.reviews.len();
        let service = (number * 5 + rng.usize(..3)) % self.services.len();
        let (opens, closes) = self.services[service].hours;
        let wanted = if clustered { release } else { midnight + (opens + rng.i64(0..5)) * HOUR };
        let wanted = wanted.max(midnight + opens * HOUR);
        let Some((from, seats)) = self.seats(service, wanted, midnight + closes * HOUR) else { return };
        let to = from + HOUR;
        for (_, person) in &seats {
            self.diary.seat(number, *person, from, to);
        }
        let issued_at = (midnight - [4, 3, 2, 1, 1][rng.usize(..5)] * DAY).max(day(0)) + rng.i64(7..9) * HOUR;
        let manager = seats.iter().find(|(role, _)| *role == "release_manager").map_or(0, |(_, person)| *person);
        let guests = self.services[service].guests.clone();
        let owner = if rng.u8(..10) < 6 { manager } else { guests[0] };
        let window = (from - rng.i64(1..4) * HOUR, to + rng.i64(2..9) * HOUR + if rng.u8(..3) == 0 { DAY } else { 0 });
        let cutover = (window.1 + HOUR, window.1 + 3 * HOUR);
        let review = Review {
            id: format!("RR-{}", 2001 + number),
            change: format!("CHG-{}", 2001 + number),
            service,
            from,
            to,
            issued_at,
            seats,
            guests: vec![guests[1]],
            owner,
            checkpoints: CHECKPOINTS[..rng.usize(1..3)].to_vec(),
            window,
            cutover,
        };
        self.change_record(issued_at - 5 * MINUTE, &review, "approved", review.window, review.owner);
        for checkpoint in review.checkpoints.clone() {
            self.evidence(rng, &review, checkpoint);
        }
        self.later_records(rng, &review);
        self.at(issued_at, Event::Issue(number));
        self.at(from, Event::Begin(number));
        self.reviews.push(review);
    }

    /// The first half hour from `wanted` on at which every role has somebody free, the holder first.
    fn seats(&self, service: usize, wanted: i64, latest: i64) -> Option<(i64, Vec<(&'static str, usize)>)> {
        let mut from = wanted;
        while from + HOUR <= latest + 2 * HOUR {
            let mut seats: Vec<(&'static str, usize)> = Vec::new();
            for (role, people) in &self.services[service].roles {
                let free = |person: &&usize| {
                    self.people[**person].at_work(from, from + HOUR, 8, 21)
                        && self.diary.is_free(**person, from, from + HOUR)
                        && !seats.iter().any(|(_, seated)| seated == *person)
                };
                if let Some(person) = people.iter().find(free) {
                    seats.push((role, *person));
                }
            }
            if seats.len() == self.services[service].roles.len() {
                return Some((from, seats));
            }
            from += 30 * MINUTE;
        }
        None
    }

    fn change_record(&mut self, at: i64, review: &Review, state: &str, window: (i64, i64), owner: usize) {
        let data = json!({
            "change_id": review.change, "state": state,
            "review_window": { "opens": instant(window.0), "closes": instant(window.1) },
            "cutover": { "starts": instant(review.cutover.0), "ends": instant(review.cutover.1) },
            "owner": self.people[owner].address, "owner_confirmation": "confirmed",
        });
        self.say(at, "change.updated", &review.change, data);
    }

    fn ready_state(&mut self, at: i64, review: &Review, checkpoint: &str, status: &str, ready_at: i64) {
        let mut data: Value = json!({ "change_id": review.change, "checkpoint": checkpoint, "status": status });
        data["ready_at"] = instant(ready_at).into();
        self.say(at, "evidence.updated", &format!("{}/{checkpoint}", review.change), data);
    }

    /// Expected some hours before the review. The forecast wanders; about half of all runs slip, some of them past it.
    fn evidence(&mut self, rng: &mut Rng, review: &Review, checkpoint: &'static str) {
        let mut expected = review.from - rng.i64(90..360) * MINUTE;
        self.ready_state(review.issued_at - 4 * MINUTE, review, checkpoint, "expected", expected);
        let mut at = review.issued_at;
        for _ in 0..rng.usize(..4) {
            at += (expected - at).max(HOUR) / 3 + rng.i64(0..60) * MINUTE;
            if at >= expected {
                break;
            }
            expected += rng.i64(-20..20) * MINUTE;
            self.ready_state(at, review, checkpoint, "expected", expected.max(at + MINUTE));
        }
        if rng.u8(..20) < 9 {
            for _ in 0..rng.usize(1..4) {
                at = (at + 10 * MINUTE).max(expected - rng.i64(5..120) * MINUTE);
                expected += rng.i64(2..12) * 15 * MINUTE;
                self.ready_state(at, review, checkpoint, "expected", expected.max(at + MINUTE));
            }
        }
        // One run in four is late without a word.
        let late = if rng.u8(..4) == 0 { rng.i64(20..100) * MINUTE } else { rng.i64(-10..10) * MINUTE };
        let ready = (expected + late).max(at + 5 * MINUTE);
        self.ready_state(ready, review, checkpoint, "ready", ready - rng.i64(1..50_000));
    }

    /// What becomes of the change: a window that is stated anew, another owner, a pause, the end of it.
    fn later_records(&mut self, rng: &mut Rng, review: &Review) {
        let between = |rng: &mut Rng| review.issued_at + rng.i64(1..(review.from - review.issued_at) / MINUTE) * MINUTE;
        match rng.u8(..20) {
            0..=4 => {
                let window = (review.window.0 - 30 * MINUTE, review.window.1 + 30 * MINUTE);
                let at = between(rng);
                self.change_record(at, review, "approved", window, review.owner);
            }
            5 => {
                let at = between(rng);
                self.change_record(at, review, "approved", (review.from + 30 * MINUTE, review.window.1), review.owner);
            }
            6 | 7 => {
                let (at, owner) = (between(rng), self.services[review.service].roles[0].1[1]);
                self.change_record(at, review, "approved", review.window, owner);
            }
            8 => {
                let at = between(rng);
                self.change_record(at, review, "on_hold", review.window, review.owner);
                self.change_record(at + 2 * HOUR, review, "approved", review.window, review.owner);
            }
            9 => {
                let at = between(rng);
                self.change_record(at, review, "cancelled", review.window, review.owner);
            }
            _ => {}
        }
    }
}

impl Plan {
    /// The event that issues a review.
    pub fn issue(&self, number: usize) -> Value {
        let review = &self.reviews[number];
        let roles: Vec<Value> = review
            .seats
            .iter()
            .map(|(role, person)| json!({ "role": role, "attendee": self.people[*person].address }))
            .collect();
        let optional: Vec<&str> = review.guests.iter().map(|person| self.people[*person].address.as_str()).collect();
        json!({
            "review_id": review.id, "title": format!("Release readiness of {}", self.services[review.service].name),
            "service": self.services[review.service].name, "change_id": review.change, "version": 1,
            "slot": span(review.from, review.to), "time_zone": "Europe/Berlin", "roles": roles, "optional": optional,
            "checkpoints": review.checkpoints, "policy": {},
            "meeting": {
                "uid": review.uid(), "sequence": 0, "organizer": "release-desk@example.com", "location": "Room 4",
                "conference": format!("https://meet.example.com/{}", review.id), "description": "Bring the test report.",
            },
        })
    }
}
