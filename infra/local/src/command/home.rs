//! The directory of the local engine, and who has it open.
//!
//! | file | holds |
//! |---|---|
//! | `lock` | locked by the process that runs the engine; the lock ends with the process, however it ends |
//! | `engine.json` | where that engine answers, and which store it uses; left behind, it names the newest one |
//! | `store.sqlite` | everything of `serve` but messages and mails |
//! | `messages.sqlite` | the messages of its queues, and its mails |
//! | `story/store.sqlite` | everything of the newest `run` |
//! | `link-keys` | what links are signed with; made once |
//! | `operator-token` | what lets the operator in at the engine's pages and commands; made once |
//!
//! All of it is readable by the owner alone, whatever it was before; a symbolic link in a place of these is not followed.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use presentation::link::Keys;
use serde::{Deserialize, Serialize};

use super::Failed;
use crate::{
    engine::{Settings, Storage},
    private,
};

pub struct Home {
    directory: PathBuf,
    /// Held while it lives.
    _lock: File,
}

/// What is written for other processes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Running {
    /// `127.0.0.1:8420`; none where the process only did one thing.
    pub address: Option<String>,
    /// Relative to the directory.
    pub store: PathBuf,
    /// The policy it runs under.
    pub policy: String,
}

/// Either the directory is ours now, or an engine runs in it already.
pub enum Found {
    Ours(Home),
    Running(Running),
}

const STORE: &str = "store.sqlite";
const STORY: &str = "story";
/// Whoever is found running must first have written where; it does so right after it took the lock.
const NOTE: &str = "engine.json";
const TOKEN: &str = "operator-token";

fn at(doing: &str, path: &Path, error: impl std::fmt::Display) -> Failed {
    Failed::new(format!("{doing} {}: {error}", path.display()))
}

pub fn find(directory: &Path) -> Result<Found, Failed> {
    private::folder(directory).map_err(Failed::new)?;
    let path = directory.join("lock");
    let (lock, _) = private::file(&path).map_err(Failed::new)?;
    match lock.try_lock() {
        Ok(()) => Ok(Found::Ours(Home { directory: directory.to_owned(), _lock: lock })),
        Err(TryLockError::WouldBlock) => match note(directory)? {
            Some(running) => Ok(Found::Running(running)),
            None => Err(Failed::new(format!("{}: another holdpoint is just starting; try again", directory.display()))),
        },
        Err(TryLockError::Error(error)) => Err(at("locking", &path, error)),
    }
}

fn note(directory: &Path) -> Result<Option<Running>, Failed> {
    let path = directory.join(NOTE);
    let text = private::read(&path).map_err(Failed::new)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| at("reading", &path, error))).transpose()
}

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
    /// The directory, or a reason naming who has it.
    pub fn take(directory: &Path) -> Result<Self, Failed> {
        match find(directory)? {
            Found::Ours(home) => Ok(home),
            Found::Running(running) => {
                let address = running.address.map_or(String::new(), |address| format!(" at http://{address}"));
                let place = directory.display();
                Err(Failed::new(format!(
                    "{place}: an engine runs here already{address}; stop it, or take another --data"
                )))
            }
        }
    }

    pub fn store(&self) -> PathBuf {
        self.directory.join(STORE)
    }

    /// An empty place for the story: it plays on a day of its own, so it never mixes with what `serve` keeps, nor with
    /// an earlier telling.
    pub fn story(&self) -> Result<PathBuf, Failed> {
        let directory = self.directory.join(STORY);
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(at("emptying", &directory, error));
            }
            _ => {}
        }
        private::folder(&directory).map_err(Failed::new)?;
        Ok(directory.join(STORE))
    }

    /// The store of the newest engine that ran here, and its policy.
    pub fn newest(&self) -> Result<Option<(PathBuf, String)>, Failed> {
        let newest = note(&self.directory)?.map(|running| (self.directory.join(running.store), running.policy));
        Ok(newest.filter(|(store, _)| store.exists()))
    }

    /// Tells other processes where this engine answers and what it uses.
    pub fn announce(&self, settings: &Settings, address: Option<String>) -> Result<(), Failed> {
        let Storage::File(store) = &settings.storage else { return Ok(()) };
        let store = store.strip_prefix(&self.directory).unwrap_or(store).to_owned();
        let running = Running { address, store, policy: settings.policy.clone() };
        let text = serde_json::to_string(&running).map_err(Failed::new)?;
        private::write(&self.directory.join(NOTE), &text).map_err(Failed::new)
    }

    /// Made once: links stay good over restarts.
    pub fn link_keys(&self) -> Result<String, Failed> {
        self.secret("link-keys", |key| format!("1:{key}"))
    }

    /// Made once: a browser that was let in stays in over restarts.
    pub fn operator_token(&self) -> Result<String, Failed> {
        self.secret(TOKEN, |token| token)
    }

    fn secret(&self, name: &str, of: impl FnOnce(String) -> String) -> Result<String, Failed> {
        let path = self.directory.join(name);
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
        let path = self.directory.join("link-keys");
        let keys = Keys::parse(&self.link_keys()?).map_err(|error| at("reading", &path, error))?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| at("making a key for", &path, error))?;
        let keys = keys.rotate(key);
        private::write(&path, &keys).map_err(Failed::new)?;
        Ok(keys.split(',').filter_map(|entry| entry.split_once(':')).map(|(id, _)| id.to_owned()).collect())
    }

    /// An engine of this machine. `port`: what links lead to.
    pub fn settings(&self, store: PathBuf, policy: String, port: u16) -> Result<Settings, Failed> {
        Ok(Settings {
            storage: Storage::File(store),
            link_base: format!("http://127.0.0.1:{port}"),
            mail_from: "holdpoint@localhost.invalid".to_owned(),
            mail_domain: "localhost.invalid".to_owned(),
            link_keys: self.link_keys()?,
            operator_token: self.operator_token()?,
            ..Settings::in_memory(policy)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("holdpoint-home-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        directory
    }

    #[test]
    fn a_directory_has_one_engine_and_its_keys_stay() {
        let directory = directory("one");
        let home = Home::take(&directory).unwrap();
        let keys = home.link_keys().unwrap();
        let settings = home.settings(home.store(), "{}".to_owned(), 8420).unwrap();
        home.announce(&settings, Some("127.0.0.1:8420".to_owned())).unwrap();
        let Found::Running(running) = find(&directory).unwrap() else { panic!("taken twice") };
        assert_eq!(running.address.as_deref(), Some("127.0.0.1:8420"));
        assert_eq!(running.store, Path::new("store.sqlite"));
        let refused = Home::take(&directory).err().unwrap();
        assert!(refused.why.contains("http://127.0.0.1:8420"), "{}", refused.why);
        drop(home);
        let home = Home::take(&directory).unwrap();
        assert_eq!(home.link_keys().unwrap(), keys);
        assert_eq!(home.newest().unwrap(), None, "the store itself was never made");
        assert_eq!(home.rotate_link_keys().unwrap(), ["2", "1"]);
        let rotated = home.link_keys().unwrap();
        assert!(rotated.ends_with(&keys), "the key that signed until now stays, second");
        assert_eq!(home.rotate_link_keys().unwrap(), ["3", "2"]);
        fs::remove_dir_all(&directory).unwrap();
    }

    /// Whatever an earlier release or somebody else left there.
    #[cfg(unix)]
    #[tokio::test]
    async fn everything_in_it_is_the_owners_alone_and_no_link_is_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let directory = directory("modes");
        let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let open = async || {
            let home = Home::take(&directory)?;
            let settings = home.settings(home.store(), crate::command::replay::POLICY.to_owned(), 8420)?;
            home.announce(&settings, Some("127.0.0.1:8420".to_owned()))?;
            let clock = lambda_shell::clock::Clock::system();
            let engine = crate::engine::Engine::open(settings, clock).await.map_err(Failed::new)?;
            Ok::<_, Failed>((home, engine))
        };
        let names = || {
            let mut names: Vec<PathBuf> = fs::read_dir(&directory).unwrap().map(|one| one.unwrap().path()).collect();
            names.sort();
            names
        };
        for loose in [0o777, 0o755] {
            let opened = open().await.unwrap();
            assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
            let found = names();
            // Both databases with log and shared memory, lock, note, keys, token.
            assert_eq!(found.len(), 10, "{found:?}");
            for path in &found {
                assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
            }
            drop(opened);
            for path in names() {
                set(&path, loose & 0o666);
            }
            set(&directory, loose);
        }
        drop(open().await.unwrap());

        let elsewhere = directory.with_extension("elsewhere");
        for path in names() {
            let aside = directory.with_extension("aside");
            fs::rename(&path, &aside).unwrap();
            symlink(&elsewhere, &path).unwrap();
            let outcome = open().await;
            assert!(!elsewhere.exists(), "{} was followed", path.display());
            // What is written whole takes the link's place instead.
            let replaced = outcome.is_ok() && !fs::symlink_metadata(&path).unwrap().file_type().is_symlink();
            let why = outcome.err().map(|failed| failed.why);
            let refused = why.as_ref().is_some_and(|why| why.contains("symbolic link"));
            assert!(replaced || refused, "{}: {why:?}", path.display());
            fs::remove_file(&path).unwrap();
            fs::rename(&aside, &path).unwrap();
        }
        fs::remove_dir_all(&directory).unwrap();
    }
}
