//! Sets of starts, by index: one bit a start. So a rule about all starts costs a few operations a word.

use std::ops::Range;

/// A set of starts, as words of 64. Bits beyond the last start are never set.
pub type Starts = [u64];

/// The set without any of `len` starts.
pub fn none(len: usize) -> Vec<u64> {
    vec![0; len.div_ceil(64)]
}

/// The set of all `len` starts.
pub fn all(len: usize) -> Vec<u64> {
    let mut set = none(len);
    fill(&mut set, 0..len);
    set
}

/// Whether the start is in the set.
pub fn contains(set: &Starts, index: usize) -> bool {
    set.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
}

/// Adds a start.
pub fn insert(set: &mut Starts, index: usize) {
    set[index / 64] |= 1 << (index % 64);
}

/// Adds a range of starts.
#[inline(always)]
pub fn fill(set: &mut Starts, range: Range<usize>) {
    each_word(set, range, |word, mask| *word |= mask);
}

/// Removes a range of starts.
pub fn clear(set: &mut Starts, range: Range<usize>) {
    each_word(set, range, |word, mask| *word &= !mask);
}

/// Removes all starts outside a range.
pub fn keep(set: &mut Starts, range: Range<usize>) {
    let end = set.len() * 64;
    clear(set, 0..range.start);
    clear(set, range.end..end);
}

/// Nearly every range lies in one word.
#[inline(always)]
fn each_word(set: &mut Starts, range: Range<usize>, apply: impl Fn(&mut u64, u64)) {
    if range.is_empty() {
        return;
    }
    let (word, bit, count) = (range.start / 64, range.start % 64, range.end - range.start);
    if bit + count <= 64 {
        apply(&mut set[word], u64::MAX >> (64 - count) << bit);
    } else {
        each_of_several_words(set, range, apply);
    }
}

#[inline(never)]
fn each_of_several_words(set: &mut Starts, range: Range<usize>, apply: impl Fn(&mut u64, u64)) {
    let (first, last) = (range.start / 64, (range.end - 1) / 64);
    apply(&mut set[first], u64::MAX << (range.start % 64));
    set[first + 1..last].iter_mut().for_each(|word| apply(word, u64::MAX));
    apply(&mut set[last], u64::MAX >> (63 - (range.end - 1) % 64));
}

/// Keeps what is in `other` too.
pub fn intersect(set: &mut Starts, other: &Starts) {
    set.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
}

/// Adds what is in `other`.
pub fn unite(set: &mut Starts, other: &Starts) {
    set.iter_mut().zip(other).for_each(|(word, other)| *word |= other);
}

/// Removes what is in `other`.
pub fn subtract(set: &mut Starts, other: &Starts) {
    set.iter_mut().zip(other).for_each(|(word, other)| *word &= !other);
}

/// Whether no start is in the set.
pub fn is_empty(set: &Starts) -> bool {
    set.iter().all(|word| *word == 0)
}

/// The first start of the set at or after `from`.
pub fn next(set: &Starts, from: usize) -> Option<usize> {
    let mut at = from / 64;
    let mut word = set.get(at)? & u64::MAX << (from % 64);
    while word == 0 {
        at += 1;
        word = *set.get(at)?;
    }
    Some(at * 64 + word.trailing_zeros() as usize)
}

/// The last start of the set before `before`.
pub fn previous(set: &Starts, before: usize) -> Option<usize> {
    let last = before.min(set.len() * 64).checked_sub(1)?;
    let mut at = last / 64;
    let mut word = set[at] & u64::MAX >> (63 - last % 64);
    while word == 0 {
        at = at.checked_sub(1)?;
        word = set[at];
    }
    Some(at * 64 + 63 - word.leading_zeros() as usize)
}

/// The starts of the set in order.
pub fn each(set: &Starts) -> impl Iterator<Item = usize> {
    std::iter::successors(next(set, 0), |start| next(set, start + 1))
}

/// Adds each start to `edges` where the set begins or ends: either this start or the one before is in the set, not
/// both. The start before the first counts as none.
pub fn mark_edges(edges: &mut Starts, set: impl Iterator<Item = u64>) {
    let mut carry = 0;
    for (edge, word) in edges.iter_mut().zip(set) {
        *edge |= word ^ (word << 1 | carry);
        carry = word >> 63;
    }
}

/// Sets over the same starts, a row each, in one piece of memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rows {
    width: usize,
    words: Vec<u64>,
}

impl Rows {
    /// `rows` sets without any of `len` starts.
    pub fn none(rows: usize, len: usize) -> Self {
        let width = len.div_ceil(64);
        Self { width, words: vec![0; rows * width] }
    }

    /// Row by row, what is not in the same row of `other`.
    pub fn without(&self, other: &Self) -> Self {
        let words = self.words.iter().zip(&other.words).map(|(word, other)| word & !other).collect();
        Self { width: self.width, words }
    }

    /// The set of a row.
    pub fn row(&self, row: usize) -> &Starts {
        &self.words[row * self.width..(row + 1) * self.width]
    }

    /// The set of a row, to change.
    pub fn row_mut(&mut self, row: usize) -> &mut Starts {
        &mut self.words[row * self.width..(row + 1) * self.width]
    }

    /// The rows in order.
    pub fn iter(&self) -> impl Iterator<Item = &Starts> {
        self.words.chunks_exact(self.width.max(1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every range of a set that spans word boundaries, beside the same in an ordinary set.
    #[test]
    fn ranges_are_filled_cleared_and_walked() {
        const LEN: usize = 150;
        for from in 0..LEN {
            for to in from..=LEN {
                let mut set = none(LEN);
                fill(&mut set, from..to);
                assert_eq!(each(&set).collect::<Vec<_>>(), (from..to).collect::<Vec<_>>());
                assert_eq!(is_empty(&set), from == to);
                assert_eq!(next(&set, 70), (70..LEN).find(|start| (from..to).contains(start)));
                assert_eq!(previous(&set, 70), (0..70).rev().find(|start| (from..to).contains(start)));
                let mut edges = none(LEN + 1);
                mark_edges(&mut edges, set.iter().copied());
                let expected: BTreeSet<usize> = [from, to].into_iter().filter(|_| from < to).collect();
                assert_eq!(each(&edges).collect::<BTreeSet<_>>(), expected);
                let mut rest = all(LEN);
                clear(&mut rest, from..to);
                assert!((0..LEN).all(|start| contains(&rest, start) != contains(&set, start)));
                let mut kept = all(LEN);
                keep(&mut kept, from..to);
                assert_eq!(kept, set);
            }
        }
    }
}
