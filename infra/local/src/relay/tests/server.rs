//! A mail server that does as it is told, in plain or by TLS from the first byte.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// A phase of a conversation, from the server's side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Greeting,
    Ehlo,
    Mail,
    Rcpt,
    Data,
    Content,
}

pub(super) const PHASES: [Phase; 6] =
    [Phase::Greeting, Phase::Ehlo, Phase::Mail, Phase::Rcpt, Phase::Data, Phase::Content];

/// What the server does once, in one phase, instead of going on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    Says(&'static str),
    HangsUp,
    /// The line stays open, and nothing is said any more.
    FallsSilent,
    /// Only in the phase of the content: the message is kept, and the answer never comes.
    TakesAndHangsUp,
}

/// In plain or encrypted.
trait Connection: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection for S {}

/// A mail server on loopback. It keeps what it took.
#[derive(Clone, Default)]
pub(super) struct Server {
    taken: Arc<Mutex<Vec<(String, String)>>>,
    troubles: Arc<Mutex<VecDeque<(Phase, Trouble)>>>,
    open: Arc<AtomicUsize>,
    /// Connections that were open at once.
    pub(super) most_open: Arc<AtomicUsize>,
    /// Whoever connects from now on must begin with TLS; `None`: it speaks in plain.
    pub(super) tls: Arc<Mutex<Option<TlsAcceptor>>>,
}

impl Server {
    pub(super) async fn start(&self) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                let open = server.open.fetch_add(1, Ordering::SeqCst) + 1;
                server.most_open.fetch_max(open, Ordering::SeqCst);
                tokio::spawn(async move {
                    let tls = server.tls.lock().unwrap().clone();
                    match tls {
                        Some(tls) => drop(server.talk(tls.accept(stream).await.ok()).await),
                        None => drop(server.talk(Some(stream)).await),
                    }
                    server.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        port
    }

    pub(super) fn plan(&self, phase: Phase, trouble: Trouble) {
        self.troubles.lock().unwrap().push_back((phase, trouble));
    }

    pub(super) fn taken(&self) -> Vec<(String, String)> {
        self.taken.lock().unwrap().clone()
    }

    fn trouble(&self, phase: Phase) -> Option<Trouble> {
        let mut troubles = self.troubles.lock().unwrap();
        let first = troubles.front().filter(|(at, _)| *at == phase).map(|(_, trouble)| *trouble);
        first.inspect(|_| _ = troubles.pop_front())
    }

    /// `None` where the conversation is over.
    async fn answer<S: Connection>(&self, stream: &mut BufReader<S>, phase: Phase, fine: &str) -> Option<bool> {
        let (said, went_well) = match self.trouble(phase) {
            Some(Trouble::HangsUp | Trouble::TakesAndHangsUp) => return None,
            Some(Trouble::FallsSilent) => std::future::pending().await,
            Some(Trouble::Says(said)) => (said, false),
            None => (fine, true),
        };
        say(stream, said).await?;
        (!said.starts_with("421")).then_some(went_well)
    }

    async fn talk<S: Connection>(&self, stream: Option<S>) -> Option<()> {
        let mut stream = BufReader::new(stream?);
        self.answer(&mut stream, Phase::Greeting, "220 mail.example.com").await?;
        let mut reader = String::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let verb = line.split([' ', '\r']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => drop(self.answer(&mut stream, Phase::Ehlo, "250 mail.example.com").await?),
                "MAIL" => drop(self.answer(&mut stream, Phase::Mail, "250 2.1.0 fine").await?),
                "RCPT" => {
                    reader = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    self.answer(&mut stream, Phase::Rcpt, "250 2.1.5 fine").await?;
                }
                "DATA" => {
                    if !self.answer(&mut stream, Phase::Data, "354 go on").await? {
                        continue;
                    }
                    let mut content = String::new();
                    while !content.ends_with("\r\n.\r\n") {
                        if stream.read_line(&mut content).await.ok()? == 0 {
                            return None;
                        }
                    }
                    let trouble = self.troubles.lock().unwrap().front().copied();
                    let refused = trouble
                        .is_some_and(|(phase, trouble)| phase == Phase::Content && trouble != Trouble::TakesAndHangsUp);
                    if !refused {
                        self.taken.lock().unwrap().push((reader.clone(), content));
                    }
                    self.answer(&mut stream, Phase::Content, "250 2.0.0 queued as 4F7").await?;
                }
                "QUIT" => {
                    say(&mut stream, "221 bye").await?;
                    return None;
                }
                _ => say(&mut stream, "250 fine").await?,
            }
        }
    }
}

async fn say<S: Connection>(stream: &mut BufReader<S>, line: &str) -> Option<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
    // TLS gathers what is written.
    stream.get_mut().flush().await.ok()
}
