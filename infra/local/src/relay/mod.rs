//! Mail out: what the engine's mail service took leaves by SMTP, through one server that answers for it from then on.
//!
//! ```text
//!  notify ─ SendEmail ─▶ mailbox: kept, waiting ─▶ relay ─▶ server ── taken ────────────▶ sent      "Email Delivered"
//!                                     ▲              │        ├────── refused ──────────▶ bounced   "Email Bounced"
//!                                     └── back-off ──┴────────┴────── not now, for long ▶ bounced   "Email Bounced"
//! ```
//!
//! What becomes of a mail is reported to the functions as SES does it, by the very events. A mail is marked sent after the
//! server took it; who dies in between sends that one mail again, and none is lost.

mod bounce;
mod outgoing;
mod report;
mod session;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use lambda_shell::clock::Clock;
use tokio::{sync::watch, task::JoinSet, time::Instant};

pub use bounce::BounceAddress;
pub use outgoing::bring_forward;
pub use session::roots;
pub use settings::{Login, Secret, Security, Smtp};

use self::{
    bounce::{Late, Report, Returned},
    outgoing::{Next, OutgoingMail, Waiting},
    session::{Attempt, Session},
};
use crate::{
    mailbox::Mailbox,
    queues::{self, Queues},
};

/// How long a mail waits after its first, second, ... attempt; after the last one, as long as after the last.
const BACK_OFF_MINUTES: [i64; 6] = [1, 2, 5, 10, 30, 60];
/// A mail that has waited so long is reported as delayed, once.
const LATE: Duration = Duration::from_secs(3_600);
/// How long nothing is tried after the server was found to be down for the first, second, ... time in a row.
const DOWN_SECONDS: [u64; 6] = [5, 10, 20, 60, 120, 300];
/// After a failure of the machine itself, a full disk for one.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);
/// Nothing sleeps longer than this, so that a clock that was set is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// An open connection that nobody used for so long is asked first whether it still stands.
const IDLE: Duration = Duration::from_secs(15);

/// Why no mail leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Outage {
    why: String,
    /// By the engine's clock.
    since: i64,
    /// How often in a row.
    times: usize,
    until: Instant,
}

/// The relay of one engine.
pub struct Relay {
    /// As they were read last. A mail under way keeps those that it began with.
    settings: RwLock<Arc<Smtp>>,
    /// Where other servers send what they could not deliver; `None`: to the sender of the mail, and nobody reads it.
    bounces: Option<BounceAddress>,
    mailbox: Mailbox,
    outgoing: OutgoingMail,
    queues: Queues,
    /// Where the functions hear of mail.
    reports_to: String,
    clock: Clock,
    outage: Mutex<Option<Outage>>,
}

/// What one attempt came to, and the connection it leaves behind.
struct Ended {
    tried: Waiting,
    attempt: Attempt,
    session: Option<Session>,
    settings: Arc<Smtp>,
}

struct Idle {
    session: Session,
    since: Instant,
    /// What the session was opened by.
    settings: Arc<Smtp>,
}

impl Relay {
    pub fn new(
        settings: Smtp,
        bounces: Option<BounceAddress>,
        mailbox: Mailbox,
        queues: Queues,
        reports_to: String,
        clock: Clock,
    ) -> Self {
        let outgoing = OutgoingMail::of(mailbox.tables().clone());
        let settings = RwLock::new(Arc::new(settings));
        Self { settings, bounces, mailbox, outgoing, queues, reports_to, clock, outage: Mutex::new(None) }
    }

    fn settings(&self) -> Arc<Smtp> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The next mail leaves as these settings say, and at once where none left before. A mail under way comes to its end.
    pub fn renew(&self, settings: Smtp) {
        if *self.settings() == settings {
            return;
        }
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        if let Some(outage) = self.outage().as_mut() {
            outage.until = Instant::now();
        }
        self.mailbox.ring();
    }

    fn outage(&self) -> MutexGuard<'_, Option<Outage>> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an operator must see to, in words; `None` where mail leaves.
    pub fn wrong(&self, now: i64) -> Option<String> {
        let backlog = match self.outgoing.backlog() {
            Ok(backlog) => backlog,
            Err(error) => return Some(format!("the mails that wait could not be read: {error}")),
        };
        let waiting = match backlog.waiting {
            0 => return None,
            1 => "1 mail waits".to_owned(),
            more => format!("{more} mails wait"),
        };
        if let Some(outage) = self.outage().as_ref() {
            let since = refresh_core::Instant::from_millis(outage.since);
            return Some(format!("no mail leaves since {since}: {}; {waiting}", outage.why));
        }
        let late = i64::try_from(LATE.as_millis()).unwrap_or(i64::MAX);
        backlog.since.is_some_and(|since| now - since > late).then(|| format!("{waiting}, the oldest over an hour"))
    }

    /// Whether somebody reads what other servers send back.
    pub const fn reads_bounces(&self) -> bool {
        self.bounces.is_some()
    }

    /// Takes a received mail that was sent to an address of ours for bounces, and reports what it proves, as SES does.
    /// Answers whether the mail was one.
    ///
    /// # Errors
    /// What it says could not be written down; the same mail is to be given again.
    pub async fn returned(&self, received: &[u8], recipients: &[String]) -> Result<bool, String> {
        let Some(returned) = self.bounces.as_ref().and_then(|bounces| bounces.read(received, recipients)) else {
            return Ok(false);
        };
        match returned {
            Returned::Unproven => tracing::warn!("a bounce was ignored: its address is none of this store's"),
            Returned::NoReport => tracing::info!("a mail to an address for bounces is no report, and was ignored"),
            Returned::Proven(number, report) => self.came_back(number, &report).await?,
        }
        Ok(true)
    }

    async fn came_back(&self, number: u64, report: &Report) -> Result<(), String> {
        let Some(mail) = self.outgoing.mail(number).await? else {
            tracing::warn!(mail = number, "a bounce is of a mail that is not kept any more");
            return Ok(());
        };
        let Some(to) = mail.to.first() else { return Ok(()) };
        let now = self.clock.now_millis();
        let (state, said, report) = match report.on(to) {
            Late::Arrived => return Ok(()),
            Late::Unknown => {
                tracing::warn!(mail = number, "a report on a mail says nothing that is known, and was ignored");
                return Ok(());
            }
            Late::Delayed(said) => (None, said.clone(), report::delayed(&mail, to, now, &said)),
            Late::Failed(said) => (Some("bounced"), said.clone(), report::bounced(&mail, to, now, &said)),
            Late::Feedback(kind) => {
                let state = sources::mail::is_complaint(&kind).then_some("complained");
                (state, format!("feedback: {kind}"), report::feedback(&mail, to, now, &kind))
            }
        };
        tracing::warn!(mail = number, said, state, "a mail came back");
        self.outgoing.came_back(number, state, said, report).await?;
        self.mailbox.ring();
        Ok(())
    }

    /// How many mails wait, and whether none can leave.
    pub fn backlog(&self) -> (usize, bool) {
        (self.outgoing.backlog().unwrap_or_default().waiting, self.outage().is_some())
    }

    /// Until `stop` says so; then what is under way comes to its end.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut bell = self.mailbox.listen();
        let mut work = Work::default();
        while !*stop.borrow() {
            bell.borrow_and_update();
            if let Err(error) = self.step(&mut work).await {
                // Of a store in trouble the log has a line already.
                if self.mailbox.tables().guard().trouble().is_none() {
                    tracing::error!(error, "the mails that wait cannot be read or written");
                }
                tokio::time::sleep(AFTER_TROUBLE).await;
                continue;
            }
            let sleep = self.until_next(&work).await;
            tokio::select! {
                Some(ended) = work.running.join_next() => self.ended(&mut work, ended, &mut stop).await,
                _ = bell.changed() => {}
                _ = stop.changed() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
        while let Some(ended) = work.running.join_next().await {
            self.ended(&mut work, ended, &mut stop).await;
        }
        work.close().await;
    }

    /// Lets everything leave that is due now, and no more: for a clock that somebody else turns.
    ///
    /// # Errors
    /// The store of the mails cannot be read or written.
    pub async fn drain(&self) -> Result<(), String> {
        let (mut work, (_tell, mut stop)) = (Work::default(), watch::channel(true));
        // Whoever asks does not wait until a server that was down is tried again.
        if let Some(outage) = self.outage().as_mut() {
            outage.until = Instant::now();
        }
        loop {
            self.step(&mut work).await?;
            let Some(ended) = work.running.join_next().await else { break };
            self.ended(&mut work, ended, &mut stop).await;
        }
        work.close().await;
        Ok(())
    }

    /// Reports what is known, and begins what is due.
    async fn step(&self, work: &mut Work) -> Result<(), String> {
        self.report().await?;
        if let Some(why) = self.mailbox.tables().guard().trouble() {
            // What becomes of a mail could not be written down.
            return Err(format!("the store is in trouble: {why}"));
        }
        if self.outage().as_ref().is_some_and(|outage| Instant::now() < outage.until) {
            return Ok(());
        }
        // A server that was down is tried with one mail first.
        let settings = self.settings();
        let most = if self.outage().is_some() { 1 } else { settings.connections };
        let room = most.saturating_sub(work.running.len());
        if room == 0 {
            return Ok(());
        }
        for waiting in self.outgoing.due(self.clock.now_millis(), room, work.busy.clone()).await? {
            let pace = work.pace(settings.per_second);
            let idle = work.idle(&settings);
            work.busy.insert(waiting.recipient.clone());
            let settings = settings.clone();
            let from = match &self.bounces {
                Some(bounces) => bounces.of(waiting.mail.number),
                None => address(&waiting.mail.from).to_owned(),
            };
            work.running.spawn(async move {
                tokio::time::sleep_until(pace).await;
                deliver(settings, idle, &from, waiting).await
            });
        }
        Ok(())
    }

    async fn until_next(&self, work: &Work) -> Duration {
        if let Some(outage) = self.outage().as_ref() {
            let left = outage.until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return left.min(LONGEST_SLEEP);
            }
        }
        let next = self.outgoing.next_at(work.busy.clone()).await.ok().flatten();
        let left = next.map_or(i64::MAX, |at| at.saturating_sub(self.clock.now_millis()).max(0));
        let least = if work.running.len() < self.settings().connections { 0 } else { 1_000 };
        Duration::from_millis(u64::try_from(left).unwrap_or(0).max(least)).min(LONGEST_SLEEP)
    }

    /// Puts on the queue what is to be reported. A report's id stays the same, so twice is once.
    async fn report(&self) -> Result<(), String> {
        for (id, body) in self.outgoing.reports().await? {
            let report = queues::Outgoing { body, ..queues::Outgoing::default() };
            self.queues.send(&self.reports_to, report).await.map_err(|refusal| refusal.to_string())?;
            self.outgoing.reported(id).await?;
        }
        Ok(())
    }

    /// `stop`: ends the waiting for a store that cannot be written. The mail may then leave once more at the next start.
    async fn ended(
        &self,
        work: &mut Work,
        ended: Result<Ended, tokio::task::JoinError>,
        stop: &mut watch::Receiver<bool>,
    ) {
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // The mail still waits. Which one it was is not known, so all are looked at anew.
                tracing::error!(%error, "an attempt to send a mail ended early");
                work.busy.clear();
                return;
            }
        };
        let Ended { tried, attempt, session, settings } = ended;
        if let Some(session) = session {
            work.idle.push(Idle { session, since: Instant::now(), settings });
        }
        // Until it is written down what became of it, the mail would leave again and again.
        let mut said = false;
        while let Err(error) = self.settle(self.clock.now_millis(), &tried, attempt.clone()).await {
            if !std::mem::replace(&mut said, true) {
                tracing::error!(error, mail = tried.mail.number, "what became of a mail could not be written down");
            }
            if *stop.borrow() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(AFTER_TROUBLE) => {}
                _ = stop.changed() => {}
            }
        }
        work.busy.remove(&tried.recipient);
    }

    async fn settle(&self, now: i64, tried: &Waiting, attempt: Attempt) -> Result<(), String> {
        let (mail, to) = (&tried.mail, tried.recipient.as_str());
        if let Attempt::Down(why) = attempt {
            self.down(now, why);
            return Ok(());
        }
        self.up();
        let waited = now.saturating_sub(mail.at);
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let (next, said, report) = match attempt {
            Attempt::Taken(said) => (Next::Sent, said.clone(), Some(report::delivered(mail, to, now, &said))),
            Attempt::Later(said) if waited < millis(self.settings().give_up_after) => {
                let minutes = BACK_OFF_MINUTES.get(tried.attempts as usize).or(BACK_OFF_MINUTES.last());
                let again = now.saturating_add(minutes.unwrap_or(&60) * 60_000);
                let report = (waited >= millis(LATE)).then(|| report::delayed(mail, to, now, &said));
                (Next::Again(again), said, report)
            }
            Attempt::Refused(said) | Attempt::Later(said) | Attempt::Down(said) => {
                tracing::warn!(mail = mail.number, said, "a mail bounced");
                (Next::Bounced, said.clone(), Some(report::bounced(mail, to, now, &said)))
            }
        };
        self.outgoing.settle(tried, next, said, report).await
    }

    fn down(&self, now: i64, why: String) {
        let mut outage = self.outage();
        let (since, times) = outage.as_ref().map_or((now, 0), |before| (before.since, before.times + 1));
        if times == 0 {
            tracing::error!(why, "no mail leaves");
        }
        let wait = DOWN_SECONDS.get(times).or(DOWN_SECONDS.last()).copied().unwrap_or(60);
        *outage = Some(Outage { why, since, times, until: Instant::now() + Duration::from_secs(wait) });
    }

    fn up(&self) {
        if let Some(outage) = self.outage().take() {
            tracing::warn!(why = outage.why, "mail leaves again");
        }
    }
}

/// What is under way.
#[derive(Default)]
struct Work {
    running: JoinSet<Ended>,
    /// To whom a mail is under way: the next one to them waits.
    busy: BTreeSet<String>,
    idle: Vec<Idle>,
    /// No mail leaves before this instant.
    next: Option<Instant>,
}

impl Work {
    /// Says goodbye on every open connection.
    async fn close(self) {
        for idle in self.idle {
            idle.session.close().await;
        }
    }

    /// An open connection that these settings opened. Those of former settings are closed.
    fn idle(&mut self, settings: &Arc<Smtp>) -> Option<Idle> {
        let (same, former) = std::mem::take(&mut self.idle)
            .into_iter()
            .partition::<Vec<Idle>, _>(|idle| Arc::ptr_eq(&idle.settings, settings));
        self.idle = same;
        for idle in former {
            tokio::spawn(idle.session.close());
        }
        self.idle.pop()
    }

    /// When the next mail may leave.
    fn pace(&mut self, per_second: u32) -> Instant {
        let now = Instant::now();
        let at = self.next.map_or(now, |next| next.max(now));
        self.next = Some(at + Duration::from_secs(1) / per_second.max(1));
        at
    }
}

async fn deliver(settings: Arc<Smtp>, idle: Option<Idle>, from: &str, tried: Waiting) -> Ended {
    let mut session = match reusable(idle).await {
        Some(session) => session,
        None => match Session::open(&settings).await {
            Ok(session) => session,
            Err(why) => return Ended { tried, attempt: Attempt::Down(why), session: None, settings },
        },
    };
    let attempt = session.send(from, &tried.recipient, &tried.mail.raw).await;
    let session = session.is_usable().then_some(session);
    Ended { tried, attempt, session, settings }
}

async fn reusable(idle: Option<Idle>) -> Option<Session> {
    let mut idle = idle?;
    let stands = idle.since.elapsed() < IDLE || idle.session.is_alive().await;
    (stands && idle.session.is_usable()).then_some(idle.session)
}

/// The address alone, of `Holdpoint <holdpoint@example.com>`.
fn address(from: &str) -> &str {
    from.rsplit_once('<').map_or(from, |(_, rest)| rest.trim_end_matches('>')).trim()
}
