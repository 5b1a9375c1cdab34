//! What the facts ask of an open review: the decision table. Total and pure; "no slot exists" is an outcome.

use crate::{
    Instant,
    base::digest::Digest,
    choice::{
        candidates::{Candidates, Reach},
        explanation,
        ours::Ours,
        search::OthersProposals,
        situation::Situation,
        waiver,
    },
    decide::draft::Draft,
    facts::{fact::Facts, policy::Deployment},
    record::{
        commit::Commit,
        decision::{Earlier, Outcome},
        exception::Reason,
        lineage::{Action, AnswerLine, AnswerResult, Happening},
        packet::{Choice, Packet},
        proposal::{Fate, Proposal, StandsBy, Undecided},
        report::Report,
        review::{Review, Standing},
    },
};

/// What the facts ask for now, whatever an operator says: the review with that decided. `None` where nothing differs.
pub(crate) fn recomputed(review: &Review, facts: &Facts, deployment: &Deployment, now: Instant) -> Option<Commit> {
    let situation = Situation::of(&review.head.review, facts, deployment, now)?;
    let mut draft = Draft::on(review, &situation);
    advance(&mut draft, facts, Occasion::Time);
    draft.finish(Vec::new())
}

/// Why an open review is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Occasion {
    /// A fact was accepted, or somebody decided. A decision is recorded whatever the decision says.
    News,
    /// Time passed. A decision is recorded where something changed.
    Time,
    /// The owner asks again for what was left undecided.
    AskedAgain,
}

/// One step of an open review.
pub(crate) fn advance(draft: &mut Draft<'_>, facts: &Facts, occasion: Occasion) {
    draft.head().choice_until = None;
    if facts.is_closed(&draft.review.head.review) {
        return close(draft, facts);
    }
    let started = draft.authoritative().slot.start <= draft.now();
    expire(draft);
    if started {
        draft.head().standing = Standing::Started;
        draft.head().paused_until = None;
        return;
    }
    follow(draft, occasion);
}

/// `review.closed`: coordination ends, the meeting is left alone.
fn close(draft: &mut Draft<'_>, facts: &Facts) {
    if let Some((by, reason)) = facts.closed_by(&draft.review.head.review) {
        draft.happened(Happening::Answer(AnswerLine {
            by: by.clone(),
            action: Action::Close,
            result: AnswerResult::Recorded,
            about: Digest::ZERO,
            reply: None,
            note: Some(reason.to_owned()),
            as_operator: true,
            by_mail: None,
            to: None,
        }));
    }
    let ended = draft.end_proposal(Fate::Withdrawn, None);
    let head = draft.head();
    if let Some(past) = head.past.last_mut().filter(|_| ended.is_some()) {
        past.by_closing = true;
    }
    head.standing = Standing::Closed;
    head.stands_by = None;
    head.undecided = None;
    head.paused_until = None;
    draft.escalate(Vec::new());
    draft.decide(Outcome::Closed, ended.map(|_| Earlier::Withdrawn), None);
}

/// Silence never adopts: at its expiry instant a proposal is over, and `undecided` opens.
fn expire(draft: &mut Draft<'_>) {
    let now = draft.now();
    if draft.review.head.pending.as_ref().is_none_or(|pending| now < pending.expires_at) {
        return;
    }
    let Some((pending, version)) = draft.end_proposal(Fate::Expired, None) else { return };
    let moves = version.packet.slot != draft.authoritative().slot;
    // One second later it no longer leaves notice and time to decide, and another choice may be the first.
    let until = draft.situation.proposable_until(version.packet.slot.start).filter(|_| moves);
    let left = Some(Choice::of(&version.packet));
    let (proposal, digest) = (pending.id(), pending.digest);
    draft.head().undecided = Some(Undecided { proposal, digest, until, adopter: pending.adopter, left });
    draft.escalate(vec![Reason::Expired(version.packet.slot)]);
    draft.decide(Outcome::Unchanged, Some(Earlier::Expired), None);
}

/// What the facts ask for.
enum Verdict {
    /// The authoritative slot and attendees.
    Keep,
    Propose(Packet, Report),
    /// The owner stands by what there is.
    Stand,
    /// Nothing can be proposed, for these reasons.
    Escalate(Vec<Reason>, Option<Report>),
    /// This is not proposed while a source is silent that the choice stands on.
    Wait(Packet),
}

/// The decision table: the choice against the authoritative packet.
fn follow(draft: &mut Draft<'_>, occasion: Occasion) {
    end_pause(draft, occasion);
    end_override(draft);
    match judge_if_heard(draft, occasion) {
        Verdict::Keep => keep(draft, occasion),
        Verdict::Wait(packet) => wait(draft, packet, Vec::new(), occasion),
        Verdict::Propose(packet, report) => propose(draft, packet, report, occasion),
        Verdict::Stand => {
            let ended = withdraw(draft);
            let reasons = override_reasons(draft);
            draft.escalate(reasons);
            record(draft, Outcome::Unchanged, ended, None, occasion);
        }
        Verdict::Escalate(reasons, report) => {
            forget_undecided(draft);
            let ended = withdraw(draft);
            draft.escalate(reasons);
            record(draft, Outcome::Escalated, ended, report, occasion);
        }
    }
}

/// An accepted event writes a decision for every review it touches; time alone only where something changed.
fn record(
    draft: &mut Draft<'_>,
    outcome: Outcome,
    earlier: Option<Earlier>,
    report: Option<Report>,
    occasion: Occasion,
) {
    if occasion != Occasion::Time || draft.changed() && !draft.just_decided(outcome) {
        draft.decide(outcome, earlier, report);
    }
}

fn withdraw(draft: &mut Draft<'_>) -> Option<Earlier> {
    draft.end_proposal(Fate::Withdrawn, None).map(|_| Earlier::Withdrawn)
}

fn forget_undecided(draft: &mut Draft<'_>) {
    draft.head().undecided = None;
}

/// A deployment without a quiet period pauses all the same: otherwise the pause would end as it begins.
const SHORTEST_PAUSE_SECONDS: i64 = 60;

/// When a pause ends that an accepted fact began or prolonged just now. A source that repeats itself without end holds up no
/// proposal: the pause ends once fewer were told within the policy's time, and while the owner can still decide before the
/// start. `None`: no pause is left.
fn pause_end(draft: &Draft<'_>) -> Option<Instant> {
    let (policy, head, now) = (&draft.situation.policy, &draft.review.head, draft.now());
    let quiet = now.plus_seconds(policy.quiet_seconds.max(SHORTEST_PAUSE_SECONDS));
    let counted = head.tellings.len().checked_sub(policy.churn.proposals as usize)?;
    let lapsed = head.tellings.get(counted)?.plus_minutes(policy.churn.within_minutes);
    let last = draft.authoritative().slot.start.plus_minutes(-policy.min_decision_minutes);
    Some(quiet.min(lapsed).min(last)).filter(|end| *end > now)
}

/// While too many proposals were told, an accepted fact prolongs the pause; once it is over the count starts anew.
fn end_pause(draft: &mut Draft<'_>, occasion: Occasion) {
    let (now, end) = (draft.now(), pause_end(draft));
    let head = draft.head();
    let Some(until) = head.paused_until else { return };
    let end = if occasion == Occasion::Time { Some(until) } else { end };
    head.paused_until = end.filter(|_| now < until);
    if head.paused_until.is_none() {
        head.tellings.clear();
    }
}

/// The owner stands by the present slot until it breaks something else than it did.
fn end_override(draft: &mut Draft<'_>) {
    let (violated, freeze_edge) = (draft.violations(), draft.review.head.today.freeze_edge);
    let nothing_to_stand_by = override_reasons(draft).is_empty();
    let head = draft.head();
    let differs = |by: &StandsBy| by.violated != violated || by.freeze_edge != freeze_edge;
    if nothing_to_stand_by || head.stands_by.as_ref().is_some_and(differs) {
        head.stands_by = None;
    }
}

/// While a source is silent the newest facts count for what is authoritative, and for what people were asked already.
fn judge_if_heard(draft: &Draft<'_>, occasion: Occasion) -> Verdict {
    let is_silent = !draft.situation.silence.reasons.is_empty();
    match judge(draft, occasion) {
        Verdict::Propose(packet, _) if is_silent && is_new(draft, &packet, occasion) => Verdict::Wait(packet),
        verdict => verdict,
    }
}

/// There is a choice, and nothing is proposed now, for these reasons. What waited for the owner ends, and without that the
/// choice may be another one, or none. By time alone it may become another one as well.
fn wait(draft: &mut Draft<'_>, packet: Packet, why: Vec<Reason>, occasion: Occasion) {
    let was_left = draft.head().undecided.take().is_some();
    let ended = withdraw(draft);
    let verdict = if was_left || ended.is_some() { judge(draft, Occasion::Time) } else { Verdict::Wait(packet) };
    let (reasons, report) = match verdict {
        Verdict::Propose(packet, _) | Verdict::Wait(packet) => {
            let until = draft.situation.proposable_until(packet.slot.start);
            let moves = packet.slot != draft.authoritative().slot;
            draft.head().choice_until = until.filter(|_| moves);
            (why, None)
        }
        Verdict::Escalate(reasons, report) => (reasons, report),
        Verdict::Keep | Verdict::Stand => (Vec::new(), None),
    };
    draft.escalate(reasons);
    record(draft, Outcome::Escalated, ended, report, occasion);
}

/// Whether nobody was asked for this yet.
fn is_new(draft: &Draft<'_>, packet: &Packet, occasion: Occasion) -> bool {
    let (head, digest) = (&draft.review.head, packet.proposal_digest());
    let asked = head.pending.as_ref().filter(|pending| pending.is_told()).map(|pending| pending.digest);
    // Asked for again it is a proposal of its own.
    let left = head.undecided.as_ref().filter(|_| occasion != Occasion::AskedAgain).map(|undecided| undecided.digest);
    asked != Some(digest) && left != Some(digest)
}

fn judge(draft: &Draft<'_>, occasion: Occasion) -> Verdict {
    let situation = draft.situation;
    let head = &draft.review.head;
    let authoritative = draft.authoritative();
    if head.stands_by.is_some() {
        return Verdict::Stand;
    }
    // Without an owner nobody could adopt the cancellation: that the owner is missing is said instead.
    if situation.is_cancelled() && situation.owner().is_some() {
        let packet = Packet { cancelled: true, ..draft.content() };
        return Verdict::Propose(packet, Report::default());
    }
    let incomplete = situation.incomplete();
    if !incomplete.is_empty() {
        return Verdict::Escalate(incomplete, None);
    }
    let edge = head.today.freeze_edge;
    let edge_declined = edge && head.declined.iter().any(|declined| declined.freeze_edge);
    if draft.violations().is_empty() && !edge_declined {
        if edge && !authoritative.freeze_edge {
            return Verdict::Propose(draft.content(), Report::default());
        }
        return Verdict::Keep;
    }
    let candidates = Candidates::of(situation, authoritative, Ours::of(head), &head.declined, Reach::Window);
    if let Some(choice) = choice(draft, &candidates, occasion) {
        let report = explanation::of(&candidates, Some(choice.slot.start));
        return Verdict::Propose(situation.packet(choice.slot, choice.attendees), report);
    }
    let report = Some(explanation::of(&candidates, None));
    match declined_alone(draft, candidates, edge_declined) {
        Some(reasons) => Verdict::Escalate(reasons, report),
        None => {
            let reach = |reach| Candidates::of(situation, authoritative, Ours::of(head), &head.declined, reach);
            let reasons = waiver::reasons(reach(Reach::Waivers), &reach(Reach::Week));
            Verdict::Escalate(reasons, report)
        }
    }
}

/// The present proposal where people were told of it and it is still good, or what of it was left undecided; otherwise the best
/// there is. A proposal that nobody was told of has one advantage alone: its seats have a claim, and any other choice's have
/// none.
fn choice(draft: &Draft<'_>, candidates: &Candidates<'_>, occasion: Occasion) -> Option<Choice> {
    let authoritative = draft.authoritative();
    let still_good = |proposal: &Proposal<'_>| {
        let packet = &proposal.version.packet;
        !packet.cancelled && !packet.same_seats(authoritative) && candidates.still_viable(packet, proposal.pending)
    };
    let waiting = draft.review.proposal();
    let told = waiting.filter(|proposal| proposal.pending.is_told()).filter(&still_good);
    if let Some(told) = told {
        return Some(Choice::of(&told.version.packet));
    }
    // Its owner was asked for it, and was silent. That something else is better by now, or that another review proposes the
    // same people by now, is no other choice.
    let others = if occasion == Occasion::AskedAgain { OthersProposals::Counted } else { OthersProposals::Ignored };
    if let Some(left) = left_undecided(draft).filter(|left| candidates.left_viable(left, others)) {
        return Some(left.clone());
    }
    let best = candidates.preferred();
    let contested = |proposal: &Proposal<'_>| candidates.is_contested(&proposal.version.packet);
    let untold = waiting.filter(|proposal| !proposal.pending.is_told()).filter(contested).filter(&still_good);
    match (best, untold) {
        (best, Some(present)) if candidates.is_better(&present.version.packet, best.as_ref()) => {
            Some(Choice::of(&present.version.packet))
        }
        (best, _) => best.map(|(index, seats)| candidates.choice(index, &seats)),
    }
}

/// The choice of the proposal that expired undecided. `None` where the same slot and people would be another proposal by now:
/// the slot came to lie at the edge of a freeze, or lies there no more.
fn left_undecided<'d>(draft: &'d Draft<'_>) -> Option<&'d Choice> {
    let undecided = draft.review.head.undecided.as_ref()?;
    let left = undecided.left.as_ref().filter(|left| **left != Choice::of(draft.authoritative()))?;
    let packet = draft.situation.packet(left.slot, left.attendees.clone());
    (packet.proposal_digest() == undecided.digest).then_some(left)
}

/// Whether only declined choices are left: each of them that would be viable.
fn declined_alone(draft: &Draft<'_>, candidates: Candidates<'_>, edge_declined: bool) -> Option<Vec<Reason>> {
    let head = &draft.review.head;
    if head.declined.is_empty() {
        return None;
    }
    let kept = edge_declined && draft.violations().is_empty();
    if !kept && candidates.undeclined().preferred().is_none() {
        return None;
    }
    let mut slots: Vec<_> = head.declined.iter().map(|declined| declined.slot).collect();
    slots.sort_unstable();
    slots.dedup();
    Some(slots.into_iter().map(Reason::Declined).collect())
}

/// Same slot and attendees.
fn keep(draft: &mut Draft<'_>, occasion: Occasion) {
    forget_undecided(draft);
    draft.head().paused_until = None;
    let ended = withdraw(draft);
    let packet = draft.content();
    let outcome = if packet == *draft.authoritative() {
        Outcome::Unchanged
    } else {
        draft.refresh(packet);
        Outcome::Refreshed
    };
    draft.escalate(Vec::new());
    record(draft, outcome, ended, None, occasion);
}

/// Another slot, another person, a freeze edge, or a cancellation: the owner decides.
fn propose(draft: &mut Draft<'_>, packet: Packet, report: Report, occasion: Occasion) {
    let digest = packet.proposal_digest();
    let waiting = draft.review.proposal();
    if let Some(proposal) = waiting.filter(|proposal| proposal.pending.digest == digest) {
        let same = proposal.version.packet == packet;
        if !same {
            draft.propose_again(packet, report);
        }
        draft.reassign();
        draft.escalate(Vec::new());
        let outcome = if same { Outcome::Unchanged } else { Outcome::Held };
        return record(draft, outcome, None, None, occasion);
    }
    let left = draft.review.head.undecided.as_ref().is_some_and(|undecided| undecided.digest == digest);
    if left && occasion != Occasion::AskedAgain {
        draft.escalate(vec![Reason::Expired(packet.slot)]);
        return record(draft, Outcome::Unchanged, None, None, occasion);
    }
    if is_churning(draft) {
        return wait(draft, packet, vec![Reason::TooManyProposals], occasion);
    }
    forget_undecided(draft);
    let earlier = draft.end_proposal(Fate::Superseded, None);
    // Only the freeze edge is another: what people were told of slot and seats still stands.
    let seats_told = earlier.as_ref().is_some_and(|(pending, version)| {
        pending.is_told() && version.packet.same_seats(&packet) && version.packet.cancelled == packet.cancelled
    });
    let ended = earlier.map(|_| Earlier::Superseded);
    draft.propose(packet, digest, report, seats_told);
    draft.escalate(Vec::new());
    record(draft, Outcome::Held, ended, None, occasion);
}

/// More than the policy's number of proposals told within its time: the one too many is not made.
fn is_churning(draft: &mut Draft<'_>) -> bool {
    let churn = draft.situation.policy.churn;
    let now = draft.now();
    let head = draft.head();
    if head.paused_until.is_some() {
        return true;
    }
    head.tellings.retain(|told| now < told.plus_minutes(churn.within_minutes));
    if head.tellings.len() < churn.proposals as usize {
        return false;
    }
    draft.review.head.paused_until = pause_end(draft);
    draft.review.head.paused_until.is_some()
}

/// What the owner stands by: every violation, and the freeze edge where that was declined.
pub(crate) fn override_reasons(draft: &Draft<'_>) -> Vec<Reason> {
    let edge = draft.review.head.today.freeze_edge && !draft.authoritative().freeze_edge;
    let violated = draft.violations();
    violated.into_iter().map(Reason::StandsBy).chain(edge.then_some(Reason::FreezeEdge)).collect()
}

impl Draft<'_> {
    /// The authoritative slot and attendees with today's content.
    pub(crate) fn content(&self) -> Packet {
        let packet = self.authoritative();
        self.situation.packet(packet.slot, packet.attendees.clone())
    }
}
