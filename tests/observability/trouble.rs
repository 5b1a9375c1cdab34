//! The story goes well, and then badly in every way there is. Every personal field of it carries a mark, so that whoever looks
//! at what is left sees whether any of that came along.

use std::{
    cell::Cell,
    pin::Pin,
    sync::{
        Arc, Once, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use holdpoint::{
    connector::{Fault, Service},
    embedded::TABLE,
    engine::{Engine, Settings, virtual_time::VirtualTime},
    queues::Outgoing,
    replay::{
        Scenario,
        scenario::{Action, Line},
    },
};
use holdpoint_tests::{
    repository,
    world::{World, drive},
};
use lambda_shell::{deadline::Deadline, log, web::Request};
use mail_parser::MessageParser;
use refresh_core::{Instant, base::instant::MINUTE};
use serde_json::{Value, json};

use crate::journeys::{listen, read};

pub const MARK: &str = "zqmark";

/// What troubled journeys left where others read.
pub struct Trouble {
    pub lines: Vec<Value>,
    /// Attributes of messages, failures kept beside them, bodies of pages that could not be made.
    pub texts: Vec<String>,
    /// Everything of a link that would open it.
    pub tokens: Vec<String>,
}

pub fn of_trouble() -> &'static [Value] {
    &trouble().lines
}

pub fn trouble() -> &'static Trouble {
    static TROUBLE: OnceLock<Trouble> = OnceLock::new();
    TROUBLE.get_or_init(|| {
        let journeys: [fn() -> Journey; 8] = [
            || Box::pin(goes_well()),
            || Box::pin(is_reported_on()),
            || Box::pin(is_sent_nonsense()),
            || Box::pin(cannot_mail()),
            || Box::pin(is_paused()),
            || Box::pin(finds_everything_damaged()),
            || Box::pin(panics()),
            || Box::pin(asks_systems()),
        ];
        let mut all = Trouble { lines: Vec::new(), texts: Vec::new(), tokens: Vec::new() };
        for journey in journeys {
            let (told, lines) = listen(|| drive(journey()));
            let (texts, tokens) = told.unwrap_or_else(|why| panic!("{why}"));
            all.lines.extend(lines);
            all.texts.extend(texts);
            all.tokens.extend(tokens);
        }
        all
    })
}

type Journey = Pin<Box<dyn Future<Output = Left>>>;
pub type Left = Result<(Vec<String>, Vec<String>), String>;

fn marked(name: &str) -> String {
    read(&format!("events/scenarios/story{name}")).replace("@example.com", "@zqmark.example")
}

/// The story with a mark in every personal field, and in what a source sends beside the contract.
fn lines() -> Vec<Value> {
    let mut lines: Vec<Value> = Vec::new();
    for line in marked(".jsonl").lines().filter(|line| line.starts_with('{')) {
        let mut line: Value = serde_json::from_str(line).expect("a line of JSON");
        if let Some(data) = line.pointer_mut("/send/data").and_then(Value::as_object_mut) {
            data.insert("organizer".to_owned(), json!("zqmark organizer"));
            if data.contains_key("title") {
                data.insert("title".to_owned(), json!("zqmark title"));
            }
            for busy in data.get_mut("busy").and_then(Value::as_array_mut).into_iter().flatten() {
                busy["subject"] = json!("zqmark subject");
            }
        }
        lines.push(line);
    }
    let first = lines[0]["at"].clone();
    for (number, person) in ["release-owner", "security-delegate-2", "database-owner"].iter().enumerate() {
        let data = json!({
            "person": format!("{person}@zqmark.example"), "revision": 1, "name": format!("Zqmark Name{number} zqmark"),
            "time_zone": "Europe/Berlin",
        });
        let event = json!({
            "specversion": "1.0", "id": format!("p{number}"), "source": "//person.example.com",
            "type": "dev.holdpoint.person.updated.v1", "data": data,
        });
        lines.insert(0, json!({ "at": first, "send": event }));
    }
    lines
}

fn story() -> (Scenario, String) {
    let text: Vec<String> = lines().iter().map(Value::to_string).collect();
    let scenario = Scenario::parse(&text.join("\n")).unwrap_or_else(|malformed| panic!("{malformed:?}"));
    let mut policy: Value = serde_json::from_str(&marked(".policy.json")).expect("a policy");
    policy["defaults"]["exclusions"] =
        json!([{ "role": "service_owner", "person": "nobody@zqmark.example", "reason": "zqmark reason" }]);
    (scenario, policy.to_string())
}

pub async fn world() -> Result<(World, Scenario), String> {
    let (scenario, policy) = story();
    Ok((World::open(&policy, scenario.lines[0].at).await?, scenario))
}

/// Every line until one does not fit.
pub async fn play(world: &mut World, scenario: &Scenario, until: impl Fn(&Line) -> bool) -> Result<(), String> {
    for line in scenario.lines.iter().take_while(|line| until(line)) {
        world.until(line.at).await?;
        world.act(line).await?;
    }
    Ok(())
}

pub fn before_the_decision(line: &Line) -> bool {
    !matches!(line.action, Some(Action::Open(..) | Action::Adopt(_)))
}

pub async fn later(world: &mut World, minutes: i64) -> Result<(), String> {
    world.until(world.time().now().plus_millis(minutes * MINUTE)).await
}

/// What is left on queues and in the mailbox.
pub fn left(engine: &Engine) -> Left {
    let mut texts = Vec::new();
    for name in engine.queues().names() {
        for message in engine.queues().look(&name).map_err(|refusal| refusal.to_string())? {
            texts.extend(message.failure);
            texts.extend(message.attributes.into_values().filter_map(|attribute| attribute.string_value));
        }
    }
    Ok((texts, engine.mailbox().all().iter().filter_map(|mail| path_of(&mail.raw)).map(|(_, token)| token).collect()))
}

/// The page and the token of a mail's link.
fn path_of(raw: &[u8]) -> Option<(String, String)> {
    let message = MessageParser::default().parse(raw)?;
    let body = message.body_text(0)?.into_owned();
    let from = body.find("https://holdpoint.example.com/")? + "https://holdpoint.example.com/".len();
    let path = body[from..].split_whitespace().next()?;
    let (page, token) = path.split_once('/')?;
    Some((page.to_owned(), token.to_owned()))
}

/// The path of the newest link that this person was mailed.
fn link(engine: &Engine, person: &str) -> Result<String, String> {
    let mails = engine.mailbox().to(&format!("{person}@zqmark.example"));
    let found = mails.iter().find_map(|mail| path_of(&mail.raw));
    found.map(|(page, token)| format!("/{page}/{token}")).ok_or_else(|| format!("{person} was mailed no link"))
}

async fn ask(engine: &Engine, method: &str, path: &str, form: &[(&str, &str)]) -> Result<String, String> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    let headers = [
        ("host", "holdpoint.example.com"),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let (method, path, body) = (method.to_owned(), path.to_owned(), body.finish().into_bytes());
    let request = Request { method, path, headers, body, ..Request::default() };
    let response = engine.request(&request).await?.ok_or("nothing answered")?;
    Ok(String::from_utf8_lossy(&response.body).into_owned())
}

/// Sends the form of a page, with more in it than the page has.
async fn send(engine: &Engine, path: &str, fields: &[(&str, &str)]) -> Result<String, String> {
    let page = ask(engine, "GET", path, &[]).await?;
    let seal = page.split("name=\"seal\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let seal = seal.ok_or_else(|| format!("a page without a form: {page}"))?;
    ask(engine, "POST", path, &[&[("seal", seal)], fields].concat()).await
}

async fn goes_well() -> Left {
    let (mut world, scenario) = world().await?;
    play(&mut world, &scenario, before_the_decision).await?;
    later(&mut world, 5).await?;
    let path = link(world.engine(), "release-owner")?;
    ask(world.engine(), "HEAD", &path, &[]).await?;
    ask(world.engine(), "GET", &format!("{path}x"), &[]).await?;
    let long = MARK.repeat(400);
    send(world.engine(), &path, &[("choice", "adopt"), ("reason", &long)]).await?;
    send(world.engine(), &path, &[("choice", "adopt"), ("reason", "zqmark reason")]).await?;
    later(&mut world, 5).await?;
    let path = link(world.engine(), "security-delegate-2")?;
    send(world.engine(), &path, &[("answer", "conflict"), ("note", "zqmark note")]).await?;
    later(&mut world, 300).await?;
    left(world.engine())
}

/// Everything the mailer may say of a mail, as it says it: with addresses, headers and another server's own words.
async fn is_reported_on() -> Left {
    let (mut world, scenario) = world().await?;
    play(&mut world, &scenario, before_the_decision).await?;
    later(&mut world, 5).await?;
    let folder = std::fs::read_dir(repository().join("events/ingest")).map_err(|error| error.to_string())?;
    let mut names: Vec<String> = folder
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("mail_"))
        .collect();
    names.sort();
    for (number, name) in names.iter().enumerate() {
        // Of a mail to the owner, but for one to somebody who was never mailed.
        let owner = if name == "mail_delayed.json" { "stranger" } else { "release-owner" };
        let text = read(&format!("events/ingest/{name}"))
            .replace("database.delegate@example.com", &format!("{owner}@zqmark.example"))
            .replace("@example.com", "@zqmark.example")
            .replace("user unknown", "zqmark is unknown")
            .replace("EXAMPLE7c191be45", &format!("{number:017}"));
        let engine = world.engine();
        let source = engine.topology().functions["ingest"].source.as_ref().expect("a queue's function");
        let outgoing = Outgoing { body: text, ..Outgoing::default() };
        engine.queues().send(&source.queue, outgoing).await.map_err(|refusal| refusal.to_string())?;
        later(&mut world, 1).await?;
    }
    later(&mut world, 5).await?;
    left(world.engine())
}

async fn is_sent_nonsense() -> Left {
    let (mut world, scenario) = world().await?;
    play(&mut world, &scenario, before_the_decision).await?;
    let bodies = [
        "zqmark is no JSON".to_owned(),
        json!({ "zqmark": "zqmark" }).to_string(),
        json!({ "format": "graph.get_schedule", "headers": {}, "body": { "request": "zqmark", "response": "zqmark" } })
            .to_string(),
        json!({
            "specversion": "zqmark", "id": "n1", "source": "//review.example.com", "time": "zqmark",
            "type": "dev.holdpoint.review.issued.v1",
            "data": {
                "review_id": "", "revision": "zqmark", "title": 7, "service": "zqmark", "roles": [{ "role": "r", "attendee": "zqmark" }],
                "optional": ["zqmark"], "time_zone": "Zqmark/zqmark", "slot": { "start": "zqmark", "end": "zqmark" },
            }
        })
        .to_string(),
        json!({
            "specversion": "1.0", "id": "n2", "source": "//availability.example.com",
            "type": "dev.holdpoint.availability.updated.v1",
            "data": {
                "person": "zqmark", "kind": "zqmark", "revision": 1, "horizon": "zqmark",
                "busy": [{ "start": "zqmark", "end": "zqmark", "subject": "zqmark" }],
            }
        })
        .to_string(),
    ];
    for (function, bodies) in [
        ("ingest", &bodies[..]),
        ("refresh", &[json!({ "review": "RR-1", "trigger": { "source": "zqmark" }, "at": "zqmark" }).to_string()]),
        ("notify", &[json!({ "review": ["zqmark"], "at": "zqmark" }).to_string(), "zqmark".to_owned()]),
    ] {
        let engine = world.engine();
        let source = engine.topology().functions[function].source.as_ref().expect("a queue's function");
        for body in bodies {
            let group = source.queue.ends_with(".fifo").then(|| "g".to_owned());
            let outgoing = Outgoing { body: body.clone(), deduplication: group.clone(), group, ..Outgoing::default() };
            engine.queues().send(&source.queue, outgoing).await.map_err(|refusal| refusal.to_string())?;
        }
    }
    let hook = lambda_shell::web::Request {
        method: "POST".to_owned(),
        path: "/hooks/zqmark".to_owned(),
        body: b"zqmark".to_vec(),
        ..Default::default()
    };
    world.engine().request(&hook).await?.ok_or("a hook of nobody's is refused by its function")?;
    // Long enough for every delivery there is, and the dead-letter queue at the end of them.
    later(&mut world, 240).await?;
    left(world.engine())
}

/// Asked to wait, then without an answer, then both no more.
async fn cannot_mail() -> Left {
    let (mut world, scenario) = world().await?;
    let calls = AtomicUsize::new(0);
    world.engine().faults().inject(move |call| {
        let number = calls.fetch_add(usize::from(call.service == Service::Ses), Ordering::SeqCst);
        match (call.service, number) {
            (Service::Ses, 0..6) => Some(Fault::Throttled),
            (Service::Ses, 6..20) => Some(Fault::LostResponse),
            _ => None,
        }
    });
    play(&mut world, &scenario, before_the_decision).await?;
    later(&mut world, 30).await?;
    left(world.engine())
}

/// The account is paused, as the service does it to whose mail bounces.
async fn is_paused() -> Left {
    let (mut world, scenario) = world().await?;
    world.engine().mailbox().pause(true);
    play(&mut world, &scenario, before_the_decision).await?;
    later(&mut world, 20).await?;
    left(world.engine())
}

async fn finds_everything_damaged() -> Left {
    let (mut world, scenario) = world().await?;
    play(&mut world, &scenario, before_the_decision).await?;
    later(&mut world, 5).await?;
    let path = link(world.engine(), "release-owner")?;
    damage(world.engine(), "TOLD#").await?;
    // The next mail and the page both look up who was told what.
    let mut pages = vec![ask(world.engine(), "GET", &path, &[]).await?];
    let mut texts = Vec::new();
    for kind in ["HEAD", "FACT", ""] {
        evidence(&world, kind).await?;
        // A day of deliveries is not needed: some, with what each says beside its message.
        let _ = later(&mut world, 40).await;
        texts.extend(left(world.engine())?.0);
        damage(world.engine(), kind).await?;
    }
    evidence(&world, "last").await?;
    let _ = later(&mut world, 40).await;
    pages.push(ask(world.engine(), "GET", &path, &[]).await?);
    let (more, tokens) = left(world.engine())?;
    Ok(([texts, more, pages].concat(), tokens))
}

/// Another fact, so that every function has something to do.
pub async fn evidence(world: &World, id: &str) -> Result<(), String> {
    static REVISION: AtomicUsize = AtomicUsize::new(100);
    let revision = REVISION.fetch_add(1, Ordering::SeqCst);
    let event = json!({
        "specversion": "1.0", "id": format!("more-{id}"), "source": "//evidence.example.com",
        "type": "dev.holdpoint.evidence.updated.v1",
        "data": {
            "change_id": "CHG0031337", "checkpoint": "integration-tests", "revision": revision, "status": "expected",
            "ready_at": format!("2026-11-03T15:{:02}:00Z", revision % 60),
        }
    });
    let engine = world.engine();
    let source = engine.topology().functions["ingest"].source.as_ref().expect("a queue's function");
    let outgoing = Outgoing { body: event.to_string(), ..Outgoing::default() };
    engine.queues().send(&source.queue, outgoing).await.map(drop).map_err(|refusal| refusal.to_string())
}

/// Writes something beside what was written, into every item whose sort key begins so.
async fn damage(engine: &Engine, sort_key: &str) -> Result<(), String> {
    for mut item in engine.embedded().scan(TABLE).await? {
        if item["sk"]["S"].as_str().is_some_and(|found| found.starts_with(sort_key)) {
            item["beside"] = json!({ "S": "zqmark" });
            engine.embedded().ask("PutItem", json!({ "TableName": TABLE, "Item": item })).await?;
        }
    }
    Ok(())
}

thread_local! {
    /// A panic on this thread is part of the journey.
    static MEANT: Cell<bool> = const { Cell::new(false) };
}

async fn panics() -> Left {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| if MEANT.get() { log::panicked(panic) } else { usual(panic) }));
    });
    let (mut world, scenario) = world().await?;
    play(&mut world, &scenario, |line| line.at < at("2026-11-03T11:32:00Z")).await?;
    for (id, function) in [("i", "ingest"), ("r", "refresh"), ("n", "notify")] {
        MEANT.set(true);
        world.engine().faults().inject(move |call| {
            assert!(&*call.caller != function, "zqmark {}", String::from_utf8_lossy(&call.request));
            None
        });
        evidence(&world, id).await?;
        let ended = later(&mut world, 10).await;
        MEANT.set(false);
        world.engine().faults().clear();
        ended?;
    }
    later(&mut world, 10).await?;
    left(world.engine())
}

/// Every system knows the credential, the address and the people of its calendars, and tells all of them to whoever asks.
#[derive(Clone, Debug)]
struct Unkind(Arc<AtomicUsize>);

impl HttpConnector for Unkind {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let told = format!("zqmark {} {:?}", request.uri(), request.headers().get("authorization"));
        let (status, body) = match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => (200, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//zqmark\r\nEND:VCALENDAR\r\n".to_owned()),
            1..4 => (401, told),
            4 => (200, "\u{0}zqmark".to_owned()),
            _ => return HttpConnectorFuture::ready(Err(ConnectorError::io(told.into()))),
        };
        let mut response = HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body));
        response.headers_mut().insert("etag", "zqmark");
        HttpConnectorFuture::ready(Ok(response))
    }
}

async fn asks_systems() -> Left {
    let source = json!({ "kind": "availability", "source": "//cal", "governed_by": "it@zqmark.example" });
    let binding = json!({
        "format": "ical.vevent", "name": "feed", "source": "//cal", "person": "somebody@zqmark.example",
        "poll": { "url": "https://zqmark.example/zqmark/{credential}.ics", "credential": "feed", "every_minutes": 5 },
    });
    let policy = json!({ "sources": [source], "native": [binding] }).to_string();
    let settings = Settings {
        source_credentials: json!({ "feed": "zqmark-credential" }).to_string(),
        web: Some(poll::Web::through(Unkind(Arc::default()))),
        ..Settings::in_memory(policy)
    };
    let time = VirtualTime::open(settings, at("2026-11-03T09:00:00Z")).await?;
    for turn in 0..10 {
        time.set(at("2026-11-03T09:00:00Z").plus_millis(turn * 5 * MINUTE));
        let turn = time.engine().functions().poll(json!({}), Deadline::far()).await;
        turn.map_err(|failure| failure.chain())?;
        time.drain().await?;
    }
    left(time.engine())
}

fn at(instant: &str) -> Instant {
    Instant::parse(instant).expect("an instant")
}
