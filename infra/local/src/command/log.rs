//! What the functions log, on standard error, so that standard output is the command's alone.

use lambda_shell::log::Lines;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use super::Failed;
use crate::figures;

const VARIABLE: &str = "HOLDPOINT_LOG";

/// What a line of JSON says of its record or page comes by this target.
const NOTED: &str = "log_note=info";

/// Stands under `--help` of every command that runs a function.
pub const HELP: &str = "\
Environment:
  HOLDPOINT_LOG  How much is logged to standard error: error, warn, info or off. `serve` begins at warn, which shows every
                 ignored event with its reason; info adds a line for each accepted event with its id and source. One part
                 alone is named as in `warn,ingest=info`. `[log]` in holdpoint.toml says the same for `serve`, and whether lines
                 are text or JSON; the variable outweighs it. No line holds an address, a link or a body.";

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

/// How a line looks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One flat JSON object a line, as a deployment's functions write.
    Json,
}

impl Format {
    /// Every format, with its word in the settings file.
    pub const WORDS: [(&str, Self); 2] = [("text", Self::Text), ("json", Self::Json)];
}

/// What is expected where levels are.
pub const LEVELS: &str = "a level (off, error, warn, info, debug, trace) or `part=level`, several separated by commas";

/// Begins logging, at `level` unless the environment says otherwise.
///
/// # Errors
/// Where the environment says something else than levels.
pub fn start(level: &str, format: Format) -> Result<(), Failed> {
    let wanted = match std::env::var(VARIABLE) {
        Ok(wanted) if !wanted.trim().is_empty() => wanted,
        _ => level.to_owned(),
    };
    let begun = tracing_subscriber::registry().with(figures::layer());
    // A test may call this twice. The first subscriber stays.
    let _ = match format {
        Format::Text => {
            let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
            begun.with(lines.with_filter(filter(&wanted, &[])?)).try_init()
        }
        Format::Json => {
            let lines = Lines::new("holdpoint", std::io::stderr);
            begun.with(lines.with_filter(filter(&wanted, &[NOTED])?)).try_init()
        }
    };
    Ok(())
}

/// Whether the text is a level, or levels of parts.
pub fn are_levels(wanted: &str) -> bool {
    // A word that is no level would be taken for the name of a part, and silence all others.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let fits = |part: &str| match part.split_once('=') {
        Some((_, level)) => levels.contains(&level.trim().to_lowercase().as_str()),
        None => levels.contains(&part.trim().to_lowercase().as_str()),
    };
    wanted.split(',').all(fits)
}

/// `more`: directives that outweigh those of what is quiet.
fn filter(wanted: &str, more: &[&str]) -> Result<EnvFilter, Failed> {
    let wrong = || Failed::input(format!("{VARIABLE}: expected {LEVELS}; found {wanted:?}"));
    if !are_levels(wanted) {
        return Err(wrong());
    }
    let all: Vec<&str> = [wanted].iter().chain(&QUIET).chain(more).copied().collect();
    EnvFilter::try_new(all.join(",")).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_level_is_named() {
        for good in ["info", "WARN", "off", "warn,ingest=info", "error,notify=debug"] {
            filter(good, &[]).unwrap_or_else(|why| panic!("{good}: {}", why.why));
        }
        for bad in ["loud", "warn,", "ingest", "ingest=loud", "info;warn"] {
            let refused = filter(bad, &[]).expect_err(bad);
            assert_eq!(refused.status, 2);
            assert!(refused.why.contains(VARIABLE) && refused.why.contains(bad), "{}", refused.why);
        }
    }
}
