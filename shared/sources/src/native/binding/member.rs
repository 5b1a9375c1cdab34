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

pub(super) fn secret_name(node: &Node<'_>) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match node.value().as_str() {
        Some(name) if (1..=60).contains(&name.len()) && name.chars().all(plain) => Some(name.to_owned()),
        // What was found is not said: somebody may have put the secret itself here.
        _ => node.wrong_as("the name of a secret: 1 to 60 letters, digits, `-`, `_` and `.`", "something else"),
    }
}
