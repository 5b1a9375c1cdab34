//! Which reviews `compact` removed: when, in whose name and why. A review goes with its lineage, so this is kept beside it, in
//! a table of the engine's own, for good: a few hundred bytes a review.

use refresh_core::{Instant, ReviewId};
use rusqlite::{Row, params, types::Type};
use serde::{Deserialize, Serialize};

use crate::{engine::Engine, lines_asked};

/// Lines of one answer, where nobody says how many.
pub const A_PAGE: usize = 50;

/// Who lets go what is past its time, and why.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Compacting {
    /// The operator's address or login. `None`: a command that does not know whose it is.
    pub by: Option<String>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
}

impl Compacting {
    /// The engine's own daily turn.
    pub fn of_the_engine() -> Self {
        Self { by: Some("the engine, once a day".to_owned()), reason: None }
    }
}

/// A review that went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Removal {
    pub review_id: ReviewId,
    /// The later of its slot's start and the last that was written of it.
    pub ended_at: Instant,
    pub removed_at: Instant,
    /// `None`: a command that did not know whose it was.
    pub by: Option<String>,
    pub reason: String,
    /// How many entries its lineage had, and the hash of the last one: a record that was written before can be held against it.
    pub entries: u64,
    pub lineage_end: String,
    /// The file into which its record was written before it went.
    pub record: Option<String>,
}

/// Which of them are asked for, the newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemovalsAsked {
    /// Of this review alone.
    pub review: Option<ReviewId>,
    /// Lines of one answer.
    pub limit: Option<usize>,
    /// Nothing but what went before the line of this number.
    pub before: Option<i64>,
}

impl RemovalsAsked {
    /// # Errors
    /// A limit that is out of bounds.
    pub fn check(&self) -> Result<(), String> {
        lines_asked::check(self.limit)
    }
}

/// A part of the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Removals {
    pub removed: Vec<Removal>,
    /// The number of the last line, where others come after it.
    pub next: Option<i64>,
}

/// Written before the review goes: whoever dies in between removes it, and writes the same line, with the next turn.
///
/// # Errors
/// What SQLite said: the review must stay.
pub async fn keep(engine: &Engine, removal: Removal) -> Result<(), String> {
    let Removal { review_id, ended_at, removed_at, by, reason, entries, lineage_end, record } = removal;
    let kept = engine.embedded().own().transact(move |transaction| {
        transaction.execute(
            "INSERT INTO removed (review, ended_at, removed_at, who, reason, entries, lineage_end, record)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (review, lineage_end) DO UPDATE SET removed_at = excluded.removed_at, who = excluded.who,
                 reason = excluded.reason, record = coalesce(excluded.record, record)",
            params![
                review_id.as_str(),
                ended_at.millis(),
                removed_at.millis(),
                by,
                reason,
                entries,
                lineage_end,
                record
            ],
        )
    });
    kept.await.map(drop)
}

/// # Errors
/// The limit is out of bounds, or what SQLite said.
pub fn list(engine: &Engine, asked: &RemovalsAsked) -> Result<Removals, String> {
    asked.check()?;
    let most = asked.limit.unwrap_or(A_PAGE);
    let review = asked.review.as_ref().map(ReviewId::as_str);
    let mut found = engine.embedded().own().look(|transaction| {
        let mut rows = transaction.prepare_cached(
            "SELECT * FROM removed WHERE (?1 IS NULL OR review = ?1) AND (?2 IS NULL OR number < ?2)
             ORDER BY number DESC LIMIT ?3",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        rows.query_map(params![review, asked.before, most], removal)?.collect::<Result<Vec<_>, _>>()
    })?;
    let more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| more).map(|(number, _)| *number);
    Ok(Removals { removed: found.into_iter().map(|(_, removal)| removal).collect(), next })
}

/// Whether the removal of a review was begun, by the end of its lineage.
///
/// # Errors
/// What SQLite said.
pub fn was_begun(engine: &Engine, review: &ReviewId, lineage_end: &str) -> Result<bool, String> {
    let line = "SELECT EXISTS (SELECT 1 FROM removed WHERE review = ?1 AND lineage_end = ?2)";
    engine
        .embedded()
        .own()
        .look(|transaction| transaction.query_row(line, [review.as_str(), lineage_end], |row| row.get(0)))
}

/// Why a review is not there, where it was removed.
pub fn why_gone(engine: &Engine, review: &ReviewId) -> Option<String> {
    let asked = RemovalsAsked { review: Some(review.clone()), limit: Some(1), before: None };
    let Removal { ended_at, removed_at, by, reason, record, .. } = list(engine, &asked).ok()?.removed.pop()?;
    let by = by.as_deref().unwrap_or("somebody who is not named");
    let record = record.map_or("its record was written nowhere".to_owned(), |file| format!("its record is in {file}"));
    Some(format!("{review}: it ended {ended_at} and was removed {removed_at} by {by}: {reason}; {record}"))
}

fn removal(row: &Row<'_>) -> Result<(i64, Removal), rusqlite::Error> {
    let review: String = row.get("review")?;
    let wrong = |why: String| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, why.into());
    let at = |column: &str| row.get(column).map(Instant::from_millis);
    let removal = Removal {
        review_id: ReviewId::parse(&review).map_err(|error| wrong(error.to_string()))?,
        ended_at: at("ended_at")?,
        removed_at: at("removed_at")?,
        by: row.get("who")?,
        reason: row.get("reason")?,
        entries: row.get("entries")?,
        lineage_end: row.get("lineage_end")?,
        record: row.get("record")?,
    };
    Ok((row.get("number")?, removal))
}
