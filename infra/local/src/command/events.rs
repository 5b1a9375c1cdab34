//! `holdpoint events`: what came in, and what became of it.

use clap::Args;
use refresh_core::Instant;

use super::{Common, Deployment, Failed, ask};
use crate::operator::{EventsAsked, Request};

pub const HELP: &str = "\
What became of something is one of: applied (it is the newest fact of its subject), ignored (with a word of the contract: \
stale_revision, duplicate, ...), skipped (a payload, or a part of one, that says nothing that is a fact), unbound (the policy \
binds nothing to it), refused (it is malformed, or nobody proved who sent it), discarded or redriven (an operator took it out of the dead \
letters, with who and why).

Examples:
  holdpoint events --disposition unbound --since 2h
  holdpoint events --source '//ci.example.com/*' --disposition stale_revision
  holdpoint events --subject evidence/CHG0030001/integration-tests --json";

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// List what this source sent: a CloudEvents source, or the beginning of one and a star.
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// List what is about this subject: its parts joined by `/` (CHG1/tests), or their beginning and a star.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// List what came to this: applied, ignored, skipped, unbound, refused, discarded or redriven, or the reason of an ignored event.
    #[arg(long, value_name = "WORD")]
    disposition: Option<String>,
    /// List nothing older: an RFC 3339 instant, or how long ago (30m, 2h, 7d).
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// List nothing newer: an RFC 3339 instant, or how long ago (30m, 2h, 7d).
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Print this many lines at most.
    #[arg(long, value_name = "LINES", default_value_t = 50)]
    limit: usize,
    /// Go on where the page before this one ended: what that page printed last.
    #[arg(long, value_name = "MARK")]
    page: Option<String>,
    #[command(flatten)]
    deployment: Deployment,
}

/// Lists them.
///
/// # Errors
/// A filter that cannot be read, as malformed input; what the store said.
pub async fn run(common: &Common, options: Options) -> Result<(), Failed> {
    let Options { source, subject, disposition, since, until, limit, page, deployment } = options;
    let now = Instant::from_millis(lambda_shell::clock::Clock::system().now_millis());
    let when = |name: &str, text: Option<String>| text.map(|text| instant(name, &text, now)).transpose();
    let (since, until) = (when("since", since), when("until", until));
    let faults: Vec<String> = [&since, &until].into_iter().filter_map(|read| read.as_ref().err().cloned()).collect();
    let (since, until) = (since.ok().flatten(), until.ok().flatten());
    let asked = EventsAsked { source, subject, disposition, since, until, page, limit: Some(limit) };
    let faults: Vec<String> = faults.into_iter().chain(asked.check().err()).collect();
    if !faults.is_empty() {
        return Err(Failed::input(faults.join("\n")));
    }
    ask::ask(common, &deployment, Request::Events(asked)).await
}

fn instant(name: &str, text: &str, now: Instant) -> Result<Instant, String> {
    let expected =
        || format!("{name}: expected an RFC 3339 instant, or how long ago like 30m, 2h or 7d; found {text:?}");
    if let Ok(instant) = Instant::parse(text) {
        return Ok(instant);
    }
    let minutes = match text.chars().last() {
        Some('m') => 1,
        Some('h') => 60,
        Some('d') => 24 * 60,
        _ => return Err(expected()),
    };
    let count: i64 = text[..text.len() - 1].parse().map_err(|_| expected())?;
    if (0..=1_000_000).contains(&count) { Ok(now.plus_minutes(-count * minutes)) } else { Err(expected()) }
}
