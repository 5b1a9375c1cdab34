//! Holds what the core wrote against what the judge expects.

use std::{collections::BTreeSet, fmt::Debug};

use refresh_core::record::{
    commit::Commit,
    exception::{ExceptionKind, Reason},
    lineage::Happening,
    review::Review,
};

use crate::{
    case::{Case, Content, Span},
    history::Tally,
    judge,
    ledger::{self, Exception, Expected},
    translate::{self, Names},
    waivers::Waived,
};

pub fn same<T: PartialEq + Debug>(what: &str, core: &T, judge: &T) -> Result<(), String> {
    if core == judge { Ok(()) } else { Err(format!("{what}: the core says {core:?}, the judge {judge:?}")) }
}

/// Authoritative and pending packet, marks and exceptions.
pub fn state(names: Names, case: &Case, review: &Review, expected: &Expected, tally: &mut Tally) -> Result<(), String> {
    let marks: BTreeSet<String> =
        review.head.today.violated.iter().filter_map(|mark| translate::mark(&mark.to_string())).collect();
    let ours = judge::violated(case);
    same("violated", &marks, &ours)?;
    let authoritative = names.proposal(&review.authoritative.packet);
    same("slot", &authoritative.slot, &case.review.slot)?;
    same("attendees", &authoritative.seats, &case.review.seats)?;
    same("content", &content(names, &review.authoritative.packet), &case.review.content)?;
    let pending = review.pending.as_ref().map(|version| names.proposal(&version.packet));
    let ours_pending = case.review.pending.as_ref();
    same("pending", &pending, &ours_pending.map(|pending| pending.proposal.clone()))?;
    if let (Some(version), Some(head), Some(ours)) = (&review.pending, &review.head.pending, ours_pending) {
        same("content of the proposal", &content(names, &version.packet), &ours.content)?;
        let adopter = head.adopter.as_ref().map(translate::person_index);
        same("adopter", &adopter, &ledger::adopter(case, &ours.proposal))?;
        same("expiry", &names.time(head.expires_at), &ledger::expiry(case, ours))?;
    }
    exceptions(names, case, review, expected, tally)?;
    for mark in &ours {
        *tally.entry(format!("violated {}", mark.split(':').next().unwrap_or_default())).or_default() += 1;
    }
    *tally.entry(format!("outcome {}", expected.outcome)).or_default() += 1;
    Ok(())
}

fn content(names: Names, packet: &refresh_core::record::packet::Packet) -> Content {
    Content {
        ready: packet.checkpoints.values().map(|ready| ready.map(|at| names.time(at))).collect(),
        window: packet.window.map(|window| names.back(window)),
        cutover: packet.cutover.map(|cutover| names.time(cutover.start)),
        edge: packet.freeze_edge,
    }
}

fn exceptions(
    names: Names,
    case: &Case,
    review: &Review,
    expected: &Expected,
    tally: &mut Tally,
) -> Result<(), String> {
    // Nobody may decide: it stands beside whatever the choice opened.
    let nobody = case.review.pending.as_ref().is_some_and(|pending| ledger::adopter(case, &pending.proposal).is_none());
    let open = &review.head.exceptions;
    let core_nobody =
        open.iter().flat_map(|exception| &exception.reasons).any(|reason| *reason == Reason::AlternateOwner);
    same("alternate_owner", &core_nobody, &nobody)?;
    let silent = open.iter().any(|exception| exception.kind == ExceptionKind::SourceSilent);
    same("source_silent", &silent, &case.facts.unreported)?;
    if silent {
        *tally.entry("exception source_silent".to_owned()).or_default() += 1;
    }
    let mut rest: Vec<(ExceptionKind, Vec<_>)> = Vec::new();
    for exception in open.iter().filter(|exception| exception.kind != ExceptionKind::SourceSilent) {
        let reasons: Vec<_> =
            exception.reasons.iter().filter(|reason| **reason != Reason::AlternateOwner).cloned().collect();
        if !reasons.is_empty() || exception.kind != ExceptionKind::PolicyIncomplete {
            rest.push((exception.kind, reasons));
        }
    }
    let kinds: Vec<ExceptionKind> = rest.iter().map(|(kind, _)| *kind).collect();
    let ours = expected.exception.as_ref().map(|exception| match exception {
        Exception::Undecided => ExceptionKind::Undecided,
        Exception::OwnerOverride => ExceptionKind::OwnerOverride,
        Exception::DeclinedOnly => ExceptionKind::DeclinedOnly,
        Exception::Incomplete(_) => ExceptionKind::PolicyIncomplete,
        Exception::NoViableSlot(_) => ExceptionKind::NoViableSlot,
    });
    same("exceptions", &kinds, &ours.into_iter().collect())?;
    for kind in &kinds {
        *tally.entry(format!("exception {}", kind.word())).or_default() += 1;
    }
    let reasons = rest.first().map(|(_, reasons)| reasons.as_slice()).unwrap_or_default();
    match &expected.exception {
        Some(Exception::Incomplete(missing)) => same("missing", &reasons.iter().map(missing_part).collect(), missing),
        Some(Exception::NoViableSlot(waived)) => {
            let core: BTreeSet<_> = reasons.iter().map(|reason| waiver_line(names, reason)).collect();
            same("waivers", &core, &waived.iter().map(judged_line).collect())?;
            for waived in waived {
                *tally.entry(format!("waiver {}", waived.rule)).or_default() += 1;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Rule, role, person, slot, miss.
type Line = (String, Option<usize>, Option<usize>, Option<Span>, Option<i64>);

/// A reason of `no_viable_slot`; persons and roles where the rule is about one.
fn waiver_line(names: Names, reason: &Reason) -> Line {
    let word = reason.word().word();
    let role = reason.role().map(translate::role_index).filter(|_| word == "role_uncovered");
    let person = reason.person().map(translate::person_index).filter(|_| word == "availability_unknown");
    (word, role, person, reason.slot().map(|slot| names.back(slot)), reason.missed_by_minutes())
}

fn judged_line(waived: &Waived) -> Line {
    (waived.rule.to_owned(), waived.role, waived.person, waived.slot, waived.missed_by)
}

/// A rule of `policy_incomplete`.
fn missing_part(reason: &Reason) -> String {
    match reason.role() {
        Some(role) => format!("{}:{}", reason.word().word(), translate::role_index(role)),
        None => reason.word().word(),
    }
}

/// The word of the last decision, and what became of an earlier proposal.
pub fn decision(commit: &Commit, expected: &Expected) -> Result<(), String> {
    let mut decisions =
        commit.entry.iter().flat_map(|entry| &entry.happenings).filter_map(|happening| match happening {
            Happening::Decision(decision) => Some(decision),
            _ => None,
        });
    let last = decisions.next_back().ok_or("no decision was recorded")?;
    same("outcome", &last.outcome.word(), &expected.outcome)?;
    let earlier = last.proposal.map(|earlier| format!("{earlier:?}").to_lowercase());
    same("earlier proposal", &earlier.as_deref(), &expected.earlier)
}
