//! One worker: functions of its own, with clients and caches of their own, over the store, queues and mailbox of a world.

use std::sync::Arc;

use holdpoint::{
    connector::{Faults, InProcess},
    embedded::TABLE,
    engine::{Engine, Functions},
    operator::{Request as Asked, ReviewsAsked, Stack},
};
use holdpoint_tests::world::patience;
use lambda_shell::{
    deadline::Deadline,
    web::{Request, Response},
};
use presentation::page::RESULT_HEADER;
use refresh_core::ReviewId;
use serde_json::{Value, json};

/// The one of the short journey.
const REVIEW: &str = "RR-7";

/// What a worker is given to do.
#[derive(Clone, Debug)]
pub enum Task {
    Ingest(Vec<String>),
    Refresh(Vec<String>),
    Notify(String),
    Tick,
    /// An operator looks: at one review, at all, and whether their records verify.
    Look,
    /// The owner sends the page that is open before them.
    Adopt(Form),
    Acknowledge(Form),
}

/// A page as somebody has it open, filled in.
#[derive(Clone, Debug)]
pub struct Form {
    pub path: String,
    pub fields: Vec<(String, String)>,
}

#[derive(Clone)]
pub struct Worker {
    functions: Arc<Functions>,
    operator: Arc<Stack>,
    pub faults: Faults,
}

impl Worker {
    pub fn of(engine: &Engine) -> Self {
        let faults = Faults::default();
        let (timeouts, retries) = patience();
        let services = InProcess::new(
            engine.embedded().clone(),
            engine.queues().clone(),
            engine.mailbox().clone(),
            faults.clone(),
        );
        let sdk = services.sdk_config_with(timeouts, retries);
        let functions = engine.worker(&sdk, engine.clock(), Some(0));
        let functions = Arc::new(functions.expect("functions as the engine has them"));
        let operator = Stack::of(&sdk, TABLE, String::new()).expect("the bundle's topology");
        Self { functions, operator: Arc::new(operator), faults }
    }

    /// Does it, and says in a word what came of it. What a queue would bring again is no error.
    pub async fn perform(&self, task: &Task) -> Result<String, String> {
        let far = Deadline::far();
        match task {
            Task::Ingest(bodies) => said(ingest::handle(&self.functions.ingest, event(bodies), far).await),
            Task::Refresh(bodies) => said(refresh::handle(&self.functions.refresh, event(bodies), far).await),
            Task::Notify(body) => {
                said(notify::handle(&self.functions.notify, event(std::slice::from_ref(body)), far).await)
            }
            Task::Tick => {
                let ticked =
                    tick::handle(&self.functions.tick, json!({}), far).await.map_err(|failure| failure.chain())?;
                Ok(format!("{ticked:?}"))
            }
            Task::Look => self.look().await,
            Task::Adopt(form) => result_of(&adopt::handle(&self.functions.adopt, form.post(), far).await),
            Task::Acknowledge(form) => {
                let request = form.post();
                result_of(&acknowledge::handle(&self.functions.acknowledge, request, far).await)
            }
        }
    }

    /// Nothing was tampered with, so whatever is committed meanwhile every record verifies.
    async fn look(&self) -> Result<String, String> {
        let verified = self.operator.perform(Asked::Verify(None)).await?;
        let listed = self.operator.perform(Asked::Reviews(ReviewsAsked::default())).await?;
        let review = ReviewId::parse(REVIEW)?;
        let shown = self.operator.perform(Asked::Show(review)).await?;
        let lines = verified["reviews"].as_array().into_iter().flatten().chain([&shown["verified"]]);
        for line in lines.clone() {
            if line["verified"] != true {
                return Err(format!("does not verify: {line}"));
            }
        }
        let named = shown["state"]["lineage"]["verified"] == true && lines.count() == 2;
        let listed =
            listed["unreadable"] == json!([]) && listed["reviews"].as_array().is_some_and(|all| all.len() == 1);
        if named && listed { Ok("verified".to_owned()) } else { Err(format!("{shown}")) }
    }

    /// Opens the page, and fills it in.
    pub async fn fill_in(&self, path: &str, field: &str, choice: &str) -> Form {
        let mut request = browser("GET", path);
        request.method = "GET".to_owned();
        let response = match path.starts_with("/adopt/") {
            true => adopt::handle(&self.functions.adopt, request, Deadline::far()).await,
            false => acknowledge::handle(&self.functions.acknowledge, request, Deadline::far()).await,
        };
        let html = String::from_utf8_lossy(&response.body).into_owned();
        let input = html.split("<input").find(|input| input.contains("name=\"seal\"")).expect("a form with a seal");
        let value = input.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a sealed form");
        let fields = [("seal", value), (field, choice)];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Form { path: path.to_owned(), fields }
    }
}

impl Form {
    fn post(&self) -> Request {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(&self.fields);
        Request { body: body.finish().into_bytes(), ..browser("POST", &self.path) }
    }
}

fn browser(method: &str, path: &str) -> Request {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers =
        vec![header("sec-fetch-site", "same-origin"), header("content-type", "application/x-www-form-urlencoded")];
    Request { method: method.to_owned(), path: path.to_owned(), headers, ..Request::default() }
}

fn result_of(response: &Response) -> Result<String, String> {
    let header = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(RESULT_HEADER));
    header.map(|(_, word)| word.clone()).ok_or_else(|| format!("a page with status {}", response.status))
}

fn said<T: std::fmt::Debug>(report: lambda_shell::batch::BatchReport<T>) -> Result<String, String> {
    if let Some((id, failure)) = report.failures().next() {
        return Err(format!("message {id}: {}", failure.chain()));
    }
    Ok(format!("{:?}", report.outcomes.iter().map(|(_, outcome)| outcome.as_ref().ok()).collect::<Vec<_>>()))
}

/// As an event source mapping hands messages over.
fn event(bodies: &[String]) -> aws_lambda_events::sqs::SqsEvent {
    let record = |(index, body): (usize, &String)| {
        let mut attributes = json!({ "ApproximateReceiveCount": "1", "SentTimestamp": "0" });
        if let Some(review) = review_in(body) {
            attributes["MessageGroupId"] = review;
        }
        json!({
            "messageId": format!("m{index}"), "receiptHandle": "r", "body": body, "attributes": attributes,
            "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "local",
            "eventSourceARN": "arn:aws:sqs:local:000000000000:any",
        })
    };
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).expect("an SQS event")
}

/// Requests for a refresh are grouped by their review.
fn review_in(body: &str) -> Option<Value> {
    let body: Value = serde_json::from_str(body).ok()?;
    Some(body["review"].clone()).filter(Value::is_string)
}
