//! A month on the virtual clock, once in one process and once as a machine has it: restarts at any moment, backups that the
//! engine goes on from, and a store that a release before this one left. Both end in the same state, with the same mails.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicI64},
};

use holdpoint::{
    embedded::TABLE,
    engine::{Engine, Settings, Storage, virtual_time::VirtualTime},
    queues::Outgoing,
    replay::scenario::{Action, Line, Visit},
};
use holdpoint_tests::{
    folder::Folder,
    served,
    world::{Aftermath, World, drive, patience},
};
use lambda_shell::clock::Clock;
use mail_parser::MessageParser;
use refresh_core::{
    Instant, Person, ReviewId,
    base::instant::{DAY, HOUR, MINUTE},
};
use serde_json::{Value, json};

use crate::events::{self, Group, Review, calendar};

/// A Monday.
const BEGIN: &str = "2026-11-02T00:00:00Z";
const QUIET_SECONDS: u32 = 120;
/// Reviews that share their two people.
const TOGETHER: usize = 4;
/// From a review's issue to the day on which it is held.
const AHEAD: i64 = 3;
const BACKUP_EVERY: i64 = 7;
const QUEUE: &str = "source-events";
/// Days after the last one for what is still to be made good.
const AFTERWARDS: i64 = 5;

#[derive(Clone, Copy)]
pub struct Size {
    pub reviews: usize,
    pub days: i64,
}

/// Where the engine keeps its store: nowhere, or in a folder of this number.
enum Home<'a> {
    Memory,
    Folder(&'a Path, usize),
}

struct Month<'a> {
    size: Size,
    home: Home<'a>,
    hand: Arc<AtomicI64>,
    /// `None` only while the engine is started anew.
    world: Option<World>,
    revisions: BTreeMap<String, u64>,
    interruptions: BTreeMap<&'static str, usize>,
}

pub fn play(size: Size) {
    let folder = Folder::new("month");
    let undisturbed = drive(async { Month::new(size, Home::Memory).await.played().await });
    let disturbed = drive(async { Month::new(size, Home::Folder(folder.path(), 0)).await.played().await });
    let (expected, _) = undisturbed;
    let (found, interruptions) = disturbed;
    println!("{} reviews, {} mails; interrupted by {interruptions:?}", expected.reviews.len(), total(&expected));
    assert_eq!(expected.reviews.len(), size.reviews);
    assert!(total(&expected) > size.reviews, "hardly anything happened");
    assert_eq!(found.differs_from(&expected, 0), None);
    for (to, letters) in &expected.letters {
        assert_eq!(said(&found.letters[to]), said(letters), "{to} reads the same");
    }
    for kind in ["backup", "restart", "upgrade"] {
        assert!(interruptions.contains_key(kind), "no {kind} interrupted this month");
    }
}

/// What letters say, in whatever order. Facts of one minute are decided together or one after the other, as it happens. So
/// another number of the version may stand in a mail and its links, and two causes may be named in another order.
fn said(letters: &BTreeSet<Vec<u8>>) -> Vec<String> {
    let of = |letter: &Vec<u8>| {
        let mail = MessageParser::default().parse(letter).expect("a mail");
        let subject = mail.subject().expect("a subject").to_owned();
        let text = mail.body_text(0).expect("a text").into_owned();
        let names_a_version = |line: &&str| line.contains("://") || line.contains(", version ");
        let lines = text.lines().filter(|line| !names_a_version(line)).map(|line| {
            let mut words: Vec<&str> = line.split_whitespace().collect();
            words.sort_unstable();
            words.join(" ")
        });
        std::iter::once(subject).chain(lines).collect::<Vec<_>>().join("\n")
    };
    let mut said: Vec<String> = letters.iter().map(of).collect();
    said.sort_unstable();
    said
}

fn total(end: &Aftermath) -> usize {
    end.mails.values().sum()
}

fn begin() -> Instant {
    Instant::parse(BEGIN).expect("an instant")
}

impl<'a> Month<'a> {
    async fn new(size: Size, home: Home<'a>) -> Self {
        let hand = Arc::new(AtomicI64::new(begin().millis()));
        let (world, revisions) = (None, BTreeMap::new());
        let mut month = Self { size, home, hand, world, revisions, interruptions: BTreeMap::new() };
        month.start().await;
        month
    }

    async fn start(&mut self) {
        let storage = match &self.home {
            Home::Memory => Storage::Memory,
            Home::Folder(folder, number) => Storage::File(store(folder, *number)),
        };
        let policy = events::policy(QUIET_SECONDS);
        if let Home::Folder(folder, number) = &self.home {
            // As `serve` keeps it, for the commands.
            std::fs::write(place(folder, *number).join("accepted-policy.json"), &policy).expect("a file");
        }
        let settings = Settings { storage, retries: Some(patience()), ..Settings::in_memory(policy) };
        let engine = Engine::open(settings, Clock::steered(self.hand.clone())).await.expect("the store opens");
        self.world = Some(World::of(VirtualTime::of(engine, self.hand.clone())));
    }

    fn world(&mut self) -> &mut World {
        self.world.as_mut().expect("an engine that runs")
    }

    fn engine(&self) -> &Engine {
        self.world.as_ref().expect("an engine that runs").engine()
    }

    fn reviews(&self) -> Vec<(i64, Review)> {
        let count = i64::try_from(self.size.reviews).expect("a few");
        let review = |number: i64| {
            let issued = number * self.size.days / count;
            let day = begin().plus_millis((issued + AHEAD) * DAY);
            let place = usize::try_from(number).expect("from 0");
            (issued, Review { number: place, group: Group(place / TOGETHER), day })
        };
        (0..count).map(review).collect()
    }

    async fn played(mut self) -> (Aftermath, BTreeMap<&'static str, usize>) {
        let groups = self.size.reviews.div_ceil(TOGETHER);
        let days = self.size.days + AHEAD + 1;
        let shared = (0..groups).flat_map(|group| Group(group).facts(begin(), days));
        let facts: Vec<Value> = shared.chain([events::no_freeze()]).collect();
        self.send(&facts).await;
        let reviews = self.reviews();
        for day in 0..self.size.days + AFTERWARDS {
            self.day(day, &reviews).await;
        }
        (self.world().aftermath().await.expect("every chain verifies"), self.interruptions)
    }

    async fn day(&mut self, day: i64, reviews: &[(i64, Review)]) {
        let midnight = begin().plus_millis(day * DAY);
        self.until(midnight.plus_millis(7 * HOUR)).await;
        for (_, review) in reviews.iter().filter(|(at, _)| *at == day) {
            self.send(&review.facts()).await;
            self.send(&[review.issue()]).await;
        }
        let open: Vec<&Review> = reviews
            .iter()
            .filter(|(at, review)| *at <= day && midnight < review.day)
            .map(|(_, review)| review)
            .collect();
        self.until(midnight.plus_millis(9 * HOUR)).await;
        for review in &open {
            let change = self.change(day, review);
            self.send(&[change]).await;
            if (day + review.number as i64) % 3 == 0 {
                self.restart().await;
            }
        }
        // In the quiet period: what is to be told waits on a queue.
        self.until(midnight.plus_millis(9 * HOUR + MINUTE)).await;
        self.restart().await;
        if day % BACKUP_EVERY == BACKUP_EVERY / 2 {
            self.go_on_from_a_backup().await;
        }
        if day == self.size.days / 2 {
            self.upgrade().await;
        }
        self.until(midnight.plus_millis(11 * HOUR)).await;
        for review in open {
            self.decide(day, review).await;
        }
    }

    /// Every other day the reviewer is busy in the slot, on others the evidence slips and comes back.
    fn change(&mut self, day: i64, review: &Review) -> Value {
        let odd = (day + review.number as i64) % 2 == 1;
        if review.number.is_multiple_of(2) {
            let revision = self.next(&format!("evidence {}", review.number));
            return review.evidence(revision, if odd { 16 } else { 13 });
        }
        let person = review.group.reviewer();
        let revision = self.next(&person);
        let busy = json!([{ "start": review.at(14), "end": review.at(17) }]);
        let busy = if odd { busy } else { json!([]) };
        calendar(&person, revision, begin(), self.size.days + AHEAD + 1, &busy)
    }

    /// The facts that a play begins with are of revision 1.
    fn next(&mut self, of: &str) -> u64 {
        let revision = self.revisions.entry(of.to_owned()).or_insert(1);
        *revision += 1;
        *revision
    }

    /// Two owners of three decide what they were asked.
    async fn decide(&mut self, day: i64, review: &Review) {
        let id = ReviewId::parse(&review.id()).expect("an id");
        let head = self.engine().store().head(&id).await.expect("a read").expect("the review is issued");
        if head.pending.is_none() || (day + review.number as i64) % 3 == 0 {
            return;
        }
        let person = Person::parse(&review.group.manager()).expect("an address");
        let visit = Visit { review: id, person, of_version: None };
        let at = self.world().time().now();
        let line = Line { number: review.number, at, action: Some(Action::Adopt(visit)) };
        self.world().act(&line).await.expect("an answer");
    }

    async fn until(&mut self, at: Instant) {
        self.world().until(at).await.expect("time goes on");
    }

    /// Accepted, and no more.
    async fn send(&mut self, events: &[Value]) {
        if events.is_empty() {
            return;
        }
        let outgoing = events.iter().map(|event| Outgoing { body: event.to_string(), ..Outgoing::default() }).collect();
        self.engine().queues().send_together(QUEUE, outgoing).await.expect("the queue takes it");
    }

    fn is_disturbed(&mut self, by: &'static str) -> bool {
        let disturbed = matches!(self.home, Home::Folder(..));
        if disturbed {
            *self.interruptions.entry(by).or_default() += 1;
        }
        disturbed
    }

    async fn restart(&mut self) {
        if self.is_disturbed("restart") {
            self.world = None;
            self.start().await;
        }
    }

    /// The machine is lost with all that is on it, and another one goes on from the backup.
    async fn go_on_from_a_backup(&mut self) {
        if !self.is_disturbed("backup") {
            return;
        }
        let Home::Folder(folder, number) = &mut self.home else { return };
        let (from, to) = (place(folder, *number), place(folder, *number + 1));
        let file = folder.join(format!("backup-{number}.tar"));
        *number += 1;
        // While the engine has the store open.
        served::holdpoint(&["backup", text(&file), "--data", text(&from)]);
        self.world = None;
        std::fs::remove_dir_all(&from).expect("the machine is lost");
        served::holdpoint(&["restore", text(&file), "--data", text(&to)]);
        self.start().await;
    }

    async fn upgrade(&mut self) {
        if self.is_disturbed("upgrade") {
            as_a_former_release(self.engine()).await.expect("the former shape");
            self.world = None;
            self.start().await;
        }
    }
}

fn place(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("machine-{number}"))
}

fn store(folder: &Path, number: usize) -> PathBuf {
    let place = place(folder, number);
    std::fs::create_dir_all(&place).expect("a folder");
    place.join("store.sqlite")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Leaves the store as the first releases did: messages and mails as items of the embedded store, no index of what came in,
/// no mark of a schema. `infra/local/tests/older_stores.rs` has stores that later releases wrote themselves.
async fn as_a_former_release(engine: &Engine) -> Result<(), String> {
    let queues = engine.queues();
    let messages = queues.names().into_iter().map(|queue| {
        let found = queues.look(&queue).map_err(|refusal| refusal.to_string())?;
        Ok(found.into_iter().map(move |message| (queue.clone(), message.sequence, json!(message))).collect())
    });
    let messages: Vec<Vec<(String, u64, Value)>> = messages.collect::<Result<_, String>>()?;
    let mails = engine.mailbox().all();
    let mails = mails.iter().map(|mail| ("mail".to_owned(), mail.number, json!(mail))).collect();
    former_table(engine, "holdpoint-queues", messages.concat()).await?;
    former_table(engine, "holdpoint-mailbox", mails).await?;
    let emptied = engine.embedded().own().transact(|transaction| {
        transaction.execute_batch(
            "DROP TABLE mail; DROP TABLE outgoing; DROP TABLE mail_reports; DROP TABLE own_keys; DROP TABLE messages;
             DROP TABLE removed;
             PRAGMA user_version = 0;",
        )
    });
    emptied.await?;
    let gone = json!({ "TableName": TABLE, "GlobalSecondaryIndexUpdates": [{ "Delete": { "IndexName": "seen" } }] });
    engine.embedded().ask("UpdateTable", gone).await.map(drop)
}

/// Rows by partition, number and content.
async fn former_table(engine: &Engine, name: &str, rows: Vec<(String, u64, Value)>) -> Result<(), String> {
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let definition = json!({
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")], "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [attribute("pk"), attribute("sk")],
    });
    engine.embedded().ensure_table(name, &definition).await?;
    for (partition, number, body) in rows {
        let item = json!({
            "pk": { "S": partition }, "sk": { "S": format!("{number:020}") }, "body": { "S": body.to_string() },
        });
        engine.embedded().ask("PutItem", json!({ "TableName": name, "Item": item })).await?;
    }
    Ok(())
}
