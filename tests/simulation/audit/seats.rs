//! Whom several reviews seat: each entry is what its review's HEAD says, claims are kept, nobody is adopted into an hour
//! that is taken, and two open reviews hold nobody at once without saying so.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Audit, Item, ensure, millis};

fn overlap(one: &Value, other: &Value) -> bool {
    millis(&one["start"]) < millis(&other["end"]) && millis(&other["start"]) < millis(&one["end"])
}

fn people(packet: &Value) -> BTreeSet<&str> {
    packet["attendees"].as_object().into_iter().flatten().filter_map(|(_, who)| who.as_str()).collect()
}

impl Audit {
    /// The person's places by HEAD and the versions that HEAD names, as an entry says them.
    fn places(&self, head: &Value, person: &str) -> (Value, Value) {
        let (packet, pending) = (self.packet(&head["authoritative"]), &head["pending"]);
        let seated = head["standing"] != "cancelled" && people(&packet).contains(person);
        let authoritative = match seated {
            true => json!({ "slot": packet["slot"], "claim": head["claims"][person] }),
            false => Value::Null,
        };
        let proposed = self.packet(&pending["version"]);
        let another = proposed["slot"] != packet["slot"] || !people(&packet).contains(person);
        let gives = pending.is_object() && proposed["cancelled"] != true && people(&proposed).contains(person);
        let told = !pending["told_at"].is_null() || pending["seats_told"] == true;
        let tentative = match gives && another {
            true => json!({
                "slot": proposed["slot"], "made_at": pending["made_at"], "told": told,
                "expires_at": pending["expires_at"],
            }),
            false => Value::Null,
        };
        (authoritative, tentative)
    }

    fn entry(&self, person: &str) -> Option<&Item> {
        self.items.get(&(format!("FACT#seat#{person}"), format!("REVIEW#{}", self.id)))
    }

    /// After every decision: the entry of everybody who has a place, or had one, is what HEAD says.
    fn entries_fit(&self, head: &Value) -> Result<(), String> {
        let prefix = "FACT#seat#";
        let own = format!("REVIEW#{}", self.id);
        let known = self.items.keys().filter(|(pk, sk)| pk.starts_with(prefix) && *sk == own);
        let mut all: BTreeSet<String> = known.map(|(pk, _)| pk[prefix.len()..].to_owned()).collect();
        let (authoritative, pending) = (self.packet(&head["authoritative"]), self.packet(&head["pending"]["version"]));
        all.extend(people(&authoritative).into_iter().chain(people(&pending)).map(str::to_owned));
        for person in all {
            let (authoritative, tentative) = self.places(head, &person);
            let entry = self.entry(&person).map(|item| item.body.clone()).unwrap_or_default();
            let fits = entry["authoritative"] == authoritative && entry["tentative"] == tentative;
            ensure(fits, || format!("{person} has {authoritative} and {tentative} by HEAD; the entry is {entry}"))?;
        }
        Ok(())
    }

    pub(super) fn seats_step(
        &mut self,
        before: Option<&Value>,
        after: &Value,
        written: &[(String, Option<Item>)],
    ) -> Result<(), String> {
        self.entries_fit(after)?;
        let Some(before) = before else { return Ok(()) };
        let (was, is) = (self.packet(&before["authoritative"]), self.packet(&after["authoritative"]));
        for person in people(&is) {
            let keeps = was["slot"] == is["slot"] && people(&was).contains(person);
            let (then, now) = (&before["claims"][person], &after["claims"][person]);
            ensure(!keeps || then == now, || format!("{person} keeps their seat; the claim was {then}, is {now}"))?;
            if !keeps && self.policy["other_reviews"] != "ignored" {
                self.free_elsewhere(person, &is["slot"])?;
            }
        }
        for (partition, was) in written {
            let is = self.items.get(&(partition.clone(), format!("REVIEW#{}", self.id)));
            let places = |item: &Item| (item.body["authoritative"].clone(), item.body["tentative"].clone());
            if is.map(places) != was.as_ref().map(places) {
                self.met.insert("seat moved".to_owned());
            }
        }
        let booked = after["today"]["violated"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if booked.into_iter().any(|mark| mark.starts_with("booked")) {
            self.met.insert("violated booked".to_owned());
        }
        Ok(())
    }

    /// An owner adopted, and gave the person this seat: no other review had given them one in that hour.
    fn free_elsewhere(&self, person: &str, slot: &Value) -> Result<(), String> {
        let partition = format!("FACT#seat#{person}");
        let others = self.items.iter().filter(|((pk, sk), _)| {
            *pk == partition && sk.starts_with("REVIEW#") && *sk != format!("REVIEW#{}", self.id)
        });
        for ((_, review), item) in others {
            let taken = &item.body["authoritative"];
            let clash = taken.is_object() && overlap(&taken["slot"], slot);
            ensure(!clash, || format!("{person} was adopted into {slot}, and sits in {review} then: {taken}"))?;
        }
        Ok(())
    }

    /// Whether the person has a seat in that hour in a review that is neither this one nor `another`.
    fn sits_beside(&self, person: &str, another: &str, slot: &Value) -> bool {
        let partition = format!("FACT#seat#{person}");
        let beside = [format!("REVIEW#{}", self.id), format!("REVIEW#{another}")];
        self.items.iter().any(|((pk, sk), item)| {
            *pk == partition
                && sk.starts_with("REVIEW#")
                && !beside.contains(sk)
                && item.body["authoritative"].is_object()
                && overlap(&item.body["authoritative"]["slot"], slot)
        })
    }

    /// Once all is quiet nobody is left to be asked, and no seat is lost.
    pub(super) fn seats_fit(&self, head: &Value) -> Result<(), String> {
        let left = head["seats_moved"].as_array().is_some_and(|people| !people.is_empty());
        ensure(!left, || format!("nobody was asked about the seats of {}", head["seats_moved"]))?;
        self.entries_fit(head)
    }
}

/// No two open reviews hold one person at once, unless the younger of them says so.
pub(super) fn apart(all: &[Audit], now: i64) -> Result<(), String> {
    let open = |audit: &&Audit| {
        audit.head().is_some_and(|head| head["standing"] == "open" && millis(&head["starts_at"]) > Some(now))
            && audit.policy["other_reviews"] != "ignored"
    };
    let all: Vec<&Audit> = all.iter().filter(open).collect();
    for (index, one) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            let head = |audit: &Audit| audit.head().cloned().unwrap_or_default();
            let (one_head, other_head) = (head(one), head(other));
            let (packet, theirs) = (one.packet(&one_head["authoritative"]), other.packet(&other_head["authoritative"]));
            if !overlap(&packet["slot"], &theirs["slot"]) {
                continue;
            }
            for person in people(&packet).intersection(&people(&theirs)) {
                let mark = json!(format!("booked:{person}"));
                let says = |head: &Value| head["today"]["violated"].as_array().is_some_and(|all| all.contains(&mark));
                let (says_one, says_other) = (says(&one_head), says(&other_head));
                // Each may yield to a third review; between two alone, the older claim stands.
                let third = one.sits_beside(person, &other.id, &packet["slot"])
                    || other.sits_beside(person, &one.id, &theirs["slot"]);
                ensure(if third { says_one || says_other } else { says_one != says_other }, || {
                    format!(
                        "{person} sits in {} and {} at once; booked in {says_one} and {says_other}",
                        one.id, other.id
                    )
                })?;
            }
        }
    }
    Ok(())
}
