//! Facts at rest. Many entries of a calendar are most of what is stored, and nearly all of that is dates. So they stand as
//! differences, in the digits of base 64:
//!
//! ```text
//!  entries  09:00-09:30  10:00-11:00  13:15-13:30          from 09:00, in steps of 15 minutes
//!  steps        0, 2         4, 4        13, 1             start after the start before, length
//! ```
//! A digit holds five bits, the lowest first; the sixth says that another digit follows. A short calendar is a list, as every
//! calendar of a release before was.

use std::str::{Bytes, Chars};

use aws_sdk_dynamodb::types::AttributeValue;
use refresh_core::{
    Instant, Interval, Source,
    facts::{
        entries::Entries,
        fact::{Availability, Body, Busy, EntryOf, Fact},
        revision::{Revision, RevisionOrder},
        subject::Subject,
    },
};
use serde::{Deserialize, Serialize};

use crate::{codec, error::StoreError, item::Item, key::Key};

/// The form of a fact whose entries stand as differences.
const DIFFERENCES: u32 = 3;
/// Up to so many entries are a list: one kilobyte either way, and readable in the console.
const MOST_LISTED: usize = 6;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The bits of a digit that count. The bit above says that another digit follows.
const BITS: u32 = 5;

/// A fact whose body is a calendar with many entries.
#[derive(Serialize, Deserialize)]
struct StoredFact {
    subject: Subject,
    source: Source,
    revision: Revision,
    accepted_at: Instant,
    body: StoredBody,
    #[serde(default, skip_serializing_if = "RevisionOrder::is_plain")]
    order: RevisionOrder,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredBody {
    Availability(StoredCalendar),
}

#[derive(Serialize, Deserialize)]
struct StoredCalendar {
    horizon: Interval,
    busy: StoredEntries,
    unknown: Vec<Interval>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    merged: bool,
}

/// The entries of a calendar, in the order of their starts.
#[derive(Serialize, Deserialize)]
struct StoredEntries {
    /// The first start.
    from: Instant,
    /// Milliseconds that every step is a multiple of.
    unit: i64,
    steps: String,
    /// A letter an entry: `s` its source says it is ours, `o` somebody else's, `-` it does not say. Absent where all are `-`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    own: String,
}

/// The item of a fact. `beside`: what conditions must see.
pub(crate) fn seal(fact: &Fact, beside: &[(&str, AttributeValue)]) -> Item {
    let key = Key::fact(&fact.subject);
    match StoredFact::of(fact) {
        Some(stored) => codec::seal_as(&key, DIFFERENCES, &stored, beside),
        None => codec::seal(&key, fact, beside),
    }
}

/// Reads a fact back, in whichever form it is stored.
pub(crate) fn open(doing: &str, item: &Item) -> Result<Fact, StoreError> {
    let key = codec::key_of(doing, item)?;
    if codec::check_schema(doing, &key, item)? < DIFFERENCES {
        return codec::open(doing, item);
    }
    let stored: StoredFact = codec::open(doing, item)?;
    stored.fact().ok_or_else(|| StoreError::damaged(doing, &key, "body: expected entries in steps"))
}

impl StoredFact {
    /// `None` where a list does: of a short calendar, of other facts, and of entries that are not in order.
    fn of(fact: &Fact) -> Option<Self> {
        let Body::Availability(calendar) = &fact.body else { return None };
        let busy = StoredEntries::of(&calendar.busy).filter(|_| calendar.busy.len() > MOST_LISTED)?;
        let Availability { horizon, ref unknown, merged, .. } = *calendar;
        Some(Self {
            subject: fact.subject.clone(),
            source: fact.source.clone(),
            revision: fact.revision,
            accepted_at: fact.accepted_at,
            body: StoredBody::Availability(StoredCalendar { horizon, busy, unknown: unknown.clone(), merged }),
            order: fact.order.clone(),
        })
    }

    fn fact(self) -> Option<Fact> {
        let Self { subject, source, revision, accepted_at, body: StoredBody::Availability(calendar), order } = self;
        let StoredCalendar { horizon, busy, unknown, merged } = calendar;
        let body = Body::Availability(Availability { horizon, busy: busy.entries()?, unknown, merged });
        Some(Fact { subject, source, revision, accepted_at, body, order })
    }
}

impl StoredEntries {
    fn of(busy: &Entries) -> Option<Self> {
        let from = busy.iter().next()?.start;
        let mut before = from;
        let mut steps = Vec::with_capacity(2 * busy.len());
        for entry in busy.iter() {
            steps.extend([entry.start.since(before), entry.end.since(entry.start)]);
            before = entry.start;
        }
        if steps.iter().any(|step| *step < 0) {
            return None;
        }
        let unit = steps.iter().copied().fold(0, divisor).max(1);
        let mut text = String::with_capacity(2 * steps.len());
        steps.iter().for_each(|step| write(&mut text, (step / unit).unsigned_abs()));
        let said = busy.says_whose();
        let own = busy.iter().filter(|_| said).map(|entry| letter(entry.own)).collect();
        Some(Self { from, unit, steps: text, own })
    }

    /// `None` where that is nothing that [`StoredEntries::of`] writes.
    fn entries(&self) -> Option<Entries> {
        let (mut digits, mut own) = (self.steps.bytes(), self.own.chars());
        let mut before = self.from;
        let next = || {
            let entry = (digits.len() > 0).then(|| self.next(before, &mut digits, &mut own))?;
            before = entry.map_or(before, |entry| entry.start);
            Some(entry)
        };
        let entries = std::iter::from_fn(next).collect::<Option<Entries>>()?;
        own.next().is_none().then_some(entries)
    }

    /// The entry after one that starts at `before`.
    fn next(&self, before: Instant, digits: &mut Bytes<'_>, own: &mut Chars<'_>) -> Option<Busy> {
        let mut after = |instant: Instant| {
            let step = i64::try_from(read(digits)?).ok()?.checked_mul(self.unit)?;
            instant.millis().checked_add(step).map(Instant::from_millis)
        };
        let start = after(before)?;
        let end = after(start)?;
        let own = if self.own.is_empty() { EntryOf::Unsaid } else { entry_of(own.next()?)? };
        Some(Busy { start, end, own })
    }
}

/// The greatest number that divides both.
const fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

fn write(text: &mut String, mut number: u64) {
    loop {
        let (digit, rest) = ((number & ((1 << BITS) - 1)) as usize, number >> BITS);
        let more = usize::from(rest > 0) << BITS;
        text.push(char::from(DIGITS[digit | more]));
        if rest == 0 {
            return;
        }
        number = rest;
    }
}

fn read(digits: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let (mut number, mut shift) = (0_u64, 0);
    loop {
        let digit = value(digits.next()?)?;
        let bits = u64::from(digit & ((1 << BITS) - 1));
        number |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
        if digit >> BITS == 0 {
            return Some(number);
        }
        shift += BITS;
    }
}

const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

const fn letter(own: EntryOf) -> char {
    match own {
        EntryOf::Unsaid => '-',
        EntryOf::Others => 'o',
        EntryOf::Ours => 's',
    }
}

const fn entry_of(letter: char) -> Option<EntryOf> {
    match letter {
        '-' => Some(EntryOf::Unsaid),
        'o' => Some(EntryOf::Others),
        's' => Some(EntryOf::Ours),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use refresh_core::{Person, facts::subject::Diary};

    use super::*;
    use crate::item::number;

    fn fact(busy: Vec<Busy>) -> Fact {
        let at = |text: &str| Instant::parse(text).unwrap();
        let horizon = Interval { start: at("2026-11-02T00:00:00Z"), end: at("2026-12-02T00:00:00Z") };
        let unknown = vec![Interval { start: horizon.start, end: horizon.start.plus_minutes(5) }];
        let person = Person::parse("ada@example.com").unwrap();
        Fact {
            subject: Subject::Availability(person, Diary::Calendar, None),
            source: Source::parse("//calendar.example.com").unwrap(),
            revision: 7,
            accepted_at: horizon.start,
            body: Body::Availability(Availability { horizon, busy: busy.into(), unknown, merged: true }),
            order: RevisionOrder::default(),
        }
    }

    /// Entries in order, as sources have them: some overlap, some begin together.
    fn entries(rng: &mut Rng, count: usize, unit: i64) -> Vec<Busy> {
        let mut start = Instant::parse("2026-11-01T22:30:00Z").unwrap();
        let whose = [EntryOf::Unsaid, EntryOf::Others, EntryOf::Ours];
        let all = |_| {
            start = start.plus_millis(rng.i64(0..2_000) * unit);
            Busy { start, end: start.plus_millis(rng.i64(1..300) * unit), own: whose[rng.usize(..3)] }
        };
        (0..count).map(all).collect()
    }

    fn schema(item: &Item) -> AttributeValue {
        item["schema"].clone()
    }

    #[test]
    fn a_calendar_reads_back_as_it_was() {
        let mut rng = Rng::with_seed(1);
        for unit in [1, 1_000, 60_000, 900_000] {
            for count in [0, 1, MOST_LISTED, MOST_LISTED + 1, 40, 4_000] {
                let mut fact = fact(entries(&mut rng, count, unit));
                let item = seal(&fact, &[]);
                assert_eq!(schema(&item) == number(DIFFERENCES), count > MOST_LISTED, "{count} entries");
                assert_eq!(open("reading", &item).ok(), Some(fact.clone()), "{count} entries in steps of {unit}");
                if let Body::Availability(calendar) = &mut fact.body {
                    calendar.busy = calendar.busy.iter().map(|entry| Busy { own: EntryOf::Unsaid, ..entry }).collect();
                }
                assert_eq!(open("reading", &seal(&fact, &[])).ok(), Some(fact));
            }
        }
    }

    #[test]
    fn what_an_earlier_release_listed_is_read_and_what_is_not_in_order_is_listed() {
        let mut busy = entries(&mut Rng::with_seed(2), 50, 60_000);
        let known = fact(busy.clone());
        let listed = codec::seal(&Key::fact(&known.subject), &known, &[]);
        assert_ne!(schema(&listed), number(DIFFERENCES));
        assert_eq!(open("reading", &listed).ok(), Some(known));
        busy.reverse();
        let turned = fact(busy);
        let item = seal(&turned, &[]);
        assert_ne!(schema(&item), number(DIFFERENCES));
        assert_eq!(open("reading", &item).ok(), Some(turned));
    }

    #[test]
    fn numbers_are_written_and_read_in_five_bits() {
        for (number, expected) in
            [(0, "A"), (1, "B"), (31, "f"), (32, "gB"), (1_023, "_f"), (1_024, "ggB"), (u64::MAX, "____________P")]
        {
            let mut text = String::new();
            write(&mut text, number);
            assert_eq!(text, expected);
            assert_eq!(read(&mut text.bytes()), Some(number), "{text}");
        }
    }

    #[test]
    fn steps_that_nobody_wrote_are_damage() {
        let from = Instant::from_millis(0);
        let entries = |unit, steps: &str, own: &str| {
            let (steps, own) = (steps.to_owned(), own.to_owned());
            StoredEntries { from, unit, steps, own }.entries().map(|entries| entries.len())
        };
        assert_eq!(entries(60_000, "AeBe", ""), Some(2));
        assert_eq!(entries(60_000, "AeBe", "-s"), Some(2));
        for (unit, steps, own) in [
            (60_000, "AeB", ""),
            (60_000, "Ae!e", ""),
            (60_000, "Aeg", ""),
            (60_000, "AeBe", "-"),
            (60_000, "AeBe", "-so"),
            (60_000, "AeBe", "-x"),
            (i64::MAX, "AeBe", ""),
            (1, "A______________P", ""),
            (1, "Aggggggggggggggggg", ""),
        ] {
            assert_eq!(entries(unit, steps, own), None, "{unit} {steps} {own}");
        }
    }
}
