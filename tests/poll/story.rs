//! The story of the README, told by the systems themselves: asked, and one of them posting.

use std::fs;

use holdpoint::{
    engine::{Settings, virtual_time::VirtualTime},
    replay::{Player, Scenario},
};
use holdpoint_tests::{
    repository,
    world::{drive, with_room},
};
use refresh_core::ReviewId;

/// The packet that counts in the end: its version, and the digest of its content.
fn ends_in(name: &str) -> (u32, String) {
    let read = |file: String| fs::read_to_string(repository().join("events/scenarios").join(file)).expect("a scenario");
    let scenario = Scenario::parse(&read(format!("{name}.jsonl"))).expect("a scenario");
    let policy = read(format!("{name}.policy.json"));
    drive(async move {
        let time = VirtualTime::open(Settings::in_memory(policy), scenario.lines[0].at).await.expect("an engine");
        let mut player = Player::of(time);
        for line in &scenario.lines {
            player.until(line.at).await.expect("until the line");
            player.act(line).await.expect("the line");
        }
        let review = ReviewId::parse("RR-2026-1103").expect("a review");
        let store = player.time().engine().store().clone();
        let review = store.review(&review).await.expect("readable").expect("the review");
        (review.authoritative.number, review.authoritative.packet.digest().to_string())
    })
}

#[test]
fn what_systems_answer_comes_to_the_packet_of_the_canonical_story() {
    let (asked_for, canonical) = with_room(|| (ends_in("story_asked_for"), ends_in("story")));
    assert_eq!(asked_for, canonical);
    assert_eq!(asked_for.0, 6);
}
