//! Pages: plain server-rendered HTML, one style sheet, no script. `GET` and `HEAD` show; forms are plain `POST`s.
//!
//! Field names of the forms: adoption `choice` ([`ChosenButton`]), `reason`, `seal`; acknowledgement `answer`, `note`, `seal`.

pub mod acknowledgement;
pub mod adoption;
mod compare;
pub mod failure;
mod history;
pub mod mailbox;
pub mod review;
mod timeline;
pub mod workspace;

use std::{collections::BTreeMap, sync::OnceLock};

use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use refresh_core::{
    Instant, Person, Zone,
    audience::reading::Reading,
    facts::{
        fact::{Facts, Terms},
        policy::Policy,
    },
    record::{lineage::AnswerResult, review::Review},
};
use sha2::{Digest, Sha256};

use crate::{
    text::{self, Line, Written},
    wording::Names,
};

/// A finished response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The status code.
    pub status: u16,
    /// Names in lower case, each once.
    pub headers: Vec<(String, String)>,
    /// The page, as HTML.
    pub body: String,
}

/// The machine-readable outcome of every page behind a link: a word of [`AnswerResult`].
pub const RESULT_HEADER: &str = "holdpoint-result";

/// What a page answers: a look, or a form. A refusal of a form is one in its status too; a look is a page like any other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerTo {
    /// A `GET` or a `HEAD`.
    Get,
    /// A `POST`.
    Post,
}

/// What the owner's form sends in its field `choice`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChosenButton {
    /// Adopt the proposal.
    Adopt,
    /// Decline, and look for another slot.
    DeclineOtherSlot,
    /// Decline, and stand by the present slot.
    DeclineStand,
    /// Ask for the expired proposal again.
    AskAgain,
    /// Mail the link of what is proposed now to whoever decides.
    SendLink,
}

impl ChosenButton {
    /// Every button, once.
    pub const ALL: [Self; 5] =
        [Self::Adopt, Self::DeclineOtherSlot, Self::DeclineStand, Self::AskAgain, Self::SendLink];

    /// The value of the form's field.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::DeclineOtherSlot => "decline_other_slot",
            Self::DeclineStand => "decline_stand",
            Self::AskAgain => "ask_again",
            Self::SendLink => "send_link",
        }
    }

    /// The button of a value; `None` where no button has that value.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.word() == word)
    }
}

/// Where a form goes and what it carries.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// The page's own path, `/adopt/{token}`.
    pub action: &'a str,
    /// [`crate::link::form_seal`] of the state shown.
    pub seal: &'a str,
    /// The form that was sent before, if it comes back.
    pub returned: Option<&'a Returned>,
}

impl Form<'_> {
    fn hint(&self) -> Option<&'static str> {
        self.returned.map(|returned| returned.hint.text())
    }

    fn written(&self) -> Written {
        Written::of(self.returned.map_or("", |returned| &returned.written))
    }
}

/// A form that comes back unanswered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Returned {
    /// What was wrong with the form.
    pub hint: Hint,
    /// What its reader wrote beside the choice: the page has it again, so that nobody writes it twice. Empty where it is not
    /// known to be the reader's own.
    pub written: String,
}

/// Why a form comes back unanswered. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hint {
    /// None of the answers, or more than one.
    NothingChosen,
    /// The reason or note is longer than [`crate::text::LONGEST_NOTE`] characters.
    TooLong,
    /// To be asked for again is an expired proposal; this one is open.
    StillOpen,
    /// By its browser's word it comes from a page of another site.
    SentFromElsewhere,
    /// Its browser does not say which page it comes from.
    SentFromUnsaid,
    /// Another content type, or more of it than a form of ours has.
    Unreadable,
    /// Its seal is missing, or was not made by us for this link.
    NotOurs,
    /// Its seal is ours and older than [`crate::link::SEAL_LIFETIME_HOURS`].
    OpenTooLong,
}

impl Hint {
    /// Every hint, once.
    pub const ALL: [Self; 8] = [
        Self::NothingChosen,
        Self::TooLong,
        Self::StillOpen,
        Self::SentFromElsewhere,
        Self::SentFromUnsaid,
        Self::Unreadable,
        Self::NotOurs,
        Self::OpenTooLong,
    ];

    /// The word of the log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NothingChosen => "nothing_chosen",
            Self::TooLong => "too_long",
            Self::StillOpen => "still_open",
            Self::SentFromElsewhere => "sent_from_elsewhere",
            Self::SentFromUnsaid => "sent_from_unsaid",
            Self::Unreadable => "unreadable",
            Self::NotOurs => "not_ours",
            Self::OpenTooLong => "open_too_long",
        }
    }

    /// The hint in words, for the page.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NothingChosen => "Nothing was sent: please choose one of the answers first.",
            Self::TooLong => "Nothing was changed: the text is longer than 1,000 characters. Please shorten it.",
            Self::StillOpen => {
                "Nothing was changed: the proposal is still open, so there is nothing to ask for again. Please choose."
            }
            Self::SentFromElsewhere => {
                "Nothing was changed: the form was sent from a page of another site. Please choose on this page."
            }
            Self::SentFromUnsaid => {
                "Nothing was changed: your browser did not say which page the form was sent from. A setting or an extension may hide it. Please allow it for this site, or use another browser."
            }
            Self::Unreadable => {
                "Nothing was changed: what was sent is not the form of this page. Please choose on this page."
            }
            Self::NotOurs => {
                "Nothing was changed: the form was not made for this link. Please open the link from your mail and choose there."
            }
            Self::OpenTooLong => {
                "Nothing was changed: the page was open for more than 24 hours. Please look again and choose."
            }
        }
    }
}

/// What a review's pages are rendered from: the review as it was read, the newest facts, who reads, and when.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The review.
    pub review: &'a Review,
    /// The newest facts.
    pub facts: &'a Facts,
    /// The same as people's time is read from them: of a silent source's calendars nothing is known.
    pub heard: &'a Facts,
    /// The review's policy.
    pub policy: &'a Policy,
    /// Who reads.
    pub reader: &'a Person,
    /// When.
    pub now: Instant,
}

impl<'a> Scene<'a> {
    fn terms(&self) -> Option<&'a Terms> {
        self.facts.terms(&self.review.head.review)
    }

    fn title(&self) -> Line {
        let id = self.review.head.review.as_str();
        Line::of(&text::title(self.terms().map_or("", |terms| terms.title.as_str()), id))
    }

    /// The reader's zone, or the review's.
    fn zone(&self) -> Zone {
        let own = self.facts.profile(self.reader).map(|profile| profile.time_zone);
        own.or(self.terms().map(|terms| terms.time_zone)).unwrap_or(Zone::UTC)
    }

    /// Whether the reader's view holds the whole packet.
    fn sees_all(&self) -> bool {
        let reading = |terms| Reading { review: self.review, terms, policy: self.policy };
        self.terms().is_some_and(|terms| reading(terms).sees_all(self.reader))
    }

    /// Everybody's names, for readers whose view holds everybody.
    fn everybody(&self) -> BTreeMap<Person, String> {
        let name = |fact: &refresh_core::facts::fact::Fact| match (&fact.subject, &fact.body) {
            (
                refresh_core::facts::subject::Subject::Person(person),
                refresh_core::facts::fact::Body::Person(profile),
            ) => Some((person.clone(), profile.name.clone())),
            _ => None,
        };
        let mut names: BTreeMap<Person, String> = self.facts.iter().filter_map(name).collect();
        let packets = [Some(&self.review.authoritative), self.review.pending.as_ref()];
        for person in packets.into_iter().flatten().flat_map(|version| version.packet.attendees.values()) {
            names.entry(person.clone()).or_insert_with(|| person.to_string());
        }
        names
    }
}

fn names<'a>(known: &'a BTreeMap<Person, String>, reader: &'a Person, zone: Zone) -> Names<'a> {
    Names { known, reader, zone }
}

#[derive(Template)]
#[template(path = "style.css", escape = "none")]
struct Style;

/// The style sheet's hash, as the content security policy names it: the one style that is allowed.
fn style_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let style = Style.render().unwrap_or_default();
        format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style.as_bytes())))
    })
}

/// Headers of every page: never stored, never told to another site, never framed, never indexed, nothing loaded from
/// anywhere.
fn headers(extra: &str, result: Option<AnswerResult>) -> Vec<(String, String)> {
    let policy = format!(
        "default-src 'none'; style-src {}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'{extra}",
        style_hash()
    );
    let mut headers: Vec<(String, String)> = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", &policy),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        // Not `no-referrer`: under that a browser sends `Origin: null` with the page's own form (Fetch, "append a request
        // Origin header"), and one without Fetch metadata could never decide or answer.
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("x-robots-tag", "noindex, nofollow"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    if let Some(result) = result {
        headers.push((RESULT_HEADER.to_owned(), result.word().to_owned()));
    }
    headers
}

/// Renders a page. Templates are compiled in and write into memory: nothing is left that could fail but the formatter.
fn render(status: u16, result: Option<AnswerResult>, template: &impl Template) -> Page {
    Page { status, headers: headers("", result), body: template.render().unwrap_or_default() }
}

/// The status of a page that says why something is refused.
const fn refused(answer: AnswerTo, status: u16) -> u16 {
    match answer {
        AnswerTo::Get => 200,
        AnswerTo::Post => status,
    }
}
