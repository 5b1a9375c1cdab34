//! A posted form: ours, sent from our page, within its time.

use lambda_shell::{
    form,
    web::{Request, SentFrom},
};
use presentation::{
    link::{self, SealRefusal},
    page::Hint,
    text::LONGEST_NOTE,
};
use refresh_core::Instant;

use crate::{
    Env,
    link::{Opened, state},
};

/// The fields of a form that was found to be ours.
pub struct Posted(Vec<(String, String)>);

impl Posted {
    /// Why the form is not taken, otherwise: the page is shown again with that hint, and one line says so to an operator.
    ///
    /// # Errors
    ///
    /// The hint for the reader: the form was sent from elsewhere, is not ours, or was open too long.
    pub fn read(env: &Env, opened: &Opened, request: &Request) -> Result<Self, Hint> {
        let posted = Self::checked(env, opened, request);
        if let Err(hint) = &posted {
            tracing::warn!(reason = hint.word(), "a form was refused");
        }
        posted
    }

    fn checked(env: &Env, opened: &Opened, request: &Request) -> Result<Self, Hint> {
        match request.sent_from() {
            SentFrom::OwnPage => {}
            SentFrom::Elsewhere => return Err(Hint::SentFromElsewhere),
            SentFrom::Hidden | SentFrom::Unsaid => return Err(Hint::SentFromUnsaid),
        }
        let fields = form::read(request).map_err(|_| Hint::Unreadable)?;
        let now = Instant::from_millis(env.clock.now_millis());
        let Some(seal) = form::field(&fields, "seal") else { return Err(Hint::NotOurs) };
        match link::form_check(seal, &env.keys, &opened.text, &state(&opened.token), now) {
            // A form of another state was ours: what became of its proposal or row is for the rules to say.
            Ok(_) | Err(SealRefusal::OtherState { .. }) => Ok(Self(fields)),
            Err(SealRefusal::Forged) => Err(Hint::NotOurs),
            Err(SealRefusal::TooOld { .. }) => Err(Hint::OpenTooLong),
        }
    }

    /// What was chosen by hand: nothing is preselected.
    ///
    /// # Errors
    ///
    /// [`Hint::NothingChosen`], where the field is absent, stands twice, or has no value that `parse` takes.
    pub fn chosen<T>(&self, field: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Hint> {
        form::field(&self.0, field).and_then(parse).ok_or(Hint::NothingChosen)
    }

    /// What was written beside it; blank is nothing.
    ///
    /// # Errors
    ///
    /// [`Hint::TooLong`], beyond [`LONGEST_NOTE`] characters.
    pub fn note(&self, field: &str) -> Result<Option<String>, Hint> {
        let note = form::field(&self.0, field).map(str::trim).filter(|note| !note.is_empty());
        match note {
            Some(note) if note.chars().count() > LONGEST_NOTE => Err(Hint::TooLong),
            note => Ok(note.map(str::to_owned)),
        }
    }
}
