//! What is remembered between invocations: what is written once and never changes, and what a decision saw, under the
//! number of that decision.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use refresh_core::{Instant, Person, ReviewId, facts::subject::Subject, record::packet::Version};

use crate::looked::{Looked, UNITS_A_SUBJECT};

/// The memory of a function of the template, in megabytes.
const MEGABYTES: usize = 256;
/// How many units are remembered for each megabyte that the process has. A unit is an interval of a calendar; what else there
/// is takes several, some thirty bytes each. So no more than a quarter of the memory is filled.
const UNITS_A_MEGABYTE: usize = 8_000;
/// A version: packet and report.
const UNITS_A_VERSION: usize = 150;
/// That a review is open, with the review's id.
const UNITS_OF_OPEN: usize = 3;
/// Versions of one review remembered at most.
const MOST_VERSIONS: usize = 16;
/// People remembered at most who have seats: an address each.
const MOST_PEOPLE: usize = 16_384;

#[derive(Debug)]
pub(crate) struct Cache {
    reviews: Mutex<Shelf>,
    any_seat: Mutex<HashSet<Person>>,
}

/// What is remembered of one review.
#[derive(Debug, Default)]
struct Remembered {
    versions: BTreeMap<u32, Version>,
    registered: BTreeSet<Subject>,
    looked: Option<(usize, Looked)>,
    /// Until when the review is taken to be open ([`refresh_core::record::review::Head::open_until`]).
    open_until: Option<Instant>,
}

impl Remembered {
    fn units(&self) -> usize {
        let looked = self.looked.as_ref().map_or(0, |(units, _)| *units);
        let open = self.open_until.map_or(0, |_| UNITS_OF_OPEN);
        looked + open + self.versions.len() * UNITS_A_VERSION + self.registered.len() * UNITS_A_SUBJECT
    }
}

/// What is remembered of each review, with how much there is of it all.
#[derive(Debug)]
struct Shelf {
    of: HashMap<ReviewId, Remembered>,
    units: usize,
    room: usize,
}

impl Shelf {
    fn change<T>(&mut self, review: &ReviewId, change: impl FnOnce(&mut Remembered) -> T) -> T {
        // Dropping all is simpler than ageing, and costs one whole look of each review.
        if self.units > self.room {
            self.of.clear();
            self.units = 0;
        }
        let remembered = self.of.entry(review.clone()).or_default();
        let before = remembered.units();
        let changed = change(remembered);
        self.units = self.units + remembered.units() - before;
        changed
    }
}

/// A panic while the lock was held cannot have left a map half changed: every change is one call.
fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Cache {
    fn default() -> Self {
        Self::of(MEGABYTES)
    }
}

impl Cache {
    /// For a process of so much memory.
    pub(crate) fn of(megabytes: usize) -> Self {
        let shelf = Shelf { of: HashMap::new(), units: 0, room: megabytes * UNITS_A_MEGABYTE };
        Self { reviews: Mutex::new(shelf), any_seat: Mutex::default() }
    }

    pub(crate) fn version(&self, review: &ReviewId, number: u32) -> Option<Version> {
        hold(&self.reviews).of.get(review)?.versions.get(&number).cloned()
    }

    pub(crate) fn keep_version(&self, review: &ReviewId, version: Version) {
        hold(&self.reviews).change(review, |known| {
            // HEAD names three at most, and somebody may have been told another. Whatever is forgotten is read again.
            if known.versions.len() >= MOST_VERSIONS {
                known.versions.clear();
            }
            known.versions.insert(version.number, version);
        });
    }

    /// Of `subjects`, those not known to be registered.
    pub(crate) fn unknown(&self, review: &ReviewId, subjects: &BTreeSet<Subject>) -> BTreeSet<Subject> {
        match hold(&self.reviews).of.get(review) {
            Some(known) => subjects.difference(&known.registered).cloned().collect(),
            None => subjects.clone(),
        }
    }

    pub(crate) fn has_any_seat(&self, person: &Person) -> bool {
        hold(&self.any_seat).contains(person)
    }

    pub(crate) fn keep_any_seat(&self, person: &Person) {
        let mut people = hold(&self.any_seat);
        if people.len() >= MOST_PEOPLE {
            people.clear();
        }
        people.insert(person.clone());
    }

    /// Whoever takes it gives it back, or what was not looked at to its end is forgotten.
    pub(crate) fn take_looked(&self, review: &ReviewId) -> Option<Looked> {
        let mut reviews = hold(&self.reviews);
        let (units, looked) = reviews.of.get_mut(review)?.looked.take()?;
        reviews.units -= units;
        Some(looked)
    }

    pub(crate) fn keep_looked(&self, review: &ReviewId, looked: Looked) {
        let units = looked.units();
        hold(&self.reviews).change(review, |known| known.looked = Some((units, looked)));
    }

    /// Whether the review is open still, by the HEAD that was read last.
    pub(crate) fn is_open(&self, review: &ReviewId, now: Instant) -> bool {
        hold(&self.reviews).of.get(review).and_then(|known| known.open_until).is_some_and(|until| now < until)
    }

    /// `None`: it may have ended.
    pub(crate) fn keep_open(&self, review: &ReviewId, until: Option<Instant>) {
        hold(&self.reviews).change(review, |known| known.open_until = until);
    }

    pub(crate) fn registered(&self, review: &ReviewId) -> Option<BTreeSet<Subject>> {
        let known = hold(&self.reviews).of.get(review).map(|known| known.registered.clone());
        known.filter(|registered| !registered.is_empty())
    }

    pub(crate) fn keep_registered(&self, review: &ReviewId, subjects: BTreeSet<Subject>) {
        hold(&self.reviews).change(review, |known| known.registered.extend(subjects));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_makes_room_for_what_comes() {
        let review = |number: usize| ReviewId::parse(&format!("RR-{number}")).expect("a name");
        let subjects = |number: usize| BTreeSet::from([Subject::Review(review(number))]);
        let cache = Cache::of(1);
        let most = UNITS_A_MEGABYTE / UNITS_A_SUBJECT;
        for number in 0..most {
            cache.keep_registered(&review(number), subjects(number));
            // The same again is no more.
            cache.keep_registered(&review(number), subjects(number));
        }
        cache.keep_registered(&review(most), subjects(most));
        assert_eq!((cache.registered(&review(0)), hold(&cache.reviews).of.len()), (Some(subjects(0)), most + 1));
        cache.keep_registered(&review(most + 1), subjects(most + 1));
        assert_eq!((cache.registered(&review(0)), hold(&cache.reviews).of.len()), (None, 1));
        assert_eq!(hold(&cache.reviews).units, UNITS_A_SUBJECT);
    }
}
