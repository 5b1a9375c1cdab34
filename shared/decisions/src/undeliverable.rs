//! What became of a mail: kept beside what its reader was told, and decided on where it did not arrive.
//!
//! ```text
//!  keep ── HEAD ── facts ── decide ── commit
//!           ▲                           │ another decision was quicker
//!           └───────────────────────────┘
//! ```
//! Known first, decided second: whoever dies in between gets the message again, and neither is done twice.

use lambda_shell::{Doing, Failure, clock::Clock, deadline::Deadline};
use packet_store::{Committed, Store};
use refresh_core::{
    Instant, ReviewId,
    decide::undeliverable,
    facts::policy::Deployment,
    record::{commit::Commit, delivery::Report, review::Head},
};

use crate::Pause;

/// A report, and what it is kept and decided with.
#[derive(Debug)]
pub struct Reported<'a> {
    pub store: &'a Store,
    pub deployment: &'a Deployment,
    pub clock: &'a Clock,
    pub review: &'a ReviewId,
    pub report: &'a Report,
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
    Decided(Box<Commit>),
}

impl Reported<'_> {
    /// Safe to repeat.
    pub async fn keep(&self, deadline: Deadline) -> Result<Kept, Failure> {
        let Self { store, deployment, review: id, report, .. } = *self;
        if !store.report(id, report).await.doing("recording what became of a mail")? {
            return Ok(Kept::OfNobody);
        }
        if report.delivery.status.undeliverable().is_none() {
            return Ok(Kept::Known);
        }
        let mut pause = Pause::default();
        loop {
            let Some(review) = store.review(id).await.doing("reading the review")? else { return Ok(Kept::Known) };
            // Nothing is registered: what is decided here is who can be reached, and no version stands on a fact by it.
            let facts = store.facts_seen(id, Some(&review), deployment).await.doing("reading the facts")?;
            let now = Instant::from_millis(self.clock.now_millis()).max(review.head.at);
            let Some(commit) = undeliverable::undeliverable(&review, &facts, deployment, report, now) else {
                return Ok(Kept::Before(Box::new(review.head)));
            };
            match store.commit(&commit).await.doing("committing that a mail did not arrive")? {
                Committed::Written => return Ok(Kept::Decided(Box::new(commit))),
                Committed::AlreadyWritten(_) | Committed::Superseded if deadline.is_near() => {
                    return Err(Failure::new("deciding", "another decision was always quicker; the deadline is near"));
                }
                Committed::AlreadyWritten(_) | Committed::Superseded => pause.wait(self.clock).await,
            }
        }
    }
}
