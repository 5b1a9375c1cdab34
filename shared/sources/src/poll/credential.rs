//! Credentials by name, and the header that carries one.
//!
//! A credential is never printed: its types show names and kinds alone. An error about one says what was expected, and not what
//! was found.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use url::Url;

use crate::{
    fault::Fault,
    native::{Bindings, Format},
    reader::{Faults, Node, Object},
};

/// Bytes of one part of a credential. A key of 4,096 bits in PEM is below.
const LONGEST: usize = 8_192;

/// What proves to a system who asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// What the system calls a token or an API key: carried as the system of the format wants it.
    Token(String),
    /// `Authorization: Basic`.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A header of its own.
    Header {
        /// Its name, in lower case.
        name: String,
        /// Its value.
        value: String,
    },
    /// OAuth 2 client credentials (RFC 6749, 4.4): a token is fetched with them.
    Client {
        /// Where the token is fetched; `https`, or loopback.
        token_url: String,
        /// Who asks.
        client_id: String,
        /// The client's secret.
        client_secret: String,
        /// What may be read.
        scope: String,
    },
    /// A service account of Google's, whose key signs for a token (RFC 7523).
    ServiceAccount {
        /// Where the token is fetched; `https`, or loopback.
        token_url: String,
        /// The account's address.
        email: String,
        /// The account's key, PKCS #8 in PEM.
        private_key: String,
        /// What may be read.
        scope: String,
        /// The person in whose name, where the domain delegated that.
        subject: Option<String>,
    },
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Basic { .. } => "Basic",
            Self::Header { .. } => "Header",
            Self::Client { .. } => "Client",
            Self::ServiceAccount { .. } => "ServiceAccount",
        })
    }
}

/// Credentials by name.
#[derive(Clone, Default, Debug)]
pub struct Credentials(BTreeMap<String, Credential>);

impl Credentials {
    /// Reads `{"name": "token" or {"kind": ...}}`.
    ///
    /// # Errors
    /// Every fault, by name. A credential is never quoted.
    pub fn read(json: &str) -> Result<Self, Vec<Fault>> {
        let value: Value = serde_json::from_str(json)
            .map_err(|_| vec![Fault::new("$", "a JSON object of credentials by name", "other text")])?;
        let faults = Faults::default();
        let node = Node::root(&value, "$", &faults);
        let named =
            node.object().and_then(|object| object.each(|name, node| Some((name.to_owned(), credential(node)?))));
        match named {
            Some(named) if faults.is_empty() => Ok(Self(named.into_iter().collect())),
            _ => Err(faults.into_vec()),
        }
    }

    /// What to say of each poll whose credential nobody gave.
    pub fn missing(&self, bindings: &Bindings) -> Vec<String> {
        let polls = bindings.polled().filter_map(|bound| Some((bound.name.as_deref()?, bound.poll.as_ref()?)));
        let wanted = polls.filter_map(|(name, target)| Some((name, target.credential.as_deref()?)));
        let missing = wanted.filter(|(_, credential)| self.named(credential).is_none());
        missing
            .map(|(name, credential)| format!("expected a credential {credential}, for the poll of {name}; found none"))
            .collect()
    }

    /// The credential of that name.
    pub fn named(&self, name: &str) -> Option<&Credential> {
        self.0.get(name)
    }
}

/// A part of a credential: what may stand in a header.
fn part(node: &Node<'_>) -> Option<String> {
    match node.value().as_str() {
        Some(text) if (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
            Some(text.to_owned())
        }
        _ => node.wrong_as("printable ASCII", "something else"),
    }
}

/// A key's PEM has lines.
fn pem(node: &Node<'_>) -> Option<String> {
    let key = node.value().as_str().filter(|text| text.len() <= LONGEST && text.contains("PRIVATE KEY"));
    key.map(str::to_owned).or_else(|| node.wrong_as("a private key in PEM (PKCS #8)", "something else"))
}

fn token_url(node: &Node<'_>) -> Option<String> {
    let url = node.value().as_str().and_then(|text| Url::parse(text).ok());
    let good = url.filter(|url| {
        let loopback = url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "localhost"));
        (url.scheme() == "https" || loopback) && url.username().is_empty()
    });
    good.map(Into::into).or_else(|| node.wrong_as("an https:// address", "something else"))
}

fn header_name(node: &Node<'_>) -> Option<String> {
    let good = |text: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=60).contains(&text.len()) && text.bytes().all(plain)
    };
    let name = node.value().as_str().filter(good).map(str::to_ascii_lowercase);
    name.or_else(|| node.wrong_as("the name of a header", "something else"))
}

fn credential(node: &Node<'_>) -> Option<Credential> {
    if node.value().is_string() {
        return part(node).map(Credential::Token);
    }
    let Value::Object(_) = node.value() else {
        return node.wrong_as("a token, or an object with `kind`", "something else");
    };
    let object = node.object()?;
    let words = ["token", "basic", "header", "client_credentials", "service_account"].map(|word| (word, word));
    let kind = object.must("kind", |node| node.word(&words))?;
    let only = |members: &[&str]| object.only(&[&["kind"], members].concat());
    match kind {
        "token" => {
            only(&["token"]);
            object.must("token", part).map(Credential::Token)
        }
        "basic" => {
            only(&["user", "password"]);
            let (user, password) = (object.must("user", part), object.must("password", part));
            Some(Credential::Basic { user: user?, password: password? })
        }
        "header" => {
            only(&["name", "value"]);
            let (name, value) = (object.must("name", header_name), object.must("value", part));
            Some(Credential::Header { name: name?, value: value? })
        }
        "client_credentials" => {
            only(&["token_url", "client_id", "client_secret", "scope"]);
            client(&object)
        }
        _ => service_account(&object),
    }
}

fn client(object: &Object<'_>) -> Option<Credential> {
    let url = object.must("token_url", token_url);
    let (id, secret) = (object.must("client_id", part), object.must("client_secret", part));
    let scope = object.must("scope", part);
    Some(Credential::Client { token_url: url?, client_id: id?, client_secret: secret?, scope: scope? })
}

/// The members of the key file that Google hands out may stay: what is not needed is not read.
fn service_account(object: &Object<'_>) -> Option<Credential> {
    let url = object.may("token_uri", token_url);
    let email = object.must("client_email", part);
    let key = object.must("private_key", pem);
    let scope = object.must("scope", part);
    let subject = object.may("subject", part);
    Some(Credential::ServiceAccount {
        token_url: url?.unwrap_or_else(|| "https://oauth2.googleapis.com/token".to_owned()),
        email: email?,
        private_key: key?,
        scope: scope?,
        subject: subject?,
    })
}

/// The header that carries a token to the system of a format. A token that was fetched is a bearer's everywhere.
pub fn token_header(format: Format, token: &str) -> (String, String) {
    let value = match format.word().split('.').next().unwrap_or_default() {
        "pagerduty" => format!("Token token={token}"),
        "opsgenie" => format!("GenieKey {token}"),
        // Grafana OnCall takes the token as it is.
        "grafana" => token.to_owned(),
        _ => format!("Bearer {token}"),
    };
    ("authorization".to_owned(), value)
}

/// The header that carries a credential which needs no token fetched. `None`: one must be.
pub fn header(format: Format, credential: &Credential) -> Option<(String, String)> {
    match credential {
        Credential::Token(token) => Some(token_header(format, token)),
        Credential::Basic { user, password } => {
            let encoded = STANDARD.encode(format!("{user}:{password}"));
            Some(("authorization".to_owned(), format!("Basic {encoded}")))
        }
        Credential::Header { name, value } => Some((name.clone(), value.clone())),
        Credential::Client { .. } | Credential::ServiceAccount { .. } => None,
    }
}

/// The header of a fetched token.
pub fn bearer(token: &str) -> (String, String) {
    ("authorization".to_owned(), format!("Bearer {token}"))
}
