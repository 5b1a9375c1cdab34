//! What is remembered between invocations: what is written once and never changes, and what a decision saw, under the
//! number of that decision.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use refresh_core::{Person, ReviewId, facts::subject::Subject, record::packet::Version};

use crate::looked::Looked;

/// Reviews remembered at most; a worker rarely sees more in its life, and a version is some kilobytes.
const MOST: usize = 512;
/// People remembered at most who have seats: an address each.
const MOST_PEOPLE: usize = 8 * MOST;
/// Intervals and other facts remembered at most, of all reviews together: some ten megabytes.
const MOST_LOOKED: usize = 600_000;

#[derive(Debug, Default)]
pub(crate) struct Cache {
    versions: Mutex<HashMap<(ReviewId, u32), Version>>,
    registered: Mutex<HashMap<ReviewId, BTreeSet<Subject>>>,
    any_seat: Mutex<HashSet<Person>>,
    looked: Mutex<Shelf<Looked>>,
}

/// What is remembered of each review, with how much there is of it all.
#[derive(Debug)]
struct Shelf<T> {
    of: HashMap<ReviewId, (usize, T)>,
    weight: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { of: HashMap::new(), weight: 0 }
    }
}

impl<T> Shelf<T> {
    fn take(&mut self, review: &ReviewId) -> Option<T> {
        let (weight, what) = self.of.remove(review)?;
        self.weight -= weight;
        Some(what)
    }

    /// Dropping all is simpler than ageing, and costs one whole look of each review.
    fn put(&mut self, review: &ReviewId, weight: usize, what: T) {
        self.take(review);
        if self.weight + weight > MOST_LOOKED {
            *self = Self::default();
        }
        self.weight += weight;
        self.of.insert(review.clone(), (weight, what));
    }
}

/// A panic while the lock was held cannot have left a map half changed: every change is one call.
fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cache {
    pub(crate) fn version(&self, review: &ReviewId, number: u32) -> Option<Version> {
        hold(&self.versions).get(&(review.clone(), number)).cloned()
    }

    pub(crate) fn keep_version(&self, review: &ReviewId, version: Version) {
        let mut versions = hold(&self.versions);
        // Dropping all is simpler than ageing, and costs one read each.
        if versions.len() >= MOST {
            versions.clear();
        }
        versions.insert((review.clone(), version.number), version);
    }

    /// Of `subjects`, those not known to be registered.
    pub(crate) fn unknown(&self, review: &ReviewId, subjects: &BTreeSet<Subject>) -> BTreeSet<Subject> {
        match hold(&self.registered).get(review) {
            Some(known) => subjects.difference(known).cloned().collect(),
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
        hold(&self.looked).take(review)
    }

    pub(crate) fn keep_looked(&self, review: &ReviewId, looked: Looked) {
        hold(&self.looked).put(review, looked.weight(), looked);
    }

    pub(crate) fn registered(&self, review: &ReviewId) -> Option<BTreeSet<Subject>> {
        hold(&self.registered).get(review).cloned()
    }

    pub(crate) fn keep_registered(&self, review: &ReviewId, subjects: BTreeSet<Subject>) {
        let mut registered = hold(&self.registered);
        if registered.len() >= MOST {
            registered.clear();
        }
        registered.entry(review.clone()).or_default().extend(subjects);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_makes_room_for_itself() {
        let review = |number: usize| ReviewId::parse(&format!("RR-{number}")).expect("a name");
        let mut shelf = Shelf::default();
        for number in 0..3 {
            shelf.put(&review(number), MOST_LOOKED / 3, number);
        }
        // The same review again takes the place of what was there.
        shelf.put(&review(2), MOST_LOOKED / 3, 20);
        assert_eq!((shelf.take(&review(2)), shelf.take(&review(2))), (Some(20), None));
        assert_eq!(shelf.weight, MOST_LOOKED / 3 * 2);
        shelf.put(&review(3), MOST_LOOKED / 2, 3);
        assert_eq!((shelf.of.len(), shelf.weight), (1, MOST_LOOKED / 2));
    }
}
