//! Why this slot and not another: each start considered, with every reason against the start. Sets of starts find the
//! reasons, and runs keep them.

use std::{
    borrow::Cow,
    ops::{Range, RangeInclusive},
};

use crate::{
    Instant,
    choice::{
        candidates::{Candidates, Hindrance},
        seating::SeatMatching,
        starts,
    },
    record::{
        report::{Because, MOST_RUNS, Report, Writer},
        rule::SlotRule,
    },
};

/// How many starts are explained: those nearest to the authoritative one.
const MOST_STARTS: usize = 1_000;

/// Each start up to the chosen one, outward from the authoritative start; all of them where nothing was chosen.
pub fn of(candidates: &Candidates<'_>, chosen: Option<Instant>) -> Report {
    let considered = considered(candidates, chosen);
    let objections = Objections::of(candidates, &considered);
    let runs = runs(&objections.edges(candidates, &considered), &considered);
    let kept = nearest_runs(candidates, &runs);
    let teams = candidates.roles.iter().map(|role| {
        let people = role.candidates.iter().map(|candidate| candidates.people[candidate.person].clone());
        (role.role.clone(), people.collect())
    });
    let mut writer = Writer::new(teams.collect());
    for run in &runs[kept.clone()] {
        let start = run.start;
        writer.run(candidates.axis.start(start), candidates.axis.start(run.end - 1), objections.rules_at(start));
        for (index, role) in candidates.roles.iter().enumerate() {
            if !starts::contains(candidates.filled.row(index), start) {
                let because = role.candidates.iter().map(|candidate| because(candidates.hindrance(candidate, start)));
                writer.nobody_for(index, because);
            }
        }
    }
    writer.finish(considered.count() as u32, (runs.len() - kept.len()) as u32)
}

/// The starts outward from the authoritative one lie side by side.
fn considered(candidates: &Candidates<'_>, chosen: Option<Instant>) -> RangeInclusive<usize> {
    let (axis, home) = (&candidates.axis, candidates.axis.home());
    let chosen = chosen.map(|chosen| axis.first_at_or_after(chosen)).filter(|chosen| *chosen < axis.count());
    let all = chosen.map_or(0..axis.count(), |chosen| axis.up_to(chosen));
    if all.len() <= MOST_STARTS {
        return all.start..=all.end - 1;
    }
    let nearest = axis.outward().take(MOST_STARTS);
    let (first, last) = nearest.fold((home, home), |(first, last), start| (first.min(start), last.max(start)));
    first..=last
}

/// Neighbouring starts with the same reasons share a run.
fn runs(edges: &[u64], considered: &RangeInclusive<usize>) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut from = *considered.start();
    while considered.contains(&from) {
        let to = starts::next(edges, from + 1).map_or(considered.end() + 1, |edge| edge.min(considered.end() + 1));
        runs.push(from..to);
        from = to;
    }
    runs
}

/// The runs that are kept: as long as there are too many, the farther end goes.
fn nearest_runs(candidates: &Candidates<'_>, runs: &[Range<usize>]) -> Range<usize> {
    let displacement =
        |run: &Range<usize>| candidates.axis.displacement(run.start).min(candidates.axis.displacement(run.end - 1));
    let mut kept = 0..runs.len();
    while kept.len() > MOST_RUNS {
        if displacement(&runs[kept.start]) > displacement(&runs[kept.end - 1]) {
            kept.start += 1;
        } else {
            kept.end -= 1;
        }
    }
    kept
}

/// A role that nobody may fill has a reason against each of its people.
const fn because(hindrance: Option<Hindrance>) -> Because {
    match hindrance {
        Some(Hindrance::NotValid) => Because::NotValid,
        Some(Hindrance::Busy) => Because::Busy,
        Some(Hindrance::Hours) => Because::Hours,
        Some(Hindrance::Unknown) | None => Because::Unknown,
    }
}

/// Each rule that asks for nobody in particular, with the starts that break it. A start may break several.
struct Objections {
    against: [(SlotRule, Vec<u64>); 8],
}

impl Objections {
    fn of(candidates: &Candidates<'_>, considered: &RangeInclusive<usize>) -> Self {
        let (axis, situation) = (&candidates.axis, candidates.situation);
        let len = axis.count();
        let within = |range: Range<usize>| {
            let mut set = starts::none(len);
            starts::fill(&mut set, range);
            set
        };
        let outside = |range: Range<usize>| {
            let mut set = starts::all(len);
            starts::clear(&mut set, range);
            set
        };
        let (no_evidence, mut before_evidence) = match situation.evidence_start() {
            None => (starts::all(len), starts::none(len)),
            Some(ready) => (starts::none(len), outside(axis.from(ready))),
        };
        starts::unite(&mut before_evidence, &candidates.near_while_overdue());
        let window = situation.in_force().map_or(starts::none(len), |change| outside(axis.inside(&change.window)));
        let cutover = situation.cutover_end().map_or(starts::none(len), |end| outside(axis.ending_by(end)));
        let mut notice = outside(axis.from(situation.proposal_start()));
        starts::clear(&mut notice, within_home(axis.home()));
        let mut freeze = starts::none(len);
        for (protected, _) in situation.freezes.iter().filter(|(_, protected)| *protected) {
            starts::fill(&mut freeze, axis.overlapping(&protected));
        }
        let shared = sharing(candidates, considered, within);
        let mut against = [
            (SlotRule::Unready, no_evidence),
            (SlotRule::Evidence, before_evidence),
            (SlotRule::Window, window),
            (SlotRule::Cutover, cutover),
            (SlotRule::Notice, notice),
            (SlotRule::Freeze, freeze),
            (SlotRule::Shared, shared),
            (SlotRule::Declined, starts::none(len)),
        ];
        let declined = declined(candidates, considered, &against);
        against[7].1 = declined;
        Self { against }
    }

    fn rules_at(&self, start: usize) -> impl Iterator<Item = SlotRule> {
        let breaks = move |(_, set): &&(SlotRule, Vec<u64>)| starts::contains(set, start);
        self.against.iter().filter(breaks).map(|(rule, _)| *rule)
    }

    /// The starts after the first considered that have other reasons against them than the start before. Only the words
    /// of what is considered are looked at.
    fn edges(&self, candidates: &Candidates<'_>, considered: &RangeInclusive<usize>) -> Vec<u64> {
        let words = considered.start() / 64..considered.end() / 64 + 1;
        let mut all_edges = starts::none(candidates.axis.count());
        let edges = &mut all_edges[words.clone()];
        for (_, set) in &self.against {
            starts::mark_edges(edges, set[words.clone()].iter().copied());
        }
        let everywhere = starts::all(candidates.axis.count());
        for (index, role) in candidates.roles.iter().enumerate() {
            let unfilled = || candidates.filled.row(index)[words.clone()].iter().map(|filled| !filled);
            starts::mark_edges(edges, unfilled());
            for candidate in &role.candidates {
                let mut valid = Cow::Borrowed(&everywhere);
                // Most are valid throughout.
                if candidate.valid != (0..candidates.axis.count()) {
                    starts::keep(valid.to_mut(), candidate.valid.clone());
                    let not_valid = unfilled().zip(&valid[words.clone()]).map(|(unfilled, valid)| unfilled & !valid);
                    starts::mark_edges(edges, not_valid);
                }
                let busy = candidates.busy(candidate.person);
                let nobody_else = || unfilled().zip(&valid[words.clone()]).zip(&busy[words.clone()]);
                starts::mark_edges(edges, nobody_else().map(|((unfilled, valid), busy)| unfilled & valid & busy));
                if let Some(hours) = candidates.hours(candidate.person) {
                    let at_home = nobody_else().zip(&hours[words.clone()]);
                    starts::mark_edges(
                        edges,
                        at_home.map(|(((unfilled, valid), busy), hours)| unfilled & valid & !busy & !hours),
                    );
                }
            }
        }
        all_edges
    }
}

const fn within_home(home: usize) -> Range<usize> {
    home..home + 1
}

/// The starts at which each role could be filled, but not by distinct people.
fn sharing(
    candidates: &Candidates<'_>,
    considered: &RangeInclusive<usize>,
    within: impl Fn(Range<usize>) -> Vec<u64>,
) -> Vec<u64> {
    let mut sharing = starts::none(candidates.axis.count());
    if candidates.must_be_distinct() {
        let mut open = within(*considered.start()..considered.end() + 1);
        starts::intersect(&mut open, &candidates.covered());
        starts::subtract(&mut open, &candidates.surely_distinct());
        let mut seating = SeatMatching::new(candidates);
        for start in starts::each(&open).filter(|start| !seating.is_complete(candidates, *start)) {
            starts::insert(&mut sharing, start);
        }
    }
    sharing
}

/// The starts against which nothing speaks but that the owner declined them.
fn declined(
    candidates: &Candidates<'_>,
    considered: &RangeInclusive<usize>,
    against: &[(SlotRule, Vec<u64>)],
) -> Vec<u64> {
    let mut set = starts::none(candidates.axis.count());
    let covered = candidates.covered();
    // A set: of one slot many seatings may have been declined, and the slot is looked at once.
    for start in starts::each(&candidates.partly_declined()) {
        let otherwise_good = considered.contains(&start)
            && starts::contains(&covered, start)
            && !against.iter().any(|(_, broken)| starts::contains(broken, start));
        if otherwise_good && candidates.is_declined(start) {
            starts::insert(&mut set, start);
        }
    }
    set
}
