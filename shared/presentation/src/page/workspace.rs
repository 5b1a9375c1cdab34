//! The coordination workspace: every review with its standing, pending adoption, exceptions and outstanding answers.

use std::collections::BTreeMap;

use askama::Template;
use refresh_core::{Instant, Person, ReviewId, Zone, facts::fact::Terms, record::review::Review};

use super::{Page, names, render};
use crate::{
    moment,
    text::{self, Line},
    wording,
};

/// One review of the list. `path` leads to its page.
#[derive(Clone, Copy, Debug)]
pub struct ListedReview<'a> {
    pub review: &'a Review,
    pub terms: &'a Terms,
    pub path: &'a str,
}

/// A review that cannot be read: the list names it, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnreadableReview {
    /// `None` where even its key cannot be read.
    pub review: Option<ReviewId>,
    pub because: String,
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
    outstanding: Vec<String>,
}

#[derive(Template)]
#[template(path = "workspace.html")]
struct WorkspaceTemplate {
    title: &'static str,
    at: String,
    waiting: usize,
    excepted: usize,
    unanswered: usize,
    rows: Vec<ReviewRow>,
    broken: Vec<Broken>,
}

/// The list. Times in each review's own zone; `people`: names of whoever has one.
pub fn workspace(
    entries: &[ListedReview<'_>],
    unreadable: &[UnreadableReview],
    people: &BTreeMap<Person, String>,
    now: Instant,
) -> Page {
    let rows: Vec<ReviewRow> = entries.iter().map(|entry| row(entry, people, now)).collect();
    let count = |has: fn(&ReviewRow) -> bool| rows.iter().filter(|row| has(row)).count();
    let page = WorkspaceTemplate {
        title: "Reviews",
        at: moment::instant(now, Zone::UTC),
        waiting: count(|row| row.pending.is_some()),
        excepted: count(|row| !row.exceptions.is_empty()),
        unanswered: count(|row| !row.outstanding.is_empty()),
        rows,
        broken: unreadable.iter().map(broken).collect(),
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
    let tags = [
        (head.pending.is_some(), "wait", "waits for a decision"),
        (!head.exceptions.is_empty(), "alarm", "exception open"),
        (!head.duties.is_empty(), "wait", "answers outstanding"),
        (head.pending.is_none() && head.exceptions.is_empty() && head.duties.is_empty(), "calm", "nothing open"),
    ];
    let broken: Vec<_> = head.today.violated.iter().filter(|mark| mark.is_violation()).cloned().collect();
    ReviewRow {
        id: Line::of(head.review.as_str()),
        title: Line::of(&text::title(&entry.terms.title, head.review.as_str())),
        path: entry.path.to_owned(),
        standing: wording::standing(head.standing),
        slot: moment::interval(&entry.review.authoritative.packet.slot, zone),
        tags: tags.into_iter().filter(|(is, ..)| *is).map(|(_, class, word)| (class, word)).collect(),
        violated: (!broken.is_empty()).then(|| wording::sentence(&wording::marks(&broken, &names))),
        pending: entry.review.proposal().map(|proposal| {
            let (pending, version) = (proposal.pending, proposal.version);
            let what = if version.packet.cancelled {
                "cancellation".to_owned()
            } else {
                moment::interval(&version.packet.slot, zone)
            };
            let who = pending.adopter.as_ref().map_or("nobody may decide".to_owned(), |who| names.short(who));
            let left = moment::length(pending.expires_at.since(now));
            format!("Version {}: {what}; {who}, {left} left", version.number)
        }),
        exceptions: head.exceptions.iter().map(|exception| wording::exception(exception.kind)).collect(),
        outstanding: head.duties.iter().map(|duty| names.short(&duty.person)).collect(),
    }
}

impl ReviewRow {
    fn tells_more(&self) -> bool {
        self.violated.is_some() || self.pending.is_some() || !self.exceptions.is_empty() || !self.outstanding.is_empty()
    }
}
