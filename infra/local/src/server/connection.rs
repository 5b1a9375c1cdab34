//! Connections: how many, how long, and how they end. Whoever sends half a request, or reads half an answer, holds up
//! neither the others nor the end of the engine.

use std::{
    io,
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
use tower_service::Service;

use super::descriptors::Places;

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

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub std::net::IpAddr);

/// Until `stopping`; then what was received whole is answered, and the rest is let go.
pub async fn serve(listener: TcpListener, router: Router, places: Places, mut stopping: watch::Receiver<bool>) {
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
            open.spawn(one(stream, Peer(peer.ip()), router.clone(), stopping.clone(), place));
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

async fn one(
    stream: TcpStream,
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
    say(stream, "503 Service Unavailable", 503, &why).await;
}

/// An answer without a request, on a connection that ends with it.
async fn say(mut stream: TcpStream, line: &str, status: u16, why: &str) {
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

/// A stream whose writes do not wait for ever for a reader that takes nothing.
struct Patient {
    stream: TcpStream,
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
