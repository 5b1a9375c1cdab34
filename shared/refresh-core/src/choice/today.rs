//! Today's facts as people are shown them.

use crate::{
    choice::situation::Situation,
    record::{mark::Mark, packet::Version, review::Today},
};

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
        news: situation
            .standpoints()
            .into_iter()
            .filter(|standpoint| !authoritative.stands_on.contains(standpoint))
            .collect(),
    }
}
