//! The mailbox of the local engine: the mail as people get it.

use askama::Template;
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use refresh_core::{Instant, Zone};

use super::{Page, headers, render};
use crate::{
    moment,
    text::{Line, Url, escape, one_line},
};

/// One mail as it was handed to the mailer.
#[derive(Clone, Copy, Debug)]
pub struct MailLine<'a> {
    /// Its id in the mailbox, as it stands in the path.
    pub id: &'a str,
    /// When the mail was handed over.
    pub at: Instant,
    /// The whole message, headers included.
    pub raw: &'a [u8],
}

/// How one mail is looked at; the word is the value of the query's `view`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MailView {
    /// The HTML part.
    #[default]
    Html,
    /// The plain text.
    Text,
    /// The calendar part.
    Calendar,
    /// The headers.
    Headers,
    /// The message as it is.
    Raw,
}

impl MailView {
    /// Every view, once.
    pub const ALL: [Self; 5] = [Self::Html, Self::Text, Self::Calendar, Self::Headers, Self::Raw];

    /// The value of the query's `view`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Text => "text",
            Self::Calendar => "calendar",
            Self::Headers => "headers",
            Self::Raw => "raw",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Html => "HTML",
            Self::Text => "Text",
            Self::Calendar => "Calendar",
            Self::Headers => "Headers",
            Self::Raw => "Raw",
        }
    }

    /// The view of a word; `None` where no view has that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.word() == word)
    }
}

struct MailRow {
    id: String,
    at: String,
    to: Line,
    to_query: String,
    subject: Line,
    kind: Line,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct Mailbox {
    title: &'static str,
    rows: Vec<MailRow>,
    reader: Option<Line>,
    older: Option<String>,
}

struct Tab {
    word: &'static str,
    label: &'static str,
    current: bool,
}

#[derive(Template)]
#[template(path = "mailbox_message.html")]
struct One {
    title: Line,
    row: MailRow,
    tabs: Vec<Tab>,
    html: bool,
    empty: bool,
    links: Vec<Url>,
    blocks: Vec<(String, String)>,
}

fn header(message: &Message<'_>, name: &str) -> String {
    message.header(name.to_owned()).and_then(|value| value.as_text()).unwrap_or_default().to_owned()
}

fn row(mail: &MailLine<'_>, message: Option<&Message<'_>>) -> MailRow {
    let to = message.and_then(Message::to).and_then(|to| to.first()).and_then(|to| to.address());
    MailRow {
        id: escape(mail.id),
        at: moment::instant(mail.at, Zone::UTC),
        to: Line::of(to.unwrap_or("unreadable")),
        to_query: escape(to.unwrap_or_default()),
        subject: Line::of(message.and_then(Message::subject).unwrap_or("unreadable")),
        kind: Line::of(
            &message.map(|message| header(message, "X-Holdpoint-Kind")).unwrap_or_default().replace('_', " "),
        ),
    }
}

/// Mails as the caller orders them, or one reader's (`/mailbox?to=...`), the caller having chosen. If there are `older`
/// ones, the page leads to those before its last mail (`/mailbox?before=...`).
pub fn list(mails: &[MailLine<'_>], reader: Option<&str>, older: bool) -> Page {
    let rows = mails.iter().map(|mail| row(mail, MessageParser::default().parse(mail.raw).as_ref())).collect();
    let older = mails.last().filter(|_| older).map(|last| {
        let reader = reader.map_or(String::new(), |reader| format!("&to={}", escape(reader)));
        format!("/mailbox?before={}{reader}", escape(last.id))
    });
    render(200, None, &Mailbox { title: "Mailbox", rows, reader: reader.map(Line::of), older })
}

/// One mail. The HTML view is a frame around [`html`].
pub fn message(mail: &MailLine<'_>, view: MailView) -> Page {
    let parsed = MessageParser::default().parse(mail.raw);
    let row = row(mail, parsed.as_ref());
    let raw = || String::from_utf8_lossy(mail.raw).into_owned();
    let text = parsed.as_ref().and_then(|message| message.body_text(0)).unwrap_or_default().into_owned();
    let block = |name: &str, text: String| vec![(name.to_owned(), text)];
    let blocks = match view {
        MailView::Html => Vec::new(),
        MailView::Text => block("Text", text.clone()),
        MailView::Calendar => parsed.as_ref().map(calendars).unwrap_or_default(),
        MailView::Headers => block("Headers", raw().split("\r\n\r\n").next().unwrap_or_default().to_owned()),
        MailView::Raw => block("The message as it was sent", raw()),
    };
    let page = One {
        title: row.subject.clone(),
        tabs: MailView::ALL
            .into_iter()
            .map(|each| Tab { word: each.word(), label: each.label(), current: each == view })
            .collect(),
        html: view == MailView::Html,
        empty: view != MailView::Html && blocks.is_empty(),
        links: text.split_whitespace().filter_map(|word| Url::parse(word).ok()).collect(),
        row,
        blocks,
    };
    Page { headers: headers("; frame-src 'self'", None), ..render(200, None, &page) }
}

fn calendars(message: &Message<'_>) -> Vec<(String, String)> {
    let kind = |part: &mail_parser::MessagePart<'_>| {
        let kind = part.content_type()?;
        let method = kind.attribute("method").map(|method| format!("; method={method}")).unwrap_or_default();
        Some(one_line(&format!("{}/{}{method}", kind.ctype(), kind.subtype().unwrap_or_default()), 100))
    };
    let calendar = |part: &mail_parser::MessagePart<'_>| {
        let kind = kind(part)?;
        match &part.body {
            PartType::Text(text) if kind.starts_with("text/calendar") => Some((kind, text.to_string())),
            _ => None,
        }
    };
    message.parts.iter().filter_map(calendar).collect()
}

/// The HTML of one mail, for the frame: its own inline styles, no script, no form, nothing loaded; links open apart.
pub fn html(mail: &MailLine<'_>) -> Page {
    let parsed = MessageParser::default().parse(mail.raw);
    let body = parsed.as_ref().and_then(|message| message.body_html(0)).unwrap_or_default().into_owned();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox";
    let mut headers = headers("", None);
    for (name, value) in &mut headers {
        match name.as_str() {
            "content-security-policy" => policy.clone_into(value),
            "x-frame-options" => "SAMEORIGIN".clone_into(value),
            _ => {}
        }
    }
    Page { status: 200, headers, body }
}
