//! One write, judged against what stood there before.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Audit, Item, Key, door, ensure, is_violation,
    items::{bytes_of, digest, hex},
    millis,
};
use crate::scene;

/// Whether the mailer said of somebody's newest mail that it did not arrive: it counts as never sent. Until the review knows
/// that no mail reaches them, they are owed another.
fn never_arrived(told: &Item) -> bool {
    let delivery: Option<Value> =
        told.attributes["delivery"]["S"].as_str().and_then(|text| serde_json::from_str(text).ok());
    delivery.is_some_and(|delivery| {
        let lost = ["bounced", "suppressed", "rejected", "unmailable"];
        lost.iter().any(|word| delivery["status"] == *word) && delivery["message_id"] == told.body["message_id"]
    })
}

/// Written once, and never again otherwise.
const ONCE: [&str; 3] = ["VERSION#", "LINEAGE#", "CAUSE#"];

impl Audit {
    pub(super) fn step(&mut self, changed: BTreeMap<Key, Option<Item>>) -> Result<(), String> {
        let before = self.head().cloned();
        let mut new = Vec::new();
        for ((pk, sk), now) in changed {
            let name = format!("{pk} {sk}");
            let was = self.items.get(&(pk.clone(), sk.clone()));
            let Some(item) = now else { return Err(format!("{name} is gone")) };
            if ONCE.iter().any(|once| sk.starts_with(once)) && was.is_some() {
                return Err(format!("{name} was written before, and is another now"));
            }
            let text = String::from_utf8_lossy(&item.bytes);
            ensure(!text.contains(scene::SUBJECT), || format!("{name} holds a calendar's subject"))?;
            let link = ["/adopt/", "/acknowledge/"].iter().any(|link| text.contains(link));
            ensure(!link, || format!("{name} holds a link"))?;
            if sk == "FACT" && !pk.starts_with("FACT#seat#") {
                fact(&name, was, &item)?;
            }
            if pk.starts_with("EVENT#")
                && let Some(was) = was
            {
                let amended = item.body["reason"] == "review_started" || item.body["reason"] == "review_closed";
                ensure(amended, || format!("{name} was recorded before: {}, now {}", was.body, item.body))?;
            }
            new.push((pk.clone(), sk.clone(), was.cloned()));
            self.items.insert((pk, sk), item);
        }
        self.accepted(&new)?;
        let own = format!("REVIEW#{}", self.id);
        let seats: Vec<(String, Option<Item>)> = new
            .iter()
            .filter(|(pk, sk, _)| pk.starts_with("FACT#seat#") && *sk == own)
            .map(|(pk, _, was)| (pk.clone(), was.clone()))
            .collect();
        // What other reviews wrote is judged by their own auditors.
        new.retain(|(pk, _, _)| *pk == own);
        let of_review = |start: &str| -> Vec<String> {
            new.iter().filter(|(_, sk, _)| sk.starts_with(start)).map(|(_, sk, _)| sk.clone()).collect()
        };
        let moved = new.iter().any(|(_, sk, _)| sk == "HEAD");
        if !moved {
            let alone: Vec<String> = ONCE.iter().flat_map(|once| of_review(once)).collect();
            ensure(alone.is_empty(), || format!("written without a decision on HEAD: {alone:?}"))?;
            ensure(seats.is_empty(), || format!("seats written without a decision on HEAD: {seats:?}"))?;
            return self.told_alone(&new);
        }
        let after = self.head().cloned().ok_or("HEAD is gone")?;
        let see_all: Vec<String> = self.audience(&after).into_iter().filter(|person| self.sees_all(person)).collect();
        self.knew_all.extend(see_all);
        let entries: Vec<String> = of_review("LINEAGE#");
        let versions: Vec<String> = of_review("VERSION#");
        let causes: Vec<String> = of_review("CAUSE#");
        self.head_moved(before.as_ref(), &after, &versions)?;
        let due = [&after["check_at"], &after["notices_at"]].into_iter().filter_map(millis).min();
        ensure(self.due_at() == due, || format!("due at {due:?}, in the index at {:?}", self.due_at()))?;
        let entry = self.chained(before.as_ref(), &after, &entries)?;
        self.triggered(&entry, &causes)?;
        self.authorised(before.as_ref(), &after, &entry)?;
        self.heard(&entry)?;
        self.acted_in_person(&after, &entry)?;
        self.notices(&entry, &new)?;
        self.seats_step(before.as_ref(), &after, &seats)?;
        self.leaves_time(before.as_ref(), &after)?;
        self.quiet_ends_in_time(before.as_ref(), &after)?;
        self.reminded_once(before.as_ref(), &after, &entry)?;
        if before.is_none() {
            self.has_its_own_meeting(&after)?;
        }
        self.open_or_legal(&after)
    }

    /// EVENT and FACT are one transaction, in both directions.
    fn accepted(&self, new: &[(String, String, Option<Item>)]) -> Result<(), String> {
        let events: Vec<&Value> = new
            .iter()
            .filter(|(_, sk, was)| sk == "EVENT" && was.is_none())
            .filter_map(|(pk, sk, _)| self.items.get(&(pk.clone(), sk.clone())).map(|item| &item.body))
            .collect();
        let (counted, facts): (Vec<_>, Vec<_>) = new
            .iter()
            .filter(|(pk, sk, _)| sk == "FACT" && !pk.starts_with("FACT#seat#"))
            .filter_map(|(pk, sk, was)| Some((was, &self.items.get(&(pk.clone(), sk.clone()))?.body)))
            .partition(|(was, is)| was.as_ref().is_some_and(|was| counts_stale(&was.body, is)));
        let facts: Vec<&Value> = facts.into_iter().map(|(_, fact)| fact).collect();
        let stale: Vec<&&Value> = events.iter().filter(|event| event["reason"] == "stale_revision").collect();
        for (_, fact) in &counted {
            let known = stale.iter().any(|event| event["subject"] == fact["subject"]);
            ensure(known, || format!("a stale event is counted that there is not: {fact}"))?;
        }
        for event in &stale {
            let fact = self.items.values().map(|item| &item.body);
            let silenced = fact.filter(|body| body["subject"] == event["subject"] && !body["body"].is_null());
            let silenced = silenced.filter_map(|body| body["order"]["stale"].as_u64()).max() == Some(MOST_STALE);
            let here = counted.iter().any(|(_, fact)| fact["subject"] == event["subject"]);
            ensure(here || silenced, || format!("a stale event that nobody counts: {event}"))?;
        }
        let same = |event: &Value, fact: &Value| {
            ["subject", "revision", "source"].iter().all(|name| event[name] == fact[name])
        };
        for fact in &facts {
            let known = events.iter().any(|event| event["disposition"] == "applied" && same(event, fact));
            ensure(known, || format!("a fact without the event that said it: {fact}"))?;
        }
        // A wish and an answer state no fact.
        let states = |event: &&&Value| ["resend", "reply"].iter().all(|other| event["subject"][other].is_null());
        for event in events.iter().filter(|event| event["disposition"] == "applied").filter(states) {
            ensure(facts.iter().any(|fact| same(event, fact)), || {
                format!("an applied event without its fact: {event}")
            })?;
            self.in_time(event)?;
        }
        Ok(())
    }

    /// One authoritative version, numbers without gaps, nothing that runs backwards.
    fn head_moved(&self, before: Option<&Value>, after: &Value, minted: &[String]) -> Result<(), String> {
        let number = |head: &Value, name: &str| head[name].as_u64().unwrap_or(0);
        let counter = before.map_or(0, |head| number(head, "counter"));
        ensure(number(after, "counter") == counter + 1, || {
            format!("HEAD's counter is {} after {counter}", after["counter"])
        })?;
        let latest = before.map_or(number(after, "issued") - 1, |head| number(head, "latest"));
        let expected: Vec<String> =
            (latest + 1..=number(after, "latest")).map(|number| format!("VERSION#{number:010}")).collect();
        ensure(expected == minted, || format!("HEAD names new versions {expected:?}; written are {minted:?}"))?;
        ensure(minted.len() <= 2, || format!("{} versions at once", minted.len()))?;
        ensure(self.version(&after["authoritative"]).is_some(), || "no authoritative version".to_owned())?;
        // An operator's adoption and what facts did since are one commit: then the next version follows the adopted one.
        let adopted = before
            .map(|head| &head["pending"]["version"])
            .filter(|_| after["adoptions"] != before.map_or(Value::Null, |head| head["adoptions"].clone()));
        for version in minted {
            let version = self.review(version).map(|item| item.body.clone()).unwrap_or_default();
            let parent = before.map_or(Value::Null, |head| head["authoritative"].clone());
            let fits = version["parent"] == parent
                || version["parent"] == after["authoritative"]
                || adopted.is_some_and(|adopted| version["parent"] == *adopted);
            ensure(fits, || format!("version {} follows {}", version["number"], version["parent"]))?;
        }
        if let Some(pending) = after["pending"].as_object() {
            let version = self.version(&pending["version"]).ok_or("the pending version is missing")?;
            let packet = &version["packet"];
            let content = json!([packet["slot"], packet["attendees"], packet["freeze_edge"], packet["cancelled"]]);
            let counted = ["slot", "attendees", "freeze_edge", "cancelled"].map(|name| packet[name].clone());
            ensure(content.as_array().is_some_and(|all| all[..] == counted), || "a packet of another form".to_owned())?;
        }
        let Some(before) = before else { return Ok(()) };
        ensure(millis(&before["at"]) <= millis(&after["at"]), || "HEAD's time ran backwards".to_owned())?;
        for object in ["meeting", "hold"] {
            let (was, is) = (number(&before[object], "sequence"), number(&after[object], "sequence"));
            ensure(was <= is && is <= was + 1, || format!("the {object}'s sequence went from {was} to {is}"))?;
            ensure(before[object]["uid"] == after[object]["uid"], || format!("the {object} is another one"))?;
        }
        ensure(before["standing"] == "open" || after["standing"] != "open", || "it was over before".to_owned())
    }

    /// The entry follows its predecessor, and HEAD names it as the last.
    fn chained(&self, before: Option<&Value>, after: &Value, entries: &[String]) -> Result<Value, String> {
        let zero = json!({ "sequence": 0, "hash": hex(&[0; 32]) });
        let was = before.map_or(&zero, |head| &head["lineage"]);
        let Some(name) = entries.first() else {
            return ensure(*was == after["lineage"], || "HEAD names an entry that is not there".to_owned())
                .map(|()| Value::Null);
        };
        let item = self.review(name).ok_or("an entry is gone")?;
        let sequence = was["sequence"].as_u64().unwrap_or(0) + 1;
        let next = entries.len() == 1 && item.body["sequence"] == sequence && after["lineage"]["sequence"] == sequence;
        ensure(next, || format!("entries {entries:?} after {was}"))?;
        ensure(item.body["previous"] == was["hash"], || format!("{name} does not follow the hash before it"))?;
        let hash = digest(&[b"lineage", &bytes_of(item.body["previous"].as_str().unwrap_or_default()), &item.bytes]);
        ensure(after["lineage"]["hash"] == hex(&hash), || format!("{name} is not what HEAD's hash says"))?;
        Ok(item.body.clone())
    }

    /// Each trigger is in lineage exactly once, with its mark.
    fn triggered(&mut self, entry: &Value, causes: &[String]) -> Result<(), String> {
        let mut marked = 0;
        for trigger in happenings(entry, "trigger") {
            let name = json!([trigger["source"], trigger["id"], trigger["collision"]]).to_string();
            ensure(self.triggers.insert(name.clone()), || format!("twice in lineage: {name}"))?;
            let id = trigger["id"].as_str().unwrap_or_default();
            let mark = causes
                .iter()
                .filter_map(|cause| self.review(cause))
                .find(|item| item.body["identity"]["id"] == id && item.body["identity"]["source"] == trigger["source"]);
            let fits = mark.is_some_and(|item| item.body["entry"] == entry["sequence"]);
            ensure(fits, || format!("in lineage without its mark: {name}"))?;
            marked += 1;
            let said = trigger["reason"].as_str().or(trigger["disposition"].as_str()).unwrap_or_default();
            self.met.insert(format!("trigger {said}"));
        }
        ensure(marked == causes.len(), || format!("{} marks for {marked} triggers", causes.len()))
    }

    /// Nothing consequential is authoritative without a decision of the present owner on that very proposal.
    fn authorised(&mut self, before: Option<&Value>, after: &Value, entry: &Value) -> Result<(), String> {
        for decision in happenings(entry, "decision") {
            self.met.insert(format!("outcome {}", decision["outcome"].as_str().unwrap_or_default()));
            if let Some(fate) = decision["proposal"].as_str() {
                self.met.insert(format!("proposal {fate}"));
            }
        }
        for exception in after["exceptions"].as_array().into_iter().flatten() {
            self.met.insert(format!("exception {}", exception["kind"].as_str().unwrap_or_default()));
        }
        let Some(before) = before else { return Ok(()) };
        let decided: Vec<&Value> = happenings(entry, "answer")
            .filter(|answer| answer["result"] == "adopted" || answer["result"] == "declined")
            .collect();
        let packet = |number: &Value| self.version(number).map(|version| version["packet"].clone()).unwrap_or_default();
        let (was, is) = (packet(&before["authoritative"]), packet(&after["authoritative"]));
        let consequential = was["slot"] != is["slot"]
            || was["attendees"] != is["attendees"]
            || was["cancelled"] != is["cancelled"]
            || is["freeze_edge"] == true && was["freeze_edge"] != true;
        if consequential {
            let adopted = decided.iter().any(|answer| answer["result"] == "adopted");
            ensure(adopted, || format!("authoritative without a decision: {is} after {was}"))?;
            let pending = packet(&before["pending"]["version"]);
            let same = ["slot", "attendees", "freeze_edge", "cancelled"].iter().all(|name| pending[name] == is[name]);
            ensure(same, || format!("adopted was {pending}; authoritative is {is}"))?;
        }
        for answer in decided {
            let by = answer["by"].as_str().unwrap_or_default();
            let pending = &before["pending"];
            ensure(pending.is_object(), || "decided on what was not pending".to_owned())?;
            let content = packet(&pending["version"]);
            let may = self.decider(&was, &content);
            // An operator may in the owner's place, where a source of operators says so.
            let operator = answer["as_operator"] == true;
            let said = || self.operator_said(by, &answer["note"]);
            ensure(may.as_deref() == Some(by) || operator && said(), || format!("{by} decided; {may:?} may"))?;
            let named = format!("[{},{}]", pending["digest"], pending["first_version"]);
            let id = hex(&digest(&[b"proposal-id", named.as_bytes()]));
            ensure(answer["about"] == id, || format!("{by} decided on another proposal than the pending one"))?;
            let in_time = millis(&after["at"]) < millis(&pending["expires_at"]);
            ensure(in_time, || format!("{by} decided at {}, too late", after["at"]))?;
            let adopted = answer["result"] == "adopted";
            let sent = self
                .posted
                .iter()
                .any(|posted| posted.by.as_deref() == Some(by) && (posted.choice == "adopt") == adopted);
            ensure(sent || operator, || format!("{by} never sent that"))?;
            if operator {
                let told = &after["operator"]["decided"];
                ensure(told["by"] == by, || format!("{by} decided in the owner's place; HEAD says {told}"))?;
            }
        }
        Ok(())
    }

    /// Whether the newest word of operators about the review is theirs, for that reason.
    fn operator_said(&self, by: &str, reason: &Value) -> bool {
        let fact = self.fact(&format!("decision#{}", scene::REVIEW));
        let said = fact.map(|fact| &fact["body"]["decision"]);
        said.is_some_and(|said| said["by"] == by && said["reason"] == *reason)
    }

    /// The owner; where a proposal gives or takes their own seat, the alternate owner, unless it does so with theirs.
    pub(super) fn decider(&self, was: &Value, proposal: &Value) -> Option<String> {
        let change = self.fact(&format!("change#{}", scene::CHANGE))?;
        let owner = change["body"]["change"]["in_force"]["owner"].as_str()?;
        let apart = |person: &&str| {
            let seats = was["attendees"].as_object().into_iter().flatten();
            !seats.into_iter().any(|(role, old)| {
                let new = &proposal["attendees"][role];
                old != new && (old == person || new == person)
            })
        };
        let alternate = self.policy["alternate_owner"].as_str();
        Some(owner).filter(apart).or(alternate.filter(apart)).map(str::to_owned)
    }

    /// What an operator does in person is an operator's word: that somebody is mailed once more, in the entry of that very
    /// event; that the review is closed, in the words of the closure.
    fn acted_in_person(&mut self, after: &Value, entry: &Value) -> Result<(), String> {
        for answer in happenings(entry, "answer").filter(|answer| answer["action"] == "close") {
            let said = self.fact(&format!("closure#{}", self.id)).map(|fact| &fact["body"]["closure"]);
            let same = said.is_some_and(|said| said["by"] == answer["by"] && said["reason"] == answer["note"]);
            ensure(same, || format!("closed by {}; the closure says {said:?}", answer["by"]))?;
            self.met.insert("closed in person".to_owned());
        }
        for answer in happenings(entry, "answer").filter(|answer| answer["action"] == "resend") {
            let to = answer["to"].as_str().unwrap_or_default();
            let asked = happenings(entry, "trigger").any(|trigger| {
                trigger["source"] == "//operator.example.com" && trigger["subject"]["resend"] == json!([self.id, to])
            });
            ensure(asked, || format!("{to} is to be mailed once more, and no operator said so"))?;
            let result = answer["result"].as_str().unwrap_or_default();
            self.met.insert(format!("resend {result}"));
            let kept = result != "resent" || after["resends"][to].is_string();
            ensure(kept, || format!("{to} is to be mailed once more, and HEAD forgets it"))?;
            *self.resends.entry(to.to_owned()).or_default() += i64::from(result == "resent");
        }
        Ok(())
    }

    /// A changed TOLD is a notice in lineage and a mail that went out; whose view is the same was mailed nothing.
    fn notices(&mut self, entry: &Value, new: &[(String, String, Option<Item>)]) -> Result<(), String> {
        for notice in happenings(entry, "notice") {
            let (to, kind) = (notice["to"].as_str().unwrap_or_default(), notice["kind"].as_str().unwrap_or_default());
            let message_id = notice["message_id"].as_str().unwrap_or_default();
            self.met.insert(format!("notice {kind}"));
            let sent = self.mails.iter().any(|mail| mail.message_id == message_id && mail.to == to);
            ensure(sent, || format!("{to} counts as told by a mail that never went out"))?;
            ensure(self.told.insert(message_id.to_owned()), || format!("one mail told {to} twice"))?;
            let name = format!("TOLD#{to}");
            let written = new.iter().find(|(_, sk, _)| *sk == name);
            let (_, _, was) = written.ok_or_else(|| format!("{to} was told, and nothing says what"))?;
            let is = self.review(&name).map(|item| item.body.clone()).unwrap_or_default();
            ensure(is["message_id"] == message_id, || format!("{to}'s TOLD is of another mail"))?;
            let before = was.as_ref().map(|item| &item.body).filter(|body| body.is_object());
            let same = before.is_some_and(|before| before["view"] == is["view"]);
            let in_doubt = self.deaths > 0;
            // The end of a hold, and a new one, come beside the mail that carried the meeting.
            let hold = before.is_some_and(|before| before["hold"] != is["hold"]);
            let lost = was.as_ref().is_some_and(never_arrived);
            let again = ["reminder", "link", "resent"].contains(&kind) || in_doubt || hold && same || lost;
            if kind == "resent" {
                let left = self.resends.entry(to.to_owned()).or_default();
                *left -= 1;
                ensure(*left >= 0, || format!("{to} is mailed once more, and nobody asked for it"))?;
            }
            ensure(!same || again, || format!("{to} was told what they knew: {notice}"))?;
            let empty = notice["changes"].as_array().is_none_or(Vec::is_empty);
            ensure(!empty || again, || format!("{to} was told of no change: {notice}"))?;
            let ended = kind != "hold_ended" || same && empty && is["hold"].is_null();
            ensure(ended, || format!("{to}'s hold has ended, and the mail said more: {notice}"))?;
            self.says_more_than_carried(notice)?;
        }
        for (_, sk, was) in new.iter().filter(|(_, sk, _)| sk.starts_with("TOLD#")) {
            let is = self.review(sk).map(|item| &item.body["message_id"]);
            let was = was.as_ref().map(|item| &item.body["message_id"]);
            let known = is == was || is.and_then(Value::as_str).is_none_or(|id| self.told.contains(id));
            ensure(known, || format!("{sk} is of a mail that lineage does not know"))?;
        }
        Ok(())
    }

    /// Beside HEAD only claims and the mailer's reports come and go.
    fn told_alone(&self, new: &[(String, String, Option<Item>)]) -> Result<(), String> {
        for (_, sk, was) in new.iter().filter(|(_, sk, _)| sk.starts_with("TOLD#")) {
            let is = self.review(sk).map(|item| &item.bytes);
            let was = was.as_ref().map(|item| &item.bytes);
            let same = is == was || is.is_some_and(Vec::is_empty) && was.is_none();
            ensure(same, || format!("{sk} changed beside HEAD"))?;
        }
        Ok(())
    }

    /// A violated slot has a proposal or an exception beside it.
    fn open_or_legal(&self, after: &Value) -> Result<(), String> {
        let broken = after["today"]["violated"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let broken: Vec<&str> = broken.filter(|mark| is_violation(mark)).collect();
        let waits = after["pending"].is_object() || after["exceptions"].as_array().is_some_and(|all| !all.is_empty());
        let over = after["standing"] != "open";
        // A decision that declines is followed by the refresh that makes the next proposal.
        let issued = after["lineage"]["sequence"] == 1;
        ensure(broken.is_empty() || waits || over || issued, || format!("{broken:?}, and nobody is asked"))
    }
}

/// A fact is newer than the one it replaces, and of the same source.
/// The same fact with one more stale event counted. Five are enough to tell operators.
fn counts_stale(was: &Value, is: &Value) -> bool {
    let stale = |body: &Value| body["order"]["stale"].as_u64().unwrap_or(0);
    let rest = |body: &Value| {
        let mut rest = body.clone();
        rest.as_object_mut().map(|members| members.remove("order"));
        rest
    };
    rest(was) == rest(is) && stale(is) == stale(was) + 1 && stale(is) <= MOST_STALE
}

/// After so many stale events in a row a subject counts as silenced.
const MOST_STALE: u64 = 5;

fn fact(name: &str, was: Option<&Item>, is: &Item) -> Result<(), String> {
    let impostor = is.body["source"].as_str().is_some_and(|source| source.contains("impostor"));
    ensure(!impostor, || format!("{name} is of a source that nobody registered"))?;
    let Some(was) = was else { return Ok(()) };
    if counts_stale(&was.body, &is.body) || door::takes_over(&was.body, &is.body) {
        return Ok(());
    }
    // Whoever issued a review may close the review, and an operator may: neither holds the closure against the other.
    if is.body["subject"]["closure"].is_string() && was.body["source"] != is.body["source"] {
        return Ok(());
    }
    let revision = |item: &Item| item.body["revision"].as_u64();
    let newer = revision(was) < revision(is) && was.body["source"] == is.body["source"];
    ensure(newer, || format!("{name}: revision {:?} after {:?}", revision(is), revision(was)))
}

pub(super) fn happenings<'a>(entry: &'a Value, record: &'a str) -> impl Iterator<Item = &'a Value> {
    let all = entry["happenings"].as_array().into_iter().flatten();
    all.filter(move |happening| happening["record"] == record)
}
