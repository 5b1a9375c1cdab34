//! The steps of a row: what sources report, what people do, and the clock.

use refresh_core::{
    EventId, ReviewId, Source,
    decide::adopt::Wish,
    facts::{
        fact::Body,
        seat::{AuthoritativeSeat, InvitationTime, InvitedBy, TentativeSeat},
        subject::{Kind, Subject},
    },
    record::{answer::Reply, claim::ObjectsInDoubt, delivery::DeliveryStatus},
};
use serde_json::json;

use crate::{
    fixture,
    mailed::mailed,
    said::{change, diary, evidence, forget, freeze, kind, operator, promise, register, seat, subject_of},
    terms::{newer_terms, set_terms},
    told::{self, LeftClaim},
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
        "late" => {
            world.now = world.day.instant(rest)?;
            Ok(())
        }
        "unsettled" => {
            world.unsettled.insert(fixture::person(rest)?);
            Ok(())
        }
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
        "resend" => told::resend(world, rest),
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
            let by = rest.strip_prefix("closed by ").map(fixture::person).transpose()?;
            let source = by.as_ref().map(|_| fixture::source(Kind::Operator));
            let manner = Manner { source: manner.source.or(source), ..manner };
            let body = Body::Closure { reason: "called off".to_owned(), by };
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
        if world.is_claimed() {
            break;
        }
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
    world.in_doubt.insert(person, LeftClaim { objects: ObjectsInDoubt::default(), until: world.now });
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
