//! What a decision costs, beside other libraries on the same work. Prints one JSON line a figure; asserts nothing timed.
//!
//! `cargo run -p holdpoint-tests --release --bin bench -- [RUNGS]`; `tests/bench/README.md` says what each figure is.

#![allow(clippy::print_stdout, reason = "a benchmark speaks on standard output")]

/// The peers' own sources name their library; here that library is a module of this program.
extern crate self as peer_core;

#[allow(dead_code, clippy::all, reason = "the peers' own code, as they are written")]
#[path = "peer_core/src/lib.rs"]
mod work;
pub use work::*;

#[allow(dead_code, clippy::all, reason = "the peers' own code, as they are written")]
#[path = "peer_core/src/bin/gen.rs"]
mod rungs;

mod peers;
mod pipeline;
mod review;
mod table;
mod worst;

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_else(|| "ABC".to_owned());
    if wanted == "events" {
        return pipeline::print();
    }
    table::print(&wanted);
    worst::print();
}
