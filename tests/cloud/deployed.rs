//! The story, told by the deployed bundle: seven real binaries behind real mappings and function URLs, with IAM enforced,
//! over real HTTP. It ends as the local engine ends on the same history, before and after the mailer reports of its mails.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_sdk_sqs::types::QueueAttributeName;
use holdpoint::{
    engine::{Settings, virtual_time::VirtualTime},
    operator,
    replay::{
        Player, Scenario,
        scenario::{Action, Answer, Visit},
        state_of,
    },
};
use holdpoint_tests::{
    cloud::{
        browser,
        http::text,
        stack::{Deployed, Parameters},
    },
    repository,
};
use http::Request;
use packet_store::Store;
use presentation::page::{ChosenButton, RESULT_HEADER};
use refresh_core::{Instant, record::notice::NoticeKind};
use serde_json::{Value, json};

use crate::reports::{Posted, configuration_set, posted, publish, reports, shown, told_after};

const WEEK: i64 = 7 * 24 * 3_600_000;
const PAUSE: Duration = Duration::from_millis(250);
/// Pauses until the bundle is taken not to come to rest: minutes, for a busy machine and a lost visibility time-out.
const ASKED: u32 = 2_400;
/// Looks in a row that must find it at rest: a message may be between two queues at one of them.
const LOOKS: u32 = 4;

/// The story's own history, some weeks later, so that nothing in it is past for a clock that cannot be turned.
pub fn story() -> (Scenario, String) {
    let read = |name: &str| {
        let file = repository().join("events/scenarios").join(name);
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    let recorded = read("story.jsonl");
    let first = Scenario::parse(&recorded).expect("a scenario").lines[0].at;
    let weeks = instant_now().since(first).div_euclid(WEEK) + 2;
    let lines = recorded.lines().filter(|line| line.trim_start().starts_with('{')).map(|line| {
        let line: Value = serde_json::from_str(line).expect("a line");
        later(line, weeks * WEEK).to_string() + "\n"
    });
    let scenario = Scenario::parse(&lines.collect::<String>()).expect("the story, later");
    let mut policy: Value = serde_json::from_str(&read("story.policy.json")).expect("a policy");
    // Two minutes of quiet after every event are no part of what is compared.
    policy["defaults"]["quiet_seconds"] = json!(1);
    (scenario, policy.to_string())
}

fn instant_now() -> Instant {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis();
    Instant::from_millis(i64::try_from(now).expect("a near year"))
}

fn later(value: Value, millis: i64) -> Value {
    match value {
        Value::String(text) => match Instant::parse(&text) {
            Ok(instant) => json!(instant.plus_millis(millis).to_string()),
            Err(_) => Value::String(text),
        },
        Value::Array(list) => list.into_iter().map(|inner| later(inner, millis)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, inner)| (name, later(inner, millis)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other,
    }
}

/// How a review stands: everything of its state but how many entries its lineage took.
pub async fn standing(store: &Store) -> Vec<Value> {
    let mut all = Vec::new();
    for head in store.reviews().await.expect("the reviews").whole().expect("every review reads") {
        let state = state_of(store, &head).await.expect("a state");
        let mut state = serde_json::to_value(state).expect("JSON");
        assert_eq!(state["lineage"]["verified"], true, "{state}");
        state["lineage"].take();
        // When a proposal runs out is counted from when it was made.
        if state["pending"].is_object() {
            state["pending"]["expires_at"].take();
        }
        let review = store.review(&head.review).await.expect("a review").expect("it exists");
        let digest = review.authoritative.packet.digest();
        all.push(json!({ "state": state, "packet": digest.to_string() }));
    }
    all.sort_by_key(|one| one["state"]["review_id"].to_string());
    all
}

/// How the local engine ends: when the story is told, when its mails are reported on, and whom it told of that.
struct Local {
    told: Vec<Value>,
    reported: Vec<Value>,
    after: Vec<(String, NoticeKind)>,
}

async fn told_locally(scenario: &Scenario, policy: &str) -> Local {
    let settings = Settings::in_memory(policy);
    let time = VirtualTime::open(settings, scenario.lines[0].at).await.expect("an engine");
    let mut player = Player::of(time);
    // Not the lines that only let time go by: nobody waits an hour for the reminders there.
    for line in scenario.lines.iter().filter(|line| line.action.is_some()) {
        player.until(line.at).await.expect("time");
        player.act(line).await.expect("a line");
        player.until(line.at.plus_seconds(30)).await.expect("the quiet period's end");
    }
    let engine = player.time().engine();
    let told = standing(engine.store()).await;
    let mails = posted(engine.store()).await;
    let events = reports(&mails, "local").iter().map(Value::to_string).collect();
    operator::enqueue(engine, events, packet_store::Door::Queue).await.expect("on the queue");
    let later = engine.now().plus_seconds(30);
    player.until(later).await.expect("the reports");
    let store = player.time().engine().store();
    Local { told, reported: standing(store).await, after: told_after(store, &mails).await }
}

pub struct Teller {
    /// How much of the log is about failures that a test brought about.
    meant: AtomicUsize,
    pub bundle: Deployed,
    pub sqs: aws_sdk_sqs::Client,
    pub store: Store,
}

impl Teller {
    pub async fn new(policy: &str) -> Self {
        let local = Settings::in_memory(policy);
        let parameters = Parameters {
            policy: policy.to_owned(),
            mail_from: local.mail_from.clone(),
            mail_domain: local.mail_domain,
        };
        let bundle = Deployed::deploy(&parameters).await.expect("a deployment");
        let config = bundle.cloud.sdk_config();
        let mailer = aws_sdk_sesv2::Client::new(&config);
        mailer.create_email_identity().email_identity(local.mail_from).send().await.expect("an identity");
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let store = Store::new(dynamodb, bundle.output("Table").expect("a table"));
        Self { meant: AtomicUsize::new(0), sqs: aws_sdk_sqs::Client::new(&config), store, bundle }
    }

    pub fn url(&self, output: &str) -> String {
        self.bundle.output(output).expect("a queue").to_owned()
    }

    pub async fn waiting(&self, output: &str) -> u32 {
        let answer =
            self.sqs.get_queue_attributes().queue_url(self.url(output)).attribute_names(QueueAttributeName::All);
        let answer = answer.send().await.expect("its attributes").attributes.unwrap_or_default();
        let kinds = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        kinds.iter().filter_map(|kind| answer.get(kind)?.parse::<u32>().ok()).sum()
    }

    /// What failed until now was meant to; from here on nothing is.
    pub fn forgive(&self) {
        self.meant.store(self.bundle.cloud.log().len(), Ordering::SeqCst);
    }

    /// Until no queue holds anything and nobody is owed a notice.
    pub async fn rest(&self, after: &str) {
        let mut quiet = 0;
        for _ in 0..ASKED {
            let mut busy = false;
            for queue in ["SourceEventsQueue", "RefreshQueue", "NoticesQueue"] {
                busy |= self.waiting(queue).await > 0;
            }
            // Reminders are due in an hour; what is owed now, within a second of quiet.
            let soon = instant_now().plus_seconds(30);
            let heads = self.store.reviews().await.expect("the reviews").whole().expect("every review reads");
            busy |= heads.iter().any(|head| head.notices_at.is_some_and(|at| at <= soon));
            quiet = if busy { 0 } else { quiet + 1 };
            if quiet == LOOKS {
                return;
            }
            for dead in ["SourceEventsDeadLettersQueue", "RefreshDeadLettersQueue", "NoticesDeadLettersQueue"] {
                assert_eq!(self.waiting(dead).await, 0, "after {after}: {dead}: {}", self.bundle.cloud.log());
            }
            let log = self.bundle.cloud.log();
            let log = log.get(self.meant.load(Ordering::SeqCst)..).unwrap_or(&log);
            assert!(!log.contains("partial failures") && !log.contains("AccessDenied"), "after {after}: {log}");
            tokio::time::sleep(PAUSE).await;
        }
        panic!("after {after}: does not come to rest: {}", self.bundle.cloud.log());
    }

    pub async fn send(&self, event: &Value) {
        let request = self.sqs.send_message().queue_url(self.url("SourceEventsQueue")).message_body(event.to_string());
        request.send().await.expect("sent");
    }

    /// The link of their newest mail that has one, followed by a browser; the form on its page, sent.
    async fn visit(&self, visit: &Visit, kind: &str, choice: Option<(&str, &str)>) -> String {
        let base = if kind == "adopt" { "AdoptLinkBase" } else { "AcknowledgeLinkBase" };
        let base = self.bundle.output(base).expect("a host").trim_end_matches('/').to_owned();
        let mails = self.bundle.cloud.mails().await.expect("the mails");
        let path = mails
            .iter()
            .rev()
            .filter(|mail| mail.to.iter().any(|to| to == visit.person.as_str()))
            .find_map(|mail| browser::link_in(&mail.text, &base, kind))
            .unwrap_or_else(|| panic!("{}: no mail with a link to {kind}: {mails:#?}", visit.person));
        let (page, looked) = self.fetch(&base, "GET", &path, Vec::new()).await;
        let Some((field, word)) = choice else { return looked };
        let form = browser::filled(&page, field, word).unwrap_or_else(|| panic!("{kind}: no form in {page}"));
        self.fetch(&base, "POST", &path, form).await.1
    }

    /// The page, and the word for what it answered.
    async fn fetch(&self, base: &str, method: &str, path: &str, body: Vec<u8>) -> (String, String) {
        // The function URL's host has no entry in any DNS; the stand-in goes by the name it is called.
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.bundle.cloud.endpoint()));
        request = request.header("host", base.trim_start_matches("https://"));
        for (name, value) in browser::headers(base, method == "POST") {
            request = request.header(name, value);
        }
        let response = self.bundle.cloud.http().send(request.body(body).expect("a request")).await.expect("an answer");
        let page = text(&response);
        let result = response.headers().get(RESULT_HEADER).and_then(|word| word.to_str().ok());
        let result =
            result.unwrap_or_else(|| panic!("{method}: {}: {page}: {}", response.status(), self.bundle.cloud.log()));
        (page.clone(), result.to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_ends_as_in_the_local_engine() {
    let (scenario, policy) = story();
    let expected = told_locally(&scenario, &policy).await;
    let teller = Teller::new(&policy).await;
    for line in &scenario.lines {
        let result = match &line.action {
            None => continue,
            Some(Action::Send(event)) => {
                teller.send(event).await;
                teller.rest(&format!("line {}", line.number)).await;
                continue;
            }
            Some(Action::Open(visit, link)) => teller.visit(visit, link.word(), None).await,
            Some(Action::Adopt(visit)) => {
                teller.visit(visit, "adopt", Some(("choice", ChosenButton::Adopt.word()))).await
            }
            Some(Action::Acknowledge(visit, Answer::Acknowledged)) => {
                teller.visit(visit, "acknowledge", Some(("answer", "acknowledged"))).await
            }
            Some(other) => panic!("line {}: the story had no {other:?} when this was written", line.number),
        };
        let expected = match &line.action {
            Some(Action::Open(..)) => "shown",
            Some(Action::Adopt(_)) => "adopted",
            _ => "recorded",
        };
        assert_eq!(result, expected, "line {}", line.number);
        teller.rest(&format!("line {}", line.number)).await;
    }
    assert_eq!(standing(&teller.store).await, expected.told, "{}", teller.bundle.cloud.log());

    let mails = posted(&teller.store).await;
    let taken = teller.bundle.cloud.mails().await.expect("the mails");
    let ids = |mail: &Posted| taken.iter().any(|taken| taken.message_id == mail.message_id);
    assert!(mails.len() == taken.len() && mails.iter().all(ids), "the lineage has other mails than the mailer");
    let set = configuration_set(&teller).await;
    publish(&teller, &reports(&mails, &set), &set).await;
    teller.rest("the mailer's reports").await;
    assert_eq!(standing(&teller.store).await, expected.reported, "{}", teller.bundle.cloud.log());
    let after = told_after(&teller.store, &mails).await;
    assert_eq!(after, expected.after);
    shown(&teller, &mails, &after).await;
    assert!(!teller.bundle.cloud.log().contains("AccessDenied"), "{}", teller.bundle.cloud.log());
}
