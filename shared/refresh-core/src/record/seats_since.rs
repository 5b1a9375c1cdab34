//! Whose seat a calendar object has not changed since which SEQUENCE. Only those whose own part changes are sent the object
//! anew. So the others answer an older SEQUENCE, and their answer is to the seat they have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Person, record::view::Row};

/// The least SEQUENCE of an object under which each attendee had the seat they have now.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SeatsSince {
    /// Of everybody who is not in `newer`. `None`: the object's own SEQUENCE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    others: Option<u32>,
    /// Whose seat is newer than that.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    newer: BTreeMap<Person, u32>,
}

impl SeatsSince {
    /// Nobody's seat is older than the object's SEQUENCE.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Since when the person has this seat, in an object that has this SEQUENCE now.
    pub fn of(&self, person: &Person, sequence: u32) -> u32 {
        self.newer.get(person).copied().or(self.others).unwrap_or(sequence)
    }

    /// The object goes from one SEQUENCE to another, and the attendees' rows change with it.
    pub(crate) fn go_on(&mut self, from: u32, to: u32, before: &BTreeMap<Person, Row>, after: &BTreeMap<Person, Row>) {
        let changed = after.iter().filter(|(person, row)| before.get(*person) != Some(*row));
        let changed: Vec<Person> = changed.map(|(person, _)| person.clone()).collect();
        if changed.len() == after.len() {
            *self = Self::default();
            return;
        }
        self.others.get_or_insert(from);
        self.newer.retain(|person, _| after.contains_key(person));
        self.newer.extend(changed.into_iter().map(|person| (person, to)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Instant, Interval, Role, record::view::Seating};

    /// Rows of people at an hour: `ada=rm`.
    fn rows(hour: i64, people: &[(&str, &str)]) -> BTreeMap<Person, Row> {
        let start = Instant::from_millis(hour * 3_600_000);
        let slot = Interval::new(start, start.plus_millis(3_600_000)).unwrap();
        let row =
            |role: &str| Row { slot, roles: [Role::parse(role).unwrap()].into(), standing: Seating::Authoritative };
        people.iter().map(|(name, role)| (person(name), row(role))).collect()
    }

    fn person(name: &str) -> Person {
        Person::parse(&format!("{name}@example.com")).unwrap()
    }

    #[test]
    fn a_seat_is_as_old_as_its_row() {
        let issued = rows(10, &[("ada", "rm"), ("bob", "sec")]);
        let swapped = rows(10, &[("ada", "rm"), ("cy", "sec")]);
        let moved = rows(12, &[("ada", "rm"), ("cy", "sec")]);
        let mut since = SeatsSince::default();
        let of = |since: &SeatsSince, sequence| ["ada", "bob", "cy"].map(|name| since.of(&person(name), sequence));
        assert_eq!(of(&since, 3), [3, 3, 3], "as issued");
        since.go_on(3, 4, &issued, &swapped);
        assert_eq!(of(&since, 4), [3, 3, 4], "ada keeps her seat");
        since.go_on(4, 5, &swapped, &issued);
        assert_eq!(of(&since, 5), [3, 5, 3], "who comes back has a new seat");
        since.go_on(5, 6, &issued, &issued);
        assert_eq!(of(&since, 6), [3, 5, 3], "a change that is nobody's");
        since.go_on(6, 7, &swapped, &moved);
        assert!(since.is_plain());
        assert_eq!(of(&since, 7), [7, 7, 7], "another hour is another seat of everybody");
        let roles = rows(12, &[("ada", "sec"), ("cy", "rm"), ("dan", "qa")]);
        since.go_on(7, 8, &rows(12, &[("ada", "rm"), ("cy", "rm"), ("dan", "qa")]), &roles);
        assert_eq!(since.of(&person("ada"), 8), 8, "another role is another seat");
        assert_eq!(since.of(&person("dan"), 8), 7);
    }
}
