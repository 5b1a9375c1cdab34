//! Time as a parameter: the system's, one that a scenario steers, or one that somebody else keeps.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Debug)]
pub struct Clock(Hand);

#[derive(Clone)]
enum Hand {
    System,
    Steered(Arc<AtomicI64>),
    Kept(Arc<dyn Fn() -> i64 + Send + Sync>),
}

impl fmt::Debug for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Steered(_) => "Steered",
            Self::Kept(_) => "Kept",
        })
    }
}

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self(Hand::System)
    }

    /// Reads `hand`, which its owner sets: a replay's virtual time is one more input.
    pub const fn steered(hand: Arc<AtomicI64>) -> Self {
        Self(Hand::Steered(hand))
    }

    /// Asks `now` for milliseconds since 1970-01-01T00:00:00Z: an engine that does not believe the machine's clock.
    pub fn kept(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Hand::Kept(Arc::new(now)))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, now.
    pub fn now_millis(&self) -> i64 {
        match &self.0 {
            Hand::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Hand::Steered(hand) => hand.load(Ordering::SeqCst),
            Hand::Kept(now) => now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steered_clock_shows_what_its_hand_was_set_to() {
        let hand = Arc::new(AtomicI64::new(7));
        let clock = Clock::steered(hand.clone());
        assert_eq!(clock.now_millis(), 7);
        hand.store(-3, Ordering::SeqCst);
        assert_eq!(clock.clone().now_millis(), -3);
    }
}
