//! `holdpoint mail`: what is in the mailbox of the local engine.

use std::{io::Write, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use serde_json::{Value, json};

use super::{Common, Failed, ask, print, say};
use crate::operator::Request;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Print the mail of this number, byte for byte; without a number, list all mails.
    #[arg(value_name = "N")]
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
}

pub async fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let to = options.to.as_deref();
    let number = match options.number {
        Some(number) => number,
        None if options.text || options.out.is_some() => newest(common, to).await?,
        None => return list(common, to).await,
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

/// Every mail, or those to one address, the oldest first; and which store they are in.
struct Mails {
    mails: Vec<Value>,
    store: Value,
}

async fn mails(common: &Common, to: Option<&str>) -> Result<Mails, Failed> {
    let answer = ask::on_this_machine(common, &Request::Mails).await?;
    let mut mails = answer["mails"].as_array().cloned().unwrap_or_default();
    if let Some(to) = to {
        let address = to.to_lowercase();
        let theirs = |mail: &Value| mail["to"].as_array().is_some_and(|all| all.iter().any(|one| *one == address));
        mails.retain(theirs);
    }
    Ok(Mails { mails, store: answer["store"].clone() })
}

async fn newest(common: &Common, to: Option<&str>) -> Result<u64, Failed> {
    let Mails { mails, .. } = mails(common, to).await?;
    let none = || Failed::new(format!("nothing was mailed{}", to.map(|to| format!(" to {to}")).unwrap_or_default()));
    mails.iter().filter_map(|mail| mail["number"].as_u64()).max().ok_or_else(none)
}

async fn list(common: &Common, to: Option<&str>) -> Result<(), Failed> {
    let Mails { mails, store } = mails(common, to).await?;
    if common.json {
        return print(json!({ "mails": mails, "store": store }));
    }
    if mails.is_empty() {
        return print("no mail was sent yet");
    }
    let lines: Vec<String> = mails.iter().map(in_words).collect();
    print(lines.join("\n"))
}

fn in_words(mail: &Value) -> String {
    let text = |member: &str| mail[member].as_str().unwrap_or_default().to_owned();
    let to: Vec<&str> = mail["to"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let state = mail["state"].as_str().map_or(String::new(), |state| format!("  {state}"));
    format!("{:>4}  {}  {}{state}  {}", mail["number"].to_string(), text("at"), to.join(", "), text("subject"))
}
