//! `delegation.updated` and `person.updated`: who fills a role, who may stand in, and who they are.

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
};

use refresh_core::{
    Instant, Person, Role, Service,
    facts::{
        event::Statement,
        fact::{Body, Delegate, DelegateStatus, MOST_DELEGATES, Mapping, Profile},
        subject::Subject,
    },
};

use super::said::Said;
use crate::reader::{Node, Object};

const STATUSES: [(&str, DelegateStatus); 3] = [
    ("approved", DelegateStatus::Approved),
    ("proposed", DelegateStatus::Proposed),
    ("revoked", DelegateStatus::Revoked),
];

const LONGEST_DISPLAY_NAME: usize = 200;

pub fn delegation(data: &Object<'_>) -> Option<Said> {
    let service = data.must("service", |node| node.parsed(Service::parse));
    let role = data.must("role", |node| node.parsed(Role::parse));
    let revision = data.must("revision", |node| node.revision());
    // A source that says `null` says "nobody" and "no explicit list", which opens an exception; one that leaves the
    // member out has said nothing, and that is a fault.
    let holder = data.must_or_null("holder", |node| node.parsed(Person::parse));
    let term = validity(data, "holder_valid_from", "holder_valid_until");
    let delegates = data.must_or_null("delegates", delegates);
    // Nobody has no term.
    let (holder, term) = (holder?, term?);
    let (holder_valid_from, holder_valid_until) = if holder.is_some() { term } else { (None, None) };
    let mapping = Mapping { holder, holder_valid_from, holder_valid_until, delegates: delegates? };
    let body = Body::Delegation(mapping);
    Some((Subject::Delegation(service?, role?), Statement::State { revision: revision?, body }))
}

/// In order of preference, each person once: a second entry would have two ranks and two validities. One person in two
/// letter cases is one, where both entries say the same.
fn delegates(node: &Node<'_>) -> Option<Vec<Delegate>> {
    let seen: RefCell<BTreeMap<Person, (String, Option<Delegate>)>> = RefCell::default();
    let listed = node.list(MOST_DELEGATES, |item| {
        let object = item.object()?;
        let person = object.must("person", |node| Some((node.parsed(Person::parse)?, node.text_owned()?)));
        let status = object.must("status", |node| node.word(&STATUSES));
        let validity = validity(&object, "valid_from", "valid_until");
        let (person, spelled) = person?;
        let delegate = status.zip(validity).map(|(status, (valid_from, valid_until))| Delegate {
            person: person.clone(),
            status,
            valid_from,
            valid_until,
        });
        match seen.borrow_mut().entry(person) {
            Entry::Vacant(vacant) => {
                vacant.insert((spelled, delegate.clone()));
                delegate.map(Some)
            }
            Entry::Occupied(known) => {
                let (first, said) = known.get();
                let same = delegate.is_some() && *said == delegate && *first != spelled;
                if same { Some(None) } else { object.must("person", |node| node.wrong("each delegate once")) }
            }
        }
    })?;
    Some(listed.into_iter().flatten().collect())
}

/// From when until when a term or a delegation holds; either end may be open.
fn validity(object: &Object<'_>, first: &str, last: &str) -> Option<(Option<Instant>, Option<Instant>)> {
    let from = object.may(first, |node| node.instant());
    let until = object.may(last, |node| node.instant());
    let (from, until) = (from?, until?);
    if let (Some(start), Some(end)) = (from, until) {
        object.ordered(first, start, last, end)?;
    }
    Some((from, until))
}

pub fn person(data: &Object<'_>) -> Option<Said> {
    let person = data.must("person", |node| node.parsed(Person::parse));
    let revision = data.must("revision", |node| node.revision());
    let name = data.must("name", |node| node.prose(LONGEST_DISPLAY_NAME));
    let time_zone = data.must("time_zone", |node| node.zone());
    let profile = Profile { name: name?, time_zone: time_zone? };
    Some((Subject::Person(person?), Statement::State { revision: revision?, body: Body::Person(profile) }))
}
