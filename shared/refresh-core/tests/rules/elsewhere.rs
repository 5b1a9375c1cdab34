//! Other reviews of the deployment, as this one's store shows them: their entries of people, and that they ask for a look.

use refresh_core::{Person, ReviewId, decide::refresh, facts::seat::Seat};

use crate::{fixture, world::World};

impl World {
    /// Another review's seats are another: it asks this one to look.
    pub fn asked_by_seats(&mut self) -> Result<(), String> {
        let Some(before) = self.review.clone().filter(|_| !self.late) else { return Ok(()) };
        self.refresh(Vec::new())?;
        if self.head()?.counter == before.head.counter
            && let Some(commit) = refresh::looked_at(&before, self.now)
        {
            self.write(commit)?;
        }
        Ok(())
    }

    /// `RR-2 sec-a`: what that review stored of the person's seat cannot be read, and somebody asks this one to look.
    pub fn cannot_read(&mut self, said: &str) -> Result<(), String> {
        let (review, person) = said.split_once(' ').ok_or("a review and a person")?;
        let seats = self.seats.entry(fixture::person(person)?).or_default();
        seats.unreadable.insert(ReviewId::parse(review)?);
        self.asked_by_seats()
    }

    /// The entries of those without a place are not written, and HEAD says so.
    pub fn forget_shown(&mut self) {
        let Some(review) = &mut self.review else { return };
        review.head.entries_due = None;
        let id = &review.head.review;
        let placed = |seat: &Seat| seat.authoritative.is_some() || seat.tentative.is_some();
        for known in self.seats.values_mut() {
            known.seats.retain(|seat| seat.review != *id || placed(seat));
        }
    }

    /// The person's entry of a review, to be changed.
    pub fn entry_of(&mut self, review: &ReviewId, person: &Person) -> &mut Seat {
        let seats = &mut self.seats.entry(person.clone()).or_default().seats;
        if let Some(at) = seats.iter().position(|seat| seat.review == *review) {
            return &mut seats[at];
        }
        seats.push(Seat {
            review: review.clone(),
            person: person.clone(),
            authoritative: None,
            tentative: None,
            invitations: Vec::new(),
        });
        let last = seats.len() - 1;
        &mut seats[last]
    }
}
