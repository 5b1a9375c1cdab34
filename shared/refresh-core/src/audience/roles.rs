//! Who stands where in a review: the owner, whoever must decide, the release manager, the readers.

use std::collections::BTreeSet;

use crate::{
    Person, Role,
    choice::situation::Situation,
    facts::{fact::Terms, policy::Policy},
    record::{
        booking::InvitedSlot,
        packet::Packet,
        proposal::Proposal,
        review::{Head, Review},
    },
};

/// The role whose attendee sees what the owner sees.
pub const RELEASE_MANAGER: &str = "release_manager";

/// A person whose seat a proposal gives or takes.
pub fn is_substituted(person: &Person, authoritative: &Packet, proposal: &Packet) -> bool {
    let seat = |packet: &Packet, role: &Role| packet.attendees.get(role).cloned();
    proposal.attendees.keys().any(|role| {
        let (before, after) = (seat(authoritative, role), seat(proposal, role));
        before != after && [before, after].iter().flatten().any(|seated| seated == person)
    })
}

/// Who may decide a proposal: the owner, or the alternate where the owner is substituted in or out.
pub fn adopter(situation: &Situation<'_>, authoritative: &Packet, proposal: &Packet) -> Option<Person> {
    let free = |person: &&Person| !is_substituted(person, authoritative, proposal);
    let owner = situation.owner()?;
    Some(owner).filter(free).or_else(|| situation.policy.alternate_owner.as_ref().filter(free)).cloned()
}

/// Whether the person may read the whole record of a review: its workspace. The owner of today may, by the newest approved
/// change record. A former owner may not, whatever link they still have.
pub fn may_read_record(head: &Head, person: &Person) -> bool {
    head.today.owner.as_ref() == Some(person)
}

/// Whom the hold is for: those who would sit at another time, or who have no seat now. An invited person has this hour
/// in their calendar already, an optional attendee too.
pub fn hold(review: &Review, terms: &Terms, policy: &Policy) -> Option<InvitedSlot> {
    let Proposal { pending, version } = review.proposal()?;
    let (proposal, authoritative) = (&version.packet, &review.authoritative.packet);
    if proposal.cancelled || !policy.hold_invites {
        return None;
    }
    let moved = proposal.slot != authoritative.slot;
    let invited = invited(review, terms);
    let mut people: BTreeSet<Person> =
        proposal.people().into_iter().filter(|person| moved || !invited.contains(person)).cloned().collect();
    if moved {
        people.extend(terms.optional.iter().cloned());
    }
    if !policy.tell_before_adoption {
        let told = [review.head.today.owner.as_ref(), pending.adopter.as_ref()];
        people.retain(|person| told.contains(&Some(person)));
    }
    (!people.is_empty()).then_some(InvitedSlot { slot: proposal.slot, people })
}

/// Everybody the authoritative meeting invites.
pub fn invited(review: &Review, terms: &Terms) -> BTreeSet<Person> {
    review.authoritative.packet.attendees.values().chain(&terms.optional).cloned().collect()
}
