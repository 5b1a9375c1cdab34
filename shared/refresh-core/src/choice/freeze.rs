//! Freezes: protected ones are never crossed; near one, or across an advisory one, the owner decides.

use crate::{
    Interval,
    base::instant::{MINUTE, Slot},
    facts::{fact::Facts, policy::Policy},
};

/// The freezes of the calendars a policy names. A calendar never reported has none.
#[derive(Clone, Debug, Default)]
pub struct Freezes {
    protected: Vec<Interval>,
    advisory: Vec<Interval>,
    edge: i64,
}

impl Freezes {
    /// The freezes of the calendars that the policy names.
    pub fn of(facts: &Facts, policy: &Policy) -> Self {
        let mut freezes = Self { edge: policy.freeze_edge_minutes * MINUTE, ..Self::default() };
        for freeze in policy.freeze_calendars.iter().filter_map(|calendar| facts.freezes(calendar)).flatten() {
            let kind = if freeze.protected { &mut freezes.protected } else { &mut freezes.advisory };
            kind.push(freeze.interval());
        }
        freezes
    }

    /// Whether the slot overlaps a protected freeze. Touching is no overlap.
    pub fn crosses(&self, slot: &Slot) -> bool {
        self.protected.iter().any(|freeze| freeze.overlaps(slot))
    }

    /// How much of the slot lies in protected freezes, in milliseconds; overlapping freezes count once.
    pub fn crossing(&self, slot: &Slot) -> i64 {
        let mut inside: Vec<Interval> = self.protected.iter().filter(|freeze| freeze.overlaps(slot)).copied().collect();
        inside.sort_unstable();
        let mut reached = slot.start;
        let mut total = 0;
        for freeze in inside {
            let from = freeze.start.max(reached);
            let to = freeze.end.min(slot.end);
            total += to.since(from).max(0);
            reached = reached.max(to);
        }
        total
    }

    /// A freeze-edge case: within the edge of a protected freeze, touching included, or across an advisory one.
    pub fn is_edge(&self, slot: &Slot) -> bool {
        self.protected.iter().any(|freeze| freeze.gap(slot) <= self.edge)
            || self.advisory.iter().any(|freeze| freeze.overlaps(slot))
    }

    /// For pictures and explanations: each freeze with whether it is protected.
    pub fn iter(&self) -> impl Iterator<Item = (Interval, bool)> {
        self.protected.iter().map(|freeze| (*freeze, true)).chain(self.advisory.iter().map(|freeze| (*freeze, false)))
    }
}
