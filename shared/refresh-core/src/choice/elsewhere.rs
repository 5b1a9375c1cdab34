//! Where people sit in other reviews of the deployment. Somebody seated there is busy there, whatever calendars say.
//!
//! A seat that a review has already is judged by the claims alone: the older one stands. So two reviews never flee from
//! each other. A seat that a review has not yet has no claim, so a choice keeps clear of every seat elsewhere.

use std::collections::BTreeSet;

use crate::{
    Instant, Person, ReviewId,
    base::instant::Slot,
    choice::situation::Situation,
    facts::{policy::OtherReviews, seat::Seat},
    record::{
        exception::{Exception, Reason},
        mark::{Mark, Violation},
        proposal::Pending,
        review::{MOST_ELSEWHERE, PlaceElsewhere},
    },
};

/// What of two tentative seats in one hour stays: told before untold, then the older claim, then the lesser review.
type Precedence<'a> = (bool, Instant, &'a ReviewId);

impl<'a> Situation<'a> {
    /// The person's places in other reviews; none where the policy says that other reviews are no matter.
    pub fn seats_elsewhere(&self, person: &Person) -> impl Iterator<Item = &'a Seat> + use<'a> {
        let (id, counted) = (self.id, self.policy.other_reviews == OtherReviews::Busy);
        let seats = self.facts.seats(person);
        seats.iter().filter(move |seat| counted && seat.review != *id)
    }

    /// The slots of the person's authoritative places in other reviews.
    pub fn taken_elsewhere(&self, person: &Person) -> impl Iterator<Item = Slot> + use<'a> {
        self.seats_elsewhere(person).filter_map(|seat| seat.authoritative.map(|seat| seat.slot))
    }

    /// The slots that other reviews propose to the person, while those proposals wait.
    pub fn proposed_elsewhere(&self, person: &Person) -> impl Iterator<Item = Slot> + use<'a> {
        let now = self.now;
        let tentative = self.seats_elsewhere(person).filter_map(|seat| seat.tentative);
        tentative.filter(move |seat| now < seat.expires_at).map(|seat| seat.slot)
    }

    /// When the next proposal of another review to these people ends, if nobody decides it.
    pub fn next_end_elsewhere(&self) -> Option<Instant> {
        let people = self.facts.all_seats().map(|(person, _)| person);
        let tentative = people.flat_map(|person| self.seats_elsewhere(person)).filter_map(|seat| seat.tentative);
        tentative.map(|seat| seat.expires_at).filter(|at| *at > self.now).min()
    }

    /// The review in which the person sits in that slot by an older claim; ties go to the lesser review.
    pub fn booked(&self, person: &Person, slot: &Slot, claim: Instant) -> Option<&'a Seat> {
        let id = self.id;
        self.seats_elsewhere(person).find(|seat| {
            seat.authoritative
                .is_some_and(|other| other.slot.overlaps(slot) && (other.claim, &seat.review) < (claim, id))
        })
    }

    /// Where people sit in other reviews, as far as that bears on this one: whoever is booked in the authoritative slot, and
    /// whoever could fill a role that nobody covers in the nearest slot.
    pub fn places_elsewhere(&self, slot: &Slot, marks: &[Mark], exceptions: &[Exception]) -> Vec<PlaceElsewhere> {
        let booked = marks.iter().filter_map(|mark| match mark {
            Mark::Violation(Violation::Booked(person)) => Some((person, *slot)),
            _ => None,
        });
        let uncovered = exceptions.iter().flat_map(|exception| &exception.reasons).filter_map(|reason| match reason {
            Reason::Uncovered { role, slot, .. } => Some((role, *slot)),
            _ => None,
        });
        let could = uncovered.flat_map(|(role, slot)| self.appointed(role).map(move |known| (known.person, slot)));
        let mut places: BTreeSet<PlaceElsewhere> = BTreeSet::new();
        for (person, wanted) in booked.chain(could) {
            for seat in self.seats_elsewhere(person) {
                let proposed = seat.tentative.filter(|seat| self.now < seat.expires_at).map(|seat| (seat.slot, true));
                let given = seat.authoritative.map(|seat| (seat.slot, false)).into_iter().chain(proposed);
                places.extend(given.filter(|(slot, _)| slot.overlaps(&wanted)).map(|(slot, proposed)| {
                    PlaceElsewhere { person: person.clone(), review: seat.review.clone(), slot, proposed }
                }));
            }
        }
        places.into_iter().take(MOST_ELSEWHERE).collect()
    }

    /// Whether another review's proposal to the person, in that slot, comes before this review's present one.
    pub fn yields(&self, person: &Person, slot: &Slot, present: &Pending) -> bool {
        let ours: Precedence<'_> = (!present.is_told(), present.made_at, self.id);
        self.seats_elsewhere(person).any(|seat| {
            seat.tentative.is_some_and(|other| {
                let theirs: Precedence<'_> = (!other.told, other.made_at, &seat.review);
                self.now < other.expires_at && other.slot.overlaps(slot) && theirs < ours
            })
        })
    }
}
