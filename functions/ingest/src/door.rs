//! `POST /hooks/{binding}`: a webhook as its system posts it. The sender is proven, the payload is read once to say what is
//! wrong with it, and what was received goes on the queue whole. The answer comes when the queue has taken it.

use std::collections::BTreeMap;

use decisions::Doing;
use lambda_shell::{
    Failure,
    deadline::Deadline,
    log::NOTE,
    metrics::Metrics,
    queue::Outgoing,
    web::{Request, Response},
};
use packet_store::{Door, Receipt, Unheard};
use refresh_core::{Instant, base::name::shorten};
use serde_json::{Value, json};
use sources::{
    Fault, ReadBody,
    hook::{self, HookRequest},
    http::Unsplit,
    native::{NamedBinding, binding::Hook},
};

use crate::Env;

/// Faults and skipped parts of one answer.
const MOST_SAID: usize = 100;

/// Why a webhook was not taken. The answer tells its sender what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HookRefused {
    /// No binding of that name has a hook.
    NoHook,
    /// The request is no POST.
    Method,
    /// Nothing proves that the system posted the webhook.
    Unproven(hook::Unproven),
    /// The payload holds too many events, or one that is too large.
    TooLarge(Fault),
    /// The payload is not what its binding reads: every fault.
    Invalid(Vec<Fault>),
    /// The queue did not take it.
    Unavailable,
}

/// Answers one webhook: a proven payload goes on the queue, and a refused one leaves a receipt.
pub async fn post(env: &Env, request: Request, _deadline: Deadline) -> Response {
    match take(env, &request).await {
        Ok(accepted) => accepted,
        Err(refused) => {
            if let Err(failure) = keep(env, &request, &refused).await {
                tracing::error!(error = %failure, "the receipt of a refused webhook could not be kept");
            }
            refused.answer(env)
        }
    }
}

/// What remains of a webhook that was refused. The queue's own refusal is no matter of the payload: it is sent again.
async fn keep(env: &Env, request: &Request, refused: &HookRefused) -> Result<(), Failure> {
    let now = Instant::from_millis(env.clock.now_millis());
    let bound = hook_of(env, request).map(|(bound, _)| bound);
    let name = bound.and_then(|bound| bound.name.as_deref());
    let unproven = |became, why| env.unproven.receipt(name, became, why, now);
    let receipt = match refused {
        HookRefused::Unavailable => None,
        HookRefused::NoHook => {
            let path = shorten(&request.segments().join("/"));
            unproven(Unheard::Unbound, format!("no binding of the policy's `native` list is a hook at {path}"))
        }
        HookRefused::Method => unproven(Unheard::Refused, "a hook takes POST alone".to_owned()),
        HookRefused::Unproven(why) => unproven(Unheard::Refused, why.to_string()),
        HookRefused::TooLarge(_) | HookRefused::Invalid(_) => bound.map(|bound| {
            let receipt = Receipt {
                became: Unheard::Refused,
                door: Door::Hook,
                form: Some(bound.binding.format().word().to_owned()),
                binding: bound.name.clone(),
                source: Some(bound.binding.source.as_str().to_owned()),
                id: None,
                reasons: Vec::new(),
                count: 0,
                digest: Receipt::digest_of(&request.body),
                at: now,
            };
            receipt.because(refused.faults().iter().map(|fault| format!("{}: expected {}", fault.path, fault.expected)))
        }),
    };
    match receipt {
        Some(receipt) => env.store.keep(&receipt).await.doing("keeping the receipt of a webhook"),
        None => Ok(()),
    }
}

async fn take(env: &Env, request: &Request) -> Result<Response, HookRefused> {
    let (bound, hook) = hook_of(env, request).ok_or(HookRefused::NoHook)?;
    if request.method != "POST" {
        return Err(HookRefused::Method);
    }
    let name = bound.name.as_deref().unwrap_or_default();
    tracing::info!(target: NOTE, binding = name, "");
    // A header that came twice is taken by its first value, which the proof then fits or does not.
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &request.headers {
        headers.entry(name.to_ascii_lowercase()).or_insert_with(|| value.clone());
    }
    let posted = HookRequest { headers: &headers, body: &request.body };
    let now = Instant::from_millis(env.clock.now_millis());
    hook::verify(hook.proof, env.secrets.named(&hook.secret), posted, now).map_err(HookRefused::Unproven)?;
    let read = proven(env, bound, posted).await?;
    let skipped: Vec<&str> = read.skipped.iter().map(|part| part.why.as_str()).take(MOST_SAID).collect();
    let mut said = json!({ "events": read.events.len(), "skipped": skipped });
    // Bad records among good ones: they go to the dead letters, each by itself.
    let refused: Vec<String> = read.refused.iter().map(|record| record.refused.to_string()).take(MOST_SAID).collect();
    if !refused.is_empty() {
        said["refused"] = refused.into();
    }
    Ok(answer(202, "application/json", &said))
}

/// Takes a webhook whose sender is known: reads the payload, and puts the payload on the queue whole.
///
/// # Errors
///
/// [`HookRefused`], if the payload is not what its binding reads, or the queue does not take the payload.
pub async fn proven(env: &Env, bound: &NamedBinding, posted: HookRequest<'_>) -> Result<ReadBody, HookRefused> {
    let message = hook::message(bound, posted).map_err(|unsplit| match unsplit {
        Unsplit::TooLarge(fault) => HookRefused::TooLarge(fault),
        Unsplit::MediaType(fault) => HookRefused::Invalid(vec![fault]),
        Unsplit::Invalid(refused) => HookRefused::Invalid(refused.faults),
    })?;
    let read = sources::read(&message, &env.policy.bindings).map_err(|refused| HookRefused::Invalid(refused.faults))?;
    let attributes = vec![("door".to_owned(), Door::Hook.word().to_owned())];
    let letter = Outgoing { body: message, attributes, ..Outgoing::default() };
    if let Err(error) = env.source_events.send(letter).await {
        tracing::error!(error = %error, "a webhook could not be put on the queue");
        return Err(HookRefused::Unavailable);
    }
    let binding = bound.name.as_deref();
    tracing::info!(binding, events = read.events.len(), parts = read.skipped.len(), "a webhook was taken");
    Ok(read)
}

/// The binding that the path names, and its hook.
fn hook_of<'e>(env: &'e Env, request: &Request) -> Option<(&'e NamedBinding, &'e Hook)> {
    let ["hooks", name] = request.segments()[..] else { return None };
    let bound = env.policy.bindings.named(name)?;
    Some((bound, bound.hook.as_ref()?))
}

impl HookRefused {
    fn faults(&self) -> &[Fault] {
        match self {
            Self::TooLarge(fault) => std::slice::from_ref(fault),
            Self::Invalid(faults) => faults,
            _ => &[],
        }
    }

    /// The word of the log and of the figure.
    const fn word(&self) -> &'static str {
        match self {
            Self::NoHook => "no_hook",
            Self::Method => "method",
            Self::Unproven(unproven) => unproven.word(),
            Self::TooLarge(_) => "too_large",
            Self::Invalid(_) => "invalid",
            Self::Unavailable => "unavailable",
        }
    }

    /// One line, one figure, and what the sender can do.
    fn answer(self, env: &Env) -> Response {
        let reason = self.word();
        tracing::warn!(reason, "a webhook was refused");
        let now = env.clock.now_millis();
        Metrics::new("Holdpoint").dimension("Reason", reason).count("HooksRefused", 1).in_all().emit(now);
        match self {
            Self::NoHook => problem(404, "no binding of the policy's `native` list has this name and a `hook`", &[]),
            Self::Method => {
                let mut response = problem(405, "a hook takes POST alone", &[]);
                response.headers.push(("allow".to_owned(), "POST".to_owned()));
                response
            }
            Self::Unproven(unproven) => problem(401, &unproven.to_string(), &[]),
            Self::TooLarge(fault) => problem(413, "nothing was taken: the payload is too large", &[fault]),
            Self::Invalid(faults) => {
                problem(400, "nothing was taken: the payload is not what its binding reads", &faults)
            }
            Self::Unavailable => {
                let mut response = problem(503, "nothing was taken: send it again later", &[]);
                response.headers.push(("retry-after".to_owned(), "5".to_owned()));
                response
            }
        }
    }
}

/// `application/problem+json`, RFC 9457.
fn problem(status: u16, title: &str, faults: &[Fault]) -> Response {
    let errors: Vec<Value> = faults
        .iter()
        .take(MOST_SAID)
        .map(|fault| json!({ "path": fault.path, "expected": fault.expected, "found": fault.found }))
        .collect();
    let mut body = json!({ "type": "about:blank", "title": title, "status": status });
    if !errors.is_empty() {
        body["errors"] = errors.into();
    }
    answer(status, "application/problem+json", &body)
}

fn answer(status: u16, media_type: &str, body: &Value) -> Response {
    let headers = [("content-type", media_type), ("cache-control", "no-store"), ("x-content-type-options", "nosniff")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Response::new(status, headers.to_vec(), body.to_string())
}
