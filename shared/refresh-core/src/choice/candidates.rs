//! The ground a search goes over: the starts that come into question, and who may fill which role at each.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    Interval, Person, Role, Zone,
    base::instant::DAY,
    choice::{
        availability::{Time, TimeReader},
        grid::Axis,
        ours::Ours,
        situation::{Eligible, Situation},
        starts::{self, Rows, Starts},
        working_hours,
    },
    facts::fact::LONGEST_WINDOW_DAYS,
    record::{packet::Packet, proposal::Declined},
};

/// How far around the window a search looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// The review window: where a viable slot can be.
    Window,
    /// From now on, the window and seven days around the authoritative start: where a waiver could lead. The window alone
    /// where the two lie too far apart to be looked at together.
    Waivers,
    /// From now on, seven days around the authoritative start: where the window's own waiver could lead.
    Week,
}

/// Starts that come into question and, per person and role, what holds at each.
#[derive(Debug)]
pub struct Candidates<'a> {
    /// The facts that the search stands on.
    pub situation: &'a Situation<'a>,
    /// The packet that counts.
    pub authoritative: &'a Packet,
    /// What the owner declined, and is not proposed again.
    pub declined: &'a [Declined],
    /// What the review itself has in calendars and in seats: that keeps nobody from it.
    pub ours: Ours<'a>,
    /// The starts, by index.
    pub axis: Axis,
    /// Everybody who may fill a role, each once. Other lists name people by their index here.
    pub people: Vec<&'a Person>,
    /// The roles, in role-name order.
    pub roles: Vec<RoleCandidates<'a>>,
    /// Whether somebody is a candidate for two roles: only then is who sits where more than a choice a role.
    pub shares_people: bool,
    times: Times,
    /// Per role, the starts at which somebody may fill it.
    pub filled: Rows,
}

/// A role, and who may fill the role.
#[derive(Debug)]
pub struct RoleCandidates<'a> {
    /// The role.
    pub role: &'a Role,
    /// Who has the role in the authoritative packet: an index into the people.
    pub incumbent: usize,
    /// The holder, then the delegates in order of preference.
    pub candidates: Vec<Candidate>,
}

/// Somebody who may fill a role.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// An index into the people.
    pub person: usize,
    /// 0 is the holder, then the delegates in order of preference.
    pub rank: u32,
    /// The starts whose slot the validity covers.
    pub valid: Range<usize>,
}

/// People's time along the axis, a row each.
#[derive(Debug)]
struct Times {
    busy: Rows,
    /// Inside every horizon and outside unknown time.
    known: Rows,
    /// Known, not busy, and at work.
    free: Rows,
    hours: Option<Hours>,
}

/// The starts inside working hours, a row a zone.
#[derive(Debug)]
struct Hours {
    zone_of: Vec<usize>,
    zones: Rows,
}

/// Why somebody may not sit somewhere, in the order in which the reasons are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hindrance {
    /// The delegation does not cover the slot.
    NotValid,
    /// The person is busy.
    Busy,
    /// The slot lies outside the person's working hours.
    Hours,
    /// The person's time is not known.
    Unknown,
}

impl<'a> Candidates<'a> {
    /// The candidates as far as `reach` says. The authoritative start is among the starts in any case.
    pub fn of(
        situation: &'a Situation<'a>,
        authoritative: &'a Packet,
        ours: Ours<'a>,
        declined: &'a [Declined],
        reach: Reach,
    ) -> Self {
        let axis = axis(situation, authoritative, reach);
        let Seated { people, roles, shares_people } = seated(situation, authoritative, &axis);
        let times = Times::of(situation, authoritative, &ours, &people, &axis);
        let filled = Rows::none(roles.len(), axis.count());
        let mut candidates =
            Self { situation, authoritative, declined, ours, axis, people, roles, shares_people, times, filled };
        candidates.filled = candidates.filled_by(&candidates.times.free);
        candidates
    }

    /// Per role, the starts at which somebody may fill it, where the people are free at `free`.
    fn filled_by(&self, free: &Rows) -> Rows {
        let mut filled = Rows::none(self.roles.len(), self.axis.count());
        for (index, role) in self.roles.iter().enumerate() {
            let row = filled.row_mut(index);
            for candidate in &role.candidates {
                self.unite_while_valid(row, free.row(candidate.person), candidate);
            }
            // An issued seat stands until a known fact contradicts the seat.
            let home = self.axis.home();
            let stays = |candidate: &Candidate| candidate.person == role.incumbent && self.stays(candidate);
            if role.candidates.iter().any(stays) {
                starts::insert(row, home);
            }
        }
        filled
    }

    /// Adds the starts of `other` at which the candidate is valid. Most are valid throughout.
    fn unite_while_valid(&self, set: &mut Starts, other: &Starts, candidate: &Candidate) {
        if candidate.valid == (0..self.axis.count()) {
            return starts::unite(set, other);
        }
        let mut while_valid = other.to_vec();
        starts::keep(&mut while_valid, candidate.valid.clone());
        starts::unite(set, &while_valid);
    }

    /// Whether nothing known speaks against an incumbent at the authoritative start.
    fn stays(&self, incumbent: &Candidate) -> bool {
        matches!(self.hindrance(incumbent, self.axis.home()), None | Some(Hindrance::Unknown))
    }

    /// Whether this candidate may sit in this role at this start.
    pub fn may_sit(&self, role: usize, candidate: &Candidate, start: usize) -> bool {
        self.may_sit_if(starts::contains(self.free(candidate.person), start), role, candidate, start)
    }

    /// The same, by whether the person is known to be free and at work at this start.
    pub fn may_sit_if(&self, is_free: bool, role: usize, candidate: &Candidate, start: usize) -> bool {
        is_free && candidate.valid.contains(&start)
            || start == self.axis.home() && candidate.person == self.roles[role].incumbent && self.stays(candidate)
    }

    /// The first reason against a candidate at a start; `None` where there is none.
    pub fn hindrance(&self, candidate: &Candidate, start: usize) -> Option<Hindrance> {
        let person = candidate.person;
        if !candidate.valid.contains(&start) {
            Some(Hindrance::NotValid)
        } else if starts::contains(self.busy(person), start) {
            Some(Hindrance::Busy)
        } else if !self.times.hours.as_ref().is_none_or(|hours| starts::contains(hours.row(person), start)) {
            Some(Hindrance::Hours)
        } else if !starts::contains(self.known(person), start) {
            Some(Hindrance::Unknown)
        } else {
            None
        }
    }

    /// The starts at which the person is busy.
    pub fn busy(&self, person: usize) -> &Starts {
        self.times.busy.row(person)
    }

    /// The starts at which the person's time is known.
    pub fn known(&self, person: usize) -> &Starts {
        self.times.known.row(person)
    }

    /// The starts in the person's working hours; `None` where the policy sets none.
    pub fn hours(&self, person: usize) -> Option<&Starts> {
        self.times.hours.as_ref().map(|hours| hours.row(person))
    }

    /// The starts at which the person is known to be free and at work.
    pub fn free(&self, person: usize) -> &Starts {
        self.times.free.row(person)
    }

    /// The starts at which somebody's unknown time alone keeps them from a role.
    pub fn unproven(&self, candidate: &Candidate) -> Vec<u64> {
        let mut set = starts::none(self.axis.count());
        starts::fill(&mut set, candidate.valid.clone());
        if let Some(hours) = self.hours(candidate.person) {
            starts::intersect(&mut set, hours);
        }
        starts::subtract(&mut set, self.busy(candidate.person));
        starts::subtract(&mut set, self.known(candidate.person));
        set
    }

    /// The starts at which each role has somebody who is a candidate for no other: nobody would sit twice.
    pub fn surely_distinct(&self) -> Vec<u64> {
        let mut roles_of = vec![0_u32; self.people.len()];
        for role in &self.roles {
            for (index, candidate) in role.candidates.iter().enumerate() {
                let again = role.candidates[..index].iter().any(|before| before.person == candidate.person);
                roles_of[candidate.person] += u32::from(!again);
            }
        }
        let mut sure = starts::all(self.axis.count());
        let mut somebody = starts::none(self.axis.count());
        for role in &self.roles {
            somebody.fill(0);
            for candidate in role.candidates.iter().filter(|candidate| roles_of[candidate.person] == 1) {
                self.unite_while_valid(&mut somebody, self.free(candidate.person), candidate);
            }
            starts::intersect(&mut sure, &somebody);
        }
        sure
    }

    /// The starts at which somebody becomes free for a role, or stops being free. Between two of these starts the same
    /// people may sit in the same roles.
    pub fn edges(&self) -> Vec<u64> {
        let mut edges = starts::none(self.axis.count() + 1);
        for person in 0..self.people.len() {
            starts::mark_edges(&mut edges, self.times.free.row(person).iter().copied());
        }
        let validities = self.roles.iter().flat_map(|role| &role.candidates).map(|candidate| &candidate.valid);
        for at in validities.flat_map(|valid| [valid.start, valid.end]) {
            starts::insert(&mut edges, at.min(self.axis.count()));
        }
        starts::insert(&mut edges, self.axis.home());
        starts::insert(&mut edges, self.axis.home() + 1);
        edges
    }

    /// The same candidates where the owner declined nothing.
    pub fn undeclined(self) -> Self {
        Self { declined: &[], ..self }
    }

    /// The same candidates where nobody's working hours count.
    pub fn at_any_hour(self) -> Self {
        let mut any = self;
        any.times.hours = None;
        any.times.free = free(&any.times.busy, &any.times.known, None, any.people.len());
        any.filled = any.filled_by(&any.times.free);
        any
    }
}

fn axis(situation: &Situation<'_>, authoritative: &Packet, reach: Reach) -> Axis {
    let slot = authoritative.slot;
    let window = situation.in_force().map_or(slot, |change| change.window);
    let week = (slot.start.plus_millis(-7 * DAY), slot.start.plus_millis(7 * DAY));
    let (from, until) = match reach {
        Reach::Window => (window.start, window.end.plus_millis(-slot.length())),
        Reach::Waivers => {
            let whole = (window.start.min(week.0), window.end.max(week.1));
            let together = whole.1.since(whole.0) <= (LONGEST_WINDOW_DAYS + 14) * DAY;
            let (from, until) = if together { whole } else { (window.start, window.end) };
            (from.max(situation.now), until)
        }
        Reach::Week => (week.0.max(situation.now), week.1),
    };
    Axis::new(from, until, situation.policy.grid(), &slot)
}

/// Who comes into question at all.
struct Seated<'a> {
    people: Vec<&'a Person>,
    roles: Vec<RoleCandidates<'a>>,
    shares_people: bool,
}

fn seated<'a>(situation: &'a Situation<'a>, authoritative: &'a Packet, axis: &Axis) -> Seated<'a> {
    let mut indices: BTreeMap<&'a Person, usize> = BTreeMap::new();
    let mut people: Vec<&'a Person> = Vec::new();
    let mut index = |person: &'a Person| {
        *indices.entry(person).or_insert_with(|| {
            people.push(person);
            people.len() - 1
        })
    };
    let mut roles = Vec::with_capacity(authoritative.attendees.len());
    for (role, incumbent) in &authoritative.attendees {
        let incumbent = index(incumbent);
        let candidate = |eligible: Eligible<'a>| Candidate {
            person: index(eligible.person),
            rank: eligible.rank,
            valid: validity(&eligible, axis),
        };
        let candidates = situation.eligible(role).map(candidate).collect();
        roles.push(RoleCandidates { role, incumbent, candidates });
    }
    let shares_people = shares_people(&roles, people.len());
    Seated { people, roles, shares_people }
}

fn shares_people(roles: &[RoleCandidates<'_>], people: usize) -> bool {
    let mut role_of = vec![None; people];
    roles.iter().enumerate().any(|(index, role)| {
        let mut elsewhere =
            |candidate: &Candidate| role_of[candidate.person].replace(index).is_some_and(|other| other != index);
        role.candidates.iter().any(&mut elsewhere)
    })
}

/// The starts whose slot lies in the candidate's validity.
fn validity(eligible: &Eligible<'_>, axis: &Axis) -> Range<usize> {
    let from = eligible.valid_from.map_or(0, |from| axis.first_at_or_after(from));
    let to = eligible.valid_until.map_or(axis.count(), |until| axis.ending_by(until).end);
    from..to
}

impl Times {
    fn of(situation: &Situation<'_>, authoritative: &Packet, ours: &Ours<'_>, people: &[&Person], axis: &Axis) -> Self {
        let mut busy = Rows::none(people.len(), axis.count());
        let mut known = Rows::none(people.len(), axis.count());
        let mut reader = TimeReader::default();
        let facts = situation.silence.heard(situation.facts);
        for (index, person) in people.iter().enumerate() {
            let row = busy.row_mut(index);
            reader.read(person, facts, ours);
            reader.plain_stretches().for_each(|stretch| axis.mark(row, stretch));
            axis.mark_each(row, reader.time.busy.iter().copied());
            mark_seated(row, person, situation, authoritative, ours, axis);
            mark_known(known.row_mut(index), &reader.time, axis);
        }
        let hours = Hours::of(situation, people, axis);
        let free = free(&busy, &known, hours.as_ref(), people.len());
        Self { busy, known, free, hours }
    }
}

/// Every seat elsewhere counts for a choice. But who keeps a seat in the authoritative slot is judged by the claim alone:
/// otherwise the older review would flee once a colleague is substituted.
fn mark_seated(
    row: &mut Starts,
    person: &Person,
    situation: &Situation<'_>,
    authoritative: &Packet,
    ours: &Ours<'_>,
    axis: &Axis,
) {
    if situation.facts.seats(person).is_empty() {
        return;
    }
    let (home, by_calendar) = (axis.home(), starts::contains(row, axis.home()));
    for slot in situation.taken_elsewhere(person).chain(situation.proposed_elsewhere(person)) {
        starts::fill(row, axis.overlapping(&slot));
    }
    if authoritative.attendees.values().any(|seated| seated == person) {
        starts::clear(row, home..home + 1);
        let slot = &authoritative.slot;
        let claim = ours.claims.get(person).copied().unwrap_or(situation.now);
        if by_calendar || situation.booked(person, slot, claim).is_some() {
            starts::insert(row, home);
        }
    }
}

fn mark_known(row: &mut Starts, time: &Time, axis: &Axis) {
    if !time.calendar {
        return;
    }
    let inside = time.horizons.iter().map(|horizon| axis.inside(horizon));
    starts::fill(row, inside.fold(0..axis.count(), |all, one| all.start.max(one.start)..all.end.min(one.end)));
    for unknown in time.unknown.iter().chain(&time.maybe_ours) {
        starts::clear(row, axis.overlapping(unknown));
    }
}

fn free(busy: &Rows, known: &Rows, hours: Option<&Hours>, people: usize) -> Rows {
    let mut free = known.without(busy);
    if let Some(hours) = hours {
        (0..people).for_each(|person| starts::intersect(free.row_mut(person), hours.row(person)));
    }
    free
}

impl Hours {
    fn of(situation: &Situation<'_>, people: &[&Person], axis: &Axis) -> Option<Self> {
        let hours = situation.policy.working_hours.as_ref()?;
        let mut zones: Vec<Zone> = Vec::new();
        let mut zone_of = Vec::with_capacity(people.len());
        for person in people {
            let zone = situation.zone(person);
            zone_of.push(zones.iter().position(|known| *known == zone).unwrap_or_else(|| {
                zones.push(zone);
                zones.len() - 1
            }));
        }
        let range = Interval { start: axis.start(0), end: axis.slot(axis.count() - 1).end };
        let mut rows = Rows::none(zones.len(), axis.count());
        for (index, zone) in zones.into_iter().enumerate() {
            for day in working_hours::days(hours, zone, range) {
                starts::fill(rows.row_mut(index), axis.inside(&day));
            }
        }
        Some(Self { zone_of, zones: rows })
    }

    fn row(&self, person: usize) -> &Starts {
        self.zones.row(self.zone_of[person])
    }
}
