//! Each mail as it left: who it is for, what must not stand in it, and calendars whose sequences never fall.

use holdpoint::mailbox::Mail;
use mail_parser::{MessageParser, MimeHeaders};

use super::{Audit, Mailed, ensure};
use crate::scene;

impl Audit {
    pub fn mailed(&mut self, mail: &Mail) -> Result<(), String> {
        let [to] = &mail.to[..] else { return Err(format!("one mail to {:?}", mail.to)) };
        self.letters.push((to.clone(), mail.raw.clone()));
        self.mails.push(Mailed { message_id: mail.message_id.clone(), to: to.clone() });
        let message = MessageParser::default().parse(&mail.raw[..]).ok_or("a mail that cannot be read")?;
        let header = message.to().and_then(|to| to.first()).and_then(|one| one.address().map(str::to_owned));
        ensure(header.as_deref() == Some(to), || format!("a mail to {to} says it is to {header:?}"))?;
        let text = message.body_text(0).unwrap_or_default().into_owned();
        let html = message.body_html(0).unwrap_or_default().into_owned();
        for body in [&text, &html] {
            ensure(!body.contains(scene::SUBJECT), || format!("a mail to {to} holds a calendar's subject"))?;
        }
        self.addresses(to, &text)?;
        let mut parts = Vec::new();
        for part in &message.parts {
            let calendar = part.content_type().is_some_and(|kind| kind.ctype() == "text");
            if calendar && part.content_type().and_then(|kind| kind.subtype()) == Some("calendar") {
                parts.push(String::from_utf8_lossy(part.contents()).into_owned());
            }
        }
        ensure(parts.len() <= 1, || format!("{} calendar parts in one mail to {to}", parts.len()))?;
        for part in parts {
            self.calendar(to, &part)?;
        }
        Ok(())
    }

    /// Who never was owner, asked to decide, or release manager, and is no contact, knows nobody's address but their own.
    fn addresses(&self, to: &str, text: &str) -> Result<(), String> {
        if self.knew_all.contains(to) || to == scene::DESK {
            return Ok(());
        }
        for index in 0..8 {
            let other = scene::person(index);
            let named = other != to && text.contains(&other);
            ensure(!named, || format!("a mail to {to} names {other}:\n{text}"))?;
        }
        Ok(())
    }

    fn calendar(&mut self, to: &str, part: &str) -> Result<(), String> {
        let unfolded = part.replace("\r\n ", "").replace("\n ", "");
        let value = |name: &str| {
            unfolded.lines().find_map(|line| line.trim_end().strip_prefix(name).map(str::to_owned)).unwrap_or_default()
        };
        let (uid, sequence) = (value("UID:"), value("SEQUENCE:"));
        let sequence: u64 = sequence.parse().map_err(|_| format!("a calendar part without a sequence: {unfolded}"))?;
        let seen = self.calendars.insert((to.to_owned(), uid.clone()), sequence);
        ensure(seen.is_none_or(|seen| seen <= sequence), || {
            format!("{to} is sent sequence {sequence} of {uid} after {seen:?}")
        })?;
        let head = self.head().ok_or("a mail before the review")?;
        if head["hold"]["uid"] == uid {
            match value("METHOD:").as_str() {
                "REQUEST" => self.holding.insert(to.to_owned()),
                _ => self.holding.remove(to),
            };
        }
        let head = self.head().ok_or("a mail before the review")?;
        let ours = ["meeting", "hold"].iter().any(|object| head[object]["uid"] == uid);
        ensure(ours, || format!("a calendar object of nobody's: {uid}"))
    }
}
