//! A review as a round looks at it.

use std::collections::{BTreeMap, BTreeSet};

use decisions::Doing;
use lambda_shell::Failure;
use packet_store::{TellingRead, TellingRecord};
use refresh_core::{
    Instant, Person, ReviewId,
    audience::reading::Reading,
    facts::{fact::Facts, policy::Policy, subject::Subject},
    record::review::{Head, Review},
};

use crate::Env;

/// A review and what is needed to read it.
pub(crate) struct Look {
    pub(crate) review: Review,
    pub(crate) facts: Facts,
    pub(crate) policy: Policy,
    /// The profiles of these people were asked for. `facts` holds the profiles that were found.
    asked: BTreeSet<Person>,
}

impl Look {
    /// HEAD as it is now; `None` where no such review was issued.
    pub(crate) async fn at(env: &Env, id: &ReviewId) -> Result<Option<Self>, Failure> {
        let terms = BTreeSet::from([Subject::Review(id.clone())]);
        let read = env.store.telling(id, &terms, &BTreeSet::new()).await.doing("reading the review and its terms")?;
        Ok(Self::of(env, id, read, BTreeSet::new()).0)
    }

    /// The same, with what `people` were told and the profiles of those `known`.
    pub(crate) async fn to_tell(
        env: &Env,
        id: &ReviewId,
        people: &BTreeSet<Person>,
        known: BTreeSet<Person>,
    ) -> Result<(Option<Self>, BTreeMap<Person, TellingRecord>), Failure> {
        let subjects = known.iter().cloned().map(Subject::Person).chain([Subject::Review(id.clone())]).collect();
        let read = env.store.telling(id, &subjects, people).await;
        Ok(Self::of(env, id, read.doing("reading the review and what people were told")?, known))
    }

    fn of(
        env: &Env,
        id: &ReviewId,
        read: TellingRead,
        asked: BTreeSet<Person>,
    ) -> (Option<Self>, BTreeMap<Person, TellingRecord>) {
        let TellingRead { review, facts, told } = read;
        let policy = facts.terms(id).map(|terms| env.deployment.defaults.with(&terms.policy));
        (review.zip(policy).map(|(review, policy)| Self { review, facts, policy, asked }), told)
    }

    /// Reads the profiles of these people as well. Nearly always they were read with HEAD; a decision since then may name
    /// others.
    pub(crate) async fn add_profiles(&mut self, env: &Env, people: BTreeSet<Person>) -> Result<(), Failure> {
        let missing = people.difference(&self.asked).cloned().map(Subject::Person).collect::<BTreeSet<_>>();
        if !missing.is_empty() {
            for fact in env.store.facts(&missing).await.doing("reading names")?.iter() {
                self.facts.insert(fact.clone());
            }
            self.asked.extend(people);
        }
        Ok(())
    }

    /// After a commit of this round's own: HEAD as the commit wrote it, with the versions at hand. Another decision may have
    /// come since; then the next commit finds HEAD moved, and whoever makes it looks again.
    pub(crate) async fn go_on(&mut self, env: &Env, head: Head) -> Result<(), Failure> {
        let versions = |head: &Head| (head.authoritative, head.pending.as_ref().map(|pending| pending.version));
        if versions(&self.review.head) == versions(&head) {
            self.review.head = head;
        } else if let Some(anew) = Self::at(env, &head.review).await? {
            *self = anew;
        }
        Ok(())
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
