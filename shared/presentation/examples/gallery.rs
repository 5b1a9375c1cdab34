//! Writes every page and mail as files, to look at: `cargo run -p presentation --example gallery -- FOLDER`.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/pages.rs"]
mod pages;

use std::{fs, path::PathBuf};

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "gallery".to_owned()));
    fs::create_dir_all(&folder)?;
    for (name, page) in pages::all() {
        let headers: String = page.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        fs::write(folder.join(format!("page-{name}.headers")), headers)?;
        fs::write(folder.join(format!("page-{name}.html")), page.body)?;
    }
    for (name, notice, letterhead) in common::notices::all() {
        match presentation::mail::compose(&notice, &letterhead) {
            Ok(letter) => {
                fs::write(folder.join(format!("mail-{name}.eml")), &letter.bytes)?;
                let parsed = mail_parser::MessageParser::default().parse(&letter.bytes);
                let html = parsed.as_ref().and_then(|message| message.body_html(0)).unwrap_or_default().into_owned();
                fs::write(folder.join(format!("mail-{name}.html")), html)?;
                let text = parsed.as_ref().and_then(|message| message.body_text(0)).unwrap_or_default().into_owned();
                fs::write(folder.join(format!("mail-{name}.txt")), format!("Subject: {}\n\n{text}", letter.subject))?;
            }
            Err(unsafe_mail) => fs::write(folder.join(format!("mail-{name}.FAILED")), format!("{unsafe_mail:?}"))?,
        }
    }
    Ok(())
}
