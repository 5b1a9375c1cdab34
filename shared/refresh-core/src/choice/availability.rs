//! Free, busy and unknown are three things.

use crate::{
    Interval, Person,
    base::instant::Slot,
    facts::{
        fact::{Busy, EntryOf, Facts},
        subject::Diary,
    },
    record::booking::{self, Booking},
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

/// One person's time, both calendars together, our own meeting left out.
#[derive(Clone, Debug, Default)]
pub struct Time {
    /// Unsorted, may overlap.
    pub busy: Vec<Interval>,
    /// A slot must lie wholly inside each. Empty with `calendar` false: unknown everywhere.
    pub horizons: Vec<Interval>,
    /// Time that the source does not know. Unsorted, may overlap.
    pub unknown: Vec<Interval>,
    /// Whether the person's calendar was ever reported.
    pub calendar: bool,
}

impl Time {
    /// What the facts say of this person's time, without the entries that are ours.
    pub fn of(person: &Person, facts: &Facts, bookings: &[Booking]) -> Self {
        let mut time = Self::default();
        time.read(person, facts, bookings);
        time
    }

    /// Another person's time in the same memory: a search reads that of hundreds of people, one after the other.
    pub fn read(&mut self, person: &Person, facts: &Facts, bookings: &[Booking]) {
        self.busy.clear();
        self.horizons.clear();
        self.unknown.clear();
        self.calendar = false;
        for (diary, availability, accepted_at) in facts.diaries(person) {
            self.horizons.push(availability.horizon);
            self.unknown.extend_from_slice(&availability.unknown);
            match diary {
                Diary::Calendar => {
                    self.calendar = true;
                    let ours = booking::ours(bookings, person, accepted_at);
                    self.add_all_but_ours(&availability.busy, ours);
                }
                // An on-call entry is never our meeting, whatever it says of itself.
                Diary::Oncall => self.busy.extend(availability.busy.iter().map(Busy::interval)),
            }
        }
    }

    /// `ours`: the slots whose entry is this person's invitation from us.
    fn add_all_but_ours(&mut self, entries: &[Busy], mut ours: Vec<Slot>) {
        // Where the source itself says which entry is ours, an unmarked one beside it is somebody else's meeting.
        ours.retain(|slot| !entries.iter().any(|busy| busy.own == EntryOf::Ours && busy.interval() == *slot));
        self.busy.reserve(entries.len());
        let others = entries.iter().filter(|busy| !is_ours(busy.own, busy.interval(), &mut ours));
        self.busy.extend(others.map(Busy::interval));
    }

    /// What is known of the person in this slot.
    pub fn in_slot(&self, slot: &Slot) -> Known {
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

/// One busy entry a slot, no more: a second entry at the same time is somebody else's meeting.
fn is_ours(own: EntryOf, busy: Interval, ours: &mut Vec<Slot>) -> bool {
    match own {
        EntryOf::Ours => true,
        EntryOf::Others => false,
        EntryOf::Unsaid => match ours.iter().position(|slot| *slot == busy) {
            Some(at) => {
                ours.swap_remove(at);
                true
            }
            None => false,
        },
    }
}
