//! What a row starts from when it says nothing else: the fixture of the worked cases, with everybody free.
//!
//! The window is 13:00-21:00, and the cutover is at 08:00 the day after. The evidence `tests` is ready at 14:00. A
//! protected freeze lasts from 20:00 to 06:00. The review RR-1 is issued at 08:30 as version 7, with the slot 15:00-16:00
//! and five roles. The owner is the release manager rm-a.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{
    Calendar, ChangeId, Checkpoint, Person, ReviewId, Role, Service, Source, Zone,
    facts::{
        fact::{Delegate, DelegateStatus, Mapping, Meeting, Terms},
        policy::{Churn, Deployment, MetadataAlone, OtherReviews, Overrides, Policy, Prefer, Registration},
        subject::Kind,
    },
};

use crate::clock::Day;

pub const ROLES: [(&str, &str, &str, &[&str]); 5] = [
    ("rm", "release_manager", "rm-a", &[]),
    ("so", "service_owner", "so-a", &["so-b"]),
    ("sec", "security_reviewer", "sec-a", &["sec-b", "sec-c"]),
    ("dbm", "database_migration_owner", "dbm-a", &["dbm-b"]),
    ("sre", "site_reliability_lead", "sre-a", &["sre-b"]),
];

/// Who is busy when in the worked cases.
pub const BUSY: [(&str, &str); 6] = [
    ("rm-a", "13:00-13:30"),
    ("so-a", "17:00-18:00"),
    ("sec-a", "16:30-17:30"),
    ("sec-b", "13:00-14:30"),
    ("dbm-a", "18:00-19:00"),
    ("sre-b", "15:00-16:00"),
];

pub fn review() -> ReviewId {
    ReviewId::parse("RR-1").expect("a name")
}

pub fn change() -> ChangeId {
    ChangeId::parse("CHG-1").expect("a name")
}

pub fn service() -> Service {
    Service::parse("identity").expect("a name")
}

pub fn calendar() -> Calendar {
    Calendar::parse("prod").expect("a name")
}

/// `sec-a` is sec-a@example.com.
pub fn person(name: &str) -> Result<Person, String> {
    Person::parse(&format!("{name}@example.com"))
}

pub fn short(person: &Person) -> &str {
    person.as_str().strip_suffix("@example.com").unwrap_or(person.as_str())
}

pub fn role(name: &str) -> Result<Role, String> {
    let full = ROLES.iter().find(|(short, ..)| *short == name).map_or(name, |(_, full, ..)| full);
    Role::parse(full)
}

pub fn short_role(role: &Role) -> &str {
    ROLES.iter().find(|(_, full, ..)| *full == role.as_str()).map_or(role.as_str(), |(short, ..)| short)
}

/// The source registered for a kind.
pub fn source(kind: Kind) -> Source {
    Source::parse(&format!("//{}.example.com", kind.word())).expect("a source")
}

pub fn deployment() -> Deployment {
    let governor = person("governor").expect("an address");
    Deployment {
        sources: Kind::ALL
            .into_iter()
            .map(|kind| Registration {
                kind,
                source: source(kind),
                governed_by: governor.clone(),
                takes_over: Vec::new(),
                max_age_minutes: None,
                sender: None,
            })
            .collect(),
        defaults: Policy {
            grid_minutes: 30,
            min_notice_minutes: 30,
            min_decision_minutes: 15,
            evidence_buffer_minutes: 0,
            evidence_grace_minutes: 15,
            overdue_lead_minutes: None,
            lead_before_cutover_minutes: 0,
            freeze_calendars: BTreeSet::from([calendar()]),
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
            escalation_contacts: BTreeSet::from([person("gov").expect("an address")]),
            churn: Churn { proposals: 3, within_minutes: 30 },
        },
    }
}

pub fn terms(day: Day) -> Terms {
    let attendees: BTreeMap<Role, Person> = ROLES
        .iter()
        .map(|(name, _, holder, _)| (role(name).expect("a role"), person(holder).expect("an address")))
        .collect();
    Terms {
        title: "Release readiness: identity 4.2".to_owned(),
        service: service(),
        change: change(),
        version: 7,
        slot: day.interval("15:00-16:00").expect("an interval"),
        time_zone: Zone::UTC,
        attendees,
        optional: BTreeSet::new(),
        checkpoints: BTreeSet::from([Checkpoint::parse("tests").expect("a name")]),
        meeting: Some(Meeting::bare(refresh_core::Uid::parse("RR-1@holdpoint.test").expect("a UID"), 0)),
        policy: Overrides::default(),
    }
}

/// `m-77@example.com 4`, or `unknown` where the review is issued without a calendar object.
pub fn meeting(text: &str) -> Result<Option<Meeting>, String> {
    if text == "unknown" {
        return Ok(None);
    }
    let (uid, sequence) = text.split_once(' ').ok_or("uid and sequence")?;
    let sequence = sequence.parse().map_err(|_| "a sequence".to_owned())?;
    Ok(Some(Meeting::bare(refresh_core::Uid::parse(uid)?, sequence)))
}

pub fn mapping(holder: &str, delegates: &[&str]) -> Mapping {
    let delegate = |name: &&str| Delegate {
        person: person(name).expect("an address"),
        status: DelegateStatus::Approved,
        valid_from: None,
        valid_until: None,
    };
    Mapping {
        holder: Some(person(holder).expect("an address")),
        holder_valid_from: None,
        holder_valid_until: None,
        delegates: Some(delegates.iter().map(delegate).collect()),
    }
}
