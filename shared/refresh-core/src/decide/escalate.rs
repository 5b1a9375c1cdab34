//! Which exceptions are open after a draft: what its decision found, and what follows from duties, mail and the owner.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Instant, Person,
    audience::deadlines,
    base::instant::HOUR,
    decide::draft::Draft,
    record::{
        exception::{Exception, ExceptionKind, Missing, Reason},
        review::Standing,
    },
};

/// How near a slot's start is in which nothing can wait.
const NEAR: i64 = 2 * HOUR;

impl Draft<'_> {
    /// The open exceptions: those of the reasons that the decision found, and those that follow from duties, mail and
    /// silent sources. A kind opens once, with all its reasons.
    pub fn escalate(&mut self, found: Vec<Reason>) {
        // A duty whose row the draft has just changed is none any more, and so is not unanswered.
        self.carry_forward();
        let standing = match self.review.head.standing {
            Standing::Open => self.standing_reasons(),
            Standing::Started | Standing::Closed | Standing::Cancelled => Vec::new(),
        };
        let mut open: BTreeMap<ExceptionKind, Vec<Reason>> = BTreeMap::new();
        for reason in found.into_iter().chain(standing) {
            open.entry(reason.kind()).or_default().push(reason);
        }
        let now = self.now();
        let before = std::mem::take(&mut self.review.head.exceptions);
        let opened = |(kind, reasons)| {
            let known = before.iter().find(|exception| exception.kind == kind);
            let opened_at = known.map_or(now, |known| known.opened_at);
            let waits_until = self.waits_until(kind, opened_at, known);
            Exception { kind, opened_at, waits_until, reasons }
        };
        self.review.head.exceptions = open.into_iter().map(opened).collect();
    }

    /// `no_viable_slot` heals by itself often enough: people are told once it has stood for a while, at once where the slot
    /// is near. What they were told of does not wait again.
    fn waits_until(&self, kind: ExceptionKind, opened_at: Instant, known: Option<&Exception>) -> Option<Instant> {
        let told = known.is_some_and(|known| !known.waits());
        if kind != ExceptionKind::NoViableSlot || told {
            return None;
        }
        let near = self.authoritative().slot.start.plus_millis(-NEAR);
        let until = opened_at.plus_minutes(self.situation.policy.escalate_after_minutes).min(near);
        Some(until).filter(|until| self.now() < *until)
    }

    /// Duties, mail or the owner changed, the choice did not: the reasons that the last decision found stay. So does a silent
    /// source: that it spoke is the business of the refresh which also makes the choice that waited for it. Once the review
    /// has started nothing is found anew: an answer takes away the reason of whoever gave it, and no other.
    pub fn keep_exceptions(&mut self) {
        self.carry_forward();
        let head = &self.review.head;
        let is_open = head.standing == Standing::Open;
        let answered = |reason: &Reason| match reason {
            Reason::Unanswered(missing) => deadlines::outstanding(head).all(|duty| duty.person != missing.person),
            _ => false,
        };
        let recomputed = |reason: &Reason| {
            let kind = reason.kind();
            matches!(kind, ExceptionKind::Unanswered | ExceptionKind::Unreachable) || *reason == Reason::AlternateOwner
        };
        let leaves = |reason: &Reason| if is_open { recomputed(reason) } else { answered(reason) };
        let all = head.exceptions.iter().flat_map(|exception| &exception.reasons);
        let found = all.filter(|reason| !leaves(reason)).cloned().collect();
        self.escalate(found);
    }

    /// The reasons that follow from duties, mail, silent sources and the owner, whatever was decided.
    fn standing_reasons(&self) -> Vec<Reason> {
        let head = &self.review.head;
        let packet = self.authoritative();
        let role = |person: &Person| packet.roles_of(person).next().cloned();
        let missing = |person: &Person| Missing { person: person.clone(), role: role(person) };
        let mut unanswered: Vec<&Person> =
            deadlines::outstanding(head).filter(|duty| duty.due_at <= self.now()).map(|duty| &duty.person).collect();
        unanswered.sort();
        // The person who must decide is required as well: a request that never arrives is never answered.
        let adopter = head.pending.as_ref().and_then(|pending| pending.adopter.as_ref());
        let mut required: BTreeSet<&Person> = head.today.owner.iter().chain(adopter).collect();
        required.extend(self.review.shown().people());
        required.extend(packet.people());
        let unreachable = head
            .unreachable
            .iter()
            .filter(|known| known.is_open() && required.contains(&known.person))
            .map(|known| Reason::Undeliverable(known.why, missing(&known.person)));
        let mut reasons: Vec<Reason> =
            unanswered.into_iter().map(|person| Reason::Unanswered(missing(person))).collect();
        reasons.extend(unreachable);
        if self.reassessed {
            reasons.extend(self.situation.silence.reasons.iter().cloned());
        }
        if head.pending.as_ref().is_some_and(|pending| pending.adopter.is_none()) {
            reasons.push(Reason::AlternateOwner);
        }
        reasons
    }
}
