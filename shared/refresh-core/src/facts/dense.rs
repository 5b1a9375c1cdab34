//! Facts between two decisions. Most of what a worker remembers of a review is entries of calendars. So an entry takes eight
//! bytes here, where a decision reads 24.

use crate::{
    Instant, Person,
    base::instant::SECOND,
    facts::{
        fact::{Body, Busy, EntryOf, Fact, Facts},
        seat::{PersonSeats, Seat},
    },
};

/// A name, with what the allocator and the count of its owners take.
pub const BYTES_A_NAME: usize = 48;
/// A fact with the names of its subject and its source, without what there may be many of.
const BYTES_A_FACT: usize = size_of::<Fact>() + 3 * BYTES_A_NAME;
/// A review's terms, which stand in a box.
const BYTES_OF_TERMS: usize = 2_048;
/// A delegate or a freeze, with its name.
const BYTES_A_MEMBER: usize = 56 + BYTES_A_NAME;
/// A seat with its review, and what a calendar shows of it.
const BYTES_A_SEAT: usize = size_of::<Seat>() + 2 * BYTES_A_NAME;

/// Facts, the entries of whose calendars are dense.
#[derive(Debug)]
pub struct DenseFacts {
    /// Calendars have no entries here.
    facts: Facts,
    /// The entries of each calendar, in the order of `facts`.
    entries: Vec<DenseEntries>,
}

impl DenseFacts {
    /// The same facts.
    pub fn facts(self) -> Facts {
        let Self { mut facts, entries } = self;
        facts.entries_mut().zip(entries).for_each(|(busy, dense)| *busy = dense.entries());
        facts
    }

    /// Everybody of whom any place was read.
    pub fn all_seats(&self) -> impl Iterator<Item = (&Person, &PersonSeats)> {
        self.facts.all_seats()
    }

    /// How much memory the facts take.
    pub fn bytes(&self) -> usize {
        let seats = self.all_seats().map(|(_, seats)| BYTES_A_NAME + BYTES_A_SEAT * seats.seats.len());
        let entries = self.entries.iter().map(DenseEntries::bytes);
        self.facts.iter().map(bytes).chain(seats).chain(entries).sum()
    }
}

impl From<Facts> for DenseFacts {
    fn from(mut facts: Facts) -> Self {
        let entries = facts.entries_mut().map(|busy| DenseEntries::of(std::mem::take(busy))).collect();
        Self { facts, entries }
    }
}

fn bytes(fact: &Fact) -> usize {
    let members = match &fact.body {
        Body::Availability(calendar) => size_of_val(&*calendar.unknown),
        Body::Calendars(names) => BYTES_A_MEMBER * names.len(),
        Body::Delegation(mapping) => BYTES_A_MEMBER * mapping.delegates.as_ref().map_or(0, Vec::len),
        Body::Freeze(freezes) => BYTES_A_MEMBER * freezes.len(),
        Body::Review(_) => BYTES_OF_TERMS,
        Body::Change(_) | Body::Closure { .. } | Body::Decision(_) | Body::Evidence(_) | Body::Person(_) => 0,
    };
    BYTES_A_FACT + members
}

/// The entries of one calendar, in the source's order.
#[derive(Debug)]
enum DenseEntries {
    /// In milliseconds after `from`: four bytes are 49 days.
    Millis(Steps),
    /// In seconds after `from`: four bytes are 136 years.
    Seconds(Steps),
    /// As they are: no step of these entries is short enough.
    List(Box<[Busy]>),
}

#[derive(Debug)]
struct Steps {
    from: Instant,
    steps: Box<[Step]>,
    /// One an entry; none where the source says nothing of any.
    own: Box<[EntryOf]>,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    start: u32,
    length: u32,
}

impl DenseEntries {
    fn of(busy: Vec<Busy>) -> Self {
        if let Some(millis) = Steps::of(&busy, |millis| u32::try_from(millis).ok()) {
            return Self::Millis(millis);
        }
        let in_seconds = |millis: i64| (millis % SECOND == 0).then(|| u32::try_from(millis / SECOND).ok())?;
        Steps::of(&busy, in_seconds).map_or_else(|| Self::List(busy.into()), Self::Seconds)
    }

    fn entries(self) -> Vec<Busy> {
        match self {
            Self::Millis(steps) => steps.entries(i64::from),
            Self::Seconds(steps) => steps.entries(|seconds| i64::from(seconds) * SECOND),
            Self::List(busy) => busy.into(),
        }
    }

    fn bytes(&self) -> usize {
        let entries = match self {
            Self::Millis(steps) | Self::Seconds(steps) => size_of_val(&*steps.steps) + size_of_val(&*steps.own),
            Self::List(busy) => size_of_val(&**busy),
        };
        size_of::<Self>() + entries
    }
}

impl Steps {
    /// `None` where a step is no number of units, or is too long.
    fn of(busy: &[Busy], in_units: impl Fn(i64) -> Option<u32>) -> Option<Self> {
        let from = busy.iter().map(|entry| entry.start).min().unwrap_or(Instant::from_millis(0));
        let mut steps = Vec::with_capacity(busy.len());
        for entry in busy {
            let (start, length) = (entry.start.since(from), entry.end.since(entry.start));
            steps.push(Step { start: in_units(start)?, length: in_units(length)? });
        }
        let said = busy.iter().any(|entry| entry.own != EntryOf::Unsaid);
        let own = if said { busy.iter().map(|entry| entry.own).collect() } else { Box::default() };
        Some(Self { from, steps: steps.into(), own })
    }

    fn entries(&self, in_millis: impl Fn(u32) -> i64) -> Vec<Busy> {
        let entry = |step: &Step| {
            let start = self.from.plus_millis(in_millis(step.start));
            Busy { start, end: start.plus_millis(in_millis(step.length)), own: EntryOf::Unsaid }
        };
        let mut entries: Vec<Busy> = self.steps.iter().map(entry).collect();
        entries.iter_mut().zip(&self.own).for_each(|(entry, own)| entry.own = *own);
        entries
    }
}

#[cfg(test)]
mod tests {
    use crate::base::instant::{DAY, MINUTE};

    use super::*;

    fn entry(start: i64, length: i64, own: EntryOf) -> Busy {
        let start = Instant::from_millis(1_793_696_472_000 + start);
        Busy { start, end: start.plus_millis(length), own }
    }

    #[test]
    fn entries_come_back_as_they_were_in_a_third_of_the_memory() {
        let (hour, year) = (60 * MINUTE, 365 * DAY);
        let plain = |start, length| entry(start, length, EntryOf::Unsaid);
        for (busy, bytes_an_entry) in [
            (vec![], 0),
            (vec![plain(0, hour), plain(hour, 1)], 8),
            // In no order, and overlapping.
            (vec![plain(2 * hour, hour), plain(0, 3 * hour), plain(hour, hour)], 8),
            (vec![entry(0, hour, EntryOf::Ours), entry(hour, hour, EntryOf::Others), plain(2 * hour, hour)], 9),
            // Longer than 49 days: seconds.
            (vec![plain(0, hour), plain(year, 50 * DAY)], 8),
            // That, to the millisecond.
            (vec![plain(0, hour), plain(year + 1, 50 * DAY)], 24),
            // No source says this, and nothing is made of it.
            (vec![plain(0, -hour)], 24),
        ] {
            let dense = DenseEntries::of(busy.clone());
            assert_eq!(dense.bytes(), size_of::<DenseEntries>() + bytes_an_entry * busy.len(), "{busy:?}");
            assert_eq!(dense.entries(), busy);
        }
    }
}
