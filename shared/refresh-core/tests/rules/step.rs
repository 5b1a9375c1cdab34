//! The steps of a row: what sources report, what people do, and the clock.

use std::collections::BTreeSet;

use refresh_core::{
    Checkpoint, DiaryName, EventId, Interval, Person, ReviewId, Role, Source, Zone,
    base::fingerprint::ReviewFingerprint,
    decide::adopt::Wish,
    facts::{
        fact::{
            Availability, Body, Busy, ChangeState, Delegate, DelegateStatus, EntryOf, Evidence, EvidenceRun,
            EvidenceStatus, Freeze, Mapping, Meeting, Profile,
        },
        operator::{OperatorChoice, OperatorDecision},
        policy::Registration,
        reply::{Authentication, ReceivedReply, ReplyAbout},
        seat::{AuthoritativeSeat, InvitationTime, InvitedBy, TentativeSeat},
        subject::{Diary, Kind, Subject},
    },
    record::{delivery::DeliveryStatus, review::Reply},
};
use serde_json::{Value, json};

use crate::{
    clock::Day,
    fixture, told,
    world::{Manner, World},
};

/// Takes one step: an instant alone, a step alone, or a step at an instant.
pub fn take(world: &mut World, step: &str) -> Result<(), String> {
    if let Some(rest) = step.strip_prefix("then ") {
        world.issue()?;
        world.observe();
        return take(world, rest);
    }
    let (first, rest) = step.split_once(' ').unwrap_or((step, ""));
    if let Ok(at) = world.day.instant(first) {
        world.issue()?;
        world.advance(at)?;
        if !world.mark.set {
            world.observe();
        }
        return if rest.is_empty() { Ok(()) } else { take(world, rest) };
    }
    if let Some(steps) = step.strip_prefix("any order: ") {
        return any_order(world, &steps.split(" & ").collect::<Vec<_>>());
    }
    if let Some(event) = step.strip_prefix("unseen ") {
        world.late = true;
        let sent = take(world, event);
        world.late = false;
        return sent;
    }
    let (step, manner) = manner(world, step)?;
    act(world, step, manner)?;
    if world.review.is_some() { world.advance(world.now) } else { Ok(()) }
}

/// `[rev 3]`, `[from //elsewhere]`, `[id e20]`, `[id same]` at the end of a step, in any combination.
fn manner<'a>(world: &World, step: &'a str) -> Result<(&'a str, Manner), String> {
    let mut manner = Manner::default();
    let Some((step, said)) = step.strip_suffix(']').and_then(|step| step.split_once(" [")) else {
        return Ok((step, manner));
    };
    for word in said.split(", ") {
        match word.split_once(' ') {
            Some(("rev", revision)) => manner.revision = Some(revision.parse().map_err(|_| "a revision".to_owned())?),
            Some(("from", source)) => manner.source = Some(Source::parse(source)?),
            Some(("id", "same")) => manner.id = world.last.as_ref().map(|event| event.identity.id.clone()),
            Some(("id", id)) => manner.id = Some(EventId::parse(id)?),
            _ => return Err(format!("rev, from or id; found {word:?}")),
        }
    }
    Ok((step, manner))
}

/// Every order of arrival gives the same seats, the same proposal and the same exceptions; the row goes on with the last.
fn any_order(world: &mut World, steps: &[&str]) -> Result<(), String> {
    let mut outcomes = Vec::new();
    let start = world.clone();
    for order in permutations(steps) {
        let mut other = start.clone();
        order.iter().try_for_each(|step| take(&mut other, step))?;
        let review = other.review.as_ref().ok_or("no review was issued")?;
        let pending = review.pending.as_ref().map(|version| version.packet.digest());
        // Whether other content was refreshed before something was held is history, not choice.
        let seats = (review.authoritative.packet.slot, review.authoritative.packet.attendees.clone());
        let exceptions: Vec<_> = review.head.exceptions.iter().map(|open| open.reasons.clone()).collect();
        outcomes.push((order.join(", "), (seats, pending, exceptions)));
        *world = other;
    }
    let (first, expected) = &outcomes[0];
    match outcomes.iter().find(|(_, outcome)| outcome != expected) {
        Some((order, _)) => Err(format!("{first} and {order} end in different packets")),
        None => Ok(()),
    }
}

fn permutations<'a>(steps: &[&'a str]) -> Vec<Vec<&'a str>> {
    if steps.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let mut others = steps.to_vec();
        others.remove(at);
        all.extend(permutations(&others).into_iter().map(|mut order| {
            order.insert(0, step);
            order
        }));
    }
    all
}

fn act(world: &mut World, step: &str, manner: Manner) -> Result<(), String> {
    let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
    match word {
        "day" | "issued" | "worked" | "never" => Ok(()),
        "elsewhere" => elsewhere(world, rest),
        "told" => tell(world),
        "again" => again(world),
        "in" => doubt(world, rest),
        "bounce" | "complaint" | "rejection" | "suppression" | "delivery" | "delay" | "softbounce" => {
            report(world, word, rest)
        }
        "refuse" => {
            world.refused.insert(fixture::person(rest)?);
            Ok(())
        }
        "unmailable" => {
            world.unmailable.insert(fixture::person(rest)?);
            Ok(())
        }
        "mailable" => {
            world.unmailable.remove(&fixture::person(rest)?);
            Ok(())
        }
        "accept" => {
            world.refused.remove(&fixture::person(rest)?);
            Ok(())
        }
        "adopt" | "decline" | "stand" | "ask" | "send" | "open" | "acknowledge" | "conflict" | "reread" => {
            person_acts(world, word, rest)
        }
        "mailed" => mailed(world, rest),
        "policy" | "slot" | "attendee" | "roles" | "optional" | "checkpoints" | "meeting" | "zone" | "version" => {
            set_terms(world, word, rest)
        }
        "terms" => newer_terms(world, rest, manner),
        "unreadable" => world.cannot_read(rest),
        "forget" => forget(world, rest),
        "older" => told::older(world),
        "unregister" => {
            let kind = kind(rest)?;
            world.deployment.sources.retain(|registration| registration.kind != kind);
            Ok(())
        }
        "register" => register(world, rest),
        "operator" => operator(world, rest, manner),
        "promise" => promise(world, rest),
        "reset" => {
            let subject = subject_of(rest)?;
            world.reset(subject, manner)
        }
        "uid" => {
            world.uid_in_use = rest == "in use";
            Ok(())
        }
        "evidence" => evidence(world, rest, manner),
        "freeze" => freeze(world, rest, manner),
        "change" => {
            let state = serde_json::from_value(json!(rest)).map_err(|_| format!("a state; found {rest:?}"))?;
            world.change_is(state, manner)
        }
        "window" | "cutover" | "owner" => change(world, word, rest, manner),
        "review" => {
            let body = Body::Closure { reason: "called off".to_owned() };
            world.send(Subject::Closure(fixture::review()), body, manner)
        }
        _ if word.ends_with(':') => seat(world, word.trim_end_matches(':'), rest, manner),
        _ => diary(world, word, rest, manner),
    }
}

/// The clock runs until nobody waits to be told.
fn tell(world: &mut World) -> Result<(), String> {
    world.issue()?;
    while let Some(until) = world.head()?.quiet_until {
        world.advance(until.max(world.now))?;
    }
    Ok(())
}

fn again(world: &mut World) -> Result<(), String> {
    let event = world.last.clone().ok_or("nothing was sent before")?;
    world.receive(event)
}

/// `elsewhere RR-2: sec-a sits 15:00-16:00 since 08:00`, `... proposed 15:00-16:00 since 08:00 [told] [until 12:00]`,
/// `... shown I`, `... held I [until T]`, `... frees`: another review's entry of a person, part by part.
fn elsewhere(world: &mut World, rest: &str) -> Result<(), String> {
    let day = world.day;
    let (review, said) = rest.split_once(": ").ok_or("REVIEW: PERSON and what of them")?;
    let words: Vec<&str> = said.split_whitespace().collect();
    let after = |word: &str| words.iter().position(|found| *found == word).and_then(|at| words.get(at + 1));
    let instant = |word: &str, or: &str| day.instant(after(word).copied().unwrap_or(or));
    let [name, what, ..] = words[..] else { return Err(format!("a person and what of them; found {said:?}")) };
    let slot = |at: usize| day.interval(words.get(at).copied().unwrap_or_default());
    let entry = world.entry_of(&ReviewId::parse(review)?, &fixture::person(name)?);
    match what {
        "sits" => entry.authoritative = Some(AuthoritativeSeat { slot: slot(2)?, claim: instant("since", "08:00")? }),
        "proposed" => {
            entry.tentative = Some(TentativeSeat {
                slot: slot(2)?,
                made_at: instant("since", "08:00")?,
                told: words.contains(&"told"),
                expires_at: instant("until", "19:00")?,
            });
        }
        "shown" | "held" => entry.invitations.push(InvitationTime {
            by: if what == "held" { InvitedBy::Hold } else { InvitedBy::Meeting },
            slot: slot(2)?,
            from: instant("from", "08:00")?,
            until: after("until").map(|until| day.instant(until)).transpose()?,
        }),
        "frees" => (entry.authoritative, entry.tentative) = (None, None),
        _ => return Err(format!("sits, proposed, shown, held or frees; found {what:?}")),
    }
    world.asked_by_seats()
}

/// `in doubt so-a`: a mail to so-a may have gone out that was never settled, and notify looks again.
fn doubt(world: &mut World, rest: &str) -> Result<(), String> {
    let person = fixture::person(rest.trim_start_matches("doubt "))?;
    world.in_doubt.insert(person);
    told::notify(world)
}

/// `bounce P [of TIME]`
fn report(world: &mut World, word: &str, rest: &str) -> Result<(), String> {
    let (person, of) = rest.split_once(" of ").map_or((rest, None), |(person, of)| (person, Some(of)));
    let status = match word {
        "bounce" => DeliveryStatus::Bounced,
        "complaint" => DeliveryStatus::Complained,
        "rejection" => DeliveryStatus::Rejected { reason: "Bad content".to_owned() },
        "suppression" => DeliveryStatus::Suppressed,
        "delivery" => DeliveryStatus::Delivered,
        "delay" => DeliveryStatus::Delayed,
        _ => DeliveryStatus::BouncedForNow,
    };
    let of = of.map(|at| world.day.instant(at)).transpose()?;
    told::reported(world, &fixture::person(person)?, status, of)
}

/// `adopt [as P] [of vN] [with P's link]`
fn person_acts(world: &mut World, word: &str, rest: &str) -> Result<(), String> {
    let (mut by, mut of, mut links) = ("rm-a", None, None);
    let mut words = rest.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "as" => by = words.next().unwrap_or_default(),
            "of" => of = words.next().and_then(|version| version.trim_start_matches('v').parse().ok()),
            "by" => links = words.next(),
            "again" | "other" | "link" => {}
            _ => return Err(format!("as, of or by; found {word:?}")),
        }
    }
    let person = fixture::person(by)?;
    let link_of = fixture::person(links.unwrap_or(by))?;
    let wish = match word {
        "adopt" => Wish::Adopt,
        "decline" => Wish::DeclineOtherSlot,
        "stand" => Wish::DeclineStand,
        "ask" => Wish::AskAgain,
        "send" => Wish::SendLink,
        "open" => return told::look(world, &person, &link_of, of),
        "reread" => return told::answer(world, &person, of, None),
        "acknowledge" => return told::answer(world, &person, of, Some(Reply::Acknowledged)),
        _ => return told::answer(world, &person, of, Some(Reply::Conflict)),
    };
    told::decide(world, &person, &link_of, of, wish)
}

/// `mailed WORD as P [for P] [by P] [hold] [seq N] [at TIME] [undated] [unproven] [automatic] [plain]`: a reply by mail.
fn mailed(world: &mut World, rest: &str) -> Result<(), String> {
    let mut words = rest.split_whitespace();
    let word = words.next().unwrap_or_default();
    let word = serde_json::from_value(json!(word)).map_err(|_| format!("what a reply says; found {word:?}"))?;
    let head = world.head()?.clone();
    let (mut sender, mut attendee, mut sent_by) = (None, None, None);
    let (mut object, mut sequence, mut stamped_at, mut plain) =
        (&head.meeting.uid, head.meeting.sequence, Some(world.now), false);
    let (mut authentication, mut automatic, mut text) = (Authentication::Passed, false, None);
    while let Some(word) = words.next() {
        let mut next = || words.next().unwrap_or_default();
        match word {
            "as" => sender = Some(fixture::person(next())?),
            "for" => attendee = Some(fixture::person(next())?),
            "by" => sent_by = Some(fixture::person(next())?),
            "hold" => (object, sequence) = (&head.hold.uid, head.hold.sequence),
            "seq" => sequence = next().parse().map_err(|_| "a sequence".to_owned())?,
            "at" => stamped_at = Some(world.day.instant(next())?),
            "saying" => text = Some(next().to_owned()),
            "undated" => stamped_at = None,
            "unproven" => authentication = Authentication::Missing,
            "failed" => authentication = Authentication::Failed,
            "automatic" => automatic = true,
            "plain" => plain = true,
            _ => return Err(format!("a part of a reply; found {word:?}")),
        }
    }
    let sender = sender.ok_or("as whom")?;
    let about = match plain {
        true => ReplyAbout::Review(ReviewFingerprint::of(&fixture::review())),
        false => ReplyAbout::Object { uid: object.clone(), sequence },
    };
    let attendee = if plain { None } else { Some(attendee.unwrap_or_else(|| sender.clone())) };
    let proposed = None;
    told::replied(
        world,
        ReceivedReply { about, sender, authentication, automatic, word, attendee, sent_by, stamped_at, proposed, text },
    )
}

fn list<T>(text: &str, of: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "none").map(of).collect()
}

/// What the review is issued with. The policy is the deployment's.
fn set_terms(world: &mut World, word: &str, rest: &str) -> Result<(), String> {
    if world.review.is_some() {
        return Err("the review is issued already; a newer review.issued is `terms ...`".to_owned());
    }
    if word == "policy" {
        let mut policy = serde_json::to_value(&world.deployment.defaults).map_err(|wrong| wrong.to_string())?;
        policy_member(&mut policy, rest)?;
        world.deployment.defaults = serde_json::from_value(policy).map_err(|wrong| format!("{rest}: {wrong}"))?;
        return Ok(());
    }
    let day = world.day;
    let terms = &mut world.terms;
    match word {
        "slot" => terms.slot = day.interval(rest)?,
        "attendee" => {
            let (role, person) = rest.split_once('=').ok_or("role=person")?;
            terms.attendees.insert(fixture::role(role)?, fixture::person(person)?);
        }
        "roles" => {
            let roles: BTreeSet<Role> = list(rest, fixture::role)?.into_iter().collect();
            terms.attendees.retain(|role, _| roles.contains(role));
        }
        "optional" => terms.optional = list(rest, fixture::person)?.into_iter().collect(),
        "checkpoints" => terms.checkpoints = list(rest, Checkpoint::parse)?.into_iter().collect(),
        "meeting" => terms.meeting = fixture::meeting(rest)?,
        "zone" => terms.time_zone = zone(rest)?,
        _ => terms.version = rest.parse().map_err(|_| "a version".to_owned())?,
    }
    Ok(())
}

fn zone(name: &str) -> Result<Zone, String> {
    name.parse().map_err(|_| format!("a time zone; found {name:?}"))
}

/// Another `review.issued` for the same review.
fn newer_terms(world: &mut World, rest: &str, manner: Manner) -> Result<(), String> {
    let mut terms = world.terms.clone();
    let (word, value) = rest.split_once(' ').unwrap_or((rest, ""));
    match word {
        "title" => terms.title = value.to_owned(),
        "checkpoints" => terms.checkpoints = list(value, Checkpoint::parse)?.into_iter().collect(),
        "slot" => terms.slot = world.day.interval(value)?,
        "optional" => terms.optional = list(value, fixture::person)?.into_iter().collect(),
        "attendee" => {
            let (role, person) = value.split_once('=').ok_or("role=person")?;
            terms.attendees.insert(fixture::role(role)?, fixture::person(person)?);
        }
        "policy" => {
            let mut policy = serde_json::to_value(&terms.policy).map_err(|wrong| wrong.to_string())?;
            policy_member(&mut policy, value)?;
            terms.policy = serde_json::from_value(policy).map_err(|wrong| format!("{value}: {wrong}"))?;
        }
        "zone" => terms.time_zone = zone(value)?,
        "meeting" => terms.meeting = Some(Meeting::bare(refresh_core::Uid::parse(value)?, 0)),
        _ => return Err(format!("a member of the terms; found {word:?}")),
    }
    world.terms = terms.clone();
    world.send(Subject::Review(fixture::review()), Body::Review(terms), manner)
}

fn policy_member(policy: &mut Value, said: &str) -> Result<(), String> {
    let (key, text) = said.split_once(' ').ok_or("a member and its value")?;
    policy[key] = match key {
        "working_hours" => {
            let (hours, days) = text.split_once(' ').unwrap_or((text, "0-4"));
            let (start, end) = hours.split_once('-').ok_or("hours like 08:00-18:00")?;
            let minute = |time: &str| -> Result<u32, String> {
                let (hour, minute) = time.split_once(':').ok_or("a time like 08:00")?;
                let number = |text: &str| text.parse::<u32>().map_err(|_| format!("a number; found {text:?}"));
                Ok(number(hour)? * 60 + number(minute)?)
            };
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            let number = |text: &str| text.parse::<u8>().map_err(|_| format!("a day; found {text:?}"));
            let days: Vec<u8> = (number(first)?..=number(last)?).collect();
            json!({"start": minute(start)?, "end": minute(end)?, "days": days})
        }
        "churn" => {
            let (proposals, within) = text.split_once(" in ").ok_or("N in MINUTES")?;
            let number = |text: &str| text.parse::<i64>().map_err(|_| format!("a number; found {text:?}"));
            json!({"proposals": number(proposals)?, "within_minutes": number(within)?})
        }
        "exclusions" => {
            let excluded = |pair: &str| {
                let (role, person) = pair.split_once('=').ok_or("role=person")?;
                Ok(
                    json!({"role": fixture::role(role)?, "person": fixture::person(person)?, "reason": "conflict of interest"}),
                )
            };
            Value::Array(list(text, excluded)?)
        }
        "alternate_owner" => json!(fixture::person(text)?),
        "escalation_contacts" => json!(list(text, fixture::person)?),
        "freeze_calendars" => json!(list(text, |name| Ok(name.to_owned()))?),
        _ => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    };
    Ok(())
}

/// What a source never reported.
fn forget(world: &mut World, what: &str) -> Result<(), String> {
    let subject = subject_of(what)?;
    world.facts.remove(&subject).map(drop).ok_or(format!("{what} was never reported anyway"))
}

fn subject_of(what: &str) -> Result<Subject, String> {
    Ok(match what.split_once(' ').unwrap_or((what, "")) {
        ("change", _) => Subject::Change(fixture::change()),
        ("freeze", _) => Subject::Freeze(fixture::calendar()),
        ("evidence", key) => Subject::Evidence(fixture::change(), checkpoint(key)?),
        ("delegation", role) => Subject::Delegation(fixture::service(), fixture::role(role)?),
        ("calendar", name) => Subject::Availability(fixture::person(name)?, Diary::Calendar, None),
        _ => return Err(format!("change, freeze, evidence, delegation or calendar; found {what:?}")),
    })
}

fn kind(word: &str) -> Result<Kind, String> {
    serde_json::from_value(json!(word)).map_err(|_| format!("a kind of fact; found {word:?}"))
}

/// `register evidence //ci.example.com/*`, `register evidence //second takes over //evidence.example.com`
fn register(world: &mut World, rest: &str) -> Result<(), String> {
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
fn operator(world: &mut World, rest: &str, manner: Manner) -> Result<(), String> {
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
fn promise(world: &mut World, rest: &str) -> Result<(), String> {
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
fn evidence(world: &mut World, rest: &str, manner: Manner) -> Result<(), String> {
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
fn freeze(world: &mut World, rest: &str, manner: Manner) -> Result<(), String> {
    let day = world.day;
    let freezes = list(rest, |text| {
        let (interval, advisory) = text.split_once(' ').unwrap_or((text, ""));
        let Interval { start, end } = day.interval(interval)?;
        Ok(Freeze { id: text.to_owned(), start, end, protected: advisory.is_empty() })
    })?;
    world.send(Subject::Freeze(fixture::calendar()), Body::Freeze(freezes), manner)
}

/// An approved record with another window, cutover or owner.
fn change(world: &mut World, word: &str, rest: &str, manner: Manner) -> Result<(), String> {
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
fn seat(world: &mut World, role: &str, rest: &str, manner: Manner) -> Result<(), String> {
    let mut names = rest.split(" > ").map(str::trim);
    let holder = match names.next().unwrap_or("nobody") {
        "nobody" => None,
        name => Some(fixture::person(name)?),
    };
    let names: Vec<&str> = names.collect();
    let delegates = match names[..] {
        ["unlisted"] => None,
        _ => Some(names.into_iter().map(|name| delegate(world.day, name)).collect::<Result<_, _>>()?),
    };
    let subject = Subject::Delegation(fixture::service(), fixture::role(role)?);
    world.send(subject, Body::Delegation(Mapping { holder, delegates }), manner)
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
fn diary(world: &mut World, name: &str, rest: &str, manner: Manner) -> Result<(), String> {
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
        busy: Vec::new(),
        unknown: Vec::new(),
        merged: false,
    };
    let (word, intervals) = said.split_once(' ').unwrap_or((said, ""));
    match word {
        "free" => {}
        "busy" => diary.busy = list(intervals, |text| busy(day, text))?,
        "runs" => {
            diary.busy = list(intervals, |text| busy(day, text))?;
            diary.merged = true;
        }
        "unknown" => diary.unknown = list(intervals, |text| day.interval(text))?,
        "known" => diary.horizon = day.interval(intervals)?,
        _ if day.is_interval(word) => diary.busy = list(said, |text| busy(day, text))?,
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
