//! What the functions log, on standard error, so that standard output is the command's alone.

use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use super::Failed;
use crate::figures;

const VARIABLE: &str = "HOLDPOINT_LOG";

/// Stands under `--help` of every command that runs a function.
pub const HELP: &str = "\
Environment:
  HOLDPOINT_LOG  How much is logged to standard error: error, warn, info or off. `serve` begins at warn, which shows every
                 ignored event with its reason; info adds a line for each accepted event with its id and source. One part
                 alone is named as in `warn,ingest=info`. No line holds an address, a link or a body.";

/// Lines that are no lines here, and libraries that quote whole requests at finer levels.
const QUIET: [&str; 9] = [
    "embedded_metric_format=off",
    "log_note=off",
    "aws_=error",
    "hyper=error",
    "h2=error",
    "rustls=error",
    "tower=error",
    "lettre=error",
    "mio=error",
];

/// Begins logging, at `level` unless the environment says otherwise.
///
/// # Errors
/// Where the environment says something else than levels.
pub fn start(level: &str) -> Result<(), Failed> {
    let wanted = match std::env::var(VARIABLE) {
        Ok(wanted) if !wanted.trim().is_empty() => wanted,
        _ => level.to_owned(),
    };
    let filter = filter(&wanted)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(filter);
    // A test may call this twice. The first subscriber stays.
    let _ = tracing_subscriber::registry().with(lines).with(figures::layer()).try_init();
    Ok(())
}

fn filter(wanted: &str) -> Result<EnvFilter, Failed> {
    // A word that is no level would be taken for the name of a part, and silence all others.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let fits = |part: &str| match part.split_once('=') {
        Some((_, level)) => levels.contains(&level.trim().to_lowercase().as_str()),
        None => levels.contains(&part.trim().to_lowercase().as_str()),
    };
    let wrong = || {
        Failed::input(format!(
            "{VARIABLE}: expected a level ({}) or `part=level`, several separated by commas; found {wanted:?}",
            levels.join(", ")
        ))
    };
    if !wanted.split(',').all(fits) {
        return Err(wrong());
    }
    EnvFilter::try_new(format!("{wanted},{}", QUIET.join(","))).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_level_is_named() {
        for good in ["info", "WARN", "off", "warn,ingest=info", "error,notify=debug"] {
            filter(good).unwrap_or_else(|why| panic!("{good}: {}", why.why));
        }
        for bad in ["loud", "warn,", "ingest", "ingest=loud", "info;warn"] {
            let refused = filter(bad).expect_err(bad);
            assert_eq!(refused.status, 2);
            assert!(refused.why.contains(VARIABLE) && refused.why.contains(bad), "{}", refused.why);
        }
    }
}
