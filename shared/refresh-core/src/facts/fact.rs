//! Facts: the newest accepted state of one subject, whole. Never an increment.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Calendar, ChangeId, Checkpoint, Instant, Interval, Person, ReviewId, Role, Service, Source, Zone,
    base::instant::Slot,
    facts::{
        policy::Overrides,
        subject::{Diary, Subject},
    },
};

/// Limits, refused at the door beyond. They keep one decision inside one transaction of 100 actions and 4 MB.
pub const MOST_PEOPLE: usize = 100;
pub const MOST_ROLES: usize = 30;
pub const MOST_CHECKPOINTS: usize = 50;
pub const MOST_DELEGATES: usize = 30;
pub const MOST_INTERVALS: usize = 4_000;
pub const MOST_FREEZES: usize = 500;
/// A window longer than this is a typing error; the search is over its grid points.
pub const LONGEST_WINDOW_DAYS: i64 = 366;
/// A review is a meeting.
pub const LONGEST_SLOT_HOURS: i64 = 24;

/// The source's own monotonic number for one subject. Compared only within one source.
pub type Revision = u64;

/// One accepted fact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fact {
    pub subject: Subject,
    pub source: Source,
    pub revision: Revision,
    pub accepted_at: Instant,
    pub body: Body,
}

/// What a fact says, by kind.
// One review's terms among dozens of small facts: a box would cost every reader of terms more than it saves.
#[expect(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    Review(Terms),
    Closure { reason: String },
    Change(Change),
    Delegation(Mapping),
    Availability(Availability),
    Evidence(Evidence),
    Freeze(Vec<Freeze>),
    Person(Profile),
}

/// A review's own terms. Slot, attendees and meeting are those of the first issue, for good.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    pub title: String,
    pub service: Service,
    pub change: ChangeId,
    pub version: u32,
    pub slot: Slot,
    pub time_zone: Zone,
    pub attendees: BTreeMap<Role, Person>,
    pub optional: BTreeSet<Person>,
    pub checkpoints: BTreeSet<Checkpoint>,
    pub meeting: Option<Meeting>,
    pub policy: Overrides,
}

/// The calendar identity a review was issued with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Meeting {
    pub uid: String,
    pub sequence: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeState {
    Draft,
    Approved,
    OnHold,
    Implementing,
    Closed,
    Cancelled,
}

/// The change record: today's state, and what the newest approved record set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    pub state: ChangeState,
    /// `None` until an approved record has been seen.
    pub in_force: Option<InForce>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InForce {
    pub window: Interval,
    pub cutover: Interval,
    pub owner: Option<Person>,
    pub owner_confirmed: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mapping {
    /// `None` where the source says that nobody holds the role.
    pub holder: Option<Person>,
    /// In order of preference. `None` where the source has no explicit list.
    pub delegates: Option<Vec<Delegate>>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Delegate {
    pub person: Person,
    pub status: DelegateStatus,
    pub valid_from: Option<Instant>,
    pub valid_until: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DelegateStatus {
    Approved,
    Proposed,
    Revoked,
}

/// Busy time inside a known horizon. Of a calendar nothing else has a place here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Availability {
    pub horizon: Interval,
    pub busy: Vec<Busy>,
    pub unknown: Vec<Interval>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Busy {
    pub start: Instant,
    pub end: Instant,
    /// Whether the source says that this entry is our own meeting. `None`: it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<bool>,
}

impl Busy {
    pub const fn interval(&self) -> Interval {
        Interval { start: self.start, end: self.end }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    pub status: EvidenceStatus,
    pub ready_at: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceStatus {
    Expected,
    Ready,
    Withdrawn,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Freeze {
    pub id: String,
    pub start: Instant,
    pub end: Instant,
    pub protected: bool,
}

impl Freeze {
    pub const fn interval(&self) -> Interval {
        Interval { start: self.start, end: self.end }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Profile {
    pub name: String,
    pub time_zone: Zone,
}

/// The newest facts a decision stands on, by subject.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts(
    /// In order of subject, one fact a subject: looked up far more often than added to.
    Vec<Fact>,
);

macro_rules! getters {
    ($($name:ident($($arg:ident: $type:ty),*) -> $body:ident($out:ty): $subject:expr;)*) => {$(
        pub fn $name(&self, $($arg: $type),*) -> Option<&$out> {
            match self.get(&$subject).map(|fact| &fact.body) {
                Some(Body::$body(body)) => Some(body),
                _ => None,
            }
        }
    )*};
}

impl Facts {
    pub fn insert(&mut self, fact: Fact) {
        match self.0.binary_search_by(|known| known.subject.cmp(&fact.subject)) {
            Ok(at) => self.0[at] = fact,
            Err(at) => self.0.insert(at, fact),
        }
    }

    pub fn get(&self, subject: &Subject) -> Option<&Fact> {
        self.0.binary_search_by(|known| known.subject.cmp(subject)).ok().map(|at| &self.0[at])
    }

    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter()
    }

    getters! {
        terms(review: &ReviewId) -> Review(Terms): Subject::Review(review.clone());
        change(change: &ChangeId) -> Change(Change): Subject::Change(change.clone());
        mapping(service: &Service, role: &Role) -> Delegation(Mapping): Subject::Delegation(service.clone(), role.clone());
        evidence(change: &ChangeId, checkpoint: &Checkpoint) -> Evidence(Evidence): Subject::Evidence(change.clone(), checkpoint.clone());
        freezes(calendar: &Calendar) -> Freeze(Vec<Freeze>): Subject::Freeze(calendar.clone());
        profile(person: &Person) -> Person(Profile): Subject::Person(person.clone());
    }

    pub fn is_closed(&self, review: &ReviewId) -> bool {
        self.get(&Subject::Closure(review.clone())).is_some()
    }

    /// A person's calendars, each with when it was accepted: own-meeting detection needs to know. They lie side by side.
    pub fn diaries(&self, person: &Person) -> impl Iterator<Item = (Diary, &Availability, Instant)> {
        let first = Subject::Availability(person.clone(), Diary::Calendar);
        let from = self.0.partition_point(|fact| fact.subject < first);
        self.0[from..].iter().map_while(move |fact| match (&fact.subject, &fact.body) {
            (Subject::Availability(whose, diary), Body::Availability(availability)) if whose == person => {
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
        Self(all)
    }
}
