//! One request to the engine on loopback: enough HTTP/1.1 for a server that is ours.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Failed;

/// The status and the body. `token` is the store's.
pub async fn post(address: &str, path: &str, token: &str, body: &[u8]) -> Result<(u16, Vec<u8>), Failed> {
    let failed = |error: std::io::Error| Failed::new(format!("asking the engine at http://{address}: {error}"));
    // An engine that listens on every address of the machine is asked by loopback. It knows itself by a loopback name.
    let port = address.rsplit(':').next().unwrap_or_default();
    let reached =
        address.parse::<SocketAddr>().map_or(address.to_owned(), |address| match address.ip().is_unspecified() {
            true => format!("127.0.0.1:{port}"),
            false => address.to_string(),
        });
    let mut stream = TcpStream::connect(reached).await.map_err(failed)?;
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost:{port}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.map_err(failed)?;
    stream.write_all(body).await.map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(failed)?;
    let wrong = || Failed::new(format!("asking the engine at http://{address}: expected an HTTP answer"));
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or_else(wrong)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(wrong)?;
    Ok((status, answer.split_off(end + 4)))
}
