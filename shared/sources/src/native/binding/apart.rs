//! What must hold between bindings: a run means one of them, and numbers that meet in one fact compare.

use refresh_core::{Source, facts::policy::Registration};
use serde_json::Value;

use super::{
    door::NamedBinding,
    format::Format,
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
/// seldom would be silent again and again. Held against `sources` whatever else is wrong with a binding, or with others.
pub fn registered(node: &Node<'_>, sources: &[Registration]) {
    let listed = node.value().as_array().map_or(0, Vec::len);
    if !(1..=MOST_BINDINGS).contains(&listed) {
        return;
    }
    node.list(MOST_BINDINGS, |item| {
        // What cannot be read of a binding its reader has said.
        let value = item.value().as_object()?;
        let format = Format::of(value.get("format")?.as_str()?)?;
        let source = Source::parse(value.get("source")?.as_str()?).ok()?;
        let (kind, object) = (format.kind(), item.object()?);
        let covering: Vec<&Registration> =
            sources.iter().filter(|registration| registration.covers(kind, &source)).collect();
        let promise = covering.iter().filter_map(|registration| registration.max_age_minutes).min();
        let every = value.get("poll").and_then(|poll| poll.get("every_minutes")).and_then(Value::as_i64);
        if let (Some(every), Some(promise)) = (every, promise)
            && every >= promise
        {
            object.must("poll", |node| {
                node.object()?.must("every_minutes", |node| {
                    node.wrong::<()>(format!("less than the {promise} minutes of its source's `max_age_minutes`"))
                })
            });
        }
        if covering.is_empty() {
            let expected = format!("a source that `sources` registers for {}", kind.word());
            return object.must("source", |node| node.wrong::<()>(expected));
        }
        Some(())
    });
}
