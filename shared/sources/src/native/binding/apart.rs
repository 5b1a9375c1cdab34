//! What must hold between bindings: a run means one of them, and numbers that meet in one fact compare.

use std::cell::Cell;

use refresh_core::facts::policy::Registration;

use super::{
    door::NamedBinding,
    list::Bindings,
    member::MOST_BINDINGS,
    says::{Binding, BoundChange, EvidenceBinding, RunBinding, Says},
};
use crate::reader::Node;

/// Every pair of bindings is looked at, so that every fault is said.
pub(super) fn comparable(node: &Node<'_>, bindings: &[NamedBinding]) -> Option<()> {
    let mut good = Some(());
    for (index, one) in bindings.iter().enumerate() {
        for other in &bindings[..index] {
            if let Some((expected, found)) = same_fact(&one.binding, &other.binding) {
                good = node.wrong_as(expected, found);
            }
        }
    }
    good
}

/// Revisions compare only within one thing that numbers its runs: evidence of two for one checkpoint, under one source,
/// would be ordered by numbers that have nothing to do with each other. `*` can be any change.
fn same_fact(one: &Binding, other: &Binding) -> Option<(&'static str, String)> {
    let (a, b) = (evidence_of(one)?, evidence_of(other)?);
    let same_change = match (&a.change, &b.change) {
        (BoundChange::Named(a), BoundChange::Named(b)) => a == b,
        _ => true,
    };
    if a.source != b.source || a.checkpoint != b.checkpoint || !same_change {
        return None;
    }
    let twice = format!("checkpoint {} of {} twice", a.checkpoint, a.source);
    match (&one.says, &other.says) {
        (Says::Run(a), Says::Run(b)) if one.format == other.format && numbered_together(a, b) => {
            let told_apart = match (&a.branch, &b.branch) {
                (Some(a), Some(b)) => !a.overlaps(b),
                _ => false,
            } || matches!((&a.head_sha, &b.head_sha), (Some(a), Some(b)) if a != b);
            (!told_apart).then_some(("bindings of one workflow that no run fits both of", twice))
        }
        _ => Some(("one system for a source, change and checkpoint, since revisions of two do not compare", twice)),
    }
}

/// Whether the runs of both are of one thing, which numbers them.
fn numbered_together(one: &RunBinding, other: &RunBinding) -> bool {
    one.identity == other.identity && one.identity.iter().all(|pattern| !pattern.starred)
}

fn evidence_of(binding: &Binding) -> Option<&EvidenceBinding> {
    match &binding.says {
        Says::CdEvents(of) => Some(&of.evidence),
        Says::Run(of) => Some(&of.evidence),
        _ => None,
    }
}

/// Whether each binding's source is registered for the kind of facts that come of its payloads, and is asked often enough
/// for what the source promises. Of one that is not registered every event would be ignored, and one that is asked too
/// seldom would be silent again and again.
pub fn registered(node: &Node<'_>, bindings: &Bindings, sources: &[Registration]) {
    let next = Cell::new(0);
    node.list(MOST_BINDINGS, |item| {
        let binding = bindings.0.get(next.replace(next.get() + 1))?;
        let kind = binding.binding.format.kind();
        let source = &binding.binding.source;
        let covering = sources.iter().filter(|registration| registration.covers(kind, source));
        let promise = covering.filter_map(|registration| registration.max_age_minutes).min();
        if let (Some(target), Some(promise)) = (&binding.poll, promise)
            && target.every_minutes >= promise
        {
            item.object()?.must("poll", |node| {
                node.object()?.must("every_minutes", |node| {
                    node.wrong::<()>(format!("less than the {promise} minutes of its source's `max_age_minutes`"))
                })
            });
        }
        if sources.iter().any(|registration| registration.covers(kind, source)) {
            return Some(());
        }
        item.object()?
            .must("source", |node| node.wrong::<()>(format!("a source that `sources` registers for {}", kind.word())))
    });
}
