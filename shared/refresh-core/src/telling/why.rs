//! Why a notice says what it says: of the facts that are new since the last telling, those that bear on what the notice
//! tells. A reader takes "why: your calendar" for the cause. So a fact that is merely new is not named.
//!
//! ```text
//!  what the notice tells       bears on it
//!  another slot                what spoke against the slot before (the version's report), and what the authoritative packet breaks
//!  another person in a role    the time of both, the mapping of the role
//!  a checkpoint, the window..  that fact
//!  a mark that came or went    what the rule of the mark is about
//!  an exception                what its rules are about, and what the authoritative packet breaks
//!  a way back                  the rules that it breaks no more
//!  what somebody decided       no fact: the decision is why, and so is a deadline that passed
//! ```
//! Where nothing names the cause, it is every fact that the reader may know of.

use crate::{
    audience::reading::Reading,
    facts::subject::Subject,
    record::{
        delta::{Difference, Field, Value},
        last_notified::LastNotified,
        mark::{Mark, Remark, Violation},
        packet::{Standpoint, Version},
        review::Standing,
        view::Attendance,
    },
    telling::{
        bears::{Bears, marks_that_differ, of_against},
        causes,
    },
};

/// The facts that these changes follow from: as far as they are new since the version that was told, `before`. Of another
/// person's facts a mail says no more than that they are.
pub(super) fn why(
    reading: &Reading<'_>,
    told: &LastNotified,
    before: Option<&Version>,
    changes: &[Difference],
) -> Vec<Standpoint> {
    let shown = shown(reading, told);
    let stood_on = before.map_or(&[][..], |version| &version.stands_on);
    let bearing = Bearing::of(reading, told, before, shown, changes);
    let news = &reading.review.head.today.news;
    let replaced = |standpoint: &&Standpoint| news.iter().any(|newer| newer.subject == standpoint.subject);
    let now = || shown.stands_on.iter().filter(|standpoint| !replaced(standpoint)).chain(news);
    let is_new = |standpoint: &&Standpoint| !stood_on.contains(standpoint) && !told.news.contains(standpoint);
    let new = now().filter(is_new).filter(|standpoint| bearing.holds(reading, told, standpoint));
    let new: Vec<Standpoint> = new.cloned().collect();
    if new.is_empty() && bearing.moves && told.proposal.is_none() {
        // Time alone broke a rule: nothing is new of the fact that the rule is about.
        return now().filter(|standpoint| bearing.by_time(standpoint)).cloned().collect();
    }
    new
}

/// Those of the facts in `all` that are why of what is told besides: of times, window, cutover and marks. A mail that tells
/// something weightier names none of them as the reason of that. `changes`: what the mail tells, and what of that is new.
pub(super) fn besides(
    reading: &Reading<'_>,
    told: &LastNotified,
    before: Option<&Version>,
    (changes, new): (&[Difference], &[Difference]),
    all: &[Standpoint],
) -> Vec<Standpoint> {
    let is_lesser =
        |field: &Field| matches!(field, Field::Checkpoint(_) | Field::Window | Field::Cutover | Field::Violated);
    if changes.iter().all(|change| is_lesser(&change.field)) || all.is_empty() {
        return Vec::new();
    }
    let weightier: Vec<Difference> = new.iter().filter(|change| !is_lesser(&change.field)).cloned().collect();
    let own = why(reading, told, before, &weightier);
    all.iter().filter(|standpoint| !own.contains(standpoint)).cloned().collect()
}

/// The version whose packet the person is shown.
fn shown<'a>(reading: &Reading<'a>, told: &LastNotified) -> &'a Version {
    let review = reading.review;
    reading.proposal_for(&told.person).and(review.pending.as_ref()).unwrap_or(&review.authoritative)
}

/// The facts that bear on what a notice tells.
struct Bearing {
    /// Every fact that the reader may know of, since nothing says which.
    everything: bool,
    /// Whether a slot or a seat is another.
    moves: bool,
    of: Vec<Bears>,
    /// What the rules are about that the authoritative packet breaks, where that is why somebody moves.
    of_rules: Vec<Bears>,
    /// Whether the change record says nothing that bears on a slot and was not so in the version that was told.
    same_change: bool,
    /// The same of window and cutover alone.
    same_schedule: bool,
}

impl Bearing {
    fn of(
        reading: &Reading<'_>,
        told: &LastNotified,
        before: Option<&Version>,
        shown: &Version,
        changes: &[Difference],
    ) -> Self {
        let today = &reading.review.head.today;
        let schedule = |version: &Version| (version.packet.window, version.packet.cutover);
        let same_schedule = before.is_some_and(|version| schedule(version) == (today.window, today.cutover));
        let same_owner = before.is_some_and(|version| version.owner == today.owner);
        let state = |marks: &[Mark]| {
            [Violation::Cancelled.into(), Remark::ChangeInFlux.into()].map(|mark: Mark| marks.contains(&mark))
        };
        let same_state = before.is_some_and(|version| state(&version.violated) == state(&today.violated));
        let mut bearing = Self {
            everything: false,
            moves: false,
            of: Vec::new(),
            of_rules: Vec::new(),
            same_change: same_schedule && same_owner && same_state,
            same_schedule,
        };
        // Every whole view has a freeze edge, and a role is never without anybody.
        let is_untold = |change: &&Difference| change.was.is_none();
        let gains =
            changes.iter().filter(is_untold).any(|change| matches!(change.field, Field::FreezeEdge | Field::Roster(_)));
        let leaves = changes.iter().any(|change| change.field == Field::FreezeEdge && change.now.is_none());
        if gains || leaves {
            bearing.of.extend(causes::of_sight(reading, told, before, gains));
        }
        // What comes into sight was so before: of that, no fact is news.
        let own = |change: &&Difference| {
            matches!(change.field, Field::Role | Field::Standing | Field::Attendance) || change.was.is_some()
        };
        for change in changes.iter().filter(|change| !gains || own(change)) {
            match &change.field {
                Field::FreezeEdge if change.now.is_none() => {}
                Field::Slot | Field::Role | Field::Roster(_) | Field::Standing | Field::Attendance => {
                    bearing.moves = true;
                }
                Field::Checkpoint(key) => bearing.of.extend([Bears::Evidence(Some(key.clone())), Bears::Terms]),
                Field::Window | Field::Cutover => bearing.of.push(Bears::Change),
                Field::FreezeEdge => bearing.of.push(Bears::Freeze),
                Field::Violated => bearing.of.extend(marks_that_differ(reading, change)),
                Field::Operator => bearing.of.push(Bears::Decision),
                Field::Exception => bearing.of_exceptions(reading, told, before, change),
                Field::Duty => bearing.of.extend(causes::of_duty(reading, told, change)),
                Field::Conflict(_) | Field::ConflictProposed(_) => {}
            }
        }
        if bearing.moves {
            bearing.of_move(reading, told, before, shown, changes);
        }
        bearing
    }

    fn of_exceptions(
        &mut self,
        reading: &Reading<'_>,
        told: &LastNotified,
        before: Option<&Version>,
        change: &Difference,
    ) {
        match causes::of_exceptions(reading, told, before, change) {
            Some(bears) => self.of.extend(bears),
            None => self.everything = true,
        }
    }

    fn of_move(
        &mut self,
        reading: &Reading<'_>,
        told: &LastNotified,
        before: Option<&Version>,
        shown: &Version,
        changes: &[Difference],
    ) {
        let head = &reading.review.head;
        let proposed = reading.proposal_for(&told.person).is_some();
        let adopted = told.adoptions != head.adoptions;
        // The person was told of the proposal that was adopted: the decision is why.
        if adopted && !proposed && told.proposal.is_some() {
            return;
        }
        if !proposed && !adopted {
            match causes::of_return(reading, told, before) {
                Some(bears) => self.of.extend(bears),
                None => self.everything = true,
            }
            return;
        }
        if proposed {
            self.of_rules.extend(causes::of_broken(reading));
        }
        self.of_seats(reading, told, shown);
        let cancels = |change: &Difference| matches!(&change.now, Some(Value::Attendance(Attendance::Cancellation)));
        let cancelled = head.standing == Standing::Cancelled || changes.iter().any(cancels);
        if cancelled {
            self.of.push(Bears::Change);
        }
        let left = changes.iter().find_map(|change| match (&change.field, &change.was) {
            (Field::Slot, Some(Value::Interval(slot))) => Some(slot.start),
            _ => None,
        });
        let Some(left) = left else {
            // Somebody was adopted into or out of a seat, and never read of the proposal.
            self.everything |= !proposed && !cancelled;
            return;
        };
        let runs = shown.report.runs();
        match runs.iter().find(|run| run.first <= left && left <= run.last).map(|run| &run.against) {
            Some(against) if !against.is_empty() => {
                self.of.extend(against.iter().flat_map(|against| of_against(reading, left, against)));
            }
            // Of the meeting's own slot the broken rules say enough.
            _ if told.proposal.is_none() && !self.of_rules.is_empty() => {}
            // Nothing speaks against the slot before: another one became better.
            _ => self.everything = true,
        }
    }

    /// Of each role that somebody else fills, as far as the reader knows of both.
    fn of_seats(&mut self, reading: &Reading<'_>, told: &LastNotified, shown: &Version) {
        let proposed = reading.proposal_for(&told.person).is_some();
        let before = if proposed { &reading.review.authoritative.packet.attendees } else { &told.view.roster };
        for (role, filled_by) in &shown.packet.attendees {
            let Some(was) = before.get(role).filter(|was| *was != filled_by) else { continue };
            if reading.sees_all(&told.person) || [was, filled_by].contains(&&told.person) {
                self.of.extend([Bears::Cover(role.clone()), Bears::Time(was.clone())]);
            }
            if reading.sees_all(&told.person) {
                self.of.push(Bears::Time(filled_by.clone()));
            }
        }
    }

    fn holds(&self, reading: &Reading<'_>, told: &LastNotified, standpoint: &Standpoint) -> bool {
        let named = |bears: &Bears| bears.holds(standpoint) && !(self.same_schedule && *bears == Bears::Schedule);
        if self.of.iter().chain(&self.of_rules).any(named) {
            return true;
        }
        let harmless = self.same_change && matches!(standpoint.subject, Subject::Change(_));
        self.everything && !harmless && may_know(reading, told, &standpoint.subject)
    }

    /// Whether time alone can break the rule that the fact is about.
    fn by_time(&self, standpoint: &Standpoint) -> bool {
        let ages =
            |bears: &&Bears| matches!(bears, Bears::Evidence(_) | Bears::Cover(_) | Bears::Change | Bears::Schedule);
        self.of_rules.iter().filter(ages).any(|bears| bears.holds(standpoint))
    }
}

/// Where nothing says which facts a change follows from, others' calendars and mappings would be noise to a participant.
fn may_know(reading: &Reading<'_>, told: &LastNotified, subject: &Subject) -> bool {
    let review = reading.review;
    let fills = |role| {
        let filled_by = |version: &Version| version.packet.attendees.get(role) == Some(&told.person);
        review.pending.iter().chain([&review.authoritative]).any(filled_by)
    };
    match subject {
        Subject::Availability(person, ..) | Subject::Calendars(person) => {
            *person == told.person || reading.sees_all(&told.person)
        }
        Subject::Delegation(_, role) => reading.sees_all(&told.person) || fills(role),
        _ => true,
    }
}
