//! What people see: signed links, mails, calendar parts, pages. Pure: bytes out, no I/O, no clock, no randomness.
//!
//! [`link`] makes and opens links; [`mail`] composes a decided notice; [`calendar`] writes its calendar parts; [`page`]
//! renders pages. [`wording`] has the words, [`moment`] the times, [`text`] the types that make outside text harmless.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod calendar;
pub mod link;
pub mod mail;
pub mod moment;
pub mod page;
pub mod text;
pub mod wording;

/// A finished message that does not read back as what was meant. It is not sent; the fault is ours, or an attack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsafe {
    /// What was looked at.
    pub what: String,
    /// What it should have been.
    pub expected: String,
    /// For people with the store at hand: it may quote outside text, so it is shown, not logged.
    pub found: String,
}

impl Unsafe {
    pub(crate) fn new(what: &str, expected: &str, found: &str) -> Self {
        Self { what: what.to_owned(), expected: expected.to_owned(), found: text::one_line(found, 300) }
    }
}

impl std::fmt::Display for Unsafe {
    /// Without what was found: log lines carry no address, no token, no body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} does not read back as meant", self.what)
    }
}

impl std::error::Error for Unsafe {}
