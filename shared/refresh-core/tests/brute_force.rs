//! The core agrees with a brute-force search that was written apart from it and shares no code with it.
//!
//! `HOLDPOINT_CASES=100000 cargo test -p refresh-core --test brute_force` plays more histories; `HOLDPOINT_SEED=7` other
//! ones. The defaults are fixed, so an ordinary run is the same everywhere.

#[path = "brute_force/case.rs"]
mod case;
#[path = "brute_force/compare.rs"]
mod compare;
#[path = "brute_force/entries.rs"]
mod entries;
#[path = "brute_force/history.rs"]
mod history;
#[path = "brute_force/hours.rs"]
mod hours;
#[path = "brute_force/judge.rs"]
mod judge;
#[path = "brute_force/ledger.rs"]
mod ledger;
#[path = "brute_force/script.rs"]
mod script;
#[path = "brute_force/translate.rs"]
mod translate;
#[path = "brute_force/waivers.rs"]
mod waivers;

use std::cell::RefCell;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// What a run of the default size must have met: a comparison that never sees a rule says nothing about it.
const MET: [&str; 40] = [
    "Adopt adopted",
    "Adopt facts_changed",
    "DeclineOtherSlot declined",
    "DeclineStand declined",
    "exception declined_only",
    "exception no_viable_slot",
    "exception owner_override",
    "exception policy_incomplete",
    "exception source_silent",
    "exception undecided",
    "outcome adopted",
    "outcome declined",
    "outcome escalated",
    "outcome held",
    "outcome refreshed",
    "outcome unchanged",
    "violated booked",
    "violated busy",
    "violated cancelled",
    "violated cutover",
    "violated delegate",
    "violated evidence",
    "violated excluded",
    "violated freeze",
    "violated hours",
    "violated overdue",
    "violated shared",
    "violated uncovered",
    "violated unproven",
    "violated window",
    "waiver availability_unknown",
    "waiver before_evidence",
    "waiver cutover_lead",
    "waiver evidence_overdue",
    "waiver freeze_crossing",
    "waiver no_common_slot",
    "waiver outside_hours",
    "waiver outside_window",
    "waiver role_uncovered",
    "waiver shared_person",
];

#[test]
fn the_core_agrees_with_a_brute_force_search() {
    let cases = setting("HOLDPOINT_CASES", 1_500);
    let seed: u64 = setting("HOLDPOINT_SEED", 1);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let tally = RefCell::new(history::Tally::new());
    let result = runner.run(&script::scripts(), |script| {
        let mut seen = history::Tally::new();
        history::play(&script, &mut seen).map_err(TestCaseError::fail)?;
        for (what, times) in seen {
            *tally.borrow_mut().entry(what).or_default() += times;
        }
        Ok(())
    });
    let tally = tally.into_inner();
    if let Err(error) = result {
        panic!("seed {seed}, after {tally:#?}\n{error}");
    }
    let missed: Vec<&str> = MET.into_iter().filter(|what| !tally.contains_key(*what)).collect();
    assert!(missed.is_empty() || cases < 1_500, "never met: {missed:?} of {tally:#?}");
}
