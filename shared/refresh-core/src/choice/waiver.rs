//! Where no slot is viable: every rule whose waiver alone would give a slot, the nearest such slot, and the miss.

use crate::{
    Instant, Person,
    base::instant::{MINUTE, Slot, minutes_up},
    choice::{
        assignment::Assignment,
        candidates::Candidates,
        gap,
        search::Waiver,
        seating::{Filling, SeatMatching},
        situation::Ready,
        starts::{self, Rows, Starts},
        working_hours,
    },
    record::{exception::Reason, rule::SlotRule},
};

/// The rules about time: their waiver opens other starts, and the same people may sit at each.
const TIME_RULES: [SlotRule; 5] =
    [SlotRule::Freeze, SlotRule::Cutover, SlotRule::Evidence, SlotRule::Overdue, SlotRule::Notice];

/// Only asked where no slot is viable: a waiver helps only where it opens something. `candidates` reach as far as waivers
/// lead, `week` as far as that of the window does.
pub fn reasons(candidates: Candidates<'_>, week: &Candidates<'_>) -> Vec<Reason> {
    let timely = candidates.timely(Waiver::Nothing);
    let opened = TIME_RULES.map(|rule| (rule, candidates.timely(Waiver::Rule(rule))));
    let mut ever_timely = timely.clone();
    opened.iter().for_each(|(_, opened)| starts::unite(&mut ever_timely, opened));

    let fillings = Fillings::of(&candidates, &ever_timely, &timely);
    let mut reasons = Vec::new();
    for (rule, opened) in &opened {
        reasons.extend(by_rule(&candidates, &fillings, *rule, common(opened, &fillings.all)));
    }
    reasons.extend(by_one_rule(week, SlotRule::Window));
    if candidates.must_be_distinct() {
        reasons.extend(by_rule(&candidates, &fillings, SlotRule::Shared, common(&timely, &candidates.covered())));
    }
    for role in 0..candidates.roles.len() {
        reasons.extend(by_role(&candidates, &fillings, role, common(&timely, fillings.all_but.row(role))));
    }
    let proven = fillings.if_proven(&candidates);
    for person in 0..candidates.people.len() {
        reasons.extend(by_person(&candidates, &fillings, person, common(&timely, proven.row(person))));
    }
    if candidates.situation.policy.working_hours.is_some() {
        reasons.extend(by_one_rule(&candidates.at_any_hour(), SlotRule::Hours));
    }
    if reasons.is_empty() {
        reasons.push(Reason::NoCommonSlot);
    }
    reasons.sort_by(|a, b| a.identity().cmp(&b.identity()));
    reasons
}

fn common(one: &Starts, other: &Starts) -> Vec<u64> {
    let mut both = one.to_vec();
    starts::intersect(&mut both, other);
    both
}

/// At which starts all roles can be filled, and at which all but one. Neither depends on a rule about time, so each is
/// found once for all waivers. Every set holds the authoritative start, and the starts of which a seating was declined:
/// those are looked at one by one.
struct Fillings {
    all: Vec<u64>,
    /// Per role, the starts at which all roles can be filled if this one need not be, and not otherwise.
    all_but: Rows,
    one_by_one: Vec<u64>,
}

impl Fillings {
    /// `complete`: where it matters whether all roles can be filled; `nearly`: where it matters which one is missing.
    fn of(candidates: &Candidates<'_>, complete: &Starts, nearly: &Starts) -> Self {
        let len = candidates.axis.count();
        let mut one_by_one = candidates.partly_declined();
        starts::insert(&mut one_by_one, candidates.axis.home());
        let mut fillings =
            Self { all: starts::none(len), all_but: Rows::none(candidates.roles.len(), len), one_by_one };
        let unfilled = Unfilled::of(candidates);
        if candidates.must_be_distinct() {
            let mut open = complete.to_vec();
            starts::subtract(&mut open, &unfilled.some);
            starts::unite(&mut open, &{
                let mut nearly = nearly.to_vec();
                starts::subtract(&mut nearly, &unfilled.several);
                nearly
            });
            fillings.seat_people(candidates, &open);
        } else {
            fillings.count_roles(candidates, &unfilled);
        }
        starts::unite(&mut fillings.all, &fillings.one_by_one);
        for role in 0..candidates.roles.len() {
            starts::unite(fillings.all_but.row_mut(role), &fillings.one_by_one);
        }
        fillings
    }

    /// Nobody could sit twice: a start lacks a role exactly where nobody may fill that role.
    fn count_roles(&mut self, candidates: &Candidates<'_>, unfilled: &Unfilled) {
        self.all = starts::all(candidates.axis.count());
        starts::subtract(&mut self.all, &unfilled.some);
        for role in 0..candidates.roles.len() {
            let row = self.all_but.row_mut(role);
            row.copy_from_slice(&unfilled.some);
            starts::subtract(row, &unfilled.several);
            starts::subtract(row, candidates.filled.row(role));
        }
    }

    /// One seating for each run of starts at which the same people may sit.
    fn seat_people(&mut self, candidates: &Candidates<'_>, open: &Starts) {
        let edges = candidates.edges();
        let mut seating = SeatMatching::new(candidates);
        let mut run_end = 0;
        let mut filling = Filling::Fewer;
        for start in starts::each(open) {
            if start >= run_end {
                filling = seating.fill(candidates, start);
                run_end = starts::next(&edges, start + 1).unwrap_or(usize::MAX);
            }
            match &filling {
                Filling::All => starts::insert(&mut self.all, start),
                Filling::AllButOne(roles) => {
                    roles.iter().for_each(|role| starts::insert(self.all_but.row_mut(*role), start));
                }
                Filling::Fewer => {}
            }
        }
    }

    /// The nearest of the starts that are open under a waiver, those that are looked at one by one included.
    fn nearest(&self, candidates: &Candidates<'_>, waiver: Waiver, open: &Starts) -> Option<usize> {
        let looked_at = |start: &usize| starts::contains(&self.one_by_one, *start);
        candidates.outward(open).find(|start| !looked_at(start) || candidates.can_be_assigned(*start, waiver))
    }

    /// Per person, the starts at which all roles could be filled if the person's unknown time were free.
    fn if_proven(&self, candidates: &Candidates<'_>) -> Rows {
        let mut proven = Rows::none(candidates.people.len(), candidates.axis.count());
        for (index, role) in candidates.roles.iter().enumerate() {
            // A person takes the one role that is missing: who is unknown has no seat to leave.
            for candidate in &role.candidates {
                let helps = common(&candidates.unproven(candidate), self.all_but.row(index));
                starts::unite(proven.row_mut(candidate.person), &helps);
            }
        }
        if candidates.shares_people && !candidates.must_be_distinct() {
            self.several_roles_if_proven(candidates, &mut proven);
        }
        proven
    }
}

impl Fillings {
    /// Where one person may sit twice, they could take several missing roles at once.
    fn several_roles_if_proven(&self, candidates: &Candidates<'_>, proven: &mut Rows) {
        for person in 0..candidates.people.len() {
            let mut filled = starts::all(candidates.axis.count());
            for (index, role) in candidates.roles.iter().enumerate() {
                let mut with = candidates.filled.row(index).to_vec();
                for candidate in role.candidates.iter().filter(|candidate| candidate.person == person) {
                    starts::unite(&mut with, &candidates.unproven(candidate));
                }
                starts::intersect(&mut filled, &with);
            }
            starts::unite(proven.row_mut(person), &filled);
        }
    }
}

/// Where roles have nobody who may fill them.
struct Unfilled {
    some: Vec<u64>,
    /// More than one role.
    several: Vec<u64>,
}

impl Unfilled {
    fn of(candidates: &Candidates<'_>) -> Self {
        let len = candidates.axis.count();
        let (mut some, mut several) = (starts::none(len), starts::none(len));
        for role in 0..candidates.roles.len() {
            let mut unfilled = starts::all(len);
            starts::subtract(&mut unfilled, candidates.filled.row(role));
            starts::unite(&mut several, &common(&some, &unfilled));
            starts::unite(&mut some, &unfilled);
        }
        Self { some, several }
    }
}

fn by_rule(candidates: &Candidates<'_>, fillings: &Fillings, rule: SlotRule, open: Vec<u64>) -> Option<Reason> {
    let waiver = Waiver::Rule(rule);
    let start = fillings.nearest(candidates, waiver, &open)?;
    let seats = candidates.assign(start, waiver)?;
    let slot = candidates.axis.slot(start);
    Some(match rule {
        SlotRule::Shared => Reason::Shared { person: twice_seated(candidates, &seats).cloned(), slot },
        _ => {
            let missed_by_minutes = missed_by(candidates, rule, &slot, &seats).map(minutes_up);
            Reason::Waiver { rule, slot, missed_by_minutes }
        }
    })
}

/// The same where nothing of other waivers is of use: other starts, or other people may sit at them.
fn by_one_rule(candidates: &Candidates<'_>, rule: SlotRule) -> Option<Reason> {
    let open = candidates.timely(Waiver::Rule(rule));
    let fillings = Fillings::of(candidates, &open, &starts::none(candidates.axis.count()));
    by_rule(candidates, &fillings, rule, common(&open, &fillings.all))
}

fn by_person(candidates: &Candidates<'_>, fillings: &Fillings, person: usize, open: Vec<u64>) -> Option<Reason> {
    let start = fillings.nearest(candidates, Waiver::Unknown(person), &open)?;
    let slot = candidates.axis.slot(start);
    Some(Reason::Unknown { person: candidates.people[person].clone(), slot })
}

/// By how much the slot breaks the rule, in milliseconds. `None` for waivers of people, and where nothing says when.
fn missed_by(candidates: &Candidates<'_>, rule: SlotRule, slot: &Slot, seats: &Assignment) -> Option<i64> {
    let situation = candidates.situation;
    let buffer = situation.policy.evidence_buffer_minutes * MINUTE;
    let ready = || situation.terms.checkpoints.iter().map(|checkpoint| situation.ready(checkpoint));
    match rule {
        SlotRule::Freeze => Some(situation.freezes.crossing(slot)),
        SlotRule::Window => {
            let window = situation.in_force()?.window;
            Some(window.start.since(slot.start).max(slot.end.since(window.end)))
        }
        SlotRule::Cutover => Some(slot.end.since(situation.cutover_end()?)),
        SlotRule::Evidence => ready()
            .map(|ready| match ready {
                Ready::At(at) => Some(at.plus_millis(buffer).since(slot.start)),
                // A slot that leaves the lead misses nothing by what is overdue.
                Ready::Overdue(_) => situation.overdue_start().map(|_| 0),
                Ready::Never => None,
            })
            .try_fold(0, |most, missed| Some(most.max(missed?))),
        SlotRule::Overdue => ready()
            .filter_map(|ready| match ready {
                Ready::Overdue(expected) => Some(match overdue_start(candidates, slot) {
                    Some(start) => start.since(slot.start),
                    None => situation.now.since(expected),
                }),
                Ready::At(_) | Ready::Never => None,
            })
            .max(),
        SlotRule::Notice => Some(situation.proposal_start().since(slot.start)),
        SlotRule::Hours => {
            seats.people.iter().map(|person| outside_hours(candidates, candidates.people[*person], slot)).max()
        }
        _ => None,
    }
}

/// What overdue evidence asks of the slot: the lead, and of a new one the owner's time to decide.
fn overdue_start(candidates: &Candidates<'_>, slot: &Slot) -> Option<Instant> {
    let situation = candidates.situation;
    let stays = *slot == candidates.authoritative.slot;
    if stays { situation.overdue_start() } else { situation.overdue_proposal_start() }
}

/// How much of the slot lies outside the working day it has most in common with.
fn outside_hours(candidates: &Candidates<'_>, person: &Person, slot: &Slot) -> i64 {
    let Some(hours) = &candidates.situation.policy.working_hours else { return 0 };
    let days = working_hours::days(hours, candidates.situation.zone(person), *slot);
    slot.length() - days.iter().map(|day| day.overlap(slot)).max().unwrap_or(0)
}

fn twice_seated<'a>(candidates: &Candidates<'a>, seats: &Assignment) -> Option<&'a Person> {
    let twice = |person: &&usize| seats.people.iter().filter(|other| other == person).count() > 1;
    seats.people.iter().filter(twice).map(|person| candidates.people[*person]).min()
}

/// The time around the nearest slot in which nobody eligible is free for the role, and who covered it last.
fn by_role(candidates: &Candidates<'_>, fillings: &Fillings, role: usize, open: Vec<u64>) -> Option<Reason> {
    let start = fillings.nearest(candidates, Waiver::Role(role), &open)?;
    let seats = &candidates.roles[role];
    let slot = candidates.axis.slot(start);
    let before = starts::previous(candidates.filled.row(role), start).and_then(|start| {
        let seats = candidates.seatable_in(role, start, Waiver::Nothing);
        seats.min_by_key(|seat| (seat.substitution, seat.rank)).map(|seat| seat.person)
    });
    Some(Reason::Uncovered {
        role: seats.role.clone(),
        slot,
        gap: gap::around(candidates, seats.role, slot),
        last_cover: candidates.people[before.unwrap_or(seats.incumbent)].clone(),
    })
}
