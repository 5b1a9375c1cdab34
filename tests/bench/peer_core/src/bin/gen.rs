//! gen OUT_DIR : writes the rungs A, B, C, D and the growth check E.
use peer_core::*;

pub fn build(roles: usize, delegates: usize, per: usize, days: u32, dist_days: f32, seed: u64) -> Work {
    let (dur, grid) = (60u32, 15u32);
    let horizon = days * 1440;
    let mut g = Rng(seed);
    // change windows: weekdays 08:00-20:00 (day 0 is a Monday)
    let windows: Vec<Iv> =
        (0..days).filter(|d| d % 7 < 5).map(|d| Iv { s: d * 1440 + 480, e: d * 1440 + 1200 }).collect();
    let in_window = |t: u32| windows.iter().any(|w| w.s <= t && t + dur <= w.e);
    let mut held = horizon / 2 / grid * grid;
    while !in_window(held) {
        held += grid;
    }
    let dist = (dist_days * 1440.0) as u32;
    let mut target = (held + dist) / grid * grid;
    while !in_window(target) {
        target += grid;
    }
    assert!(target + dur < horizon, "target inside horizon");
    // one two-day freeze per thirty days, never over the target
    let mut freezes = vec![];
    for _ in 0..(days / 30).max(1) {
        let s = g.below(horizon - 2880);
        let f = Iv { s, e: s + if days < 10 { 720 } else { 2880 } };
        if f.e <= target || f.s >= target + dur {
            freezes.push(f);
        }
    }
    freezes.sort();
    let ready = held.saturating_sub(if days < 10 { 2 * 1440 } else { days * 1440 / 4 });
    let team = 1 + delegates;
    // blocked chunks: for each three-hour stretch nearer than the target, one whole role is away
    let mut planted: Vec<Vec<Iv>> = vec![vec![]; roles];
    let lo = held.saturating_sub(target - held);
    let mut c = lo;
    while c < target {
        let e = (c + 180).min(target);
        planted[g.below(roles as u32) as usize].push(Iv { s: c, e });
        c += 180;
    }
    let mut busy = Vec::with_capacity(roles * team * per);
    let mut seat = vec![];
    for r in 0..roles {
        seat.push(if g.below(8) == 0 { 1 + g.below(delegates as u32) } else { 0 });
        let sure = g.below(team as u32) as usize; // someone in the role is free at the target
        for k in 0..team {
            let mut v = planted[r].clone();
            v.truncate(per);
            while v.len() < per {
                let len = 10 + g.below(31);
                let s = g.below(horizon - len);
                if k == sure && s < target + dur && target < s + len {
                    continue;
                }
                v.push(Iv { s, e: s + len });
            }
            for i in (1..v.len()).rev() {
                v.swap(i, g.below(i as u32 + 1) as usize);
            }
            busy.extend(v);
        }
    }
    Work { roles, delegates, per_person: per, horizon, dur, grid, held, ready, windows, freezes, busy, seat }
}

/// name, roles, delegates, intervals a person, days, days to the answer
pub const RUNGS: [(&str, usize, usize, usize, u32, f32); 5] = [
    ("A", 5, 3, 40, 7, 1.0),
    ("B", 15, 5, 300, 30, 5.0),
    ("C", 50, 10, 2000, 90, 9.0),
    ("D", 500, 20, 5000, 365, 20.0),
    // ten times the roles of C and nothing else changed: growth check for the incremental form
    ("E", 500, 10, 2000, 90, 9.0),
];

fn main() {
    let dir = std::env::args().nth(1).expect("gen OUT_DIR");
    for (name, r, d, b, days, dist) in RUNGS {
        let w = build(r, d, b, days, dist, 0xC0FFEE + r as u64);
        eprintln!("{name}: {} intervals, held {} ready {}", w.busy.len(), w.held, w.ready);
        w.save(&format!("{dir}/{name}.bin"));
    }
}
