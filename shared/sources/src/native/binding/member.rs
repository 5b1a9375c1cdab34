//! What every reader of a binding asks of its members.

use crate::reader::{Node, Object};

/// The most bindings of a policy.
pub(super) const MOST_BINDINGS: usize = 2_000;
/// The most characters of a text in a binding.
const LONGEST_TEXT: usize = 400;

/// Anything else is a mistake; what every binding may have is known.
pub(super) fn only(object: &Object<'_>, members: &[&str]) {
    let common = ["name", "format", "source", "hook", "poll"];
    object.only(&[&common, members].concat());
}

pub(super) fn text(node: &Node<'_>) -> Option<String> {
    node.prose(LONGEST_TEXT)
}
