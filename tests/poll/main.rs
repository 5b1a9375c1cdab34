//! The poller before imitations of the systems it asks: what is asked, with which credential, how often; and what goes on the
//! queue, whatever the systems, the clock and other workers do.

mod heard;
mod imitation;
mod kept;
mod secrets;
mod story;
mod turns;

use holdpoint::engine::{Settings, virtual_time::VirtualTime};
use imitation::Imitation;
use lambda_shell::deadline::Deadline;
use poll::{Polled, Web};
use refresh_core::{Instant, base::instant::MINUTE};
use serde_json::{Value, json};

/// When every trial begins.
const BEGIN: &str = "2026-11-03T09:00:00Z";
/// The queue that answers go on.
const QUEUE: &str = "source-events";

/// A bundle on a virtual clock, and the systems that it asks.
struct Trial {
    time: VirtualTime,
    system: Imitation,
}

impl Trial {
    /// `bindings`: entries of the policy's `native` list. `promise`: what their sources promise, in minutes.
    async fn of(bindings: &Value, promise: Option<i64>, credentials: &Value, system: Imitation) -> Self {
        heard::listen();
        let settings = Settings {
            source_credentials: credentials.to_string(),
            web: Some(Web::through(system.clone())),
            ..Settings::in_memory(policy(bindings, promise))
        };
        let at = Instant::parse(BEGIN).expect("an instant");
        Self { time: VirtualTime::open(settings, at).await.expect("an engine"), system }
    }

    /// One turn of the schedule, so many minutes after the trial began.
    async fn turn(&self, minute: i64) -> Polled {
        self.at(minute);
        let functions = self.time.engine().functions();
        functions.poll(json!({}), Deadline::far()).await.expect("a turn")
    }

    fn at(&self, minute: i64) {
        let begin = Instant::parse(BEGIN).expect("an instant");
        self.time.set(begin.plus_millis(minute * MINUTE));
    }

    /// The messages that lie on the queue, and lets ingest take them.
    async fn handed_on(&self) -> Vec<Value> {
        let messages = self.time.engine().queues().look(QUEUE).expect("the queue");
        self.time.drain().await.expect("drained");
        messages.iter().map(|message| serde_json::from_str(&message.body).expect("JSON")).collect()
    }

    /// What `holdpoint reviews` says of polls that fail: binding, reason, how often.
    async fn failing(&self) -> Vec<String> {
        let request = holdpoint::operator::Request::Reviews(holdpoint::operator::ReviewsAsked::default());
        let answer = holdpoint::operator::perform(self.time.engine(), request).await.expect("an answer");
        let polls = answer["polls"].as_array().expect("a list").iter();
        polls
            .map(|poll| format!("{} {} {}", poll["binding"], poll["reason"], poll["failures"]).replace('"', ""))
            .collect()
    }
}

fn policy(bindings: &Value, promise: Option<i64>) -> String {
    let source = |kind: &str| json!({ "kind": kind, "source": "//s", "governed_by": "it@example.com", "max_age_minutes": promise });
    let kinds = ["evidence", "change", "delegation", "freeze", "availability"].map(source);
    json!({ "sources": kinds, "native": bindings }).to_string()
}

/// What each binding was asked to and came to, in the order of names.
fn said(polled: &Polled) -> Vec<String> {
    let word = |one: &poll::AskedBinding| {
        format!("{} {} {}", one.binding, one.failure.map_or("answered", |failure| failure.word()), one.messages)
    };
    let mut said: Vec<String> = polled.asked.iter().map(word).collect();
    said.sort();
    said
}

/// A roster of one row: the least that is asked for.
fn roster(every_minutes: i64) -> Value {
    json!([{
        "format": "roster.csv", "name": "roster", "source": "//s", "services": ["payments"], "roles": ["release_manager"],
        "poll": { "url": "https://roster.example/r.csv", "every_minutes": every_minutes },
    }])
}

const ROSTER: &str =
    "service,role,person,rank,status,valid_from,valid_until\r\npayments,release_manager,rm-a@example.com,,holder,,\r\n";
