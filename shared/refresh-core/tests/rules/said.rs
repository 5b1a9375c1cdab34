//! Steps in which a source says something: facts, registrations, an operator's acts.

use refresh_core::{
    Checkpoint, DiaryName, Instant, Interval, Person, Source,
    facts::{
        entries::Entries,
        evidence::{Evidence, EvidenceRun, EvidenceStatus},
        fact::{Availability, Body, Busy, ChangeState, Delegate, DelegateStatus, EntryOf, Freeze, Mapping, Profile},
        operator::{OperatorChoice, OperatorDecision},
        policy::Registration,
        subject::{Diary, Kind, Subject},
    },
};
use serde_json::json;

use crate::{
    clock::Day,
    fixture,
    terms::{list, zone},
    world::{Manner, World},
};

/// What a source never reported.
pub fn forget(world: &mut World, what: &str) -> Result<(), String> {
    let subject = subject_of(what)?;
    world.facts.remove(&subject).map(drop).ok_or(format!("{what} was never reported anyway"))
}

pub fn subject_of(what: &str) -> Result<Subject, String> {
    Ok(match what.split_once(' ').unwrap_or((what, "")) {
        ("change", _) => Subject::Change(fixture::change()),
        ("freeze", _) => Subject::Freeze(fixture::calendar()),
        ("evidence", key) => Subject::Evidence(fixture::change(), checkpoint(key)?),
        ("delegation", role) => Subject::Delegation(fixture::service(), fixture::role(role)?),
        ("calendar", name) => Subject::Availability(fixture::person(name)?, Diary::Calendar, None),
        _ => return Err(format!("change, freeze, evidence, delegation or calendar; found {what:?}")),
    })
}

pub fn kind(word: &str) -> Result<Kind, String> {
    serde_json::from_value(json!(word)).map_err(|_| format!("a kind of fact; found {word:?}"))
}

/// `register evidence //ci.example.com/*`, `register evidence //second takes over //evidence.example.com`
pub fn register(world: &mut World, rest: &str) -> Result<(), String> {
    let (word, source) = rest.split_once(' ').ok_or("a kind and a source")?;
    let (source, former) = source.split_once(" takes over ").unwrap_or((source, ""));
    let governed_by = fixture::person("governor")?;
    world.deployment.sources.push(Registration {
        kind: kind(word)?,
        source: Source::parse(source)?,
        governed_by,
        takes_over: list(former, Source::parse)?,
        max_age_minutes: None,
        sender: None,
    });
    Ok(())
}

/// `operator adopt v8 as op-1`; `operator decline v8 as op-1`; `operator stand v8 as op-1`
pub fn operator(world: &mut World, rest: &str, manner: Manner) -> Result<(), String> {
    let (what, by) = rest.split_once(" as ").ok_or("what is decided, and `as` whom")?;
    let (word, version) = what.split_once(" v").ok_or("what is decided, and of which version")?;
    let decision = match word {
        "adopt" => OperatorChoice::Adopt,
        "decline" => OperatorChoice::DeclineOtherSlot,
        "stand" => OperatorChoice::DeclineStand,
        _ => return Err(format!("adopt, decline or stand; found {word:?}")),
    };
    let version = version.parse().map_err(|_| format!("a version; found {version:?}"))?;
    let reason = "the owner cannot be reached".to_owned();
    let body = Body::Decision(OperatorDecision { version, decision, by: fixture::person(by)?, reason });
    world.send(Subject::Decision(fixture::review()), body, manner)
}

/// `promise change 120`: the sources of a kind promise to speak of each subject again within so many minutes.
pub fn promise(world: &mut World, rest: &str) -> Result<(), String> {
    let (word, minutes) = rest.split_once(' ').ok_or("a kind and minutes")?;
    let (kind, minutes) = (kind(word)?, minutes.parse().map_err(|_| format!("minutes; found {minutes:?}"))?);
    for registration in world.deployment.sources.iter_mut().filter(|registration| registration.kind == kind) {
        registration.max_age_minutes = Some(minutes);
    }
    Ok(())
}

fn checkpoint(key: &str) -> Result<Checkpoint, String> {
    Checkpoint::parse(if key.is_empty() { "tests" } else { key })
}

/// `evidence [KEY] [expected|ready|withdrawn] [TIME] [#RUN]`; `expected` and `tests` go without saying.
pub fn evidence(world: &mut World, rest: &str, manner: Manner) -> Result<(), String> {
    let (mut key, mut status, mut ready_at, mut run) = ("", EvidenceStatus::Expected, None, None);
    for word in rest.split_whitespace() {
        match word {
            "expected" => status = EvidenceStatus::Expected,
            "ready" => status = EvidenceStatus::Ready,
            "withdrawn" => status = EvidenceStatus::Withdrawn,
            time if world.day.instant(time).is_ok() => ready_at = Some(world.day.instant(time)?),
            name => match name.strip_prefix('#') {
                Some(name) => run = Some(name.to_owned()),
                None => key = name,
            },
        }
    }
    let subject = Subject::Evidence(fixture::change(), checkpoint(key)?);
    let begun = |id: &String| if status == EvidenceStatus::Expected { vec![id.clone()] } else { Vec::new() };
    let run = run.map(|id| EvidenceRun { begun: begun(&id), id });
    world.send(subject, Body::Evidence(Evidence { status, ready_at, run }), manner)
}

/// `freeze 20:00-23:00, 17:00-18:00 advisory`
pub fn freeze(world: &mut World, rest: &str, manner: Manner) -> Result<(), String> {
    let day = world.day;
    let freezes = list(rest, |text| {
        let (interval, advisory) = text.split_once(' ').unwrap_or((text, ""));
        let Interval { start, end } = day.interval(interval)?;
        Ok(Freeze { id: text.to_owned(), start, end, protected: advisory.is_empty() })
    })?;
    world.send(Subject::Freeze(fixture::calendar()), Body::Freeze(freezes), manner)
}

/// An approved record with another window, cutover or owner.
pub fn change(world: &mut World, word: &str, rest: &str, manner: Manner) -> Result<(), String> {
    let day = world.day;
    match (word, rest) {
        ("window", rest) => {
            let (window, state) = rest.split_once(' ').unwrap_or((rest, ""));
            world.change.window = day.interval(window)?;
            if state == "implementing" {
                return world.change_is(ChangeState::Implementing, manner);
            }
        }
        ("cutover", rest) => world.change.cutover = day.interval(rest)?,
        (_, "nobody") => world.change.owner = None,
        (_, rest) => {
            let (name, unconfirmed) = rest.split_once(' ').unwrap_or((rest, ""));
            world.change.owner = Some(fixture::person(name)?);
            world.change.owner_confirmed = unconfirmed.is_empty();
        }
    }
    world.change_is(ChangeState::Approved, manner)
}

/// `sec: sec-a > sec-b > sec-c (proposed) > x-1 (15:00-16:00)`; `sec: sec-a > unlisted`; `sec: nobody > sec-b`
pub fn seat(world: &mut World, role: &str, rest: &str, manner: Manner) -> Result<(), String> {
    let mut names = rest.split(" > ").map(str::trim);
    let holder = match names.next().unwrap_or("nobody") {
        "nobody" => None,
        name => Some(delegate(world.day, name)?),
    };
    let names: Vec<&str> = names.collect();
    let delegates = match names[..] {
        ["unlisted"] => None,
        _ => Some(names.into_iter().map(|name| delegate(world.day, name)).collect::<Result<_, _>>()?),
    };
    let term = |of: fn(&Delegate) -> Option<Instant>| holder.as_ref().and_then(of);
    let (holder_valid_from, holder_valid_until) = (term(|holder| holder.valid_from), term(|holder| holder.valid_until));
    let holder = holder.map(|holder| holder.person);
    let mapping = Mapping { holder, holder_valid_from, holder_valid_until, delegates };
    let subject = Subject::Delegation(fixture::service(), fixture::role(role)?);
    world.send(subject, Body::Delegation(mapping), manner)
}

fn delegate(day: Day, text: &str) -> Result<Delegate, String> {
    let (name, said) = text.split_once(" (").unwrap_or((text, ")"));
    let mut delegate = Delegate {
        person: fixture::person(name)?,
        status: DelegateStatus::Approved,
        valid_from: None,
        valid_until: None,
    };
    match said.trim_end_matches(')') {
        "" => {}
        "proposed" => delegate.status = DelegateStatus::Proposed,
        "revoked" => delegate.status = DelegateStatus::Revoked,
        said => match said.split_once(' ') {
            Some(("from", at)) => delegate.valid_from = Some(day.instant(at)?),
            Some(("until", at)) => delegate.valid_until = Some(day.instant(at)?),
            _ => {
                let validity = day.interval(said)?;
                (delegate.valid_from, delegate.valid_until) = (Some(validity.start), Some(validity.end));
            }
        },
    }
    Ok(delegate)
}

/// `sec-a free`, `sec-a busy 15:00-16:00 own, 17:00-18:00 not own`, `sec-a oncall 15:00-16:00`,
/// `sec-a calendar work busy 15:00-16:00`, `sec-a unknown 15:00-16:00`, `sec-a known 13:00-15:00`, `sec-a oncall known 13:00-15:00`, `sec-a lives in Asia/Tokyo`
pub fn diary(world: &mut World, name: &str, rest: &str, manner: Manner) -> Result<(), String> {
    let person: Person = fixture::person(name)?;
    if let Some(place) = rest.strip_prefix("lives in ") {
        let profile = Profile { name: name.to_owned(), time_zone: zone(place)? };
        return world.send(Subject::Person(person), Body::Person(profile), manner);
    }
    let day = world.day;
    let (name, rest) = match rest.strip_prefix("calendar ").and_then(|rest| rest.split_once(' ')) {
        Some((calendar, rest)) => (Some(DiaryName::parse(calendar)?), rest),
        None => (None, rest),
    };
    let (which, said) = match rest.strip_prefix("oncall ") {
        Some(said) => (Diary::Oncall, said),
        None => (Diary::Calendar, rest),
    };
    let mut diary = Availability {
        horizon: day.interval("-3/00:00-+10/00:00")?,
        busy: Entries::default(),
        unknown: Vec::new(),
        merged: false,
    };
    let (word, intervals) = said.split_once(' ').unwrap_or((said, ""));
    match word {
        "free" => {}
        "busy" => diary.busy = list(intervals, |text| busy(day, text))?.into(),
        "runs" => {
            diary.busy = list(intervals, |text| busy(day, text))?.into();
            diary.merged = true;
        }
        "unknown" => diary.unknown = list(intervals, |text| day.interval(text))?,
        "known" => diary.horizon = day.interval(intervals)?,
        _ if day.is_interval(word) => diary.busy = list(said, |text| busy(day, text))?.into(),
        _ => return Err(format!("no such step: {person} {rest}")),
    }
    world.send(Subject::Availability(person, which, name), Body::Availability(diary), manner)
}

fn busy(day: Day, text: &str) -> Result<Busy, String> {
    let (interval, own) = text.split_once(' ').unwrap_or((text, ""));
    let Interval { start, end } = day.interval(interval)?;
    let own = match own {
        "" => EntryOf::Unsaid,
        "own" => EntryOf::Ours,
        "not own" => EntryOf::Others,
        _ => return Err(format!("own or not own; found {own:?}")),
    };
    Ok(Busy { start, end, own })
}
