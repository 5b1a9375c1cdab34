//! The page a reply link shows, by GET and after a POST.

use decisions::Doing;
use lambda_shell::Failure;
use presentation::{
    link::{LinkSubject, Purpose, Token},
    page::{
        AnswerTo, Page, Returned,
        acknowledgement::{AcknowledgementState, AskedSeat, acknowledgement},
        failure::no_link,
    },
};
use refresh_core::{
    audience::{deadlines, reading::Reading},
    base::{digest::Digest, fingerprint::RowFingerprint},
    choice::situation,
    decide::acknowledge,
    record::{answer::Reply, lineage::AnswerResult, view::Seating},
    telling::{owed, told},
};
use signed_pages::{Env, Opened, Read, open, signed};

pub(crate) async fn page(env: &Env, text: &str) -> Result<Page, Failure> {
    let Some(opened) = open(env, text, Purpose::Acknowledge).await? else { return Ok(no_link()) };
    present(env, &opened, None).await
}

/// The page as things stand now. `returned`: the form that was sent before, if it comes back.
pub(crate) async fn present(env: &Env, opened: &Opened, returned: Option<Returned>) -> Result<Page, Failure> {
    let Some(row) = opened.token.row() else { return Ok(no_link()) };
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    let situation = situation::Situation::of(&opened.review, &read.facts, &env.deployment, read.now);
    let Some(facts) = situation else { return Ok(no_link()) };
    let answer_to = if returned.is_some() { AnswerTo::Post } else { AnswerTo::Get };
    let (result, _) = acknowledge::link_status(&read.review, &facts, &opened.reader, row);
    render(env, opened, &read, result, returned.as_ref(), answer_to).await
}

/// A result in its page.
pub(crate) async fn render(
    env: &Env,
    opened: &Opened,
    read: &Read,
    result: AnswerResult,
    returned: Option<&Returned>,
    answer_to: AnswerTo,
) -> Result<Page, Failure> {
    let Some(terms) = read.facts.terms(&opened.review) else { return Ok(no_link()) };
    let reading = Reading { review: &read.review, terms, policy: &read.policy };
    let record = env.store.told_to(&opened.review, &opened.reader).await.doing("reading what they were told")?;
    let told = record.told.unwrap_or_else(|| told::baseline(&reading, &opened.reader));
    let view = reading.view(&opened.reader, told.seat.as_ref());
    let head = &read.review.head;
    let of_reader = |person: &refresh_core::Person| *person == opened.reader;
    let about = |row: &Digest| opened.token.row() == Some(RowFingerprint::of_digest(row));
    let answer = head.answers.iter().find(|answer| of_reader(&answer.person) && about(&answer.row));
    let due = deadlines::outstanding(head).find(|duty| of_reader(&duty.person) && about(&duty.row));
    let rows = [reading.tentative_row(&opened.reader), reading.authoritative_row(&opened.reader)];
    let row = rows.iter().flatten().find(|row| about(&row.digest()));
    let fresh = fresh(env, opened, &reading, read)?;
    let proposed = row.filter(|row| row.standing == Seating::Authoritative).and(rows[0].as_ref()).and(fresh.as_deref());
    let seat = AskedSeat {
        view: &view,
        changes: &told.changes,
        why: &told.why,
        answer,
        due_at: due.map(|duty| duty.due_at),
        row,
        proposed,
    };
    let situation = match (result, answer) {
        (AnswerResult::Shown, _) => AcknowledgementState::Open(opened.form(returned)),
        (AnswerResult::Recorded, answer) => AcknowledgementState::Recorded {
            reply: answer.map_or(Reply::Acknowledged, |answer| answer.reply),
            at: answer.map_or(read.now, |answer| answer.at),
        },
        _ => AcknowledgementState::Stale { fresh: fresh.as_deref() },
    };
    Ok(acknowledgement(&read.scene(&opened.reader), &seat, &situation, answer_to))
}

/// The reader's link to the row they have now, if it is another than this link's.
fn fresh(env: &Env, opened: &Opened, reading: &Reading<'_>, read: &Read) -> Result<Option<String>, Failure> {
    let Some(row) = owed::answerable(reading, &opened.reader, read.now) else { return Ok(None) };
    if opened.token.row() == Some(row.fingerprint()) {
        return Ok(None);
    }
    let token = Token {
        subject: LinkSubject::Row(row.fingerprint()),
        expires_at: owed::row_readable_until(&row),
        ..opened.token
    };
    signed(env, &token).map(Some)
}
