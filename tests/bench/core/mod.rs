//! The ladder: rungs of growing size, the core beside its peers.

mod peers;
pub mod review;
pub mod worst;

use std::{hint::black_box, path::Path};

use serde_json::json;

use crate::{
    Work,
    figure::{Beside, Figure, Goal, Report},
    median_ns, rungs,
};
use review::Case;

/// How long each figure is measured for.
const BUDGET_MS: u64 = 1_500;

/// The peers that were ever the best of a rung. `--all-peers` runs all of them.
const BEST: [&str; 4] = ["proto", "rs-range-set-blaze", "rs-lapper-probe", "py-numpy"];

/// How many times faster than the best peer a whole refresh shall be.
const TIMES_FASTER: f64 = 8.0;
/// What the design page asks of a whole refresh, in microseconds.
const AIMS: [(&str, f64); 4] = [("A", 6.0), ("B", 110.0), ("C", 5_000.0), ("D", 200_000.0)];
/// What a proposal's report may take, in bytes of JSON.
const REPORTS: [(&str, f64); 3] = [("A", 2_000.0), ("B", 6_000.0), ("C", 20_000.0)];
/// Log time over log intervals.
const EXPONENT: f64 = 1.05;
const EXPONENT_AIM: f64 = 1.02;
/// A real matching, beside disjoint teams.
const SHARED: f64 = 2.0;

/// The work of one rung, as the peers' generator makes it.
pub fn rung(name: &str) -> Option<Work> {
    let (_, roles, delegates, intervals, days, distance) = rungs::RUNGS.into_iter().find(|rung| rung.0 == name)?;
    Some(rungs::build(roles, delegates, intervals, days, distance, 0xC0FFEE + roles as u64))
}

fn micros(mut work: impl FnMut()) -> f64 {
    median_ns(BUDGET_MS, &mut work).0 / 1_000.0
}

fn of_rung(list: &[(&str, f64)], rung: &str) -> Option<f64> {
    list.iter().find(|(name, _)| *name == rung).map(|(_, figure)| *figure)
}

/// One whole refresh and one search of each rung, for a program that counts what they take.
pub fn once(wanted: &str) {
    for (name, ..) in rungs::RUNGS.into_iter().filter(|rung| wanted.contains(rung.0)) {
        let Some(work) = rung(name) else { continue };
        let case = Case::of(&work, false);
        drop(black_box(case.whole()));
        drop(black_box(case.search()));
    }
}

/// `wanted`: the letters of the rungs.
pub fn measure(report: &mut Report, wanted: &str, all_peers: bool) {
    let mut sizes: Vec<(usize, f64)> = Vec::new();
    for (name, ..) in rungs::RUNGS {
        if !wanted.contains(name) {
            continue;
        }
        let Some(work) = rung(name) else { continue };
        let whole = one(report, name, &work, all_peers);
        if "ABC".contains(name) {
            sizes.push((work.busy.len(), whole));
        }
    }
    if let (Some((small, fast)), Some((large, slow))) = (sizes.first(), sizes.last())
        && small < large
    {
        let exponent = (slow / fast).ln() / (*large as f64 / *small as f64).ln();
        let of = format!("{small} to {large} intervals");
        let figure = Figure::cost("growth exponent, whole refresh", of, "", exponent);
        report.add(figure.goal(Goal::AtMost(EXPONENT)).aim(Goal::AtMost(EXPONENT_AIM)));
    }
}

/// The figures of one rung; answers the microseconds of the whole refresh.
fn one(report: &mut Report, name: &str, work: &Work, all_peers: bool) -> f64 {
    let file = std::env::temp_dir().join(format!("holdpoint-bench-{}-{name}.bin", std::process::id()));
    let beside = beside(&file, name, work, all_peers);
    let peers = &beside.peers;
    let floor = peers.iter().find(|peer| peer.name == "floor-read-raw").map(|peer| peer.us);
    let case = Case::of(work, false);
    let ours = case.answer(work);
    let differ: Vec<&str> = peers
        .iter()
        .filter(|peer| peer.answer.is_some_and(|answer| answer != ours))
        .map(|peer| peer.name.as_str())
        .collect();
    let detail = json!({
        "peers": peers.iter().map(|peer| (peer.name.clone(), peer.us.into())).collect::<serde_json::Map<_, _>>(),
        "peers_with_another_answer": differ,
        "absent": beside.absent,
    });
    let whole = micros(|| drop(black_box(case.whole())));
    let search = micros(|| drop(black_box(case.search())));
    let aim = of_rung(&AIMS, name).map(Goal::AtMost);
    for (figure, us, aim) in [("whole refresh", whole, aim), ("search alone", search, None)] {
        let figure = Figure::cost(figure, name, "us", us).beside(best(&beside)).limit(floor).detail(detail.clone());
        let figure = figure.goal(Goal::TimesBetter(TIMES_FASTER));
        report.add(Figure { aim, ..figure });
    }
    let bytes = Figure::cost("report of a proposal", name, "bytes", case.report_bytes() as f64);
    report.add(Figure { goal: of_rung(&REPORTS, name).map(Goal::AtMost), ..bytes });
    drop(case);
    let shared = Case::of(work, true);
    let with_shared = micros(|| drop(black_box(shared.whole())));
    let times = Figure::cost("every fifth seat shared, times the disjoint", name, "", with_shared / whole);
    report.add(times.goal(Goal::AtMost(SHARED)).detail(json!({ "us": with_shared })));
    whole
}

fn beside(file: &Path, rung: &str, work: &Work, all: bool) -> peers::Beside {
    work.save(&file.display().to_string());
    let beside = peers::run(file, rung, |peer| all || BEST.contains(&peer));
    // A file of a benchmark in the folder for such files: the next start of the machine removes the file too.
    let _ = std::fs::remove_file(file);
    beside
}

/// The fastest library, and which were not there to be faster. The prototype on bare numbers decides nothing and tells nobody.
fn best(beside: &peers::Beside) -> Beside {
    let is_library = |name: &str| !name.starts_with("proto") && !name.starts_with("floor");
    let libraries = beside.peers.iter().filter(|peer| is_library(&peer.name));
    let absent: Vec<&str> = beside.absent.keys().map(String::as_str).filter(|name| is_library(name)).collect();
    let absent = absent.join(", ");
    match libraries.min_by(|a, b| a.us.total_cmp(&b.us)) {
        Some(best) if absent.is_empty() => Beside::Peer { name: best.name.clone(), value: best.us },
        Some(best) => Beside::Peer { name: format!("{}, without {absent}", best.name), value: best.us },
        None => Beside::Absent(format!("{absent}: `bench setup` builds the libraries")),
    }
}
