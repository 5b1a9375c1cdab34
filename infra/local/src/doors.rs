//! Under which address people reach the engine, and who vouches for them on the way.
//!
//! Without a public address the engine answers on loopback alone. With one, a proxy ends TLS and passes requests on. The
//! engine then believes nobody but that proxy: by its network address, and by a secret that the proxy sends with each
//! request, since on one machine every user has the address of every other.

use std::{fmt, net::IpAddr};

use axum::http::{HeaderMap, HeaderName, Uri, header};
use subtle::ConstantTimeEq;

use crate::relay::Secret;

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

/// The public side of the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Public {
    pub address: PublicAddress,
    pub proxy: Proxy,
}

/// By which way a request came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// From this machine, by a loopback name.
    Loopback,
    /// From the proxy, with who has signed in there.
    Proxy { user: Option<String> },
}

impl Public {
    /// Whether a `Host` header names the public address.
    pub fn is_host(&self, host: &str) -> bool {
        host == self.address.authority || host.strip_suffix(":443") == Some(self.address.authority.as_str())
    }

    pub fn is_origin(&self, origin: &str) -> bool {
        origin == self.address.url
    }

    /// The way of a request that names the public address.
    ///
    /// # Errors
    /// Why the request is not the proxy's.
    pub fn way(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Result<Way, &'static str> {
        let peer = peer.map(|peer| peer.to_canonical());
        if !peer.is_some_and(|peer| self.proxy.trusted.contains(&peer)) {
            return Err(
                "requests for the public address come from the proxy alone; this one did not come from its address",
            );
        }
        let secret = self.proxy.secret.read().map_err(|why| {
            tracing::error!(why, "the proxy's secret cannot be read");
            "the proxy's secret cannot be read; the engine's log says why"
        })?;
        let given = headers.get(PROXY_SECRET).map(|given| given.as_bytes()).unwrap_or_default();
        if !bool::from(secret.as_bytes().ct_eq(given)) {
            return Err("the proxy must send its secret in the header x-holdpoint-proxy; the settings name the file");
        }
        let user = self.proxy.user_header.as_ref().and_then(|name| headers.get(name)?.to_str().ok());
        let user = user.map(str::trim).filter(|user| !user.is_empty()).map(str::to_owned);
        Ok(Way::Proxy { user })
    }

    /// Whom the proxy speaks for: the last address it wrote.
    pub fn client(headers: &HeaderMap) -> Option<String> {
        let lists = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let last = lists.flat_map(|list| list.split(',')).last()?.trim();
        last.parse::<IpAddr>().ok().map(|address| address.to_string())
    }
}

/// The `Host` header, in lower case.
pub fn host(headers: &HeaderMap) -> String {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_ascii_lowercase()
}
