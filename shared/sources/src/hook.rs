//! Webhooks as the systems post them: who posted, proven over the raw bytes, and the message that goes on the queue.
//!
//! | scheme | where it is described |
//! |---|---|
//! | `hub_signature` | GitHub, "Validating webhook deliveries"; WebSub, 7.1 |
//! | `pagerduty_v3` | PagerDuty, "Verifying signatures" of V3 webhooks |
//! | `standard_webhooks` | the Standard Webhooks specification, "Verifying webhook authenticity" |
//! | `slack_v0` | Slack, "Verifying requests" |
//! | `gitlab_token` | GitLab, "Validate payloads by using a secret token" |
//!
//! A signature is compared in constant time. A signed instant must be near, since whoever overheard a request could send
//! it again later; where nothing signs an instant, a repetition is harmless: ids of events come from their content.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use refresh_core::{Instant, base::hex};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{
    fault::{Fault, describe},
    http::{LARGEST_EVENT, Unsplit},
    json as text,
    native::{Bindings, Format, NamedBinding, binding::Proof, ical::text_of},
    reader::{Faults, Node},
};

/// Seconds that a signed instant may lie before or after our clock; what the published schemes allow.
const NEAR_SECONDS: i64 = 5 * 60;
/// Bytes of a hook's secret at least. A shorter one can be guessed from one signed request.
const SHORTEST_SECRET: usize = 16;
/// Headers that translators read. All others stay at the door: some of them are the proof itself.
const KEPT: [&str; 8] = [
    "content-type",
    "date",
    "x-github-event",
    "x-github-delivery",
    "x-gitlab-event",
    "x-gitlab-event-uuid",
    "x-webhook-id",
    "webhook-id",
];

/// The secrets of hooks and polls by name. Several of one name are valid side by side while a secret is changed.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, Vec<String>>);

impl Secrets {
    /// Reads `{"name": "secret" or ["new", "old"]}`.
    ///
    /// # Errors
    /// Every fault, by name. A secret is never quoted.
    pub fn read(json: &str) -> Result<Self, Vec<Fault>> {
        let value: Value = serde_json::from_str(json)
            .map_err(|_| vec![Fault::new("$", "a JSON object of secrets by name", "other text")])?;
        let faults = Faults::default();
        let node = Node::root(&value, "$", &faults);
        let secret = |node: &Node<'_>| match node.value().as_str() {
            Some(secret) if secret.len() >= SHORTEST_SECRET => Some(secret.to_owned()),
            _ => node.wrong_as(format!("a secret of at least {SHORTEST_SECRET} bytes"), "something else"),
        };
        let several = |_: &str, node: &Node<'_>| match node.value() {
            Value::Array(_) => node.list(2, secret),
            _ => secret(node).map(|one| vec![one]),
        };
        let named =
            node.object().and_then(|object| object.each(|name, node| Some((name.to_owned(), several(name, node)?))));
        match named {
            Some(named) if faults.is_empty() => Ok(Self(named.into_iter().collect())),
            _ => Err(faults.into_vec()),
        }
    }

    /// What to say of each hook whose secret nobody gave: such a hook could let nobody in, or everybody.
    pub fn missing(&self, bindings: &Bindings) -> Vec<String> {
        let hooks = bindings.0.iter().filter_map(|bound| Some((bound.name.as_deref()?, bound.hook.as_ref()?)));
        let missing = hooks.filter(|(_, hook)| self.named(&hook.secret).is_empty());
        missing
            .map(|(name, hook)| format!("expected a secret {}, for the hook of {name}; found none", hook.secret))
            .collect()
    }

    /// The secrets of that name; none if nothing has the name.
    pub fn named(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Names alone: what is printed may be logged.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A request as a hook gets it.
#[derive(Clone, Copy, Debug)]
pub struct HookRequest<'a> {
    /// Names in lower case.
    pub headers: &'a BTreeMap<String, String>,
    /// The body, byte for byte as it was signed.
    pub body: &'a [u8],
}

/// Why a request does not count as its system's. The words help whoever sets up the hook, and say nothing of the secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unproven {
    /// The header that proves the sender is not there.
    Missing(&'static str),
    /// The header is there and cannot be read.
    Unreadable {
        /// Which header.
        header: &'static str,
        /// What the header must look like.
        expected: &'static str,
    },
    /// The header does not fit the body and any secret of the hook.
    Wrong(&'static str),
    /// The signed instant is too far from now.
    NotNear(&'static str),
}

impl Unproven {
    /// The word of the metric.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing(_) => "unsigned",
            Self::Unreadable { .. } => "unreadable",
            Self::Wrong(_) => "forged",
            Self::NotNear(_) => "old",
        }
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(header) => {
                write!(
                    f,
                    "header {header}: expected the proof of who sends this, found nothing; set the hook's secret in the sending system"
                )
            }
            Self::Unreadable { header, expected } => write!(f, "header {header}: expected {expected}"),
            Self::Wrong(header) => {
                write!(
                    f,
                    "header {header}: does not fit this body and the hook's secret; both ends must have the same secret, and nothing between them may change the body"
                )
            }
            Self::NotNear(header) => {
                write!(f, "header {header}: expected an instant within five minutes of ours; check the sender's clock")
            }
        }
    }
}

impl std::error::Error for Unproven {}

/// Whether a request is from whoever knows one of the secrets.
///
/// # Errors
/// [`Unproven`], if the request lacks the scheme's header, or the header fits none of the secrets.
pub fn verify(proof: Proof, secrets: &[String], posted: HookRequest<'_>, now: Instant) -> Result<(), Unproven> {
    match proof {
        Proof::HubSignature => hub_signature(secrets, posted),
        Proof::Pagerduty => pagerduty(secrets, posted),
        Proof::StandardWebhooks => standard_webhooks(secrets, posted, now),
        Proof::Slack => slack(secrets, posted, now),
        Proof::GitlabToken => token(secrets, header(posted, "x-gitlab-token")?, "x-gitlab-token"),
        Proof::SharedSecret => shared_secret(secrets, posted),
    }
}

fn header<'p>(posted: HookRequest<'p>, name: &'static str) -> Result<&'p str, Unproven> {
    posted.headers.get(name).map(|value| value.trim()).ok_or(Unproven::Missing(name))
}

/// Whether one of the tags is the HMAC-SHA-256 of the parts under one of the keys.
fn is_signed(keys: &[Vec<u8>], parts: &[&[u8]], tags: &[[u8; 32]]) -> bool {
    let fits = |key: &Vec<u8>, tag: &[u8; 32]| {
        Hmac::<Sha256>::new_from_slice(key).is_ok_and(|mut mac| {
            parts.iter().for_each(|part| mac.update(part));
            mac.verify_slice(tag).is_ok()
        })
    };
    keys.iter().any(|key| tags.iter().any(|tag| fits(key, tag)))
}

fn plain(secrets: &[String]) -> Vec<Vec<u8>> {
    secrets.iter().map(|secret| secret.as_bytes().to_vec()).collect()
}

fn hub_signature(secrets: &[String], posted: HookRequest<'_>) -> Result<(), Unproven> {
    // Jira and WebSub name the method before the tag and say nothing of it in the header's name.
    let name =
        if posted.headers.contains_key("x-hub-signature-256") { "x-hub-signature-256" } else { "x-hub-signature" };
    let given = header(posted, name).map_err(|_| Unproven::Missing("x-hub-signature-256"))?;
    let tag = given.strip_prefix("sha256=").and_then(hex::read::<32>);
    let tag = tag.ok_or(Unproven::Unreadable { header: name, expected: "sha256= and 64 hexadecimal digits" })?;
    if is_signed(&plain(secrets), &[posted.body], &[tag]) { Ok(()) } else { Err(Unproven::Wrong(name)) }
}

fn pagerduty(secrets: &[String], posted: HookRequest<'_>) -> Result<(), Unproven> {
    const NAME: &str = "x-pagerduty-signature";
    let tags: Vec<_> =
        header(posted, NAME)?.split(',').filter_map(|one| hex::read::<32>(one.trim().strip_prefix("v1=")?)).collect();
    if tags.is_empty() {
        return Err(Unproven::Unreadable {
            header: NAME,
            expected: "v1= and 64 hexadecimal digits, or several of them",
        });
    }
    if is_signed(&plain(secrets), &[posted.body], &tags) { Ok(()) } else { Err(Unproven::Wrong(NAME)) }
}

fn near(given: &str, header: &'static str, now: Instant) -> Result<(), Unproven> {
    let seconds: i64 = given
        .parse()
        .map_err(|_| Unproven::Unreadable { header, expected: "whole seconds since 1970-01-01T00:00:00Z" })?;
    let apart = (now.millis() / 1_000).saturating_sub(seconds).saturating_abs();
    if apart <= NEAR_SECONDS { Ok(()) } else { Err(Unproven::NotNear(header)) }
}

fn standard_webhooks(secrets: &[String], posted: HookRequest<'_>, now: Instant) -> Result<(), Unproven> {
    const NAME: &str = "webhook-signature";
    let (id, at, given) = (header(posted, "webhook-id")?, header(posted, "webhook-timestamp")?, header(posted, NAME)?);
    let signature = |one: &str| <[u8; 32]>::try_from(STANDARD.decode(one.strip_prefix("v1,")?).ok()?).ok();
    let tags: Vec<_> = given.split(' ').filter_map(signature).collect();
    if tags.is_empty() {
        return Err(Unproven::Unreadable {
            header: NAME,
            expected: "v1, and a signature in base64, or several of them",
        });
    }
    // The secret is handed out in base64 behind a prefix; the key is what the base64 stands for.
    let key = |secret: &String| {
        let encoded = secret.strip_prefix("whsec_");
        encoded.and_then(|encoded| STANDARD.decode(encoded).ok()).unwrap_or_else(|| secret.as_bytes().to_vec())
    };
    let keys: Vec<_> = secrets.iter().map(key).collect();
    if !is_signed(&keys, &[id.as_bytes(), b".", at.as_bytes(), b".", posted.body], &tags) {
        return Err(Unproven::Wrong(NAME));
    }
    near(at, "webhook-timestamp", now)
}

fn slack(secrets: &[String], posted: HookRequest<'_>, now: Instant) -> Result<(), Unproven> {
    const NAME: &str = "x-slack-signature";
    let (at, given) = (header(posted, "x-slack-request-timestamp")?, header(posted, NAME)?);
    let tag = given.strip_prefix("v0=").and_then(hex::read::<32>);
    let tag = tag.ok_or(Unproven::Unreadable { header: NAME, expected: "v0= and 64 hexadecimal digits" })?;
    if !is_signed(&plain(secrets), &[b"v0:", at.as_bytes(), b":", posted.body], &[tag]) {
        return Err(Unproven::Wrong(NAME));
    }
    near(at, "x-slack-request-timestamp", now)
}

/// Both are hashed before they are compared, so that the time taken tells nothing of the secret's length either.
fn token(secrets: &[String], given: &str, header: &'static str) -> Result<(), Unproven> {
    let digest = |text: &str| <Sha256 as sha2::Digest>::digest(text.as_bytes());
    let given = digest(given);
    let fits = secrets.iter().any(|secret| bool::from(digest(secret).ct_eq(&given)));
    if fits { Ok(()) } else { Err(Unproven::Wrong(header)) }
}

fn shared_secret(secrets: &[String], posted: HookRequest<'_>) -> Result<(), Unproven> {
    const NAME: &str = "authorization";
    let unreadable =
        Unproven::Unreadable { header: NAME, expected: "Bearer and the secret, or Basic with the secret as password" };
    let given = header(posted, NAME)?;
    let (scheme, rest) = given.split_once(' ').ok_or(unreadable)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return token(secrets, rest.trim(), NAME);
    }
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(rest.trim()).ok()).flatten();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(unreadable)?;
    let (_, password) = decoded.split_once(':').ok_or(unreadable)?;
    token(secrets, password, NAME)
}

/// The message that goes on the queue: `{"format", "binding", "headers", "body"}`.
///
/// # Errors
/// [`Unsplit`], if the body is no text, no JSON where the format is JSON, or larger than a message may be.
pub fn message(bound: &NamedBinding, posted: HookRequest<'_>) -> Result<String, Unsplit> {
    let format = bound.binding.format();
    let body =
        if format.is_json() { std::str::from_utf8(posted.body).map(Cow::Borrowed) } else { text_of(posted.body) };
    let body =
        body.map_err(|error| Fault::new("$", "UTF-8 text", format!("other bytes after byte {}", error.valid_up_to())))?;
    let kept = posted.headers.iter().filter(|(name, _)| KEPT.contains(&name.as_str()));
    let headers: BTreeMap<_, _> = kept.collect();
    let form =
        posted.headers.get("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let payload = match form {
        // GitHub's other content type: the JSON is a field of a form. What was signed is the form.
        true => {
            form_urlencoded::parse(posted.body).find(|(name, _)| name == "payload").map(|(_, value)| value.into_owned())
        }
        false => Some(body.into_owned()),
    };
    let Some(payload) = payload else {
        return Err(Fault::new("$", "a form with a field `payload`, or JSON", "another form").into());
    };
    let body = if format.is_json() { text::parse(&payload, "$")? } else { Value::from(payload) };
    let message =
        json!({ "format": format.word(), "binding": bound.name, "headers": headers, "body": body }).to_string();
    if message.len() > LARGEST_EVENT {
        let expected = format!("a payload of at most {LARGEST_EVENT} bytes with its headers");
        return Err(Unsplit::TooLarge(Fault::new("$", expected, format!("{} bytes", message.len()))));
    }
    Ok(message)
}

/// What to say of a webhook that was sent to the door of CloudEvents. `None`: the headers are no system's we know.
pub fn misdirected(headers: &BTreeMap<String, String>) -> Option<Fault> {
    const MARKS: [(&str, &str); 6] = [
        ("x-github-event", "github"),
        ("x-gitlab-event", "gitlab"),
        ("x-pagerduty-signature", "pagerduty"),
        ("x-atlassian-webhook-identifier", "jira"),
        ("webhook-signature", ""),
        ("x-hub-signature", ""),
    ];
    let (mark, system) = MARKS.into_iter().find(|(mark, _)| headers.contains_key(*mark))?;
    let formats: Vec<&str> =
        Format::ALL.iter().map(|format| format.word()).filter(|word| word.starts_with(system)).collect();
    let expected = format!(
        "a CloudEvent; a webhook goes as it is to /hooks/<name of its binding>, or as \
         {{\"format\", \"headers\", \"body\"}} with a format of {}",
        formats.join(", ")
    );
    Some(Fault::new(format!("header {mark}"), expected, describe(&Value::from(headers[mark].as_str()))))
}
