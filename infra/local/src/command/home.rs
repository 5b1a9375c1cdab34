//! The directory of the local engine, and who has it open.
//!
//! | file | holds |
//! |---|---|
//! | `lock` | locked by the process that runs the engine; the lock ends with the process, however it ends |
//! | `engine.json` | where that engine answers, and which store it uses; left behind, it names the newest one |
//! | `store.sqlite` | everything of `serve` |
//! | `story/store.sqlite` | everything of the newest `run` |
//! | `link-keys` | what links are signed with; made once, readable by the owner alone |

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use presentation::link::Keys;
use serde::{Deserialize, Serialize};

use super::Failed;
use crate::engine::{Settings, Storage};

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

fn at(doing: &str, path: &Path, error: impl std::fmt::Display) -> Failed {
    Failed::new(format!("{doing} {}: {error}", path.display()))
}

pub fn find(directory: &Path) -> Result<Found, Failed> {
    fs::create_dir_all(directory).map_err(|error| at("making", directory, error))?;
    let path = directory.join("lock");
    let lock = File::options().create(true).truncate(false).write(true).open(&path);
    let lock = lock.map_err(|error| at("opening", &path, error))?;
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
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| at("reading", &path, error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at("reading", &path, error)),
    }
}

/// Readable by the owner alone, on the disk when this returns.
fn write_secret(path: &Path, text: &str) -> Result<(), Failed> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| at("writing", path, error))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| at("writing", path, error))
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
        fs::create_dir_all(&directory).map_err(|error| at("making", &directory, error))?;
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
        // Whole or not at all: a reader never sees half of it.
        let (path, draft) = (self.directory.join(NOTE), self.directory.join("engine.json.new"));
        fs::write(&draft, text).map_err(|error| at("writing", &draft, error))?;
        fs::rename(&draft, &path).map_err(|error| at("writing", &path, error))
    }

    /// Made once: links stay good over restarts.
    pub fn link_keys(&self) -> Result<String, Failed> {
        let path = self.directory.join("link-keys");
        match fs::read_to_string(&path) {
            Ok(keys) => return Ok(keys.trim().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(at("reading", &path, error)),
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| at("making a key for", &path, error))?;
        let keys = format!("1:{}", URL_SAFE_NO_PAD.encode(key));
        write_secret(&path, &keys)?;
        Ok(keys)
    }

    /// A new key signs from the next start on; the one that signed until now still opens what was mailed, and an older one
    /// opens nothing any more. Answers with the ids, the signing one first.
    pub fn rotate_link_keys(&self) -> Result<Vec<String>, Failed> {
        let path = self.directory.join("link-keys");
        let keys = Keys::parse(&self.link_keys()?).map_err(|error| at("reading", &path, error))?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| at("making a key for", &path, error))?;
        let keys = keys.rotate(key);
        // Whole or not at all, like the note: half a file of keys would close every link.
        let draft = self.directory.join("link-keys.new");
        let _ = fs::remove_file(&draft);
        write_secret(&draft, &keys)?;
        fs::rename(&draft, &path).map_err(|error| at("writing", &path, error))?;
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
}
