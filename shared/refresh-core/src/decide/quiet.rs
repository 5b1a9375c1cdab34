//! When is what a draft changed told? The quiet period begins with the first change and never outlasts what it delays.

use crate::{
    Person, TraceId,
    audience::{issued, reading::Reading},
    decide::draft::{Draft, TermsChange},
    record::{
        exception::{Exception, ExceptionKind, Reason},
        view::Row,
    },
    telling::{carried, reach},
};

impl Draft<'_> {
    /// These people may be owed something, once the quiet period is over that begins now if none has.
    pub(crate) fn mark_affected(&mut self, people: impl IntoIterator<Item = Person>) {
        let quiet_until = self.now().plus_seconds(self.situation.policy.quiet_seconds);
        let head = &mut self.review.head;
        head.affected.extend(people);
        head.quiet_until = Some(head.quiet_until.map_or(quiet_until, |until| until.min(quiet_until)));
    }

    /// The quiet period starts with the first change that makes a notice owed.
    ///
    /// Both views are read by the newest terms, since no earlier terms are kept. The terms themselves may be others. Then the
    /// people who were told by the earlier ones are looked at once the quiet period is over.
    pub(crate) fn compare_views(&mut self, trace: Option<TraceId>, terms: TermsChange) {
        let after = Reading::of(&self.review, self.situation);
        let baseline;
        let before = match self.before {
            Some(before) => before,
            None => {
                baseline = issued::as_issued(&self.review);
                &baseline
            }
        };
        let before = Reading::of(before, self.situation);
        let mut people = before.people();
        people.extend(after.people());
        let affected: Vec<Person> = people
            .into_iter()
            .filter(|person| {
                let seat: Option<Row> = before.authoritative_row(person);
                carried::owes(&after, &before.view(person, None), &after.view(person, seat.as_ref()))
            })
            .collect();
        if !affected.is_empty() || self.before.is_none() {
            self.review.head.go_on(trace, &affected);
        }
        reach::retry(&mut self.review.head, &affected);
        if (!affected.is_empty() || terms == TermsChange::Renewed) && !self.review.is_history() {
            self.mark_affected(affected);
        }
        let at_once = self.at_once || self.loses_its_owner();
        if at_once && self.review.head.quiet_until.is_some() {
            self.review.head.quiet_until = Some(self.now());
        }
        self.tell_in_time();
    }

    /// A quiet period that would leave its readers too little time ends at once: it never outlasts what it delays.
    ///
    /// ```text
    ///  change ──────── quiet_seconds ────────▶ end ── min_decision ──▶ expiry, start of the slot
    /// ```
    fn tell_in_time(&mut self) {
        let now = self.now();
        let decision = self.situation.policy.min_decision_minutes;
        let head = &mut self.review.head;
        let expiry = head.pending.as_ref().map(|pending| pending.expires_at);
        let first = expiry.map_or(head.starts_at, |expiry| expiry.min(head.starts_at));
        if head.quiet_until.is_some_and(|until| first < until.plus_minutes(decision)) {
            head.quiet_until = Some(now);
        }
    }

    /// Whether the draft found that nobody can take a decision, and the review did not know before.
    fn loses_its_owner(&self) -> bool {
        let ownerless = |exceptions: &[Exception]| {
            let incomplete = exceptions.iter().filter(|open| open.kind == ExceptionKind::PolicyIncomplete);
            let mut reasons = incomplete.flat_map(|open| &open.reasons);
            reasons.any(|reason| matches!(reason, Reason::Owner | Reason::ChangeRecord))
        };
        ownerless(&self.review.head.exceptions) && !self.before.is_some_and(|before| ownerless(&before.head.exceptions))
    }
}
