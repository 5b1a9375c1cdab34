//! Who is about to mail somebody, and which telling that is. A mail in doubt is made again from the same telling. So
//! the two mails are the same to the byte.
//!
//! ```text
//!  claim (telling: at, basis) ── send ── dies
//!                                          lease over ── claim: same basis? ──yes──▶ same telling, same bytes
//!                                                                    └──no──▶ another telling, another mail
//! ```

use serde::{Deserialize, Serialize};

use crate::{
    Instant,
    base::{fingerprint::TellingFingerprint, hex},
};

/// Somebody is about to mail this person. A claim never settled counts as owed: its mail may have gone out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// Who holds it, one invocation, and for which telling: `<32 digits>-<at>-<32 digits>`. One name, and not three
    /// attributes, since a worker of an earlier release reads a claim by its name alone.
    pub by: String,
    /// Until when it holds.
    pub until: Instant,
}

impl Claim {
    /// `holder`: random, one claim's own.
    pub fn new(holder: [u8; 16], telling: &Telling, until: Instant) -> Self {
        let by = format!("{}-{}-{}", hex::written(&holder), telling.at.millis(), telling.basis);
        Self { by, until }
    }

    /// What it was made for; `None` where an earlier release made it.
    pub fn telling(&self) -> Option<Telling> {
        let mut parts = self.by.splitn(3, '-').skip(1);
        let at = parts.next()?.parse().ok().map(Instant::from_millis)?;
        Some(Telling { at, basis: TellingFingerprint::parse(parts.next()?)? })
    }
}

/// One telling of one person. Everything in its mail follows from this instant and from the content of the basis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Telling {
    /// The notice's instant: `Date`, `DTSTAMP`, deadlines and the link's nonce are made of it.
    pub at: Instant,
    /// Of all that a notice to this person is decided from.
    pub basis: TellingFingerprint,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claims_name_says_which_telling_it_is_for() {
        for (at, basis) in [(0, [0; 16]), (1_793_696_520_000, [0xab; 16]), (i64::MAX, [0xff; 16])] {
            let telling = Telling { at: Instant::from_millis(at), basis: TellingFingerprint::from_bytes(basis) };
            let claim = Claim::new([0x0f; 16], &telling, Instant::from_millis(7));
            assert_eq!(claim.telling(), Some(telling), "{}", claim.by);
            assert!(
                claim.by.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
                "a message tag takes {}",
                claim.by
            );
        }
        for earlier in ["0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "a-1", "a-x-00000000000000000000000000000000", "", "--"] {
            let claim = Claim { by: earlier.to_owned(), until: Instant::from_millis(7) };
            assert_eq!(claim.telling(), None, "{earlier}");
        }
    }
}
