//! Members that more than one part of the file has: paths, and secrets that stand elsewhere.

use std::path::{Path, PathBuf};

use sources::reader::{Node, Object};

use crate::relay::Secret;

pub const LONGEST_TEXT: usize = 500;

/// Relative to the folder of the settings file.
pub fn path(node: &Node<'_>, folder: &Path) -> Option<PathBuf> {
    let text = node.prose(LONGEST_TEXT)?;
    if text.is_empty() { node.wrong("a path") } else { Some(folder.join(text)) }
}

/// `<name>_file` or `<name>_variable`. `Some(None)`: neither.
pub fn secret(object: &Object<'_>, name: &str, folder: &Path) -> Option<Option<Secret>> {
    let (in_file, in_variable) = (format!("{name}_file"), format!("{name}_variable"));
    let file = object.may(&in_file, |node| path(node, folder));
    let variable = object.may(&in_variable, |node| node.prose(LONGEST_TEXT));
    match (file?, variable?) {
        (Some(_), Some(_)) => {
            object.may(&in_variable, |node| node.wrong::<()>(format!("one of `{in_file}` and `{in_variable}`")));
            None
        }
        (Some(file), None) => Some(Some(Secret::File(file))),
        (None, Some(variable)) => Some(Some(Secret::Variable(variable))),
        (None, None) => Some(None),
    }
}
