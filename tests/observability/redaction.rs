//! Nothing personal leaves by the side doors: of a story in which every personal field carries a mark, no line, no attribute of
//! a dead letter and no error's text has a mark in it.
//!
//! A dead letter's body is what its source sent, as far as somebody reads it, and an answer to a sender may quote what they
//! sent: neither is looked at.

use holdpoint_tests::world::drive;
use serde_json::Value;

use crate::{
    journeys::{listen, text},
    trouble::{Left, MARK, Trouble, before_the_decision, evidence, later, left, of_trouble, play, trouble, world},
};

#[test]
fn no_line_names_anybody() {
    for line in of_trouble() {
        assert!(!line.to_string().to_lowercase().contains(MARK), "{line}");
    }
}

#[test]
fn no_dead_letter_error_or_failed_page_names_anybody() {
    let texts = &trouble().texts;
    assert!(texts.len() > 10, "found {texts:?}");
    for left in texts {
        assert!(!left.to_lowercase().contains(MARK), "{left}");
    }
}

#[test]
fn no_line_or_error_holds_a_link() {
    let Trouble { lines, texts, tokens } = trouble();
    assert!(tokens.len() > 10, "found {} links in the mails", tokens.len());
    // The tag alone would do harm, and so would all but a letter.
    let parts: Vec<&str> = tokens.iter().map(|token| &token[token.len() - 20..]).collect();
    for said in lines.iter().map(Value::to_string).chain(texts.iter().cloned()) {
        assert!(!parts.iter().any(|part| said.contains(part)), "{said}");
    }
}

/// Otherwise the trials above would say nothing.
#[test]
fn the_trouble_was_real() {
    for (key, words) in [
        ("message", "handed back to the queue"),
        ("message", "the event is invalid"),
        ("message", "the page could not be made"),
        ("message", "panicked"),
        ("message", "answered"),
        ("error", "is damaged"),
        ("error", "panicked"),
        ("error", "***@***"),
        ("error", "handing a mail to the mailer"),
        ("error", "expected a message of ours"),
        ("message", "a mail did not reach its reader"),
        ("message", "a report on a mail to nobody we ever told"),
        ("status", "suppressed"),
        ("status", "rejected"),
        ("result", "adopted"),
        ("result", "recorded"),
        ("message", "a system was asked"),
        ("reason", "denied"),
        ("reason", "unreachable"),
    ] {
        let found = of_trouble().iter().any(|line| text(line, key).contains(words));
        assert!(found, "no line has {words:?} in {key:?}");
    }
}

/// A source's mistakes are warnings and figures: no number of them counts as a fault of the deployment, which its alarm
/// would take back.
#[test]
fn a_source_that_reuses_ids_is_no_fault_of_ours() {
    let (told, lines) = listen(|| drive(reuses_ids()));
    told.unwrap_or_else(|why| panic!("{why}"));
    let count = |key: &str, value: &str| lines.iter().filter(|line| text(line, key) == value).count();
    assert!(count("message", "another event came with an id that was used before") > 10, "{lines:?}");
    assert_eq!(count("level", "ERROR"), 0, "{lines:?}");
    assert!(lines.iter().filter(|line| line.get("IdCollisions").is_some()).count() > 10);
}

async fn reuses_ids() -> Left {
    let (mut world, scenario) = world().await?;
    play(&mut world, &scenario, before_the_decision).await?;
    for _ in 0..12 {
        evidence(&world, "reused").await?;
    }
    later(&mut world, 5).await?;
    left(world.engine())
}
