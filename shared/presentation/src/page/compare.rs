//! What pages show side by side: two packets, the report behind a choice, who answered what.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{
    Person, Role,
    audience::{deadlines, reading::Reading},
    facts::reply::ReplyWord,
    record::{
        answer::{Answer, Duty, Reply},
        comment::CommentLine,
        packet::{Packet, Standpoint},
        report::Run,
        review::Review,
    },
};

use super::Scene;
use crate::{
    moment,
    text::{Line, Note},
    wording::{self, Names},
};

/// One row of before and after.
pub(super) struct ComparedRow {
    pub what: String,
    pub was: String,
    pub now: String,
    pub changed: bool,
}

pub(super) struct AnswerRow {
    pub who: String,
    pub role: String,
    pub said: String,
    pub note: Option<Note>,
    pub conflict: bool,
}

pub(super) struct RunLine {
    pub when: String,
    pub reasons: String,
    pub viable: bool,
}

/// The facts of `now` that `was` did not stand on.
pub(super) fn news<'a>(was: &[Standpoint], now: &'a [Standpoint]) -> Vec<&'a Standpoint> {
    now.iter().filter(|standpoint| !was.contains(standpoint)).collect()
}

/// Two packets side by side: time, each role, freeze edge, evidence, window, cutover.
pub(super) fn rows(was: &Packet, now: &Packet, names: &Names<'_>) -> Vec<ComparedRow> {
    let zone = names.zone;
    let row = |what: String, was: String, now: String| ComparedRow { changed: was != now, what, was, now };
    let mut rows = vec![row("Time".to_owned(), moment::interval(&was.slot, zone), moment::interval(&now.slot, zone))];
    let roles: BTreeSet<&Role> = was.attendees.keys().chain(now.attendees.keys()).collect();
    let seat =
        |packet: &Packet, role: &Role| packet.attendees.get(role).map_or("nobody".to_owned(), |who| names.full(who));
    rows.extend(
        roles.into_iter().map(|role| row(wording::sentence(&wording::role(role)), seat(was, role), seat(now, role))),
    );
    let edge = |packet: &Packet| if packet.freeze_edge { "yes" } else { "no" }.to_owned();
    rows.push(row("Freeze edge accepted".to_owned(), edge(was), edge(now)));
    let keys: BTreeSet<_> = was.checkpoints.keys().chain(now.checkpoints.keys()).collect();
    for key in keys {
        let ready = |packet: &Packet| match packet.checkpoints.get(key) {
            Some(Some(at)) => format!("ready {}", moment::instant(*at, zone)),
            Some(None) => "no ready time".to_owned(),
            None => "not required".to_owned(),
        };
        rows.push(row(format!("Evidence {}", Line::of(key.as_str())), ready(was), ready(now)));
    }
    let span = |of: &Option<refresh_core::Interval>| of.map_or("not set".to_owned(), |of| moment::interval(&of, zone));
    rows.push(row("Review window".to_owned(), span(&was.window), span(&now.window)));
    rows.push(row("Cutover".to_owned(), span(&was.cutover), span(&now.cutover)));
    if was.cancelled || now.cancelled {
        let held = |packet: &Packet| if packet.cancelled { "cancelled" } else { "takes place" }.to_owned();
        rows.push(row("Review".to_owned(), held(was), held(now)));
    }
    rows
}

pub(super) fn run_line(run: &Run, names: &Names<'_>) -> RunLine {
    let zone = names.zone;
    let when = if run.first == run.last {
        moment::brief(run.first, zone)
    } else {
        format!("{} – {}", moment::brief(run.first, zone), moment::brief(run.last, zone))
    };
    let reasons: Vec<String> = run.against.iter().map(|against| wording::against(against, names)).collect();
    let viable = reasons.is_empty();
    RunLine { when, reasons: if viable { "viable".to_owned() } else { reasons.join("; ") }, viable }
}

/// What came back by mail and is no answer, the newest first.
pub(super) fn comments(scene: &Scene<'_>, names: &Names<'_>) -> Vec<String> {
    let told = |comment: &CommentLine| {
        let at = moment::instant(comment.at, names.zone);
        format!("{} ({at})", wording::comment(comment, names))
    };
    scene.review.head.comments.iter().rev().map(told).collect()
}

/// Of somebody who owes no answer and gave none. A proposal is told with a hold and a link, and to answer it is left to them.
fn unasked(reading: &Reading<'_>, who: &Person) -> &'static str {
    let pending = reading.review.head.pending.as_ref();
    let proposal = reading.proposal_for(who).filter(|proposal| !proposal.cancelled);
    let stays = proposal.is_none_or(|proposal| proposal.roles_of(who).next().is_some());
    match reading.tentative_row(who).filter(|_| proposal.is_some()) {
        _ if reading.review.head.withholds(who) => "mail does not reach them",
        Some(_) if pending.is_some_and(|pending| pending.told_at.is_some()) => "told of the proposal, no answer yet",
        Some(_) => "not told of the proposal yet",
        None if !stays => "not asked: the proposal releases them",
        None if proposal.is_some() => "not asked: their seat stays as it is",
        None if pending.is_some() => "not asked before a decision",
        None => "not asked",
    }
}

/// Who owes an answer and replied by mail with neither yes nor no.
pub(super) fn replied(review: &Review) -> BTreeMap<Person, ReplyWord> {
    let owed = deadlines::outstanding(&review.head);
    owed.filter_map(|duty| Some((duty.person.clone(), duty.replied?))).collect()
}

/// Each required attendee of either packet: what they said, to what, or that they owe an answer.
pub(super) fn answers(scene: &Scene<'_>, names: &Names<'_>) -> Vec<AnswerRow> {
    let Some(terms) = scene.terms() else { return Vec::new() };
    let review = scene.review;
    let reading = Reading { review, terms, policy: scene.policy };
    let seats = |packet: &Packet| packet.attendees.iter().map(|(role, who)| (who.clone(), role.clone())).collect();
    let mut people: BTreeMap<Person, Role> =
        review.pending.iter().map(|version| seats(&version.packet)).next().unwrap_or_default();
    let before: BTreeMap<Person, Role> = seats(&review.authoritative.packet);
    for (who, role) in before {
        people.entry(who).or_insert(role);
    }
    let said = |who: &Person, answer: &Answer| {
        let tentative = reading.tentative_row(who).is_some_and(|row| row.digest() == answer.row);
        let present = reading.authoritative_row(who).is_some_and(|row| row.digest() == answer.row);
        let to = match (tentative, present) {
            (true, _) => "to the proposal",
            (_, true) => "to the present meeting",
            _ => "to an earlier row",
        };
        format!("{} {to}, {}", wording::reply(answer.reply), moment::instant(answer.at, names.zone))
    };
    let waits = |duty: &Duty| {
        let due_at = moment::instant(duty.due_at, names.zone);
        let due = if duty.due_at <= scene.now { "was due" } else { "due" };
        let yet = if duty.replied.is_some() { "replied with neither yes nor no" } else { "no answer yet" };
        format!("{yet}, {due} {due_at}")
    };
    people
        .into_iter()
        .map(|(who, role)| {
            // Whoever answered to the present meeting and to the proposal said two things.
            let mut answers: Vec<&Answer> = review.head.answers.iter().filter(|answer| answer.person == who).collect();
            answers.sort_by_key(|answer| answer.at);
            let all: Vec<String> = answers.iter().map(|answer| said(&who, answer)).collect();
            let answer = answers.last().map(|_| all.join("; "));
            let duty = deadlines::outstanding(&review.head).find(|duty| duty.person == who);
            AnswerRow {
                who: names.full(&who),
                role: wording::role(&role),
                said: match (answer, duty) {
                    (Some(said), None) => said,
                    // An answer to the proposal is none to the seat that they are asked for.
                    (Some(said), Some(duty)) => format!("{said}; {}", waits(duty)),
                    (None, Some(duty)) => waits(duty),
                    (None, None) => unasked(&reading, &who).to_owned(),
                },
                note: answers.iter().rev().find_map(|answer| answer.note.as_deref()).map(Note::of),
                conflict: answers.iter().any(|answer| answer.reply == Reply::Conflict),
            }
        })
        .collect()
}
