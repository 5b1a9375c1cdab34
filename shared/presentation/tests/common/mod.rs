//! One review in all its states, made by the core itself from facts: what pages and mails are shown with in tests.
#![allow(dead_code)]

pub mod escalations;
pub mod notices;

use std::collections::{BTreeMap, BTreeSet};

use presentation::{
    mail::Letterhead,
    page::{
        Scene,
        workspace::{ListedReview, ReviewList},
    },
};
use refresh_core::{
    Instant, Interval, Person, ReviewId, Role, Source, Zone,
    audience::open::{Open, OpenCounts},
    choice::silence::Silence,
    decide::refresh,
    facts::{
        evidence::{Evidence, EvidenceStatus},
        fact::{
            Availability, Body, Busy, Change, ChangeState, Delegate, DelegateStatus, EntryOf, Fact, Facts, Freeze,
            InForce, Mapping, Profile, Terms,
        },
        policy::{Churn, Deployment, MetadataAlone, OtherReviews, Overrides, Policy, Prefer, Registration},
        revision::RevisionOrder,
        subject::{Diary, Kind, Subject},
    },
    record::{commit::Commit, lineage::Entry, packet::Version, review::Review},
};

/// The list of these reviews, whole.
pub fn list_of<'a>(
    entries: &'a [ListedReview<'a>],
    people: &'a BTreeMap<Person, String>,
    now: Instant,
) -> ReviewList<'a> {
    let counts = entries.iter().map(|entry| OpenCounts::of(&Open::of(&entry.review.head, now))).sum();
    ReviewList { entries, unreadable: &[], people, counts, only_open: false, is_first: true, next: None }
}

pub fn at(text: &str) -> Instant {
    Instant::parse(&format!("2026-11-03T{text}Z")).expect("a time of day")
}

pub fn slot(start: &str, end: &str) -> Interval {
    Interval::new(at(start), at(end)).expect("an interval")
}

pub fn person(name: &str) -> Person {
    Person::parse(&format!("{name}@example.com")).expect("an address")
}

pub fn review_id() -> ReviewId {
    ReviewId::parse("RR-1042").expect("an id")
}

fn role(name: &str) -> Role {
    Role::parse(name).expect("a role")
}

pub fn named(zone: &str) -> Zone {
    zone.parse().expect("a zone")
}

const SEATS: [(&str, &str, &str); 5] = [
    ("release_manager", "rm-a", "rm-b"),
    ("service_owner", "so-a", "so-b"),
    ("security_reviewer", "sec-a", "sec-b"),
    ("database_migration_owner", "dbm-a", "dbm-b"),
    ("site_reliability_lead", "sre-a", "sre-b"),
];

const PEOPLE: [(&str, &str, &str); 10] = [
    ("rm-a", "Rosa Marques", "Europe/Berlin"),
    ("rm-b", "Ruben Moser", "Europe/Berlin"),
    ("so-a", "Sven Olsen", "Europe/Oslo"),
    ("so-b", "Sofia Orlova", "Europe/Berlin"),
    ("sec-a", "Aiko Tanaka", "Asia/Tokyo"),
    ("sec-b", "Seán Ó Briain", "Europe/Dublin"),
    ("dbm-a", "Dana Müller", "Europe/Berlin"),
    ("dbm-b", "Dmitri Belov", "Europe/Berlin"),
    ("sre-a", "Sara Reyes", "America/New_York"),
    ("sre-b", "Sami Rautio", "Europe/Helsinki"),
];

pub fn policy() -> Policy {
    Policy {
        grid_minutes: 30,
        min_notice_minutes: 30,
        min_decision_minutes: 15,
        evidence_buffer_minutes: 0,
        evidence_grace_minutes: 15,
        overdue_lead_minutes: None,
        lead_before_cutover_minutes: 0,
        freeze_calendars: [refresh_core::Calendar::parse("prod").expect("a name")].into(),
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
        escalation_contacts: [person("duty-manager")].into(),
        churn: Churn { proposals: 3, within_minutes: 30 },
    }
}

/// A world that can be changed fact by fact, and the review in it.
pub struct World {
    pub facts: Facts,
    pub deployment: Deployment,
    pub review: Review,
    pub versions: Vec<Version>,
    pub entries: Vec<Entry>,
    pub silence: Silence,
    pub now: Instant,
}

impl World {
    /// Issued at 08:30: the meeting is 15:00-16:00 UTC, evidence is expected at 14:00, a freeze begins at 20:00.
    pub fn issued() -> Self {
        Self::titled("Release readiness: identity-service 4.2")
    }

    pub fn titled(title: &str) -> Self {
        let mut facts = Facts::default();
        let change = refresh_core::ChangeId::parse("CHG0030001").expect("an id");
        let service = refresh_core::Service::parse("identity-service").expect("a name");
        let fact = |subject, source: &str, body| fact(subject, source, 1, "08:00:00", body);
        for (name, full, zone) in PEOPLE {
            let profile = Profile { name: full.to_owned(), time_zone: named(zone) };
            facts.insert(fact(Subject::Person(person(name)), "//people.example.com", Body::Person(profile)));
            facts.insert(calendar(name, 1, &[]));
        }
        for (seat, holder, delegate) in SEATS {
            let delegate = Delegate {
                person: person(delegate),
                status: DelegateStatus::Approved,
                valid_from: None,
                valid_until: None,
            };
            let mapping = Mapping {
                holder: Some(person(holder)),
                holder_valid_from: None,
                holder_valid_until: None,
                delegates: Some(vec![delegate]),
            };
            let subject = Subject::Delegation(service.clone(), role(seat));
            facts.insert(fact(subject, "//delegation.example.com", Body::Delegation(mapping)));
        }
        facts.insert(record(1, ChangeState::Approved));
        facts.insert(freeze(1, "20:00:00", "23:59:00"));
        facts.insert(evidence(1, Some("14:00:00")));
        let terms = Terms {
            title: title.to_owned(),
            service,
            change,
            version: 7,
            slot: slot("15:00:00", "16:00:00"),
            time_zone: named("Europe/Berlin"),
            attendees: SEATS.iter().map(|(seat, holder, _)| (role(seat), person(holder))).collect(),
            optional: BTreeSet::new(),
            checkpoints: [refresh_core::Checkpoint::parse("integration-tests").expect("a name")].into(),
            meeting: None,
            policy: Overrides::default(),
        };
        facts.insert(fact(Subject::Review(review_id()), "//review.example.com", Body::Review(Box::new(terms))));
        let deployment = Deployment { sources: Vec::new(), defaults: policy() };
        let now = at("08:30:00");
        let commit = refresh::issue(&review_id(), "example.com", &facts, &deployment, Vec::new(), now)
            .expect("the review is issued");
        let version = commit.versions[0].clone();
        let review =
            Review { head: commit.head, issued: version.clone(), authoritative: version.clone(), pending: None };
        let (versions, entries) = (vec![version], commit.entry.into_iter().collect());
        Self { facts, deployment, review, versions, entries, silence: Silence::default(), now }
    }

    /// What a commit leaves behind, read again.
    pub fn apply(&mut self, commit: Commit) {
        self.versions.extend(commit.versions);
        self.entries.extend(commit.entry);
        let find = |number: u32| self.versions.iter().find(|version| version.number == number).cloned();
        self.review.authoritative = find(commit.head.authoritative).expect("the authoritative version");
        self.review.pending = commit.head.pending.as_ref().and_then(|pending| find(pending.version));
        self.review.head = commit.head;
    }

    /// A newer fact at `time`, and the refresh it leads to.
    pub fn learn(mut self, time: &str, fact: Fact) -> Self {
        self.now = at(time);
        self.facts.insert(fact);
        if let Some(commit) = refresh::refresh(&self.review, &self.facts, &self.deployment, Vec::new(), self.now) {
            self.apply(commit);
        }
        self
    }

    /// The story that most pages are shown with: the evidence slips, the security reviewer is busy later.
    pub fn proposed() -> Self {
        Self::issued()
            .learn("08:55:00", calendar("sec-a", 2, &[("15:30:00", "17:30:00")]))
            .learn("09:00:00", evidence(2, Some("15:30:00")))
    }

    /// Nothing fits: the evidence comes at 19:30 and the freeze begins at 20:00.
    pub fn escalated() -> Self {
        Self::issued().learn("09:00:00", evidence(2, Some("19:30:00")))
    }

    /// Of no calendar anything was heard for longer than its source had promised.
    pub fn without_calendars(mut self) -> Self {
        self.deployment.sources.push(Registration {
            kind: Kind::Availability,
            source: Source::parse("//calendar.example.com").expect("a source"),
            governed_by: person("it"),
            takes_over: Vec::new(),
            max_age_minutes: Some(30),
            sender: None,
        });
        let terms = self.facts.terms(&review_id()).expect("terms");
        self.silence = Silence::of(terms, &self.deployment.defaults, &self.facts, &self.deployment, self.now);
        self
    }

    pub fn scene<'a>(&'a self, reader: &'a Person) -> Scene<'a> {
        let policy = &self.deployment.defaults;
        Scene {
            review: &self.review,
            facts: &self.facts,
            heard: self.silence.heard(&self.facts),
            policy,
            reader,
            now: self.now,
        }
    }
}

/// A fact as `source` stated it, accepted at a time of the day.
fn fact(subject: Subject, source: &str, revision: u64, accepted: &str, body: Body) -> Fact {
    let source = Source::parse(source).expect("a source");
    Fact { subject, source, revision, accepted_at: at(accepted), body, order: RevisionOrder::default() }
}

pub fn calendar(name: &str, revision: u64, busy: &[(&str, &str)]) -> Fact {
    let busy = busy.iter().map(|(start, end)| Busy { start: at(start), end: at(end), own: EntryOf::Unsaid }).collect();
    let horizon = Interval::new(at("00:00:00"), at("23:59:00")).expect("an interval");
    let unknown = vec![slot("18:00:00", "19:00:00")];
    let body = Body::Availability(Availability { horizon, busy, unknown, merged: false });
    let subject = Subject::Availability(person(name), Diary::Calendar, None);
    fact(subject, "//calendar.example.com", revision, "08:05:00", body)
}

fn record(revision: u64, state: ChangeState) -> Fact {
    let in_force = InForce {
        window: slot("13:00:00", "21:00:00"),
        cutover: Interval::new(at("22:00:00"), at("23:30:00")).expect("an interval"),
        owner: Some(person("rm-a")),
        owner_confirmed: true,
    };
    let change = refresh_core::ChangeId::parse("CHG0030001").expect("an id");
    let body = Body::Change(Change { state, in_force: Some(in_force) });
    fact(Subject::Change(change), "//change.example.com", revision, "08:00:00", body)
}

/// The change is cancelled.
pub fn cancelled() -> Fact {
    record(2, ChangeState::Cancelled)
}

/// The one protected freeze.
pub fn freeze(revision: u64, start: &str, end: &str) -> Fact {
    let freeze = Freeze { id: "F1".to_owned(), start: at(start), end: at(end), protected: true };
    let calendar = refresh_core::Calendar::parse("prod").expect("a name");
    fact(Subject::Freeze(calendar), "//freeze.example.com", revision, "08:00:00", Body::Freeze(vec![freeze]))
}

pub fn evidence(revision: u64, ready: Option<&str>) -> Fact {
    let change = refresh_core::ChangeId::parse("CHG0030001").expect("an id");
    let key = refresh_core::Checkpoint::parse("integration-tests").expect("a name");
    let body = Body::Evidence(Evidence { status: EvidenceStatus::Expected, ready_at: ready.map(at), run: None });
    fact(Subject::Evidence(change, key), "//ci.example.com/identity", revision, "08:10:00", body)
}

/// A letterhead for a reader whose view holds everybody, or nobody else.
pub fn letterhead(reader: &str, others: bool) -> Letterhead {
    let of = |name: &str| PEOPLE.iter().find(|(known, ..)| *known == name);
    let (full, zone) = of(reader).map_or((reader, Zone::UTC), |(_, full, zone)| (*full, named(zone)));
    let known = PEOPLE.iter().filter(|(name, ..)| others || *name == reader);
    Letterhead {
        review: review_id(),
        title: "Release readiness: identity-service 4.2".to_owned(),
        reader_name: full.to_owned(),
        reader_zone: zone,
        from: Person::parse("reviews@holdpoint.example.com").expect("an address"),
        replies: None,
        mail_domain: "holdpoint.example.com".to_owned(),
        meeting: None,
        link: None,
        names: known.map(|(name, full, _)| (person(name), (*full).to_owned())).collect::<BTreeMap<_, _>>(),
    }
}
