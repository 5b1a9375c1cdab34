//! Marks: what an authoritative slot and its attendees break under today's facts, and what is only remarked of them.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

use crate::{Checkpoint, Person, Role, record::rule::SlotRule};

/// A rule that a slot or a seat breaks. In the order in which people are told of violations.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Violation {
    /// The slot starts before the required evidence allows, or evidence has no ready time.
    Evidence,
    /// The slot does not lie inside the review window.
    Window,
    /// The slot ends too close to the cutover.
    Cutover,
    /// The slot overlaps a protected freeze.
    Freeze,
    /// The slot does not lie inside the person's working hours.
    Hours(Person),
    /// The person is busy in the slot.
    Busy(Person),
    /// The person neither holds the role nor is an approved delegate for the whole slot.
    Delegate(Person),
    /// Nobody eligible covers the role for the whole slot.
    Uncovered(Role),
    /// The policy excludes the person from the role.
    Excluded(Person),
    /// The person fills two roles, and the policy asks for distinct people.
    Shared(Person),
    /// The person sits in another review in that slot, whose claim is older.
    Booked(Person),
    /// The change record is closed or cancelled.
    Cancelled,
}

/// What people should know of a slot although no rule is broken. A remark changes no outcome.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Remark {
    /// Nothing known contradicts the person's seat, and nothing known supports it.
    Unproven(Person),
    /// Evidence that was expected did not come.
    Overdue(Checkpoint),
    /// The change record's owner is not confirmed. In the owner's own view alone.
    OwnerUnconfirmed,
    /// The change record is being reworked.
    ChangeInFlux,
}

/// A violation or a remark. Violations come first, as people are told them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mark {
    /// A broken rule.
    Violation(Violation),
    /// No broken rule.
    Remark(Remark),
}

impl Mark {
    /// The violation, where the mark is one.
    pub const fn violation(&self) -> Option<&Violation> {
        match self {
            Self::Violation(violation) => Some(violation),
            Self::Remark(_) => None,
        }
    }

    /// The person whom the mark is about.
    pub const fn person(&self) -> Option<&Person> {
        match self {
            Self::Violation(violation) => violation.person(),
            Self::Remark(Remark::Unproven(person)) => Some(person),
            Self::Remark(Remark::Overdue(_) | Remark::OwnerUnconfirmed | Remark::ChangeInFlux) => None,
        }
    }

    /// Whether a rule is broken. Remarks change no outcome.
    pub const fn is_violation(&self) -> bool {
        self.violation().is_some()
    }
}

impl From<Violation> for Mark {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl From<Remark> for Mark {
    fn from(remark: Remark) -> Self {
        Self::Remark(remark)
    }
}

/// The violations among the marks, each once.
pub fn violations(marks: &[Mark]) -> BTreeSet<Violation> {
    marks.iter().filter_map(Mark::violation).cloned().collect()
}

impl Violation {
    /// The rule that is broken.
    pub const fn rule(&self) -> SlotRule {
        match self {
            Self::Evidence => SlotRule::Evidence,
            Self::Window => SlotRule::Window,
            Self::Cutover => SlotRule::Cutover,
            Self::Freeze => SlotRule::Freeze,
            Self::Hours(_) => SlotRule::Hours,
            Self::Busy(_) => SlotRule::Busy,
            Self::Delegate(_) => SlotRule::Delegate,
            Self::Uncovered(_) => SlotRule::Uncovered,
            Self::Excluded(_) => SlotRule::Excluded,
            Self::Shared(_) => SlotRule::Shared,
            Self::Booked(_) => SlotRule::Booked,
            Self::Cancelled => SlotRule::Cancelled,
        }
    }

    /// The person whose seat breaks the rule; `None` where the rule is not about a person.
    pub const fn person(&self) -> Option<&Person> {
        match self {
            Self::Hours(person)
            | Self::Busy(person)
            | Self::Delegate(person)
            | Self::Excluded(person)
            | Self::Shared(person)
            | Self::Booked(person) => Some(person),
            Self::Evidence | Self::Window | Self::Cutover | Self::Freeze | Self::Uncovered(_) | Self::Cancelled => None,
        }
    }

    /// The role that breaks the rule; `None` where the rule is not about a role.
    pub const fn role(&self) -> Option<&Role> {
        match self {
            Self::Uncovered(role) => Some(role),
            _ => None,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule().word())?;
        match (self.person(), self.role()) {
            (Some(person), _) => write!(f, ":{person}"),
            (None, Some(role)) => write!(f, ":{role}"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unproven(person) => write!(f, "unproven:{person}"),
            Self::Overdue(checkpoint) => write!(f, "overdue:{checkpoint}"),
            Self::OwnerUnconfirmed => f.write_str("owner_unconfirmed"),
            Self::ChangeInFlux => f.write_str("change_in_flux"),
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => violation.fmt(f),
            Self::Remark(remark) => remark.fmt(f),
        }
    }
}

/// A word and, after a colon, the name it is about. The error says what was found.
impl FromStr for Mark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, name) = text.split_once(':').map_or((text, None), |(word, name)| (word, Some(name)));
        let unknown = || format!("a violation or a remark; found {text:?}");
        let person = || Person::parse(name.ok_or_else(unknown)?);
        Ok(match word {
            "evidence" => Violation::Evidence.into(),
            "window" => Violation::Window.into(),
            "cutover" => Violation::Cutover.into(),
            "freeze" => Violation::Freeze.into(),
            "hours" => Violation::Hours(person()?).into(),
            "busy" => Violation::Busy(person()?).into(),
            "delegate" => Violation::Delegate(person()?).into(),
            "uncovered" => Violation::Uncovered(Role::parse(name.ok_or_else(unknown)?)?).into(),
            "excluded" => Violation::Excluded(person()?).into(),
            "shared" => Violation::Shared(person()?).into(),
            "booked" => Violation::Booked(person()?).into(),
            "cancelled" => Violation::Cancelled.into(),
            "unproven" => Remark::Unproven(person()?).into(),
            "overdue" => Remark::Overdue(Checkpoint::parse(name.ok_or_else(unknown)?)?).into(),
            "change_in_flux" => Remark::ChangeInFlux.into(),
            "owner_unconfirmed" => Remark::OwnerUnconfirmed.into(),
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

impl Serialize for Violation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Violation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Mark::deserialize(deserializer)? {
            Mark::Violation(violation) => Ok(violation),
            Mark::Remark(remark) => Err(de::Error::custom(format!("expected a violation; found the remark {remark}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 16] = [
        "evidence",
        "window",
        "cutover",
        "freeze",
        "hours:a@example.com",
        "busy:a@example.com",
        "delegate:a@example.com",
        "uncovered:dba",
        "excluded:a@example.com",
        "shared:a@example.com",
        "booked:a@example.com",
        "cancelled",
        "unproven:a@example.com",
        "overdue:tests",
        "owner_unconfirmed",
        "change_in_flux",
    ];

    #[test]
    fn each_word_is_read_and_written_and_the_words_stand_in_the_order_of_telling() {
        let marks: Vec<Mark> = WORDS.iter().map(|word| word.parse().expect("a mark")).collect();
        assert_eq!(marks.iter().map(Mark::to_string).collect::<Vec<_>>(), WORDS);
        assert!(marks.is_sorted());
    }

    /// An override stands by violations alone: a remark that somebody wrote there is no violation of another name.
    #[test]
    fn a_stored_violation_is_never_a_remark() {
        for word in WORDS {
            let mark: Mark = word.parse().expect("a mark");
            let read = serde_json::from_str::<Violation>(&format!("{word:?}"));
            assert_eq!(read.ok().as_ref(), mark.violation(), "{word}");
        }
    }
}
