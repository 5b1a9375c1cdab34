//! A decided notice as one mail: composed, read back, compared, and only then returned.

mod content;
mod message;
mod proof;

use std::collections::BTreeMap;

use askama::Template;
use refresh_core::{
    Person, ReviewId, Zone,
    base::fingerprint::ReviewFingerprint,
    facts::fact::Meeting,
    record::{delta::DutyAction, notice::Notice},
};

use crate::{
    Unsafe,
    calendar::{self, Invitation},
    text::Url,
};

pub use content::{ChangeLine, Content, ExceptionText, Todo};

/// What a mail needs beside the notice. Everything in it is either configuration or held by the reader's view.
#[derive(Clone, Debug)]
pub struct Letterhead {
    /// The review.
    pub review: ReviewId,
    /// The review's title.
    pub title: String,
    /// The reader's name.
    pub reader_name: String,
    /// The zone in which the reader is told times.
    pub reader_zone: Zone,
    /// The service's own address: the sender, and the organizer where no replies are read; never a recipient.
    pub from: Person,
    /// The address at which replies are read: then it is the organizer, and mails are answered to it. `None`: nobody
    /// reads what is sent back.
    pub replies: Option<Person>,
    /// The host part of message ids.
    pub mail_domain: String,
    /// The meeting as it was issued: what of it no packet holds, and every update must carry again.
    pub meeting: Option<Meeting>,
    /// The whole URL of the notice's link, signed; absent where the notice has none.
    pub link: Option<String>,
    /// Names of the people whom the reader's view holds. **Whoever is missing here is not named**, not even as the cause
    /// of a change: put the address as the name where there is no other.
    pub names: BTreeMap<Person, String>,
}

impl Letterhead {
    /// The organizer of a calendar object that was issued with none.
    fn organizer(&self) -> &Person {
        self.replies.as_ref().unwrap_or(&self.from)
    }

    /// Where this review's mails are answered to: the address names the review, since a mail that is written has no UID.
    fn reply_to(&self) -> Option<String> {
        let (local, domain) = self.replies.as_ref()?.as_str().rsplit_once('@')?;
        Some(format!("{local}+{}@{domain}", ReviewFingerprint::of(&self.review)))
    }
}

/// A message that may be sent, to exactly one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// The one recipient.
    pub to: Person,
    /// The subject, as the header has it.
    pub subject: String,
    /// The whole message, headers included, lines of at most 998 octets, CRLF.
    pub bytes: Vec<u8>,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    content: &'a Content,
}

#[derive(Template)]
#[template(path = "mail.txt", escape = "none")]
struct Text<'a> {
    content: &'a Content,
}

/// Composes one notice. The same notice and letterhead give the same bytes, message id and boundaries included, so that
/// a mail sent twice is one mail twice.
///
/// # Errors
///
/// The mail would go to its own sender, the link is no link, or the finished message does not read back as what was
/// meant.
pub fn compose(notice: &Notice, letterhead: &Letterhead) -> Result<Letter, Unsafe> {
    if notice.to == letterhead.from || Some(&notice.to) == letterhead.replies.as_ref() {
        return Err(Unsafe::new("the sender", "an address that is no recipient", "the recipient's own"));
    }
    let link = match &letterhead.link {
        Some(link) => Some(Url::parse(link).map_err(|expected| Unsafe::new("the link", &expected, "another text"))?),
        None => None,
    };
    let content = content::of(notice, letterhead, link);
    let failed = |error: askama::Error| Unsafe::new("the template", "to be rendered", &error.to_string());
    let invitation = Invitation {
        review: &letterhead.review,
        title: &letterhead.title,
        organizer: letterhead.organizer(),
        sender: &letterhead.from,
        replies_are_read: letterhead.replies.is_some(),
        answer_is_awaited: notice.duty.as_ref().is_some_and(|duty| duty.action == DutyAction::Answer),
        attendee: &notice.to,
        attendee_name: &letterhead.reader_name,
        at: notice.at,
        zone: letterhead.reader_zone,
        meeting_entry: notice.meeting_entry,
        unknown_invitation: notice.unknown_invitation,
        issued: letterhead.meeting.as_ref(),
    };
    let calendar = notice.calendar.as_ref().map(|part| {
        calendar::write(part, &invitation).map(|text| message::Ics { method: calendar::method_word(part), text })
    });
    let draft = message::MessageDraft {
        notice,
        letterhead,
        subject: content.subject.as_str(),
        text: Text { content: &content }.render().map_err(failed)?,
        html: Html { content: &content }.render().map_err(failed)?,
        calendar: calendar.transpose()?,
        digest: std::cell::OnceCell::new(),
    };
    let bytes = message::write(&draft)?;
    proof::prove(&bytes, &draft)?;
    Ok(Letter { to: notice.to.clone(), subject: content.subject.as_str().to_owned(), bytes })
}

/// What a mail says, before it is a message: for previews and tests.
pub fn content(notice: &Notice, letterhead: &Letterhead) -> Content {
    content::of(notice, letterhead, letterhead.link.as_deref().and_then(|link| Url::parse(link).ok()))
}
