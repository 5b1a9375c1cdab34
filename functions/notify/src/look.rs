//! A review as a round looks at it.

use std::collections::BTreeSet;

use decisions::Doing;
use lambda_shell::Failure;
use refresh_core::{
    Instant, ReviewId,
    audience::reading::Reading,
    facts::{fact::Facts, policy::Policy, subject::Subject},
    record::review::Review,
};

use crate::Env;

/// A review and what is needed to read it.
pub(crate) struct Look {
    pub(crate) review: Review,
    pub(crate) facts: Facts,
    pub(crate) policy: Policy,
}

impl Look {
    /// HEAD as it is now; `None` where no such review was issued.
    pub(crate) async fn at(env: &Env, id: &ReviewId) -> Result<Option<Self>, Failure> {
        let Some(review) = env.store.review(id).await.doing("reading the review")? else { return Ok(None) };
        let terms = BTreeSet::from([Subject::Review(id.clone())]);
        let facts = env.store.facts(&terms).await.doing("reading the review's terms")?;
        let policy = facts.terms(id).map(|terms| env.deployment.defaults.with(&terms.policy));
        Ok(policy.map(|policy| Self { review, facts, policy }))
    }

    pub(crate) fn reading(&self) -> Option<Reading<'_>> {
        let terms = self.facts.terms(&self.review.head.review)?;
        Some(Reading { review: &self.review, terms, policy: &self.policy })
    }

    /// A slow clock never goes back behind a decision.
    pub(crate) fn now(&self, env: &Env) -> Instant {
        Instant::from_millis(env.clock.now_millis()).max(self.review.head.at)
    }
}
