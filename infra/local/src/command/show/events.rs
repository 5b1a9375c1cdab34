//! What came in, in words.

use std::fmt::Write;

use serde_json::Value;

use crate::operator::EventsAsked;

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
    } else if let Some(by) = event["reset"]["by"].as_str() {
        // No fact, and without a number of a source.
        let reason = event["reset"]["reason"].as_str().unwrap_or_default();
        format!("reset of {} {} by {by}: {reason}{id}", of("kind"), of("subject"))
    } else {
        format!("{} {} revision {}{id}{}", of("kind"), of("subject"), event["revision"], super::expected(event))
    };
    [of("at"), became, from, what]
}
