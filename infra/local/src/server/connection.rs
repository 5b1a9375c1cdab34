//! Connections: how many, how long, and how they end. Whoever sends half a request, or reads half an answer, holds up
//! neither the others nor the end of the engine.

use std::{
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{Sleep, sleep, timeout},
};
use tokio_rustls::server::TlsStream;
use tower_service::Service;

use super::descriptors::Places;
use crate::tls::Certificates;

/// From a connection's first byte, or the end of its last answer, to the end of the next request's head.
const WHOLE_HEAD: Duration = Duration::from_secs(10);
/// A request's line and headers together.
const LARGEST_HEAD: usize = 64 * 1_024;
/// A reader that takes nothing for so long will take nothing more.
const STUCK_READER: Duration = Duration::from_secs(30);
/// For an answer that is made, or a refusal, to be read when the engine stops or has no place.
const FAREWELL: Duration = Duration::from_millis(500);
/// After an accept that failed, which is a machine without file descriptors.
const AFTER_TROUBLE: Duration = Duration::from_millis(200);

/// For a TLS handshake, from its first byte to its end.
const WHOLE_HANDSHAKE: Duration = WHOLE_HEAD;
/// The first byte of a TLS handshake: the content type of RFC 8446.
const HANDSHAKE: u8 = 22;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    pub address: IpAddr,
    /// On this machine.
    pub near: bool,
    /// By TLS of our own.
    pub encrypted: bool,
}

impl Peer {
    fn of(stream: &TcpStream, address: IpAddr) -> Self {
        // A machine that asks itself by another address of its own has that address at both ends.
        let own = stream.local_addr().is_ok_and(|own| own.ip().to_canonical() == address.to_canonical());
        Self { address, near: own || address.to_canonical().is_loopback(), encrypted: false }
    }
}

/// A connection, encrypted or not.
enum Line {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// What hears TLS and plain HTTP apart by the first byte. `None`: neither came.
async fn heard(stream: TcpStream, certificates: Option<&Certificates>, peer: &mut Peer) -> Option<Line> {
    let Some(certificates) = certificates else { return Some(Line::Plain(stream)) };
    let mut first = [0];
    let begun = timeout(WHOLE_HEAD, stream.peek(&mut first)).await;
    match begun {
        Ok(Ok(1)) if first[0] == HANDSHAKE => {
            let accepted = timeout(WHOLE_HANDSHAKE, certificates.acceptor().accept(stream)).await;
            let stream = match accepted {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a TLS handshake failed");
                    return None;
                }
                Err(_) => return None,
            };
            peer.encrypted = true;
            Some(Line::Encrypted(Box::new(stream)))
        }
        Ok(Ok(1)) => Some(Line::Plain(stream)),
        _ => None,
    }
}

/// Until `stopping`; then what was received whole is answered, and the rest is let go.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    certificates: Option<Arc<Certificates>>,
    places: Places,
    mut stopping: watch::Receiver<bool>,
) {
    let most = places.served;
    let doorstep = Arc::new(Semaphore::new(places.turned_away));
    let places = Arc::new(Semaphore::new(most));
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(&mut stopping) => break,
        };
        while open.try_join_next().is_some() {}
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(AFTER_TROUBLE).await;
                continue;
            }
        };
        if let Ok(place) = places.clone().try_acquire_owned() {
            open.spawn(begin(stream, peer.ip(), certificates.clone(), router.clone(), stopping.clone(), place));
        } else if let Ok(place) = doorstep.clone().try_acquire_owned() {
            open.spawn(turn_away(stream, most, place));
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn told(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        // Nobody is left to say so.
        std::future::pending::<()>().await;
    }
}

async fn begin(
    stream: TcpStream,
    address: IpAddr,
    certificates: Option<Arc<Certificates>>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
    place: OwnedSemaphorePermit,
) {
    let mut peer = Peer::of(&stream, address);
    let line = tokio::select! {
        line = heard(stream, certificates.as_deref(), &mut peer) => line,
        () = told(&mut stopping) => None,
    };
    if let Some(line) = line {
        one(line, peer, router, stopping, place).await;
    }
}

async fn one(
    stream: Line,
    peer: Peer,
    router: Router,
    mut stopping: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    let handled = Arc::new(AtomicUsize::new(0));
    let counted = handled.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (mut router, here) = (router.clone(), Handled::begin(&counted));
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let response = router.call(request).await;
            drop(here);
            response
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(WHOLE_HEAD)
        .max_buf_size(LARGEST_HEAD)
        .max_header_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(Patient { stream, stuck: None }), service);
    let mut connection = connection;
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = told(&mut stopping) => {
            Pin::new(&mut connection).graceful_shutdown();
            if handled.load(Ordering::SeqCst) == 0 {
                let _ = timeout(FAREWELL, &mut connection).await;
                return;
            }
            (&mut connection).await
        }
    };
    let Err(error) = ended else { return };
    if error.is_timeout() {
        let parts = connection.into_parts();
        // An idle connection is closed without a word; a head that was begun gets one.
        if !parts.read_buf.is_empty() {
            let seconds = WHOLE_HEAD.as_secs();
            let why = format!("the request's head did not come within {seconds} seconds");
            say(parts.io.into_inner().stream, "408 Request Timeout", 408, &why).await;
        }
        return;
    }
    // Somebody went away, or spoke no HTTP and was told so: theirs, and nothing to be done here.
    tracing::debug!(%error, "a connection ended early");
}

/// Too many are here already.
async fn turn_away(stream: TcpStream, most: usize, _place: OwnedSemaphorePermit) {
    let why = format!("{most} connections are open, which is the most here; close some, or try again");
    say(Line::Plain(stream), "503 Service Unavailable", 503, &why).await;
}

/// An answer without a request, on a connection that ends with it.
async fn say(mut stream: Line, line: &str, status: u16, why: &str) {
    let body = serde_json::json!({ "type": "about:blank", "title": why, "status": status }).to_string();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {line}\r\ncontent-type: application/problem+json\r\ncontent-length: {length}\r\nretry-after: 1\r\nconnection: close\r\n\r\n{body}"
    );
    let said = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // What is still being sent would make the closing connection take the answer back.
        let mut rest = [0; 4_096];
        while stream.read(&mut rest).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    let _ = timeout(FAREWELL, said).await;
}

/// Counts a request while it is handled, however that ends.
struct Handled(Arc<AtomicUsize>);

impl Handled {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Handled {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, into),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// A stream whose writes do not wait for ever for a reader that takes nothing.
struct Patient {
    stream: Line,
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn wait<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(STUCK_READER)));
        stuck.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wait(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.wait(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
