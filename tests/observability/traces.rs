//! One id from an event to the decision, the mails and the clicks.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint::{
    command::in_words,
    operator::{self, Request},
    queues::Outgoing,
    replay::Scenario,
};
use holdpoint_tests::world::{Aftermath, World, drive};
use mail_parser::{HeaderForm, MessageParser};
use refresh_core::{
    Instant, ReviewId,
    base::instant::MINUTE,
    facts::event::Identity,
    record::lineage::{Entry, Happening},
};
use serde_json::{Value, json};

use crate::journeys::{listen, read, text};

/// What the CI system says the slipped evidence is part of.
const GIVEN: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const REVIEW: &str = "RR-2026-1103";

fn at_of(line: &Value) -> Instant {
    Instant::parse(text(line, "at")).expect("an instant")
}

async fn hand_over(world: &World, events: &[Value]) -> Result<(), String> {
    let engine = world.engine();
    let source = engine.topology().functions["ingest"].source.as_ref().expect("a queue's function");
    for event in events {
        let outgoing = Outgoing { body: event.to_string(), ..Outgoing::default() };
        engine.queues().send(&source.queue, outgoing).await.map_err(|refusal| refusal.to_string())?;
    }
    Ok(())
}

struct Told {
    lines: Vec<Value>,
    /// In the order of sending: to whom, when, its header, its tag.
    mails: Vec<(String, i64, String, String)>,
    entries: Vec<Entry>,
    shown: Value,
    end: Aftermath,
}

fn story(change: impl Fn(Value) -> Vec<Value>) -> Told {
    tell("story", REVIEW, change)
}

/// A scenario, each line as `change` has it. A line with a `batch` is sent at once: what a queue hands over together.
fn tell(scenario: &str, review: &str, change: impl Fn(Value) -> Vec<Value>) -> Told {
    let review = ReviewId::parse(review).expect("an id");
    let lines = read(&format!("events/scenarios/{scenario}.jsonl"));
    let lines: Vec<Value> = lines
        .lines()
        .filter(|line| line.starts_with('{'))
        .flat_map(|line| change(serde_json::from_str(line).expect("a line of JSON")))
        .collect();
    let policy = read(&format!("events/scenarios/{scenario}.policy.json"));
    let (told, lines) = listen(|| {
        drive(async {
            let mut world = World::open(&policy, at_of(&lines[0])).await?;
            for line in &lines {
                world.until(at_of(line)).await?;
                match line["batch"].as_array() {
                    Some(events) => hand_over(&world, events).await?,
                    None => {
                        let one = Scenario::parse(&line.to_string()).map_err(|malformed| format!("{malformed:?}"))?;
                        world.act(&one.lines[0]).await?;
                    }
                }
            }
            world.until(world.time().now().plus_millis(20 * MINUTE)).await?;
            let engine = world.engine();
            let entries = engine.store().lineage(&review, 1).await.map_err(|error| error.to_string())?;
            let shown = operator::perform(engine, Request::Show(review.clone())).await?;
            let mails = engine.mailbox().all().into_iter().map(|mail| {
                let message = MessageParser::default().parse(&mail.raw).expect("a message");
                let header = message.header_as("X-Holdpoint-Trace", HeaderForm::Text);
                let header = header.first().and_then(|header| header.as_text()).unwrap_or_default().to_owned();
                let tag = mail.tags.iter().find(|(name, _)| name == "trace").map(|(_, value)| value.clone());
                (mail.to[0].clone(), mail.at, header, tag.unwrap_or_default())
            });
            let mails = mails.collect();
            Ok::<_, String>((mails, entries, shown, world.aftermath().await?))
        })
    });
    let (mails, entries, shown, end) = told.unwrap_or_else(|why| panic!("{why}"));
    Told { lines, mails, entries, shown, end }
}

fn is(line: &Value, id: &str) -> bool {
    line["send"]["id"] == id
}

fn part_of(mut line: Value, trace: &str) -> Value {
    line["send"]["traceparent"] = json!(format!("00-{trace}-00f067aa0ba902b7-01"));
    line
}

/// The evidence that slips comes with a trace of its source's; no other event does.
fn with_a_trace(line: Value) -> Vec<Value> {
    vec![if is(&line, "e24") { part_of(line, GIVEN) } else { line }]
}

fn own(source: &str, id: &str) -> String {
    let source = refresh_core::Source::parse(source).expect("a source");
    Identity { source, id: refresh_core::EventId::parse(id).expect("an id") }.trace().to_string()
}

fn review() -> ReviewId {
    ReviewId::parse(REVIEW).expect("an id")
}

fn millis(instant: &str) -> i64 {
    Instant::parse(instant).expect("an instant").millis()
}

#[test]
fn one_id_leads_from_the_event_to_the_clicks() {
    let told = story(with_a_trace);
    let under: Vec<&Value> = told.lines.iter().filter(|line| text(line, "trace_id") == GIVEN).collect();
    let of = |message: &str| under.iter().filter(|line| text(line, "message") == message).copied().collect::<Vec<_>>();

    // Ingest and refresh.
    assert_eq!(of("an event was taken").len(), 1);
    assert_eq!(text(of("an event was taken")[0], "event_id"), "e24");
    assert_eq!(text(of("counted")[0], "event_id"), "e24");
    assert_eq!(text(of("decided")[0], "outcome"), "held");
    // Its mails, by the log, by the header and by the tag.
    let notices = |line: &&Value| text(line, "review_id") == REVIEW && line["version"].is_number();
    assert!(of("told").len() > 3 && of("told").iter().all(notices), "{:?}", of("told"));
    for (to, at, header, tag) in &told.mails {
        assert_eq!(header, tag, "to {to}");
        // From the slip on everything is this change's: the request, the adoption, its mails, the reminders.
        assert_eq!(header == GIVEN, *at >= millis("2026-11-03T11:32:00Z"), "to {to} at {at}: {header}");
    }
    // The clicks: the owner looks, the owner adopts, two people answer.
    let purposes: Vec<&str> = of("a link was opened").iter().map(|line| text(line, "purpose")).collect();
    assert_eq!(purposes.iter().filter(|purpose| **purpose == "adopt").count(), 2, "{purposes:?}");
    assert_eq!(purposes.iter().filter(|purpose| **purpose == "acknowledge").count(), 4, "{purposes:?}");
    let results: Vec<&str> = of("answered").iter().map(|line| text(line, "result")).collect();
    assert_eq!(results, ["adopted", "recorded", "recorded"]);
    // Every line about a mail or a click has some trace, and so has every one of an event.
    for line in &told.lines {
        let traced = ["told", "decided", "counted", "answered", "a link was opened", "an event was taken"];
        if traced.contains(&text(line, "message")) {
            assert_eq!(text(line, "trace_id").len(), 32, "{line}");
        }
    }
}

#[test]
fn a_mail_is_of_the_change_that_was_one_for_its_reader() {
    let told = story(|line| vec![line]);
    let (calendar, bridge) = (own("//availability.example.com", "e22"), own("//availability.example.com", "e23"));
    let slip = own("//evidence.example.com", "e24");
    let at = |from: &str, until: &str| {
        let (from, until) = (millis(from), millis(until));
        let some = told.mails.iter().filter(move |mail| (from..until).contains(&mail.1));
        some.map(|mail| mail.2.clone()).collect::<BTreeSet<String>>()
    };
    assert_eq!(at("2026-11-03T11:00:00Z", "2026-11-03T11:20:00Z"), BTreeSet::from([calendar]));
    assert_eq!(at("2026-11-03T11:20:00Z", "2026-11-03T11:32:00Z"), BTreeSet::from([bridge]));
    assert_eq!(at("2026-11-03T11:32:00Z", "2026-11-04T00:00:00Z"), BTreeSet::from([slip]));
}

#[test]
fn what_is_decided_together_goes_on_as_one_and_says_so() {
    // Three changes in one batch are one decision.
    let lines = read("events/scenarios/story.jsonl");
    let events: Vec<Value> = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| ["e22", "e23", "e24"].iter().any(|id| is(line, id)))
        .map(|line| line["send"].clone())
        .collect();
    let told = story(|line| match () {
        () if is(&line, "e22") || is(&line, "e23") => Vec::new(),
        () if is(&line, "e24") => vec![json!({ "at": line["at"], "batch": events })],
        () => vec![line],
    });
    let slip = own("//evidence.example.com", "e24");
    let counted: BTreeMap<&str, &str> = told
        .lines
        .iter()
        .filter(|line| text(line, "message") == "counted" && line.get("continued_as").is_some())
        .map(|line| (text(line, "event_id"), text(line, "continued_as")))
        .collect();
    assert_eq!(counted, BTreeMap::from([("e22", &*slip), ("e23", &*slip)]));
}

#[test]
fn the_lineage_shows_it() {
    let told = story(with_a_trace);
    let of_story = told.entries.iter().filter(|entry| entry.at.millis() >= millis("2026-11-03T11:32:00Z"));
    assert!(of_story.clone().map(|entry| entry.happenings.len()).sum::<usize>() > 8);
    for entry in of_story {
        assert_eq!(entry.trace.map(|trace| trace.to_string()).as_deref(), Some(GIVEN), "entry {}", entry.sequence);
    }
    let words = in_words(&Request::Show(review()), &told.shown);
    assert!(words.contains(&format!("trace {GIVEN}")), "{words}");
    assert!(words.contains(&format!("trace {}", own("//review.example.com", "e20"))), "{words}");
    assert!(words.contains("the chain verifies"));
}

#[test]
fn an_event_delivered_again_with_another_trace_stays_the_first_ones() {
    let other = "0af7651916cd43dd8448eb211c80319c";
    let told = story(|line| match is(&line, "e24") {
        true => vec![part_of(line.clone(), GIVEN), part_of(line, other)],
        false => vec![line],
    });
    let again = told.lines.iter().find(|line| text(line, "reason") == "duplicate").expect("the second delivery");
    assert_eq!((text(again, "event_id"), text(again, "trace_id")), ("e24", GIVEN));
    for said in told.lines.iter().map(Value::to_string).chain(told.mails.iter().map(|mail| mail.2.clone())) {
        assert!(!said.contains(other), "{said}");
    }
}

#[test]
fn no_packet_depends_on_it() {
    let (with, without) = (story(with_a_trace), story(|line| vec![line]));
    let packets = |told: &Told| {
        let reviews = told
            .end
            .reviews
            .values()
            .map(|end| (end["authoritative"].clone(), end["pending"].clone(), end["told"].clone()));
        (reviews.collect::<Vec<_>>(), told.end.notices.clone())
    };
    assert_eq!(packets(&with), packets(&without));
    assert_eq!(with.end.mails, without.end.mails);
    let later = with.mails.iter().map(|mail| mail.1).max().unwrap_or(0);
    assert!(later >= millis("2026-11-03T12:05:00Z") + MINUTE, "the story came to its reminders");
}

/// What the mailer reports of a mail stands under the change that the mail told of, and so does what follows from it.
#[test]
fn what_became_of_a_mail_stands_under_its_change() {
    let is_first = |line: &Value| is(line, "f1");
    let told = tell("mail_does_not_arrive", "RR-1042", |line| match is_first(&line) {
        true => vec![part_of(line, GIVEN)],
        false => vec![line],
    });
    let under = |message: &str, key: &str| -> BTreeSet<&str> {
        let of = told.lines.iter().filter(|line| text(line, "message") == message && text(line, "trace_id") == GIVEN);
        of.map(|line| text(line, key)).collect()
    };
    // Ingest, with the id of the report as an event; refresh, with the review; notify, which was refused.
    let taken = "a report of the mailer was taken";
    assert_eq!(under(taken, "status"), BTreeSet::from(["bounced", "complained", "delivered"]));
    assert!(under(taken, "event_id").iter().all(|id| id.starts_with("local-")), "{:?}", under(taken, "event_id"));
    assert_eq!(under("what became of a mail is known", "status"), BTreeSet::from(["delivered"]));
    let lost = "a mail did not reach its reader";
    assert_eq!(under(lost, "status"), BTreeSet::from(["bounced", "complained"]));
    assert_eq!(under(lost, "review_id"), BTreeSet::from(["RR-1042"]));
    let refused = "the mailer refused a mail; it is not tried again";
    assert_eq!(under(refused, "review_id"), BTreeSet::from(["RR-1042"]));
    // A report without a trace is taken as well; one on a mail to nobody says so.
    let plain = told.lines.iter().filter(|line| text(line, "event_id").starts_with("late-"));
    let plain: Vec<&Value> = plain.filter(|line| text(line, "message") == taken).collect();
    assert!(plain.len() == 3 && plain.iter().all(|line| line.get("trace_id").is_none()), "{plain:?}");

    // The lineage, and the mails that tell others of it.
    let lost = |entry: &&Entry| {
        let first = entry.at.millis() < millis("2026-11-03T09:20:00Z");
        first && entry.happenings.iter().any(|happening| matches!(happening, Happening::Undeliverable { .. }))
    };
    let lost: Vec<&Entry> = told.entries.iter().filter(lost).collect();
    assert_eq!(lost.len(), 3, "a bounce, a complaint and a refusal");
    for entry in lost {
        assert_eq!(entry.trace.map(|trace| trace.to_string()).as_deref(), Some(GIVEN), "entry {}", entry.sequence);
    }
    let before = |mail: &&(String, i64, String, String)| mail.1 < millis("2026-11-03T09:20:00Z");
    let owners = told.mails.iter().filter(before).filter(|mail| mail.0 == "rm-a@example.com");
    let owners: Vec<&String> = owners.map(|mail| &mail.2).collect();
    assert!(owners.len() > 1 && owners.iter().all(|trace| *trace == GIVEN), "{owners:?}");
}
