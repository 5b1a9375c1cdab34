//! What the local mailbox holds. A deployment has none: its mail leaves by SES.

use mail_parser::MessageParser;
use refresh_core::Instant;
use serde_json::{Value, json};

use crate::{
    engine::Engine,
    mailbox::{Excerpt, Headline},
};

/// Every mail, oldest first, without its content.
pub fn lines(engine: &Engine) -> Vec<Value> {
    engine.mailbox().headlines(Excerpt::default()).iter().rev().map(line).collect()
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
    let mut whole = engine.mailbox().headlines(this).first().map(line).ok_or_else(none)?;
    whole["text"] = text.replace("\r\n", "\n").into();
    whole["raw"] = json!(mail)["raw"].clone();
    Ok(whole)
}
