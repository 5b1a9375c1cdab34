//! One draft of a review: a working copy. A decision is made on the draft step by step, and the draft ends as one
//! commit.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Instant, Person, TraceId,
    audience::{deadlines, reading::Reading, roles},
    base::{digest::Digest, instant::Slot},
    choice::{ours::Ours, situation::Situation, today, violation},
    facts::{fact::Fact, seat::SeatedBy, subject::Subject},
    record::{
        booking::{self, InvitedSlot},
        commit::{self, Commit},
        decision::{Decision, Earlier, Outcome, PendingLine},
        lineage::{Happening, Trigger},
        mark::{self, Violation},
        packet::{Packet, Standpoint, Version},
        proposal::{Fate, MOST_PAST_PROPOSALS, PastProposal, Pending},
        report::Report,
        review::{Head, Hold, Review, Standing},
        seats::{self, SeatCondition, SeatGiven},
        view::{Row, Seating},
    },
    telling::reach,
};

/// Whether the review's own terms are others than before the draft.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TermsChange {
    Same,
    Renewed,
}

/// A working copy of a review. Decisions change the copy step by step; `finish` makes one commit of the changes.
#[derive(Debug)]
pub struct Draft<'a> {
    /// The facts, the policy and the instant that the draft is decided by.
    pub situation: &'a Situation<'a>,
    /// As it was read; `None` for a review that is being issued.
    pub(crate) before: Option<&'a Review>,
    /// Whether today's facts were looked at. Otherwise what was due by time stays due.
    pub(crate) reassessed: bool,
    /// The review as the draft has changed it.
    pub review: Review,
    pub(crate) minted: Vec<Version>,
    pub(crate) happenings: Vec<Happening>,
    /// Whether a person decided: everything owed goes out at once.
    pub at_once: bool,
    pub(crate) stands_on: Option<Standpoint>,
    /// The trace of the answer or of the mailer's report that began the draft. Otherwise the triggers say.
    pub trace: Option<TraceId>,
}

impl<'a> Draft<'a> {
    /// A draft of a stored review. Today's facts are looked at anew.
    pub fn on(review: &'a Review, situation: &'a Situation<'a>) -> Self {
        let mut draft = Self {
            situation,
            before: Some(review),
            reassessed: true,
            review: review.clone(),
            minted: Vec::new(),
            happenings: Vec::new(),
            at_once: false,
            stands_on: None,
            trace: None,
        };
        draft.review.head.at = situation.now;
        if draft.review.head.claims.is_empty() {
            draft.claim_as_it_stands();
        }
        draft.recompute_today();
        let renewed = reach::resume(&mut draft.review.head, situation.facts, situation.now);
        if !renewed.is_empty() {
            draft.mark_affected(renewed);
        }
        draft
    }

    /// For what decides nothing about facts, an answer or a report: HEAD says of today what its last decision said. A
    /// newer fact is its own refresh's business. Until that refresh, nobody is told of a violation without a proposal.
    pub fn without_reassessing(review: &'a Review, situation: &'a Situation<'a>) -> Self {
        let mut draft = Self::on(review, situation);
        draft.review.head.today = review.head.today.clone();
        draft.review.head.claims = review.head.claims.clone();
        draft.reassessed = false;
        draft
    }

    /// The instant that the draft is decided at.
    pub fn now(&self) -> Instant {
        self.situation.now
    }

    /// HEAD of the working copy.
    pub fn head(&mut self) -> &mut Head {
        &mut self.review.head
    }

    /// The packet that counts now.
    pub fn authoritative(&self) -> &Packet {
        &self.review.authoritative.packet
    }

    /// Looks at today's facts anew.
    pub(crate) fn recompute_today(&mut self) {
        let marks = violation::marks(self.situation, self.authoritative(), &Ours::of(&self.review.head));
        self.review.head.today = today::today(self.situation, &self.review.authoritative, marks);
    }

    /// The rules that the authoritative packet breaks under today's facts.
    pub fn violations(&self) -> BTreeSet<Violation> {
        mark::violations(&self.review.head.today.violated)
    }

    /// The commit must fail where this fact is another by then.
    pub fn stand_on(&mut self, fact: &Fact) {
        self.stands_on = Some(Standpoint::of(fact));
    }

    /// Adds to what the lineage records of the draft.
    pub fn happened(&mut self, happening: Happening) {
        self.happenings.push(happening);
    }

    fn mint(&mut self, packet: Packet, report: Report) -> Version {
        let version = Version {
            number: self.review.head.latest + 1,
            made_at: self.now(),
            parent: Some(self.review.head.authoritative),
            owner: self.situation.owner().cloned(),
            violated: self.review.head.today.violated.clone(),
            stands_on: self.situation.standpoints(),
            report,
            packet,
        };
        self.review.head.latest = version.number;
        self.minted.push(version.clone());
        version
    }

    /// The packet becomes authoritative at once: the same seats, other content.
    pub fn refresh(&mut self, packet: Packet) {
        let version = self.mint(packet, Report::default());
        self.review.head.authoritative = version.number;
        self.review.authoritative = version;
        self.recompute_today();
    }

    /// A new proposal, known by its digest. An earlier one is superseded by it. `seats_told`: somebody was told of its slot and attendees.
    pub fn propose(&mut self, packet: Packet, digest: Digest, report: Report, seats_told: bool) {
        let adopter = roles::adopter(self.situation, self.authoritative(), &packet);
        let expires_at = self.expiry(&packet, adopter.as_ref());
        let version = self.mint(packet, report);
        self.review.head.pending = Some(Pending {
            version: version.number,
            first_version: version.number,
            digest,
            made_at: version.made_at,
            expires_at,
            adopter,
            told_at: None,
            seats_told,
            asked: None,
            link: None,
        });
        self.review.pending = Some(version);
    }

    /// Another version of the same proposal: links to it stay good and the deadline stays.
    pub fn propose_again(&mut self, packet: Packet, report: Report) {
        let version = self.mint(packet, report);
        if let Some(pending) = &mut self.review.head.pending {
            pending.version = version.number;
        }
        self.review.pending = Some(version);
    }

    /// The present owner may be another than when the proposal was made.
    pub fn reassign(&mut self) {
        let Some(proposal) = self.review.pending.as_ref().map(|version| version.packet.clone()) else { return };
        let adopter = roles::adopter(self.situation, self.authoritative(), &proposal);
        if let Some(pending) = self.review.head.pending.as_mut().filter(|pending| pending.adopter != adopter) {
            pending.adopter = adopter;
            pending.asked = None;
            pending.link = None;
        }
    }

    /// The pending proposal is over. Returns it.
    pub fn end_proposal(&mut self, fate: Fate, by: Option<&Person>) -> Option<(Pending, Version)> {
        let pending = self.review.head.pending.take()?;
        let version = self.review.pending.take()?;
        let at = self.now();
        let past = &mut self.review.head.past;
        past.push(PastProposal {
            id: pending.id(),
            fate,
            by: by.cloned(),
            at,
            first_version: pending.first_version,
            version: pending.version,
            by_closing: false,
        });
        if past.len() > MOST_PAST_PROPOSALS {
            past.remove(0);
        }
        Some((pending, version))
    }

    /// The owner adopted: the pending version is the authoritative one.
    pub fn adopt(&mut self, by: &Person) {
        let Some((_, version)) = self.end_proposal(Fate::Adopted, Some(by)) else { return };
        let before = self.authoritative().clone();
        let seats_before = self.rows(&self.review, Seating::Authoritative);
        let packet = &version.packet;
        let cancelled = packet.cancelled;
        let rises = !before.same_seats(packet) || cancelled;
        if cancelled {
            self.review.head.standing = Standing::Cancelled;
        }
        let head = &mut self.review.head;
        head.authoritative = version.number;
        head.starts_at = version.packet.slot.start;
        head.adoptions += 1;
        head.declined.clear();
        head.stands_by = None;
        head.undecided = None;
        self.review.authoritative = version;
        if rises {
            let seats = self.rows(&self.review, Seating::Authoritative);
            let meeting = &mut self.review.head.meeting;
            let sequence = meeting.sequence + 1;
            meeting.seats_since.go_on(meeting.sequence, sequence, &seats_before, &seats);
            meeting.sequence = sequence;
        }
        self.claim_seats(Some(before.slot));
        self.update_calendar_objects();
        self.recompute_today();
    }

    /// A claim is written once, after every claim that was read on an overlapping seat: who saw the other is younger,
    /// whatever the clocks say. Who keeps their seat in the slot `kept` keeps the claim.
    pub(crate) fn claim_seats(&mut self, kept: Option<Slot>) {
        let (slot, now) = (self.authoritative().slot, self.now());
        let before = std::mem::take(&mut self.review.head.claims);
        let seen = |person: &Person| {
            let others = self.situation.facts.seats(person).iter().filter(|seat| seat.review != *self.situation.id);
            let seats = others.flat_map(|seat| {
                let tentative = seat.tentative.map(|seat| (seat.slot, seat.made_at));
                seat.authoritative.map(|seat| (seat.slot, seat.claim)).into_iter().chain(tentative)
            });
            seats.filter(|(other, _)| other.overlaps(&slot)).map(|(_, claim)| claim.plus_millis(1)).max()
        };
        let claim = |person: &Person| {
            let earlier = before.get(person).filter(|_| kept == Some(slot));
            earlier.copied().unwrap_or_else(|| seen(person).map_or(now, |seen| seen.max(now)))
        };
        let claims = self.authoritative().people().into_iter().map(|person| (person.clone(), claim(person))).collect();
        self.review.head.claims = claims;
    }

    /// A review from before seats were written: its seats are as old as its authoritative version.
    fn claim_as_it_stands(&mut self) {
        let version = &self.review.authoritative;
        let people = version.packet.people();
        self.review.head.claims = people.into_iter().map(|person| (person.clone(), version.made_at)).collect();
    }

    /// The row of each attendee who has such a seat in the review as it is given.
    fn rows(&self, review: &Review, seating: Seating) -> BTreeMap<Person, Row> {
        let reading = Reading::of(review, self.situation);
        let row = |person: &Person| match seating {
            Seating::Authoritative => reading.authoritative_row(person),
            Seating::Tentative => reading.tentative_row(person),
        };
        let versions = std::iter::once(&review.authoritative).chain(&review.pending);
        let people: BTreeSet<&Person> = versions.flat_map(|version| version.packet.attendees.values()).collect();
        people.into_iter().filter_map(|person| Some((person.clone(), row(person)?))).collect()
    }

    /// Hold and bookings follow from what is pending and authoritative now. Counted from how the draft began. Where one
    /// proposal replaces another in a draft, the hold changes once: it does not end and begin.
    fn update_calendar_objects(&mut self) {
        if let Some(before) = self.before {
            self.review.head.hold = before.head.hold.clone();
            self.review.head.bookings = before.head.bookings.clone();
        }
        let entry = match self.review.head.standing {
            Standing::Open => roles::hold(&self.review, self.situation.terms, &self.situation.policy),
            _ => None,
        };
        if self.review.head.hold.entry != entry {
            let seats_before = self.before.map(|before| self.rows(before, Seating::Tentative)).unwrap_or_default();
            let seats = self.rows(&self.review, Seating::Tentative);
            change_hold(&mut self.review.head.hold, entry, &seats_before, &seats);
        }
        let meeting = (self.review.head.standing != Standing::Cancelled).then(|| InvitedSlot {
            slot: self.authoritative().slot,
            people: roles::invited(&self.review, self.situation.terms),
        });
        let now = self.now();
        booking::rebook(&mut self.review.head.bookings, meeting, now);
    }

    /// Duties and answers hold exactly as long as their row.
    pub(crate) fn carry_forward(&mut self) {
        let reading = Reading::of(&self.review, self.situation);
        let rows = |person: &Person| {
            let rows = [reading.authoritative_row(person), reading.tentative_row(person)];
            rows.into_iter().flatten().map(|row| row.digest()).collect::<Vec<_>>()
        };
        let seat = |person: &Person| reading.authoritative_row(person).map(|row| row.digest());
        let duties = self.review.head.duties.iter().filter(|duty| seat(&duty.person) == Some(duty.row));
        let answers = self.review.head.answers.iter().filter(|answer| rows(&answer.person).contains(&answer.row));
        let (mut duties, answers): (Vec<_>, Vec<_>) = (duties.cloned().collect(), answers.cloned().collect());
        if matches!(self.review.head.standing, Standing::Closed | Standing::Cancelled) {
            duties.clear();
        }
        if self.review.head.is_ended() {
            self.review.head.resends.clear();
        }
        self.review.head.duties = duties;
        self.review.head.answers = answers;
    }

    /// Records a decision as things stand now.
    pub fn decide(&mut self, outcome: Outcome, proposal: Option<Earlier>, report: Option<Report>) {
        self.update_calendar_objects();
        self.carry_forward();
        let clock = deadlines::of(&self.review, self.situation);
        let head = &self.review.head;
        self.happenings.push(Happening::Decision(Decision {
            outcome,
            proposal,
            authoritative: head.authoritative,
            violated: head.today.violated.clone(),
            pending: head.pending.as_ref().map(|pending| PendingLine {
                version: pending.version,
                digest: pending.digest,
                expires_at: pending.expires_at,
                adopter: pending.adopter.clone(),
            }),
            exceptions: head.exceptions.clone(),
            next_check_at: clock.next_check_at,
            report,
        }));
    }

    /// Whether the draft's last record is a decision that says everything: an expiry that left nothing else to decide,
    /// or an issue that nothing contradicts.
    pub fn just_decided(&self, outcome: Outcome) -> bool {
        let Some(Happening::Decision(last)) = self.happenings.last() else { return false };
        let head = &self.review.head;
        outcome == Outcome::Unchanged
            && last.authoritative == head.authoritative
            && last.pending.as_ref().map(|pending| pending.version)
                == head.pending.as_ref().map(|pending| pending.version)
            && last.exceptions.len() == head.exceptions.len()
            && last.exceptions.iter().zip(&head.exceptions).all(|(was, now)| was.same(now))
    }

    /// Whether a version, a proposal or an exception changed: what a tick records.
    pub fn changed(&self) -> bool {
        let Some(before) = self.before else { return true };
        let pending = |head: &Head| head.pending.as_ref().map(|pending| (pending.version, pending.adopter.clone()));
        let (was, now) = (&before.head, &self.review.head);
        !self.minted.is_empty()
            || pending(was) != pending(now)
            || was.standing != now.standing && now.standing != Standing::Started
            || was.exceptions.len() != now.exceptions.len()
            || was.exceptions.iter().zip(&now.exceptions).any(|(was, now)| !was.same(now))
    }

    /// Everything that must be written together; `None` where nothing differs.
    pub fn finish(mut self, triggers: Vec<Trigger>) -> Option<Commit> {
        self.update_calendar_objects();
        self.carry_forward();
        // The newest of a batch: what came together is told together.
        let newest = triggers.iter().rev().find(|trigger| trigger.disposition.is_applied()).map(Trigger::trace);
        let trace = newest.or(self.trace).or(self.review.head.trace);
        let renews = |trigger: &Trigger| {
            self.before.is_some() && trigger.disposition.is_applied() && matches!(trigger.subject, Subject::Review(_))
        };
        let terms = if triggers.iter().any(renews) { TermsChange::Renewed } else { TermsChange::Same };
        self.compare_views(trace, terms);
        if self.reassessed && self.review.head.standing == Standing::Open {
            let (slot, head) = (self.authoritative().slot, &self.review.head);
            let elsewhere = self.situation.places_elsewhere(&slot, &head.today.violated, &head.exceptions);
            self.review.head.today.elsewhere = elsewhere;
        }
        let mut seats = seats::changes(self.before, &self.review);
        seats.mend(&self.review, self.situation.facts.unreadable_entries_of(self.situation.id));
        self.review.head.seats_moved.extend(seats.moved.iter().cloned());
        self.review.head.entries_due.clone_from(&seats.due);
        let adopted = self.before.is_some_and(|before| before.head.adoptions < self.review.head.adoptions);
        let facts = self.situation.facts;
        let given = |person: &Person| SeatGiven {
            person: person.clone(),
            // The commit's own counter.
            by: SeatedBy { review: self.situation.id.clone(), decision: self.review.head.counter + 1 },
            // A mark that cannot be read is replaced: without a mark two adoptions at one instant are put right by the next
            // look of the younger claim.
            condition: match adopted && !facts.is_mark_unreadable(person) {
                true => SeatCondition::Still(facts.seated_by(person).cloned()),
                false => SeatCondition::Any,
            },
        };
        let seats_given = seats.gained.iter().map(given).collect();
        let clock = deadlines::of(&self.review, self.situation);
        let head = &mut self.review.head;
        head.check_at = match self.before.map(|before| &before.head) {
            // A page ended the review, and nobody brings a page again: the next look does what is left.
            Some(before) if !before.is_ended() && head.standing == Standing::Cancelled => Some(head.at),
            // The refresh that does the work clears it.
            Some(before) if before.is_ended() => before.check_at,
            Some(before) if !self.reassessed => [before.check_at, clock.check_at].into_iter().flatten().min(),
            Some(before) => deadlines::keep_look(before.check_at, clock.check_at, head.at),
            None => clock.check_at,
        };
        if head.standing == Standing::Open && head.entries_due.as_ref().is_some_and(|due| !due.is_empty()) {
            head.check_at = Some(head.at);
        }
        head.notices_at = clock.notices_at;
        let causes = triggers.iter().map(commit::cause).collect();
        let mut happenings: Vec<Happening> = triggers.into_iter().map(Happening::Trigger).collect();
        happenings.append(&mut self.happenings);
        if self.before.is_some_and(|before| happenings.is_empty() && same_but_time(&before.head, head)) {
            return None;
        }
        // The commit's own counter.
        head.looked = head.counter + 1;
        let commit = commit::commit(self.review.head, happenings, trace);
        Some(Commit {
            versions: self.minted,
            causes,
            stands_on: self.stands_on,
            seats: seats.entries,
            seats_given,
            ..commit
        })
    }
}

/// `SEQUENCE` + 1 exactly when slot or attendees change or the hold ends, counted from what anybody was sent.
fn change_hold(
    hold: &mut Hold,
    entry: Option<InvitedSlot>,
    seats_before: &BTreeMap<Person, Row>,
    seats: &BTreeMap<Person, Row>,
) {
    let before = hold.sequence;
    hold.entry = entry;
    if hold.told {
        hold.rise();
    }
    hold.seats_since.go_on(before, hold.sequence, seats_before, seats);
}

/// Time of commit apart, nothing differs: not worth a write.
fn same_but_time(before: &Head, after: &Head) -> bool {
    let mut now = after.clone();
    now.at = before.at;
    now == *before
}
