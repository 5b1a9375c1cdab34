//! Which mail a person is owed: exactly the difference of what they were told and what is so now.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Instant, Person,
    audience::{deadlines, reading::Reading},
    base::{digest::Digest, instant::DAY},
    facts::policy::Policy,
    record::{
        booking::CalendarObject,
        claim::{Claim, ObjectsInDoubt, Telling},
        delta::{self, Difference, DutyAction, DutyLine, Field},
        exception::Exception,
        last_notified::{Counted, LastNotified},
        notice::{CalendarPart, LinkTo, Method, Notice, NoticeKind, ReviewStanding, UnknownInvitation},
        packet::Version,
        proposal::Pending,
        review::{Head, PlaceElsewhere, Standing},
        view::{Attendance, ExceptionLine, Row, Seating, View},
    },
    telling::{
        about::{arises, is_about_proposal},
        calendar, carried, outlook,
        why::{self, why},
    },
};

/// What is known of the mail that was tried before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PriorMail {
    /// Each mail that went out is confirmed in what the person was told.
    Settled,
    /// A mail may have gone out that was never confirmed. The difference counts as owed whatever the views say, and each of
    /// these calendar objects is said once more, as it is now.
    InDoubt(ObjectsInDoubt),
    /// The same, and nothing has moved since that the mail was decided from: what is owed now is that very mail.
    Repeated(ObjectsInDoubt),
}

impl PriorMail {
    /// What is known of the mail of a claim that was never settled. `present`: the telling that the person is claimed for
    /// now.
    pub fn of_claim_left(left: &Claim, present: &Telling) -> Self {
        let objects = left.objects_in_doubt();
        let same = left.telling().is_some_and(|left| left.basis == present.basis);
        if same { Self::Repeated(objects) } else { Self::InDoubt(objects) }
    }

    /// What the person's calendar shows of these objects is not known.
    pub fn objects(&self) -> ObjectsInDoubt {
        match self {
            Self::Settled => ObjectsInDoubt::default(),
            Self::InDoubt(objects) | Self::Repeated(objects) => *objects,
        }
    }
}

/// What this person is owed now, if anything: exactly the difference of told and now. `before`: the version that they were
/// told, where it is known.
pub fn owed(
    reading: &Reading<'_>,
    told: &LastNotified,
    prior: PriorMail,
    before: Option<&Version>,
    now: Instant,
) -> Option<Notice> {
    let view = match debt(reading, told, prior, before, now)? {
        Debt::Reminder(notice) | Debt::HoldEnd(notice) => return Some(outlook::complete(reading, told, notice)),
        Debt::News(view) => view,
    };
    let duty = duty(reading, told, &view, now);
    let kind = kind(reading, told, &view);
    let mut changes = delta::delta(&told_before(reading, told, &view), &view, told.duty.as_ref(), duty.as_ref());
    let mut notice = letter(reading, told, &view, kind, now);
    if kind == NoticeKind::AdoptionRequest {
        let new: BTreeSet<Field> = changes.iter().map(|change| change.field.clone()).collect();
        changes = decision(reading, told, &view, changes);
        // Who is asked for the first time reads of the whole decision as news.
        if told.view.decides == view.decides {
            notice.repeated =
                changes.iter().map(|change| change.field.clone()).filter(|field| !new.contains(field)).collect();
        }
    }
    notice.calendar = calendar::part(reading, told, prior.objects());
    if let Some(part) = notice.calendar.as_ref().filter(|part| part.object == CalendarObject::Meeting) {
        notice.meeting_entry = (part.method == Method::Request).then_some(part.slot);
        // The new meeting takes the place of whatever invitation the reader had.
        if let Some(UnknownInvitation::Stands(slot)) = notice.unknown_invitation {
            notice.unknown_invitation = Some(UnknownInvitation::Remove(slot));
        }
    }
    notice.why = why(reading, told, before, &changes);
    notice.besides = why::besides(reading, told, before, (&changes, &changes), &notice.why);
    notice.changes = changes;
    notice.duty = duty;
    Some(outlook::complete(reading, told, notice))
}

/// What they were told, for the difference: after an adoption slot and role are compared with what counted before it, and
/// not with what was proposed then. Where they are told the next proposal already, what was proposed then counts by now.
fn told_before(reading: &Reading<'_>, told: &LastNotified, view: &View) -> View {
    let mut was = told.view.clone();
    // Who was released has no place: a place that they are given again is told whole.
    if was.attendance == Some(Attendance::Released) && view.attendance != was.attendance {
        was.attendance = None;
        was.roles.clear();
        was.slot = was.slot.filter(|_| was.freeze_edge.is_some());
    }
    let proposed_next = match view.standing {
        Some(standing) => standing == Seating::Tentative,
        None => view.proposed && view.slot != Some(reading.review.authoritative.packet.slot),
    };
    if told.adoptions == reading.review.head.adoptions || proposed_next {
        return was;
    }
    // An earlier release kept no more than the seat, and the slot of the meeting in their calendar.
    let tentative = was.standing == Some(Seating::Tentative);
    let counted = told.counted.clone().or_else(|| {
        let seat = told.seat.as_ref().filter(|_| !told.released);
        let invited = reading.review.head.unknown_invitation().map(|invitation| invitation.slot);
        let slot = seat.map(|seat| seat.slot).or(told.meeting).or(invited);
        tentative.then(|| Counted { slot, roles: seat.map(|seat| seat.roles.clone()).unwrap_or_default() })
    });
    if let Some(counted) = counted {
        (was.slot, was.roles) = (counted.slot, counted.roles);
    }
    was
}

/// A mail that asks for a decision describes the decision. First comes each consequential field in which the proposal
/// differs from the authoritative packet, whatever was told before. Then comes what else differs from the last telling.
fn decision(reading: &Reading<'_>, told: &LastNotified, view: &View, mut since: Vec<Difference>) -> Vec<Difference> {
    let before = outlook::as_it_counts(reading, &told.person, view);
    let mut changes = delta::delta(&before, view, None, None);
    since.retain(|known| changes.iter().all(|change| change.field != known.field));
    changes.extend(since);
    changes
}

/// Whether this person is owed anything now: what a first look asks of everybody, before anybody is claimed.
pub fn is_owed(reading: &Reading<'_>, told: &LastNotified, prior: PriorMail, now: Instant) -> bool {
    debt(reading, told, prior, None, now).is_some()
}

/// What somebody is owed, short of its wording.
enum Debt {
    Reminder(Notice),
    /// The end of their hold, where the mail that said why carried the meeting.
    HoldEnd(Notice),
    /// Their view as it is now.
    News(View),
}

fn debt(
    reading: &Reading<'_>,
    told: &LastNotified,
    prior: PriorMail,
    before: Option<&Version>,
    now: Instant,
) -> Option<Debt> {
    // A person who cannot be reached is owed the mail still, and is mailed nothing. Of a past review nobody is told
    // anything.
    if reading.review.head.withholds(&told.person) || reading.review.is_history() {
        return None;
    }
    let view = reading.view(&told.person, told.seat.as_ref());
    let owes = carried::owes(reading, &told.view, &view);
    let reminder = || {
        let asked = once_more(reading, told, &view, now).or_else(|| present_link(reading, told, &view, now));
        let again = asked.or_else(|| reminder(reading, told, &view, now))?;
        Some(with_carried(reading, told, &view, before, again))
    };
    let quiet = reading.review.head.quiet_until.is_some_and(|until| now < until) && prior == PriorMail::Settled;
    let in_doubt = matches!(prior, PriorMail::InDoubt(_));
    if !owes && !in_doubt {
        let hold = calendar::hold(reading, told).filter(|_| !quiet);
        if let Some(part) = hold {
            return Some(left_over(reading, told, view, part, now));
        }
    }
    // A reminder carries no object, so it cannot say a meeting once more that is in doubt.
    if !owes && prior.objects().meeting.is_none() {
        // A reminder in doubt is a reminder again: its time is still due, since it was never settled.
        let reminder = reminder();
        if reminder.is_some() || prior == PriorMail::Settled {
            return reminder.map(Debt::Reminder);
        }
    }
    // A round may be here for somebody else's reminder. News waits for the end of its quiet period. But whoever is to be
    // reminded now is told the news instead.
    if quiet && reminder().is_none() {
        return None;
    }
    Some(Debt::News(view))
}

/// The hold was left out of the mail that told why, since that mail carried the meeting. A hold that has ended is told in
/// one line; one that goes on, or begins, is a proposal's.
fn left_over(reading: &Reading<'_>, told: &LastNotified, view: View, part: CalendarPart, now: Instant) -> Debt {
    if part.method == Method::Request {
        return Debt::News(view);
    }
    let notice = letter(reading, told, &view, NoticeKind::HoldEnded, now);
    let version = reading.review.head.authoritative;
    Debt::HoldEnd(Notice { version, calendar: Some(part), link: None, exceptions: Vec::new(), ..notice })
}

/// A reminder, and a mail that was asked for, is a notice: what waited for the next one comes with it. Where it asks for a
/// decision it describes the decision.
fn with_carried(
    reading: &Reading<'_>,
    told: &LastNotified,
    view: &View,
    before: Option<&Version>,
    mut notice: Notice,
) -> Notice {
    let again = notice.kind == NoticeKind::Resent;
    let new = delta::delta(&told.view, view, None, None);
    // What is told once more has the causes that were told with it: a fact that came since is why of what is new alone.
    notice.why = if new.is_empty() { Vec::new() } else { why(reading, told, before, &new) };
    let since = notice.why.clone();
    notice.changes = match again {
        true => delta::up_to_now(&told.changes, new.clone(), view, notice.duty.as_ref()),
        false => new.clone(),
    };
    if again {
        let earlier = told.why.iter().filter(|was| notice.why.iter().all(|now| now.subject != was.subject));
        notice.why = earlier.chain(&notice.why).cloned().collect();
    }
    if notice.duty.as_ref().is_some_and(|duty| duty.action == DutyAction::Decide) {
        notice.changes = decision(reading, told, view, notice.changes);
    }
    let new = if again { &new } else { &notice.changes };
    notice.besides = why::besides(reading, told, before, (&notice.changes, new), &since);
    notice
}

/// What they were told, as it is now, since an operator asked for it. Any other mail to them does as well. An expiry that
/// nobody recorded yet comes first: no link is mailed that decides nothing.
fn once_more(reading: &Reading<'_>, told: &LastNotified, view: &View, now: Instant) -> Option<Notice> {
    let head = &reading.review.head;
    head.resends.get(&told.person).filter(|_| !head.is_over(now) && !expires(head, now))?;
    let mut notice = letter(reading, told, view, NoticeKind::Resent, now);
    notice.duty = open_duty(reading, told, view);
    notice.calendar = calendar::again(reading, told);
    Some(notice)
}

/// Whether the deadline of the proposal has come, and the next look ends it.
pub(crate) fn expires(head: &Head, now: Instant) -> bool {
    head.pending.as_ref().is_some_and(|pending| pending.expires_at <= now)
}

/// The link of what they must decide, since they asked for it. Any other mail to them carries that link as well.
fn present_link(reading: &Reading<'_>, told: &LastNotified, view: &View, now: Instant) -> Option<Notice> {
    let head = &reading.review.head;
    let pending = head.pending.as_ref().filter(|pending| pending.adopter.as_ref() == Some(&told.person))?;
    deadlines::link_asked(head).filter(|_| now < pending.expires_at.min(head.starts_at))?;
    let mut notice = letter(reading, told, view, NoticeKind::Link, now);
    notice.duty = Some(DutyLine { action: DutyAction::Decide, by: pending.expires_at });
    Some(notice)
}

fn reminder(reading: &Reading<'_>, told: &LastNotified, view: &View, now: Instant) -> Option<Notice> {
    let due = |at: Instant, reminded: u32, until: Instant| {
        deadlines::nth_reminder(at, reminded, reading.policy).is_some_and(|next| next <= now && next < until)
    };
    let is_due = |pending: &&Pending| {
        let next = deadlines::decision_reminder(pending, reading.policy, reading.review.head.starts_at);
        next.is_some_and(|next| next <= now) && now < pending.expires_at
    };
    let head = &reading.review.head;
    let start = head.starts_at;
    if head.standing != Standing::Open || now >= start {
        return None;
    }
    let pending = head.pending.as_ref().filter(|pending| pending.adopter.as_ref() == Some(&told.person));
    let decision = pending.filter(is_due);
    let answer = deadlines::outstanding(head)
        .find(|duty| duty.person == told.person && due(duty.told_at, duty.reminded, duty.due_at.min(start)));
    if decision.is_none() && answer.is_none() {
        return None;
    }
    let mut notice = letter(reading, told, view, NoticeKind::Reminder, now);
    notice.duty = match (decision, answer) {
        (Some(pending), _) => Some(DutyLine { action: DutyAction::Decide, by: pending.expires_at }),
        (None, answer) => answer.map(|duty| DutyLine { action: DutyAction::Answer, by: duty.due_at }),
    };
    // The reminder for an answer is about the authoritative row, even if a proposal would move it.
    if decision.is_none() {
        notice.link = reading.authoritative_row(&told.person).map(|row| acknowledge(&row));
        notice.version = head.authoritative;
    }
    Some(notice)
}

fn letter(reading: &Reading<'_>, told: &LastNotified, view: &View, kind: NoticeKind, now: Instant) -> Notice {
    let head = &reading.review.head;
    let about = head.pending.as_ref().filter(|_| is_about_proposal(reading, &told.person, view));
    Notice {
        to: told.person.clone(),
        kind,
        version: about.map_or(head.authoritative, |pending| pending.version),
        at: now,
        changes: Vec::new(),
        calendar: None,
        duty: None,
        link: link(reading, told, view),
        why: Vec::new(),
        standing: standing(head, reading.proposal_for(&told.person).is_some()),
        authoritative_slot: view.slot.map(|_| reading.review.authoritative.packet.slot),
        violated: view.violated.clone(),
        meeting_entry: told.meeting,
        unknown_invitation: calendar::unknown_invitation(reading, told),
        exceptions: if view.exceptions.is_empty() { Vec::new() } else { reading.exceptions(&told.person) },
        elsewhere: elsewhere(reading, &told.person),
        // A reminder, and a hold's end, is of what they were told; anything else is news, and comes from what changed their view.
        trace: told
            .trace
            .filter(|_| kind.repeats() || kind == NoticeKind::HoldEnded)
            .or_else(|| head.trace_of(&told.person)),
        besides: Vec::new(),
        ended: None,
        proposed: BTreeSet::new(),
        proposed_before: BTreeSet::new(),
        repeated: BTreeSet::new(),
        answer_due: None,
        replied: BTreeMap::new(),
        otherwise: BTreeSet::new(),
    }
}

/// The places of people whom the reader knows by their view. Another review is told to nobody else.
fn elsewhere(reading: &Reading<'_>, reader: &Person) -> Vec<PlaceElsewhere> {
    let all = &reading.review.head.today.elsewhere;
    if all.is_empty() {
        return Vec::new();
    }
    let known = reading.known_to(reader);
    let may_know = |place: &&PlaceElsewhere| reading.sees_all(reader) || known.contains(&place.person);
    all.iter().filter(may_know).cloned().collect()
}

/// `proposal`: one is pending and this person hears of it.
fn standing(head: &Head, proposal: bool) -> ReviewStanding {
    match (head.standing, proposal, !head.exceptions.iter().all(Exception::waits)) {
        (Standing::Started, ..) => ReviewStanding::Started,
        (Standing::Closed, ..) => ReviewStanding::Closed,
        (Standing::Cancelled, ..) => ReviewStanding::Cancelled,
        (Standing::Open, true, true) => ReviewStanding::ProposalAndException,
        (Standing::Open, true, false) => ReviewStanding::ProposalPending,
        (Standing::Open, false, true) => ReviewStanding::ExceptionOpen,
        (Standing::Open, false, false) => ReviewStanding::Settled,
    }
}

/// The first kind that fits.
// Of a guest an earlier release wrote `released` as well: who never had a seat was released from none.
fn kind(reading: &Reading<'_>, told: &LastNotified, view: &View) -> NoticeKind {
    let (was, head) = (&told.view, &reading.review.head);
    let lost = |line: &ExceptionLine| !view.exceptions.iter().any(|now| now.kind == line.kind);
    if view.decides.is_some() {
        NoticeKind::AdoptionRequest
    } else if view.exceptions.iter().any(|line| !was.exceptions.contains(line)) {
        NoticeKind::Escalation
    } else if is_about_proposal(reading, &told.person, view) {
        NoticeKind::TentativeChange
    } else if view.attendance == Some(Attendance::Released) && !(told.released && told.seat.is_some()) {
        NoticeKind::Released
    } else if told.proposal.is_some_and(|told_of| is_gone(head, told_of)) && told.adoptions == head.adoptions {
        NoticeKind::Withdrawn
    } else if was.exceptions.iter().any(lost) && view.hears_exceptions() && !delta::leaves(was, view) {
        NoticeKind::ExceptionClosed
    } else {
        NoticeKind::AuthoritativeUpdate
    }
}

/// A proposal that waits is not gone, though a former owner hears no more of it.
fn is_gone(head: &Head, proposal: Digest) -> bool {
    head.pending.as_ref().is_none_or(|pending| pending.id() != proposal)
}

/// Until when an answer to a row that is told now is due. An answer that comes after the start answers nothing.
pub(crate) fn answer_due(start: Instant, policy: &Policy, now: Instant) -> Instant {
    now.plus_minutes(policy.acknowledge_within_minutes).min(start)
}

fn duty(reading: &Reading<'_>, told: &LastNotified, view: &View, now: Instant) -> Option<DutyLine> {
    let row = reading.authoritative_row(&told.person);
    let open = reading.review.head.standing == Standing::Open;
    if view.decides.is_none() && open && arises(told, view, row.as_ref()) {
        let by = answer_due(reading.review.head.starts_at, reading.policy, now);
        return Some(DutyLine { action: DutyAction::Answer, by });
    }
    open_duty(reading, told, view)
}

/// The duty that they have, whatever a mail tells of it.
fn open_duty(reading: &Reading<'_>, told: &LastNotified, view: &View) -> Option<DutyLine> {
    let head = &reading.review.head;
    if let Some(pending) = head.pending.as_ref().filter(|_| view.decides.is_some()) {
        return Some(DutyLine { action: DutyAction::Decide, by: pending.expires_at });
    }
    // Whoever may be released is expected until then, and owes the answer until then.
    let owes = deadlines::outstanding(head).find(|duty| duty.person == told.person)?;
    Some(DutyLine { action: DutyAction::Answer, by: owes.due_at })
}

/// Until when a link is read at all, counted from the end of its proposal or row. The page of an old link still says
/// what became of that.
pub fn readable_until(end: Instant) -> Instant {
    end.plus_millis(7 * DAY)
}

/// Until when the link to a proposal is read.
pub fn proposal_readable_until(head: &Head, pending: &Pending) -> Instant {
    readable_until(pending.expires_at.max(head.starts_at))
}

/// Until when the link to a row is read.
pub fn row_readable_until(row: &Row) -> Instant {
    readable_until(row.slot.end)
}

fn link(reading: &Reading<'_>, told: &LastNotified, view: &View) -> Option<LinkTo> {
    let (head, person) = (&reading.review.head, &told.person);
    if let Some(pending) = head.pending.as_ref().filter(|_| view.decides.is_some()) {
        return Some(LinkTo::Adopt { proposal: pending.id(), expires_at: proposal_readable_until(head, pending) });
    }
    if head.standing != Standing::Open {
        return None;
    }
    // An answer that is owed comes first, since a mail has one link. It is owed to the row that counts, whatever is proposed: a
    // link to the proposal's row would leave it owed.
    let outstanding = deadlines::outstanding(head).any(|duty| duty.person == *person);
    let seat = reading.authoritative_row(person);
    let owes = outstanding || arises(told, view, seat.as_ref());
    if let Some(proposal) = view.asks_again.filter(|_| !owes) {
        let ended = head.past.iter().find(|past| past.id == proposal).map_or(head.starts_at, |past| past.at);
        return Some(LinkTo::Adopt { proposal, expires_at: readable_until(ended.max(head.starts_at)) });
    }
    let row = if outstanding { seat } else { reading.row(person) };
    row.filter(|row| head.adoptions > 0 || row.standing == Seating::Tentative).map(|row| acknowledge(&row))
}

/// The row that the person may answer now, whatever row their link is about. It is their tentative row while a proposal
/// would move them, else the authoritative row. `None` for those without a seat, and once the review is over.
pub fn answerable(reading: &Reading<'_>, person: &Person, now: Instant) -> Option<Row> {
    reading.row(person).filter(|_| !reading.review.head.is_over(now))
}

fn acknowledge(row: &Row) -> LinkTo {
    LinkTo::Acknowledge { row: row.digest(), expires_at: row_readable_until(row) }
}
