//! One review's facts, read together: what the rules ask of them, in the rules' own words.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    Checkpoint, Instant, Interval, Person, ReviewId, Role, Zone,
    base::instant::{MINUTE, SECOND},
    choice::{freeze::Freezes, silence::Silence},
    facts::{
        evidence::EvidenceStatus,
        fact::{Change, ChangeState, DelegateStatus, Fact, Facts, InForce, Terms},
        policy::{Deployment, Policy},
        subject::{Diary, Subject},
    },
    record::{
        exception::Reason,
        packet::{Packet, Standpoint},
    },
};

/// Everything a decision reads, at one instant.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// The review.
    pub id: &'a ReviewId,
    /// The review's terms.
    pub terms: &'a Terms,
    /// The newest facts.
    pub facts: &'a Facts,
    /// The deployment's policy, with what the review sets otherwise.
    pub policy: Policy,
    /// The freezes of the policy's calendars.
    pub freezes: Freezes,
    /// Whose sources have broken their promise to speak.
    pub silence: Silence,
    /// When.
    pub now: Instant,
}

/// When a required checkpoint is ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ready {
    /// At this instant.
    At(Instant),
    /// Expected then, and not `ready` within the grace.
    Overdue(Instant),
    /// Never reported, withdrawn, or expected without a time.
    Never,
}

/// Somebody who may fill a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Eligible<'a> {
    /// The person.
    pub person: &'a Person,
    /// 0 is the holder, then the delegates in order of preference.
    pub rank: u32,
    /// The start of the validity; `None`: always was.
    pub valid_from: Option<Instant>,
    /// The end of the validity; `None`: no end is set.
    pub valid_until: Option<Instant>,
}

impl Eligible<'_> {
    /// The validity covers the whole slot.
    pub fn covers(&self, slot: &Interval) -> bool {
        self.valid_from.is_none_or(|from| from <= slot.start) && self.valid_until.is_none_or(|until| slot.end <= until)
    }
}

impl<'a> Situation<'a> {
    /// `None` where the review was never issued.
    pub fn of(id: &'a ReviewId, facts: &'a Facts, deployment: &Deployment, now: Instant) -> Option<Self> {
        let terms = facts.terms(id)?;
        let policy = deployment.defaults.with(&terms.policy);
        let freezes = Freezes::of(facts, &policy);
        let silence = Silence::of(terms, &policy, facts, deployment, now);
        Some(Self { id, terms, facts, policy, freezes, silence, now })
    }

    /// The required roles, in role-name order.
    pub fn roles(&self) -> impl Iterator<Item = &'a Role> {
        self.terms.attendees.keys()
    }

    /// The change record; `None` where none was seen.
    pub fn change(&self) -> Option<&'a Change> {
        self.facts.change(&self.terms.change)
    }

    /// What the newest approved change record set.
    pub fn in_force(&self) -> Option<&'a InForce> {
        self.change().and_then(|change| change.in_force.as_ref())
    }

    /// The owner that the newest approved change record names.
    pub fn owner(&self) -> Option<&'a Person> {
        self.in_force().and_then(|change| change.owner.as_ref())
    }

    /// Whether the change record is closed or cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.change().is_some_and(|change| matches!(change.state, ChangeState::Closed | ChangeState::Cancelled))
    }

    /// Whether the change record is being reworked.
    pub fn in_flux(&self) -> bool {
        self.change().is_some_and(|change| matches!(change.state, ChangeState::Draft | ChangeState::OnHold))
    }

    /// When this checkpoint is ready.
    pub fn ready(&self, checkpoint: &Checkpoint) -> Ready {
        let Some(evidence) = self.facts.evidence(&self.terms.change, checkpoint) else { return Ready::Never };
        match (evidence.status, evidence.ready_minute()) {
            (EvidenceStatus::Ready, Some(at)) => Ready::At(at),
            (EvidenceStatus::Expected, Some(at)) if self.now < self.overdue_at(at) => Ready::At(at),
            (EvidenceStatus::Expected, Some(at)) => Ready::Overdue(at),
            _ => Ready::Never,
        }
    }

    /// Until then an expected checkpoint counts as ready at its expected time; at that instant it is overdue.
    pub fn overdue_at(&self, expected: Instant) -> Instant {
        expected.plus_minutes(self.policy.evidence_grace_minutes)
    }

    /// The next instant at which an expected checkpoint becomes overdue by time alone.
    pub fn next_overdue(&self) -> Option<Instant> {
        self.terms
            .checkpoints
            .iter()
            .filter_map(|checkpoint| {
                let evidence = self.facts.evidence(&self.terms.change, checkpoint)?;
                let at = self.overdue_at(evidence.ready_minute()?);
                (evidence.status == EvidenceStatus::Expected && self.now < at).then_some(at)
            })
            .min()
    }

    /// When each required checkpoint is ready; `None` where nothing says so.
    pub fn checkpoints(&self) -> BTreeMap<Checkpoint, Option<Instant>> {
        let ready = |checkpoint: &Checkpoint| match self.ready(checkpoint) {
            Ready::At(at) => Some(at),
            Ready::Overdue(_) | Ready::Never => None,
        };
        self.terms.checkpoints.iter().map(|checkpoint| (checkpoint.clone(), ready(checkpoint))).collect()
    }

    /// The role's holder and its approved delegates, whatever their validity; nobody the policy excludes.
    pub fn eligible(&self, role: &Role) -> impl Iterator<Item = Eligible<'a>> {
        self.appointed(role).filter(|eligible| !self.policy.excludes(role, eligible.person))
    }

    /// The role's holder and its approved delegates, whatever their validity and whomever the policy excludes.
    pub fn appointed(&self, role: &Role) -> impl Iterator<Item = Eligible<'a>> {
        let mapping = self.facts.mapping(&self.terms.service, role);
        let holder = mapping.and_then(|mapping| {
            let (valid_from, valid_until) = (mapping.holder_valid_from, mapping.holder_valid_until);
            Some(Eligible { person: mapping.holder.as_ref()?, rank: 0, valid_from, valid_until })
        });
        let delegates = mapping.and_then(|mapping| mapping.delegates.as_ref());
        let delegates = delegates.into_iter().flatten().zip(1..).filter_map(|(delegate, rank)| {
            (delegate.status == DelegateStatus::Approved).then_some(Eligible {
                person: &delegate.person,
                rank,
                valid_from: delegate.valid_from,
                valid_until: delegate.valid_until,
            })
        });
        holder.into_iter().chain(delegates)
    }

    /// What must be explicit before anything is refreshed by itself.
    pub fn incomplete(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for role in self.roles() {
            let mapping = self.facts.mapping(&self.terms.service, role);
            if mapping.is_none_or(|mapping| mapping.holder.is_none()) {
                reasons.push(Reason::Holder(role.clone()));
            }
            if mapping.is_none_or(|mapping| mapping.delegates.is_none()) {
                reasons.push(Reason::Delegates(role.clone()));
            }
        }
        match self.in_force() {
            None => reasons.push(Reason::ChangeRecord),
            // A hold asks people to keep an hour free. Nobody is asked to do so for a proposal that nobody can adopt.
            Some(change) if change.owner.is_none() => reasons.push(Reason::Owner),
            Some(_) => {}
        }
        reasons
    }

    /// The person's zone, or the review's where no fact says one.
    pub fn zone(&self, person: &Person) -> Zone {
        self.facts.profile(person).map_or(self.terms.time_zone, |profile| profile.time_zone)
    }

    /// The packet these facts make of a slot and attendees.
    pub fn packet(&self, slot: Interval, attendees: BTreeMap<Role, Person>) -> Packet {
        Packet {
            slot,
            attendees,
            checkpoints: self.checkpoints(),
            window: self.in_force().map(|change| change.window),
            cutover: self.in_force().map(|change| change.cutover),
            freeze_edge: self.freezes.is_edge(&slot),
            cancelled: false,
        }
    }

    /// The earliest start the evidence allows; `None` where it allows none.
    pub fn evidence_start(&self) -> Option<Instant> {
        let buffer = self.policy.evidence_buffer_minutes * MINUTE;
        let mut start = Instant::from_millis(i64::MIN / 4);
        for checkpoint in &self.terms.checkpoints {
            match self.ready(checkpoint) {
                Ready::At(at) => start = start.max(at.plus_millis(buffer)),
                Ready::Overdue(_) => start = start.max(self.overdue_start()?),
                Ready::Never => return None,
            }
        }
        Some(start)
    }

    /// The earliest start while a checkpoint is overdue: late evidence is a problem when the slot comes near. `None`
    /// where the policy allows none at all.
    pub fn overdue_start(&self) -> Option<Instant> {
        self.policy.overdue_lead_minutes.map(|lead| self.now.plus_minutes(lead))
    }

    /// The required checkpoints whose evidence did not come when expected.
    pub fn overdue(&self) -> impl Iterator<Item = &'a Checkpoint> {
        self.terms.checkpoints.iter().filter(|checkpoint| matches!(self.ready(checkpoint), Ready::Overdue(_)))
    }

    /// The earliest start of a new proposal while a checkpoint is overdue. `None` where none is, or the policy allows no start.
    pub fn overdue_proposal_start(&self) -> Option<Instant> {
        self.overdue().next()?;
        Some(self.overdue_start()?.plus_minutes(self.policy.min_decision_minutes))
    }

    /// The last instant at which overdue evidence allows a start. `None` where no evidence is overdue, or no start is
    /// allowed whenever.
    pub fn last_while_overdue(&self, start: Instant) -> Option<Instant> {
        let lead = self.policy.overdue_lead_minutes?;
        self.overdue().next().map(|_| start.plus_minutes(-lead))
    }

    /// The latest end the cutover allows.
    pub fn cutover_end(&self) -> Option<Instant> {
        let lead = self.policy.lead_before_cutover_minutes;
        self.in_force().map(|change| change.cutover.start.plus_minutes(-lead))
    }

    /// The earliest start that leaves the notice: of a proposal that people were told of.
    pub fn notice_start(&self) -> Instant {
        self.now.plus_minutes(self.policy.min_notice_minutes)
    }

    /// The earliest start of a new proposal: before the notice its owner has time to decide, since a proposal expires by
    /// its own start less the notice.
    pub fn proposal_start(&self) -> Instant {
        self.notice_start().plus_minutes(self.policy.min_decision_minutes)
    }

    /// The last instant at which a new proposal leaves both.
    pub fn last_proposable(&self, start: Instant) -> Instant {
        start.plus_minutes(-self.policy.min_notice_minutes - self.policy.min_decision_minutes)
    }

    /// The last instant at which overdue evidence allows a new proposal of that start. `None` as above.
    pub fn last_proposable_while_overdue(&self, start: Instant) -> Option<Instant> {
        self.last_while_overdue(start).map(|last| last.plus_minutes(-self.policy.min_decision_minutes))
    }

    /// The next second at which a new proposal of that start leaves too little time, or overdue evidence allows it no longer.
    pub fn proposable_until(&self, start: Instant) -> Option<Instant> {
        let lasts = [Some(self.last_proposable(start)), self.last_proposable_while_overdue(start)];
        lasts.into_iter().flatten().map(|last| last.plus_millis(SECOND)).filter(|at| *at > self.now).min()
    }

    /// The facts a packet made now stands on.
    pub fn standpoints(&self) -> Arc<[Standpoint]> {
        self.stood_on().map(Standpoint::of).collect()
    }

    /// The same facts themselves, in order of subject.
    pub fn stood_on(&self) -> impl Iterator<Item = &'a Fact> {
        let stands = |subject: &Subject| {
            !matches!(subject, Subject::Person(_) | Subject::Closure(_) | Subject::Calendars(_) | Subject::Decision(_))
        };
        self.facts.iter().filter(move |fact| stands(&fact.subject))
    }
}

/// The subjects a review depends on, as far as the facts at hand name them. A fact that names new ones leads to
/// another round: call again until nothing is added. `seated`: who sits in its versions.
pub fn subjects<'a>(
    id: &ReviewId,
    facts: &'a Facts,
    deployment: &Deployment,
    seated: impl IntoIterator<Item = &'a Person>,
) -> BTreeSet<Subject> {
    let mut subjects =
        BTreeSet::from([Subject::Review(id.clone()), Subject::Closure(id.clone()), Subject::Decision(id.clone())]);
    let Some(terms) = facts.terms(id) else { return subjects };
    let policy = deployment.defaults.with(&terms.policy);
    subjects.insert(Subject::Change(terms.change.clone()));
    subjects.extend(terms.checkpoints.iter().map(|key| Subject::Evidence(terms.change.clone(), key.clone())));
    subjects.extend(policy.freeze_calendars.iter().cloned().map(Subject::Freeze));
    let mut seats: BTreeSet<&Person> = terms.attendees.values().chain(seated).collect();
    for role in terms.attendees.keys() {
        subjects.insert(Subject::Delegation(terms.service.clone(), role.clone()));
        if let Some(mapping) = facts.mapping(&terms.service, role) {
            seats.extend(mapping.holder.iter());
            let approved = |delegate: &&crate::facts::fact::Delegate| delegate.status == DelegateStatus::Approved;
            seats.extend(mapping.delegates.iter().flatten().filter(approved).map(|delegate| &delegate.person));
        }
    }
    for person in &seats {
        subjects.insert(Subject::Availability((*person).clone(), Diary::Calendar, None));
        subjects.insert(Subject::Availability((*person).clone(), Diary::Oncall, None));
        subjects.insert(Subject::Calendars((*person).clone()));
        let further = facts.calendars(person).into_iter().flatten();
        subjects
            .extend(further.map(|(diary, name)| Subject::Availability((*person).clone(), *diary, Some(name.clone()))));
        subjects.insert(Subject::Seat((*person).clone()));
    }
    let alternate = policy.alternate_owner.iter().chain(&policy.escalation_contacts).cloned();
    let owner = facts.change(&terms.change).and_then(|change| change.in_force.as_ref()?.owner.as_ref());
    let readers = terms.optional.iter().chain(owner);
    subjects.extend(seats.into_iter().chain(readers).cloned().chain(alternate).map(Subject::Person));
    subjects
}
