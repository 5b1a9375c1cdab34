//! The difference between two views of one person, field by field, before and after.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize, de};

use crate::{
    Checkpoint, Instant, Interval, Person, Role,
    record::{
        mark::Mark,
        proposal::Fate,
        view::{Attendance, ExceptionLine, Seating, View},
    },
};

/// The member of a view that differs, by its name in the contract.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Field {
    /// Whether the person attends.
    Attendance,
    /// The slot.
    Slot,
    /// The person's roles.
    Role,
    /// Whether the seat is authoritative or proposed.
    Standing,
    /// What the person must do, and until when.
    Duty,
    /// Who fills a role.
    Roster(Role),
    /// When a checkpoint is ready.
    Checkpoint(Checkpoint),
    /// The review window.
    Window,
    /// The cutover.
    Cutover,
    /// Whether the slot lies at the edge of a freeze.
    FreezeEdge,
    /// What the slot breaks, and what is remarked.
    Violated,
    /// The open exceptions.
    Exception,
    /// Who answered `conflict` to their seat in the meeting that counts, in a role.
    Conflict(Role),
    /// Who answered `conflict` to the seat that is proposed, in a role.
    ConflictProposed(Role),
    /// What an operator decided in the owner's place.
    Operator,
}

impl Field {
    /// Whether the text of the field is an address.
    pub const fn names_a_person(&self) -> bool {
        matches!(self, Self::Roster(_) | Self::Conflict(_) | Self::ConflictProposed(_))
    }
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
            Self::ConflictProposed(role) => write!(f, "conflict_proposed.{role}"),
            Self::Operator => f.write_str("operator"),
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
            Some(("conflict_proposed", role)) => Self::ConflictProposed(Role::parse(role)?),
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
                "operator" => Self::Operator,
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
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// The member that differs.
    pub field: Field,
    /// The value before; `None` where there was none.
    pub was: Option<Value>,
    /// The value now; `None` where there is none.
    pub now: Option<Value>,
    /// Of a checkpoint that the review requires since then (`true`), or no more (`false`): a checkpoint without a ready time
    /// has no value either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
}

/// A value is read by its field. An empty list, or a role that is called like a standing, does not say by itself what
/// it is.
impl<'de> Deserialize<'de> for Difference {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            field: Field,
            was: Option<serde_json::Value>,
            now: Option<serde_json::Value>,
            #[serde(default)]
            required: Option<bool>,
        }
        let Raw { field, was, now, required } = Raw::deserialize(deserializer)?;
        let read = |raw: Option<serde_json::Value>| {
            raw.map(|raw| Value::of(&field, raw))
                .transpose()
                .map_err(|error| de::Error::custom(format!("{field}: {error}")))
        };
        Ok(Self { was: read(was)?, now: read(now)?, field, required })
    }
}

/// What a field holds. Untagged: the JSON of the contract.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A time.
    Interval(Interval),
    /// A duty.
    Duty(DutyLine),
    /// Violations and remarks.
    Marks(Vec<Mark>),
    /// Exceptions.
    Exceptions(Vec<ExceptionLine>),
    /// An instant.
    Instant(Instant),
    /// Where a seat stands.
    Seating(Seating),
    /// Whether somebody attends.
    Attendance(Attendance),
    /// A name.
    Text(String),
}

impl Value {
    fn of(field: &Field, raw: serde_json::Value) -> serde_json::Result<Self> {
        use serde_json::from_value;
        Ok(match field {
            Field::Slot | Field::Window | Field::Cutover => Self::Interval(from_value(raw)?),
            Field::Role | Field::Roster(_) | Field::Conflict(_) | Field::ConflictProposed(_) | Field::Operator => {
                Self::Text(from_value(raw)?)
            }
            Field::Standing => Self::Seating(from_value(raw)?),
            Field::Attendance => Self::Attendance(from_value(raw)?),
            Field::Duty => Self::Duty(from_value(raw)?),
            Field::Checkpoint(_) => Self::Instant(from_value(raw)?),
            Field::FreezeEdge => Self::Flag(from_value(raw)?),
            Field::Violated => Self::Marks(from_value(raw)?),
            Field::Exception => Self::Exceptions(from_value(raw)?),
        })
    }
}

/// What the reader must do, and by when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DutyLine {
    /// What must be done.
    pub action: DutyAction,
    /// Until when.
    pub by: Instant,
}

/// What a person must do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyAction {
    /// Decide on a proposal.
    Decide,
    /// Say whether they attend.
    Answer,
}

/// Whether somebody who saw the whole packet sees their own part alone now. They are no longer owner, decider or
/// release manager, or the review is cancelled.
pub const fn leaves(was: &View, now: &View) -> bool {
    was.freeze_edge.is_some() && now.freeze_edge.is_none()
}

/// Whether an optional attendee is none any more: that they take no part is told, and not that they have no slot.
fn takes_no_part(was: &View, now: &View) -> bool {
    was.standing == Some(Seating::Authoritative) && now.standing.is_none() && now.attendance.is_none()
}

/// What was, what is now: field by field, in the order of the contract. Empty exactly if the views are equal.
///
/// A person who may no longer see the whole packet is told that they left: `freeze_edge`, which every whole view has,
/// is none. They are not told that each other field is none: the roster is not empty because they see it no more.
pub fn delta(was: &View, now: &View, duty_was: Option<&DutyLine>, duty_now: Option<&DutyLine>) -> Vec<Difference> {
    let mut delta = Delta(Vec::new());
    let leaves = leaves(was, now);
    if now.slot.is_some() || !leaves && !takes_no_part(was, now) {
        delta.field(Field::Slot, was.slot.map(Value::Interval), now.slot.map(Value::Interval));
    }
    delta.field(Field::Role, roles(was), roles(now));
    // To whoever sees the whole packet the standing is the packet's: a proposal that leaves their own seat alone makes
    // nothing final.
    let whole = now.freeze_edge.is_some();
    let packet = |view: &View| (whole && view.freeze_edge.is_some()).then(|| packet_standing(view));
    let standing = |view: &View| packet(view).or(view.standing.map(Value::Seating));
    delta.field(Field::Standing, standing(was), standing(now));
    let duty = |line: Option<&DutyLine>| line.cloned().map(Value::Duty);
    delta.field(Field::Duty, duty(duty_was), duty(duty_now));
    if leaves {
        delta.leaving(was, now);
    } else {
        delta.whole(was, now);
    }
    if !leaves || now.operator.is_some() {
        delta.field(Field::Operator, operator(was), operator(now));
    }
    if delta.0.is_empty() {
        let own = |view: &View| view.standing.map(Value::Seating);
        delta.field(Field::Standing, own(was), own(now));
    }
    // A proposal that went and came back is to be decided anew, though nothing else of it differs. And a new owner may ask
    // for one that expired, though they were told of it before.
    if delta.0.is_empty() && (was.decides, was.asks_again) != (now.decides, now.asks_again) {
        delta.0.push(Difference { required: None, field: Field::Duty, was: duty(duty_was), now: duty(duty_now) });
    }
    delta.0
}

/// What the last mail to somebody said, as it is `now`, and what differs `since`. Of what a mail says only what is carried
/// can be another without a mail: marks, exceptions, evidence times, window, cutover, and what is to be done. A field that
/// is as it was before that mail is no difference any more.
pub fn up_to_now(last: &[Difference], since: Vec<Difference>, now: &View, duty: Option<&DutyLine>) -> Vec<Difference> {
    let present = delta(&View::default(), now, None, duty);
    let value = |field: &Field| present.iter().find(|known| known.field == *field).and_then(|known| known.now.clone());
    let required = |said: &Difference| {
        let Field::Checkpoint(key) = &said.field else { return None };
        let since = since.iter().find(|change| change.field == said.field).and_then(|change| change.required);
        let before = !said.required.or(since)?;
        Some(now.checkpoints.contains_key(key)).filter(|required| *required != before)
    };
    let brought = |said: &Difference| Difference {
        now: match said.field {
            Field::Violated
            | Field::Exception
            | Field::Checkpoint(_)
            | Field::Window
            | Field::Cutover
            | Field::Duty => value(&said.field),
            _ => said.now.clone(),
        },
        required: required(said),
        ..said.clone()
    };
    let differs = |change: &Difference| change.was != change.now || change.required.is_some();
    let mut changes: Vec<Difference> = last.iter().map(brought).filter(differs).collect();
    changes.extend(since.into_iter().filter(|change| last.iter().all(|known| known.field != change.field)));
    changes
}

/// The standing of the packet that somebody sees whole.
fn packet_standing(view: &View) -> Value {
    Value::Seating(if view.proposed { Seating::Tentative } else { Seating::Authoritative })
}

struct Delta(Vec<Difference>);

impl Delta {
    /// The fields of a whole view, and attendance.
    fn whole(&mut self, was: &View, now: &View) {
        let person = |person: &Person| Some(Value::Text(person.to_string()));
        self.map(&was.roster, &now.roster, Field::Roster, person);
        self.map(&was.checkpoints, &now.checkpoints, Field::Checkpoint, |ready| ready.map(Value::Instant));
        self.say_what_is_required(was, now);
        self.field(Field::Window, was.window.map(Value::Interval), now.window.map(Value::Interval));
        self.field(Field::Cutover, was.cutover.map(Value::Interval), now.cutover.map(Value::Interval));
        self.field(Field::FreezeEdge, was.freeze_edge.map(Value::Flag), now.freeze_edge.map(Value::Flag));
        if was.violated != now.violated {
            self.field(Field::Violated, marks(was), marks(now));
        }
        if was.exceptions != now.exceptions {
            self.field(Field::Exception, exceptions(was), exceptions(now));
        }
        self.map(&was.conflicts, &now.conflicts, Field::Conflict, person);
        self.map(&was.conflicts_proposed, &now.conflicts_proposed, Field::ConflictProposed, person);
        self.attendance(was.attendance, now.attendance);
    }

    /// A reader who was not shown the packet was not told that anything is not required.
    fn say_what_is_required(&mut self, was: &View, now: &View) {
        for change in self.0.iter_mut().filter(|_| was.freeze_edge.is_some()) {
            if let Field::Checkpoint(key) = &change.field {
                let required = now.checkpoints.contains_key(key);
                change.required = (was.checkpoints.contains_key(key) != required).then_some(required);
            }
        }
    }

    /// That the whole is theirs no more, unless their release says so; exceptions are left to escalation contacts.
    fn leaving(&mut self, was: &View, now: &View) {
        let released = now.attendance == Some(Attendance::Released) && was.attendance != now.attendance;
        if !released {
            self.field(Field::FreezeEdge, was.freeze_edge.map(Value::Flag), None);
        }
        if now.hears_exceptions() && was.exceptions != now.exceptions {
            self.field(Field::Exception, exceptions(was), exceptions(now));
        }
        // That cancelling is proposed is told to those who see the whole.
        let proposed = was.attendance == Some(Attendance::Cancellation) && now.attendance.is_none();
        if !proposed {
            self.attendance(was.attendance, now.attendance);
        }
    }

    fn attendance(&mut self, was: Option<Attendance>, now: Option<Attendance>) {
        self.field(Field::Attendance, was.map(Value::Attendance), now.map(Value::Attendance));
    }

    fn field(&mut self, field: Field, was: Option<Value>, now: Option<Value>) {
        if was != now {
            self.0.push(Difference { field, was, now, required: None });
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
            self.0.push(Difference { field: field(key.clone()), was: of(was), now: of(now), required: None });
        }
    }
}

/// `op-1@example.com adopted: the owner's mail does not arrive`
fn operator(view: &View) -> Option<Value> {
    let line = view.operator.as_ref()?;
    let done = if line.fate == Fate::Adopted { "adopted" } else { "declined" };
    Some(Value::Text(format!("{} {done}: {}", line.by, line.reason)))
}

pub(crate) fn roles(view: &View) -> Option<Value> {
    let names: Vec<&str> = view.roles.iter().map(Role::as_str).collect();
    (!names.is_empty()).then(|| Value::Text(names.join(", ")))
}

/// An empty list of a view is `[]`; a list that a view does not have is nothing.
fn marks(view: &View) -> Option<Value> {
    (!view.violated.is_empty() || view.freeze_edge.is_some()).then(|| Value::Marks(view.violated.clone()))
}

fn exceptions(view: &View) -> Option<Value> {
    view.hears_exceptions().then(|| Value::Exceptions(view.exceptions.clone()))
}
