//! The LMTP door (RFC 2033): a mail server of this machine hands answers and bounces over, and hears of each recipient what became of
//! the mail. `250` means that the queue holds the mail durably.
//!
//! The door is on loopback or a Unix socket, never on a network. Loopback is open to every user of the machine, as
//! `POST /events` is; a Unix socket to the user and the group of the engine.

mod session;

#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

use self::session::{Said, Session, Settled};
use super::{Handed, Inbox};
use crate::{door_troubles::Part, engine::Engine, relay::Relay};

/// At once. A mail server opens a few.
const MOST_CONVERSATIONS: usize = 16;
/// For a command, from the answer before it to its last byte, and for the next bytes of a mail: RFC 5321 asks for five minutes.
const SILENCE: Duration = Duration::from_secs(300);
/// For an answer to be taken.
const UNHEARD: Duration = Duration::from_secs(60);
/// For one mail, from `DATA` to its end, however slowly it comes.
const WHOLE_MAIL: Duration = Duration::from_secs(600);
/// How often a Unix socket's file is looked for: without it nobody finds the door.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Bytes that are read at once.
const AT_ONCE: usize = 16 * 1_024;

/// Where the door is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LmtpAddress {
    /// A port of loopback.
    Loopback(SocketAddr),
    /// The path of a Unix socket.
    Socket(PathBuf),
}

impl LmtpAddress {
    /// `folder`: what a path is relative to.
    ///
    /// # Errors
    /// What was expected, in words.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        if text.contains('/') {
            return Ok(Self::Socket(folder.join(text)));
        }
        let expected = "a loopback address with a port, as 127.0.0.1:2424, or the path of a Unix socket, with a /";
        let address: SocketAddr = text.parse().map_err(|_| expected.to_owned())?;
        if !address.ip().is_loopback() {
            return Err(format!("{expected}: beyond this machine nobody vouches for what a mail's headers say"));
        }
        Ok(Self::Loopback(address))
    }
}

impl LmtpAddress {
    /// Whether a socket could be made there. Makes none.
    ///
    /// # Errors
    /// The folder is not there, or something else than a socket stands in the socket's place.
    pub fn could_be(&self) -> Result<(), String> {
        let Self::Socket(path) = self else { return Ok(()) };
        if !path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.is_dir()) {
            return Err(format!("{}: expected its folder to be there", path.display()));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt;
            let is_other = |found: std::fs::Metadata| !found.file_type().is_socket();
            if std::fs::symlink_metadata(path).is_ok_and(is_other) {
                return Err(format!("{}: expected a socket or nothing, found something else", path.display()));
            }
        }
        Ok(())
    }
}

impl fmt::Display for LmtpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback(address) => write!(f, "{address}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

enum Listener {
    Loopback(TcpListener),
    #[cfg(unix)]
    Socket(UnixListener, PathBuf),
}

/// An open door.
pub struct LmtpDoor {
    listener: Listener,
    visitors: Visitors,
}

/// What every conversation shares.
#[derive(Clone)]
struct Visitors {
    inbox: Inbox,
    name: String,
    /// For bounces; another one counts from the next start on.
    bounces: Option<String>,
    room: Arc<Semaphore>,
}

impl LmtpDoor {
    /// # Errors
    /// The engine has no address that is delivered here, the policy binds no received mails, or the address cannot be listened on.
    pub async fn open(engine: &Engine, address: &LmtpAddress) -> Result<Self, String> {
        let settings = engine.settings();
        let visitors = Visitors {
            inbox: Inbox::open(engine, "--lmtp")?,
            name: settings.mail_domain.clone(),
            bounces: settings.bounce_address.clone().filter(|_| engine.relay().is_some_and(Relay::reads_bounces)),
            room: Arc::new(Semaphore::new(MOST_CONVERSATIONS)),
        };
        if visitors.addresses().is_empty() {
            let beside = "the address that is delivered here, --reply-address or `reply_address` in the settings";
            return Err(format!("--lmtp: expected beside it {beside}; found none"));
        }
        let told = |error: std::io::Error| format!("--lmtp: listening on {address}: {error}");
        let listener = match address {
            LmtpAddress::Loopback(address) => Listener::Loopback(TcpListener::bind(address).await.map_err(told)?),
            #[cfg(unix)]
            LmtpAddress::Socket(path) => Listener::Socket(bind(path).await.map_err(told)?, path.clone()),
            #[cfg(not(unix))]
            LmtpAddress::Socket(_) => return Err("--lmtp: this machine has no Unix sockets".to_owned()),
        };
        Ok(Self { listener, visitors })
    }

    /// The port of loopback that the door is on.
    pub fn port(&self) -> Option<u16> {
        match &self.listener {
            Listener::Loopback(listener) => listener.local_addr().ok().map(|address| address.port()),
            #[cfg(unix)]
            Listener::Socket(..) => None,
        }
    }

    /// Takes mails until it is dropped. Who is in the middle of a mail then was promised nothing, and comes again.
    pub async fn serve(mut self) {
        loop {
            let came = match timeout(LOOK_EVERY, self.next()).await {
                Ok(came) => came,
                Err(_) => self.listen_again().await,
            };
            if let Err(error) = self.note(came) {
                tracing::error!(%error, "a mail server could not be let in by LMTP; the door stays open");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// Lets the next mail server in. Dropped in between, none is lost: whoever waits is let in next time.
    async fn next(&self) -> std::io::Result<()> {
        match &self.listener {
            Listener::Loopback(listener) => {
                listener.accept().await.map(|(stream, _)| self.visitors.clone().receive(stream))
            }
            #[cfg(unix)]
            Listener::Socket(listener, _) => {
                listener.accept().await.map(|(stream, _)| self.visitors.clone().receive(stream))
            }
        }
    }

    /// A Unix socket whose file somebody took away gets a new one.
    async fn listen_again(&mut self) -> std::io::Result<()> {
        #[cfg(unix)]
        if let Listener::Socket(listener, path) = &mut self.listener
            && std::fs::symlink_metadata(&*path).is_err()
        {
            *listener = bind(path).await?;
            tracing::warn!("the LMTP socket was gone, and is there again");
        }
        Ok(())
    }

    /// What `/health` says of the door.
    fn note(&self, came: std::io::Result<()>) -> std::io::Result<()> {
        self.visitors.inbox.note(Part::Lmtp, &came);
        came
    }
}

#[cfg(unix)]
impl Drop for LmtpDoor {
    fn drop(&mut self) {
        if let Listener::Socket(_, path) = &self.listener {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A socket that an engine left behind when it was killed is nobody's; one that somebody answers on is not taken away.
#[cfg(unix)]
async fn bind(path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::FileTypeExt;
    let left = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if left {
        if tokio::net::UnixStream::connect(path).await.is_ok() {
            return Err(std::io::Error::new(std::io::ErrorKind::AddrInUse, "another program answers there"));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

impl Visitors {
    fn receive<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, mut stream: S) {
        tokio::spawn(async move {
            let Ok(_room) = self.room.clone().try_acquire_owned() else {
                let full = b"421 4.3.2 too many conversations; come again\r\n";
                let _ = timeout(UNHEARD, stream.write_all(full)).await;
                return;
            };
            if let Err(error) = self.talk(&mut stream).await {
                tracing::warn!(%error, "a conversation by LMTP broke off; what had no answer comes again");
            }
        });
    }

    /// Who is delivered here: the address of answers as the settings have it now, and that of bounces.
    fn addresses(&self) -> Vec<String> {
        let functions = self.inbox.engine.functions();
        let replies = functions.notify.postage.replies.as_ref().map(|address| address.as_str().to_owned());
        replies.into_iter().chain(self.bounces.clone()).collect()
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut S) -> std::io::Result<()> {
        let mut session = Session::new(&self.name, &self.addresses());
        answer(stream, &session.greeting()).await?;
        let mut buffer = vec![0_u8; AT_ONCE];
        let mut mail_until: Option<Instant> = None;
        let mut command_until = Instant::now() + SILENCE;
        loop {
            // Who sends a command byte by byte keeps a place of others: its time is for the whole of it.
            let until = mail_until.map_or(command_until, |mail| mail.min(Instant::now() + SILENCE));
            let Ok(read) = timeout_at(until, stream.read(&mut buffer)).await else {
                return answer(stream, "421 4.4.2 nothing came for too long\r\n").await;
            };
            let read = read?;
            if read == 0 {
                return Ok(());
            }
            let mut bytes = buffer[..read].iter();
            // Commands that came together are answered together.
            let mut answers = String::new();
            loop {
                match session.ingest(&mut bytes) {
                    Said::More => break,
                    Said::Answer(text) => {
                        let mail_begins = text.starts_with("354");
                        mail_until = mail_begins.then(|| Instant::now() + WHOLE_MAIL);
                        answers.push_str(&text);
                    }
                    Said::Last(text) => {
                        answers.push_str(&text);
                        return answer(stream, &answers).await;
                    }
                    Said::Mail(arrived) => {
                        mail_until = None;
                        let settled = self.take(arrived.mail, &arrived.recipients).await;
                        answers.push_str(&Session::settle(&arrived.recipients, &settled));
                    }
                }
            }
            if !answers.is_empty() {
                answer(stream, &answers).await?;
                command_until = Instant::now() + SILENCE;
            }
        }
    }

    async fn take(&self, mail: Handed, recipients: &[String]) -> Settled {
        let too_large = matches!(mail, Handed::TooLarge(_));
        match self.inbox.take(mail, recipients, Part::LmtpKeeping).await {
            Err(error) => {
                tracing::error!(error, "a mail was not taken by LMTP; the mail server tries again");
                Settled::NotTaken
            }
            // The queue holds that there was one, so the operator finds it among what was skipped.
            Ok(()) if too_large => Settled::TooLarge,
            Ok(()) => Settled::Taken,
        }
    }
}

async fn answer<S: AsyncWrite + Unpin>(stream: &mut S, text: &str) -> std::io::Result<()> {
    let late = || std::io::Error::new(std::io::ErrorKind::TimedOut, "an answer was not taken");
    timeout(UNHEARD, stream.write_all(text.as_bytes())).await.map_err(|_| late())??;
    timeout(UNHEARD, stream.flush()).await.map_err(|_| late())?
}

#[cfg(test)]
mod tests;
