//! What only the owner of a store may know: link keys, tokens, and the secrets of sources.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use presentation::link::Keys;

use super::{Home, at, presence::KEYS};
use crate::{command::Failed, private};

const TOKEN: &str = "operator-token";
/// Secrets of hooks by name, a JSON object.
const SOURCE_SECRETS: &str = "source-secrets.json";
/// Credentials of polls by name, a JSON object.
const SOURCE_CREDENTIALS: &str = "source-credentials.json";
/// The same as a variable, for machines whose secrets come so.
const CREDENTIALS_VARIABLE: &str = "HOLDPOINT_SOURCE_CREDENTIALS";

/// What lets the operator in at the engine of this directory.
pub fn operator_token(directory: &Path) -> Result<String, Failed> {
    let token = private::read(&directory.join(TOKEN)).map_err(Failed::new)?;
    let expected = || Failed::new(format!("{}: expected the engine's token there", directory.join(TOKEN).display()));
    token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()).ok_or_else(expected)
}

fn random(path: &Path) -> Result<String, Failed> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| at("making a secret for", path, error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl Home {
    /// Made once: links stay good over restarts.
    pub fn link_keys(&self) -> Result<String, Failed> {
        self.secret(KEYS, |key| format!("1:{key}"))
    }

    /// Made once: a browser that was let in stays in over restarts.
    pub fn operator_token(&self) -> Result<String, Failed> {
        self.secret(TOKEN, |token| token)
    }

    /// Made once: what source systems send with their events under a public address.
    pub fn events_token(&self) -> Result<String, Failed> {
        self.secret("events-token", |token| token)
    }

    /// The secrets of hooks, as somebody wrote them: none until the file is there.
    pub fn source_secrets(&self) -> Result<String, Failed> {
        Ok(private::read(&self.file(SOURCE_SECRETS)).map_err(Failed::new)?.unwrap_or_default())
    }

    /// The credentials of polls, from the variable or else as somebody wrote them: none until either is there.
    pub(super) fn source_credentials(&self) -> Result<String, Failed> {
        if let Some(given) = std::env::var(CREDENTIALS_VARIABLE).ok().filter(|given| !given.trim().is_empty()) {
            return Ok(given);
        }
        Ok(private::read(&self.file(SOURCE_CREDENTIALS)).map_err(Failed::new)?.unwrap_or_default())
    }

    fn secret(&self, name: &str, of: impl FnOnce(String) -> String) -> Result<String, Failed> {
        let path = self.file(name);
        let kept = private::read(&path).map_err(Failed::new)?;
        match kept.map(|kept| kept.trim().to_owned()).filter(|kept| !kept.is_empty()) {
            Some(kept) => Ok(kept),
            None => {
                let made = of(random(&path)?);
                private::write(&path, &made).map_err(Failed::new)?;
                Ok(made)
            }
        }
    }

    /// A new key signs from the next start on; the one that signed until now still opens what was mailed, and an older one
    /// opens nothing any more. Answers with the ids, the signing one first.
    pub fn rotate_link_keys(&self) -> Result<Vec<String>, Failed> {
        let path = self.file(KEYS);
        let keys = Keys::parse(&self.link_keys()?).map_err(|error| at("reading", &path, error))?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| at("making a key for", &path, error))?;
        let keys = keys.rotate(key);
        private::write(&path, &keys).map_err(Failed::new)?;
        Ok(keys.split(',').filter_map(|entry| entry.split_once(':')).map(|(id, _)| id.to_owned()).collect())
    }
}
