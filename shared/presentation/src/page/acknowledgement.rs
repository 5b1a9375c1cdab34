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
        view::{Row, Seating, View},
    },
};

use super::{AnswerTo, Form, Page, Scene, names, refused, render};
use crate::{
    moment,
    text::{Href, LONGEST_NOTE, Line, Note, Written},
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
            Self::Open(Form { returned: Some(_), .. }) => refused(answer, 422),
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
    /// The row that the link is about, where it is one of theirs now: what the answer is to.
    pub row: Option<&'a Row>,
    /// The reader's link to the row that a proposal would give them, where the link is about the one that counts.
    pub proposed: Option<&'a str>,
}

impl AskedSeat<'_> {
    /// Whether the answer is to a proposal's seat.
    fn standing(&self) -> Option<Seating> {
        self.row.map_or(self.view.standing, |row| Some(row.standing))
    }
}

struct AnswerForm<'a> {
    action: &'a str,
    seal: &'a str,
    hint: Option<&'static str>,
    written: Written,
    longest: usize,
    /// How long an acknowledgement counts.
    lasts: &'static str,
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
    proposed: Option<Href>,
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
        verdict: verdict(situation, seat, &names),
        fresh: match situation {
            AcknowledgementState::Stale { fresh: Some(fresh) } => Href::parse(fresh).ok(),
            _ => None,
        },
        proposed: seat.proposed.and_then(|proposed| Href::parse(proposed).ok()),
        seat: own_seat(seat, &names),
        changes: changes(scene, seat, &names),
        why: wording::causes(seat.why, &names).iter().map(|cause| wording::sentence(cause)).collect(),
        answer: seat.answer.map(|answer| {
            let said = format!("You {}, {}.", wording::reply(answer.reply), moment::instant(answer.at, names.zone));
            (said, answer.note.as_deref().map(Note::of))
        }),
        form: match situation {
            AcknowledgementState::Open(form) => Some(AnswerForm {
                action: form.action,
                seal: form.seal,
                hint: form.hint(),
                written: form.written(),
                longest: LONGEST_NOTE,
                lasts: lasts(seat),
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

fn changes<'a>(scene: &Scene<'_>, seat: &AskedSeat<'a>, names: &Names<'_>) -> Vec<ChangeRow<'a>> {
    let mut rows = wording::changes(seat.changes, names);
    if scene.review.head.standing == Standing::Cancelled {
        wording::say_cancelled(&mut rows);
    }
    rows
}

/// The first line: whether what the reader sees is final, and which meeting counts.
fn standing(scene: &Scene<'_>, view: &View, names: &Names<'_>) -> String {
    let slot = moment::interval(&scene.review.authoritative.packet.slot, names.zone);
    // What the meeting breaks is told to those who see the whole.
    let broken = wording::although(&view.violated, names);
    let counts = format!("the meeting of {slot} is the one that counts{broken}");
    match (scene.review.head.standing, view.standing, view.attendance) {
        (Standing::Cancelled, ..) => "The review is cancelled. This is final.".to_owned(),
        (Standing::Closed, ..) => "Coordination of this review has ended.".to_owned(),
        (Standing::Started, ..) => "The review has started; nothing is changed any more.".to_owned(),
        (Standing::Open, Some(Seating::Tentative), _) | (Standing::Open, Some(_), Some(_)) => {
            format!("A change is proposed and not final: until it is adopted, {counts}.")
        }
        (Standing::Open, Some(Seating::Authoritative), None) => {
            format!("Your seat is final until you hear otherwise: {counts}.")
        }
        (Standing::Open, None, _) => "You have no seat in this review now.".to_owned(),
    }
}

/// How long an acknowledgement counts. It is kept with the reader's row, and their standing is a part of that row.
fn lasts(seat: &AskedSeat<'_>) -> &'static str {
    match seat.standing() {
        Some(Seating::Tentative) => {
            "The answer is to the proposal, and the release owner sees it. Once the proposal is adopted, you are asked once more."
        }
        Some(Seating::Authoritative) | None => {
            "The answer counts as long as your time and your role stay the same, and your seat is final."
        }
    }
}

fn verdict(situation: &AcknowledgementState<'_>, seat: &AskedSeat<'_>, names: &Names<'_>) -> Option<(bool, String)> {
    match situation {
        AcknowledgementState::Open(_) => None,
        AcknowledgementState::Stale { .. } => {
            let now = match seat.view.standing {
                Some(_) => "It does not count for the seat you have now.",
                None => "You have no seat now that it could count for.",
            };
            Some((
                false,
                format!(
                    "Since the mail of this link, your time, your role or their standing (proposed or final) has changed. An answer to that mail is kept in the record. {now}"
                ),
            ))
        }
        AcknowledgementState::Recorded { reply, at } => Some((
            true,
            format!(
                "You {}, {}. {}",
                wording::reply(*reply),
                moment::instant(*at, names.zone),
                match reply {
                    Reply::Acknowledged => lasts(seat),
                    Reply::Conflict =>
                        "The release owner is told at once. The meeting stays as it is: only the source systems move it.",
                }
            ),
        )),
    }
}

fn own_seat(asked: &AskedSeat<'_>, names: &Names<'_>) -> Vec<(&'static str, String)> {
    let AskedSeat { view, row, .. } = asked;
    let mut seat = Vec::new();
    // The answer is to the row of the link. What is proposed beside it is the view's.
    let (slot, roles) = row.map_or((view.slot, &view.roles), |row| (Some(row.slot), &row.roles));
    if let Some(slot) = &slot {
        seat.push(("Time", moment::interval(slot, names.zone)));
    }
    if !roles.is_empty() {
        let roles: Vec<String> = roles.iter().map(wording::role).collect();
        seat.push(("Your role", wording::sentence(&wording::list(&roles))));
    }
    if let Some(standing) = asked.standing() {
        seat.push(("Standing", wording::sentence(wording::seating(standing))));
    }
    if let Some(attendance) = view.attendance {
        seat.push(("Attendance", wording::sentence(wording::attendance(attendance))));
    }
    seat
}
