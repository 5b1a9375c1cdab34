//! A link that opens nothing: whoever sends it learns nothing, an operator learns that it was sent and why it was refused.

use lambda_shell::metrics::Metrics;
use presentation::link::{Purpose, Refusal};
use refresh_core::Instant;

/// Why a link opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkRefused {
    /// Not a token in its one spelling: cut off in a mail client, or made up.
    Unreadable,
    /// No live key made it for this purpose: changed, made up, or older than the last rotation but one.
    Forged,
    /// Genuine, and past its own instant.
    Expired,
    /// Genuine, and this store knows no such review or person: another deployment's.
    Unknown,
    /// Genuine, of somebody who owns the change no more.
    NotTheOwner,
}

impl LinkRefused {
    /// Every reason, once.
    pub const ALL: [Self; 5] = [Self::Unreadable, Self::Forged, Self::Expired, Self::Unknown, Self::NotTheOwner];

    /// The word of the log and of the figure.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Forged => "forged",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::NotTheOwner => "not_the_owner",
        }
    }

    /// One line and one figure. Nothing of the token is in either: a part of a good one is half of a guess.
    pub fn record(self, purpose: Purpose, now: Instant) {
        tracing::warn!(purpose = purpose.path(), reason = self.word(), "a link was refused");
        Metrics::new("Holdpoint").dimension("Reason", self.word()).count("LinksRefused", 1).in_all().emit(now.millis());
    }
}

impl From<Refusal> for LinkRefused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unreadable => Self::Unreadable,
            Refusal::Forged => Self::Forged,
            Refusal::Expired(_) => Self::Expired,
        }
    }
}
