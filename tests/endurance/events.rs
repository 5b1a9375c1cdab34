//! What source systems send of many reviews: each has a change and evidence of its own, and shares its two people with some
//! others.

use std::fs;

use holdpoint_tests::repository;
use refresh_core::{
    Instant,
    base::instant::{DAY, HOUR},
};
use serde_json::{Value, json};

/// The story's policy with this quiet period, for reviews that know nothing of each other.
pub fn policy(quiet_seconds: u32) -> String {
    let path = repository().join("events/scenarios/story.policy.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut policy: Value = serde_json::from_str(&text).expect("JSON");
    policy["defaults"]["quiet_seconds"] = quiet_seconds.into();
    // Two people sit in many reviews of one hour here.
    policy["defaults"]["other_reviews"] = "ignored".into();
    policy.to_string()
}

pub fn event(id: &str, kind: &str, data: &Value) -> Value {
    let source = kind.split('.').next().unwrap_or_default();
    json!({
        "specversion": "1.0", "id": id, "source": format!("//{source}.example.com"),
        "type": format!("dev.holdpoint.{kind}.v1"), "data": data,
    })
}

/// The calendar of freezes has spoken, and has none.
pub fn no_freeze() -> Value {
    event("freeze", "freeze.updated", &json!({ "calendar": "prod", "revision": 1, "freezes": [] }))
}

/// Two people, the service that they release, and the rest of what its reviews share.
pub struct Group(pub usize);

impl Group {
    pub fn manager(&self) -> String {
        format!("manager-{}@example.com", self.0)
    }

    pub fn reviewer(&self) -> String {
        format!("reviewer-{}@example.com", self.0)
    }

    fn deputy(&self) -> String {
        format!("deputy-{}@example.com", self.0)
    }

    /// Who fills which role; everybody is free from `from` on, for `days`.
    pub fn facts(&self, from: Instant, days: i64) -> Vec<Value> {
        let Self(number) = self;
        let role = |role: &str, holder: String, delegates: Value| {
            let data = json!({
                "service": format!("service-{number}"), "role": role, "revision": 1, "holder": holder,
                "delegates": delegates,
            });
            event(&format!("{role}-{number}"), "delegation.updated", &data)
        };
        let deputy = json!([{ "person": self.deputy(), "status": "approved" }]);
        let mut facts = vec![
            role("release_manager", self.manager(), json!([])),
            role("security_reviewer", self.reviewer(), deputy),
        ];
        let people = [self.manager(), self.reviewer(), self.deputy()];
        facts.extend(people.iter().map(|person| calendar(person, 1, from, days, &json!([]))));
        facts
    }
}

/// What somebody's calendar says of the days from `from` on.
pub fn calendar(person: &str, revision: u64, from: Instant, days: i64, busy: &Value) -> Value {
    let horizon = json!({ "start": from, "end": from.plus_millis(days * DAY) });
    let data = json!({ "person": person, "kind": "calendar", "revision": revision, "horizon": horizon, "busy": busy });
    event(&format!("calendar-{person}-{revision}"), "availability.updated", &data)
}

pub struct Review {
    pub number: usize,
    pub group: Group,
    /// Midnight of the day on which it is held; it begins at 15:00.
    pub day: Instant,
}

impl Review {
    pub fn id(&self) -> String {
        format!("RR-{:05}", self.number)
    }

    pub fn at(&self, hour: i64) -> Instant {
        self.day.plus_millis(hour * HOUR)
    }

    /// What the review stands on: its change, and the evidence that it waits for.
    pub fn facts(&self) -> [Value; 2] {
        let Self { number, group, .. } = self;
        let change = json!({
            "change_id": format!("CHG-{number}"), "revision": 1, "state": "approved", "owner": group.manager(),
            "owner_confirmation": "confirmed",
            "review_window": { "opens": self.at(8), "closes": self.at(21) },
            "cutover": { "starts": self.at(32), "ends": self.at(34) },
        });
        [event(&format!("change-{number}"), "change.updated", &change), self.evidence(1, 14)]
    }

    pub fn issue(&self) -> Value {
        let Self { number, group, .. } = self;
        let data = json!({
            "review_id": self.id(), "revision": 1, "title": "Release readiness",
            "service": format!("service-{}", group.0), "change_id": format!("CHG-{number}"), "version": 1,
            "slot": { "start": self.at(15), "end": self.at(16) }, "time_zone": "Europe/Berlin", "optional": [],
            "checkpoints": ["integration-tests"], "policy": {},
            "roles": [
                { "role": "release_manager", "attendee": group.manager() },
                { "role": "security_reviewer", "attendee": group.reviewer() },
            ],
        });
        event(&format!("issue-{number}"), "review.issued", &data)
    }

    /// The tests of the review's change are done by `hour`.
    pub fn evidence(&self, revision: u64, hour: i64) -> Value {
        let data = json!({
            "change_id": format!("CHG-{}", self.number), "checkpoint": "integration-tests", "revision": revision,
            "status": "expected", "ready_at": self.at(hour),
        });
        event(&format!("evidence-{}-{revision}", self.number), "evidence.updated", &data)
    }
}
