//! The starts a search considers: the grid's points and the authoritative start, in order, by arithmetic alone.

use std::ops::Range;

use crate::{
    Instant, Interval,
    base::instant::{DAY, MINUTE, Slot},
    choice::starts::{self, Starts},
    facts::entries::{Steps, Stretch},
};

/// The starts of slots of one length. Grid points are multiples of the grid from midnight UTC. A grid that does not
/// divide the day starts anew at each midnight. The authoritative start is among the starts, on the grid or not.
#[derive(Clone, Debug)]
pub struct Axis {
    points: Points,
    home_start: Instant,
    home: usize,
    /// The authoritative start where it is no point of the grid, so that it is counted among the starts by itself.
    beside_grid: Option<Instant>,
    length: i64,
}

/// The grid's points in one span of time.
#[derive(Clone, Copy, Debug)]
struct Points {
    /// The instant that points are counted from: the first point where the grid divides the day, otherwise a midnight.
    origin: Instant,
    grid: Divisor,
    count: usize,
    /// How far after `origin` an instant can come, in milliseconds, before it comes after all points.
    reach: i64,
    /// Of a grid that does not divide the day.
    uneven: Option<UnevenDays>,
}

/// Each day has as many points, and the last one of a day is nearer to midnight than the grid.
#[derive(Clone, Copy, Debug)]
struct UnevenDays {
    points_a_day: usize,
    /// The points between `origin` and the first one of the span.
    skipped: usize,
}

impl Points {
    fn new(from: Instant, until: Instant, grid: i64) -> Self {
        let midnight = Instant::from_millis(from.millis().div_euclid(DAY) * DAY);
        let grid = Divisor::new(grid as u64);
        let points_a_day = grid.ceiling(DAY as u64) as usize;
        let mut points = Self { origin: midnight, grid, count: usize::MAX, reach: LONGEST, uneven: None };
        if DAY % grid.divisor as i64 == 0 {
            points.origin = midnight.plus_millis(points.before(from) as i64 * grid.divisor as i64);
            points.count = points.before(until.plus_millis(1));
            points.reach = (points.count as i64 * grid.divisor as i64).min(LONGEST);
        } else {
            points.uneven = Some(UnevenDays { points_a_day, skipped: 0 });
            let skipped = points.before(from);
            points.uneven = Some(UnevenDays { points_a_day, skipped });
            points.count = points.before(until.plus_millis(1));
        }
        points
    }

    /// How many points come before the instant.
    #[inline(always)]
    fn before(&self, instant: Instant) -> usize {
        let passed = instant.since(self.origin);
        match self.uneven {
            None => self.grid.ceiling(passed.clamp(0, self.reach) as u64) as usize,
            Some(uneven) => {
                let passed = passed.clamp(0, self.reach) as u64;
                let (days, of_day) = (passed / DAY as u64, passed % DAY as u64);
                let since_origin = days as usize * uneven.points_a_day + self.grid.ceiling(of_day) as usize;
                since_origin.saturating_sub(uneven.skipped).min(self.count)
            }
        }
    }

    fn at(&self, index: usize) -> Instant {
        let Some(uneven) = self.uneven else {
            return self.origin.plus_millis(index as i64 * self.grid.divisor as i64);
        };
        let point = uneven.skipped + index;
        let (day, of_day) = (point / uneven.points_a_day, point % uneven.points_a_day);
        self.origin.plus_millis(day as i64 * DAY + of_day as i64 * self.grid.divisor as i64)
    }
}

impl Axis {
    /// The grid's points in `[from, until]` and the start of `authoritative`. `grid` in milliseconds.
    pub fn new(from: Instant, until: Instant, grid: i64, authoritative: &Slot) -> Self {
        let points = Points::new(from, until, grid.clamp(MINUTE, DAY));
        let home = points.before(authoritative.start);
        let on_grid = home < points.count && points.at(home) == authoritative.start;
        Self {
            points,
            home_start: authoritative.start,
            home,
            beside_grid: (!on_grid).then_some(authoritative.start),
            length: authoritative.length(),
        }
    }

    /// How many starts there are: at least the authoritative one.
    pub const fn count(&self) -> usize {
        self.points.count + self.beside_grid.is_some() as usize
    }

    /// The index of the authoritative start.
    pub const fn home(&self) -> usize {
        self.home
    }

    /// The instant of a start.
    pub fn start(&self, index: usize) -> Instant {
        match self.beside_grid {
            Some(home) if index == self.home => home,
            Some(_) if index > self.home => self.points.at(index - 1),
            _ => self.points.at(index),
        }
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
    #[inline(always)]
    pub fn first_at_or_after(&self, instant: Instant) -> usize {
        self.points.before(instant) + usize::from(self.beside_grid.is_some_and(|home| home < instant))
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
    #[inline(always)]
    pub fn overlapping(&self, busy: &Interval) -> Range<usize> {
        self.first_at_or_after(busy.start.plus_millis(1 - self.length))..self.first_at_or_after(busy.end)
    }

    /// Adds the starts whose slot overlaps one of the intervals.
    pub fn mark_each(&self, row: &mut Starts, intervals: impl Iterator<Item = Interval>) {
        intervals.for_each(|interval| starts::fill(row, self.overlapping(&interval)));
    }

    /// Adds the starts whose slot overlaps one of the entries. A search spends most of its time here, so the loop for the
    /// usual axis and the usual entries asks nothing that only others need.
    pub fn mark(&self, row: &mut Starts, stretch: Stretch<'_>) {
        let Some(steps) = self.countable(stretch) else { return self.mark_each(row, stretch.intervals()) };
        // A slot that starts so early ends before the entry.
        let touching = self.points.origin.plus_millis(self.length - 1);
        let before_start = PointsBefore::of(&self.points, &steps, touching);
        let before_end = PointsBefore::of(&self.points, &steps, self.points.origin);
        for step in steps.steps {
            starts::fill(row, before_start.count_at_least(step.start)..before_end.count(step.end));
        }
    }

    /// The steps of a stretch, where every start is a point of a grid that divides the day and is whole in their unit.
    fn countable<'e>(&self, stretch: Stretch<'e>) -> Option<Steps<'e>> {
        let Stretch::Steps(steps) = stretch else { return None };
        let is_whole = self.points.grid.divisor.is_multiple_of(steps.unit as u64);
        (self.points.uneven.is_none() && self.beside_grid.is_none() && is_whole).then_some(steps)
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

    /// The starts that are reached, outward from the authoritative one, with this one as the last. They lie side by side.
    pub fn up_to(&self, index: usize) -> Range<usize> {
        let distance = self.displacement(index);
        if index < self.home {
            index..self.first_at_or_after(self.home_start.plus_millis(distance + 1))
        } else {
            // The earlier of two equally near comes after the later.
            self.first_at_or_after(self.home_start.plus_millis(1 - distance)).min(self.home)..index + 1
        }
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

/// Counts the points of a grid before instants that are written as steps, in the unit of the steps.
#[derive(Clone, Copy, Debug)]
struct PointsBefore {
    grid: Divisor,
    /// Where the count begins: the first point, and before that what rounds up.
    first: i64,
    /// How far after `first` a step can come before it comes after all points.
    reach: i64,
}

impl PointsBefore {
    /// As if the first point were at `origin`.
    fn of(points: &Points, steps: &Steps<'_>, origin: Instant) -> Self {
        let grid = points.grid.divisor as i64 / steps.unit;
        Self {
            grid: Divisor::new(grid as u64),
            first: steps.last_by(origin) - (grid - 1),
            reach: points.reach / steps.unit + (grid - 1),
        }
    }

    #[inline(always)]
    fn count(self, step: u32) -> usize {
        self.grid.floor((i64::from(step) - self.first).clamp(0, self.reach) as u64) as usize
    }

    /// The same, or a greater number where all points come before the step.
    #[inline(always)]
    fn count_at_least(self, step: u32) -> usize {
        self.grid.floor((i64::from(step) - self.first).max(0) as u64) as usize
    }
}

/// As far as starts are told apart, in milliseconds: longer than any window is.
const LONGEST: i64 = (1 << 37) - 1;

/// Division by one number, as a multiplication: it is done twice for each entry of each person.
#[derive(Clone, Copy, Debug)]
struct Divisor {
    /// At least two.
    divisor: u64,
    /// 2^64 divided by the divisor, rounded up. A product with it is exact for numbers up to [`LONGEST`] and one divisor more:
    /// these are below 2^37.1, and a divisor is at most a day, below 2^26.5.
    inverse: u64,
}

impl Divisor {
    const fn new(divisor: u64) -> Self {
        Self { divisor, inverse: u64::MAX / divisor + 1 }
    }

    /// `number / divisor`, rounded up. `number` is at most [`LONGEST`].
    #[inline(always)]
    const fn ceiling(self, number: u64) -> u64 {
        self.floor(number + self.divisor - 1)
    }

    /// `number / divisor`, rounded down.
    #[inline(always)]
    const fn floor(self, number: u64) -> u64 {
        ((number as u128 * self.inverse as u128) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        base::instant::SECOND,
        facts::{
            entries::Entries,
            fact::{Busy, EntryOf},
        },
    };

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

    fn entry(Interval { start, end }: Interval) -> Busy {
        Busy { start, end, own: EntryOf::Unsaid }
    }

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
                    // In seconds, in milliseconds, and as a list.
                    for after in [SECOND, 1, 80 * DAY + 1] {
                        let entries = [busy, busy.starting(busy.start.plus_millis(after))];
                        let mut marked = starts::none(axis.count());
                        axis.mark(&mut marked, Entries::from_iter(entries.map(entry)).stretch(0..2));
                        let expected = slots(&|slot| entries.iter().any(|entry| entry.overlaps(slot)));
                        assert_eq!(starts::each(&marked).collect::<Vec<_>>(), expected, "{entries:?}");
                    }
                    assert_eq!(axis.inside(&busy).collect::<Vec<_>>(), slots(&|slot| busy.contains(slot)));
                    assert_eq!(axis.ending_by(at(instant)).collect::<Vec<_>>(), slots(&|slot| slot.end <= at(instant)));
                }
            }
            let outward: Vec<usize> = axis.outward().collect();
            let mut sorted: Vec<usize> = (0..starts.len()).collect();
            sorted.sort_by_key(|index| ((starts[*index] - home).abs(), std::cmp::Reverse(starts[*index])));
            assert_eq!(outward, sorted);
            for (reached, last) in outward.iter().enumerate() {
                let up_to = axis.up_to(*last);
                assert_eq!(up_to.len(), reached + 1);
                assert!(outward[..=reached].iter().all(|start| up_to.contains(start)), "up to {last}");
            }
        }
    }

    #[test]
    fn a_multiplication_divides_as_a_division_does() {
        let grids = (1..=1_440).map(|minutes| minutes * MINUTE as u64);
        let in_seconds = grids.clone().map(|grid| grid / SECOND as u64);
        for divisor in grids.chain(in_seconds).chain([2, 3, 7, 86_399_999]) {
            let near = |number: u64| number.saturating_sub(1)..=number + 1;
            // Within a day, and at the end of what is ever asked.
            let (few, most) = (DAY as u64 / divisor.max(60_000), LONGEST as u64 / divisor);
            let times = (0..=few).chain(most.saturating_sub(20)..=most);
            for number in times.flat_map(|times| near(times * divisor)).filter(|number| *number <= LONGEST as u64) {
                let by = Divisor::new(divisor);
                assert_eq!(by.ceiling(number), number.div_ceil(divisor), "{number} / {divisor}");
                assert_eq!(by.floor(number), number / divisor, "{number} / {divisor}");
            }
        }
    }

    #[test]
    fn steps_however_far_from_the_axis_are_counted() {
        let (grid, count) = (15 * MINUTE, 2_880);
        let origin = Instant::from_millis(20_000 * DAY);
        let points = Points::new(origin, origin.plus_millis((count - 1) * grid), grid);
        for (unit, away) in [1, SECOND].into_iter().flat_map(|unit| [-50, -1, 0, 1, 50].map(|years| (unit, years))) {
            let from = origin.plus_millis(away * 365 * DAY + 1);
            let steps = Steps { from, unit, steps: &[] };
            let before = PointsBefore::of(&points, &steps, origin);
            let to_origin = (-away * 365 * DAY / unit).clamp(0, i64::from(u32::MAX - 1)) as u32;
            for step in [0, 1, to_origin, to_origin + 1, to_origin.saturating_add(90_000), u32::MAX - 1] {
                let instant = from.plus_millis(i64::from(step) * unit);
                let expected = points.before(instant);
                assert_eq!(before.count(step), expected, "{step} of {unit} after {from}");
                let at_least = before.count_at_least(step);
                assert!(at_least == expected || expected == points.count && at_least > expected);
            }
        }
    }
}
