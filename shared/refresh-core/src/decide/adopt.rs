//! The owner's decision on a proposal. Everything is judged again at the POST, from the newest facts.

use crate::{
    Instant, Person, TraceId,
    audience::roles,
    base::fingerprint::ProposalFingerprint,
    choice::situation::Situation,
    decide::{
        draft::Draft,
        follow::{self, Occasion, advance},
    },
    facts::{fact::Facts, policy::Deployment, subject::Subject},
    record::{
        commit::Commit,
        decision::Outcome,
        lineage::{Action, AnswerLine, AnswerResult, Happening},
        proposal::{Declined, Fate, PastProposal, Pending, StandsBy},
        review::{Head, Review, Standing},
    },
};

/// What the person at the page chose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// The proposal becomes authoritative.
    Adopt,
    /// Leave that slot out, look for another.
    DeclineOtherSlot,
    /// Keep the present slot, whatever it breaks now.
    DeclineStand,
    /// Make an expired proposal again.
    AskAgain,
    /// Mail the link of what is proposed now: `send_link` answers that.
    SendLink,
}

impl Wish {
    /// The action as the lineage records it.
    pub const fn action(self) -> Action {
        match self {
            Self::Adopt => Action::Adopt,
            Self::DeclineOtherSlot | Self::DeclineStand => Action::Decline,
            Self::AskAgain => Action::AskAgain,
            Self::SendLink => Action::SendLink,
        }
    }

    const fn fate(self) -> Option<Fate> {
        match self {
            Self::Adopt => Some(Fate::Adopted),
            Self::DeclineOtherSlot => Some(Fate::DeclinedOtherSlot),
            Self::DeclineStand => Some(Fate::DeclinedStand),
            Self::AskAgain | Self::SendLink => None,
        }
    }
}

/// A decision wished for through a link bound to this person and this proposal.
#[derive(Clone, Debug)]
pub struct DecisionAttempt {
    /// Who decides.
    pub by: Person,
    /// The proposal that is decided, from the link.
    pub proposal: ProposalFingerprint,
    /// What that person chose.
    pub wish: Wish,
    /// What was written beside the choice.
    pub reason: Option<String>,
    /// Of the mail whose link it is.
    pub trace: Option<TraceId>,
    /// Whether an operator decides in the owner's place.
    pub as_operator: bool,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// The result, as the page and the lineage say it.
    pub result: AnswerResult,
    /// Who decided before, and when, where somebody did.
    pub before: Option<PastProposal>,
    /// What must be written; `None` where nothing must.
    pub commit: Option<Commit>,
}

/// What a page shows for a link: `Shown` while this person can decide the proposal now, otherwise the refusal.
pub fn link_status(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    by: &Person,
    proposal: ProposalFingerprint,
    now: Instant,
) -> (AnswerResult, Option<PastProposal>) {
    let now = now.max(review.head.at);
    let Some(situation) = Situation::of(&review.head.review, facts, deployment, now) else {
        return (AnswerResult::Superseded, None);
    };
    let decided = past(review, proposal);
    if let Some(decided) = decided.filter(|decided| is_decision(decided.fate)) {
        let result = match decided.fate {
            _ if decided.by.as_ref() != Some(by) => AnswerResult::AlreadyDecided,
            Fate::Adopted => AnswerResult::Adopted,
            _ => AnswerResult::Declined,
        };
        return (result, Some(decided.clone()));
    }
    (refusal(review, &situation, by, proposal).unwrap_or(AnswerResult::Shown), decided.cloned())
}

/// Whether an expired proposal can be asked for again, and by whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AskAgain {
    /// This person may: it is the undecided one, and theirs to decide.
    Yours,
    /// It is the undecided one, and somebody else's.
    Others,
    /// It is not the undecided one: newer facts, another decision or time led on.
    Over,
}

/// Who may ask for the proposal of a link again, as HEAD stands.
pub fn ask_again_through(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    by: &Person,
    proposal: ProposalFingerprint,
    now: Instant,
) -> AskAgain {
    let now = now.max(review.head.at);
    let situation = Situation::of(&review.head.review, facts, deployment, now);
    match situation {
        Some(situation) if is_undecided(&review.head, proposal, now) && !review.head.is_over(now) => {
            if may_ask_again(&situation, by) { AskAgain::Yours } else { AskAgain::Others }
        }
        _ => AskAgain::Over,
    }
}

/// Whether that proposal is the one that was left undecided; its expiry instant may have come without its tick.
fn is_undecided(head: &Head, proposal: ProposalFingerprint, now: Instant) -> bool {
    let pending = head.pending.as_ref().filter(|pending| pending.expires_at <= now);
    let expired = head.undecided.as_ref().map(|undecided| undecided.proposal).or_else(|| pending.map(Pending::id));
    expired.is_some_and(|id| ProposalFingerprint::of_digest(&id) == proposal)
}

/// The present owner, or who decides in their place.
fn may_ask_again(situation: &Situation<'_>, by: &Person) -> bool {
    situation.owner() == Some(by) || situation.policy.alternate_owner.as_ref() == Some(by)
}

/// Decides. Nothing is adopted that is not, now, the choice.
pub fn decide(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    attempt: &DecisionAttempt,
    now: Instant,
) -> Answered {
    let now = now.max(review.head.at);
    let Some(situation) = Situation::of(&review.head.review, facts, deployment, now) else {
        return Answered { result: AnswerResult::Superseded, before: None, commit: None };
    };
    let decided = past(review, attempt.proposal).cloned();
    if let Some(decided) = decided.as_ref().filter(|decided| is_decision(decided.fate)) {
        return repeat(attempt, decided);
    }
    let mut draft = Draft::on(review, &situation);
    draft.at_once = true;
    draft.trace = attempt.trace;
    let result = match refusal(review, &situation, &attempt.by, attempt.proposal) {
        Some(AnswerResult::Expired) if attempt.wish == Wish::AskAgain => ask_again(&mut draft, facts, attempt),
        Some(refused) => refused,
        None if matches!(attempt.wish, Wish::AskAgain | Wish::SendLink) => AnswerResult::Shown,
        None => carry_out(&mut draft, facts, deployment, attempt),
    };
    if refused(result) {
        return refuse(review, &situation, facts, attempt, result, decided);
    }
    let commit = draft.finish(Vec::new());
    Answered { result, before: decided, commit }
}

pub(crate) const fn is_decision(fate: Fate) -> bool {
    matches!(fate, Fate::Adopted | Fate::DeclinedOtherSlot | Fate::DeclinedStand)
}

fn past(review: &Review, proposal: ProposalFingerprint) -> Option<&PastProposal> {
    review.head.past.iter().rev().find(|past| past.fingerprint() == proposal)
}

const fn refused(result: AnswerResult) -> bool {
    !matches!(result, AnswerResult::Adopted | AnswerResult::Declined | AnswerResult::AskedAgain)
}

/// Repeating a decision gives the first result; a contrary one names who decided when.
pub(crate) fn repeat(attempt: &DecisionAttempt, decided: &PastProposal) -> Answered {
    let same = attempt.wish.fate() == Some(decided.fate);
    let result = match decided.fate {
        _ if !same => AnswerResult::AlreadyDecided,
        Fate::Adopted => AnswerResult::Adopted,
        _ => AnswerResult::Declined,
    };
    Answered { result, before: Some(decided.clone()), commit: None }
}

/// The first refusal that fits, short of what the newest facts say.
fn refusal(
    review: &Review,
    situation: &Situation<'_>,
    by: &Person,
    proposal: ProposalFingerprint,
) -> Option<AnswerResult> {
    let waiting = review.proposal();
    let named = waiting.filter(|waiting| waiting.pending.fingerprint() == proposal);
    let expired = match named {
        Some(named) => named.pending.expires_at <= situation.now,
        None => past(review, proposal).is_some_and(|past| past.fate == Fate::Expired),
    };
    if expired {
        return Some(AnswerResult::Expired);
    }
    let owner = situation.owner();
    let authoritative = &review.authoritative.packet;
    let adopter = match waiting {
        Some(waiting) => roles::adopter(situation, authoritative, &waiting.version.packet),
        None => owner.cloned(),
    };
    if adopter.as_ref() != Some(by) {
        let substituted = owner == Some(by);
        return Some(if substituted { AnswerResult::SeparationOfDuty } else { AnswerResult::NotTheOwner });
    }
    if named.is_none() {
        return Some(AnswerResult::Superseded);
    }
    None
}

pub(crate) fn carry_out(
    draft: &mut Draft<'_>,
    facts: &Facts,
    deployment: &Deployment,
    attempt: &DecisionAttempt,
) -> AnswerResult {
    if attempt.wish == Wish::Adopt && !still_the_choice(draft, facts, deployment) {
        return AnswerResult::FactsChanged;
    }
    if attempt.wish == Wish::Adopt { adopt(draft, attempt) } else { decline(draft, facts, attempt) }
}

/// The choice is computed again from the newest facts; another slot is not adopted while the change is in flux.
fn still_the_choice(draft: &Draft<'_>, facts: &Facts, deployment: &Deployment) -> bool {
    let review = &draft.review;
    let Some(pending) = &review.head.pending else { return false };
    let moved = review.pending.as_ref().is_some_and(|version| version.packet.slot != review.authoritative.packet.slot);
    if moved && draft.situation.in_flux() {
        return false;
    }
    // The proposal is judged as if it had been told, since the person who decides is looking at the proposal.
    let mut told = review.clone();
    if let Some(pending) = &mut told.head.pending {
        pending.told_at.get_or_insert(draft.now());
    }
    match follow::recomputed(&told, facts, deployment, draft.now()) {
        None => true,
        Some(commit) => commit.head.pending.is_some_and(|now| now.id() == pending.id()),
    }
}

fn adopt(draft: &mut Draft<'_>, attempt: &DecisionAttempt) -> AnswerResult {
    if let Some(change) = draft.situation.facts.get(&Subject::Change(draft.situation.terms.change.clone())) {
        draft.stand_on(change);
    }
    answer(draft, attempt, AnswerResult::Adopted);
    draft.adopt(&attempt.by);
    draft.escalate(Vec::new());
    draft.decide(Outcome::Adopted, None, None);
    AnswerResult::Adopted
}

fn decline(draft: &mut Draft<'_>, facts: &Facts, attempt: &DecisionAttempt) -> AnswerResult {
    let stand = attempt.wish == Wish::DeclineStand;
    let fate = if stand { Fate::DeclinedStand } else { Fate::DeclinedOtherSlot };
    answer(draft, attempt, AnswerResult::Declined);
    let Some((_, version)) = draft.end_proposal(fate, Some(&attempt.by)) else { return AnswerResult::Superseded };
    let packet = version.packet;
    let freeze_edge = packet.same_seats(draft.authoritative()) && !packet.cancelled;
    // A declined cancellation has no other slot to look for: the owner stands by the meeting there is.
    let stand = stand || packet.cancelled;
    if !packet.cancelled {
        let attendees = stand.then(|| packet.attendees.clone());
        draft.head().declined.push(Declined { slot: packet.slot, attendees, freeze_edge });
    }
    if stand {
        let violated = draft.violations();
        let freeze_edge = draft.review.head.today.freeze_edge;
        draft.head().stands_by = Some(StandsBy { violated, freeze_edge });
        draft.escalate(follow::override_reasons(draft));
        draft.decide(Outcome::Declined, None, None);
    } else {
        draft.escalate(Vec::new());
        draft.decide(Outcome::Declined, None, None);
        advance(draft, facts, Occasion::News);
    }
    AnswerResult::Declined
}

/// The expired page lets the present owner ask for its own proposal again, while that proposal is the undecided one. The proposal that comes of it is a new one, with a link of its own.
fn ask_again(draft: &mut Draft<'_>, facts: &Facts, attempt: &DecisionAttempt) -> AnswerResult {
    let head = &draft.review.head;
    if head.is_over(draft.now()) || !is_undecided(head, attempt.proposal, draft.now()) {
        return AnswerResult::Expired;
    }
    if !may_ask_again(draft.situation, &attempt.by) {
        return AnswerResult::NotTheOwner;
    }
    // The facts may have moved on, or the expiry instant come, without a refresh: then something else is the choice.
    advance(draft, facts, Occasion::Time);
    let open = draft.review.head.standing == Standing::Open;
    if !open || !is_undecided(&draft.review.head, attempt.proposal, draft.now()) {
        return AnswerResult::FactsChanged;
    }
    answer(draft, attempt, AnswerResult::AskedAgain);
    advance(draft, facts, Occasion::AskedAgain);
    AnswerResult::AskedAgain
}

pub(crate) fn answer(draft: &mut Draft<'_>, attempt: &DecisionAttempt, result: AnswerResult) {
    let line = answer_line(&draft.review, attempt, result);
    draft.happened(Happening::Answer(line));
}

fn answer_line(review: &Review, attempt: &DecisionAttempt, result: AnswerResult) -> AnswerLine {
    let pending = review.head.pending.as_ref().map(Pending::id);
    let known = review.head.past.iter().map(|past| past.id).chain(pending);
    let mut about = crate::base::digest::Digest::ZERO;
    about.0[..16].copy_from_slice(&attempt.proposal.bytes());
    AnswerLine {
        by: attempt.by.clone(),
        action: attempt.wish.action(),
        result,
        about: known.into_iter().find(|id| ProposalFingerprint::of_digest(id) == attempt.proposal).unwrap_or(about),
        reply: None,
        note: attempt.reason.clone(),
        as_operator: attempt.as_operator,
        by_mail: None,
        to: None,
    }
}

/// A refusal is recorded too; if the facts have moved on, so is what they now ask for.
fn refuse(
    review: &Review,
    situation: &Situation<'_>,
    facts: &Facts,
    attempt: &DecisionAttempt,
    result: AnswerResult,
    before: Option<PastProposal>,
) -> Answered {
    if result == AnswerResult::Shown {
        return Answered { result, before, commit: None };
    }
    let mut draft = Draft::on(review, situation);
    draft.trace = attempt.trace;
    answer(&mut draft, attempt, result);
    if result == AnswerResult::FactsChanged && review.head.standing == Standing::Open {
        advance(&mut draft, facts, Occasion::Time);
    }
    Answered { result, before, commit: draft.finish(Vec::new()) }
}
