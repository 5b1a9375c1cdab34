//! The engine's time: what has elapsed, by a clock that counts sleep, and never what the machine's clock jumps to.
//!
//! A wrong instant cannot be taken back: a clock three days ahead for ten seconds would end every open review for good. So
//! the machine's clock is believed once, at the start, and then measured against what has elapsed.
//!
//! ```text
//!  within a minute ── the engine's time follows, and never goes back
//!  further away ───── in doubt: the engine's time goes on by what elapses, work that commits by time waits
//!  back within a minute, or accepted by an operator ── work goes on
//! ```
//!
//! Over a restart of the engine the same holds, by the [`Mark`] that the engine left. Over a restart of the machine nothing
//! measures what has elapsed; then time is not before the mark, and that alone is known.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lambda_shell::clock::Clock;
use serde::{Deserialize, Serialize};

use crate::private;

/// How far the machine's clock may be from what has elapsed, in milliseconds.
const TRUSTED_MILLIS: i64 = 60_000;
/// The engine's time nears the machine's by at most one part in so many of what elapses, so it never goes back.
const SLEW: i64 = 10;
/// In milliseconds.
const LEAST_STEP: i64 = 100;

type Read = Box<dyn Fn() -> i64 + Send + Sync>;

/// Cloning shares it.
#[derive(Clone)]
pub struct Timekeeper {
    shared: Arc<Shared>,
}

struct Shared {
    /// The machine's clock, milliseconds since 1970.
    wall: Read,
    /// Milliseconds since the machine began, sleep included.
    elapsed: Read,
    /// Names the machine's present run; empty where nothing does.
    boot: String,
    state: Mutex<State>,
}

struct State {
    /// The engine's time is `elapsed` and this.
    base: i64,
    /// When it was read last, by `elapsed`.
    read_at: i64,
    /// When it last neared the machine's clock, by `elapsed`.
    neared_at: i64,
    /// Whether `base` was measured. Otherwise the engine's time is the earliest that it can be.
    measured: bool,
    doubt: Option<Doubt>,
}

/// The machine's clock has left what elapsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// By how much the machine's clock is ahead, in milliseconds; below zero: behind.
    pub ahead: i64,
    /// Since when, by the engine's time.
    pub since: i64,
}

/// What one run of the engine leaves to the next: the engine's time at an instant of the machine's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    boot: String,
    elapsed: i64,
    now: i64,
}

impl Mark {
    /// In the folder of the store.
    pub const FILE: &str = "clock-mark";

    /// `None`: no engine has left one.
    ///
    /// # Errors
    /// The file cannot be read, or is no mark.
    pub fn read(file: &Path) -> Result<Option<Self>, String> {
        let Some(text) = private::read(file)? else { return Ok(None) };
        let damaged = |error| format!("{}: expected a mark of time, found {error}; remove it", file.display());
        serde_json::from_str(&text).map(Some).map_err(damaged)
    }

    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), String> {
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        private::write(file, &text)
    }
}

impl fmt::Debug for Timekeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timekeeper({:?})", self.doubt())
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.ahead < 0 { "behind" } else { "ahead of" };
        let since = refresh_core::Instant::from_millis(self.since);
        write!(
            f,
            "the machine's clock is {} {way} what has elapsed, since {since}; work that depends on time waits until the \
             clock is right again, or `holdpoint clock --accept` says that it is",
            span(self.ahead.abs())
        )
    }
}

/// `3 days`, `90 minutes`, `75 seconds`: rounded down to the greatest unit that says it well.
fn span(millis: i64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

impl Timekeeper {
    /// By this machine's clocks. `mark`: of the engine that ran here before.
    pub fn machine(mark: Option<&Mark>) -> Self {
        let wall = Clock::system();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self::of(move || wall.now_millis(), elapsed_millis, boot.trim(), mark)
    }

    /// By these clocks, in milliseconds.
    pub fn of(
        wall: impl Fn() -> i64 + Send + Sync + 'static,
        elapsed: impl Fn() -> i64 + Send + Sync + 'static,
        boot: &str,
        mark: Option<&Mark>,
    ) -> Self {
        let (now, passed) = (wall(), elapsed());
        let same_run = |mark: &&Mark| !boot.is_empty() && mark.boot == boot && mark.elapsed <= passed;
        let (base, measured) = match mark {
            Some(mark) if same_run(&mark) => (mark.now - mark.elapsed, true),
            Some(mark) if now < mark.now - TRUSTED_MILLIS => (mark.now - passed, false),
            _ => (now - passed, true),
        };
        let state = Mutex::new(State { base, read_at: passed, neared_at: passed, measured, doubt: None });
        let (wall, elapsed): (Read, Read) = (Box::new(wall), Box::new(elapsed));
        let keeper = Self { shared: Arc::new(Shared { wall, elapsed, boot: boot.to_owned(), state }) };
        keeper.now();
        keeper
    }

    /// The engine's clock.
    pub fn clock(&self) -> Clock {
        let keeper = self.clone();
        Clock::kept(move || keeper.now())
    }

    /// The engine's time, milliseconds since 1970. It never goes back, unless an operator says so.
    pub fn now(&self) -> i64 {
        self.read().0
    }

    /// Why the machine's clock is not believed at this moment.
    pub fn doubt(&self) -> Option<Doubt> {
        self.read().1.doubt
    }

    /// How far the machine's clock is ahead of the engine's time, in milliseconds.
    pub fn ahead(&self) -> i64 {
        (self.shared.wall)() - self.now()
    }

    fn read(&self) -> (i64, MutexGuard<'_, State>) {
        // What panics inside leaves the numbers whole: each is set at once.
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, elapsed) = ((self.shared.wall)(), (self.shared.elapsed)());
        state.read_at = state.read_at.max(elapsed);
        let ahead = wall - (state.read_at + state.base);
        let late_start = !state.measured && ahead >= -TRUSTED_MILLIS;
        if late_start {
            state.base += ahead.max(0);
            state.measured = true;
            state.doubt = None;
        } else if ahead.abs() <= TRUSTED_MILLIS {
            state.doubt = None;
            // Not at every reading: a part of a millisecond would be lost each time.
            let most = (state.read_at - state.neared_at) / SLEW;
            if most >= LEAST_STEP {
                state.neared_at = state.read_at;
                state.base += ahead.clamp(-most, most);
            }
        } else {
            let since = state.doubt.map_or(state.read_at + state.base, |doubt| doubt.since);
            state.doubt = Some(Doubt { ahead, since });
        }
        (state.read_at + state.base, state)
    }

    /// Takes the machine's clock as right from now on. Answers by how much the engine's time moved, in milliseconds.
    pub fn accept(&self) -> i64 {
        let (now, mut state) = self.read();
        let moved = (self.shared.wall)() - now;
        state.base += moved;
        state.measured = true;
        state.doubt = None;
        moved
    }

    /// For the next run of the engine; `None` while the clock is in doubt, so that the former mark stays.
    pub fn mark(&self) -> Option<Mark> {
        let (now, state) = self.read();
        let mark = Mark { boot: self.shared.boot.clone(), elapsed: state.read_at, now };
        state.doubt.is_none().then_some(mark)
    }
}

/// Since the machine began, sleep included.
#[cfg(target_os = "linux")]
fn elapsed_millis() -> i64 {
    let passed = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    passed.tv_sec.saturating_mul(1_000).saturating_add(passed.tv_nsec / 1_000_000)
}

/// Since the engine began. Whether sleep counts is the system's to say.
#[cfg(not(target_os = "linux"))]
fn elapsed_millis() -> i64 {
    static BEGIN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    i64::try_from(BEGIN.elapsed().as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const SECOND: i64 = 1_000;
    const MINUTE: i64 = 60 * SECOND;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const BEGIN: i64 = 20_000 * DAY;

    /// A machine whose clocks a test turns.
    #[derive(Clone)]
    struct Machine {
        wall: Arc<AtomicI64>,
        elapsed: Arc<AtomicI64>,
    }

    impl Machine {
        fn new() -> Self {
            Self { wall: Arc::new(AtomicI64::new(BEGIN)), elapsed: Arc::new(AtomicI64::new(7 * HOUR)) }
        }

        fn passes(&self, millis: i64) {
            self.wall.fetch_add(millis, Ordering::SeqCst);
            self.elapsed.fetch_add(millis, Ordering::SeqCst);
        }

        fn is_set(&self, millis: i64) {
            self.wall.fetch_add(millis, Ordering::SeqCst);
        }

        fn keeper(&self, boot: &str, mark: Option<&Mark>) -> Timekeeper {
            let Self { wall, elapsed } = self.clone();
            let read = |hand: Arc<AtomicI64>| move || hand.load(Ordering::SeqCst);
            Timekeeper::of(read(wall), read(elapsed), boot, mark)
        }
    }

    /// Three days ahead for ten seconds, an hour ahead for half a minute, and the same the other way.
    #[test]
    fn a_clock_that_jumps_and_comes_back_changes_nothing() {
        for (jump, lasts) in [
            (3 * DAY, 10 * SECOND),
            (HOUR, 30 * SECOND),
            (61 * SECOND, MINUTE),
            (-HOUR, 30 * SECOND),
            (-3 * DAY, DAY),
            (-BEGIN, SECOND),
        ] {
            let machine = Machine::new();
            let keeper = machine.keeper("boot", None);
            machine.passes(5 * SECOND);
            assert_eq!((keeper.now(), keeper.doubt()), (BEGIN + 5 * SECOND, None));
            machine.is_set(jump);
            let doubt = keeper.doubt().expect("an alarm");
            assert_eq!((doubt.ahead, doubt.since), (jump, BEGIN + 5 * SECOND), "{jump}");
            assert!(keeper.mark().is_none(), "a doubtful time is left to nobody");
            machine.passes(lasts);
            assert_eq!(keeper.now(), BEGIN + 5 * SECOND + lasts, "time goes on by what elapses");
            assert_eq!(keeper.doubt().expect("still").since, BEGIN + 5 * SECOND);
            machine.is_set(-jump);
            assert_eq!((keeper.now(), keeper.doubt()), (BEGIN + 5 * SECOND + lasts, None), "{jump}");
        }
    }

    #[test]
    fn a_small_step_is_followed_without_going_back() {
        for step in [59 * SECOND, -59 * SECOND, 1, -1] {
            let machine = Machine::new();
            let keeper = machine.keeper("boot", None);
            machine.is_set(step);
            let mut before = keeper.now();
            assert_eq!(before, BEGIN, "not at once");
            for _ in 0..700 {
                machine.passes(SECOND);
                let now = keeper.now();
                assert!(now > before && now - before <= SECOND + SECOND / SLEW, "{step}: {}", now - before);
                before = now;
                assert!(keeper.doubt().is_none());
            }
            assert_eq!(keeper.ahead(), 0, "{step}");
        }
    }

    #[test]
    fn a_machine_that_slept_goes_on() {
        let machine = Machine::new();
        let keeper = machine.keeper("boot", None);
        machine.passes(7 * DAY);
        assert_eq!((keeper.now(), keeper.doubt()), (BEGIN + 7 * DAY, None));
    }

    #[test]
    fn what_an_operator_accepts_counts_from_then_on() {
        for jump in [2 * HOUR, -2 * HOUR] {
            let machine = Machine::new();
            let keeper = machine.keeper("boot", None);
            machine.is_set(jump);
            assert!(keeper.doubt().is_some());
            assert_eq!(keeper.accept(), jump);
            assert_eq!((keeper.now(), keeper.doubt()), (BEGIN + jump, None));
            machine.is_set(-jump);
            assert_eq!(keeper.doubt().expect("the former clock is the wrong one now").ahead, -jump);
        }
    }

    /// An engine that starts in the ten seconds in which the clock is wrong.
    #[test]
    fn a_restart_does_not_make_a_wrong_clock_right() {
        for jump in [3 * DAY, -3 * DAY] {
            let machine = Machine::new();
            let mark = machine.keeper("boot", None).mark().unwrap();
            machine.passes(MINUTE);
            machine.is_set(jump);
            let keeper = machine.keeper("boot", Some(&mark));
            assert_eq!((keeper.now(), keeper.doubt().map(|doubt| doubt.ahead)), (BEGIN + MINUTE, Some(jump)));
            machine.is_set(-jump);
            assert_eq!((keeper.now(), keeper.doubt()), (BEGIN + MINUTE, None));
        }
    }

    /// Its clock began at 1970, as that of a machine without a battery, and is set when the network is there.
    #[test]
    fn a_machine_that_was_off_is_not_earlier_than_its_last_mark() {
        let mark = Machine::new().keeper("boot", None).mark().unwrap();
        let machine = Machine::new();
        machine.elapsed.store(0, Ordering::SeqCst);
        machine.is_set(DAY);
        let on_time = machine.keeper("next", Some(&mark));
        assert_eq!((on_time.now(), on_time.doubt()), (BEGIN + DAY, None), "a day off is nothing to doubt");
        machine.is_set(-BEGIN);
        let keeper = machine.keeper("next", Some(&mark));
        assert!(keeper.doubt().is_some_and(|doubt| doubt.ahead < 0));
        assert_eq!(keeper.now(), BEGIN);
        machine.passes(MINUTE);
        machine.is_set(BEGIN);
        assert_eq!((keeper.now(), keeper.doubt()), (BEGIN + DAY + MINUTE, None), "whatever passed while it was off");
        machine.is_set(HOUR);
        assert!(keeper.doubt().is_some(), "measured from then on");
    }

    #[test]
    fn a_doubt_says_how_far_and_which_way() {
        for (ahead, said) in [(3 * DAY, "3 days ahead of"), (-HOUR, "60 minutes behind"), (61 * SECOND, "61 seconds")] {
            let text = Doubt { ahead, since: BEGIN }.to_string();
            assert!(text.contains(said), "{text}");
        }
    }

    #[test]
    fn this_machine_measures_what_elapses() {
        let keeper = Timekeeper::machine(None);
        let before = keeper.now();
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(keeper.now() > before);
        assert!(keeper.doubt().is_none());
        let next = Timekeeper::machine(keeper.mark().as_ref());
        assert!(next.doubt().is_none() && next.now() >= before);
    }
}
