//! The rules of a policy: one reader for the deployment's defaults and a review's overrides, member by member.

use std::collections::BTreeSet;

use refresh_core::{
    Calendar, Person, Role,
    facts::{
        fact::MOST_PEOPLE,
        policy::{
            Churn, Exclusion, MetadataAlone, OtherReviews, Overrides, Policy, Prefer, SHORTEST_GRID_MINUTES,
            WorkingHours,
        },
    },
};

use crate::reader::{Node, Object};

/// A year and a day: no distance between two instants of one review is longer, and sums of them stay far from overflow.
pub(crate) const MOST_MINUTES: i64 = 366 * 24 * 60;
/// An hour: news that is older tells nobody in time.
const MOST_QUIET_SECONDS: i64 = 60 * 60;
const MOST_CALENDARS: usize = 50;
const MOST_EXCLUSIONS: usize = 500;
const LONGEST_REASON: usize = 500;

const MEMBERS: [&str; 26] = [
    "grid_minutes",
    "min_notice_minutes",
    "min_decision_minutes",
    "evidence_buffer_minutes",
    "evidence_grace_minutes",
    "overdue_lead_minutes",
    "lead_before_cutover_minutes",
    "freeze_calendars",
    "freeze_edge_minutes",
    "working_hours",
    "prefer",
    "distinct_people",
    "other_reviews",
    "exclusions",
    "tell_before_adoption",
    "hold_invites",
    "quiet_seconds",
    "adoption_deadline_minutes",
    "remind_before_expiry_minutes",
    "alternate_owner",
    "acknowledge_within_minutes",
    "remind_every_minutes",
    "metadata_alone",
    "escalate_after_minutes",
    "escalation_contacts",
    "churn",
];

const DAYS: [(&str, u8); 7] = [("mon", 0), ("tue", 1), ("wed", 2), ("thu", 3), ("fri", 4), ("sat", 5), ("sun", 6)];

/// What holds where neither the deployment nor the review says otherwise: the values in the contract.
pub fn standard() -> Policy {
    Policy {
        grid_minutes: 30,
        min_notice_minutes: 30,
        min_decision_minutes: 15,
        evidence_buffer_minutes: 0,
        evidence_grace_minutes: 15,
        overdue_lead_minutes: Some(60),
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
        metadata_alone: MetadataAlone::Carried,
        escalate_after_minutes: 15,
        escalation_contacts: BTreeSet::new(),
        churn: Churn { proposals: 3, within_minutes: 30 },
    }
}

/// The rules an object sets. `null` is a value of the three that can be "none", and of no other.
pub fn overrides(node: &Node<'_>) -> Option<Overrides> {
    let object = node.object()?;
    let known = object.only(&MEMBERS);
    let minutes = |name| object.if_there(name, |node| node.whole(0..=MOST_MINUTES));
    let flag = |name| object.if_there(name, |node| node.flag());
    let grid = object.if_there("grid_minutes", |node| node.whole(SHORTEST_GRID_MINUTES..=1_440));
    let min_notice = minutes("min_notice_minutes");
    let min_decision = minutes("min_decision_minutes");
    let buffer = minutes("evidence_buffer_minutes");
    let grace = minutes("evidence_grace_minutes");
    let overdue_lead =
        object.if_there("overdue_lead_minutes", |node| or_null(node, |node| node.whole(0..=MOST_MINUTES)));
    let lead = minutes("lead_before_cutover_minutes");
    let calendars =
        object.if_there("freeze_calendars", |node| node.set(MOST_CALENDARS, |item| item.parsed(Calendar::parse)));
    let edge = minutes("freeze_edge_minutes");
    let hours = object.if_there("working_hours", |node| or_null(node, working_hours));
    let prefer = object
        .if_there("prefer", |node| node.word(&[("keep_time", Prefer::KeepTime), ("keep_people", Prefer::KeepPeople)]));
    let distinct = flag("distinct_people");
    let others = object.if_there("other_reviews", |node| {
        node.word(&[("busy", OtherReviews::Busy), ("ignored", OtherReviews::Ignored)])
    });
    let exclusions = object.if_there("exclusions", |node| node.list(MOST_EXCLUSIONS, exclusion));
    let tell = flag("tell_before_adoption");
    let holds = flag("hold_invites");
    let quiet = object.if_there("quiet_seconds", |node| node.whole(0..=MOST_QUIET_SECONDS));
    // A deadline of zero is over as it begins, a reminder every zero minutes never ends, and one at the expiry is too late.
    let at_least_one = |name| object.if_there(name, |node| node.whole(1..=MOST_MINUTES));
    let deadline = at_least_one("adoption_deadline_minutes");
    let remind_before = at_least_one("remind_before_expiry_minutes");
    let alternate = object.if_there("alternate_owner", |node| or_null(node, |node| node.parsed(Person::parse)));
    let answer = at_least_one("acknowledge_within_minutes");
    let remind = at_least_one("remind_every_minutes");
    let alone = object.if_there("metadata_alone", |node| {
        node.word(&[("carried", MetadataAlone::Carried), ("told", MetadataAlone::Told)])
    });
    let escalate_after = minutes("escalate_after_minutes");
    let contacts =
        object.if_there("escalation_contacts", |node| node.set(MOST_PEOPLE, |item| item.parsed(Person::parse)));
    let churn = object.if_there("churn", churn);
    known?;
    Some(Overrides {
        grid_minutes: grid?,
        min_notice_minutes: min_notice?,
        min_decision_minutes: min_decision?,
        evidence_buffer_minutes: buffer?,
        evidence_grace_minutes: grace?,
        overdue_lead_minutes: overdue_lead?,
        lead_before_cutover_minutes: lead?,
        freeze_calendars: calendars?,
        freeze_edge_minutes: edge?,
        working_hours: hours?,
        prefer: prefer?,
        distinct_people: distinct?,
        other_reviews: others?,
        exclusions: exclusions?,
        tell_before_adoption: tell?,
        hold_invites: holds?,
        quiet_seconds: quiet?,
        adoption_deadline_minutes: deadline?,
        remind_before_expiry_minutes: remind_before?,
        alternate_owner: alternate?,
        acknowledge_within_minutes: answer?,
        remind_every_minutes: remind?,
        metadata_alone: alone?,
        escalate_after_minutes: escalate_after?,
        escalation_contacts: contacts?,
        churn: churn?,
    })
}

fn or_null<T>(node: &Node<'_>, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Option<Option<T>> {
    if node.value().is_null() { Some(None) } else { read(node).map(Some) }
}

fn exclusion(node: &Node<'_>) -> Option<Exclusion> {
    let object = node.object()?;
    object.only(&["role", "person", "reason"]);
    let role = object.must("role", |node| node.parsed(Role::parse));
    let person = object.must("person", |node| node.parsed(Person::parse));
    let reason = object.must("reason", |node| node.prose(LONGEST_REASON));
    Some(Exclusion { role: role?, person: person?, reason: reason? })
}

fn churn(node: &Node<'_>) -> Option<Churn> {
    let object = node.object()?;
    object.only(&["proposals", "within_minutes"]);
    let proposals = object.must("proposals", |node| u32::try_from(node.whole(1..=1_000)?).ok());
    let within_minutes = object.must("within_minutes", |node| node.whole(1..=MOST_MINUTES));
    Some(Churn { proposals: proposals?, within_minutes: within_minutes? })
}

fn working_hours(node: &Node<'_>) -> Option<WorkingHours> {
    let object = node.object()?;
    object.only(&["start", "end", "days"]);
    let start = object.must("start", |node| time_of_day(node, "a time of day like 08:00", 23 * 60 + 59));
    let end = object.must("end", |node| time_of_day(node, "a time of day like 18:00, at most 24:00", 24 * 60));
    let days = object.must("days", |node| {
        let days = node.set(DAYS.len(), |item| item.word(&DAYS))?;
        if days.is_empty() { node.wrong("at least one day") } else { Some(days) }
    });
    let (start, end) = (start?, end?);
    if end <= start {
        return after(&object, start);
    }
    Some(WorkingHours { start, end, days: days? })
}

fn after<T>(object: &Object<'_>, start: u32) -> Option<T> {
    let expected = format!("a time of day after `start` ({:02}:{:02})", start / 60, start % 60);
    object.must("end", |node| node.wrong(expected))
}

/// Minutes after local midnight.
fn time_of_day(node: &Node<'_>, expected: &str, most: u32) -> Option<u32> {
    let text = node.value().as_str().unwrap_or_default();
    let digits = |part: &str| {
        (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<u32>().ok()).flatten()
    };
    let minutes = text.split_once(':').and_then(|(hour, minute)| {
        let (hour, minute) = (digits(hour)?, digits(minute)?);
        (minute < 60 && hour * 60 + minute <= most).then_some(hour * 60 + minute)
    });
    minutes.or_else(|| node.wrong(expected))
}
