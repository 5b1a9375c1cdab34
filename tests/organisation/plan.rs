//! Everything that happens to the organisation whatever the product does: who is engaged when, which reviews are issued,
//! what source systems say of them, outages, freezes, absences. Drawn from a seed.

mod days;
mod reviews;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::{
    DAY, HOUR, MINUTE,
    diary::Diary,
    instant,
    people::{Somebody, everybody},
    span,
};

/// 2026-11-02T00:00:00Z, a Monday.
pub const BEGIN: i64 = 1_793_577_600_000;

/// How large an organisation is played.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub weeks: i64,
    /// Reviews of one week, by its working days. Tuesdays and Thursdays are release days.
    pub week: [usize; 5],
}

impl Size {
    pub const FIVE_WEEKS: Self = Self { weeks: 5, week: [1, 4, 2, 4, 1] };
    /// For the ordinary tests.
    #[cfg(test)]
    pub const SLICE: Self = Self { weeks: 1, week: [0, 3, 0, 1, 0] };
}

/// What happens by itself.
#[derive(Clone, Debug)]
pub enum Event {
    /// A source system states a fact.
    Say {
        kind: &'static str,
        subject: String,
        data: Value,
    },
    /// Somebody has another engagement, or no longer has it.
    Engage {
        person: usize,
        from: i64,
        to: i64,
    },
    Drop {
        person: usize,
        from: i64,
        to: i64,
    },
    /// Somebody is on an incident bridge until then.
    Bridge {
        person: usize,
        from: i64,
        to: i64,
    },
    /// The calendar service is asked for everybody, for the weeks that come.
    Renew,
    /// The review is issued, and stands in everybody's calendar.
    Issue(usize),
    /// The review's slot, as it was issued, begins.
    Begin(usize),
}

/// One service: each role's holder and stand-ins in order, and the hours in which its reviews are held (UTC).
#[derive(Clone, Debug)]
pub struct Service {
    pub name: String,
    pub roles: Vec<(&'static str, Vec<usize>)>,
    pub guests: Vec<usize>,
    pub hours: (i64, i64),
}

#[derive(Clone, Debug)]
pub struct Review {
    pub id: String,
    pub change: String,
    pub service: usize,
    pub from: i64,
    pub to: i64,
    pub issued_at: i64,
    pub seats: Vec<(&'static str, usize)>,
    pub guests: Vec<usize>,
    pub owner: usize,
    pub checkpoints: Vec<&'static str>,
    pub window: (i64, i64),
    pub cutover: (i64, i64),
}

impl Review {
    pub fn uid(&self) -> String {
        format!("{}@calendar.example.com", self.id)
    }
}

pub struct Plan {
    pub size: Size,
    pub people: Vec<Somebody>,
    pub services: Vec<Service>,
    pub reviews: Vec<Review>,
    /// Who is engaged when, as far as it is known on the first day.
    pub diary: Diary,
    pub events: Vec<(i64, Event)>,
    pub end: i64,
}

pub fn day(index: i64) -> i64 {
    BEGIN + index * DAY
}

impl Plan {
    pub fn draw(seed: u64, size: Size) -> Self {
        let mut rng = Rng::with_seed(seed);
        let people = everybody(&mut rng);
        let services = services(&people);
        let end = day(size.weeks * 7 + 2);
        let diary = Diary::of(&people);
        let mut plan = Self { size, people, services, reviews: Vec::new(), diary, events: Vec::new(), end };
        plan.known_facts(&mut rng);
        plan.working_days(&mut rng);
        plan.reviews(&mut rng);
        plan.outages(&mut rng);
        plan.delegations(&mut rng);
        // Of one instant, the order of their making.
        plan.events.sort_by_key(|(at, _)| *at);
        plan
    }

    fn at(&mut self, at: i64, event: Event) {
        self.events.push((at, event));
    }

    fn say(&mut self, at: i64, kind: &'static str, subject: &str, data: Value) {
        self.at(at, Event::Say { kind, subject: subject.to_owned(), data });
    }

    /// Names and zones, who holds which role, and the freezes that everybody knows of.
    fn known_facts(&mut self, rng: &mut Rng) {
        for index in 0..self.people.len() {
            let (address, zone) = (self.people[index].address.clone(), self.people[index].zone.name());
            let data = json!({ "person": address, "name": format!("Person {index}"), "time_zone": zone });
            self.say(BEGIN, "person.updated", &address, data);
        }
        for service in 0..self.services.len() {
            for role in 0..self.services[service].roles.len() {
                self.delegation(BEGIN, service, role, &[]);
            }
        }
        for week in 0..self.size.weeks {
            self.at(day(week * 7) + 5 * HOUR, Event::Renew);
        }
        self.freezes(rng);
    }

    /// The holder and stand-ins of a role; those in `revoked` are no longer approved.
    fn delegation(&mut self, at: i64, service: usize, role: usize, revoked: &[usize]) {
        let (name, (role, people)) = (self.services[service].name.clone(), self.services[service].roles[role].clone());
        let delegates: Vec<Value> = people[1..]
            .iter()
            .map(|person| {
                let status = if revoked.contains(person) { "revoked" } else { "approved" };
                json!({ "person": self.people[*person].address, "status": status })
            })
            .collect();
        let data = json!({
            "service": name, "role": role, "holder": self.people[people[0]].address, "delegates": delegates,
        });
        self.say(at, "delegation.updated", &format!("{name}/{role}"), data);
    }

    fn freezes(&mut self, rng: &mut Rng) {
        let mut freezes = Vec::new();
        for week in 0..=self.size.weeks {
            let friday = day(week * 7 + 4) + 17 * HOUR;
            freezes.push(json!({ "id": format!("weekend-{week}"), "start": instant(friday),
                "end": instant(friday + 60 * HOUR), "protected": true }));
            let evening = day(week * 7 + 2) + (17 + rng.i64(0..3)) * HOUR;
            freezes.push(json!({ "id": format!("batch-{week}"), "start": instant(evening),
                "end": instant(evening + 2 * HOUR), "protected": false }));
        }
        let month = day(28) + 16 * HOUR;
        freezes.push(json!({ "id": "month-end", "start": instant(month), "end": instant(month + 14 * HOUR),
            "protected": true }));
        let known = freezes.clone();
        self.say(BEGIN, "freeze.updated", "prod", json!({ "calendar": "prod", "freezes": known }));
        // A freeze for a few hours, on short notice.
        for week in 0..self.size.weeks {
            let from = day(week * 7 + rng.i64(1..4)) + (13 + rng.i64(0..5)) * HOUR;
            freezes
                .push(json!({ "id": format!("short-{week}"), "start": instant(from), "end": instant(from + 3 * HOUR),
                "protected": rng.bool() }));
            let known = freezes.clone();
            self.say(
                from - rng.i64(1..12) * HOUR,
                "freeze.updated",
                "prod",
                json!({ "calendar": "prod", "freezes": known }),
            );
        }
    }
}

/// Twelve services. Pools of release managers, reviewers, database and reliability people serve several of them.
fn services(people: &[Somebody]) -> Vec<Service> {
    use crate::people::of_trade;
    let near = |trade: &str, service: usize, count: usize| -> Vec<usize> {
        let west = service % 4 == 3;
        let pool: Vec<usize> = of_trade(trade).collect();
        let in_reach = |person: &&usize| {
            let american = people[**person].zone == chrono_tz::Tz::America__New_York;
            american == west
        };
        let mut found: Vec<usize> = pool.iter().filter(in_reach).copied().collect();
        let turn = service % found.len().max(1);
        found.rotate_left(turn);
        found.extend(pool.into_iter().filter(|person| !found.contains(person)).collect::<Vec<_>>());
        found.truncate(count);
        found
    };
    (0..12)
        .map(|index| {
            let own = |trade: &str| of_trade(trade).start + index;
            let roles = vec![
                ("release_manager", near("rm", index, 3)),
                ("service_owner", vec![own("so"), own("deputy")]),
                ("security_reviewer", near("sec", index, 3)),
                ("database_migration_owner", near("dba", index, 3)),
                ("site_reliability_lead", near("sre", index, 4)),
            ];
            let guests = near("guest", index, 2);
            let hours = if index % 4 == 3 { (14, 21) } else { (8, 15) };
            Service { name: format!("service-{}", index + 1), roles, guests, hours }
        })
        .collect()
}

/// A policy of the contract's defaults, with the sources and what a deployment states of its own.
pub fn policy() -> Value {
    let kinds = ["review", "change", "delegation", "availability", "evidence", "freeze", "person"];
    let sources: Vec<Value> = kinds
        .iter()
        .map(
            |kind| json!({ "kind": kind, "source": format!("//{kind}.example.com"), "governed_by": "gov@example.com" }),
        )
        .collect();
    json!({
        "sources": sources,
        "defaults": {
            "freeze_calendars": ["prod"],
            "freeze_edge_minutes": 15,
            "working_hours": { "start": "08:00", "end": "21:00", "days": ["mon", "tue", "wed", "thu", "fri"] },
            "alternate_owner": "guest-8@example.com",
            "escalation_contacts": ["release-governance@example.com"],
        },
    })
}

/// An engagement on the half hour, within somebody's working day.
fn engagement(rng: &mut Rng, person: &Somebody, midnight: i64) -> (i64, i64) {
    let from = person.midnight(midnight + 12 * HOUR) + 9 * HOUR + rng.i64(0..17) * 30 * MINUTE;
    (from, from + [30, 30, 60, 60, 90][rng.usize(..5)] * MINUTE)
}

pub(crate) fn horizon(at: i64) -> Value {
    let monday = BEGIN + (at - BEGIN).div_euclid(7 * DAY) * 7 * DAY;
    span(monday - DAY, monday + 15 * DAY)
}
