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

use sources::LARGEST_MAIL;

use super::{Handed, Inbox};
use crate::{door_troubles::Part, engine::Engine};

/// A folder has no bell.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Mails of one look; the others wait for the next.
const MOST_AT_ONCE: usize = 200;

/// A maildir, and where its mails go.
pub struct MaildirDoor {
    folder: PathBuf,
    inbox: Inbox,
}

/// # Errors
/// One of the folders that mails are delivered into and moved to is not there.
pub fn is_maildir(folder: &Path) -> Result<(), String> {
    for part in ["new", "cur"] {
        let part = folder.join(part);
        if !part.is_dir() {
            return Err(format!("expected a maildir with the folder {}, found none", part.display()));
        }
    }
    Ok(())
}

impl MaildirDoor {
    /// # Errors
    /// The folder is no maildir, or the policy binds no received mails.
    pub fn open(engine: &Engine, folder: &Path) -> Result<Self, String> {
        is_maildir(folder).map_err(|why| format!("--maildir: {why}"))?;
        Ok(Self { folder: folder.to_owned(), inbox: Inbox::open(engine, "--maildir")? })
    }

    /// Takes mails until it is dropped, which loses none.
    pub async fn watch(self) {
        let mut taken = BTreeSet::new();
        loop {
            self.look(&mut taken).await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// One look. `taken`: names that are on the queue and could not be moved; they are not sent again.
    pub async fn look(&self, taken: &mut BTreeSet<String>) -> usize {
        let mut moved = 0;
        let names = self.names();
        self.inbox.note(Part::Maildir, &names);
        let names = match names {
            Ok(names) => names,
            Err(error) => {
                tracing::error!(error = %error, "the maildir cannot be read");
                return 0;
            }
        };
        for name in names {
            if !taken.contains(&name) {
                if let Err(error) = self.take(&name).await {
                    tracing::error!(error, "a mail was not taken from the maildir; the next look tries again");
                    continue;
                }
                taken.insert(name.clone());
            }
            let (from, to) = (self.folder.join("new").join(&name), self.folder.join("cur").join(format!("{name}:2,S")));
            let renamed = fs::rename(&from, &to);
            self.inbox.note(Part::MaildirMoving, &renamed);
            match renamed {
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

    async fn take(&self, name: &str) -> Result<(), String> {
        let path = self.folder.join("new").join(name);
        let told = |error: std::io::Error| format!("reading a mail: {error}");
        let file = fs::File::open(&path).map_err(told)?;
        let bytes = file.metadata().map_err(told)?.len();
        let mail = if bytes > LARGEST_MAIL as u64 {
            Handed::TooLarge(bytes)
        } else {
            let mut mail = Vec::new();
            file.take(LARGEST_MAIL as u64 + 1).read_to_end(&mut mail).map_err(told)?;
            Handed::Whole(mail)
        };
        self.inbox.take(mail, &[], Part::MaildirKeeping).await
    }
}
