//! Which subjects the bindings speak of. A fact is the whole of its subject, so of two answers about one subject the later
//! erases the earlier: two bindings that speak of one subject must speak of one thing in the source's own terms.

use std::collections::BTreeMap;

use refresh_core::{
    Person, Source,
    facts::{
        policy::Registration,
        subject::{Diary, Kind, Subject},
    },
};

use super::{
    door::NamedBinding,
    says::{Poll, Says},
};
use crate::reader::Node;

/// What a binding says of one subject.
struct SubjectClaim {
    subject: Subject,
    /// What the answers are made of, in the source's own terms, and how they are read. Two alike are told alike.
    made_of: String,
}

/// Bindings of one source, of which the later answer would erase the earlier.
pub(super) fn told_once(node: &Node<'_>, bindings: &[NamedBinding]) -> Option<()> {
    overlaps(node, bindings, "the later of two answers erases the earlier", |one, other| {
        one.binding.source == other.binding.source
    })
}

/// Bindings of two sources, of which one alone is ever heard: whichever source speaks first holds the subject.
pub fn heard(node: &Node<'_>, bindings: &[NamedBinding], sources: &[Registration]) -> Option<()> {
    let takes_over = |kind: Kind, source: &Source, holder: &Source| {
        sources.iter().any(|registration| registration.may_take_over(kind, source, holder))
    };
    overlaps(node, bindings, "the source that speaks second is never heard", |one, other| {
        let (kind, a, b) = (one.binding.format.kind(), &one.binding.source, &other.binding.source);
        a != b && !takes_over(kind, a, b) && !takes_over(kind, b, a)
    })
}

/// Says each pair of bindings once, with the first subject of both.
fn overlaps(
    node: &Node<'_>,
    bindings: &[NamedBinding],
    because: &str,
    counts: impl Fn(&NamedBinding, &NamedBinding) -> bool,
) -> Option<()> {
    let mut known: BTreeMap<Subject, Vec<(usize, String)>> = BTreeMap::new();
    let mut pairs: BTreeMap<(usize, usize), Vec<Subject>> = BTreeMap::new();
    for (index, bound) in bindings.iter().enumerate() {
        for SubjectClaim { subject, made_of } in claims(index, bound) {
            let before = known.entry(subject.clone()).or_default();
            for (other, theirs) in before.iter().filter(|(other, _)| *other != index) {
                if *theirs != made_of && counts(bound, &bindings[*other]) {
                    pairs.entry((*other, index)).or_default().push(subject.clone());
                }
            }
            before.push((index, made_of));
        }
    }
    let mut good = Some(());
    for ((first, second), subjects) in pairs {
        let subject = subjects.first()?;
        let expected = format!("one binding that speaks of {} ({because}): {}", in_words(subject), remedy(subject));
        let more = match subjects.len() - 1 {
            0 => String::new(),
            more => format!(", and of {more} more"),
        };
        let found = format!("both {} and {}{more}", called(bindings, first), called(bindings, second));
        good = node.wrong_as(expected, found);
    }
    good
}

/// A binding by its place in the list and its name.
fn called(bindings: &[NamedBinding], index: usize) -> String {
    let bound = &bindings[index];
    let name = bound.name.as_ref().map_or(String::new(), |name| format!(" `{name}`"));
    format!("native[{index}]{name} ({} of {})", bound.binding.format.word(), bound.binding.source)
}

fn in_words(subject: &Subject) -> String {
    let named = |name: &Option<_>| name.as_ref().map_or(String::new(), |name| format!(" {name}"));
    match subject {
        Subject::Availability(person, Diary::Calendar, name) => format!("the calendar{} of {person}", named(name)),
        Subject::Availability(person, Diary::Oncall, name) => format!("the on-call time{} of {person}", named(name)),
        Subject::Delegation(service, role) => format!("the role {role} of the service {service}"),
        Subject::Freeze(calendar) => format!("the freeze calendar {calendar}"),
        other => other.names().join("/"),
    }
}

/// What to do about it.
const fn remedy(subject: &Subject) -> &'static str {
    match subject {
        Subject::Availability(..) => {
            "give one of the two a `calendar` of its own, or take the person out of its `people`"
        }
        Subject::Freeze(_) => "bind both schedules in one binding, or give one of the two a `calendar` of its own",
        _ => "take the role out of one of the two; one binding may have a `hook` and a `poll`",
    }
}

/// What a binding claims to be told whole. Evidence is held apart by its own rule; change records and answers by mail say
/// themselves what they are about.
fn claims(index: usize, bound: &NamedBinding) -> Vec<SubjectClaim> {
    let format = bound.binding.format.word();
    match &bound.binding.says {
        Says::Calendar(poll) => calendars(format, poll, || origin(index, bound)),
        Says::Oncall(oncall) => {
            let read = (&oncall.levels, &oncall.escalation_policies, &oncall.schedules);
            let claim = |person: &Person| {
                let names: Vec<&str> = oncall.poll.people.names_of(person).collect();
                let calendar = oncall.poll.calendar.clone();
                SubjectClaim {
                    subject: Subject::Availability(person.clone(), Diary::Oncall, calendar),
                    made_of: format!("{format} {names:?} {read:?} {}", oncall.poll.revision_header),
                }
            };
            oncall.poll.people.everybody().into_iter().map(claim).collect()
        }
        Says::Roster(roster) => {
            let of_service = |service| roster.roles.iter().map(move |role| (service, role));
            let made_of = format!("{} {:?} {}", origin(index, bound), roster.time_zone, roster.revision_header);
            let claim = |(service, role): (&refresh_core::Service, &refresh_core::Role)| SubjectClaim {
                subject: Subject::Delegation(service.clone(), role.clone()),
                made_of: made_of.clone(),
            };
            roster.services.iter().flat_map(of_service).map(claim).collect()
        }
        Says::Delegates(of) => {
            let read = format!("{format} {} {:?} {}", of.purpose, of.people, of.revision_header);
            let claim = |role: &super::says::GroupRole| SubjectClaim {
                subject: Subject::Delegation(role.service.clone(), role.role.clone()),
                made_of: format!("{read} {role:?}"),
            };
            of.roles.iter().map(claim).collect()
        }
        Says::Freezes(of) => {
            let claim = |calendar: &refresh_core::Calendar| {
                let schedules: Vec<_> =
                    of.schedules.iter().filter(|(_, schedule)| schedule.calendar == *calendar).collect();
                SubjectClaim {
                    subject: Subject::Freeze(calendar.clone()),
                    made_of: format!("{format} {schedules:?} {} {}", of.horizon_days, of.revision_header),
                }
            };
            of.schedules.values().map(|schedule| claim(&schedule.calendar)).collect()
        }
        Says::CdEvents(_) | Says::Run(_) | Says::Servicenow(_) | Says::Jira(_) | Says::Hint(_) | Says::Reply(_) => {
            Vec::new()
        }
    }
}

/// Every calendar that answers under the bound names may be told as, and the feed's own.
fn calendars(format: &str, poll: &Poll, origin: impl Fn() -> String) -> Vec<SubjectClaim> {
    let read = (poll.tentative_is_busy, poll.time_zone, poll.horizon_days, &poll.revision_header);
    let named = poll.people.everybody().into_iter().flat_map(|person| {
        let names: Vec<&str> = poll.people.names_of(person).collect();
        let made_of = format!("{format} {names:?} {read:?}");
        let claim = move |name: &str| SubjectClaim {
            subject: Subject::Availability(person.clone(), Diary::Calendar, poll.calendar_of(person, name)),
            made_of: made_of.clone(),
        };
        names.into_iter().map(claim).collect::<Vec<_>>()
    });
    let feed = poll.person.iter().map(|person| SubjectClaim {
        subject: Subject::Availability(person.clone(), Diary::Calendar, poll.calendar.clone()),
        made_of: format!("{} {read:?}", origin()),
    });
    named.chain(feed).collect()
}

/// Where text comes from that does not say itself what it is of: the address that is asked, or else this binding alone.
fn origin(index: usize, bound: &NamedBinding) -> String {
    match (&bound.poll, &bound.hook) {
        (Some(poll), None) => format!("{} {:?} {:?}", bound.binding.format.word(), poll.urls, poll.credential),
        _ => format!("[{index}]"),
    }
}
