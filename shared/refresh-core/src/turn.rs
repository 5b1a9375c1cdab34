//! One turn of a review: a working copy on which a decision is made, step by step, and which ends as one commit.

use std::collections::BTreeSet;

use crate::{
    Instant, Person, booking, clockwork,
    commit::{Cause, Commit},
    decision::{Decision, Earlier, Outcome, PendingLine},
    digest::Digest,
    exception::{Exception, ExceptionKind, Reason, Rule},
    fact::{Revision, Subject},
    instant::Slot,
    lineage::{Entry, Happening, Trigger},
    packet::{Packet, Version},
    people,
    report::Report,
    review::{Fate, Head, Hold, HoldEntry, MOST_PAST_PROPOSALS, PastProposal, Pending, Review, Standing, Tip, Today},
    situation::Situation,
    view::{Reading, Row},
    violation::{self, Mark},
};

#[derive(Debug)]
pub struct Turn<'a> {
    pub situation: &'a Situation<'a>,
    /// As it was read; `None` for a review that is being issued.
    before: Option<&'a Review>,
    pub review: Review,
    minted: Vec<Version>,
    happenings: Vec<Happening>,
    /// Whether a person decided: everything owed goes out at once.
    pub at_once: bool,
    stands_on: Option<(Subject, Revision)>,
}

impl<'a> Turn<'a> {
    pub fn on(review: &'a Review, situation: &'a Situation<'a>) -> Self {
        let mut turn = Self {
            situation,
            before: Some(review),
            review: review.clone(),
            minted: Vec::new(),
            happenings: Vec::new(),
            at_once: false,
            stands_on: None,
        };
        turn.review.head.at = situation.now;
        turn.look();
        turn
    }

    /// The first turn: the review is issued with the packet its terms and today's facts make.
    pub fn issuing(situation: &'a Situation<'a>, default_uid: (&str, &str)) -> Self {
        let terms = situation.terms;
        let packet = situation.packet(terms.slot, terms.attendees.clone());
        let meeting = terms.meeting.clone().unwrap_or_else(|| crate::fact::Meeting {
            uid: format!("{}@{}", default_uid.0, default_uid.1),
            sequence: 0,
        });
        let hold =
            Hold { uid: format!("{}-hold@{}", default_uid.0, default_uid.1), sequence: 0, entry: None, told: false };
        let mut issued = Version {
            number: terms.version,
            made_at: situation.now,
            parent: None,
            owner: situation.owner().cloned(),
            violated: violation::marks(situation, &packet, &[]),
            stands_on: situation.standpoints(),
            report: Report::default(),
            packet,
        };
        if situation.in_force().is_some_and(|change| change.owner.is_some() && !change.owner_confirmed) {
            issued.violated.push(Mark::OwnerUnconfirmed);
        }
        let head = Head {
            review: situation.id.clone(),
            counter: 0,
            at: situation.now,
            standing: Standing::Open,
            issued: terms.version,
            latest: terms.version,
            authoritative: terms.version,
            starts_at: terms.slot.start,
            pending: None,
            today: today(situation, &issued, Vec::new()),
            exceptions: Vec::new(),
            declined: Vec::new(),
            stands_by: None,
            undecided: None,
            undecided_until: None,
            paused_until: None,
            tellings: Vec::new(),
            past: Vec::new(),
            meeting,
            hold,
            bookings: Vec::new(),
            duties: Vec::new(),
            answers: Vec::new(),
            unreachable: BTreeSet::new(),
            adoptions: 0,
            lineage: Tip { sequence: 0, hash: Digest::ZERO },
            check_at: None,
            quiet_until: None,
            notices_at: None,
            stirred: BTreeSet::new(),
            mails_sent: 0,
        };
        let review = Review { head, issued: issued.clone(), authoritative: issued.clone(), pending: None };
        let mut turn = Self {
            situation,
            before: None,
            review,
            minted: vec![issued],
            happenings: Vec::new(),
            at_once: false,
            stands_on: None,
        };
        // The meeting existed before it was handed over, so a calendar read earlier may show it.
        let invited = people::invited(&turn.review, terms);
        turn.review.head.bookings.push(booking::Booking {
            slot: terms.slot,
            people: invited,
            from: Instant::from_millis(0),
            until: None,
        });
        turn.look();
        turn
    }

    pub fn now(&self) -> Instant {
        self.situation.now
    }

    pub fn head(&mut self) -> &mut Head {
        &mut self.review.head
    }

    pub fn authoritative(&self) -> &Packet {
        &self.review.authoritative.packet
    }

    /// Looks at today's facts anew.
    fn look(&mut self) {
        let marks = violation::marks(self.situation, self.authoritative(), &self.review.head.bookings);
        self.review.head.today = today(self.situation, &self.review.authoritative, marks);
    }

    pub fn violations(&self) -> BTreeSet<Mark> {
        violation::violations(&self.review.head.today.violated)
    }

    pub fn stand_on(&mut self, subject: Subject, revision: Revision) {
        self.stands_on = Some((subject, revision));
    }

    pub fn happened(&mut self, happening: Happening) {
        self.happenings.push(happening);
    }

    fn mint(&mut self, packet: Packet, report: Report) -> Version {
        let version = Version {
            number: self.review.head.latest + 1,
            made_at: self.now(),
            parent: Some(self.review.head.authoritative),
            owner: self.situation.owner().cloned(),
            violated: self.review.head.today.violated.clone(),
            stands_on: self.situation.standpoints(),
            report,
            packet,
        };
        self.review.head.latest = version.number;
        self.minted.push(version.clone());
        version
    }

    /// The packet becomes authoritative at once: the same seats, other content.
    pub fn refresh(&mut self, packet: Packet) {
        let version = self.mint(packet, Report::default());
        self.review.head.authoritative = version.number;
        self.review.authoritative = version;
        self.look();
    }

    /// A new proposal. An earlier one is superseded by it.
    pub fn propose(&mut self, packet: Packet, report: Report) {
        let expires_at = self.expiry(&packet);
        let version = self.mint(packet, report);
        self.review.head.pending = Some(Pending {
            version: version.number,
            first_version: version.number,
            digest: version.packet.proposal_digest(),
            made_at: version.made_at,
            expires_at,
            adopter: people::adopter(self.situation, self.authoritative(), &version.packet),
            told_at: None,
            asked: None,
        });
        self.review.pending = Some(version);
    }

    /// Another version of the same proposal: links to it stay good and the deadline stays.
    pub fn propose_again(&mut self, packet: Packet, report: Report) {
        let version = self.mint(packet, report);
        if let Some(pending) = &mut self.review.head.pending {
            pending.version = version.number;
        }
        self.review.pending = Some(version);
    }

    /// The earliest of the deadline, the authoritative start and, if it moves the slot, its own start less the notice.
    fn expiry(&self, proposal: &Packet) -> Instant {
        let policy = &self.situation.policy;
        let authoritative = self.authoritative();
        let deadline = self.now().plus_minutes(policy.adoption_deadline_minutes);
        let own = if proposal.slot == authoritative.slot {
            authoritative.slot.start
        } else {
            proposal.slot.start.plus_minutes(-policy.min_notice_minutes)
        };
        deadline.min(authoritative.slot.start).min(own)
    }

    /// The present owner may be another than when the proposal was made.
    pub fn reassign(&mut self) {
        let Some(proposal) = self.review.pending.as_ref().map(|version| version.packet.clone()) else { return };
        let adopter = people::adopter(self.situation, self.authoritative(), &proposal);
        if let Some(pending) = self.review.head.pending.as_mut().filter(|pending| pending.adopter != adopter) {
            pending.adopter = adopter;
            pending.asked = None;
        }
    }

    /// The pending proposal is over. Returns it.
    pub fn end_proposal(&mut self, fate: Fate, by: Option<&Person>) -> Option<(Pending, Version)> {
        let pending = self.review.head.pending.take()?;
        let version = self.review.pending.take()?;
        let at = self.now();
        let past = &mut self.review.head.past;
        past.push(PastProposal { id: pending.id(), fate, by: by.cloned(), at });
        if past.len() > MOST_PAST_PROPOSALS {
            past.remove(0);
        }
        Some((pending, version))
    }

    /// The owner adopted: the pending version is the authoritative one.
    pub fn adopt(&mut self, by: &Person) {
        let Some((_, version)) = self.end_proposal(Fate::Adopted, Some(by)) else { return };
        let before = self.authoritative().clone();
        let packet = &version.packet;
        let cancelled = packet.cancelled;
        if !before.same_seats(packet) || cancelled {
            self.review.head.meeting.sequence += 1;
        }
        if cancelled {
            self.review.head.standing = Standing::Cancelled;
        }
        let head = &mut self.review.head;
        head.authoritative = version.number;
        head.starts_at = version.packet.slot.start;
        head.adoptions += 1;
        head.declined.clear();
        head.stands_by = None;
        head.undecided = None;
        head.undecided_until = None;
        self.review.authoritative = version;
        self.settle_objects();
        self.look();
    }

    /// Hold and bookings follow from what is pending and authoritative now.
    fn settle_objects(&mut self) {
        let entry = match self.review.head.standing {
            Standing::Open => people::hold(&self.review, self.situation.terms, &self.situation.policy),
            _ => None,
        };
        change_hold(&mut self.review.head.hold, entry);
        let mut current: Vec<(Slot, BTreeSet<Person>)> = Vec::new();
        if self.review.head.standing != Standing::Cancelled {
            current.push((self.authoritative().slot, people::invited(&self.review, self.situation.terms)));
        }
        current.extend(self.review.head.hold.entry.iter().map(|hold| (hold.slot, hold.people.clone())));
        let now = self.now();
        booking::rebook(&mut self.review.head.bookings, &current, now);
    }

    /// Duties and answers hold exactly as long as their row.
    fn carry_forward(&mut self) {
        let reading = reading(&self.review, self.situation);
        let rows = |person: &Person| {
            let rows = [reading.authoritative_row(person), reading.tentative_row(person)];
            rows.into_iter().flatten().map(|row| row.digest()).collect::<Vec<_>>()
        };
        let seat = |person: &Person| reading.authoritative_row(person).map(|row| row.digest());
        let duties = self.review.head.duties.iter().filter(|duty| seat(&duty.person) == Some(duty.row));
        let answers = self.review.head.answers.iter().filter(|answer| rows(&answer.person).contains(&answer.row));
        let (mut duties, answers): (Vec<_>, Vec<_>) = (duties.cloned().collect(), answers.cloned().collect());
        if matches!(self.review.head.standing, Standing::Closed | Standing::Cancelled) {
            duties.clear();
        }
        self.review.head.duties = duties;
        self.review.head.answers = answers;
    }

    /// The open exceptions: what the decision found, and those that follow from duties and mail.
    pub fn escalate(&mut self, found: Vec<(ExceptionKind, Vec<Reason>)>) {
        let mut open = found;
        if self.review.head.standing == Standing::Open {
            open.extend(self.standing_exceptions());
        }
        open.retain(|(_, reasons)| !reasons.is_empty());
        open.sort_by_key(|(kind, _)| *kind);
        // A kind opens once: the reasons of one that is found twice stand together.
        open.dedup_by(|(kind, reasons), (first, all)| {
            let same = kind == first;
            if same {
                all.append(reasons);
            }
            same
        });
        let now = self.now();
        let before = std::mem::take(&mut self.review.head.exceptions);
        let opened = |kind| before.iter().find(|exception| exception.kind == kind).map_or(now, |found| found.opened_at);
        self.review.head.exceptions =
            open.into_iter().map(|(kind, reasons)| Exception { kind, opened_at: opened(kind), reasons }).collect();
    }

    /// Duties, mail or the owner changed, the choice did not: what the last decision found stays open.
    pub fn keep_exceptions(&mut self) {
        let found = self.review.head.exceptions.iter().filter_map(|exception| {
            let mut reasons = exception.reasons.clone();
            reasons.retain(|reason| !matches!(reason.rule, Rule::Unanswered | Rule::Bounced | Rule::AlternateOwner));
            (!reasons.is_empty()).then_some((exception.kind, reasons))
        });
        let found = found.collect();
        self.escalate(found);
    }

    fn standing_exceptions(&self) -> Vec<(ExceptionKind, Vec<Reason>)> {
        let head = &self.review.head;
        let packet = self.authoritative();
        let role = |person: &Person| packet.roles_of(person).next().cloned();
        let of = |rule: Rule, person: &Person| Reason { role: role(person), ..Reason::new(rule).person(person) };
        let mut unanswered: Vec<&Person> =
            clockwork::outstanding(head).filter(|duty| duty.due_at <= self.now()).map(|duty| &duty.person).collect();
        unanswered.sort();
        let required = self.review.shown().people();
        let unreachable = head
            .unreachable
            .iter()
            .filter(|person| required.contains(person) || packet.people().contains(person))
            .map(|person| of(Rule::Bounced, person));
        let mut found = vec![
            (ExceptionKind::Unanswered, unanswered.into_iter().map(|person| of(Rule::Unanswered, person)).collect()),
            (ExceptionKind::Unreachable, unreachable.collect()),
        ];
        if head.pending.as_ref().is_some_and(|pending| pending.adopter.is_none()) {
            found.push((ExceptionKind::PolicyIncomplete, vec![Reason::new(Rule::AlternateOwner)]));
        }
        found
    }

    /// Records a decision as things stand now.
    pub fn decide(&mut self, outcome: Outcome, proposal: Option<Earlier>, report: Option<Report>) {
        self.settle_objects();
        self.carry_forward();
        let clock = clockwork::of(&self.review, self.situation);
        let head = &self.review.head;
        self.happenings.push(Happening::Decision(Decision {
            outcome,
            proposal,
            authoritative: head.authoritative,
            violated: head.today.violated.clone(),
            pending: head.pending.as_ref().map(|pending| PendingLine {
                version: pending.version,
                digest: pending.digest,
                expires_at: pending.expires_at,
                adopter: pending.adopter.clone(),
            }),
            exceptions: head.exceptions.clone(),
            next_check_at: clock.next_check_at,
            report,
        }));
    }

    /// Whether the last thing recorded in this turn was a decision that already says it all: an expiry that left
    /// nothing else to decide, or an issue nothing contradicts.
    pub fn just_decided(&self, outcome: Outcome) -> bool {
        let Some(Happening::Decision(last)) = self.happenings.last() else { return false };
        let head = &self.review.head;
        outcome == Outcome::Unchanged
            && last.authoritative == head.authoritative
            && last.pending.as_ref().map(|pending| pending.version)
                == head.pending.as_ref().map(|pending| pending.version)
            && last.exceptions.len() == head.exceptions.len()
            && last.exceptions.iter().zip(&head.exceptions).all(|(was, now)| was.same(now))
    }

    /// Whether a version, a proposal or an exception changed: what a tick records.
    pub fn changed(&self) -> bool {
        let Some(before) = self.before else { return true };
        let pending = |head: &Head| head.pending.as_ref().map(|pending| (pending.version, pending.adopter.clone()));
        let (was, now) = (&before.head, &self.review.head);
        !self.minted.is_empty()
            || pending(was) != pending(now)
            || was.standing != now.standing && now.standing != Standing::Started
            || was.exceptions.len() != now.exceptions.len()
            || was.exceptions.iter().zip(&now.exceptions).any(|(was, now)| !was.same(now))
    }

    /// Everything that must be written together; `None` where nothing differs.
    pub fn finish(mut self, triggers: Vec<Trigger>) -> Option<Commit> {
        self.settle_objects();
        self.carry_forward();
        self.stir();
        let clock = clockwork::of(&self.review, self.situation);
        let head = &mut self.review.head;
        head.check_at = clock.check_at;
        head.notices_at = clock.notices_at;
        let causes = triggers.iter().map(cause).collect();
        let mut happenings: Vec<Happening> = triggers.into_iter().map(Happening::Trigger).collect();
        happenings.append(&mut self.happenings);
        if self.before.is_some_and(|before| happenings.is_empty() && same_but_time(&before.head, head)) {
            return None;
        }
        Some(commit(self.review.head, self.minted, happenings, causes, self.stands_on))
    }

    /// The quiet period starts with the first change that makes anybody's view differ.
    fn stir(&mut self) {
        let after = reading(&self.review, self.situation);
        let baseline;
        let before = match self.before {
            Some(before) => before,
            None => {
                baseline = as_issued(&self.review);
                &baseline
            }
        };
        let before = reading(before, self.situation);
        let mut people = before.people();
        people.extend(after.people());
        let stirred: Vec<Person> = people
            .into_iter()
            .filter(|person| {
                let seat: Option<Row> = before.authoritative_row(person);
                before.view(person, None) != after.view(person, seat.as_ref())
            })
            .collect();
        if !stirred.is_empty() {
            let quiet_until = self.now().plus_seconds(self.situation.policy.quiet_seconds);
            let head = &mut self.review.head;
            head.stirred.extend(stirred);
            head.quiet_until = Some(head.quiet_until.map_or(quiet_until, |until| until.min(quiet_until)));
        }
        if self.at_once && self.review.head.quiet_until.is_some() {
            self.review.head.quiet_until = Some(self.now());
        }
    }
}

/// Everyone is taken to have been told the packet a review was issued with: what it was issued with is not news, only
/// violations are.
pub fn as_issued(review: &Review) -> Review {
    let issued = &review.issued;
    let mut head = review.head.clone();
    head.standing = Standing::Open;
    head.pending = None;
    head.authoritative = issued.number;
    head.exceptions.clear();
    head.answers.clear();
    head.duties.clear();
    head.adoptions = 0;
    head.today = Today {
        owner: issued.owner.clone(),
        owner_confirmed: !issued.violated.contains(&Mark::OwnerUnconfirmed),
        checkpoints: issued.packet.checkpoints.clone(),
        window: issued.packet.window,
        cutover: issued.packet.cutover,
        freeze_edge: issued.packet.freeze_edge,
        violated: issued
            .violated
            .iter()
            .filter(|mark| !mark.is_violation() && **mark != Mark::OwnerUnconfirmed)
            .cloned()
            .collect(),
        news: Vec::new(),
    };
    Review { head, issued: issued.clone(), authoritative: issued.clone(), pending: None }
}

pub fn reading<'r>(review: &'r Review, situation: &'r Situation<'_>) -> Reading<'r> {
    Reading { review, terms: situation.terms, policy: &situation.policy }
}

/// Puts a commit together: the counter, the chain's next entry and its hash in HEAD.
pub fn commit(
    mut head: Head,
    versions: Vec<Version>,
    happenings: Vec<Happening>,
    causes: Vec<Cause>,
    stands_on: Option<(Subject, Revision)>,
) -> Commit {
    head.counter += 1;
    let entry = (!happenings.is_empty()).then(|| Entry::after(&head.lineage, &head.review, head.at, happenings));
    if let Some(entry) = &entry {
        head.lineage = Tip { sequence: entry.sequence, hash: entry.hash() };
    }
    Commit { head, versions, entry, causes, told: None, stands_on }
}

/// `SEQUENCE` + 1 exactly when slot or attendees change or the hold ends, counted from what anybody was sent.
fn change_hold(hold: &mut Hold, entry: Option<HoldEntry>) {
    if hold.entry == entry {
        return;
    }
    if hold.told {
        hold.sequence += 1;
        // An ended hold is told by its CANCEL, so the next one must rise above it.
        hold.told = entry.is_none();
    }
    hold.entry = entry;
}

fn today(situation: &Situation<'_>, authoritative: &Version, violated: Vec<Mark>) -> Today {
    let in_force = situation.in_force();
    Today {
        owner: situation.owner().cloned(),
        owner_confirmed: in_force.is_none_or(|change| change.owner_confirmed),
        checkpoints: situation.checkpoints(),
        window: in_force.map(|change| change.window),
        cutover: in_force.map(|change| change.cutover),
        freeze_edge: situation.freezes.is_edge(&authoritative.packet.slot),
        violated,
        news: situation
            .standpoints()
            .into_iter()
            .filter(|standpoint| !authoritative.stands_on.contains(standpoint))
            .collect(),
    }
}

pub fn cause(trigger: &Trigger) -> Cause {
    Cause { identity: trigger.identity.clone(), collision: trigger.collision }
}

/// Time of commit apart, nothing differs: not worth a write.
fn same_but_time(before: &Head, after: &Head) -> bool {
    let mut now = after.clone();
    now.at = before.at;
    now == *before
}
