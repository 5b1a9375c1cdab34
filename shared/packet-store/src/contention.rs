//! How long to wait when others are in the way: full jitter, so that those who met once do not meet again.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::Store;

/// Tries of one write. With the pauses below at most some two seconds: well inside a function's time-out, and longer
/// than any transaction of ours is in flight.
pub(crate) const TRIES: u32 = 8;
const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(500);

/// The generator behind the pauses of one store.
pub(crate) struct Chance(Mutex<fastrand::Rng>);

impl Chance {
    /// Another one every time.
    pub(crate) fn of_the_system() -> Self {
        Self(Mutex::new(fastrand::Rng::new()))
    }

    /// The same pauses for the same seed: a replay is a replay.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// A part of `ceiling`, all of them equally likely.
    fn under(&self, ceiling: Duration) -> Duration {
        ceiling.mul_f64(self.0.lock().unwrap_or_else(PoisonError::into_inner).f64())
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance")
    }
}

impl Store {
    /// Before the try with that number, counted from zero; none before the first.
    pub(crate) async fn pause(&self, attempt: u32) {
        if attempt > 0 {
            let ceiling = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
            tokio::time::sleep(self.chance.under(ceiling)).await;
        }
    }
}
