//! Under which address people reach the engine, and who vouches for them on the way.
//!
//! Without a public address the engine answers on loopback alone. With one, either the engine ends TLS itself, or a proxy does
//! and passes requests on. In the latter case the engine believes nobody but that proxy: by its network address, and by a
//! secret that the proxy sends with each request, since on one machine every user has the address of every other.

use std::{
    fmt,
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
};

use axum::http::{HeaderMap, HeaderName, Uri, header};
use subtle::ConstantTimeEq;

use crate::{relay::Secret, tls::TlsFiles};

/// The header in which the proxy proves itself.
pub const PROXY_SECRET: &str = "x-holdpoint-proxy";

/// What mailed links begin with, and the name that browsers send as `Host`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicAddress {
    /// `https://holdpoint.example.com`, without a path.
    url: String,
    authority: String,
}

impl PublicAddress {
    /// # Errors
    /// What was expected of the address, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || "an https address without path, query or user, as https://holdpoint.example.com".to_owned();
        let uri: Uri = text.parse().map_err(|_| expected())?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(expected)?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if uri.scheme_str() != Some("https") || !bare {
            return Err(expected());
        }
        let authority = authority.as_str().to_ascii_lowercase();
        Ok(Self { url: format!("https://{authority}"), authority })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name alone, without a port.
    pub fn name(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => &self.authority,
        }
    }
}

impl fmt::Display for PublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// Who passes requests on from the public address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proxy {
    /// The addresses that the proxy connects from.
    pub trusted: Vec<IpAddr>,
    /// What the proxy sends as [`PROXY_SECRET`].
    pub secret: Secret,
    /// The header in which the proxy names who has signed in. `None`: it signs nobody in.
    pub user_header: Option<HeaderName>,
}

/// Begins of headers that browsers and proxies send of themselves, whoever has signed in.
const ALWAYS_SENT: [&str; 12] = [
    "accept",
    "access-control-",
    "cf-",
    "content-",
    "if-",
    "proxy-",
    "sec-",
    "transfer-",
    "upgrade",
    "x-amzn-",
    "x-holdpoint-",
    "x-request",
];
/// Whole names of others.
const ALWAYS_SENT_WHOLE: [&str; 35] = [
    "alt-used",
    "authorization",
    "cache-control",
    "connection",
    "cookie",
    "date",
    "dnt",
    "early-data",
    "expect",
    "fastly-client-ip",
    "forwarded",
    "host",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "save-data",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "true-client-ip",
    "user-agent",
    "via",
    "warning",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-correlation-id",
    "x-original-uri",
    "x-original-url",
    "x-real-ip",
    "x-scheme",
];
/// Of the headers `x-forwarded-...`, those that name a person; the others name addresses.
const FORWARDED_NAMES: [&str; 4] =
    ["x-forwarded-email", "x-forwarded-login", "x-forwarded-preferred-username", "x-forwarded-user"];

/// A header in which a proxy may name who has signed in. One that every request has would make everybody an operator.
///
/// # Errors
/// What was expected, in words.
pub fn user_header(text: &str) -> Result<HeaderName, String> {
    let expected = "a header's name, as x-forwarded-user";
    let name = HeaderName::try_from(text).map_err(|_| expected.to_owned())?;
    let given = name.as_str();
    let is_forwarded = given.starts_with("x-forwarded") && !FORWARDED_NAMES.contains(&given);
    let begins = ALWAYS_SENT.iter().any(|begin| given.starts_with(begin));
    if is_forwarded || begins || ALWAYS_SENT_WHOLE.contains(&given) {
        return Err(format!(
            "{expected}, that the proxy sends of whoever has signed in and of nobody else: this one comes with requests of anybody"
        ));
    }
    Ok(name)
}

/// Who ends TLS under the public address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TlsBy {
    /// A proxy, which may sign people in.
    Proxy(Proxy),
    /// The engine, with the certificate in these files. It signs nobody in: operators have the store's token.
    Engine(TlsFiles),
}

/// The public side of the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Public {
    pub address: PublicAddress,
    pub tls: TlsBy,
}

/// By which way a request came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// From this machine, by a loopback name.
    Loopback,
    /// By the public address, with who has signed in at the proxy, and from which network address.
    Public { user: Option<String>, client: Option<String> },
}

impl Public {
    /// What the proxy proves itself by, where there is a proxy.
    pub const fn secret(&self) -> Option<&Secret> {
        match &self.tls {
            TlsBy::Proxy(proxy) => Some(&proxy.secret),
            TlsBy::Engine(_) => None,
        }
    }

    /// Why nobody comes in by the proxy; `None`: its secret can be read, or there is no proxy.
    pub fn wrong(&self) -> Option<String> {
        let why = self.secret()?.read().err()?;
        Some(format!("the proxy's secret cannot be read, and nobody comes in by {}: {why}", self.address))
    }

    /// Whether a `Host` header names the public address.
    pub fn is_host(&self, host: &str) -> bool {
        host == self.address.authority || host.strip_suffix(":443") == Some(self.address.authority.as_str())
    }

    pub fn is_origin(&self, origin: &str) -> bool {
        origin == self.address.url
    }

    /// The way of a request that names the public address. `encrypted`: the request came by the engine's own TLS.
    ///
    /// # Errors
    /// Why the request is not believed.
    pub fn way(
        &self,
        peer: Option<IpAddr>,
        encrypted: bool,
        headers: &HeaderMap,
        reads: &SecretReads,
    ) -> Result<Way, &'static str> {
        match &self.tls {
            TlsBy::Proxy(proxy) => {
                Ok(Way::Public { user: proxy.vouches(peer, headers, reads)?, client: forwarded_for(headers) })
            }
            TlsBy::Engine(_) if encrypted => {
                Ok(Way::Public { user: None, client: peer.map(|peer| peer.to_canonical().to_string()) })
            }
            TlsBy::Engine(_) => Err("the public address speaks TLS alone: ask by https"),
        }
    }
}

/// Whether the proxy's secret could be read at the last request. Anybody may send requests, so the log has one line when the
/// secret is lost and one when it is back, and none for each of them.
#[derive(Default, Debug)]
pub struct SecretReads {
    is_lost: AtomicBool,
}

impl SecretReads {
    /// Answers whether that is news.
    fn note(&self, read: Result<(), &str>) -> bool {
        let is_news = self.is_lost.swap(read.is_err(), Ordering::SeqCst) != read.is_err();
        match read {
            Err(why) if is_news => {
                tracing::error!(why, "the proxy's secret cannot be read; nobody comes in by the proxy")
            }
            Ok(()) if is_news => tracing::warn!("the proxy's secret can be read again"),
            _ => {}
        }
        is_news
    }
}

/// The user that the proxy names: the last address in its header.
fn forwarded_for(headers: &HeaderMap) -> Option<String> {
    let lists = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let last = lists.flat_map(|list| list.split(',')).last()?.trim();
    last.parse::<IpAddr>().ok().map(|address| address.to_string())
}

impl Proxy {
    /// Who has signed in, where the request is the proxy's.
    fn vouches(
        &self,
        peer: Option<IpAddr>,
        headers: &HeaderMap,
        reads: &SecretReads,
    ) -> Result<Option<String>, &'static str> {
        let peer = peer.map(|peer| peer.to_canonical());
        if !peer.is_some_and(|peer| self.trusted.contains(&peer)) {
            return Err(
                "requests for the public address come from the proxy alone; this one did not come from its address",
            );
        }
        let secret = self.secret.read();
        reads.note(secret.as_ref().map(drop).map_err(String::as_str));
        let secret = secret.map_err(|_| "the proxy's secret cannot be read; the engine's log says why")?;
        let given = headers.get(PROXY_SECRET).map(|given| given.as_bytes()).unwrap_or_default();
        if !bool::from(secret.as_bytes().ct_eq(given)) {
            return Err("the proxy must send its secret in the header x-holdpoint-proxy; the settings name the file");
        }
        let user = self.user_header.as_ref().and_then(|name| headers.get(name)?.to_str().ok());
        Ok(user.map(str::trim).filter(|user| !user.is_empty()).map(str::to_owned))
    }
}

/// The `Host` header, in lower case.
pub fn host(headers: &HeaderMap) -> String {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of these is in requests of people who have not signed in.
    #[test]
    fn a_header_that_everybody_sends_names_no_operator() {
        for name in [
            "Host",
            "X-Holdpoint-Proxy",
            "authorization",
            "x-forwarded-for",
            "X-Forwarded-Proto",
            "x-forwarded-host",
            "x-forwarded",
            "forwarded",
            "cookie",
            "user-agent",
            "accept-language",
            "x-real-ip",
            "sec-fetch-site",
            "via",
            "referer",
            "origin",
            "content-type",
            "x-request-id",
            "connection",
            "traceparent",
            "cf-connecting-ip",
            "proxy-authorization",
        ] {
            let why = user_header(name).unwrap_err();
            assert!(why.contains("requests of anybody"), "{name}: {why}");
        }
        for name in ["x-forwarded-user", "X-Forwarded-Email", "remote-user", "x-auth-request-email", "x-webauth-user"] {
            assert_eq!(user_header(name).unwrap().as_str(), name.to_ascii_lowercase());
        }
        assert!(user_header("a b").unwrap_err().contains("a header's name"));
    }

    #[test]
    fn a_lost_secret_is_said_once_and_its_return_once() {
        let reads = SecretReads::default();
        let said: Vec<bool> = [Ok(()), Err("gone"), Err("gone"), Err("closed"), Ok(()), Ok(()), Err("gone")]
            .into_iter()
            .map(|read| reads.note(read))
            .collect();
        assert_eq!(said, [false, true, false, false, true, false, true]);
    }
}
