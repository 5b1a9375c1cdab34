//! What stands in the way of mail that comes in. The mail server keeps the mails meanwhile and tells nobody here, so the
//! engine's `/health` says so.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use refresh_core::Instant;

/// A part of a door that can fail by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// Mail servers are let in by LMTP.
    Lmtp,
    /// Mails that came by LMTP are kept.
    LmtpKeeping,
    /// The maildir's `new` is read.
    Maildir,
    /// Mails of the maildir are kept.
    MaildirKeeping,
    /// Mails that are kept are moved to `cur`.
    MaildirMoving,
}

impl Part {
    const fn words(self) -> &'static str {
        match self {
            Self::Lmtp => "no mail comes in by LMTP",
            Self::LmtpKeeping => "a mail by LMTP could not be kept",
            Self::Maildir => "the maildir cannot be read",
            Self::MaildirKeeping => "a mail of the maildir could not be kept",
            Self::MaildirMoving => "a mail that is kept could not be moved to `cur`",
        }
    }
}

struct Trouble {
    why: String,
    since: Instant,
}

/// The troubles that last. A part that works again is in none.
#[derive(Default)]
pub struct DoorTroubles(Mutex<BTreeMap<Part, Trouble>>);

impl DoorTroubles {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Part, Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part failed at `now`. A trouble that lasts keeps the instant of its beginning.
    pub fn failed(&self, part: Part, why: String, now: Instant) {
        let mut all = self.all();
        let since = all.get(&part).map_or(now, |trouble| trouble.since);
        all.insert(part, Trouble { why, since });
    }

    pub fn works(&self, part: Part) {
        self.all().remove(&part);
    }

    /// What an operator must see to, in words that name no mail and nobody.
    pub fn wrong(&self) -> Vec<String> {
        let all = self.all();
        all.iter().map(|(part, Trouble { why, since })| format!("{} since {since}: {why}", part.words())).collect()
    }
}
