//! What only the owner of a store may know: link keys, tokens, and the secrets of sources.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use presentation::link::Keys;

use refresh_core::{Instant, base::instant::DAY};

use super::{
    Home, at,
    place::{EVENTS_TOKEN, KEYS, TOKEN},
    presence,
};
use crate::{command::Failed, private};

/// When the key that signs links was made, as far as this store knows.
const KEYS_SINCE: &str = "link-keys-since";
/// Secrets of hooks by name, a JSON object.
const SOURCE_SECRETS: &str = "source-secrets.json";
/// Credentials of polls by name, a JSON object.
const SOURCE_CREDENTIALS: &str = "source-credentials.json";
/// The same as a variable, for machines whose secrets come so.
const CREDENTIALS_VARIABLE: &str = "HOLDPOINT_SOURCE_CREDENTIALS";

/// Where keys and secrets lie that do not lie in the store's folder, and how old a key may become.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct KeyFiles {
    /// The keys that links are signed with.
    pub link_keys: Option<PathBuf>,
    /// After so many days a running engine makes a new key. `None`: `holdpoint rotate-link-keys` alone does.
    pub rotate_days: Option<i64>,
    /// The secrets of hooks by name, a JSON object.
    pub source_secrets: Option<PathBuf>,
    /// The credentials of polls by name, a JSON object.
    pub source_credentials: Option<PathBuf>,
}

/// What a rotation left: the ids of the keys, the signing one first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotated(pub Vec<String>);

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
    ///
    /// # Errors
    /// The keys cannot be read or made; or they are gone, and with them what every mailed link was signed with.
    pub fn link_keys(&self, files: &KeyFiles) -> Result<String, Failed> {
        let own = self.file(KEYS);
        let file = files.link_keys.as_ref().unwrap_or(&own);
        // Where the settings name the file, it is read as it lies; in our own folder nobody else's link is followed.
        let kept = if files.link_keys.is_some() { private::read_named(file) } else { private::read(file) };
        match kept.map_err(Failed::new)? {
            Some(kept) if !kept.trim().is_empty() => Ok(kept.trim().to_owned()),
            // Keys are made before the store is. A store that was imported has none until its first start.
            _ if self.store().exists() && !presence::is_beginning(&self.place).map_err(Failed::new)? => {
                Err(Failed::new(format!(
                    "{}: expected the keys of this store's links there, found none: put them back; to begin with new keys and let every mailed link open nothing, make an empty store",
                    file.display()
                )))
            }
            _ => {
                let made = format!("1:{}", random(file)?);
                private::write(file, &made).map_err(Failed::new)?;
                Ok(made)
            }
        }
    }

    /// Made once: a browser that was let in stays in over restarts.
    pub fn operator_token(&self) -> Result<String, Failed> {
        self.secret(TOKEN)
    }

    /// Made once: what source systems send with their events under a public address.
    pub fn events_token(&self) -> Result<String, Failed> {
        self.secret(EVENTS_TOKEN)
    }

    /// The secrets of hooks, as somebody wrote them: none until the file is there.
    pub(super) fn source_secrets(&self, files: &KeyFiles) -> Result<String, Failed> {
        self.of_sources(files.source_secrets.as_deref(), SOURCE_SECRETS)
    }

    /// The credentials of polls, from the variable or else as somebody wrote them: none until either is there.
    pub(super) fn source_credentials(&self, files: &KeyFiles) -> Result<String, Failed> {
        if let Some(given) = std::env::var(CREDENTIALS_VARIABLE).ok().filter(|given| !given.trim().is_empty()) {
            return Ok(given);
        }
        self.of_sources(files.source_credentials.as_deref(), SOURCE_CREDENTIALS)
    }

    /// A named file must be there; the folder's own need not.
    fn of_sources(&self, named: Option<&Path>, own: &str) -> Result<String, Failed> {
        let Some(file) = named else {
            return Ok(private::read(&self.file(own)).map_err(Failed::new)?.unwrap_or_default());
        };
        let found = private::read_named(file).map_err(Failed::new)?;
        found.ok_or_else(|| {
            Failed::new(format!("{}: expected a JSON object by name there, found no file", file.display()))
        })
    }

    fn secret(&self, name: &str) -> Result<String, Failed> {
        let path = self.file(name);
        let kept = private::read(&path).map_err(Failed::new)?;
        match kept.map(|kept| kept.trim().to_owned()).filter(|kept| !kept.is_empty()) {
            Some(kept) => Ok(kept),
            None => {
                let made = random(&path)?;
                private::write(&path, &made).map_err(Failed::new)?;
                Ok(made)
            }
        }
    }

    /// A new key signs from the next start or reload on; the one that signed until now still opens what was mailed, and an
    /// older one opens nothing any more.
    ///
    /// # Errors
    /// The keys cannot be read, made or written.
    pub fn rotate_link_keys(&self, files: &KeyFiles, now: Instant) -> Result<Rotated, Failed> {
        let path = files.link_keys.clone().unwrap_or_else(|| self.file(KEYS));
        let keys = Keys::parse(&self.link_keys(files)?).map_err(|error| at("reading", &path, error))?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| at("making a key for", &path, error))?;
        let keys = keys.rotate(key);
        private::write(&path, &keys).map_err(Failed::new)?;
        private::write(&self.file(KEYS_SINCE), &now.to_string()).map_err(Failed::new)?;
        Ok(Rotated(keys.split(',').filter_map(|entry| entry.split_once(':')).map(|(id, _)| id.to_owned()).collect()))
    }

    /// Makes a new key where the settings say that the present one is too old. Of a key whose age is not known the age counts
    /// from the first time that this is asked.
    ///
    /// # Errors
    /// As [`Home::rotate_link_keys`].
    pub fn rotate_in_time(&self, files: &KeyFiles, now: Instant) -> Result<Option<Rotated>, Failed> {
        let Some(days) = files.rotate_days else { return Ok(None) };
        let path = self.file(KEYS_SINCE);
        let known = private::read(&path).map_err(Failed::new)?.and_then(|text| Instant::parse(text.trim()).ok());
        match known {
            // A mark of the time to come was left by a clock that was ahead.
            Some(since) if since <= now => {
                let is_old = since.plus_millis(days * DAY) <= now;
                if is_old { self.rotate_link_keys(files, now).map(Some) } else { Ok(None) }
            }
            _ => private::write(&path, &now.to_string()).map_err(Failed::new).map(|()| None),
        }
    }
}
