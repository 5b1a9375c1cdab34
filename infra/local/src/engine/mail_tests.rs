//! The mailer's answers and reports, through the very functions: a paused account, and one mail that is refused.

use std::collections::BTreeMap;

use refresh_core::{
    Instant, Person, ReviewId,
    base::instant::MINUTE,
    record::{exception::ExceptionKind, lineage::Happening, reason_word::ReasonWord, review::Head},
};

use super::{Settings, virtual_time::VirtualTime};
use crate::replay::{Player, Scenario};

const SCENARIO: &str = include_str!("../../../../events/scenarios/mail_does_not_arrive.jsonl");
const POLICY: &str = include_str!("../../../../events/scenarios/mail_does_not_arrive.policy.json");
/// The first mails are due.
const DUE: &str = "2026-11-03T09:02:00Z";

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

/// The scenario up to its first change, the names in it replaced.
async fn changed(names: &[(&str, &str)]) -> Player {
    let text = names.iter().fold(SCENARIO.to_owned(), |text, (name, by)| text.replace(name, by));
    let scenario = Scenario::parse(&text).unwrap();
    let time = VirtualTime::open(Settings::in_memory(POLICY), scenario.lines[0].at).await.unwrap();
    let mut player = Player::of(time);
    for line in scenario.lines.iter().take_while(|line| line.at < at(DUE)) {
        player.until(line.at).await.unwrap();
        player.act(line).await.unwrap();
    }
    player
}

/// Everybody can be reached.
const GOOD: [(&str, &str); 3] =
    [("bounce+so@", "success+so@"), ("complaint+sec@", "success+sec@"), ("reject+dbm@", "success+dbm@")];

async fn head(player: &Player) -> Head {
    let review = ReviewId::parse("RR-1042").unwrap();
    player.time().engine().store().head(&review).await.unwrap().unwrap()
}

fn mails(player: &Player) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for mail in player.time().engine().mailbox().all() {
        *counted.entry(mail.to.join(" ")).or_default() += 1;
    }
    counted
}

#[tokio::test]
async fn while_sending_is_paused_nothing_goes_out_and_then_everything_once() {
    let mut player = changed(&GOOD).await;
    player.time().engine().mailbox().pause(true);
    player.until(at(DUE).plus_millis(MINUTE)).await.unwrap();
    assert!(mails(&player).is_empty());
    // Nobody is tried again before five minutes are over, and nothing is lost or dead-lettered.
    assert_eq!(head(&player).await.notices_at, Some(at(DUE).plus_millis(5 * MINUTE)));
    player.until(at(DUE).plus_millis(30 * MINUTE)).await.unwrap();
    assert!(mails(&player).is_empty());
    for (dead, _) in player.time().engine().topology().dead_letter_queues() {
        assert!(player.time().engine().queues().look(&dead.name).unwrap().is_empty(), "{}", dead.name);
    }
    player.time().engine().mailbox().pause(false);
    player.until(at(DUE).plus_millis(40 * MINUTE)).await.unwrap();
    let found = mails(&player);
    assert_eq!((found.len(), found.values().max()), (5, Some(&1)), "{found:?}");
    assert_eq!(head(&player).await.unreachable, Vec::new());
}

/// Everybody else is told in the same round; the refusal is known with its words, and never tried again by itself.
#[tokio::test]
async fn one_refused_mail_keeps_nobody_waiting() {
    let mut player = changed(&GOOD[..2]).await;
    player.until(at(DUE)).await.unwrap();
    let found = mails(&player);
    // Who must see to it hears of it in the next round.
    for to in [
        "gov@example.com",
        "rm-a@example.com",
        "success+so@simulator.amazonses.com",
        "success+sre@simulator.amazonses.com",
    ] {
        assert!(found.contains_key(to), "{to}: {found:?}");
    }
    let refused = Person::parse("reject+dbm@simulator.amazonses.com").unwrap();
    let store = player.time().engine().store();
    let record = store.told(&head(&player).await.review).await.unwrap().remove(&refused).unwrap();
    assert_eq!((record.told, record.claim), (None, None));
    assert_eq!(record.delivery.as_ref().map(|known| known.status.word()), Some("rejected"));
    assert!(head(&player).await.withholds(&refused));
    player.until(at(DUE).plus_millis(15 * MINUTE)).await.unwrap();
    let again =
        player.time().engine().store().told(&head(&player).await.review).await.unwrap().remove(&refused).unwrap();
    assert_eq!(again.delivery, record.delivery, "it was tried again");
}

/// The service's own address, the one that no mail can be to: it would be sender and reader of an invitation. An
/// exception says so at once, the others are told, nothing is retried in vain, and the engine is not well.
#[tokio::test]
async fn a_mail_that_cannot_be_made_is_an_exception_at_once() {
    let own = Settings::in_memory(POLICY).mail_from;
    let names = [GOOD[0], GOOD[1], ("reject+dbm@simulator.amazonses.com", own.as_str())];
    let mut player = changed(&names).await;
    player.until(at(DUE)).await.unwrap();
    let found = mails(&player);
    assert!(!found.contains_key(&own), "{found:?}");
    for to in ["gov@example.com", "rm-a@example.com", "success+so@simulator.amazonses.com"] {
        assert!(found.contains_key(to), "{to}: {found:?}");
    }
    let head = head(&player).await;
    let own = Person::parse(&own).unwrap();
    let open = head.exceptions.iter().find(|open| open.kind == ExceptionKind::Unreachable).expect("an exception");
    let reasons: Vec<_> = open.reasons.iter().map(|reason| (reason.word(), reason.person().cloned())).collect();
    assert_eq!(reasons, [(ReasonWord::Unmailable, Some(own.clone()))]);
    assert!(head.withholds(&own));
    let engine = player.time().engine();
    let record = engine.store().told(&head.review).await.unwrap().remove(&own).unwrap();
    assert_eq!((record.claim, record.delivery.map(|known| known.status.word())), (None, Some("unmailable")));
    let wrong = engine.wrong().await;
    assert_eq!(wrong, ["1 people of open reviews cannot be told"]);
    // An hour of it is tried again, is in no dead-letter queue, and is no further entry of the record.
    let undeliverable = async |player: &Player| {
        let entries = player.time().engine().store().lineage(&head.review, 1).await.unwrap();
        let happenings = entries.iter().flat_map(|entry| &entry.happenings);
        happenings.filter(|one| matches!(one, Happening::Undeliverable { to, .. } if *to == own)).count()
    };
    assert_eq!(undeliverable(&player).await, 1);
    player.until(at(DUE).plus_millis(100 * MINUTE)).await.unwrap();
    assert_eq!(undeliverable(&player).await, 1);
    for (dead, _) in player.time().engine().topology().dead_letter_queues() {
        assert!(player.time().engine().queues().look(&dead.name).unwrap().is_empty(), "{}", dead.name);
    }
}
