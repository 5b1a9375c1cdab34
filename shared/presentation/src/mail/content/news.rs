//! Which change matters most to the reader: of that change speak the subject and the second line.

use refresh_core::record::{
    delta::{Difference, Field, Value},
    exception::ExceptionKind,
    notice::{NoticeKind, ReviewStanding},
    view::{Attendance, ExceptionLine, RuleLine, Seating},
};

use super::{Told, duty::AskedDuty};
use crate::{
    moment,
    wording::{About, ChangeRow},
};

impl Told<'_> {
    /// The change that matters most to a reader, in the order in which it would.
    pub(super) fn foremost(&self) -> Option<&ChangeRow<'_>> {
        // The core puts what is to be decided before what else is new to the reader.
        let asked = || self.rows.iter().find(|row| self.is_to_decide(row) && !self.is_repeated(row));
        let decided = (self.ask == AskedDuty::Decision).then(asked).flatten();
        // What went back to the meeting that counts is the lesser news of a mail about a proposal.
        let weight = |row: &&ChangeRow<'_>| (self.is_repeated(row), self.is_back(row), self.rank(row));
        decided.or_else(|| self.rows.iter().min_by_key(weight))
    }

    /// Whether the reader was told the row before: a mail that asks for a decision describes the whole decision each time.
    fn is_repeated(&self, row: &ChangeRow<'_>) -> bool {
        matches!(row.about, About::Field(change) if self.notice.repeated.contains(&change.field))
    }

    /// Whether the mail asks for a decision that the reader was asked for before, for the sake of other news.
    pub(super) fn asks_anew(&self) -> bool {
        let is_news = self.foremost().is_some_and(|row| !self.is_repeated(row));
        self.notice.kind == NoticeKind::AdoptionRequest && is_news && !self.notice.repeated.is_empty()
    }

    /// Whether the decision that the mail asks for is one that the reader knows of.
    pub(super) fn asked_before(&self) -> bool {
        let repeats = matches!(self.notice.kind, NoticeKind::Reminder | NoticeKind::Resent);
        self.ask == AskedDuty::Decision && (repeats || self.asks_anew())
    }

    /// Every change: the one that matters most first, the others in the order of a delta.
    pub(super) fn by_weight(&self) -> Vec<&ChangeRow<'_>> {
        let mut rows: Vec<&ChangeRow<'_>> = self.rows.iter().collect();
        if let Some(first) = self.foremost() {
            rows.sort_by_key(|row| *row != first);
        }
        rows
    }

    /// The first row of the decision that the reader is asked for.
    pub(super) fn to_decide(&self) -> Option<&ChangeRow<'_>> {
        self.rows.iter().find(|row| self.is_to_decide(row))
    }

    /// Whether the row is a part of the decision that the reader is asked for. A slot that went back to the present one is
    /// none: that is news of an earlier proposal.
    fn is_to_decide(&self, row: &ChangeRow<'_>) -> bool {
        let About::Field(change) = row.about else { return false };
        match (&change.field, &change.now) {
            (Field::Slot | Field::Roster(_) | Field::FreezeEdge, _) => self.notice.proposed.contains(&change.field),
            (Field::Attendance, Some(Value::Attendance(attendance))) => *attendance == Attendance::Cancellation,
            _ => false,
        }
    }

    fn rank(&self, row: &ChangeRow<'_>) -> u8 {
        let About::Field(change) = row.about else { return 4 };
        match change.field {
            Field::Exception if self.is_of_exceptions() => 0,
            // What follows from the decision stands in the mail's first sentence.
            Field::Operator if change.now.is_some() => 0,
            Field::Attendance => 1,
            // Whoever decides knows the proposal: that somebody of it cannot come is what is new.
            Field::ConflictProposed(_) if change.now.is_some() => 1,
            Field::Slot => 2,
            Field::Role => 3,
            Field::Roster(_) => 5,
            Field::FreezeEdge => 6,
            Field::Conflict(_) | Field::ConflictProposed(_) if change.now.is_some() => 7,
            Field::Exception => 8,
            Field::Conflict(_) | Field::ConflictProposed(_) | Field::Operator => 9,
            // What was told as a proposal counts now: of that, what it no longer breaks is the lesser news.
            Field::Standing => 10,
            Field::Checkpoint(_) => 11,
            Field::Window => 12,
            Field::Cutover => 13,
            Field::Violated => 14,
            Field::Duty => 15,
        }
    }

    /// Whether the exceptions are what the mail is of. One reason less, and the end of an exception, is less than a conflict
    /// that somebody reports.
    pub(super) fn is_of_exceptions(&self) -> bool {
        let is_new = |change: &Difference| {
            matches!(change.field, Field::Conflict(_) | Field::ConflictProposed(_)) && change.now.is_some()
        };
        let conflict = self.notice.changes.iter().any(is_new);
        match self.notice.kind {
            NoticeKind::Escalation => !conflict || self.opened().next().is_some(),
            NoticeKind::ExceptionClosed => !conflict,
            _ => false,
        }
    }

    /// The exceptions that the reader has not heard of, or of which one rule is new to the reader.
    pub(super) fn opened(&self) -> impl Iterator<Item = ExceptionKind> {
        let was = self.exceptions(|change| change.was.as_ref());
        let known = move |kind: ExceptionKind, rule: &RuleLine| {
            was.iter().any(|known| known.kind == kind && known.rules.contains(rule))
        };
        let is_new = move |line: &&ExceptionLine| !line.rules.iter().all(|rule| known(line.kind, rule));
        self.exceptions(|change| change.now.as_ref()).iter().filter(is_new).map(|line| line.kind)
    }

    /// The exceptions that are open still, and have fewer reasons than the reader was told.
    pub(super) fn eased(&self) -> impl Iterator<Item = ExceptionKind> {
        let was = self.exceptions(|change| change.was.as_ref());
        let fewer = move |line: &&ExceptionLine| {
            was.iter().any(|known| known.kind == line.kind && known.rules.len() > line.rules.len())
        };
        self.exceptions(|change| change.now.as_ref()).iter().filter(fewer).map(|line| line.kind)
    }

    /// The exceptions that the reader was told of and that are open no more.
    pub(super) fn closed(&self) -> Vec<ExceptionKind> {
        let open = self.exceptions(|change| change.now.as_ref());
        let was = self.exceptions(|change| change.was.as_ref()).iter().map(|line| line.kind);
        was.filter(|kind| open.iter().all(|line| line.kind != *kind)).collect()
    }

    /// One side of the change in exceptions.
    fn exceptions(&self, side: fn(&Difference) -> Option<&Value>) -> &[ExceptionLine] {
        let change = self.notice.changes.iter().find(|change| change.field == Field::Exception);
        match change.and_then(side) {
            Some(Value::Exceptions(lines)) => lines,
            _ => &[],
        }
    }

    /// Whether the reader hears of a proposal that waits.
    pub(super) const fn is_pending(&self) -> bool {
        matches!(self.notice.standing, ReviewStanding::ProposalPending | ReviewStanding::ProposalAndException)
    }

    /// Whether nothing is decided any more, whatever exception is open.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.notice.standing, ReviewStanding::Started | ReviewStanding::Closed | ReviewStanding::Cancelled)
    }

    /// What was so before, by the row's own words. What an earlier proposal said never counted.
    pub(super) fn was_of(&self, row: &ChangeRow<'_>) -> String {
        let proposed = matches!(row.about, About::Field(change) if self.notice.proposed_before.contains(&change.field));
        if proposed { format!("proposed {}", row.was) } else { row.was.clone() }
    }

    /// What is so now, by the row's own words. Of what nobody has adopted "now" alone would be wrong: it sends people to
    /// that time.
    pub(super) fn now_of(&self, row: &ChangeRow<'_>) -> String {
        // Of two duties the row has one.
        if let (Some(due), About::Field(Difference { field: Field::Duty, .. })) = (self.notice.answer_due, row.about) {
            return format!("{}, and still answer by {}", row.now, moment::instant(due, self.names.zone));
        }
        match (self.is_of_the_proposal(row), self.is_back(row)) {
            (true, _) => format!("proposed {}", row.now),
            (false, true) => format!("{}, as in the meeting that counts", row.now),
            (false, false) => row.now.clone(),
        }
    }

    /// Whether a mail about a proposal tells here what counts, and not what is proposed: an earlier proposal said otherwise.
    fn is_back(&self, row: &ChangeRow<'_>) -> bool {
        let About::Field(change) = row.about else { return false };
        // Whoever may be released has their present seat again: "final" alone would be said of the release.
        let could_be = match change.field {
            Field::Slot | Field::Roster(_) | Field::FreezeEdge => true,
            Field::Standing => change.now == Some(Value::Seating(Seating::Authoritative)),
            _ => false,
        };
        let told = change.was.is_some() && change.now.is_some();
        could_be && told && self.tells_a_proposal() && !self.is_of_the_proposal(row)
    }

    /// Whether the row's present value is the proposal's, and not what counts.
    fn is_of_the_proposal(&self, row: &ChangeRow<'_>) -> bool {
        let About::Field(change) = row.about else { return false };
        self.tells_a_proposal() && self.notice.proposed.contains(&change.field)
    }

    /// To anybody else a pending proposal is of no matter: what changed for them is what counts.
    const fn tells_a_proposal(&self) -> bool {
        match self.notice.kind {
            NoticeKind::AdoptionRequest
            | NoticeKind::TentativeChange
            | NoticeKind::Escalation
            | NoticeKind::Reminder
            | NoticeKind::Link
            | NoticeKind::Resent => self.is_pending(),
            NoticeKind::Released
            | NoticeKind::Withdrawn
            | NoticeKind::ExceptionClosed
            | NoticeKind::AuthoritativeUpdate
            | NoticeKind::HoldEnded => false,
        }
    }
}
