//! The starts a search considers: the grid's points and the authoritative start, in order, by arithmetic alone.

use std::ops::Range;

use crate::{
    Instant, Interval,
    base::instant::{DAY, Slot},
};

/// The starts of slots of one length. Grid points are multiples of the grid from midnight UTC. A grid that does not
/// divide the day starts anew at each midnight. The authoritative start is among the starts, on the grid or not.
#[derive(Clone, Debug)]
pub struct Axis {
    /// The midnight that points are counted from.
    midnight: Instant,
    grid: Divisor,
    points_a_day: usize,
    /// Whether the grid divides the day, so that the days need not be told apart.
    divides_day: bool,
    /// The points between `midnight` and the first start.
    skipped: usize,
    /// How many starts are grid points.
    points: usize,
    home_start: Instant,
    home: usize,
    /// Whether the authoritative start is no point among `points`.
    beside_grid: bool,
    length: i64,
}

impl Axis {
    /// The grid's points in `[from, until]` and the start of `authoritative`. `grid` in milliseconds.
    pub fn new(from: Instant, until: Instant, grid: i64, authoritative: &Slot) -> Self {
        let midnight = Instant::from_millis(from.millis().div_euclid(DAY) * DAY);
        let grid = Divisor::new(grid.clamp(1, DAY) as u64);
        let mut axis = Self {
            midnight,
            grid,
            points_a_day: grid.ceiling(DAY as u64) as usize,
            divides_day: DAY % grid.divisor as i64 == 0,
            skipped: 0,
            points: 0,
            home_start: authoritative.start,
            home: 0,
            beside_grid: false,
            length: authoritative.length(),
        };
        axis.skipped = axis.points_before(from);
        axis.points = axis.points_before(until.plus_millis(1)).saturating_sub(axis.skipped);
        axis.home = axis.first_at_or_after(authoritative.start);
        axis.beside_grid = axis.home == axis.points || axis.start(axis.home) != authoritative.start;
        axis
    }

    /// How many starts there are: at least the authoritative one.
    pub const fn count(&self) -> usize {
        self.points + self.beside_grid as usize
    }

    /// The index of the authoritative start.
    pub const fn home(&self) -> usize {
        self.home
    }

    /// The instant of a start.
    pub fn start(&self, index: usize) -> Instant {
        if self.beside_grid && index == self.home {
            return self.home_start;
        }
        let point = self.skipped + index - usize::from(self.beside_grid && index > self.home);
        let (day, of_day) = (point / self.points_a_day, point % self.points_a_day);
        self.midnight.plus_millis(day as i64 * DAY + of_day as i64 * self.grid.divisor as i64)
    }

    /// The slot of a start.
    pub fn slot(&self, index: usize) -> Slot {
        let start = self.start(index);
        Interval { start, end: start.plus_millis(self.length) }
    }

    /// The index of a slot of this length at one of the starts.
    pub fn index(&self, slot: &Slot) -> Option<usize> {
        let index = self.first_at_or_after(slot.start);
        (slot.length() == self.length && index < self.count() && self.start(index) == slot.start).then_some(index)
    }

    /// How far a start lies from the authoritative one, in milliseconds.
    pub fn displacement(&self, index: usize) -> i64 {
        self.start(index).since(self.home_start).abs()
    }

    /// How many starts come before the instant: the index of the first that does not.
    #[inline]
    pub fn first_at_or_after(&self, instant: Instant) -> usize {
        let points = self.points_before(instant).saturating_sub(self.skipped).min(self.points);
        points + usize::from(self.beside_grid && self.home_start < instant)
    }

    #[inline]
    fn points_before(&self, instant: Instant) -> usize {
        let passed = instant.since(self.midnight).clamp(0, LONGEST) as u64;
        if self.divides_day {
            return self.grid.ceiling(passed) as usize;
        }
        let (days, of_day) = (passed / DAY as u64, passed % DAY as u64);
        days as usize * self.points_a_day + self.grid.ceiling(of_day) as usize
    }

    /// The starts at or after the instant.
    pub fn from(&self, instant: Instant) -> Range<usize> {
        self.first_at_or_after(instant)..self.count()
    }

    /// The starts whose slot ends at or before the instant.
    pub fn ending_by(&self, instant: Instant) -> Range<usize> {
        0..self.first_at_or_after(instant.plus_millis(1 - self.length))
    }

    /// The starts whose slot overlaps `busy`.
    #[inline]
    pub fn overlapping(&self, busy: &Interval) -> Range<usize> {
        self.first_at_or_after(busy.start.plus_millis(1 - self.length))..self.first_at_or_after(busy.end)
    }

    /// The starts whose slot lies wholly inside `span`.
    pub fn inside(&self, span: &Interval) -> Range<usize> {
        let from = self.first_at_or_after(span.start);
        from..self.ending_by(span.end).end.max(from)
    }

    /// All starts from the authoritative one outward: the later before the earlier of two equally near.
    pub fn outward(&self) -> impl Iterator<Item = usize> {
        self.outward_by(|from| (from < self.count()).then_some(from), |before| before.checked_sub(1))
    }

    /// Outward from the authoritative start over some of the starts: `next` says which comes first at or after an index,
    /// `previous` which comes last before one.
    pub fn outward_by(
        &self,
        next: impl Fn(usize) -> Option<usize>,
        previous: impl Fn(usize) -> Option<usize>,
    ) -> impl Iterator<Item = usize> {
        let with_distance = |index: usize| (self.displacement(index), index);
        let mut later = next(self.home).map(with_distance);
        let mut earlier = previous(self.home).map(with_distance);
        std::iter::from_fn(move || {
            let down = match (later, earlier) {
                (Some((up, _)), Some((down, _))) => down < up,
                (later, _) => later.is_none(),
            };
            if down {
                let (_, index) = earlier?;
                earlier = previous(index).map(with_distance);
                Some(index)
            } else {
                let (_, index) = later?;
                later = next(index + 1).map(with_distance);
                Some(index)
            }
        })
    }
}

/// As far as starts are told apart, in milliseconds: longer than any window is.
const LONGEST: i64 = (1 << 37) - 1;

/// Division by one number, as a multiplication: it is done twice for each interval of each person.
#[derive(Clone, Copy, Debug)]
struct Divisor {
    divisor: u64,
    /// 2^64 divided by the divisor, rounded up: exact for numbers up to [`LONGEST`], since a divisor is below 2^27.
    inverse: u64,
}

impl Divisor {
    const fn new(divisor: u64) -> Self {
        Self { divisor, inverse: (u64::MAX / divisor).saturating_add(1) }
    }

    /// `number / divisor`, rounded up. `number` is at most [`LONGEST`].
    #[inline]
    const fn ceiling(self, number: u64) -> u64 {
        if self.divisor == 1 {
            return number;
        }
        (((number + self.divisor - 1) as u128 * self.inverse as u128) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same starts as a list that is walked.
    fn listed(from: i64, until: i64, grid: i64, home: i64) -> Vec<i64> {
        let mut starts: Vec<i64> = (from.div_euclid(DAY)..=until.div_euclid(DAY))
            .flat_map(|day| (day * DAY..(day + 1) * DAY).step_by(grid as usize))
            .filter(|start| (from..=until).contains(start))
            .collect();
        starts.push(home);
        starts.sort_unstable();
        starts.dedup();
        starts
    }

    const MINUTE: i64 = 60_000;

    #[test]
    fn arithmetic_agrees_with_a_list_of_starts() {
        let minutes = [5, 7, 15, 50, 60, 1_000, 1_440];
        for (case, grid) in minutes.iter().flat_map(|grid| (0..6).map(move |case| (case, *grid))) {
            let from = 20 * DAY + case * 137 * MINUTE + (case % 2) * 1_234;
            let until = from + (case - 1) * 611 * MINUTE;
            let home = from + case * 301 * MINUTE - 250 * MINUTE + (case % 3) * 777;
            let starts = listed(from, until, grid * MINUTE, home);
            let at = Instant::from_millis;
            let slot = Interval { start: at(home), end: at(home + 45 * MINUTE) };
            let axis = Axis::new(at(from), at(until), grid * MINUTE, &slot);
            assert_eq!(axis.count(), starts.len());
            let ours: Vec<i64> = (0..axis.count()).map(|index| axis.start(index).millis()).collect();
            assert_eq!(ours, starts, "grid {grid}, case {case}");
            assert_eq!(starts[axis.home()], home);
            for instant in (from - DAY..until.max(from) + DAY).step_by(7 * MINUTE as usize) {
                for beside in [-1, 0, 1] {
                    let instant = instant + beside;
                    let before = starts.iter().filter(|start| **start < instant).count();
                    assert_eq!(axis.first_at_or_after(at(instant)), before);
                    let busy = Interval { start: at(instant), end: at(instant + 33 * MINUTE) };
                    let slots = |keep: &dyn Fn(&Slot) -> bool| {
                        (0..axis.count()).filter(|index| keep(&axis.slot(*index))).collect::<Vec<_>>()
                    };
                    assert_eq!(axis.overlapping(&busy).collect::<Vec<_>>(), slots(&|slot| busy.overlaps(slot)));
                    assert_eq!(axis.inside(&busy).collect::<Vec<_>>(), slots(&|slot| busy.contains(slot)));
                    assert_eq!(axis.ending_by(at(instant)).collect::<Vec<_>>(), slots(&|slot| slot.end <= at(instant)));
                }
            }
            let outward: Vec<usize> = axis.outward().collect();
            let mut sorted: Vec<usize> = (0..starts.len()).collect();
            sorted.sort_by_key(|index| ((starts[*index] - home).abs(), std::cmp::Reverse(starts[*index])));
            assert_eq!(outward, sorted);
        }
    }

    #[test]
    fn a_multiplication_divides_as_a_division_does() {
        for divisor in (1..=1_440).map(|minutes| minutes * MINUTE as u64).chain([1, 2, 3, 7, 86_399_999, 86_400_000]) {
            let near = |number: u64| number.saturating_sub(1)..=number + 1;
            let numbers = (0..=DAY as u64 / divisor.max(60_000)).flat_map(|times| near(times * divisor));
            for number in numbers.filter(|number| *number <= DAY as u64) {
                assert_eq!(Divisor::new(divisor).ceiling(number), number.div_ceil(divisor), "{number} / {divisor}");
            }
        }
    }
}
