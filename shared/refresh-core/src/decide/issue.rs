//! The first draft of a review. Everyone counts as told this packet from then on.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Instant, Uid,
    audience::roles,
    base::digest::Digest,
    choice::{ours::Ours, situation::Situation, today::today, violation},
    decide::{draft::Draft, operator},
    record::{
        booking,
        booking::CalendarObject,
        mark::Remark,
        packet::Version,
        report::Report,
        review::{Head, Hold, MeetingObject, Review, Standing, Tip},
    },
};

impl<'a> Draft<'a> {
    /// The first draft: the review is issued with the packet its terms and today's facts make.
    pub fn issuing(situation: &'a Situation<'a>, host: &str) -> Self {
        let terms = situation.terms;
        let packet = situation.packet(terms.slot, terms.attendees.clone());
        let meeting = match &terms.meeting {
            Some(issued) => MeetingObject::new(issued.uid.clone(), issued.sequence),
            None => MeetingObject::new(Uid::of_meeting(situation.id, host), 0),
        };
        let hold = Hold::new(Uid::of_hold(situation.id, host));
        let nothing_yet = Ours { review: situation.id, bookings: &[], claims: &BTreeMap::new() };
        let mut issued = Version {
            number: terms.version,
            made_at: situation.now,
            parent: None,
            owner: situation.owner().cloned(),
            violated: violation::marks(situation, &packet, &nothing_yet),
            stands_on: situation.standpoints(),
            report: Report::default(),
            packet,
        };
        if situation.in_force().is_some_and(|change| change.owner.is_some() && !change.owner_confirmed) {
            issued.violated.push(Remark::OwnerUnconfirmed.into());
            issued.violated.sort();
        }
        let head = Head {
            review: situation.id.clone(),
            counter: 0,
            at: situation.now,
            standing: Standing::Open,
            issued: terms.version,
            latest: terms.version,
            authoritative: terms.version,
            starts_at: terms.slot.start,
            pending: None,
            today: today(situation, &issued, Vec::new()),
            exceptions: Vec::new(),
            declined: Vec::new(),
            stands_by: None,
            undecided: None,
            paused_until: None,
            choice_until: None,
            tellings: Vec::new(),
            past: Vec::new(),
            meeting,
            hold,
            bookings: Vec::new(),
            duties: Vec::new(),
            answers: Vec::new(),
            unreachable: Vec::new(),
            adoptions: 0,
            lineage: Tip { sequence: 0, hash: Digest::ZERO },
            check_at: None,
            quiet_until: None,
            notices_at: None,
            affected: BTreeSet::new(),
            mails_sent: 0,
            // A decision from before there was anything to decide counts for nothing.
            operator: operator::seen(situation, None),
            trace: None,
            earlier: BTreeMap::new(),
            claims: BTreeMap::new(),
            seats_moved: BTreeSet::new(),
            entries_due: None,
            comments: Vec::new(),
            unauthenticated: 0,
            strangers: 0,
            resends: BTreeMap::new(),
            looked: 0,
        };
        let review = Review { head, issued: issued.clone(), authoritative: issued.clone(), pending: None };
        let mut draft = Self {
            situation,
            before: None,
            reassessed: true,
            review,
            minted: vec![issued],
            happenings: Vec::new(),
            at_once: false,
            stands_on: None,
            trace: None,
        };
        // The meeting existed before it was handed over, so a calendar read earlier may show it.
        let invited = roles::invited(&draft.review, terms);
        draft.review.head.bookings.push(booking::Booking {
            slot: terms.slot,
            people: invited,
            object: CalendarObject::Meeting,
            from: Instant::from_millis(0),
            until: None,
            unknown_uid: terms.meeting.is_none(),
        });
        draft.claim_seats(None);
        draft.recompute_today();
        draft
    }
}
