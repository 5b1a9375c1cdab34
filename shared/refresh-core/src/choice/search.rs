//! Is a slot viable, and which viable slot? The search over starts and people, as sets of starts.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    Instant, Person, Role,
    base::instant::{DAY, Slot},
    choice::{
        assignment::{self, Assignment, Seatable, Sharing},
        availability::{Known, Time},
        candidates::{Candidate, Candidates, Hindrance, RoleCandidates},
        seating::SeatMatching,
        situation::Ready,
        starts::{self, Starts},
    },
    facts::policy::Prefer,
    record::{
        packet::{Choice, Packet},
        proposal::{Declined, Pending},
        rule::SlotRule,
    },
};

/// One rule left out, to see whether it alone stands in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiver {
    /// No rule is left out.
    Nothing,
    /// This rule is left out.
    Rule(SlotRule),
    /// The role need not be filled; by index.
    Role(usize),
    /// The person's unknown time counts as free; by index.
    Unknown(usize),
}

/// The rules about time: which starts they allow, people apart.
impl Candidates<'_> {
    /// The starts of new proposals that the rules about time, freezes and declined slots allow.
    pub fn timely(&self, waiver: Waiver) -> Vec<u64> {
        self.timely_from(TimeLeft::NoticeAndDecision, waiver)
    }

    fn timely_from(&self, time: TimeLeft, waiver: Waiver) -> Vec<u64> {
        let axis = &self.axis;
        let waived = |rule: SlotRule| waiver == Waiver::Rule(rule);
        let mut timely = starts::all(axis.count());

        // Notice first: the authoritative slot needs none.
        let earliest = match time {
            _ if waived(SlotRule::Notice) => self.situation.now,
            TimeLeft::Notice => self.situation.notice_start(),
            TimeLeft::NoticeAndDecision => self.situation.proposal_start(),
        };
        starts::keep(&mut timely, axis.from(earliest));
        starts::insert(&mut timely, axis.home());
        // A start before now is past, waiver or not.
        starts::keep(&mut timely, axis.from(self.situation.now));

        match self.evidence_start(waiver) {
            Some(start) => starts::keep(&mut timely, axis.from(start)),
            None => timely.fill(0),
        }
        if time == TimeLeft::NoticeAndDecision && !waived(SlotRule::Overdue) {
            starts::subtract(&mut timely, &self.near_while_overdue());
        }
        if let Some(change) = self.situation.in_force() {
            if waived(SlotRule::Window) {
                let near = |days: i64| self.authoritative.slot.start.plus_millis(days * DAY);
                starts::keep(&mut timely, axis.from(near(-7)).start..axis.from(near(7).plus_millis(1)).start);
            } else {
                starts::keep(&mut timely, axis.inside(&change.window));
            }
        }
        if let Some(end) = self.situation.cutover_end().filter(|_| !waived(SlotRule::Cutover)) {
            starts::keep(&mut timely, axis.ending_by(end));
        }
        if !waived(SlotRule::Freeze) {
            self.clear_freezes(&mut timely);
        }
        for declined in self.declined.iter().filter(|declined| declined.attendees.is_none()) {
            // At the authoritative slot it depends on who attends.
            if let Some(start) = axis.index(&declined.slot).filter(|start| *start != axis.home()) {
                starts::clear(&mut timely, start..start + 1);
            }
        }
        timely
    }

    /// While evidence is overdue: the starts of new proposals that come too near before their owner has had the time to decide.
    /// The authoritative slot asks for no decision.
    pub fn near_while_overdue(&self) -> Vec<u64> {
        let mut near = starts::none(self.axis.count());
        if let Some(start) = self.situation.overdue_proposal_start() {
            starts::fill(&mut near, 0..self.axis.count());
            starts::clear(&mut near, self.axis.from(start));
            starts::clear(&mut near, self.axis.home()..self.axis.home() + 1);
        }
        near
    }

    /// Removes the starts whose slot crosses a protected freeze.
    fn clear_freezes(&self, set: &mut Starts) {
        for (freeze, _) in self.situation.freezes.iter().filter(|(_, protected)| *protected) {
            starts::clear(set, self.axis.overlapping(&freeze));
        }
    }

    /// The earliest start the evidence allows under a waiver; `None`: none at all.
    fn evidence_start(&self, waiver: Waiver) -> Option<Instant> {
        let situation = self.situation;
        let mut start = self.axis.start(0);
        for checkpoint in &situation.terms.checkpoints {
            let ready = match (situation.ready(checkpoint), waiver) {
                (Ready::Overdue(expected), Waiver::Rule(SlotRule::Overdue)) => expected,
                // The lead is from now, not from a time at which anything is ready: no buffer comes after it.
                (Ready::Overdue(_), _) => {
                    start = start.max(situation.overdue_start()?);
                    continue;
                }
                (_, Waiver::Rule(SlotRule::Evidence)) => continue,
                (Ready::At(at), _) => at,
                (Ready::Never, _) => return None,
            };
            start = start.max(ready.plus_minutes(situation.policy.evidence_buffer_minutes));
        }
        Some(start)
    }

    /// The starts at which each role alone can be filled.
    pub fn covered(&self) -> Vec<u64> {
        let mut covered = starts::all(self.axis.count());
        self.filled.iter().take(self.roles.len()).for_each(|filled| starts::intersect(&mut covered, filled));
        covered
    }
}

/// The rules about people, at one start.
impl Candidates<'_> {
    fn may_sit_under(&self, role: usize, candidate: &Candidate, start: usize, waiver: Waiver) -> bool {
        if self.may_sit(role, candidate, start) {
            return true;
        }
        match waiver {
            Waiver::Unknown(person) => {
                candidate.person == person && self.hindrance(candidate, start) == Some(Hindrance::Unknown)
            }
            _ => false,
        }
    }

    /// For each role that must be filled, who may sit at this start.
    pub fn seatable(&self, start: usize, waiver: Waiver) -> Vec<Vec<Seatable>> {
        let needed = (0..self.roles.len()).filter(|role| waiver != Waiver::Role(*role));
        needed.map(|role| self.seatable_in(role, start, waiver).collect()).collect()
    }

    /// Who may sit in this role at this start.
    pub fn seatable_in(&self, role: usize, start: usize, waiver: Waiver) -> impl Iterator<Item = Seatable> {
        let incumbent = self.roles[role].incumbent;
        let may_sit = move |candidate: &&Candidate| self.may_sit_under(role, candidate, start, waiver);
        self.roles[role].candidates.iter().filter(may_sit).map(move |candidate| Seatable {
            person: candidate.person,
            rank: candidate.rank,
            substitution: candidate.person != incumbent,
        })
    }

    /// The best assignment at a start.
    pub fn assign(&self, start: usize, waiver: Waiver) -> Option<Assignment> {
        let (seatable, sharing) = self.choices(start, waiver);
        assignment::assign_except(&seatable, sharing, &self.left_out(start))
    }

    /// Whether there is any assignment at a start.
    pub fn can_be_assigned(&self, start: usize, waiver: Waiver) -> bool {
        let (seatable, sharing) = self.choices(start, waiver);
        assignment::is_possible(&seatable, sharing, &self.left_out(start))
    }

    /// Who may sit in which role at a start, and whether nobody may sit twice.
    fn choices(&self, start: usize, waiver: Waiver) -> (Vec<Vec<Seatable>>, Sharing) {
        let distinct = self.must_be_distinct() && waiver != Waiver::Rule(SlotRule::Shared);
        let sharing = if distinct { Sharing::Forbidden } else { Sharing::Allowed };
        let mut seatable = self.seatable(start, waiver);
        if self.keeps_seats_alone(start) {
            seatable.iter_mut().for_each(|role| role.retain(|seat| !seat.substitution));
        }
        (seatable, sharing)
    }

    /// Whether the policy asks for distinct people, and somebody is a candidate for two roles.
    pub fn must_be_distinct(&self) -> bool {
        self.situation.policy.distinct_people && self.shares_people
    }

    /// Whether the owner declined this slot, whoever attends or as it would be seated.
    pub fn is_declined(&self, start: usize) -> bool {
        let slot = self.axis.slot(start);
        self.declined.iter().any(|declined| declined.slot == slot)
            && (!starts::contains(&self.timely(Waiver::Nothing), start)
                || !self.can_be_assigned(start, Waiver::Nothing))
    }

    /// The starts of which a seating was declined: what can be seated there is looked at one by one.
    pub fn partly_declined(&self) -> Vec<u64> {
        let mut set = starts::none(self.axis.count());
        for start in self.declined.iter().filter_map(|declined| self.axis.index(&declined.slot)) {
            starts::insert(&mut set, start);
        }
        if self.is_edge_declined() {
            starts::insert(&mut set, self.axis.home());
        }
        set
    }

    /// A declined slot is left out whoever attends, but the authoritative one stays as it is.
    fn keeps_seats_alone(&self, start: usize) -> bool {
        let declined = |declined: &Declined| declined.attendees.is_none() && declined.slot == self.authoritative.slot;
        start == self.axis.home() && self.declined.iter().any(declined)
    }

    /// Whether the authoritative slot with the authoritative attendees is declined: its freeze edge was.
    fn is_edge_declined(&self) -> bool {
        self.declined.iter().any(|declined| declined.freeze_edge)
            && self.situation.freezes.is_edge(&self.authoritative.slot)
    }

    /// The seatings of this slot that the owner declined.
    fn left_out(&self, start: usize) -> Vec<Vec<usize>> {
        if self.declined.is_empty() {
            return Vec::new();
        }
        let slot = self.axis.slot(start);
        let person = |attendee: &Person| self.people.iter().position(|person| *person == attendee);
        let seats = |attendees: &BTreeMap<Role, Person>| attendees.values().map(person).collect();
        let declined = self.declined.iter().filter(|declined| declined.slot == slot);
        let attendees = declined.filter_map(|declined| declined.attendees.as_ref());
        let mut left_out: Vec<Vec<usize>> = attendees.filter_map(seats).collect();
        if start == self.axis.home() {
            let authoritative: Vec<usize> = self.roles.iter().map(|role| role.incumbent).collect();
            left_out.retain(|seats| *seats != authoritative);
            left_out.extend(self.is_edge_declined().then_some(authoritative));
        }
        left_out
    }
}

/// Which viable slot.
impl Candidates<'_> {
    /// Starts of a set from the authoritative one outward: the later before the earlier of two equally near.
    pub fn outward<'s>(&'s self, set: &'s Starts) -> impl Iterator<Item = usize> + 's {
        self.axis.outward_by(|from| starts::next(set, from), |before| starts::previous(set, before))
    }

    /// The best slot by the policy's preference, the authoritative seats and the pending ones apart.
    pub fn preferred(&self) -> Option<(usize, Assignment)> {
        let mut possible = self.timely(Waiver::Nothing);
        starts::intersect(&mut possible, &self.covered());
        let mut trial = Trial::of(self);
        // How near, how many substitutions, where.
        let mut best: Option<(i64, u32, usize)> = None;
        for start in self.outward(&possible) {
            let displacement = self.axis.displacement(start);
            if self.situation.policy.prefer == Prefer::KeepTime
                && best.is_some_and(|(nearest, ..)| nearest < displacement)
            {
                break;
            }
            // Outward order has the nearer start first, and the later of two equally near. So only strictly fewer
            // substitutions displace an earlier find.
            let below = best.map_or(u32::MAX, |(_, substitutions, _)| substitutions);
            if let Some(substitutions) = trial.substitutions(start, below) {
                best = Some((displacement, substitutions, start));
            }
        }
        let (_, _, start) = best?;
        Some((start, self.assign(start, Waiver::Nothing)?))
    }

    /// The slot of a start, with the people of an assignment.
    pub fn choice(&self, start: usize, assignment: &Assignment) -> Choice {
        let seats = self.roles.iter().zip(&assignment.people);
        Choice {
            slot: self.axis.slot(start),
            attendees: seats.map(|(role, person)| (role.role.clone(), self.people[*person].clone())).collect(),
        }
    }

    /// Whether the present proposal's slot and attendees are still viable as they are. Of what other reviews propose to
    /// these people, only what comes before it counts.
    pub fn still_viable(&self, packet: &Packet, present: &Pending) -> bool {
        // An owner who was asked has had the time to decide: what the proposal needs from now on is the notice.
        let time = if present.is_told() { TimeLeft::Notice } else { TimeLeft::NoticeAndDecision };
        self.is_viable(&packet.slot, &packet.attendees, time, |candidate, start| {
            self.keeps_proposed(candidate, start, present.is_told())
                && !self.situation.yields(self.people[candidate.person], &self.axis.slot(start), present)
        })
    }

    /// Whether what was left undecided could be proposed again as it is. `others`: what other reviews propose to these people.
    /// That takes nobody out of it as long as nothing is proposed here: those proposals end, too.
    pub fn left_viable(&self, left: &Choice, others: OthersProposals) -> bool {
        self.is_viable(&left.slot, &left.attendees, TimeLeft::NoticeAndDecision, |candidate, start| {
            let (person, slot) = (self.people[candidate.person], self.axis.slot(start));
            let proposed = || self.situation.proposed_elsewhere(person).any(|proposed| proposed.overlaps(&slot));
            self.keeps_proposed(candidate, start, true) && (others == OthersProposals::Ignored || !proposed())
        })
    }

    fn is_viable(
        &self,
        slot: &Slot,
        attendees: &BTreeMap<Role, Person>,
        time: TimeLeft,
        stays: impl Fn(&Candidate, usize) -> bool,
    ) -> bool {
        let Some(start) = self.axis.index(slot) else { return false };
        if !starts::contains(&self.timely_from(time, Waiver::Nothing), start) {
            return false;
        }
        let fits = |(index, role): (usize, &RoleCandidates<'_>)| {
            attendees.get(role.role).is_some_and(|attendee| {
                let mut seats = role.candidates.iter().filter(|candidate| self.people[candidate.person] == attendee);
                seats.any(|candidate| self.may_sit(index, candidate, start) || stays(candidate, start))
            })
        };
        let people: BTreeSet<&Person> = attendees.values().collect();
        let shares = self.situation.policy.distinct_people && people.len() < attendees.len();
        // Declined choices are not asked about here: a decline ends the proposal, and a choice that is left out is
        // never proposed.
        !shares && self.roles.iter().enumerate().all(fits)
    }
}

/// What other reviews propose to the people of a choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OthersProposals {
    /// It takes these people.
    Counted,
    /// It takes nobody.
    Ignored,
}

/// How much time a slot must leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum TimeLeft {
    /// The notice.
    Notice,
    /// The notice, and before that the owner's time to decide.
    NoticeAndDecision,
}

/// What other reviews propose to the same people.
impl Candidates<'_> {
    /// Whether other reviews propose anything in the packet's slot to any of its attendees.
    pub fn is_contested(&self, packet: &Packet) -> bool {
        let mut proposed = packet.attendees.values().flat_map(|person| self.situation.proposed_elsewhere(person));
        proposed.any(|slot| slot.overlaps(&packet.slot))
    }

    /// Whether nothing stands against a candidate but what other reviews propose. Where people were told of the proposal, its
    /// hold stands in calendars, or one before it still does: that an entry may be ours takes nobody out of it. Otherwise a
    /// proposal would flee from its own hold.
    fn keeps_proposed(&self, candidate: &Candidate, start: usize, told: bool) -> bool {
        let (person, slot, situation) = (self.people[candidate.person], self.axis.slot(start), self.situation);
        let known = || {
            let time = Time::of(person, situation.silence.heard(situation.facts), &self.ours);
            if told { time.in_slot_but_for_ours(&slot) } else { time.in_slot(&slot) }
        };
        candidate.valid.contains(&start)
            && self.hours(candidate.person).is_none_or(|hours| starts::contains(hours, start))
            && !situation.taken_elsewhere(person).any(|taken| taken.overlaps(&slot))
            && known() == Known::Free
    }

    /// Whether the packet, which is viable, comes before what was found, in the order of the policy's preference.
    pub fn is_better(&self, packet: &Packet, found: Option<&(usize, Assignment)>) -> bool {
        let Some((start, seats)) = found else { return true };
        let Some(index) = self.axis.index(&packet.slot) else { return false };
        let seat = |role: &RoleCandidates<'_>| {
            let attendee = packet.attendees.get(role.role)?;
            let of_packet = |candidate: &&Candidate| self.people[candidate.person] == attendee;
            let candidate = role.candidates.iter().filter(of_packet).min_by_key(|candidate| candidate.rank)?;
            Some((candidate.rank, candidate.person != role.incumbent))
        };
        let Some(own) = self.roles.iter().map(seat).collect::<Option<Vec<_>>>() else { return false };
        let substitutions = own.iter().filter(|(_, substitution)| *substitution).count() as u32;
        let ranks: Vec<u32> = own.into_iter().map(|(rank, _)| rank).collect();
        self.order(index, substitutions, &ranks) < self.order(*start, seats.substitutions, &seats.ranks)
    }

    /// What choices are compared by: the lesser is the better.
    fn order<'r>(&self, start: usize, substitutions: u32, ranks: &'r [u32]) -> (i64, i64, Reverse<usize>, &'r [u32]) {
        let (displacement, substitutions) = (self.axis.displacement(start), i64::from(substitutions));
        match self.situation.policy.prefer {
            Prefer::KeepTime => (displacement, substitutions, Reverse(start), ranks),
            Prefer::KeepPeople => (substitutions, displacement, Reverse(start), ranks),
        }
    }
}

/// Starts tried from the authoritative one outward.
struct Trial<'c> {
    candidates: &'c Candidates<'c>,
    partly_declined: Vec<u64>,
    /// Before and after the authoritative start: each side's next start is a neighbour of its last.
    seatings: Option<[SeatMatching; 2]>,
}

impl<'c> Trial<'c> {
    fn of(candidates: &'c Candidates<'c>) -> Self {
        let seating = || SeatMatching::new(candidates);
        let seatings = candidates.must_be_distinct().then(|| [seating(), seating()]);
        Self { candidates, partly_declined: candidates.partly_declined(), seatings }
    }

    /// The fewest substitutions with which all roles can be filled at a start, where they are fewer than `below`.
    fn substitutions(&mut self, start: usize, below: u32) -> Option<u32> {
        let candidates = self.candidates;
        if starts::contains(&self.partly_declined, start) {
            let best = candidates.assign(start, Waiver::Nothing)?;
            return Some(best.substitutions).filter(|needed| *needed < below);
        }
        let kept = (0..candidates.roles.len()).filter(|role| candidates.keeps_incumbent(*role, start)).count();
        let least = (candidates.roles.len() - kept) as u32;
        if least >= below {
            return None;
        }
        let Some(seatings) = &mut self.seatings else { return Some(least) };
        let side = usize::from(start < candidates.axis.home());
        if !seatings[side].is_complete(candidates, start) {
            return None;
        }
        assignment::fewest_substitutions(&candidates.seatable(start, Waiver::Nothing), below)
    }
}

impl Candidates<'_> {
    fn keeps_incumbent(&self, role: usize, start: usize) -> bool {
        let seats = &self.roles[role];
        let mut incumbents = seats.candidates.iter().filter(|candidate| candidate.person == seats.incumbent);
        incumbents.any(|candidate| self.may_sit(role, candidate, start))
    }
}
