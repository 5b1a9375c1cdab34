//! The judge: every grid point and every assignment, one after the other, by the sentences of the rules. Slow and plain
//! on purpose: where a rule can be written as a loop, it is one.

use std::{cmp::Reverse, collections::BTreeSet};

use crate::{
    case::{Case, Content, DAY, Diary, Elsewhere, Evidence, MINUTE, Pending, Proposal, Proposed, Seats, Span, Time},
    entries, hours, ledger,
    waivers::{self, Waived},
};

/// The one rule that is waived, if any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waive {
    Nothing,
    Freeze,
    Window,
    Lead,
    Evidence,
    Overdue,
    Role(usize),
    Notice,
    Distinct,
    Hours,
    Unknown(usize),
    /// That an entry of a calendar may be ours is no matter.
    Ours,
}

/// What the facts ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    Keep,
    Propose(Proposal),
    /// Role without holder, role without delegate list, no approved change, or a change without an owner.
    Incomplete(BTreeSet<String>),
    DeclinedOnly,
    /// A source is silent: nothing new is proposed.
    Wait,
    /// The owner stands by what there is.
    Stand,
    Nothing(Vec<Waived>),
}

/// When a checkpoint is ready; `None` where nothing says so, or it is overdue.
pub fn ready(case: &Case, checkpoint: usize) -> Option<Time> {
    match case.facts.evidence[checkpoint]? {
        Evidence::Ready(at) => Some(minute(at)),
        Evidence::Expected(Some(at)) if case.now < minute(at) + case.rules.grace => Some(minute(at)),
        Evidence::Expected(_) | Evidence::Withdrawn => None,
    }
}

/// Ready times count to the minute.
fn minute(at: Time) -> Time {
    at.div_euclid(MINUTE) * MINUTE
}

/// Since when a checkpoint that was expected is missed, its grace over.
pub fn overdue(case: &Case, checkpoint: usize) -> Option<Time> {
    match case.facts.evidence[checkpoint]? {
        Evidence::Expected(Some(at)) if ready(case, checkpoint).is_none() => Some(minute(at)),
        _ => None,
    }
}

/// What a packet for that slot says today.
pub fn content(case: &Case, slot: Span) -> Content {
    let change = case.facts.change;
    Content {
        ready: (0..case.facts.evidence.len()).map(|checkpoint| ready(case, checkpoint)).collect(),
        window: change.map(|change| change.window),
        cutover: change.map(|change| change.cutover),
        edge: is_edge(case, slot),
    }
}

/// Every rule that the authoritative slot and attendees break, and whose seats nothing proves.
pub fn violated(case: &Case) -> BTreeSet<String> {
    let mut marks = BTreeSet::new();
    let (slot, seats) = (case.review.slot, &case.review.seats);
    for checkpoint in 0..case.facts.evidence.len() {
        let late = overdue(case, checkpoint).is_some();
        if late {
            marks.insert(format!("overdue:{checkpoint}"));
        }
        let far = late && case.rules.overdue_lead.is_some_and(|lead| case.now + lead <= slot.from);
        if !far && ready(case, checkpoint).is_none_or(|at| slot.from < at + case.rules.buffer) {
            marks.insert("evidence".to_owned());
        }
    }
    if let Some(change) = case.facts.change {
        if slot.from < change.window.from || change.window.to < slot.to {
            marks.insert("window".to_owned());
        }
        if slot.to > change.cutover - case.rules.lead {
            marks.insert("cutover".to_owned());
        }
        if change.cancelled {
            marks.insert("cancelled".to_owned());
        }
    }
    if case.facts.freezes.iter().any(|(freeze, protected)| *protected && freeze.meets(slot)) {
        marks.insert("freeze".to_owned());
    }
    for (role, person) in seats.iter().enumerate() {
        if case.rules.excluded.contains(&(role, *person)) {
            marks.insert(format!("excluded:{person}"));
        }
        if rank(case, role, *person, slot).is_none() {
            marks.insert(format!("delegate:{person}"));
        }
        let somebody = (0..case.facts.people.len()).any(|other| is_eligible(case, role, other, slot));
        if !somebody {
            marks.insert(format!("uncovered:{role}"));
        }
        if !in_hours(case, *person, slot) {
            marks.insert(format!("hours:{person}"));
        }
        if is_busy(case, *person, slot) {
            marks.insert(format!("busy:{person}"));
        } else if !is_known(case, *person, slot) {
            marks.insert(format!("unproven:{person}"));
        }
        if is_booked(case, *person, slot) {
            marks.insert(format!("booked:{person}"));
        }
        if case.rules.distinct && seats.iter().filter(|other| *other == person).count() > 1 {
            marks.insert(format!("shared:{person}"));
        }
    }
    marks
}

/// The violations alone, without the marks that are none.
pub fn broken(case: &Case) -> BTreeSet<String> {
    violated(case).into_iter().filter(|mark| !mark.starts_with("unproven") && !mark.starts_with("overdue")).collect()
}

/// Whether there is anything to stand by: a violation, or a freeze edge nobody adopted.
pub fn has_faults(case: &Case) -> bool {
    !broken(case).is_empty() || is_edge(case, case.review.slot) && !case.review.content.edge
}

/// 0 for the holder, then the delegates in order; `None` for anybody who may not fill the role in that slot.
fn rank(case: &Case, role: usize, person: usize, slot: Span) -> Option<usize> {
    let mapping = case.facts.mappings[role].as_ref()?;
    if mapping.holder == Some(person) {
        return Some(0);
    }
    for (index, deputy) in mapping.deputies.iter().flatten().enumerate() {
        let valid = deputy.from.is_none_or(|from| from <= slot.from) && deputy.until.is_none_or(|to| slot.to <= to);
        if deputy.person == person && deputy.approved && valid {
            return Some(index + 1);
        }
    }
    None
}

fn is_eligible(case: &Case, role: usize, person: usize, slot: Span) -> bool {
    rank(case, role, person, slot).is_some() && !case.rules.excluded.contains(&(role, person))
}

pub fn in_hours(case: &Case, person: usize, slot: Span) -> bool {
    let zone = case.facts.people[person].zone.unwrap_or(case.review.zone);
    case.rules.hours.as_ref().is_none_or(|hours| hours::inside(case, hours, zone, slot))
}

/// Lies wholly inside every horizon given, outside any interval listed as unknown; without a calendar nothing is known.
fn is_known(case: &Case, person: usize, slot: Span) -> bool {
    is_reported(case, person, slot) && !entries::of(case, person).unknown.iter().any(|unknown| unknown.meets(slot))
}

/// The same, where it is no matter that an entry may be ours.
fn is_reported(case: &Case, person: usize, slot: Span) -> bool {
    let facts = &case.facts.people[person];
    facts.calendar.is_some()
        && [&facts.calendar, &facts.oncall].into_iter().flatten().all(|diary| {
            !is_silent(case, diary)
                && diary.horizon.holds(slot)
                && !diary.unknown.iter().any(|unknown| unknown.meets(slot))
        })
}

/// The source promised to speak again before that.
pub fn is_silent(case: &Case, diary: &Diary) -> bool {
    case.rules.max_age.is_some_and(|age| diary.accepted + age <= case.now)
}

fn is_busy(case: &Case, person: usize, slot: Span) -> bool {
    entries::of(case, person).busy.iter().any(|busy| busy.meets(slot))
}

/// The claim of this review's to a person's seat, and that of another to theirs: the older stands, then the lesser name.
fn is_booked(case: &Case, person: usize, slot: Span) -> bool {
    let Some(claim) = case.review.claims.get(&person) else { return false };
    elsewhere(case, person).any(|other| {
        let older = |at: i64| at < *claim || at == *claim && other.review < 0;
        other.seated.is_some_and(|(taken, at)| taken.meets(slot) && older(at))
    })
}

fn elsewhere(case: &Case, person: usize) -> impl Iterator<Item = &Elsewhere> {
    case.facts.people[person].elsewhere.iter().filter(|_| !case.rules.ignores_others)
}

/// Whether seats elsewhere keep a person from a slot. `present`: as part of the proposal that waits.
fn is_taken(case: &Case, person: usize, slot: Span, present: Option<&Pending>) -> bool {
    if slot == case.review.slot && case.review.seats.contains(&person) {
        return is_booked(case, person, slot);
    }
    let before = |other: &Elsewhere, theirs: &Proposed| match present {
        None => true,
        Some(ours) if theirs.told != ours.told => theirs.told,
        Some(ours) => theirs.made < ours.made || theirs.made == ours.made && other.review < 0,
    };
    elsewhere(case, person).any(|other| {
        let waits = |theirs: &&Proposed| case.now < theirs.expires && theirs.slot.meets(slot);
        other.seated.is_some_and(|(taken, _)| taken.meets(slot))
            || other.proposed.as_ref().filter(waits).is_some_and(|theirs| before(other, theirs))
    })
}

/// Whether the slot of a new proposal keeps the rules that ask for nobody in particular.
pub fn is_timely(case: &Case, slot: Span, waive: Waive) -> bool {
    keeps_time(case, slot, waive, case.rules.decision)
}

/// The same, where the owner is left that much time to decide. The authoritative slot asks for no decision.
fn keeps_time(case: &Case, slot: Span, waive: Waive, decision: Time) -> bool {
    let decision = if slot == case.review.slot { 0 } else { decision };
    let Some(change) = case.facts.change else { return false };
    for checkpoint in 0..case.facts.evidence.len() {
        let ready = match (ready(case, checkpoint), overdue(case, checkpoint)) {
            // Overdue evidence counts from when it was expected; there is no expecting what nobody announced.
            (None, Some(expected)) if waive == Waive::Overdue => expected,
            (None, Some(_)) => match case.rules.overdue_lead {
                Some(lead) if case.now + lead + decision <= slot.from => continue,
                _ => return false,
            },
            (_, None) if waive == Waive::Evidence => continue,
            (None, None) => return false,
            (Some(at), _) => at,
        };
        if slot.from < ready + case.rules.buffer {
            return false;
        }
    }
    if waive != Waive::Window && !change.window.holds(slot) {
        return false;
    }
    if waive != Waive::Lead && slot.to > change.cutover - case.rules.lead {
        return false;
    }
    if slot != case.review.slot {
        let notice = if waive == Waive::Notice { 0 } else { case.rules.notice + decision };
        if slot.from < case.now + notice {
            return false;
        }
    }
    waive == Waive::Freeze || !case.facts.freezes.iter().any(|(freeze, protected)| *protected && freeze.meets(slot))
}

fn may_sit(case: &Case, role: usize, person: usize, slot: Span, waive: Waive) -> bool {
    // What was issued stands until a known fact contradicts it; nobody else is put where they are not known to be free.
    let issued = slot == case.review.slot && case.review.seats[role] == person;
    is_eligible(case, role, person, slot)
        && !is_busy(case, person, slot)
        && !is_taken(case, person, slot, None)
        && (issued
            || waive == Waive::Unknown(person)
            || waive == Waive::Ours && is_reported(case, person, slot)
            || is_known(case, person, slot))
        && (waive == Waive::Hours || in_hours(case, person, slot))
}

/// Every assignment of that slot that no rule forbids. A waived role is filled by nobody (`usize::MAX`).
pub fn assignments(case: &Case, slot: Span, waive: Waive) -> Vec<Seats> {
    let mut found = vec![Vec::new()];
    for role in 0..case.review.seats.len() {
        let mut longer = Vec::new();
        for seats in &found {
            if waive == Waive::Role(role) {
                longer.push([seats.as_slice(), &[usize::MAX]].concat());
                continue;
            }
            for person in 0..case.facts.people.len() {
                let taken = case.rules.distinct && waive != Waive::Distinct && seats.contains(&person);
                if !taken && may_sit(case, role, person, slot, waive) {
                    longer.push([seats.as_slice(), &[person]].concat());
                }
            }
        }
        found = longer;
    }
    found.retain(|seats| !is_declined(case, slot, seats));
    found
}

/// The authoritative seats at the authoritative slot are left out only while the freeze edge that was declined is there.
fn is_declined(case: &Case, slot: Span, seats: &Seats) -> bool {
    let same = |(new, old): (&usize, &usize)| new == old || *new == usize::MAX;
    let present = slot == case.review.slot && seats.iter().zip(&case.review.seats).all(same);
    case.review.declined.iter().any(|declined| {
        declined.slot == slot
            && declined.seats.as_ref().is_none_or(|alone| alone == seats)
            && (!present || declined.edge && is_edge(case, slot))
    })
}

/// Within the policy's distance of a protected freeze, touching included, or crossing an advisory one.
pub fn is_edge(case: &Case, slot: Span) -> bool {
    case.facts.freezes.iter().any(|(freeze, protected)| {
        if *protected {
            freeze.from - slot.to <= case.rules.edge && slot.from - freeze.to <= case.rules.edge
        } else {
            freeze.meets(slot)
        }
    })
}

/// Every start on the grid of the days around the window, and the authoritative one.
pub fn starts(case: &Case, around: Span) -> BTreeSet<Time> {
    let mut starts = BTreeSet::from([case.review.slot.from]);
    for day in around.from.div_euclid(DAY)..=around.to.div_euclid(DAY) {
        let mut at = day * DAY;
        while at < (day + 1) * DAY {
            if around.from <= at && at <= around.to {
                starts.insert(at);
            }
            at += case.rules.grid;
        }
    }
    starts
}

pub fn slot_at(case: &Case, start: Time) -> Span {
    Span { from: start, to: start + case.review.slot.to - case.review.slot.from }
}

/// Fewest substitutions, then the smallest ranks, role by role.
pub fn seat_order(case: &Case, slot: Span, seats: &Seats) -> (Time, Vec<usize>) {
    let changed = seats.iter().zip(&case.review.seats).filter(|(new, old)| new != old).count();
    let rank = |(role, person): (usize, &usize)| rank(case, role, *person, slot).unwrap_or(usize::MAX);
    (Time::try_from(changed).expect("few roles"), seats.iter().enumerate().map(rank).collect())
}

/// Whether nothing forbids the proposal that waits: of what other reviews propose, only what comes before it counts.
fn is_still_good(case: &Case, pending: &Pending) -> bool {
    let Proposal { slot, seats, cancelled, .. } = &pending.proposal;
    let mut alone = case.clone();
    for (person, facts) in alone.facts.people.iter_mut().enumerate() {
        if seats.contains(&person) && !is_taken(case, person, *slot, Some(pending)) {
            facts.elsewhere.iter_mut().for_each(|other| other.proposed = None);
        }
    }
    // What was asked stays as long as it leaves the notice: the time to decide was given.
    let decision = if pending.told { 0 } else { case.rules.decision };
    // What was told is not taken back because its own hold, or one before it, stands in a calendar.
    let doubt = if pending.told { Waive::Ours } else { Waive::Nothing };
    let viable = keeps_time(case, *slot, Waive::Nothing, decision) && assignments(&alone, *slot, doubt).contains(seats);
    viable && !cancelled && (*slot, seats) != (case.review.slot, &case.review.seats)
}

/// What its owner was silent on is the choice while it could be proposed again, whatever other reviews propose by now.
fn is_left_good(case: &Case, left: &Proposal) -> bool {
    let mut alone = case.clone();
    for facts in &mut alone.facts.people {
        facts.elsewhere.iter_mut().for_each(|other| other.proposed = None);
    }
    let viable = keeps_time(case, left.slot, Waive::Nothing, case.rules.decision)
        && assignments(&alone, left.slot, Waive::Ours).contains(&left.seats);
    viable && !left.cancelled && (left.slot, &left.seats) != (case.review.slot, &case.review.seats)
}

/// The best viable slot and attendees. `present`: a proposal that is still good and that nobody was told of: one of many.
fn search(case: &Case, present: Option<&Pending>) -> Option<(Span, Seats)> {
    let change = case.facts.change?;
    let mut all: Vec<(Span, Seats)> = Vec::new();
    for start in starts(case, change.window) {
        let slot = slot_at(case, start);
        if is_timely(case, slot, Waive::Nothing) {
            all.extend(assignments(case, slot, Waive::Nothing).into_iter().map(|seats| (slot, seats)));
        }
    }
    all.extend(present.map(|pending| (pending.proposal.slot, pending.proposal.seats.clone())));
    let home = case.review.slot;
    let in_order = |(slot, seats): &(Span, Seats)| {
        let displaced = (slot.from - home.from).abs();
        let (changed, ranks) = seat_order(case, *slot, seats);
        let (first, second) = if case.rules.keep_people { (changed, displaced) } else { (displaced, changed) };
        (first, second, Reverse(slot.from), ranks)
    };
    let mut best = all.first()?;
    for other in &all {
        if in_order(other) < in_order(best) {
            best = other;
        }
    }
    Some(best.clone())
}

fn incomplete(case: &Case) -> BTreeSet<String> {
    let mut missing = BTreeSet::new();
    match case.facts.change {
        None => drop(missing.insert("change_record".to_owned())),
        Some(change) if change.owner.is_none() => drop(missing.insert("owner".to_owned())),
        Some(_) => {}
    }
    for (role, mapping) in case.facts.mappings.iter().enumerate() {
        if mapping.as_ref().is_none_or(|mapping| mapping.holder.is_none()) {
            missing.insert(format!("holder:{role}"));
        }
        if mapping.as_ref().is_none_or(|mapping| mapping.deputies.is_none()) {
            missing.insert(format!("delegates:{role}"));
        }
    }
    missing
}

/// What the facts ask for, where nothing is silent that they stand on.
pub fn choose(case: &Case) -> Choice {
    let choice = choose_from(case);
    match &choice {
        Choice::Propose(proposal) if case.facts.unreported => {
            let review = &case.review;
            let mut known: Vec<&Proposal> = review.undecided.iter().collect();
            let asked = review.pending.as_ref().filter(|one| one.told || ledger::is_expired(case, one));
            known.extend(asked.map(|pending| &pending.proposal));
            if known.contains(&proposal) { choice } else { Choice::Wait }
        }
        _ => choice,
    }
}

fn choose_from(case: &Case) -> Choice {
    let (slot, seats) = (case.review.slot, &case.review.seats);
    let edge = is_edge(case, slot);
    if case.review.stands_by.as_ref().is_some_and(|then| *then == (broken(case), edge)) && has_faults(case) {
        return Choice::Stand;
    }
    // What nobody can adopt is not proposed.
    if case.facts.change.is_some_and(|change| change.cancelled && change.owner.is_some()) {
        return Choice::Propose(Proposal { slot, seats: seats.clone(), edge, cancelled: true });
    }
    let missing = incomplete(case);
    if !missing.is_empty() {
        return Choice::Incomplete(missing);
    }
    if broken(case).is_empty() && !is_declined(case, slot, seats) {
        if edge && !case.review.content.edge {
            return Choice::Propose(Proposal { slot, seats: seats.clone(), edge, cancelled: false });
        }
        return Choice::Keep;
    }
    let propose = |slot, seats| Choice::Propose(Proposal { slot, seats, edge: is_edge(case, slot), cancelled: false });
    let waiting = case.review.pending.as_ref().filter(|pending| !ledger::is_expired(case, pending));
    let still_good = waiting.filter(|pending| is_still_good(case, pending));
    if let Some(told) = still_good.filter(|pending| pending.told) {
        return propose(told.proposal.slot, told.proposal.seats.clone());
    }
    // A refresh sees that a proposal expired before it looks for a choice.
    let expired = case.review.pending.as_ref().filter(|pending| ledger::is_expired(case, pending));
    let left = expired.map(|pending| &pending.proposal).or(case.review.undecided.as_ref());
    if let Some(left) = left.filter(|left| waiting.is_none() && is_left_good(case, left)) {
        return propose(left.slot, left.seats.clone());
    }
    if let Some((slot, seats)) = search(case, still_good) {
        return propose(slot, seats);
    }
    let mut undeclined = case.clone();
    undeclined.review.declined.clear();
    if search(&undeclined, None).is_some() {
        return Choice::DeclinedOnly;
    }
    Choice::Nothing(waivers::all(case))
}
