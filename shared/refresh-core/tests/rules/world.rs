//! The bundle without its machines: what ingest, refresh and tick do with the core, on a virtual clock.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    clock::Day,
    fixture::{self, BUSY, ROLES},
    told::LeftClaim,
    written::{honest, reads_back_as_written},
};
use refresh_core::{
    EventId, Instant, Person, Source,
    base::{digest::Digest, instant::MINUTE},
    choice::situation,
    decide::{adopt::Answered, refresh},
    facts::{
        authority::{self, Disposition, Ignored, StoredContext, UntakenMember},
        event::{Event, Identity, Reset, Statement},
        expected::expected,
        fact::{Body, Change, ChangeState, Facts, InForce, Terms},
        policy::Deployment,
        revision::Revision,
        seat::PersonSeats,
        subject::{Kind, Subject},
    },
    record::{
        commit::{Cause, Commit},
        delivery::Delivery,
        last_notified::LastNotified,
        lineage::{self, Entry, Trigger},
        message::RefreshRequested,
        notice::Notice,
        packet::Version,
        review::{self, Head, Review},
        seats::SeatCondition,
    },
};

/// Everything a row's steps have brought about.
#[derive(Clone)]
pub struct World {
    pub day: Day,
    pub now: Instant,
    pub deployment: Deployment,
    /// What the review is, or was last, issued with.
    pub terms: Terms,
    pub issued_at: Instant,
    /// Some rows are about a review that is never issued.
    pub never_issued: bool,
    pub facts: BTreeMap<Subject, refresh_core::facts::fact::Fact>,
    /// The change record as its source has it.
    pub change: InForce,
    revisions: BTreeMap<Subject, Revision>,
    /// Content, what became of it, and when it was first accepted.
    events: BTreeMap<Identity, (Digest, Disposition, Instant)>,
    pub last: Option<Event>,
    depends: BTreeSet<Subject>,
    causes: BTreeSet<Cause>,
    pub review: Option<Review>,
    pub versions: BTreeMap<u32, Version>,
    pub entries: Vec<Entry>,
    pub told: BTreeMap<Person, LastNotified>,
    /// The people whose next mail goes out and is not settled.
    pub unsettled: BTreeSet<Person>,
    /// The people who have a claim that was left: their mail may have gone out.
    pub in_doubt: BTreeMap<Person, LeftClaim>,
    pub mails: Vec<Notice>,
    /// What the mailer reported last of each person's newest mail.
    pub deliveries: BTreeMap<Person, Delivery>,
    /// Whose mail the mailer refuses when it is handed in.
    pub refused: BTreeSet<Person>,
    /// Whose mail cannot be made.
    pub unmailable: BTreeSet<Person>,
    pub disposition: Option<Disposition>,
    /// What the sender of the last ignored event reads that it should have been.
    pub expected: Option<String>,
    pub answered: Option<Answered>,
    pub mark: Mark,
    /// Facts are written, and the refresh that should follow is late.
    pub late: bool,
    /// Whether another open review's meeting has the UID that this one is issued with.
    pub uid_in_use: bool,
    not_taken: Vec<UntakenMember>,
    /// What of the last event counts for nothing.
    pub untaken: Vec<UntakenMember>,
    /// The entries of all reviews, this one's own included.
    pub seats: BTreeMap<Person, PersonSeats>,
    /// About whose seats other reviews were asked to look.
    pub asked: Vec<BTreeSet<Person>>,
}

/// Where observation begins: claims are about what came after.
#[derive(Clone, Default)]
pub struct Mark {
    pub set: bool,
    pub entries: usize,
    pub mails: usize,
    pub asked: usize,
    pub latest: u32,
    pub counter: u64,
    pub proposal: Option<Digest>,
    pub packet: Option<Digest>,
}

/// What an event's last brackets change of it.
#[derive(Clone, Default, Debug)]
pub struct Manner {
    pub revision: Option<Revision>,
    pub source: Option<Source>,
    pub id: Option<EventId>,
}

impl World {
    /// `steps` are searched for the day and the hour of issue, which everything else is counted from.
    pub fn of(steps: &[&str]) -> Result<Self, String> {
        let said = |word: &str| steps.iter().find_map(|step| step.strip_prefix(word));
        let day = Day::parse(said("day ").unwrap_or("2026-11-03"))?;
        let issued_at = day.instant(said("issued ").unwrap_or("08:30"))?;
        let change = InForce {
            window: day.interval("13:00-21:00")?,
            cutover: day.interval("+1/08:00-+1/10:00")?,
            owner: Some(fixture::person("rm-a")?),
            owner_confirmed: true,
        };
        let mut world = Self {
            day,
            now: issued_at.plus_minutes(-30),
            deployment: fixture::deployment(),
            terms: fixture::terms(day),
            issued_at,
            never_issued: steps.contains(&"never issued"),
            facts: BTreeMap::new(),
            change,
            revisions: BTreeMap::new(),
            events: BTreeMap::new(),
            last: None,
            depends: BTreeSet::new(),
            causes: BTreeSet::new(),
            review: None,
            versions: BTreeMap::new(),
            entries: Vec::new(),
            told: BTreeMap::new(),
            unsettled: BTreeSet::new(),
            in_doubt: BTreeMap::new(),
            mails: Vec::new(),
            deliveries: BTreeMap::new(),
            refused: BTreeSet::new(),
            unmailable: BTreeSet::new(),
            disposition: None,
            expected: None,
            answered: None,
            mark: Mark::default(),
            late: false,
            uid_in_use: false,
            not_taken: Vec::new(),
            untaken: Vec::new(),
            seats: BTreeMap::new(),
            asked: Vec::new(),
        };
        world.furnish()?;
        if steps.contains(&"worked fixture") {
            for (name, busy) in BUSY {
                crate::step::take(&mut world, &format!("{name} busy {busy}"))?;
            }
        }
        Ok(world)
    }

    fn furnish(&mut self) -> Result<(), String> {
        self.change_is(ChangeState::Approved, Manner::default())?;
        crate::step::take(self, "freeze 20:00-+1/06:00")?;
        for (role, _, holder, delegates) in ROLES {
            let role = fixture::role(role)?;
            let body = Body::Delegation(fixture::mapping(holder, delegates));
            self.send(Subject::Delegation(fixture::service(), role), body, Manner::default())?;
            for name in std::iter::once(&holder).chain(delegates) {
                crate::step::take(self, &format!("{name} free"))?;
            }
        }
        crate::step::take(self, "evidence 14:00")
    }

    /// The change record, sent as its source has it now.
    pub fn change_is(&mut self, state: ChangeState, manner: Manner) -> Result<(), String> {
        let in_force = matches!(state, ChangeState::Approved | ChangeState::Implementing).then(|| self.change.clone());
        self.send(Subject::Change(fixture::change()), Body::Change(Change { state, in_force }), manner)
    }

    /// Ingest: a source's event becomes a fact or is ignored; then the reviews that depend on it are refreshed.
    pub fn send(&mut self, subject: Subject, body: Body, manner: Manner) -> Result<(), String> {
        let next = self.revisions.get(&subject).copied().unwrap_or(0) + 1;
        let revision = manner.revision.unwrap_or(next);
        self.revisions.insert(subject.clone(), revision.max(next));
        let id = match manner.id {
            Some(id) => id,
            None => EventId::parse(&format!("e{}", self.events.len() + 1))?,
        };
        let source = manner.source.unwrap_or_else(|| fixture::source(subject.kind()));
        self.state(subject, Statement::State { revision, body }, source, id)
    }

    /// An operator lets the holder's next fact in at any revision.
    pub fn reset(&mut self, subject: Subject, manner: Manner) -> Result<(), String> {
        let reset = Reset { by: fixture::person("ops-1")?, reason: "a revision in nanoseconds".to_owned() };
        let source = manner.source.unwrap_or_else(|| fixture::source(Kind::Operator));
        let id = EventId::parse(&format!("e{}", self.events.len() + 1))?;
        self.state(subject, Statement::Reset(reset), source, id)
    }

    fn state(&mut self, subject: Subject, statement: Statement, source: Source, id: EventId) -> Result<(), String> {
        let event = Event {
            identity: Identity { source, id },
            event_type: format!("dev.holdpoint.{}.v1", subject.word()),
            trace: None,
            digest: Digest::of("event", &(&subject, format!("{statement:?}"))),
            subject,
            statement,
        };
        self.receive(event)
    }

    pub fn receive(&mut self, event: Event) -> Result<(), String> {
        self.last = Some(event.clone());
        let known = self.events.get(&event.identity).copied();
        let held = self.facts.get(&event.subject);
        let again = held.and_then(|held| authority::hear_again(held, &event, self.now, &self.deployment));
        let (disposition, collision) = match known {
            Some((first, ..)) => {
                let why = authority::of_used_id(&first, &event);
                (Disposition::Ignored(why), (why == Ignored::IdCollision).then_some(event.digest))
            }
            None => (self.judge(&event), None),
        };
        if known.is_none() {
            self.events.insert(event.identity.clone(), (event.digest, disposition, self.now));
        }
        if known.is_some_and(|(digest, ..)| digest == event.digest) {
            self.facts.extend(again.map(|fact| (fact.subject.clone(), fact)));
        }
        self.disposition = Some(disposition);
        // What comes again says what became of it first, and since when that is known.
        let repeated = known.filter(|_| disposition == Disposition::Ignored(Ignored::Duplicate));
        let first_accepted = repeated.map(|(.., at)| at);
        let disposition = repeated.map_or(disposition, |(_, first, _)| first);
        let hands_over = matches!(event.subject, Subject::Review(_)) && disposition.is_applied();
        let says = event.body().is_some();
        let touches = self.review.is_some() && says && self.depends.contains(&event.subject.dependence());
        if self.late {
            return Ok(());
        }
        let not_taken = std::mem::take(&mut self.not_taken);
        self.untaken.clone_from(&not_taken);
        let over = [Ignored::ReviewStarted, Ignored::ReviewClosed].map(Disposition::Ignored).contains(&disposition);
        if self.review.is_none() && hands_over || touches && !over {
            let trigger = Trigger {
                identity: event.identity.clone(),
                event_type: event.event_type.clone(),
                subject: event.subject.clone(),
                revision: event.revision(),
                disposition,
                not_taken: not_taken.clone(),
                collision,
                trace: event.trace,
            };
            let request = RefreshRequested {
                review: fixture::review(),
                trigger: Some(trigger),
                at: self.now,
                first_accepted,
                seats: false,
            };
            self.refresh(request.counts_for(self.review.as_ref()).cloned().into_iter().collect())?;
        }
        Ok(())
    }

    fn judge(&mut self, event: &Event) -> Disposition {
        let known = StoredContext {
            fact: self.facts.get(&event.subject),
            review_issued: self.review.is_some(),
            uid_in_use: self.uid_in_use && matches!(event.subject, Subject::Review(_)),
            arrived: self.now,
            sender: None,
        };
        match authority::judge(event, &known, &self.deployment, self.now) {
            Err(reason) => {
                self.expected = expected(reason, event, known.fact, self.now, &self.deployment);
                let stale = known.fact.filter(|_| reason == Ignored::StaleRevision);
                let again = stale.and_then(|held| authority::hear_again(held, event, self.now, &self.deployment));
                let counted = again.or_else(|| stale.and_then(authority::count_stale));
                self.facts.extend(counted.map(|fact| (fact.subject.clone(), fact)));
                Disposition::Ignored(reason)
            }
            Ok(fact) => {
                let first = known.fact.map(|first| &first.body);
                if let (Some(Body::Review(again)), Some(Body::Review(first)), Some(review)) =
                    (event.body(), first, &self.review)
                {
                    let packet = &review.authoritative.packet;
                    self.not_taken = authority::not_taken(again, first, packet.slot, &packet.attendees);
                }
                if let Subject::Availability(person, ..) = &fact.subject {
                    let list = self.facts.get(&Subject::Calendars(person.clone()));
                    let list = authority::list_calendar(list, &fact).expect("few calendars");
                    self.facts.extend(list.map(|list| (list.subject.clone(), list)));
                }
                // Fact first, dependents second: whoever starts to depend on it meanwhile sees it.
                self.facts.insert(event.subject.clone(), fact);
                let dependent = self.review.as_ref().filter(|_| self.depends.contains(&event.subject.dependence()));
                let over = review::over(dependent.map(|review| &review.head), self.now);
                over.map_or(Disposition::Applied, Disposition::Ignored)
            }
        }
    }

    /// Registers what the review depends on, then reads it; again until no fact names a new subject.
    pub fn read(&mut self) -> Facts {
        let id = fixture::review();
        loop {
            let mut facts: Facts =
                self.facts.values().filter(|fact| self.depends.contains(&fact.subject)).cloned().collect();
            let seated: Vec<Person> =
                self.versions.values().flat_map(|version| version.packet.attendees.values().cloned()).collect();
            let subjects = situation::subjects(&id, &facts, &self.deployment, &seated);
            if subjects.is_subset(&self.depends) {
                for (person, seats) in &self.seats {
                    if subjects.contains(&Subject::Seat(person.clone())) {
                        facts.insert_seats(person.clone(), seats.clone());
                    }
                }
                return facts;
            }
            self.depends.extend(subjects);
        }
    }

    pub fn refresh(&mut self, mut triggers: Vec<Trigger>) -> Result<(), String> {
        let facts = self.read();
        triggers.retain(|trigger| !self.causes.contains(&refresh_core::record::commit::cause(trigger)));
        let commit = match &self.review {
            None => refresh::issue(&fixture::review(), "holdpoint.test", &facts, &self.deployment, triggers, self.now),
            Some(review) => refresh::refresh(review, &facts, &self.deployment, triggers, self.now),
        };
        commit.map_or(Ok(()), |commit| self.write(commit))
    }

    /// One transaction, and what must hold after each.
    pub fn write(&mut self, commit: Commit) -> Result<(), String> {
        reads_back_as_written(&commit)?;
        let before = self.review.as_ref().map(|review| review.head.clone());
        let head = commit.head;
        let counter = before.as_ref().map_or(0, |head| head.counter);
        if head.counter != counter + 1 {
            return Err(format!("the commit's counter is {} after {counter}", head.counter));
        }
        let misplaced =
            head.exceptions.iter().find(|open| open.reasons.iter().any(|reason| reason.kind() != open.kind));
        if let Some(open) = misplaced {
            return Err(format!("a reason of another kind keeps {:?} open", open.kind));
        }
        for version in commit.versions {
            let last = self.versions.keys().next_back().copied();
            if last.is_some_and(|last| version.number != last + 1) {
                return Err(format!("version {} follows {last:?}", version.number));
            }
            self.versions.insert(version.number, version);
        }
        for seat in commit.seats {
            self.seats.entry(seat.person.clone()).or_default().unreadable.remove(&seat.review);
            *self.entry_of(&seat.review, &seat.person) = seat.clone();
        }
        for given in commit.seats_given {
            let known = self.seats.entry(given.person).or_default();
            let found = SeatCondition::Still(known.seated_by.clone());
            if given.condition != SeatCondition::Any && given.condition != found {
                return Err(format!("the commit expects {:?}, found {found:?}", given.condition));
            }
            if given.by.decision != head.counter {
                return Err(format!("decision {} gives a seat as {}", head.counter, given.by.decision));
            }
            known.seated_by = Some(given.by);
        }
        self.causes.extend(commit.causes);
        self.entries.extend(commit.entry);
        if let Some(before) = before.filter(|before| {
            head.meeting.sequence < before.meeting.sequence
                || head.hold.sequence < before.hold.sequence
                || head.at < before.at
        }) {
            return Err(format!("a sequence or the clock fell behind {:?}", before.at));
        }
        for settled in commit.told {
            self.told.insert(settled.told.person.clone(), settled.told);
        }
        let version =
            |number: u32| self.versions.get(&number).cloned().ok_or(format!("HEAD names no version {number}"));
        let review = Review {
            issued: version(head.issued)?,
            authoritative: version(head.authoritative)?,
            pending: head.pending.as_ref().map(|pending| version(pending.version)).transpose()?,
            head,
        };
        honest(&review)?;
        self.review = Some(review);
        Ok(())
    }

    pub fn head(&self) -> Result<&Head, String> {
        self.review.as_ref().map(|review| &review.head).ok_or_else(|| "no review was issued".to_owned())
    }

    /// Hands the review over, if that has not happened yet.
    pub fn issue(&mut self) -> Result<(), String> {
        if self.review.is_some() || self.never_issued {
            return Ok(());
        }
        self.now = self.issued_at;
        let body = Body::Review(Box::new(self.terms.clone()));
        self.send(Subject::Review(fixture::review()), body, Manner::default())?;
        self.advance(self.now)
    }

    /// The clock runs to `until`; what falls due on the way, `until` included, happens at its own instant.
    pub fn advance(&mut self, until: Instant) -> Result<(), String> {
        if until < self.now {
            return Err(format!("the clock stands at {} already", self.day.show(self.now)));
        }
        for _ in 0..2_000 {
            let Some(due) = self.due().filter(|due| *due <= until) else {
                self.now = until;
                return Ok(());
            };
            self.now = self.now.max(due);
            let (check_at, notices_at) = (self.head()?.check_at, self.head()?.notices_at);
            if check_at.is_some_and(|at| at <= self.now) {
                self.refresh(Vec::new())?;
            }
            if notices_at.is_some_and(|at| at <= self.now) {
                crate::told::notify(self)?;
            }
        }
        Err(format!("the clock stalls at {}: something stays due", self.day.show(self.now)))
    }

    /// When the due index would wake the tick.
    pub fn due(&self) -> Option<Instant> {
        let head = &self.review.as_ref()?.head;
        // Somebody whom another holds is looked at again with the next tick.
        let notices_at =
            head.notices_at.map(|at| if self.is_claimed() { at.max(self.now.plus_millis(MINUTE)) } else { at });
        [head.check_at, notices_at].into_iter().flatten().min()
    }

    /// Whether a claim that was left still holds.
    pub fn is_claimed(&self) -> bool {
        self.in_doubt.values().any(|left| self.now < left.until)
    }

    /// After the last step: what is due at this very instant still happens, and the lineage verifies.
    pub fn settle_down(&mut self) -> Result<(), String> {
        self.issue()?;
        self.advance(self.now)?;
        match &self.review {
            Some(review) => lineage::verify(&self.entries, &review.head.lineage)
                .map(drop)
                .map_err(|misfit| format!("the lineage breaks: {misfit:?}")),
            None => Ok(()),
        }
    }

    /// Observation begins here.
    pub fn observe(&mut self) {
        self.mark = Mark {
            set: true,
            entries: self.entries.len(),
            mails: self.mails.len(),
            asked: self.asked.len(),
            latest: self.review.as_ref().map_or(0, |review| review.head.latest),
            counter: self.review.as_ref().map_or(0, |review| review.head.counter),
            proposal: self.proposal(),
            packet: self.review.as_ref().map(|review| review.authoritative.packet.digest()),
        };
    }

    pub fn proposal(&self) -> Option<Digest> {
        self.review.as_ref()?.head.pending.as_ref().map(refresh_core::record::proposal::Pending::id)
    }
}
