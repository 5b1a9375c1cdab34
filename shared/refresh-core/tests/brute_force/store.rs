//! What a store and a mailer would make of the core's commits: everything written once, everybody mailed what is owed.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{
    EventId, Instant, Person, Source,
    audience::reading::Reading,
    choice::situation::Situation,
    facts::{
        authority::{Disposition, Ignored},
        event::Identity,
        fact::Facts,
        policy::{Deployment, MetadataAlone},
        subject::Subject,
    },
    record::{
        booking::CalendarObject,
        commit::Commit,
        delta::{self, Field, Value},
        exception::ExceptionKind,
        last_notified::LastNotified,
        lineage::{self, Entry, Trigger},
        mark::{self, Mark, Remark},
        notice::{Method, Notice, NoticeKind},
        packet::Version,
        review::{Head, Review},
        view::{ExceptionLine, View},
    },
    telling::{
        owed,
        sent::{self, RoundDone, Sent},
        told,
    },
};

use crate::translate;

pub struct Store {
    pub deployment: Deployment,
    pub review: Review,
    versions: BTreeMap<u32, Version>,
    entries: Vec<Entry>,
    told: BTreeMap<Person, LastNotified>,
    /// The sequence each person last saw of each calendar object.
    seen: BTreeMap<(Person, bool), u32>,
    /// What each person has read of what is carried.
    heard: BTreeMap<Person, View>,
    events: u64,
}

impl Store {
    pub fn issued(commit: Commit, deployment: Deployment) -> Result<Self, String> {
        let first = commit.versions.first().ok_or("issuing minted nothing")?.clone();
        let review = Review { head: commit.head.clone(), issued: first.clone(), authoritative: first, pending: None };
        let mut store = Self {
            deployment,
            review,
            versions: BTreeMap::new(),
            entries: Vec::new(),
            told: BTreeMap::new(),
            seen: BTreeMap::new(),
            heard: BTreeMap::new(),
            events: 0,
        };
        store.review.head.counter = 0;
        store.review.head.latest = commit.head.issued - 1;
        store.write(commit)?;
        Ok(store)
    }

    /// Writes a commit, as long as it fits what was written before.
    pub fn write(&mut self, commit: Commit) -> Result<(), String> {
        let (before, after) = (&self.review.head, &commit.head);
        ensure(after.counter == before.counter + 1, || format!("counter {} after {}", after.counter, before.counter))?;
        ensure(after.meeting.sequence >= before.meeting.sequence, || "the meeting's sequence fell".to_owned())?;
        ensure(after.hold.sequence >= before.hold.sequence, || "the hold's sequence fell".to_owned())?;
        ensure(after.at >= before.at, || "time ran backwards".to_owned())?;
        let expected = before.latest + 1..=after.latest;
        let minted: Vec<u32> = commit.versions.iter().map(|version| version.number).collect();
        ensure(expected.clone().eq(minted.iter().copied()), || format!("versions {expected:?}, minted {minted:?}"))?;
        self.versions.extend(commit.versions.into_iter().map(|version| (version.number, version)));
        self.entries.extend(commit.entry);
        lineage::verify(&self.entries, &commit.head.lineage).map_err(|misfit| format!("{misfit:?}"))?;
        let version = |number: u32| self.versions.get(&number).cloned().ok_or(format!("version {number} is missing"));
        self.review = Review {
            issued: version(commit.head.issued)?,
            authoritative: version(commit.head.authoritative)?,
            pending: commit.head.pending.as_ref().map(|pending| version(pending.version)).transpose()?,
            head: commit.head,
        };
        for settled in commit.told {
            self.told.insert(settled.told.person.clone(), settled.told);
        }
        Ok(())
    }

    /// Another event about the same facts: accepted, or delivered once more.
    pub fn trigger(&mut self, accepted: bool) -> Trigger {
        self.events += u64::from(accepted);
        Trigger {
            identity: Identity {
                source: Source::parse("//source.example.com").expect("a source"),
                id: EventId::parse(&format!("event-{}", self.events)).expect("an id"),
            },
            event_type: "dev.holdpoint.person.updated.v1".to_owned(),
            subject: Subject::Person(translate::person(0)),
            revision: self.events,
            disposition: if accepted { Disposition::Applied } else { Disposition::Ignored(Ignored::Duplicate) },
            not_taken: Vec::new(),
            collision: None,
            trace: None,
        }
    }

    /// Everybody the review could concern.
    fn people(&self, facts: &Facts, now: Instant) -> BTreeSet<Person> {
        let mut people: BTreeSet<Person> = self.told.keys().cloned().collect();
        people.extend((0..6).map(translate::person));
        if let Some(situation) = Situation::of(&self.review.head.review, facts, &self.deployment, now) {
            people.extend(Reading::of(&self.review, &situation).people());
        }
        people
    }

    /// What each person must know now.
    pub fn views(&self, facts: &Facts, now: Instant) -> BTreeMap<Person, View> {
        let Some(situation) = Situation::of(&self.review.head.review, facts, &self.deployment, now) else {
            return BTreeMap::new();
        };
        let reading = Reading::of(&self.review, &situation);
        let view = |person: Person| {
            let told = self.told.get(&person).cloned().unwrap_or_else(|| told::baseline(&reading, &person));
            let view = reading.view(&person, told.seat.as_ref());
            (person, view)
        };
        self.people(facts, now).into_iter().map(view).collect()
    }

    /// The quiet period is over: everybody is told what they are owed.
    pub fn tell(&mut self, facts: &Facts, now: Instant) -> Result<Vec<Notice>, String> {
        let now = now.max(self.review.head.quiet_until.unwrap_or(now)).max(self.review.head.at);
        let mut sent = Vec::new();
        let together = self.settled_together(facts, now)?;
        for person in self.people(facts, now) {
            sent.extend(self.tell_one(&person, facts, now)?);
        }
        // The record apart, it is no matter whether mails are settled together or one after the other.
        let apart = &self.review.head;
        let together = together.map(|head| Head { counter: apart.counter, lineage: apart.lineage, ..head });
        ensure(together.as_ref().is_none_or(|together| together == apart), || {
            format!("settled together\n{together:?}\nand one after the other\n{apart:?}")
        })?;
        for person in self.people(facts, now) {
            let before = sent.len() - usize::from(sent.iter().any(|notice: &Notice| notice.to == person));
            while let Some(notice) = self.tell_one(&person, facts, now)? {
                sent.push(notice);
                ensure(sent.len() - before <= 2, || format!("{person} is mailed without end: {:?}", &sent[before..]))?;
            }
        }
        let situation = Situation::of(&self.review.head.review, facts, &self.deployment, now);
        let policy = situation.ok_or("the review has no terms")?.policy;
        if let Some(commit) = sent::end_round(&self.review, &policy, RoundDone { asked: false, told: true }, now) {
            self.write(commit)?;
        }
        Ok(sent)
    }

    /// HEAD, if everybody's first mail were settled in one commit; `None` where nobody is mailed.
    fn settled_together(&self, facts: &Facts, now: Instant) -> Result<Option<Head>, String> {
        let situation = Situation::of(&self.review.head.review, facts, &self.deployment, now).ok_or("no terms")?;
        let reading = Reading::of(&self.review, &situation);
        let mut mails: Vec<(LastNotified, Notice)> = Vec::new();
        for person in self.people(facts, now) {
            let told = self.told.get(&person).cloned().unwrap_or_else(|| told::baseline(&reading, &person));
            let before = self.versions.get(&told.version);
            let notice = owed::owed(&reading, &told, owed::PriorMail::Settled, before, now);
            mails.extend(notice.map(|notice| (told, notice)));
        }
        let sent = |(told, notice)| Sent::of(&reading, told, notice, "message", "claim");
        let sent: Vec<Sent<'_>> = mails.iter().map(|(told, notice)| (told, notice)).map(sent).collect();
        Ok((!sent.is_empty()).then(|| sent::confirm_sent(&reading, &sent, false, now).commit.head))
    }

    fn tell_one(&mut self, person: &Person, facts: &Facts, now: Instant) -> Result<Option<Notice>, String> {
        let review = self.review.clone();
        let situation = Situation::of(&review.head.review, facts, &self.deployment, now).ok_or("no terms")?;
        let reading = Reading::of(&review, &situation);
        let told = self.told.get(person).cloned().unwrap_or_else(|| told::baseline(&reading, person));
        let before = self.versions.get(&told.version);
        let view = reading.view(person, told.seat.as_ref());
        let Some(notice) = owed::owed(&reading, &told, owed::PriorMail::Settled, before, now) else {
            let owed = self.is_owed(&told.view, &view);
            return ensure(!owed, || format!("{person} is owed nothing of {:?}, now {view:?}", told.view))
                .map(|()| None);
        };
        let sent = Sent::of(&reading, &told, &notice, "message", "claim");
        let commit = sent::confirm_sent(&reading, &[sent], false, now).commit;
        if let Some(part) = &notice.calendar {
            let hold = part.object == CalendarObject::Hold;
            let seen = self.seen.insert((person.clone(), hold), part.sequence);
            ensure(seen.is_none_or(|seen| seen <= part.sequence), || format!("{person} is sent an older sequence"))?;
        }
        self.write(commit)?;
        self.hears(&told.view, &view, &notice)?;
        if notice.kind == NoticeKind::Reminder {
            return Ok(Some(notice));
        }
        if notice.kind == NoticeKind::HoldEnded {
            let ends = notice.calendar.as_ref().is_some_and(|part| {
                part.object == CalendarObject::Hold && part.method == Method::Cancel && told.hold.is_some()
            });
            let alone = notice.changes.is_empty() && notice.link.is_none() && notice.duty.is_none();
            return ensure(ends && alone && !self.is_owed(&told.view, &view), || {
                format!("{person} is told of no hold's end: {notice:?}")
            })
            .map(|()| Some(notice));
        }
        // The mail before carried the meeting: what a proposal holds for them comes in a mail of its own.
        let hold = notice.calendar.as_ref().filter(|part| part.object == CalendarObject::Hold);
        if !self.is_owed(&told.view, &view)
            && hold.is_some_and(|hold| told.hold.map(|sent| sent.slot) != Some(hold.slot))
        {
            return Ok(Some(notice));
        }
        ensure(self.is_owed(&told.view, &view), || format!("{person} is told what can wait: {notice:?}"))?;
        ensure(!notice.changes.is_empty(), || format!("{person} is told of no change: {notice:?}"))?;
        let delta = delta::delta(&told.view, &view, None, None);
        ensure(!delta.is_empty(), || format!("{person}'s views differ in nothing"))?;
        Ok(Some(notice))
    }

    /// Whether two views of one person differ in anything but what is carried, difference by difference.
    fn is_owed(&self, was: &View, now: &View) -> bool {
        let head = &self.review.head;
        let carries = self.deployment.defaults.metadata_alone == MetadataAlone::Carried;
        let waits = head.exceptions.iter().any(|open| open.waits_until.is_some());
        let known = |kind| was.exceptions.iter().find(|line| line.kind == kind);
        let same_open = was.proposed && now.proposed || now.exceptions.iter().any(|line| known(line.kind).is_some());
        let less = was.exceptions.len() == now.exceptions.len()
            && now.exceptions.iter().all(|line| {
                known(line.kind).is_some_and(|known| line.rules.iter().all(|rule| known.rules.contains(rule)))
            });
        // An override over a slot that breaks nothing any more ends silently, with what the slot broke.
        let overridden = |view: &View| view.exceptions.iter().any(|line| line.kind == ExceptionKind::OwnerOverride);
        let broken = !mark::violations(&head.today.violated).is_empty();
        let silent = overridden(was) && !overridden(now) && !broken;
        let others = |view: &View| -> Vec<ExceptionLine> {
            view.exceptions.iter().filter(|line| line.kind != ExceptionKind::OwnerOverride).cloned().collect()
        };
        // A proposal that went and came back is to be decided anew, though it says the same. A proposal that can be asked for
        // again is news. The loss of that chance is no news by itself.
        let anew = now.decides.is_some() && was.decides != now.decides
            || now.asks_again.is_some() && was.asks_again != now.asks_again;
        let differs = delta::delta(&View { asks_again: now.asks_again, ..was.clone() }, now, None, None);
        anew || differs.iter().any(|change| match &change.field {
            Field::Window | Field::Cutover => !carries,
            Field::Checkpoint(key) => {
                let same = was.checkpoints.contains_key(key) && now.checkpoints.contains_key(key);
                !(carries && same && change.was.is_some() == change.now.is_some())
            }
            Field::Violated => !(silent || waits || carries && same_open || proven(was) == proven(now)),
            Field::Exception => !(carries && less || silent && others(was) == others(now)),
            _ => true,
        })
    }

    /// What is carried is never lost: whoever sees the whole has read, in their mails, of it what is so now.
    fn hears(&mut self, told: &View, view: &View, notice: &Notice) -> Result<(), String> {
        let known = self.heard.entry(notice.to.clone()).or_insert_with(|| told.clone());
        if told.freeze_edge.is_none() {
            *known = View::default();
        }
        for change in &notice.changes {
            match (&change.field, &change.now) {
                (Field::Checkpoint(key), Some(Value::Instant(at))) => {
                    known.checkpoints.insert(key.clone(), Some(*at));
                }
                (Field::Checkpoint(key), _) if view.checkpoints.contains_key(key) => {
                    known.checkpoints.insert(key.clone(), None);
                }
                (Field::Checkpoint(key), _) => {
                    known.checkpoints.remove(key);
                }
                (Field::Window, Some(Value::Interval(window))) => known.window = Some(*window),
                (Field::Window, _) => known.window = None,
                (Field::Cutover, Some(Value::Interval(cutover))) => known.cutover = Some(*cutover),
                (Field::Cutover, _) => known.cutover = None,
                (Field::Violated, Some(Value::Marks(marks))) => known.violated.clone_from(marks),
                (Field::Violated, _) => known.violated.clear(),
                _ => {}
            }
        }
        if view.freeze_edge.is_none() || notice.kind == NoticeKind::HoldEnded {
            return Ok(());
        }
        let of = |view: &View| (view.checkpoints.clone(), view.window, view.cutover, view.violated.clone());
        ensure(of(known) == of(view), || format!("{} has read {known:?}, and it is {view:?}: {notice:?}", notice.to))
    }
}

/// The marks but for seats that stand without proof.
fn proven(view: &View) -> Vec<&Mark> {
    view.violated.iter().filter(|mark| !matches!(mark, Mark::Remark(Remark::Unproven(_)))).collect()
}

pub fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
