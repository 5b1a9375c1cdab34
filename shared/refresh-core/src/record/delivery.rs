//! What the mailer reports back of a message, and what follows: who cannot be reached by mail, and until when.
//!
//! ```text
//!  a mail bounces for good, is refused, its reader complains ──▶ Withheld ── they answer ───────────────▶ Answered
//!                 refused, and then they must know something else │    │ their `person` fact is renewed ▶ Resumed
//!                                                                 ▼    ▲ refused again                       ▲
//!                                                               Retry ─┘── the mailer accepts ───────────────┘
//!  a mail cannot be made ─▶ Withheld ── their or the review's facts are renewed, they must know something else, or
//!                                       an hour is over: another release may make the mail ──▶ Retry
//! ```

use serde::{Deserialize, Serialize};

use crate::{Instant, Person, TraceId, base::instant::HOUR, facts::revision::Stamp};

/// What is kept of the mailer's words, in characters.
pub const LONGEST_REASON: usize = 200;

/// What the mailer says became of one message to one person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeliveryReport {
    /// Whom the message was for.
    pub to: Person,
    /// What became of the message.
    pub delivery: Delivery,
    /// The one that the message itself went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

/// What is known of a message: kept of each person's newest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// The mailer's id of the message; of one that it refused at once, the claim it was made under.
    pub message_id: String,
    /// When the mailer took it, by the mailer's clock: messages to one person are ordered by it.
    pub mailed_at: Instant,
    /// When that became known, by the mailer's clock.
    pub at: Instant,
    /// What the mailer says.
    #[serde(flatten)]
    pub status: DeliveryStatus,
}

/// In the order of weight: of one message the heaviest word counts, whatever was said last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The mailer still tries.
    Delayed,
    /// A full mailbox, a server that was away, an automatic answer. The address is good.
    BouncedForNow,
    /// The reader's server took the message.
    Delivered,
    /// There is no message: its content cannot be carried, or did not read back as it was meant.
    Unmailable {
        /// What could not be carried, on one line.
        reason: String,
    },
    /// The mailer would not send this message: what is in it, or who it is to.
    Rejected {
        /// The mailer's own words, on one line.
        reason: String,
    },
    /// On the mailer's list of addresses that bounced or complained before: nothing was tried.
    Suppressed,
    /// The message came back for good.
    Bounced,
    /// The reader reported the message as unwanted.
    Complained,
}

impl DeliveryStatus {
    /// The word of the contract.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::BouncedForNow => "bounced_for_now",
            Self::Delivered => "delivered",
            Self::Unmailable { .. } => "unmailable",
            Self::Rejected { .. } => "rejected",
            Self::Suppressed => "suppressed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    /// The mailer's own words, short and on one line: they are outside text that people will read.
    pub fn rejected(reason: &str) -> Self {
        Self::Rejected { reason: short(reason) }
    }

    /// What could not be carried.
    pub fn unmailable(reason: &str) -> Self {
        Self::Unmailable { reason: short(reason) }
    }

    /// Why there is no such mail, in words; only where somebody said so.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Rejected { reason } | Self::Unmailable { reason } => Some(reason),
            _ => None,
        }
    }

    const fn weight(&self) -> u8 {
        match self {
            Self::Delayed => 0,
            Self::BouncedForNow => 1,
            Self::Delivered => 2,
            Self::Unmailable { .. } => 3,
            Self::Rejected { .. } => 4,
            Self::Suppressed => 5,
            Self::Bounced => 6,
            Self::Complained => 7,
        }
    }

    /// Why no further mail is worth sending; `None` where one is.
    pub const fn undeliverable(&self) -> Option<Undeliverable> {
        match self {
            Self::Delayed | Self::BouncedForNow | Self::Delivered => None,
            Self::Unmailable { .. } => Some(Undeliverable::Unmailable),
            Self::Rejected { .. } => Some(Undeliverable::Rejected),
            Self::Suppressed | Self::Bounced => Some(Undeliverable::Bounced),
            Self::Complained => Some(Undeliverable::Complained),
        }
    }

    /// Whether the message never arrived, for certain. Who complained has read it.
    pub const fn is_lost(&self) -> bool {
        matches!(self, Self::Unmailable { .. } | Self::Rejected { .. } | Self::Suppressed | Self::Bounced)
    }
}

impl Delivery {
    /// What is known after `report`; `None` where it adds nothing. The newest message counts, and of one message the
    /// heaviest word. Reports come twice, late and in any order; the answer stays the same.
    pub fn after(known: Option<&Self>, report: &Self) -> Option<Self> {
        let order = |one: &Self| (one.mailed_at, one.message_id.clone(), one.status.weight(), one.at);
        known.is_none_or(|known| order(known) < order(report)).then(|| report.clone())
    }
}

/// Why a person's mail does not arrive; the later one outweighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undeliverable {
    /// A message could not be made.
    Unmailable,
    /// The mailer refused one message.
    Rejected,
    /// A message came back for good.
    Bounced,
    /// The reader complained.
    Complained,
}

/// A person whose mail did not arrive, required or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unreachable {
    /// Whose mail did not arrive.
    pub person: Person,
    /// Why.
    pub why: Undeliverable,
    /// When the mailer took the message that was reported on; when one that it never got was tried.
    pub mailed_at: Instant,
    /// The person's `person` fact then. Another one is the source's word for the address.
    #[serde(flatten, with = "profile")]
    pub profile: Option<Stamp>,
    /// The review's terms then: a mail is made of them too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Stamp>,
    /// Whether mail is tried again.
    pub reach: Reachability,
}

/// As it is stored: the revision where older versions look for it, the source beside it. A stamp that an older version
/// wrote has no source. It counts as no fact, so the next look tries the address once more.
mod profile {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::{
        Source,
        facts::revision::{Revision, Stamp, is_first},
    };

    #[derive(Serialize, Deserialize)]
    struct Wire {
        profile: Option<Revision>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile_source: Option<Source>,
        #[serde(default, skip_serializing_if = "is_first")]
        profile_epoch: u32,
    }

    pub fn serialize<S: Serializer>(stamp: &Option<Stamp>, serializer: S) -> Result<S::Ok, S::Error> {
        let profile_epoch = stamp.as_ref().map_or(0, |stamp| stamp.epoch);
        let (profile, profile_source) = stamp.clone().map(|stamp| (stamp.revision, stamp.source)).unzip();
        Wire { profile, profile_source, profile_epoch }.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Stamp>, D::Error> {
        let Wire { profile, profile_source, profile_epoch: epoch } = Wire::deserialize(deserializer)?;
        Ok(profile.zip(profile_source).map(|(revision, source)| Stamp { source, epoch, revision }))
    }
}

/// Whether mail to somebody is worth trying.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reachability {
    /// Nothing is sent: each further try would cost the sender's reputation and reach nobody.
    Withheld,
    /// One message was refused or could not be made. Its content, or what the person must know, is another by now: that
    /// is tried once.
    Retry,
    /// They answered. Reports on mails taken before are old news.
    Answered {
        /// When they answered.
        since: Instant,
    },
    /// Their source named them anew, or the mailer accepted a mail to them. Reports on mails taken before are old news.
    Resumed {
        /// Since when mail to them counts again.
        since: Instant,
    },
}

impl Unreachable {
    /// Whether they count as unreachable still.
    pub const fn is_open(&self) -> bool {
        matches!(self.reach, Reachability::Withheld | Reachability::Retry)
    }

    /// When a mail that could not be made is tried again; `None` for any other.
    pub fn tried_again_at(&self) -> Option<Instant> {
        let waits = self.why == Undeliverable::Unmailable && self.reach == Reachability::Withheld;
        waits.then(|| self.mailed_at.plus_millis(HOUR))
    }
}

/// What is kept of outside words: short, on one line.
fn short(reason: &str) -> String {
    reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_REASON).collect()
}
