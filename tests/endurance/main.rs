//! Does the one-machine engine stay well? Two programs of one kind, each with a small size that is a test.
//!
//! ```sh
//! cargo build --release -p holdpoint
//! cargo run --release -p holdpoint-tests --example endurance -- scale   # 5,000 reviews, 5,000 changes at once, 20,000 mails
//! cargo run --release -p holdpoint-tests --example endurance -- month   # 200 reviews, 30 days, interrupted and not
//! ```
//!
//! `scale` drives `holdpoint serve` as a process and prints what that costs. Nothing timed is asserted. A number after the
//! word is another count of reviews.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]
// Figures are printed.
#![allow(clippy::print_stdout)]

mod events;
mod month;
mod scale;

use std::{path::PathBuf, time::Duration};

use holdpoint_tests::world::with_room;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |otherwise: usize| arguments.get(1).map_or(Some(otherwise), |text| text.parse().ok());
    match (arguments.first().map(String::as_str), number(5_000), number(200)) {
        (Some("scale"), Some(reviews), _) => {
            scale::play(&scale::Size { reviews, mails: 4 * reviews, idle: Duration::from_secs(60) });
        }
        (Some("month"), _, Some(reviews)) => with_room(|| month::play(month::Size { reviews, days: 30 })),
        _ => {
            eprintln!("expected `scale` or `month`, and at most a count of reviews after it; found {arguments:?}");
            std::process::exit(2);
        }
    }
}

/// A folder of this run, gone with it unless the run failed.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("holdpoint-endurance-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        match std::thread::panicking() {
            true => println!("kept: {}", self.0.display()),
            false => drop(std::fs::remove_dir_all(&self.0)),
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
