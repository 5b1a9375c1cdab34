//! One conversation with the mail server, phase by phase. What an answer means depends on the phase it came in.
//!
//! | phase | 4xx | 5xx | the connection breaks |
//! |---|---|---|---|
//! | connect, `EHLO`, `STARTTLS`, `AUTH` | the relay is down | the relay is down | the relay is down |
//! | `MAIL` | the relay is down | the relay is down: it refuses our sender, not a reader | the relay is down |
//! | `RCPT`, `DATA` | this mail waits | this mail is refused | this mail waits |
//! | the content | this mail waits | this mail is refused | this mail waits: it may have arrived, and goes out again |
//!
//! 421 says at any time that the server closes the connection: the relay is down. 552 to `MAIL` is about the message's size,
//! so the mail is refused.

use std::time::Duration;

use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Noop, Rcpt, Rset},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};

use super::settings::{Security, Smtp};

/// The server closes the connection.
const CLOSING: &str = "421";
/// The message is longer than the server takes.
const TOO_LONG: &str = "552";
/// What the TLS library says of a server whose first bytes are no TLS.
const NO_TLS: &str = "InvalidContentType";
/// What is kept of a server's words, in characters.
const LONGEST_WORDS: usize = 200;

/// What an attempt came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// The server took the message, and answers for it from now on.
    Taken(String),
    /// The server will never take this message for this reader.
    Refused(String),
    /// The server did not take this message for this reader now.
    Later(String),
    /// No message can leave now, whoever it is for.
    Down(String),
}

/// An open connection, ready for the next message.
pub struct Session {
    connection: AsyncSmtpConnection,
    time_out: Duration,
}

/// On one line, and short: the words of an outside server end before an operator.
fn words(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().chars().take(LONGEST_WORDS).collect()
}

/// The code, where the server gave one, and what was said.
struct Refusal {
    code: Option<String>,
    said: String,
}

impl Refusal {
    fn of(doing: &str, error: &Error) -> Self {
        let code = error.status().map(|code| code.to_string());
        let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        let said = match &code {
            Some(code) => format!("{doing}: {code} {source}"),
            None => format!("{doing}: {error}"),
        };
        Self { code, said: words(&said) }
    }

    fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    fn is_for_good(&self) -> bool {
        self.code.as_ref().is_some_and(|code| code.starts_with('5'))
    }

    /// For an answer that is about the message or its reader.
    fn of_the_message(self) -> Attempt {
        if self.is(CLOSING) {
            Attempt::Down(self.said)
        } else if self.is_for_good() {
            Attempt::Refused(self.said)
        } else {
            Attempt::Later(self.said)
        }
    }
}

impl Session {
    /// Connects, encrypts and authenticates as the settings say.
    ///
    /// # Errors
    /// Why no message can leave, in words that name the phase and the server's own answer.
    pub async fn open(settings: &Smtp) -> Result<Self, String> {
        let (host, port) = (settings.host.as_str(), settings.port);
        let hello = ClientId::Domain(settings.hello.clone());
        let tls = || tls(settings);
        let at_once = (settings.security == Security::Tls).then(tls).transpose()?;
        let connecting =
            AsyncSmtpConnection::connect_tokio1((host, port), Some(settings.time_out), &hello, at_once, None);
        let doing = format!("connecting to {host}:{port}");
        let connection = within(settings.time_out, &doing, connecting).await.map_err(|refusal| match refusal.said {
            said if said.contains(NO_TLS) => {
                format!("{said}: the server does not begin with TLS at this port; security = \"starttls\" may be right")
            }
            said => said,
        })?;
        let mut session = Self { connection, time_out: settings.time_out };
        if settings.security == Security::StartTls {
            let encrypting = session.connection.starttls(tls()?, &hello);
            within(settings.time_out, "STARTTLS", encrypting).await.map_err(|refusal| refusal.said)?;
        }
        if let Some(login) = &settings.login {
            let credentials = Credentials::new(login.user.clone(), login.password.read()?);
            let logging_in = session.connection.auth(DEFAULT_MECHANISMS, &credentials);
            within(settings.time_out, "AUTH", logging_in).await.map_err(|refusal| refusal.said)?;
        }
        Ok(session)
    }

    /// Whether the connection still answers: a server closes what was idle for long.
    pub async fn is_alive(&mut self) -> bool {
        within(self.time_out, "NOOP", self.connection.command(Noop)).await.is_ok()
    }

    /// Whether another message may follow on this connection.
    pub fn is_usable(&self) -> bool {
        !self.connection.has_broken()
    }

    /// One message to one reader.
    pub async fn send(&mut self, from: &str, to: &str, message: &[u8]) -> Attempt {
        let (sender, reader) = match (from.parse::<Address>(), to.parse::<Address>()) {
            (Ok(sender), Ok(reader)) => (sender, reader),
            (Err(error), _) => return Attempt::Down(words(&format!("{from:?} as the sender: {error}"))),
            (_, Err(error)) => return Attempt::Refused(words(&format!("{to:?}: {error}"))),
        };
        let mut parameters = Vec::new();
        if !(from.is_ascii() && to.is_ascii()) {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Attempt::Refused("the address is not ASCII, and the server offers no SMTPUTF8".to_owned());
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !message.is_ascii() {
            if !self.connection.server_info().supports_feature(Extension::EightBitMime) {
                return Attempt::Refused("the message is not ASCII, and the server offers no 8BITMIME".to_owned());
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        match self.hand_over(sender, reader, parameters, message).await {
            Ok(response) => {
                let said: Vec<&str> = response.message().collect();
                Attempt::Taken(words(&format!("{} {}", response.code(), said.join(" "))))
            }
            Err(attempt) => {
                // The next message begins anew; a connection that will not have it is not used again.
                if within(self.time_out, "RSET", self.connection.command(Rset)).await.is_err() {
                    // Aborting says QUIT and waits for the answer, which a server that fell silent never gives.
                    let _ = tokio::time::timeout(self.time_out, self.connection.abort()).await;
                }
                attempt
            }
        }
    }

    async fn hand_over(
        &mut self,
        sender: Address,
        reader: Address,
        parameters: Vec<MailParameter>,
        message: &[u8],
    ) -> Result<Response, Attempt> {
        let time_out = self.time_out;
        let mail = within(time_out, "MAIL", self.connection.command(Mail::new(Some(sender), parameters)));
        mail.await.map_err(|refusal| match refusal.is(TOO_LONG) {
            true => Attempt::Refused(refusal.said),
            false => Attempt::Down(refusal.said),
        })?;
        let rcpt = within(time_out, "RCPT", self.connection.command(Rcpt::new(reader, Vec::new())));
        rcpt.await.map_err(Refusal::of_the_message)?;
        within(time_out, "DATA", self.connection.command(Data)).await.map_err(Refusal::of_the_message)?;
        within(time_out, "the content", self.connection.message(message)).await.map_err(Refusal::of_the_message)
    }

    /// Says goodbye. Whatever the server answers, nothing is lost by it.
    pub async fn close(mut self) {
        let _ = within(self.time_out, "QUIT", self.connection.quit()).await;
    }
}

/// Each phase has the whole time.
async fn within<T>(
    time_out: Duration,
    doing: &str,
    phase: impl Future<Output = Result<T, Error>>,
) -> Result<T, Refusal> {
    match tokio::time::timeout(time_out, phase).await {
        Ok(ended) => ended.map_err(|error| Refusal::of(doing, &error)),
        Err(_) => {
            let said = format!("{doing}: no answer within {} seconds", time_out.as_secs());
            Err(Refusal { code: None, said })
        }
    }
}

/// The first line of each certificate in PEM.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// # Errors
/// The file of roots that the settings name cannot be read, or holds no certificates.
pub fn roots(settings: &Smtp) -> Result<(), String> {
    tls(settings).map(drop)
}

/// The server's certificate is checked against the machine's roots, and against a file of roots where one is named.
fn tls(settings: &Smtp) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.roots {
        let pem = std::fs::read(file).map_err(|error| format!("reading {}: {error}", file.display()))?;
        // The library takes a file without any for a file of none.
        if !pem.windows(CERTIFICATE.len()).any(|part| part == CERTIFICATE) {
            return Err(format!("{}: expected certificates in PEM, found none", file.display()));
        }
        let root = Certificate::from_pem(&pem).map_err(|error| format!("{}: {error}", file.display()))?;
        builder = builder.add_root_certificate(root);
    }
    builder.build_rustls().map_err(|error| format!("setting TLS up: {error}"))
}
