//! Reviews that are after one hour of the same people: nothing else stands in the way of a proposal, so all of them have
//! one, and one more review is issued while others decide.

use fastrand::Rng;
use serde_json::Value;

use super::{Event, HOUR, MIDNIGHT, Maker, Scene, span};

pub fn draw(rng: &mut Rng) -> Scene {
    let (roles, people) = (2, 3 + rng.usize(..2));
    let mut maker = Maker { rng, roles, people, made: 0, revisions: Default::default(), deadline_is_short: false };
    let mut policy = maker.policy();
    let defaults = &mut policy["defaults"];
    (defaults["working_hours"], defaults["freeze_edge_minutes"]) = (Value::Null, 0.into());
    (defaults["min_notice_minutes"], defaults["quiet_seconds"]) = (0.into(), 0.into());
    defaults["other_reviews"] = "busy".into();
    let mut setup = vec![maker.no_freeze()];
    setup.push(maker.change_record("approved", false));
    setup.extend((0..roles).map(|role| maker.delegation(role, false)));
    setup.extend((0..people).map(|index| maker.whole_calendar(index)));
    setup.push(maker.evidence(true));
    let reviews: Vec<String> = (1..=3).map(|number| format!("RR-{number}")).collect();
    let mut issues: Vec<Event> = reviews.iter().map(|id| maker.issue_of(id)).collect();
    let late = issues.pop();
    setup.extend(issues);
    let mut changes: Vec<Event> = (0..1 + maker.rng.usize(..3)).map(|_| maker.stir()).collect();
    if let Some(late) = late {
        changes.insert(maker.rng.usize(..=changes.len()), late);
    }
    Scene { reviews, policy, setup, changes }
}

impl Maker<'_> {
    /// No hour in which nobody knows whether the person is busy.
    fn whole_calendar(&mut self, index: usize) -> Event {
        let mut event = self.calendar(index, true);
        event.body["data"]["horizon"] = span(MIDNIGHT, MIDNIGHT + 48 * HOUR);
        event
    }

    /// What makes a review look for another hour, or for another person in the same.
    fn stir(&mut self) -> Event {
        let index = self.rng.usize(..self.people);
        match self.rng.u8(..4) {
            0 => self.evidence(false),
            1 => {
                let role = self.rng.usize(..self.roles);
                self.delegation(role, true)
            }
            _ => self.calendar(index, false),
        }
    }
}
