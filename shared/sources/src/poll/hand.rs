//! The messages that whole answers come to: each `{"format", "binding", "headers", "body"}`, as a hook's.
//!
//! What was handed on before is not handed on again, or every poll would be an event of everybody's. Known is only a digest.
//! It covers the binding too, which says what an answer means.
//!
//! A snapshot is numbered by the second of its `Date`. Another one of the same second would count as old, and would not be
//! handed on again: it is left to the next question. A server whose `Date` stands still is heard all the same, so that ingest
//! says of its answers that they are old.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{
    Instant,
    base::{digest::Digest, hex},
    record::poll::{HINT_APART, KnownAnswer},
};
use serde_json::{Map, Value, json};

use super::{
    PollFailure, answer,
    page::WholeAnswer,
    plan::{Group, Question},
};
use crate::{
    http::LARGEST_EVENT,
    native::{
        Format, NamedBinding,
        binding::system::{AskedAs, System},
    },
};

/// Records of one message. A translator takes no more of one payload.
const MOST_RECORDS: usize = 1_000;
/// Records that are known one by one. Of more, all are handed on whenever one of them changes.
const MOST_KNOWN: usize = 2_000;

/// What is handed on of a group's answers, and what they are known by from then on.
#[derive(Clone, PartialEq, Debug)]
pub struct HandedOn {
    /// Bodies for the queue; none where nothing is new.
    pub messages: Vec<String>,
    /// What is kept once they are on the queue.
    pub known: KnownAnswer,
}

/// What whole answers come to, one a question of the group. `before`: what the last ones were known by. `renew`: hand on
/// what is unchanged as well.
///
/// # Errors
/// [`PollFailure::TooLarge`], if a snapshot, or one record, is more than a message may be; [`PollFailure::Unreadable`], if
/// the answer is not of its format's shape.
pub fn hand_on(
    bound: &NamedBinding,
    system: &System,
    group: &Group,
    answers: &[WholeAnswer],
    before: Option<&KnownAnswer>,
    renew: bool,
    now: Instant,
) -> Result<HandedOn, PollFailure> {
    let means = format!("{:?}", bound.binding);
    let digest = |value: &Value| {
        hex::written(&Digest::of("holdpoint.poll.answer.v1", &(&means, &group.key, value)).first_half())
    };
    let body = together(system, &group.questions, answers)?;
    let whole = digest(&body);
    let unchanged = before.is_some_and(|before| before.digest == whole);
    let headers = headers(bound, answers);
    let by_date = !system.independent && bound.binding.revision_header() == Some("date");
    let dated = headers.get("date").filter(|_| by_date).and_then(|date| answer::date(date));
    let at_once = |before: &&KnownAnswer| {
        dated.is_some()
            && dated == before.dated
            && before.handed_on_at.is_some_and(|at| now.since(at).abs() < HINT_APART)
    };
    if let Some(before) = before.filter(|_| !unchanged).filter(at_once) {
        return Ok(HandedOn { messages: Vec::new(), known: before.clone() });
    }
    let mut known = marks(answers);
    known.digest = whole;
    let (messages, records) = match (unchanged && !renew, system.independent) {
        (true, _) => (Vec::new(), before.map(|before| before.records.clone()).unwrap_or_default()),
        (false, false) => (vec![message(bound, &headers, &body)?], Vec::new()),
        (false, true) => {
            let records = body.pointer(system.list).and_then(Value::as_array).ok_or(PollFailure::Unreadable)?;
            let digests: Vec<String> = records.iter().map(|record| digest(record)[..16].to_owned()).collect();
            let seen: BTreeSet<&String> = before.iter().flat_map(|before| &before.records).collect();
            let new = records.iter().zip(&digests).filter(|(_, digest)| renew || !seen.contains(digest));
            let messages = split(bound, system, &headers, new.map(|(record, _)| record))?;
            (messages, if digests.len() > MOST_KNOWN { Vec::new() } else { digests })
        }
    };
    let same = before.filter(|_| unchanged && !renew);
    (known.handed_on_at, known.dated) = same.map_or((Some(now), dated), |same| (same.handed_on_at, same.dated));
    Ok(HandedOn { messages, known: KnownAnswer { records, ..known } })
}

/// One value of all answers of a group, as the format's translator reads it.
fn together(system: &System, questions: &[Question], answers: &[WholeAnswer]) -> Result<Value, PollFailure> {
    let pair = |question: &Question, answer: &WholeAnswer| match &question.request {
        Some(request) => json!({ "request": request, "response": answer.body }),
        None => answer.body.clone(),
    };
    let mut pairs = questions.iter().zip(answers);
    Ok(match system.asked {
        AskedAs::EachSchedule { .. } => {
            json!({ "answers": pairs.map(|(question, answer)| pair(question, answer)).collect::<Vec<_>>() })
        }
        AskedAs::Tables(_) => {
            let tables = pairs.filter_map(|(question, answer)| Some((question.table?.to_owned(), answer.body.clone())));
            Value::Object(tables.collect::<Map<_, _>>())
        }
        _ => pairs.next().map(|(question, answer)| pair(question, answer)).ok_or(PollFailure::Unreadable)?,
    })
}

/// The earliest `Date` of all: from then on the snapshot was true. A header that the binding names beside it is the first
/// answer's.
fn headers(bound: &NamedBinding, answers: &[WholeAnswer]) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let earliest = answers.iter().min_by_key(|whole| answer::date(&whole.date));
    headers.extend(earliest.map(|answer| ("date".to_owned(), answer.date.clone())));
    if let (Some(name), Some(first)) = (bound.binding.revision_header(), answers.first())
        && name != "date"
    {
        headers.extend(first.first.headers.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    headers
}

/// A server knows an answer of one page again, and nothing that was put together.
fn marks(answers: &[WholeAnswer]) -> KnownAnswer {
    match answers {
        [one] if one.one_page => KnownAnswer {
            etag: answer::mark(&one.first, "etag"),
            last_modified: answer::mark(&one.first, "last-modified"),
            ..KnownAnswer::default()
        },
        _ => KnownAnswer::default(),
    }
}

/// The two characters that JSON allows and SQS refuses stand only inside strings, where their escape means the same.
fn message(bound: &NamedBinding, headers: &BTreeMap<String, String>, body: &Value) -> Result<String, PollFailure> {
    let format = bound.binding.format().word();
    let message = json!({ "format": format, "binding": bound.name, "headers": headers, "body": body }).to_string();
    let message = message.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
    if message.len() > LARGEST_EVENT { Err(PollFailure::TooLarge) } else { Ok(message) }
}

/// Records that stand each for itself, as many a message as fit.
fn split<'v>(
    bound: &NamedBinding,
    system: &System,
    headers: &BTreeMap<String, String>,
    records: impl Iterator<Item = &'v Value>,
) -> Result<Vec<String>, PollFailure> {
    let list = system.list.trim_start_matches('/');
    let mut messages = Vec::new();
    let mut some: Vec<&Value> = Vec::new();
    let mut bytes = 0;
    // Names, headers and what stands between records are far below this.
    const BESIDE: usize = 16 * 1_024;
    for record in records {
        if let Some(alone) = posted(bound.binding.format(), record) {
            messages.push(message(bound, headers, &alone?)?);
            continue;
        }
        let size = record.to_string().len() + 1;
        if !some.is_empty() && (some.len() == MOST_RECORDS || bytes + size + BESIDE > LARGEST_EVENT) {
            messages.push(message(bound, headers, &json!({ list: std::mem::take(&mut some) }))?);
            bytes = 0;
        }
        bytes += size;
        some.push(record);
    }
    if !some.is_empty() {
        messages.push(message(bound, headers, &json!({ list: some }))?);
    }
    Ok(messages)
}

/// A run as GitHub would post it: what it answers with lists runs, and its webhook tells of one. `None`: the format reads
/// lists.
fn posted(format: Format, record: &Value) -> Option<Result<Value, PollFailure>> {
    let member = match format {
        Format::GithubWorkflowRun => "workflow_run",
        Format::GithubCheckSuite => "check_suite",
        _ => return None,
    };
    let action = match (record.get("status").and_then(Value::as_str), format) {
        (Some("completed"), _) => "completed",
        (Some("in_progress"), Format::GithubWorkflowRun) => "in_progress",
        (Some(_), _) => "requested",
        (None, _) => return Some(Err(PollFailure::Unreadable)),
    };
    let repository = record.get("repository").cloned().unwrap_or(Value::Null);
    Some(Ok(json!({ "action": action, "repository": repository, member: record })))
}
