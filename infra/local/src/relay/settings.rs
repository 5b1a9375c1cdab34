//! Where mail leaves this machine, and how.

use std::{fmt, path::PathBuf, time::Duration};

use crate::private;

/// How the connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// TLS from the first byte, usually on port 465.
    Tls,
    /// `STARTTLS`, required, usually on port 587.
    StartTls,
    /// Not at all: for a server on this machine.
    None,
}

impl Security {
    /// Every kind, with its word in the settings file.
    pub const WORDS: [(&str, Self); 3] = [("tls", Self::Tls), ("starttls", Self::StartTls), ("none", Self::None)];

    /// The port that servers listen on by convention: RFC 8314, RFC 6409, RFC 5321.
    pub const fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// Where a secret stands. It is read whenever it is used, so a new one needs no restart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Secret {
    /// In this file, its line end left out.
    File(PathBuf),
    /// In this variable of the environment.
    Variable(String),
}

impl fmt::Display for Secret {
    /// Where it stands, and never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "the variable {name}"),
        }
    }
}

impl Secret {
    /// # Errors
    /// There is no such file or variable, or nothing in it, or more than a line. The message names the place, never the secret.
    pub fn read(&self) -> Result<String, String> {
        let found = match self {
            Self::File(path) => private::read_named(path)?,
            Self::Variable(name) => std::env::var(name).ok(),
        };
        self.of(found)
    }

    /// The same without changing anything: the mode of a file that everybody may do something with.
    ///
    /// # Errors
    /// As of [`Self::read`].
    pub fn look(&self) -> Result<Option<u32>, String> {
        let Self::File(path) = self else { return self.read().map(|_| None) };
        let looked = private::look_named(path)?;
        let open_mode = looked.as_ref().and_then(|looked| looked.open_mode);
        self.of(looked.map(|looked| looked.text)).map(|_| open_mode)
    }

    fn of(&self, found: Option<String>) -> Result<String, String> {
        let found = found.map(|text| text.trim_end_matches(['\r', '\n']).to_owned()).filter(|text| !text.is_empty());
        let secret = found.ok_or_else(|| format!("{self}: expected a secret there, found none"))?;
        // It goes on one line: into a header, or to a mail server.
        if secret.contains(['\r', '\n', '\0']) {
            return Err(format!("{self}: expected a secret of one line there, found more"));
        }
        Ok(secret)
    }
}

/// Who we are to the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    pub user: String,
    pub password: Secret,
}

/// The mail server that takes our mail: a smart host, not the servers of readers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub login: Option<Login>,
    /// What we call ourselves in `EHLO`.
    pub hello: String,
    /// For each phase of a conversation.
    pub time_out: Duration,
    /// At most so many connections at once.
    pub connections: usize,
    /// At most so many mails a second.
    pub per_second: u32,
    /// A mail that nobody took for so long has bounced.
    pub give_up_after: Duration,
    /// More roots to check the server's certificate against, as PEM.
    pub roots: Option<PathBuf>,
}
