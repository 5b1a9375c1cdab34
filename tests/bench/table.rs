//! The ladder: rungs of growing size, the core beside its peers.

use std::hint::black_box;

use serde_json::json;

use crate::{
    Work, median_ns,
    peers::{self, Peer},
    review::Case,
    rungs,
};

/// How long each figure is measured for.
const BUDGET_MS: u64 = 1_500;

/// The peers that were ever the best of a rung. `HOLDPOINT_PEERS=all` runs all of them.
const BEST: [&str; 4] = ["proto", "rs-range-set-blaze", "rs-lapper-probe", "py-numpy"];

/// The work of one rung, as the peers' generator makes it.
pub fn rung(name: &str) -> Option<Work> {
    let (_, roles, delegates, intervals, days, distance) = rungs::RUNGS.into_iter().find(|rung| rung.0 == name)?;
    Some(rungs::build(roles, delegates, intervals, days, distance, 0xC0FFEE + roles as u64))
}

fn micros(mut work: impl FnMut()) -> f64 {
    median_ns(BUDGET_MS, &mut work).0 / 1_000.0
}

pub fn print(wanted: &str) {
    let mut sizes: Vec<(usize, f64)> = Vec::new();
    for (name, ..) in rungs::RUNGS {
        if !wanted.contains(name) {
            continue;
        }
        let Some(work) = rung(name) else { continue };
        let whole = one(name, &work);
        if "ABC".contains(name) {
            sizes.push((work.busy.len(), whole));
        }
    }
    if let (Some((small, fast)), Some((large, slow))) = (sizes.first(), sizes.last())
        && small < large
    {
        let exponent = (slow / fast).ln() / (*large as f64 / *small as f64).ln();
        println!(
            "{}",
            json!({ "figure": "growth exponent of the whole refresh", "from": small, "to": large, "exponent": round(exponent) })
        );
    }
}

/// The figures of one rung; microseconds of the whole refresh.
fn one(name: &str, work: &Work) -> f64 {
    let file = std::env::temp_dir().join(format!("holdpoint-bench-{}-{name}.bin", std::process::id()));
    work.save(&file.display().to_string());
    let all = std::env::var("HOLDPOINT_PEERS").is_ok_and(|peers| peers == "all");
    let peers = peers::run(&file, name, |peer| all || BEST.contains(&peer));
    let _ = std::fs::remove_file(&file);
    let floor = peers.iter().find(|peer| peer.name == "floor-read-raw").map(|peer| peer.us);
    for peer in peers.iter().filter(|peer| peer.name.starts_with("proto-full")) {
        println!("{}", json!({ "figure": "prototype on bare numbers", "rung": name, "us": round(peer.us) }));
    }
    let best = peers
        .iter()
        .filter(|peer| !peer.name.starts_with("proto") && !peer.name.starts_with("floor"))
        .min_by(|a, b| a.us.total_cmp(&b.us));

    let case = Case::of(work, false);
    let ours = case.answer(work);
    let differ: Vec<&str> = peers
        .iter()
        .filter(|peer| peer.answer.is_some_and(|answer| answer != ours))
        .map(|peer| peer.name.as_str())
        .collect();
    let whole = micros(|| drop(black_box(case.whole())));
    line("whole refresh", name, whole, best, floor, &differ);
    let search = micros(|| drop(black_box(case.search())));
    line("search alone", name, search, best, floor, &differ);
    println!("{}", json!({ "figure": "report as stored", "rung": name, "bytes": case.report_bytes() }));
    drop(case);
    let shared = Case::of(work, true);
    let with_shared = micros(|| drop(black_box(shared.whole())));
    println!(
        "{}",
        json!({ "figure": "whole refresh, every fifth seat shared with another role", "rung": name,
        "us": round(with_shared), "times_the_disjoint": round(with_shared / whole) })
    );
    whole
}

fn line(figure: &str, rung: &str, us: f64, best: Option<&Peer>, floor: Option<f64>, differ: &[&str]) {
    let (peer, peer_us) = (best.map(|peer| peer.name.as_str()), best.map(|peer| round(peer.us)));
    let ratio = best.map(|peer| round(peer.us / us));
    println!(
        "{}",
        json!({ "figure": figure, "rung": rung, "us": round(us), "peer": peer, "peer_us": peer_us,
        "times_faster": ratio, "floor_us": floor.map(round), "peers_with_another_answer": differ })
    );
}

fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
