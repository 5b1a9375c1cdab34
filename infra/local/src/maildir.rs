//! The maildir door: mails that a mail server of this machine delivered into a folder. A mail is taken from `new`, put on
//! the queue, and moved to `cur` once the queue holds it durably. Who dies in between finds the mail in `new` again: the
//! same mail is the same event, so it counts once.

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use packet_store::Door;
use serde_json::json;
use sources::{
    LARGEST_MAIL,
    native::{Format, NamedBinding},
};

use crate::{engine::Engine, operator, relay::Relay};

/// A folder has no bell.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Mails of one look; the others wait for the next.
const MOST_AT_ONCE: usize = 200;

/// A maildir, and the binding that reads its mails.
#[derive(Clone, Debug)]
pub struct MaildirDoor {
    folder: PathBuf,
    binding: Option<String>,
    /// Whether the policy binds what people answer. Otherwise bounces are all that is read here.
    answers: bool,
}

impl MaildirDoor {
    /// # Errors
    /// The folder is no maildir, or the policy binds no received mails.
    pub fn open(engine: &Engine, folder: &Path) -> Result<Self, String> {
        for part in ["new", "cur"] {
            let part = folder.join(part);
            if !part.is_dir() {
                return Err(format!("--maildir: expected a maildir with the folder {}, found none", part.display()));
            }
        }
        let functions = engine.functions();
        let bindings = &functions.ingest.policy.bindings.0;
        let bound: Vec<&NamedBinding> =
            bindings.iter().filter(|bound| bound.binding.format == Format::MailReceived).collect();
        match bound.as_slice() {
            [bound] => Ok(Self { folder: folder.to_owned(), binding: bound.name.clone(), answers: true }),
            [] if engine.relay().is_some_and(Relay::reads_bounces) => {
                Ok(Self { folder: folder.to_owned(), binding: None, answers: false })
            }
            several => Err(format!(
                "--maildir: expected one binding for {} in the policy's `native` list, found {}",
                Format::MailReceived.word(),
                several.len()
            )),
        }
    }

    /// Takes mails until it is dropped, which loses none.
    pub async fn watch(self, engine: Engine) {
        let mut taken = BTreeSet::new();
        loop {
            self.look(&engine, &mut taken).await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// One look. `taken`: names that are on the queue and could not be moved; they are not sent again.
    pub async fn look(&self, engine: &Engine, taken: &mut BTreeSet<String>) -> usize {
        let mut moved = 0;
        let names = match self.names() {
            Ok(names) => names,
            Err(error) => {
                tracing::error!(error = %error, "the maildir cannot be read");
                return 0;
            }
        };
        for name in names {
            if !taken.contains(&name) {
                if let Err(error) = self.take(engine, &name).await {
                    tracing::error!(error, "a mail was not taken from the maildir; the next look tries again");
                    continue;
                }
                taken.insert(name.clone());
            }
            let (from, to) = (self.folder.join("new").join(&name), self.folder.join("cur").join(format!("{name}:2,S")));
            match fs::rename(&from, &to) {
                Ok(()) => {
                    taken.remove(&name);
                    moved += 1;
                }
                Err(error) => tracing::error!(error = %error, "a mail is on the queue and cannot be moved to `cur`"),
            }
        }
        moved
    }

    /// In the order of their names, which begin with the second of the delivery. Links and folders are no mails.
    fn names(&self) -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.folder.join("new"))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if entry.file_type()?.is_file() && !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        names.truncate(MOST_AT_ONCE);
        Ok(names)
    }

    async fn take(&self, engine: &Engine, name: &str) -> Result<(), String> {
        let path = self.folder.join("new").join(name);
        let told = |error: std::io::Error| format!("reading a mail: {error}");
        let file = fs::File::open(&path).map_err(told)?;
        let bytes = file.metadata().map_err(told)?.len();
        let body = if bytes > LARGEST_MAIL as u64 {
            json!({ "bytes": bytes })
        } else {
            let mut mail = Vec::new();
            file.take(LARGEST_MAIL as u64 + 1).read_to_end(&mut mail).map_err(told)?;
            if let Some(relay) = engine.relay()
                && relay.returned(&mail).await?
            {
                return Ok(());
            }
            json!({ "mail": STANDARD.encode(mail) })
        };
        if !self.answers {
            tracing::warn!(
                "a mail is no bounce, and the policy binds no answers by mail; it was moved and is read by nobody"
            );
            return Ok(());
        }
        let format = Format::MailReceived.word();
        let message = json!({ "format": format, "binding": self.binding, "headers": {}, "body": body }).to_string();
        operator::enqueue(engine, vec![message], Door::Queue).await.map(drop).map_err(|why| why.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Settings, virtual_time::VirtualTime};
    use refresh_core::Instant;

    const POLICY: &str = include_str!("../../../events/scenarios/replies_by_mail.policy.json");

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
    async fn became(time: &mut VirtualTime) -> Vec<String> {
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
        assert_eq!(door.look(time.engine(), &mut BTreeSet::new()).await, 1);
        assert_eq!(
            (folder.list("new"), folder.list("cur")),
            (vec![".hidden".to_owned()], vec!["1793696400.1.host:2,S".to_owned()])
        );
        assert_eq!(became(&mut time).await, ["\"unknown_subject\""]);
        // Killed after the queue took the mail and before it was moved.
        folder.put("1793696400.1.host", MAIL.as_bytes());
        assert_eq!(door.look(time.engine(), &mut BTreeSet::new()).await, 1);
        assert_eq!(became(&mut time).await, ["\"duplicate\""]);
    }

    #[tokio::test]
    async fn a_mail_too_large_is_skipped_and_moved() {
        let folder = Folder::new("large");
        let mut time = engine(POLICY).await;
        let door = MaildirDoor::open(time.engine(), &folder.0).unwrap();
        folder.put("1", &vec![b'x'; LARGEST_MAIL + 1]);
        assert_eq!(door.look(time.engine(), &mut BTreeSet::new()).await, 1);
        assert!(became(&mut time).await.is_empty());
        assert!(folder.list("new").is_empty());
    }

    #[tokio::test]
    async fn a_door_that_leads_nowhere_is_refused() {
        let folder = Folder::new("nowhere");
        let time = engine(POLICY).await;
        let missing = MaildirDoor::open(time.engine(), &folder.0.join("none")).unwrap_err();
        assert!(missing.contains("expected a maildir"), "{missing}");
        let unbound = engine(include_str!("../../../events/scenarios/story.policy.json")).await;
        let refused = MaildirDoor::open(unbound.engine(), &folder.0).unwrap_err();
        assert!(refused.contains("one binding for mail.received"), "{refused}");
    }
}
