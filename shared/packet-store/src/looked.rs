//! What a worker saw when it last looked at a review's facts. While that was the last look that anybody took, nothing
//! of it need be read again but what was said since; and whatever is said, its message names.
//!
//! ```text
//!  look 7     HEAD: looked 7 ── everything was read ──▶ remembered under 7
//!  message    ── HEAD and what the message names, in one call ── HEAD: looked 7? ──no──▶ forget, and read everything
//!                                                                      │yes
//!                                                                      ▼
//!                                                        remembered + read ── decide ── commit: looked 9
//! ```
//! The seats of a shared person, one that another review seats or did seat, are read each time. So two reviews that the
//! same event touches do not choose the same hour. The first seat that another review gives a person has a message as
//! well (`record::seats`).
//!
//! So a look never stands on less than the look before it, and a message is never decided on without its own fact
//! (`tests/store/orders.rs` plays every order of these steps). What time alone brings has no message: once a look is due
//! by time, and at least every hour, everything is read.

use std::{collections::BTreeSet, sync::Arc};

use refresh_core::{
    Instant, Person, ReviewId,
    facts::{fact::Facts, policy::Deployment, subject::Subject},
    record::review::{Head, Review},
};

use crate::{
    Store, StoreError,
    load::{FactsRead, Reads},
    seats, weight,
};

/// What was read when HEAD's counter became `number`, or since.
#[derive(Debug)]
pub(crate) struct Looked {
    number: u64,
    facts: Facts,
    /// What was asked for, in order: that there is no fact of a subject is remembered as well.
    pub(crate) subjects: Arc<[Subject]>,
}

impl Looked {
    /// How much memory the facts take.
    pub(crate) fn bytes(&self) -> usize {
        weight::of(&self.facts)
    }
}

/// What a decision reads: HEAD with its versions, and the facts.
#[derive(Debug)]
#[must_use = "what is unreadable must be reported"]
pub struct LookedAt {
    /// `None` where the review was never issued.
    pub review: Option<Review>,
    /// The facts, no older than those of the last decision that looked at them.
    pub read: FactsRead,
}

impl Store {
    /// Reads what a decision on this review reads at `now`. `said`: what the messages are about that ask for the
    /// decision; `None` where somebody asks for a look at everything.
    ///
    /// # Errors
    ///
    /// The table cannot be read or written, or an item does not read as it was written.
    pub async fn look(
        &self,
        id: &ReviewId,
        deployment: &Deployment,
        said: Option<&BTreeSet<Subject>>,
        now: Instant,
    ) -> Result<LookedAt, StoreError> {
        let review = match (self.cache.take_looked(id), said) {
            (Some(looked), Some(said)) => {
                let changed = looked.changed(id, said);
                let found = self.head_and_facts(id, &changed, seats::of_subjects(&changed)).await?;
                let review = match found.head {
                    Some(head) => Some(self.unfold(head).await?),
                    None => None,
                };
                if review.as_ref().is_some_and(|review| is_last(looked.number, &review.head, now)) {
                    let subjects = looked.subjects.iter().cloned().collect();
                    let mut known = FactsRead { facts: looked.facts, subjects, ..FactsRead::default() };
                    for fact in found.facts {
                        known.facts.insert(fact);
                    }
                    self.add_seats(&mut known, found.seated).await?;
                    let reads = Reads { registers: true, seats: true };
                    let read = self.gather(id, review.as_ref(), deployment, reads, known).await?;
                    return Ok(LookedAt { review, read });
                }
                review
            }
            _ => self.review(id).await?,
        };
        // HEAD first, then the facts: a fact that comes in between is the next message's business, never a lost one.
        let read = self.facts_of(id, review.as_ref(), deployment).await?;
        Ok(LookedAt { review, read })
    }

    /// Keeps what a look saw, for the next look at the same review. `head`: as the look left it; as it was read, where
    /// there was nothing to write.
    pub fn remember(&self, head: &Head, facts: Facts, subjects: BTreeSet<Subject>) {
        if head.looked > 0 {
            let subjects = subjects.into_iter().collect();
            self.cache.keep_looked(&head.review, Looked { number: head.looked, facts, subjects });
        }
    }
}

/// Whether nobody looked since, and nothing is due that no message tells of.
fn is_last(number: u64, head: &Head, now: Instant) -> bool {
    head.looked == number && head.check_at.is_some_and(|at| now < at)
}

impl Looked {
    /// What is to be read again: what was said, as far as it was ever depended on, and so registered. Who has a further
    /// calendar stands in the list of them; and what calendars show is told apart by what other reviews have in them.
    fn changed(&self, id: &ReviewId, said: &BTreeSet<Subject>) -> BTreeSet<Subject> {
        let beside = |person: &Person| [Subject::Calendars(person.clone()), Subject::Seat(person.clone())];
        let people = said.iter().filter_map(|subject| match subject {
            Subject::Availability(person, ..) => Some(person),
            _ => None,
        });
        let shared = self.facts.all_seats().filter(|(_, seats)| seats.is_of_another(id));
        let shared = shared.map(|(person, _)| Subject::Seat(person.clone()));
        let all = said.iter().cloned().chain(people.flat_map(beside)).chain(shared);
        all.filter_map(|subject| self.subjects.binary_search(&subject).ok().map(|at| self.subjects[at].clone()))
            .collect()
    }
}
