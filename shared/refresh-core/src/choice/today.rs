//! Today's facts as people are shown them.

use crate::{
    choice::situation::Situation,
    facts::fact::Fact,
    record::{
        mark::Mark,
        packet::{Standpoint, Version},
        review::Today,
    },
};

/// Today's facts, beside the version that counts.
pub fn today(situation: &Situation<'_>, authoritative: &Version, violated: Vec<Mark>) -> Today {
    let in_force = situation.in_force();
    Today {
        owner: situation.owner().cloned(),
        owner_confirmed: in_force.is_none_or(|change| change.owner_confirmed),
        checkpoints: situation.checkpoints(),
        window: in_force.map(|change| change.window),
        cutover: in_force.map(|change| change.cutover),
        freeze_edge: situation.freezes.is_edge(&authoritative.packet.slot),
        violated,
        news: news(situation, &authoritative.stands_on),
    }
}

/// The facts of today that `known` does not hold. Both in order of subject, so one walk over both finds them.
fn news(situation: &Situation<'_>, known: &[Standpoint]) -> Vec<Standpoint> {
    let mut known: Vec<&Standpoint> = known.iter().collect();
    known.sort_by(|a, b| a.subject.cmp(&b.subject));
    let mut known = known.into_iter().peekable();
    let mut is_known = |fact: &Fact| {
        while known.next_if(|standpoint| standpoint.subject < fact.subject).is_some() {}
        known.peek().is_some_and(|standpoint| {
            standpoint.subject == fact.subject
                && standpoint.source == fact.source
                && standpoint.revision == fact.revision
        })
    };
    situation.stood_on().filter(|fact| !is_known(fact)).map(Standpoint::of).collect()
}
