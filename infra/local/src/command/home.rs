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
//! | `link-keys` | what links are signed with; made once |
//! | `operator-token` | what lets the operator in at the engine's pages and commands; made once |
//! | `events-token` | what source systems send with their events under a public address; made once |
//!
//! The name of the store's file says whose it is, so the demo cannot empty a store of `serve`. Every file is readable by
//! the owner alone, whatever it was before; a symbolic link in a place of these is not followed.

use std::{
    fmt,
    fs::{self, File, TryLockError},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use presentation::link::Keys;
use serde::{Deserialize, Serialize};

use super::Failed;
use crate::{
    embedded::Embedded,
    engine::{Settings, Storage},
    private,
};

/// Where `serve` keeps everything, unless `--data` says otherwise.
const SERVICE: &str = ".holdpoint";
/// Where the demo keeps everything, unless `--data` says otherwise.
const DEMO: &str = ".holdpoint/demo";
/// Whoever is found running must first have written where; it does so right after it took the lock.
const NOTE: &str = "engine.json";
const SETTINGS: &str = "settings-file";
pub const POLICY: &str = "accepted-policy.json";

/// The command that a store belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// `serve`: what it accepted is kept.
    Service,
    /// The demo: it begins with an empty store each time.
    Demo,
}

impl Owner {
    const fn file(self) -> &'static str {
        match self {
            Self::Service => "store.sqlite",
            Self::Demo => "demo.sqlite",
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "the service's",
            Self::Demo => "the demo's",
        })
    }
}

/// A store, by its folder and its owner. It need not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub directory: PathBuf,
    pub owner: Owner,
}

impl Place {
    /// Where `owner` keeps its store: in the folder of `--data`, or in its own.
    pub fn of(owner: Owner, data: Option<&Path>) -> Self {
        let own = match owner {
            Owner::Service => SERVICE,
            Owner::Demo => DEMO,
        };
        Self { directory: data.unwrap_or(Path::new(own)).to_owned(), owner }
    }

    /// The store that a command asks: the service's, or the demo's where there is no service's.
    ///
    /// # Errors
    /// Where there is neither: both names, and what makes them.
    pub fn to_ask(data: Option<&Path>) -> Result<Self, Failed> {
        let places = [Owner::Service, Owner::Demo].map(|owner| Self::of(owner, data));
        let [service, demo] = places.each_ref().map(|place| place.store().display().to_string());
        places.into_iter().find(|place| place.store().exists()).ok_or_else(|| {
            Failed::new(format!(
                "there is no store: {service} (the service's) and {demo} (the demo's) do not exist; \
                 `holdpoint serve` makes the first, `holdpoint` without a command the second"
            ))
        })
    }

    pub fn store(&self) -> PathBuf {
        self.directory.join(self.owner.file())
    }
}

pub struct Home {
    place: Place,
    /// Held while it lives.
    _lock: File,
}

/// What is written for other processes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Running {
    /// `127.0.0.1:8420`; none where the process only does one thing.
    pub address: Option<String>,
    /// The port of the engine that ran here last: links lead to it, also those that a single command signs.
    #[serde(default)]
    pub port: Option<u16>,
}

/// Where `serve` and the demo listen, unless `--port` says otherwise.
pub const PORT: u16 = 8420;

/// Either the folder is ours now, or an engine runs in it already.
pub enum Found {
    Ours(Home),
    Running(Running),
}

const TOKEN: &str = "operator-token";
/// Secrets of hooks by name, a JSON object.
const SOURCE_SECRETS: &str = "source-secrets.json";
/// Credentials of polls by name, a JSON object.
const SOURCE_CREDENTIALS: &str = "source-credentials.json";
/// The same as a variable, for machines whose secrets come so.
const CREDENTIALS_VARIABLE: &str = "HOLDPOINT_SOURCE_CREDENTIALS";

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
    let path = directory.join("lock");
    let (lock, _) = private::file(&path).map_err(Failed::new)?;
    match lock.try_lock() {
        Ok(()) => Ok(Found::Ours(Home { place: place.clone(), _lock: lock })),
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
    /// The folder of a place that an engine is to run in.
    ///
    /// # Errors
    /// Where somebody else has it, by whom; where it holds the store of another owner.
    pub fn take(place: &Place) -> Result<Self, Failed> {
        let shown = place.directory.display();
        let others = match place.owner {
            Owner::Service => Owner::Demo,
            Owner::Demo => Owner::Service,
        };
        let store = Place { owner: others, ..place.clone() }.store();
        if store.exists() {
            let store = store.display();
            return Err(Failed::new(format!("{shown}: {store} is {others} store; take another --data")));
        }
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

    /// Tells other processes where this engine answers.
    ///
    /// # Errors
    /// Where the note cannot be read or written.
    pub fn announce(&self, address: Option<SocketAddr>) -> Result<(), Failed> {
        let port = match address {
            Some(address) => Some(address.port()),
            None => note(&self.place.directory)?.and_then(|running| running.port),
        };
        let running = Running { address: address.map(|address| address.to_string()), port };
        let text = serde_json::to_string(&running).map_err(Failed::new)?;
        private::write(&self.file(NOTE), &text).map_err(Failed::new)
    }

    /// Keeps where the settings stand that the engine runs by, for commands that open the store while no engine runs.
    ///
    /// # Errors
    /// Where the note cannot be written.
    pub fn remember_settings(&self, file: Option<&Path>) -> Result<(), Failed> {
        let file = file.map(|file| std::path::absolute(file).map_err(|error| at("naming", file, error))).transpose()?;
        let text = file.map_or(String::new(), |file| file.display().to_string());
        private::write(&self.file(SETTINGS), &text).map_err(Failed::new)
    }

    /// The settings file of the engine that ran here last; `None` where it ran by none.
    ///
    /// # Errors
    /// Where the note cannot be read.
    pub fn remembered_settings(&self) -> Result<Option<PathBuf>, Failed> {
        let text = private::read(&self.file(SETTINGS)).map_err(Failed::new)?;
        Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).map(PathBuf::from))
    }

    /// The port that links lead to while no engine runs: that of the last one, so that a link which a single command
    /// signs opens when the engine is up again.
    ///
    /// # Errors
    /// Where the note of the last engine cannot be read.
    pub fn last_port(&self) -> Result<u16, Failed> {
        Ok(note(&self.place.directory)?.and_then(|running| running.port).unwrap_or(PORT))
    }

    /// Made once: links stay good over restarts.
    pub fn link_keys(&self) -> Result<String, Failed> {
        self.secret("link-keys", |key| format!("1:{key}"))
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
    fn source_credentials(&self) -> Result<String, Failed> {
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
        let path = self.file("link-keys");
        let keys = Keys::parse(&self.link_keys()?).map_err(|error| at("reading", &path, error))?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| at("making a key for", &path, error))?;
        let keys = keys.rotate(key);
        private::write(&path, &keys).map_err(Failed::new)?;
        Ok(keys.split(',').filter_map(|entry| entry.split_once(':')).map(|(id, _)| id.to_owned()).collect())
    }

    /// An engine of this machine. `port`: what links lead to.
    pub fn settings(&self, policy: String, port: u16) -> Result<Settings, Failed> {
        Ok(Settings {
            storage: Storage::File(self.store()),
            link_base: format!("http://127.0.0.1:{port}"),
            mail_from: "holdpoint@localhost.invalid".to_owned(),
            mail_domain: "localhost.invalid".to_owned(),
            link_keys: self.link_keys()?,
            operator_token: self.operator_token()?,
            events_token: self.events_token()?,
            source_secrets: self.source_secrets()?,
            source_credentials: self.source_credentials()?,
            web: None,
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
        let place = Place::of(Owner::Service, Some(&directory("one")));
        let home = Home::take(&place).unwrap();
        let keys = home.link_keys().unwrap();
        home.announce(Some(SocketAddr::from(([127, 0, 0, 1], 8420)))).unwrap();
        let Found::Running(running) = find(&place).unwrap() else { panic!("taken twice") };
        assert_eq!(running.address.as_deref(), Some("127.0.0.1:8420"));
        let refused = Home::take(&place).err().unwrap();
        assert!(refused.why.contains("http://127.0.0.1:8420"), "{}", refused.why);
        drop(home);
        let home = Home::take(&place).unwrap();
        assert_eq!(home.link_keys().unwrap(), keys);
        assert_eq!(home.rotate_link_keys().unwrap(), ["2", "1"]);
        let rotated = home.link_keys().unwrap();
        assert!(rotated.ends_with(&keys), "the key that signed until now stays, second");
        assert_eq!(home.rotate_link_keys().unwrap(), ["3", "2"]);
        fs::remove_dir_all(&place.directory).unwrap();
    }

    /// A command that opens the store by itself announces no address, and must not forget where links lead.
    #[test]
    fn links_lead_to_the_port_of_the_engine_that_ran_last() {
        let place = Place::of(Owner::Service, Some(&directory("port")));
        let home = Home::take(&place).unwrap();
        assert_eq!(home.last_port().unwrap(), PORT);
        for port in [9000, 9001] {
            home.announce(Some(SocketAddr::from(([127, 0, 0, 1], port)))).unwrap();
            for _ in 0..2 {
                home.announce(None).unwrap();
                assert_eq!(home.last_port().unwrap(), port);
                let settings = home.settings(String::new(), home.last_port().unwrap()).unwrap();
                assert_eq!(settings.link_base, format!("http://127.0.0.1:{port}"));
            }
        }
        fs::remove_dir_all(&place.directory).unwrap();
    }

    /// `serve` and the demo, one after the other in one folder: neither touches the other's store.
    #[test]
    fn an_owner_does_not_take_a_folder_with_the_store_of_another() {
        for (owner, other) in [(Owner::Service, Owner::Demo), (Owner::Demo, Owner::Service)] {
            let place = Place::of(owner, Some(&directory("owners")));
            let home = Home::take(&place).unwrap();
            fs::write(home.store(), "all of it").unwrap();
            drop(home);
            let refused = Home::take(&Place { owner: other, ..place.clone() }).err().unwrap();
            assert!(refused.why.contains(&place.store().display().to_string()), "{}", refused.why);
            assert_eq!(fs::read_to_string(place.store()).unwrap(), "all of it");
            fs::remove_dir_all(&place.directory).unwrap();
        }
    }

    #[test]
    fn a_command_asks_the_store_of_the_service_before_that_of_the_demo() {
        let directory = directory("ask");
        let none = Place::to_ask(Some(&directory)).err().unwrap();
        for owner in [Owner::Service, Owner::Demo] {
            let store = Place::of(owner, Some(&directory)).store();
            assert!(none.why.contains(&store.display().to_string()), "{}", none.why);
        }
        assert!(!directory.exists(), "asking makes nothing");
        fs::create_dir_all(&directory).unwrap();
        for owner in [Owner::Demo, Owner::Service] {
            let place = Place::of(owner, Some(&directory));
            fs::write(place.store(), "").unwrap();
            assert_eq!(Place::to_ask(Some(&directory)).unwrap(), place);
        }
        fs::remove_dir_all(&directory).unwrap();
        assert_ne!(Place::of(Owner::Service, None).directory, Place::of(Owner::Demo, None).directory);
    }

    /// Whatever an earlier release or somebody else left there.
    #[cfg(unix)]
    #[tokio::test]
    async fn everything_in_it_is_the_owners_alone_and_no_link_is_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let directory = directory("modes");
        let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let open = async || {
            let home = Home::take(&Place::of(Owner::Service, Some(&directory)))?;
            home.accept_policy(crate::command::policy::EXAMPLE)?;
            let settings = home.settings(crate::command::policy::EXAMPLE.to_owned(), 8420)?;
            home.announce(Some(SocketAddr::from(([127, 0, 0, 1], 8420))))?;
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
            // Both databases with log and shared memory, lock, note, policy, keys, two tokens.
            assert_eq!(found.len(), 12, "{found:?}");
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
