//! A bundle on a virtual clock whose processes may die: what it is played goes on as the cloud would, messages come
//! again, people try again, and in the end it is looked at as a whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};
use holdpoint::{
    embedded::TABLE,
    engine::{Engine, Settings, virtual_time::VirtualTime},
    replay::{
        Player, Record, Records, Scenario, What,
        scenario::{Action, Line},
    },
};
use packet_store::Store;
use refresh_core::{
    Instant, Person,
    audience::deadlines,
    base::instant::MINUTE,
    record::{
        lineage::{Happening, verify},
        review::Head,
    },
};
use serde_json::{Value, json};

/// Unoptimised, the SDK's nested polls need more than the two megabytes of a test's thread.
pub const STACK: usize = 32 << 20;

/// Attempts of one SDK call, so few that a fault over both of them reaches the function.
pub const ATTEMPTS: usize = 2;
/// How often somebody, or the schedule, tries again what did not get through.
const TRIES: usize = 8;

/// Runs `work` where it has room, and hands its panic on.
pub fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let ended = thread.expect("a thread").join();
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Drives one future on this thread.
pub fn drive<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// How the SDK's clients of every world wait: attempts as in production's spirit, pauses of a millisecond, and no clock
/// that a slow machine could run into.
pub fn patience() -> (TimeoutConfig, RetryConfig) {
    let retries = RetryConfig::standard()
        .with_max_attempts(u32::try_from(ATTEMPTS).unwrap_or(1))
        .with_initial_backoff(Duration::from_millis(1))
        .with_max_backoff(Duration::from_millis(1));
    (TimeoutConfig::builder().operation_timeout(Duration::from_secs(300)).build(), retries)
}

pub struct World {
    player: Player,
    line: Arc<AtomicUsize>,
}

impl World {
    pub async fn open(policy: &str, at: Instant) -> Result<Self, String> {
        let settings = Settings { retries: Some(patience()), ..Settings::in_memory(policy) };
        Ok(Self::of(VirtualTime::open(settings, at).await?))
    }

    pub fn of(time: VirtualTime) -> Self {
        Self { player: Player::of(time), line: Arc::default() }
    }

    /// How many lines of the scenario have begun: what is called from now on belongs to the last of them.
    pub fn line(&self) -> Arc<AtomicUsize> {
        self.line.clone()
    }

    pub const fn time(&self) -> &VirtualTime {
        self.player.time()
    }

    pub const fn engine(&self) -> &Engine {
        self.time().engine()
    }

    /// The whole scenario, and then `after` minutes for what is still to be made good.
    pub async fn play(&mut self, scenario: &Scenario, after: i64) -> Result<(), String> {
        for line in &scenario.lines {
            self.until(line.at).await?;
            self.line.fetch_add(1, Ordering::SeqCst);
            self.act(line).await?;
        }
        let end = scenario.lines.last().map_or(self.time().now(), |line| line.at);
        self.until(end.plus_millis(after * MINUTE)).await
    }

    /// Lets time go on; a tick that failed is followed by the next one. Time that has passed does not come again.
    pub async fn until(&mut self, at: Instant) -> Result<(), String> {
        let at = at.max(self.time().now());
        let mut why = String::new();
        for _ in 0..TRIES {
            match self.player.until(at).await {
                Ok(_) => return Ok(()),
                Err(failed) => why = failed,
            }
        }
        Err(format!("{TRIES} times: {why}"))
    }

    async fn act_once(&mut self, line: &Line) -> Result<(), String> {
        self.player.act(line).await.map_err(|failed| failed.to_string()).and_then(handed_on)
    }

    /// One line. An event is on its queue whatever happens next; a person who got no answer tries again.
    pub async fn act(&mut self, line: &Line) -> Result<(), String> {
        let mut why = match self.act_once(line).await {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        if matches!(line.action, None | Some(Action::Send(_) | Action::SendNative(_) | Action::Reply(_))) {
            return self.until(line.at).await;
        }
        for _ in 0..TRIES {
            // The schedule asks a system again a minute later; who died holds the claim for a while.
            if matches!(line.action, Some(Action::Poll(_))) {
                self.until(self.time().now().plus_minutes(1)).await?;
            }
            match self.act_once(line).await {
                Ok(()) => return Ok(()),
                Err(failed) => why = failed,
            }
        }
        Err(format!("line {}: {TRIES} times: {why}", line.number))
    }

    pub async fn aftermath(&self) -> Result<Aftermath, String> {
        Aftermath::of(self.engine()).await
    }
}

/// A system's answer that the queue did not take is asked for again, as the schedule does.
fn handed_on(records: Records) -> Result<(), String> {
    let lost = |record: &Record| matches!(&record.what, What::Poll(poll) if poll.result == "not_handed_on");
    if records.iter().any(lost) { Err("an answer was not handed on".to_owned()) } else { Ok(()) }
}

/// How a world was left: what has to be the same whatever went wrong on the way.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Aftermath {
    /// By review: packets, what everybody was told, who owes an answer, every trigger.
    pub reviews: BTreeMap<String, Value>,
    /// By review and person: what lineage says they were mailed, in order.
    pub notices: BTreeMap<String, Vec<String>>,
    /// How many messages the mailer took for each person.
    pub mails: BTreeMap<String, usize>,
    /// The bytes of those messages: one that was sent twice stands here once.
    pub letters: BTreeMap<String, BTreeSet<Vec<u8>>>,
    /// What else is in the table once something followed a commit or a put: each dependency and whether it expires, each
    /// event and what became of it.
    pub followed: BTreeMap<String, String>,
    /// What is on no queue and in no claim any more is not stuck.
    pub stuck: Vec<String>,
}

/// Of an item that something follows: its key, and whether that was done.
fn follows(item: &Value) -> Option<(String, String)> {
    let (partition, sort) = (item["pk"]["S"].as_str()?, item["sk"]["S"].as_str()?);
    let done = match partition.split('#').next()? {
        "SUBJECT" => if item["expires_at"].is_object() { "expires" } else { "stays" }.to_owned(),
        "EVENT" => {
            let record: Value = serde_json::from_str(item["body"]["S"].as_str()?).ok()?;
            format!("{} {}", record["disposition"], record["reason"])
        }
        _ => return None,
    };
    Some((format!("{partition} / {sort}"), done))
}

impl Aftermath {
    pub async fn of(engine: &Engine) -> Result<Self, String> {
        let mut found = Self::default();
        for head in
            engine.store().reviews().await.and_then(packet_store::Several::whole).map_err(|error| error.to_string())?
        {
            found.look(engine.store(), &head).await?;
        }
        found.followed.extend(engine.embedded().scan(TABLE).await?.iter().filter_map(follows));
        for mail in engine.mailbox().all() {
            for to in mail.to {
                found.letters.entry(to.clone()).or_default().insert(mail.raw.clone());
                *found.mails.entry(to).or_default() += 1;
            }
        }
        for name in engine.queues().names() {
            let left = engine.queues().look(&name).map_err(|refusal| refusal.to_string())?;
            found.stuck.extend(left.iter().map(|one| format!("on {name}: {} {:?}", one.body, one.failure)));
        }
        Ok(found)
    }

    async fn look(&mut self, store: &Store, head: &Head) -> Result<(), String> {
        let review = &head.review;
        let told_by = |error: packet_store::StoreError| error.to_string();
        let version = store.version(review, head.authoritative).await.map_err(told_by)?;
        let version = version.ok_or_else(|| format!("{review}: no version {}", head.authoritative))?;
        let entries = store.lineage(review, 1).await.map_err(told_by)?;
        verify(&entries, &head.lineage)
            .map_err(|misfit| format!("{review}: lineage entry {:?}: {}", misfit.sequence, misfit.because))?;
        let mut triggers: Vec<String> = Vec::new();
        for happening in entries.iter().flat_map(|entry| &entry.happenings) {
            match happening {
                Happening::Trigger(trigger) => triggers.push(json!(trigger).to_string()),
                Happening::Notice { to, kind, .. } => {
                    self.notices.entry(format!("{review} {to}")).or_default().push(kind.word().to_owned());
                }
                _ => {}
            }
        }
        if head.is_ended() && (head.check_at.is_some() || head.notices_at.is_some()) {
            self.stuck.push(format!("{review}: ended, and yet due: {:?}, {:?}", head.check_at, head.notices_at));
        }
        triggers.sort();
        if let Some(twice) = triggers.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("{review}: in lineage twice: {}", twice[0]));
        }
        let mut told: BTreeMap<Person, Value> = BTreeMap::new();
        for (person, record) in store.told(review).await.map_err(told_by)? {
            if let Some(claim) = record.claim {
                self.stuck.push(format!("{review}: {person} is claimed until {}", claim.until));
            }
            if let Some(last) = record.told {
                told.insert(person, json!({ "view": last.view, "seat": last.seat, "released": last.released }));
            }
        }
        let pending = head.pending.as_ref().map(|pending| json!([pending.digest, pending.adopter]));
        let mut outstanding: Vec<&Person> = deadlines::outstanding(head).map(|duty| &duty.person).collect();
        outstanding.sort();
        let answers: Vec<Value> = head.answers.iter().map(|answer| json!([answer.person, answer.reply])).collect();
        let exceptions: Vec<&str> = head.exceptions.iter().map(|exception| exception.kind.word()).collect();
        let end = json!({
            "standing": head.standing,
            "authoritative": version.packet.digest(),
            "packet": version.packet,
            "violated": head.today.violated,
            "pending": pending,
            "exceptions": exceptions,
            "outstanding": outstanding,
            "answers": answers,
            "told": told,
            "triggers": triggers,
        });
        self.reviews.insert(review.to_string(), end);
        Ok(())
    }

    /// Where this end differs from the one without a fault. Of mails there may be as many more as may have been in doubt,
    /// never one less.
    pub fn differs_from(&self, without: &Self, in_doubt: usize) -> Option<String> {
        if let Some(how) = self.stands_otherwise(without) {
            return Some(how);
        }
        let mut more = 0;
        for (person, expected) in &without.mails {
            let found = self.mails.get(person).copied().unwrap_or(0);
            if found < *expected {
                return Some(format!("{person} had {found} mails instead of {expected}"));
            }
            more += found - expected;
        }
        let strangers: Vec<&String> = self.mails.keys().filter(|to| !without.mails.contains_key(*to)).collect();
        if !strangers.is_empty() || more > in_doubt {
            return Some(format!("{more} mails more, and mails to {strangers:?}"));
        }
        // A mail in doubt is told again as the same kind of notice, a reminder as a reminder: it is settled once.
        if self.notices != without.notices {
            return Some(format!("notices\n  expected {:?}\n  found    {:?}", without.notices, self.notices));
        }
        None
    }

    /// Where packets, answers, triggers or what everybody was last told differ, or something is stuck.
    pub fn stands_otherwise(&self, than: &Self) -> Option<String> {
        if !self.stuck.is_empty() {
            return Some(format!("stuck: {}", self.stuck.join("; ")));
        }
        for (review, expected) in &than.reviews {
            let Some(found) = self.reviews.get(review) else { return Some(format!("{review} is lost")) };
            for (part, expected) in expected.as_object().into_iter().flatten() {
                if found[part] != *expected {
                    return Some(format!("{review}: {part}\n  expected {expected}\n  found    {}", found[part]));
                }
            }
        }
        let differs = |key: &&String| self.followed.get(*key) != than.followed.get(*key);
        let key = self.followed.keys().chain(than.followed.keys()).find(differs)?;
        Some(format!("{key}: expected {:?}, found {:?}", than.followed.get(key), self.followed.get(key)))
    }

    /// Whoever was mailed more often than in the other end has the same mail twice, byte by byte. Who has more letters than
    /// there has two that differ.
    pub fn differing_letters(&self, without: &Self) -> Vec<String> {
        let letters = |end: &Self, to: &str| end.letters.get(to).map_or(0, BTreeSet::len);
        let differing = self.letters.keys().filter(|to| letters(self, to) > letters(without, to));
        differing
            .map(|to| format!("{to} has {} letters instead of {}", letters(self, to), letters(without, to)))
            .collect()
    }

    /// Mails beyond those of the other end.
    pub fn mails_beyond(&self, without: &Self) -> usize {
        self.mails.values().sum::<usize>().saturating_sub(without.mails.values().sum())
    }
}
