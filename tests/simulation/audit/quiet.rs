//! Once all is quiet: nothing is stuck, the newest facts are there, every trigger was counted, everybody knows what is,
//! and the packet is what the rules make of the newest facts.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint::{
    embedded::{Embedded, TABLE},
    queues::Queues,
};
use serde_json::{Value, json};

use super::{Audit, Item, Said, ensure, millis, steps::happenings};
use crate::scene::NEXT_CALENDARS;

/// What a process that dies may have mailed and not noted: the mails of one group. The auditor has the number from the rules, and
/// not from the code that it judges.
const MAILS_IN_FLIGHT: usize = 8;

impl Audit {
    pub async fn quiet(&mut self, store: &Embedded, queues: &Queues, now: i64) -> Result<(), String> {
        self.nothing_stuck(queues, now)?;
        self.nothing_beside(store).await?;
        self.newest_facts()?;
        self.every_trigger()?;
        let Some(head) = self.head().cloned() else {
            let issued = |said: &Said| said.subject["review"] == self.id.as_str() && !self.became(said, "uid_in_use");
            let issued = self.said.iter().any(issued);
            return ensure(!issued, || "the review was issued, and is lost".to_owned());
        };
        self.mails_are_known()?;
        let over = head["standing"] != "open" || millis(&head["starts_at"]) <= Some(now);
        ensure(over || millis(&head["check_at"]) > Some(now), || format!("due since {}, at {now}", head["check_at"]))?;
        let due = millis(&head["notices_at"]).filter(|at| *at <= now);
        ensure(due.is_none(), || format!("notices are due since {}", head["notices_at"]))?;
        self.everybody_knows(&head)?;
        let left = head["resends"].as_object().into_iter().flatten().find(|(person, _)| !self.withheld(person));
        ensure(left.is_none() || over, || format!("to be mailed once more for ever: {left:?}"))?;
        self.no_hold_is_left(&head)?;
        self.calendars_follow(&head)?;
        self.seats_fit(&head)?;
        if head["standing"] != "open" {
            self.nothing_left(&head)?;
        }
        if over {
            return Ok(());
        }
        self.reminded_in_time(&head, now)?;
        self.right_choice(&head, now)
    }

    fn nothing_stuck(&self, queues: &Queues, now: i64) -> Result<(), String> {
        for name in queues.names() {
            let waiting = queues.look(&name).map_err(|refusal| refusal.to_string())?;
            // What is delayed for a later instant, a reminder's, waits by right.
            if let Some(one) = waiting.iter().find(|one| one.visible_at <= now || one.receives > 0) {
                return Err(format!("stuck on {name}: {} {:?}", one.body, one.failure));
            }
        }
        // Who looked before another told everybody, and died with a claim, leaves one that nothing is due for. Its lease ends.
        let held = |item: &Item| {
            let until = item.attributes["claim_until"]["N"].as_str().and_then(|until| until.parse().ok());
            item.attributes.get("claim_by").is_some() && (self.deaths == 0 || until > Some(now))
        };
        let claimed = self.items.iter().find(|(_, item)| held(item));
        ensure(claimed.is_none(), || format!("claimed for ever: {:?}", claimed.map(|(key, _)| key)))
    }

    /// Of a review that ended: no fact looks it up for ever, and nothing is due.
    fn nothing_left(&self, head: &Value) -> Result<(), String> {
        ensure(head["check_at"].is_null(), || format!("it has ended, and is due since {}", head["check_at"]))?;
        let depends = |(pk, sk): &(String, String)| {
            pk.starts_with("SUBJECT#") && !pk.starts_with("SUBJECT#link#") && *sk == format!("REVIEW#{}", self.id)
        };
        let kept = self.items.iter().find(|(key, item)| depends(key) && item.attributes.get("expires_at").is_none());
        ensure(kept.is_none(), || format!("it has ended, and is looked up for ever: {:?}", kept.map(|(key, _)| key)))
    }

    /// What was read step by step is all there is.
    async fn nothing_beside(&self, store: &Embedded) -> Result<(), String> {
        let mut found = BTreeSet::new();
        for attributes in store.scan(TABLE).await? {
            let item = Item::read(attributes)?;
            let key = |name: &str| item.attributes[name]["S"].as_str().unwrap_or_default().to_owned();
            let key = (key("pk"), key("sk"));
            ensure(self.items.get(&key) == Some(&item), || format!("{key:?} changed behind every call"))?;
            found.insert(key);
        }
        ensure(found.len() == self.items.len(), || "something stored is gone".to_owned())
    }

    /// Of each subject the newest that its own source said.
    fn newest_facts(&self) -> Result<(), String> {
        let mut newest: BTreeMap<String, (u64, &Value)> = BTreeMap::new();
        for said in &self.said {
            // An id counts once, for what came first under it; what was said by nobody's authority never counts.
            let first = self.came_first(said);
            let counts_for_nothing =
                ["held_by_another_source", "uid_in_use", "unknown_subject"].iter().any(|why| self.became(said, why));
            if !first || said.source.contains("impostor") || self.was_never_in_force(said) || counts_for_nothing {
                continue;
            }
            // Whose mailbox has moved is spoken of by the next system alone.
            let moved = |other: &Said| other.source == NEXT_CALENDARS && other.subject == said.subject;
            if said.source != NEXT_CALENDARS && self.said.iter().any(moved) {
                continue;
            }
            let entry = newest.entry(said.subject.to_string()).or_insert((said.revision, &said.subject));
            entry.0 = entry.0.max(said.revision);
        }
        for (revision, subject) in newest.values() {
            let known = self
                .items
                .values()
                .find(|item| item.attributes["sk"]["S"] == "FACT" && item.body["subject"] == **subject);
            let found = known.and_then(|item| item.body["revision"].as_u64());
            let closed_before_issue = subject["closure"].is_string();
            ensure(found == Some(*revision) || closed_before_issue, || {
                format!("{subject}: revision {revision} was said, {found:?} is known")
            })?;
        }
        Ok(())
    }

    /// Whether it, and nothing else, was accepted under its id. What is known nowhere would have been.
    fn came_first(&self, said: &Said) -> bool {
        self.events(said).next().is_none_or(|event| {
            event["subject"] == said.subject && event["revision"].as_u64().is_none_or(|known| known == said.revision)
        })
    }

    /// What is kept of the event that came first under its id.
    fn events<'a>(&'a self, said: &'a Said) -> impl Iterator<Item = &'a Value> {
        let of = |item: &&Item| {
            item.attributes["sk"]["S"] == "EVENT"
                && item.body["id"] == said.id.as_str()
                && item.body["source"] == said.source.as_str()
        };
        self.items.values().filter(of).map(|item| &item.body)
    }

    /// A change that was never approved is not in force, whatever else is said of it; nor is evidence that was ready more
    /// than five minutes after it came.
    fn was_never_in_force(&self, said: &Said) -> bool {
        const AHEAD: i64 = 5 * 60_000;
        self.events(said).any(|event| match event["reason"].as_str() {
            Some("not_in_force") => true,
            Some("in_the_future") => {
                millis(&event["at"]).zip(said.ready_at).is_some_and(|(at, ready)| at + AHEAD < ready)
            }
            _ => false,
        })
    }

    /// Whether the event was recorded as ignored for that reason.
    fn became(&self, said: &Said, reason: &str) -> bool {
        self.events(said).any(|event| event["reason"] == reason)
    }

    /// The review was issued with what was first accepted by then: said again, that decides nothing.
    fn came_before_issue(&self, said: &Said) -> bool {
        let Some(issued) = self.review("LINEAGE#0000000001").and_then(|entry| millis(&entry.body["at"])) else {
            return false;
        };
        self.events(said).any(|event| millis(&event["at"]).is_some_and(|accepted| accepted <= issued))
    }

    /// What the review had asked to hear of, and was said while it was open.
    fn every_trigger(&self) -> Result<(), String> {
        let over = self.head().is_some_and(|head| head["standing"] != "open");
        for said in self.said.iter().filter(|said| said.awaited && !over) {
            let counted = self.triggers.iter().any(|known| {
                let known: Value = serde_json::from_str(known).unwrap_or_default();
                known[0] == said.source.as_str() && known[1] == said.id.as_str()
            });
            ensure(counted || self.came_before_issue(said), || {
                format!("said, and never counted: {} of {}", said.id, said.source)
            })?;
        }
        Ok(())
    }

    /// Every mail is in lineage, but those that may have been in doubt: at each death those that were sent together.
    fn mails_are_known(&self) -> Result<(), String> {
        let unknown: Vec<&str> = self
            .mails
            .iter()
            .filter(|mail| !self.told.contains(&mail.message_id))
            .map(|mail| mail.to.as_str())
            .collect();
        ensure(unknown.len() <= self.deaths * MAILS_IN_FLIGHT, || {
            format!("mails that nothing knows of, to {unknown:?}")
        })?;
        let own = format!("REVIEW#{}", self.id);
        let entries = self.items.iter().filter(|((pk, sk), _)| *pk == own && sk.starts_with("LINEAGE#"));
        let notices = entries.flat_map(|(_, item)| happenings(&item.body, "notice")).count();
        ensure(notices == self.told.len(), || "notices of lineage are gone".to_owned())
    }

    fn everybody_knows(&self, head: &Value) -> Result<(), String> {
        for person in self.audience(head) {
            // What they are owed stays owed.
            if self.withheld(&person) {
                continue;
            }
            let now = in_one_order(self.view(head, &person));
            let told = self.with_carried(head, in_one_order(self.told_view(head, &person)), &now);
            ensure(now == told, || format!("{person} was told\n  {told}\nand it is\n  {now}"))?;
        }
        Ok(())
    }

    /// Who has the hold in their calendar is on it still. What became of a mail that was refused or came back is not known.
    fn no_hold_is_left(&self, head: &Value) -> Result<(), String> {
        let unreached = head["unreachable"].as_array().map_or(0, Vec::len) > 0;
        let on_it = |person: &String| {
            head["hold"]["entry"]["people"].as_array().is_some_and(|all| all.contains(&json!(person)))
        };
        let left = self.holding.iter().find(|person| !on_it(person)).filter(|_| !unreached);
        ensure(left.is_none(), || format!("{left:?} has a hold that has ended"))
    }

    pub(super) fn withheld(&self, person: &str) -> bool {
        let known = self.head().and_then(|head| head["unreachable"].as_array());
        known.is_some_and(|all| all.iter().any(|one| one["person"] == person && one["reach"] == "withheld"))
    }

    /// What they were told last; who was never mailed was told what the review was issued with.
    fn told_view(&self, head: &Value, person: &str) -> Value {
        let told = self.review(&format!("TOLD#{person}")).map(|item| &item.body).filter(|body| body.is_object());
        told.map_or_else(|| self.issued_view(head, person), |told| with_all(&told["view"]))
    }
}

/// The rules of an exception are a set, whatever order they are kept in.
fn in_one_order(mut view: Value) -> Value {
    for exception in view["exceptions"].as_array_mut().into_iter().flatten() {
        if let Some(rules) = exception["rules"].as_array_mut() {
            rules.sort_by_key(Value::to_string);
        }
    }
    view
}

/// A view with every member, absent ones as null or empty: so that two ways of saying nothing are one.
pub(super) fn with_all(view: &Value) -> Value {
    let mut all = json!({
        "slot": null, "roles": [], "standing": null, "attendance": null, "decides": null, "roster": {},
        "checkpoints": {}, "window": null, "cutover": null, "freeze_edge": null, "violated": [], "exceptions": [],
        "conflicts": {}, "conflicts_proposed": {}, "contact": false, "operator": null, "asks_again": null,
    });
    for (name, value) in view.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    all
}
