//! Why this slot and not another: the report of one search.

use crate::{
    Instant,
    choice::{
        assignment,
        candidates::{Landscape, RoleCandidate},
        search::Waiver,
    },
    record::report::{Against, Because, Candidate, MOST_RUNS, Report, Run},
};

/// How many starts are explained: those nearest to the authoritative one.
const MOST_STARTS: usize = 1_000;

/// Each start up to the chosen one, outward from the authoritative start; all of them where nothing was chosen.
pub fn of(landscape: &Landscape<'_>, chosen: Option<Instant>) -> Report {
    let mut considered: Vec<usize> = Vec::new();
    for index in landscape.outward().take(MOST_STARTS) {
        considered.push(index);
        if chosen == Some(landscape.axis.starts[index]) {
            break;
        }
    }
    considered.sort_unstable();
    let timely = Rules::of(landscape);
    let mut runs: Vec<Run> = Vec::new();
    let mut before = None;
    for index in &considered {
        let start = landscape.axis.starts[*index];
        let against = timely.against(landscape, *index);
        match runs.last_mut() {
            Some(run) if run.against == against && before == index.checked_sub(1) => run.last = start,
            _ => runs.push(Run { first: start, last: start, against }),
        }
        before = Some(*index);
    }
    let considered = considered.len() as u32;
    let home = landscape.axis.starts[landscape.home];
    let mut left_out = 0;
    while runs.len() > MOST_RUNS {
        let distance = |run: &Run| run.first.since(home).abs().min(run.last.since(home).abs());
        let far = if distance(&runs[0]) > distance(&runs[runs.len() - 1]) { 0 } else { runs.len() - 1 };
        runs.remove(far);
        left_out += 1;
    }
    Report { runs, considered, left_out }
}

/// The rules about time, one at a time: a start may break several.
struct Rules {
    evidence: Option<Instant>,
    notice: Instant,
}

impl Rules {
    fn of(landscape: &Landscape<'_>) -> Self {
        Self { evidence: landscape.situation.evidence_start(), notice: landscape.situation.notice_start() }
    }

    fn against(&self, landscape: &Landscape<'_>, index: usize) -> Vec<Against> {
        let situation = landscape.situation;
        let slot = landscape.axis.slot(index);
        let mut against = Vec::new();
        match self.evidence {
            None => against.push(Against::NoEvidence),
            Some(ready) if slot.start < ready => against.push(Against::BeforeEvidence),
            Some(_) => {}
        }
        if situation.in_force().is_some_and(|change| !change.window.contains(&slot)) {
            against.push(Against::OutsideWindow);
        }
        if situation.cutover_end().is_some_and(|end| slot.end > end) {
            against.push(Against::CutoverLead);
        }
        if slot.start < self.notice && index != landscape.home {
            against.push(Against::ShortNotice);
        }
        if situation.freezes.crosses(&slot) {
            against.push(Against::Freeze);
        }
        let seatable = landscape.seatable(index, Waiver::Nothing);
        let roles = landscape.roles.iter().zip(&seatable).filter(|(_, seatable)| seatable.is_empty());
        against.extend(roles.map(|(role, _)| Against::Role {
            role: role.role.clone(),
            people: role.candidates.iter().map(|candidate| why_not(landscape, candidate, index)).collect(),
        }));
        if seatable.iter().all(|role| !role.is_empty())
            && assignment::assign(&seatable, situation.policy.distinct_people).is_none()
        {
            against.push(Against::Shared);
        }
        if against.is_empty() && landscape.is_declined(index) {
            against.push(Against::Declined);
        }
        against
    }
}

fn why_not(landscape: &Landscape<'_>, candidate: &RoleCandidate, index: usize) -> Candidate {
    let seat = &landscape.people[candidate.person];
    let because = if !candidate.valid.contains(index) {
        Because::NotValid
    } else if seat.busy.contains(index) {
        Because::Busy
    } else if !seat.in_hours.contains(index) {
        Because::Hours
    } else {
        Because::Unknown
    };
    Candidate { person: seat.person.clone(), because }
}
