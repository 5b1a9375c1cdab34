//! Mails at the doors: what becomes of each, and of one that is handed over twice.

use std::{collections::BTreeSet, fs, path::PathBuf};

use super::maildir::MaildirDoor;
use crate::engine::{Settings, virtual_time::VirtualTime};
use refresh_core::Instant;
use sources::LARGEST_MAIL;

const POLICY: &str = include_str!("../../../../events/scenarios/replies_by_mail.policy.json");

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let place = std::env::temp_dir().join(format!("holdpoint-maildir-{}-{name}", std::process::id()));
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(place.join(part)).unwrap();
        }
        Self(place)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join("new").join(name), bytes).unwrap();
    }

    fn list(&self, part: &str) -> Vec<String> {
        let names = fs::read_dir(self.0.join(part)).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn engine(policy: &str) -> VirtualTime {
    VirtualTime::open(Settings::in_memory(policy), Instant::parse("2026-11-03T09:00:00Z").unwrap()).await.unwrap()
}

const MAIL: &str = "Authentication-Results: mx.example.com; dmarc=pass\r\nFrom: a@example.com\r\nMessage-ID: <1@example.com>\r\n\
    Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:nobody@example.com\r\n\
    ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// What ingest says of the mails on the queue.
pub async fn became(time: &mut VirtualTime) -> Vec<String> {
    let batches = time.pump().await.unwrap();
    let outcomes = batches.into_iter().filter_map(|batch| batch.done).flatten().map(|done| done.outcome);
    let taken = outcomes.filter_map(|outcome| match outcome {
        Ok(crate::engine::Outcome::Ingested(taken)) => Some(taken),
        _ => None,
    });
    taken.flatten().map(|one| serde_json::to_value(one.disposition).unwrap()["reason"].to_string()).collect()
}

#[tokio::test]
async fn a_mail_is_moved_once_the_queue_has_it_and_counts_once_however_often_it_is_found() {
    let folder = Folder::new("once");
    let mut time = engine(POLICY).await;
    let door = MaildirDoor::open(time.engine(), &folder.0).unwrap();
    folder.put("1793696400.1.host", MAIL.as_bytes());
    folder.put(".hidden", b"no mail");
    assert_eq!(door.look(&mut BTreeSet::new()).await, 1);
    assert_eq!(
        (folder.list("new"), folder.list("cur")),
        (vec![".hidden".to_owned()], vec!["1793696400.1.host:2,S".to_owned()])
    );
    assert_eq!(became(&mut time).await, ["\"unknown_subject\""]);
    // Killed after the queue took the mail and before it was moved.
    folder.put("1793696400.1.host", MAIL.as_bytes());
    assert_eq!(door.look(&mut BTreeSet::new()).await, 1);
    assert_eq!(became(&mut time).await, ["\"duplicate\""]);
}

#[tokio::test]
async fn a_mail_too_large_is_skipped_and_moved() {
    let folder = Folder::new("large");
    let mut time = engine(POLICY).await;
    let door = MaildirDoor::open(time.engine(), &folder.0).unwrap();
    folder.put("1", &vec![b'x'; LARGEST_MAIL + 1]);
    assert_eq!(door.look(&mut BTreeSet::new()).await, 1);
    assert!(became(&mut time).await.is_empty());
    assert!(folder.list("new").is_empty());
}

#[tokio::test]
async fn a_door_that_leads_nowhere_is_refused() {
    let folder = Folder::new("nowhere");
    let time = engine(POLICY).await;
    let missing = MaildirDoor::open(time.engine(), &folder.0.join("none")).err().unwrap();
    assert!(missing.contains("expected a maildir"), "{missing}");
    let unbound = engine(include_str!("../../../../events/scenarios/story.policy.json")).await;
    let refused = MaildirDoor::open(unbound.engine(), &folder.0).err().unwrap();
    assert!(refused.contains("one binding for mail.received"), "{refused}");
}

#[tokio::test]
async fn a_maildir_that_fails_is_seen_in_health() {
    let folder = Folder::new("health");
    let time = engine(POLICY).await;
    let door = MaildirDoor::open(time.engine(), &folder.0).unwrap();
    fs::rename(folder.0.join("new"), folder.0.join("away")).unwrap();
    assert_eq!(door.look(&mut BTreeSet::new()).await, 0);
    let said = time.engine().wrong().await;
    assert!(
        said.len() == 1 && said[0].starts_with("the maildir cannot be read since 2026-11-03T09:00:00Z"),
        "{said:?}"
    );
    fs::rename(folder.0.join("away"), folder.0.join("new")).unwrap();
    fs::rename(folder.0.join("cur"), folder.0.join("away")).unwrap();
    folder.put("1", MAIL.as_bytes());
    let mut taken = BTreeSet::new();
    assert_eq!(door.look(&mut taken).await, 0);
    let said = time.engine().wrong().await;
    assert!(said.len() == 1 && said[0].starts_with("a mail that is kept could not be moved"), "{said:?}");
    fs::rename(folder.0.join("away"), folder.0.join("cur")).unwrap();
    assert_eq!(door.look(&mut taken).await, 1);
    assert_eq!(time.engine().wrong().await, [""; 0]);
}

/// The button of a calendar program, by way of a maildir: the attendee's answer stands in the review's lineage.
#[tokio::test]
async fn an_answer_in_a_maildir_is_an_answer_to_the_review() {
    use crate::replay::{Player, Scenario, mailed, scenario::Action};
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use refresh_core::record::lineage::{AnswerResult, Happening};

    let folder = Folder::new("answer");
    let scenario = Scenario::parse(include_str!("../../../../events/scenarios/replies_by_mail.jsonl")).unwrap();
    let mut player = Player::of(engine(POLICY).await);
    let line = scenario
        .lines
        .iter()
        .find(|line| matches!(&line.action, Some(Action::Reply(reply)) if reply.hold == Some(false)));
    let line = line.expect("somebody answers an invitation");
    let Some(Action::Reply(reply)) = &line.action else { unreachable!() };
    for before in scenario.lines.iter().take_while(|before| before.number < line.number) {
        player.until(before.at).await.unwrap();
        player.act(before).await.unwrap();
    }
    player.until(line.at).await.unwrap();
    let message = mailed::message(player.time().engine(), reply, line.at).unwrap().expect("an invitation was mailed");
    let mail = STANDARD.decode(message["body"]["mail"].as_str().unwrap()).unwrap();
    let door = MaildirDoor::open(player.time().engine(), &folder.0).unwrap();
    // The mail server has named the recipient by then, in a header of its own.
    folder.put("1793696400.1.host", &[b"Delivered-To: replies@holdpoint.example\r\n".as_slice(), &mail].concat());
    assert_eq!(door.look(&mut BTreeSet::new()).await, 1);
    player.until(line.at).await.unwrap();
    let store = player.time().engine().store();
    let heads = store.reviews().await.unwrap().whole().unwrap();
    let entries = store.lineage(&heads[0].review, 1).await.unwrap();
    let happenings = entries.iter().flat_map(|entry| &entry.happenings);
    let answers: Vec<_> = happenings
        .filter_map(|happening| match happening {
            Happening::Answer(answer) if answer.by_mail.is_some() => Some((answer.by.to_string(), answer.result)),
            _ => None,
        })
        .collect();
    assert_eq!(answers.last(), Some(&(reply.person.to_string(), AnswerResult::Recorded)), "{answers:?}");
}
