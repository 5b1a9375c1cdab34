//! Which telling a mail is of: a new one, or the one that a mail in doubt was of.

use crate::{
    Instant,
    audience::reading::Reading,
    base::{digest::Digest, fingerprint::TellingFingerprint},
    record::{
        claim::{Claim, Telling},
        last_notified::LastNotified,
        notice::Notice,
        review::{Head, Tip},
    },
    telling::{
        calendar,
        owed::{self, PriorMail},
    },
};

impl Telling {
    /// A telling that begins now.
    pub fn new(reading: &Reading<'_>, told: &LastNotified, now: Instant) -> Self {
        Self { at: now.max(reading.review.head.at), basis: basis(reading, told) }
    }

    /// The telling of another holder's claim, where its mail would say the same if it were made now. Otherwise a new
    /// telling. A deadline that passed meanwhile is not said again.
    pub fn again(reading: &Reading<'_>, told: &LastNotified, claim: Option<&Claim>, now: Instant) -> Self {
        let new = Self::new(reading, told, now);
        let Some(before) = claim.and_then(Claim::telling).filter(|before| before.basis == new.basis) else {
            return new;
        };
        let objects = claim.map(Claim::objects_in_doubt).unwrap_or_default();
        let told = &calendar::with_doubt(reading, told.clone(), objects);
        let owed = |at| owed::owed(reading, told, PriorMail::Repeated(objects), None, at);
        let same = |then: &Notice, now: &Notice| then.kind == now.kind && then.link == now.link;
        let ahead = |notice: &Notice| notice.duty.as_ref().is_none_or(|duty| new.at < duty.by);
        match (owed(before.at), owed(new.at)) {
            (Some(then), Some(now)) if same(&then, &now) && ahead(&then) => before,
            _ => new,
        }
    }
}

/// A digest of terms, policy, what the person was told, and HEAD. A mail to somebody else changes some members of HEAD,
/// and those are left out. To settle that other mail moves HEAD, and does not make this one another mail.
fn basis(reading: &Reading<'_>, told: &LastNotified) -> TellingFingerprint {
    let mut head: Head = reading.review.head.clone();
    head.counter = 0;
    head.at = Instant::from_millis(0);
    head.lineage = Tip { sequence: 0, hash: Digest::ZERO };
    (head.check_at, head.notices_at, head.quiet_until) = (None, None, None);
    head.affected.clear();
    head.mails_sent = 0;
    head.tellings.clear();
    head.bookings.clear();
    head.claims.clear();
    head.seats_moved.clear();
    head.entries_due = None;
    head.hold.told = false;
    head.unreachable.clear();
    head.duties.retain(|duty| duty.person == told.person);
    head.resends.retain(|person, _| *person == told.person);
    head.trace = head.trace_of(&told.person);
    head.earlier.clear();
    if let Some(pending) = &mut head.pending {
        pending.told_at = None;
        if pending.adopter.as_ref() != Some(&told.person) {
            pending.asked = None;
            pending.link = None;
        }
    }
    TellingFingerprint::of_digest(&Digest::of("telling", &(&head, reading.terms, reading.policy, told)))
}
