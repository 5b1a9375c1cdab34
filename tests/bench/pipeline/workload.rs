//! Reviews and changes of the shape and in the mix of `peer_pipeline`, as the contract's events.

use fastrand::Rng;
use refresh_core::Instant;
use serde_json::{Value, json};

const DAY: u32 = 1_440;

/// A Monday, as the peer's minute zero is.
pub fn zero() -> Instant {
    Instant::parse("2026-11-02T00:00:00Z").expect("an instant")
}

/// A day before anything is said.
pub fn start(zero: Instant) -> Instant {
    zero.plus_minutes(-i64::from(DAY))
}

/// The size of a review and of its people's calendars.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub rung: &'static str,
    pub roles: usize,
    /// The people of a role, its holder among them.
    pub people: usize,
    /// Busy intervals of one person.
    pub intervals: usize,
    pub days: u32,
}

pub const A: Shape = Shape { rung: "A", roles: 5, people: 4, intervals: 40, days: 7 };
pub const B: Shape = Shape { rung: "B", roles: 15, people: 6, intervals: 300, days: 30 };

/// What is said of a number of reviews.
pub struct Workload {
    shape: Shape,
    /// The minute from which all others count.
    zero: Instant,
    rng: Rng,
    /// The last revision of any subject: one count for all rises in each.
    revision: u64,
}

impl Workload {
    pub fn new(shape: Shape, zero: Instant) -> Self {
        Self { shape, zero, rng: Rng::with_seed(7), revision: 0 }
    }

    fn at(&self, minute: u32) -> String {
        self.zero.plus_minutes(i64::from(minute)).to_string()
    }

    /// The policy: every kind has its source, nothing waits, and no guard against churn stops the run.
    pub fn policy(quiet_seconds: i64) -> String {
        let kinds = ["review", "change", "delegation", "availability", "evidence", "freeze", "person"];
        let source =
            |kind| json!({ "kind": kind, "source": format!("//{kind}.example.com"), "governed_by": "gov@example.com" });
        let sources: Vec<Value> = kinds.into_iter().map(source).collect();
        json!({
            "sources": sources,
            "defaults": {
                "grid_minutes": 15, "quiet_seconds": quiet_seconds, "escalation_contacts": ["desk@example.com"],
                "churn": { "proposals": 1_000, "within_minutes": 1 },
            },
        })
        .to_string()
    }

    /// When the reviews were issued to take place: late in a morning in the middle of the horizon.
    fn held(&self) -> u32 {
        let mut held = self.shape.days / 2 * DAY + 600;
        while held / DAY % 7 > 4 {
            held += DAY;
        }
        held
    }

    fn event(&mut self, kind: &str, what: &str, mut data: Value) -> Value {
        self.revision += 1;
        data["revision"] = self.revision.into();
        json!({
            "specversion": "1.0", "id": format!("e{}", self.revision), "source": format!("//{kind}.example.com"),
            "type": format!("dev.holdpoint.{what}.v1"), "datacontenttype": "application/json", "data": data,
        })
    }

    fn person(&self, review: usize, role: usize, place: usize) -> String {
        format!("p{review:05}-{role:02}-{place:02}@example.com")
    }

    /// Intervals of 10 to 40 minutes, none of them near the slot that the review was issued for.
    fn busy(&mut self) -> Vec<[u32; 2]> {
        let (horizon, held) = (self.shape.days * DAY, self.held());
        let mut busy = Vec::with_capacity(self.shape.intervals);
        while busy.len() < self.shape.intervals {
            let length = self.rng.u32(10..=40);
            let start = self.rng.u32(0..horizon - length);
            if start >= held + 60 || held >= start + length {
                busy.push([start, start + length]);
            }
        }
        busy
    }

    fn calendar(&mut self, person: &str, busy: &[[u32; 2]]) -> Value {
        let busy: Vec<Value> =
            busy.iter().map(|[from, to]| json!({ "start": self.at(*from), "end": self.at(*to) })).collect();
        let horizon = json!({ "start": self.at(0), "end": self.at(self.shape.days * DAY) });
        let data = json!({ "person": person, "kind": "calendar", "horizon": horizon, "busy": busy });
        self.event("availability", "availability.updated", data)
    }

    fn delegation(&mut self, review: usize, role: usize, places: &[usize]) -> Value {
        let delegate = |place: &usize| json!({ "person": self.person(review, role, *place), "status": "approved" });
        let delegates: Vec<Value> = places[1..].iter().map(delegate).collect();
        let holder = self.person(review, role, places[0]);
        let data = json!({ "service": format!("s{review:05}"), "role": format!("role-{role:02}"), "holder": holder, "delegates": delegates });
        self.event("delegation", "delegation.updated", data)
    }

    fn evidence(&mut self, review: usize, ready: u32) -> Value {
        // Nothing is ready in the future, so what the peer calls ready is expected here.
        let data = json!({ "change_id": format!("C{review:05}"), "checkpoint": "tests", "status": "expected", "ready_at": self.at(ready) });
        self.event("evidence", "evidence.updated", data)
    }

    /// The freezes of one review's own calendar: every night, and `more`.
    fn freezes(&mut self, review: usize, more: &[[u32; 2]]) -> Value {
        let nights = (0..self.shape.days).map(|day| [day * DAY, day * DAY + 480]);
        let evenings = (0..self.shape.days).map(|day| [day * DAY + 1_200, (day + 1) * DAY]);
        let spans: Vec<[u32; 2]> = nights.chain(evenings).chain(more.iter().copied()).collect();
        let freeze = |(number, [from, to]): (usize, &[u32; 2])| json!({ "id": format!("f{number}"), "start": self.at(*from), "end": self.at(*to), "protected": true });
        let freezes: Vec<Value> = spans.iter().enumerate().map(freeze).collect();
        self.event("freeze", "freeze.updated", json!({ "calendar": format!("f{review:05}"), "freezes": freezes }))
    }

    /// Everything that one review stands on, and then its issue.
    pub fn issue(&mut self, review: usize) -> Vec<Value> {
        let Shape { roles, people, days, .. } = self.shape;
        let change = json!({
            "change_id": format!("C{review:05}"), "state": "approved",
            "review_window": { "opens": self.at(0), "closes": self.at(days * DAY) },
            "cutover": { "starts": self.at(days * DAY), "ends": self.at(days * DAY + 120) },
            "owner": "owner@example.com", "owner_confirmation": "confirmed",
        });
        let mut events = vec![self.event("change", "change.updated", change)];
        events.push(self.evidence(review, 0));
        events.push(self.freezes(review, &[]));
        let places: Vec<usize> = (0..people).collect();
        for role in 0..roles {
            events.push(self.delegation(review, role, &places));
            for place in 0..people {
                let busy = self.busy();
                events.push(self.calendar(&self.person(review, role, place), &busy));
            }
        }
        let seats = (0..roles)
            .map(|role| json!({ "role": format!("role-{role:02}"), "attendee": self.person(review, role, 0) }));
        let data = json!({
            "review_id": format!("R{review:05}"), "title": "Release readiness", "service": format!("s{review:05}"),
            "change_id": format!("C{review:05}"), "version": 1, "time_zone": "UTC",
            "slot": { "start": self.at(self.held()), "end": self.at(self.held() + 60) },
            "roles": seats.collect::<Vec<_>>(), "optional": [], "checkpoints": ["tests"],
            "policy": { "freeze_calendars": [format!("f{review:05}")] },
        });
        events.push(self.event("review", "review.issued", data));
        events
    }

    /// A holder who is busy at the held hour, each time another one.
    pub fn collision(&mut self, review: usize, place: usize) -> Value {
        let held = self.held();
        let mut busy = self.busy();
        busy[0] = [held + 15, held + 45];
        let person = self.person(review, place % self.shape.roles, 0);
        self.calendar(&person, &busy)
    }

    /// One change: 60 of 100 a calendar, half of these at the held hour; 15 a role's delegates, 15 evidence, 10 a freeze.
    pub fn change(&mut self, review: usize) -> Value {
        let (held, Shape { roles, people, days, .. }) = (self.held(), self.shape);
        match self.rng.u32(0..100) {
            0..60 => {
                let (role, place) = (self.rng.usize(0..roles), self.rng.usize(0..people));
                let mut busy = self.busy();
                if self.rng.bool() {
                    busy[0] = [held + 15, held + 45];
                }
                self.calendar(&self.person(review, role, place), &busy)
            }
            60..75 => {
                let role = self.rng.usize(0..roles);
                let mut places: Vec<usize> = (0..people).collect();
                self.rng.shuffle(&mut places);
                self.delegation(review, role, &places)
            }
            75..90 => {
                let late = self.rng.u32(0..10) >= 7;
                let ready = if late { held + self.rng.u32(15..=600) } else { self.rng.u32(0..=held) };
                self.evidence(review, ready)
            }
            _ => {
                let from = if self.rng.bool() { held - 60 } else { self.rng.u32(0..=days * DAY - 240) };
                self.freezes(review, &[[from, from + 240]])
            }
        }
    }
}
