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
        silent: situation.silence.of_time.clone(),
        elsewhere: Vec::new(),
        news: news(situation, &authoritative.stands_on),
    }
}

/// The facts of today that `known` does not hold. Both are in order of subject. So the standpoint of a fact is nearly
/// always the one after that of the fact before, and the search begins there.
fn news(situation: &Situation<'_>, known: &[Standpoint]) -> Vec<Standpoint> {
    let mut next = 0;
    let mut is_known = |fact: &Fact| {
        let mut onward = (next..known.len()).chain(0..next);
        let found = onward.find(|at| known[*at].subject == fact.subject);
        next = found.map_or(next, |at| at + 1);
        found.is_some_and(|at| known[at].source == fact.source && known[at].revision == fact.revision)
    };
    situation.stood_on().filter(|fact| !is_known(fact)).map(Standpoint::of).collect()
}
