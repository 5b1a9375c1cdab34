//! The entries of one calendar. Calendars are most of what a decision reads and of what a worker remembers. So an entry
//! takes eight bytes wherever its times allow:
//!
//! ```text
//!  entries  09:00-09:30  10:00-11:00  13:15-13:30          from 09:00, in seconds
//!  steps      0, 1800    3600, 7200  15300, 16200          start and end after the first start
//! ```
//! Stored, hashed and shown they are a list.

use std::{fmt, ops::Range};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Instant, Interval, base::instant::SECOND};

/// One entry of busy time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Busy {
    /// The start of the entry.
    pub start: Instant,
    /// The end of the entry.
    pub end: Instant,
    /// What the source says of the owner of the entry.
    #[serde(default, skip_serializing_if = "EntryOf::is_unsaid", with = "as_own")]
    pub own: EntryOf,
}

/// Whether a busy entry is an invitation of ours, as its source says. Stored as `own: true`, `own: false`, or nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum EntryOf {
    /// The source does not say.
    #[default]
    Unsaid,
    /// The source says that the entry is somebody else's.
    Others,
    /// The source says that the entry is ours.
    Ours,
}

impl EntryOf {
    /// What the member `own` of an entry says; `None` where the entry has no such member.
    pub fn of(own: Option<bool>) -> Self {
        own.map_or(Self::Unsaid, |own| if own { Self::Ours } else { Self::Others })
    }

    fn is_unsaid(&self) -> bool {
        *self == Self::Unsaid
    }
}

/// The stored form of whose an entry is.
mod as_own {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::facts::entries::EntryOf;

    pub fn serialize<S: Serializer>(entry: &EntryOf, serializer: S) -> Result<S::Ok, S::Error> {
        let own = match entry {
            EntryOf::Unsaid => None,
            EntryOf::Others => Some(false),
            EntryOf::Ours => Some(true),
        };
        own.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EntryOf, D::Error> {
        Option::deserialize(deserializer).map(EntryOf::of)
    }
}

impl Busy {
    /// The time of the entry.
    pub const fn interval(&self) -> Interval {
        Interval { start: self.start, end: self.end }
    }
}

/// The entries of one calendar, in the source's order.
#[derive(Clone)]
pub struct Entries(Packing);

#[derive(Clone)]
enum Packing {
    Steps {
        /// The first start.
        from: Instant,
        unit: StepUnit,
        steps: Box<[Step]>,
        /// One an entry; none where the source says nothing of any.
        own: Box<[EntryOf]>,
    },
    /// As they are: no step of these entries is short enough.
    List(Box<[Busy]>),
}

/// What steps are counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum StepUnit {
    /// Four bytes are 136 years.
    Seconds,
    /// Four bytes are 49 days.
    Millis,
}

/// An entry, in units after the first start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// The start of the entry.
    pub start: u32,
    /// The end of the entry.
    pub end: u32,
}

/// Some entries of a calendar, side by side, by their times alone.
#[derive(Clone, Copy, Debug)]
pub enum Stretch<'e> {
    /// As steps.
    Steps(Steps<'e>),
    /// As they are.
    List(&'e [Busy]),
}

/// So many steps are looked at together.
const CHUNK: usize = 16;

/// Entries that are written as steps.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'e> {
    /// What steps are counted from.
    pub from: Instant,
    /// What steps are counted in, in milliseconds.
    pub unit: i64,
    /// One an entry.
    pub steps: &'e [Step],
}

impl StepUnit {
    const fn millis(self) -> i64 {
        match self {
            Self::Seconds => SECOND,
            Self::Millis => 1,
        }
    }
}

impl Default for Entries {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<Busy>> for Entries {
    fn from(busy: Vec<Busy>) -> Self {
        let form = [StepUnit::Seconds, StepUnit::Millis].into_iter().find_map(|unit| steps(&busy, unit));
        Self(form.unwrap_or_else(|| Packing::List(busy.into())))
    }
}

/// `None` where a step is no number of units, or is too long.
fn steps(busy: &[Busy], unit: StepUnit) -> Option<Packing> {
    let from = busy.iter().map(|entry| entry.start).min().unwrap_or(Instant::from_millis(0));
    let in_units = |instant: Instant| {
        let (passed, unit) = (instant.since(from), unit.millis());
        let step = if passed % unit == 0 { u32::try_from(passed / unit).ok() } else { None };
        // The last number is left for what comes after all steps.
        step.filter(|step| *step < u32::MAX)
    };
    let mut steps = Vec::with_capacity(busy.len());
    for entry in busy {
        steps.push(Step { start: in_units(entry.start)?, end: in_units(entry.end)? });
    }
    let said = busy.iter().any(|entry| entry.own != EntryOf::Unsaid);
    let own = if said { busy.iter().map(|entry| entry.own).collect() } else { Box::default() };
    Some(Packing::Steps { from, unit, steps: steps.into(), own })
}

impl Entries {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Packing::Steps { steps, .. } => steps.len(),
            Packing::List(busy) => busy.len(),
        }
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = Busy> {
        (0..self.len()).map(|place| self.get(place))
    }

    /// The entry at a place.
    pub fn get(&self, place: usize) -> Busy {
        match &self.0 {
            Packing::Steps { from, unit, steps, own } => {
                let Interval { start, end } = Steps { from: *from, unit: unit.millis(), steps }.interval(steps[place]);
                Busy { start, end, own: own.get(place).copied().unwrap_or_default() }
            }
            Packing::List(busy) => busy[place],
        }
    }

    /// Whether the source says of any entry whose the entry is.
    pub fn says_whose(&self) -> bool {
        match &self.0 {
            Packing::Steps { own, .. } => !own.is_empty(),
            Packing::List(busy) => busy.iter().any(|entry| entry.own != EntryOf::Unsaid),
        }
    }

    /// Some of the entries, by index.
    pub fn stretch(&self, range: Range<usize>) -> Stretch<'_> {
        match &self.0 {
            Packing::Steps { from, unit, steps, .. } => {
                Stretch::Steps(Steps { from: *from, unit: unit.millis(), steps: &steps[range] })
            }
            Packing::List(busy) => Stretch::List(&busy[range]),
        }
    }

    /// How much memory they take beside the list's own place.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            Packing::Steps { steps, own, .. } => size_of_val(&**steps) + size_of_val(&**own),
            Packing::List(busy) => size_of_val(&**busy),
        }
    }
}

impl<'e> Stretch<'e> {
    /// The time of each entry, in order.
    pub fn intervals(self) -> impl Iterator<Item = Interval> {
        let (steps, list) = match self {
            Self::Steps(steps) => (Some(steps), None),
            Self::List(list) => (None, Some(list)),
        };
        let steps = steps.into_iter().flat_map(|steps| steps.steps.iter().map(move |step| steps.interval(*step)));
        steps.chain(list.into_iter().flatten().map(Busy::interval))
    }

    /// Which of the entries overlap the span, by their place in the stretch.
    pub fn overlapping(self, span: &Interval) -> Vec<usize> {
        match self {
            Self::Steps(steps) => steps.overlapping(span),
            Self::List(busy) => (0..busy.len()).filter(|place| busy[*place].interval().overlaps(span)).collect(),
        }
    }
}

impl Steps<'_> {
    fn interval(&self, step: Step) -> Interval {
        let at = |step: u32| self.from.plus_millis(i64::from(step) * self.unit);
        Interval { start: at(step.start), end: at(step.end) }
    }

    fn overlapping(&self, span: &Interval) -> Vec<usize> {
        let limit = |step: i64| step.clamp(0, i64::from(u32::MAX)) as u32;
        // The first step at or after the span's end, and the first after its start.
        let before = limit(-self.from.since(span.end).div_euclid(self.unit));
        let from = limit(self.last_by(span.start) + 1);
        let overlaps = |step: &Step| (step.start < before) & (from <= step.end);
        // In most chunks none does, and that is asked without a branch.
        let any = |steps: &[Step]| steps.iter().fold(false, |any, step| any | overlaps(step));
        let chunks = self.steps.chunks(CHUNK).enumerate().filter(|(_, steps)| any(steps));
        let places = chunks.flat_map(|(chunk, steps)| (chunk * CHUNK..).zip(steps));
        places.filter(|(_, step)| overlaps(step)).map(|(place, _)| place).collect()
    }

    /// The last step, be it before the first start, that does not come after the instant.
    pub fn last_by(&self, instant: Instant) -> i64 {
        instant.since(self.from).div_euclid(self.unit)
    }
}

impl FromIterator<Busy> for Entries {
    fn from_iter<I: IntoIterator<Item = Busy>>(entries: I) -> Self {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Entries {}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Entries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Busy>::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use crate::base::instant::{DAY, HOUR, MINUTE};

    use super::*;

    const YEAR: i64 = 365 * DAY;

    fn entry(start: i64, length: i64, own: EntryOf) -> Busy {
        let start = Instant::from_millis(1_793_696_472_250 + start);
        Busy { start, end: start.plus_millis(length), own }
    }

    fn plain(start: i64, length: i64) -> Busy {
        entry(start, length, EntryOf::Unsaid)
    }

    /// Entries, and how many bytes each takes.
    fn samples() -> Vec<(Vec<Busy>, usize)> {
        vec![
            (vec![], 0),
            (vec![plain(0, HOUR), plain(HOUR, 1_000)], 8),
            // In no order, and overlapping.
            (vec![plain(2 * HOUR, HOUR), plain(0, 3 * HOUR), plain(HOUR, HOUR)], 8),
            (vec![entry(0, HOUR, EntryOf::Ours), entry(HOUR, HOUR, EntryOf::Others), plain(2 * HOUR, HOUR)], 9),
            // Milliseconds.
            (vec![plain(0, HOUR), plain(HOUR, 1), plain(1, 49 * DAY)], 8),
            // Longer than 49 days: seconds.
            (vec![plain(0, HOUR), plain(YEAR, 50 * DAY)], 8),
            // That, to the millisecond.
            (vec![plain(0, HOUR), entry(YEAR + 1, 50 * DAY, EntryOf::Others)], 24),
            // Longer than 136 years, and the last number of milliseconds and of seconds.
            (vec![plain(0, HOUR), plain(137 * YEAR, HOUR)], 24),
            (vec![plain(0, i64::from(u32::MAX) * SECOND)], 24),
            (vec![plain(0, 1), plain(i64::from(u32::MAX) - 1, 1)], 24),
            // No source says this.
            (vec![plain(0, -HOUR)], 24),
        ]
    }

    #[test]
    fn entries_say_what_the_list_says_in_a_third_of_the_memory() {
        for (busy, bytes_an_entry) in samples() {
            let entries = Entries::from(busy.clone());
            assert_eq!(entries.bytes(), bytes_an_entry * busy.len(), "{busy:?}");
            assert_eq!((entries.len(), entries.is_empty()), (busy.len(), busy.is_empty()));
            assert!(entries.iter().eq(busy.iter().copied()), "{entries:?} of {busy:?}");
            assert_eq!(entries.says_whose(), busy.iter().any(|entry| entry.own != EntryOf::Unsaid));
            let stored = serde_json::to_string(&busy).expect("JSON");
            assert_eq!(serde_json::to_string(&entries).expect("JSON"), stored);
            assert_eq!(serde_json::from_str::<Entries>(&stored).expect("a list"), entries);
            for (other, _) in samples() {
                assert_eq!(entries == Entries::from(other.clone()), busy == other);
            }
        }
    }

    #[test]
    fn a_stretch_overlaps_a_span_as_its_entries_do() {
        let samples = samples().into_iter().map(|(busy, _)| busy);
        // Several chunks, the last one with less.
        let many = (0..3 * CHUNK as i64 + 2).map(|at| plain(at * 7 * HOUR % DAY, (at + 1) * MINUTE)).collect();
        for busy in samples.chain([many]) {
            let entries = Entries::from(busy.clone());
            let stretch = entries.stretch(busy.len().min(1)..busy.len());
            let busy = &busy[busy.len().min(1)..];
            assert!(stretch.intervals().eq(busy.iter().map(Busy::interval)));
            let ends = [-400 * YEAR, -1, 0, 1, 999, 1_000, HOUR - 1, HOUR, HOUR + 1, 5 * HOUR, YEAR, 400 * YEAR];
            for (start, end) in ends.iter().flat_map(|start| ends.iter().map(move |end| (*start, *end))) {
                let span = plain(start, (end - start).max(1)).interval();
                let overlapping = (0..busy.len()).filter(|place| busy[*place].interval().overlaps(&span));
                assert_eq!(stretch.overlapping(&span), overlapping.collect::<Vec<_>>(), "{busy:?} and {span:?}");
            }
        }
    }

    #[test]
    fn the_stored_form_of_a_busy_entry_says_own_as_its_source_does() {
        let when = r#""start":"2026-11-03T15:30:00Z","end":"2026-11-03T16:30:00Z""#;
        for (own, stored) in [
            (EntryOf::Unsaid, format!("{{{when}}}")),
            (EntryOf::Others, format!("{{{when},\"own\":false}}")),
            (EntryOf::Ours, format!("{{{when},\"own\":true}}")),
        ] {
            let entry: Busy = serde_json::from_str(&stored).expect("a stored entry");
            assert_eq!(entry.own, own);
            assert_eq!(serde_json::to_string(&entry).expect("JSON"), stored);
        }
    }
}
