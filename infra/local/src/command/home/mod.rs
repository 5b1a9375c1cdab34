//! The folder of one local store, and who has it open.
//!
//! | file | holds |
//! |---|---|
//! | `lock` | locked by the process that runs the engine; the lock ends with the process, however it ends |
//! | `engine.json` | where the engine of that process answers |
//! | `settings-file` | the path of the settings that the engine ran by last |
//! | `store.sqlite` | everything of `serve` but messages and mails; `demo.sqlite`, that of the newest demo |
//! | `messages.sqlite` | the messages of its queues, and its mails |
//! | `accepted-policy.json` | the policy that the store accepted last, as it was offered |
//! | `clock-mark` | the engine's time, once in half a minute, against which its next run measures the machine's clock |
//! | `beginning` | nothing; it stands from before the keys are made until the store is |
//! | `link-keys` | what links are signed with; made once, unless the settings name another file |
//! | `link-keys-since` | when the key that signs was made; where the settings let keys be rotated |
//! | `operator-token` | what lets the operator in at the engine's pages and commands; made once |
//! | `events-token` | what source systems send with their events under a public address; made once |
//!
//! The name of the store's file says whose it is, so the demo cannot empty a store of `serve`. Every file is readable by
//! the owner alone, whatever it was before; a symbolic link in a place of these is not followed.

mod place;
mod presence;
mod running;
mod secrets;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use place::SERVICE;
pub use place::{Owner, Place};
use running::note;
pub use running::{PORT, Running, remembered_settings};
pub use secrets::{KeyFiles, Rotated, operator_token};

use super::Failed;
use crate::{
    embedded::{self, Embedded},
    engine::{Settings, Storage},
    private,
    timekeeper::{Mark, Timekeeper},
};

pub const POLICY: &str = "accepted-policy.json";

pub struct Home {
    place: Place,
    /// Held while it lives.
    _lock: File,
}

/// Either the folder is ours now, or an engine runs in it already.
pub enum Found {
    Ours(Home),
    Running(Running),
}

fn at(doing: &str, path: &Path, error: impl fmt::Display) -> Failed {
    Failed::new(format!("{doing} {}: {error}", path.display()))
}

/// Takes the folder of a place, or says who has it.
///
/// # Errors
/// Where the folder or its lock cannot be made the owner's alone, or taken.
pub fn find(place: &Place) -> Result<Found, Failed> {
    let directory = &place.directory;
    // The demo's folder lies in the service's.
    if let Some(above) = directory.parent().filter(|above| *above == Path::new(SERVICE)) {
        private::folder(above).map_err(Failed::new)?;
    }
    private::folder(directory).map_err(Failed::new)?;
    let path = directory.join(embedded::LOCK);
    let others = private::owner_but_us(directory).map_err(Failed::new)?.map(|owner| {
        let shown = directory.display();
        Failed::new(format!(
            "{shown}: this folder is of the user with the id {owner}, who could not read what is made here now: give the command as that user (`runuser -u USER -- holdpoint ...`)"
        ))
    });
    match &others {
        Some(refused) if !path.exists() => return Err(refused.clone()),
        _ => {}
    }
    let (lock, _) = private::file(&path).map_err(Failed::new)?;
    match (lock.try_lock(), others) {
        (Ok(()), Some(refused)) => Err(refused),
        (Ok(()), None) => Ok(Found::Ours(Home { place: place.clone(), _lock: lock })),
        (Err(TryLockError::WouldBlock), _) => match note(directory)? {
            Some(running) => Ok(Found::Running(running)),
            None => Err(Failed::new(format!("{}: another holdpoint is just starting; try again", directory.display()))),
        },
        (Err(TryLockError::Error(error)), _) => Err(at("locking", &path, error)),
    }
}

impl Home {
    /// The folder of a place that an engine is to run in.
    ///
    /// # Errors
    /// Where somebody else has it, by whom; where it holds the store of another owner.
    pub fn take(place: &Place) -> Result<Self, Failed> {
        let shown = place.directory.display();
        place.is_of_its_owner().map_err(Failed::new)?;
        match find(place)? {
            Found::Ours(home) => Ok(home),
            Found::Running(running) => {
                let address = running.address.map_or(String::new(), |address| format!(" at http://{address}"));
                Err(Failed::new(format!(
                    "{shown}: an engine runs here already{address}; stop it, or take another --data"
                )))
            }
        }
    }

    pub const fn place(&self) -> &Place {
        &self.place
    }

    pub fn store(&self) -> PathBuf {
        self.place.store()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.directory.join(name)
    }

    /// Empties the demo's store: the story plays on a day of its own, so it never mixes with an earlier telling.
    pub fn begin_anew(&self) -> Result<(), Failed> {
        if self.place.owner != Owner::Demo {
            let store = self.store();
            return Err(Failed::new(format!("{}: only the demo's store is emptied", store.display())));
        }
        let store = self.store();
        for database in [store.clone(), Embedded::beside(&store)] {
            for suffix in ["", "-wal", "-shm", "-journal"] {
                let mut file = database.clone().into_os_string();
                file.push(suffix);
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(at("emptying", Path::new(&file), error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The store is there from now on: a later start without it has lost it.
    ///
    /// # Errors
    /// The mark of a beginning cannot be removed.
    pub fn begun(&self) -> Result<(), Failed> {
        presence::begun(&self.place)
    }

    /// Where the accepted policy stands.
    pub fn policy_file(&self) -> PathBuf {
        self.file(POLICY)
    }

    /// The text of the policy that this store accepted last, unchecked: it is a file, and anybody may have written in it.
    pub fn accepted_policy(&self) -> Result<Option<String>, Failed> {
        private::read(&self.policy_file()).map_err(Failed::new)
    }

    /// Keeps a policy that was checked. From now on the store runs under it.
    pub fn accept_policy(&self, policy: &str) -> Result<(), Failed> {
        private::write(&self.policy_file(), policy).map_err(Failed::new)
    }

    /// The engine's time, measured on from where the engine that ran here last left it.
    ///
    /// # Errors
    /// The mark that it left cannot be read.
    pub fn timekeeper(&self) -> Result<Timekeeper, Failed> {
        let mark = Mark::read(&self.file(Mark::FILE)).map_err(Failed::new)?;
        Ok(Timekeeper::machine(mark.as_ref()))
    }

    /// An engine of this machine. `port`: what links lead to.
    ///
    /// # Errors
    /// The store of the folder's keys is gone or damaged, or a secret cannot be read or made.
    pub fn settings(&self, policy: String, port: u16, files: &KeyFiles) -> Result<Settings, Failed> {
        Ok(Settings {
            source_secrets: self.source_secrets(files)?,
            source_credentials: self.source_credentials(files)?,
            web: None,
            ..self.settings_to_answer(policy, port, files)?
        })
    }

    /// An engine of this machine that answers an operator and runs no function. It proves no sender and asks no system, so
    /// whoever asks need not have the secrets of sources.
    ///
    /// # Errors
    /// The store of the folder's keys is gone or damaged, or a key cannot be read or made.
    pub fn settings_to_answer(&self, policy: String, port: u16, files: &KeyFiles) -> Result<Settings, Failed> {
        presence::look(&self.place)?;
        Ok(Settings {
            storage: Storage::File(self.store()),
            link_base: format!("http://127.0.0.1:{port}"),
            mail_from: "holdpoint@localhost.invalid".to_owned(),
            mail_domain: "localhost.invalid".to_owned(),
            link_keys: self.link_keys(files)?,
            operator_token: self.operator_token()?,
            events_token: self.events_token()?,
            ..Settings::in_memory(policy)
        })
    }
}
