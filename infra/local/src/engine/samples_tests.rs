//! `events/<function>/<case>.json`: each sample through its function, as `holdpoint invoke` does it, in the middle of the
//! story. Stored is what the function answers; changed answers are reviewed.

use std::{fs, path::Path};

use serde_json::Value;

use super::{Settings, virtual_time::VirtualTime};
use crate::replay::{Player, Scenario};

const STORY: &str = include_str!("../../../../events/scenarios/story.jsonl");
const POLICY: &str = include_str!("../../../../events/scenarios/story.policy.json");

/// The story up to the morning's last change, before the quiet period ends.
async fn story() -> Player {
    let scenario = Scenario::parse(STORY).unwrap();
    let time = VirtualTime::open(Settings::in_memory(POLICY), scenario.lines[0].at).await.unwrap();
    let mut player = Player::of(time);
    for line in scenario.lines.iter().take_while(|line| line.at.to_string().as_str() < "2026-11-03T11:33") {
        player.until(line.at).await.unwrap();
        player.act(line).await.unwrap();
    }
    player
}

/// What matters of an answer: the failed messages, or a page's status, result and whether it has a body.
fn essence(answer: &Value) -> Value {
    let Some(status) = answer.get("statusCode") else { return answer.clone() };
    let body = answer["body"].as_str().unwrap_or_default();
    serde_json::json!({
        "statusCode": status,
        "holdpoint-result": answer["headers"]["holdpoint-result"],
        "cache-control": answer["headers"]["cache-control"],
        "has a body": !body.is_empty(),
        "speaks of the review": body.contains("RR-2026-1103"),
    })
}

async fn answers(function: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(function);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut text = String::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let event: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let player = story().await;
        let answer = player.time().engine().functions().invoke(function, event).await;
        let answer = match answer {
            Ok(answer) => serde_json::to_string_pretty(&essence(&answer)).unwrap(),
            Err(why) => format!("the invocation fails: {why}"),
        };
        text.push_str(&format!("{}\n{answer}\n\n", file.file_stem().unwrap().to_string_lossy()));
    }
    text
}

#[tokio::test]
async fn samples_of_refresh() {
    insta::assert_snapshot!(answers("refresh").await);
}

#[tokio::test]
async fn samples_of_notify() {
    insta::assert_snapshot!(answers("notify").await);
}

#[tokio::test]
async fn samples_of_tick() {
    insta::assert_snapshot!(answers("tick").await);
}

#[tokio::test]
async fn samples_of_poll() {
    insta::assert_snapshot!(answers("poll").await);
}

#[tokio::test]
async fn samples_of_adopt() {
    insta::assert_snapshot!(answers("adopt").await);
}

#[tokio::test]
async fn samples_of_acknowledge() {
    insta::assert_snapshot!(answers("acknowledge").await);
}
