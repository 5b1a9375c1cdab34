//! Time emits no event, so every decision says when time alone could change its answer.

use crate::{
    Instant, Person,
    base::instant::{HOUR, MINUTE, SECOND},
    choice::situation::Situation,
    facts::policy::Policy,
    record::{
        answer::Duty,
        delivery::Unreachable,
        exception::{Exception, ExceptionKind, Reason},
        mark::Mark,
        proposal::{Asked, Pending, Proposal},
        reason_word::ReasonWord,
        review::{Head, Review, Standing},
    },
};

/// The two clocks of HEAD, and what is told outside as `next_check_at`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadlines {
    /// When time alone could change the answer, as people are told.
    pub next_check_at: Option<Instant>,
    /// When the review is looked at again: at the latest an hour from now. `None` for a review that has ended.
    pub check_at: Option<Instant>,
    /// When somebody is next to be told something: the end of the quiet period, or a reminder.
    pub notices_at: Option<Instant>,
}

/// The deadlines of a review as the review stands now.
pub fn of(review: &Review, situation: &Situation<'_>) -> Deadlines {
    let head = &review.head;
    if head.standing != Standing::Open {
        let notices_at = [head.quiet_until, asks_at(head)].into_iter().flatten().min();
        return Deadlines { next_check_at: None, check_at: None, notices_at };
    }
    let start = review.authoritative.packet.slot.start;
    let reminder = next_reminder(review, &situation.policy);
    let change = next_change(review, situation, start);
    Deadlines {
        next_check_at: [change, reminder].into_iter().flatten().min(),
        check_at: [change, Some(hourly(situation.now))].into_iter().flatten().min(),
        notices_at: next_notice(head, reminder),
    }
}

/// An open review is looked at hourly whatever happens, so even a message lost for good is no lost update. The look falls on a
/// whole minute. Then one tick asks every review of that minute, where thousands of instants would need thousands of ticks.
fn hourly(now: Instant) -> Instant {
    now.plus_millis(HOUR).minute()
}

/// When the review is looked at again, where a look was `set` before and one at `check_at` would do. A look that is set for
/// half an hour from now or later stays, unless something is due earlier. It moves HEAD in the index of what is due, and every
/// decision would pay for that.
pub fn keep_look(set: Option<Instant>, check_at: Option<Instant>, now: Instant) -> Option<Instant> {
    let stays = |at: &Instant| *at >= now.plus_millis(HOUR / 2) && Some(*at) <= check_at;
    set.filter(stays).or(check_at)
}

/// Other reviews are asked at once: while they are not, this stays due.
fn asks_at(head: &Head) -> Option<Instant> {
    (!head.seats_moved.is_empty()).then(|| head.notices_at.map_or(head.at, |at| at.min(head.at)))
}

/// What `notices_at` is after a mail was settled, when nothing was decided.
pub fn notices_at(review: &Review, policy: &Policy) -> Option<Instant> {
    let head = &review.head;
    let reminder = (head.standing == Standing::Open).then(|| next_reminder(review, policy)).flatten();
    next_notice(head, reminder)
}

fn next_notice(head: &Head, reminder: Option<Instant>) -> Option<Instant> {
    [head.quiet_until, reminder, link_asked(head), resend_asked(head), asks_at(head)].into_iter().flatten().min()
}

/// Since when the present adopter waits for a link that was asked for.
pub fn link_asked(head: &Head) -> Option<Instant> {
    let pending = head.pending.as_ref().filter(|_| head.standing == Standing::Open)?;
    let adopter = pending.adopter.as_ref().filter(|person| !head.withholds(person));
    pending.link.as_ref().filter(|link| !link.sent && adopter.is_some()).map(|link| link.at)
}

/// Since when somebody waits for a mail that an operator asked for.
fn resend_asked(head: &Head) -> Option<Instant> {
    let mailed = head.resends.iter().filter(|(person, _)| !head.withholds(person));
    mailed.map(|(_, at)| *at).min().filter(|_| head.standing == Standing::Open)
}

fn next_change(review: &Review, situation: &Situation<'_>, start: Instant) -> Option<Instant> {
    let head = &review.head;
    let expiry = head.pending.as_ref().map(|pending| pending.expires_at);
    let unanswered = outstanding(head).map(|duty| duty.due_at).filter(|due| *due < start && *due > situation.now).min();
    let reason = next_reason(head, situation, start);
    let undecided = head.undecided.as_ref().and_then(|undecided| undecided.until);
    let near = next_near(review, situation, start);
    // Whoever is proposed elsewhere is busy then. A choice is looked for only where the meeting breaks something.
    let elsewhere =
        head.today.violated.iter().any(Mark::is_violation).then(|| situation.next_end_elsewhere()).flatten();
    let (overdue, silent, untold) = (situation.next_overdue(), situation.silence.next, next_untold(review, situation));
    // An exception that waits enters the views of its readers then.
    let waits = head.exceptions.iter().filter_map(|exception| exception.waits_until).min();
    let retried = head.unreachable.iter().filter_map(Unreachable::tried_again_at);
    let retried = retried.filter(|at| *at > situation.now).min();
    [
        Some(start),
        expiry,
        untold,
        unanswered,
        overdue,
        near,
        silent,
        elsewhere,
        head.paused_until,
        head.choice_until,
        undecided,
        reason,
        waits,
        retried,
    ]
    .into_iter()
    .flatten()
    .min()
}

/// What nobody was told of is made anew each time: when it leaves too little time to be decided, to the second.
fn next_untold(review: &Review, situation: &Situation<'_>) -> Option<Instant> {
    let Proposal { pending, version } = review.proposal()?;
    let start = version.packet.slot.start;
    let moves = version.packet.slot != review.authoritative.packet.slot && !pending.is_told();
    situation.proposable_until(start).filter(|_| moves)
}

/// While evidence is overdue: when the slot that counts, or the proposed one, is too near to do without, to the second.
fn next_near(review: &Review, situation: &Situation<'_>, start: Instant) -> Option<Instant> {
    let proposed = review.pending.as_ref().map(|version| version.packet.slot.start);
    let near = |start: Instant| Some(situation.last_while_overdue(start)?.plus_millis(SECOND));
    [Some(start), proposed].into_iter().flatten().filter_map(near).filter(|at| *at > situation.now).min()
}

/// The second at which the slot that keeps a reason open stops being a slot. A slot stops being one when it leaves too
/// little notice and time to decide; where the notice is the rule it breaks, when it starts; and when overdue evidence
/// allows it no longer. Another slot may be the nearest then, or the reason goes.
///
/// The authoritative slot needs no notice: it is none once it starts, and then the review is over.
fn next_reason(head: &Head, situation: &Situation<'_>, authoritative: Instant) -> Option<Instant> {
    let by_slots = |exception: &&Exception| {
        matches!(exception.kind, ExceptionKind::NoViableSlot | ExceptionKind::DeclinedOnly | ExceptionKind::Undecided)
    };
    let reasons = head.exceptions.iter().filter(by_slots).flat_map(|exception| &exception.reasons);
    let passed = |reason: &Reason| {
        let word = reason.word();
        let start = reason.slot().map(|slot| slot.start).filter(|start| *start != authoritative);
        let last =
            start.map(|start| if word == ReasonWord::ShortNotice { start } else { situation.last_proposable(start) });
        let overdue = start.filter(|_| word != ReasonWord::EvidenceOverdue);
        let near = overdue.and_then(|start| situation.last_proposable_while_overdue(start));
        [last, near].into_iter().flatten().map(|last| last.plus_millis(SECOND))
    };
    reasons.flat_map(passed).filter(|at| *at > situation.now).min()
}

/// Duties whose row has no answer.
pub fn outstanding(head: &Head) -> impl Iterator<Item = &Duty> {
    let answered =
        |duty: &Duty| head.answers.iter().any(|answer| answer.person == duty.person && answer.row == duty.row);
    head.duties.iter().filter(move |duty| !answered(duty))
}

/// How many answers are still waited for: none of a review that is over.
pub fn awaited(head: &Head, now: Instant) -> usize {
    if head.is_over(now) { 0 } else { outstanding(head).count() }
}

/// The next instant at which somebody is reminded.
pub fn next_reminder(review: &Review, policy: &Policy) -> Option<Instant> {
    let start = review.authoritative.packet.slot.start;
    // A reminder that is never mailed would be due for ever.
    let mailed = |person: &Person| !review.head.withholds(person);
    let duties = outstanding(&review.head)
        .filter(|duty| mailed(&duty.person))
        .filter_map(|duty| nth_reminder(duty.told_at, duty.reminded, policy).filter(|at| *at < duty.due_at.min(start)));
    let pending = review.head.pending.as_ref().filter(|pending| pending.adopter.as_ref().is_some_and(mailed));
    let proposal = pending.and_then(|pending| decision_reminder(pending, policy, start));
    duties.chain(proposal).min()
}

/// When the adopter is reminded next that a proposal waits: on the schedule, or before the proposal lapses.
pub fn decision_reminder(pending: &Pending, policy: &Policy, start: Instant) -> Option<Instant> {
    let asked = pending.asked.as_ref()?;
    let expires = pending.expires_at.min(start);
    let until = asked.at.plus_minutes(policy.acknowledge_within_minutes).min(expires);
    let last = last_reminder(pending, policy).filter(|at| *at < expires);
    let scheduled = (asked.reminded..).map_while(|nth| nth_reminder(asked.at, nth, policy));
    let scheduled = scheduled.take_while(|at| *at < until).find(|at| !is_beside_last(*at, asked, pending, policy));
    [scheduled, last].into_iter().flatten().min()
}

/// Whether the last reminder does for this one: it comes, or came, less than half of the schedule's time apart.
///
/// ```text
///  asked ── 1st ───────── 2nd ── last ──────── expires     the second is left out
/// ```
fn is_beside_last(at: Instant, asked: &Asked, pending: &Pending, policy: &Policy) -> bool {
    let last = last_reminder_of(pending, policy).filter(|last| leaves_time(*last, asked, pending));
    last.is_some_and(|last| 2 * at.since(last).abs() < policy.remind_every_minutes * MINUTE)
}

/// When the adopter is reminded once more before the proposal lapses. `None` once that reminder is out, where it would
/// come before half of the adopter's time has passed, and where the policy asks for none.
///
/// ```text
///  asked ───────── half ──── at ──────── expires     reminded
///                      asked ─ at ── half ─ expires  not reminded: the request is what they read last
/// ```
pub fn last_reminder(pending: &Pending, policy: &Policy) -> Option<Instant> {
    let asked = pending.asked.as_ref().filter(|asked| !asked.reminded_last)?;
    last_reminder_of(pending, policy).filter(|at| leaves_time(*at, asked, pending))
}

/// Whether half of the adopter's time has passed by a last reminder.
fn leaves_time(at: Instant, asked: &Asked, pending: &Pending) -> bool {
    at > asked.at && at.since(asked.at) >= pending.expires_at.since(at)
}

/// The instant of that reminder, whoever was asked when.
pub fn last_reminder_of(pending: &Pending, policy: &Policy) -> Option<Instant> {
    let before = policy.remind_before_expiry_minutes;
    (before > 0).then(|| pending.expires_at.plus_minutes(-before))
}

/// Reminder number `reminded + 1` after a telling.
pub fn nth_reminder(told_at: Instant, reminded: u32, policy: &Policy) -> Option<Instant> {
    let every = policy.remind_every_minutes;
    (every > 0).then(|| told_at.plus_minutes(every * (i64::from(reminded) + 1)))
}

/// How many reminders have fallen due: those that were missed are not made up for.
pub fn reminders_due(told_at: Instant, now: Instant, policy: &Policy) -> u32 {
    let every = policy.remind_every_minutes * MINUTE;
    if every <= 0 { 0 } else { (now.since(told_at).max(0) / every) as u32 }
}
