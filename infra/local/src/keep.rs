//! How long what has ended is kept, and how it goes. The handlers delete nothing; this is the engine's own work.
//!
//! | what | goes |
//! |---|---|
//! | the record of an event or of a piece that became none | when its time is over, by the table's expiry or sooner by the settings |
//! | a mail | when it is older than the settings say, and nothing of it waits for the mail server |
//! | a dead letter | at the end of its queue's retention, as in SQS |
//! | a review that is closed or has started | whole, after its lineage was written into the archive folder where there is one, and after a line of who let it go and why (`removals`) |
//!
//! HEAD of a review goes first and its versions and lineage go last, the end of the lineage at the very end. Whoever dies in
//! between leaves a partition without HEAD, and the next run knows it by that end and removes the rest. A review that lost its
//! HEAD otherwise is damaged; nothing of it goes.

use packet_store::{KEPT_DAYS, key::Key};
use refresh_core::{
    Instant, ReviewId,
    base::instant::DAY,
    facts::subject::Subject,
    record::review::{Head, Standing},
};
use serde_json::{Value, json};

use crate::{
    embedded::TABLE,
    engine::Engine,
    headless::Lost,
    operator::review,
    private,
    removals::{self, Compacting, Removal},
    retention::Keep,
};

/// What is kept for how long, in days, for who is asked whether the rest may go.
pub fn kept(engine: &Engine) -> Value {
    let keep = engine.keep();
    let seconds = engine.topology().dead_letter_queues().map(|(dead, _)| dead.retention_seconds).max().unwrap_or(0);
    json!({
        "now": engine.now(), "events_days": keep.events, "mails_days": keep.mails, "letters_days": seconds / 86_400,
        "reviews_days": keep.reviews, "archive": keep.archive,
    })
}

/// Rows of one transaction.
const AT_ONCE: usize = 500;

/// A key of the table, and what tells whose item it is.
struct Found {
    pk: String,
    sk: String,
    /// Seconds since 1970.
    expires_at: Option<i64>,
    /// The review that holds a UID.
    review: Option<String>,
}

/// Removes what is past its time. Answers how much of each kind went, and which reviews stay although they are past it.
///
/// # Errors
/// The clock is in doubt, or the store cannot be read or written. What went until then is gone.
pub async fn compact(engine: &Engine, compacting: &Compacting) -> Result<Value, String> {
    if let Some(why) = engine.obstacle() {
        return Err(format!("nothing was removed: {why}"));
    }
    let (keep, now) = (engine.keep(), engine.now());
    let expired = engine.embedded().sweep().await?;
    let found = scan(engine).await?;
    let events = remove_events(engine, &found, &keep, now).await?;
    let (reviews, kept) = remove_reviews(engine, &found, &keep, compacting).await?;
    let mails = remove_mails(engine, now.plus_millis(-keep.mails * DAY)).await?;
    let letters = remove_letters(engine, now).await?;
    Ok(json!({
        "now": now, "removed": { "events": expired + events, "mails": mails, "letters": letters, "reviews": reviews },
        "kept_although_past": kept,
    }))
}

async fn scan(engine: &Engine) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut from = Value::Null;
    loop {
        let mut request = json!({ "TableName": TABLE, "ProjectionExpression": "pk, sk, expires_at, review" });
        if !from.is_null() {
            request["ExclusiveStartKey"] = from;
        }
        let mut page = engine.embedded().ask("Scan", request).await?;
        for item in page["Items"].as_array().into_iter().flatten() {
            let text = |name: &str| item[name]["S"].as_str().map(str::to_owned);
            let expires_at = item["expires_at"]["N"].as_str().and_then(|seconds| seconds.parse().ok());
            if let (Some(pk), Some(sk)) = (text("pk"), text("sk")) {
                found.push(Found { pk, sk, expires_at, review: text("review") });
            }
        }
        from = page["LastEvaluatedKey"].take();
        if from.is_null() {
            return Ok(found);
        }
    }
}

async fn remove(engine: &Engine, found: &Found) -> Result<(), String> {
    let key = json!({ "pk": { "S": found.pk }, "sk": { "S": found.sk } });
    engine.embedded().ask("DeleteItem", json!({ "TableName": TABLE, "Key": key })).await.map(drop)
}

/// What the table's expiry would remove later than the settings say.
async fn remove_events(engine: &Engine, found: &[Found], keep: &Keep, now: Instant) -> Result<usize, String> {
    let sooner = (KEPT_DAYS - keep.events).max(0) * DAY / 1_000;
    let is_event = |one: &&Found| one.pk.starts_with("EVENT#") || one.pk.starts_with("RECEIPT#");
    let is_over = |one: &&Found| one.expires_at.is_some_and(|at| at - sooner <= now.millis() / 1_000);
    let mut removed = 0;
    for one in found.iter().filter(is_event).filter(is_over) {
        remove(engine, one).await?;
        removed += 1;
    }
    Ok(removed)
}

fn has_ended(head: &Head, before: Instant) -> bool {
    // While something is still to be done for its end, the review has not ended.
    head.standing != Standing::Open && head.check_at.is_none() && ended_at(head) < before
}

/// The later of its slot's start and the last that was written of it.
fn ended_at(head: &Head) -> Instant {
    head.at.max(head.starts_at)
}

/// Answers the reviews that went, and those that stay, each with its reason.
async fn remove_reviews(
    engine: &Engine,
    found: &[Found],
    keep: &Keep,
    compacting: &Compacting,
) -> Result<(Vec<ReviewId>, Vec<Value>), String> {
    let now = engine.now();
    let heads = engine.store().reviews().await.map_err(|error| error.to_string())?;
    let before = now.plus_millis(-keep.reviews * DAY);
    let (mut removed, mut kept) = (Vec::new(), Vec::new());
    for head in heads.read.iter().filter(|head| has_ended(head, before)) {
        let gone = async {
            let written = archive(engine, keep, &head.review).await?;
            removals::keep(engine, removal(keep, compacting, head, written, now)).await
        };
        if let Err(why) = gone.await {
            kept.push(json!({ "review_id": head.review, "because": why }));
            continue;
        }
        for one in of_review(found, &head.review) {
            remove(engine, one).await?;
        }
        removed.push(head.review.clone());
    }
    let (begun, lost) = Lost::of_engine(engine).await?;
    // Left by a run that died.
    for one in found.iter().filter(|one| begun.iter().any(|begun| begun.left.partition == one.pk)) {
        remove(engine, one).await?;
    }
    kept.extend(lost.iter().map(|lost| json!({ "review_id": lost.review(), "because": lost.because() })));
    Ok((removed, kept))
}

/// Every item of a review, in the order in which the items go.
fn of_review<'a>(found: &'a [Found], review: &ReviewId) -> Vec<&'a Found> {
    let partition = Key::head(review).pk;
    let asked = Key::asked(review).pk;
    let facts = [Subject::Review(review.clone()), Subject::Closure(review.clone()), Subject::Decision(review.clone())];
    let facts = facts.map(|subject| Key::fact(&subject).pk);
    let holds = |one: &&Found| {
        let holds_uid = one.pk.starts_with("FACT#uid#") && one.review.as_deref() == Some(review.as_str());
        one.pk == partition || one.sk == partition || one.pk == asked || facts.contains(&one.pk) || holds_uid
    };
    let mut items: Vec<&Found> = found.iter().filter(holds).collect();
    items.sort_by_key(|one| match one.sk.as_str() {
        "HEAD" if one.pk == partition => 0,
        _ if one.pk != partition => 1,
        sk if sk.starts_with("LINEAGE#") => 3,
        _ => 2,
    });
    items
}

/// What is kept of a review that goes.
fn removal(keep: &Keep, compacting: &Compacting, head: &Head, written: Written, now: Instant) -> Removal {
    let time = format!("[keep] reviews_days is {}", keep.reviews);
    let reason = compacting.reason.as_ref().map_or(time.clone(), |reason| format!("{reason} ({time})"));
    Removal {
        review_id: head.review.clone(),
        ended_at: ended_at(head),
        removed_at: now,
        by: compacting.by.clone(),
        reason,
        entries: written.entries,
        lineage_end: written.lineage_end,
        record: written.record,
    }
}

/// A review's record before the review goes.
struct Written {
    entries: u64,
    lineage_end: String,
    /// `None`: the settings name no folder.
    record: Option<String>,
}

/// The record of a review, as `holdpoint show --json` prints it.
async fn archive(engine: &Engine, keep: &Keep, review: &ReviewId) -> Result<Written, String> {
    let shown = review::show(engine.store(), engine.now(), review).await.map_err(|why| why.to_string())?;
    if shown["verified"]["verified"] != true {
        return Err("its lineage does not verify; `holdpoint verify` names the entry".to_owned());
    }
    let lineage = shown["lineage"].as_array().map_or(&[][..], Vec::as_slice);
    let end = lineage.last().map_or("", |entry| entry["hash"].as_str().unwrap_or_default());
    let mut written = Written { entries: lineage.len() as u64, lineage_end: end.to_owned(), record: None };
    let Some(folder) = &keep.archive else { return Ok(written) };
    private::folder(folder)?;
    // A review's id may hold any character; its key's escapes leave what a file's name may hold.
    let name = Key::head(review).pk.replace(|c: char| !(c.is_ascii_alphanumeric() || "-_.%".contains(c)), "_");
    let text = serde_json::to_string_pretty(&shown).map_err(|error| error.to_string())?;
    // Two ids may come to one name; the ends of their lineages differ.
    let file = folder.join(format!("{name}.{}.json", end.get(..16).unwrap_or(end)));
    private::write(&file, &text)?;
    written.record = Some(file.display().to_string());
    Ok(written)
}

async fn remove_mails(engine: &Engine, before: Instant) -> Result<usize, String> {
    let mut removed = 0;
    loop {
        let gone = engine.mailbox().tables().transact(move |transaction| {
            let gone = transaction.execute(
                "DELETE FROM mail WHERE number IN (
                    SELECT number FROM mail WHERE at < ?1 AND NOT EXISTS (
                        SELECT 1 FROM outgoing WHERE outgoing.number = mail.number AND state = 'waiting'
                    ) ORDER BY at LIMIT ?2)",
                rusqlite::params![before.millis(), AT_ONCE],
            )?;
            let orphans = "DELETE FROM outgoing WHERE state <> 'waiting'
                AND NOT EXISTS (SELECT 1 FROM mail WHERE mail.number = outgoing.number)";
            if gone > 0 {
                transaction.execute(orphans, [])?;
            }
            Ok(gone)
        });
        let gone = gone.await?;
        removed += gone;
        if gone < AT_ONCE {
            return Ok(removed);
        }
    }
}

async fn remove_letters(engine: &Engine, now: Instant) -> Result<usize, String> {
    let mut removed = 0;
    for (dead, _) in engine.topology().dead_letter_queues() {
        let gone = engine.queues().expire(&dead.name, now.millis()).await.map_err(|refusal| refusal.to_string())?;
        removed += gone;
    }
    Ok(removed)
}
