//! What is past its time goes, whole; what is not stays as it was.

use std::path::PathBuf;

use refresh_core::{ReviewId, base::instant::DAY};
use serde_json::{Value, json};

use crate::{
    archive,
    embedded::TABLE,
    engine::{Engine, Settings, virtual_time::VirtualTime},
    headless::Lost,
    keep,
    operator::{self, Request, published::fits},
    queues::Outgoing,
    removals::{Compacting, RemovalsAsked},
    replay::{Player, Scenario},
    retention::Keep,
};

const SCENARIO: &str = include_str!("../../../events/scenarios/story.jsonl");
const POLICY: &str = include_str!("../../../events/scenarios/story.policy.json");

/// The story, told to its end and until its review has started.
async fn told(keep: Keep) -> Player {
    let scenario = Scenario::parse(SCENARIO).unwrap();
    let settings = Settings { keep, ..Settings::in_memory(POLICY) };
    let time = VirtualTime::open(settings, scenario.lines[0].at).await.unwrap();
    let mut player = Player::of(time);
    for line in &scenario.lines {
        player.until(line.at).await.unwrap();
        player.act(line).await.unwrap();
    }
    let last = scenario.lines.last().unwrap().at;
    player.until(last.plus_millis(60 * DAY)).await.unwrap();
    player
}

async fn compact(engine: &Engine) -> Value {
    let by = Compacting { by: Some("op@example.com".to_owned()), reason: Some("Quarterly.".to_owned()) };
    keep::compact(engine, &by).await.unwrap()
}

async fn keys_with(engine: &Engine, part: &str) -> Vec<String> {
    let items = engine.embedded().scan(TABLE).await.unwrap();
    let keys = items.iter().map(|item| format!("{} / {}", item["pk"]["S"], item["sk"]["S"]));
    keys.filter(|key| key.contains(part)).collect()
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("holdpoint-keep-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

#[tokio::test]
async fn a_review_goes_whole_after_its_record_was_written_down_and_not_before_its_time() {
    let archive = folder("archive");
    let keep = Keep { reviews: 90, archive: Some(archive.clone()), ..Keep::default() };
    let player = told(keep).await;
    let engine = player.time().engine();
    let before = keys_with(engine, "RR-2026-1103").await;
    assert!(before.len() > 5, "{before:?}");
    let review = ReviewId::parse("RR-2026-1103").unwrap();
    let shown = operator::perform(engine, Request::Show(review)).await.unwrap();

    let early = compact(engine).await;
    assert_eq!(early["removed"]["reviews"], json!([]));
    let waits: Vec<_> = before.iter().filter(|key| key.contains("\"REVIEW#RR-2026-1103\" / ")).collect();
    assert!(keys_with(engine, "\"REVIEW#RR-2026-1103\" / ").await.len() >= waits.len(), "not before its time");

    player.time().set(engine.now().plus_millis(60 * DAY));
    let late = compact(engine).await;
    assert_eq!((&late["removed"]["reviews"], &late["kept_although_past"]), (&json!(["RR-2026-1103"]), &json!([])));
    assert_eq!(keys_with(engine, "RR-2026-1103").await, Vec::<String>::new(), "nothing of it is left");
    let written: Vec<_> = std::fs::read_dir(&archive).unwrap().collect();
    assert_eq!(written.len(), 1);
    let kept: Value = serde_json::from_slice(&std::fs::read(written[0].as_ref().unwrap().path()).unwrap()).unwrap();
    assert_eq!(kept["lineage"], shown["lineage"]);
    let file = written[0].as_ref().unwrap().path().display().to_string();
    who_let_it_go_is_known(engine, &shown, Some(&file)).await;
    assert_eq!(compact(engine).await["removed"], json!({ "events": 0, "mails": 0, "letters": 0, "reviews": [] }));
    assert!(!keys_with(engine, "FACT#availability").await.is_empty(), "facts stay");
    std::fs::remove_dir_all(&archive).unwrap();
}

/// The list, and whoever asks for the review by its name.
async fn who_let_it_go_is_known(engine: &Engine, shown: &Value, record: Option<&str>) {
    let review = ReviewId::parse("RR-2026-1103").unwrap();
    let asked = RemovalsAsked { review: Some(review.clone()), ..RemovalsAsked::default() };
    let answer = operator::perform(engine, Request::Removed(asked)).await.unwrap();
    let mut printed = answer.clone();
    printed["store"] = json!("/var/lib/holdpoint/store.sqlite");
    fits("removed", &printed);
    let gone = &answer["removed"][0];
    let lineage = shown["lineage"].as_array().unwrap();
    assert_eq!(answer["removed"].as_array().unwrap().len(), 1);
    assert_eq!((&gone["by"], &gone["record"]), (&json!("op@example.com"), &json!(record)));
    assert_eq!((&gone["entries"], &gone["lineage_end"]), (&json!(lineage.len()), &lineage[lineage.len() - 1]["hash"]));
    assert_eq!(gone["removed_at"], json!(engine.now()));
    let request = Request::Removed(RemovalsAsked::default());
    let words = crate::command::show::in_words(&request, &answer);
    for request in [Request::Show(review.clone()), Request::Why(review.clone()), Request::Verify(Some(review))] {
        let why = operator::perform(engine, request.clone()).await.unwrap_err();
        for wanted in ["op@example.com", "Quarterly.", record.unwrap_or("written nowhere")] {
            assert!(why.why().contains(wanted), "{request:?}: {wanted}: {}", why.why());
            assert!(words.contains(wanted), "{wanted}: {words}");
        }
    }
}

/// A line of each review that went, whichever run ended it; a review that stays has none.
#[tokio::test]
async fn a_run_that_died_after_its_line_writes_no_second_one() {
    let player = told(Keep { reviews: 90, ..Keep::default() }).await;
    let engine = player.time().engine();
    player.time().set(engine.now().plus_millis(60 * DAY));
    let review = ReviewId::parse("RR-2026-1103").unwrap();
    let shown = operator::perform(engine, Request::Show(review.clone())).await.unwrap();
    let key = json!({ "pk": { "S": "REVIEW#RR-2026-1103" }, "sk": { "S": "HEAD" } });
    let head = engine.embedded().ask("GetItem", json!({ "TableName": TABLE, "Key": key })).await.unwrap();
    let items = engine.embedded().scan(TABLE).await.unwrap();
    compact(engine).await;
    // As it was before the first item went.
    for item in items.into_iter().chain([head["Item"].clone()]) {
        engine.embedded().ask("PutItem", json!({ "TableName": TABLE, "Item": item })).await.unwrap();
    }
    assert_eq!(compact(engine).await["removed"]["reviews"], json!(["RR-2026-1103"]));
    who_let_it_go_is_known(engine, &shown, None).await;
}

/// Whoever dies after HEAD went: the next run removes the rest, and until then nothing is damaged.
#[tokio::test]
async fn what_a_run_that_died_left_goes_with_the_next_one() {
    let player = told(Keep { reviews: 90, ..Keep::default() }).await;
    let engine = player.time().engine();
    player.time().set(engine.now().plus_millis(60 * DAY));
    let items = engine.embedded().scan(TABLE).await.unwrap();
    compact(engine).await;
    // As it was after HEAD, the versions and an entry of the lineage went.
    let is_left = |item: &&Value| {
        let key = ["pk", "sk"].map(|part| item[part]["S"].as_str().unwrap());
        key[0] == "REVIEW#RR-2026-1103" && key[1].starts_with("LINEAGE#") && key[1] != "LINEAGE#0000000001"
    };
    for item in items.iter().filter(is_left) {
        engine.embedded().ask("PutItem", json!({ "TableName": TABLE, "Item": item })).await.unwrap();
    }
    assert!(!keys_with(engine, "\"REVIEW#RR-2026-1103\" / ").await.is_empty());
    assert_eq!(operator::perform(engine, Request::Verify(None)).await.unwrap()["reviews"], json!([]));
    let (begun, lost) = Lost::of_engine(engine).await.unwrap();
    assert_eq!((begun.len(), lost.len()), (1, 0));
    let mut file = Vec::new();
    archive::write(engine.store(), TABLE, engine.now(), &begun, &mut file).await.unwrap();
    assert!(!String::from_utf8(file).unwrap().contains("LINEAGE#"), "what goes is archived nowhere");
    compact(engine).await;
    assert_eq!(keys_with(engine, "\"REVIEW#RR-2026-1103\" / ").await, Vec::<String>::new());
}

/// HEAD that went without a removal is a loss, and what is left of the review is evidence.
#[tokio::test]
async fn a_review_that_lost_its_head_stays_and_is_named() {
    let player = told(Keep::default()).await;
    let engine = player.time().engine();
    let key = json!({ "pk": { "S": "REVIEW#RR-2026-1103" }, "sk": { "S": "HEAD" } });
    engine.embedded().ask("DeleteItem", json!({ "TableName": TABLE, "Key": key })).await.unwrap();
    let left = keys_with(engine, "\"REVIEW#RR-2026-1103\" / ").await;
    let done = compact(engine).await;
    assert_eq!(done["kept_although_past"][0]["review_id"], "RR-2026-1103", "{done}");
    assert!(done["kept_although_past"][0]["because"].as_str().unwrap().contains("HEAD is gone"), "{done}");
    assert_eq!(keys_with(engine, "\"REVIEW#RR-2026-1103\" / ").await, left);
}

/// A record that does not verify is evidence.
#[tokio::test]
async fn a_review_whose_lineage_does_not_verify_stays_and_is_named() {
    let player = told(Keep { reviews: 35, ..Keep::default() }).await;
    let engine = player.time().engine();
    let key = json!({ "pk": { "S": "REVIEW#RR-2026-1103" }, "sk": { "S": "LINEAGE#0000000002" } });
    engine.embedded().ask("DeleteItem", json!({ "TableName": TABLE, "Key": key })).await.unwrap();
    let done = compact(engine).await;
    assert_eq!(done["removed"]["reviews"], json!([]));
    assert_eq!(done["kept_although_past"][0]["review_id"], "RR-2026-1103", "{done}");
    let answer = operator::perform(engine, Request::Removed(RemovalsAsked::default())).await.unwrap();
    assert_eq!((&answer["removed"], &answer["next"]), (&json!([]), &Value::Null), "nothing went");
    assert!(!keys_with(engine, "\"REVIEW#RR-2026-1103\" / \"HEAD\"").await.is_empty());
}

#[tokio::test]
async fn events_mails_and_dead_letters_go_at_their_time() {
    let player = told(Keep { events: 3, mails: 90, ..Keep::default() }).await;
    let engine = player.time().engine();
    let mails = engine.mailbox().len();
    assert!(mails > 0 && compact(engine).await["removed"]["mails"] == 0);
    let event = Outgoing { body: "{}".to_owned(), ..Outgoing::default() };
    engine.queues().send("source-events-dlq", event).await.unwrap();
    assert_eq!(compact(engine).await["removed"]["letters"], 0);
    player.time().set(engine.now().plus_millis(91 * DAY));
    let removed = compact(engine).await["removed"].clone();
    assert_eq!((&removed["mails"], &removed["letters"]), (&json!(mails), &json!(1)), "{removed}");
    assert!(engine.mailbox().is_empty());
}

/// An event's record is kept for as long as the settings say, though the functions would keep it longer.
#[tokio::test]
async fn the_record_of_an_event_goes_sooner_where_the_settings_say_so() {
    for (days, stays) in [(35, true), (3, false)] {
        let scenario = Scenario::parse(SCENARIO).unwrap();
        let settings = Settings { keep: Keep { events: days, ..Keep::default() }, ..Settings::in_memory(POLICY) };
        let mut player = Player::of(VirtualTime::open(settings, scenario.lines[0].at).await.unwrap());
        player.act(&scenario.lines[0]).await.unwrap();
        player.until(scenario.lines[0].at.plus_millis(4 * DAY)).await.unwrap();
        let engine = player.time().engine();
        assert!(!keys_with(engine, "EVENT#").await.is_empty());
        compact(engine).await;
        assert_eq!(!keys_with(engine, "EVENT#").await.is_empty(), stays, "{days}");
    }
}
