//! One review that cannot be read keeps no other waiting. Two reviews share every subject; each kind of item of the one
//! is damaged, or written by a newer version, and every function and every command goes on with the other.

use std::fs;

use holdpoint::{
    embedded::TABLE,
    engine::{Engine, virtual_time::VirtualTime},
    operator::{Request, ReviewsAsked, perform},
    queues::Outgoing,
    replay::Scenario,
};
use holdpoint_tests::{
    repository,
    world::{World, drive, with_room},
};
use lambda_shell::deadline::Deadline;
use refresh_core::{Instant, ReviewId, base::instant::MINUTE};
use serde_json::{Value, json};

const BROKEN: &str = "RR-BROKEN";
const WELL: &str = "RR-WELL";

fn id(review: &str) -> ReviewId {
    ReviewId::parse(review).expect("an id")
}

/// The short journey as far as its issue, for each of the reviews.
fn scenario(reviews: &[String]) -> Scenario {
    let text = fs::read_to_string(repository().join("tests/crashes/short.jsonl")).expect("the short journey");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('{')).collect();
    let issue = lines.iter().position(|line| line.contains("review.issued")).expect("an issue");
    let issued = reviews.iter().map(|review| {
        lines[issue].replace("RR-7", review).replace("\"id\": \"s8\"", &format!("\"id\": \"issue of {review}\""))
    });
    let all: Vec<String> = lines[..issue].iter().map(|line| (*line).to_owned()).chain(issued).collect();
    Scenario::parse(&all.join("\n")).unwrap_or_else(|malformed| panic!("{malformed:?}"))
}

/// All issued, a substitute proposed in each, and everybody told.
pub async fn told(reviews: &[String]) -> World {
    let policy = fs::read_to_string(repository().join("events/scenarios/story.policy.json")).expect("a policy");
    let mut policy: Value = serde_json::from_str(&policy).expect("JSON");
    // All of them seat the same people in one hour; what they know of each other is no matter here.
    policy["defaults"]["other_reviews"] = "ignored".into();
    let (policy, scenario) = (policy.to_string(), scenario(reviews));
    let mut world = World::open(&policy, scenario.lines[0].at).await.expect("a world");
    world.play(&scenario, 15).await.expect("the journey");
    send(world.engine(), &busy(2, "14:00", "17:00")).await;
    pass(world.time(), 15).await;
    world
}

/// The security reviewer is busy.
pub fn busy(revision: u64, from: &str, until: &str) -> Value {
    json!({
        "specversion": "1.0", "id": format!("busy-{revision}"), "source": "//availability.example.com",
        "type": "dev.holdpoint.availability.updated.v1",
        "data": {
            "person": "sec-a@example.com", "kind": "calendar", "revision": revision,
            "horizon": { "start": "2026-11-03T00:00:00Z", "end": "2026-11-06T00:00:00Z" },
            "busy": [{ "start": format!("2026-11-03T{from}:00Z"), "end": format!("2026-11-03T{until}:00Z") }],
        },
    })
}

pub async fn send(engine: &Engine, event: &Value) {
    let source = engine.topology().functions["ingest"].source.as_ref().expect("a function with a queue");
    let outgoing = Outgoing { body: event.to_string(), ..Outgoing::default() };
    engine.queues().send(&source.queue, outgoing).await.expect("a queue");
}

/// Time goes on; what fails meanwhile is its review's own business.
pub async fn pass(time: &VirtualTime, minutes: i64) {
    let end = time.now().plus_millis(minutes * MINUTE);
    loop {
        time.pump().await.expect("every function answers");
        match time.next_at().await.expect("the due index") {
            Some(at) if at <= end => time.set(at),
            _ => break,
        }
    }
    time.set(end);
}

/// What is the broken review's alone, by partition and the start of the sort key.
const ITEMS: [(&str, &str, &str); 13] = [
    ("HEAD", "REVIEW#RR-BROKEN", "HEAD"),
    ("every VERSION", "REVIEW#RR-BROKEN", "VERSION#"),
    ("the proposed VERSION", "REVIEW#RR-BROKEN", "VERSION#0000000002"),
    ("every LINEAGE", "REVIEW#RR-BROKEN", "LINEAGE#"),
    ("the first LINEAGE", "REVIEW#RR-BROKEN", "LINEAGE#0000000001"),
    ("SUBJECTS", "REVIEW#RR-BROKEN", "SUBJECTS"),
    ("every TOLD", "REVIEW#RR-BROKEN", "TOLD#"),
    ("every CAUSE", "REVIEW#RR-BROKEN", "CAUSE#"),
    ("every DEPENDS", "SUBJECT#", "REVIEW#RR-BROKEN"),
    ("its own terms", "FACT#review#RR-BROKEN", "FACT"),
    ("what a tick asked", "ASKED#RR-BROKEN", "ASKED"),
    ("every SEAT", "FACT#seat#", "REVIEW#RR-BROKEN"),
    ("everybody's mark of SEAT", "FACT#seat#", "FACT"),
];

/// How an item is spoilt.
#[derive(Clone, Copy, Debug)]
enum Spoilt {
    Damaged,
    Newer,
}

async fn spoil(engine: &Engine, (what, partition, sort): (&str, &str, &str), how: Spoilt) {
    let mut spoilt = 0;
    for mut item in engine.embedded().scan(TABLE).await.expect("a scan") {
        let key = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        if !key("pk").starts_with(partition) || !key("sk").starts_with(sort) {
            continue;
        }
        match how {
            Spoilt::Damaged => item["beside"] = json!({ "S": "x" }),
            Spoilt::Newer => item["schema"] = json!({ "N": "3" }),
        }
        engine.embedded().ask("PutItem", json!({ "TableName": TABLE, "Item": item })).await.expect("a put");
        spoilt += 1;
    }
    assert!(spoilt > 0, "there is no {what}");
}

/// The line about a review in a list of an answer.
fn line<'a>(answer: &'a Value, list: &str, review: &str) -> Option<&'a Value> {
    answer[list].as_array().expect("a list").iter().find(|line| line["review_id"] == review)
}

async fn one(item: (&str, &str, &str), how: Spoilt) {
    let named = format!("{} {how:?}", item.0);
    let world = told(&[BROKEN.to_owned(), WELL.to_owned()]).await;
    let engine = world.engine();
    // A tick leaves an ASKED only where something is due.
    pass(world.time(), 50).await;
    spoil(engine, item, how).await;
    let before = engine.store().head(&id(WELL)).await.expect("a HEAD").expect("issued");
    // Both must propose something else now: the delegate in the place they hold is no choice any more.
    send(engine, &busy(3, "09:00", "10:00")).await;
    pass(world.time(), 15).await;
    let after = engine.store().head(&id(WELL)).await.expect("a HEAD").expect("issued");
    assert!(before.pending.is_some() && after.pending.is_none(), "{named}: the other review is not refreshed");
    assert!(after.mails_sent > before.mails_sent, "{named}: nobody of the other review is told");
    assert!(after.check_at.is_some_and(|at| at > world.time().now()), "{named}: the other review stays due");

    let ask = async |request: Request| perform(engine, request).await;
    let answer =
        ask(Request::Reviews(ReviewsAsked::default())).await.unwrap_or_else(|why| panic!("{named}: reviews: {why}"));
    assert!(line(&answer, "reviews", WELL).is_some(), "{named}: {answer}");
    let listed = line(&answer, "reviews", BROKEN).or(line(&answer, "unreadable", BROKEN));
    assert!(listed.is_some(), "{named}: the broken review is in no list: {answer}");
    let answer = ask(Request::Verify(None)).await.unwrap_or_else(|why| panic!("{named}: verify: {why}"));
    assert_eq!(line(&answer, "reviews", WELL).map(|line| &line["verified"]), Some(&json!(true)), "{named}");
    // Whatever of its own record is spoilt, the review is not verified.
    let verified = line(&answer, "reviews", BROKEN).map(|line| line["verified"] == true);
    // What stands outside the partition is no part of the record.
    if item.1 == "REVIEW#RR-BROKEN" {
        assert_eq!(verified, Some(false), "{named}: {answer}");
    }
    let answer = ask(Request::Show(id(WELL))).await.unwrap_or_else(|why| panic!("{named}: show: {why}"));
    assert_eq!(answer["verified"]["verified"], true, "{named}");
    let tick = Request::Invoke { function: "tick".to_owned(), event: json!({ "time": world.time().now() }) };
    ask(tick).await.unwrap_or_else(|why| panic!("{named}: tick: {why}"));
}

#[test]
fn a_review_that_cannot_be_read_keeps_no_other_waiting() {
    with_room(|| {
        for item in ITEMS {
            for how in [Spoilt::Damaged, Spoilt::Newer] {
                drive(one(item, how));
            }
        }
    });
}

/// Whom a seat that cannot be read belongs to is known to be free at no hour: nobody is asked to adopt a proposal with
/// them. The review of that seat writes the entry once more, and the other goes on.
#[test]
fn nobody_is_proposed_a_seat_while_another_seat_of_theirs_cannot_be_read() {
    with_room(|| {
        drive(async {
            let world = told(&[BROKEN.to_owned(), WELL.to_owned()]).await;
            let engine = world.engine();
            let head = async |review: &str| engine.store().head(&id(review)).await.expect("a HEAD").expect("issued");
            let key = json!({ "pk": { "S": "REVIEW#RR-BROKEN" }, "sk": { "S": "HEAD" } });
            let get = json!({ "TableName": TABLE, "ConsistentRead": true, "Key": key });
            let sound = engine.embedded().ask("GetItem", get).await.expect("HEAD")["Item"].clone();
            spoil(engine, ("HEAD", "REVIEW#RR-BROKEN", "HEAD"), Spoilt::Damaged).await;
            spoil(engine, ("every SEAT", "FACT#seat#", "REVIEW#RR-BROKEN"), Spoilt::Damaged).await;
            assert!(head(WELL).await.pending.is_some(), "the delegate is proposed");
            send(engine, &busy(3, "14:30", "17:00")).await;
            pass(world.time(), 5).await;
            let unknown = head(WELL).await;
            assert!(unknown.pending.is_none(), "the delegate may be seated elsewhere at that hour");
            let reasons: Vec<_> = unknown.exceptions.iter().flat_map(|open| &open.reasons).collect();
            assert!(reasons.iter().any(|reason| reason.word().word() == "availability_unknown"), "{reasons:?}");
            // The review of the seats can be read again: its next look mends them.
            engine.embedded().ask("PutItem", json!({ "TableName": TABLE, "Item": sound })).await.expect("a put");
            send(engine, &busy(4, "14:00", "17:00")).await;
            pass(world.time(), 15).await;
            assert!(head(WELL).await.pending.is_some(), "the delegate is proposed again");
            let answer = perform(engine, Request::Verify(None)).await.expect("an answer");
            for review in [BROKEN, WELL] {
                assert_eq!(
                    line(&answer, "reviews", review).map(|line| &line["verified"]),
                    Some(&json!(true)),
                    "{review}"
                );
            }
        });
    });
}

/// Messages on the queues that a tick sends to.
fn waiting(engine: &Engine) -> (usize, usize) {
    let count = |function: &str| {
        let source = engine.topology().functions[function].source.as_ref().expect("a function with a queue");
        engine.queues().look(&source.queue).expect("a queue").len()
    };
    (count("refresh"), count("notify"))
}

/// Behind a backlog nothing is worked off, and every minute a tick finds the same reviews due.
#[test]
fn what_was_asked_for_is_not_asked_again_before_its_message_can_have_died() {
    const REVIEWS: usize = 60;
    with_room(|| {
        drive(async {
            let names: Vec<String> = (0..REVIEWS).map(|number| format!("RR-{number:03}")).collect();
            let world = told(&names).await;
            let (engine, time) = (world.engine(), world.time());
            let due = engine.due(Instant::from_millis(i64::MAX)).await.expect("the due index");
            assert_eq!(due.len(), REVIEWS);
            time.set(due.iter().map(|(at, _)| *at).max().expect("reviews"));
            let tick = async || {
                let event = json!({ "time": time.now().to_string() });
                engine.functions().tick(event, Deadline::far()).await.expect("a tick")
            };
            let before = waiting(engine);
            let first = tick().await;
            assert_eq!((first.reviews.len(), first.awaited, first.left), (REVIEWS, 0, 0));
            let asked = waiting(engine);
            assert!(asked.0 - before.0 <= REVIEWS && asked.1 - before.1 <= REVIEWS, "{before:?} became {asked:?}");
            let minutes = tick::REFRESH_AWAITED / MINUTE;
            for minute in 1..minutes {
                time.set(time.now().plus_millis(MINUTE));
                let again = tick().await;
                let new: Vec<_> = again.reviews.iter().filter(|review| first.reviews.contains(review)).collect();
                // A reminder falls due meanwhile: that is something else, and is asked for once.
                assert!(new.len() <= REVIEWS, "minute {minute}");
            }
            let later = waiting(engine);
            assert_eq!(later.0, asked.0, "a refresh that waits is asked for again");
            // Notices are asked for once a visibility time-out, which fits that often into the time that passed.
            let rounds = usize::try_from(tick::REFRESH_AWAITED / tick::NOTICES_AWAITED + 1).expect("a few");
            let notices = later.1 - asked.1;
            assert!(notices <= rounds * REVIEWS, "notices that wait are asked for again: {asked:?} became {later:?}");
            // Its message may be among the dead letters by now: the ask is not lost with it.
            time.set(time.now().plus_millis(MINUTE));
            assert_eq!(tick().await.reviews.len(), REVIEWS);
            // Once it is worked off nothing is due any more, and nothing was lost.
            pass(time, 30).await;
            let left = engine.due(time.now()).await.expect("the due index");
            assert!(left.is_empty(), "still due: {left:?}");
            for name in engine.queues().names() {
                assert!(engine.queues().look(&name).expect("a queue").is_empty(), "{name} is not worked off");
            }
        });
    });
}

/// A process that dies between asking and remembering asks again; whoever answered is asked anew.
#[test]
fn what_moved_head_is_an_answer() {
    with_room(|| {
        drive(async {
            let world = told(&[WELL.to_owned()]).await;
            let (engine, time) = (world.engine(), world.time());
            let due = engine.due(Instant::from_millis(i64::MAX)).await.expect("the due index");
            time.set(due[0].0);
            let tick = async || {
                let event = json!({ "time": time.now().to_string() });
                engine.functions().tick(event, Deadline::far()).await.expect("a tick")
            };
            assert_eq!(tick().await.reviews, [id(WELL)]);
            assert_eq!((tick().await.reviews, tick().await.awaited), (Vec::new(), 1));
            pass(time, 1).await;
            let next = engine.due(Instant::from_millis(i64::MAX)).await.expect("the due index")[0].0;
            assert!(next > time.now(), "the ask was answered");
            time.set(next);
            assert_eq!(tick().await.reviews, [id(WELL)], "what is due next is asked for");
        });
    });
}
