//! The header that carries a credential. Where it must be fetched first, the token is kept in memory until it ends, and
//! nowhere else.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use refresh_core::{
    Instant,
    base::instant::{MINUTE, SECOND},
};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};
use sources::{
    Format,
    poll::{
        PollFailure,
        answer::{self, SystemAnswer},
        credential::{self, Credential},
    },
};

use crate::web::{SentQuestion, Web};

/// A token is fetched again this long before it ends, in milliseconds: a question takes time.
const BEFORE_ITS_END: i64 = MINUTE;
/// The life of a token whose server names none, in seconds.
const USUAL_SECONDS: i64 = 5 * 60;
/// Bytes of a token's answer.
const LARGEST: usize = 64 * 1_024;

/// Tokens that were fetched, by the name of their credential.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Arc<Mutex<BTreeMap<String, (String, Instant)>>>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    fn kept(&self, name: &str, now: Instant) -> Option<String> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(name).filter(|(_, end)| now < *end).map(|(token, _)| token.clone())
    }

    fn keep(&self, name: &str, token: String, end: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), (token, end));
    }

    /// A system refused it: it may have been taken back before its end.
    pub(crate) fn forget(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name).is_some()
    }

    /// The header that proves to a system who asks. `name`: that of the credential, under which its token is kept. `web`:
    /// the way to whoever gives tokens.
    pub(crate) async fn header(
        &self,
        web: &Web,
        format: Format,
        (name, credential): (&str, &Credential),
        now: Instant,
    ) -> Result<(String, String), PollFailure> {
        if let Some(header) = credential::header(format, credential) {
            return Ok(header);
        }
        if let Some(token) = self.kept(name, now) {
            return Ok(credential::bearer(&token));
        }
        let (url, form) = question(credential, now)?;
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let sent = SentQuestion { url, headers: &headers, body: Some(form), room: LARGEST };
        let response = web.exchange(sent).await?;
        match answer::of(&response, now) {
            Ok(SystemAnswer::Page) => {}
            // A credential follows nowhere.
            Ok(SystemAnswer::Moved { .. }) => return Err(PollFailure::Elsewhere),
            Err(wait @ (PollFailure::Throttled(_) | PollFailure::Unavailable(..))) => return Err(wait),
            Ok(SystemAnswer::NotModified) | Err(_) => return Err(PollFailure::NoToken),
        }
        let answer: Value = serde_json::from_slice(&response.body).map_err(|_| PollFailure::NoToken)?;
        let token = answer["access_token"].as_str().filter(|token| !token.is_empty()).ok_or(PollFailure::NoToken)?;
        let seconds = answer["expires_in"].as_i64().unwrap_or(USUAL_SECONDS).clamp(0, 24 * 3_600);
        self.keep(name, token.to_owned(), now.plus_millis(seconds * SECOND - BEFORE_ITS_END));
        Ok(credential::bearer(token))
    }
}

/// Where a token is asked for, and the form that is posted.
fn question(credential: &Credential, now: Instant) -> Result<(&str, String), PollFailure> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    match credential {
        Credential::Client { token_url, client_id, client_secret, scope } => {
            form.append_pair("grant_type", "client_credentials")
                .append_pair("client_id", client_id)
                .append_pair("client_secret", client_secret)
                .append_pair("scope", scope);
            Ok((token_url, form.finish()))
        }
        Credential::ServiceAccount { token_url, private_key, .. } => {
            let assertion = signed(&claims(credential, now), private_key)?;
            form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
                .append_pair("assertion", &assertion);
            Ok((token_url, form.finish()))
        }
        Credential::Token(_) | Credential::Basic { .. } | Credential::Header { .. } => Err(PollFailure::NoToken),
    }
}

/// What the account claims (RFC 7523), for an hour.
fn claims(credential: &Credential, now: Instant) -> Value {
    let Credential::ServiceAccount { token_url, email, scope, subject, .. } = credential else { return Value::Null };
    let seconds = now.millis() / SECOND;
    let mut claims = json!({ "iss": email, "scope": scope, "aud": token_url, "iat": seconds, "exp": seconds + 3_600 });
    if let Some(subject) = subject {
        claims["sub"] = subject.as_str().into();
    }
    claims
}

/// A JWT with `RS256` (RFC 7515).
fn signed(claims: &Value, pem: &str) -> Result<String, PollFailure> {
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encoded(&header), encoded(claims));
    let base64: String = pem.lines().filter(|line| !line.contains("-----")).flat_map(str::chars).collect();
    let der = STANDARD.decode(base64.trim()).map_err(|_| PollFailure::NoToken)?;
    let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| PollFailure::NoToken)?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| PollFailure::NoToken)?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
