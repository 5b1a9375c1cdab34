//! Is a slot viable, and which viable slot? The search over starts and people, as sets of starts.

use std::collections::BTreeMap;

use crate::{
    Instant, Person, Role,
    base::instant::{DAY, Slot},
    choice::{
        assignment::{self, Assignment, Seatable},
        candidates::{Landscape, RoleCandidate},
        grid::Starts,
        situation::Ready,
    },
    facts::policy::Prefer,
    record::{exception::Rule, packet::Packet, review::Declined},
};

/// One rule left out, to see whether it alone stands in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiver {
    Nothing,
    Rule(Rule),
    /// The role need not be filled; by index.
    Role(usize),
    /// The person's unknown time counts as free; by index.
    Unknown(usize),
}

/// A slot and who would attend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    pub slot: Slot,
    pub attendees: BTreeMap<Role, Person>,
}

impl Landscape<'_> {
    /// The starts that the rules about time, freezes and declined slots allow, people apart.
    pub fn timely(&self, waiver: Waiver) -> Starts {
        let len = self.axis.starts.len();
        let waived = |rule: Rule| waiver == Waiver::Rule(rule);
        let mut timely = Starts::all(len);
        let keep = |timely: &mut Starts, (from, to): (usize, usize)| {
            timely.clear(0, from);
            timely.clear(to, len);
        };
        let at_or_after = |instant: Instant| (self.axis.starts.partition_point(|start| *start < instant), len);
        let ends_by = |instant: Instant| {
            (0, self.axis.starts.partition_point(|start| start.plus_millis(self.axis.length) <= instant))
        };

        // Notice first: the authoritative slot needs none.
        let notice = if waived(Rule::ShortNotice) { self.situation.now } else { self.situation.notice_start() };
        keep(&mut timely, at_or_after(notice));
        timely.insert(self.home);
        // What starts before now is past, waiver or not.
        keep(&mut timely, at_or_after(self.situation.now));

        match self.evidence_start(waiver) {
            Some(start) => keep(&mut timely, at_or_after(start)),
            None => timely.clear(0, len),
        }
        if let Some(change) = self.situation.in_force() {
            if waived(Rule::OutsideWindow) {
                let near = |days: i64| self.authoritative.slot.start.plus_millis(days * DAY);
                keep(&mut timely, at_or_after(near(-7)));
                keep(&mut timely, (0, self.axis.starts.partition_point(|start| *start <= near(7))));
            } else {
                keep(&mut timely, self.axis.inside(&change.window));
            }
        }
        if let Some(end) = self.situation.cutover_end().filter(|_| !waived(Rule::CutoverLead)) {
            keep(&mut timely, ends_by(end));
        }
        if !waived(Rule::FreezeCrossing) {
            for (freeze, _) in self.situation.freezes.iter().filter(|(_, protected)| *protected) {
                let (from, to) = self.axis.overlapping(&freeze);
                timely.clear(from, to);
            }
        }
        for declined in self.declined.iter().filter(|declined| declined.attendees.is_none()) {
            // At the authoritative slot it depends on who attends.
            if let Ok(at) = self.axis.starts.binary_search(&declined.slot.start)
                && declined.slot.length() == self.axis.length
                && at != self.home
            {
                timely.clear(at, at + 1);
            }
        }
        timely
    }

    /// The earliest start the evidence allows under a waiver; `None`: none at all.
    fn evidence_start(&self, waiver: Waiver) -> Option<Instant> {
        let situation = self.situation;
        let mut start = self.axis.starts[0];
        for checkpoint in &situation.terms.checkpoints {
            let ready = match (situation.ready(checkpoint), waiver) {
                (Ready::Overdue(expected), Waiver::Rule(Rule::EvidenceOverdue)) => expected,
                (Ready::Overdue(_), _) => return None,
                (_, Waiver::Rule(Rule::BeforeEvidence)) => continue,
                (Ready::At(at), _) => at,
                (Ready::Never, _) => return None,
            };
            start = start.max(ready.plus_minutes(situation.policy.evidence_buffer_minutes));
        }
        Some(start)
    }

    /// Whether this candidate may sit in this role at this start.
    fn may_sit(&self, role: usize, candidate: &RoleCandidate, index: usize, waiver: Waiver) -> bool {
        let seat = &self.people[candidate.person];
        // What was issued stands until a known fact contradicts it.
        let stays = index == self.home && self.roles[role].incumbent == candidate.person;
        let presumed = stays || waiver == Waiver::Unknown(candidate.person);
        candidate.valid.contains(index)
            && !seat.busy.contains(index)
            && (presumed || seat.known.contains(index))
            && (waiver == Waiver::Rule(Rule::OutsideHours) || seat.in_hours.contains(index))
    }

    /// For each role that must be filled, who may sit at this start.
    pub fn seatable(&self, index: usize, waiver: Waiver) -> Vec<Vec<Seatable>> {
        let needed = |role: &usize| waiver != Waiver::Role(*role);
        (0..self.roles.len())
            .filter(needed)
            .map(|role| {
                let seats = &self.roles[role];
                let may_sit = |candidate: &&RoleCandidate| self.may_sit(role, candidate, index, waiver);
                let seatable = |candidate: &RoleCandidate| Seatable {
                    person: candidate.person,
                    rank: candidate.rank,
                    substitution: candidate.person != seats.incumbent,
                };
                seats.candidates.iter().filter(may_sit).map(seatable).collect()
            })
            .collect()
    }

    pub fn assign(&self, index: usize, waiver: Waiver) -> Option<Assignment> {
        let distinct = self.situation.policy.distinct_people && waiver != Waiver::Rule(Rule::SharedPerson);
        let mut seatable = self.seatable(index, waiver);
        if self.keeps_seats_alone(index) {
            seatable.iter_mut().for_each(|role| role.retain(|seat| !seat.substitution));
        }
        if seatable.iter().any(Vec::is_empty) {
            return None;
        }
        assignment::assign_except(&seatable, distinct, &self.left_out(index))
    }

    /// Whether the owner declined this slot, whoever attends or as it would be seated.
    pub fn is_declined(&self, index: usize) -> bool {
        let slot = self.axis.slot(index);
        self.declined.iter().any(|declined| declined.slot == slot)
            && (!self.timely(Waiver::Nothing).contains(index) || self.assign(index, Waiver::Nothing).is_none())
    }

    /// A declined slot is left out whoever attends, but the authoritative one stays as it is.
    fn keeps_seats_alone(&self, index: usize) -> bool {
        let declined = |declined: &Declined| declined.attendees.is_none() && declined.slot == self.authoritative.slot;
        index == self.home && self.declined.iter().any(declined)
    }

    /// Whether the authoritative slot with the authoritative attendees is declined: its freeze edge was.
    fn is_edge_declined(&self) -> bool {
        self.situation.freezes.is_edge(&self.authoritative.slot)
            && self.declined.iter().any(|declined| declined.freeze_edge)
    }

    /// The seatings of this slot that the owner declined.
    fn left_out(&self, index: usize) -> Vec<Vec<usize>> {
        let slot = self.axis.slot(index);
        let person = |attendee: &Person| self.people.iter().position(|seat| seat.person == attendee);
        let seats = |attendees: &BTreeMap<Role, Person>| attendees.values().map(person).collect();
        let declined = self.declined.iter().filter(|declined| declined.slot == slot);
        let attendees = declined.filter_map(|declined| declined.attendees.as_ref());
        let mut left_out: Vec<Vec<usize>> = attendees.filter_map(seats).collect();
        if index == self.home {
            let authoritative: Vec<usize> = self.roles.iter().map(|role| role.incumbent).collect();
            left_out.retain(|seats| *seats != authoritative);
            left_out.extend(self.is_edge_declined().then_some(authoritative));
        }
        left_out
    }

    /// Viable starts without regard to people sharing: those where each role alone can be filled.
    fn covered(&self, waiver: Waiver) -> Starts {
        let len = self.axis.starts.len();
        let mut covered = Starts::all(len);
        for (index, role) in self.roles.iter().enumerate() {
            if waiver == Waiver::Role(index) {
                continue;
            }
            let mut any = Starts::none(len);
            for candidate in &role.candidates {
                let seat = &self.people[candidate.person];
                let mut sits = candidate.valid.clone();
                sits.and_not(&seat.busy);
                if waiver != Waiver::Unknown(candidate.person) {
                    sits.and(&seat.known);
                }
                if waiver != Waiver::Rule(Rule::OutsideHours) {
                    sits.and(&seat.in_hours);
                }
                if self.may_sit(index, candidate, self.home, waiver) {
                    sits.insert(self.home);
                }
                any.or(&sits);
            }
            covered.and(&any);
        }
        covered
    }

    /// Starts from the authoritative one outward: the later before the earlier of two equally near.
    pub fn outward(&self) -> impl Iterator<Item = usize> {
        let home_start = self.axis.starts[self.home];
        let distance = move |index: usize| self.axis.starts[index].since(home_start).abs();
        let (mut earlier, mut later) = (self.home, self.home);
        let last = self.axis.starts.len();
        std::iter::from_fn(move || {
            let down = earlier.checked_sub(1).map(distance);
            let up = (later < last).then(|| distance(later));
            match (down, up) {
                (Some(down), Some(up)) if down < up => {
                    earlier -= 1;
                    Some(earlier)
                }
                (_, Some(_)) => {
                    later += 1;
                    Some(later - 1)
                }
                (Some(_), None) => {
                    earlier -= 1;
                    Some(earlier)
                }
                (None, None) => None,
            }
        })
    }

    /// The nearest start at which a slot exists under the waiver.
    pub fn nearest(&self, waiver: Waiver) -> Option<(usize, Assignment)> {
        let mut possible = self.timely(waiver);
        possible.and(&self.covered(waiver));
        if possible.is_empty() {
            return None;
        }
        self.outward()
            .filter(|index| possible.contains(*index))
            .find_map(|index| Some((index, self.assign(index, waiver)?)))
    }

    /// The best slot by the policy's preference, the authoritative seats and the pending ones apart.
    pub fn preferred(&self) -> Option<(usize, Assignment)> {
        let mut possible = self.timely(Waiver::Nothing);
        possible.and(&self.covered(Waiver::Nothing));
        if possible.is_empty() {
            return None;
        }
        let home_start = self.axis.starts[self.home];
        let mut best: Option<(i64, usize, Assignment)> = None;
        for index in self.outward().filter(|index| possible.contains(*index)) {
            let distance = self.axis.starts[index].since(home_start).abs();
            if self.situation.policy.prefer == Prefer::KeepTime
                && best.as_ref().is_some_and(|(nearest, ..)| *nearest < distance)
            {
                break;
            }
            let Some(found) = self.assign(index, Waiver::Nothing) else { continue };
            // Outward order has the nearer before the farther and the later before the earlier, so only strictly
            // fewer substitutions displace what was found before.
            if best.as_ref().is_none_or(|(_, _, before)| found.substitutions < before.substitutions) {
                best = Some((distance, index, found));
            }
        }
        best.map(|(_, index, found)| (index, found))
    }

    pub fn choice(&self, index: usize, assignment: &Assignment) -> Choice {
        let seats = self.roles.iter().zip(&assignment.people);
        Choice {
            slot: self.axis.slot(index),
            attendees: seats.map(|(role, person)| (role.role.clone(), self.people[*person].person.clone())).collect(),
        }
    }

    /// Whether a proposal's slot and attendees are still viable as they are.
    pub fn still_viable(&self, packet: &Packet) -> bool {
        let Ok(index) = self.axis.starts.binary_search(&packet.slot.start) else { return false };
        if packet.slot.length() != self.axis.length || !self.timely(Waiver::Nothing).contains(index) {
            return false;
        }
        let seated: Option<Vec<usize>> = self
            .roles
            .iter()
            .map(|role| {
                let attendee = packet.attendees.get(role.role)?;
                self.people.iter().position(|seat| seat.person == attendee)
            })
            .collect();
        let Some(seated) = seated else { return false };
        let seatable = self.seatable(index, Waiver::Nothing);
        let fits = seated.iter().zip(&seatable).all(|(person, role)| role.iter().any(|seat| seat.person == *person));
        let mut people = seated;
        people.sort_unstable();
        let shared = people.windows(2).any(|pair| pair[0] == pair[1]);
        let shares = shared && self.situation.policy.distinct_people;
        // What was declined is not asked here: a decline ends the proposal, and what is left out is never proposed.
        fits && !shares
    }
}
