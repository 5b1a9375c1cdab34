//! Shared workload file format for the refresh-core ladder.
//!
//! All times are whole minutes from the start of the horizon; intervals are half-open.
//! Role `r` is staffed by persons `r*(1+d) ..= r*(1+d)+d`; the first one is the holder and the
//! rest are approved delegates in order of preference.
use std::fs;
use std::io::Write;

#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
#[repr(C)]
pub struct Iv {
    pub s: u32,
    pub e: u32,
}

pub struct Work {
    pub roles: usize,
    pub delegates: usize,
    pub per_person: usize,
    pub horizon: u32,
    pub dur: u32,
    pub grid: u32,
    pub held: u32,
    pub ready: u32,
    pub windows: Vec<Iv>,
    pub freezes: Vec<Iv>,
    /// person-major, `per_person` intervals each, in arrival (shuffled) order
    pub busy: Vec<Iv>,
    /// index inside the role of the person who holds the seat today
    pub seat: Vec<u32>,
}

pub const MAGIC: u32 = 0x52_46_53_31;

impl Work {
    pub fn team(&self) -> usize {
        1 + self.delegates
    }
    pub fn persons(&self) -> usize {
        self.roles * self.team()
    }
    pub fn of(&self, p: usize) -> &[Iv] {
        &self.busy[p * self.per_person..(p + 1) * self.per_person]
    }
    pub fn save(&self, path: &str) {
        let mut out: Vec<u32> = vec![
            MAGIC,
            self.roles as u32,
            self.delegates as u32,
            self.per_person as u32,
            self.horizon,
            self.dur,
            self.grid,
            self.held,
            self.ready,
            self.windows.len() as u32,
            self.freezes.len() as u32,
        ];
        out.extend(self.seat.iter());
        for v in self.windows.iter().chain(&self.freezes).chain(&self.busy) {
            out.push(v.s);
            out.push(v.e);
        }
        let mut f = std::io::BufWriter::new(fs::File::create(path).unwrap());
        for w in out {
            f.write_all(&w.to_le_bytes()).unwrap();
        }
    }
    pub fn load(path: &str) -> Work {
        let b = fs::read(path).unwrap();
        let mut w = b.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]));
        assert_eq!(w.next().unwrap(), MAGIC);
        let h: Vec<u32> = (0..10).map(|_| w.next().unwrap()).collect();
        let seat: Vec<u32> = (0..h[0]).map(|_| w.next().unwrap()).collect();
        let mut ivs =
            |n: usize| -> Vec<Iv> { (0..n).map(|_| Iv { s: w.next().unwrap(), e: w.next().unwrap() }).collect() };
        let windows = ivs(h[8] as usize);
        let freezes = ivs(h[9] as usize);
        let busy = ivs(h[0] as usize * (1 + h[1] as usize) * h[2] as usize);
        Work {
            roles: h[0] as usize,
            delegates: h[1] as usize,
            per_person: h[2] as usize,
            horizon: h[3],
            dur: h[4],
            grid: h[5],
            held: h[6],
            ready: h[7],
            windows,
            freezes,
            busy,
            seat,
        }
    }
}

/// What every implementation must produce, plus a digest so that answers can be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    pub slot: i64,
    pub changed: u32,
    pub digest: u32,
}

pub fn answer(w: &Work, slot: Option<u32>, pick: impl Fn(usize) -> u32) -> Answer {
    let Some(t) = slot else {
        return Answer { slot: -1, changed: 0, digest: 0 };
    };
    let mut h: u32 = 0x811c_9dc5;
    let mut changed = 0;
    for r in 0..w.roles {
        let k = pick(r);
        changed += (k != w.seat[r]) as u32;
        h = (h ^ k).wrapping_mul(0x0100_0193);
    }
    Answer { slot: t as i64, changed, digest: h }
}

pub struct Rng(pub u64);
impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: u32) -> u32 {
        (self.next() % n as u64) as u32
    }
}

/// Median nanoseconds of `f`: at least one call, then until `budget_ms` is used up or 2001 calls.
pub fn median_ns(budget_ms: u64, mut f: impl FnMut()) -> (f64, usize) {
    let t0 = std::time::Instant::now();
    let mut v = vec![];
    loop {
        let t = std::time::Instant::now();
        f();
        v.push(t.elapsed().as_nanos() as f64);
        if t0.elapsed().as_millis() as u64 >= budget_ms || v.len() >= 2001 {
            break;
        }
    }
    v.sort_by(|a, b| a.partial_cmp(b).unwrap());
    (v[v.len() / 2], v.len())
}

pub fn report(name: &str, rung: &str, ns: f64, n: usize, a: Answer) {
    println!(
        "{{\"impl\":\"{name}\",\"rung\":\"{rung}\",\"us\":{:.3},\"runs\":{n},\"slot\":{},\"changed\":{},\"digest\":{}}}",
        ns / 1000.0,
        a.slot,
        a.changed,
        a.digest
    );
}
