//! What the local mailbox holds. A deployment has none: its mail leaves by SES.

use mail_parser::MessageParser;
use refresh_core::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    engine::Engine,
    lines_asked,
    mailbox::{Excerpt, Headline},
};

/// Mails of one page, where nobody says how many.
pub const A_PAGE: usize = 100;

/// Which mails are asked for: a page of those that come last.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailsAsked {
    /// To this address alone.
    pub to: Option<String>,
    /// Nothing but what went before the mail of this number.
    pub before: Option<u64>,
    /// Mails of one page.
    pub limit: Option<usize>,
}

impl MailsAsked {
    /// # Errors
    /// A limit that is out of bounds.
    pub fn check(&self) -> Result<(), String> {
        lines_asked::check(self.limit)
    }
}

/// The last mails that are asked for, the oldest of them first, without their content. `next` is the number of the oldest,
/// where others went before.
///
/// # Errors
/// The mails cannot be read.
pub fn page(engine: &Engine, asked: &MailsAsked) -> Result<Value, String> {
    let most = asked.limit.unwrap_or(A_PAGE);
    let to = asked.to.as_ref().map(|to| to.to_lowercase());
    let excerpt = Excerpt { to: to.as_deref(), before: asked.before, most: Some(most + 1) };
    let mut newest_first = engine.mailbox().headlines(excerpt)?;
    let next = newest_first.get(most).and(newest_first.get(most - 1)).map(|mail| mail.number);
    newest_first.truncate(most);
    let mails: Vec<Value> = newest_first.iter().rev().map(line).collect();
    Ok(json!({ "mails": mails, "next": next }))
}

fn line(mail: &Headline) -> Value {
    let at = Instant::from_millis(mail.at);
    let mut line = json!({ "number": mail.number, "at": at, "to": mail.to, "subject": mail.subject });
    if let Some(state) = &mail.state {
        line["state"] = state.as_str().into();
    }
    line
}

/// One mail: its line, its plain text, and its bytes in base64 as `raw`.
pub fn mail(engine: &Engine, number: u64) -> Result<Value, String> {
    let none = || format!("mail {number}: there is no such mail; the mailbox holds {}", engine.mailbox().len());
    let mail = engine.mailbox().mail(number).ok_or_else(none)?;
    let message = MessageParser::default().parse(&mail.raw);
    let text = message.as_ref().and_then(|message| message.body_text(0)).unwrap_or_default();
    let this = Excerpt { before: Some(number.saturating_add(1)), most: Some(1), ..Excerpt::default() };
    let mut whole = engine.mailbox().headlines(this)?.first().map(line).ok_or_else(none)?;
    whole["text"] = text.replace("\r\n", "\n").into();
    whole["raw"] = json!(mail)["raw"].clone();
    Ok(whole)
}
