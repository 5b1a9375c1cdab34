//! What an engine leaves for other processes: where it answers, and the settings it runs by.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Home, at};
use crate::{command::Failed, private};

/// Whoever is found running must first have written where; it does so right after it took the lock.
const NOTE: &str = "engine.json";
const SETTINGS: &str = "settings-file";

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

pub(super) fn note(directory: &Path) -> Result<Option<Running>, Failed> {
    let path = directory.join(NOTE);
    let text = private::read(&path).map_err(Failed::new)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| at("reading", &path, error))).transpose()
}

/// The settings file of the engine that ran in a folder last, or runs there; `None` where it ran by none.
///
/// # Errors
/// Where the note cannot be read.
pub fn remembered_settings(directory: &Path) -> Result<Option<PathBuf>, Failed> {
    let text = private::read(&directory.join(SETTINGS)).map_err(Failed::new)?;
    Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).map(PathBuf::from))
}

impl Home {
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
        remembered_settings(&self.place.directory)
    }

    /// The port that links lead to while no engine runs: that of the last one, so that a link which a single command
    /// signs opens when the engine is up again.
    ///
    /// # Errors
    /// Where the note of the last engine cannot be read.
    pub fn last_port(&self) -> Result<u16, Failed> {
        Ok(note(&self.place.directory)?.and_then(|running| running.port).unwrap_or(PORT))
    }
}
