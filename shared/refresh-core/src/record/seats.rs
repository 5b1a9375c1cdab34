//! What a review writes of the places it gives: one entry a person, a function of the review alone. So an entry is
//! written in the very transaction that takes, changes or frees the seat, and never beside it.

use std::collections::BTreeSet;

use crate::{
    Person,
    base::instant::Slot,
    facts::seat::{AuthoritativeSeat, Seat, SeatedBy, TentativeSeat},
    record::{
        booking,
        proposal::Proposal,
        review::{Review, Standing},
    },
};

/// Entries that one decision mends; more are mended by the next look. So many fit into the greatest transaction.
pub const MOST_MENDED: usize = 4;

/// Entries and marks that one decision writes where some can wait. The rest of the greatest transaction is for HEAD, the
/// lineage, versions, causes, mails, and what is mended.
const MOST_TOGETHER: usize = 80;

/// A decision gives a person an authoritative place, and the person's mark says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeatGiven {
    /// Whom.
    pub person: Person,
    /// By which decision.
    pub by: SeatedBy,
    /// What the mark must be until then.
    pub condition: SeatCondition,
}

/// What a person's mark must be where a place is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SeatCondition {
    /// Whatever the mark is. An issued review states what is so.
    Any,
    /// Still what the decision read: of an adoption.
    Still(Option<SeatedBy>),
}

/// What a decision changes of people's places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SeatChanges {
    /// The entries that are another now, whole.
    pub entries: Vec<Seat>,
    /// Whose place is another now: the reviews that share these people must look.
    pub moved: BTreeSet<Person>,
    /// Who gains an authoritative place.
    pub gained: BTreeSet<Person>,
    /// Whose entry is left to the next look: what HEAD keeps of it.
    pub due: Option<BTreeSet<Person>>,
}

/// The person's entry as the review stands.
pub fn entry(review: &Review, person: &Person) -> Seat {
    let head = &review.head;
    let packet = &review.authoritative.packet;
    let seated =
        |attendees: &std::collections::BTreeMap<crate::Role, Person>| attendees.values().any(|one| one == person);
    let claim = head.claims.get(person).filter(|_| head.standing != Standing::Cancelled && seated(&packet.attendees));
    let authoritative = claim.map(|claim| AuthoritativeSeat { slot: packet.slot, claim: *claim });
    let tentative = review.proposal().and_then(|Proposal { pending, version }| {
        let proposed = &version.packet;
        let another = proposed.slot != packet.slot || !seated(&packet.attendees);
        (!proposed.cancelled && another && seated(&proposed.attendees)).then(|| TentativeSeat {
            slot: proposed.slot,
            made_at: pending.made_at,
            told: pending.is_told(),
            expires_at: pending.expires_at,
        })
    });
    let invitations = booking::invitations(&head.bookings, person).collect();
    Seat { review: head.review.clone(), person: person.clone(), authoritative, tentative, invitations }
}

/// Everybody whom the review gives a place, or proposes one.
pub fn people(review: &Review) -> BTreeSet<&Person> {
    let versions = std::iter::once(&review.authoritative).chain(&review.pending);
    versions.flat_map(|version| version.packet.attendees.values()).collect()
}

/// The slot in which the packet that counts seats the person.
fn seated_slot(review: &Review, person: &Person) -> Option<Slot> {
    let packet = &review.authoritative.packet;
    let seated = review.head.standing != Standing::Cancelled && packet.attendees.values().any(|one| one == person);
    seated.then_some(packet.slot)
}

/// Everybody whose calendar may show something of the review, without a place in it: optional attendees, and people who
/// had a place.
fn shown_without_place(review: &Review) -> BTreeSet<&Person> {
    let placed = people(review);
    let shown = review.head.bookings.iter().flat_map(|booking| &booking.people);
    shown.filter(|person| !placed.contains(person)).collect()
}

/// The entries that are written as HEAD stands.
pub fn written(review: &Review) -> Vec<Seat> {
    if review.head.claims.is_empty() {
        return Vec::new();
    }
    let mut all = people(review);
    if let Some(due) = &review.head.entries_due {
        all.extend(shown_without_place(review).into_iter().filter(|person| !due.contains(*person)));
    }
    all.into_iter().map(|person| entry(review, person)).collect()
}

/// What is another after a decision. A review that was issued before seats were written has no claims: all its entries are
/// new with its next decision. Whoever sat there already gains nothing by that: with a mark for each of them the entries of
/// a review of thirty roles are more than one transaction takes.
pub fn changes(before: Option<&Review>, after: &Review) -> SeatChanges {
    compared(before, after, Writes::FirstEntriesToo)
}

/// What is another once mails are out. A person's first entry needs a mark before it, and is a decision's to write.
pub fn changes_by_mail(before: &Review, after: &Review) -> SeatChanges {
    compared(Some(before), after, Writes::KnownEntries)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writes {
    FirstEntriesToo,
    KnownEntries,
}

fn compared(before: Option<&Review>, after: &Review, writes: Writes) -> SeatChanges {
    let mut changes = SeatChanges { due: after.head.entries_due.clone(), ..SeatChanges::default() };
    if after.head.claims.is_empty() {
        return changes;
    }
    let written = before.filter(|before| !before.head.claims.is_empty());
    let due = after.head.entries_due.clone().unwrap_or_default();
    let mut all = people(after);
    all.extend(written.into_iter().flat_map(people));
    for person in &all {
        let now = entry(after, person);
        let was = written.map(|before| entry(before, person));
        let places = |seat: &Seat| (seat.authoritative, seat.tentative);
        if was.as_ref() == Some(&now) && !due.contains(*person) {
            continue;
        }
        if was.as_ref().map(places) != Some(places(&now)) {
            changes.moved.insert((*person).clone());
        }
        let slot = seated_slot(after, person);
        if slot.is_some() && before.and_then(|before| seated_slot(before, person)) != slot {
            changes.gained.insert((*person).clone());
        }
        changes.entries.push(now);
    }
    changes.add_shown(written, after, &all, writes);
    changes
}

impl SeatChanges {
    /// The entries of those without a place: our entry in the calendar of an optional attendee is ours to other reviews as
    /// well. As many as one transaction takes are written with the decision, the others by the next look.
    fn add_shown(&mut self, written: Option<&Review>, after: &Review, placed: &BTreeSet<&Person>, writes: Writes) {
        // An earlier release wrote none of them.
        let known = written.filter(|_| after.head.entries_due.is_some());
        if known.is_none() && writes == Writes::KnownEntries {
            return;
        }
        let waits = self.due.take().unwrap_or_default();
        let mut due = waits.clone();
        let mut all = shown_without_place(after);
        all.extend(known.into_iter().flat_map(shown_without_place));
        for person in all {
            if known.map(|before| entry(before, person)).as_ref() != Some(&entry(after, person)) {
                due.insert(person.clone());
            }
        }
        due.retain(|person| !placed.contains(person));
        let first = |person: &&Person| writes == Writes::FirstEntriesToo || !waits.contains(*person);
        let room = MOST_TOGETHER.saturating_sub(self.entries.len() + self.gained.len());
        let now: Vec<Person> = due.iter().filter(first).take(room).cloned().collect();
        due.retain(|person| !now.contains(person));
        self.entries.extend(now.iter().map(|person| entry(after, person)));
        self.due = Some(due);
    }
}

impl SeatChanges {
    /// Entries that do not read as they were written are written once more, whether or not anything of them changed. An
    /// entry is a function of the review alone, so its review can mend it.
    pub fn mend<'a>(&mut self, review: &Review, unreadable: impl Iterator<Item = &'a Person>) {
        if review.head.claims.is_empty() {
            return;
        }
        for person in unreadable.take(MOST_MENDED) {
            if !self.entries.iter().any(|entry| entry.person == *person) {
                self.entries.push(entry(review, person));
                self.moved.insert(person.clone());
            }
        }
    }
}
