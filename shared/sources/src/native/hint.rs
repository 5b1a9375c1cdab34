//! Payloads that say that something changed, and not what: each asks for nothing but a poll. Nothing in them is a fact; of
//! an incident not even its number is read.

use super::{binding::Says, input::Input};
use crate::reader::Node;

/// PagerDuty's webhook of version 3.
pub fn pagerduty(input: &mut Input<'_>) -> Option<()> {
    let payload = input.payload.object()?;
    payload.must("event", |node| node.object()?.must("event_type", |node| node.text().map(|_| ())))?;
    ask(input)
}

/// A change notification of Microsoft Graph; also one about the subscription itself, of which some may have been missed.
pub fn graph(input: &mut Input<'_>) -> Option<()> {
    let payload = input.payload.object()?;
    let told = payload.must("value", |list| list.list(1_000, notification))?;
    if told.is_empty() {
        input.skip("a change notification of nothing");
        return Some(());
    }
    ask(input)
}

fn notification(node: &Node<'_>) -> Option<()> {
    let notification = node.object()?;
    notification.must("subscriptionId", |node| node.text().map(|_| ()))
}

fn ask(input: &mut Input<'_>) -> Option<()> {
    let source = input.binding(|binding| match &binding.says {
        Says::Hint(source) => Some(source),
        _ => None,
    })?;
    input.hint(source);
    input.skip(format!("a hint that something changed at {source}: the next poll says what"));
    Some(())
}
