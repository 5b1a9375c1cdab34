//! One worker: the functions of production with clients, caches and a clock of their own, one invocation at a time.

use std::{
    collections::BTreeSet,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::Poll,
};

use aws_lambda_events::sqs::SqsEvent;
use holdpoint::{
    connector::{Fault, Faults, InProcess},
    engine::{Engine, Functions, Outcome},
    queues::Delivery,
};
use holdpoint_tests::world::patience;
use lambda_shell::{batch::BatchReport, clock::Clock, deadline::Deadline, web::Request};
use serde_json::{Value, json};

use crate::{bugs::Bug, heard::RosterSystem, people::Answered, seam::Seam};

/// What an invocation came to.
pub enum Ended {
    Batch(Result<BatchReport<Outcome>, String>),
    Tick(Result<(), String>),
    Poll(Result<(), String>),
    Page(Answered),
}

/// Where an invocation stands after it was let go on.
pub enum Step {
    AtCall,
    Ended(Ended),
    Died,
}

type Running = Pin<Box<dyn Future<Output = Ended>>>;

pub struct Worker {
    functions: Arc<Functions>,
    pub seam: Seam,
    hand: Arc<AtomicI64>,
    /// How far its clock is from the right time, in milliseconds.
    pub skew: i64,
    running: Option<Running>,
}

impl Worker {
    /// `seed`: what the pauses between its attempts follow from.
    pub fn of(engine: &Engine, skew: i64, seed: u64, bug: Option<&Bug>, system: &RosterSystem) -> Result<Self, String> {
        let faults = Faults::default();
        let services = InProcess::new(
            engine.embedded().clone(),
            engine.queues().clone(),
            engine.mailbox().clone(),
            faults.clone(),
        );
        let (timeouts, retries) = patience();
        let sdk = services.sdk_config_with(timeouts, retries);
        let seam = Seam::new(services, faults, bug.copied());
        let sdk = sdk.into_builder().http_client(seam.client()).build();
        let hand = Arc::new(AtomicI64::new(0));
        let mut functions = engine.worker(&sdk, &Clock::steered(hand.clone()), Some(seed))?;
        functions.poll = functions.poll.by_way_of(poll::Web::through(system.clone()));
        let functions = match bug {
            Some(bug) => bug.configured(functions),
            None => functions,
        };
        Ok(Self { functions: Arc::new(functions), seam, hand, skew, running: None })
    }

    pub fn set_clock(&self, now: i64) {
        self.hand.store(now + self.skew, Ordering::SeqCst);
    }

    pub const fn is_idle(&self) -> bool {
        self.running.is_none()
    }

    pub fn begin_batch(&mut self, function: &str, queue: &str, deliveries: &[Delivery]) {
        let (functions, function, event) = (self.functions.clone(), function.to_owned(), event(queue, deliveries));
        self.running =
            Some(Box::pin(async move { Ended::Batch(functions.batch(&function, event, Deadline::far()).await) }));
    }

    pub fn begin_tick(&mut self, now: i64) {
        let functions = self.functions.clone();
        self.running = Some(Box::pin(async move {
            let ticked = functions.tick(json!({ "time": now }), Deadline::far()).await;
            Ended::Tick(ticked.map(drop).map_err(|failure| failure.chain()))
        }));
    }

    pub fn begin_poll(&mut self) {
        let functions = self.functions.clone();
        self.running = Some(Box::pin(async move {
            let polled = functions.poll(json!({}), Deadline::far()).await;
            Ended::Poll(polled.map(drop).map_err(|failure| failure.chain()))
        }));
    }

    pub fn begin_page(&mut self, request: Request) {
        let functions = self.functions.clone();
        self.running = Some(Box::pin(async move {
            let far = Deadline::far();
            let response = match request.path.starts_with("/acknowledge/") {
                true => acknowledge::handle(&functions.acknowledge, request, far).await,
                false => adopt::handle(&functions.adopt, request, far).await,
            };
            Ended::Page(Answered::of(&response))
        }));
    }

    /// Goes on to the next call, or to the end. The call that waits goes as `fault` says.
    pub async fn go_on(&mut self, fault: Option<Fault>) -> Step {
        if self.seam.waiting().is_some() {
            self.seam.release(fault);
        }
        let Some(mut running) = self.running.take() else { return Step::Died };
        let seam = self.seam.clone();
        let step = poll_fn(|context| match running.as_mut().poll(context) {
            Poll::Ready(ended) => Poll::Ready(Step::Ended(ended)),
            Poll::Pending if seam.is_dying() => Poll::Ready(Step::Died),
            Poll::Pending => seam.waiting().map_or(Poll::Pending, |_| Poll::Ready(Step::AtCall)),
        })
        .await;
        match step {
            Step::AtCall => self.running = Some(running),
            Step::Ended(_) => {}
            Step::Died => self.seam.clear(),
        }
        step
    }

    /// Its time was over, or its machine was.
    pub fn kill(&mut self) {
        self.running = None;
        self.seam.clear();
    }
}

pub fn source_queue(engine: &Engine, function: &str) -> String {
    let source = engine.topology().functions[function].source.as_ref();
    source.expect("a function with a queue").queue.clone()
}

/// As an event source mapping hands messages over.
fn event(queue: &str, deliveries: &[Delivery]) -> SqsEvent {
    let record = |delivery: &Delivery| {
        let message = &delivery.message;
        let mut attributes = json!({
            "ApproximateReceiveCount": message.receives.to_string(), "SentTimestamp": message.sent_at.to_string(),
        });
        if let Some(group) = &message.group {
            attributes["MessageGroupId"] = group.as_str().into();
        }
        json!({
            "messageId": message.id, "receiptHandle": delivery.receipt.handle(), "body": message.body,
            "attributes": attributes, "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "local",
            "eventSourceARN": format!("arn:aws:sqs:local:000000000000:{queue}"),
        })
    };
    let records: Vec<Value> = deliveries.iter().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).expect("an SQS event")
}

/// Which deliveries are done with, by the partial batch response alone.
pub fn done(deliveries: &[Delivery], report: &BatchReport<Outcome>) -> Vec<holdpoint::queues::Receipt> {
    let Ok(response) = report.response() else { return Vec::new() };
    let failed: BTreeSet<&str> =
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
    deliveries.iter().filter(|one| !failed.contains(one.message.id.as_str())).map(|one| one.receipt).collect()
}
