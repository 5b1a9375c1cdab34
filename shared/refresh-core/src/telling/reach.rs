//! Whom mail reaches: who is withheld, tried again, or reached again.

use crate::{
    Instant, Person,
    facts::{
        fact::{Fact, Facts},
        revision::Stamp,
        subject::Subject,
    },
    record::{
        delivery::{DeliveryReport, Reachability, Undeliverable, Unreachable},
        review::{Head, Standing},
    },
};

/// What a report adds to what is known of a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adds {
    /// It was known, or is older than what is known.
    Nothing,
    /// When it was tried last and what it was made of, or that it was answered all the same.
    OnlyItsInstant,
    /// The person cannot be reached, or for a heavier reason.
    News,
}

/// What a report adds to what is known; if it adds anything, it is remembered.
pub fn unreached(head: &mut Head, report: &DeliveryReport, why: Undeliverable, facts: &Facts) -> Adds {
    let mailed_at = report.delivery.mailed_at;
    let new = Unreachable {
        person: report.to.clone(),
        why,
        mailed_at,
        profile: profile(facts, &report.to),
        terms: terms(facts, head),
        reach: Reachability::Withheld,
    };
    // Whichever of the two came first: who answers was reached.
    let answer = head.answers.iter().filter(|answer| answer.person == report.to && mailed_at < answer.at);
    if let Some(since) = answer.map(|answer| answer.at).max() {
        return remember(head, Unreachable { reach: Reachability::Answered { since }, ..new });
    }
    let Some(known) = head.unreachable.iter_mut().find(|known| known.person == report.to) else {
        add(head, new);
        return Adds::News;
    };
    // Tried again by ourselves and no better: an hour of it is no news, and is not recorded as such.
    let again = known.reach == Reachability::Retry && known.why == why && why == Undeliverable::Unmailable;
    let news = match known.reach {
        // A mailer reports each message, and says so more than once: only a heavier reason is news.
        Reachability::Withheld => known.why < why,
        Reachability::Retry => known.why < why || known.mailed_at < mailed_at,
        Reachability::Answered { since } | Reachability::Resumed { since } => since <= mailed_at,
    };
    if !news {
        return Adds::Nothing;
    }
    *known = new;
    if again { Adds::OnlyItsInstant } else { Adds::News }
}

/// Remembers that a mail that came back was answered all the same. The answer goes with its row, and without it the mail
/// would count as one that never arrived. A newer mail that came back outweighs.
fn remember(head: &mut Head, answered: Unreachable) -> Adds {
    if head.unreachable(&answered.person).is_some() {
        return Adds::Nothing;
    }
    add(head, answered);
    Adds::OnlyItsInstant
}

fn add(head: &mut Head, one: Unreachable) {
    head.unreachable.push(one);
    head.unreachable.sort_by(|a, b| a.person.cmp(&b.person));
}

/// Who answers was reached.
pub fn answered(head: &mut Head, person: &Person, now: Instant) {
    set(head, person, Reachability::Answered { since: now });
}

/// The mailer took a mail to somebody whose last one it had refused: they are reached again.
pub fn accepted(head: &mut Head, person: &Person) -> bool {
    let retried = head.unreachable(person).filter(|known| known.reach == Reachability::Retry);
    let Some(since) = retried.map(|known| known.mailed_at.plus_millis(1)) else { return false };
    set(head, person, Reachability::Resumed { since });
    true
}

/// Nothing is owed to somebody whose mail could not be made: there is nothing left that they were not told.
pub fn owed_nothing(head: &mut Head, person: &Person) -> bool {
    let unmailable =
        |known: &&Unreachable| known.why == Undeliverable::Unmailable && known.reach == Reachability::Retry;
    head.unreachable(person).filter(unmailable).is_some() && accepted(head, person)
}

/// Whether the `person` fact was renewed since the mail came back. The source vouches for the address then, so the
/// person is mailed again, and soon. A mail that could not be made is tried with what it is made of by now. Returns
/// them.
pub fn resume(head: &mut Head, facts: &Facts, now: Instant) -> Vec<Person> {
    if head.standing != Standing::Open {
        return Vec::new();
    }
    let terms = terms(facts, head);
    // An accepted fact is newer than the fact it replaces. Where the subject changed hands, no revision says so.
    let newer = |now: Option<&Stamp>, known: Option<&Stamp>| now.is_some() && now != known;
    let reached = |known: &Unreachable| {
        let renewed = newer(profile(facts, &known.person).as_ref(), known.profile.as_ref());
        if known.why != Undeliverable::Unmailable {
            return (renewed && known.is_open()).then_some(Reachability::Resumed { since: now });
        }
        let renewed = renewed || newer(terms.as_ref(), known.terms.as_ref());
        let tried_again = known.tried_again_at().filter(|at| renewed || *at <= now);
        tried_again.map(|_| Reachability::Retry)
    };
    let again = head.unreachable.iter().filter_map(|known| Some((known.person.clone(), reached(known)?)));
    let again: Vec<(Person, Reachability)> = again.collect();
    for (person, reach) in &again {
        set(head, person, *reach);
    }
    again.into_iter().map(|(person, _)| person).collect()
}

/// The refusal, or the fault, is of one message. A person who must know something else now gets one more try.
pub fn retry(head: &mut Head, affected: &[Person]) {
    let one = |why| matches!(why, Undeliverable::Rejected | Undeliverable::Unmailable);
    let refused = |known: &&mut Unreachable| one(known.why) && known.reach == Reachability::Withheld;
    for known in head.unreachable.iter_mut().filter(refused) {
        if affected.contains(&known.person) {
            known.reach = Reachability::Retry;
        }
    }
}

/// The `person` fact by which somebody's source vouches for their address, if there is one.
fn profile(facts: &Facts, person: &Person) -> Option<Stamp> {
    facts.get(&Subject::Person(person.clone())).map(Fact::stamp)
}

fn terms(facts: &Facts, head: &Head) -> Option<Stamp> {
    facts.get(&Subject::Review(head.review.clone())).map(Fact::stamp)
}

fn set(head: &mut Head, person: &Person, reach: Reachability) {
    if let Some(known) = head.unreachable.iter_mut().find(|known| known.person == *person) {
        known.reach = reach;
    }
}
