//! Outside text, made harmless once. Builders of headers, calendars and pages take these types, never a bare string.
//!
//! What is refused is not letters but what acts: line ends and other controls, marks that reverse the direction of what
//! follows, and characters nobody can see. Length is cut, so that no name fills a page.

use std::fmt;

use refresh_core::base::name::acts;

/// The longest name, title or id shown in one place.
pub const LONGEST_LINE: usize = 200;
/// The longest note a person can leave.
pub const LONGEST_NOTE: usize = 1_000;

/// One line: controls and line ends become blanks, blanks are folded into one, length is cut with an ellipsis.
pub fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::with_capacity(text.len().min(longest * 4));
    let mut count = 0;
    let mut blank = false;
    for c in text.chars().filter(|c| !acts(*c)) {
        if c.is_control() || c.is_whitespace() {
            blank = count > 0;
            continue;
        }
        if count + usize::from(blank) >= longest {
            line.push('…');
            return line;
        }
        if std::mem::take(&mut blank) {
            line.push(' ');
            count += 1;
        }
        line.push(c);
        count += 1;
    }
    line
}

/// A review's title on one line; its id where the title shows nothing.
pub fn title(title: &str, review: &str) -> String {
    let cleaned = one_line(title, LONGEST_LINE);
    if cleaned.is_empty() { format!("Review {}", one_line(review, LONGEST_LINE)) } else { cleaned }
}

macro_rules! lines {
    ($($(#[$doc:meta])* $name:ident($longest:expr) $map:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
        pub struct $name(String);

        impl $name {
            /// The text made harmless: one line, shortened, without characters that act.
            pub fn of(text: &str) -> Self {
                let map: fn(char) -> Option<char> = $map;
                Self(one_line(&text.chars().filter_map(map).collect::<String>(), $longest))
            }

            /// The harmless text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

lines! {
    /// One line of a mail's or page's text.
    Line(LONGEST_LINE) Some;
    /// A calendar property's text, one line. Escaping `\ ; ,` is the builder's, and proved by reading back.
    CalText(LONGEST_LINE) Some;
    /// A calendar parameter's value. RFC 5545 has no escape for a quote there, and RFC 6868 gives `^` a meaning.
    CalParam(64) |c| match c {
        '"' => Some('\''),
        '\\' | '^' => None,
        c => Some(c),
    };
    /// What a person wrote: a reason, a note.
    Note(LONGEST_NOTE) Some;
}

/// What a reader wrote into a form, for its field again: whole, with its lines, without other controls and what acts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Written(String);

impl Written {
    /// The text made harmless.
    pub fn of(text: &str) -> Self {
        let stays = |c: &char| !acts(*c) && (!c.is_control() || matches!(c, '\n' | '\t'));
        Self(text.chars().filter(stays).collect())
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A header's text: a subject, a display name. `=?` would begin an encoded word, so it never stands together: readers
/// would decode what was meant as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct HeaderText(String);

impl HeaderText {
    /// The text made harmless: one line, shortened, without the begin of an encoded word.
    pub fn of(text: &str) -> Self {
        Self(one_line(text, LONGEST_LINE).replace("=?", "= ?"))
    }

    /// The harmless text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CalText {
    /// Several lines, each harmless: the only line ends are ours.
    pub fn lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let all: Vec<String> = lines.into_iter().map(|line| one_line(line, 600)).collect();
        Self(all.join("\n"))
    }
}

/// An absolute `http` or `https` URL of visible ASCII, without what could end an attribute or a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url(String);

impl Url {
    fn is_harmless(c: char) -> bool {
        c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&()*+,;=%".contains(c)
    }

    /// The error says what was expected, and not what was found: a link is a capability.
    ///
    /// # Errors
    ///
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        match rest {
            Some(rest) if !rest.is_empty() && text.len() <= 998 && rest.chars().all(Self::is_harmless) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err("an absolute http or https URL of plain ASCII".to_owned()),
        }
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What every mailed link begins with, checked once at start: with any other no mail could be made.
///
/// # Errors
/// What was expected.
pub fn link_base(text: &str) -> Result<String, String> {
    Url::parse(text).map(|base| base.0)
}

/// Where a page leads to: a path of its own host, or a whole URL. A mail has no host of its own, so its links are [`Url`]s.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Href(String);

impl Href {
    /// The error says what was expected, and not what was found: a link is a capability.
    ///
    /// # Errors
    ///
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        // Two slashes, or a backslash that browsers read as one, would name another host.
        let own = text.starts_with('/') && !text.starts_with("//") && text.len() <= 998;
        match own && text.chars().all(Url::is_harmless) || Url::parse(text).is_ok() {
            true => Ok(Self(text.to_owned())),
            false => Err("a path of plain ASCII, or an absolute http or https URL".to_owned()),
        }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Href {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of a path or of a query: everything but plain characters in per cent.
pub(crate) fn escape(segment: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    segment
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
