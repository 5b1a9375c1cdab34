//! The starts a search considers, and sets of them.

use crate::{Instant, Interval, base::instant::DAY};

/// The grid's points in `[from, until]` and the authoritative start, in order.
pub fn starts(from: Instant, until: Instant, grid: i64, authoritative: Instant) -> Vec<Instant> {
    let mut starts = Vec::new();
    let mut midnight = from.millis().div_euclid(DAY) * DAY;
    while midnight <= until.millis() {
        // A grid that does not divide the day starts anew at each midnight.
        let first = (from.millis().max(midnight) - midnight + grid - 1) / grid * grid;
        let last = (midnight + DAY - 1).min(until.millis());
        starts.extend((midnight + first..=last).step_by(grid as usize).map(Instant::from_millis));
        midnight += DAY;
    }
    if let Err(at) = starts.binary_search(&authoritative) {
        starts.insert(at, authoritative);
    }
    starts
}

/// A set of starts, by index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Starts {
    words: Vec<u64>,
    len: usize,
}

impl Starts {
    pub fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    pub fn all(len: usize) -> Self {
        let mut all = Self::none(len);
        all.fill(0, len);
        all
    }

    pub fn contains(&self, index: usize) -> bool {
        index < self.len && self.words[index / 64] >> (index % 64) & 1 == 1
    }

    pub fn insert(&mut self, index: usize) {
        self.words[index / 64] |= 1 << (index % 64);
    }

    /// Adds `[from, to)`.
    pub fn fill(&mut self, from: usize, to: usize) {
        self.each_word(from, to, |word, mask| *word |= mask);
    }

    /// Removes `[from, to)`.
    pub fn clear(&mut self, from: usize, to: usize) {
        self.each_word(from, to, |word, mask| *word &= !mask);
    }

    fn each_word(&mut self, from: usize, to: usize, apply: impl Fn(&mut u64, u64)) {
        let to = to.min(self.len);
        let mut at = from;
        while at < to {
            let end = (at / 64 * 64 + 64).min(to);
            let width = end - at;
            let mask = if width == 64 { u64::MAX } else { ((1 << width) - 1) << (at % 64) };
            apply(&mut self.words[at / 64], mask);
            at = end;
        }
    }

    pub fn and(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    pub fn or(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    pub fn and_not(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }
}

/// Index arithmetic over sorted starts of slots of one length.
#[derive(Clone, Debug)]
pub struct Axis {
    pub starts: Vec<Instant>,
    pub length: i64,
}

impl Axis {
    pub fn slot(&self, index: usize) -> Interval {
        let start = self.starts[index];
        Interval { start, end: start.plus_millis(self.length) }
    }

    fn first_at_or_after(&self, instant: Instant) -> usize {
        self.starts.partition_point(|start| *start < instant)
    }

    /// The starts whose slot overlaps `busy`: those in `(busy.start - length, busy.end)`.
    pub fn overlapping(&self, busy: &Interval) -> (usize, usize) {
        let from = self.starts.partition_point(|start| start.plus_millis(self.length) <= busy.start);
        (from, self.first_at_or_after(busy.end).max(from))
    }

    /// The starts whose slot lies wholly inside `span`.
    pub fn inside(&self, span: &Interval) -> (usize, usize) {
        let from = self.first_at_or_after(span.start);
        let to = self.starts.partition_point(|start| start.plus_millis(self.length) <= span.end);
        (from, to.max(from))
    }
}
