//! What is remembered between invocations: what is written once and never changes, and what a decision saw, under the
//! number of that decision.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use refresh_core::{
    Instant, Person, ReviewId,
    facts::subject::Subject,
    record::packet::{Standpoint, Version},
};

use crate::{looked::Looked, weight::BYTES_A_NAME};

/// The memory of most functions of the template, in megabytes.
const MEGABYTES: usize = 256;
/// Half of the memory is for what is remembered. The other half is the program's, which takes a twentieth, and that of
/// decisions: a hundred people with 4,000 entries each are 10 MB.
const BYTES_A_MEGABYTE: usize = (1 << 20) / 2;
/// A version without what it stands on: packet and report, of five to fifteen roles.
const BYTES_A_VERSION: usize = size_of::<Version>() + 3 * 1_024;
const BYTES_A_REVIEW: usize = size_of::<Remembered>() + 2 * BYTES_A_NAME;
/// Versions of one review remembered at most. HEAD names three at most, and somebody may have been told another.
const MOST_VERSIONS: usize = 6;
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
    /// The one that was asked for last is the last.
    versions: Vec<Version>,
    /// In order: what is registered, and calendars whose person is. Facts and versions have their names from here.
    subjects: Arc<[Subject]>,
    /// With how much memory its facts take.
    looked: Option<(usize, Looked)>,
    /// Until when the review is taken to be open ([`refresh_core::record::review::Head::open_until`]).
    open_until: Option<Instant>,
}

impl Remembered {
    fn bytes(&self) -> usize {
        let looked = self.looked.as_ref().map_or(0, |(facts, looked)| {
            let shared = Arc::ptr_eq(&looked.subjects, &self.subjects);
            facts + if shared { 0 } else { size_of_val(&*looked.subjects) }
        });
        let version = |version: &Version| BYTES_A_VERSION + size_of_val(&*version.stands_on);
        let versions: usize = self.versions.iter().map(version).sum();
        BYTES_A_REVIEW + looked + versions + size_of_val(&*self.subjects)
    }

    fn knows(&self, subject: &Subject) -> bool {
        self.subjects.binary_search(subject).is_ok()
    }

    /// What is known already keeps its names.
    fn add_subjects(&mut self, subjects: impl IntoIterator<Item = Subject>) {
        let new: Vec<Subject> = subjects.into_iter().filter(|subject| !self.knows(subject)).collect();
        if !new.is_empty() {
            let mut all: Vec<Subject> = self.subjects.iter().cloned().chain(new).collect();
            all.sort_unstable();
            self.subjects = all.into();
        }
    }

    /// The version with the names that are known already: one that was read has copies of them.
    fn with_known_names(&self, mut version: Version) -> Version {
        let mut sources = BTreeSet::new();
        let shared = |standpoint: &Standpoint| {
            let subject = self.subjects.binary_search(&standpoint.subject).map(|at| &self.subjects[at]);
            sources.insert(standpoint.source.clone());
            let source = sources.get(&standpoint.source).unwrap_or(&standpoint.source).clone();
            Standpoint { subject: subject.unwrap_or(&standpoint.subject).clone(), source, ..standpoint.clone() }
        };
        version.stands_on = version.stands_on.iter().map(shared).collect();
        version
    }
}

/// What is remembered of each review, with how much memory all of it takes.
#[derive(Debug)]
struct Shelf {
    of: HashMap<ReviewId, Remembered>,
    bytes: usize,
    room: usize,
}

impl Shelf {
    fn change<T>(&mut self, review: &ReviewId, change: impl FnOnce(&mut Remembered) -> T) -> T {
        // Half of the reviews, in no order of theirs: where more reviews take turns than there is room for, whoever was
        // forgotten longest ago would always be the next.
        while self.bytes > self.room {
            let mut keep = true;
            self.of.retain(|_, _| {
                keep = !keep;
                keep
            });
            self.bytes = self.of.values().map(Remembered::bytes).sum();
        }
        let before = self.of.get(review).map_or(0, Remembered::bytes);
        let remembered = self.of.entry(review.clone()).or_default();
        let changed = change(remembered);
        self.bytes = self.bytes + remembered.bytes() - before;
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
        let shelf = Shelf { of: HashMap::new(), bytes: 0, room: megabytes * BYTES_A_MEGABYTE };
        Self { reviews: Mutex::new(shelf), any_seat: Mutex::default() }
    }

    pub(crate) fn version(&self, review: &ReviewId, number: u32) -> Option<Version> {
        let mut reviews = hold(&self.reviews);
        let versions = &mut reviews.of.get_mut(review)?.versions;
        let at = versions.iter().position(|version| version.number == number)?;
        versions[at..].rotate_left(1);
        versions.last().cloned()
    }

    pub(crate) fn keep_version(&self, review: &ReviewId, version: Version) {
        hold(&self.reviews).change(review, |known| {
            // A version never changes. What is forgotten is read again.
            known.versions.retain(|known| known.number != version.number);
            if known.versions.len() >= MOST_VERSIONS {
                known.versions.remove(0);
            }
            known.versions.push(known.with_known_names(version));
        });
    }

    /// Of `subjects`, those not known to be registered.
    pub(crate) fn unknown(&self, review: &ReviewId, subjects: &BTreeSet<Subject>) -> BTreeSet<Subject> {
        match hold(&self.reviews).of.get(review) {
            Some(known) => subjects.iter().filter(|subject| !known.knows(subject)).cloned().collect(),
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
        let known = reviews.of.get_mut(review)?;
        let before = known.bytes();
        let (_, looked) = known.looked.take()?;
        let after = known.bytes();
        reviews.bytes = reviews.bytes + after - before;
        Some(looked)
    }

    pub(crate) fn keep_looked(&self, review: &ReviewId, mut looked: Looked) {
        let bytes = looked.bytes();
        hold(&self.reviews).change(review, |known| {
            // Mostly what was asked for is all that is known, and then it is kept once.
            known.add_subjects(looked.subjects.iter().cloned());
            if known.subjects == looked.subjects {
                looked.subjects = known.subjects.clone();
            }
            known.looked = Some((bytes, looked));
        });
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
        let reviews = hold(&self.reviews);
        let known = reviews.of.get(review).filter(|known| !known.subjects.is_empty())?;
        Some(known.subjects.iter().cloned().collect())
    }

    pub(crate) fn keep_registered(&self, review: &ReviewId, subjects: BTreeSet<Subject>) {
        hold(&self.reviews).change(review, |known| known.add_subjects(subjects));
    }
}
