//! The mailbox: the mail as people get it.

use axum::{
    extract::{Path, RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
};
use presentation::page::{failure, mailbox as pages};

use super::{Shared, queried, respond};
use crate::mailbox::{Excerpt, Mail};

/// Mails on one page.
const A_PAGE: usize = 100;

fn shown<'a>(mail: &'a Mail, id: &'a str) -> pages::MailLine<'a> {
    pages::MailLine { id, at: refresh_core::Instant::from_millis(mail.at), raw: &mail.raw }
}

pub async fn list(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let chosen = queried(query.as_deref(), "to");
    let before = queried(query.as_deref(), "before").and_then(|number| number.parse().ok());
    let excerpt = Excerpt { to: chosen.as_deref(), before, most: Some(A_PAGE + 1) };
    let mut mails = shared.engine.mailbox().excerpt(excerpt);
    let older = mails.len() > A_PAGE;
    mails.truncate(A_PAGE);
    let ids: Vec<String> = mails.iter().map(|mail| mail.number.to_string()).collect();
    let list: Vec<pages::MailLine<'_>> = mails.iter().zip(&ids).map(|(mail, id)| shown(mail, id)).collect();
    respond(pages::list(&list, chosen.as_deref(), older))
}

/// One mail as a page, or as the file it is: `/mailbox/7`, `/mailbox/7.eml`.
pub async fn one(State(shared): State<Shared>, Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let (number, is_file) = name.strip_suffix(".eml").map_or((name.as_str(), false), |number| (number, true));
    let Some(mail) = found(&shared, number) else { return respond(failure::not_found()) };
    if is_file {
        return file(mail);
    }
    let view = queried(query.as_deref(), "view").as_deref().and_then(pages::MailView::parse).unwrap_or_default();
    respond(pages::message(&shown(&mail, number), view))
}

pub async fn html(State(shared): State<Shared>, Path(number): Path<String>) -> Response {
    match found(&shared, &number) {
        Some(mail) => respond(pages::html(&shown(&mail, &number))),
        None => respond(failure::not_found()),
    }
}

/// By the number as it stands in the mailbox: `07` is no other name of `7`.
fn found(shared: &Shared, number: &str) -> Option<Mail> {
    let mail = shared.engine.mailbox().mail(number.parse().ok()?)?;
    (mail.number.to_string() == number).then_some(mail)
}

/// Byte for byte what the mailer was given. To be kept, never to be shown: it is whatever a source wrote.
fn file(mail: Mail) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.eml\"", mail.number)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    (headers, mail.raw).into_response()
}
