//! What each mail said to a reader who remembers the mails before it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::at_of;
use crate::MINUTE;

/// Two mails that say opposite things within this time contradict each other, for the figures.
pub const SOON: i64 = 10 * MINUTE;

/// No two mails to one person may be nearer to each other, but for somebody's decision: the quiet period.
#[cfg(test)]
pub const QUIET: i64 = 2 * MINUTE;

/// Fields on which nobody can act by themselves.
const METADATA: [&str; 4] = ["checkpoint.", "window", "cutover", "violated"];

/// Kinds that repeat or complete what another mail said.
const REPEATS: [&str; 4] = ["reminder", "hold_ended", "link", "resent"];

#[derive(Clone, Debug, Default)]
pub struct Told {
    soon: i64,
    /// Mails about evidence times, window, cutover or marks alone.
    pub inconsequential: usize,
    /// Mails of which the reader knew every field.
    pub void: Vec<Value>,
    /// Mails that take back within minutes what the one before said, though nobody decided anything in between.
    pub contradictory: Vec<Value>,
    /// Mails about one version of one review that name different slots.
    pub discordant: Vec<Value>,
}

#[derive(Default)]
struct Reader {
    knows: BTreeMap<String, Value>,
    /// Of the last mail: when, and each field as was and now.
    last: Option<(i64, Vec<Value>)>,
}

/// `soon`: milliseconds within which opposite mails contradict each other.
pub fn told(records: &[Value], soon: i64) -> Told {
    let mut told = Told { soon, ..Told::default() };
    let mut readers: BTreeMap<(String, String), Reader> = BTreeMap::new();
    let mut decided: BTreeMap<String, i64> = BTreeMap::new();
    let mut slots = BTreeMap::new();
    for record in records {
        let review = record["review_id"].as_str().unwrap_or_default().to_owned();
        match record["record"].as_str().unwrap_or_default() {
            "answer" if record["action"] == "adopt" || record["action"] == "decline" => {
                decided.insert(review, at_of(record));
            }
            "notice" => {
                let to = record["to"].as_str().unwrap_or_default().to_owned();
                let since = decided.get(&review).copied().unwrap_or_default();
                let reader = readers.entry((review, to)).or_default();
                told.takes(reader, record, since);
                told.agrees(&mut slots, reader, record);
            }
            _ => {}
        }
    }
    told
}

impl Told {
    fn takes(&mut self, reader: &mut Reader, notice: &Value, decided: i64) {
        let (at, kind) = (at_of(notice), notice["kind"].as_str().unwrap_or_default());
        if REPEATS.contains(&kind) {
            return;
        }
        let changes: Vec<Value> = notice["changes"].as_array().cloned().unwrap_or_default();
        let field = |change: &Value| change["field"].as_str().unwrap_or_default().to_owned();
        let metadata = |change: &Value| METADATA.iter().any(|name| field(change).starts_with(name));
        self.inconsequential += usize::from(changes.iter().all(metadata));
        let news = |change: &Value| {
            let known = reader.knows.get(&field(change)).unwrap_or(&change["was"]);
            *known != change["now"]
        };
        if !changes.iter().any(news) {
            self.void.push(notice.clone());
        }
        if let Some((before, last)) =
            reader.last.take().filter(|(before, _)| decided < *before && at - *before < self.soon)
        {
            let back = |change: &Value| {
                let opposite = |earlier: &&Value| {
                    earlier["field"] == change["field"]
                        && earlier["was"] == change["now"]
                        && earlier["now"] == change["was"]
                };
                last.iter().find(opposite).is_some()
            };
            if changes.iter().any(back) {
                let mut both = notice.clone();
                both["minutes_after"] = ((at - before) / MINUTE).into();
                self.contradictory.push(both);
            }
        }
        for change in &changes {
            reader.knows.insert(field(change), change["now"].clone());
        }
        // Whoever leaves forgets what they may no longer see.
        if changes.iter().any(|change| change["field"] == "attendance" && change["now"] == "released") {
            reader.knows.clear();
        }
        reader.last = Some((at, changes));
    }

    /// All to whom one version is proposed are told one slot.
    fn agrees(&mut self, slots: &mut BTreeMap<(String, u64), Value>, reader: &Reader, notice: &Value) {
        let changes = notice["changes"].as_array().into_iter().flatten();
        let told = changes.into_iter().find(|change| change["field"] == "slot").map(|change| change["now"].clone());
        let proposed = reader.knows.get("standing").is_some_and(|standing| standing == "tentative");
        let Some(slot) = told.filter(|slot| proposed && slot.is_object()) else { return };
        let review = notice["review_id"].as_str().unwrap_or_default().to_owned();
        let key = (review, notice["version"].as_u64().unwrap_or_default());
        if slots.entry(key).or_insert_with(|| slot.clone()) != &slot {
            self.discordant.push(notice.clone());
        }
    }
}
