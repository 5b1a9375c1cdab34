//! Which exceptions are open after a draft: what its decision found, and what follows from duties, mail and the owner.

use std::collections::BTreeSet;

use crate::{
    Person,
    audience::deadlines,
    decide::draft::Draft,
    record::{
        exception::{Exception, ExceptionKind, Missing, Reason},
        review::Standing,
    },
};

impl Draft<'_> {
    /// The open exceptions: what the decision found, and those that follow from duties and mail.
    pub fn escalate(&mut self, found: Vec<(ExceptionKind, Vec<Reason>)>) {
        // A duty whose row the draft has just changed is none any more, and so is not unanswered.
        self.carry_forward();
        let mut open = found;
        if self.review.head.standing == Standing::Open {
            open.extend(self.standing_exceptions());
        }
        open.retain(|(_, reasons)| !reasons.is_empty());
        open.sort_by_key(|(kind, _)| *kind);
        // A kind opens once: the reasons of one that is found twice stand together.
        open.dedup_by(|(kind, reasons), (first, all)| {
            let same = kind == first;
            if same {
                all.append(reasons);
            }
            same
        });
        let now = self.now();
        let before = std::mem::take(&mut self.review.head.exceptions);
        let opened = |kind| before.iter().find(|exception| exception.kind == kind).map_or(now, |found| found.opened_at);
        self.review.head.exceptions =
            open.into_iter().map(|(kind, reasons)| Exception { kind, opened_at: opened(kind), reasons }).collect();
    }

    /// Duties, mail or the owner changed, the choice did not: what the last decision found stays open.
    pub fn keep_exceptions(&mut self) {
        let found = self.review.head.exceptions.iter().filter_map(|exception| {
            let mut reasons = exception.reasons.clone();
            reasons.retain(|reason| !matches!(reason, Reason::Unanswered(_) | Reason::AlternateOwner));
            let recomputed = matches!(exception.kind, ExceptionKind::Unreachable | ExceptionKind::SourceSilent);
            let found = !recomputed && !reasons.is_empty();
            found.then_some((exception.kind, reasons))
        });
        let found = found.collect();
        self.escalate(found);
    }

    fn standing_exceptions(&self) -> Vec<(ExceptionKind, Vec<Reason>)> {
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
        let mut found = vec![
            (
                ExceptionKind::Unanswered,
                unanswered.into_iter().map(|person| Reason::Unanswered(missing(person))).collect(),
            ),
            (ExceptionKind::Unreachable, unreachable.collect()),
            (ExceptionKind::SourceSilent, self.situation.silence.reasons.clone()),
        ];
        if head.pending.as_ref().is_some_and(|pending| pending.adopter.is_none()) {
            found.push((ExceptionKind::PolicyIncomplete, vec![Reason::AlternateOwner]));
        }
        found
    }
}
