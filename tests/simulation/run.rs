//! One schedule, decided by its seed alone: who goes on, how each call goes, what is said when, who opens what, and how
//! far the clock goes in between. The audit looks after every step.

mod heard;
mod outside;
mod slow;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use fastrand::Rng;
use holdpoint::{
    connector::Fault,
    embedded::TABLE,
    engine::{Engine, Settings},
    queues::Delivery,
};
use holdpoint_tests::world::patience;
use lambda_shell::clock::Clock;

use crate::{
    World,
    audit::Audits,
    bugs::Bug,
    heard::RosterSystem,
    older, people,
    scene::{self, Event, MINUTE, Scene, instant},
    worker::{self, Ended, Step, Worker},
};

const SECOND: i64 = 1_000;
/// How far behind the slowest clock is.
const SLOWEST: i64 = 1_300;
const READERS: [&str; 3] = ["ingest", "refresh", "notify"];
/// Longer than a lease and the longest visibility time-out, and a tick after it.
const AFTERWARDS: i64 = 20 * MINUTE;
/// A schedule that does not end is a livelock.
const MOST_CALLS: usize = 20_000;

/// What a schedule came to.
pub struct Played {
    pub violation: Option<String>,
    /// What happened, a line each.
    pub story: Vec<String>,
    pub calls: usize,
    pub mails: usize,
    /// The bug has changed a call or an answer.
    pub falsified: bool,
    /// What it met, for a tally: a simulation that never meets a thing says nothing about it.
    pub met: std::collections::BTreeSet<String>,
}

/// What a worker is at.
struct Invocation {
    name: String,
    queue: Option<String>,
    deliveries: Vec<Delivery>,
    /// Its function's time-out.
    until: i64,
    path: Option<String>,
    looks_only: bool,
}

struct Run {
    world: World,
    system: RosterSystem,
    /// Mails that people sent.
    replies: usize,
    engine: Engine,
    hand: Arc<AtomicI64>,
    rng: Rng,
    scene: Scene,
    workers: Vec<Worker>,
    at: Vec<Option<Invocation>>,
    coming: VecDeque<Event>,
    said: Vec<Event>,
    /// Who got which link.
    links: Vec<(String, String)>,
    /// Pages that are open: path and seal.
    open: Vec<(String, String)>,
    faults: usize,
    /// Where reviews are after one hour.
    slow: Option<slow::Slow>,
    /// Not while everything comes to rest.
    unkind: bool,
    audit: Audits,
    story: Vec<String>,
    calls: usize,
}

pub async fn play(seed: u64, bug: Option<&Bug>, world: World) -> Played {
    let mut run = match Run::open(seed, bug, world).await {
        Ok(run) => run,
        Err(why) => panic!("seed {seed}: {why}"),
    };
    let violation = run.whole().await.err();
    let falsified = run.workers.iter().any(|worker| worker.seam.has_falsified());
    let (mails, met) = (run.engine.mailbox().len(), run.audit.met());
    Played { violation, mails, falsified, met, story: run.story, calls: run.calls }
}

impl Run {
    async fn open(seed: u64, bug: Option<&Bug>, world: World) -> Result<Self, String> {
        let mut rng = Rng::with_seed(seed);
        // What the SDK itself draws on this thread: the whole schedule follows from its seed.
        fastrand::seed(seed);
        let mut scene = match world {
            World::Shared => scene::draw_shared(&mut rng),
            World::Contested => scene::contested::draw(&mut rng),
            World::Alone | World::Heard => scene::draw(&mut rng),
        };
        if world == World::Heard {
            crate::heard::bound(&mut scene.policy);
        }
        let hand = Arc::new(AtomicI64::new(scene::MORNING));
        let settings = Settings { retries: Some(patience()), ..Settings::in_memory(scene.policy.to_string()) };
        let clock = Clock::steered(hand.clone());
        let engine = Engine::open(settings, clock).await?;
        let system = RosterSystem::new(hand.clone());
        let skew = [0, 700, -SLOWEST];
        let mut workers = Vec::new();
        for index in 0..2 {
            // The second of two may be of the release before.
            let older = (index == 1 && bug.is_none() && rng.u8(..4) == 0).then_some(&older::BINARY);
            workers.push(Worker::of(&engine, skew[rng.usize(..3)], seed, bug.or(older), &system)?);
        }
        let audit = Audits::new(&scene);
        let faults = rng.usize(..7);
        Ok(Self {
            world,
            system,
            replies: 0,
            engine,
            hand,
            rng,
            coming: scene.changes.iter().cloned().collect(),
            scene,
            at: workers.iter().map(|_| None).collect(),
            workers,
            said: Vec::new(),
            links: Vec::new(),
            open: Vec::new(),
            faults,
            slow: None,
            unkind: true,
            audit,
            story: Vec::new(),
            calls: 0,
        })
    }

    fn now(&self) -> i64 {
        self.hand.load(Ordering::SeqCst)
    }

    fn tell(&mut self, line: String) {
        let at = instant(self.now());
        self.story.push(format!("{} {line}", &at[11..at.len() - 1]));
    }

    async fn whole(&mut self) -> Result<(), String> {
        for event in self.scene.setup.clone() {
            self.say(event).await?;
        }
        let patience = 30 + self.rng.usize(..90);
        if !self.rng.bool() || self.world == World::Contested {
            // What is known at first is known in peace: the time is better spent on what follows.
            self.rest(0).await?;
        }
        let mut steps = 0;
        while steps < patience || !self.coming.is_empty() {
            self.step().await?;
            steps += 1;
        }
        self.rest(AFTERWARDS).await?;
        if self.redrive().await? {
            self.rest(AFTERWARDS).await?;
        }
        if self.world == World::Heard {
            self.answer_what_counts().await?;
            self.ask_to_the_end().await?;
        }
        // Who has not decided by then is reminded before the proposal lapses.
        let due = self.audit.reminder_due().map(|due| due + MINUTE - self.now());
        if let Some(wait) = due.filter(|wait| (1..scene::HOUR).contains(wait)) {
            self.rest(wait).await?;
        }
        // What time alone changed just now is told when its own quiet period is over.
        for _ in 0..4 {
            let Some(until) = self.audit.quiet_until() else { break };
            self.rest((until - self.now()).max(MINUTE)).await?;
        }
        // What falls due at the very end is looked at once the slowest clock says so.
        while self.audit.due_at().is_some_and(|at| at <= self.now() && self.now() < at + SLOWEST) {
            self.rest(SLOWEST).await?;
        }
        self.audit.quiet(self.engine.embedded(), self.engine.queues(), self.now()).await
    }

    /// Whatever comes next.
    async fn step(&mut self) -> Result<(), String> {
        self.hasten();
        let at_work = |index: &usize| !self.workers[*index].is_idle() && !self.is_slow(*index);
        let busy: Vec<usize> = (0..self.workers.len()).filter(at_work).collect();
        let idle = (0..self.workers.len()).find(|index| self.workers[*index].is_idle());
        if !busy.is_empty() && self.rng.u8(..10) < 7 {
            let worker = busy[self.rng.usize(..busy.len())];
            // A few calls at a time, so that not every schedule is torn to pieces.
            for _ in 0..[1, 2, 20][self.rng.usize(..3)] {
                if self.workers[worker].is_idle() || self.is_slow(worker) {
                    break;
                }
                let fault = self.draw_fault();
                self.go_on(worker, fault).await?;
            }
            return Ok(());
        }
        if self.world == World::Heard && self.rng.u8(..4) == 0 {
            return self.hear(idle).await;
        }
        if self.slow.is_some() {
            return self.meanwhile(idle).await;
        }
        match self.rng.u8(..20) {
            0..=2 => self.say_next().await,
            3..=5 => self.pass_time(busy.is_empty()).await,
            6 | 7 | 10..=13 if !self.links.is_empty() => match idle {
                Some(worker) => self.visit(worker).await,
                None => Ok(()),
            },
            8 => match idle {
                Some(worker) => {
                    self.tell(format!("worker {worker}: a tick"));
                    self.begin(worker, "tick", None, Vec::new());
                    let now = self.now();
                    self.workers[worker].begin_tick(now);
                    self.go_on(worker, None).await
                }
                None => Ok(()),
            },
            9 if self.rng.u8(..3) == 0 => self.report().await,
            _ => match idle {
                Some(worker) => self.receive(worker).await.map(drop),
                None => Ok(()),
            },
        }
    }

    fn draw_fault(&mut self) -> Option<Fault> {
        if self.faults == 0 || self.rng.u8(..12) != 0 {
            return None;
        }
        self.faults -= 1;
        Some(Fault::ALL[self.rng.usize(..Fault::ALL.len())])
    }

    async fn pass_time(&mut self, anything: bool) -> Result<(), String> {
        let step = match (anything, self.rng.u8(..4)) {
            (true, 0) => self.rng.i64(1..40) * MINUTE,
            (true, 1) => 2 * MINUTE + SECOND,
            (_, 2) => self.rng.i64(1..90) * SECOND,
            _ => self.rng.i64(1..10) * SECOND,
        };
        self.set_time(self.now() + step);
        Ok(())
    }

    fn set_time(&mut self, to: i64) {
        self.hand.store(to, Ordering::SeqCst);
        for index in 0..self.workers.len() {
            self.workers[index].set_clock(to);
            if self.at[index].as_ref().is_some_and(|at| at.until <= to) {
                let name = self.at[index].take().map(|at| at.name).unwrap_or_default();
                self.workers[index].kill();
                self.audit.died();
                self.tell(format!("worker {index}: {name} ran out of time"));
            }
        }
    }

    fn begin(&mut self, worker: usize, name: &str, queue: Option<String>, deliveries: Vec<Delivery>) {
        let function = self.engine.topology().functions.get(name);
        let seconds = function.map_or(20, |function| function.timeout_seconds);
        self.workers[worker].set_clock(self.now());
        let until = self.now() + i64::from(seconds) * SECOND;
        self.at[worker] =
            Some(Invocation { name: name.to_owned(), queue, deliveries, until, path: None, looks_only: false });
    }

    /// Takes a batch off a queue that has one. False: none has.
    async fn receive(&mut self, worker: usize) -> Result<bool, String> {
        let first = self.rng.usize(..READERS.len());
        for turn in 0..READERS.len() {
            let name = READERS[(first + turn) % READERS.len()];
            let mapping = self.engine.topology().functions[name].source.clone().ok_or("a mapping")?;
            let most = 1 + self.rng.usize(..mapping.batch_size);
            let received = self.engine.queues().receive(&mapping.queue, most, None).await;
            let mut deliveries = received.map_err(|refusal| refusal.to_string())?;
            if deliveries.is_empty() {
                continue;
            }
            let fifo = self.engine.queues().wiring(&mapping.queue).map_err(|refusal| refusal.to_string())?.fifo;
            if !fifo {
                self.rng.shuffle(&mut deliveries);
            }
            self.tell(format!("worker {worker}: {name} takes {}", deliveries.len()));
            // A standard queue delivers at least once: now and then another worker gets the same at once.
            if self.unkind && !fifo && self.rng.u8(..6) == 0 {
                let again = self.engine.queues().change_visibility(&mapping.queue, deliveries[0].receipt, 0);
                again.map_err(|refusal| refusal.to_string())?;
                self.tell("the queue delivers it again".to_owned());
            }
            self.workers[worker].begin_batch(name, &mapping.queue, &deliveries);
            self.begin(worker, name, Some(mapping.queue), deliveries);
            self.go_on(worker, None).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// One worker goes on to its next call, and what it changed is looked at.
    async fn go_on(&mut self, worker: usize, fault: Option<Fault>) -> Result<(), String> {
        self.calls += 1;
        if self.calls > MOST_CALLS {
            return Err(format!("{MOST_CALLS} calls, and no end"));
        }
        let before = self.workers[worker].seam.waiting();
        let step = self.workers[worker].go_on(fault).await;
        let name = self.at[worker].as_ref().map(|at| at.name.clone()).unwrap_or_default();
        if let Some(call) = &before
            && (fault.is_some() || call.writes() || call.operation == "SendEmail")
        {
            let fault = fault.map_or_else(|| "goes through".to_owned(), |fault| format!("{fault:?}"));
            self.tell(format!("worker {worker}: {name}: {} {fault}", call.operation));
        }
        if fault.is_some() {
            self.audit.died();
        }
        self.look(worker).await?;
        match step {
            Step::AtCall => self.slow_down(worker),
            Step::Died => {
                self.at[worker] = None;
            }
            Step::Ended(ended) => {
                if let Some(at) = self.at[worker].take() {
                    self.ended(at, ended).await?;
                }
            }
        }
        Ok(())
    }

    async fn ended(&mut self, at: Invocation, ended: Ended) -> Result<(), String> {
        match ended {
            Ended::Batch(report) => {
                let report = report?;
                for (_, failure) in report.failures() {
                    self.tell(format!("{}: failed: {}", at.name, failure.chain()));
                    self.audit.failed(&failure.chain())?;
                }
                let receipts = worker::done(&at.deliveries, &report);
                let queue = at.queue.unwrap_or_default();
                let deleted = self.engine.queues().delete_all(&queue, &receipts).await;
                deleted.map_err(|refusal| refusal.to_string())?;
            }
            Ended::Tick(ticked) => {
                if let Err(why) = ticked {
                    self.tell(format!("tick: failed: {why}"));
                }
            }
            Ended::Poll(polled) => {
                if let Err(why) = polled {
                    self.tell(format!("poll: failed: {why}"));
                }
            }
            Ended::Page(answered) => {
                self.tell(format!("{}: answered {} {:?}", at.name, answered.status, answered.result));
                self.audit.answered(&answered);
                if let (Some(path), Some(seal), true) = (at.path, answered.seal, at.looks_only) {
                    self.open.push((path, seal));
                }
            }
        }
        Ok(())
    }

    /// What the last step changed, read anew by the audit's own hands.
    async fn look(&mut self, worker: usize) -> Result<(), String> {
        let sent = self.workers[worker].seam.take_sent();
        let looks_only = self.at[worker].as_ref().is_some_and(|at| at.looks_only);
        let keys: Vec<(String, String)> =
            sent.iter().filter(|call| call.writes()).flat_map(crate::seam::Call::keys).collect();
        if !keys.is_empty() {
            let now = self.now();
            self.audit.wrote(self.engine.embedded(), TABLE, keys, looks_only, now).await?;
        }
        let mails = self.engine.mailbox().clone();
        while self.audit.mails_seen() < mails.len() {
            let number = self.audit.mails_seen() as u64 + 1;
            let mail = mails.mail(number).ok_or("a mail is missing")?;
            let base = self.engine.settings().link_base.clone();
            for to in &mail.to {
                let new = people::links(&mail.raw, &base);
                self.links.extend(new.into_iter().map(|path| (to.clone(), path)));
            }
            self.audit.mailed(&mail)?;
            self.tell(format!("a mail to {}", mail.to.join(", ")));
        }
        Ok(())
    }

    /// Without faults and one after the other, until nothing is left to do and `after` is over.
    async fn rest(&mut self, after: i64) -> Result<(), String> {
        let faults = std::mem::take(&mut self.faults);
        self.unkind = false;
        for worker in 0..self.workers.len() {
            self.finish(worker).await?;
        }
        let end = self.now() + after;
        loop {
            self.settle().await?;
            let Some(next) = self.next_at().filter(|next| *next <= end) else { break };
            self.set_time(next);
        }
        self.set_time(end.max(self.now()));
        self.settle().await?;
        (self.faults, self.unkind) = (faults, true);
        Ok(())
    }

    async fn finish(&mut self, worker: usize) -> Result<(), String> {
        while !self.workers[worker].is_idle() {
            self.go_on(worker, None).await?;
        }
        Ok(())
    }

    /// Everything that is to be done at this instant.
    async fn settle(&mut self) -> Result<(), String> {
        let mut ticked = None;
        loop {
            while self.receive(0).await? {
                self.finish(0).await?;
            }
            let due = self.audit.due_at();
            if due.is_none_or(|at| at > self.now()) || ticked == due {
                return Ok(());
            }
            ticked = due;
            self.begin(0, "tick", None, Vec::new());
            let now = self.now();
            self.workers[0].begin_tick(now);
            self.finish(0).await?;
        }
    }

    /// The next instant at which something happens by itself.
    fn next_at(&self) -> Option<i64> {
        let now = self.now();
        let queues = READERS.iter().filter_map(|name| {
            self.engine.queues().next_at(&worker::source_queue(&self.engine, name)).filter(|at| *at > now)
        });
        // What is due and did not go away waits for the schedule's next tick.
        let due = self.audit.due_at().map(|at| if at > now { at } else { (now / MINUTE + 1) * MINUTE });
        queues.chain(due).min()
    }
}
