//! Free, busy and unknown are three things.

use std::ops::Range;

use crate::{
    Interval, Person,
    base::instant::Slot,
    choice::{excuse::Excuses, ours::Ours},
    facts::{
        entries::{Entries, Stretch},
        fact::Facts,
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
        time.busy.extend(reader.plain_stretches().flat_map(Stretch::intervals));
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
    let is_busy = reader.plain_stretches().any(|stretch| !stretch.overlapping(slot).is_empty());
    reader.time.known(slot, is_busy || reader.time.is_busy(slot))
}

/// Reads the time of one person after the other in the same memory: a search reads that of hundreds. Nearly all entries
/// are plain: nothing excuses them, and they stay in the calendar's own list, which is not copied.
#[derive(Debug, Default)]
pub struct TimeReader<'f> {
    /// The person's time. Of busy time it holds the entries that might be ours, and are not.
    pub time: Time,
    calendars: Vec<ReadCalendar<'f>>,
    /// The entries of all calendars that are not plain, by their places.
    apart: Vec<usize>,
    excuses: Excuses,
}

/// A calendar that was read.
#[derive(Debug)]
struct ReadCalendar<'f> {
    entries: &'f Entries,
    /// Where its entries stand that are not plain.
    apart: Range<usize>,
}

impl<'f> TimeReader<'f> {
    /// Reads the time of another person.
    pub fn read(&mut self, person: &Person, facts: &'f Facts, ours: &Ours<'_>) {
        let Self { time, calendars, apart, excuses } = self;
        time.busy.clear();
        time.horizons.clear();
        time.unknown.clear();
        time.maybe_ours.clear();
        time.calendar = false;
        calendars.clear();
        apart.clear();
        excuses.clear();
        excuses.add_review(booking::invitations(ours.bookings, person));
        let places = facts.person_seats(person);
        let elsewhere = places.into_iter().flat_map(|places| &places.seats);
        for seat in elsewhere.filter(|seat| seat.review != *ours.review) {
            excuses.add_review(seat.invitations.iter().copied());
        }
        for (diary, availability, accepted_at) in facts.diaries(person) {
            let first_apart = apart.len();
            time.horizons.push(availability.horizon);
            time.unknown.extend_from_slice(&availability.unknown);
            time.calendar |= diary == Diary::Calendar;
            // An on-call entry is never our meeting, whatever it says of itself.
            if diary == Diary::Calendar {
                excuses.read(availability, accepted_at, apart);
            }
            calendars.push(ReadCalendar { entries: &availability.busy, apart: first_apart..apart.len() });
        }
        excuses.settle(&mut time.busy, &mut time.maybe_ours);
        // A seat that cannot be read may be at any hour: the person is known to be free at none.
        time.calendar &= !places.is_some_and(|places| places.are_unknown_to(ours.review));
    }

    /// The plain entries of all calendars: each calendar's, up to and after the entries that are not.
    pub fn plain_stretches(&self) -> impl Iterator<Item = Stretch<'f>> {
        self.calendars.iter().flat_map(|calendar| {
            let apart = &self.apart[calendar.apart.clone()];
            let firsts = std::iter::once(0).chain(apart.iter().map(|place| place + 1));
            let ends = apart.iter().copied().chain([calendar.entries.len()]);
            firsts.zip(ends).map(|(first, end)| calendar.entries.stretch(first..end))
        })
    }
}
