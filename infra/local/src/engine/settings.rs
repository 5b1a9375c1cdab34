//! What a deployment would set by parameters and secrets.

use std::{path::PathBuf, sync::Arc};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::HttpRequest,
    result::ConnectorError,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};

use crate::{doors::Public, limits::Limits, relay::Smtp, retention::Keep, timekeeper::Timekeeper, tls::Certificates};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Storage {
    /// Ends with the process.
    Memory,
    /// One SQLite file.
    File(PathBuf),
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub storage: Storage,
    /// Keep queues and mailbox in the store even where that is memory: for tests that let an engine die and start again.
    pub durable_queues: bool,
    /// The text of the deployment's policy file.
    pub policy: String,
    /// What every link starts with, `http://127.0.0.1:8420`.
    pub link_base: String,
    pub mail_from: String,
    /// Where replies by mail are read; empty where nobody reads them.
    pub reply_address: String,
    /// Where other servers send what they could not deliver, with a part of its own for each mail. `None`: to `mail_from`,
    /// and nobody reads it.
    pub bounce_address: Option<String>,
    pub mail_domain: String,
    /// The address that the engine has beyond this machine. `None`: it answers on loopback alone.
    pub public: Option<Public>,
    /// What the engine answers with where it ends TLS itself.
    pub certificates: Option<Arc<Certificates>>,
    /// The server that mail leaves by. `None`: mail stays in the mailbox.
    pub relay: Option<Smtp>,
    /// `<key id>:<base64url of 32 bytes>`, comma separated; the first signs.
    pub link_keys: String,
    /// The secrets of hooks, a JSON object by name; empty where there are none.
    pub source_secrets: String,
    /// The credentials of polls, a JSON object by name; empty where there are none.
    pub source_credentials: String,
    /// The way to the systems that are polled; `None`: over the network.
    pub web: Option<poll::Web>,
    /// What lets the operator in where a mailed link does not. Empty: nothing does.
    pub operator_token: String,
    /// What lets a source's events in under the public address. Empty: nothing does.
    pub events_token: String,
    /// Other than production's, for tests.
    pub retries: Option<(TimeoutConfig, RetryConfig)>,
    /// How long what has ended is kept.
    pub keep: Keep,
    /// What is taken and held at most.
    pub limits: Limits,
    /// Who says whether the engine's clock is right. `None`: it always is, as one that a test turns.
    pub timekeeper: Option<Timekeeper>,
    /// What chance follows from, where it shall be the same every time.
    pub seed: Option<u64>,
}

/// Links of replays lead nowhere, so their key need not be secret; being the same keeps replays the same.
const REPLAY_KEYS: &str = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A replayed webhook was proven when it was recorded, so its secret need not be secret either. Nor does the credential of a
/// recorded conversation.
const REPLAY_SECRET: &str = "a replay proves nobody";

/// A secret for every hook of a policy. A policy that cannot be read has none; whoever reads the policy next says why.
fn replay_secrets(policy: &str) -> String {
    let bindings = sources::policy::read_file(policy).map(|file| file.bindings.0).unwrap_or_default();
    let hooks = bindings.into_iter().filter_map(|bound| bound.hook);
    let secrets: serde_json::Map<String, serde_json::Value> =
        hooks.map(|hook| (hook.secret, REPLAY_SECRET.into())).collect();
    serde_json::Value::from(secrets).to_string()
}

/// A credential for every poll of a policy that wants one.
fn replay_credentials(policy: &str) -> String {
    let bindings = sources::policy::read_file(policy).map(|file| file.bindings.0).unwrap_or_default();
    let polls = bindings.into_iter().filter_map(|bound| bound.poll?.credential);
    let credentials: serde_json::Map<String, serde_json::Value> =
        polls.map(|name| (name, REPLAY_SECRET.into())).collect();
    serde_json::Value::from(credentials).to_string()
}

/// Where no system is, no question is answered.
#[derive(Debug)]
struct Nobody;

impl HttpConnector for Nobody {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::io("nobody is asked here".into())))
    }
}

impl Settings {
    /// Everything in memory, the same every time.
    pub fn in_memory(policy: impl Into<String>) -> Self {
        let policy = policy.into();
        Self {
            source_secrets: replay_secrets(&policy),
            source_credentials: replay_credentials(&policy),
            // What is kept in memory alone is a test's or a replay's, and asks nobody.
            web: Some(poll::Web::through(Nobody)),
            storage: Storage::Memory,
            durable_queues: false,
            policy,
            link_base: "https://holdpoint.example.com".to_owned(),
            mail_from: "holdpoint@holdpoint.example.com".to_owned(),
            reply_address: String::new(),
            bounce_address: None,
            mail_domain: "holdpoint.example.com".to_owned(),
            public: None,
            certificates: None,
            relay: None,
            link_keys: REPLAY_KEYS.to_owned(),
            operator_token: String::new(),
            events_token: String::new(),
            retries: None,
            keep: Keep::default(),
            limits: Limits::default(),
            timekeeper: None,
            seed: None,
        }
    }
}
