//! A rung of the peers as a review: its people, its facts, and the refresh that answers the same question.
//!
//! The peers' change windows bind nobody in particular, so what lies between two of them is a protected freeze. Each role
//! was issued with its holder, so "the fewest substitutions" is the peers' "first free person in order of preference".

use std::hint::black_box;

use refresh_core::{
    Calendar, ChangeId, Checkpoint, EventId, Instant, Interval, Person, ReviewId, Role, Service, Source,
    base::{digest::canonical, instant::DAY},
    choice::{
        candidates::{Candidates, Reach},
        ours::Ours,
        situation::Situation,
    },
    decide::refresh,
    facts::{
        authority::Disposition,
        event::Identity,
        evidence::{Evidence, EvidenceStatus},
        fact::{
            Availability, Body, Busy, Change, ChangeState, Delegate, DelegateStatus, EntryOf, Fact, Facts, Freeze,
            InForce, Mapping, Terms,
        },
        policy::{Churn, Deployment, Overrides, Policy},
        revision::RevisionOrder,
        subject::{Diary, Subject},
    },
    record::{commit::Commit, lineage::Trigger, packet::Choice, review::Review},
};

use crate::{Answer, Iv, Work, answer};

/// A Monday, as the peers' minute zero is.
const ZERO: &str = "2026-11-02T00:00:00Z";

pub struct Case {
    pub review: Review,
    pub facts: Facts,
    pub deployment: Deployment,
    pub now: Instant,
}

pub fn id() -> ReviewId {
    ReviewId::parse("RR-1").expect("a name")
}

pub fn role(index: usize) -> Role {
    Role::parse(&format!("role-{index:03}")).expect("a name")
}

pub fn person(index: usize) -> Person {
    Person::parse(&format!("p{index:05}@example.com")).expect("an address")
}

fn change() -> ChangeId {
    ChangeId::parse("CHG-1").expect("a name")
}

fn service() -> Service {
    Service::parse("identity").expect("a name")
}

pub fn at(minute: u32) -> Instant {
    Instant::parse(ZERO).expect("an instant").plus_minutes(i64::from(minute))
}

fn interval(iv: Iv) -> Interval {
    Interval::new(at(iv.s), at(iv.e)).expect("a span that is not empty")
}

pub fn fact(subject: Subject, body: Body, revision: u64) -> Fact {
    let source = Source::parse("//source.example.com").expect("a source");
    Fact { subject, source, revision, accepted_at: at(0).plus_millis(-2 * DAY), body, order: RevisionOrder::default() }
}

/// The contract's defaults, but for what the workload needs.
pub fn policy() -> Policy {
    Policy {
        grid_minutes: 15,
        freeze_calendars: [Calendar::parse("freezes").expect("a name")].into(),
        acknowledge_within_minutes: 240,
        escalation_contacts: [Person::parse("desk@example.com").expect("an address")].into(),
        churn: Churn { proposals: 4, within_minutes: 30 },
        ..sources::policy::standard()
    }
}

/// Everything of the review but its people's calendars. `teams`: per role its holder, then the delegates.
pub fn frame(slot: Interval, window: Interval, ready: Instant, freezes: &[Interval], teams: &[Vec<usize>]) -> Facts {
    let checkpoint = Checkpoint::parse("tests").expect("a name");
    let seats = teams.iter().enumerate().map(|(at, team)| (role(at), person(team[0])));
    let terms = Terms {
        title: "Identity 4.2".to_owned(),
        service: service(),
        change: change(),
        version: 1,
        slot,
        time_zone: "UTC".parse().expect("a zone"),
        attendees: seats.collect(),
        optional: std::collections::BTreeSet::new(),
        checkpoints: [checkpoint.clone()].into(),
        meeting: None,
        policy: Overrides::default(),
    };
    let cutover = Interval { start: window.end, end: window.end.plus_minutes(60) };
    let owner = Some(Person::parse("owner@example.com").expect("an address"));
    let in_force = Some(InForce { window, cutover, owner, owner_confirmed: true });
    let freeze = |(at, span): (usize, &Interval)| Freeze {
        id: format!("freeze-{at}"),
        start: span.start,
        end: span.end,
        protected: true,
    };
    let freezes = freezes.iter().enumerate().map(freeze).collect();
    let calendar = Calendar::parse("freezes").expect("a name");
    let mut facts = vec![
        fact(Subject::Review(id()), Body::Review(Box::new(terms)), 1),
        fact(Subject::Change(change()), Body::Change(Change { state: ChangeState::Approved, in_force }), 1),
        fact(Subject::Freeze(calendar), Body::Freeze(freezes), 1),
        fact(
            Subject::Evidence(change(), checkpoint),
            Body::Evidence(Evidence { status: EvidenceStatus::Ready, ready_at: Some(ready), run: None }),
            1,
        ),
    ];
    let delegate = |index: &usize| Delegate {
        person: person(*index),
        status: DelegateStatus::Approved,
        valid_from: None,
        valid_until: None,
    };
    for (at, team) in teams.iter().enumerate() {
        let mapping = Mapping {
            holder: Some(person(team[0])),
            holder_valid_from: None,
            holder_valid_until: None,
            delegates: Some(team[1..].iter().map(delegate).collect()),
        };
        facts.push(fact(Subject::Delegation(service(), role(at)), Body::Delegation(mapping), 1));
    }
    facts.into_iter().collect()
}

pub fn calendar(who: usize, horizon: Interval, busy: Vec<Busy>, revision: u64) -> Fact {
    let subject = Subject::Availability(person(who), Diary::Calendar, None);
    let known = Availability { horizon, busy: busy.into(), unknown: Vec::new(), merged: false };
    fact(subject, Body::Availability(known), revision)
}

pub fn trigger() -> Trigger {
    let source = Source::parse("//source.example.com").expect("a source");
    Trigger {
        identity: Identity { source, id: EventId::parse("event-1").expect("an id") },
        event_type: "dev.holdpoint.availability.updated.v1".to_owned(),
        subject: Subject::Availability(person(0), Diary::Calendar, None),
        revision: 2,
        disposition: Disposition::Applied,
        not_taken: Vec::new(),
        collision: None,
        trace: None,
    }
}

/// The review as it was issued while everybody was free.
pub fn issued(facts: &Facts, deployment: &Deployment, now: Instant) -> Review {
    let commit = refresh::issue(&id(), "example.com", facts, deployment, Vec::new(), now).expect("terms are known");
    let issued = commit.versions[0].clone();
    Review { head: commit.head, authoritative: issued.clone(), issued, pending: None }
}

/// Between two windows nothing may take place.
fn between(windows: &[Iv], horizon: u32) -> Vec<Interval> {
    let starts = windows.iter().map(|window| window.s).chain([horizon]);
    let ends = [0].into_iter().chain(windows.iter().map(|window| window.e));
    ends.zip(starts).filter_map(|(from, to)| Interval::new(at(from), at(to))).collect()
}

/// Who fills which role: each team its own people; or, with `shared`, every fifth seat the next role's people's.
pub fn teams(work: &Work, shared: bool) -> Vec<Vec<usize>> {
    let size = work.team();
    let seat = |index: usize| {
        let (role, place) = (index / size, index % size);
        let next = (role + 1) % work.roles * size + place;
        if shared && place > 0 && index % 5 == 4 { next } else { index }
    };
    (0..work.roles).map(|role| (role * size..(role + 1) * size).map(seat).collect()).collect()
}

impl Case {
    pub fn of(work: &Work, shared: bool) -> Self {
        let teams = teams(work, shared);
        let horizon = Interval { start: at(0), end: at(work.horizon) };
        let mut freezes: Vec<Interval> = work.freezes.iter().copied().map(interval).collect();
        freezes.extend(between(&work.windows, work.horizon));
        let slot = Interval { start: at(work.held), end: at(work.held + work.dur) };
        let deployment = Deployment { sources: Vec::new(), defaults: policy() };
        let now = at(0).plus_millis(-DAY);
        let mut facts = frame(slot, horizon, at(work.ready), &freezes, &teams);
        for who in 0..work.persons() {
            facts.insert(calendar(who, horizon, Vec::new(), 1));
        }
        let review = issued(&facts, &deployment, now);
        for who in 0..work.persons() {
            let busy = |iv: &Iv| Busy { start: at(iv.s), end: at(iv.e), own: EntryOf::Unsaid };
            facts.insert(calendar(who, horizon, work.of(who).iter().map(busy).collect(), 2));
        }
        Self { review, facts, deployment, now }
    }

    /// From the parsed facts to everything that must be written.
    #[inline(never)]
    pub fn whole(&self) -> Commit {
        let triggers = vec![trigger()];
        refresh::refresh(&self.review, &self.facts, &self.deployment, triggers, self.now).expect("a fact was accepted")
    }

    /// The choice alone: no marks, no report, nothing of what follows from it.
    #[inline(never)]
    pub fn search(&self) -> Option<Choice> {
        let id = id();
        let situation = Situation::of(&id, &self.facts, &self.deployment, self.now)?;
        let head = &self.review.head;
        let packet = &self.review.authoritative.packet;
        let candidates = Candidates::of(&situation, packet, Ours::of(head), &head.declined, Reach::Window);
        let (index, seats) = candidates.preferred()?;
        Some(candidates.choice(index, &seats))
    }

    /// What the report of the proposal takes in the store, before it is packed with its version.
    pub fn report_bytes(&self) -> usize {
        let commit = self.whole();
        commit.versions.last().map_or(0, |version| canonical(&version.report).len())
    }

    pub fn answer(&self, work: &Work) -> Answer {
        let commit = black_box(self.whole());
        let packet = commit.versions.last().map(|version| &version.packet);
        let slot = packet.map(|packet| (packet.slot.start.since(at(0)) / 60_000) as u32);
        let teams = teams(work, false);
        answer(work, slot, |index| {
            let seated = &packet.expect("a slot has a packet").attendees[&role(index)];
            teams[index].iter().position(|who| person(*who) == *seated).expect("one of the team") as u32
        })
    }
}
