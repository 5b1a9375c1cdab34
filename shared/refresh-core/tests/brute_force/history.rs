//! Plays one script through the core, and beside it through the judge, and compares after every step.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{
    EventId, Source,
    decide::{
        adopt::{self, DecisionAttempt, Wish},
        refresh,
    },
    facts::{authority::Disposition, event::Identity, policy::Deployment, subject::Subject},
    record::{
        booking,
        booking::CalendarObject,
        commit::Commit,
        lineage::{AnswerResult, Trigger},
        review::Review,
    },
};

use crate::{
    case::{self, Booking, Case, Object, Pending, Time},
    compare::{self, same},
    judge, ledger,
    script::{Act, Script, Step},
    translate::{self, Names},
};

/// How often each outcome was seen: a comparison that never meets a rule says nothing about it.
pub type Tally = BTreeMap<String, usize>;

struct History<'a> {
    script: &'a Script,
    names: Names,
    deployment: Deployment,
    /// The judge's side.
    case: Case,
    /// The core's side.
    facts: refresh_core::facts::fact::Facts,
    review: Review,
    revision: u64,
}

pub fn play(script: &Script, tally: &mut Tally) -> Result<(), String> {
    let mut history = History::begin(script, tally)?;
    for (index, step) in script.steps.iter().enumerate() {
        let number = index + 1;
        let goes_on =
            history.step(step, tally).map_err(|error| format!("step {number}: {error}\n{:#?}", history.case))?;
        if !goes_on {
            break;
        }
    }
    Ok(())
}

/// The core's review after a commit, as a store would hand it back.
fn after(before: Option<&Review>, commit: &Commit) -> Review {
    let find = |number: u32| {
        let known = before.iter().flat_map(|before| {
            [Some(&before.issued), Some(&before.authoritative), before.pending.as_ref()].into_iter().flatten()
        });
        let version = commit.versions.iter().chain(known).find(|version| version.number == number);
        version.expect("HEAD names a version that was written").clone()
    };
    Review {
        issued: find(commit.head.issued),
        authoritative: find(commit.head.authoritative),
        pending: commit.head.pending.as_ref().map(|pending| find(pending.version)),
        head: commit.head.clone(),
    }
}

impl<'a> History<'a> {
    fn begin(script: &'a Script, tally: &mut Tally) -> Result<Self, String> {
        let now = script.issued_at.min(script.slot.from - 1);
        let names = Names { midnight: script.midnight };
        let deployment = translate::deployment(&script.rules);
        let facts = translate::facts(names, script, &script.facts, now, 1);
        let commit =
            refresh::issue(&translate::review(), "example.com", &facts, &deployment, Vec::new(), names.at(now))
                .ok_or("issuing wrote nothing")?;
        let review = after(None, &commit);
        let mut history = Self { script, names, deployment, case: issued(script, now), facts, review, revision: 1 };
        let expected = ledger::follow(&mut history.case);
        ledger::rebook(&mut history.case, script.optional);
        // The issue is recorded in its own word; what follows at once, only where it changed something.
        history
            .compare(&commit, &expected, false, tally)
            .map_err(|error| format!("issue: {error}\n{:#?}", history.case))?;
        Ok(history)
    }

    /// One step. False where coordination has ended.
    fn step(&mut self, step: &Step, tally: &mut Tally) -> Result<bool, String> {
        let now = self.case.now + step.after.max(0);
        if now >= self.case.review.slot.from {
            return Ok(false);
        }
        self.learn(step, now);
        if step.tell {
            self.tell();
        }
        let pending = self.case.review.pending.clone().filter(|pending| !ledger::is_expired(&self.case, pending));
        let adopter = pending.as_ref().and_then(|pending| ledger::adopter(&self.case, &pending.proposal));
        match (step.act, pending, adopter) {
            (Act::Adopt, Some(pending), Some(by)) => self.adopt(pending, by, tally),
            (Act::DeclineOtherSlot, Some(pending), Some(by)) => self.decline(pending, by, false, tally).map(|()| true),
            (Act::DeclineStand, Some(pending), Some(by)) => self.decline(pending, by, true, tally).map(|()| true),
            _ => self.refresh(tally).map(|()| true),
        }
    }

    /// New facts at `now`. Calendars were read now or a step ago; here and there they show a hold for the meeting.
    fn learn(&mut self, step: &Step, now: Time) {
        let mut facts = step.after(&self.case.facts);
        let hold = self.case.review.bookings.iter().rev().find(|booking| booking.slot != self.script.slot);
        for (person, before) in facts.people.iter_mut().zip(&self.case.facts.people) {
            for (new, old) in [(&mut person.calendar, &before.calendar), (&mut person.oncall, &before.oncall)] {
                let Some(diary) = new.as_mut().filter(|diary| Some(&**diary) != old.as_ref()) else { continue };
                // A person's calendar was read at one time.
                diary.accepted = if diary.accepted % 2 == 0 { now } else { self.case.now };
                for (index, entry) in diary.busy.iter_mut().enumerate() {
                    if let Some(hold) = hold.filter(|_| entry.0 == self.script.slot && index % 2 == 1) {
                        entry.0 = hold.slot;
                    }
                }
            }
        }
        self.revision += 1;
        self.case.now = now;
        self.case.facts = facts;
        self.facts = translate::facts(self.names, self.script, &self.case.facts, now, self.revision);
    }

    fn tell(&mut self) {
        if let (Some(pending), Some(ours)) = (&mut self.review.head.pending, &mut self.case.review.pending) {
            pending.told_at.get_or_insert(self.names.at(self.case.now));
            ours.told = true;
        }
        let head = &mut self.review.head;
        let entry = head.hold.entry.clone();
        let held = head.bookings.iter().filter(|booking| booking.object == CalendarObject::Hold);
        let mut people: BTreeSet<_> = held.flat_map(|booking| booking.people.iter().cloned()).collect();
        people.extend(entry.iter().flat_map(|entry| entry.people.iter().cloned()));
        for person in people {
            let slot = entry.as_ref().filter(|entry| entry.people.contains(&person)).map(|entry| entry.slot);
            booking::send_hold(&mut head.bookings, &person, slot, self.names.at(self.case.now));
        }
        ledger::send_hold(&mut self.case, self.script.optional);
    }

    fn refresh(&mut self, tally: &mut Tally) -> Result<(), String> {
        let at = self.names.at(self.case.now);
        let commit = refresh::refresh(&self.review, &self.facts, &self.deployment, vec![self.trigger()], at)
            .ok_or("an accepted fact wrote nothing")?;
        self.review = after(Some(&self.review), &commit);
        let expected = ledger::follow(&mut self.case);
        ledger::rebook(&mut self.case, self.script.optional);
        self.compare(&commit, &expected, true, tally)
    }

    /// Some accepted fact: which one does not matter to the decision.
    fn trigger(&self) -> Trigger {
        let id = format!("event-{}", self.revision);
        Trigger {
            identity: Identity {
                source: Source::parse("//source.example.com").expect("a source"),
                id: EventId::parse(&id).expect("an id"),
            },
            event_type: "dev.holdpoint.person.updated.v1".to_owned(),
            subject: Subject::Person(translate::person(0)),
            revision: self.revision,
            disposition: Disposition::Applied,
            not_taken: Vec::new(),
            collision: None,
            trace: None,
        }
    }

    fn decide(&mut self, by: usize, wish: Wish, expected: AnswerResult, tally: &mut Tally) -> Result<Commit, String> {
        let pending = self.review.head.pending.as_ref().ok_or("nothing is pending in the core")?;
        let attempt = DecisionAttempt {
            by: translate::person(by),
            proposal: pending.fingerprint(),
            wish,
            reason: None,
            trace: None,
            as_operator: false,
        };
        let at = self.names.at(self.case.now);
        let answered = adopt::decide(&self.review, &self.facts, &self.deployment, &attempt, at);
        same("result", &answered.result, &expected)?;
        *tally.entry(format!("{wish:?} {}", expected.word())).or_default() += 1;
        let commit = answered.commit.ok_or("a decision wrote nothing")?;
        self.review = after(Some(&self.review), &commit);
        Ok(commit)
    }

    fn adopt(&mut self, pending: Pending, by: usize, tally: &mut Tally) -> Result<bool, String> {
        let stays = ledger::may_be_adopted(&self.case, &pending);
        let result = if stays { AnswerResult::Adopted } else { AnswerResult::FactsChanged };
        let commit = self.decide(by, Wish::Adopt, result, tally)?;
        if !stays {
            let expected = ledger::follow(&mut self.case);
            ledger::rebook(&mut self.case, self.script.optional);
            return self.compare(&commit, &expected, false, tally).map(|()| true);
        }
        let goes_on = ledger::adopt(&mut self.case, pending);
        ledger::rebook(&mut self.case, self.script.optional);
        let expected = ledger::Expected { outcome: "adopted", earlier: None, exception: None };
        if goes_on {
            self.compare(&commit, &expected, true, tally)?;
        }
        Ok(goes_on)
    }

    fn decline(&mut self, pending: Pending, by: usize, stand: bool, tally: &mut Tally) -> Result<(), String> {
        let wish = if stand { Wish::DeclineStand } else { Wish::DeclineOtherSlot };
        let commit = self.decide(by, wish, AnswerResult::Declined, tally)?;
        let expected = ledger::decline(&mut self.case, pending, stand);
        ledger::rebook(&mut self.case, self.script.optional);
        self.compare(&commit, &expected, true, tally)
    }

    fn compare(
        &self,
        commit: &Commit,
        expected: &ledger::Expected,
        worded: bool,
        tally: &mut Tally,
    ) -> Result<(), String> {
        compare::state(self.names, &self.case, &self.review, expected, tally)?;
        if worded { compare::decision(commit, expected) } else { Ok(()) }
    }
}

fn issued(script: &Script, now: Time) -> Case {
    let invited: BTreeSet<usize> = script.seats.iter().copied().chain(script.optional).collect();
    let meeting = |person| Booking { object: Object::Meeting, slot: script.slot, person, from: Time::MIN, until: None };
    let mut case = Case {
        midnight: script.midnight,
        now,
        rules: script.rules.clone(),
        facts: script.facts.clone(),
        review: case::Review {
            zone: script.zone,
            slot: script.slot,
            seats: script.seats.clone(),
            content: case::Content { ready: Vec::new(), window: None, cutover: None, edge: false },
            pending: None,
            undecided: None,
            declined: Vec::new(),
            stands_by: None,
            bookings: invited.into_iter().map(meeting).collect(),
            uid: script.uid,
            claims: BTreeMap::new(),
        },
    };
    case.review.content = judge::content(&case, script.slot);
    ledger::claim(&mut case, None);
    case
}
