//! Does the one-machine engine stay well? Two programs of one kind, each with a small size that is a test.
//!
//! ```sh
//! cargo build --release -p holdpoint -p holdpoint-tests --bin holdpoint --bin endurance
//! target/release/endurance scale             # 5,000 reviews, 5,000 changes at once, 20,000 mails
//! target/release/endurance scale 5000 4000   # idle for 4,000 seconds, so that every review is looked at by the hour
//! target/release/endurance month             # 200 reviews, 30 days, interrupted and not
//! ```
//!
//! `scale` drives `holdpoint serve` as a process and prints what that costs. Nothing timed is asserted. The numbers after the
//! word are the count of reviews and the seconds for which the idle engine is watched.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]
// Figures are printed.
#![allow(clippy::print_stdout)]

mod events;
mod month;
mod scale;

use std::time::Duration;

use holdpoint_tests::world::with_room;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, otherwise: u32| arguments.get(place).map_or(Some(otherwise), |text| text.parse().ok());
    let count = |otherwise: u32| number(1, otherwise).and_then(|count| usize::try_from(count).ok());
    match (arguments.first().map(String::as_str), arguments.len()) {
        (Some("scale"), 1..=3) if let (Some(reviews), Some(idle)) = (count(5_000), number(2, 60)) => {
            scale::play(&scale::Size { reviews, mails: 4 * reviews, idle: Duration::from_secs(idle.into()) });
        }
        (Some("month"), 1..=2) if let Some(reviews) = count(200) => {
            with_room(|| month::play(month::Size { reviews, days: 30 }));
        }
        _ => {
            eprintln!("expected `scale [REVIEWS [SECONDS]]` or `month [REVIEWS]`, found {arguments:?}");
            std::process::exit(2);
        }
    }
}

#[test]
fn changes_at_once_drain_and_nobody_is_mailed_more_than_once() {
    scale::play(&scale::Size { reviews: 10, mails: 100, idle: Duration::ZERO });
}

#[test]
fn restarts_backups_and_an_upgrade_change_nothing() {
    with_room(|| month::play(month::Size { reviews: 3, days: 4 }));
}
