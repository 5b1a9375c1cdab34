//! How long an invocation may still take. Work that has not begun in time is handed back, not killed half done.
//!
//! ```text
//!  invoked                                        near        cut      frozen by Lambda
//!  |────────── records are started ───────────────|──── the one running goes on ──|── the answer goes out ──|
//!                                                 2 s before             0.5 s before
//! ```

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// No record is started with less than this left.
pub const NEAR: Duration = Duration::from_secs(2);
/// Kept for answering: a record still running by then is dropped and reported failed. What it wrote may have been
/// written, like after a lost response; every write is safe to repeat.
pub const CUT: Duration = Duration::from_millis(500);

/// The instant at which an invocation ends, by the monotonic clock; or none.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Option<Instant>,
}

impl Deadline {
    /// For callers without a limit: the local engine and tests.
    pub const fn far() -> Self {
        Self { at: None }
    }

    /// The deadline so long from now.
    pub fn after(left: Duration) -> Self {
        Self { at: Some(Instant::now() + left) }
    }

    /// Lambda names the deadline by the wall clock; it is measured by the monotonic one from here on.
    pub fn of(context: &lambda_runtime::Context) -> Self {
        Self::after(context.deadline().duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// The time left; [`Duration::MAX`] where there is no limit.
    pub fn remaining(&self) -> Duration {
        self.at.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()))
    }

    /// Time to stop beginning things.
    pub fn is_near(&self) -> bool {
        self.remaining() < NEAR
    }

    /// Runs `work` until there is only time left to answer; `None` where it was dropped.
    pub async fn bound<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.at {
            None => Some(work.await),
            Some(at) => {
                let cut = at.checked_sub(CUT).unwrap_or_else(Instant::now);
                tokio::time::timeout_at(cut, work).await.ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nears_and_cuts() {
        let deadline = Deadline::after(Duration::from_secs(3));
        assert!(!deadline.is_near());
        tokio::time::advance(Duration::from_millis(1_001)).await;
        assert!(deadline.is_near());
        assert_eq!(deadline.bound(async { 1 }).await, Some(1));
        assert_eq!(deadline.bound(std::future::pending::<()>()).await, None);
        assert_eq!(deadline.remaining(), CUT);
    }

    #[tokio::test]
    async fn far_is_never_near() {
        assert!(!Deadline::far().is_near());
        assert_eq!(Deadline::far().bound(async { 2 }).await, Some(2));
    }
}
