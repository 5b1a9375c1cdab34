//! The auditor. It reads what is stored and mailed by its own hands and shares no code with the core, the store or the
//! presentation; what it holds against them are the sentences of the rules.
//!
//! | when | what | where |
//! |---|---|---|
//! | after every write | one authoritative version, chain, triggers, decisions, sequences, told people | [`steps`] |
//! | at every mail | who it is for, what stands in it, calendars that never go back | [`mails`] |
//! | after every write, and once all is quiet | whom several reviews seat | [`seats`] |
//! | after every write | answers by mail: their sender's own, who was proven | [`heard`] |
//! | after every write | the door: in time, of whoever holds the subject, a UID to one review | [`door`] |
//! | after every write, and once all is quiet | time to decide, deadlines by day, the last reminder | [`deciding`] |
//! | once all is quiet | newest facts, every trigger, what everybody was told, calendars, the choice itself | [`quiet`], [`views`], [`calendars`], [`choice`] |

mod calendars;
mod carried;
mod choice;
mod deciding;
mod door;
mod heard;
mod items;
mod mails;
mod quiet;
mod seats;
mod steps;
mod views;

use std::collections::{BTreeMap, BTreeSet};

use holdpoint::{embedded::Embedded, mailbox::Mail, queues::Queues};
pub use items::{Item, body_of, bytes_of, digest, hex, seal_of};
use serde_json::{Value, json};

use crate::{heard::SentReply, people::Answered, scene::Scene};

type Key = (String, String);

/// An auditor a review. Each knows everything that is stored, and judges one.
pub struct Audits {
    all: Vec<Audit>,
    mails: usize,
}

impl Audits {
    pub fn new(scene: &Scene) -> Self {
        Self { all: scene.reviews.iter().map(|id| Audit::new(scene, id)).collect(), mails: 0 }
    }

    pub fn met(&self) -> BTreeSet<String> {
        self.all.iter().flat_map(Audit::met).collect()
    }

    pub fn said(&mut self, event: &Value) {
        self.all.iter_mut().for_each(|audit| audit.said(event));
    }

    /// A process ended, or a call of it failed: a mail may be in doubt.
    pub fn died(&mut self) {
        self.all.iter_mut().for_each(Audit::died);
    }

    pub fn posted(&mut self, posted: &Posted) {
        self.all.iter_mut().for_each(|audit| audit.posted(posted.clone()));
    }

    pub fn replied(&mut self, reply: &SentReply) {
        self.all.iter_mut().for_each(|audit| audit.replies.push(reply.clone()));
    }

    pub fn answered(&mut self, answered: &Answered) {
        self.all.iter_mut().for_each(|audit| audit.answered(answered));
    }

    pub fn failed(&mut self, why: &str) -> Result<(), String> {
        self.all.iter_mut().try_for_each(|audit| audit.failed(why))
    }

    /// When time alone next changes something in any review.
    pub fn due_at(&self) -> Option<i64> {
        self.all.iter().filter_map(Audit::due_at).min()
    }

    /// When the next adopter is reminded before their proposal lapses.
    pub fn reminder_due(&self) -> Option<i64> {
        self.all.iter().filter_map(Audit::reminder_due).min()
    }

    /// The end of the last quiet period that runs.
    pub fn quiet_until(&self) -> Option<i64> {
        self.all.iter().filter_map(Audit::quiet_until).max()
    }

    pub async fn wrote(
        &mut self,
        store: &Embedded,
        table: &str,
        keys: Vec<Key>,
        looks_only: bool,
        now: i64,
    ) -> Result<(), String> {
        for audit in &mut self.all {
            audit.now = now;
            audit.wrote(store, table, keys.clone(), looks_only).await?;
        }
        Ok(())
    }

    pub const fn mails_seen(&self) -> usize {
        self.mails
    }

    /// Each mail is about one review, as its tag says.
    pub fn mailed(&mut self, mail: &Mail) -> Result<(), String> {
        self.mails += 1;
        let about = mail.tags.iter().find(|(name, _)| name == "review").map(|(_, review)| review.as_str());
        let audit = self.all.iter_mut().find(|audit| Some(audit.id.as_str()) == about);
        audit.ok_or_else(|| format!("a mail about {about:?}"))?.mailed(mail)
    }

    pub async fn quiet(&mut self, store: &Embedded, queues: &Queues, now: i64) -> Result<(), String> {
        for audit in &mut self.all {
            audit.quiet(store, queues, now).await?;
        }
        seats::apart(&self.all, now)
    }
}

/// What somebody sent from a page.
#[derive(Clone)]
pub struct Posted {
    /// Whom the link was mailed to.
    pub by: Option<String>,
    pub choice: String,
}

/// One event as it was said.
struct Said {
    source: String,
    id: String,
    subject: Value,
    revision: u64,
    /// Of evidence: when it says that it is ready.
    ready_at: Option<i64>,
    /// Of evidence: whether that is past, as it says.
    is_ready: bool,
    /// When it was said the review was open and had asked to hear of this.
    awaited: bool,
}

/// A mail as the mailer took it.
struct Mailed {
    message_id: String,
    to: String,
}

pub struct Audit {
    /// The review that is judged. Of others only what they wrote of seats is looked at.
    id: String,
    policy: Value,
    /// What the review is issued with.
    issued: Value,
    items: BTreeMap<Key, Item>,
    said: Vec<Said>,
    posted: Vec<Posted>,
    /// What came by mail.
    replies: Vec<SentReply>,
    mails: Vec<Mailed>,
    /// Each mail as it left, and to whom.
    letters: Vec<(String, Vec<u8>)>,
    /// How often a process ended, or a call of it failed.
    deaths: usize,
    /// Who was told what, by lineage: message ids.
    told: BTreeSet<String>,
    /// Every trigger in lineage.
    triggers: BTreeSet<String>,
    /// The sequence each person last saw of each calendar object.
    calendars: BTreeMap<(String, String), u64>,
    /// Who has the hold in their calendar, by what they were mailed.
    holding: BTreeSet<String>,
    /// How often an operator asked that somebody is mailed once more, less the mails that went out for it.
    resends: BTreeMap<String, i64>,
    /// Who ever was owner, asked to decide, or release manager: they may be told of what they knew then.
    knew_all: BTreeSet<String>,
    /// How often who was reminded in the last while before a proposal lapses, by person, proposal and when they were asked.
    last_reminders: BTreeMap<String, usize>,
    met: BTreeSet<String>,
    /// The right time.
    now: i64,
}

impl Audit {
    fn new(scene: &Scene, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            policy: scene.policy["defaults"].clone(),
            issued: issued(scene, id),
            items: BTreeMap::new(),
            said: Vec::new(),
            posted: Vec::new(),
            replies: Vec::new(),
            mails: Vec::new(),
            letters: Vec::new(),
            deaths: 0,
            told: BTreeSet::new(),
            triggers: BTreeSet::new(),
            calendars: BTreeMap::new(),
            holding: BTreeSet::new(),
            resends: BTreeMap::new(),
            knew_all: BTreeSet::new(),
            last_reminders: BTreeMap::new(),
            met: BTreeSet::new(),
            now: 0,
        }
    }

    /// What this schedule met.
    pub fn met(&self) -> BTreeSet<String> {
        self.met.clone()
    }

    fn review(&self, sort: &str) -> Option<&Item> {
        self.items.get(&(format!("REVIEW#{}", self.id), sort.to_owned()))
    }

    fn head(&self) -> Option<&Value> {
        self.review("HEAD").map(|item| &item.body)
    }

    fn version(&self, number: &Value) -> Option<&Value> {
        self.review(&format!("VERSION#{:010}", number.as_u64()?)).map(|item| &item.body)
    }

    fn fact(&self, subject: &str) -> Option<&Value> {
        self.items.get(&(format!("FACT#{subject}"), "FACT".to_owned())).map(|item| &item.body)
    }

    pub fn said(&mut self, event: &Value) {
        let data = &event["data"];
        let kind = event["type"].as_str().unwrap_or_default();
        let kind = kind.trim_start_matches("dev.holdpoint.").trim_end_matches(".v1");
        // That somebody is to be mailed once more is no fact: the lineage says what comes of it.
        if kind == "resend.requested" {
            return;
        }
        let subject = match kind {
            "review.issued" => json!({ "review": data["review_id"] }),
            "review.closed" => json!({ "closure": data["review_id"] }),
            "proposal.decided" => json!({ "decision": data["review_id"] }),
            "change.updated" => json!({ "change": data["change_id"] }),
            "delegation.updated" => json!({ "delegation": [data["service"], data["role"]] }),
            "availability.updated" => json!({ "availability": [data["person"], data["kind"]] }),
            "evidence.updated" => json!({ "evidence": [data["change_id"], data["checkpoint"]] }),
            "freeze.updated" => json!({ "freeze": data["calendar"] }),
            _ => json!({ "person": data["person"] }),
        };
        let open = self.head().is_some_and(|head| head["standing"] == "open");
        let asked = self.review("SUBJECTS").and_then(|item| item.body.as_array());
        let awaited = open && asked.is_some_and(|subjects| subjects.contains(&subject));
        self.said.push(Said {
            source: event["source"].as_str().unwrap_or_default().to_owned(),
            id: event["id"].as_str().unwrap_or_default().to_owned(),
            revision: data["revision"].as_u64().unwrap_or_default(),
            ready_at: millis(&data["ready_at"]),
            is_ready: data["status"] == "ready",
            subject,
            awaited,
        });
    }

    /// A process ended, or a call of it failed: a mail may be in doubt.
    pub const fn died(&mut self) {
        self.deaths += 1;
    }

    pub fn posted(&mut self, posted: Posted) {
        self.posted.push(posted);
    }

    pub fn answered(&mut self, answered: &Answered) {
        if let Some(result) = &answered.result {
            self.met.insert(format!("answer {result}"));
        }
    }

    /// A message that fails comes again; what is stored being damaged is nothing that another try mends.
    pub fn failed(&mut self, why: &str) -> Result<(), String> {
        self.met.insert("failure".to_owned());
        if why.contains("damaged") || why.contains("panicked") { Err(why.to_owned()) } else { Ok(()) }
    }

    /// When time alone next changes something, by the index.
    pub fn due_at(&self) -> Option<i64> {
        self.review("HEAD")?.number("due_at")
    }

    /// The end of a quiet period, if one runs.
    pub fn quiet_until(&self) -> Option<i64> {
        millis(&self.head()?["quiet_until"])
    }

    /// Reads anew what a call may have changed, and judges the change as one step.
    pub async fn wrote(
        &mut self,
        store: &Embedded,
        table: &str,
        keys: Vec<Key>,
        looks_only: bool,
    ) -> Result<(), String> {
        let mut changed = BTreeMap::new();
        for (pk, sk) in keys {
            let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
            let read = json!({ "TableName": table, "ConsistentRead": true, "Key": key });
            let answer = store.ask("GetItem", read).await?;
            let now = if answer["Item"].is_object() { Some(Item::read(answer["Item"].clone())?) } else { None };
            let key = (pk, sk);
            if self.items.get(&key) != now.as_ref() {
                changed.insert(key, now);
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        if looks_only {
            return Err(format!("looking at a page changed {:?}", changed.keys().collect::<Vec<_>>()));
        }
        self.step(changed)
    }
}

/// The members of the review's first issue; null where the scene has none.
fn issued(scene: &Scene, id: &str) -> Value {
    let data = scene.setup.iter().chain(&scene.changes).map(|event| &event.body["data"]);
    data.into_iter().find(|data| data["review_id"] == id && data["slot"].is_object()).cloned().unwrap_or_default()
}

/// Whether a mark breaks a rule, and is no remark.
fn is_violation(mark: &str) -> bool {
    !["unproven", "overdue", "change_in_flux"].iter().any(|word| mark.starts_with(word))
}

/// What is said of it where it does not hold.
fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Milliseconds since 1970 of an instant as JSON has it.
fn millis(instant: &Value) -> Option<i64> {
    let parsed = chrono::DateTime::parse_from_rfc3339(instant.as_str()?).ok()?;
    Some(parsed.timestamp_millis())
}
