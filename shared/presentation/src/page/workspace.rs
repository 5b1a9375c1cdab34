//! The coordination workspace: every review with what is open in it, as the core says it.

use std::collections::BTreeMap;

use askama::Template;
use refresh_core::{
    Instant, Person, ReviewId, Zone,
    audience::open::{Open, OpenCounts, SilentSource},
    facts::fact::Terms,
    record::review::Review,
};

use super::{Page, names, render};
use crate::{
    moment,
    text::{self, Line, Note},
    wording::{self, Names},
};

/// One review of the list. `path` leads to its page.
#[derive(Clone, Copy, Debug)]
pub struct ListedReview<'a> {
    /// The review.
    pub review: &'a Review,
    /// The review's terms.
    pub terms: &'a Terms,
    /// Where the review's page is.
    pub path: &'a str,
}

/// A review that cannot be read: the list names it, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnreadableReview {
    /// `None` where even its key cannot be read.
    pub review: Option<ReviewId>,
    /// Why the review cannot be read.
    pub because: String,
}

/// A page of the list of reviews.
#[derive(Clone, Copy, Debug)]
pub struct ReviewList<'a> {
    /// The reviews of this page.
    pub entries: &'a [ListedReview<'a>],
    /// Those of them that cannot be read.
    pub unreadable: &'a [UnreadableReview],
    /// The names of whoever has one.
    pub people: &'a BTreeMap<Person, String>,
    /// Of all reviews, those of other pages included.
    pub counts: OpenCounts,
    /// Whether only reviews are listed in which something is open.
    pub only_open: bool,
    /// Whether no page comes before this one.
    pub is_first: bool,
    /// The last review of this page, where others come after it.
    pub next: Option<&'a str>,
}

struct Broken {
    title: Line,
    because: Line,
}

struct ReviewRow {
    id: Line,
    title: Line,
    path: String,
    standing: &'static str,
    slot: String,
    /// What to look at first: a class and a word each.
    tags: Vec<(&'static str, &'static str)>,
    violated: Option<String>,
    pending: Option<String>,
    exceptions: Vec<&'static str>,
    conflicts: Vec<Conflict>,
    outstanding: Vec<String>,
    undeliverable: Vec<String>,
    silent: Vec<String>,
}

struct Conflict {
    who: String,
    note: Option<Note>,
}

#[derive(Template)]
#[template(path = "workspace.html")]
struct WorkspaceTemplate {
    title: &'static str,
    at: String,
    counts: OpenCounts,
    only_open: bool,
    /// Whether the list has other pages.
    is_part: bool,
    first: Option<&'static str>,
    next: Option<String>,
    rows: Vec<ReviewRow>,
    broken: Vec<Broken>,
}

/// The list, or a page of it. Times in each review's own zone.
pub fn workspace(list: &ReviewList<'_>, now: Instant) -> Page {
    let rows: Vec<ReviewRow> = list.entries.iter().map(|entry| row(entry, list.people, now)).collect();
    let open = if list.only_open { "open=yes&" } else { "" };
    let page = WorkspaceTemplate {
        title: "Reviews",
        at: moment::instant(now, Zone::UTC),
        counts: list.counts,
        only_open: list.only_open,
        is_part: list.next.is_some() || !list.is_first,
        first: (!list.is_first).then_some(if list.only_open { "/reviews?open=yes" } else { "/reviews" }),
        next: list.next.map(|last| format!("/reviews?{open}after={}", text::escape(last))),
        rows,
        broken: list.unreadable.iter().map(broken).collect(),
    };
    render(200, None, &page)
}

fn broken(unreadable: &UnreadableReview) -> Broken {
    let title = unreadable.review.as_ref().map_or("A review without a readable key", ReviewId::as_str);
    Broken { title: Line::of(title), because: Line::of(&unreadable.because) }
}

fn row(entry: &ListedReview<'_>, people: &BTreeMap<Person, String>, now: Instant) -> ReviewRow {
    let (head, zone) = (&entry.review.head, entry.terms.time_zone);
    // Nobody is the reader: a list that everybody at the machine sees says "you" to none.
    let nobody = Person::parse("nobody@invalid").expect("an address");
    let names = names(people, &nobody, zone);
    let open = Open::of(head, now);
    let broken: Vec<_> = open.violated.iter().map(|mark| (*mark).clone()).collect();
    ReviewRow {
        id: Line::of(head.review.as_str()),
        title: Line::of(&text::title(&entry.terms.title, head.review.as_str())),
        path: entry.path.to_owned(),
        standing: wording::standing(head.standing),
        slot: moment::interval(&entry.review.authoritative.packet.slot, zone),
        tags: tags(&open),
        violated: (!broken.is_empty()).then(|| wording::sentence(&wording::marks(&broken, &names))),
        pending: pending(entry.review, &open, &names, now),
        exceptions: open.exceptions.iter().map(|exception| wording::exception(exception.kind)).collect(),
        conflicts: open
            .conflicts
            .iter()
            .map(|answer| Conflict { who: names.short(&answer.person), note: answer.note.as_deref().map(Note::of) })
            .collect(),
        outstanding: open.outstanding.iter().map(|duty| names.short(&duty.person)).collect(),
        undeliverable: open.undeliverable.iter().map(|known| names.short(&known.person)).collect(),
        silent: open.silent.iter().map(silent).collect(),
    }
}

fn silent(known: &SilentSource<'_>) -> String {
    match (known.source, known.calendar) {
        (Some(source), Some(calendar)) => format!("{source} (freeze calendar {calendar})"),
        (Some(source), None) => source.to_string(),
        (None, calendar) => format!("freeze calendar {}", calendar.unwrap_or_default()),
    }
}

/// What is open, a tag each; where nothing is, one that says so.
fn tags(open: &Open<'_>) -> Vec<(&'static str, &'static str)> {
    let tags = [
        (open.proposal.is_some(), "wait", "waits for a decision"),
        (!open.exceptions.is_empty(), "alarm", "exception open"),
        (!open.violated.is_empty(), "alarm", "breaks a rule"),
        (!open.conflicts.is_empty(), "alarm", "conflict reported"),
        (!open.undeliverable.is_empty(), "alarm", "mail does not arrive"),
        (!open.silent.is_empty(), "alarm", "a source is silent"),
        (!open.outstanding.is_empty(), "wait", "answers outstanding"),
        (open.is_nothing(), "calm", "nothing open"),
    ];
    tags.into_iter().filter(|(is, ..)| *is).map(|(_, class, word)| (class, word)).collect()
}

fn pending(review: &Review, open: &Open<'_>, names: &Names<'_>, now: Instant) -> Option<String> {
    let (pending, version) = open.proposal.zip(review.pending.as_ref())?;
    let what = if version.packet.cancelled {
        "cancellation".to_owned()
    } else {
        moment::interval(&version.packet.slot, names.zone)
    };
    let who = pending.adopter.as_ref().map_or("nobody may decide".to_owned(), |who| names.short(who));
    let left = if pending.expires_at <= now {
        "its time to be decided is over".to_owned()
    } else {
        format!("{} left", moment::length(pending.expires_at.since(now)))
    };
    Some(format!("Version {}: {what}; {who}, {left}", version.number))
}

impl ReviewRow {
    fn tells_more(&self) -> bool {
        self.violated.is_some()
            || self.pending.is_some()
            || !self.exceptions.is_empty()
            || !self.conflicts.is_empty()
            || !self.outstanding.is_empty()
            || !self.undeliverable.is_empty()
            || !self.silent.is_empty()
    }
}
