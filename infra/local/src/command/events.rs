//! `holdpoint events`: what came in, and what became of it.

use std::fmt::Write;

use clap::Args;
use refresh_core::Instant;
use serde_json::Value;

use super::{Common, Deployment, Failed, ask};
use crate::operator::{EventsAsked, Request};

pub const HELP: &str = "\
What became of something is one of: applied (it is the newest fact of its subject), ignored (with a word of the contract: \
stale_revision, duplicate, ...), skipped (a payload, or a part of one, that says nothing that is a fact), unbound (the policy \
binds nothing to it), refused (it is malformed, or nobody proved who sent it).

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
    /// List what came to this: applied, ignored, skipped, unbound or refused, or the reason of an ignored event.
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

/// One line each, in columns; the reasons of what became no event under it.
pub fn in_words(asked: &EventsAsked, answer: &Value) -> String {
    let lines: Vec<[String; 4]> = answer["events"].as_array().into_iter().flatten().map(columns).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let (first, second, third) = (width(0), width(1), width(2));
    let mut text = String::new();
    for [at, became, from, what] in &lines {
        let row = format!("{at:first$}  {became:second$}  {from:third$}  {what}");
        let _ = writeln!(text, "{}", row.trim_end());
    }
    if lines.is_empty() {
        let _ = writeln!(text, "nothing of the kind among {} looked at", answer["looked_at"]);
    }
    for why in answer["unreadable"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "CANNOT BE READ: {}", why.as_str().unwrap_or_default());
    }
    if let Some(mark) = answer["next"].as_str() {
        let _ = writeln!(text, "there may be more: {} --page {mark}", again(asked));
    }
    text
}

/// The same question, as a command line.
fn again(asked: &EventsAsked) -> String {
    let mut line = "holdpoint events".to_owned();
    let texts = [("source", &asked.source), ("subject", &asked.subject), ("disposition", &asked.disposition)];
    for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
        let _ = write!(line, " --{name} '{}'", text.replace('\'', "'\\''"));
    }
    for (name, instant) in [("since", asked.since), ("until", asked.until)] {
        if let Some(instant) = instant {
            let _ = write!(line, " --{name} {instant}");
        }
    }
    match asked.limit {
        Some(limit) if limit != 50 => format!("{line} --limit {limit}"),
        _ => line,
    }
}

fn columns(event: &Value) -> [String; 4] {
    let of = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
    let reason = of("reason");
    let became = if reason.is_empty() { of("disposition") } else { format!("{} {reason}", of("disposition")) };
    let from = match (of("source"), of("binding")) {
        (source, _) if !source.is_empty() => source,
        (_, binding) if !binding.is_empty() => format!("binding {binding}"),
        _ => "-".to_owned(),
    };
    let id = of("id");
    let id = if id.is_empty() { id } else { format!("  ({id})") };
    let what = if event["subject"].is_null() {
        let reasons: Vec<&str> = event["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let more = event["count"].as_u64().unwrap_or(0).saturating_sub(reasons.len() as u64);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let form = of("type");
        let form = if form.is_empty() { form } else { format!("{form}: ") };
        format!("{form}{}{more}{id}", reasons.join("; "))
    } else {
        format!("{} {} revision {}{id}", of("kind"), of("subject"), event["revision"])
    };
    [of("at"), became, from, what]
}
