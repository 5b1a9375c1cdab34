//! Content lines and components of RFC 5545 (3.1, 3.6) as they stand. Nothing is read of a value here.

use refresh_core::base::name::shorten;

/// Components inside of one another. RFC 5545 and RFC 9073 have four at most; the rest is somebody's joke.
const DEEPEST: usize = 16;

/// One content line, unfolded.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentLine<'a> {
    /// In upper case.
    pub name: String,
    parameters: Vec<(String, &'a str)>,
    pub value: &'a str,
    /// Whether a blank stands before the value. A word of the grammar has none there: the line may be prose.
    pub is_set_off: bool,
}

/// Stands for a line that is no content line, behind one that is read: of that one a part may be missing.
pub const REST_OF_READ: &str = "?READ:";
/// Stands for a line that is no content line, behind one that is not read. A text was broken without being folded, so what
/// looks like a property behind it may be text.
pub const REST_OF_TEXT: &str = "?TEXT:";

/// Whether a line has the name that begins every content line (RFC 5545, 3.1).
pub fn is_line(line: &str) -> bool {
    let name = line.find([':', ';']).map_or("", |end| line[..end].trim());
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What is said of something that may be said once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mention<T> {
    Nothing,
    Once(T),
    /// In two ways that differ: that is another thing than not at all.
    Twice,
}

impl<T> Mention<T> {
    pub fn of(mut all: impl Iterator<Item = T>, same: impl Fn(&T, &T) -> bool) -> Self {
        match all.next() {
            None => Self::Nothing,
            Some(first) if all.all(|other| same(&first, &other)) => Self::Once(first),
            Some(_) => Self::Twice,
        }
    }

    pub fn once(self) -> Option<T> {
        match self {
            Self::Once(said) => Some(said),
            Self::Nothing | Self::Twice => None,
        }
    }
}

impl<'a> ContentLine<'a> {
    pub fn of(line: &'a str) -> Self {
        let mut parts = Vec::new();
        let (mut start, mut quoted, mut value) = (0, false, None);
        for (at, c) in line.char_indices() {
            match c {
                '"' => quoted = !quoted,
                ';' if !quoted => {
                    parts.push(&line[start..at]);
                    start = at + 1;
                }
                ':' if !quoted => {
                    parts.push(&line[start..at]);
                    value = Some(&line[at + 1..]);
                    break;
                }
                _ => {}
            }
        }
        if value.is_none() {
            parts.push(&line[start..]);
        }
        let mut parts = parts.into_iter();
        let name = parts.next().unwrap_or_default().trim().to_ascii_uppercase();
        let parameters = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name.trim().to_ascii_uppercase(), value.trim().trim_matches('"')))
            .collect();
        let value = value.unwrap_or_default();
        Self { name, parameters, value: value.trim(), is_set_off: value.starts_with([' ', '\t']) }
    }

    pub fn parameter(&self, name: &'static str) -> Option<&'a str> {
        self.parameters(name).next()
    }

    /// A parameter may stand there more than once.
    pub fn parameters(&self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(known, _)| known == name).map(|(_, value)| *value)
    }

    /// A parameter that may be said once.
    pub fn said(&self, name: &'static str) -> Mention<&'a str> {
        Mention::of(self.parameters(name), |one, other| one.eq_ignore_ascii_case(other))
    }
}

/// A component with its own lines; those of the components inside are theirs.
pub struct Component<'a> {
    /// In upper case.
    pub kind: String,
    pub lines: Vec<ContentLine<'a>>,
    pub parts: Vec<Component<'a>>,
}

impl<'a> Component<'a> {
    pub fn lines<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c ContentLine<'a>> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    /// Whether one of the marks stands for a line of the component.
    pub fn lacks(&self, mark: &str) -> bool {
        self.lines.iter().any(|line| mark.strip_suffix(':') == Some(line.name.as_str()))
    }

    /// A property that may be said once.
    pub fn said<'c>(&'c self, name: &'c str) -> Mention<&'c ContentLine<'a>> {
        Mention::of(self.lines(name), |one, other| one == other)
    }
}

/// What a text is expected to be.
pub const CALENDAR: &str = "iCalendar text (BEGIN:VCALENDAR ... END:VCALENDAR)";

/// Why lines make no components.
pub struct Unpaired {
    pub expected: &'static str,
    pub found: String,
}

const PAIRED: &str = "an END for each BEGIN";
const SHALLOW: &str = "few components inside of one another";

/// The components that stand beside each other.
pub fn components(lines: &[String]) -> Result<Vec<Component<'_>>, Unpaired> {
    let (mut open, mut done): (Vec<Component<'_>>, Vec<Component<'_>>) = (Vec::new(), Vec::new());
    for line in lines.iter().map(|line| ContentLine::of(line)) {
        let unpaired = |expected, found| Err(Unpaired { expected, found });
        match line.name.as_str() {
            "BEGIN" if open.len() == DEEPEST => return unpaired(SHALLOW, format!("more than {DEEPEST}")),
            "BEGIN" => {
                open.push(Component { kind: line.value.to_ascii_uppercase(), lines: Vec::new(), parts: Vec::new() });
            }
            "END" => match open.pop() {
                Some(ended) if line.value.eq_ignore_ascii_case(&ended.kind) => {
                    open.last_mut().map_or(&mut done, |around| &mut around.parts).push(ended);
                }
                _ => return unpaired(PAIRED, format!("END:{} without one", shorten(line.value))),
            },
            _ => match open.last_mut() {
                Some(component) => component.lines.push(line),
                None if line.name.starts_with('?') => {}
                None => return unpaired(CALENDAR, format!("{} outside of any component", shorten(&line.name))),
            },
        }
    }
    match open.last() {
        Some(component) => Err(Unpaired { expected: PAIRED, found: format!("a {} cut off", shorten(&component.kind)) }),
        None => Ok(done),
    }
}
