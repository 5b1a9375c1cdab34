//! How the payloads of one binding come in: posted by the system itself, or asked for at intervals.

use std::collections::BTreeMap;

use super::says::Binding;

/// One entry of the policy's `native` list.
#[derive(Clone, PartialEq, Debug)]
pub struct NamedBinding {
    /// What the deployment calls the binding; unique, and part of the address of its hook.
    pub name: Option<String>,
    /// What a payload cannot say itself.
    pub binding: Binding,
    /// Whether the system posts by itself.
    pub hook: Option<Hook>,
    /// Whether the system is asked.
    pub poll: Option<PollTarget>,
}

/// A webhook: the system posts, and proves by a secret that the system is the sender.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    /// The name of the secret. The secret itself never stands in a policy.
    pub secret: String,
    /// How the secret proves the sender.
    pub proof: Proof,
}

/// How a request proves who sent it. The first four are signatures over the raw body, HMAC-SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// `X-Hub-Signature-256: sha256=<hex>`, as GitHub sends it; also `X-Hub-Signature` with `sha256=`, as Jira does.
    HubSignature,
    /// `X-PagerDuty-Signature: v1=<hex>[,v1=<hex>]`: one of them must fit, since keys are rotated so.
    Pagerduty,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64>[ v1,<base64>]`: the Standard Webhooks specification,
    /// as incident.io sends it. The instant is signed too, and must be near.
    StandardWebhooks,
    /// `X-Slack-Request-Timestamp` and `X-Slack-Signature: v0=<hex>`: the instant is signed too, and must be near.
    Slack,
    /// `X-Gitlab-Token`: the secret itself.
    GitlabToken,
    /// `Authorization: Bearer <secret>`, or `Basic` with the secret as password: for systems that sign nothing.
    SharedSecret,
}

impl Proof {
    /// The words of the policy.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("hub_signature", Self::HubSignature),
        ("pagerduty_v3", Self::Pagerduty),
        ("standard_webhooks", Self::StandardWebhooks),
        ("slack_v0", Self::Slack),
        ("gitlab_token", Self::GitlabToken),
        ("shared_secret", Self::SharedSecret),
    ];

    /// How the system of a format proves itself, unless the policy says otherwise. `format`: the word of the contract.
    pub fn of_format(format: &str) -> Self {
        match format.split('.').next().unwrap_or_default() {
            "github" | "jira" => Self::HubSignature,
            "pagerduty" => Self::Pagerduty,
            "gitlab" => Self::GitlabToken,
            "incidentio" => Self::StandardWebhooks,
            _ => Self::SharedSecret,
        }
    }
}

/// What is asked, and how often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PollTarget {
    /// `https` addresses, with placeholders in them; `http` on loopback alone. By table, where a snapshot is of two; else one,
    /// under no name.
    pub urls: BTreeMap<&'static str, String>,
    /// The name of the credential, if the system wants one. The credential itself never stands in a policy.
    pub credential: Option<String>,
    /// Minutes between two questions.
    pub every_minutes: i64,
}

impl PollTarget {
    /// The address of a table, or the one address there is.
    pub fn url_of(&self, table: Option<&str>) -> &str {
        self.urls.get(table.unwrap_or_default()).map_or("", String::as_str)
    }
}
