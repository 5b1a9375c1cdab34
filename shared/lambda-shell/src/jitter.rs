//! Chance as a parameter, like time: the system's, or one that a replay's seed decides.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;

use crate::settings::Settings;

/// The setting that makes chance the same every time. Only replays set it.
const SEED: &str = "JITTER_SEED";

/// Spreads the pauses of those who met, so that they do not meet again. Clones share one generator.
#[derive(Clone)]
pub struct Jitter(Arc<Mutex<Rng>>);

impl Jitter {
    /// Of the seed that the settings name; without one of the system's entropy.
    pub fn of(settings: &mut Settings) -> Self {
        match settings.optional(SEED) {
            None => Self::of_the_system(),
            Some(_) => Self::seeded(settings.parsed(SEED, "a number", 0)),
        }
    }

    /// Chance from the system's entropy.
    pub fn of_the_system() -> Self {
        Self(Arc::new(Mutex::new(Rng::new())))
    }

    /// Chance that follows from a seed: the same seed gives the same pauses.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Rng::with_seed(seed))))
    }

    /// A seed for a generator of its own.
    pub fn seed(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).u64(..)
    }

    /// Full jitter: anything from nothing to `ceiling`, each as likely as the other.
    pub fn under(&self, ceiling: Duration) -> Duration {
        ceiling.mul_f64(self.0.lock().unwrap_or_else(PoisonError::into_inner).f64())
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(jitter: &Jitter) -> Vec<Duration> {
        (0..32).map(|_| jitter.under(Duration::from_secs(1))).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_pauses_and_another_seed_others() {
        let of = |seed: &str| Jitter::of(&mut Settings::of([(SEED, seed)]));
        let pauses = drawn(&of("7"));
        assert_eq!(pauses, drawn(&of("7")));
        assert_ne!(pauses, drawn(&of("8")));
        assert!(pauses.iter().all(|pause| *pause < Duration::from_secs(1)));
        assert_eq!(of("7").seed(), of("7").seed());
    }

    #[test]
    fn clones_draw_from_one_generator() {
        let one = Jitter::seeded(7);
        let (first, second) = (one.under(Duration::from_secs(1)), one.clone().under(Duration::from_secs(1)));
        assert_eq!(vec![first, second], drawn(&Jitter::seeded(7))[..2]);
    }

    #[test]
    fn a_seed_that_is_no_number_is_a_fault() {
        let mut settings = Settings::of([(SEED, "x")]);
        Jitter::of(&mut settings);
        assert!(settings.finish(Some(())).unwrap_err().to_string().contains("JITTER_SEED: expected a number"));
    }
}
