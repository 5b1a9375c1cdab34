//! A typed reader over a JSON value that keeps its path and collects faults.
//!
//! Not serde's derive: that stops at the first fault, and a source team that must send six events to learn of six
//! mistakes has been told nothing. Every method here records what is wrong and answers `None`; the caller reads all
//! members first and only then puts them together with `?`, so that nothing is left unread.

use std::{cell::RefCell, collections::BTreeSet, fmt, ops::RangeInclusive};

use refresh_core::{Instant, Interval, Zone, base::name::shorten};
use serde_json::{Map, Value};

use crate::fault::{Fault, describe};

/// What was found wrong so far.
#[derive(Default)]
pub struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    /// Records one more.
    pub fn push(&self, fault: Fault) {
        self.0.borrow_mut().push(fault);
    }

    /// Whether nothing was found wrong.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// All that was found wrong, in the order of reading.
    pub fn into_vec(self) -> Vec<Fault> {
        self.0.into_inner()
    }

    /// What was read with these faults in view.
    fn judge<T>(self, read: Option<T>) -> ReadAlone<T> {
        match read {
            Some(item) if self.is_empty() => Ok(item),
            _ => Err(self.into_vec()),
        }
    }
}

/// One record of several that stand each for itself: what was read, or the record's own faults.
pub type ReadAlone<T> = Result<T, Vec<Fault>>;

/// Where a value stands. Rendered only for a fault, so that a list of 4,000 good intervals costs no strings.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root(&'a str),
    Member(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(root) => f.write_str(root),
            Self::Member(parent, name) if is_plain(name) => write!(f, "{parent}.{name}"),
            Self::Member(parent, name) => write!(f, "{parent}[{}]", shorten(name)),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

fn is_plain(name: &str) -> bool {
    (1..=60).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A value and where it stands.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    value: &'a Value,
    path: Path<'a>,
    faults: &'a Faults,
}

impl<'a> Node<'a> {
    /// The whole of a document. `root` begins every path: `$`, for one.
    pub fn root(value: &'a Value, root: &'a str, faults: &'a Faults) -> Self {
        Self { value, path: Path::Root(root), faults }
    }

    /// The value itself.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// Where the value stands, as a fault names it.
    pub fn path(&self) -> String {
        self.path.to_string()
    }

    /// Another value that stands in the place of this one: what a packed text holds.
    pub fn instead<'b>(&'b self, value: &'b Value) -> Node<'b> {
        Node { value, path: self.path, faults: self.faults }
    }

    /// Records that something else was expected here.
    pub fn wrong<T>(&self, expected: impl Into<String>) -> Option<T> {
        self.wrong_as(expected, describe(self.value))
    }

    /// The same, where what was found is better said in other words than the value itself.
    pub fn wrong_as<T>(&self, expected: impl Into<String>, found: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(self.path.to_string(), expected, found));
        None
    }

    /// The value as an object.
    pub fn object(&self) -> Option<Object<'a>> {
        match self.value {
            Value::Object(members) => Some(Object { members, path: self.path, faults: self.faults }),
            _ => self.wrong("an object"),
        }
    }

    /// The value as text, however long.
    pub fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::String(text) => Some(text),
            _ => self.wrong("a string"),
        }
    }

    /// The same, to keep.
    pub fn text_owned(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    /// Free text that people will read: bounded, and without control characters that could break a line or a header.
    pub fn prose(&self, longest: usize) -> Option<String> {
        let good = |text: &&str| {
            !text.trim().is_empty() && text.chars().count() <= longest && !text.chars().any(char::is_control)
        };
        match self.value.as_str().filter(good) {
            Some(text) => Some(text.to_owned()),
            None => self.wrong(format!("text of 1 to {longest} characters on one line")),
        }
    }

    /// Free text that is made harmless, not refused: bounded alone.
    pub fn long_text(&self, longest: usize) -> Option<&'a str> {
        match self.value.as_str().filter(|text| text.chars().count() <= longest) {
            Some(text) => Some(text),
            None => self.wrong(format!("text of at most {longest} characters")),
        }
    }

    /// A string that a newtype reads. Its error says `what was expected; found what`.
    pub fn parsed<T>(&self, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.value.as_str();
        // What is no string at all is told what the newtype wants of one.
        match (read(text.unwrap_or_default()), text) {
            (Ok(value), Some(_)) => Some(value),
            (Ok(_), None) => self.wrong("a string"),
            (Err(error), _) => {
                self.wrong(error.split_once("; found ").map_or(error.as_str(), |(expected, _)| expected))
            }
        }
    }

    /// An instant in RFC 3339, with an offset.
    pub fn instant(&self) -> Option<Instant> {
        self.parsed(Instant::parse)
    }

    /// An IANA time zone by its name.
    pub fn zone(&self) -> Option<Zone> {
        self.parsed(|name| name.parse().map_err(|_| "an IANA time zone like Europe/Berlin".to_owned()))
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        match self.value {
            Value::Bool(flag) => Some(*flag),
            _ => self.wrong("true or false"),
        }
    }

    /// A number a source counts up.
    pub fn revision(&self) -> Option<u64> {
        match self.value.as_u64() {
            Some(number) => Some(number),
            None => self.wrong("a whole number, 0 or more"),
        }
    }

    /// A whole number in this range.
    pub fn whole(&self, range: RangeInclusive<i64>) -> Option<i64> {
        match self.value.as_i64() {
            Some(number) if range.contains(&number) => Some(number),
            _ => self.wrong(format!("a whole number from {} to {}", range.start(), range.end())),
        }
    }

    /// One word of a closed vocabulary.
    pub fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let found = self.value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        match found {
            Some((_, meaning)) => Some(*meaning),
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                self.wrong(format!("one of {}", known.join(", ")))
            }
        }
    }

    /// Every item read; `None` if one of them was bad, or there are more than `most`.
    pub fn list<T>(&self, most: usize, read: impl Fn(&Node<'_>) -> Option<T>) -> Option<Vec<T>> {
        let Value::Array(items) = self.value else { return self.wrong("a list") };
        // A list far over its limit is one mistake, not one for each of its items.
        if items.len() > most {
            return self.wrong(format!("a list of at most {most}"));
        }
        let mut good = Some(Vec::with_capacity(items.len()));
        for (index, value) in items.iter().enumerate() {
            match read(&Node { value, path: Path::Item(&self.path, index), faults: self.faults }) {
                Some(item) => {
                    if let Some(list) = &mut good {
                        list.push(item);
                    }
                }
                None => good = None,
            }
        }
        good
    }

    /// Every item read by itself, with its own faults: a bad record holds up no other. `None`: no list, or more than
    /// `most` items.
    pub fn each_alone<T>(&self, most: usize, read: impl Fn(&Node<'_>) -> Option<T>) -> Option<Vec<ReadAlone<T>>> {
        let Value::Array(items) = self.value else { return self.wrong("a list") };
        if items.len() > most {
            return self.wrong(format!("a list of at most {most}"));
        }
        let alone = |(index, value)| {
            let faults = Faults::default();
            let item = read(&Node { value, path: Path::Item(&self.path, index), faults: &faults });
            faults.judge(item)
        };
        Some(items.iter().enumerate().map(alone).collect())
    }

    /// The same for a list whose order and repetitions say nothing.
    pub fn set<T: Ord>(&self, most: usize, read: impl Fn(&Node<'_>) -> Option<T>) -> Option<BTreeSet<T>> {
        Some(self.list(most, read)?.into_iter().collect())
    }
}

/// An object's members and where it stands.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    members: &'a Map<String, Value>,
    path: Path<'a>,
    faults: &'a Faults,
}

impl<'a> Object<'a> {
    fn node<'s>(&'s self, name: &'s str, value: &'s Value) -> Node<'s> {
        Node { value, path: Path::Member(&self.path, name), faults: self.faults }
    }

    /// Where the value stands, as a fault names it.
    pub fn path(&self) -> String {
        self.path.to_string()
    }

    /// Whether the member is there, with a value.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// The member's value without judging it.
    pub fn peek(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name)
    }

    /// The members' names.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.members.keys().map(String::as_str)
    }

    /// What stands at a JSON pointer in here. An empty pointer leads nowhere.
    pub fn value_at(&self, pointer: &str) -> Option<&'a Value> {
        let mut steps = pointer.split('/').skip(1);
        let first = self.members.get(steps.next()?)?;
        steps.try_fold(first, |value, step| value.get(step))
    }

    /// Must be there and good.
    pub fn must<T>(&self, name: &str, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Option<T> {
        match self.members.get(name) {
            Some(value) => read(&self.node(name, value)),
            None => self.missing(name, read),
        }
    }

    /// May be absent, which `null` equals: then `Some(None)`. `None`: it is there and bad.
    pub fn may<T>(&self, name: &str, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Option<Option<T>> {
        match self.members.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => read(&self.node(name, value)).map(Some),
        }
    }

    /// Must be there, and may be `null`: a source that leaves it out has not said "none".
    pub fn must_or_null<T>(&self, name: &str, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Option<Option<T>> {
        match self.members.get(name) {
            None => self.missing(name, |node| read(node).map(|_| ())).or_else(|| self.or_null()),
            Some(Value::Null) => Some(None),
            Some(value) => read(&self.node(name, value)).map(Some),
        }
    }

    /// May be absent; where it is there, `null` is no value (unless `read` takes it).
    pub fn if_there<T>(&self, name: &str, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Option<Option<T>> {
        match self.members.get(name) {
            None => Some(None),
            Some(value) => read(&self.node(name, value)).map(Some),
        }
    }

    /// `[first, last)`: two instants in this object, the second after the first.
    pub fn interval(&self, first: &str, last: &str) -> Option<Interval> {
        let start = self.must(first, |node| node.instant());
        let end = self.must(last, |node| node.instant());
        let (start, end) = (start?, end?);
        self.ordered(first, start, last, end)
    }

    /// The same where an interval of no length is none, and no fault: `Some(None)`.
    pub fn interval_or_nothing(&self, first: &str, last: &str) -> Option<Option<Interval>> {
        let start = self.must(first, |node| node.instant());
        let end = self.must(last, |node| node.instant());
        let (start, end) = (start?, end?);
        if start == end { Some(None) } else { self.ordered(first, start, last, end).map(Some) }
    }

    /// `[start, end)` of two instants that were read already; the fault stands at the member `last`.
    pub fn ordered(&self, first: &str, start: Instant, last: &str, end: Instant) -> Option<Interval> {
        Interval::new(start, end).or_else(|| {
            let path = Path::Member(&self.path, last);
            let expected = format!("an instant after `{first}` ({start})");
            self.faults.push(Fault::new(path.to_string(), expected, end.to_string()));
            None
        })
    }

    /// Anything else in here is a mistake.
    pub fn only(&self, known: &[&str]) -> Option<()> {
        let mut good = Some(());
        for name in self.members.keys().filter(|name| !known.contains(&name.as_str())) {
            let expected = match nearest(name, known) {
                Some(meant) => format!("no such member (is `{meant}` meant?)"),
                None => format!("no such member (known are {})", known.join(", ")),
            };
            self.faults.push(Fault::new(Path::Member(&self.path, name).to_string(), expected, shorten(name)));
            good = None;
        }
        good
    }

    /// A question that leaves something out has an answer that does not say who is free. Of the members that would, none
    /// may be there with a value.
    pub fn unfiltered(&self, filters: &[&str]) -> Option<()> {
        let mut good = Some(());
        for name in self.names().filter(|name| filters.contains(&parameter(name).as_str())) {
            let filter = self.may(name, |node| match node.value() {
                Value::Array(list) if list.is_empty() => Some(()),
                Value::Bool(false) => Some(()),
                _ => node.wrong("nothing: what is left out of an answer is not free"),
            });
            good = good.and(filter.map(|_| ()));
        }
        good
    }

    /// The members that are this parameter of a question, however it is spelled.
    pub fn spellings(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let name = parameter(name);
        self.names().filter(move |found| parameter(found) == name)
    }

    /// Every member read by one rule, in name order.
    pub fn each<T>(&self, read: impl Fn(&str, &Node<'_>) -> Option<T>) -> Option<Vec<T>> {
        let mut good = Some(Vec::new());
        for (name, value) in self.members {
            match read(name, &self.node(name, value)) {
                Some(item) => {
                    if let Some(list) = &mut good {
                        list.push(item);
                    }
                }
                None => good = None,
            }
        }
        good
    }

    /// Every member read by itself, in name order, with its own faults.
    pub fn each_alone<T>(&self, read: impl Fn(&str, &Node<'_>) -> Option<T>) -> Vec<(String, ReadAlone<T>)> {
        let alone = |(name, value): (&String, &Value)| {
            let faults = Faults::default();
            let item = read(name, &Node { value, path: Path::Member(&self.path, name), faults: &faults });
            (name.clone(), faults.judge(item))
        };
        self.members.iter().map(alone).collect()
    }

    /// The member just missed may be `null` as well.
    fn or_null<T>(&self) -> Option<T> {
        if let Some(fault) = self.faults.0.borrow_mut().last_mut() {
            fault.expected += ", or null";
        }
        None
    }

    /// Says of a missing member what was expected there: the very words its reader has for a `null`.
    fn missing<T, U>(&self, name: &str, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Option<U> {
        let before = self.faults.0.borrow().len();
        read(&self.node(name, &Value::Null));
        let mut faults = self.faults.0.borrow_mut();
        match faults.get_mut(before) {
            Some(fault) => "nothing".clone_into(&mut fault.found),
            None => {
                faults.push(Fault::new(Path::Member(&self.path, name).to_string(), "a value", "nothing"));
            }
        }
        None
    }
}

/// How the parameters of a question compare: systems take them in letters of either case, Microsoft Graph with or without
/// its `$`, and a list is written with or without `[]`.
pub fn parameter(name: &str) -> String {
    name.trim_start_matches('$').trim_end_matches("[]").to_ascii_lowercase()
}

/// The known name that a mistyped one stands nearest to, within two edits.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.len() > 60 {
        return None;
    }
    known.iter().map(|word| (edits(name, word), *word)).min().filter(|(edits, _)| *edits <= 2).map(|(_, word)| word)
}

/// Levenshtein's distance, one row at a time.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
