//! What the authoritative slot and attendees break under today's facts, in words.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

use crate::{
    Person, Role,
    availability::{Known, Time},
    booking::Booking,
    instant::Slot,
    packet::Packet,
    situation::Situation,
    working_hours,
};

/// A violated rule, or one of the two marks that are none. Ordered as they are told: violations first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mark {
    Evidence,
    Window,
    Cutover,
    Freeze,
    Hours(Person),
    Busy(Person),
    Delegate(Person),
    Uncovered(Role),
    Excluded(Person),
    Shared(Person),
    Cancelled,
    /// Not a violation: nothing known contradicts the seat, nothing known supports it.
    Unproven(Person),
    /// Not a violation: the change record is being reworked.
    ChangeInFlux,
    /// Not a violation: in the owner's own view alone.
    OwnerUnconfirmed,
}

impl Mark {
    /// Marks that are no violations change no outcome.
    pub const fn is_violation(&self) -> bool {
        !matches!(self, Self::Unproven(_) | Self::ChangeInFlux | Self::OwnerUnconfirmed)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evidence => f.write_str("evidence"),
            Self::Window => f.write_str("window"),
            Self::Cutover => f.write_str("cutover"),
            Self::Freeze => f.write_str("freeze"),
            Self::Hours(person) => write!(f, "hours:{person}"),
            Self::Busy(person) => write!(f, "busy:{person}"),
            Self::Delegate(person) => write!(f, "delegate:{person}"),
            Self::Uncovered(role) => write!(f, "uncovered:{role}"),
            Self::Excluded(person) => write!(f, "excluded:{person}"),
            Self::Shared(person) => write!(f, "shared:{person}"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Unproven(person) => write!(f, "unproven:{person}"),
            Self::ChangeInFlux => f.write_str("change_in_flux"),
            Self::OwnerUnconfirmed => f.write_str("owner_unconfirmed"),
        }
    }
}

impl FromStr for Mark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, name) = text.split_once(':').map_or((text, None), |(word, name)| (word, Some(name)));
        let unknown = || format!("a violation or mark; found {text:?}");
        let person = || Person::parse(name.ok_or_else(unknown)?);
        Ok(match word {
            "evidence" => Self::Evidence,
            "window" => Self::Window,
            "cutover" => Self::Cutover,
            "freeze" => Self::Freeze,
            "hours" => Self::Hours(person()?),
            "busy" => Self::Busy(person()?),
            "delegate" => Self::Delegate(person()?),
            "uncovered" => Self::Uncovered(Role::parse(name.ok_or_else(unknown)?)?),
            "excluded" => Self::Excluded(person()?),
            "shared" => Self::Shared(person()?),
            "cancelled" => Self::Cancelled,
            "unproven" => Self::Unproven(person()?),
            "change_in_flux" => Self::ChangeInFlux,
            "owner_unconfirmed" => Self::OwnerUnconfirmed,
            _ => return Err(unknown()),
        })
    }
}

impl Serialize for Mark {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The rules that a packet's slot and attendees break under today's facts, then the marks, in the order they are told.
pub fn marks(situation: &Situation<'_>, packet: &Packet, bookings: &[Booking]) -> Vec<Mark> {
    // A meeting that is cancelled breaks nothing any more.
    if packet.cancelled {
        return Vec::new();
    }
    let slot = &packet.slot;
    let mut marks = BTreeSet::new();
    if situation.evidence_start().is_none_or(|start| slot.start < start) {
        marks.insert(Mark::Evidence);
    }
    if situation.in_force().is_some_and(|change| !change.window.contains(slot)) {
        marks.insert(Mark::Window);
    }
    if situation.cutover_end().is_some_and(|end| slot.end > end) {
        marks.insert(Mark::Cutover);
    }
    if situation.freezes.crosses(slot) {
        marks.insert(Mark::Freeze);
    }
    if situation.is_cancelled() {
        marks.insert(Mark::Cancelled);
    }
    if situation.in_flux() {
        marks.insert(Mark::ChangeInFlux);
    }
    let mut seated = BTreeSet::new();
    for (role, person) in &packet.attendees {
        if situation.policy.distinct_people && !seated.insert(person) {
            marks.insert(Mark::Shared(person.clone()));
        }
        seat_marks(situation, slot, role, person, &mut marks);
        match Time::of(person, situation.facts, bookings).in_slot(slot) {
            Known::Free => {}
            Known::Busy => drop(marks.insert(Mark::Busy(person.clone()))),
            Known::Unknown => drop(marks.insert(Mark::Unproven(person.clone()))),
        }
    }
    marks.into_iter().collect()
}

fn seat_marks(situation: &Situation<'_>, slot: &Slot, role: &Role, person: &Person, marks: &mut BTreeSet<Mark>) {
    if situation.policy.excludes(role, person) {
        marks.insert(Mark::Excluded(person.clone()));
    }
    // Two rules, each broken or not: who is excluded may have lost the delegation too.
    if !situation.appointed(role).any(|appointed| appointed.person == person && appointed.covers(slot)) {
        marks.insert(Mark::Delegate(person.clone()));
    }
    if !situation.eligible(role).iter().any(|eligible| eligible.covers(slot)) {
        marks.insert(Mark::Uncovered(role.clone()));
    }
    if let Some(hours) = &situation.policy.working_hours {
        let days = working_hours::days(hours, situation.zone(person), *slot);
        if !days.iter().any(|day| day.contains(slot)) {
            marks.insert(Mark::Hours(person.clone()));
        }
    }
}

/// The violations among the marks.
pub fn violations(marks: &[Mark]) -> BTreeSet<Mark> {
    marks.iter().filter(|mark| mark.is_violation()).cloned().collect()
}
