//! A posted form: ours, sent from our page, within its time.

use lambda_shell::{
    form,
    web::{Request, SentFrom},
};
use presentation::{
    link::{self, SealRefusal},
    page::{Hint, Returned},
    text::LONGEST_NOTE,
};
use refresh_core::Instant;

use crate::{
    Env,
    link::{Opened, state},
};

/// The fields of a form that was found to be ours.
pub struct Posted {
    fields: Vec<(String, String)>,
    /// The name of the field beside the choice, in which people write.
    text: &'static str,
}

impl Posted {
    /// Why the form is not taken, otherwise: the page is shown again with that hint, and one line says so to an operator.
    /// `text`: the name of the field in which people write.
    ///
    /// # Errors
    ///
    /// The hint for the reader: the form was sent from elsewhere, is not ours, or was open too long.
    pub fn read(env: &Env, opened: &Opened, request: &Request, text: &'static str) -> Result<Self, Returned> {
        let posted = Self::checked(env, opened, request, text);
        if let Err(returned) = &posted {
            tracing::warn!(reason = returned.hint.word(), "a form was refused");
        }
        posted
    }

    fn checked(env: &Env, opened: &Opened, request: &Request, text: &'static str) -> Result<Self, Returned> {
        // Somebody else may have written it: a page of ours does not say it in the reader's name.
        let unknown = |hint| Returned { hint, written: String::new() };
        match request.sent_from() {
            SentFrom::OwnPage => {}
            SentFrom::Elsewhere => return Err(unknown(Hint::SentFromElsewhere)),
            SentFrom::Hidden | SentFrom::Unsaid => return Err(unknown(Hint::SentFromUnsaid)),
        }
        let fields = form::read(request).map_err(|_| unknown(Hint::Unreadable))?;
        let now = Instant::from_millis(env.clock.now_millis());
        let Some(seal) = form::field(&fields, "seal") else { return Err(unknown(Hint::NotOurs)) };
        let checked = link::form_check(seal, &env.keys, &opened.text, &state(&opened.token), now);
        let posted = Self { fields, text };
        match checked {
            // A form of another state was ours: what became of its proposal or row is for the rules to say.
            Ok(_) | Err(SealRefusal::OtherState { .. }) => Ok(posted),
            Err(SealRefusal::Forged) => Err(unknown(Hint::NotOurs)),
            Err(SealRefusal::TooOld { .. }) => Err(posted.returned(Hint::OpenTooLong)),
        }
    }

    fn returned(&self, hint: Hint) -> Returned {
        Returned { hint, written: self.written() }
    }

    /// A browser counts the end of a line as one character and sends two.
    fn written(&self) -> String {
        form::field(&self.fields, self.text).unwrap_or_default().trim().replace("\r\n", "\n")
    }

    /// What was chosen by hand: nothing is preselected.
    ///
    /// # Errors
    ///
    /// [`Hint::NothingChosen`], where the field is absent, stands twice, or has no value that `parse` takes.
    pub fn chosen<T>(&self, field: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Returned> {
        form::field(&self.fields, field).and_then(parse).ok_or_else(|| self.returned(Hint::NothingChosen))
    }

    /// What was written beside it; blank is nothing.
    ///
    /// # Errors
    ///
    /// [`Hint::TooLong`], beyond [`LONGEST_NOTE`] characters.
    pub fn note(&self) -> Result<Option<String>, Returned> {
        let note = self.written();
        if note.chars().count() > LONGEST_NOTE {
            return Err(self.returned(Hint::TooLong));
        }
        Ok(Some(note).filter(|note| !note.is_empty()))
    }
}
