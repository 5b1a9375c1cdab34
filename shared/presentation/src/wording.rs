//! The one place where rules, marks, roles and fields get their words. Pages, mails and calendar parts all speak these.

mod causes;
mod changes;
mod exceptions;
mod marks;
mod outcomes;
mod replies;

use std::collections::BTreeMap;

use refresh_core::{Person, Role, Zone};

pub use causes::{against, causes, elsewhere, subject};
pub use changes::{About, ChangeRow, attendance, changes, duty_action, field, say_cancelled, seating, value};
pub use exceptions::{exception, reason, reasons, remedy, rule_line};
pub use marks::{although, mark, marks};
pub use outcomes::{action, delivery, fate, reply, standing};
pub use replies::{comment, no_answer};

use crate::text::one_line;

/// What the reader may be told of people: their names by address. Whoever is not in it, and not named by the view
/// itself, is not named.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The name of each person that the reader may be told of.
    pub known: &'a BTreeMap<Person, String>,
    /// Who reads.
    pub reader: &'a Person,
    /// The zone in which the reader is told times.
    pub zone: Zone,
}

impl Names<'_> {
    /// `Ada Lovelace (ada@example.com)`; the address alone where no other name is known; `you` for the reader.
    pub fn of(&self, person: &Person) -> String {
        if person == self.reader { "you".to_owned() } else { self.full(person) }
    }

    /// `Ada Lovelace (ada@example.com)`, the reader included; the address alone where no other name is known.
    pub fn full(&self, person: &Person) -> String {
        match self.known.get(person).map(|name| one_line(name, 80)) {
            Some(name) if !name.is_empty() && name != person.as_str() => format!("{name} ({person})"),
            _ => person.to_string(),
        }
    }

    /// `Ada Lovelace, ada@example.com`, for brackets; the address alone where no other name is known.
    pub fn with_address(&self, person: &Person) -> String {
        let name = self.short(person);
        if name == person.as_str() { name } else { format!("{name}, {person}") }
    }

    /// The name alone, for tight places; the address where there is none.
    pub fn short(&self, person: &Person) -> String {
        match self.known.get(person).map(|name| one_line(name, 80)) {
            Some(name) if !name.is_empty() => name,
            _ => person.to_string(),
        }
    }

    fn is(&self, person: &Person) -> String {
        if person == self.reader { "you are".to_owned() } else { format!("{} is", self.short(person)) }
    }

    /// `your calendar`, `the calendar of Ada Lovelace`.
    fn whose(&self, what: &str, person: &Person) -> String {
        if person == self.reader { format!("your {what}") } else { format!("the {what} of {}", self.short(person)) }
    }

    /// Whether the reader's view holds anybody else at all.
    fn holds_others(&self) -> bool {
        self.known.keys().any(|person| person != self.reader)
    }

    fn may_name(&self, person: &Person) -> bool {
        person == self.reader || self.known.contains_key(person)
    }
}

/// `security_reviewer` is told as `security reviewer`.
pub fn role(role: &Role) -> String {
    words(role.as_str())
}

/// The words of an id: `security_reviewer` is told as `security reviewer`.
pub fn words(name: &str) -> String {
    one_line(&name.replace(['_', '-'], " "), 80)
}

/// The first letter in upper case, for the start of a sentence. An address keeps its own spelling.
pub fn sentence(text: &str) -> String {
    if text.split_whitespace().next().is_some_and(|word| word.contains('@')) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The sentence with its full stop. What somebody wrote may have brought one along.
pub fn ended(mut sentence: String) -> String {
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn a_sentence_begins_with_a_capital_and_an_address_as_it_is_spelt() {
        for (text, expected) in [
            ("required evidence is not ready", "Required evidence is not ready"),
            ("élan@example.com is busy then", "élan@example.com is busy then"),
            ("ada@example.com", "ada@example.com"),
            ("the calendar of ada@example.com", "The calendar of ada@example.com"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }
}
