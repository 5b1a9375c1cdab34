//! `review.issued` and `review.closed`: the review itself, handed over and taken back.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{
    ChangeId, Checkpoint, Person, ReviewId, Role, Service, Uid,
    base::{
        instant::{HOUR, Slot},
        text::{
            ConferenceUri, LONGEST_DESCRIPTION, LONGEST_LOCATION, MOST_CONFERENCES, OneLine, OrganizerAddress,
            Paragraphs,
        },
    },
    facts::{
        event::Statement,
        fact::{Body, LONGEST_SLOT_HOURS, MOST_CHECKPOINTS, MOST_PEOPLE, MOST_ROLES, Meeting, Terms},
        policy::Overrides,
        subject::Subject,
    },
};

use super::said::Said;
use crate::{
    reader::{Node, Object},
    rules,
};

/// A title is a mail's subject and a calendar's summary.
const LONGEST_TITLE: usize = 200;
const LONGEST_REASON: usize = 1_000;
/// A year: no calendar reminds of a meeting any earlier.
const MOST_ALARM_MINUTES: i64 = 366 * 24 * 60;

pub fn issued(data: &Object<'_>) -> Option<Said> {
    let review = data.must("review_id", |node| node.parsed(ReviewId::parse));
    let revision = data.must("revision", |node| node.revision());
    let title = data.must("title", |node| node.prose(LONGEST_TITLE));
    let service = data.must("service", |node| node.parsed(Service::parse));
    let change = data.must("change_id", |node| node.parsed(ChangeId::parse));
    let version = data.may("version", |node| u32::try_from(node.whole(1..=1_000_000_000)?).ok());
    let slot = data.must("slot", slot);
    let time_zone = data.must("time_zone", |node| node.zone());
    let attendees = data.must("roles", attendees);
    let optional = data.may("optional", |node| node.set(MOST_PEOPLE, |item| item.parsed(Person::parse)));
    let checkpoints = data.may("checkpoints", |node| node.set(MOST_CHECKPOINTS, |item| item.parsed(Checkpoint::parse)));
    let meeting = data.may("meeting", meeting);
    let policy = data.may("policy", rules::overrides);
    let (attendees, optional) = (attendees?, optional?.unwrap_or_default());
    few_enough(data, &attendees, &optional)?;
    let terms = Terms {
        title: title?,
        service: service?,
        change: change?,
        version: version?.unwrap_or(1),
        slot: slot?,
        time_zone: time_zone?,
        attendees,
        optional,
        checkpoints: checkpoints?.unwrap_or_default(),
        meeting: meeting?,
        policy: policy?.unwrap_or_else(Overrides::default),
    };
    Some((Subject::Review(review?), Statement::State { revision: revision?, body: Body::Review(Box::new(terms)) }))
}

pub fn closed(data: &Object<'_>) -> Option<Said> {
    let review = data.must("review_id", |node| node.parsed(ReviewId::parse));
    let revision = data.must("revision", |node| node.revision());
    let reason = data.must("reason", |node| node.prose(LONGEST_REASON));
    // Who closes a review in person is an operator, and needs an operator's source.
    let by = data.may("by", |node| node.parsed(Person::parse));
    let body = Body::Closure { reason: reason?, by: by? };
    Some((Subject::Closure(review?), Statement::State { revision: revision?, body }))
}

fn slot(node: &Node<'_>) -> Option<Slot> {
    let object = node.object()?;
    let slot = object.interval("start", "end")?;
    if slot.length() <= LONGEST_SLOT_HOURS * HOUR {
        return Some(slot);
    }
    object.must("end", |end| end.wrong(format!("an instant within {LONGEST_SLOT_HOURS} hours of `start`")))
}

/// Who sits in which required role: at least one, and each role once.
fn attendees(node: &Node<'_>) -> Option<BTreeMap<Role, Person>> {
    let seen = std::cell::RefCell::new(BTreeSet::new());
    let seats = node.list(MOST_ROLES, |item| {
        let object = item.object()?;
        let role = object.must("role", |node| {
            let role = node.parsed(Role::parse)?;
            if seen.borrow_mut().insert(role.clone()) { Some(role) } else { node.wrong("each role once") }
        });
        let attendee = object.must("attendee", |node| node.parsed(Person::parse));
        Some((role?, attendee?))
    })?;
    if seats.is_empty() {
        return node.wrong("a list of at least one role");
    }
    Some(seats.into_iter().collect())
}

fn few_enough(data: &Object<'_>, attendees: &BTreeMap<Role, Person>, optional: &BTreeSet<Person>) -> Option<()> {
    let people: BTreeSet<&Person> = attendees.values().chain(optional).collect();
    if people.len() <= MOST_PEOPLE {
        return Some(());
    }
    data.must("optional", |node| {
        node.wrong_as(format!("at most {MOST_PEOPLE} people, attendees included"), people.len().to_string())
    })
}

fn meeting(node: &Node<'_>) -> Option<Meeting> {
    let object = node.object()?;
    let uid = object.must("uid", |node| node.parsed(Uid::parse));
    // iCalendar integers are 32 bits and signed; room is left to count on.
    let sequence = object.may("sequence", |node| u32::try_from(node.whole(0..=1_000_000_000)?).ok());
    let organizer = object.may("organizer", |node| node.parsed(OrganizerAddress::parse));
    let location = object.may("location", |node| Some(OneLine::of(node.long_text(LONGEST_LOCATION)?)));
    let conference = object.may("conference", conferences);
    let description = object.may("description", |node| Some(Paragraphs::of(node.long_text(LONGEST_DESCRIPTION)?)));
    let alarm = object.may("alarm_minutes", |node| u32::try_from(node.whole(0..=MOST_ALARM_MINUTES)?).ok());
    Some(Meeting {
        uid: uid?,
        sequence: sequence?.unwrap_or(0),
        organizer: organizer?,
        location: location?.flatten(),
        conference: conference?.unwrap_or_default(),
        description: description?.flatten(),
        alarm_minutes: alarm?,
    })
}

/// Where attendees dial in: one address, or a list of several.
fn conferences(node: &Node<'_>) -> Option<Vec<ConferenceUri>> {
    if node.value().is_array() {
        return node.list(MOST_CONFERENCES, |item| item.parsed(ConferenceUri::parse));
    }
    node.parsed(ConferenceUri::parse).map(|one| vec![one])
}
