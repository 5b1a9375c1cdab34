//! A review and its facts, decided by the rules themselves: what is stored here is what production stores.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{
    EventId, Instant, Interval, Person, ReviewId, Role, Source,
    base::{digest::Digest, fingerprint::ReviewFingerprint},
    facts::{
        authority::Disposition,
        event::{Event, Identity, Statement},
        evidence::{Evidence, EvidenceStatus},
        fact::{
            Availability, Body, Busy, Change, ChangeState, Delegate, DelegateStatus, EntryOf, Fact, Facts, InForce,
            Mapping, Profile, Terms,
        },
        policy::{Churn, Deployment, MetadataAlone, OtherReviews, Overrides, Policy, Prefer},
        revision::RevisionOrder,
        subject::{Diary, Subject},
    },
    record::{
        claim::Claim,
        commit::{self, Cause, Commit, ConfirmedMail},
        delivery::{Delivery, DeliveryReport, DeliveryStatus},
        last_notified::LastNotified,
        lineage::{Happening, Trigger},
        review::{Head, Review},
    },
};

pub const SOURCE: &str = "//ci.example.com/identity";

pub fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

pub fn now() -> Instant {
    at("2026-11-03T09:00:00Z")
}

pub fn review() -> ReviewId {
    ReviewId::parse("RR-1042").expect("a review")
}

pub fn person(name: &str) -> Person {
    Person::parse(&format!("{name}@example.com")).expect("a person")
}

pub fn role(name: &str) -> Role {
    Role::parse(name).expect("a role")
}

pub fn identity(id: &str) -> Identity {
    Identity { source: Source::parse(SOURCE).expect("a source"), id: EventId::parse(id).expect("an id") }
}

pub fn cause(id: &str) -> Cause {
    Cause { identity: identity(id), collision: None }
}

fn interval(start: &str, end: &str) -> Interval {
    Interval::new(at(start), at(end)).expect("an interval")
}

/// The five roles a policy has by default, each with a holder and three delegates.
const ROLES: [(&str, &str); 5] = [
    ("release_manager", "rm"),
    ("service_owner", "so"),
    ("security_reviewer", "sec"),
    ("database_migration_owner", "dba"),
    ("site_reliability_lead", "sre"),
];
const DELEGATES: std::ops::RangeInclusive<u32> = 2..=4;

pub fn fact(subject: Subject, revision: u64, body: Body) -> Fact {
    Fact {
        subject,
        source: Source::parse(SOURCE).expect("a source"),
        revision,
        accepted_at: now(),
        body,
        order: RevisionOrder::default(),
    }
}

/// A profile with that revision.
pub fn profile(name: &str, revision: u64) -> Fact {
    let body = Body::Person(Profile {
        name: format!("{name} the {revision}th"),
        time_zone: "Europe/Berlin".parse().expect("a zone"),
    });
    fact(Subject::Person(person(name)), revision, body)
}

/// A calendar with as many entries as asked for.
pub fn calendar(name: &str, revision: u64, entries: i64) -> Fact {
    let busy = (0..entries).map(|n| {
        let start = now().plus_minutes(60 * n);
        Busy { start, end: start.plus_minutes(25), own: EntryOf::Unsaid }
    });
    let horizon = interval("2026-11-01T00:00:00Z", "2027-12-01T00:00:00Z");
    let body = Availability { horizon, busy: busy.collect(), unknown: Vec::new(), merged: false };
    fact(Subject::Availability(person(name), Diary::Calendar, None), revision, Body::Availability(body))
}

pub fn facts() -> Facts {
    let parse = |text: &str| text.parse().expect("a name");
    let change: refresh_core::ChangeId = "CHG-7".parse().expect("a change");
    let service: refresh_core::Service = "identity".parse().expect("a service");
    let terms = Terms {
        title: "Identity 7.2".into(),
        service: service.clone(),
        change: change.clone(),
        version: 7,
        slot: interval("2026-11-03T15:00:00Z", "2026-11-03T16:00:00Z"),
        time_zone: "Europe/Berlin".parse().expect("a zone"),
        attendees: ROLES.iter().map(|(of, who)| (role(of), person(who))).collect(),
        optional: BTreeSet::new(),
        checkpoints: BTreeSet::from([parse("build")]),
        meeting: None,
        policy: Overrides::default(),
    };
    let in_force = InForce {
        window: interval("2026-11-03T08:00:00Z", "2026-11-04T18:00:00Z"),
        cutover: interval("2026-11-04T20:00:00Z", "2026-11-04T22:00:00Z"),
        owner: Some(person("rm")),
        owner_confirmed: true,
    };
    let evidence = Evidence { status: EvidenceStatus::Ready, ready_at: Some(at("2026-11-03T08:30:00Z")), run: None };
    let mut all = vec![
        fact(Subject::Review(review()), 1, Body::Review(Box::new(terms))),
        fact(
            Subject::Change(change.clone()),
            4,
            Body::Change(Change { state: ChangeState::Approved, in_force: Some(in_force) }),
        ),
        fact(Subject::Evidence(change, parse("build")), 1, Body::Evidence(evidence)),
    ];
    for (of, who) in ROLES {
        let delegates = DELEGATES.map(|n| Delegate {
            person: person(&format!("{who}-{n}")),
            status: DelegateStatus::Approved,
            valid_from: None,
            valid_until: None,
        });
        let mapping = Mapping {
            holder: Some(person(who)),
            holder_valid_from: None,
            holder_valid_until: None,
            delegates: Some(delegates.collect()),
        };
        all.push(fact(Subject::Delegation(service.clone(), role(of)), 1, Body::Delegation(mapping)));
        all.push(calendar(who, 1, 3));
        all.extend(DELEGATES.map(|n| calendar(&format!("{who}-{n}"), 1, 3)));
    }
    all.into_iter().collect()
}

pub fn deployment() -> Deployment {
    let defaults = Policy {
        grid_minutes: 30,
        min_notice_minutes: 30,
        min_decision_minutes: 15,
        evidence_buffer_minutes: 0,
        evidence_grace_minutes: 15,
        overdue_lead_minutes: None,
        lead_before_cutover_minutes: 0,
        freeze_calendars: BTreeSet::new(),
        freeze_edge_minutes: 0,
        working_hours: None,
        prefer: Prefer::KeepTime,
        distinct_people: true,
        other_reviews: OtherReviews::Busy,
        exclusions: Vec::new(),
        tell_before_adoption: true,
        hold_invites: true,
        quiet_seconds: 120,
        adoption_deadline_minutes: 240,
        remind_before_expiry_minutes: 30,
        alternate_owner: None,
        acknowledge_within_minutes: 120,
        remind_every_minutes: 60,
        metadata_alone: MetadataAlone::Told,
        escalate_after_minutes: 0,
        escalation_contacts: BTreeSet::new(),
        churn: Churn { proposals: 3, within_minutes: 30 },
    };
    Deployment { sources: Vec::new(), defaults }
}

pub fn trigger(id: &str, revision: u64) -> Trigger {
    Trigger {
        identity: identity(id),
        event_type: "dev.holdpoint.review.issued.v1".into(),
        subject: Subject::Review(review()),
        revision,
        disposition: Disposition::Applied,
        not_taken: Vec::new(),
        collision: None,
        trace: None,
    }
}

/// The commit that issues the review.
pub fn issued(id: &str) -> Commit {
    refresh_core::decide::refresh::issue(&review(), "example.com", &facts(), &deployment(), vec![trigger(id, 1)], now())
        .expect("its terms are known")
}

/// The commit of a decision that moves somebody: the service owner's new calendar has the meeting's time taken.
pub fn moved(review: &Review) -> Commit {
    let mut facts = facts();
    let mut busy = calendar("so", 2, 3);
    if let Body::Availability(availability) = &mut busy.body {
        let slot = review.authoritative.packet.slot;
        let taken = Busy { start: slot.start, end: slot.start.plus_minutes(30), own: EntryOf::Unsaid };
        availability.busy = availability.busy.iter().chain([taken]).collect();
    }
    facts.insert(busy);
    refresh_core::decide::refresh::refresh(review, &facts, &deployment(), vec![trigger("e2", 2)], now())
        .expect("a decision")
}

/// A further commit on that HEAD with these triggers.
pub fn after(head: &Head, ids: &[&str]) -> Commit {
    let happenings: Vec<Happening> = ids.iter().map(|id| Happening::Trigger(trigger(id, 2))).collect();
    let causes = ids.iter().map(|id| cause(id)).collect();
    Commit { causes, ..commit::commit(head.clone(), happenings, None) }
}

pub fn told(name: &str) -> LastNotified {
    LastNotified {
        person: person(name),
        view: refresh_core::record::view::View {
            roster: BTreeMap::from([(role("r"), person("x"))]),
            ..Default::default()
        },
        seat: None,
        counted: None,
        released: false,
        duty: None,
        version: 7,
        changes: Vec::new(),
        why: Vec::new(),
        proposal: None,
        news: Vec::new(),
        adoptions: 0,
        meeting: None,
        invited_as: None,
        hold: None,
        at: now(),
        message_id: None,
        trace: None,
    }
}

pub fn settled(name: &str, by: &str) -> ConfirmedMail {
    ConfirmedMail { told: told(name), claimed_by: by.into() }
}

pub fn claim(by: &str, until: &str) -> Claim {
    Claim { by: by.into(), until: at(until) }
}

/// What the mailer says of a message that it took at that time.
pub fn report(name: &str, message_id: &str, mailed_at: &str, status: DeliveryStatus) -> DeliveryReport {
    let mailed_at = at(mailed_at);
    let delivery = Delivery { message_id: message_id.into(), mailed_at, at: mailed_at.plus_seconds(5), status };
    DeliveryReport { to: person(name), delivery, trace: None }
}

/// An event with that id that became, or would have become, the fact.
pub fn event(id: &str, fact: &Fact) -> Event {
    Event {
        identity: identity(id),
        event_type: "dev.holdpoint.person.updated.v1".into(),
        trace: None,
        digest: Digest::of("event", &(id, fact)),
        subject: fact.subject.clone(),
        statement: Statement::State { revision: fact.revision, body: fact.body.clone() },
    }
}

/// A review's fingerprint of one byte, sixteen times.
pub fn fingerprint(byte: u8) -> ReviewFingerprint {
    ReviewFingerprint::from_bytes([byte; 16])
}
