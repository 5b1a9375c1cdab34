//! Free, busy and unknown are three things.

use crate::{
    Interval, Person,
    base::instant::Slot,
    choice::{excuse::Excuses, ours::Ours},
    facts::{
        fact::{Availability, Busy, Facts},
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
}

impl Time {
    /// What the facts say of this person's time, without the entries that are ours.
    pub fn of(person: &Person, facts: &Facts, ours: &Ours<'_>) -> Self {
        let mut reader = TimeReader::default();
        reader.read(person, facts, ours);
        let mut time = reader.time.clone();
        time.busy.extend(reader.plain_entries().flatten());
        time
    }

    /// What is known of the person in this slot.
    pub fn in_slot(&self, slot: &Slot) -> Known {
        self.known(slot, self.is_busy(slot))
    }

    /// The same, where it is no matter that an entry may be what we put there: for a proposal that people were told of.
    pub fn in_slot_but_for_ours(&self, slot: &Slot) -> Known {
        self.known_but_for_ours(slot, self.is_busy(slot))
    }

    fn is_busy(&self, slot: &Slot) -> bool {
        self.busy.iter().any(|busy| busy.overlaps(slot))
    }

    fn known(&self, slot: &Slot, is_busy: bool) -> Known {
        match self.known_but_for_ours(slot, is_busy) {
            Known::Free if self.maybe_ours.iter().any(|unknown| unknown.overlaps(slot)) => Known::Unknown,
            known => known,
        }
    }

    fn known_but_for_ours(&self, slot: &Slot, is_busy: bool) -> Known {
        if is_busy {
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

/// What is known of a person in one slot alone.
pub fn known_in_slot(person: &Person, facts: &Facts, ours: &Ours<'_>, slot: &Slot) -> Known {
    let mut reader = TimeReader::default();
    reader.read(person, facts, ours);
    let is_busy = reader.plain_entries().any(|mut entries| entries.any(|entry| entry.overlaps(slot)));
    reader.time.known(slot, is_busy || reader.time.is_busy(slot))
}

/// Reads the time of one person after the other in the same memory: a search reads that of hundreds. Nearly all entries
/// are plain: nothing excuses them, and they stay in the calendar's own list, which is not copied.
#[derive(Debug, Default)]
pub struct TimeReader<'f> {
    /// The person's time. Of busy time it holds the entries that might be ours, and are not.
    pub time: Time,
    calendars: Vec<(Diary, &'f Availability)>,
    excuses: Excuses,
}

impl<'f> TimeReader<'f> {
    /// Reads the time of another person.
    pub fn read(&mut self, person: &Person, facts: &'f Facts, ours: &Ours<'_>) {
        let Self { time, calendars, excuses } = self;
        time.busy.clear();
        time.horizons.clear();
        time.unknown.clear();
        time.maybe_ours.clear();
        time.calendar = false;
        calendars.clear();
        excuses.clear();
        excuses.add_review(booking::invitations(ours.bookings, person));
        let places = facts.person_seats(person);
        let elsewhere = places.into_iter().flat_map(|places| &places.seats);
        for seat in elsewhere.filter(|seat| seat.review != *ours.review) {
            excuses.add_review(seat.invitations.iter().copied());
        }
        for (diary, availability, accepted_at) in facts.diaries(person) {
            calendars.push((diary, availability));
            time.horizons.push(availability.horizon);
            time.unknown.extend_from_slice(&availability.unknown);
            time.calendar |= diary == Diary::Calendar;
            if diary == Diary::Calendar {
                excuses.read(availability, accepted_at);
            }
        }
        excuses.settle(&mut time.busy, &mut time.maybe_ours);
        // A seat that cannot be read may be at any hour: the person is known to be free at none.
        time.calendar &= !places.is_some_and(|places| places.are_unknown_to(ours.review));
    }

    /// The plain entries of each calendar. An on-call entry is never our meeting, whatever it says of itself.
    pub fn plain_entries(&self) -> impl Iterator<Item = impl Iterator<Item = Interval>> {
        self.calendars.iter().map(move |(diary, calendar)| {
            let (is_excusable, is_plain) = (*diary == Diary::Calendar, self.excuses.plain(calendar));
            let is_plain = move |entry: &&Busy| is_plain(entry) || !is_excusable;
            calendar.busy.iter().filter(is_plain).map(Busy::interval)
        })
    }
}
