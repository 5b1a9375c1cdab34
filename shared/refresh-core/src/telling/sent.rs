//! Mails are out: what of them is remembered, and when the quiet period is over.

use std::collections::BTreeSet;

use crate::{
    Instant, Person,
    audience::{deadlines, reading::Reading},
    base::digest::Digest,
    facts::policy::Policy,
    record::{
        answer::Duty,
        booking,
        booking::CalendarObject,
        commit::{self, Commit, ConfirmedMail},
        delta::DutyAction,
        last_notified::{Counted, HoldSent, LastNotified},
        lineage::Happening,
        notice::{CalendarPart, Method, Notice, NoticeKind},
        packet::Standpoint,
        proposal::Asked,
        review::{Head, Review, Standing},
        seats,
        seats_since::SeatsSince,
        view::{Attendance, Row, Seating, View},
    },
    telling::{
        about::{arises, is_about_proposal},
        owed::{self, PriorMail},
        reach,
    },
};

/// What is to be written once mails are out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confirmed {
    /// All of it.
    pub commit: Commit,
    /// Who of those mailed is owed another mail at once: a mail carries one calendar object.
    pub owed_again: BTreeSet<Person>,
}

/// What must be written once mails are out that were sent together, under one trace. `reading` is of HEAD read anew. `ends`:
/// the round looked at everybody as this HEAD stands, and mails nobody else. Then the quiet period ends with the mails,
/// unless one of their readers is owed another.
pub fn confirm_sent(reading: &Reading<'_>, mails: &[Sent<'_>], ends: bool, now: Instant) -> Confirmed {
    let before = reading.review;
    let mut after = before.clone();
    let head = &mut after.head;
    head.at = head.at.max(now);
    let now = head.at;
    let mut happenings: Vec<Happening> = mails.iter().map(|sent| remember(head, reading, sent, now)).collect();
    let told: Vec<ConfirmedMail> = mails.iter().map(ConfirmedMail::of).collect();
    let seats = seats::changes_by_mail(before, &after);
    after.head.seats_moved.extend(seats.moved.iter().cloned());
    after.head.entries_due.clone_from(&seats.due);
    let then = Reading { review: &after, ..*reading };
    let again = |mail: &&ConfirmedMail| owed::is_owed(&then, &mail.told, PriorMail::Settled, now);
    let owed_again: BTreeSet<Person> = told.iter().filter(again).map(|mail| mail.told.person.clone()).collect();
    if ends && owed_again.is_empty() {
        happenings.extend(end_quiet(&mut after.head, now));
    }
    after.head.notices_at = deadlines::notices_at(&after, reading.policy);
    let Review { mut head, .. } = after;
    refresh_check(&mut head, before);
    for sent in mails {
        if reach::accepted(&mut head, &sent.notice.to) && head.standing == Standing::Open {
            // Whether an exception closes with it is the next refresh's business, and that shall not wait.
            head.check_at = Some(now);
        }
    }
    let mut commit = commit::commit(head, happenings, mails.first().and_then(|sent| sent.notice.trace));
    commit.seats = seats.entries;
    commit.told = told;
    Confirmed { commit, owed_again }
}

/// What HEAD remembers of one mail, and what lineage says of the mail.
fn remember(head: &mut Head, reading: &Reading<'_>, sent: &Sent<'_>, now: Instant) -> Happening {
    let notice = sent.notice;
    let person = &notice.to;
    let hold_ended = notice.kind == NoticeKind::HoldEnded;
    // The end of a hold is told beside what changed, and says nothing of it.
    if !hold_ended {
        head.affected.remove(person);
        head.earlier.remove(person);
    }
    head.mails_sent += 1;
    let told_pending = sent.pending == head.pending.as_ref().map(|pending| pending.id());
    if let Some(pending) = head.pending.as_mut().filter(|_| told_pending) {
        if sent.about_proposal && pending.told_at.is_none() {
            pending.told_at = Some(now);
            head.tellings.push(now);
        }
        if notice.duty.as_ref().is_some_and(|duty| duty.action == DutyAction::Decide) {
            let last = deadlines::last_reminder_of(pending, reading.policy);
            let asked = pending.asked.get_or_insert(Asked { at: now, reminded: 0, reminded_last: false });
            asked.reminded = deadlines::reminders_due(asked.at, now, reading.policy);
            // Whoever hears of the duty within the last while is not told of it once more.
            asked.reminded_last |= last.is_some_and(|last| last <= now);
            if let Some(link) = &mut pending.link {
                link.sent = true;
            }
        }
    }
    for part in notice.calendar.iter().filter(|part| part.object == CalendarObject::Hold) {
        let slot = (part.method == Method::Request).then_some(part.slot);
        if part.sequence == head.hold.sequence {
            head.hold.told = true;
            let on_it = head.hold.entry.as_ref().filter(|entry| entry.people.contains(person));
            // A decision came while the mail was under way. What it made of the hold has the SEQUENCE that the mail had.
            if slot.is_some() && on_it.map(|entry| entry.slot) != slot {
                head.hold.rise();
                head.hold.seats_since = SeatsSince::default();
            }
        }
        booking::send_hold(&mut head.bookings, person, slot, now);
    }
    remember_duty(head, reading, sent, now);
    // What was asked for after this mail was made is still to come.
    if !hold_ended && head.resends.get(person) == sent.resend.as_ref() {
        head.resends.remove(person);
    }
    Happening::Notice {
        to: person.clone(),
        kind: notice.kind,
        version: notice.version,
        changes: notice.changes.clone(),
        calendar: notice.calendar.iter().cloned().collect(),
        message_id: sent.message_id.to_owned(),
    }
}

impl ConfirmedMail {
    fn of(sent: &Sent<'_>) -> Self {
        let hold_ended = sent.notice.kind == NoticeKind::HoldEnded;
        let told = if hold_ended { taken_back(sent) } else { settled(sent) };
        Self { told, claimed_by: sent.claimed_by.to_owned() }
    }
}

/// What somebody counts as told once this mail is out.
fn settled(sent: &Sent<'_>) -> LastNotified {
    let (notice, told) = (sent.notice, sent.told);
    let repeats = notice.kind.repeats();
    // A reminder says why only of what it carries besides. Its page goes on to show what is to be answered or decided.
    let says_why = !repeats || !notice.why.is_empty();
    // What an operator asked for says all that the mail before it said.
    let kept = repeats && notice.kind != NoticeKind::Resent || notice.changes.is_empty();
    let part = |object| notice.calendar.as_ref().filter(|part| part.object == object);
    let requested = |part: &&CalendarPart| part.method == Method::Request;
    let (meeting, hold) = (part(CalendarObject::Meeting), part(CalendarObject::Hold));
    let (meeting, invited_as) = match meeting {
        Some(_) => meeting.filter(requested).map(|part| (part.slot, part.participation)).unzip(),
        None => (told.meeting, told.invited_as),
    };
    LastNotified {
        person: notice.to.clone(),
        view: sent.view.clone(),
        seat: sent.seat.clone().or_else(|| told.seat.clone()),
        counted: sent.counted.clone(),
        released: sent.seat.is_none() && (told.released || has_left(told, &sent.view)),
        duty: if repeats { told.duty.clone() } else { notice.duty.clone() },
        version: if says_why { notice.version } else { told.version },
        changes: if kept { told.changes.clone() } else { notice.changes.clone() },
        why: if kept { told.why.clone() } else { notice.why.clone() },
        proposal: sent.pending.filter(|_| sent.about_proposal),
        news: if says_why { sent.news.clone() } else { told.news.clone() },
        adoptions: sent.adoptions,
        meeting,
        invited_as,
        hold: match hold {
            Some(_) => hold.filter(requested).map(|part| HoldSent { slot: part.slot, sequence: part.sequence }),
            None => told.hold,
        },
        at: notice.at,
        message_id: Some(sent.message_id.to_owned()),
        trace: notice.trace,
    }
}

/// Told of the end of their hold alone: what else they were told stands.
fn taken_back(sent: &Sent<'_>) -> LastNotified {
    let message_id = Some(sent.message_id.to_owned());
    LastNotified { hold: None, at: sent.notice.at, message_id, ..sent.told.clone() }
}

/// Told that they fill no role any more: released, or left as an optional attendee. A guest never filled any.
fn has_left(told: &LastNotified, view: &View) -> bool {
    let no_role = view.standing == Some(Seating::Authoritative) && view.roles.is_empty();
    view.attendance == Some(Attendance::Released) || told.seat.is_some() && no_role
}

fn remember_duty(head: &mut Head, reading: &Reading<'_>, sent: &Sent<'_>, now: Instant) {
    let policy = reading.policy;
    let person = &sent.notice.to;
    // Any notice that says what they still owe is a reminder of it: no second mail at the same moment.
    if sent.notice.duty.as_ref().is_some_and(|duty| duty.action == DutyAction::Answer) {
        for duty in head.duties.iter_mut().filter(|duty| duty.person == *person) {
            duty.reminded = deadlines::reminders_due(duty.told_at, now, policy);
        }
    }
    let row = sent.seat.as_ref();
    let news = !sent.notice.kind.repeats() && sent.notice.kind != NoticeKind::HoldEnded;
    if !news || head.standing != Standing::Open || !arises(sent.told, &sent.view, row) {
        return;
    }
    // The row that was told must still be theirs: a later adoption brings its own notice and its own duty.
    let (Some(row), Some(current)) = (row, reading.authoritative_row(person)) else { return };
    if *row != current {
        return;
    }
    head.duties.retain(|duty| duty.person != *person);
    head.duties.push(Duty {
        person: person.clone(),
        row: row.digest(),
        told_at: now,
        due_at: owed::answer_due(head.starts_at, policy, now),
        reminded: 0,
        replied: None,
    });
    head.duties.sort_by(|a, b| a.person.cmp(&b.person));
}

/// A new duty falls due by time alone.
fn refresh_check(head: &mut Head, review: &Review) {
    let start = review.authoritative.packet.slot.start;
    let due = deadlines::outstanding(head).map(|duty| duty.due_at).filter(|due| *due < start && *due > head.at).min();
    if let (Some(check), Some(due)) = (head.check_at, due) {
        head.check_at = Some(check.min(due));
    }
}

/// A mail that the mailer accepted, and what it was made from.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    /// The mail.
    pub notice: &'a Notice,
    /// What its reader counted as told when it was made.
    pub told: &'a LastNotified,
    /// The view it told.
    pub view: View,
    /// The authoritative seat at that moment.
    pub seat: Option<Row>,
    /// What counted then for the reader, where the view tells something else.
    pub counted: Option<Counted>,
    /// The proposal that was pending then.
    pub pending: Option<Digest>,
    /// Whether the mail told of the proposal.
    pub about_proposal: bool,
    /// How often the owner had adopted then.
    pub adoptions: u32,
    /// The facts newer than the authoritative version's, then.
    pub news: Vec<Standpoint>,
    /// When an operator had asked, then, that the reader is mailed once more.
    pub resend: Option<Instant>,
    /// The mailer's id of the message.
    pub message_id: &'a str,
    /// The claim that the mail was sent under.
    pub claimed_by: &'a str,
}

impl<'a> Sent<'a> {
    /// What a mail that the mailer accepted was made from.
    pub fn of(
        reading: &Reading<'_>,
        told: &'a LastNotified,
        notice: &'a Notice,
        message_id: &'a str,
        claimed_by: &'a str,
    ) -> Self {
        let view = reading.view(&notice.to, told.seat.as_ref());
        Self {
            about_proposal: is_about_proposal(reading, &notice.to, &view),
            counted: counted(reading, &notice.to, &view),
            view,
            seat: reading.authoritative_row(&notice.to),
            pending: reading.review.head.pending.as_ref().map(crate::record::proposal::Pending::id),
            adoptions: reading.review.head.adoptions,
            news: reading.review.head.today.news.clone(),
            resend: reading.review.head.resends.get(&notice.to).copied(),
            notice,
            told,
            message_id,
            claimed_by,
        }
    }
}

/// Slot and roles that count for this person, where their view is of a proposal.
fn counted(reading: &Reading<'_>, person: &Person, view: &View) -> Option<Counted> {
    if reading.review.head.standing != Standing::Open {
        return None;
    }
    let row = reading.authoritative_row(person);
    let guest = reading.terms.optional.contains(person) || reading.sees_all(person);
    let slot = (row.is_some() || guest).then_some(reading.review.authoritative.packet.slot);
    let counted = Counted { slot, roles: row.map(|row| row.roles).unwrap_or_default() };
    (counted.slot != view.slot || counted.roles != view.roles).then_some(counted)
}

/// What a round did, beside the mails that it settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RoundDone {
    /// The reviews that share the people whose seats changed were asked to look, as HEAD names these people.
    pub asked: bool,
    /// Everybody was looked at as HEAD stands, and nobody is owed anything more.
    pub told: bool,
}

/// What the end of a round writes: nobody waits to be asked to look, and the quiet period, if over, has ended. `None`
/// where there is nothing to write.
pub fn end_round(review: &Review, policy: &Policy, done: RoundDone, now: Instant) -> Option<Commit> {
    let mut after = review.clone();
    if done.asked {
        after.head.seats_moved.clear();
    }
    let skipped = if done.told { end_quiet(&mut after.head, now) } else { None };
    after.head.notices_at = deadlines::notices_at(&after, policy);
    if after.head == review.head {
        return None;
    }
    let Review { mut head, .. } = after;
    head.at = head.at.max(now);
    let trace = head.trace;
    Some(commit::commit(head, skipped.into_iter().collect(), trace))
}

/// The quiet period is over and nobody is owed anything more: whose view came back is `skipped`. Nothing changes before the
/// period is over.
fn end_quiet(head: &mut Head, now: Instant) -> Option<Happening> {
    if head.quiet_until.is_some_and(|until| now < until) {
        return None;
    }
    // The round looked at everybody. Who is still to be mailed once more is told nothing of the review by now, or is
    // withheld; before an end that nobody recorded yet, that is not known.
    if !head.is_over(now) && !owed::expires(head, now) {
        head.resends.clear();
    }
    let affected = std::mem::take(&mut head.affected);
    // A person whom no mail reaches stays owed the same news, under the same trace.
    let people: Vec<Person> = affected.into_iter().filter(|person| !head.withholds(person)).collect();
    for person in &people {
        head.earlier.remove(person);
        if reach::owed_nothing(head, person) && head.standing == Standing::Open {
            // Whether the exception closes with it is the next refresh's business, and that shall not wait.
            head.check_at = Some(now.max(head.at));
        }
    }
    head.quiet_until = None;
    (!people.is_empty()).then_some(Happening::Skipped { people })
}

/// Whether another decision than the settling of mails came between two looks at HEAD. Then views may have changed, or
/// another quiet period may have begun. A round that looked at `before` has not looked at all that is owed.
pub fn decided_since(before: &Head, now: &Head) -> bool {
    let proposal = |head: &Head| head.pending.as_ref().map(|pending| (pending.version, pending.adopter.clone()));
    before.quiet_until != now.quiet_until
        || before.latest != now.latest
        || before.authoritative != now.authoritative
        || before.standing != now.standing
        || before.today != now.today
        || before.exceptions != now.exceptions
        || before.unreachable != now.unreachable
        || before.answers != now.answers
        || now.resends.iter().any(|(person, at)| before.resends.get(person) != Some(at))
        || proposal(before) != proposal(now)
}

/// The mailer asked for time: what is owed stays owed, a little later.
pub fn postpone(review: &Review, until: Instant, now: Instant) -> Commit {
    let mut head = review.head.clone();
    head.at = head.at.max(now);
    // Other reviews do not wait for the mailer.
    head.notices_at = Some(if head.seats_moved.is_empty() { until } else { head.at });
    commit::commit(head, Vec::new(), None)
}
