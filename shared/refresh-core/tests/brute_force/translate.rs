//! The same case in the core's own words, and the core's answers back in the judge's.

use refresh_core::{
    Calendar, ChangeId, Checkpoint, Instant, Interval, Person, ReviewId, Role, Service, Source, Uid, Zone,
    facts::{
        evidence::EvidenceStatus,
        fact::{
            Availability, Body, Busy, ChangeState, Delegate, DelegateStatus, EntryOf, Fact, Facts, Freeze, InForce,
            Meeting, Profile, Terms,
        },
        policy::{
            Churn, Deployment, Exclusion, MetadataAlone, OtherReviews, Overrides, Policy, Prefer, Registration,
            WorkingHours,
        },
        revision::RevisionOrder,
        seat::{AuthoritativeSeat, InvitationTime, InvitedBy, PersonSeats, Seat, TentativeSeat},
        subject::{Diary, Kind, Subject},
    },
    record::packet::Packet,
};

use crate::{
    case::{self, MINUTE, Object, Proposal, Rules, Span, Time},
    script::Script,
};

/// From the judge's numbers to names and instants, and back.
#[derive(Clone, Copy)]
pub struct Names {
    pub midnight: i64,
}

pub fn review() -> ReviewId {
    ReviewId::parse("RR-1").expect("a name")
}

fn zone(of: chrono_tz::Tz) -> Zone {
    of.name().parse().expect("a zone")
}

pub fn person(index: usize) -> Person {
    Person::parse(&format!("p{index}@example.com")).expect("an address")
}

pub fn role(index: usize) -> Role {
    Role::parse(&format!("role-{index}")).expect("a name")
}

fn checkpoint(index: usize) -> Checkpoint {
    Checkpoint::parse(&format!("checkpoint-{index}")).expect("a name")
}

fn number(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).collect::<String>().parse().expect("a numbered name")
}

pub fn person_index(person: &Person) -> usize {
    number(person.as_str())
}

pub fn role_index(role: &Role) -> usize {
    number(role.as_str())
}

impl Names {
    pub fn at(self, time: Time) -> Instant {
        Instant::from_millis((self.midnight + time) * 1_000)
    }

    pub fn span(self, span: Span) -> Interval {
        Interval::new(self.at(span.from), self.at(span.to)).expect("a span that is not empty")
    }

    pub fn time(self, at: Instant) -> Time {
        at.millis().div_euclid(1_000) - self.midnight
    }

    pub fn back(self, interval: Interval) -> Span {
        Span { from: self.time(interval.start), to: self.time(interval.end) }
    }

    pub fn proposal(self, packet: &Packet) -> Proposal {
        Proposal {
            slot: self.back(packet.slot),
            seats: packet.attendees.values().map(person_index).collect(),
            edge: packet.freeze_edge,
            cancelled: packet.cancelled,
        }
    }
}

/// A mark in the judge's words; `None` for the two that are about the change record alone.
pub fn mark(text: &str) -> Option<String> {
    match text.split_once(':') {
        Some((word, name)) => Some(format!("{word}:{}", number(name))),
        None => Some(text.to_owned()).filter(|text| !["change_in_flux", "owner_unconfirmed"].contains(&text.as_str())),
    }
}

pub fn deployment(rules: &Rules) -> Deployment {
    let calendars = ["even", "odd", "third"].map(|name| Calendar::parse(name).expect("a name"));
    let exclusions = rules.excluded.iter().map(|(at, who)| Exclusion {
        role: role(*at),
        person: person(*who),
        reason: "conflict of interest".to_owned(),
    });
    let defaults = Policy {
        grid_minutes: rules.grid / MINUTE,
        min_notice_minutes: rules.notice / MINUTE,
        min_decision_minutes: rules.decision / MINUTE,
        evidence_buffer_minutes: rules.buffer / MINUTE,
        evidence_grace_minutes: rules.grace / MINUTE,
        overdue_lead_minutes: rules.overdue_lead.map(|lead| lead / MINUTE),
        lead_before_cutover_minutes: rules.lead / MINUTE,
        freeze_calendars: calendars.into_iter().collect(),
        freeze_edge_minutes: rules.edge / MINUTE,
        working_hours: rules.hours.as_ref().map(|hours| WorkingHours {
            start: hours.opens,
            end: hours.closes,
            days: hours.days.clone(),
        }),
        prefer: if rules.keep_people { Prefer::KeepPeople } else { Prefer::KeepTime },
        distinct_people: rules.distinct,
        other_reviews: if rules.ignores_others { OtherReviews::Ignored } else { OtherReviews::Busy },
        exclusions: exclusions.collect(),
        tell_before_adoption: true,
        hold_invites: true,
        quiet_seconds: 120,
        adoption_deadline_minutes: rules.deadline / MINUTE,
        remind_before_expiry_minutes: 30,
        alternate_owner: rules.alternate.map(person),
        acknowledge_within_minutes: 120,
        remind_every_minutes: 60,
        metadata_alone: if rules.carried { MetadataAlone::Carried } else { MetadataAlone::Told },
        escalate_after_minutes: rules.escalate / MINUTE,
        escalation_contacts: [Person::parse("desk@example.com").expect("an address")].into(),
        churn: Churn { proposals: 1_000, within_minutes: 30 },
    };
    let calendars = Registration {
        kind: Kind::Availability,
        source: source(),
        governed_by: Person::parse("desk@example.com").expect("an address"),
        takes_over: Vec::new(),
        max_age_minutes: rules.max_age.map(|age| age / MINUTE),
        sender: None,
    };
    Deployment { sources: vec![calendars], defaults }
}

fn source() -> Source {
    Source::parse("//source.example.com").expect("a source")
}

/// All facts, each accepted at `now` but the diaries, which say when they were.
pub fn facts(names: Names, script: &Script, facts: &case::Facts, now: Time, revision: u64) -> Facts {
    let change_id = ChangeId::parse("CHG-1").expect("a name");
    let service = Service::parse("identity").expect("a name");
    let mut all = Facts::default();
    let mut put = |subject: Subject, body: Body, accepted: Time| {
        all.insert(Fact {
            subject,
            source: source(),
            revision,
            accepted_at: names.at(accepted),
            body,
            order: RevisionOrder::default(),
        });
    };
    let seats = script.seats.iter().enumerate().map(|(at, who)| (role(at), person(*who)));
    let terms = Terms {
        title: "Identity 4.2".to_owned(),
        service: service.clone(),
        change: change_id.clone(),
        version: 1,
        slot: names.span(script.slot),
        time_zone: zone(script.zone),
        attendees: seats.collect(),
        optional: script.optional.map(person).into_iter().collect(),
        checkpoints: (0..facts.evidence.len()).map(checkpoint).collect(),
        meeting: script.uid.then(|| Meeting::bare(Uid::parse("meeting@example.com").expect("a UID"), 0)),
        policy: Overrides::default(),
    };
    put(Subject::Review(review()), Body::Review(Box::new(terms)), now);
    if let Some(change) = facts.change {
        put(Subject::Change(change_id.clone()), Body::Change(of_change(names, change)), now);
    }
    for (at, mapping) in facts.mappings.iter().enumerate() {
        if let Some(mapping) = mapping {
            put(Subject::Delegation(service.clone(), role(at)), Body::Delegation(of_mapping(names, mapping)), now);
        }
    }
    for (at, evidence) in facts.evidence.iter().enumerate() {
        if let Some(evidence) = evidence {
            put(
                Subject::Evidence(change_id.clone(), checkpoint(at)),
                Body::Evidence(of_evidence(names, evidence)),
                now,
            );
        }
    }
    for (parity, name) in ["even", "odd"].into_iter().enumerate() {
        let of_parity = facts.freezes.iter().enumerate().filter(|(at, _)| at % 2 == parity);
        let freezes: Vec<Freeze> = of_parity
            .map(|(at, (span, protected))| Freeze {
                id: format!("freeze-{at}"),
                start: names.at(span.from),
                end: names.at(span.to),
                protected: *protected,
            })
            .collect();
        put(Subject::Freeze(Calendar::parse(name).expect("a name")), Body::Freeze(freezes), now);
    }
    if !facts.unreported {
        put(Subject::Freeze(Calendar::parse("third").expect("a name")), Body::Freeze(Vec::new()), now);
    }
    for (index, facts) in facts.people.iter().enumerate() {
        if let Some(its) = facts.zone {
            let profile = Profile { name: format!("Person {index}"), time_zone: zone(its) };
            put(Subject::Person(person(index)), Body::Person(profile), now);
        }
        for (diary, kind) in [(&facts.calendar, Diary::Calendar), (&facts.oncall, Diary::Oncall)] {
            if let Some(diary) = diary {
                let body = Body::Availability(of_diary(names, diary));
                put(Subject::Availability(person(index), kind, None), body, diary.accepted);
            }
        }
    }
    for (index, facts) in facts.people.iter().enumerate() {
        let seats = facts.elsewhere.iter().map(|other| of_elsewhere(names, index, other)).collect();
        all.insert_seats(person(index), PersonSeats { seats, ..PersonSeats::default() });
    }
    all
}

fn of_elsewhere(names: Names, index: usize, other: &case::Elsewhere) -> Seat {
    let shown = |(object, slot, from, until): &(Object, Span, Time, Option<Time>)| InvitationTime {
        by: match object {
            Object::Meeting => InvitedBy::Meeting,
            Object::Hold => InvitedBy::Hold,
            Object::Nameless => InvitedBy::UnknownUid,
        },
        slot: names.span(*slot),
        from: names.at(*from),
        until: until.map(|until| names.at(until)),
    };
    let millis = |at: i64| Instant::from_millis(names.midnight * 1_000 + at);
    Seat {
        review: ReviewId::parse(if other.review < 0 { "RR-0" } else { "RR-2" }).expect("a name"),
        person: person(index),
        authoritative: other
            .seated
            .map(|(slot, claim)| AuthoritativeSeat { slot: names.span(slot), claim: millis(claim) }),
        tentative: other.proposed.map(|proposed| TentativeSeat {
            slot: names.span(proposed.slot),
            made_at: millis(proposed.made),
            told: proposed.told,
            expires_at: names.at(proposed.expires),
        }),
        invitations: other.shown.iter().map(shown).collect(),
    }
}

fn of_change(names: Names, change: case::Change) -> refresh_core::facts::fact::Change {
    let state = match change {
        case::Change { cancelled: true, .. } => ChangeState::Cancelled,
        case::Change { flux: true, .. } => ChangeState::OnHold,
        _ => ChangeState::Approved,
    };
    let in_force = InForce {
        window: names.span(change.window),
        cutover: names.span(Span { from: change.cutover, to: change.cutover + 60 * MINUTE }),
        owner: change.owner.map(person),
        owner_confirmed: true,
    };
    refresh_core::facts::fact::Change { state, in_force: Some(in_force) }
}

fn of_mapping(names: Names, mapping: &case::Mapping) -> refresh_core::facts::fact::Mapping {
    let delegate = |deputy: &case::Deputy| Delegate {
        person: person(deputy.person),
        status: if deputy.approved { DelegateStatus::Approved } else { DelegateStatus::Proposed },
        valid_from: deputy.from.map(|at| names.at(at)),
        valid_until: deputy.until.map(|at| names.at(at)),
    };
    refresh_core::facts::fact::Mapping {
        holder: mapping.holder.map(person),
        holder_valid_from: None,
        holder_valid_until: None,
        delegates: mapping.deputies.as_ref().map(|deputies| deputies.iter().map(delegate).collect()),
    }
}

fn of_evidence(names: Names, evidence: &case::Evidence) -> refresh_core::facts::evidence::Evidence {
    let (status, at) = match evidence {
        case::Evidence::Ready(at) => (EvidenceStatus::Ready, Some(*at)),
        case::Evidence::Expected(at) => (EvidenceStatus::Expected, *at),
        case::Evidence::Withdrawn => (EvidenceStatus::Withdrawn, None),
    };
    refresh_core::facts::evidence::Evidence { status, ready_at: at.map(|at| names.at(at)), run: None }
}

fn of_diary(names: Names, diary: &case::Diary) -> Availability {
    let busy = |(span, own): &(Span, Option<bool>)| {
        let interval = names.span(*span);
        Busy { start: interval.start, end: interval.end, own: EntryOf::of(*own) }
    };
    Availability {
        horizon: names.span(diary.horizon),
        busy: diary.busy.iter().map(busy).collect(),
        unknown: diary.unknown.iter().map(|span| names.span(*span)).collect(),
        merged: diary.merged,
    }
}
