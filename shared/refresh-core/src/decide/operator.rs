//! An operator decides in the owner's place: what the operator says is a fact, and each such fact is looked at once.
//!
//! The same rules hold as for the owner's link. Whoever looks at the review next carries the decision out, so a message
//! that is lost loses no decision. HEAD remembers which decision was looked at, so none counts twice.

use crate::{
    audience::roles,
    base::{digest::Digest, fingerprint::ProposalFingerprint},
    choice::situation::Situation,
    decide::{
        adopt::{self, DecisionAttempt, Wish},
        draft::Draft,
    },
    facts::{
        fact::{Body, Facts},
        operator::{OperatorChoice, OperatorDecision},
        policy::Deployment,
        revision::Stamp,
        subject::Subject,
    },
    record::{
        lineage::AnswerResult,
        proposal::{Fate, OperatorLine, OperatorRecord, PastProposal, Pending},
    },
};

/// What HEAD remembers once the newest decision of an operator was looked at.
pub(crate) fn seen(situation: &Situation<'_>, before: Option<&OperatorRecord>) -> Option<OperatorRecord> {
    let decided = before.and_then(|before| before.decided.clone());
    stated(situation).map(|(seen, _)| OperatorRecord { seen, decided }).or_else(|| before.cloned())
}

fn stated<'a>(situation: &Situation<'a>) -> Option<(Stamp, &'a OperatorDecision)> {
    let fact = situation.facts.get(&Subject::Decision(situation.id.clone()))?;
    match &fact.body {
        Body::Decision(decision) => Some((fact.stamp(), decision)),
        _ => None,
    }
}

/// Looks at the newest decision of an operator, if nobody has yet. `None`: there is none to look at.
pub(crate) fn decide(draft: &mut Draft<'_>, facts: &Facts, deployment: &Deployment) -> Option<AnswerResult> {
    let (stamp, decision) = stated(draft.situation)?;
    let before = draft.review.head.operator.clone();
    if before.as_ref().is_some_and(|before| before.seen == stamp) {
        return None;
    }
    draft.head().operator = seen(draft.situation, before.as_ref());
    draft.at_once = true;
    let result = result(draft, facts, deployment, decision);
    let fate = match (result, decision.decision) {
        (AnswerResult::Adopted, OperatorChoice::Adopt) => Fate::Adopted,
        (AnswerResult::Declined, OperatorChoice::DeclineStand) => Fate::DeclinedStand,
        (AnswerResult::Declined, OperatorChoice::DeclineOtherSlot) => Fate::DeclinedOtherSlot,
        _ => return Some(result),
    };
    let line = OperatorLine { by: decision.by.clone(), fate, reason: decision.reason.clone() };
    if let Some(record) = &mut draft.head().operator {
        record.decided = Some(line);
    }
    Some(result)
}

/// Carries the decision out, or refuses it for the first reason that fits. Either is recorded as the operator's.
fn result(draft: &mut Draft<'_>, facts: &Facts, deployment: &Deployment, decision: &OperatorDecision) -> AnswerResult {
    let pending = draft.review.head.pending.clone().filter(|pending| is_of(pending, decision.version));
    let past = draft.review.head.past.iter().rev().find(|past| was_of(past, decision.version)).cloned();
    let named = pending.as_ref().map(Pending::fingerprint).or(past.as_ref().map(PastProposal::fingerprint));
    let attempt = DecisionAttempt {
        by: decision.by.clone(),
        proposal: named.unwrap_or_else(|| ProposalFingerprint::of_digest(&Digest::ZERO)),
        wish: match decision.decision {
            OperatorChoice::Adopt => Wish::Adopt,
            OperatorChoice::DeclineOtherSlot => Wish::DeclineOtherSlot,
            OperatorChoice::DeclineStand => Wish::DeclineStand,
        },
        reason: Some(decision.reason.clone()),
        trace: None,
        as_operator: true,
    };
    let refused = match (&pending, &past) {
        (Some(pending), _) => refusal(draft, pending, decision),
        (None, Some(past)) if adopt::is_decision(past.fate) => Some(AnswerResult::AlreadyDecided),
        (None, Some(past)) if past.fate == Fate::Expired => Some(AnswerResult::Expired),
        (None, _) => Some(AnswerResult::Superseded),
    };
    let result = match refused {
        Some(refused) => refused,
        // An adoption or a decline is recorded as it is carried out.
        None => match adopt::carry_out(draft, facts, deployment, &attempt) {
            AnswerResult::FactsChanged => AnswerResult::FactsChanged,
            done => return done,
        },
    };
    adopt::answer(draft, &attempt, result);
    result
}

/// Why a waiting proposal is not for this operator to decide. Nobody decides about their own seat, operators neither.
fn refusal(draft: &Draft<'_>, pending: &Pending, decision: &OperatorDecision) -> Option<AnswerResult> {
    if pending.expires_at <= draft.now() {
        return Some(AnswerResult::Expired);
    }
    let proposal = draft.review.pending.as_ref()?;
    let own_seat = roles::is_substituted(&decision.by, draft.authoritative(), &proposal.packet);
    own_seat.then_some(AnswerResult::SeparationOfDuty)
}

const fn is_of(pending: &Pending, version: u32) -> bool {
    pending.first_version <= version && version <= pending.version
}

const fn was_of(past: &PastProposal, version: u32) -> bool {
    past.first_version <= version && version <= past.version
}
