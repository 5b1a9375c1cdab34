//! What facts are about: one subject, one fact.

use serde::{Deserialize, Serialize};

use crate::{Calendar, ChangeId, Checkpoint, DiaryName, Person, ReviewId, Role, Service};

/// What a source can be authoritative for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A review's terms and end.
    Review,
    /// A change record.
    Change,
    /// Who fills a role of a service.
    Delegation,
    /// A person's calendars.
    Availability,
    /// A checkpoint of a change.
    Evidence,
    /// A calendar of freezes.
    Freeze,
    /// A person's name and zone.
    Person,
    /// An operator's act in person. It is no kind of fact, and no subject is of this kind.
    Operator,
    /// What people send back by mail. It is no kind of fact.
    Reply,
}

impl Kind {
    /// The kinds of facts, in the order of the contract.
    pub const OF_FACTS: [Self; 7] =
        [Self::Review, Self::Change, Self::Delegation, Self::Availability, Self::Evidence, Self::Freeze, Self::Person];

    /// Every kind that a source can be registered for, in the order of the contract.
    pub const ALL: [Self; 9] = [
        Self::Review,
        Self::Change,
        Self::Delegation,
        Self::Availability,
        Self::Evidence,
        Self::Freeze,
        Self::Person,
        Self::Operator,
        Self::Reply,
    ];

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Change => "change",
            Self::Delegation => "delegation",
            Self::Availability => "availability",
            Self::Evidence => "evidence",
            Self::Freeze => "freeze",
            Self::Person => "person",
            Self::Operator => "operator",
            Self::Reply => "reply",
        }
    }
}

/// Which of a person's two sorts of calendars.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diary {
    /// The calendar of meetings.
    Calendar,
    /// The calendar of on-call duty.
    Oncall,
}

impl Diary {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Oncall => "oncall",
        }
    }
}

/// What a fact is about: one subject, one fact.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The terms of a review.
    Review(ReviewId),
    /// The end of a review.
    Closure(ReviewId),
    /// What an operator decided about a review's proposal, in its owner's place.
    Decision(ReviewId),
    /// A change record.
    Change(ChangeId),
    /// Who fills a role of a service.
    Delegation(Service, Role),
    /// One calendar of a person: the sort, and which of several. The one without a name is the only one by default.
    Availability(Person, Diary, #[serde(default, skip_serializing_if = "Option::is_none")] Option<DiaryName>),
    /// One checkpoint of a change.
    Evidence(ChangeId, Checkpoint),
    /// A calendar of freezes.
    Freeze(Calendar),
    /// A person's name and zone.
    Person(Person),
    /// Which calendars a person has beside the one without a name.
    Calendars(Person),
    /// A person's places in every review. No source states them: reviews write them and depend on them.
    Seat(Person),
    /// What somebody sent back by mail. No fact has this subject.
    Reply(Person),
    /// A mail that an operator asks to be sent once more. No fact has this subject.
    Resend(ReviewId, Person),
}

/// A subject whose names are borrowed: what facts are looked up by, without a copy of any name. The variants stand in
/// the order of [`Subject`], so both kinds of subjects have one order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SubjectRef<'a> {
    /// [`Subject::Review`].
    Review(&'a ReviewId),
    /// [`Subject::Closure`].
    Closure(&'a ReviewId),
    /// [`Subject::Decision`].
    Decision(&'a ReviewId),
    /// [`Subject::Change`].
    Change(&'a ChangeId),
    /// [`Subject::Delegation`].
    Delegation(&'a Service, &'a Role),
    /// [`Subject::Availability`].
    Availability(&'a Person, Diary, Option<&'a DiaryName>),
    /// [`Subject::Evidence`].
    Evidence(&'a ChangeId, &'a Checkpoint),
    /// [`Subject::Freeze`].
    Freeze(&'a Calendar),
    /// [`Subject::Person`].
    Person(&'a Person),
    /// [`Subject::Calendars`].
    Calendars(&'a Person),
    /// [`Subject::Seat`].
    Seat(&'a Person),
    /// [`Subject::Reply`].
    Reply(&'a Person),
    /// [`Subject::Resend`].
    Resend(&'a ReviewId, &'a Person),
}

impl Subject {
    /// The same subject by reference.
    #[inline]
    pub const fn borrowed(&self) -> SubjectRef<'_> {
        match self {
            Self::Review(id) => SubjectRef::Review(id),
            Self::Closure(id) => SubjectRef::Closure(id),
            Self::Decision(id) => SubjectRef::Decision(id),
            Self::Change(id) => SubjectRef::Change(id),
            Self::Delegation(service, role) => SubjectRef::Delegation(service, role),
            Self::Availability(person, diary, name) => SubjectRef::Availability(person, *diary, name.as_ref()),
            Self::Evidence(change, checkpoint) => SubjectRef::Evidence(change, checkpoint),
            Self::Freeze(calendar) => SubjectRef::Freeze(calendar),
            Self::Person(person) => SubjectRef::Person(person),
            Self::Calendars(person) => SubjectRef::Calendars(person),
            Self::Seat(person) => SubjectRef::Seat(person),
            Self::Reply(person) => SubjectRef::Reply(person),
            Self::Resend(review, person) => SubjectRef::Resend(review, person),
        }
    }

    /// The subject that dependents are registered and looked up under. All calendars of one sort stand under the one
    /// without a name, and so does the list of them: a review depends on a person's calendars before anybody knows how
    /// many there are.
    pub fn dependence(&self) -> Self {
        match self {
            Self::Availability(person, diary, Some(_)) => Self::Availability(person.clone(), *diary, None),
            Self::Calendars(person) => Self::Availability(person.clone(), Diary::Calendar, None),
            other => other.clone(),
        }
    }

    /// The kind that a source must be registered for. No event is about a seat.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Review(_) | Self::Closure(_) => Kind::Review,
            Self::Decision(_) | Self::Resend(..) => Kind::Operator,
            Self::Change(_) => Kind::Change,
            Self::Delegation(..) => Kind::Delegation,
            Self::Availability(..) | Self::Calendars(_) => Kind::Availability,
            Self::Evidence(..) => Kind::Evidence,
            Self::Freeze(_) => Kind::Freeze,
            Self::Person(_) | Self::Seat(_) => Kind::Person,
            Self::Reply(_) => Kind::Reply,
        }
    }

    /// The word in the store's key: the kind, but a closure and a list of calendars are their own.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Closure(_) => "closure",
            Self::Calendars(_) => "calendars",
            Self::Seat(_) => "seat",
            Self::Decision(_) => "decision",
            Self::Resend(..) => "resend",
            other => other.kind().word(),
        }
    }

    /// The names that make the subject, in key order. Joining and escaping is the store's business.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Review(id) | Self::Closure(id) | Self::Decision(id) => vec![id.as_str()],
            Self::Change(id) => vec![id.as_str()],
            Self::Resend(review, person) => vec![review.as_str(), person.as_str()],
            Self::Delegation(service, role) => vec![service.as_str(), role.as_str()],
            Self::Availability(person, diary, name) => {
                [person.as_str(), diary.word()].into_iter().chain(name.as_ref().map(DiaryName::as_str)).collect()
            }
            Self::Evidence(change, checkpoint) => vec![change.as_str(), checkpoint.as_str()],
            Self::Freeze(calendar) => vec![calendar.as_str()],
            Self::Person(person) | Self::Calendars(person) | Self::Seat(person) | Self::Reply(person) => {
                vec![person.as_str()]
            }
        }
    }
}
