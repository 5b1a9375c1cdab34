//! Who must still answer or decide what, since when and until when.

use packet_store::Store;
use refresh_core::{
    Instant, Person, ReviewId,
    audience::open::Open,
    record::{exception::ExceptionKind, review::Head},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    lines::{Heads, with_causes},
    names,
};
use crate::{engine::Engine, mailbox};

/// What somebody is waited for.
struct Wait<'a> {
    /// `None`: nobody may decide.
    person: Option<&'a Person>,
    what: &'static str,
    version: u32,
    since: Instant,
    /// Whether the person has been told so.
    told: bool,
    until: Instant,
    reminded: u32,
}

/// Everybody who is waited for, the earliest deadline first; of one person alone where one is named.
///
/// # Errors
/// A person whom no review knows, with the addresses that are near; or the store.
pub(super) async fn waiting(
    store: &Store,
    heads: Heads,
    now: Instant,
    person: Option<&Person>,
) -> Result<Value, String> {
    let mut lines = Vec::new();
    for head in &heads.read {
        let wanted = waits(head, now).into_iter().filter(|wait| person.is_none() || wait.person == person);
        lines.extend(wanted.map(|wait| (wait.until, line(head, &wait, now))));
    }
    if let Some(person) = person.filter(|_| lines.is_empty()) {
        let known = names::people(store, &heads.read).await?;
        if !known.contains(person) {
            return Err(names::nobody(person, &known));
        }
    }
    lines.sort_by_key(|(until, _)| *until);
    let lines: Vec<Value> = lines.into_iter().map(|(_, line)| line).collect();
    Ok(json!({ "now": now, "person": person, "waiting": lines, "unreadable": heads.unreadable }))
}

fn waits(head: &Head, now: Instant) -> Vec<Wait<'_>> {
    let open = Open::of(head, now);
    let mut waits = Vec::new();
    if let Some(pending) = open.proposal {
        waits.push(Wait {
            person: pending.adopter.as_ref(),
            what: "decide",
            version: pending.version,
            since: pending.asked.as_ref().map_or(pending.made_at, |asked| asked.at),
            told: pending.asked.is_some(),
            until: pending.expires_at,
            reminded: pending.asked.as_ref().map_or(0, |asked| asked.reminded),
        });
    }
    let undecided = open.exceptions.iter().find(|exception| exception.kind == ExceptionKind::Undecided);
    if let Some(exception) = undecided.filter(|_| !head.is_over(now)) {
        waits.push(Wait {
            person: head.today.owner.as_ref(),
            what: "ask_again",
            version: head.authoritative,
            since: exception.opened_at,
            told: exception.waits_until.is_none(),
            until: head.starts_at,
            reminded: 0,
        });
    }
    waits.extend(open.outstanding.iter().map(|duty| Wait {
        person: Some(&duty.person),
        what: "answer",
        version: head.authoritative,
        since: duty.told_at,
        told: true,
        until: duty.due_at,
        reminded: duty.reminded,
    }));
    waits
}

fn line(head: &Head, wait: &Wait<'_>, now: Instant) -> Value {
    json!({
        "review_id": head.review, "person": wait.person, "for": wait.what, "version": wait.version,
        "since": wait.since, "told": wait.told, "until": wait.until, "overdue": wait.until <= now,
        "reminded": wait.reminded,
        "mail_arrives": wait.person.is_none_or(|person| !head.withholds(person)),
        "mail_waits": null,
    })
}

/// The same with what this machine knows of its own mails: whether the newest one to the person about the review has still to
/// be taken by the mail server. Who got no mail before that one has not been told.
///
/// # Errors
/// The mails or the store cannot be read.
pub(super) async fn on_the_way(engine: &Engine, mut waiting: Value) -> Result<Value, String> {
    let numbers = engine.mailbox().waiting()?;
    for line in waiting["waiting"].as_array_mut().into_iter().flatten() {
        let mut waits = false;
        if let (Ok(review), Ok(person)) =
            (ReviewId::deserialize(&line["review_id"]), Person::deserialize(&line["person"]))
            && !numbers.is_empty()
        {
            let records = engine.store().told(&review).await.map_err(with_causes)?;
            let newest = records.get(&person).and_then(|record| record.told.as_ref()?.message_id.as_deref());
            waits = newest.and_then(mailbox::number_of).is_some_and(|number| numbers.contains(&number));
        }
        line["mail_waits"] = waits.into();
        if waits && line["reminded"] == 0 {
            line["told"] = false.into();
        }
    }
    Ok(waiting)
}
