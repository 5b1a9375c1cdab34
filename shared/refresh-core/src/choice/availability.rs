//! Free, busy and unknown are three things.

use crate::{
    Interval, Person,
    base::instant::Slot,
    choice::{excuse::Excuses, ours::Ours},
    facts::{
        fact::{Busy, EntryOf, Facts},
        subject::Diary,
    },
    record::booking,
};

/// What is known of a person in a slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Known {
    /// Nothing known keeps the person from the slot, and the whole slot is known.
    Free,
    /// An entry of a calendar or of the on-call system overlaps the slot.
    Busy,
    /// Not free: nobody is moved or substituted into a slot they are not known to be free for.
    Unknown,
}

/// One person's time by all their calendars, our own entries left out. Places in other reviews are not among it.
#[derive(Clone, Debug, Default)]
pub struct Time {
    /// Unsorted, may overlap.
    pub busy: Vec<Interval>,
    /// A slot must lie wholly inside each. Empty with `calendar` false: unknown everywhere.
    pub horizons: Vec<Interval>,
    /// Time that the source does not know. Unsorted, may overlap.
    pub unknown: Vec<Interval>,
    /// Time in which an entry may be what we put there. Unsorted, may overlap.
    pub maybe_ours: Vec<Interval>,
    /// Whether the person's calendar was ever reported, and every seat elsewhere can be read.
    pub calendar: bool,
    excuses: Excuses,
}

impl Time {
    /// What the facts say of this person's time, without the entries that are ours.
    pub fn of(person: &Person, facts: &Facts, ours: &Ours<'_>) -> Self {
        let mut time = Self::default();
        time.read(person, facts, ours);
        time
    }

    /// Another person's time in the same memory: a search reads that of hundreds of people, one after the other.
    pub fn read(&mut self, person: &Person, facts: &Facts, ours: &Ours<'_>) {
        self.busy.clear();
        self.horizons.clear();
        self.unknown.clear();
        self.maybe_ours.clear();
        self.calendar = false;
        self.excuses.clear();
        self.excuses.add_review(booking::invitations(ours.bookings, person));
        let places = facts.person_seats(person);
        let elsewhere = places.into_iter().flat_map(|places| &places.seats);
        for seat in elsewhere.filter(|seat| seat.review != *ours.review) {
            self.excuses.add_review(seat.invitations.iter().copied());
        }
        for (diary, availability, accepted_at) in facts.diaries(person) {
            self.horizons.push(availability.horizon);
            self.unknown.extend_from_slice(&availability.unknown);
            self.calendar |= diary == Diary::Calendar;
            match diary {
                Diary::Calendar if !self.excuses.are_none() => {
                    self.excuses.read(&availability.busy, availability.merged, accepted_at, &mut self.busy);
                }
                Diary::Calendar => {
                    let others = availability.busy.iter().filter(|busy| busy.own != EntryOf::Ours);
                    self.busy.extend(others.map(Busy::interval));
                }
                // An on-call entry is never our meeting, whatever it says of itself.
                Diary::Oncall => self.busy.extend(availability.busy.iter().map(Busy::interval)),
            }
        }
        self.excuses.settle(&mut self.busy, &mut self.maybe_ours);
        // A seat that cannot be read may be at any hour: the person is known to be free at none.
        self.calendar &= !places.is_some_and(|places| places.are_unknown_to(ours.review));
    }

    /// What is known of the person in this slot.
    pub fn in_slot(&self, slot: &Slot) -> Known {
        match self.in_slot_but_for_ours(slot) {
            Known::Free if self.maybe_ours.iter().any(|unknown| unknown.overlaps(slot)) => Known::Unknown,
            known => known,
        }
    }

    /// The same, where it is no matter that an entry may be what we put there: for a proposal that people were told of.
    pub fn in_slot_but_for_ours(&self, slot: &Slot) -> Known {
        if self.busy.iter().any(|busy| busy.overlaps(slot)) {
            Known::Busy
        } else if self.calendar
            && self.horizons.iter().all(|horizon| horizon.contains(slot))
            && !self.unknown.iter().any(|unknown| unknown.overlaps(slot))
        {
            Known::Free
        } else {
            Known::Unknown
        }
    }
}
