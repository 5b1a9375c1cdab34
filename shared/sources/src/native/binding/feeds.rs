//! Bindings of everything that is no evidence: change records, calendars, on-call systems, rosters, schedules.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use refresh_core::{Calendar, DiaryName, Person, Role, Service, Source, base::name::shorten, facts::fact::ChangeState};

use super::{
    format::Format,
    member::{only, text},
    people::People,
    says::{
        Authserv, ChangeColumns, FreezeSchedule, GroupRole, Jira, Oncall, Poll, ReplyBinding, Roster, Servicenow,
        ServicenowDelegates, ServicenowSchedules,
    },
};
use crate::reader::{Node, Object};

const MOST_NAMES: usize = 10_000;
const MOST_LISTED: usize = 2_000;
/// Half a year, so that what is expanded of calendars stays bounded. Time beyond it is unknown.
const MOST_HORIZON_DAYS: i64 = 184;
const USUAL_HORIZON_DAYS: i64 = 60;
/// Servers of the deployment between the one that judges a mail and this one.
const MOST_RELAYS: i64 = 5;

const STATES: [(&str, ChangeState); 6] = [
    ("draft", ChangeState::Draft),
    ("approved", ChangeState::Approved),
    ("on_hold", ChangeState::OnHold),
    ("implementing", ChangeState::Implementing),
    ("closed", ChangeState::Closed),
    ("cancelled", ChangeState::Cancelled),
];

const COLUMNS: [&str; 5] = ["review_opens", "review_closes", "cutover_starts", "cutover_ends", "owner"];

fn columns(object: &Object<'_>, owner: &str) -> Option<ChangeColumns> {
    let review_opens = object.must("review_opens", text);
    let review_closes = object.must("review_closes", text);
    let cutover_starts = object.must("cutover_starts", text);
    let cutover_ends = object.must("cutover_ends", text);
    let named = object.may("owner", text);
    Some(ChangeColumns {
        review_opens: review_opens?,
        review_closes: review_closes?,
        cutover_starts: cutover_starts?,
        cutover_ends: cutover_ends?,
        owner: named?.unwrap_or_else(|| owner.to_owned()),
    })
}

fn states(node: &Node<'_>) -> Option<BTreeMap<String, ChangeState>> {
    let states = node.object()?.each(|value, node| Some((value.to_owned(), node.word(&STATES)?)))?;
    Some(states.into_iter().collect())
}

fn people(object: &Object<'_>) -> Option<People> {
    let people = object.may("people", |node| {
        let people = RefCell::new(People::default());
        node.object()?.each(|name, node| {
            let person = node.parsed(Person::parse)?;
            match people.borrow_mut().bind(name, person) {
                Ok(()) => Some(()),
                Err(other) => node.wrong(format!("the person of {}: names compare in lower case", shorten(&other))),
            }
        })?;
        let people = people.into_inner();
        if people.len() > MOST_NAMES { node.wrong(format!("at most {MOST_NAMES} people")) } else { Some(people) }
    });
    Some(people?.unwrap_or_default())
}

fn header(object: &Object<'_>) -> Option<String> {
    let header = object.may("revision_header", text)?;
    Some(header.map_or_else(|| "date".to_owned(), |name| name.to_ascii_lowercase()))
}

fn horizon(object: &Object<'_>) -> Option<i64> {
    let days = object.may("horizon_days", |node| node.whole(1..=MOST_HORIZON_DAYS))?;
    Some(days.unwrap_or(USUAL_HORIZON_DAYS))
}

pub fn servicenow(object: &Object<'_>, source: Option<Source>) -> Option<Servicenow> {
    let mut known = COLUMNS.to_vec();
    known.extend(["owner_confirmed", "states", "approved_on", "people"]);
    only(object, &known);
    let columns = columns(object, "assigned_to");
    let owner_confirmed = object.may("owner_confirmed", text);
    let states = object.may("states", states);
    let approved = object.may("approved_on", |node| {
        let words = [("approved", "approved"), ("not_required", "not_required")];
        let approved = node.set(words.len(), |item| item.word(&words))?;
        if approved.is_empty() { node.wrong("at least one approval") } else { Some(approved) }
    });
    let people = people(object);
    Some(Servicenow {
        source: source?,
        columns: columns?,
        owner_confirmed: owner_confirmed?,
        states: states?.unwrap_or_default(),
        approved_on: approved?.unwrap_or_else(|| BTreeSet::from(["approved"])),
        people: people?,
    })
}

pub fn jira(object: &Object<'_>, source: Option<Source>) -> Option<Jira> {
    let mut known = COLUMNS.to_vec();
    known.extend(["project", "issue_type", "approvals", "states", "people"]);
    only(object, &known);
    let project = object.must("project", text);
    let issue_type = object.may("issue_type", text);
    let columns = columns(object, "assignee");
    let approvals = object.may("approvals", text);
    let states = object.must("states", states);
    let people = people(object);
    Some(Jira {
        source: source?,
        project: project?,
        issue_type: issue_type?,
        columns: columns?,
        approvals: approvals?,
        states: states?,
        people: people?,
    })
}

/// The members that a calendar's binding has beside those of every polled system.
const fn calendar_members(format: Format) -> &'static [&'static str] {
    match format {
        Format::GraphGetSchedule => &["people", "tentative", "revision_header", "calendar"],
        Format::GoogleFreeBusy => &["people", "revision_header", "calendar"],
        Format::GraphCalendarView | Format::GoogleEventsList => {
            &["people", "tentative", "revision_header", "calendar", "time_zone"]
        }
        Format::IcalVfreebusy => &["people", "tentative", "calendar"],
        _ => &["people", "tentative", "revision_header", "calendar", "time_zone", "person", "horizon_days"],
    }
}

pub fn calendar(object: &Object<'_>, format: Format, source: Option<Source>) -> Option<Poll> {
    only(object, calendar_members(format));
    poll(object, source)
}

fn poll(object: &Object<'_>, source: Option<Source>) -> Option<Poll> {
    let people = people(object);
    let tentative = object.may("tentative", |node| node.word(&[("busy", true), ("free", false)]));
    let header = header(object);
    let calendar = object.may("calendar", |node| node.parsed(DiaryName::parse));
    let time_zone = object.may("time_zone", |node| node.zone());
    let person = object.may("person", |node| node.parsed(Person::parse));
    let horizon_days = horizon(object);
    Some(Poll {
        source: source?,
        people: people?,
        tentative_is_busy: tentative?.unwrap_or(true),
        revision_header: header?,
        calendar: calendar?,
        time_zone: time_zone?,
        person: person?,
        horizon_days: horizon_days?,
    })
}

pub fn oncall(object: &Object<'_>, format: Format, source: Option<Source>) -> Option<Oncall> {
    let by_policy = format == Format::PagerdutyOncalls;
    only(
        object,
        if by_policy {
            &["people", "revision_header", "calendar", "levels", "escalation_policies"]
        } else {
            &["people", "revision_header", "calendar", "schedules"]
        },
    );
    // A snapshot needs to know whom it is of: who has left the rota is in no entry of it.
    object.must("people", |node| node.object().map(|_| ()));
    let poll = poll(object, source);
    let levels = object.may("levels", |node| node.set(20, |item| item.whole(1..=100)));
    let policies = object.may("escalation_policies", |node| node.set(MOST_LISTED, text));
    // And of which schedules it is made: one that was not asked would be time taken for free.
    let schedules = if by_policy { Some(BTreeSet::new()) } else { object.must("schedules", |node| named(node, text)) };
    Some(Oncall {
        poll: poll?,
        levels: levels?.unwrap_or_else(|| BTreeSet::from([1])),
        escalation_policies: policies?,
        schedules: schedules?,
    })
}

/// At least one.
fn named<T: Ord>(node: &Node<'_>, read: impl Fn(&Node<'_>) -> Option<T>) -> Option<BTreeSet<T>> {
    let named = node.set(MOST_LISTED, read)?;
    if named.is_empty() { node.wrong("at least one") } else { Some(named) }
}

pub fn roster(object: &Object<'_>, source: Option<Source>) -> Option<Roster> {
    only(object, &["services", "roles", "time_zone", "revision_header"]);
    // Who is not in a roster any more is no delegate: so it must be known what the roster is whole for.
    let services = object.must("services", |node| named(node, |item| item.parsed(Service::parse)));
    let roles = object.must("roles", |node| named(node, |item| item.parsed(Role::parse)));
    let time_zone = object.may("time_zone", |node| node.zone());
    let header = header(object);
    Some(Roster {
        source: source?,
        services: services?,
        roles: roles?,
        time_zone: time_zone?,
        revision_header: header?,
    })
}

pub fn delegates(object: &Object<'_>, source: Option<Source>) -> Option<ServicenowDelegates> {
    only(object, &["roles", "purpose", "people", "revision_header"]);
    let roles = object.must("roles", |node| {
        let filled = RefCell::new(BTreeSet::new());
        let roles = node.list(MOST_LISTED, |item| {
            let role = group_role(item)?;
            // Two groups would be two answers about one role, and the second would never count.
            if filled.borrow_mut().insert((role.service.clone(), role.role.clone())) {
                Some(role)
            } else {
                item.wrong_as("each role of a service once", format!("{} of {} again", role.role, role.service))
            }
        })?;
        if roles.is_empty() { node.wrong("at least one") } else { Some(roles) }
    });
    let purposes = ["approvals", "assignments"].map(|word| (word, word));
    let purpose = object.may("purpose", |node| node.word(&purposes));
    let people = people(object);
    let header = header(object);
    Some(ServicenowDelegates {
        source: source?,
        roles: roles?,
        purpose: purpose?.unwrap_or("assignments"),
        people: people?,
        revision_header: header?,
    })
}

fn group_role(node: &Node<'_>) -> Option<GroupRole> {
    let object = node.object()?;
    object.only(&["group", "service", "role", "holder"]);
    let group = object.must("group", text);
    let service = object.must("service", |node| node.parsed(Service::parse));
    let role = object.must("role", |node| node.parsed(Role::parse));
    let holder = object.may("holder", text);
    Some(GroupRole { group: group?, service: service?, role: role?, holder: holder? })
}

pub fn freezes(object: &Object<'_>, source: Option<Source>) -> Option<ServicenowSchedules> {
    only(object, &["schedules", "horizon_days", "revision_header"]);
    let schedules = object.must("schedules", |node| {
        let schedules = node.object()?.each(|id, node| Some((id.to_owned(), freeze_schedule(node)?)))?;
        if schedules.is_empty() { node.wrong("at least one schedule") } else { Some(schedules) }
    });
    let horizon_days = horizon(object);
    let header = header(object);
    Some(ServicenowSchedules {
        source: source?,
        schedules: schedules?.into_iter().collect(),
        horizon_days: horizon_days?,
        revision_header: header?,
    })
}

fn freeze_schedule(node: &Node<'_>) -> Option<FreezeSchedule> {
    let object = node.object()?;
    object.only(&["calendar", "protected", "time_zone"]);
    let calendar = object.must("calendar", |node| node.parsed(Calendar::parse));
    let protected = object.must("protected", |node| node.flag());
    let time_zone = object.may("time_zone", |node| node.zone());
    Some(FreezeSchedule { calendar: calendar?, protected: protected?, time_zone: time_zone? })
}

/// Mails that people send back. SES says beside a mail whether the sender is proven, so nothing else may say so.
pub fn reply(object: &Object<'_>, format: Format, source: Option<Source>) -> Option<ReplyBinding> {
    if format == Format::SesReceived {
        only(object, &[]);
        return Some(ReplyBinding { source: source?, authserv: None });
    }
    only(object, &["authserv_id", "relays"]);
    let id = object.may("authserv_id", text);
    let relays = object.may("relays", |node| usize::try_from(node.whole(0..=MOST_RELAYS)?).ok());
    let relays = relays?.unwrap_or(0);
    Some(ReplyBinding { source: source?, authserv: id?.map(|id| Authserv { id, relays }) })
}
