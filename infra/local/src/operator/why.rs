//! Why a review is where it is: what moved, by which event, which rule was broken, and what was considered.

use packet_store::Store;
use refresh_core::{
    Instant, ReviewId,
    record::{
        comment::CommentLine,
        decision::{Decision, Outcome},
        exception::Exception,
        lineage::{AnswerLine, Entry, Happening, Trigger},
        mark::Mark,
        packet::{Packet, Version},
        report::Spelled,
    },
};
use serde_json::{Value, json};

use super::{
    lines::{judged, with_causes},
    names,
};

/// Every decision that changed something, in order.
///
/// # Errors
/// A review that is not known, with the names that are near; or the store.
pub async fn why(store: &Store, now: Instant, review: &ReviewId) -> Result<Value, String> {
    let head = names::head(store, review).await?;
    let record = store.record(&head).await.map_err(with_causes)?;
    let mut story = Story { versions: &record.versions, before: None, latest: 0 };
    let moves: Vec<Value> = record.entries.iter().flat_map(|entry| story.entry(entry)).collect();
    let slot = |number: u32| record.versions.iter().find(|version| version.number == number).map(|one| one.packet.slot);
    Ok(json!({
        "now": now, "review_id": review, "standing": head.standing,
        "authoritative": { "version": head.authoritative, "slot": slot(head.authoritative) },
        "pending": head.pending.as_ref().map(|pending| json!({
            "version": pending.version, "slot": slot(pending.version), "adopter": pending.adopter,
            "expires_at": pending.expires_at,
        })),
        "moves": moves,
        "verified": judged(&record, &head),
    }))
}

/// What was decided so far, as the lineage is read.
struct Story<'a> {
    versions: &'a [Version],
    before: Option<&'a Decision>,
    /// The highest version that any decision so far named.
    latest: u32,
}

impl<'a> Story<'a> {
    fn entry(&mut self, entry: &'a Entry) -> Vec<Value> {
        let causes = Causes::of(entry);
        let mut moves = Vec::new();
        for happening in &entry.happenings {
            let Happening::Decision(decision) = happening else { continue };
            if moved(self.before, decision) {
                moves.push(self.told(entry, decision, &causes));
            }
            let pending = decision.pending.as_ref().map_or(0, |pending| pending.version);
            self.latest = self.latest.max(decision.authoritative).max(pending);
            self.before = Some(decision);
        }
        moves
    }

    fn version(&self, number: u32) -> Option<&'a Version> {
        self.versions.iter().find(|version| version.number == number)
    }

    fn told(&self, entry: &Entry, decision: &Decision, causes: &Causes<'_>) -> Value {
        let counted = self.before.map_or(decision.authoritative, |before| before.authoritative);
        let to = decision.pending.as_ref().map_or(decision.authoritative, |pending| pending.version);
        let (from, to) = (self.version(counted), self.version(to));
        let changed = from.zip(to).map(|(from, to)| differences(&from.packet, &to.packet)).unwrap_or_default();
        let facts = from.zip(to).map(|(from, to)| news(from, to)).unwrap_or_default();
        let minted = to.filter(|to| to.number > self.latest && decision.outcome != Outcome::Issued);
        let report = minted.map(|to| &to.report).or(decision.report.as_ref());
        let (broken, remarked): (Vec<&Mark>, Vec<&Mark>) =
            decision.violated.iter().partition(|mark| mark.is_violation());
        json!({
            "at": entry.at, "sequence": entry.sequence, "trace": entry.trace, "outcome": decision.outcome,
            "proposal": decision.proposal,
            "by_time_alone": causes.are_none(),
            "events": causes.triggers.iter().map(|trigger| event(trigger)).collect::<Vec<_>>(),
            "answers": causes.answers.iter().map(|answer| answered(answer)).collect::<Vec<_>>(),
            "reports": causes.reports,
            "comments": causes.comments.iter().map(|said| json!({ "by": said.by, "why": said.why })).collect::<Vec<_>>(),
            "from": from.map(seats), "to": to.map(seats), "changed": changed, "facts": facts,
            "broken": broken, "remarked": remarked,
            "exceptions": decision.exceptions.iter().map(exception).collect::<Vec<_>>(),
            "considered": report.map(|report| considered(&report.spelled())),
        })
    }
}

/// What led to the decisions of one entry. What else is in the lineage (a mail that went out, a view that came back) follows
/// from decisions and leads to none.
#[derive(Default)]
struct Causes<'a> {
    triggers: Vec<&'a Trigger>,
    answers: Vec<&'a AnswerLine>,
    /// What the mailer reported of mails.
    reports: Vec<Value>,
    comments: Vec<&'a CommentLine>,
}

impl<'a> Causes<'a> {
    fn of(entry: &'a Entry) -> Self {
        let mut causes = Self::default();
        for happening in &entry.happenings {
            match happening {
                Happening::Trigger(trigger) if trigger.disposition.is_applied() => causes.triggers.push(trigger),
                Happening::Answer(answer) => causes.answers.push(answer),
                Happening::Undeliverable { to, why, reason } => {
                    causes.reports.push(json!({ "person": to, "why": why, "reason": reason }));
                }
                Happening::Comment(comment) => causes.comments.push(comment),
                Happening::Trigger(_)
                | Happening::Decision(_)
                | Happening::Notice { .. }
                | Happening::Skipped { .. } => {}
            }
        }
        causes
    }

    fn are_none(&self) -> bool {
        let Self { triggers, answers, reports, comments } = self;
        triggers.is_empty() && answers.is_empty() && reports.is_empty() && comments.is_empty()
    }
}

/// Whether a decision changed what counts, what is proposed, or what is open.
fn moved(before: Option<&Decision>, decision: &Decision) -> bool {
    let Some(before) = before else { return true };
    let pending =
        |decision: &Decision| decision.pending.as_ref().map(|pending| (pending.version, pending.adopter.clone()));
    let open = |decision: &Decision| -> Vec<Value> { decision.exceptions.iter().map(exception).collect() };
    decision.outcome != Outcome::Unchanged
        || decision.proposal.is_some()
        || decision.authoritative != before.authoritative
        || pending(decision) != pending(before)
        || open(decision) != open(before)
}

fn seats(version: &Version) -> Value {
    json!({ "version": version.number, "slot": version.packet.slot, "attendees": version.packet.attendees })
}

fn event(trigger: &Trigger) -> Value {
    json!({
        "source": trigger.identity.source, "id": trigger.identity.id, "type": trigger.event_type,
        "kind": trigger.subject.word(), "subject": trigger.subject.names().join("/"), "revision": trigger.revision,
    })
}

fn answered(answer: &AnswerLine) -> Value {
    json!({
        "by": answer.by, "action": answer.action, "result": answer.result, "as_operator": answer.as_operator,
        "reply": answer.reply, "by_mail": answer.by_mail, "to": answer.to, "note": answer.note,
    })
}

/// Kind, and what each reason is about. Nearest slots move with time and make no other exception.
fn exception(exception: &Exception) -> Value {
    let reason = |reason: &refresh_core::record::exception::Reason| json!({ "rule": reason.word(), "role": reason.role(), "person": reason.person() });
    json!({ "kind": exception.kind, "reasons": exception.reasons.iter().map(reason).collect::<Vec<_>>() })
}

/// Each member in which two packets differ.
fn differences(was: &Packet, now: &Packet) -> Vec<Value> {
    let mut all = Vec::new();
    let mut add = |field: String, was: Value, now: Value| {
        if was != now {
            all.push(json!({ "field": field, "was": was, "now": now }));
        }
    };
    add("slot".to_owned(), json!(was.slot), json!(now.slot));
    for role in was.attendees.keys().chain(now.attendees.keys().filter(|role| !was.attendees.contains_key(*role))) {
        add(format!("roster.{role}"), json!(was.attendees.get(role)), json!(now.attendees.get(role)));
    }
    let keys = was.checkpoints.keys().chain(now.checkpoints.keys().filter(|key| !was.checkpoints.contains_key(*key)));
    for key in keys {
        add(format!("checkpoint.{key}"), json!(was.checkpoints.get(key)), json!(now.checkpoints.get(key)));
    }
    add("window".to_owned(), json!(was.window), json!(now.window));
    add("cutover".to_owned(), json!(was.cutover), json!(now.cutover));
    add("freeze_edge".to_owned(), json!(was.freeze_edge), json!(now.freeze_edge));
    add("cancelled".to_owned(), json!(was.cancelled), json!(now.cancelled));
    all
}

/// The facts that one version stands on and the one before did not.
fn news(from: &Version, to: &Version) -> Vec<Value> {
    let new = to.stands_on.iter().filter(|standpoint| !from.stands_on.contains(standpoint));
    let line = |standpoint: &refresh_core::record::packet::Standpoint| {
        json!({
            "kind": standpoint.subject.word(), "subject": standpoint.subject.names().join("/"),
            "source": standpoint.source, "revision": standpoint.revision,
        })
    };
    new.map(line).collect()
}

fn considered(report: &Spelled) -> Value {
    json!({ "starts": report.considered, "left_out": report.left_out, "runs": report.runs })
}
