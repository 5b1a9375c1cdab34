//! Sources that promised to speak again within a time and did not. Not knowing is never good news.
//!
//! ```text
//!  heard ────── max_age_minutes ──────▶ silent: at that instant, and until the source is heard again
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Instant, Interval, Source,
    facts::{
        entries::Entries,
        fact::{Availability, Body, Fact, Facts, Terms},
        policy::{Deployment, Policy, Registration},
        subject::{Kind, Subject},
    },
    record::exception::Reason,
};

/// What is not known any more, since a source broke its promise.
#[derive(Clone, Debug, Default)]
pub struct Silence {
    /// The sources of change, evidence, delegations and freezes that are silent, as `source_silent` names them.
    pub reasons: Vec<Reason>,
    /// The sources of people's time that are silent, in order: that time is unknown, and proposals go on.
    pub of_time: Vec<Source>,
    /// When the next source that the review depends on will be silent, if nothing is heard of it.
    pub next: Option<Instant>,
    /// The facts with the availability of silent sources as unknown; `None` where all are heard.
    heard: Option<Box<Facts>>,
}

impl Silence {
    /// What is silent at `now` of all that a review with these terms depends on.
    pub fn of(terms: &Terms, policy: &Policy, facts: &Facts, deployment: &Deployment, now: Instant) -> Self {
        let mut silence = Self { reasons: unreported(policy, facts, deployment), ..Self::default() };
        let promises: Vec<&Registration> =
            deployment.sources.iter().filter(|registration| registration.max_age_minutes.is_some()).collect();
        if promises.is_empty() {
            return silence;
        }
        let depends = |subject: &Subject| match subject {
            Subject::Change(change) => *change == terms.change,
            Subject::Evidence(change, checkpoint) => *change == terms.change && terms.checkpoints.contains(checkpoint),
            Subject::Delegation(service, role) => *service == terms.service && terms.attendees.contains_key(role),
            Subject::Freeze(calendar) => policy.freeze_calendars.contains(calendar),
            Subject::Availability(..) => true,
            _ => false,
        };
        // Each fact has its own promise. Of several of a source the one is named that was unheard of the longest.
        let mut sources: BTreeMap<&Source, &Fact> = BTreeMap::new();
        let mut of_time: BTreeSet<&Source> = BTreeSet::new();
        let mut unheard = Vec::new();
        for fact in facts.iter().filter(|fact| depends(&fact.subject)) {
            match silent_from(fact, &promises) {
                Some(at) if now < at => silence.next = silence.next.into_iter().chain([at]).min(),
                Some(_) if fact.subject.kind() == Kind::Availability => {
                    of_time.insert(&fact.source);
                    unheard.push(unknown(fact));
                }
                Some(_) => {
                    let named = sources.entry(&fact.source).or_insert(fact);
                    if fact.heard_at() < named.heard_at() {
                        *named = fact;
                    }
                }
                None => {}
            }
        }
        silence.of_time = of_time.into_iter().cloned().collect();
        let silent = |(source, fact): (&Source, &Fact)| Reason::Silent {
            source: source.clone(),
            unheard: Some(fact.subject.clone()),
        };
        silence.reasons.extend(sources.into_iter().map(silent));
        silence.reasons.sort_by(|a, b| a.identity().cmp(&b.identity()));
        if !unheard.is_empty() {
            let mut heard = facts.clone();
            unheard.into_iter().for_each(|fact| heard.insert(fact));
            silence.heard = Some(Box::new(heard));
        }
        silence
    }

    /// The facts as people's time is read from them.
    pub fn heard<'f>(&'f self, facts: &'f Facts) -> &'f Facts {
        self.heard.as_deref().unwrap_or(facts)
    }
}

/// A freeze calendar of the policy that was never reported might hold any freeze.
fn unreported(policy: &Policy, facts: &Facts, deployment: &Deployment) -> Vec<Reason> {
    let mut registered = deployment.sources.iter().filter(|registration| registration.kind == Kind::Freeze);
    // Where several sources could report the calendar, none is named.
    let source = registered.next().filter(|_| registered.next().is_none()).map(|only| &only.source);
    let missing = policy.freeze_calendars.iter().filter(|calendar| facts.freezes(calendar).is_none());
    let missing = missing.cloned();
    missing.map(|calendar| Reason::NeverReported { source: source.cloned(), calendar }).collect()
}

/// When the fact's source counts as silent; `None` where the source promised nothing. Of several promises the shortest.
fn silent_from(fact: &Fact, promises: &[&Registration]) -> Option<Instant> {
    let covering = promises.iter().filter(|promise| promise.covers(fact.subject.kind(), &fact.source));
    let minutes = covering.filter_map(|promise| promise.max_age_minutes).min()?;
    Some(fact.heard_at().plus_minutes(minutes))
}

/// The same calendar, of which nothing is known: a horizon that no slot lies in.
fn unknown(fact: &Fact) -> Fact {
    let horizon = Interval { start: Instant::from_millis(0), end: Instant::from_millis(1) };
    let body = Availability { horizon, busy: Entries::default(), unknown: Vec::new(), merged: false };
    Fact { body: Body::Availability(body), ..fact.clone() }
}
