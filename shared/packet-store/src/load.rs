//! A review's facts, read so that none is missed: its dependencies are registered first, the facts are read second, and
//! a fact that names new subjects leads to another round.
//!
//! The first round reads all that is registered, so that it is mostly the only one: what the last decision stood on is
//! what this one will.

use std::collections::BTreeSet;

use refresh_core::{
    Person, ReviewId,
    base::fingerprint::{PersonFingerprint, ReviewFingerprint},
    choice::situation,
    facts::{fact::Facts, policy::Deployment, subject::Subject},
    record::review::Review,
};

use crate::{Store, StoreError, Unreadable, seats};

impl Store {
    /// Everything a decision on this review reads, newest facts, strongly consistent. HEAD must have been read before.
    /// `review` is `None` for one that is not issued yet.
    ///
    /// # Errors
    ///
    /// The table cannot be read or written, or an item does not read as it was written.
    pub async fn facts_of(
        &self,
        id: &ReviewId,
        review: Option<&Review>,
        deployment: &Deployment,
    ) -> Result<FactsRead, StoreError> {
        self.gather(id, review, deployment, Reads { registers: true, seats: true }, FactsRead::default()).await
    }

    /// The same for somebody who only looks: nothing is registered, since a page that is shown writes nothing.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn facts_seen(
        &self,
        id: &ReviewId,
        review: Option<&Review>,
        deployment: &Deployment,
    ) -> Result<FactsRead, StoreError> {
        self.gather(id, review, deployment, Reads { registers: false, seats: true }, FactsRead::default()).await
    }

    /// The same without anybody's seats, for what decides nothing about them: an answer, or a report on a mail.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn facts_but_seats(
        &self,
        id: &ReviewId,
        review: Option<&Review>,
        deployment: &Deployment,
    ) -> Result<Facts, StoreError> {
        let reads = Reads { registers: false, seats: false };
        let read = self.gather(id, review, deployment, reads, FactsRead::default()).await?;
        Ok(read.facts)
    }

    /// Whose link this is: a review and somebody who was told of it, by the fingerprints a link has room for. Nobody gets
    /// a link who has no TOLD, if only the claim under which it is sent.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn reader(
        &self,
        review: ReviewFingerprint,
        person: PersonFingerprint,
    ) -> Result<Option<(ReviewId, Person)>, StoreError> {
        let Some(review) = self.find_link(review).await? else { return Ok(None) };
        let told = self.told(&review).await?;
        let reader = told.into_keys().find(|known| PersonFingerprint::of(known) == person);
        Ok(reader.map(|reader| (review, reader)))
    }

    /// `known`: what need not be read, all of it registered.
    pub(crate) async fn gather(
        &self,
        id: &ReviewId,
        review: Option<&Review>,
        deployment: &Deployment,
        reads: Reads,
        mut known: FactsRead,
    ) -> Result<FactsRead, StoreError> {
        let seated: Vec<&Person> = review.map(seated).unwrap_or_default();
        let mut ahead = if known.subjects.is_empty() { self.ahead(id).await? } else { BTreeSet::new() };
        loop {
            let all = situation::subjects(id, &known.facts, deployment, seated.iter().copied());
            if all.is_subset(&known.subjects) {
                // What is registered and no longer needed is left out: a decision stands on what it depends on.
                known.facts.retain(|subject| all.contains(subject));
                return Ok(FactsRead { subjects: all, ..known });
            }
            if reads.registers {
                self.register(id, &all).await?;
            }
            let new: BTreeSet<Subject> = all.into_iter().chain(std::mem::take(&mut ahead)).collect();
            let new: BTreeSet<Subject> = new.difference(&known.subjects).cloned().collect();
            let people = if reads.seats { seats::of_subjects(&new) } else { Vec::new() };
            let (found, seated) = self.facts_and_seated(&new, people).await?;
            for fact in found {
                known.facts.insert(fact);
            }
            self.add_seats(&mut known, seated).await?;
            known.subjects.extend(new);
        }
    }

    /// The seats of these people, who have some, or had.
    pub(crate) async fn add_seats(&self, known: &mut FactsRead, people: Vec<Person>) -> Result<(), StoreError> {
        for (person, found) in self.seats(people).await? {
            known.facts.insert_seats(person, found.seats);
            known.unreadable.extend(found.unreadable);
        }
        Ok(())
    }

    /// What the first round reads: all that is registered.
    async fn ahead(&self, id: &ReviewId) -> Result<BTreeSet<Subject>, StoreError> {
        let mut ahead = self.registered(id).await?;
        // Which calendars a person has is read with the one that everybody is registered under.
        let whose = |subject: &Subject| match subject {
            Subject::Availability(person, ..) => Some(Subject::Calendars(person.clone())),
            _ => None,
        };
        ahead.extend(ahead.iter().filter_map(whose).collect::<Vec<_>>());
        Ok(ahead)
    }
}

/// Everything that a decision reads. A person of whom some seat cannot be read is known to be free at no time; the damage
/// itself is the caller's to report.
#[derive(Debug, Default)]
#[must_use = "what is unreadable must be reported"]
pub struct FactsRead {
    /// The facts, and where people sit.
    pub facts: Facts,
    /// What was asked for, whether or not there is a fact of it.
    pub subjects: BTreeSet<Subject>,
    /// The seats that could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// How somebody reads.
#[derive(Clone, Copy)]
pub(crate) struct Reads {
    /// Whether the dependencies are registered first.
    pub(crate) registers: bool,
    /// Whether the seats of people are read as well.
    pub(crate) seats: bool,
}

/// Who sits in the versions that count: their time matters even if no mapping names them any more.
fn seated(review: &Review) -> Vec<&Person> {
    let versions = std::iter::once(&review.authoritative).chain(&review.pending);
    versions.flat_map(|version| version.packet.attendees.values()).collect()
}
