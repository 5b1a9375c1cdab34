//! A posted form: ours, sent from our page, within its time.

use lambda_shell::{form, web::Request};
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
    /// Why it is not taken, otherwise: the page is shown again with that hint.
    pub fn read(env: &Env, opened: &Opened, request: &Request) -> Result<Self, Hint> {
        let fields = form::read(request).map_err(|_| Hint::SealRefused)?;
        if !request.is_from_own_page() {
            return Err(Hint::SealRefused);
        }
        let now = Instant::from_millis(env.clock.now_millis());
        let seal = form::field(&fields, "seal").unwrap_or_default();
        match link::form_check(seal, &env.keys, &opened.text, &state(&opened.token), now) {
            // A form of another state was ours: what became of its proposal or row is for the rules to say.
            Ok(_) | Err(SealRefusal::OtherState { .. }) => Ok(Self(fields)),
            Err(SealRefusal::Forged | SealRefusal::TooOld { .. }) => Err(Hint::SealRefused),
        }
    }

    /// What was chosen by hand: nothing is preselected.
    pub fn chosen<T>(&self, field: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Hint> {
        form::field(&self.0, field).and_then(parse).ok_or(Hint::NothingChosen)
    }

    /// What was written beside it; blank is nothing.
    pub fn note(&self, field: &str) -> Result<Option<String>, Hint> {
        let note = form::field(&self.0, field).map(str::trim).filter(|note| !note.is_empty());
        match note {
            Some(note) if note.chars().count() > LONGEST_NOTE => Err(Hint::TooLong),
            note => Ok(note.map(str::to_owned)),
        }
    }
}
