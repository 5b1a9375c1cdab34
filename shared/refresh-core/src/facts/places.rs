//! What a decision has read of people's places, beside the facts.

use crate::{
    Person, ReviewId,
    facts::{
        fact::Facts,
        seat::{PersonSeats, Seat, SeatedBy},
    },
};

impl Facts {
    /// The places that were read of a person; none where nothing was read.
    pub fn seats(&self, person: &Person) -> &[Seat] {
        self.person_seats(person).map_or(&[], |found| &found.seats)
    }

    /// The decision that last gave the person an authoritative place, as it was read before the places.
    pub fn seated_by(&self, person: &Person) -> Option<&SeatedBy> {
        self.person_seats(person).and_then(|found| found.seated_by.as_ref())
    }

    /// Whether the decision that last gave the person an authoritative place could not be read.
    pub fn is_mark_unreadable(&self, person: &Person) -> bool {
        self.person_seats(person).is_some_and(|found| found.mark_unreadable)
    }

    /// The people of whom the review's own entry does not read as it was written.
    pub fn unreadable_entries_of(&self, review: &ReviewId) -> impl Iterator<Item = &Person> {
        self.all_seats().filter(|(_, seats)| seats.unreadable.contains(review)).map(|(person, _)| person)
    }

    /// Replaces what was read of the person's places. Nothing of a person without any is kept.
    pub fn insert_seats(&mut self, person: Person, mut seats: PersonSeats) {
        seats.seats.sort_by(|a, b| a.review.cmp(&b.review));
        let found = self.seats.binary_search_by(|(known, _)| known.cmp(&person));
        match (found, seats == PersonSeats::default()) {
            (Ok(at), true) => drop(self.seats.remove(at)),
            (Ok(at), false) => self.seats[at].1 = seats,
            (Err(_), true) => {}
            (Err(at), false) => self.seats.insert(at, (person, seats)),
        }
    }

    /// Everybody of whom any place was read.
    pub fn all_seats(&self) -> impl Iterator<Item = (&Person, &PersonSeats)> {
        self.seats.iter().map(|(person, seats)| (person, seats))
    }

    /// All that was read of the person's places; `None` where that is nothing.
    pub fn person_seats(&self, person: &Person) -> Option<&PersonSeats> {
        self.seats.binary_search_by(|(known, _)| known.cmp(person)).ok().map(|at| &self.seats[at].1)
    }
}
