//! The reply page: what this person was told, was and now, how it stands, and the two answers. It names nobody else.

use std::collections::BTreeMap;

use askama::Template;
use refresh_core::{
    Instant,
    record::{
        answer::{Answer, Reply},
        delta::Difference,
        lineage::AnswerResult,
        packet::Standpoint,
        review::Standing,
        view::{Seating, View},
    },
};

use super::{AnswerTo, Form, Page, Scene, names, refused, render};
use crate::{
    moment,
    text::{Href, LONGEST_NOTE, Line, Note},
    wording::{self, ChangeRow, Names},
};

/// Where the reader of an acknowledgement link stands.
#[derive(Clone, Copy, Debug)]
pub enum AcknowledgementState<'a> {
    /// The row the link is about is the reader's row now. An answer already given can be changed.
    Open(Form<'a>),
    /// The row is not the reader's any more: the answer was to an older row, and is kept as such.
    Stale {
        /// The reader's link to the row they have now; `None` where they have none.
        fresh: Option<&'a str>,
    },
    /// The receipt.
    Recorded {
        /// The answer.
        reply: Reply,
        /// When the answer came.
        at: Instant,
    },
}

impl AcknowledgementState<'_> {
    /// The outcome, by the word of lineage and of the response's header.
    pub const fn result(&self) -> AnswerResult {
        match self {
            Self::Open(_) => AnswerResult::Shown,
            Self::Stale { .. } => AnswerResult::Stale,
            Self::Recorded { .. } => AnswerResult::Recorded,
        }
    }

    const fn status(&self, answer: AnswerTo) -> u16 {
        match self {
            Self::Stale { .. } => refused(answer, 409),
            Self::Open(Form { hint: Some(_), .. }) => refused(answer, 422),
            Self::Open(_) | Self::Recorded { .. } => 200,
        }
    }
}

/// What of the reader the page shows: their own view, and no more.
#[derive(Clone, Copy, Debug)]
pub struct AskedSeat<'a> {
    /// Their view now ([`refresh_core::audience::reading::Reading::view`]).
    pub view: &'a View,
    /// The delta of the notice that brought the link, as lineage has it; empty where it is not known.
    pub changes: &'a [Difference],
    /// The facts that were named as reasons.
    pub why: &'a [Standpoint],
    /// Their answer so far, if it is to this row.
    pub answer: Option<&'a Answer>,
    /// When an answer is due, if one is owed.
    pub due_at: Option<Instant>,
}

struct AnswerForm<'a> {
    action: &'a str,
    seal: &'a str,
    hint: Option<&'static str>,
    longest: usize,
    due: Option<String>,
}

#[derive(Template)]
#[template(path = "acknowledgement.html")]
struct AcknowledgementTemplate<'a> {
    heading: &'static str,
    title: Line,
    review: Line,
    standing: String,
    verdict: Option<(bool, String)>,
    fresh: Option<Href>,
    seat: Vec<(&'static str, String)>,
    changes: Vec<ChangeRow<'a>>,
    why: Vec<String>,
    answer: Option<(String, Option<Note>)>,
    form: Option<AnswerForm<'a>>,
}

/// Renders the page.
pub fn acknowledgement(
    scene: &Scene<'_>,
    seat: &AskedSeat<'_>,
    situation: &AcknowledgementState<'_>,
    answer: AnswerTo,
) -> Page {
    // A participant's view holds nobody else: neither does their page.
    let known = if scene.sees_all() { scene.everybody() } else { BTreeMap::new() };
    let names = names(&known, scene.reader, scene.zone());
    let page = AcknowledgementTemplate {
        heading: heading(situation),
        title: scene.title(),
        review: Line::of(scene.review.head.review.as_str()),
        standing: standing(scene, seat.view, &names),
        verdict: verdict(situation, &names),
        fresh: match situation {
            AcknowledgementState::Stale { fresh: Some(fresh) } => Href::parse(fresh).ok(),
            _ => None,
        },
        seat: own_seat(seat.view, &names),
        changes: wording::changes(seat.changes, &names),
        why: seat.why.iter().map(|standpoint| wording::sentence(&wording::why(standpoint, &names))).collect(),
        answer: seat.answer.map(|answer| {
            let said = format!("You {}, {}.", wording::reply(answer.reply), moment::instant(answer.at, names.zone));
            (said, answer.note.as_deref().map(Note::of))
        }),
        form: match situation {
            AcknowledgementState::Open(form) => Some(AnswerForm {
                action: form.action,
                seal: form.seal,
                hint: form.hint.map(super::Hint::text),
                longest: LONGEST_NOTE,
                due: seat.due_at.map(|due| {
                    let due_at = moment::instant(due, names.zone);
                    // The time to answer may be over; the answer is missing all the same.
                    if due <= scene.now { format!("was due {due_at}") } else { format!("due {due_at}") }
                }),
            }),
            _ => None,
        },
    };
    render(situation.status(answer), Some(situation.result()), &page)
}

const fn heading(situation: &AcknowledgementState<'_>) -> &'static str {
    match situation {
        AcknowledgementState::Open(_) => "Can you take your seat?",
        AcknowledgementState::Stale { .. } => "Your seat has changed",
        AcknowledgementState::Recorded { .. } => "Thank you, your answer is recorded",
    }
}

/// The first line: whether what the reader sees is final.
fn standing(scene: &Scene<'_>, view: &View, names: &Names<'_>) -> String {
    match (scene.review.head.standing, view.standing) {
        (Standing::Cancelled, _) => "The review is cancelled. This is final.".to_owned(),
        (Standing::Closed, _) => "Coordination of this review has ended.".to_owned(),
        (Standing::Started, _) => "The review has started; nothing is changed any more.".to_owned(),
        (Standing::Open, Some(Seating::Authoritative)) => {
            "Your seat is authoritative: this is final until you hear otherwise.".to_owned()
        }
        (Standing::Open, Some(Seating::Tentative)) => {
            let slot = moment::interval(&scene.review.authoritative.packet.slot, names.zone);
            format!(
                "This is proposed and not final: until it is adopted, the meeting of {slot} is the one that counts."
            )
        }
        (Standing::Open, None) => "You have no seat in this review now.".to_owned(),
    }
}

fn verdict(situation: &AcknowledgementState<'_>, names: &Names<'_>) -> Option<(bool, String)> {
    match situation {
        AcknowledgementState::Open(_) => None,
        AcknowledgementState::Stale { .. } => Some((
            false,
            "The mail of this link was about an earlier time or role. An answer to it is kept in the record, but it does not count for the seat you have now.".to_owned(),
        )),
        AcknowledgementState::Recorded { reply, at } => Some((
            true,
            format!(
                "You {}, {}. {}",
                wording::reply(*reply),
                moment::instant(*at, names.zone),
                match reply {
                    Reply::Acknowledged => "It stays good as long as your time and role stay the same.",
                    Reply::Conflict => "The release owner is told at once. The meeting stays as it is: only the source systems move it.",
                }
            ),
        )),
    }
}

fn own_seat(view: &View, names: &Names<'_>) -> Vec<(&'static str, String)> {
    let mut seat = Vec::new();
    if let Some(slot) = &view.slot {
        seat.push(("Time", moment::interval(slot, names.zone)));
    }
    if !view.roles.is_empty() {
        let roles: Vec<String> = view.roles.iter().map(wording::role).collect();
        seat.push(("Your role", wording::sentence(&wording::list(&roles))));
    }
    if let Some(standing) = view.standing {
        seat.push(("Standing", wording::sentence(wording::seating(standing))));
    }
    if let Some(attendance) = view.attendance {
        seat.push(("Attendance", wording::sentence(wording::attendance(attendance))));
    }
    seat
}
