//! The ground a search goes over: the starts that come into question, and what holds of each person at each.

use std::collections::BTreeMap;

use crate::{
    Instant, Interval, Person, Role,
    base::instant::DAY,
    choice::{
        availability::Time,
        grid::{self, Axis, Starts},
        situation::{Eligible, Situation},
        working_hours,
    },
    record::{booking::Booking, packet::Packet, review::Declined},
};

/// How far around the window a search looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// The review window: where a viable slot can be.
    Window,
    /// From now on, seven days around the authoritative start too: where a waiver could lead.
    Waivers,
}

/// Starts that come into question and, per person and role, what holds at each.
#[derive(Debug)]
pub struct Landscape<'a> {
    pub situation: &'a Situation<'a>,
    pub authoritative: &'a Packet,
    pub declined: &'a [Declined],
    pub bookings: &'a [Booking],
    pub axis: Axis,
    /// Index of the authoritative start.
    pub home: usize,
    pub people: Vec<Seat<'a>>,
    pub roles: Vec<RoleSeats<'a>>,
}

/// A person's time along the axis.
#[derive(Debug)]
pub struct Seat<'a> {
    pub person: &'a Person,
    pub busy: Starts,
    /// Inside every horizon and outside unknown time.
    pub known: Starts,
    pub in_hours: Starts,
}

#[derive(Debug)]
pub struct RoleSeats<'a> {
    pub role: &'a Role,
    pub incumbent: usize,
    pub candidates: Vec<RoleCandidate>,
}

#[derive(Debug)]
pub struct RoleCandidate {
    pub person: usize,
    pub rank: u32,
    /// Starts whose slot the validity covers.
    pub valid: Starts,
}

impl<'a> Landscape<'a> {
    pub fn of(
        situation: &'a Situation<'a>,
        authoritative: &'a Packet,
        bookings: &'a [Booking],
        declined: &'a [Declined],
        reach: Reach,
    ) -> Self {
        let length = authoritative.slot.length();
        let home_start = authoritative.slot.start;
        let window = situation.in_force().map_or(authoritative.slot, |change| change.window);
        let (from, until) = match reach {
            Reach::Window => (window.start, window.end.plus_millis(-length)),
            Reach::Waivers => {
                let from = window.start.min(home_start.plus_millis(-7 * DAY)).max(situation.now);
                (from, window.end.max(home_start.plus_millis(7 * DAY)))
            }
        };
        let starts = grid::starts(from, until, situation.policy.grid(), home_start);
        let home = starts.partition_point(|start| *start < home_start);
        let mut landscape = Self {
            situation,
            authoritative,
            declined,
            bookings,
            axis: Axis { starts, length },
            home,
            people: Vec::new(),
            roles: Vec::new(),
        };
        landscape.seat_everybody();
        landscape
    }

    fn seat_everybody(&mut self) {
        let mut index: BTreeMap<&'a Person, usize> = BTreeMap::new();
        let mut seats: Vec<&'a Person> = Vec::new();
        let mut seat = |person: &'a Person| {
            *index.entry(person).or_insert_with(|| {
                seats.push(person);
                seats.len() - 1
            })
        };
        let situation = self.situation;
        for (role, incumbent) in &self.authoritative.attendees {
            let incumbent = seat(incumbent);
            let eligible = situation.eligible(role);
            let candidates = eligible
                .iter()
                .map(|eligible| RoleCandidate {
                    person: seat(eligible.person),
                    rank: eligible.rank,
                    valid: self.covered_by(eligible),
                })
                .collect();
            self.roles.push(RoleSeats { role, incumbent, candidates });
        }
        self.people = seats.into_iter().map(|person| self.seat(person)).collect();
    }

    fn covered_by(&self, eligible: &Eligible<'_>) -> Starts {
        let mut valid = Starts::none(self.axis.starts.len());
        let far = 1 << 60;
        let span = Interval {
            start: eligible.valid_from.unwrap_or(Instant::from_millis(-far)),
            end: eligible.valid_until.unwrap_or(Instant::from_millis(far)),
        };
        let (from, to) = self.axis.inside(&span);
        valid.fill(from, to);
        valid
    }

    fn seat(&self, person: &'a Person) -> Seat<'a> {
        let len = self.axis.starts.len();
        let time = Time::of(person, self.situation.facts, self.bookings);
        let mut busy = Starts::none(len);
        for interval in &time.busy {
            let (from, to) = self.axis.overlapping(interval);
            busy.fill(from, to);
        }
        let mut known = if time.calendar { Starts::all(len) } else { Starts::none(len) };
        for horizon in &time.horizons {
            let (from, to) = self.axis.inside(horizon);
            known.clear(0, from);
            known.clear(to, len);
        }
        for unknown in &time.unknown {
            let (from, to) = self.axis.overlapping(unknown);
            known.clear(from, to);
        }
        Seat { person, busy, known, in_hours: self.in_hours(person) }
    }

    fn in_hours(&self, person: &Person) -> Starts {
        let len = self.axis.starts.len();
        let Some(hours) = &self.situation.policy.working_hours else { return Starts::all(len) };
        let mut inside = Starts::none(len);
        let last = len - 1;
        let range = Interval { start: self.axis.starts[0], end: self.axis.slot(last).end };
        for day in working_hours::days(hours, self.situation.zone(person), range) {
            let (from, to) = self.axis.inside(&day);
            inside.fill(from, to);
        }
        inside
    }
}
