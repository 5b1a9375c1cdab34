//! What all trials log, on one paper: a subscriber of one thread alone would miss what another thread met first.

use std::{
    io::Write,
    sync::{Mutex, Once, PoisonError},
};

use lambda_shell::log;
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

static PAPER: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Pen;

impl Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        PAPER.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// From here on everything is written down, at the finest level there is.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = log::lines("poll", || Pen, LevelFilter::TRACE);
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::set_global_default(subscriber).expect("the only subscriber of this program");
    });
}

/// Every line of every trial until now.
pub fn log_of_all() -> String {
    String::from_utf8_lossy(&PAPER.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}
