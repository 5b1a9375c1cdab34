//! Where a local store is, and whose.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::command::Failed;

/// Where `serve` keeps everything, unless `--data` says otherwise.
pub(super) const SERVICE: &str = ".holdpoint";
/// Where the demo keeps everything, unless `--data` says otherwise.
const DEMO: &str = ".holdpoint/demo";

/// The keys of links, in the store's folder.
pub(super) const KEYS: &str = "link-keys";
/// What an operator signs in with.
pub(super) const TOKEN: &str = "operator-token";
/// What whoever brings events signs in with.
pub(super) const EVENTS_TOKEN: &str = "events-token";

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

    /// Whether the folder is free of a store of another owner.
    ///
    /// # Errors
    /// The folder has the store of another command: which, and what to do.
    pub fn is_of_its_owner(&self) -> Result<(), String> {
        let others = match self.owner {
            Owner::Service => Owner::Demo,
            Owner::Demo => Owner::Service,
        };
        let store = Self { owner: others, ..self.clone() }.store();
        if !store.exists() {
            return Ok(());
        }
        let (folder, store) = (self.directory.display(), store.display());
        Err(format!("{folder}: {store} is {others} store; take another --data"))
    }

    pub fn store(&self) -> PathBuf {
        self.directory.join(self.owner.file())
    }
}
