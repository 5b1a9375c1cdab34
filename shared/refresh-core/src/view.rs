//! What one person must know of a review now. One mechanism for audience, delta, answer validity and carry-forward.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize, de};

use crate::{
    Checkpoint, Instant, Interval, Person, Role,
    digest::Digest,
    exception::{Exception, ExceptionKind, Rule},
    fact::Terms,
    instant::Slot,
    packet::Packet,
    people,
    policy::Policy,
    review::{Head, Reply, Review, Standing},
    violation::Mark,
};

/// A person is affected exactly when this changed. Empty: nothing concerns them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct View {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Seating>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendance: Option<Attendance>,
    /// The proposal this person must decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decides: Option<Digest>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roster: BTreeMap<Role, Person>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checkpoints: BTreeMap<Checkpoint, Option<Instant>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Interval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutover: Option<Interval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze_edge: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violated: Vec<Mark>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ExceptionLine>,
    /// Who answered `conflict`, by role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conflicts: BTreeMap<Role, Person>,
}

/// Whether a seat is the authoritative packet's or a proposal's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seating {
    Tentative,
    Authoritative,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attendance {
    /// A proposal would replace them; until then they are expected.
    WouldBeReleased,
    Released,
    /// Cancelling the review is proposed.
    Cancellation,
}

/// An exception in a view: its kind and its rules with role and person, nothing else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ExceptionLine {
    pub kind: ExceptionKind,
    pub rules: Vec<RuleLine>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RuleLine {
    pub rule: Rule,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
}

impl View {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The member of a view that differs, by its name in the contract.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Field {
    Attendance,
    Slot,
    Role,
    Standing,
    Duty,
    Roster(Role),
    Checkpoint(Checkpoint),
    Window,
    Cutover,
    FreezeEdge,
    Violated,
    Exception,
    Conflict(Role),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attendance => f.write_str("attendance"),
            Self::Slot => f.write_str("slot"),
            Self::Role => f.write_str("role"),
            Self::Standing => f.write_str("standing"),
            Self::Duty => f.write_str("duty"),
            Self::Roster(role) => write!(f, "roster.{role}"),
            Self::Checkpoint(key) => write!(f, "checkpoint.{key}"),
            Self::Window => f.write_str("window"),
            Self::Cutover => f.write_str("cutover"),
            Self::FreezeEdge => f.write_str("freeze_edge"),
            Self::Violated => f.write_str("violated"),
            Self::Exception => f.write_str("exception"),
            Self::Conflict(role) => write!(f, "conflict.{role}"),
        }
    }
}

impl std::str::FromStr for Field {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.split_once('.') {
            Some(("roster", role)) => Self::Roster(Role::parse(role)?),
            Some(("checkpoint", key)) => Self::Checkpoint(Checkpoint::parse(key)?),
            Some(("conflict", role)) => Self::Conflict(Role::parse(role)?),
            _ => match text {
                "attendance" => Self::Attendance,
                "slot" => Self::Slot,
                "role" => Self::Role,
                "standing" => Self::Standing,
                "duty" => Self::Duty,
                "window" => Self::Window,
                "cutover" => Self::Cutover,
                "freeze_edge" => Self::FreezeEdge,
                "violated" => Self::Violated,
                "exception" => Self::Exception,
                _ => return Err(format!("a field of a view; found {text:?}")),
            },
        })
    }
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// One difference of two views.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    pub field: Field,
    pub was: Option<Value>,
    pub now: Option<Value>,
}

/// What a field holds. Untagged: the JSON of the contract.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Flag(bool),
    Interval(Interval),
    Duty(DutyLine),
    Marks(Vec<Mark>),
    Exceptions(Vec<ExceptionLine>),
    Instant(Instant),
    Seating(Seating),
    Attendance(Attendance),
    Text(String),
}

/// What the reader must do, and by when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DutyLine {
    pub action: DutyAction,
    pub by: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyAction {
    Decide,
    Answer,
}

/// A required attendee's row: what an answer is to. It carries forward exactly as long as this is the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    pub slot: Slot,
    pub roles: BTreeSet<Role>,
    pub standing: Seating,
}

impl Row {
    pub fn digest(&self) -> Digest {
        Digest::of("row", self)
    }
}

/// A review as its readers see it.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    pub review: &'a Review,
    pub terms: &'a Terms,
    pub policy: &'a Policy,
}

impl<'a> Reading<'a> {
    fn head(&self) -> &'a Head {
        &self.review.head
    }

    /// Everyone who has a view for what they are in the review now. Former participants come with their TOLD.
    pub fn people(&self) -> BTreeSet<Person> {
        let packets = std::iter::once(&self.review.authoritative).chain(&self.review.pending);
        let mut people: BTreeSet<Person> =
            packets.flat_map(|version| version.packet.attendees.values().cloned()).collect();
        people.extend(self.terms.optional.iter().cloned());
        people.extend(self.head().today.owner.iter().cloned());
        people.extend(self.head().pending.iter().filter_map(|pending| pending.adopter.clone()));
        people.extend(self.policy.escalation_contacts.iter().cloned());
        people
    }

    fn is_owner(&self, person: &Person) -> bool {
        self.head().today.owner.as_ref() == Some(person)
    }

    fn decides(&self, person: &Person) -> bool {
        self.head().pending.as_ref().is_some_and(|pending| pending.adopter.as_ref() == Some(person))
    }

    fn is_release_manager(&self, person: &Person) -> bool {
        let mut roles = self.review.authoritative.packet.roles_of(person);
        roles.any(|role| role.as_str() == people::RELEASE_MANAGER)
    }

    /// Whether the person sees the whole roster.
    pub fn sees_all(&self, person: &Person) -> bool {
        self.is_owner(person) || self.decides(person) || self.is_release_manager(person)
    }

    /// The proposal, if one is pending and this person hears of proposals.
    pub fn proposal_for(&self, person: &Person) -> Option<&'a Packet> {
        let proposal = &self.review.pending.as_ref()?.packet;
        let decider = self.is_owner(person) || self.decides(person);
        let hears = match (proposal.cancelled, self.policy.tell_before_adoption) {
            (true, _) => decider || self.is_release_manager(person),
            (false, tell) => tell || decider,
        };
        hears.then_some(proposal)
    }

    /// The seat in the authoritative packet.
    pub fn authoritative_row(&self, person: &Person) -> Option<Row> {
        if self.head().standing == Standing::Cancelled {
            return None;
        }
        row(&self.review.authoritative.packet, person, Seating::Authoritative)
    }

    /// The seat a proposal would give, where it is another than the authoritative one.
    pub fn tentative_row(&self, person: &Person) -> Option<Row> {
        let proposed = row(self.proposal_for(person)?, person, Seating::Tentative)?;
        let same = self
            .authoritative_row(person)
            .is_some_and(|seat| seat.slot == proposed.slot && seat.roles == proposed.roles);
        (!same).then_some(proposed)
    }

    /// The row this person is shown, and may answer to.
    pub fn row(&self, person: &Person) -> Option<Row> {
        self.tentative_row(person).or_else(|| {
            let seat = self.authoritative_row(person)?;
            let stays = self.proposal_for(person).is_none_or(|proposal| proposal.roles_of(person).next().is_some());
            stays.then_some(seat)
        })
    }

    /// What this person must know now. `last`: the authoritative seat they were last told; who lost it is released,
    /// with the facts they knew.
    pub fn view(&self, person: &Person, last: Option<&Row>) -> View {
        let mut view = self.seat_view(person, last);
        if self.head().standing != Standing::Cancelled {
            self.add_whole(person, &mut view);
            self.add_exceptions(person, &mut view);
        }
        view
    }

    fn seat_view(&self, person: &Person, last: Option<&Row>) -> View {
        let released = |seat: &Row| View {
            slot: Some(seat.slot),
            roles: seat.roles.clone(),
            attendance: Some(Attendance::Released),
            ..View::default()
        };
        if self.head().standing == Standing::Cancelled {
            let was = row(&self.review.authoritative.packet, person, Seating::Authoritative);
            let invited = self.terms.optional.contains(person) || self.sees_all(person);
            let slot = self.review.authoritative.packet.slot;
            let guest = Row { slot, roles: BTreeSet::new(), standing: Seating::Authoritative };
            return was.or(last.cloned()).or(invited.then_some(guest)).as_ref().map(released).unwrap_or_default();
        }
        if let Some(row) = self.row(person) {
            return View { slot: Some(row.slot), roles: row.roles, standing: Some(row.standing), ..View::default() };
        }
        if let Some(seat) = self.authoritative_row(person) {
            return View {
                slot: Some(seat.slot),
                roles: seat.roles,
                standing: Some(Seating::Authoritative),
                attendance: Some(Attendance::WouldBeReleased),
                ..View::default()
            };
        }
        if self.terms.optional.contains(person) {
            let authoritative = self.review.authoritative.packet.slot;
            let slot = self.proposal_for(person).map_or(authoritative, |proposal| proposal.slot);
            let standing = if slot == authoritative { Seating::Authoritative } else { Seating::Tentative };
            return View { slot: Some(slot), standing: Some(standing), ..View::default() };
        }
        last.map(released).unwrap_or_default()
    }

    /// Owner, whoever must decide, release manager: the whole packet.
    fn add_whole(&self, person: &Person, view: &mut View) {
        if !self.sees_all(person) {
            return;
        }
        let proposal = self.proposal_for(person);
        let packet = proposal.unwrap_or(&self.review.authoritative.packet);
        let today = &self.head().today;
        view.slot = view.slot.or(Some(packet.slot));
        view.roster = packet.attendees.clone();
        view.checkpoints = today.checkpoints.clone();
        view.window = today.window;
        view.cutover = today.cutover;
        view.freeze_edge = Some(packet.freeze_edge);
        view.conflicts = self.conflicts();
        let owner = self.is_owner(person);
        view.violated = today.violated.iter().filter(|mark| owner || **mark != Mark::ChangeInFlux).cloned().collect();
        if owner && !today.owner_confirmed {
            view.violated.push(Mark::OwnerUnconfirmed);
        }
        if proposal.is_some_and(|proposal| proposal.cancelled) {
            view.attendance = Some(Attendance::Cancellation);
        }
        if self.decides(person) {
            view.decides = self.head().pending.as_ref().map(|pending| pending.digest);
        }
    }

    fn add_exceptions(&self, person: &Person, view: &mut View) {
        let contact = self.policy.escalation_contacts.contains(person);
        view.exceptions = self.exceptions_for(contact, person).map(line).collect();
    }

    fn exceptions_for(&self, contact: bool, person: &Person) -> impl Iterator<Item = &'a Exception> {
        let sees_all = self.sees_all(person);
        let ownerless = self.head().today.owner.is_none();
        self.head().exceptions.iter().filter(move |exception| {
            // Without an owner only escalation contacts hear that the policy is incomplete.
            contact || sees_all && !(ownerless && exception.kind == ExceptionKind::PolicyIncomplete)
        })
    }

    /// The exceptions in this person's view, whole: with nearest slots and misses as of now.
    pub fn exceptions(&self, person: &Person) -> Vec<Exception> {
        let contact = self.policy.escalation_contacts.contains(person);
        self.exceptions_for(contact, person).cloned().collect()
    }

    /// Who answered `conflict` to the row they have now.
    fn conflicts(&self) -> BTreeMap<Role, Person> {
        let mut conflicts = BTreeMap::new();
        for answer in self.head().answers.iter().filter(|answer| answer.reply == Reply::Conflict) {
            let rows = [self.tentative_row(&answer.person), self.authoritative_row(&answer.person)];
            for row in rows.into_iter().flatten().filter(|row| row.digest() == answer.row) {
                conflicts.extend(row.roles.into_iter().map(|role| (role, answer.person.clone())));
            }
        }
        conflicts
    }
}

fn row(packet: &Packet, person: &Person, standing: Seating) -> Option<Row> {
    let roles: BTreeSet<Role> = packet.roles_of(person).cloned().collect();
    (!roles.is_empty()).then_some(Row { slot: packet.slot, roles, standing })
}

fn line(exception: &Exception) -> ExceptionLine {
    let mut rules: Vec<RuleLine> = exception
        .reasons
        .iter()
        .map(|reason| RuleLine { rule: reason.rule, role: reason.role.clone(), person: reason.person.clone() })
        .collect();
    rules.sort();
    rules.dedup();
    ExceptionLine { kind: exception.kind, rules }
}

/// What was, what is now: field by field, in the order of the contract. Empty exactly if the views are equal, the
/// decider's mark apart, which the duty shows.
pub fn delta(was: &View, now: &View, duty_was: Option<&DutyLine>, duty_now: Option<&DutyLine>) -> Vec<Change> {
    let mut delta = Delta(Vec::new());
    delta.field(Field::Slot, was.slot.map(Value::Interval), now.slot.map(Value::Interval));
    delta.field(Field::Role, roles(was), roles(now));
    delta.field(Field::Standing, was.standing.map(Value::Seating), now.standing.map(Value::Seating));
    delta.field(Field::Duty, duty_was.cloned().map(Value::Duty), duty_now.cloned().map(Value::Duty));
    let person = |person: &Person| Some(Value::Text(person.to_string()));
    delta.map(&was.roster, &now.roster, Field::Roster, person);
    delta.map(&was.checkpoints, &now.checkpoints, Field::Checkpoint, |ready| ready.map(Value::Instant));
    delta.field(Field::Window, was.window.map(Value::Interval), now.window.map(Value::Interval));
    delta.field(Field::Cutover, was.cutover.map(Value::Interval), now.cutover.map(Value::Interval));
    delta.field(Field::FreezeEdge, was.freeze_edge.map(Value::Flag), now.freeze_edge.map(Value::Flag));
    if was.violated != now.violated {
        delta.field(Field::Violated, marks(was), marks(now));
    }
    if was.exceptions != now.exceptions {
        delta.field(Field::Exception, exceptions(was), exceptions(now));
    }
    delta.map(&was.conflicts, &now.conflicts, Field::Conflict, person);
    delta.field(Field::Attendance, was.attendance.map(Value::Attendance), now.attendance.map(Value::Attendance));
    delta.0
}

struct Delta(Vec<Change>);

impl Delta {
    fn field(&mut self, field: Field, was: Option<Value>, now: Option<Value>) {
        if was != now {
            self.0.push(Change { field, was, now });
        }
    }

    fn map<K: Ord + Clone, V: PartialEq>(
        &mut self,
        was: &BTreeMap<K, V>,
        now: &BTreeMap<K, V>,
        field: impl Fn(K) -> Field,
        value: impl Fn(&V) -> Option<Value>,
    ) {
        let keys: BTreeSet<&K> = was.keys().chain(now.keys()).collect();
        for key in keys.into_iter().filter(|key| was.get(key) != now.get(key)) {
            let of = |map: &BTreeMap<K, V>| map.get(key).and_then(&value);
            // A checkpoint that is new and has no time yet differs though both sides print as nothing.
            self.0.push(Change { field: field(key.clone()), was: of(was), now: of(now) });
        }
    }
}

fn roles(view: &View) -> Option<Value> {
    let names: Vec<&str> = view.roles.iter().map(Role::as_str).collect();
    (!names.is_empty()).then(|| Value::Text(names.join(", ")))
}

/// A list that a view has but that is empty is `[]`; one that a view does not have is nothing.
fn marks(view: &View) -> Option<Value> {
    (!view.violated.is_empty() || view.freeze_edge.is_some()).then(|| Value::Marks(view.violated.clone()))
}

fn exceptions(view: &View) -> Option<Value> {
    (!view.exceptions.is_empty() || view.freeze_edge.is_some()).then(|| Value::Exceptions(view.exceptions.clone()))
}
