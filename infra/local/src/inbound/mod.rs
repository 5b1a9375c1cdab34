//! Mail in: the doors by which mails reach the engine on one machine. A mail server of this machine delivers into a folder
//! ([`maildir`]) or speaks to the engine ([`lmtp`]). Either way a mail becomes one message of the queue that ingest reads,
//! and is the server's no more only once the queue holds it durably. The same mail is the same event, so a mail that is
//! handed over twice counts once.
//!
//! What a door believes of a mail is nothing: whether the sender is proven stands in the mail's own headers, above what a
//! sender can write, under the name that the policy's binding has as `authserv_id` (`sources::native`).

pub mod lmtp;
pub mod maildir;

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use packet_store::Door;
use serde_json::json;
use sources::{
    LARGEST_MAIL,
    native::{Bindings, Format, NamedBinding},
};

use self::{
    lmtp::{LmtpAddress, LmtpDoor},
    maildir::MaildirDoor,
};
use crate::{door_troubles::Part, engine::Engine, operator, relay::Relay};

/// Where mail comes in.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MailIn {
    /// The folder that a mail server delivers into.
    pub maildir: Option<PathBuf>,
    /// Where a mail server hands mails over.
    pub lmtp: Option<LmtpAddress>,
}

/// The open doors for mail.
pub struct MailDoors {
    maildir: Option<MaildirDoor>,
    lmtp: Option<LmtpDoor>,
}

impl MailDoors {
    /// # Errors
    /// A door that cannot be opened, by its name.
    pub async fn open(engine: &Engine, places: &MailIn) -> Result<Self, String> {
        let maildir = places.maildir.as_deref().map(|folder| MaildirDoor::open(engine, folder)).transpose()?;
        let lmtp = match &places.lmtp {
            Some(address) => Some(LmtpDoor::open(engine, address).await?),
            None => None,
        };
        Ok(Self { maildir, lmtp })
    }

    /// Takes mails until it is dropped. A mail whose server has no answer yet, or that was not moved yet, comes again.
    pub async fn watch(self) {
        let maildir = async {
            if let Some(door) = self.maildir {
                door.watch().await;
            }
        };
        let lmtp = async {
            if let Some(door) = self.lmtp {
                door.serve().await;
            }
        };
        tokio::join!(maildir, lmtp);
    }
}

/// The binding of answers. `None`: nobody reads answers, and bounces are all that is read.
///
/// # Errors
/// Answers are bound several times, or not at all and bounces are not read either.
pub fn binding(bindings: &Bindings, reads_bounces: bool) -> Result<Option<NamedBinding>, String> {
    let bound: Vec<_> = bindings.0.iter().filter(|bound| bound.binding.format == Format::MailReceived).collect();
    match bound.as_slice() {
        [bound] => Ok(Some((*bound).clone())),
        [] if reads_bounces => Ok(None),
        several => Err(format!(
            "expected one binding for {} in the policy's `native` list, found {}",
            Format::MailReceived.word(),
            several.len()
        )),
    }
}

/// A mail as a door has it.
pub enum Handed {
    Whole(Vec<u8>),
    /// Bytes of a mail that is more than [`LARGEST_MAIL`]: nobody reads it, and its size is told.
    TooLarge(u64),
}

/// Where the mails of every door go.
#[derive(Clone)]
pub struct Inbox {
    engine: Engine,
}

impl Inbox {
    /// `door`: how the operator named the door, for the error.
    ///
    /// # Errors
    /// The policy does not bind received mails exactly once, and bounces are not read either.
    pub fn open(engine: &Engine, door: &str) -> Result<Self, String> {
        let inbox = Self { engine: engine.clone() };
        inbox.binding().map(|_| inbox).map_err(|why| format!("{door}: {why}"))
    }

    /// Whether a part of a door works, for `/health`.
    fn note<T, E: std::fmt::Display>(&self, part: Part, done: &Result<T, E>) {
        match done {
            Ok(_) => self.engine.door_troubles().works(part),
            Err(error) => self.engine.door_troubles().failed(part, error.to_string(), self.engine.now()),
        }
    }

    /// As the policy has it now: the policy may be renewed while a door is open.
    fn binding(&self) -> Result<Option<NamedBinding>, String> {
        let functions = self.engine.functions();
        binding(&functions.ingest.policy.bindings, self.engine.relay().is_some_and(Relay::reads_bounces))
    }

    /// Durable once this answers. `recipients`: as the mail server named them; empty where it named none.
    ///
    /// # Errors
    /// What the mail says is not kept. The same mail may be taken later; until one is, `/health` says so of `part`.
    pub async fn take(&self, mail: Handed, recipients: &[String], part: Part) -> Result<(), String> {
        let kept = self.keep(mail, recipients).await;
        self.note(part, &kept);
        kept
    }

    async fn keep(&self, mail: Handed, recipients: &[String]) -> Result<(), String> {
        let mut body = match mail {
            Handed::Whole(bytes) if bytes.len() > LARGEST_MAIL => json!({ "bytes": bytes.len() }),
            Handed::Whole(bytes) => {
                if let Some(relay) = self.engine.relay()
                    && relay.returned(&bytes, recipients).await?
                {
                    return Ok(());
                }
                json!({ "mail": STANDARD.encode(bytes) })
            }
            Handed::TooLarge(bytes) => json!({ "bytes": bytes }),
        };
        let Some(bound) = self.binding()? else {
            tracing::warn!("a mail is no bounce, and the policy binds no answers by mail; it is read by nobody");
            return Ok(());
        };
        if !recipients.is_empty() {
            body["recipients"] = recipients.into();
        }
        let format = Format::MailReceived.word();
        let message = json!({ "format": format, "binding": bound.name, "headers": {}, "body": body });
        let sent = operator::enqueue(&self.engine, vec![message.to_string()], Door::Queue).await;
        sent.map(drop).map_err(|why| why.to_string())
    }
}

#[cfg(test)]
pub mod tests;
