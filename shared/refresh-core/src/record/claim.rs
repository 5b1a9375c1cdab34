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
    base::{fingerprint::TellingFingerprint, hex, instant::Slot},
};

/// Somebody is about to mail this person. A claim never settled counts as owed: its mail may have gone out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// Who holds it, one invocation, and for which telling: `<32 digits>-<at>-<32 digits>`. What its mail may bring into
    /// the person's calendar follows: `-m<start>-<end>` for the meeting, `-h<start>-<end>` for the hold. One name, and not
    /// several attributes, since a worker of an earlier release reads a claim by its name alone.
    pub by: String,
    /// Until when it holds.
    pub until: Instant,
}

impl Claim {
    /// `holder`: random, one claim's own. `objects`: what is in doubt if the claim is never settled.
    pub fn new(holder: [u8; 16], telling: &Telling, objects: ObjectsInDoubt, until: Instant) -> Self {
        let mut by = format!("{}-{}-{}", hex::written(&holder), telling.at.millis(), telling.basis);
        for (object, slot) in [(MEETING, objects.meeting), (HOLD, objects.hold)] {
            if let Some(slot) = slot {
                by += &format!("-{object}{}-{}", slot.start.millis(), slot.end.millis());
            }
        }
        Self { by, until }
    }

    /// What it was made for; `None` where an earlier release made it.
    pub fn telling(&self) -> Option<Telling> {
        let mut parts = self.by.split('-').skip(1);
        let at = parts.next()?.parse().ok().map(Instant::from_millis)?;
        Some(Telling { at, basis: TellingFingerprint::parse(parts.next()?)? })
    }

    /// What a mail of this claim, or a mail in doubt before it, may have brought. Nothing where an earlier release made the
    /// claim.
    pub fn objects_in_doubt(&self) -> ObjectsInDoubt {
        let parts: Vec<&str> = self.by.split('-').skip(3).collect();
        let slot_of = |object: char| {
            parts.windows(2).find_map(|pair| {
                let start = pair[0].strip_prefix(object)?.parse().ok()?;
                let end = pair[1].parse().ok()?;
                Some(Slot { start: Instant::from_millis(start), end: Instant::from_millis(end) })
            })
        };
        ObjectsInDoubt { meeting: slot_of(MEETING), hold: slot_of(HOLD) }
    }
}

const MEETING: char = 'm';
const HOLD: char = 'h';

/// The calendar objects that a mail in doubt may have brought, or taken away, each with the slot that the mail named. What
/// the person's calendar shows of such an object is not known until another mail says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ObjectsInDoubt {
    /// Of the meeting.
    pub meeting: Option<Slot>,
    /// Of the hold.
    pub hold: Option<Slot>,
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
            let slot = Slot { start: Instant::from_millis(1_793_696_520_000), end: Instant::from_millis(i64::MAX) };
            for (meeting, hold) in [(None, None), (Some(slot), None), (None, Some(slot)), (Some(slot), Some(slot))] {
                let objects = ObjectsInDoubt { meeting, hold };
                let claim = Claim::new([0x0f; 16], &telling, objects, Instant::from_millis(7));
                assert_eq!(claim.telling(), Some(telling), "{}", claim.by);
                assert_eq!(claim.objects_in_doubt(), objects, "{}", claim.by);
                let plain = claim.by.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && claim.by.len() <= 200;
                assert!(plain, "a message tag takes {}", claim.by);
            }
        }
        for earlier in ["0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "a-1", "a-x-00000000000000000000000000000000", "", "--"] {
            let claim = Claim { by: earlier.to_owned(), until: Instant::from_millis(7) };
            assert_eq!(claim.telling(), None, "{earlier}");
            assert_eq!(claim.objects_in_doubt(), ObjectsInDoubt::default(), "{earlier}");
        }
    }
}
