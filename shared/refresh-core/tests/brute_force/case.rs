//! A small case as the judge sees it: times are seconds after a midnight UTC, people and roles are small numbers.
//! Nothing here comes from the core.

use std::collections::{BTreeMap, BTreeSet};

pub type Time = i64;
pub const MINUTE: Time = 60;
pub const DAY: Time = 86_400;

/// Half-open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span {
    pub from: Time,
    pub to: Time,
}

impl Span {
    pub fn meets(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    pub fn holds(self, other: Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }
}

/// Who sits where: one person a role, in role order.
pub type Seats = Vec<usize>;

#[derive(Clone, Debug)]
pub struct Case {
    /// Seconds from 1970 to the midnight that all times count from; a multiple of a day.
    pub midnight: i64,
    pub now: Time,
    pub rules: Rules,
    pub facts: Facts,
    pub review: Review,
}

/// The policy, as far as it decides anything here.
#[derive(Clone, Debug)]
pub struct Rules {
    pub grid: Time,
    pub notice: Time,
    /// What an owner has at least to decide on a new proposal.
    pub decision: Time,
    pub buffer: Time,
    pub grace: Time,
    /// How near a slot may be while evidence is overdue; `None`: no slot at all.
    pub overdue_lead: Option<Time>,
    /// How old a calendar may be.
    pub max_age: Option<Time>,
    pub lead: Time,
    pub edge: Time,
    pub hours: Option<Hours>,
    pub keep_people: bool,
    pub distinct: bool,
    /// Seats in other reviews are no matter.
    pub ignores_others: bool,
    /// Role and person.
    pub excluded: BTreeSet<(usize, usize)>,
    pub deadline: Time,
    pub alternate: Option<usize>,
    /// Evidence times, window and cutover alone owe nobody a notice.
    #[allow(dead_code, reason = "whoever judges choices alone asks nothing of telling")]
    pub carried: bool,
    /// How long `no_viable_slot` stands before anybody is told.
    #[allow(dead_code, reason = "whoever judges choices alone asks nothing of telling")]
    pub escalate: Time,
}

/// Minutes of the local day, and the days of the week (0 = Monday).
#[derive(Clone, Debug)]
pub struct Hours {
    pub opens: u32,
    pub closes: u32,
    pub days: BTreeSet<u8>,
}

#[derive(Clone, Debug)]
pub struct Facts {
    pub change: Option<Change>,
    /// One a role; `None`: never reported.
    pub mappings: Vec<Option<Mapping>>,
    /// One a required checkpoint.
    pub evidence: Vec<Option<Evidence>>,
    /// Span, and whether it is protected.
    pub freezes: Vec<(Span, bool)>,
    /// Whether a freeze calendar of the policy was never reported.
    pub unreported: bool,
    /// One a person.
    pub people: Vec<PersonFacts>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    pub window: Span,
    pub cutover: Time,
    pub owner: Option<usize>,
    pub cancelled: bool,
    /// A draft or on hold, after an approved record.
    pub flux: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mapping {
    pub holder: Option<usize>,
    pub deputies: Option<Vec<Deputy>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deputy {
    pub person: usize,
    pub approved: bool,
    pub from: Option<Time>,
    pub until: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evidence {
    Ready(Time),
    Expected(Option<Time>),
    Withdrawn,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonFacts {
    pub zone: Option<chrono_tz::Tz>,
    pub calendar: Option<Diary>,
    pub oncall: Option<Diary>,
    /// One a review, in order of review.
    pub elsewhere: Vec<Elsewhere>,
}

/// A person's places in another review.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Elsewhere {
    /// Below zero: its name comes before this review's.
    pub review: i8,
    /// The slot, and since when it is claimed, in milliseconds.
    pub seated: Option<(Span, i64)>,
    pub proposed: Option<Proposed>,
    /// What their calendar may show of it: object, slot, and from when to when.
    pub shown: Vec<(Object, Span, Time, Option<Time>)>,
}

/// A place that another review proposes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proposed {
    pub slot: Span,
    /// In milliseconds.
    pub made: i64,
    pub told: bool,
    pub expires: Time,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diary {
    pub accepted: Time,
    /// Its entries are runs of what touches.
    pub merged: bool,
    pub horizon: Span,
    pub busy: Vec<(Span, Option<bool>)>,
    pub unknown: Vec<Span>,
}

/// What the review stands at before it is judged.
#[derive(Clone, Debug)]
pub struct Review {
    pub zone: chrono_tz::Tz,
    pub slot: Span,
    pub seats: Seats,
    /// What else the authoritative packet says; its freeze-edge flag among it.
    pub content: Content,
    pub pending: Option<Pending>,
    /// A proposal that ran out and was not yet followed by another choice.
    pub undecided: Option<Proposal>,
    pub declined: Vec<Declined>,
    /// The owner stands by the present slot while it breaks exactly this, its freeze edge being this.
    pub stands_by: Option<(BTreeSet<String>, bool)>,
    pub bookings: Vec<Booking>,
    /// Whether the invitation that people had before is known by its UID.
    pub uid: bool,
    /// Since when each person has their seat in the authoritative slot, in milliseconds.
    pub claims: BTreeMap<usize, i64>,
}

/// What a packet says beside slot and attendees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    pub ready: Vec<Option<Time>>,
    pub window: Option<Span>,
    pub cutover: Option<Time>,
    pub edge: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    pub slot: Span,
    pub seats: Seats,
    pub edge: bool,
    pub cancelled: bool,
}

#[derive(Clone, Debug)]
pub struct Pending {
    pub proposal: Proposal,
    pub content: Content,
    /// When the time to decide is over, whatever starts.
    pub deadline: Time,
    /// In milliseconds.
    pub made: i64,
    pub told: bool,
}

#[derive(Clone, Debug)]
pub struct Declined {
    pub slot: Span,
    /// `None`: that slot whoever attends.
    pub seats: Option<Seats>,
    /// It was the freeze edge of the authoritative slot itself.
    pub edge: bool,
}

/// A slot that was one object's of ours for one person, from when to when.
#[derive(Clone, Debug)]
pub struct Booking {
    pub object: Object,
    pub slot: Span,
    pub person: usize,
    pub from: Time,
    pub until: Option<Time>,
}

/// What stands in a calendar once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object {
    Meeting,
    /// Ours from when it was sent until its end was.
    Hold,
    /// What people had before the hand-over: nobody knows its UID, so nothing takes it away.
    Nameless,
}
