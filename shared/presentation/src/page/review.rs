//! One review's page: packet, deltas between any two versions, answers, exceptions, and the lineage as a history.

use askama::Template;
use refresh_core::{
    Person,
    record::{
        delivery::Delivery,
        lineage::{Entry, Misfit},
        packet::Version,
        review::{Review, Standing},
    },
};

use super::{
    Page, Scene,
    compare::{AnswerRow, ComparedRow, RunLine, answers, comments, news, replied, rows, run_line},
    history, names, render, timeline,
    timeline::Timeline,
};
use crate::{
    moment,
    text::{Line, Note},
    wording::{self, Names},
};

/// What the page shows beyond the scene. Its reader sees everything.
#[derive(Clone, Copy, Debug)]
pub struct Workspace<'a> {
    /// Every version, by number.
    pub versions: &'a [Version],
    /// The whole lineage, by sequence.
    pub entries: &'a [Entry],
    /// What recomputing the chain gave.
    pub verified: &'a Result<u64, Misfit>,
    /// Which two versions to compare; the authoritative and the pending one by default.
    pub compare: Option<(u32, u32)>,
    /// This page's own path, for the form that chooses them.
    pub path: &'a str,
    /// The list, where the reader may see it.
    pub list: Option<&'a str>,
    /// What the mailer reported of each person's newest mail.
    pub deliveries: &'a [(Person, Delivery)],
}

struct DeltaLine {
    from: u32,
    to: u32,
    rows: Vec<ComparedRow>,
    why: Vec<String>,
    same: bool,
}

struct ExceptionView {
    title: &'static str,
    since: String,
    remedy: &'static str,
    reasons: Vec<String>,
}

/// What became of somebody's newest mail.
struct Delivered {
    who: String,
    what: &'static str,
    at: String,
    reason: Option<Note>,
    withheld: bool,
}

struct PacketPart {
    number: u32,
    made: String,
    rows: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewTemplate<'a> {
    title: Line,
    review: Line,
    list: Option<&'a str>,
    path: &'a str,
    standing: String,
    marks: Vec<String>,
    packet: PacketPart,
    pending: Option<(u32, String, String)>,
    timeline: Option<Timeline>,
    versions: Vec<u32>,
    delta: Option<DeltaLine>,
    answers: Vec<AnswerRow>,
    comments: Vec<String>,
    exceptions: Vec<ExceptionView>,
    considered: u32,
    runs: Vec<RunLine>,
    history: Vec<history::HistoryItem>,
    verified: Option<u64>,
    misfit: Option<String>,
    mails: u32,
    deliveries: Vec<Delivered>,
}

/// Renders the page.
pub fn review(scene: &Scene<'_>, workspace: &Workspace<'_>) -> Page {
    let mut everybody = scene.everybody();
    // Whoever sees the record sees who was in it, released people included.
    for person in workspace.versions.iter().flat_map(|version| version.packet.attendees.values()) {
        everybody.entry(person.clone()).or_insert_with(|| person.to_string());
    }
    let names = names(&everybody, scene.reader, scene.zone());
    let (review, zone) = (scene.review, names.zone);
    let now = &review.authoritative;
    let report = &review.pending.as_ref().unwrap_or(now).report;
    let page = ReviewTemplate {
        title: scene.title(),
        review: Line::of(review.head.review.as_str()),
        list: workspace.list,
        path: workspace.path,
        standing: standing(review, &names),
        marks: remarks(review, &names),
        packet: PacketPart {
            number: now.number,
            made: moment::instant(now.made_at, zone),
            rows: rows(&now.packet, &now.packet, &names).into_iter().map(|row| (row.what, row.now)).collect(),
        },
        pending: review.head.pending.as_ref().map(|pending| {
            let who = pending.adopter.as_ref().map_or("nobody may decide it".to_owned(), |who| names.full(who));
            (pending.version, who, moment::instant(pending.expires_at, zone))
        }),
        timeline: timeline::of(scene, &names),
        versions: workspace.versions.iter().map(|version| version.number).collect(),
        delta: delta(review, workspace, &names),
        answers: answers(scene, &names),
        comments: comments(scene, &names),
        exceptions: review
            .head
            .exceptions
            .iter()
            .map(|exception| ExceptionView {
                title: wording::exception(exception.kind),
                since: moment::instant(exception.opened_at, zone),
                remedy: wording::remedy(exception, review.head.is_over(scene.now)),
                reasons: wording::reasons(exception, &replied(review), &names),
            })
            .collect(),
        considered: report.considered(),
        runs: report.runs().iter().map(|run| run_line(run, &names)).collect(),
        history: workspace.entries.iter().rev().map(|entry| history::item(entry, &names)).collect(),
        verified: workspace.verified.as_ref().ok().copied(),
        misfit: workspace.verified.as_ref().err().map(|misfit| match misfit.sequence {
            Some(sequence) => format!("Entry {sequence}: {}.", misfit.because),
            None => format!("{}.", wording::sentence(&misfit.because)),
        }),
        mails: review.head.mails_sent,
        deliveries: workspace.deliveries.iter().map(|(who, known)| delivered(review, who, known, &names)).collect(),
    };
    render(200, None, &page)
}

/// What breaks no rule and is to be known all the same.
pub(super) fn remarks(review: &Review, names: &Names<'_>) -> Vec<String> {
    let today = &review.head.today;
    let marks = today.violated.iter().filter(|mark| !mark.is_violation());
    let marks = marks.map(|mark| wording::sentence(&wording::mark(mark, names)));
    let silent = today.silent.iter().map(|source| {
        format!(
            "{source} has been silent for longer than it promised. The time that it told of people counts as unknown."
        )
    });
    marks.chain(silent).collect()
}

fn delivered(review: &Review, who: &Person, known: &Delivery, names: &Names<'_>) -> Delivered {
    Delivered {
        who: names.full(who),
        what: wording::delivery(&known.status),
        at: moment::instant(known.at, names.zone),
        reason: known.status.reason().map(Note::of),
        withheld: review.head.withholds(who),
    }
}

fn delta(review: &Review, workspace: &Workspace<'_>, names: &Names<'_>) -> Option<DeltaLine> {
    let head = &review.head;
    let usual = || match &head.pending {
        Some(pending) => (head.authoritative, pending.version),
        None => (review.authoritative.parent.unwrap_or(head.issued), head.authoritative),
    };
    let (from, to) = workspace.compare.unwrap_or_else(usual);
    let find = |number: u32| workspace.versions.iter().find(|version| version.number == number);
    let (was, now) = (find(from)?, find(to)?);
    let rows: Vec<ComparedRow> = rows(&was.packet, &now.packet, names).into_iter().filter(|row| row.changed).collect();
    let why = wording::causes(news(&was.stands_on, &now.stands_on), names);
    Some(DeltaLine {
        from,
        to,
        same: rows.is_empty(),
        rows,
        why: why.iter().map(|cause| wording::sentence(cause)).collect(),
    })
}

/// The first line of every page of a review: which meeting counts, what it breaks, what is open.
pub(super) fn standing(review: &Review, names: &Names<'_>) -> String {
    let head = &review.head;
    let slot = moment::interval(&review.authoritative.packet.slot, names.zone);
    let number = head.authoritative;
    let broken = wording::although(&head.today.violated, names);
    let open = match (head.pending.is_some(), head.exceptions.len()) {
        (false, 0) => "",
        (true, 0) => " A proposal waits for its decision.",
        (false, _) => " An exception is open.",
        (true, _) => " A proposal waits for its decision, and an exception is open.",
    };
    match head.standing {
        Standing::Open => format!("Version {number}, the meeting of {slot}, is the one that counts{broken}.{open}"),
        Standing::Started => format!("The review has started: version {number}, the meeting of {slot}{broken}."),
        Standing::Closed => format!("Coordination has ended with version {number}, the meeting of {slot}."),
        Standing::Cancelled => "The review is cancelled.".to_owned(),
    }
}

impl ReviewTemplate<'_> {
    fn is_from(&self, number: &u32) -> bool {
        self.delta.as_ref().is_some_and(|delta| delta.from == *number)
    }

    fn is_to(&self, number: &u32) -> bool {
        self.delta.as_ref().is_some_and(|delta| delta.to == *number)
    }
}
