//! One conversation of LMTP (RFC 2033), without a socket: bytes in, answers and mails out. Commands and the end of a mail
//! are read by `smtp-proto`.
//!
//! A mail is handed out whole, and its answers are given only when the engine says what became of it: `250` means that the
//! queue holds the mail.

use std::slice::Iter;

use smtp_proto::{
    Error, Request,
    request::receiver::{DataReceiver, DummyDataReceiver, RequestReceiver},
};
use sources::LARGEST_MAIL;

use crate::inbound::Handed;

/// Recipients of one mail: RFC 5321 asks for at least as many.
const MOST_RECIPIENTS: usize = 100;
/// Commands that were refused in one conversation. Who is refused more often does not know what they say.
const MOST_REFUSED: usize = 20;
/// Bytes of a mail that is taken: the door puts one line of its own on top.
pub const LARGEST: usize = LARGEST_MAIL - 1_000;
/// What stands before the end of a mail's first line: the reader of data knows an end by the line before it.
const LINE_END: &[u8] = b"\r\n";

/// What comes of some bytes.
pub enum Said {
    /// Nothing yet: read on.
    More,
    /// Answer this, and go on with the bytes that are left.
    Answer(String),
    /// Answer this, and end the conversation.
    Last(String),
    /// A mail has come whole. Say what became of it ([`Session::settle`]).
    Mail(Arrived),
}

/// A mail, for its recipients in the order in which they were named.
pub struct Arrived {
    pub recipients: Vec<String>,
    pub mail: Handed,
}

/// What became of a mail.
pub enum Settled {
    /// The queue holds the mail.
    Taken,
    /// The mail is more than anybody reads.
    TooLarge,
    /// The mail is not on the queue; the same mail may be taken later.
    NotTaken,
}

enum Reading {
    Commands,
    Data {
        receiver: DataReceiver,
        mail: Vec<u8>,
    },
    /// A mail that is too large: its bytes are counted, and read to their end.
    Discarded {
        receiver: DummyDataReceiver,
        bytes: u64,
    },
}

/// A conversation with one mail server.
pub struct Session {
    /// The name of this server.
    name: String,
    /// The addresses that are delivered here, also with a tag behind the local part; no other is.
    addresses: Vec<String>,
    commands: RequestReceiver,
    reading: Reading,
    greeted: bool,
    sender: Option<String>,
    recipients: Vec<String>,
    refused: usize,
}

impl Session {
    pub fn new(name: &str, addresses: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            addresses: addresses.to_vec(),
            commands: RequestReceiver::default(),
            reading: Reading::Commands,
            greeted: false,
            sender: None,
            recipients: Vec::new(),
            refused: 0,
        }
    }

    pub fn greeting(&self) -> String {
        format!("220 {} LMTP Holdpoint\r\n", self.name)
    }

    /// The next thing that the bytes say; call again while some are left.
    pub fn ingest(&mut self, bytes: &mut Iter<'_, u8>) -> Said {
        match &mut self.reading {
            Reading::Commands => self.command(bytes),
            Reading::Data { receiver, mail } => {
                let whole = receiver.ingest(bytes, mail);
                if mail.len() > LARGEST + LINE_END.len() {
                    let bytes = (mail.len() - LINE_END.len()) as u64;
                    if whole {
                        return self.arrived(Handed::TooLarge(bytes));
                    }
                    let receiver = DummyDataReceiver::new_data(receiver);
                    self.reading = Reading::Discarded { receiver, bytes };
                    return Said::More;
                }
                if !whole {
                    return Said::More;
                }
                let mail = mail.split_off(LINE_END.len());
                let path = format!("Return-Path: <{}>\r\n", self.sender.as_deref().unwrap_or_default());
                self.arrived(Handed::Whole([path.into_bytes(), mail].concat()))
            }
            Reading::Discarded { receiver, bytes: counted } => {
                let before = bytes.len();
                let whole = receiver.ingest(bytes);
                *counted += (before - bytes.len()) as u64;
                let counted = *counted;
                if whole { self.arrived(Handed::TooLarge(counted)) } else { Said::More }
            }
        }
    }

    fn arrived(&mut self, mail: Handed) -> Said {
        self.reading = Reading::Commands;
        self.sender = None;
        Said::Mail(Arrived { recipients: std::mem::take(&mut self.recipients), mail })
    }

    /// One answer a recipient, in their order (RFC 2033, 4.2).
    pub fn settle(recipients: &[String], settled: &Settled) -> String {
        let answer = match settled {
            Settled::Taken => "250 2.0.0 taken".to_owned(),
            Settled::TooLarge => format!("552 5.3.4 a mail of at most {LARGEST} bytes is read here"),
            Settled::NotTaken => "451 4.3.0 the mail could not be kept; try again later".to_owned(),
        };
        recipients.iter().map(|recipient| format!("{answer} <{recipient}>\r\n")).collect()
    }

    fn command(&mut self, bytes: &mut Iter<'_, u8>) -> Said {
        let answer = match self.commands.ingest(bytes).map(Request::into_owned) {
            Ok(request) => self.obey(request),
            Err(Error::NeedsMoreData { .. }) => return Said::More,
            Err(error) => Err(malformed(&error)),
        };
        match answer {
            Ok(said) => said,
            Err(refused) => {
                self.refused += 1;
                if self.refused > MOST_REFUSED {
                    return Said::Last(line("421 4.7.0 too many commands that are refused"));
                }
                Said::Answer(line(&refused))
            }
        }
    }

    /// `Err`: the command is refused.
    fn obey(&mut self, request: Request<String>) -> Result<Said, String> {
        let answered = |text: &str| Ok(Said::Answer(line(text)));
        match request {
            Request::Lhlo { .. } => {
                self.reset();
                self.greeted = true;
                Ok(Said::Answer(format!(
                    "250-{}\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE {LARGEST}\r\n",
                    self.name
                )))
            }
            Request::Helo { .. } | Request::Ehlo { .. } => Err("500 5.5.1 this is LMTP: LHLO, not HELO or EHLO".into()),
            Request::Quit => Ok(Said::Last(line("221 2.0.0 bye"))),
            Request::Noop { .. } => answered("250 2.0.0 here"),
            Request::Rset => {
                self.reset();
                answered("250 2.0.0 forgotten")
            }
            Request::Vrfy { .. } => answered("252 2.1.5 RCPT says who is delivered here"),
            Request::Mail { .. } | Request::Rcpt { .. } | Request::Data if !self.greeted => {
                Err("503 5.5.1 LHLO first".into())
            }
            Request::Mail { .. } if self.sender.is_some() => {
                Err("503 5.5.1 one MAIL a mail; RSET forgets this one".into())
            }
            Request::Mail { from } if from.size > LARGEST => {
                tracing::warn!(bytes = from.size, "a mail was refused by LMTP: it is larger than anybody reads");
                Err(format!("552 5.3.4 a mail of at most {LARGEST} bytes is read here"))
            }
            Request::Mail { from } => {
                self.sender = Some(from.address);
                answered("250 2.1.0 sender")
            }
            Request::Rcpt { to } => self.recipient(to.address).map(|()| Said::Answer(line("250 2.1.5 recipient"))),
            Request::Data if self.recipients.is_empty() => Err("503 5.5.1 no recipient was taken".into()),
            Request::Data => {
                let (mut receiver, mut mail) = (DataReceiver::new(), Vec::new());
                receiver.ingest(&mut LINE_END.iter(), &mut mail);
                self.reading = Reading::Data { receiver, mail };
                answered("354 the mail, and a line with a dot alone")
            }
            other => Err(format!("502 5.5.1 {} is not spoken here", other.name())),
        }
    }

    fn recipient(&mut self, address: String) -> Result<(), String> {
        if self.sender.is_none() {
            return Err("503 5.5.1 MAIL first".into());
        }
        if self.recipients.len() >= MOST_RECIPIENTS {
            return Err(format!("452 4.5.3 at most {MOST_RECIPIENTS} recipients a mail"));
        }
        if !self.addresses.iter().any(|own| is_delivered_to(&address, own)) {
            tracing::warn!(
                "a recipient was refused by LMTP: only the addresses of answers and bounces are delivered here"
            );
            return Err("550 5.1.1 only the addresses of answers and bounces are delivered here".into());
        }
        self.recipients.push(address);
        Ok(())
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }
}

/// The address itself, or with a tag behind its local part: `replies+<fingerprint>@example.com`.
fn is_delivered_to(address: &str, own: &str) -> bool {
    let (address, own) = (address.to_ascii_lowercase(), own.to_ascii_lowercase());
    let Some(((local, domain), (own, own_domain))) = address.rsplit_once('@').zip(own.rsplit_once('@')) else {
        return false;
    };
    let tagged = local.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('+'));
    tagged && domain == own_domain
}

fn malformed(error: &Error) -> String {
    match error {
        Error::UnknownCommand => "500 5.5.2 not a command of LMTP".to_owned(),
        Error::InvalidSenderAddress => "501 5.1.7 MAIL FROM: expected an address or <>".to_owned(),
        Error::InvalidRecipientAddress => "501 5.1.3 RCPT TO: expected an address".to_owned(),
        Error::SyntaxError { syntax } => format!("501 5.5.4 expected {syntax}"),
        Error::InvalidParameter { param } => format!("501 5.5.4 the parameter {param} is not good"),
        Error::UnsupportedParameter { .. } => "555 5.5.4 a parameter that is not known here".to_owned(),
        Error::ResponseTooLong => "500 5.5.2 a line that is too long".to_owned(),
        Error::NeedsMoreData { .. } | Error::InvalidResponse { .. } => "500 5.5.2 not a command of LMTP".to_owned(),
    }
}

fn line(text: &str) -> String {
    format!("{text}\r\n")
}
