//! What became of a mail: kept beside what its reader was told, and decided on where it did not arrive.
//!
//! Known first, decided second: whoever dies in between gets the message again, and neither is done twice.

use lambda_shell::{Failure, clock::Clock};
use refresh_core::{
    Instant, ReviewId,
    decide::undeliverable,
    facts::policy::Deployment,
    record::{commit::Commit, delivery::DeliveryReport, review::Head},
};

use crate::{Attempt, Committing, Decided, Doing};

/// A report, and what it is kept and decided with.
#[derive(Debug)]
pub struct Reported<'a> {
    /// What the decision is committed with.
    pub committing: Committing<'a>,
    /// The policies, and what all reviews share.
    pub deployment: &'a Deployment,
    /// The time of the decision.
    pub clock: &'a Clock,
    /// The review that the mail was of.
    pub review: &'a ReviewId,
    /// What the mailer reports.
    pub report: &'a DeliveryReport,
}

/// What a report came to.
#[derive(Clone, PartialEq, Debug)]
pub enum Kept {
    /// Nobody of that review was ever about to be mailed at that address.
    OfNobody,
    /// There is nothing to decide: the mail arrived, or may yet.
    Known,
    /// That mail does not reach its reader was decided on before; HEAD as it is now.
    Before(Box<Head>),
    /// It was decided now that mail does not reach the reader.
    Decided(Box<Commit>),
}

impl Reported<'_> {
    /// Safe to repeat.
    ///
    /// # Errors
    ///
    /// The store's; and one that passes, where another decision was always quicker.
    pub async fn keep(&self) -> Result<Kept, Failure> {
        let store = self.committing.store;
        if !store.report(self.review, self.report).await.doing("recording what became of a mail")? {
            return Ok(Kept::OfNobody);
        }
        if self.report.delivery.status.undeliverable().is_none() {
            return Ok(Kept::Known);
        }
        let ended =
            self.committing.decide("committing that a mail did not arrive", |attempt| self.decide(attempt)).await?;
        Ok(match ended.or_failure("deciding on a mail that did not arrive")? {
            (Some(commit), _) => Kept::Decided(commit),
            (None, Some(head)) => Kept::Before(head),
            (None, None) => Kept::Known,
        })
    }

    async fn decide(&self, _: Attempt) -> Result<Decided<Option<Box<Head>>>, Failure> {
        let Self { committing, deployment, review: id, report, .. } = self;
        let read = committing.store.review(id).await.doing("reading the review")?;
        let Some(review) = read else { return Ok(Decided::Nothing(None)) };
        // Nothing is registered: what is decided here is who can be reached, and no version stands on a fact by it.
        let facts = committing.store.facts_but_seats(id, Some(&review), deployment).await.doing("reading the facts")?;
        let now = Instant::from_millis(self.clock.now_millis()).max(review.head.at);
        let commit = undeliverable::undeliverable(&review, &facts, deployment, report, now);
        Ok(Decided::of(commit, Some(Box::new(review.head))))
    }
}
