//! What somebody counts as told: what arrived, otherwise what the review was issued with.

use crate::{
    Person,
    audience::{issued, reading::Reading},
    record::{
        delivery::{Delivery, Reachability},
        last_notified::LastNotified,
        notice::Participation,
    },
};

/// What somebody was told. A mail that did not arrive told nothing. Then only the content of the issue is certain. A
/// person who answered since was told by the page.
pub fn told(
    reading: &Reading<'_>,
    person: &Person,
    told: Option<LastNotified>,
    delivery: Option<&Delivery>,
) -> LastNotified {
    let lost = |told: &LastNotified| {
        let delivery = delivery.filter(|delivery| delivery.status.is_lost());
        let answered = reading.review.head.unreachable(person).map(|known| known.reach);
        delivery.is_some_and(|delivery| told.message_id.as_deref() == Some(delivery.message_id.as_str()))
            && !matches!(answered, Some(Reachability::Answered { .. }))
    };
    let mut told = told.filter(|told| !lost(told)).unwrap_or_else(|| baseline(reading, person));
    // An earlier release took an invitation of an unknown UID for the meeting. No meeting was sent before an adoption.
    if told.adoptions == 0 && reading.review.head.unknown_invitation().is_some() {
        (told.meeting, told.invited_as) = (None, None);
    }
    told
}

/// What somebody counts as told who was never mailed: what the first version says.
pub fn baseline(reading: &Reading<'_>, person: &Person) -> LastNotified {
    let issued = issued::as_issued(reading.review);
    let before = Reading { review: &issued, terms: reading.terms, policy: reading.policy };
    let seat = before.authoritative_row(person);
    let guest = reading.terms.optional.contains(person).then_some(Participation::Optional);
    let known = reading.review.head.unknown_invitation().is_none();
    let invited_as = seat.as_ref().map(|_| Participation::Required).or(guest).filter(|_| known);
    LastNotified {
        person: person.clone(),
        view: before.view(person, None),
        seat,
        counted: None,
        released: false,
        duty: None,
        version: issued.authoritative.number,
        changes: Vec::new(),
        why: Vec::new(),
        proposal: None,
        news: Vec::new(),
        adoptions: 0,
        meeting: invited_as.map(|_| issued.authoritative.packet.slot),
        invited_as,
        hold: None,
        at: issued.authoritative.made_at,
        message_id: None,
        trace: None,
    }
}
