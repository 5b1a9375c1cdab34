//! Under which address people reach the engine, and who vouches for them on the way.
//!
//! Without a public address the engine answers on loopback alone. With one, either the engine ends TLS itself, or a proxy does
//! and passes requests on. In the latter case the engine believes nobody but that proxy: by its network address, and by a
//! secret that the proxy sends with each request, since on one machine every user has the address of every other.

use std::{fmt, net::IpAddr};

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
    pub fn way(&self, peer: Option<IpAddr>, encrypted: bool, headers: &HeaderMap) -> Result<Way, &'static str> {
        match &self.tls {
            TlsBy::Proxy(proxy) => {
                Ok(Way::Public { user: proxy.vouches(peer, headers)?, client: forwarded_for(headers) })
            }
            TlsBy::Engine(_) if encrypted => {
                Ok(Way::Public { user: None, client: peer.map(|peer| peer.to_canonical().to_string()) })
            }
            TlsBy::Engine(_) => Err("the public address speaks TLS alone: ask by https"),
        }
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
    fn vouches(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Result<Option<String>, &'static str> {
        let peer = peer.map(|peer| peer.to_canonical());
        if !peer.is_some_and(|peer| self.trusted.contains(&peer)) {
            return Err(
                "requests for the public address come from the proxy alone; this one did not come from its address",
            );
        }
        let secret = self.secret.read().map_err(|why| {
            tracing::error!(why, "the proxy's secret cannot be read");
            "the proxy's secret cannot be read; the engine's log says why"
        })?;
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
