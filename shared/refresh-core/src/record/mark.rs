//! Marks: what an authoritative slot and its attendees break under the facts, in words.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

use crate::{Person, Role};

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

/// The violations among the marks.
pub fn violations(marks: &[Mark]) -> BTreeSet<Mark> {
    marks.iter().filter(|mark| mark.is_violation()).cloned().collect()
}
