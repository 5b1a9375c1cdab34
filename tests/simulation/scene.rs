//! A small world, drawn from a seed: a policy, people with roles and stand-ins, and everything that will ever be said
//! about them. What is said when, how often and in which order is the schedule's business.

pub mod contested;

use fastrand::Rng;
use serde_json::{Value, json};

/// 2026-11-03T00:00:00Z, a Tuesday.
pub const MIDNIGHT: i64 = 1_793_664_000_000;
pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
/// When the review is issued.
pub const MORNING: i64 = MIDNIGHT + 8 * HOUR;

pub const REVIEW: &str = "RR-1";
pub const CHANGE: &str = "CHG-1";
pub const SERVICE: &str = "identity";
pub const CHECKPOINT: &str = "tests";
pub const CALENDAR: &str = "prod";
pub const DESK: &str = "desk@example.com";
/// Stands in every calendar as the subject of a meeting: no stored and no mailed byte may say it.
pub const SUBJECT: &str = "Sentinel merger talks";
/// Where people may live.
pub const ZONES: [&str; 3] = ["Europe/Berlin", "America/New_York", "Asia/Kolkata"];
/// In role-name order, as packets list them.
pub const ROLES: [&str; 3] = ["database_migration_owner", "release_manager", "security_reviewer"];

/// One event, and what the audit must know of it.
#[derive(Clone, Debug)]
pub struct Event {
    pub body: Value,
    /// In a few words, for a schedule that is read.
    pub about: String,
}

#[derive(Clone, Debug)]
pub struct Scene {
    /// Of one change, with the same people.
    pub reviews: Vec<String>,
    pub policy: Value,
    /// What is known before the review is issued, and its issuing last.
    pub setup: Vec<Event>,
    /// What happens afterwards, in the order of its making.
    pub changes: Vec<Event>,
}

pub fn person(index: usize) -> String {
    format!("p{index}@example.com")
}

pub fn instant(millis: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(millis).expect("a time of this century");
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

fn span(from: i64, to: i64) -> Value {
    json!({ "start": instant(from), "end": instant(to) })
}

struct Maker<'a> {
    rng: &'a mut Rng,
    roles: usize,
    people: usize,
    made: usize,
    /// The newest revision of each subject.
    revisions: std::collections::BTreeMap<String, u64>,
    deadline_is_short: bool,
}

/// The calendar system that mailboxes move to.
pub const NEXT_CALENDARS: &str = "//newcal.example.com";

pub fn draw(rng: &mut Rng) -> Scene {
    let roles = 1 + rng.usize(1..3);
    let people = roles + 1 + rng.usize(1..3);
    let deadline_is_short = rng.u8(..6) == 0;
    let mut maker = Maker { rng, roles, people, made: 0, revisions: Default::default(), deadline_is_short };
    let policy = maker.policy();
    let mut setup = maker.facts();
    // Facts come in any order; what is missing when the review is issued comes after it.
    maker.rng.shuffle(&mut setup);
    let late = maker.rng.usize(0..8).saturating_sub(5).min(setup.len());
    let mut after: Vec<Event> = setup.split_off(setup.len() - late);
    // A freeze calendar of the policy is reported before anything else, but for some worlds in which none ever is.
    if (roles, people, late) != (3, 5, 1) {
        setup.insert(0, maker.no_freeze());
    }
    setup.push(maker.issue());
    for _ in 0..maker.rng.usize(2..7) {
        let change = maker.change();
        after.push(change);
    }
    if people == 4 {
        // Last, since who was told nothing by then is not mailed once more.
        after.push(maker.resend(0));
    }
    if people == 6 {
        move_a_mailbox(&mut after);
    }
    Scene { reviews: vec![REVIEW.to_owned()], policy, setup, changes: after }
}

/// The first calendar that is said later comes from the system that takes over. What the former one says of that person from
/// then on counts for nothing.
fn move_a_mailbox(changes: &mut [Event]) {
    let calendar = |event: &&mut Event| {
        event.body["data"]["kind"] == "calendar" && event.body["source"] == "//availability.example.com"
    };
    if let Some(event) = changes.iter_mut().find(calendar) {
        event.body["source"] = NEXT_CALENDARS.into();
        event.about = format!("the next calendar system says: {}", event.about);
    }
}

/// Two or three reviews that share their people, and what happens to them comes in clusters: a day on which a release
/// slips. Calendars show what we put there, in entries or in runs.
pub fn draw_shared(rng: &mut Rng) -> Scene {
    let mut scene = draw(rng);
    let (roles, people) = (1 + rng.usize(1..3), 4 + rng.usize(..2));
    let revisions = Default::default();
    let mut maker = Maker { rng, roles, people, made: 100, revisions, deadline_is_short: false };
    // The facts of one world: what was drawn for one review alone is drawn anew for the people of all.
    scene.policy = maker.policy();
    scene.policy["defaults"]["working_hours"] = Value::Null;
    scene.policy["defaults"]["other_reviews"] = if maker.one_in(8) { "ignored".into() } else { "busy".into() };
    let mut setup = maker.facts();
    maker.rng.shuffle(&mut setup);
    let reviews = 2 + maker.rng.usize(..2);
    scene.reviews = (1..=reviews).map(|number| format!("RR-{number}")).collect();
    // Where no freeze calendar is reported, nothing is proposed: few of these worlds are such.
    if (roles, reviews, people) != (3, 3, 4) {
        setup.insert(0, maker.no_freeze());
    }
    for id in &scene.reviews {
        setup.push(maker.issue_of(id));
    }
    // One meeting for two reviews: the second is refused, as long as the first is not over.
    if (roles, reviews, people) == (2, 3, 5) {
        for event in setup.iter_mut().filter(|event| event.body["data"]["review_id"].is_string()) {
            let uid = if event.body["data"]["review_id"] == "RR-2" { "two@example.com" } else { "board@example.com" };
            event.body["data"]["meeting"] = json!({ "uid": uid, "sequence": 0 });
        }
    }
    let mut changes = Vec::new();
    for _ in 0..2 + maker.rng.usize(..3) {
        // What slips, slips for all of them.
        changes.push(maker.evidence(false));
        for _ in 0..maker.rng.usize(..3) {
            let change = if maker.one_in(2) { maker.own_entries() } else { maker.change() };
            changes.push(change);
        }
    }
    Scene { setup, changes, ..scene }
}

impl Maker<'_> {
    /// A calendar that shows the hours at which reviews are held as a rule, once or twice, or in a run.
    fn own_entries(&mut self) -> Event {
        let index = self.rng.usize(..self.people);
        let from = MIDNIGHT + [14 * HOUR, 13 * HOUR + 30 * MINUTE, 15 * HOUR][self.rng.usize(..3)];
        let merged = self.one_in(3);
        let mut busy = vec![span(from, from + if merged && self.one_in(2) { 2 * HOUR } else { HOUR })];
        if !merged && self.one_in(2) {
            busy.push(span(from, from + HOUR));
        }
        let about = format!("{} shows {} times {}, merged: {merged}", person(index), busy.len(), instant(from));
        let horizon = span(MIDNIGHT, MIDNIGHT + 48 * HOUR);
        let data = json!({
            "person": person(index), "kind": "calendar", "horizon": horizon, "busy": busy, "merged": merged,
        });
        self.event("availability.updated", about, data, &format!("calendar {index}"))
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.rng.u32(..n) == 0
    }

    fn event(&mut self, kind: &str, about: String, mut data: Value, subject: &str) -> Event {
        let revision = self.revisions.entry(subject.to_owned()).or_default();
        *revision += 1;
        data["revision"] = (*revision).into();
        self.made += 1;
        let source = kind.split('.').next().unwrap_or_default();
        let body = json!({
            "specversion": "1.0", "id": format!("e{}", self.made), "source": format!("//{source}.example.com"),
            "type": format!("dev.holdpoint.{kind}.v1"), "data": data,
        });
        Event { body, about }
    }

    fn policy(&mut self) -> Value {
        let kinds = ["review", "change", "delegation", "availability", "evidence", "freeze", "person", "operator"];
        let sources: Vec<Value> = kinds
            .iter()
            .map(|kind| {
                json!({ "kind": kind, "source": format!("//{kind}.example.com"), "governed_by": "gov@example.com" })
            })
            .collect();
        let moves = json!({
            "kind": "availability", "source": NEXT_CALENDARS, "governed_by": "gov@example.com",
            "takes_over": ["//availability.example.com"],
        });
        let sources: Vec<Value> = sources.into_iter().chain([moves]).collect();
        let alternate = if self.one_in(2) { Some(person(self.people - 1)) } else { None };
        // Where work begins later than the review is issued, a deadline has hours in it that do not count.
        let opens = if self.people.is_multiple_of(2) { "10:30" } else { "08:00" };
        let hours = json!({ "start": opens, "end": "18:30", "days": ["mon", "tue", "wed", "thu", "fri"] });
        let exclusions = match self.one_in(6) {
            true => json!([{ "role": self.a_role(), "person": self.a_person(), "reason": "wrote it" }]),
            false => json!([]),
        };
        json!({
            "sources": sources,
            "defaults": {
                "grid_minutes": 30,
                "min_notice_minutes": self.one_of(&[0, 30, 60]),
                "min_decision_minutes": if self.roles.is_multiple_of(2) { 15 } else { 0 },
                "overdue_lead_minutes": if self.people.is_multiple_of(2) { json!(60) } else { Value::Null },
                "evidence_buffer_minutes": self.one_of(&[0, 15]),
                "evidence_grace_minutes": 15,
                "lead_before_cutover_minutes": self.one_of(&[0, 30]),
                "freeze_calendars": [CALENDAR],
                "freeze_edge_minutes": self.one_of(&[0, 0, 30]),
                "working_hours": if self.one_in(4) { hours } else { Value::Null },
                "prefer": if self.one_in(4) { "keep_people" } else { "keep_time" },
                "distinct_people": !self.one_in(6),
                "exclusions": exclusions,
                "tell_before_adoption": !self.one_in(5),
                // Of what was drawn already: another draw would make every seed another schedule.
                "hold_invites": exclusions == json!([]),
                "metadata_alone": if self.roles == 2 { "told" } else { "carried" },
                "escalate_after_minutes": if self.people.is_multiple_of(2) { 0 } else { 15 },
                "quiet_seconds": self.one_of(&[0, 60, 120]),
                "adoption_deadline_minutes": if self.deadline_is_short { 45 } else { 240 },
                "remind_before_expiry_minutes": if self.deadline_is_short { 20 } else { 30 },
                "alternate_owner": alternate,
                "acknowledge_within_minutes": 120,
                "remind_every_minutes": 60,
                "escalation_contacts": [DESK],
                "churn": { "proposals": self.one_of(&[3, 3, 3, 1]), "within_minutes": 30 },
            },
        })
    }

    fn one_of<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.rng.usize(..these.len())]
    }

    fn a_person(&mut self) -> String {
        person(self.rng.usize(..self.people))
    }

    fn a_role(&mut self) -> &'static str {
        ROLES[self.rng.usize(..self.roles)]
    }

    /// Around the meeting, on the half hour as a rule.
    fn a_time(&mut self, from_hour: i64, to_hour: i64) -> i64 {
        let at = MIDNIGHT + from_hour * HOUR + self.rng.i64(0..(to_hour - from_hour) * 2) * 30 * MINUTE;
        if self.one_in(6) { at + 10 * MINUTE } else { at }
    }

    fn facts(&mut self) -> Vec<Event> {
        let mut facts = vec![self.change_record("approved", false)];
        for role in 0..self.roles {
            facts.push(self.delegation(role, false));
        }
        for index in 0..self.people {
            if !self.one_in(12) {
                facts.push(self.calendar(index, true));
            }
        }
        facts.push(self.evidence(true));
        if self.one_in(3) {
            facts.push(self.freeze());
        }
        facts
    }

    fn issue(&mut self) -> Event {
        self.issue_of(REVIEW)
    }

    fn issue_of(&mut self, id: &str) -> Event {
        let from = MIDNIGHT + [14 * HOUR, 13 * HOUR + 30 * MINUTE, 15 * HOUR][self.rng.usize(..3)];
        let attendees: Vec<Value> =
            (0..self.roles).map(|role| json!({ "role": ROLES[role], "attendee": person(role) })).collect();
        let optional = if self.one_in(3) { json!(["guest@example.com"]) } else { json!([]) };
        let mut data = json!({
            "review_id": id, "title": "Identity 4.2", "service": SERVICE, "change_id": CHANGE, "version": 1,
            "slot": span(from, from + HOUR), "time_zone": "Europe/Berlin", "roles": attendees, "optional": optional,
            "checkpoints": [CHECKPOINT], "policy": {},
        });
        if let Some(meeting) = self.meeting_of(id) {
            data["meeting"] = meeting;
        }
        let (about, subject) = match id == REVIEW {
            true => ("the review is issued".to_owned(), "review".to_owned()),
            false => (format!("{id} is issued for {}", instant(from)), format!("review {id}")),
        };
        self.event("review.issued", about, data, &subject)
    }

    /// The invitation that people have; `None`: which one is not known. Drawn from what is drawn already, so that no other
    /// draw moves. The organizer may be an attendee, in another letter case.
    fn meeting_of(&self, id: &str) -> Option<Value> {
        let mut meeting = json!({ "uid": format!("{id}@calendar.example.com"), "sequence": self.roles });
        match (self.people + self.roles) % 3 {
            0 => return None,
            1 => {}
            _ => {
                meeting["organizer"] = if self.people.is_multiple_of(2) { "P0@Example.com" } else { DESK }.into();
                meeting["location"] = "Room 4; Berlin, 3rd floor".into();
                meeting["conference"] = json!(["https://meet.example.com/j/1?a=b,c;d", "tel:+49-30-1"]);
                meeting["description"] = "Bring the test report.\nPIN 1,2;3 – Grüße".into();
                meeting["alarm_minutes"] = 15.into();
            }
        }
        Some(meeting)
    }

    fn change_record(&mut self, state: &str, moved: bool) -> Event {
        let opens = if moved { self.a_time(12, 16) } else { MIDNIGHT + 12 * HOUR };
        let owner = match self.rng.u8(..8) {
            0 => "owner@example.com".to_owned(),
            1..=4 if moved => self.a_person(),
            _ => person(1),
        };
        let data = json!({
            "change_id": CHANGE, "state": state,
            "review_window": { "opens": instant(opens), "closes": instant(MIDNIGHT + 19 * HOUR) },
            "cutover": { "starts": instant(MIDNIGHT + 32 * HOUR), "ends": instant(MIDNIGHT + 34 * HOUR) },
            "owner": owner, "owner_confirmation": "confirmed",
        });
        let about = format!("the change is {state}, owned by {owner}, its window opens at {}", instant(opens));
        self.event("change.updated", about, data, "change")
    }

    fn delegation(&mut self, role: usize, changed: bool) -> Event {
        let holder = if changed && self.one_in(3) { self.a_person() } else { person(role) };
        let mut delegates = Vec::new();
        for index in self.roles..self.people {
            if self.one_in(4) {
                continue;
            }
            let status = if changed && self.one_in(4) { "revoked" } else { "approved" };
            let mut delegate = json!({ "person": person(index), "status": status });
            if self.one_in(6) {
                delegate["valid_until"] = instant(self.a_time(15, 18)).into();
            }
            delegates.push(delegate);
        }
        self.rng.shuffle(&mut delegates);
        let names: Vec<&str> = delegates.iter().filter_map(|delegate| delegate["person"].as_str()).collect();
        let about = format!("{} is held by {holder}, in their stead {names:?}", ROLES[role]);
        let data = json!({ "service": SERVICE, "role": ROLES[role], "holder": holder, "delegates": delegates.clone() });
        self.event("delegation.updated", about, data, &format!("delegation {role}"))
    }

    fn calendar(&mut self, index: usize, free: bool) -> Event {
        let mut busy = Vec::new();
        for _ in 0..if free { self.rng.usize(..2) } else { 1 + self.rng.usize(..3) } {
            let from = if free { self.a_time(16, 19) } else { self.a_time(12, 18) };
            let to = from + (1 + self.rng.i64(0..4)) * 30 * MINUTE;
            let mut entry = span(from, to);
            entry["subject"] = SUBJECT.into();
            busy.push(entry);
        }
        let kind = if !free && self.one_in(4) { "oncall" } else { "calendar" };
        let horizon = span(MIDNIGHT, MIDNIGHT + if self.one_in(12) { 16 * HOUR } else { 48 * HOUR });
        let when: Vec<String> = busy.iter().map(|one| one["start"].as_str().unwrap_or_default().to_owned()).collect();
        let about = format!("{} is busy ({kind}) from {when:?}", person(index));
        let data = json!({ "person": person(index), "kind": kind, "horizon": horizon, "busy": busy });
        self.event("availability.updated", about, data, &format!("{kind} {index}"))
    }

    fn evidence(&mut self, first: bool) -> Event {
        let at = if first { MIDNIGHT + 12 * HOUR + 30 * MINUTE } else { self.a_time(9, 17) };
        let status = match self.rng.u8(..8) {
            0 if !first => "withdrawn",
            1 | 2 if !first => "ready",
            _ => "expected",
        };
        let mut data = json!({ "change_id": CHANGE, "checkpoint": CHECKPOINT, "status": status });
        // Ready is about the past; now and then a source's clock is hours ahead.
        let at = if status == "ready" && !self.one_in(5) { self.a_time(6, 8) } else { at };
        if status != "withdrawn" {
            data["ready_at"] = instant(at).into();
        }
        let about = format!("evidence is {status} at {}", instant(at));
        self.event("evidence.updated", about, data, "evidence")
    }

    fn no_freeze(&mut self) -> Event {
        let data = json!({ "calendar": CALENDAR, "freezes": [] });
        let mut event = self.event("freeze.updated", "there is no freeze".to_owned(), data, "no freeze");
        event.body["data"]["revision"] = 1.into();
        event
    }

    fn freeze(&mut self) -> Event {
        let from = self.a_time(12, 19);
        let to = from + (1 + self.rng.i64(0..4)) * 30 * MINUTE;
        let protected = !self.one_in(3);
        let freeze = json!({ "id": "f", "start": instant(from), "end": instant(to), "protected": protected });
        let about = format!("a freeze from {} to {}, protected: {protected}", instant(from), instant(to));
        let data = json!({ "calendar": CALENDAR, "freezes": [freeze] });
        let mut event = self.event("freeze.updated", about, data, "freeze");
        // The calendar without any freeze came before the first.
        let revision = event.body["data"]["revision"].as_u64().unwrap_or_default() + 1;
        event.body["data"]["revision"] = revision.into();
        event
    }

    /// An operator asks that somebody is mailed once more; now and then somebody whom the review tells nothing.
    fn resend(&mut self, index: usize) -> Event {
        let data =
            json!({ "review_id": REVIEW, "person": person(index), "by": "op@example.com", "reason": "it is lost" });
        let about = format!("an operator has {} mailed once more", person(index));
        let mut event = self.event("resend.requested", about, data, "resend");
        event.body["source"] = "//operator.example.com".into();
        event
    }

    /// What a source system says later on.
    fn change(&mut self) -> Event {
        let index = self.rng.usize(..self.people);
        match self.rng.u8(..20) {
            0..=6 => self.calendar(index, false),
            7..=9 => {
                let role = self.rng.usize(..self.roles);
                self.delegation(role, true)
            }
            10..=12 => self.evidence(false),
            13 => self.freeze(),
            14 | 15 => {
                let state = ["approved", "approved", "on_hold", "implementing", "cancelled"][self.rng.usize(..5)];
                self.change_record(state, true)
            }
            16 => {
                let zone = ZONES[self.rng.usize(..3)];
                let about = format!("{} is in {zone}", person(index));
                let data = json!({ "person": person(index), "name": format!("Person {index}"), "time_zone": zone });
                self.event("person.updated", about, data, &format!("person {index}"))
            }
            17 => {
                let mut event = self.calendar(index, false);
                event.body["source"] = "//impostor.example.com".into();
                event.about = format!("an impostor says: {}", event.about);
                event
            }
            18 => {
                let mut event = self.evidence(false);
                event.body["data"]["revision"] = 1.into();
                event.about = format!("long out of date: {}", event.about);
                event
            }
            _ if self.one_in(3) => {
                let decision = ["adopt", "adopt", "decline_other_slot", "decline_stand"][self.rng.usize(..4)];
                let version = 2 + self.rng.u8(..3);
                // Of what was drawn already: another draw would make every seed another schedule.
                if version == 4 {
                    return self.resend(index);
                }
                let about = format!("an operator says {decision} of version {version}");
                let data = json!({
                    "review_id": REVIEW, "version": version, "decision": decision, "by": "op@example.com",
                    "reason": "no mail reaches the owner",
                });
                let mut event = self.event("proposal.decided", about, data, "decision");
                event.body["source"] = "//operator.example.com".into();
                event
            }
            _ if self.one_in(3) => {
                let mut data = json!({ "review_id": REVIEW, "reason": "it was held elsewhere" });
                // Of what was made already: another draw would make every seed another schedule.
                let in_person = self.made.is_multiple_of(2);
                if in_person {
                    data["by"] = "op@example.com".into();
                }
                let mut event = self.event("review.closed", "the review is closed".to_owned(), data, "closure");
                if in_person {
                    event.body["source"] = "//operator.example.com".into();
                }
                event
            }
            _ => {
                let mut event = self.calendar(index, false);
                event.body["id"] = "e1".into();
                event.about = format!("under an id that was used before: {}", event.about);
                event
            }
        }
    }
}
