//! `holdpoint mail`: what is in the mailbox of the local engine.

use std::{io::Write, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use serde_json::Value;

use super::{Common, Failed, ask, print, say};
use crate::operator::{MAILS_OF_A_PAGE, MailsAsked, Request};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Print the mail of this number, byte for byte; without a number, list the last mails.
    #[arg(value_name = "N", value_parser = number)]
    number: Option<u64>,
    /// Print the mail's plain text, links whole, instead of its bytes; without a number, that of the newest mail.
    #[arg(long)]
    text: bool,
    /// Write the mail into this file instead of printing it; without a number, the newest mail.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Look only at what was sent to this address.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "number")]
    to: Option<String>,
    /// List this many mails at most.
    #[arg(long, value_name = "MAILS", default_value_t = MAILS_OF_A_PAGE)]
    limit: usize,
    /// Go on before the mail of this number: the first one of the page after.
    #[arg(long, value_name = "NUMBER", conflicts_with = "number", value_parser = number)]
    before: Option<u64>,
}

/// The number that a mail has in the mailbox.
fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "expected the number of a mail, as `holdpoint mail` lists it".to_owned())
}

impl Options {
    /// Of the mails that are looked at, the last ones, no more than `limit`.
    fn last(&self, limit: usize) -> MailsAsked {
        MailsAsked { to: self.to.clone(), before: self.before, limit: Some(limit) }
    }
}

/// Lists mails, or prints one.
///
/// # Errors
/// A limit out of bounds, as malformed input; no such mail; what the store said.
pub async fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let number = match options.number {
        Some(number) => number,
        None if options.text || options.out.is_some() => newest(common, options).await?,
        None => return list(common, options).await,
    };
    let answer = ask::on_this_machine(common, &Request::Mail(number)).await?;
    let wrong = || Failed::new(format!("mail {number}: expected its bytes in the engine's answer"));
    let text = answer["text"].as_str().ok_or_else(wrong)?;
    let raw = answer["raw"].as_str().and_then(|raw| STANDARD.decode(raw).ok()).ok_or_else(wrong)?;
    let bytes = if options.text { text.as_bytes() } else { &raw };
    if let Some(file) = &options.out {
        std::fs::write(file, bytes).map_err(|error| Failed::new(format!("writing {}: {error}", file.display())))?;
        say(common, format!("mail {number} is in {}", file.display()));
    }
    if common.json {
        return print(answer);
    }
    if options.out.is_none() {
        let mut out = std::io::stdout().lock();
        // Bytes are printed as they are; text ends its last line, so that a prompt stands on one of its own.
        let end: &[u8] = if options.text && !bytes.ends_with(b"\n") { b"\n" } else { b"" };
        match out.write_all(bytes).and_then(|()| out.write_all(end)).and_then(|()| out.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            written => written.map_err(|error| Failed::new(format!("printing: {error}")))?,
        }
    }
    Ok(())
}

async fn newest(common: &Common, options: &Options) -> Result<u64, Failed> {
    let answer = ask::on_this_machine(common, &Request::Mails(options.last(1))).await?;
    answer["mails"][0]["number"].as_u64().ok_or_else(|| Failed::new(nothing(options)))
}

fn nothing(options: &Options) -> String {
    let to = options.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
    let before = options.before.map(|number| format!(" before mail {number}")).unwrap_or_default();
    format!("nothing was mailed{to}{before}")
}

async fn list(common: &Common, options: &Options) -> Result<(), Failed> {
    let asked = options.last(options.limit);
    asked.check().map_err(Failed::input)?;
    let answer = ask::on_this_machine(common, &Request::Mails(asked)).await?;
    if common.json {
        return print(answer);
    }
    let mut lines: Vec<String> = answer["mails"].as_array().into_iter().flatten().map(in_words).collect();
    if lines.is_empty() {
        lines.push(nothing(options));
    }
    if let Some(next) = answer["next"].as_u64() {
        let to = options.to.as_ref().map(|to| format!(" --to {to}")).unwrap_or_default();
        lines.push(format!("the ones before: holdpoint mail{to} --before {next}"));
    }
    print(lines.join("\n"))
}

fn in_words(mail: &Value) -> String {
    let text = |member: &str| mail[member].as_str().unwrap_or_default().to_owned();
    let to: Vec<&str> = mail["to"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let state = mail["state"].as_str().map_or(String::new(), |state| format!("  {state}"));
    format!("{:>4}  {}  {}{state}  {}", mail["number"].to_string(), text("at"), to.join(", "), text("subject"))
}
