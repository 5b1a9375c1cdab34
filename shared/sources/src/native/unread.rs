//! Parts of a payload that could not be read, so that time became unknown: which, and why. Never what stands in them.

use std::cell::RefCell;

use super::input::Input;

/// One line for each fault: of a calendar whose every entry has it, the first entry and how many more.
#[derive(Default)]
pub struct Unread(RefCell<Vec<UnreadPart>>);

struct UnreadPart {
    first: String,
    fault: String,
    more: usize,
}

impl Unread {
    /// `place`: the component or the path. `fault`: what of it, and what that makes unknown.
    pub fn note(&self, place: impl FnOnce() -> String, fault: &str) {
        let mut parts = self.0.borrow_mut();
        match parts.iter_mut().find(|known| known.fault == fault) {
            Some(known) => known.more += 1,
            None => parts.push(UnreadPart { first: place(), fault: fault.to_owned(), more: 0 }),
        }
    }

    /// Each is a skipped part, so that an operator can look up why time is unknown.
    pub fn tell(self, input: &mut Input<'_>) {
        for UnreadPart { first, fault, more } in self.0.into_inner() {
            let others = if more == 0 { String::new() } else { format!(" (and {more} more)") };
            input.skip(format!("{first}{fault}{others}"));
        }
    }
}

/// A code or a word that is a system's own, as ` (5009)`. Nothing of any other text: it may be somebody's.
pub fn code(text: Option<&str>) -> String {
    let is_code = |text: &&str| {
        (1..=40).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
    };
    text.filter(is_code).map_or_else(String::new, |text| format!(" ({text})"))
}
