//! Whom mail reaches: who is withheld, tried again, or reached again.

use crate::{
    Instant, Person,
    facts::{
        fact::{Fact, Facts, Stamp},
        subject::Subject,
    },
    record::{
        delivery::{DeliveryReport, Reachability, Undeliverable, Unreachable},
        review::{Head, Standing},
    },
};

/// Whether this is news; if it is, it is remembered.
pub fn unreached(head: &mut Head, report: &DeliveryReport, why: Undeliverable, profile: Option<Stamp>) -> bool {
    let mailed_at = report.delivery.mailed_at;
    let new = Unreachable { person: report.to.clone(), why, mailed_at, profile, reach: Reachability::Withheld };
    // Whichever of the two came first: who answers was reached.
    if head.answers.iter().any(|answer| answer.person == report.to && mailed_at < answer.at) {
        return false;
    }
    let Some(known) = head.unreachable.iter_mut().find(|known| known.person == report.to) else {
        head.unreachable.push(new);
        head.unreachable.sort_by(|a, b| a.person.cmp(&b.person));
        return true;
    };
    let news = match known.reach {
        // A mailer reports each message, and says so more than once: only a heavier reason is news.
        Reachability::Withheld => known.why < why,
        Reachability::Retry => known.why < why || known.mailed_at < mailed_at,
        Reachability::Answered { since } | Reachability::Resumed { since } => since <= mailed_at,
    };
    if news {
        *known = new;
    }
    news
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

/// Whose `person` fact was renewed since their mail came back: their source vouches for the address, so they are
/// mailed again, and soon. Returns them.
pub fn resume(head: &mut Head, facts: &Facts, now: Instant) -> Vec<Person> {
    if head.standing != Standing::Open {
        return Vec::new();
    }
    // What is accepted is newer than what it replaces; of a subject that changed hands no revision says so.
    let newer = |known: &&Unreachable| {
        let now = profile(facts, &known.person);
        now.is_some() && now != known.profile
    };
    let open = head.unreachable.iter().filter(|known| known.is_open());
    let renewed: Vec<Person> = open.filter(newer).map(|known| known.person.clone()).collect();
    for person in &renewed {
        set(head, person, Reachability::Resumed { since: now });
    }
    renewed
}

/// What was refused is one message. Who must know something else now gets one more try.
pub fn retry(head: &mut Head, affected: &[Person]) {
    let refused =
        |known: &&mut Unreachable| known.why == Undeliverable::Rejected && known.reach == Reachability::Withheld;
    for known in head.unreachable.iter_mut().filter(refused) {
        if affected.contains(&known.person) {
            known.reach = Reachability::Retry;
        }
    }
}

/// The `person` fact by which somebody's source vouches for their address, if there is one.
pub fn profile(facts: &Facts, person: &Person) -> Option<Stamp> {
    facts.get(&Subject::Person(person.clone())).map(Fact::stamp)
}

fn set(head: &mut Head, person: &Person, reach: Reachability) {
    if let Some(known) = head.unreachable.iter_mut().find(|known| known.person == *person) {
        known.reach = reach;
    }
}
