//! What one person was told, when, by which mail, and what became of that mail.

use std::collections::BTreeMap;

use packet_store::{Store, TellingRecord};
use refresh_core::{
    Instant, Person, ReviewId,
    record::{lineage::Happening, review::Head},
};
use serde_json::{Value, json};

use super::{
    lines::{Heads, undeliverable, unreadable, with_causes},
    names,
};
use crate::mailbox::{self, Excerpt, Mailbox};

/// Of each review that told the person anything, every mail in order.
///
/// # Errors
/// A person whom no review knows, with the addresses that are near; or the store.
pub(super) async fn told(store: &Store, heads: Heads, now: Instant, person: &Person) -> Result<Value, String> {
    let ids: Vec<ReviewId> = heads.read.iter().map(|head| head.review.clone()).collect();
    let told = store.told_by_each(&ids, person).await.map_err(with_causes)?;
    let mut broken = heads.unreadable;
    broken.extend(told.unreadable.iter().map(|one| unreadable(one.review.as_ref(), &one.error)));
    let mut records: BTreeMap<ReviewId, TellingRecord> = told.read.into_iter().collect();
    let mut reviews = Vec::new();
    for head in &heads.read {
        let record = records.remove(&head.review);
        // The lineages of the few reviews that may have mailed the person are read, not those of thousands.
        if record.is_none() && head.unreachable(person).is_none() {
            continue;
        }
        match of_review(store, head, person, &record.unwrap_or_default()).await {
            Ok(review) => reviews.extend(review),
            Err(why) => broken.push(unreadable(Some(&head.review), why)),
        }
    }
    if reviews.is_empty() && broken.is_empty() {
        let known = names::people(store, &heads.read).await?;
        if !known.contains(person) {
            return Err(names::nobody(person, &known));
        }
    }
    Ok(json!({ "now": now, "person": person, "reviews": reviews, "unreadable": broken }))
}

/// `None`: the review told the person nothing, and nothing is known of their mail.
async fn of_review(
    store: &Store,
    head: &Head,
    person: &Person,
    record: &TellingRecord,
) -> Result<Option<Value>, String> {
    let entries = store.lineage(&head.review, 1).await.map_err(with_causes)?;
    let mails = entries.iter().flat_map(|entry| entry.happenings.iter().map(move |happening| (entry.at, happening)));
    let mails: Vec<Value> = mails.filter_map(|(at, happening)| mail(at, happening, person, record)).collect();
    if mails.is_empty() && record.claim.is_none() && head.unreachable(person).is_none() {
        return Ok(None);
    }
    Ok(Some(json!({
        "review_id": head.review, "standing": head.standing, "mails": mails,
        "withheld": head.withholds(person),
        "undeliverable": head.unreachable(person).filter(|known| known.is_open()).map(undeliverable),
        // Claimed and neither settled nor given back: a mail is being made, or one may have gone out unrecorded.
        "in_doubt_until": record.claim.as_ref().map(|claim| claim.until),
    })))
}

/// One mail, or one report that a mail did not arrive.
fn mail(at: Instant, happening: &Happening, person: &Person, record: &TellingRecord) -> Option<Value> {
    match happening {
        Happening::Notice { to, kind, version, changes, calendar, message_id } if to == person => {
            let delivery = record.delivery.as_ref().filter(|delivery| delivery.message_id == *message_id);
            let became = delivery.map(|delivery| {
                json!({
                    "status": delivery.status.word(), "at": delivery.at, "reason": delivery.status.reason(),
                })
            });
            Some(json!({
                "at": at, "kind": kind, "version": version, "changes": changes, "calendar": calendar,
                "message_id": message_id, "became": became, "number": null, "relay": null,
            }))
        }
        Happening::Undeliverable { to, why, reason } if to == person => Some(json!({
            "at": at, "kind": "undeliverable", "version": null, "changes": [], "calendar": [], "message_id": null,
            "became": { "status": why, "at": at, "reason": reason }, "number": null, "relay": null,
        })),
        _ => None,
    }
}

/// The same with what this machine knows of its own mails: the number that `holdpoint mail` takes, and how far each mail
/// came on its way out.
///
/// # Errors
/// The mailbox cannot be read.
pub fn numbered(mails: &Mailbox, person: &Person, mut told: Value) -> Result<Value, String> {
    let theirs = mails.headlines(Excerpt { to: Some(person.as_str()), ..Excerpt::default() })?;
    let states: BTreeMap<u64, Option<String>> = theirs.into_iter().map(|mail| (mail.number, mail.state)).collect();
    for mail in told["reviews"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .flat_map(|review| review["mails"].as_array_mut().into_iter().flatten())
    {
        let number = mail["message_id"].as_str().and_then(mailbox::number_of);
        if let Some((number, state)) = number.and_then(|number| states.get_key_value(&number)) {
            mail["number"] = json!(number);
            mail["relay"] = json!(state);
        }
    }
    Ok(told)
}
