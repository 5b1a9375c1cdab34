//! What came in and what became of it: events that were judged, and what became no event, the newest first.

use packet_store::{EventRecord, Receipt, SeenEntry, SeenMark, SeenRange, Store, Unheard};
use refresh_core::{
    Instant,
    facts::authority::{Disposition, Ignored},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lines::with_causes;
use crate::lines_asked;

/// Longer than anything is kept.
const OLDEST_DAYS: i64 = 40;

/// What is asked for. Everything that is left out lets everything through.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventsAsked {
    /// The CloudEvents source, or its beginning and a star.
    pub source: Option<String>,
    /// The parts of the subject, joined by `/`, or their beginning and a star; the kind may stand before them.
    pub subject: Option<String>,
    /// A word of `words`.
    pub disposition: Option<String>,
    /// Nothing older.
    pub since: Option<Instant>,
    /// Nothing newer.
    pub until: Option<Instant>,
    /// Where the page before this one ended.
    pub page: Option<String>,
    /// Lines of one page.
    pub limit: Option<usize>,
}

/// The words that `disposition` may be: what became of something, and of an ignored event each reason.
pub fn words() -> Vec<&'static str> {
    let unheard = [Unheard::Skipped, Unheard::Unbound, Unheard::Refused, Unheard::Discarded, Unheard::Redriven];
    let ignored = Ignored::ALL.into_iter().filter(|ignored| *ignored != Ignored::Invalid);
    let first = ["applied", "ignored"].into_iter().chain(unheard.map(Unheard::word));
    first.chain(ignored.map(Ignored::word)).collect()
}

impl EventsAsked {
    /// # Errors
    /// Every filter that cannot be read: its name, what was expected and what was found.
    pub fn check(&self) -> Result<(), String> {
        let mut faults = Vec::new();
        if let Some(word) = self.disposition.as_deref().filter(|word| !words().contains(word)) {
            faults.push(format!("disposition: expected one of {}; found {word:?}", words().join(", ")));
        }
        if let Some(Err(expected)) = self.page.as_deref().map(SeenMark::parse) {
            let page = self.page.as_deref().unwrap_or_default();
            faults.push(format!("page: expected {expected}; found {page:?}"));
        }
        faults.extend(lines_asked::check(self.limit).err());
        if let (Some(since), Some(until)) = (self.since, self.until)
            && until < since
        {
            faults.push(format!("until: expected an instant not before since ({since}); found {until}"));
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }

    fn wants(&self, seen: &SeenEntry) -> bool {
        let line = Line::of(seen);
        let fits = |pattern: &Option<String>, text: Option<&str>| match pattern {
            None => true,
            Some(pattern) => text.is_some_and(|text| matches(pattern, text)),
        };
        let subject = match (&self.subject, &line.subject) {
            (None, _) => true,
            (Some(pattern), Some((kind, names))) => {
                matches(pattern, names) || matches(pattern, &format!("{kind}/{names}"))
            }
            (Some(_), None) => false,
        };
        let word = self.disposition.as_deref();
        let became = word.is_none_or(|word| line.disposition == word || line.reason == Some(word));
        became && subject && fits(&self.source, line.source)
    }
}

/// All of it, or the beginning before a star, in letters of any case: an address is kept in small ones.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    pattern.strip_suffix('*').map_or(text == pattern, |start| text.starts_with(start))
}

/// What a line says, whatever it is of.
struct Line<'s> {
    disposition: &'static str,
    /// Of an ignored event, the word.
    reason: Option<&'static str>,
    source: Option<&'s str>,
    id: Option<&'s str>,
    form: Option<&'s str>,
    /// Kind, and the parts joined.
    subject: Option<(&'static str, String)>,
}

impl<'s> Line<'s> {
    fn of(seen: &'s SeenEntry) -> Self {
        match seen {
            SeenEntry::Event(record) => {
                let (disposition, reason) = match record.disposition {
                    Disposition::Applied => ("applied", None),
                    Disposition::Ignored(ignored) => ("ignored", Some(ignored.word())),
                };
                Line {
                    disposition,
                    reason,
                    source: Some(record.identity.source.as_str()),
                    id: Some(record.identity.id.as_str()),
                    form: Some(&record.event_type),
                    subject: Some((record.subject.word(), record.subject.names().join("/"))),
                }
            }
            SeenEntry::Receipt(receipt) => {
                // What came before is an event that was ignored, as the rules have it.
                let (disposition, reason) = match receipt.became {
                    Unheard::Duplicate => ("ignored", Some(receipt.became.word())),
                    Unheard::Barred => ("ignored", Some(Ignored::NonAuthoritativeSource.word())),
                    other => (other.word(), None),
                };
                Line {
                    disposition,
                    reason,
                    source: receipt.source.as_deref(),
                    id: receipt.id.as_deref(),
                    form: receipt.form.as_deref(),
                    subject: None,
                }
            }
        }
    }
}

fn told_of(seen: &SeenEntry) -> Value {
    let Line { disposition, reason, source, id, form, subject } = Line::of(seen);
    let (kind, subject) = subject.unzip();
    let mut line = json!({
        "at": seen.at(), "disposition": disposition, "reason": reason, "source": source, "id": id, "type": form,
        "kind": kind, "subject": subject,
    });
    match seen {
        SeenEntry::Event(EventRecord { revision, digest, not_taken, reset, expected, .. }) => {
            line["revision"] = json!(revision);
            line["digest"] = json!(digest);
            if let Some(reset) = reset {
                line["reset"] = json!(reset);
            }
            if let Some(expected) = expected {
                line["expected"] = json!(expected);
            }
            if !not_taken.is_empty() {
                line["not_taken"] = json!(not_taken);
            }
        }
        SeenEntry::Receipt(Receipt { door, binding, reasons, count, digest, .. }) => {
            line["door"] = json!(door);
            line["binding"] = json!(binding);
            line["reasons"] = json!(reasons);
            line["count"] = json!(count);
            line["digest"] = json!(digest);
        }
    }
    line
}

/// One page.
///
/// # Errors
/// A filter that cannot be read, or the store.
pub async fn events(store: &Store, now: Instant, asked: &EventsAsked) -> Result<Value, String> {
    asked.check()?;
    // What was recorded a moment ago may be ahead of the asker's clock.
    let until = asked.until.unwrap_or(now.plus_minutes(24 * 60));
    let range = SeenRange {
        since: asked.since.unwrap_or(now.plus_minutes(-OLDEST_DAYS * 24 * 60)),
        until,
        after: asked.page.as_deref().and_then(|page| SeenMark::parse(page).ok()),
        most: asked.limit.unwrap_or(50),
    };
    let page = store.seen(&range, |seen| asked.wants(seen)).await.map_err(with_causes)?;
    let unreadable: Vec<String> = page.unreadable.iter().map(ToString::to_string).collect();
    Ok(json!({
        "now": now,
        "events": page.seen.iter().map(told_of).collect::<Vec<_>>(),
        "looked_at": page.looked_at,
        "next": page.next.map(|mark| mark.to_string()),
        "unreadable": unreadable,
    }))
}
