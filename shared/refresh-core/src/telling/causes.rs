//! What led to an exception, to the end of a proposal, or to sight of the whole: a fact, or somebody's decision.

use crate::{
    Person,
    audience::reading::Reading,
    record::{
        delta::{Difference, DutyAction, Value},
        exception::ExceptionKind,
        last_notified::LastNotified,
        mark::{Mark, Remark},
        packet::Version,
        proposal::{Fate, PastProposal, Pending, proposal_id},
        reason_word::ReasonWord,
        review::Head,
        view::{ExceptionLine, RuleLine},
    },
    telling::bears::{Bears, of_mark},
};

/// What the rules are about that the authoritative packet breaks. A person whose seat nothing supports stays where they
/// are.
pub(super) fn of_broken(reading: &Reading<'_>) -> Vec<Bears> {
    let moves_somebody = |mark: &&Mark| matches!(mark, Mark::Violation(_) | Mark::Remark(Remark::Overdue(_)));
    let broken = reading.review.head.today.violated.iter().filter(moves_somebody);
    broken.flat_map(|mark| of_mark(reading, mark, true)).collect()
}

/// Why somebody sees the whole packet from now on (`gains`), or no more. An office of the change record is the record's. A seat,
/// and a decision that is due, are told by themselves.
pub(super) fn of_sight(
    reading: &Reading<'_>,
    told: &LastNotified,
    before: Option<&Version>,
    gains: bool,
) -> Option<Bears> {
    let is_owner = |owner: Option<&Person>| owner == Some(&told.person);
    let owns = is_owner(reading.review.head.today.owner.as_ref());
    let owned = is_owner(before.and_then(|version| version.owner.as_ref()));
    let asked = told.view.decides.is_some() && reading.policy.alternate_owner.as_ref() == Some(&told.person);
    let by_record = match gains {
        true => owns,
        false => owned || !owns && !asked && told.adoptions == reading.review.head.adoptions,
    };
    by_record.then_some(Bears::Change)
}

/// Why a proposal that the reader knows is theirs to decide, or to ask for again, from now on or no more: the owner is another.
pub(super) fn of_duty(reading: &Reading<'_>, told: &LastNotified, change: &Difference) -> Option<Bears> {
    // The row that stands for what no field shows.
    if change.was == change.now {
        return Some(Bears::Change);
    }
    let decides = |value: &Option<Value>| matches!(value, Some(Value::Duty(duty)) if duty.action == DutyAction::Decide);
    let waits = reading.review.head.pending.as_ref().map(Pending::id);
    let known = waits.is_some() && told.proposal == waits;
    (known && decides(&change.was) != decides(&change.now)).then_some(Bears::Change)
}

/// Why a proposal of which the reader was told is gone, and nothing of it was adopted. `None`: nothing says which fact.
pub(super) fn of_return(reading: &Reading<'_>, told: &LastNotified, before: Option<&Version>) -> Option<Vec<Bears>> {
    let head = &reading.review.head;
    let known = told.proposal?;
    // A proposal that waits is gone for this reader alone: for a former owner.
    if head.pending.as_ref().is_some_and(|pending| pending.id() == known) {
        return Some(Vec::new());
    }
    head.past.iter().find(|past| past.id == known)?;
    match head.past.last()? {
        last if is_decided(last) => Some(of_operator(head, last)),
        _ => marks_gone(reading, told, before),
    }
}

/// A deadline that passed decides as well.
const fn is_decided(past: &PastProposal) -> bool {
    match past.fate {
        Fate::Adopted | Fate::DeclinedOtherSlot | Fate::DeclinedStand | Fate::Expired => true,
        Fate::Superseded | Fate::Withdrawn => false,
    }
}

/// An operator's decision is a fact of its own.
fn of_operator(head: &Head, past: &PastProposal) -> Vec<Bears> {
    let decided = head.operator.as_ref().and_then(|record| record.decided.as_ref());
    let by_operator = decided.is_some_and(|line| past.by.as_ref() == Some(&line.by) && past.fate == line.fate);
    if by_operator { vec![Bears::Decision] } else { Vec::new() }
}

/// The rules that the meeting broke when the reader was told, and breaks no more. `None`: none.
fn marks_gone(reading: &Reading<'_>, told: &LastNotified, before: Option<&Version>) -> Option<Vec<Bears>> {
    let today = &reading.review.head.today.violated;
    let known = before.into_iter().flat_map(|version| &version.violated).chain(&told.view.violated);
    let gone: Vec<&Mark> = known.filter(|mark| !today.contains(mark)).collect();
    (!gone.is_empty()).then(|| gone.into_iter().flat_map(|mark| of_mark(reading, mark, false)).collect())
}

/// What led to exceptions that opened, have other rules, or closed. `None`: nothing says which fact.
pub(super) fn of_exceptions(
    reading: &Reading<'_>,
    told: &LastNotified,
    before: Option<&Version>,
    change: &Difference,
) -> Option<Vec<Bears>> {
    let lines = |value: &Option<Value>| match value {
        Some(Value::Exceptions(lines)) => Some(lines.clone()),
        _ => None,
    };
    // Who begins or ceases to hear of exceptions hears of them by an office or by the policy.
    let (Some(was), Some(now)) = (lines(&change.was), lines(&change.now)) else { return Some(vec![Bears::Terms]) };
    let mut bears = Vec::new();
    for line in now.iter().filter(|line| !was.contains(line)) {
        let known = was.iter().find(|known| known.kind == line.kind);
        bears.extend(of_open(reading, line, known)?);
    }
    for line in was.iter().filter(|line| now.iter().all(|open| open.kind != line.kind)) {
        bears.extend(of_closed(reading, told, before, line)?);
    }
    Some(bears)
}

/// `known`: the exception as the reader knows it, where its rules are others now.
fn of_open(reading: &Reading<'_>, line: &ExceptionLine, known: Option<&ExceptionLine>) -> Option<Vec<Bears>> {
    let head = &reading.review.head;
    let opened_at = head.exceptions.iter().find(|open| open.kind == line.kind).map(|open| open.opened_at);
    let decided = head.past.last().filter(|past| known.is_none() && is_decided(past) && Some(past.at) == opened_at);
    match line.kind {
        // Time, mail, a source that says nothing, and what the owner stands by: of no fact.
        ExceptionKind::Undecided
        | ExceptionKind::Unanswered
        | ExceptionKind::Unreachable
        | ExceptionKind::SourceSilent => Some(Vec::new()),
        ExceptionKind::OwnerOverride | ExceptionKind::DeclinedOnly | ExceptionKind::NoViableSlot
            if decided.is_some() =>
        {
            decided.map(|past| of_operator(head, past))
        }
        ExceptionKind::OwnerOverride => Some(Vec::new()),
        ExceptionKind::Churn | ExceptionKind::DeclinedOnly => None,
        ExceptionKind::PolicyIncomplete | ExceptionKind::NoViableSlot => {
            let is_new = |rule: &&RuleLine| known.is_none_or(|known| !known.rules.contains(rule));
            let mut bears = of_broken(reading);
            for rule in line.rules.iter().filter(is_new) {
                bears.extend(of_rule(rule)?);
            }
            Some(bears)
        }
    }
}

fn of_closed(
    reading: &Reading<'_>,
    told: &LastNotified,
    before: Option<&Version>,
    line: &ExceptionLine,
) -> Option<Vec<Bears>> {
    let head = &reading.review.head;
    if told.adoptions != head.adoptions {
        return Some(Vec::new());
    }
    match line.kind {
        // An answer, a mail that arrives, and the end of a pause.
        ExceptionKind::Unanswered | ExceptionKind::Unreachable | ExceptionKind::Churn => Some(Vec::new()),
        ExceptionKind::SourceSilent => {
            Some(line.rules.iter().filter_map(|rule| rule.source.clone()).map(Bears::Heard).collect())
        }
        ExceptionKind::PolicyIncomplete => {
            let all: Option<Vec<Vec<Bears>>> = line.rules.iter().map(of_rule).collect();
            all.map(|all| all.into_iter().flatten().collect())
        }
        ExceptionKind::Undecided if is_asked_again(head) => Some(Vec::new()),
        ExceptionKind::Undecided
        | ExceptionKind::NoViableSlot
        | ExceptionKind::DeclinedOnly
        | ExceptionKind::OwnerOverride => marks_gone(reading, told, before),
    }
}

/// Whether what waits is the proposal that expired: somebody asked for it again.
fn is_asked_again(head: &Head) -> bool {
    let again = |past: &PastProposal| {
        let pending = head.pending.as_ref().map(|pending| proposal_id(&pending.digest, past.first_version));
        past.fate == Fate::Expired && pending == Some(past.id)
    };
    head.past.last().is_some_and(again)
}

/// What a rule of an exception is about. `None`: nothing says which fact.
fn of_rule(line: &RuleLine) -> Option<Vec<Bears>> {
    let cover = || line.role.clone().map(Bears::Cover);
    Some(match line.rule {
        ReasonWord::FreezeCrossing => vec![Bears::Freeze],
        ReasonWord::OutsideWindow | ReasonWord::CutoverLead => vec![Bears::Schedule],
        ReasonWord::BeforeEvidence | ReasonWord::EvidenceOverdue => vec![Bears::Evidence(None), Bears::Terms],
        ReasonWord::RoleUncovered => cover().into_iter().chain([Bears::AnyTime]).collect(),
        ReasonWord::AvailabilityUnknown => line.person.clone().map(Bears::Time).into_iter().collect(),
        ReasonWord::OutsideHours => vec![Bears::Terms],
        ReasonWord::ShortNotice => Vec::new(),
        ReasonWord::Holder | ReasonWord::Delegates => cover().into_iter().collect(),
        ReasonWord::ChangeRecord | ReasonWord::Owner | ReasonWord::AlternateOwner => vec![Bears::Change],
        _ => return None,
    })
}
