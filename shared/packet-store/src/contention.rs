//! How long to wait when others are in the way: full jitter, so that those who met once do not meet again.

use std::time::Duration;

/// Tries of one write. With the pauses below at most some two seconds: well inside a function's time-out, and longer
/// than any transaction of ours is in flight.
pub(crate) const TRIES: u32 = 8;
const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(500);

/// Before the try with that number, counted from zero; none before the first.
pub(crate) async fn pause(attempt: u32) {
    if attempt > 0 {
        let ceiling = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
        tokio::time::sleep(ceiling.mul_f64(fastrand::f64())).await;
    }
}
