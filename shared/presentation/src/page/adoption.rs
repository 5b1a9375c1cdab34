//! The owner's page: what would change, why, who is busy when, who said what, what happens if nothing is done, and the
//! choices. The same page says why nothing can be decided, and what was.

use askama::Template;
use refresh_core::{
    Instant, Person,
    record::{
        exception::ExceptionKind,
        lineage::AnswerResult,
        packet::{Packet, Version},
        proposal::{Fate, PastProposal, Pending},
        review::{Review, Standing},
    },
};

use super::{
    AnswerTo, ChosenButton, Form, Page, Scene,
    compare::{AnswerRow, ComparedRow, RunLine, answers, comments, news, rows, run_line},
    names, refused, render, timeline,
    timeline::Timeline,
};
use crate::{
    moment,
    text::{Href, LONGEST_NOTE, Line, Written},
    wording::{self, Names},
};

/// Where the reader of an adoption link stands.
#[derive(Clone, Copy, Debug)]
pub enum AdoptionState<'a> {
    /// The reader must decide the pending proposal.
    Open(Form<'a>),
    /// The link's proposal is no longer the pending one, withdrawn ones included. What is proposed now is shown, and is
    /// decided through its own link alone.
    Superseded {
        /// It has that link mailed to the reader, where there is one to mail.
        form: Option<Form<'a>>,
        /// What became of the link's proposal; `None` where that is not remembered.
        past: Option<&'a PastProposal>,
    },
    /// The link of what is proposed now is on its way to the reader.
    LinkSent,
    /// There is no link to mail any more.
    NoLink,
    /// The choice computed at the POST was another; nothing was adopted.
    FactsChanged,
    /// It expired undecided.
    Expired(Again<'a>),
    /// Somebody decided otherwise before.
    AlreadyDecided {
        /// What was decided.
        fate: Fate,
        /// Who decided.
        by: Option<&'a Person>,
        /// When.
        at: Instant,
    },
    /// The reader is not who decides.
    NotTheOwner,
    /// The reader would decide on their own seat.
    SeparationOfDuty,
    /// The receipt, for the first POST and for each repetition: adopted or declined.
    Decided {
        /// What was decided.
        fate: Fate,
        /// Who decided.
        by: &'a Person,
        /// When.
        at: Instant,
    },
    /// The reader asked for the expired proposal again. `expires_at`: of the proposal that came of it; `None` where
    /// proposals pause.
    AskedAgain {
        /// When the new proposal expires.
        expires_at: Option<Instant>,
    },
}

/// Whether the reader of an expired proposal's page can ask for it again.
#[derive(Clone, Copy, Debug)]
pub enum Again<'a> {
    /// They can, by this form.
    Yours(Form<'a>),
    /// Somebody else can.
    Others,
    /// Nobody can: it is not the undecided one.
    Over,
}

impl AdoptionState<'_> {
    /// The outcome, by the word of lineage and of the response's header.
    pub const fn result(&self) -> AnswerResult {
        match self {
            Self::Open(_) => AnswerResult::Shown,
            Self::Superseded { .. } => AnswerResult::Superseded,
            Self::LinkSent => AnswerResult::LinkSent,
            Self::NoLink => AnswerResult::NoLink,
            Self::FactsChanged => AnswerResult::FactsChanged,
            Self::Expired(_) => AnswerResult::Expired,
            Self::AlreadyDecided { .. } => AnswerResult::AlreadyDecided,
            Self::NotTheOwner => AnswerResult::NotTheOwner,
            Self::SeparationOfDuty => AnswerResult::SeparationOfDuty,
            Self::Decided { fate: Fate::Adopted, .. } => AnswerResult::Adopted,
            Self::Decided { .. } => AnswerResult::Declined,
            Self::AskedAgain { .. } => AnswerResult::AskedAgain,
        }
    }

    const fn status(&self, answer: AnswerTo) -> u16 {
        match self {
            Self::Superseded { .. } | Self::NoLink | Self::FactsChanged | Self::AlreadyDecided { .. } => {
                refused(answer, 409)
            }
            Self::Expired(_) => refused(answer, 410),
            Self::NotTheOwner | Self::SeparationOfDuty => refused(answer, 403),
            Self::Open(Form { returned: Some(_), .. }) => refused(answer, 422),
            Self::Open(_) | Self::Decided { .. } | Self::AskedAgain { .. } | Self::LinkSent => 200,
        }
    }

    /// Whether the page leads on to the whole review: not once its proposal has expired, when it says what became of it
    /// and no more.
    pub const fn leads_on(&self) -> bool {
        !matches!(self, Self::Expired(_))
    }

    /// Whether the reader may see the proposal: whoever is not to decide it gets the refusal alone.
    const fn shows_proposal(&self) -> bool {
        matches!(
            self,
            Self::Open(_)
                | Self::Superseded { .. }
                | Self::LinkSent
                | Self::NoLink
                | Self::FactsChanged
                | Self::AskedAgain { .. }
        )
    }
}

struct Ruling {
    good: bool,
    heading: &'static str,
    text: String,
}

struct ProposalPart {
    rows: Vec<ComparedRow>,
    unchanged: Vec<ComparedRow>,
    breaks: Vec<String>,
    marks: Vec<String>,
    why: Vec<String>,
    considered: u32,
    runs: Vec<RunLine>,
    left_out: u32,
    timeline: Option<Timeline>,
    answers: Vec<AnswerRow>,
    comments: Vec<String>,
    nothing: String,
    deadline: String,
    left: String,
}

struct DecisionForm<'a> {
    action: &'a str,
    seal: &'a str,
    hint: Option<&'static str>,
    written: Written,
    choices: Vec<(&'static str, &'static str, String)>,
    longest: usize,
}

#[derive(Template)]
#[template(path = "adoption.html")]
struct AdoptionTemplate<'a> {
    heading: &'static str,
    title: Line,
    review: Line,
    version: u32,
    standing: String,
    verdict: Option<Ruling>,
    proposal: Option<ProposalPart>,
    form: Option<DecisionForm<'a>>,
    workspace: Option<Href>,
}

/// Renders the page. `workspace`: for readers who see the whole review, their own signed link to it, as [`Href`] reads it.
pub fn adoption(scene: &Scene<'_>, situation: &AdoptionState<'_>, answer: AnswerTo, workspace: Option<&str>) -> Page {
    let everybody = scene.everybody();
    let names = names(&everybody, scene.reader, scene.zone());
    let review = scene.review;
    // Whoever is not to decide it does not see it, whatever the situation: a former owner's link least of all.
    let decides = |pending: &Pending| pending.adopter.as_ref() == Some(scene.reader);
    let shown = review.proposal().filter(|shown| situation.shows_proposal() && decides(shown.pending));
    let page = AdoptionTemplate {
        heading: heading(situation, shown.map(|shown| shown.version)),
        title: scene.title(),
        review: Line::of(review.head.review.as_str()),
        version: shown.map_or(review.head.authoritative, |shown| shown.version.number),
        standing: standing(scene, situation, &names),
        verdict: verdict(scene, situation, &names),
        proposal: shown.map(|shown| proposal(scene, shown.pending, shown.version, &names)),
        form: form(situation, shown.map(|shown| shown.version), review, &names),
        workspace: workspace
            .filter(|_| scene.sees_all() && situation.leads_on())
            .and_then(|link| Href::parse(link).ok()),
    };
    render(situation.status(answer), Some(situation.result()), &page)
}

fn heading(situation: &AdoptionState<'_>, pending: Option<&Version>) -> &'static str {
    match situation {
        AdoptionState::Open(_) if pending.is_some_and(|version| version.packet.cancelled) => "Cancel this review?",
        AdoptionState::Open(_) => "Adopt this change?",
        AdoptionState::Superseded { .. } | AdoptionState::NoLink => "This proposal is no longer open",
        AdoptionState::LinkSent => "The link is on its way",
        AdoptionState::FactsChanged => "The facts have changed",
        AdoptionState::Expired(_) => "This proposal has expired",
        AdoptionState::AlreadyDecided { .. } => "This was decided before",
        AdoptionState::NotTheOwner => "This is not yours to decide",
        AdoptionState::SeparationOfDuty => "Somebody else must decide this",
        AdoptionState::Decided { fate: Fate::Adopted, .. } => "Adopted",
        AdoptionState::Decided { .. } => "Declined",
        AdoptionState::AskedAgain { .. } => "The proposal is open again",
    }
}

/// The first line: which meeting counts, and what it breaks, for those who see all of it.
fn standing(scene: &Scene<'_>, situation: &AdoptionState<'_>, names: &Names<'_>) -> String {
    match situation {
        _ if scene.sees_all() => super::review::standing(scene.review, names),
        AdoptionState::Decided { .. } | AdoptionState::AskedAgain { .. } => "Your decision is recorded.".to_owned(),
        _ => "Nothing was changed.".to_owned(),
    }
}

fn verdict(scene: &Scene<'_>, situation: &AdoptionState<'_>, names: &Names<'_>) -> Option<Ruling> {
    let at = |instant: Instant| moment::instant(instant, names.zone);
    let bad = |heading, text: String| Some(Ruling { good: false, heading, text });
    let good = |heading, text: String| Some(Ruling { good: true, heading, text });
    match situation {
        AdoptionState::Open(_) => None,
        AdoptionState::LinkSent => good(
            "The link of the present proposal is mailed to you",
            "Another proposal waits for you and stands below. This page decides nothing: the mail brings the link that does. At most one such mail goes out in ten minutes.".to_owned(),
        ),
        AdoptionState::NoLink => bad(
            "Nothing was mailed",
            format!("There is no link to mail to you. {}", instead(scene)),
        ),
        AdoptionState::Superseded { past, .. } => {
            let (heading, text) = fate(*past);
            bad(heading, format!("{text} {}", instead(scene)))
        }
        AdoptionState::FactsChanged => bad(
            "Nothing was adopted: the facts changed while you decided",
            format!("Computed again from the newest facts, the choice is another one. {}", instead(scene)),
        ),
        AdoptionState::Expired(again) => bad(
            "Nothing was adopted: nobody decided in time",
            match again {
                Again::Yours(_) => "The same proposal is not made again by itself; you can ask for it.",
                Again::Others => "The present release owner can ask for it again.",
                Again::Over => over(scene),
            }
            .to_owned(),
        ),
        AdoptionState::AlreadyDecided { fate, by, at: when } => bad(
            "Your answer changed nothing",
            match by {
                Some(by) => format!("{} decided it: {}, {}.", wording::sentence(&names.of(by)), wording::fate(*fate), at(*when)),
                None => format!("It was {}, {}.", wording::fate(*fate), at(*when)),
            },
        ),
        AdoptionState::NotTheOwner => bad(
            "The decision is the present release owner’s",
            "You are not, or no longer, the one who decides this proposal. If you should be, the change record says otherwise.".to_owned(),
        ),
        AdoptionState::SeparationOfDuty => bad(
            "You cannot decide a proposal that gives or takes your own seat",
            match scene.review.head.pending.as_ref().is_some_and(|pending| pending.adopter.is_some()) {
                true => "The policy’s alternate owner decides it.",
                false => "The policy names no alternate owner for it, so nobody may decide it.",
            }
            .to_owned(),
        ),
        AdoptionState::Decided { fate, by, at: when } => good(
            match fate {
                Fate::Adopted => "The change is authoritative now",
                _ => "The present meeting stays authoritative",
            },
            format!(
                "{} it, {}. {}",
                match fate {
                    Fate::Adopted => format!("{} adopted", wording::sentence(&names.of(by))),
                    _ => format!("{} declined", wording::sentence(&names.of(by))),
                },
                at(*when),
                match fate {
                    Fate::Adopted => "Everybody whose plan changes is being told, and asked to answer. Adopting is not acknowledging: if you have a seat yourself, you are asked too.",
                    Fate::DeclinedStand => "You stand by the present meeting: the rules it breaks are kept as an open exception until they change.",
                    _ => "Another slot is looked for; you will be asked again if there is one.",
                },
            ),
        ),
        AdoptionState::AskedAgain { expires_at } => good(
            "You asked for the expired proposal again",
            match expires_at {
                Some(until) => format!("It is pending once more, until {}. A new mail brings the link to decide it.", at(*until)),
                None if is_silent(scene) => "A source of facts is silent, so nothing new is proposed. Once the source reports again, the choice of that moment is proposed, and a new mail brings the link to decide it.".to_owned(),
                None => "There were too many proposals in a short time, so proposals pause. Once the facts have been quiet, the choice of that moment is proposed, and a new mail brings the link to decide it.".to_owned(),
            },
        ),
    }
}

/// Whether nothing new is proposed since a source is silent.
fn is_silent(scene: &Scene<'_>) -> bool {
    scene.review.head.exceptions.iter().any(|open| open.kind == ExceptionKind::SourceSilent)
}

/// What became of the proposal of a link that decides nothing any more.
fn fate(past: Option<&PastProposal>) -> (&'static str, &'static str) {
    match past.map(|past| (past.fate, past.by_closing)) {
        Some((_, true)) => (
            "Nothing was adopted: coordination of this review has ended",
            "The review was closed before the proposal of this link was decided.",
        ),
        Some((Fate::Superseded, false)) => (
            "Nothing was adopted: the proposal of this link was superseded",
            "Newer facts led to another proposal before it was decided.",
        ),
        Some((Fate::Withdrawn, false)) => (
            "Nothing was adopted: the proposal of this link was withdrawn",
            "Newer facts, or time that passed, led to another outcome before it was decided.",
        ),
        Some((Fate::Expired, false)) => {
            ("Nothing was adopted: nobody decided in time", "The proposal of this link expired undecided.")
        }
        Some((Fate::Adopted | Fate::DeclinedOtherSlot | Fate::DeclinedStand, false)) | None => (
            "Nothing was adopted through this link: its proposal is no longer open",
            "Something else became of it before.",
        ),
    }
}

/// Why an expired proposal cannot be asked for again.
fn over(scene: &Scene<'_>) -> &'static str {
    match scene.review.head.standing {
        Standing::Closed => "It cannot be asked for again: coordination of this review has ended.",
        Standing::Cancelled => "It cannot be asked for again: the review is cancelled.",
        Standing::Started => "It cannot be asked for again: the review has started.",
        Standing::Open if scene.review.head.is_over(scene.now) => {
            "It cannot be asked for again: the review has started."
        }
        Standing::Open => {
            "It cannot be asked for again: something else became of the review since, and the newest mail about it says what."
        }
    }
}

/// What there is in place of the link's proposal. A link decides its own proposal and no other: whoever decides the present
/// one has a mail for it, or will have.
fn instead(scene: &Scene<'_>) -> &'static str {
    let pending = scene.review.head.pending.as_ref();
    match pending.map(|pending| pending.adopter.as_ref() == Some(scene.reader)) {
        Some(true) => {
            "Another proposal waits for you and stands below. This link does not decide it: its own mail has the link that does, and follows if you have not had it yet."
        }
        Some(false) => "Another proposal waits for somebody else.",
        None if scene.review.head.standing == Standing::Closed => "Nothing is proposed any more.",
        None => "Nothing is pending now.",
    }
}

fn proposal(scene: &Scene<'_>, pending: &Pending, version: &Version, names: &Names<'_>) -> ProposalPart {
    let review = scene.review;
    let (changed, unchanged): (Vec<ComparedRow>, Vec<ComparedRow>) =
        rows(&review.authoritative.packet, &version.packet, names).into_iter().partition(|row| row.changed);
    let today = &review.head.today.violated;
    let broken = today.iter().filter(|mark| mark.is_violation());
    ProposalPart {
        rows: changed,
        unchanged,
        breaks: broken.map(|mark| wording::sentence(&wording::mark(mark, names))).collect(),
        marks: super::review::remarks(review, names),
        why: wording::causes(news(&review.authoritative.stands_on, &version.stands_on), names)
            .iter()
            .map(|cause| wording::sentence(cause))
            .collect(),
        considered: version.report.considered(),
        runs: version.report.runs().iter().map(|run| run_line(run, names)).collect(),
        left_out: version.report.left_out(),
        timeline: timeline::of(scene, names),
        answers: answers(scene, names),
        comments: comments(scene, names),
        nothing: left_undecided(scene, version),
        deadline: moment::instant(pending.expires_at, names.zone),
        left: moment::length(pending.expires_at.since(scene.now)),
    }
}

/// What follows if nothing is decided, as far as there is it: a policy may ask for no holds, and name no contacts.
fn left_undecided(scene: &Scene<'_>, version: &Version) -> String {
    let contacts = scene.policy.escalation_contacts.iter().any(|contact| contact != scene.reader);
    let told = if contacts { "you and the escalation contacts are told" } else { "you are told" };
    if version.packet.cancelled {
        return format!("nothing is cancelled. The review stays as it is, and {told} that it was left undecided.");
    }
    let holds = match scene.review.head.hold.entry {
        Some(_) => "its tentative holds leave the calendars, ",
        None => "",
    };
    format!(
        "nothing is adopted. The proposal expires, {holds}the present meeting stays, and {told} that it was left undecided."
    )
}

fn form<'a>(
    situation: &AdoptionState<'a>,
    pending: Option<&Version>,
    review: &Review,
    names: &Names<'_>,
) -> Option<DecisionForm<'a>> {
    let view = |form: &Form<'a>, choices| DecisionForm {
        action: form.action,
        seal: form.seal,
        hint: form.hint(),
        written: form.written(),
        choices,
        longest: LONGEST_NOTE,
    };
    match situation {
        AdoptionState::Open(form) => {
            let choices = choices(&review.authoritative.packet, &pending?.packet, names);
            Some(view(form, choices))
        }
        AdoptionState::Superseded { form: Some(form), .. } => {
            let about = "The present proposal has a link of its own. This page neither shows nor holds that link; it has the link mailed to you once more.".to_owned();
            Some(view(form, vec![(ChosenButton::SendLink.word(), "Mail me the link of the present proposal", about)]))
        }
        // One choice, and still one to be made by hand: a robot that presses buttons asks for nothing.
        AdoptionState::Expired(Again::Yours(form)) => {
            let about =
                "It becomes pending once more, if it is still the choice. A new mail brings the link to decide it: adopting is a second step.".to_owned();
            Some(view(form, vec![(ChosenButton::AskAgain.word(), "Ask for the same proposal again", about)]))
        }
        _ => None,
    }
}

/// What the owner may choose, each with what follows from it.
fn choices(present: &Packet, proposed: &Packet, names: &Names<'_>) -> Vec<(&'static str, &'static str, String)> {
    let slot = moment::interval(&present.slot, names.zone);
    let stand = (
        ChosenButton::DeclineStand.word(),
        "Decline and stand by the present meeting",
        format!("The meeting stays {slot}; what it breaks is recorded as an exception that you stand by."),
    );
    let adopt = (ChosenButton::Adopt.word(), "Adopt", adopted(present, proposed, names));
    // A cancellation has no other slot.
    if proposed.cancelled {
        return vec![adopt, stand];
    }
    let left_out = match proposed.slot == present.slot {
        true => "Until the next adoption nothing is proposed for the present time. Another time is looked for.",
        false => {
            "The proposed time is left out until the next adoption, whoever attends. The next best choice is looked for."
        }
    };
    let other = (ChosenButton::DeclineOtherSlot.word(), "Decline and look for another slot", left_out.to_owned());
    vec![adopt, other, stand]
}

/// What adopting changes: every consequential field in which the proposal differs from the present packet, and no other.
fn adopted(present: &Packet, proposed: &Packet, names: &Names<'_>) -> String {
    if proposed.cancelled {
        return "The review is cancelled and everybody is released.".to_owned();
    }
    let slot = moment::interval(&proposed.slot, names.zone);
    let mut sentences = match proposed.slot == present.slot {
        true => vec![format!("The meeting stays {slot}.")],
        false => vec![format!("The meeting is {slot} from now on, for everybody.")],
    };
    let seats = proposed.attendees.iter().filter_map(|(role, now)| Some((role, present.attendees.get(role)?, now)));
    sentences.extend(seats.filter(|(_, was, now)| was != now).map(|(role, was, now)| {
        let (was, now) = (names.full(was), names.full(now));
        format!("The {} is {now}, in place of {was}.", wording::role(role))
    }));
    if proposed.freeze_edge && !present.freeze_edge {
        sentences.push("The edge of the freeze is accepted.".to_owned());
    }
    sentences.join(" ")
}
