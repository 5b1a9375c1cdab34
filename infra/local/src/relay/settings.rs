//! Where mail leaves this machine, and how.

use std::{path::PathBuf, time::Duration};

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

impl Secret {
    /// # Errors
    /// There is no such file or variable, or nothing in it. The message names the place, never the secret.
    pub fn read(&self) -> Result<String, String> {
        let (place, found) = match self {
            Self::File(path) => (path.display().to_string(), private::read_named(path)?),
            Self::Variable(name) => (format!("the variable {name}"), std::env::var(name).ok()),
        };
        let found = found.map(|text| text.trim_end_matches(['\r', '\n']).to_owned()).filter(|text| !text.is_empty());
        found.ok_or_else(|| format!("{place}: expected a secret there, found none"))
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
