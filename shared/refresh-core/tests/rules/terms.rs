//! Steps about a review's own terms: what the review is issued with, and what a newer issue says.

use std::collections::BTreeSet;

use refresh_core::{
    Checkpoint, Role, Zone,
    facts::{
        fact::{Body, Meeting},
        subject::Subject,
    },
};
use serde_json::{Value, json};

use crate::{
    fixture,
    world::{Manner, World},
};

pub fn list<T>(text: &str, of: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "none").map(of).collect()
}

/// What the review is issued with. The policy is the deployment's.
pub fn set_terms(world: &mut World, word: &str, rest: &str) -> Result<(), String> {
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

pub fn zone(name: &str) -> Result<Zone, String> {
    name.parse().map_err(|_| format!("a time zone; found {name:?}"))
}

/// Another `review.issued` for the same review.
pub fn newer_terms(world: &mut World, rest: &str, manner: Manner) -> Result<(), String> {
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
    world.send(Subject::Review(fixture::review()), Body::Review(Box::new(terms)), manner)
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
