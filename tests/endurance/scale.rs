//! Many reviews in one process: what they cost while nothing happens, and that a change of each of them at once is told to
//! each of its people once.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant as Watch},
};

use holdpoint::{
    engine::{Engine, Settings, Storage},
    roster::A_PAGE,
};
use holdpoint_tests::{
    folder::Folder,
    served::{self, Server},
    world::{drive, with_room},
};
use lambda_shell::clock::Clock;
use refresh_core::{Instant, base::instant::DAY};
use serde_json::Value;

use crate::events::{self, Group, Review};

/// Reviews that share their two people.
const TOGETHER: usize = 25;
/// Events of one request; the door takes a thousand.
const AT_ONCE: usize = 500;
const QUIET_SECONDS: u32 = 1;
/// Whose mail a change costs: the owner's, who is asked, and the reviewer's, who is told.
const PEOPLE: usize = 2;

pub struct Size {
    pub reviews: usize,
    /// In the mailbox at the last start, at least.
    pub mails: usize,
    /// How long the processor is watched while nothing happens and nothing waits; zero: not at all. Afterwards, with proposals
    /// that wait, a minute at most: by the hour their owners are reminded.
    pub idle: Duration,
}

fn told(what: &str, value: impl std::fmt::Display) {
    println!("{what:<58} {value}");
}

pub fn play(size: &Size) {
    let folder = Folder::new("scale");
    let policy = folder.path().join("policy.json");
    fs::write(&policy, events::policy(QUIET_SECONDS)).expect("a file");
    let data = folder.path().join("data");
    let start = || Server::start(&data, &["--policy", policy.to_str().expect("UTF-8")]);
    let reviews = reviews(size.reviews);

    let server = start();
    let begun = Watch::now();
    send(&server, &facts(&reviews));
    // What a review stands on is known before it is issued, so that nobody is told of anything.
    drained(&server, size);
    let issued: Vec<Value> = reviews.iter().map(Review::issue).collect();
    send(&server, &issued);
    drained(&server, size);
    told("reviews issued", size.reviews);
    tell_of_work(&server, begun);
    server.stop();

    let server = start();
    tell_of_start(&server, "with open reviews");
    idle(&server, size.idle);

    let changes: Vec<Value> = reviews.iter().map(|review| review.evidence(2, 16)).collect();
    let begun = Watch::now();
    send(&server, &changes);
    told("changes at once", changes.len());
    told("milliseconds until all are accepted", begun.elapsed().as_millis());
    // What is under way comes to its end, so that no mail is in doubt; the others wait in the store.
    server.stop();
    let server = start();
    tell_of_start(&server, "with most changes waiting");
    let begun = Watch::now();
    drained(&server, size);
    told("changes decided and mailed", changes.len());
    tell_of_work(&server, begun);
    told("MiB at most meanwhile", server.cost().most_memory / 1_024);
    server.stop();

    served::verify(&data);
    with_room(|| drive(judge(&data, size)));
    let server = start();
    tell_of_start(&server, "with all of that and the mailbox full");
    look(&server, &data, size);
    told("MiB afterwards", server.cost().memory / 1_024);
    idle(&server, size.idle.min(Duration::from_secs(60)));
    server.stop();
    let bytes = ["store.sqlite", "messages.sqlite"].map(|name| fs::metadata(data.join(name)).expect("a file").len());
    told("MiB of the store and of messages and mails", format!("{} and {}", bytes[0] >> 20, bytes[1] >> 20));
}

/// What people and their monitors ask for, each twice: the first time the engine looks at every review.
fn look(server: &Server, data: &Path, size: &Size) {
    let reader = Group(0).manager();
    let pages = ["/health", "/metrics", "/mailbox", &format!("/mailbox?to={reader}"), "/reviews", "/reviews?open=yes"];
    for page in pages.into_iter().flat_map(|page| [page, page]) {
        let (before, begun) = (server.cost().processor, Watch::now());
        let answer = served::get(server, page);
        let took = (begun.elapsed().as_millis(), server.cost().processor.saturating_sub(before).as_millis());
        let Ok((200, text)) = answer else { panic!("{page}: {answer:?}") };
        told(
            &format!("{page}: milliseconds, of the processor; KiB"),
            format!("{}, {}; {}", took.0, took.1, text.len() / 1_024),
        );
    }
    let (mut listed, mut next, mut slowest) = (0, String::new(), Duration::ZERO);
    loop {
        let (before, page) = (Watch::now(), served::get(server, &format!("/reviews{next}")));
        slowest = slowest.max(before.elapsed());
        let Ok((200, text)) = page else { panic!("/reviews{next}: {page:?}") };
        let lines = text.matches("<article>").count();
        assert!((1..=A_PAGE).contains(&lines), "/reviews{next}: {lines} reviews on a page");
        listed += lines;
        let Some(link) = text.split("<a href=\"/reviews").find(|rest| rest.contains("rel=\"next\"")) else { break };
        link.split('"').next().unwrap_or_default().clone_into(&mut next);
    }
    assert_eq!(listed, size.reviews, "every review is on one page");
    told("milliseconds of the slowest page of the reviews", slowest.as_millis());
    let data = data.to_str().expect("UTF-8");
    for words in [&["reviews", "--json"][..], &["waiting"], &["stuck"], &["told", &reader], &["mail", "--to", &reader]]
    {
        let (before, begun) = (server.cost().processor, Watch::now());
        served::holdpoint(&[words, &["--data", data]].concat());
        let spent = server.cost().processor.saturating_sub(before).as_millis();
        told(
            &format!("{}: milliseconds, of the engine's processor", words[0]),
            format!("{}, {spent}", begun.elapsed().as_millis()),
        );
    }
}

fn reviews(count: usize) -> Vec<Review> {
    let today = Clock::system().now_millis() / DAY;
    let day = Instant::from_millis((today + 2) * DAY);
    (0..count).map(|number| Review { number, group: Group(number / TOGETHER), day }).collect()
}

fn facts(reviews: &[Review]) -> Vec<Value> {
    let shared = reviews.chunks(TOGETHER).flat_map(|some| some[0].group.facts(some[0].day, 2));
    shared.chain([events::no_freeze()]).chain(reviews.iter().flat_map(Review::facts)).collect()
}

fn send(server: &Server, events: &[Value]) {
    for some in events.chunks(AT_ONCE) {
        assert_eq!(served::post(&server.address, &Value::from(some).to_string()), Ok(202));
    }
}

/// Waits until no message is on any queue, and nothing is wrong. A message is gone once what it leads to is sent.
fn drained(server: &Server, size: &Size) {
    let pause = Duration::from_millis(50 + size.reviews as u64 / 2);
    loop {
        std::thread::sleep(pause);
        let (status, text) = served::get(server, "/health").expect("an answer");
        assert_eq!(status, 200, "{text}");
        let health: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(health["wrong"], serde_json::json!([]), "dead letters, for one");
        let queues = health["queues"].as_object().into_iter().flatten();
        let counts = queues.flat_map(|(_, queue)| queue.as_object().into_iter().flatten());
        if counts.map(|(_, count)| count.as_u64().unwrap_or(1)).sum::<u64>() == 0 {
            return;
        }
    }
}

fn tell_of_start(server: &Server, when: &str) {
    let cost = server.cost();
    told(&format!("milliseconds of a start {when}"), server.up_after.as_millis());
    told("of them, of the processor", cost.processor.as_millis());
    told("MiB then", cost.memory / 1_024);
}

fn tell_of_work(server: &Server, begun: Watch) {
    told("seconds for that", begun.elapsed().as_secs());
    told("seconds of the processor", server.cost().processor.as_secs());
}

fn idle(server: &Server, during: Duration) {
    if during.is_zero() {
        return;
    }
    // What a start leaves to be done is done.
    std::thread::sleep(Duration::from_secs(5));
    let before = server.cost().processor;
    std::thread::sleep(during);
    let spent = server.cost().processor.saturating_sub(before);
    told("percent of a core, idle", format!("{:.2}", spent.as_secs_f64() / during.as_secs_f64() * 100.0));
}

/// Each review has its proposal, each of its people one mail of it, and the mailbox is filled for the last start.
async fn judge(data: &Path, size: &Size) {
    let settings = Settings {
        storage: Storage::File(data.join("store.sqlite")),
        ..Settings::in_memory(events::policy(QUIET_SECONDS))
    };
    let engine = Engine::open(settings, Clock::system()).await.expect("the store");
    let heads = engine.store().reviews().await.expect("the reviews");
    assert_eq!((heads.read.len(), heads.unreadable.len()), (size.reviews, 0));
    let without: Vec<String> =
        heads.read.iter().filter(|head| head.pending.is_none()).map(|head| head.review.to_string()).collect();
    assert_eq!(without, [] as [String; 0], "reviews whose change came to nothing");
    let mut mails: BTreeMap<(String, String), usize> = BTreeMap::new();
    for mail in engine.mailbox().all() {
        let review = mail.tags.iter().find(|(name, _)| name == "review").expect("a mail names its review").1.clone();
        *mails.entry((review, mail.to.join(" "))).or_default() += 1;
    }
    let more: Vec<_> = mails.iter().filter(|(_, count)| **count > 1).collect();
    assert!(more.is_empty(), "people who were mailed more than once of one change: {more:?}");
    assert_eq!(mails.len(), PEOPLE * size.reviews, "each of a review's people is mailed once");
    told("mails of the changes", mails.len());
    fill(&engine, size.mails.saturating_sub(mails.len())).await;
    told("mails in the mailbox", engine.mailbox().len());
}

/// So many mails more, each a copy of the first.
async fn fill(engine: &Engine, more: usize) {
    let more = i64::try_from(more).expect("a few");
    let filled = engine.mailbox().tables().transact(move |transaction| {
        transaction.execute(
            "WITH RECURSIVE more(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM more WHERE number < ?1)
             INSERT INTO mail (at, sender, recipients, tags, subject, raw)
             SELECT at, sender, recipients, tags, subject, raw FROM more, (SELECT * FROM mail ORDER BY number LIMIT 1)
             WHERE ?1 > 0",
            [more],
        )
    });
    filled.await.expect("the mails");
}
