//! `change.updated` and `evidence.updated`: what the change record says and what it waits for.

use refresh_core::{
    ChangeId, Checkpoint, Interval, Person,
    base::instant::DAY,
    facts::{
        event::Statement,
        evidence::{Evidence, EvidenceRun, EvidenceStatus},
        fact::{Body, Change, ChangeState, InForce, LONGEST_WINDOW_DAYS},
        subject::Subject,
    },
};

use super::said::Said;
use crate::reader::{Node, Object};

const STATES: [(&str, ChangeState); 6] = [
    ("draft", ChangeState::Draft),
    ("approved", ChangeState::Approved),
    ("on_hold", ChangeState::OnHold),
    ("implementing", ChangeState::Implementing),
    ("closed", ChangeState::Closed),
    ("cancelled", ChangeState::Cancelled),
];

const STATUSES: [(&str, EvidenceStatus); 3] = [
    ("expected", EvidenceStatus::Expected),
    ("ready", EvidenceStatus::Ready),
    ("withdrawn", EvidenceStatus::Withdrawn),
];

/// The longest name of a run.
const LONGEST_RUN: usize = 400;
/// The longest word a source may have for how far an owner has confirmed.
const LONGEST_CONFIRMATION: usize = 100;

pub fn updated(data: &Object<'_>) -> Option<Said> {
    let change = data.must("change_id", |node| node.parsed(ChangeId::parse));
    let revision = data.must("revision", |node| node.revision());
    let state = data.must("state", |node| node.word(&STATES));
    // Only these two states set window, cutover and owner. What the others carry of them is a draft, and not read.
    let in_force = match state {
        Some(ChangeState::Approved | ChangeState::Implementing) => in_force(data).map(Some),
        _ => Some(None),
    };
    let body = Body::Change(Change { state: state?, in_force: in_force? });
    Some((Subject::Change(change?), Statement::State { revision: revision?, body }))
}

fn in_force(data: &Object<'_>) -> Option<InForce> {
    let window = data.must("review_window", window);
    let cutover = data.must("cutover", |node| node.object()?.interval("starts", "ends"));
    let owner = data.must_or_null("owner", |node| node.parsed(Person::parse));
    let confirmation = data.must("owner_confirmation", |node| node.prose(LONGEST_CONFIRMATION));
    Some(InForce { window: window?, cutover: cutover?, owner: owner?, owner_confirmed: confirmation? == "confirmed" })
}

fn window(node: &Node<'_>) -> Option<Interval> {
    let object = node.object()?;
    let window = object.interval("opens", "closes")?;
    if window.length() <= LONGEST_WINDOW_DAYS * DAY {
        return Some(window);
    }
    object.must("closes", |end| end.wrong(format!("an instant within {LONGEST_WINDOW_DAYS} days of `opens`")))
}

pub fn evidence(data: &Object<'_>) -> Option<Said> {
    let change = data.must("change_id", |node| node.parsed(ChangeId::parse));
    let checkpoint = data.must("checkpoint", |node| node.parsed(Checkpoint::parse));
    let revision = data.must("revision", |node| node.revision());
    let status = data.must("status", |node| node.word(&STATUSES));
    let ready_at = match status {
        Some(EvidenceStatus::Ready) => data.must("ready_at", |node| node.instant()).map(Some),
        _ => data.may("ready_at", |node| node.instant()),
    };
    let run = data.may("run", |node| node.prose(LONGEST_RUN));
    let (status, ready_at, run) = (status?, ready_at?, run?);
    // Whatever is not over has been told to begin.
    let begun = |id: &String| if status == EvidenceStatus::Expected { vec![id.clone()] } else { Vec::new() };
    let run = run.map(|id| EvidenceRun { begun: begun(&id), id });
    let evidence = Evidence { status, ready_at, run };
    let body = Body::Evidence(evidence);
    Some((Subject::Evidence(change?, checkpoint?), Statement::State { revision: revision?, body }))
}
