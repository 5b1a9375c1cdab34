//! Facts: the newest accepted state of one subject, whole. Never an increment.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use crate::facts::entries::{Busy, EntryOf};
use crate::{
    Calendar, ChangeId, Checkpoint, DiaryName, Instant, Interval, Person, ReviewId, Role, Service, Source, Zone,
    base::{
        instant::Slot,
        text::{self, ConferenceUri, OneLine, OrganizerAddress, Paragraphs},
    },
    facts::{
        entries::Entries,
        evidence::Evidence,
        operator::OperatorDecision,
        policy::Overrides,
        revision::{Revision, RevisionOrder, Stamp},
        seat::PersonSeats,
        subject::{Diary, Subject, SubjectRef},
    },
};

/// The most people of one review. `sources` refuses more. This limit and those below keep one decision inside one
/// transaction of 100 actions and 4 MB.
pub const MOST_PEOPLE: usize = 100;
/// The most required roles of one review.
pub const MOST_ROLES: usize = 30;
/// The most checkpoints of one review.
pub const MOST_CHECKPOINTS: usize = 50;
/// The most delegates of one role.
pub const MOST_DELEGATES: usize = 30;
/// The most intervals of one person's calendar.
pub const MOST_INTERVALS: usize = 4_000;
/// The most freezes of one calendar.
pub const MOST_FREEZES: usize = 500;
/// A window longer than this is a typing error; the search is over its grid points.
pub const LONGEST_WINDOW_DAYS: i64 = 366;
/// A review is a meeting.
pub const LONGEST_SLOT_HOURS: i64 = 24;

/// One accepted fact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fact {
    /// What the fact is about.
    pub subject: Subject,
    /// Who said so.
    pub source: Source,
    /// The source's number for this state.
    pub revision: Revision,
    /// When the fact was accepted, by our clock.
    pub accepted_at: Instant,
    /// What the fact says.
    pub body: Body,
    /// What became of the order of revisions.
    #[serde(default, skip_serializing_if = "RevisionOrder::is_plain")]
    pub order: RevisionOrder,
}

impl Fact {
    /// The fact's place in the order of its source.
    pub fn stamp(&self) -> Stamp {
        Stamp { source: self.source.clone(), epoch: self.order.epoch, revision: self.revision }
    }

    /// When the source last said this, be it for the first time or once more.
    pub fn heard_at(&self) -> Instant {
        self.order.heard_at.map_or(self.accepted_at, |heard| heard.max(self.accepted_at))
    }

    /// The order of revisions that the next fact of the subject stands in. A reset, and another source, begin the order
    /// anew: a number of before may come again, for another state.
    pub(crate) fn order_after(&self, source: &Source) -> RevisionOrder {
        let anew = self.order.reset.is_some() || self.source != *source;
        RevisionOrder { epoch: self.order.epoch + u32::from(anew), ..RevisionOrder::default() }
    }
}

/// What a fact says, by kind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A review was issued. In a box: ten times as large as any other body, and one fact among dozens.
    Review(Box<Terms>),
    /// A review was closed, and why.
    Closure {
        /// Why, in the source's words.
        reason: String,
        /// The operator who closed the review; `None` where the review's own source did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Person>,
    },
    /// What an operator decided in the owner's place.
    Decision(OperatorDecision),
    /// The state of a change record.
    Change(Change),
    /// Who holds a role of a service, and who may stand in.
    Delegation(Mapping),
    /// When a person is busy.
    Availability(Availability),
    /// Whether a checkpoint of a change is ready.
    Evidence(Evidence),
    /// All freezes of a calendar.
    Freeze(Vec<Freeze>),
    /// A person's name and zone.
    Person(Profile),
    /// Which calendars a person has beside the one without a name. No source says so: the list grows with the first fact
    /// of each calendar.
    Calendars(BTreeSet<(Diary, DiaryName)>),
}

/// A review's own terms. Slot, attendees and meeting are those of the first issue, for good.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// The review's title, as people read the title.
    pub title: String,
    /// The service whose delegations count.
    pub service: Service,
    /// The change record that governs the review.
    pub change: ChangeId,
    /// The number of the packet that the review was issued with.
    pub version: u32,
    /// The slot of the first issue.
    pub slot: Slot,
    /// The zone that counts for people who have none of their own.
    pub time_zone: Zone,
    /// Who sits in which required role, as first issued.
    pub attendees: BTreeMap<Role, Person>,
    /// Who is invited without a role.
    pub optional: BTreeSet<Person>,
    /// The evidence that must be ready before the review starts.
    pub checkpoints: BTreeSet<Checkpoint>,
    /// The calendar object that the meeting had before the hand-over, if any.
    pub meeting: Option<Meeting>,
    /// What the review sets otherwise than the deployment.
    pub policy: Overrides,
}

/// The calendar object that a review was issued with. An iTIP `REQUEST` replaces the whole object (RFC 5546), so every
/// update must carry all of this again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Meeting {
    /// The UID of RFC 5545.
    pub uid: crate::Uid,
    /// The SEQUENCE of RFC 5545.
    pub sequence: u32,
    /// The ORGANIZER; `None`: the service's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizer: Option<OrganizerAddress>,
    /// The LOCATION.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<OneLine>,
    /// Each CONFERENCE of RFC 7986: where attendees dial in.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "text::conferences")]
    pub conference: Vec<ConferenceUri>,
    /// The DESCRIPTION.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Paragraphs>,
    /// Minutes before the start at which attendees' programs remind them; `None`: the meeting has no alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_minutes: Option<u32>,
}

impl Meeting {
    /// A calendar object of which nothing but its identity is known.
    pub fn bare(uid: crate::Uid, sequence: u32) -> Self {
        Self {
            uid,
            sequence,
            organizer: None,
            location: None,
            conference: Vec::new(),
            description: None,
            alarm_minutes: None,
        }
    }
}

/// The state of a change record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeState {
    /// The record is being written or reworked.
    Draft,
    /// The record is approved.
    Approved,
    /// The record is being reworked.
    OnHold,
    /// The change is being carried out.
    Implementing,
    /// The change is over.
    Closed,
    /// The change does not happen.
    Cancelled,
}

/// The change record: today's state, and what the newest approved record set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Today's state.
    pub state: ChangeState,
    /// `None` until an approved record has been seen.
    pub in_force: Option<InForce>,
}

/// What the newest approved change record set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InForce {
    /// The time in which the review must take place.
    pub window: Interval,
    /// When the change is carried out.
    pub cutover: Interval,
    /// Who decides on proposals; `None` where the record names nobody.
    pub owner: Option<Person>,
    /// Whether the source confirms that owner.
    pub owner_confirmed: bool,
}

/// Who may fill a role of a service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mapping {
    /// `None` where the source says that nobody holds the role.
    pub holder: Option<Person>,
    /// The start of the holder's term; `None`: always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder_valid_from: Option<Instant>,
    /// The end of the holder's term; `None`: no end is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder_valid_until: Option<Instant>,
    /// In order of preference. `None` where the source has no explicit list.
    pub delegates: Option<Vec<Delegate>>,
}

/// Somebody who may stand in for the holder of a role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Delegate {
    /// The delegate.
    pub person: Person,
    /// Whether the delegate is approved.
    pub status: DelegateStatus,
    /// The start of the delegation; `None`: always was.
    pub valid_from: Option<Instant>,
    /// The end of the delegation; `None`: no end is set.
    pub valid_until: Option<Instant>,
}

/// Whether a delegate may stand in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DelegateStatus {
    /// The delegate may stand in.
    Approved,
    /// The delegate is not approved yet.
    Proposed,
    /// The delegate may stand in no more.
    Revoked,
}

/// Busy time inside a known horizon. Of a calendar nothing else has a place here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Availability {
    /// The time that the source knows of. Time outside is unknown.
    pub horizon: Interval,
    /// Busy time, in the source's order. Entries may overlap.
    pub busy: Entries,
    /// Time inside the horizon that the source does not know.
    pub unknown: Vec<Interval>,
    /// Whether `busy` has runs of touching entries instead of entries, as free/busy services answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub merged: bool,
}

/// A time in which nothing may change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Freeze {
    /// The source's name for the freeze.
    pub id: String,
    /// The start of the freeze.
    pub start: Instant,
    /// The end of the freeze.
    pub end: Instant,
    /// Whether a slot must not overlap the freeze.
    pub protected: bool,
}

impl Freeze {
    /// The time of the freeze.
    pub const fn interval(&self) -> Interval {
        Interval { start: self.start, end: self.end }
    }
}

/// What is known of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Profile {
    /// The name, as people read the name.
    pub name: String,
    /// The zone of the person's working hours and mails.
    pub time_zone: Zone,
}

/// The newest facts a decision stands on, by subject.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// In order of subject, one fact a subject: looked up far more often than added to.
    facts: Vec<Fact>,
    /// What other reviews made of people's time, by person. A search asks for hundreds of people, most without any.
    pub(super) seats: Vec<(Person, PersonSeats)>,
}

macro_rules! getters {
    ($($name:ident($($arg:ident: $type:ty),*) -> $body:ident($out:ty): $subject:expr;)*) => {$(
        /// The newest such fact; `None` where no such fact was accepted.
        pub fn $name(&self, $($arg: $type),*) -> Option<&$out> {
            match self.about($subject).map(|fact| &fact.body) {
                Some(Body::$body(body)) => Some(body),
                _ => None,
            }
        }
    )*};
}

impl Facts {
    /// Replaces the fact of the same subject.
    pub fn insert(&mut self, fact: Fact) {
        match self.facts.binary_search_by(|known| known.subject.cmp(&fact.subject)) {
            Ok(at) => self.facts[at] = fact,
            Err(at) => self.facts.insert(at, fact),
        }
    }

    /// Keeps what is of these subjects alone, facts and seats.
    pub fn retain(&mut self, mut keep: impl FnMut(&Subject) -> bool) {
        self.facts.retain(|fact| keep(&fact.subject));
        self.seats.retain(|(person, _)| keep(&Subject::Seat(person.clone())));
    }

    /// The fact of a subject.
    pub fn get(&self, subject: &Subject) -> Option<&Fact> {
        self.about(subject.borrowed())
    }

    fn about(&self, subject: SubjectRef<'_>) -> Option<&Fact> {
        self.facts.binary_search_by(|known| known.subject.borrowed().cmp(&subject)).ok().map(|at| &self.facts[at])
    }

    /// All facts, by subject.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter()
    }

    getters! {
        terms(review: &ReviewId) -> Review(Terms): SubjectRef::Review(review);
        change(change: &ChangeId) -> Change(Change): SubjectRef::Change(change);
        mapping(service: &Service, role: &Role) -> Delegation(Mapping): SubjectRef::Delegation(service, role);
        evidence(change: &ChangeId, checkpoint: &Checkpoint) -> Evidence(Evidence): SubjectRef::Evidence(change, checkpoint);
        freezes(calendar: &Calendar) -> Freeze(Vec<Freeze>): SubjectRef::Freeze(calendar);
        decision(review: &ReviewId) -> Decision(OperatorDecision): SubjectRef::Decision(review);
        profile(person: &Person) -> Person(Profile): SubjectRef::Person(person);
        calendars(person: &Person) -> Calendars(BTreeSet<(Diary, DiaryName)>): SubjectRef::Calendars(person);
    }

    /// Whether `review.closed` was accepted for the review.
    pub fn is_closed(&self, review: &ReviewId) -> bool {
        self.about(SubjectRef::Closure(review)).is_some()
    }

    /// The operator who closed this review, and why. `None`: the review is not closed, or its own source closed it.
    pub fn closed_by(&self, review: &ReviewId) -> Option<(&Person, &str)> {
        match &self.about(SubjectRef::Closure(review))?.body {
            Body::Closure { by: Some(by), reason } => Some((by, reason)),
            _ => None,
        }
    }

    /// All calendars of a person, each with when it was accepted: own-meeting detection needs to know. They lie side by
    /// side.
    pub fn diaries<'f>(&'f self, person: &Person) -> impl Iterator<Item = (Diary, &'f Availability, Instant)> {
        let first = SubjectRef::Availability(person, Diary::Calendar, None);
        let from = self.facts.partition_point(|fact| match &fact.subject {
            // Nearly all facts are people's calendars, and one comparison answers for them.
            Subject::Availability(whose, ..) => whose < person,
            other => other.borrowed() < first,
        });
        self.facts[from..].iter().map_while(move |fact| match (&fact.subject, &fact.body) {
            (Subject::Availability(whose, diary, _), Body::Availability(availability)) if whose == person => {
                Some((*diary, availability, fact.accepted_at))
            }
            _ => None,
        })
    }
}

impl FromIterator<Fact> for Facts {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Self {
        let mut all: Vec<Fact> = facts.into_iter().collect();
        // Of several facts of one subject the last one counts.
        all.reverse();
        all.sort_by(|a, b| a.subject.cmp(&b.subject));
        all.dedup_by(|later, first| later.subject == first.subject);
        Self { facts: all, seats: Vec::new() }
    }
}
